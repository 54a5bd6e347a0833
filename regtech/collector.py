"""When Python's collector of unused circles may walk over what a process holds.

Most of what is made here is many small objects without circles: a walk over them finds nothing. One
process has one collector, so what was said about it is known here and asked nowhere else.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

_PAUSES: Final = 64
"""After so many pauses what they left is looked through once."""

_pauses = count(1)
_stays = False
# Whether what is there was set apart to stay. ``gc.get_freeze_count`` knows it too, and counts the
# objects one by one to say so: 33 ms of a server with a million of them, while nothing else runs.


def set_apart() -> None:
    """What is here now stays for as long as the process: the collector does not walk over it."""
    gc.collect()
    let_stay()


def let_stay() -> None:
    """As ``set_apart``, without a look at what is there: that takes a quarter of a second of a
    server with a million objects, while nothing else runs. Circles that nobody uses stay too.
    """
    global _stays
    gc.freeze()
    _stays = True


@contextmanager
def collector_paused() -> Iterator[None]:
    """Make many small objects and no circles; walking over them would cost half of the time.

    What it leaves is old at once: otherwise the first object made afterwards has all of it walked
    over once more. Not where something was set apart: that has to stay so.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if not _stays:
                _make_old()
            gc.enable()


def _make_old() -> None:
    """Move all young objects to the old ones without a look at them; now and then with one."""
    if next(_pauses) % _PAUSES:
        gc.freeze()
        gc.unfreeze()
    else:
        gc.collect()
