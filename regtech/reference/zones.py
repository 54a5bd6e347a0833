"""Time zones as tables of transitions, for compiled kernels and for plain Python.

The source is the IANA database in the ``tzdata`` package, never the machine's own copy, so that the
same installation gives the same days everywhere. A zone is two arrays: from ``starts_us[i]`` on
(UTC, microseconds since 1970), local time is UTC plus ``offsets_us[i]``. ``starts_us[0]`` is the
least integer, so that every instant has the index ``searchsorted(starts_us, t, side="right") - 1``.
Rules that recur every year are written out to the end of the year 9999.
"""

from __future__ import annotations

import importlib.resources
import re
import struct
from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from regtech.errors import UsageError
from regtech.reference.civil import (
    DAY_US,
    SECOND_US,
    civil_from_days,
    days_from_civil,
    is_leap,
    iso_weekday,
    month_length,
)

Int64 = npt.NDArray[np.int64]

LAST_YEAR: Final = 9999
_FIRST_INSTANT: Final = -(1 << 63)
_SECONDS_PER_DAY: Final = 86_400
_CYCLE_YEARS: Final = 400  # the calendar, days of the week included, repeats after 146,097 days
_CYCLE_SECONDS: Final = 146_097 * _SECONDS_PER_DAY
_NO_TRANSITIONS: Final = np.zeros((0, 2), np.int64)
_NAME: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


def database_version() -> str:
    """Release of the IANA database in use, for example ``2026a``; part of an alert's evidence."""
    return str(importlib.import_module("tzdata").IANA_VERSION)


@lru_cache(maxsize=64)
def transition_table(zone: str) -> tuple[Int64, Int64]:
    """``(starts_us, offsets_us)`` of an IANA zone, exact for the years 1 to 9999; read-only arrays.

    Raises UsageError for an unknown zone.
    """
    starts, offsets = _read(zone)
    starts_us, offsets_us = starts * SECOND_US, offsets * SECOND_US
    starts_us[0] = _FIRST_INSTANT
    starts_us.setflags(write=False)
    offsets_us.setflags(write=False)
    return starts_us, offsets_us


def offset_us(zone: str, instant_us: int) -> int:
    """Local time minus UTC at an instant, in microseconds."""
    starts, offsets = transition_table(zone)
    return int(offsets[int(np.searchsorted(starts, instant_us, side="right")) - 1])


def standard_offset_us(zone: str) -> int:
    """The zone's offset without summer time, by the rules that go on for ever."""
    starts, offsets = transition_table(zone)
    last_year_us = days_from_civil(LAST_YEAR, 1, 1) * DAY_US
    recurring = int(starts[-1]) >= last_year_us
    return int(offsets[-2:].min() if recurring else offsets[-1])


def local_day(zone: str, instant_us: int) -> int:
    """The day (since 1970-01-01) that a calendar in the zone shows at an instant."""
    return (instant_us + offset_us(zone, instant_us)) // DAY_US


def local_days(zone: str, instants_us: Int64) -> Int64:
    """``local_day`` of each of several instants."""
    starts, offsets = transition_table(zone)
    places = np.searchsorted(starts, instants_us, side="right") - 1
    found: Int64 = (instants_us + offsets[places]) // DAY_US
    return found


def local_day_start_us(zone: str, day: date | int) -> int:
    """The first instant at which the zone's calendar shows the day, or a later one.

    ``day`` is a date or days since 1970-01-01. 24:00 of a day is the start of the next. Where
    midnight does not exist because clocks go forward over it, the day starts at the change; a day
    that was skipped whole starts, empty, where the next one does.
    """
    number = day if isinstance(day, int) else days_from_civil(day.year, day.month, day.day)
    wanted = number * DAY_US
    starts, offsets = transition_table(zone)
    # Offsets are less than two days, so the answer lies in or after the stretch of then.
    index = int(np.searchsorted(starts, wanted - 2 * DAY_US, side="right")) - 1
    while True:
        candidate = max(wanted - int(offsets[index]), int(starts[index]))
        if index + 1 == len(starts) or candidate < int(starts[index + 1]):
            return candidate
        index += 1


# --- reading the database ------------------------------------------------------------------------


