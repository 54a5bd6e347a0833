"""How work beside answering gives way: Python runs one thread at a time.

Whoever answers lets go of the interpreter for every kernel that it calls, some twenty times a
decision, and has to wait for it again each time: five milliseconds, as Python comes, while another
thread computes.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from regtech.clock import SystemClock

_WORK_S: Final = 0.001
_REST_S: Final = 0.001
"""So long a maker works, and rests, in turns."""
_TURN_S: Final = 0.0005
"""So long one thread keeps the interpreter while another waits for it."""

_lock = threading.Lock()
_before: list[float] = []
"""The turns as they were, once for everybody who has asked for quick ones."""


class GivingWay:
    """To be called between two pieces of long work in a process that answers meanwhile."""

    def __init__(self) -> None:
        self._clock, self._pause = SystemClock(), threading.Event()
        self._since = self._clock.elapsed()

    def __call__(self) -> None:
        if self._clock.elapsed() - self._since > _WORK_S:
            self._pause.wait(_REST_S)
            self._since = self._clock.elapsed()


@contextmanager
def quick_turns() -> Iterator[None]:
    """Compute for long in a process that answers meanwhile: threads change places more often."""
    with _lock:
        _before.append(sys.getswitchinterval())
        sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        with _lock:
            last = _before.pop()  # the first of several says how it was, and is taken last
            sys.setswitchinterval(_TURN_S if _before else last)
