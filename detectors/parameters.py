"""Values of ``detect:`` parameters as rules write them: lengths of time, shares."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from regtech.errors import UsageError

_LENGTH: Final = re.compile(r"(\d+)\s*(minute|hour|day|week)s?\Z")
_UNITS: Final = {
    "minute": 60_000_000, "hour": 3_600_000_000, "day": 86_400_000_000, "week": 604_800_000_000,
}  # fmt: skip


def length_us(name: str, text: str) -> int:
    """``30 days`` in microseconds; ``UsageError`` for what is no length."""
    found = _LENGTH.match(text)
    if found is None:
        raise UsageError(f"{name} is no length of time: {text!r}", hint="30 days, 12 hours")
    return int(found[1]) * _UNITS[found[2]]


def share_of(name: str, text: str) -> Fraction:
    """``15%`` or ``0.15`` as a share; ``UsageError`` for what is none, or is below 0."""
    try:
        share = Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{name} is no share: {text!r}", hint="15%") from None
    if share < 0:
        raise UsageError(f"{name} is below 0: {text}")
    return share