def _read(zone: str) -> tuple[Int64, Int64]:
    """Starts and offsets in seconds; the first start is a placeholder."""
    if not _NAME.fullmatch(zone):
        raise UsageError(f"not the name of a time zone: {zone!r}")
    resource = importlib.resources.files("tzdata").joinpath("zoneinfo", *zone.split("/"))
    try:
        data = resource.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UsageError(
            f"unknown time zone {zone!r}", hint="names are those of the IANA database"
        ) from None
    if data[:4] != b"TZif":
        raise UsageError(f"unknown time zone {zone!r}")
    listed, first_offset, footer = _parse_tzif(data)
    known = np.array([(0, first_offset), *listed], np.int64)
    starts, offsets = np.concatenate([known, _recurring(footer, listed)]).T
    # A change of name or of the summer flag alone moves no clock.
    moves = np.concatenate([[True], offsets[1:] != offsets[:-1]])
    return starts[moves], offsets[moves]


def _parse_tzif(data: bytes) -> tuple[list[tuple[int, int]], int, str]:
    """Transitions, offset before them, and the footer of a TZif file (RFC 8536, version 2 up)."""
    header = struct.Struct(">4scxxxxxxxxxxxxxxx6l")
    _, _, utc, std, leap, times, types, chars = header.unpack_from(data)
    at = header.size + times * 5 + types * 6 + chars + leap * 8 + std + utc  # skip the 32-bit block
    _, _, utc, std, leap, times, types, chars = header.unpack_from(data, at)
    at += header.size
    instants = struct.unpack_from(f">{times}q", data, at)
    at += times * 8
    indices = data[at : at + times]
    at += times
    offsets = [struct.unpack_from(">l", data, at + 6 * i)[0] for i in range(types)]
    at += types * 6 + chars + leap * 12 + std + utc
    footer = data[at:].strip(b"\n").decode("ascii")
    return [(t, offsets[i]) for t, i in zip(instants, indices, strict=True)], offsets[0], footer


_POSIX: Final = re.compile(
    r"(?P<std><[^>]+>|[A-Za-z]+)(?P<stdoff>[+-]?[\d:]+)"
    r"(?:(?P<dst><[^>]+>|[A-Za-z]+)(?P<dstoff>[+-]?[\d:]+)?,(?P<start>[^,]+),(?P<end>[^,]+))?"
)


def _recurring(footer: str, listed: list[tuple[int, int]]) -> Int64:
    """The transitions that the footer's yearly rule adds after the listed ones, to year 9999: rows
    of start and offset."""
    if not footer:
        return _NO_TRANSITIONS
    match = _POSIX.fullmatch(footer)
    if match is None:
        raise UsageError(f"the time zone database has a rule that cannot be read: {footer!r}")
    standard = -_seconds(match["stdoff"])
    last_listed = listed[-1][0] if listed else -(1 << 62)
    if match["dst"] is None:
        return _NO_TRANSITIONS  # the last listed offset stays
    summer = -_seconds(match["dstoff"]) if match["dstoff"] else standard + 3600
    first_year = civil_from_days(last_listed // _SECONDS_PER_DAY)[0] if listed else 1
    cycle = sorted(
        change
        for year in range(first_year, first_year + _CYCLE_YEARS)
        for change in (
            (_rule_instant(match["start"], year) - standard, summer),
            (_rule_instant(match["end"], year) - summer, standard),
        )
    )
    cycles = np.arange((LAST_YEAR - first_year) // _CYCLE_YEARS + 1, dtype=np.int64)
    end = (days_from_civil(LAST_YEAR + 1, 1, 1) + 2) * _SECONDS_PER_DAY
    once = np.array(cycle, np.int64)
    starts = (once[:, 0] + cycles[:, None] * _CYCLE_SECONDS).ravel()
    rows = np.column_stack([starts, np.tile(once[:, 1], len(cycles))])
    return rows[(last_listed < starts) & (starts <= end)]


def _seconds(text: str) -> int:
    """``[+-]h[h[h]][:mm[:ss]]`` in seconds."""
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))


def _rule_instant(rule: str, year: int) -> int:
    """Local wall seconds since 1970 of a POSIX rule ``Mm.w.d``, ``Jn`` or ``n``, with ``/time``."""
    when, _, clock = rule.partition("/")
    if when.startswith("M"):
        month, week, weekday = (int(part) for part in when[1:].split("."))
        first = days_from_civil(year, month, 1)
        day = first + (weekday - iso_weekday(first)) % 7 + (week - 1) * 7
        while day >= first + month_length(year, month):  # week 5 means the last one
            day -= 7
    elif when.startswith("J"):
        number = int(when[1:])  # 29 February is never counted
        day = days_from_civil(year, 1, 1) + number - 1 + (number > 59 and is_leap(year))
    else:
        day = days_from_civil(year, 1, 1) + int(when)
    return day * _SECONDS_PER_DAY + (_seconds(clock) if clock else 7200)
