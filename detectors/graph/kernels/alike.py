"""Amounts that are alike, and cycles of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.graph.kernels.neighbours import (
    end_of,
    fan_of,
    front_of,
    neighbour_at,
    older,
    pair_at,
)
from detectors.graph.kernels.search import mark, marked, new_stamp
from detectors.graph.kernels.storage import edge_row, newest
from detectors.graph.layout import (
    CROSS_BORDER,
    CURRENCY_BITS,
    E_AMOUNT,
    E_INFO,
    E_NEXT,
    E_PREVIOUS,
    E_VALUE,
    H_STAMP,
    H_STEPS,
    IN,
    MULTI,
    OUT,
    P_FIRST,
    P_LAST,
    WORK_ROWS,
)
from regtech.columns.jit import inline_kernel, kernel

_CURRENCY = (1 << CURRENCY_BITS) - 1
_NONE, _ALL, _SOME = 0, 1, 2


@inline_kernel(nrt=False, inner=True)
def within_share(apart: Any, amount: Any, permille: Any) -> Any:
    """Whether a difference is at most so many thousandths of an amount."""
    return apart <= (amount // 1000) * permille + (amount % 1000) * permille // 1000


@kernel(nrt=False, inner=True)
def alike(g: Any, row: Any, like: Any, permille: Any) -> Any:
    """Whether the amount of a payment differs by at most so many thousandths of another's; both by
    their rows.

    In one currency the amounts are compared, in two the values in the common currency; where one
    of these is not known they are not alike.
    """
    mine, other = g.edges[row], g.edges[like]
    theirs, amount = mine[E_AMOUNT], other[E_AMOUNT]
    if (mine[E_INFO] & _CURRENCY) != (other[E_INFO] & _CURRENCY):
        theirs, amount = mine[E_VALUE], other[E_VALUE]
        if theirs < 0 or amount < 0:
            return False
    return within_share(abs(theirs - amount), amount, permille)


@inline_kernel(nrt=False, inner=True)
def newest_alike(g: Any, at: Any, like: Any, permille: Any) -> Any:
    """The same of the newest payment of the pair in a place."""
    amount = g.edges[like, E_AMOUNT]
    if g.newest[at, 1] == (g.edges[like, E_INFO] & _CURRENCY):
        return within_share(abs(g.newest[at, 0] - amount), amount, permille)
    return alike(g, edge_row(g, g.arena[at, 1]), like, permille)


@inline_kernel(nrt=False, inner=True)
def alike_before(g: Any, at: Any, bound: Any, since: Any, like: Any, permille: Any) -> Any:
    """Latest alike payment of the pair in a place before a sequence number, from ``since`` on, or
    -1."""
    last = g.arena[at, 1]
    if last < bound and newest_alike(g, at, like, permille):
        return last
    if g.arena[at, 0] & MULTI == 0:
        return -1
    return _earlier_alike(g, pair_at(g, at), bound, since, like, permille)


@kernel(nrt=False, inner=True)
def _earlier_alike(g: Any, pair: Any, bound: Any, since: Any, like: Any, permille: Any) -> Any:
    seq = g.pairs[pair, P_LAST]
    while seq >= since and seq >= 0:
        row = edge_row(g, seq)
        if seq < bound and alike(g, row, like, permille):
            return seq
        seq = g.edges[row, E_PREVIOUS]
        g.head[H_STEPS] -= 1
        if g.head[H_STEPS] < 0:
            return -1
    return -1


@inline_kernel(nrt=False, inner=True)
def _alike_after(g: Any, at: Any, bound: Any, like: Any, permille: Any) -> Any:
    """Earliest alike payment of the pair in a place after a sequence number, or -1."""
    if g.arena[at, 0] & MULTI == 0:
        last = g.arena[at, 1]
        return last if last > bound and newest_alike(g, at, like, permille) else -1
    return _later_alike(g, pair_at(g, at), bound, like, permille)


@kernel(nrt=False, inner=True)
def _later_alike(g: Any, pair: Any, bound: Any, like: Any, permille: Any) -> Any:
    seq = g.pairs[pair, P_FIRST]
    while seq >= 0:
        row = edge_row(g, seq)
        if seq > bound and alike(g, row, like, permille):
            return seq
        seq = g.edges[row, E_NEXT]
        g.head[H_STEPS] -= 1
    return -1


@kernel(nrt=False, inner=True)
def _reach(g: Any, u: Any, v: Any, since: Any, like: Any, permille: Any, budget: Any) -> Any:
    """Mark (column 1) what alike payments in order reach from v, with the earliest arrival: whether
    u is not among it, everything is marked, or there is too much of it."""
    stamp = new_stamp(g)
    if fan_of(g, v, OUT) > budget:
        return _SOME
    g.head[H_STEPS] = budget
    arrived = False
    waiting = 1
    g.work[0, 0] = v
    g.work[0, 1] = since - 1
    while waiting > 0:
        waiting -= 1
        x, bound = g.work[waiting, 0], g.work[waiting, 1]
        if x != v and marked(g, x, 1, stamp) < bound - since:
            continue  # it was reached earlier in the meantime, and has been looked at
        front = front_of(g, x, OUT)
        at = end_of(g, x, OUT)
        if at - front > g.head[H_STEPS]:
            return _SOME
        while True:
            at = older(g, at, front, bound + 1)
            if at < 0:
                break
            g.head[H_STEPS] -= 1
            y = neighbour_at(g, at)
            if y == v:
                continue
            seq = _alike_after(g, at, bound, like, permille)
            if seq < 0:
                continue
            if y == u:
                arrived = True
                continue
            known = marked(g, y, 1, stamp)
            if known >= 0 and known <= seq - since:
                continue
            mark(g, y, 1, stamp, seq - since)
            if waiting == WORK_ROWS or g.head[H_STEPS] < 0:
                return _SOME
            g.work[waiting, 0] = y
            g.work[waiting, 1] = seq
            waiting += 1
    return _ALL if arrived else _NONE


@inline_kernel(nrt=False, inner=True)
def _newer(path: Any, count: Any) -> bool:
    """Whether the payments of the cycle that was just found are newer than those of the best.

    Payers come by the newest payment of their pair, which need not be the one that is alike.
    """
    for k in range(count):
        if path[k, 4] != path[k, 3]:
            return bool(path[k, 4] > path[k, 3])
    return False


@kernel(nrt=False, inner=True)
def amount_cycles(
    g: Any, u: Any, v: Any, longest: Any, permille: Any, borders: Any, since: Any, budget: Any,
) -> Any:  # fmt: skip
    """Cycles of 2 to ``longest`` accounts closed by the newest payment, u to v, whose payments are
    in order, not before sequence number ``since``, and all alike in amount to the newest, at least
    ``borders`` of them from one country to another.

    ``found[0]`` receives their number and ``found[1]`` the accounts of the longest, whose payments
    (newest first, without the closing one) stand in ``path[0:found[1] - 1, 3]``; of equally long
    ones that whose payments, from the newest back, are the newest. Returns whether it was cut.
    ``path`` has a row for each account: node, place among its payers, bound, best, payment,
    borders.
    """
    g.found[0] = 0
    g.found[1] = 0
    if fan_of(g, v, OUT) == 0 or fan_of(g, u, IN) == 0:
        return False
    closing = newest(g)
    like = edge_row(g, closing)
    reach = _reach(g, u, v, since, like, permille, budget)
    if reach == _NONE:
        return False
    stamp = g.head[H_STAMP]
    g.head[H_STEPS] = budget
    path = g.path
    depth = 0
    path[0, 0] = u
    path[0, 1] = end_of(g, u, IN)
    path[0, 2] = closing
    path[0, 5] = (g.edges[like, E_INFO] & CROSS_BORDER) // CROSS_BORDER
    while depth >= 0:
        x = path[depth, 0]
        at = older(g, path[depth, 1], front_of(g, x, IN), since)
        path[depth, 1] = at
        if at < 0:
            depth -= 1
            continue
        g.head[H_STEPS] -= 1
        if g.head[H_STEPS] < 0:
            return True
        y = neighbour_at(g, at)
        if y != v and depth + 3 > longest:
            continue
        arrival = np.int64(-1)
        if y != v and reach == _ALL:
            arrival = marked(g, y, 1, stamp)
            if arrival < 0:
                continue
        seq = alike_before(g, at, path[depth, 2], since, like, permille)
        if g.head[H_STEPS] < 0:
            return True
        if seq < since or seq < 0 or seq - since <= arrival:
            continue
        known = False
        for k in range(depth + 1):
            if path[k, 0] == y:
                known = True
        if known:
            continue
        path[depth, 4] = seq
        crossed = (
            path[depth, 5] + (g.edges[edge_row(g, seq), E_INFO] & CROSS_BORDER) // CROSS_BORDER
        )
        if y == v:
            if crossed < borders:
                continue
            g.found[0] += 1
            if depth + 2 > g.found[1] or (depth + 2 == g.found[1] and _newer(path, depth + 1)):
                g.found[1] = depth + 2
                for k in range(depth + 1):
                    path[k, 3] = path[k, 4]
            continue
        depth += 1
        path[depth, 0] = y
        path[depth, 1] = end_of(g, y, IN)
        path[depth, 2] = seq
        path[depth, 5] = crossed
    return False
