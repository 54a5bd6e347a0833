"""Counts of judged events by jurisdiction, type, reporter and day, in one hash table.

An entry: type + 1, reporter, the bit of a law, day; then the count, and the one that was told last.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regtech.columns.jit import kernel
from regtech.engine.kernels.raw import load64, store64
from regtech.engine.kernels.tables import T_ADDRESS, T_COUNT, T_PLACES, find_key

WORDS = 6
TYPE, REPORTER, LAW, DAY, COUNT, TOLD = 0, 1, 2, 3, 4, 5
_DAY_US = np.int64(86_400_000_000)


@kernel(nrt=False)
def count_events(
    types: Any,
    times: Any,
    reporters: Any,
    governed: Any,
    looked_at: Any,
    first: Any,
    laws: Any,
    table: Any,
) -> Any:
    """Count events from ``first`` on under each of the laws that govern them.

    ``looked_at``: for each type the laws whose rules look at it; ``laws``: how many there are.
    Returns the first event that was not counted, since the table may have no room for it.
    """
    address, places = table[T_ADDRESS], table[T_PLACES]
    n = types.shape[0]
    most = places * 2 // 3 - laws
    for i in range(first, n):
        if table[T_COUNT] > most:
            return i
        day = times[i] // _DAY_US
        kind = np.int64(types[i]) + 1
        left = governed[i] & looked_at[types[i]]
        while left != np.uint64(0):
            lowest = left & (~left + np.uint64(1))
            left ^= lowest
            law = np.int64(lowest)
            at = find_key(address, places, WORDS, kind, reporters[i], law, day)
            if at < 0:
                at = -1 - at
                store64(address, at + TYPE, kind)
                store64(address, at + REPORTER, reporters[i])
                store64(address, at + LAW, law)
                store64(address, at + DAY, day)
                table[T_COUNT] += 1
            store64(address, at + COUNT, load64(address, at + COUNT) + 1)
    return n


@kernel(nrt=False)
def note_told(rows: Any, table: Any) -> None:
    """Note that the counts of these entries, as they were then, were told."""
    address, places = table[T_ADDRESS], table[T_PLACES]
    for i in range(rows.shape[0]):
        at = find_key(
            address, places, WORDS, rows[i, TYPE], rows[i, REPORTER], rows[i, LAW],
            rows[i, DAY],
        )  # fmt: skip
        if at >= 0 and load64(address, at + TOLD) < rows[i, COUNT]:
            store64(address, at + TOLD, rows[i, COUNT])
