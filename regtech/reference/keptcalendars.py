"""Working days as they were worked out the last time: importing their libraries takes 0.2 s.

An entry of the cache is named by what decides it: the calendars, the years, both libraries and the
code that asks them.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from regtech.content.cache import Inputs, keep, kept, sources_of
from regtech.reference import calendars as worked_out
from regtech.reference.calendars import WorkingCalendar

_KIND: Final = "calendars"
_LIBRARIES: Final = ("holidays", "chinesecalendar")


def learn_years(
    calendars: Sequence[WorkingCalendar], first: int, last: int, cache: Path | None = None
) -> None:
    """Let calendars know the years ``first..last``, from the cache or for the next start.

    Answers are the same without it. ``cache``: a folder in place of the user's.
    """
    lacking = [one for one in calendars if one.lacks(first, last)]
    if not lacking:
        return
    years = range(first, last + 1)
    name = _name(lacking, first, last)
    data = None if name is None else kept(_KIND, name, cache)
    lengths = [366 if calendar.isleap(year) else 365 for year in years]
    if data is not None and len(data) == len(lacking) * sum(lengths):
        at = 0
        for one in lacking:
            for year, length in zip(years, lengths, strict=True):
                one.learn(year, data[at : at + length])
                at += length
        return
    found = b"".join(one.days_of(year) for one in lacking for year in years)
    if name is not None:
        keep(_KIND, name, found, cache)


def _name(calendars: Sequence[WorkingCalendar], first: int, last: int) -> str | None:
    """What an entry is called; None where something that decides it cannot be read."""
    try:
        code = sources_of(Path(worked_out.__file__).resolve())
        texts = [f"{name} {version(name)}" for name in _LIBRARIES]
        texts += [repr(one.spec) for one in calendars]
        return Inputs((*texts, f"{first} {last}"), sorted(code)).digest
    except (OSError, UnicodeDecodeError, PackageNotFoundError):
        return None
