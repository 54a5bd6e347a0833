"""How the C library hands out memory for what grows with a run."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from functools import cache
from typing import Final

LARGE_BYTES: Final = 8 << 20
"""Arrays from here on have memory of their own. What a block needs for a moment is smaller."""
_KEPT_BYTES: Final = 64 << 20
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_OWN: Final = frozenset({"MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"})


@cache
def map_large_arrays() -> None:
    """Have the C library give each large array memory of its own, once for the process.

    Such an array becomes longer without being copied, and goes back to the system whole. Left to
    itself glibc raises the bound to 32 MiB as arrays are freed, and those below it leave holes that
    nothing fits. Does nothing where the environment says how, nor where the C library has no such
    setting (``mallopt(3)``).
    """
    if not _OWN.isdisjoint(os.environ):
        return
    with suppress(OSError, TypeError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
        # With a bound that is set it would give back the end of its memory at every turn, and ask
        # for it again.
        library.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
