"""Lengths of time as policies write them: windows as microseconds, SLAs as calendar lengths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

MINUTE_US: Final = 60 * 1_000_000
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
EVER: Final = 1 << 60
"""A window without an end, in microseconds: 36,000 years."""

WINDOW_MAX: Final = 3660 * DAY_US

LengthUnit = Literal["hours", "days", "working_days"]

_WINDOW: Final = re.compile(r"(?P<n>[1-9]\d{0,5})\s*(?P<unit>m|h|d|minutes?|hours?|days?)\Z")
_SLA: Final = re.compile(r"(?P<n>\d{1,4})\s*(?P<unit>h|d|hours?|days?|working days?)\Z")
_LENGTH_UNITS: Final[dict[str, LengthUnit]] = {"h": "hours", "d": "days", "w": "working_days"}
_UNITS: Final = {"m": MINUTE_US, "h": HOUR_US, "d": DAY_US}


@dataclass(frozen=True, slots=True)
class Length:
    """So many hours, calendar days or working days; days end at midnight of the jurisdiction."""

    count: int
    unit: LengthUnit

    def __str__(self) -> str:
        return f"{self.count} {self.unit.replace('_', ' ')}"


def parse_window(text: str) -> int | None:
    """``24h``, ``7d``, ``30 days`` in microseconds, at most ten years; None where unreadable."""
    found = _WINDOW.match(text.strip())
    if found is None:
        return None
    length = int(found["n"]) * _UNITS[found["unit"][0]]
    return length if length <= WINDOW_MAX else None


def parse_length(text: str) -> Length | None:
    """``5 working days``, ``72 hours``, ``10d``; None where unreadable."""
    found = _SLA.match(text.strip())
    if found is None:
        return None
    return Length(int(found["n"]), _LENGTH_UNITS[found["unit"][0]])


def window_text(length: int, language: str = "en") -> str:
    """A window in words."""
    if length >= EVER:
        return "ever" if language == "en" else "不限期"
    for size, en, zh in (
        (DAY_US, "day", "天"),
        (HOUR_US, "hour", "小时"),
        (MINUTE_US, "minute", "分钟"),
    ):
        if length % size == 0:
            count = length // size
            if language == "zh":
                return f"{count}{zh}"
            return f"{count} {en}" if count == 1 else f"{count} {en}s"
    return f"{length} µs"
