"""Motifs around one account: fans, gathering and scattering, passing through, limits, mules."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.graph.kernels.alike import alike, within_share
from detectors.graph.kernels.gather import scatter_gather
from detectors.graph.kernels.neighbours import (
    end_of,
    fan_of,
    front_of,
    neighbour_at,
    older,
    pair_at,
)
from detectors.graph.kernels.reports import (
    C_LIMITS,
    begin,
    close_report,
    due,
    keep,
    keep_side,
)
from detectors.graph.kernels.search import before, first_since
from detectors.graph.kernels.storage import edge_row, fan_in_window, newest
from detectors.graph.kernels.tables import find_pair
from detectors.graph.layout import (
    CURRENCY_BITS,
    CUT_SCATTER_GATHER,
    CUT_SUMS,
    D_COUNT,
    E_AMOUNT,
    E_INFO,
    E_PREVIOUS,
    E_VALUE,
    H_CUT,
    H_STEPS,
    H_TIME,
    HALF,
    IN,
    N_WOKE,
    NO,
    OUT,
    P_LAST,
    YES,
)
from detectors.graph.spec import (
    K_BAND,
    K_BUDGET,
    K_CONCENTRATION,
    K_GROWTH,
    K_HUB,
    K_LEAST,
    K_LENGTH,
    K_PERMILLE,
    K_SECOND,
    K_VALUE,
)
from regtech.columns.jit import inline_kernel, kernel

_CURRENCY = (1 << CURRENCY_BITS) - 1
_AMOUNT_MAX = 1 << 52
"""Larger amounts are not summed: 512 of them might overflow."""


@inline_kernel(nrt=False, inner=True)
def _concentrated(g: Any, row: Any, node: Any, side: Any, size: Any) -> Any:
    return size * 1000 >= row[K_CONCENTRATION] * fan_of(g, node, side)


@kernel(nrt=False, inner=True)
def _episode(
    g: Any, o: Any, spec: Any, row: Any, node: Any, side: Any, size: Any, both: Any, since: Any
) -> None:
    """Tell of an account, where it is due, with its payments from a number on: those of a side, or
    of both."""
    if due(g, o, spec, side, node, row[K_LENGTH], size):
        begin(g, o, spec, side, node, row[K_LENGTH], row[K_GROWTH], size)
        for each in range(2):
            if both or each == side:
                keep_side(g, o, node, each, since)
        close_report(g, o)


@kernel(nrt=False, inner=True)
def fan(g: Any, o: Any, spec: Any, row: Any, w: Any, node: Any, side: Any) -> None:
    """Many distinct counterparties of a node on one side within the window."""
    size = fan_in_window(g, node, w, side)
    if size >= row[K_LEAST] and _concentrated(g, row, node, side, size):
        _episode(g, o, spec, row, node, side, size, NO, g.windows[w, 1])


@kernel(nrt=False, inner=True)
def _sum(g: Any, node: Any, side: Any, since: Any, until: Any, currency: Any, budget: Any) -> Any:
    """What a node made or received from number ``since`` to before ``until``.

    ``found`` receives the sum of amounts, the number of payments, whether one is not in
    ``currency``, the sum of values, and whether a value is not known. False where there are too
    many payments or an amount is too large.
    """
    found = g.found
    for k in range(5):
        found[k] = 0
    at, front = end_of(g, node, side), front_of(g, node, side)
    while True:
        at = older(g, at, front, since)
        if at < 0:
            return True
        seq = g.pairs[pair_at(g, at), P_LAST]
        while seq >= since and seq >= 0:
            budget -= 1
            edge = g.edges[edge_row(g, seq)]
            amount, value = edge[E_AMOUNT], edge[E_VALUE]
            if budget < 0 or (seq < until and max(amount, value) >= _AMOUNT_MAX):
                g.head[H_CUT + CUT_SUMS] += 1
                return False
            if seq < until:
                if (edge[E_INFO] & _CURRENCY) != currency:
                    found[2] = 1
                if value < 0:
                    found[4] = 1
                found[0] += amount
                found[1] += 1
                found[3] += max(value, 0)
            seq = edge[E_PREVIOUS]


@kernel(nrt=False, inner=True)
def _balanced(g: Any, row: Any, node: Any, since: Any, until: Any) -> Any:
    """Whether what came in before ``until`` and what went out are alike; how many payments, or 0.

    In one currency amounts are compared, else values in the common currency where all are known.
    """
    currency = g.edges[edge_row(g, newest(g)), E_INFO] & _CURRENCY
    found = g.found
    if not _sum(g, node, IN, since, until, currency, row[K_BUDGET]):
        return 0
    came, count, mixed, value, unknown = found[0], found[1], found[2], found[3], found[4]
    if value < row[K_VALUE]:
        return 0
    if not _sum(g, node, OUT, since, newest(g) + 1, currency, row[K_BUDGET]):
        return 0
    went = found[0]
    if mixed or found[2]:
        if unknown or found[4]:
            return 0
        came, went = value, found[3]
    if came > 0 and within_share(abs(came - went), came, row[K_PERMILLE]):
        return count + found[1]
    return 0


@kernel(nrt=False, inner=True)
def _gathered(g: Any, node: Any, w: Any, least: Any, second: Any, budget: Any) -> Any:
    """Whether payments of so many payers came before the newest payments to so many payees."""
    # The payment before which everything must have been gathered: the oldest of the newest ones to
    # as many payees as are asked for.
    since, split = g.windows[w, 1], newest(g)
    at, front = end_of(g, node, OUT), front_of(g, node, OUT)
    payees = 0
    while payees < second:
        at = older(g, at, front, np.int64(0))
        if at < 0:
            break
        payees += 1
        split = g.arena[at, 1]
    g.head[H_STEPS] = budget
    at, front = end_of(g, node, IN), front_of(g, node, IN)
    payers = 0
    while payers < least:
        at = older(g, at, front, since)
        if at < 0:
            return False
        g.head[H_STEPS] -= 1
        seq = before(g, pair_at(g, at), split)
        if g.head[H_STEPS] < 0:
            g.head[H_CUT + CUT_SUMS] += 1
            return False
        if seq >= since and seq >= 0:
            payers += 1
    return True


@kernel(nrt=False, inner=True)
def gather_scatter(g: Any, o: Any, spec: Any, row: Any, w: Any, node: Any) -> None:
    """Many payers, then many payees: the newest payees were all paid after payments of as many
    payers as are asked for."""
    payers, payees = fan_in_window(g, node, w, IN), fan_in_window(g, node, w, OUT)
    if payers < row[K_LEAST] or payees < row[K_SECOND]:
        return
    since, side = g.windows[w, 1], OUT
    if not _concentrated(g, row, node, IN, payers):
        return
    if not due(g, o, spec, side, node, row[K_LENGTH], payers + payees):
        return
    if not _gathered(g, node, w, row[K_LEAST], row[K_SECOND], row[K_BUDGET]):
        return
    if row[K_PERMILLE] and _balanced(g, row, node, since, newest(g)) == 0:
        return
    _episode(g, o, spec, row, node, side, payers + payees, YES, since)


@kernel(nrt=False, inner=True)
def pass_through(g: Any, o: Any, spec: Any, row: Any, w: Any, node: Any) -> None:
    """What came in goes out again within the window, but for a small rest."""
    if fan_in_window(g, node, w, IN) == 0:
        return
    if row[K_HUB] and max(fan_of(g, node, OUT), fan_of(g, node, IN)) > row[K_HUB]:
        return
    # So few payments are not enough, whatever the window holds of them.
    if g.nodes[node, D_COUNT] + g.nodes[node, HALF + D_COUNT] < row[K_LEAST]:
        return
    since = g.windows[w, 1]
    size = _balanced(g, row, node, since, newest(g))
    if size > 0 and size >= row[K_LEAST]:
        _episode(g, o, spec, row, node, OUT, size, YES, since)


@kernel(nrt=False, inner=True)
def _ways(
    g: Any, o: Any, source: Any, target: Any, since: Any, permille: Any, write: Any
) -> Any:  # fmt: skip
    """By way of how many accounts a source pays a target, both halves alike where that is asked;
    ``write`` puts them into the open report."""
    ways = 0
    at, front = end_of(g, source, OUT), front_of(g, source, OUT)
    while True:
        at = older(g, at, front, since)
        if at < 0:
            return ways
        middle = neighbour_at(g, at)
        if middle == target:
            continue
        second = find_pair(g, middle, target)
        if second < 0:
            continue
        seq = first_since(g, at, since)
        last = g.pairs[second, P_LAST]
        if seq < 0 or seq >= last:
            continue
        if permille and not alike(g, edge_row(g, last), edge_row(g, seq), permille):
            continue
        ways += 1
        if write:
            keep(g, o, seq)
            keep(g, o, last)


@kernel(nrt=False, inner=True)
def scattered(g: Any, o: Any, spec: Any, row: Any, w: Any, middle: Any, target: Any) -> None:
    """One source pays the target by way of many accounts."""
    since = g.windows[w, 1]
    if fan_in_window(g, target, w, IN) < row[K_LEAST]:
        return
    if scatter_gather(g, middle, target, since, row[K_LEAST], row[K_BUDGET]):
        g.head[H_CUT + CUT_SCATTER_GATHER] += 1
    source = g.found[2]
    if g.found[0] < row[K_LEAST]:
        return
    side = OUT
    ways = _ways(g, o, source, target, since, row[K_PERMILLE], NO)
    if ways >= row[K_LEAST] and due(g, o, spec, side, target, row[K_LENGTH], ways):
        begin(g, o, spec, side, target, row[K_LENGTH], row[K_GROWTH], ways)
        _ways(g, o, source, target, since, row[K_PERMILLE], YES)
        close_report(g, o)


@kernel(nrt=False, inner=True)
def _below(
    g: Any, o: Any, spec: Any, row: Any, node: Any, side: Any, since: Any, write: Any
) -> Any:  # fmt: skip
    """How many payments of an account are a little below their limit; ``write`` puts them into the
    open report."""
    size = 0
    steps = row[K_BUDGET]
    at, front = end_of(g, node, side), front_of(g, node, side)
    while True:
        at = older(g, at, front, since)
        if at < 0:
            return size
        seq = g.pairs[pair_at(g, at), P_LAST]
        while seq >= since and seq >= 0 and steps > 0:
            steps -= 1
            edge = g.edges[edge_row(g, seq)]
            if _just_below(o, spec, edge[E_INFO] & _CURRENCY, edge[E_AMOUNT], row[K_BAND]):
                size += 1
                if write:
                    keep(g, o, seq)
            seq = edge[E_PREVIOUS]
        if steps <= 0:
            if write:
                g.head[H_CUT + CUT_SUMS] += 1
            return size


@kernel(nrt=False, inner=True)
def structuring(g: Any, o: Any, spec: Any, row: Any, w: Any, node: Any, side: Any) -> None:
    """Several payments of one account a little below an amount that must be reported."""
    since = g.windows[w, 1]
    edge = g.edges[edge_row(g, newest(g))]
    if not _just_below(o, spec, edge[E_INFO] & _CURRENCY, edge[E_AMOUNT], row[K_BAND]):
        return
    size = _below(g, o, spec, row, node, side, since, NO)
    if size >= row[K_LEAST] and due(g, o, spec, side, node, row[K_LENGTH], size):
        begin(g, o, spec, side, node, row[K_LENGTH], row[K_GROWTH], size)
        _below(g, o, spec, row, node, side, since, YES)
        close_report(g, o)


@inline_kernel(nrt=False, inner=True)
def _just_below(o: Any, spec: Any, currency: Any, amount: Any, band: Any) -> Any:
    limit = np.int64(-1)
    for k in range(o.counts[C_LIMITS]):
        if o.limits[k, 0] == spec and o.limits[k, 1] == currency:
            limit = o.limits[k, 2]
    return limit > 0 and amount < limit and amount >= limit - limit * band // 1000


@kernel(nrt=False, inner=True)
def mule(g: Any, o: Any, spec: Any, row: Any, w: Any, node: Any) -> None:
    """An account that was still, and now deals with many others."""
    if g.nodes[node, N_WOKE] <= g.head[H_TIME] - row[K_LENGTH]:
        return
    size = fan_in_window(g, node, w, IN) + fan_in_window(g, node, w, OUT)
    if size >= row[K_LEAST]:
        _episode(g, o, spec, row, node, OUT, size, YES, g.windows[w, 1])
