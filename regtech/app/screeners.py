"""One screener for all that screen by the same lists in a process, made without holding it up."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from detectors.names.screener import Screener
from regtech.adapters.lists.kept import lists_digest
from regtech.app.names import load_screener
from regtech.clock import SystemClock

_KEPT: Final = 2
_WORK_S: Final = 0.001
_REST_S: Final = 0.001
"""So long a maker works, and rests, in turns: Python runs one thread at a time, and whoever waits
for a decision is to have its turn at once."""

_screeners: OrderedDict[str, Screener] = OrderedDict()
_lock = threading.Lock()


def screener_of(folder: Path, between: Callable[[], object] = lambda: None) -> Screener:
    """The screener by the lists of a folder, as they are now; made where nobody did so before.

    Raises as ``load_screener`` does.
    """
    with _lock:
        digest = lists_digest(folder)
        if digest not in _screeners:
            _screeners[digest] = load_screener(folder, lambda _: None, between)
        _screeners.move_to_end(digest)
        while len(_screeners) > _KEPT:
            _screeners.popitem(last=False)
        return _screeners[digest]


class GivingWay:
    """To be called between two pieces of long work in a process that answers meanwhile."""

    def __init__(self) -> None:
        self._clock, self._pause = SystemClock(), threading.Event()
        self._since = self._clock.elapsed()

    def __call__(self) -> None:
        if self._clock.elapsed() - self._since > _WORK_S:
            self._pause.wait(_REST_S)
            self._since = self._clock.elapsed()
