"""Hash tables of the payment graph: rows of (key + 1, …) in open addressing, 0 an empty place.

A row leaves by shifting back those after it. A table grows by moving a few rows with each new one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.graph.layout import H_TABLE_MOVED, R_OLD_TABLE, R_TABLE
from regtech.columns.jit import inline_kernel, kernel

_MOVES = 8
"""Rows that move to a grown table with each new row."""


@inline_kernel(nrt=False, inner=True)
def home(key: Any, places: Any) -> Any:
    """Where a key belongs in a table of so many places, a power of two."""
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    return np.int64((mixed * np.uint64(0xD6E8FEB86659FD93)) >> np.uint64(32)) & (places - 1)


@kernel(nrt=False, inner=True)
def place_of(table: Any, places: Any, key: Any) -> Any:
    """Place of a key, or -1."""
    at = home(key, places)
    wanted = key + 1
    while table[at, 0] != 0:
        if table[at, 0] == wanted:
            return at
        at = (at + 1) & (places - 1)
    return -1


@kernel(nrt=False, inner=True)
def empty_place(table: Any, places: Any, key: Any) -> Any:
    """Where a key that is not in the table is to be put."""
    at = home(key, places)
    while table[at, 0] != 0:
        at = (at + 1) & (places - 1)
    return at


@kernel(nrt=False, inner=True)
def remove(table: Any, places: Any, width: Any, at: Any) -> None:
    """Empty a place."""
    after = at
    while True:
        after = (after + 1) & (places - 1)
        if table[after, 0] == 0:
            break
        base = home(table[after, 0] - 1, places)
        if ((after - base) & (places - 1)) >= ((after - at) & (places - 1)):
            for k in range(width):
                table[at, k] = table[after, k]
            at = after
    for k in range(width):
        table[at, k] = 0


@kernel(nrt=False, inner=True)
def move_some(
    old: Any, old_places: Any, table: Any, places: Any, width: Any, head: Any, counter: Any
) -> None:
    """Move a few rows of the table before growth. Places before the counter stay empty."""
    at = head[counter]
    left = _MOVES
    looked = 4 * _MOVES
    while at < old_places and left > 0 and looked > 0:
        if old[at, 0] == 0:
            at += 1
            looked -= 1
            continue
        to = empty_place(table, places, old[at, 0] - 1)
        for k in range(width):
            table[to, k] = old[at, k]
        remove(old, old_places, width, at)
        left -= 1
    head[counter] = at


@kernel(nrt=False, inner=True)
def find_pair(g: Any, payer: Any, payee: Any) -> Any:
    """Pair of a payer and a payee with a payment in the window, or -1."""
    key = (payer << 32) | payee
    at = place_of(g.table, g.head[R_TABLE], key)
    if at >= 0:
        return g.table[at, 1]
    if g.head[H_TABLE_MOVED] < g.head[R_OLD_TABLE]:
        at = place_of(g.old_table, g.head[R_OLD_TABLE], key)
        if at >= 0:
            return g.old_table[at, 1]
    return -1
