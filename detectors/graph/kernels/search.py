"""Searches around the payment that was just added: cycles in time order, scatter-gather.

Order is by sequence number: of two payments at one instant the canonically first is the earlier.
Each search has a budget of steps (neighbours looked at, payments of a pair walked past) and says
when it was cut.
"""

from __future__ import annotations

from typing import Any

from detectors.graph.kernels.storage import edge_row, find_pair
from detectors.graph.layout import (
    CROSS_BORDER,
    CROSS_INSTITUTION,
    CURRENCY_BITS,
    D_END,
    D_FAN,
    D_FRONT,
    D_OFFSET,
    E_AMOUNT,
    E_INFO,
    E_NEXT,
    E_PREVIOUS,
    E_VALUE,
    H_HEAD,
    H_STAMP,
    HALF,
    P_FIRST,
    P_LAST,
)
from regtech.columns.jit import inline_kernel, kernel

MARKED_MAX = 4096
"""A longer list of neighbours is not marked; pairs are looked up in its place."""


@inline_kernel(nrt=False)
def before(g: Any, pair: Any, bound: Any, steps: Any) -> Any:
    """Latest payment of a pair before another, or -1; ``steps[0]`` is lowered by those passed."""
    seq = g.pairs[pair, P_LAST]
    while seq >= bound:
        seq = g.edges[edge_row(g, seq), E_PREVIOUS]
        steps[0] -= 1
    return seq


@inline_kernel(nrt=False)
def _after(g: Any, pair: Any, bound: Any, steps: Any) -> Any:
    """Earliest payment of a pair after another, or -1."""
    seq = g.pairs[pair, P_FIRST]
    while seq >= 0 and seq <= bound:
        seq = g.edges[edge_row(g, seq), E_NEXT]
        steps[0] -= 1
    return seq


@inline_kernel(nrt=False)
def _onward(g: Any, pair: Any, bound: Any, back: Any, steps: Any) -> Any:
    return before(g, pair, bound, steps) if back else _after(g, pair, bound, steps)


@inline_kernel(nrt=False)
def _closes(g: Any, pair: Any, bound: Any, back: Any) -> Any:
    """The payment of a pair that closes a walk, or -1: one before (after) the bound is enough."""
    if back:
        seq = g.pairs[pair, P_FIRST]
        return seq if seq < bound else -1
    seq = g.pairs[pair, P_LAST]
    return seq if seq > bound else -1


@inline_kernel(nrt=False)
def _kind_of(g: Any, seq: Any, mixed: Any) -> Any:
    """Currency and institutions of a payment, put together with those of others: bits 0-15 a
    currency, bit 16 another institution, bit 18 several currencies."""
    info = g.edges[edge_row(g, seq), E_INFO]
    low = (1 << CURRENCY_BITS) - 1
    several = mixed & (1 << 18)
    if (info & low) != (mixed & low):
        several = 1 << 18
    return (mixed & low) | several | ((mixed | info) & CROSS_INSTITUTION)


