"""Cycles in time order around the payment that was just added, and what searches have in common.

Order is by sequence number: of two payments at one instant the canonically first is the earlier.
Each search has a budget of steps (places looked at, payments of a pair walked past) and says when
it was cut. A place in a list of counterparties says when the pair paid last and whether it ever
paid twice, so that of most pairs nothing else needs to be looked at.
"""

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
from detectors.graph.kernels.storage import edge_row, newest
from detectors.graph.kernels.tables import find_pair
from detectors.graph.layout import (
    CROSS_INSTITUTION,
    CURRENCY_BITS,
    E_INFO,
    E_NEXT,
    E_PREVIOUS,
    H_STAMP,
    H_STEPS,
    H_TAIL,
    IN,
    MULTI,
    NO,
    OUT,
    P_FIRST,
    P_IN,
    P_LAST,
    P_OUT,
    PAIR_MASK,
)
from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.words import expect

MARKED_MAX = 4096
"""A longer list is not marked; pairs are looked up in its place."""
LOOKUP = 4
"""Finding a pair takes about as long as looking at so many places of a list."""
_WEIGHED_MAX = 256
"""Of a longer list it is guessed how many counterparties those in it have."""


@inline_kernel(nrt=False, inner=True)
def new_stamp(g: Any) -> Any:
    """A stamp that no mark bears."""
    g.head[H_STAMP] += 1
    return g.head[H_STAMP]


@inline_kernel(nrt=False, inner=True)
def mark(g: Any, node: Any, column: Any, stamp: Any, what: Any) -> None:
    """Mark a node with a number below 2**32."""
    g.marks[node, column] = (stamp << 32) | what


@inline_kernel(nrt=False, inner=True)
def marked(g: Any, node: Any, column: Any, stamp: Any) -> Any:
    """What a node is marked with, or -1."""
    found = g.marks[node, column]
    return found & 0xFFFFFFFF if found >> 32 == stamp else -1


# --- payments of a pair


@kernel(nrt=False, inner=True)
def before(g: Any, pair: Any, bound: Any) -> Any:
    """Latest payment of a pair before another, or -1; steps are counted."""
    seq = g.pairs[pair, P_LAST]
    while seq >= bound:
        seq = g.edges[edge_row(g, seq), E_PREVIOUS]
        g.head[H_STEPS] -= 1
    return seq


@kernel(nrt=False, inner=True)
def after(g: Any, pair: Any, bound: Any) -> Any:
    """Earliest payment of a pair after another, or -1; steps are counted."""
    seq = g.pairs[pair, P_FIRST]
    while seq >= 0 and seq <= bound:
        seq = g.edges[edge_row(g, seq), E_NEXT]
        g.head[H_STEPS] -= 1
    return seq


@inline_kernel(nrt=False, inner=True)
def onward(g: Any, at: Any, bound: Any, back: Any) -> Any:
    """Of the pair in a place, the latest payment before (``back``) or the earliest after another,
    or -1."""
    entry, last = g.arena[at, 0], g.arena[at, 1]
    if back:
        if last < bound:
            return last
        return before(g, entry & PAIR_MASK, bound) if entry & MULTI else -1
    if last <= bound:
        return -1
    return after(g, entry & PAIR_MASK, bound) if entry & MULTI else last


@inline_kernel(nrt=False, inner=True)
def _closes(g: Any, at: Any, bound: Any, back: Any) -> Any:
    """Whether the pair in a place has a payment before (``back``) or after another."""
    entry, last = g.arena[at, 0], g.arena[at, 1]
    if not back:
        return last > bound
    if last < bound:
        return True
    return entry & MULTI != 0 and g.pairs[entry & PAIR_MASK, P_FIRST] < bound


@inline_kernel(nrt=False, inner=True)
def first_since(g: Any, at: Any, since: Any) -> Any:
    """Earliest payment, from a sequence number on, of the pair in a place; or -1."""
    return onward(g, at, since - 1, NO)


# --- cycles


@kernel(nrt=False, inner=True)
def weight(g: Any, node: Any, side: Any, further: Any, others: Any) -> Any:
    """About how many places there are to look at in the lists, on side ``further``, of a node's
    counterparties on a side, where of each so many other accounts may be looked up instead."""
    front, end = front_of(g, node, side), end_of(g, node, side)
    if end - front > _WEIGHED_MAX:
        return (end - front) * min(8, LOOKUP * others + LOOKUP)
    for at in range(front, end):
        if g.arena[at, 0] >= 0:
            expect(g.lists, neighbour_at(g, at))
    total = end - front
    for at in range(front, end):
        if g.arena[at, 0] >= 0:
            total += min(fan_of(g, neighbour_at(g, at), further), LOOKUP * others) + LOOKUP
    return total


@kernel(nrt=False, inner=True)
def mark_list(g: Any, node: Any, side: Any, stamp: Any) -> None:
    """Mark the counterparties of a node with their places."""
    for at in range(front_of(g, node, side), end_of(g, node, side)):
        if g.arena[at, 0] >= 0:
            mark(g, neighbour_at(g, at), 0, stamp, at)


