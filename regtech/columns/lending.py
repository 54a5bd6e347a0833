"""Large arrays that are used again once nobody looks at them any more.

Memory that was never touched is what costs: the system clears it page by page when it is first
written, which takes ten times as long as writing it again. Blocks of events come and go, so their
columns are lent and come back by themselves, when the last view of them is gone.
"""

from __future__ import annotations

import weakref
from typing import Final

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
_WORTH: Final = 1 << 16
"""Smaller ones, in words, come from memory that the process holds anyway."""


class Lender:
    """Lends arrays of int64 whose content is anything; keeps ``most`` that came back."""

    def __init__(self, most: int = 4) -> None:
        self._most = most
        self._back: list[Int64] = []

    def lend(self, rows: int, width: int) -> Int64:
        """An array of ``rows`` by ``width`` that nobody else has."""
        words = rows * width
        if words < _WORTH:
            return np.empty((rows, width), np.int64)
        # Every view of what is lent has it as its base, and no view has what stands behind the
        # memoryview: so what is lent goes when its last view goes.
        whole = self._found(words)
        lent = np.frombuffer(whole.data, np.int64)
        weakref.finalize(lent, self._take_back, whole).atexit = False
        return lent[:words].reshape(rows, width)

    def _found(self, words: int) -> Int64:
        for place, whole in enumerate(self._back):
            if words <= len(whole):
                return self._back.pop(place)
        # a power of two, so that what is asked for next fits too; what is not written costs nothing
        return np.empty(1 << (words - 1).bit_length(), np.int64)

    def _take_back(self, whole: Int64) -> None:
        self._back.append(whole)
        if len(self._back) > self._most:
            self._back.pop(0)  # what is asked for next is as large as what was asked for last