@kernel(nrt=False)
def count_cycles(g: Any, u: Any, v: Any, longest: Any, budget: Any, found: Any) -> Any:
    """Cycles of 2 to ``longest`` (at most 5) accounts that the newest payment, u to v, closes.

    A cycle is a sequence of different accounts from v to u for which there are payments one after
    the other in order, all before the newest. ``found[n]`` is raised by those of n accounts;
    ``found[0]`` by those whose payments have several currencies, ``found[1]`` by those that cross
    institutions (of several payments that would do, the one nearest to the end the search began at
    is looked at). Returns whether it was cut. ``found[6]`` is scratch.
    """
    closing = g.head[H_HEAD] - 1
    steps = found[6:7]
    steps[0] = budget
    outs, ins = g.nodes[v, D_FAN], g.nodes[u, HALF + D_FAN]
    if outs == 0 or ins == 0:
        return False
    # From the end with fewer neighbours: a hub at the other end then costs nothing.
    back = ins <= outs
    root = u if back else v
    goal = v if back else u
    ahead = HALF if back else 0
    behind = 0 if back else HALF
    own = _kind_of(g, closing, g.edges[edge_row(g, closing), E_INFO])
    bound = closing if back else -1
    goals = outs if back else ins
    goal_at = g.nodes[goal, behind + D_OFFSET]
    goal_front = goal_at + g.nodes[goal, behind + D_FRONT]
    goal_end = goal_at + g.nodes[goal, behind + D_END]
    # Mark the neighbours of the goal with their pair; and those behind them where that helps.
    marked = goals <= MARKED_MAX and goals <= 64 * (outs + ins - goals)
    g.head[H_STAMP] += 1
    stamp = g.head[H_STAMP]
    marks = g.marks
    second = False
    if marked:
        for k in range(goal_front, goal_end):
            entry = g.arena[k, 0]
            if entry >= 0:
                marks[entry >> 32, 0] = (stamp << 32) | (entry & 0xFFFFFFFF)
        steps[0] -= goals
    if marked and longest >= 5:
        second = True
        for k in range(goal_front, goal_end):
            entry = g.arena[k, 0]
            if entry < 0:
                continue
            near = entry >> 32
            if near == root:
                continue
            steps[0] -= g.nodes[near, behind + D_FAN]
            if steps[0] < budget // 2:
                second = False
                break
            near_at = g.nodes[near, behind + D_OFFSET]
            for j in range(
                near_at + g.nodes[near, behind + D_FRONT], near_at + g.nodes[near, behind + D_END]
            ):
                far = g.arena[j, 0]
                if far >= 0:
                    marks[far >> 32, 1] = stamp
    first_at = g.nodes[root, ahead + D_OFFSET]
    for i in range(
        first_at + g.nodes[root, ahead + D_FRONT], first_at + g.nodes[root, ahead + D_END]
    ):
        entry = g.arena[i, 0]
        if entry < 0:
            continue
        steps[0] -= 1
        if steps[0] < 0:
            return True
        x = entry >> 32
        first = _onward(g, entry & 0xFFFFFFFF, bound, back, steps)
        if first < 0:
            continue
        kind1 = _kind_of(g, first, own)
        if x == goal:
            found[2] += 1
            found[0] += (kind1 >> 18) & 1
            found[1] += (kind1 >> 16) & 1
            continue
        if longest < 3:
            continue
        pair = _goal_pair(g, x, goal, marked, stamp, back)
        if pair >= 0:
            last = _closes(g, pair, first, back)
            if last >= 0:
                kind = _kind_of(g, last, kind1)
                found[3] += 1
                found[0] += (kind >> 18) & 1
                found[1] += (kind >> 16) & 1
        if longest < 4:
            continue
        x_at = g.nodes[x, ahead + D_OFFSET]
        if longest == 4 and goals < g.nodes[x, ahead + D_FAN]:
            # The goal has fewer neighbours than x: look for what joins x with each of them.
            for j in range(goal_front, goal_end):
                other = g.arena[j, 0]
                if other < 0:
                    continue
                steps[0] -= 2
                if steps[0] < 0:
                    return True
                y = other >> 32
                if y == root or y == x:
                    continue
                pair = find_pair(g, y, x) if back else find_pair(g, x, y)
                if pair < 0:
                    continue
                between = _onward(g, pair, first, back, steps)
                if between < 0:
                    continue
                last = _closes(g, other & 0xFFFFFFFF, between, back)
                if last >= 0:
                    kind = _kind_of(g, last, _kind_of(g, between, kind1))
                    found[4] += 1
                    found[0] += (kind >> 18) & 1
                    found[1] += (kind >> 16) & 1
            continue
        for j in range(x_at + g.nodes[x, ahead + D_FRONT], x_at + g.nodes[x, ahead + D_END]):
            other = g.arena[j, 0]
            if other < 0:
                continue
            steps[0] -= 1
            if steps[0] < 0:
                return True
            y = other >> 32
            if y == root or y == goal:
                continue
            near = -1
            if marked:
                mark = marks[y, 0]
                if (mark >> 32) == stamp:
                    near = mark & 0xFFFFFFFF
            else:
                near = _goal_pair(g, y, goal, False, stamp, back)
            deeper = longest >= 5 and (not second or marks[y, 1] == stamp)
            if near < 0 and not deeper:
                continue
            between = _onward(g, other & 0xFFFFFFFF, first, back, steps)
            if between < 0:
                continue
            kind2 = _kind_of(g, between, kind1)
            if near >= 0:
                last = _closes(g, near, between, back)
                if last >= 0:
                    kind = _kind_of(g, last, kind2)
                    found[4] += 1
                    found[0] += (kind >> 18) & 1
                    found[1] += (kind >> 16) & 1
            if not deeper:
                continue
            if goals < g.nodes[y, ahead + D_FAN]:
                for m in range(goal_front, goal_end):
                    third = g.arena[m, 0]
                    if third < 0:
                        continue
                    steps[0] -= 2
                    if steps[0] < 0:
                        return True
                    z = third >> 32
                    if z == root or z == x or z == y:
                        continue
                    pair = find_pair(g, z, y) if back else find_pair(g, y, z)
                    if pair < 0:
                        continue
                    step = _onward(g, pair, between, back, steps)
                    if step < 0:
                        continue
                    last = _closes(g, third & 0xFFFFFFFF, step, back)
                    if last >= 0:
                        kind = _kind_of(g, last, _kind_of(g, step, kind2))
                        found[5] += 1
                        found[0] += (kind >> 18) & 1
                        found[1] += (kind >> 16) & 1
                continue
            y_at = g.nodes[y, ahead + D_OFFSET]
            for m in range(y_at + g.nodes[y, ahead + D_FRONT], y_at + g.nodes[y, ahead + D_END]):
                third = g.arena[m, 0]
                if third < 0:
                    continue
                steps[0] -= 1
                if steps[0] < 0:
                    return True
                z = third >> 32
                if z == root or z == goal or z == x:
                    continue
                pair = _goal_pair(g, z, goal, marked, stamp, back)
                if pair < 0:
                    continue
                step = _onward(g, third & 0xFFFFFFFF, between, back, steps)
                if step < 0:
                    continue
                last = _closes(g, pair, step, back)
                if last >= 0:
                    kind = _kind_of(g, last, _kind_of(g, step, kind2))
                    found[5] += 1
                    found[0] += (kind >> 18) & 1
                    found[1] += (kind >> 16) & 1
    return steps[0] < 0