@kernel(nrt=False, inner=True)
def _mark_behind(g: Any, node: Any, root: Any, side: Any, stamp: Any, most: Any) -> Any:
    """Mark the counterparties of those of a node; False where there are too many to be worth it."""
    total = 0
    front, end = front_of(g, node, side), end_of(g, node, side)
    for at in range(front, end):
        if g.arena[at, 0] >= 0:
            total += fan_of(g, neighbour_at(g, at), side)
            if total > most:
                return False
    g.head[H_STEPS] -= total
    for at in range(front, end):
        if g.arena[at, 0] >= 0 and neighbour_at(g, at) != root:
            near = neighbour_at(g, at)
            for far in range(front_of(g, near, side), end_of(g, near, side)):
                if g.arena[far, 0] >= 0:
                    mark(g, neighbour_at(g, far), 1, stamp, 0)
    return True


@kernel(nrt=False, inner=True)
def _told(g: Any, accounts: Any, first: Any, second: Any, third: Any, fourth: Any) -> None:
    """Count a cycle by its pairs in order: its accounts, and whether its payments have several
    currencies or cross institutions. Of several payments that would do, each is the earliest after
    the one before, the last the newest."""
    found = g.found
    found[accounts] += 1
    low = (1 << CURRENCY_BITS) - 1
    own = g.edges[edge_row(g, newest(g)), E_INFO]
    several = 0
    crossing = own & CROSS_INSTITUTION
    seq = -1
    for k in range(accounts - 1):
        pair = first if k == 0 else second if k == 1 else third if k == 2 else fourth
        if k > 0 and k == accounts - 2:
            seq = g.pairs[pair, P_LAST]
        else:
            at = g.pairs[pair, P_FIRST]
            while at <= seq:
                at = g.edges[edge_row(g, at), E_NEXT]
            seq = at
        info = g.edges[edge_row(g, seq), E_INFO]
        several |= (info ^ own) & low
        crossing |= info & CROSS_INSTITUTION
    found[0] += 1 if several else 0
    found[1] += 1 if crossing else 0


@inline_kernel(nrt=False, inner=True)
def _told_walk(
    g: Any, back: Any, accounts: Any, first: Any, second: Any, third: Any, fourth: Any
) -> None:
    """The same by places, from the root of the search on."""
    a, b = pair_at(g, first), pair_at(g, second)
    c = pair_at(g, third) if accounts > 3 else -1
    d = pair_at(g, fourth) if accounts > 4 else -1
    if not back:
        _told(g, accounts, a, b, c, d)
    elif accounts == 3:
        _told(g, accounts, b, a, c, d)
    elif accounts == 4:
        _told(g, accounts, c, b, a, d)
    else:
        _told(g, accounts, d, c, b, a)


@inline_kernel(nrt=False, inner=True)
def near_place(g: Any, node: Any, goal: Any, all_marked: Any, stamp: Any, back: Any) -> Any:
    """The place of a node among the goal's counterparties, or -1."""
    if all_marked:
        return marked(g, node, 0, stamp)
    pair = find_pair(g, goal, node) if back else find_pair(g, node, goal)
    if pair < 0:
        return -1
    return g.pairs[pair, P_OUT if back else P_IN]


@inline_kernel(nrt=False, inner=True)
def _between(g: Any, x: Any, y: Any, back: Any) -> Any:
    """The place of y among x's counterparties ahead, or -1."""
    pair = find_pair(g, y, x) if back else find_pair(g, x, y)
    if pair < 0:
        return -1
    return g.pairs[pair, P_IN if back else P_OUT]


