"""The cookie of a session, and how often a caller may ask: for the API and for the pages alike."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from casework.cases.errors import ThrottledError
from regtech.clock import Clock
from regtech.content.saying import say

COOKIE: Final = "__Host-regtech"
"""The prefix makes browsers insist on Secure, on Path=/ and on this very host."""
KEPT: Final = 10_000
"""Callers that are remembered; beyond it the one that asked longest ago is forgotten."""


class Rate:
    """Token buckets, one for each caller: ``per_second`` on average, ``burst`` at once."""

    def __init__(self, clock: Clock, per_second: int, burst: int) -> None:
        self.clock, self.per_second, self.burst = clock, per_second, burst
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, cost: int = 1) -> int:
        """Count a request; how many are left. Raises ``ThrottledError`` where none is."""
        now = self.clock.elapsed()
        with self._lock:
            level, at = self._buckets.get(who, (float(self.burst), now))
            level = min(self.burst, level + (now - at) * self.per_second)
            if level < cost:
                self._buckets[who] = (level, now)
                raise ThrottledError(
                    say("too many requests"), max(1, round(cost / self.per_second))
                )
            self._buckets[who] = (level - cost, now)
            self._buckets.move_to_end(who)
            if len(self._buckets) > KEPT:
                self._buckets.popitem(last=False)
        return int(level - cost)
