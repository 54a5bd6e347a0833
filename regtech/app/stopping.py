"""A run ends between two batches when it is asked to; asked twice, it ends at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """While it is entered, SIGINT and SIGTERM set ``asked`` instead of breaking off.

    ``patient`` False: the work may wait for input without end, so the first signal already breaks
    off, by ``KeyboardInterrupt``. Outside the main thread nothing changes.
    """

    def __init__(self, patient: bool) -> None:
        self.asked = False
        self._patient = patient
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked or not self._patient:
            raise KeyboardInterrupt
        self.asked = True
