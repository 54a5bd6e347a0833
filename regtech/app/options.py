"""What people write after an option, turned into exact values; every fault is a ``UsageError``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from regtech.errors import UsageError

_LENGTH = re.compile(r"(\d{1,9})\s*(us|ms|s|min|m|h|d)")
_UNIT_US = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,6}))?(Z|z|[+-]\d{2}:\d{2})"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_length(text: str) -> int:
    """``10m``, ``90s``, ``2h``, ``7d`` in microseconds; ``0`` alone is allowed."""
    if text.strip() == "0":
        return 0
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"not a length of time: {text!r}", hint="write 30s, 10m, 2h or 7d")
    return int(match[1]) * _UNIT_US[match[2]]


def parse_day(text: str) -> date:
    """``2026-03-02``."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()) is None:
            raise ValueError(text)
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"not a day: {text!r}", hint="write it as 2026-03-02") from None


def parse_moment(text: str) -> int:
    """A time with an offset, or a day (its first moment in UTC), in microseconds since 1970."""
    text = text.strip()
    match = _MOMENT.fullmatch(text)
    if match is None:
        day = parse_day(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
        if day is None:
            raise UsageError(
                f"not a time: {text!r}",
                hint="write 2026-03-02T09:00:00+08:00, or a day, which begins at midnight UTC",
            )
        return (day - date(1970, 1, 1)).days * _UNIT_US["d"]
    fraction = (match[3] or "").ljust(6, "0")
    offset = "+00:00" if match[4] in "Zz" else match[4]
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}{offset}")
    except ValueError as error:
        raise UsageError(f"not a time: {text!r}", hint=str(error)) from None
    return (moment - _EPOCH) // timedelta(microseconds=1) + int(fraction)


def parse_share(text: str) -> Fraction:
    """``5%`` or ``0.05``, exactly; from 0 up to and without 1."""
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,9})?)\s*(%?)", text.strip())
    if match is None:
        raise UsageError(f"not a share: {text!r}", hint="write 5% or 0.05")
    share = Fraction(match[1]) / (100 if match[2] else 1)
    if share >= 1:
        raise UsageError(f"a share must be below 1: {text!r}", hint="write 5% or 0.05")
    return share


def parse_names(text: str | None) -> tuple[str, ...]:
    """``cn,eu`` as a tuple of names, in lower case, without repeats, in the order given."""
    if text is None:
        return ()
    names = [part.strip().lower() for part in text.split(",")]
    if not all(names):
        raise UsageError(f"an empty name in {text!r}", hint="write names between commas: cn,eu")
    return tuple(dict.fromkeys(names))
