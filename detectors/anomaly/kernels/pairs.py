"""Which row of a table is a pair's: open addressing over payer and payee."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.columns.jit import inline_kernel, kernel

EMPTY: Final = -1
_MULTIPLIER: Final = 0x9E3779B97F4A7C15


@inline_kernel
def slot(keys: Any, payer: Any, payee: Any) -> Any:
    """Place of a pair in the table, or the empty place where it belongs."""
    mask = keys.shape[0] - 1
    key = (payer << 32) | payee
    mixed = np.uint64(key) * np.uint64(_MULTIPLIER)
    place = np.int64((mixed >> np.uint64(29)) & np.uint64(mask))
    while keys[place] != EMPTY and keys[place] != key:
        place = (place + 1) & mask
    return place


@kernel
def rehash(keys: Any, values: Any, new_keys: Any, new_values: Any) -> None:
    """Move all pairs to a larger table."""
    for old in range(keys.shape[0]):
        key = keys[old]
        if key != EMPTY:
            place = slot(new_keys, key >> 32, key & 0xFFFFFFFF)
            new_keys[place] = key
            new_values[place] = values[old]
