"""Microseconds since 1970 as text for people and entries."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from regtech.reference.civil import (
    DAY_US,
    SECOND_US,
    civil_from_days,
    days_from_civil,
    month_length,
)

_INSTANT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?"
    r"(?:[Zz]|([+-])(\d\d):(\d\d))"
)


def time_text(us: int) -> str:
    """RFC 3339 in UTC, to the microsecond where it has one."""
    days, rest = divmod(us, DAY_US)
    year, month, day = civil_from_days(days)
    seconds, fraction = divmod(rest, 1_000_000)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    text = f"{year:04d}-{month:02d}-{day:02d}T{hours:02d}:{minutes:02d}:{seconds:02d}"
    return f"{text}.{fraction:06d}Z" if fraction else f"{text}Z"


@lru_cache(1 << 12)
def _day_us(text: str) -> int:
    """The beginning of a day in UTC, from ``YYYY-MM-DDT``."""
    return instant_us(f"{text}00:00:00+00:00")


def _time_of_day_us(text: str) -> int | None:
    """Microseconds of ``HH:MM:SS[.ffffff]Z``; None for what is not written so."""
    if len(text) < 9 or text[2] != ":" or text[5] != ":" or text[-1] != "Z":
        return None
    fraction = text[9:-1] if text[8] == "." else "0"
    digits = text[0:2] + text[3:5] + text[6:8] + fraction
    if not (digits.isascii() and digits.isdecimal()) or not 1 <= len(fraction) <= 6:
        return None
    if text[8] != "." and len(text) != 9:
        return None
    hour, minute, second = int(digits[0:2]), int(digits[2:4]), int(digits[4:6])
    if not (hour < 24 and minute < 60 and second < 60):
        return None
    return (3600 * hour + 60 * minute + second) * SECOND_US + int(fraction.ljust(6, "0"))


@lru_cache(1 << 14)
def instant_us(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time. Raises ``ValueError`` for anything else.

    Exact, and for the year 0 too: an event of the first hours of the year 1 east of Greenwich lies
    there.
    """
    if (time_us := _time_of_day_us(text[11:])) is not None:  # in UTC, as our own alerts have it
        return _day_us(text[:11]) + time_us
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time with an offset: {text!r}")
    year, month, day, hour, minute, second = (int(match[k]) for k in range(1, 7))
    if not (1 <= month <= 12 and 1 <= day <= month_length(year, month)):
        raise ValueError(f"no such day: {text!r}")
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(f"no such time of day: {text!r}")
    offset = 60 * int(match[9] or 0) + int(match[10] or 0)
    seconds = 3600 * hour + 60 * minute + second - 60 * (-offset if match[8] == "-" else offset)
    fraction = int((match[7] or "").ljust(6, "0"))
    return days_from_civil(year, month, day) * DAY_US + seconds * SECOND_US + fraction
