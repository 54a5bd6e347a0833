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

_KEPT: Final = 2

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
