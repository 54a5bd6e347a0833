"""The only place that reads the time; everything else is handed a ``Clock``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What may be asked about time. Never used to judge an event: events carry their own."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01T00:00Z."""

    def elapsed(self) -> float:
        """Seconds on a clock that never goes back; only differences have a meaning."""


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def elapsed(self) -> float:
        return time.perf_counter()


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is moved; for tests and rehearsals."""

    us: int = 0

    def now_us(self) -> int:
        return self.us

    def elapsed(self) -> float:
        return self.us / 1_000_000

    def advance(self, us: int) -> None:
        """Move on by ``us`` microseconds; a clock never goes back."""
        if us < 0:
            raise ValueError("a clock never goes back")
        self.us += us
