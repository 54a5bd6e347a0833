"""What is known of pairs, in a table that grows with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from detectors.anomaly.kernels.pairs import EMPTY, rehash
from detectors.anomaly.payments import Float64, Int64

_FIRST: Final = 1 << 12


class PairTable:
    """A row of ``words`` numbers for each pair, found by ``kernels.pairs.slot``.

    ``keys`` is never more than half full; ``count`` is kept by who adds pairs.
    """

    def __init__(self, words: int) -> None:
        self.keys: Int64 = np.full(_FIRST, EMPTY, np.int64)
        self.values: Float64 = np.zeros((_FIRST, words))
        self.count = 0

    def room(self, coming: int) -> None:
        """Make room for so many pairs more."""
        pairs = self.count + coming
        if 2 * pairs > len(self.keys):
            size = 1 << (2 * pairs).bit_length()
            keys = np.full(size, EMPTY, np.int64)
            values = np.zeros((size, self.values.shape[1]))
            rehash(self.keys, self.values, keys, values)
            self.keys, self.values = keys, values

    def state(self) -> dict[str, Any]:
        """Both arrays, for a snapshot."""
        return {"keys": self.keys.copy(), "pairs": self.values.copy()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over ``state``."""
        self.keys, self.values = arrays["keys"].copy(), arrays["pairs"].copy()
        self.count = int((self.keys != EMPTY).sum())