@kernel(nrt=False, inner=True)
def count_cycles(g: Any, u: Any, v: Any, longest: Any, budget: Any) -> Any:
    """Cycles of 2 to ``longest`` (at most 5) accounts that the newest payment, u to v, closes.

    A cycle is a sequence of different accounts from v to u for which there are payments one after
    the other in order, all before the newest. ``found[n]`` receives the number of those of n
    accounts, ``found[0]`` of those whose payments have several currencies and ``found[1]`` of
    those that cross institutions. Returns whether it was cut.
    """
    head = g.head
    for k in range(6):
        g.found[k] = 0
    outs, ins = fan_of(g, v, OUT), fan_of(g, u, IN)
    if outs == 0 or ins == 0:
        return False
    head[H_STEPS] = budget
    pair = find_pair(g, v, u)
    if pair >= 0:
        _told(g, np.int64(2), pair, np.int64(-1), np.int64(-1), np.int64(-1))
    if longest < 3:
        return False
    # From the end behind which less is to be looked at: a hub at the other end then costs nothing.
    forward, backward = weight(g, v, OUT, OUT, ins), weight(g, u, IN, IN, outs)
    back = backward + outs < forward + ins
    root, goal = (u, v) if back else (v, u)
    ahead = IN if back else OUT
    behind = OUT if back else IN
    goals = outs if back else ins
    within = min(forward, backward)
    stamp = new_stamp(g)
    all_marked = goals <= MARKED_MAX and goals <= LOOKUP * within
    second = False
    if all_marked:
        head[H_STEPS] -= goals
        mark_list(g, goal, behind, stamp)
        if longest >= 5:
            second = _mark_behind(g, goal, root, behind, stamp, min(LOOKUP * within, budget // 2))
    bound = newest(g) if back else np.int64(-1)
    since = head[H_TAIL]
    front = front_of(g, root, ahead)
    at = end_of(g, root, ahead)
    while True:
        at = older(g, at, front, since)
        if at < 0:
            return head[H_STEPS] < 0
        head[H_STEPS] -= 1
        x = neighbour_at(g, at)
        first = onward(g, at, bound, back)
        if first < 0 or x == goal:
            continue
        near = near_place(g, x, goal, all_marked, stamp, back)
        if near >= 0 and _closes(g, near, first, back):
            _told_walk(g, back, np.int64(3), at, near, near, near)
        if longest >= 4 and (
            _further(g, root, goal, at, first, longest, goals, all_marked, second, stamp, back)
            or head[H_STEPS] < 0
        ):
            return True


@kernel(nrt=False, inner=True)
def _further(
    g: Any, root: Any, goal: Any, at1: Any, first: Any, longest: Any, goals: Any, all_marked: Any,
    second: Any, stamp: Any, back: Any,
) -> Any:  # fmt: skip
    """Cycles of 4 and 5 accounts by way of the counterparty of the root in a place."""
    head = g.head
    ahead = IN if back else OUT
    behind = OUT if back else IN
    x = neighbour_at(g, at1)
    front, end = front_of(g, x, ahead), end_of(g, x, ahead)
    if longest == 4 and LOOKUP * goals < end - front:
        # The goal has fewer counterparties than x: look for what joins x with each of them.
        return _through_goal(g, root, goal, x, at1, first, behind, back)
    if end - front > head[H_STEPS]:
        return True
    at = end
    # Payments after the first stand at the end. Those before it may stand anywhere.
    least = head[H_TAIL] if back else first + 1
    while True:
        at = older(g, at, front, least)
        if at < 0:
            return False
        head[H_STEPS] -= 1
        y = neighbour_at(g, at)
        near = near_place(g, y, goal, all_marked, stamp, back)
        deeper = longest >= 5 and (not second or marked(g, y, 1, stamp) >= 0)
        if (near < 0 and not deeper) or y == root or y == goal:
            continue
        between = onward(g, at, first, back)
        if between < 0:
            continue
        if near >= 0 and _closes(g, near, between, back):
            _told_walk(g, back, np.int64(4), at1, at, near, near)
        if not deeper:
            continue
        begin, stop = front_of(g, y, ahead), end_of(g, y, ahead)
        if LOOKUP * goals < stop - begin:
            last = end_of(g, goal, behind)
            while True:
                last = older(g, last, front_of(g, goal, behind), head[H_TAIL])
                if last < 0:
                    break
                head[H_STEPS] -= LOOKUP
                z = neighbour_at(g, last)
                if head[H_STEPS] < 0:
                    return True
                if z == root or z == x or z == y:
                    continue
                third = _between(g, y, z, back)
                if third < 0:
                    continue
                step = onward(g, third, between, back)
                if step >= 0 and _closes(g, last, step, back):
                    _told_walk(g, back, np.int64(5), at1, at, third, last)
            continue
        if stop - begin > head[H_STEPS]:
            return True
        third = stop
        later = head[H_TAIL] if back else between + 1
        while True:
            third = older(g, third, begin, later)
            if third < 0:
                break
            head[H_STEPS] -= 1
            z = neighbour_at(g, third)
            last = near_place(g, z, goal, all_marked, stamp, back)
            if last < 0 or z == root or z == x or z == goal:
                continue
            step = onward(g, third, between, back)
            if step >= 0 and _closes(g, last, step, back):
                _told_walk(g, back, np.int64(5), at1, at, third, last)


@kernel(nrt=False, inner=True)
def _through_goal(
    g: Any, root: Any, goal: Any, x: Any, at1: Any, first: Any, behind: Any, back: Any
) -> Any:
    """Cycles of 4 accounts by way of x, a hub, and each counterparty of the goal."""
    front = front_of(g, goal, behind)
    at = end_of(g, goal, behind)
    while True:
        at = older(g, at, front, g.head[H_TAIL])
        if at < 0:
            return False
        g.head[H_STEPS] -= LOOKUP
        if g.head[H_STEPS] < 0:
            return True
        y = neighbour_at(g, at)
        if y == root or y == x:
            continue
        place = _between(g, x, y, back)
        if place < 0:
            continue
        between = onward(g, place, first, back)
        if between >= 0 and _closes(g, at, between, back):
            _told_walk(g, back, np.int64(4), at1, place, at, at)
