"""Microseconds since 1970 as text for people and entries."""

from __future__ import annotations

from regtech.reference.civil import DAY_US, civil_from_days


def time_text(us: int) -> str:
    """RFC 3339 in UTC, to the microsecond where it has one."""
    days, rest = divmod(us, DAY_US)
    year, month, day = civil_from_days(days)
    seconds, fraction = divmod(rest, 1_000_000)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    text = f"{year:04d}-{month:02d}-{day:02d}T{hours:02d}:{minutes:02d}:{seconds:02d}"
    return f"{text}.{fraction:06d}Z" if fraction else f"{text}Z"