@inline_kernel(nrt=False)
def _goal_pair(g: Any, node: Any, goal: Any, marked: Any, stamp: Any, back: Any) -> Any:
    if marked:
        mark = g.marks[node, 0]
        return mark & 0xFFFFFFFF if (mark >> 32) == stamp else -1
    return find_pair(g, goal, node) if back else find_pair(g, node, goal)


@inline_kernel(nrt=False)
def alike(g: Any, row: Any, amount: Any, value: Any, currency: Any, permille: Any) -> Any:
    """Whether the amount of a payment differs by at most so many thousandths of another's.

    In one currency the amounts are compared, in two the values in the common currency; where one
    of these is not known they are not alike.
    """
    theirs = g.edges[row, E_AMOUNT]
    if (g.edges[row, E_INFO] & ((1 << CURRENCY_BITS) - 1)) != currency:
        theirs = g.edges[row, E_VALUE]
        amount = value
        if theirs < 0 or amount < 0:
            return False
    apart = theirs - amount if theirs >= amount else amount - theirs
    return apart <= (amount // 1000) * permille + (amount % 1000) * permille // 1000


@kernel(nrt=False)
def amount_cycles(
    g: Any, u: Any, v: Any, longest: Any, permille: Any, borders: Any, since: Any, budget: Any,
    found: Any, path: Any,
) -> Any:  # fmt: skip
    """Cycles of 2 to ``longest`` accounts closed by the newest payment, u to v, whose payments are
    in order, not before sequence number ``since``, and all alike in amount to the newest, at least
    ``borders`` of them from one country to another.

    ``found[0]`` receives their number and ``found[1]`` the accounts of the longest, whose payments
    (newest first, without the closing one) stand in ``path[0:found[1] - 1, 3]``; of equally long
    ones the first found, which is the one with the newest payments. Returns whether it was cut.
    ``path`` has a row for each account: node, place among its payers, bound, best, payment,
    borders.
    """
    found[0] = 0
    found[1] = 0
    closing = g.head[H_HEAD] - 1
    row = edge_row(g, closing)
    amount, value = g.edges[row, E_AMOUNT], g.edges[row, E_VALUE]
    currency = g.edges[row, E_INFO] & ((1 << CURRENCY_BITS) - 1)
    if g.nodes[v, D_FAN] == 0 or g.nodes[u, HALF + D_FAN] == 0:
        return False
    depth = 0
    path[0, 0] = u
    path[0, 1] = g.nodes[u, HALF + D_END]
    path[0, 2] = closing
    path[0, 5] = (g.edges[row, E_INFO] & CROSS_BORDER) // CROSS_BORDER
    while depth >= 0:
        x = path[depth, 0]
        at = path[depth, 1] - 1
        path[depth, 1] = at
        offset = g.nodes[x, HALF + D_OFFSET]
        if at < g.nodes[x, HALF + D_FRONT]:
            depth -= 1
            continue
        entry = g.arena[offset + at, 0]
        if entry < 0:
            continue
        if g.arena[offset + at, 1] < since:
            depth -= 1
            continue
        budget -= 1
        if budget < 0:
            return True
        y = entry >> 32
        if y != v and depth + 3 > longest:
            continue
        seq = g.pairs[entry & 0xFFFFFFFF, P_LAST]
        bound = path[depth, 2]
        while seq >= since and (
            seq >= bound or not alike(g, edge_row(g, seq), amount, value, currency, permille)
        ):
            seq = g.edges[edge_row(g, seq), E_PREVIOUS]
            budget -= 1
            if budget < 0:
                return True
        if seq < since or seq < 0:
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
            found[0] += 1
            if depth + 2 > found[1]:
                found[1] = depth + 2
                for k in range(depth + 1):
                    path[k, 3] = path[k, 4]
            continue
        depth += 1
        path[depth, 0] = y
        path[depth, 1] = g.nodes[y, HALF + D_END]
        path[depth, 2] = seq
        path[depth, 5] = crossed
    return False


@kernel(nrt=False)
def scatter_gather(g: Any, middle: Any, target: Any, since: Any, budget: Any, found: Any) -> Any:
    """Sources that pay ``target`` through several accounts, the newest payment's payer being one.

    An account is a way where a payment of the source to it comes before one of it to the target,
    none before sequence number ``since``. ``found[0]`` receives the ways of the source with most (0
    below two), ``found[1]`` the number of sources with two or more, ``found[2]`` that source (of
    equals the one whose payment is newest) or -1. Returns whether it was cut.
    """
    found[0] = 0
    found[1] = 0
    found[2] = -1
    payers = g.nodes[target, HALF + D_FAN]
    if payers < 2 or g.nodes[middle, HALF + D_FAN] == 0:
        return False
    steps = budget
    target_at = g.nodes[target, HALF + D_OFFSET]
    target_front = target_at + g.nodes[target, HALF + D_FRONT]
    target_end = target_at + g.nodes[target, HALF + D_END]
    g.head[H_STAMP] += 1
    stamp = g.head[H_STAMP]
    marked = False
    middle_at = g.nodes[middle, HALF + D_OFFSET]
    for i in range(
        middle_at + g.nodes[middle, HALF + D_END] - 1,
        middle_at + g.nodes[middle, HALF + D_FRONT] - 1,
        -1,
    ):
        entry = g.arena[i, 0]
        if entry < 0:
            continue
        if g.arena[i, 1] < since:
            break
        steps -= 1
        if steps < 0:
            return True
        source = entry >> 32
        fan = g.nodes[source, D_FAN]
        if source == target or fan < 2:
            continue
        ways = 0
        if payers <= 4 * fan or marked:
            if not marked:
                marked = True
                steps -= payers
                for k in range(target_front, target_end):
                    other = g.arena[k, 0]
                    if other >= 0 and g.arena[k, 1] >= since:
                        g.marks[other >> 32, 0] = (stamp << 32) | (other & 0xFFFFFFFF)
        if marked and fan <= 4 * payers:
            at = g.nodes[source, D_OFFSET]
            steps -= fan
            if steps < 0:
                return True
            for j in range(at + g.nodes[source, D_END] - 1, at + g.nodes[source, D_FRONT] - 1, -1):
                other = g.arena[j, 0]
                if other < 0:
                    continue
                mark = g.marks[other >> 32, 0]
                if (mark >> 32) == stamp and _is_way(
                    g, other & 0xFFFFFFFF, mark & 0xFFFFFFFF, since
                ):
                    ways += 1
        else:
            steps -= 2 * payers
            if steps < 0:
                return True
            for k in range(target_front, target_end):
                other = g.arena[k, 0]
                if other < 0 or g.arena[k, 1] < since:
                    continue
                pair = find_pair(g, source, other >> 32)
                if pair >= 0 and _is_way(g, pair, other & 0xFFFFFFFF, since):
                    ways += 1
        if ways < 2:
            continue
        found[1] += 1
        if ways > found[0]:
            found[0] = ways
            found[2] = source
    return False


@inline_kernel(nrt=False)
def first_since(g: Any, pair: Any, since: Any) -> Any:
    """Earliest payment of a pair from a sequence number on, or -1."""
    seq = g.pairs[pair, P_FIRST]
    while seq >= 0 and seq < since:
        seq = g.edges[edge_row(g, seq), E_NEXT]
    return seq


@inline_kernel(nrt=False)
def _is_way(g: Any, first: Any, second: Any, since: Any) -> Any:
    """Whether a payment of the first pair, not before ``since``, is before one of the second."""
    seq = first_since(g, first, since)
    return seq >= 0 and seq < g.pairs[second, P_LAST]
