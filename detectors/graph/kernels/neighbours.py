"""Counterparties of an account, in the order of their last payment.

A scan from the end meets the newest first and may stop where a window ends; forgetting takes from
the front. A pair that pays again leaves a hole and stands at the end; blocks are settled when they
are full or mostly holes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.graph.layout import (
    A_BEGIN,
    A_BLOCK,
    A_END,
    A_FAN,
    BLOCK_BITS,
    H_ARENA,
    H_BLOCKS,
    OUT,
    P_IN,
    P_OUT,
    PAIR_MASK,
    SIDE,
)
from regtech.columns.jit import inline_kernel, kernel


@inline_kernel(nrt=False, inner=True)
def fan_of(g: Any, node: Any, side: Any) -> Any:
    """How many counterparties a node has on a side."""
    return g.lists[node, side * SIDE + A_FAN]


@inline_kernel(nrt=False, inner=True)
def front_of(g: Any, node: Any, side: Any) -> Any:
    """First place of a node's counterparties on a side."""
    return g.lists[node, side * SIDE + A_BEGIN]


@inline_kernel(nrt=False, inner=True)
def end_of(g: Any, node: Any, side: Any) -> Any:
    """The place after the last."""
    return g.lists[node, side * SIDE + A_END]


@inline_kernel(nrt=False, inner=True)
def older(g: Any, at: Any, front: Any, since: Any) -> Any:
    """The next place below ``at``, not below ``front``, where a counterparty stands whose last
    payment is not before ``since``; or -1."""
    at -= 1
    while at >= front and g.arena[at, 0] < 0:
        at -= 1
    return at if at >= front and g.arena[at, 1] >= since else -1


@inline_kernel(nrt=False, inner=True)
def neighbour_at(g: Any, at: Any) -> Any:
    """The counterparty in a place."""
    return g.arena[at, 0] >> 32


@inline_kernel(nrt=False, inner=True)
def pair_at(g: Any, at: Any) -> Any:
    """The pair in a place."""
    return g.arena[at, 0] & PAIR_MASK


@inline_kernel(nrt=False, inner=True)
def capacity_of(block: Any) -> Any:
    """Places of a block, 0 where there is none."""
    return 0 if block < 0 else 4 << (block & ((1 << BLOCK_BITS) - 1))


@kernel(nrt=False, inner=True)
def settle(g: Any, node: Any, side: Any, size: Any) -> None:
    """Move the counterparties of a node close together, into a block of this size class."""
    row = g.lists[node]
    base = side * SIDE
    arena, newest, head = g.arena, g.newest, g.head
    block = row[base + A_BLOCK]
    same = block >= 0 and (block & ((1 << BLOCK_BITS) - 1)) == size
    if same:
        to = block >> BLOCK_BITS
    else:
        to = head[H_BLOCKS + size]
        if to >= 0:
            head[H_BLOCKS + size] = arena[to, 0]
        else:
            to = head[H_ARENA]
            head[H_ARENA] += 4 << size
    slot = P_OUT if side == OUT else P_IN
    end = to
    for k in range(row[base + A_BEGIN], row[base + A_END]):
        if arena[k, 0] >= 0:
            arena[end, 0] = arena[k, 0]
            arena[end, 1] = arena[k, 1]
            newest[end, 0] = newest[k, 0]
            newest[end, 1] = newest[k, 1]
            g.pairs[arena[end, 0] & PAIR_MASK, slot] = end
            end += 1
    if not same:
        if block >= 0:
            _free_block(g, block)
        row[base + A_BLOCK] = (to << BLOCK_BITS) | size
    row[base + A_BEGIN] = to
    row[base + A_END] = end


@inline_kernel(nrt=False, inner=True)
def _free_block(g: Any, block: Any) -> None:
    size = block & ((1 << BLOCK_BITS) - 1)
    g.arena[block >> BLOCK_BITS, 0] = g.head[H_BLOCKS + size]
    g.head[H_BLOCKS + size] = block >> BLOCK_BITS


@kernel(nrt=False, inner=True)
def append(
    g: Any, node: Any, side: Any, entry: Any, seq: Any, amount: Any, currency: Any
) -> None:  # fmt: skip
    """Put a counterparty at the end."""
    row = g.lists[node]
    base = side * SIDE
    block = row[base + A_BLOCK]
    capacity = capacity_of(block)
    if row[base + A_END] == (block >> BLOCK_BITS) + capacity or block < 0:
        size = block & ((1 << BLOCK_BITS) - 1)
        if block < 0:
            settle(g, node, side, np.int64(0))
        elif 2 * row[base + A_FAN] > capacity:
            settle(g, node, side, size + 1)
        else:
            settle(g, node, side, size)
    end = row[base + A_END]
    g.arena[end, 0] = entry
    g.arena[end, 1] = seq
    g.newest[end, 0] = amount
    g.newest[end, 1] = currency
    g.pairs[entry & PAIR_MASK, P_OUT if side == OUT else P_IN] = end
    row[base + A_END] = end + 1
    row[base + A_FAN] += 1


@kernel(nrt=False, inner=True)
def leave(g: Any, node: Any, side: Any, pair: Any) -> None:
    """Take a pair out, wherever it stands."""
    row = g.lists[node]
    base = side * SIDE
    g.arena[g.pairs[pair, P_OUT if side == OUT else P_IN], 0] = -1
    row[base + A_FAN] -= 1
    front, end = row[base + A_BEGIN], row[base + A_END]
    while front < end and g.arena[front, 0] < 0:
        front += 1
    row[base + A_BEGIN] = front
    if end - front > 2 * row[base + A_FAN] + 8:
        settle(g, node, side, row[base + A_BLOCK] & ((1 << BLOCK_BITS) - 1))


@inline_kernel(nrt=False, inner=True)
def give_back(g: Any, node: Any, side: Any) -> None:
    """The block of a node without counterparties."""
    row = g.lists[node]
    base = side * SIDE
    if row[base + A_FAN] == 0 and row[base + A_BLOCK] >= 0:
        _free_block(g, row[base + A_BLOCK])
        row[base + A_BLOCK] = -1
        row[base + A_BEGIN] = 0
        row[base + A_END] = 0
