"""Motifs around one account: fans, gathering and scattering, passing through, limits, mules."""

from __future__ import annotations

from typing import Any

from detectors.graph.kernels.reports import (
    begin,
    close_report,
    due,
    keep,
    keep_side,
    newest,
)
from detectors.graph.kernels.search import alike, before, first_since, scatter_gather
from detectors.graph.kernels.storage import edge_row, find_pair
from detectors.graph.layout import (
    CURRENCY_BITS,
    CUT_SCATTER_GATHER,
    CUT_SUMS,
    D_END,
    D_FAN,
    D_FRONT,
    D_OFFSET,
    E_AMOUNT,
    E_INFO,
    E_PREVIOUS,
    E_VALUE,
    H_CUT,
    H_TIME,
    HALF,
    IN,
    N_WOKE,
    OUT,
    P_LAST,
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


@inline_kernel(nrt=False)
def _concentrated(g: Any, row: Any, node: Any, side: Any, size: Any) -> Any:
    return size * 1000 >= row[K_CONCENTRATION] * g.nodes[node, side * HALF + D_FAN]


@kernel(nrt=False)
def fan(g: Any, o: Any, spec: Any, row: Any, w: Any, node: Any, side: Any) -> None:
    """Many distinct counterparties of a node on one side within the window."""
    size = g.fans[node, w, side]
    if size < row[K_LEAST] or not _concentrated(g, row, node, side, size):
        return
    if not due(g, o, spec, side, node, row[K_LENGTH], size):
        return
    begin(g, o, spec, side, node, row[K_LENGTH], row[K_GROWTH], size)
    keep_side(g, o, node, side, g.windows[w, 1])
    close_report(g, o)


@kernel(nrt=False)
def _sum(
    g: Any, node: Any, side: Any, since: Any, until: Any, currency: Any, budget: Any, found: Any
) -> Any:
    """What a node made or received from number ``since`` to before ``until``.

    ``found`` receives the sum of amounts, the number of payments, whether one is not in
    ``currency``, the sum of values, and whether a value is not known. False where there are too
    many payments or an amount is too large.
    """
    for k in range(5):
        found[k] = 0
    base = side * HALF
    offset = g.nodes[node, base + D_OFFSET]
    for k in range(g.nodes[node, base + D_END] - 1, g.nodes[node, base + D_FRONT] - 1, -1):
        entry = g.arena[offset + k, 0]
        if entry < 0:
            continue
        if g.arena[offset + k, 1] < since:
            break
        seq = g.pairs[entry & 0xFFFFFFFF, P_LAST]
        while seq >= since and seq >= 0:
            budget -= 1
            if budget < 0:
                g.head[H_CUT + CUT_SUMS] += 1
                return False
            line = edge_row(g, seq)
            if seq < until:
                amount, value = g.edges[line, E_AMOUNT], g.edges[line, E_VALUE]
                if amount >= _AMOUNT_MAX or value >= _AMOUNT_MAX:
                    g.head[H_CUT + CUT_SUMS] += 1
                    return False
                if (g.edges[line, E_INFO] & _CURRENCY) != currency:
                    found[2] = 1
                if value < 0:
                    found[4] = 1
                found[0] += amount
                found[1] += 1
                found[3] += max(value, 0)
            seq = g.edges[line, E_PREVIOUS]
    return True


@kernel(nrt=False)
def _balanced(g: Any, o: Any, row: Any, node: Any, since: Any, until: Any) -> Any:
    """Whether what came in before ``until`` and what went out are alike; how many payments, or 0.

    In one currency amounts are compared, else values in the common currency where all are known.
    """
    currency = g.edges[edge_row(g, newest(g)), E_INFO] & _CURRENCY
    found = o.numbers
    if not _sum(g, node, IN, since, until, currency, row[K_BUDGET], found):
        return 0
    came, count, mixed, value, unknown = found[0], found[1], found[2], found[3], found[4]
    if value < row[K_VALUE]:
        return 0
    if not _sum(g, node, OUT, since, newest(g) + 1, currency, row[K_BUDGET], found):
        return 0
    went = found[0]
    if mixed or found[2]:
        if unknown or found[4]:
            return 0
        came, went = value, found[3]
    apart = came - went if came >= went else went - came
    permille = row[K_PERMILLE]
    if came > 0 and apart <= (came // 1000) * permille + (came % 1000) * permille // 1000:
        return count + found[1]
    return 0


@kernel(nrt=False)
def gather_scatter(g: Any, o: Any, spec: Any, row: Any, w: Any, node: Any) -> None:
    """Many payers, then many payees: the newest payees were all paid after payments of as many
    payers as are asked for."""
    if g.fans[node, w, IN] < row[K_LEAST] or g.fans[node, w, OUT] < row[K_SECOND]:
        return
    if not _concentrated(g, row, node, IN, g.fans[node, w, IN]):
        return
    size = g.fans[node, w, IN] + g.fans[node, w, OUT]
    side = 0
    if not due(g, o, spec, side, node, row[K_LENGTH], size):
        return
    # The payment before which everything must have been gathered: the oldest of the newest ones to
    # as many payees as are asked for.
    since = g.windows[w, 1]
    offset, payees, split = g.nodes[node, D_OFFSET], 0, newest(g)
    for k in range(g.nodes[node, D_END] - 1, g.nodes[node, D_FRONT] - 1, -1):
        if g.arena[offset + k, 0] >= 0:
            payees += 1
            split = g.arena[offset + k, 1]
            if payees == row[K_SECOND]:
                break
    steps = row[K_BUDGET]
    offset, payers = g.nodes[node, HALF + D_OFFSET], 0
    for k in range(g.nodes[node, HALF + D_END] - 1, g.nodes[node, HALF + D_FRONT] - 1, -1):
        entry = g.arena[offset + k, 0]
        if entry < 0:
            continue
        if g.arena[offset + k, 1] < since:
            break
        o.numbers[7] = steps
        seq = before(g, entry & 0xFFFFFFFF, split, o.numbers[7:8])
        steps = o.numbers[7] - 1
        if steps < 0:
            g.head[H_CUT + CUT_SUMS] += 1
            return
        if seq >= since and seq >= 0:
            payers += 1
            if payers == row[K_LEAST]:
                break
    if payers < row[K_LEAST]:
        return
    if row[K_PERMILLE] and _balanced(g, o, row, node, since, newest(g)) == 0:
        return
    begin(g, o, spec, side, node, row[K_LENGTH], row[K_GROWTH], size)
    keep_side(g, o, node, OUT, since)
    keep_side(g, o, node, IN, since)
    close_report(g, o)


@kernel(nrt=False)
def pass_through(g: Any, o: Any, spec: Any, row: Any, w: Any, node: Any) -> None:
    """What came in goes out again within the window, but for a small rest."""
    if g.fans[node, w, IN] == 0:
        return
    if row[K_HUB] and max(g.nodes[node, D_FAN], g.nodes[node, HALF + D_FAN]) > row[K_HUB]:
        return
    since = g.windows[w, 1]
    size = _balanced(g, o, row, node, since, newest(g))
    if size == 0 or size < row[K_LEAST]:
        return
    side = 0
    if not due(g, o, spec, side, node, row[K_LENGTH], size):
        return
    begin(g, o, spec, side, node, row[K_LENGTH], row[K_GROWTH], size)
    keep_side(g, o, node, OUT, since)
    keep_side(g, o, node, IN, since)
    close_report(g, o)


@kernel(nrt=False)
def scattered(g: Any, o: Any, spec: Any, row: Any, w: Any, middle: Any, target: Any) -> None:
    """One source pays the target by way of many accounts."""
    since = g.windows[w, 1]
    if scatter_gather(g, middle, target, since, row[K_BUDGET], o.numbers):
        g.head[H_CUT + CUT_SCATTER_GATHER] += 1
    source = o.numbers[2]
    if o.numbers[0] < row[K_LEAST]:
        return
    side = 0
    ways = 0
    begun = False
    for stage in range(2):
        if stage == 1:
            if ways < row[K_LEAST] or not due(g, o, spec, side, target, row[K_LENGTH], ways):
                return
            begin(g, o, spec, side, target, row[K_LENGTH], row[K_GROWTH], ways)
            begun = True
        offset = g.nodes[source, D_OFFSET]
        for k in range(g.nodes[source, D_END] - 1, g.nodes[source, D_FRONT] - 1, -1):
            entry = g.arena[offset + k, 0]
            if entry < 0:
                continue
            if g.arena[offset + k, 1] < since:
                break
            second = find_pair(g, entry >> 32, target)
            if second < 0 or entry >> 32 == target:
                continue
            seq = first_since(g, entry & 0xFFFFFFFF, since)
            last = g.pairs[second, P_LAST]
            if seq < 0 or seq >= last:
                continue
            if row[K_PERMILLE]:
                line = edge_row(g, seq)
                if not alike(
                    g, edge_row(g, last), g.edges[line, E_AMOUNT], g.edges[line, E_VALUE],
                    g.edges[line, E_INFO] & _CURRENCY, row[K_PERMILLE],
                ):  # fmt: skip
                    continue
            if begun:
                keep(g, o, seq)
                keep(g, o, last)
            else:
                ways += 1
    close_report(g, o)


@kernel(nrt=False)
def structuring(
    g: Any, o: Any, spec: Any, row: Any, w: Any, limits: Any, node: Any, side: Any
) -> None:
    """Several payments of one account a little below an amount that must be reported."""
    since = g.windows[w, 1]
    line = edge_row(g, newest(g))
    limit = _limit(limits, spec, g.edges[line, E_INFO] & _CURRENCY)
    if not _just_below(g.edges[line, E_AMOUNT], limit, row[K_BAND]):
        return
    size = 0
    begun = False
    for stage in range(2):
        if stage == 1:
            if size < row[K_LEAST] or not due(g, o, spec, side, node, row[K_LENGTH], size):
                return
            begin(g, o, spec, side, node, row[K_LENGTH], row[K_GROWTH], size)
            begun = True
        steps = row[K_BUDGET]
        base = side * HALF
        offset = g.nodes[node, base + D_OFFSET]
        for k in range(g.nodes[node, base + D_END] - 1, g.nodes[node, base + D_FRONT] - 1, -1):
            entry = g.arena[offset + k, 0]
            if entry < 0:
                continue
            if g.arena[offset + k, 1] < since:
                break
            seq = g.pairs[entry & 0xFFFFFFFF, P_LAST]
            while seq >= since and seq >= 0 and steps > 0:
                steps -= 1
                line = edge_row(g, seq)
                limit = _limit(limits, spec, g.edges[line, E_INFO] & _CURRENCY)
                if _just_below(g.edges[line, E_AMOUNT], limit, row[K_BAND]):
                    if begun:
                        keep(g, o, seq)
                    else:
                        size += 1
                seq = g.edges[line, E_PREVIOUS]
            if steps <= 0:
                if begun:
                    g.head[H_CUT + CUT_SUMS] += 1
                break
    close_report(g, o)


@inline_kernel(nrt=False)
def _limit(limits: Any, spec: Any, currency: Any) -> Any:
    found = -1
    for k in range(limits.shape[0]):
        if limits[k, 0] == spec and limits[k, 1] == currency:
            found = limits[k, 2]
    return found


@inline_kernel(nrt=False)
def _just_below(amount: Any, limit: Any, band: Any) -> Any:
    return limit > 0 and amount < limit and amount >= limit - limit * band // 1000


@kernel(nrt=False)
def mule(g: Any, o: Any, spec: Any, row: Any, w: Any, node: Any) -> None:
    """An account that was still, and now deals with many others."""
    if g.nodes[node, N_WOKE] <= g.head[H_TIME] - row[K_LENGTH]:
        return
    size = g.fans[node, w, IN] + g.fans[node, w, OUT]
    side = 0
    if size < row[K_LEAST] or not due(g, o, spec, side, node, row[K_LENGTH], size):
        return
    begin(g, o, spec, side, node, row[K_LENGTH], row[K_GROWTH], size)
    keep_side(g, o, node, OUT, g.windows[w, 1])
    keep_side(g, o, node, IN, g.windows[w, 1])
    close_report(g, o)
