"""Slows down whoever guesses: by name from one address, by address, and by name from anywhere.

Kept in memory, for one process: bounded, so that guessing does not fill it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from casework.cases.errors import ThrottledError
from regtech.clock import Clock
from regtech.content.saying import say

WINDOW_US: Final = 15 * 60 * 1_000_000
LIMITS: Final = {"pair": 5, "address": 30, "name": 50}
"""Failures in the window after which the next try has to wait. By name from anywhere it takes
many, so that a stranger cannot easily lock somebody out."""
KEPT: Final = 20_000


class Throttle:
    """Counts failures. A success forgets those of the same name from the same address."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str, str], list[int]] = OrderedDict()

    def check(self, name: str, address: str) -> None:
        """Raise ``ThrottledError`` where it is too early for another try."""
        now = self._clock.now_us()
        with self._lock:
            wait = max(self._wait(key, now) for key in _keys(name, address))
        if wait:
            raise ThrottledError(say("too many failed tries to log in"), -(-wait // 1_000_000))

    def failed(self, name: str, address: str) -> None:
        """Count a failure."""
        now = self._clock.now_us()
        with self._lock:
            for key in _keys(name, address):
                times = self._failures.setdefault(key, [])
                times[:] = [t for t in times if now - t < WINDOW_US][-LIMITS[key[0]] * 2 :]
                times.append(now)
                self._failures.move_to_end(key)
            while len(self._failures) > KEPT:
                self._failures.popitem(last=False)

    def passed(self, name: str, address: str) -> None:
        """Forget the failures of the name from the address."""
        with self._lock:
            self._failures.pop(("pair", name, address), None)

    def _wait(self, key: tuple[str, str, str], now: int) -> int:
        times = [t for t in self._failures.get(key, ()) if now - t < WINDOW_US]
        over = len(times) - LIMITS[key[0]]
        if over < 0:
            return 0
        # Each failure beyond the limit doubles the wait, up to the window.
        pause = min(1_000_000 << min(over, 20), WINDOW_US)
        return max(0, times[-1] + pause - now)


def _keys(name: str, address: str) -> tuple[tuple[str, str, str], ...]:
    return ("pair", name, address), ("address", "", address), ("name", name, "")
