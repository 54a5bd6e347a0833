"""A folder of lists, told by what is in it.

    sdn.csv (with alt.csv, add.csv)     OFAC's list, named ``ofac``
    *.xml with a CONSOLIDATED_LIST      the UN's list, named ``un``
    other *.csv with a column ``name``  a list of one's own, named as the file is
    2026-02-27/                         such a folder as it was from that day (UTC) on

Without folders named by days, a list holds from the time that its file states, and where it states
none, ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from regtech.adapters.lists.ofac import read_ofac
from regtech.adapters.lists.own import read_own
from regtech.adapters.lists.un import read_un
from regtech.errors import InputError
from regtech.reference.watchlists import ListVersion

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z")
_OFAC: Final = ("sdn.csv", "alt.csv", "add.csv")


def read_lists(
    folder: Path, countries: Mapping[str, str], between: Callable[[], object] = lambda: None
) -> list[ListVersion]:
    """All versions of all lists in the folder, older ones first.

    ``countries``: names, lower case, to ISO codes. Raises ``InputError`` where there is no list.
    ``between`` is called often meanwhile: to give way to others.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder", hint="--lists DIR names a folder of lists")
    days = _days(folder)
    found: list[ListVersion] = []
    for path in days:
        try:
            since = _moment(path.name + "T00:00:00Z")
        except ValueError:
            raise InputError(f"{path} is not named by a day", hint="2026-02-27") from None
        found += _read_one(path, countries, since, between)
    if not days or any(path.is_file() for path in _files(folder)):
        found += _read_one(folder, countries, None, between)
    if not found:
        raise InputError(
            f"no list in {folder}",
            hint="put sdn.csv, the UN's XML or a CSV with a column 'name' there",
        )
    return sorted(found, key=lambda version: (version.since_us or -(1 << 62), version.name))


def list_files(folder: Path) -> list[Path]:
    """The files of all lists of a folder, those of its days too. Raises ``OSError``."""
    return [path for part in (folder, *_days(folder)) for path in _files(part)]


def _days(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and _DAY.match(path.name))


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in (".csv", ".xml"))


def _read_one(
    folder: Path,
    countries: Mapping[str, str],
    since: int | None,
    between: Callable[[], object],
) -> list[ListVersion]:
    found = []
    for path in _files(folder):
        name = path.name.lower()
        if name in _OFAC:
            if name == _OFAC[0]:
                entries, faults = read_ofac(folder, countries, between)
                found.append(ListVersion("ofac", tuple(entries), since, tuple(faults)))
            continue
        if path.suffix.lower() == ".xml":
            entries, faults, made = read_un(path, countries, between)
            stated = _moment(made) if made and since is None else since
            found.append(ListVersion("un", tuple(entries), stated, tuple(faults)))
            continue
        if not _has_names(path):
            continue  # another table that lies beside the lists
        entries, faults = read_own(path, countries, between)
        found.append(ListVersion(path.stem.lower(), tuple(entries), since, tuple(faults)))
    return found


def _has_names(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.readline(4096).decode("utf-8-sig", "replace")
    return "name" in (cell.strip().strip('"').lower() for cell in head.split(","))


def _moment(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
