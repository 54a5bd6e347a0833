"""Microseconds since 1970 as text for people and entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from regtech.reference.civil import DAY_US, civil_from_days

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)


def time_text(us: int) -> str:
    """RFC 3339 in UTC, to the microsecond where it has one."""
    days, rest = divmod(us, DAY_US)
    year, month, day = civil_from_days(days)
    seconds, fraction = divmod(rest, 1_000_000)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    text = f"{year:04d}-{month:02d}-{day:02d}T{hours:02d}:{minutes:02d}:{seconds:02d}"
    return f"{text}.{fraction:06d}Z" if fraction else f"{text}Z"


def instant_us(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time. Raises ``ValueError`` for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no offset: {text}")
    return (moment - _EPOCH) // _US
