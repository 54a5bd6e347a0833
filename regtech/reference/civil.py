"""The proleptic Gregorian calendar as plain integers: a day is days since 1970-01-01.

``datetime`` stops at the years 1 and 9999; an event at 0001-01-01T00:00+14:00 lies in the year 0 of
UTC, so these helpers have no such edge. Year 0 is 1 BC. Source of the arithmetic: H. Hinnant,
"chrono-compatible low-level date algorithms".
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US
"""Microseconds of a day of 24 hours (local days may be shorter or longer)."""

_DAYS_PER_ERA: Final = 146_097  # 400 years
_EPOCH_SHIFT: Final = 719_468  # 0000-03-01 to 1970-01-01

_MONTH_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def days_from_civil(year: int, month: int, day: int) -> int:
    """Day number of a date. ``month`` is 1–12; ``day`` may lie outside the month and counts on."""
    shifted = year - (month <= 2)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_PER_ERA + day_of_era - _EPOCH_SHIFT


def civil_from_days(day: int) -> tuple[int, int, int]:
    """Year, month (1–12) and day of the month (1–31) of a day number."""
    shifted = day + _EPOCH_SHIFT
    era = shifted // _DAYS_PER_ERA
    day_of_era = shifted - era * _DAYS_PER_ERA
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    month = shifted_month + (3 if shifted_month < 10 else -9)
    year = year_of_era + era * 400 + (month <= 2)
    return year, month, day_of_year - (153 * shifted_month + 2) // 5 + 1


def is_leap(year: int) -> bool:
    """Whether the year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_length(year: int, month: int) -> int:
    """Number of days of a month."""
    return 29 if month == 2 and is_leap(year) else _MONTH_LENGTHS[month - 1]


def iso_weekday(day: int) -> int:
    """Day of the week: Monday is 1, Sunday is 7."""
    return (day + 3) % 7 + 1


def week_start(day: int) -> int:
    """The Monday on or before a day."""
    return day - (day + 3) % 7


def month_start(day: int) -> int:
    """The first day of the day's month."""
    return day - civil_from_days(day)[2] + 1


def quarter_start(day: int) -> int:
    """The first day of the day's calendar quarter."""
    year, month, _ = civil_from_days(day)
    return days_from_civil(year, (month - 1) // 3 * 3 + 1, 1)


def year_start(day: int) -> int:
    """1 January of the day's year."""
    return days_from_civil(civil_from_days(day)[0], 1, 1)


def add_months(day: int, months: int) -> int:
    """The same day of the month, ``months`` later (earlier if negative).

    Where that month is too short, its last day: 31 January plus one month is 28 or 29 February.
    """
    year, month, day_of_month = civil_from_days(day)
    carried, month_index = divmod(year * 12 + month - 1 + months, 12)
    length = month_length(carried, month_index + 1)
    return days_from_civil(carried, month_index + 1, min(day_of_month, length))


def day_from_iso(text: str) -> int:
    """Day number of ``YYYY-MM-DD``.

    Raises ValueError for anything else, a date that does not exist, or the year 0000.
    """
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        raise ValueError(f"not a date YYYY-MM-DD: {text!r}")
    parts = (text[:4], text[5:7], text[8:])
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"not a date YYYY-MM-DD: {text!r}")
    year, month, day = (int(part) for part in parts)
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= month_length(year, month):
        raise ValueError(f"no such date: {text!r}")
    return days_from_civil(year, month, day)


@lru_cache(maxsize=1 << 14)
def iso_from_day(day: int) -> str:
    """``YYYY-MM-DD`` of a day number (years 0 to 9999)."""
    year, month, day_of_month = civil_from_days(day)
    return f"{year:04d}-{month:02d}-{day_of_month:02d}"


@lru_cache(maxsize=1 << 12)
def time_text(us: int) -> str:
    """RFC 3339 in UTC; fractions of a second only where there are any."""
    day, rest = divmod(us, DAY_US)
    seconds, fraction = divmod(rest, 1_000_000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if fraction:
        clock += f".{fraction:06d}".rstrip("0")
    return f"{iso_from_day(day)}T{clock}Z"
