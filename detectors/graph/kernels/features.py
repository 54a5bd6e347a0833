"""Features of payments, one after the other: each payment is added, then looked at."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.graph.kernels.alike import amount_cycles
from detectors.graph.kernels.gather import scatter_gather
from detectors.graph.kernels.neighbours import fan_of
from detectors.graph.kernels.search import count_cycles
from detectors.graph.kernels.storage import (
    add_payment,
    edge_row,
    forget_until,
    graph_of,
    lacking,
    look_ahead,
    node_for,
    read_sum,
    whole_log,
)
from detectors.graph.kernels.tables import find_pair
from detectors.graph.layout import (
    CROSS_INSTITUTION,
    CUT_AMOUNT_CYCLES,
    CUT_CYCLES,
    CUT_SCATTER_GATHER,
    D_COUNT,
    D_CROSS,
    D_CURRENCIES,
    D_LAST,
    D_LOGS,
    D_SQUARES,
    E_PREVIOUS,
    E_TIME,
    H_CUT,
    H_HEAD,
    H_NEED,
    H_TAIL,
    HALF,
    IN,
    LOG_UNIT,
    N_SINCE,
    NEED_NOTHING,
    NEVER,
    OUT,
    P_COUNT,
    P_LAST,
)
from regtech.columns.jit import inline_kernel, kernel

_HOUR = 3_600_000_000.0


@inline_kernel(nrt=False, inner=True)
def _hours(time: Any, before: Any) -> Any:
    return -1.0 if before == NEVER else (time - before) / _HOUR


@inline_kernel(nrt=False, inner=True)
def _spread(count: Any, logs: Any, squares: Any) -> Any:
    """Standard deviation from exact sums: the difference is formed in whole numbers where it can
    be."""
    if count < 2:
        return 0.0
    mean = logs / count
    variance = squares / count - mean * mean
    return np.sqrt(variance) / LOG_UNIT if variance > 0.0 else 0.0


@inline_kernel(nrt=False, inner=True)
def _distance(g: Any, node: Any, base: Any, log: Any) -> Any:
    count = g.nodes[node, base + D_COUNT]
    if count < 2:
        return 0.0
    logs = g.nodes[node, base + D_LOGS]
    spread = _spread(count, logs, g.nodes[node, base + D_SQUARES])
    # A floor of a quarter of a power of two: who always pays the same is not infinitely regular.
    return (log - logs / count) / LOG_UNIT / max(spread, 0.25)


@kernel(nrt=False, inner=True)
def _about_sides(
    g: Any, u: Any, v: Any, time: Any, log: Any, currency: Any, before: Any, f: Any
) -> None:
    """What both parties make and receive, with the payment itself."""
    nodes = g.nodes
    for side in range(4):
        node = u if side < 2 else v
        direction = side & 1
        base = direction * HALF
        at = 1 + 9 * side
        count = nodes[node, base + D_COUNT]
        f[at] = count
        f[at + 1] = fan_of(g, node, direction)
        number, total = read_sum(g, node, direction, currency)
        f[at + 2] = total
        f[at + 3] = total / number if number > 0.0 else 0.0
        logs = nodes[node, base + D_LOGS]
        f[at + 4] = logs / count / LOG_UNIT if count > 0 else 0.0
        f[at + 5] = _spread(count, logs, nodes[node, base + D_SQUARES])
        f[at + 6] = _hours(time, before[side])
        f[at + 7] = nodes[node, base + D_CROSS]
        f[at + 8] = nodes[node, base + D_CURRENCIES]


@kernel(nrt=False, inner=True)
def _about_shapes(g: Any, u: Any, v: Any, budgets: Any, permille: Any, f: Any) -> Any:
    """Cycles and scatter-gather that the payment makes; whether a search was cut."""
    head, found = g.head, g.found
    cut = False
    longest = np.int64(5 if budgets[1] > 0 else 4)
    budget = budgets[1] if budgets[1] > 0 else budgets[0]
    while count_cycles(g, u, v, longest, budget):
        cut = True
        head[H_CUT + CUT_CYCLES] += 1
        if longest == 4:
            break
        # Those of 5 were too many: what was found of them stays, up to 4 are counted alone.
        f[46] = found[5]
        longest = np.int64(4)
        budget = budgets[0]
    for k in range(longest - 1):
        f[43 + k] = found[2 + k]
    f[47] = found[0]
    f[48] = found[1]
    if budgets[2] > 0:
        if amount_cycles(
            g, u, v, np.int64(10), permille, np.int64(0), head[H_TAIL], budgets[2]
        ):  # fmt: skip
            cut = True
            head[H_CUT + CUT_AMOUNT_CYCLES] += 1
        f[49] = found[0]
        f[50] = found[1]
    if scatter_gather(g, u, v, head[H_TAIL], np.int64(2), budgets[3]):
        cut = True
        head[H_CUT + CUT_SCATTER_GATHER] += 1
    f[51] = found[0]
    f[52] = found[1]
    return cut


@kernel(nrt=False)
def features_of(
    addresses: Any, start: Any, window: Any, memory: Any, times: Any, payers: Any, payees: Any,
    amounts: Any, values: Any, currencies: Any, payer_institutions: Any, payee_institutions: Any,
    budgets: Any, permille: Any, out: Any,
) -> Any:  # fmt: skip
    """Add payments from ``start`` on and write their features; returns where it had to stop."""
    g = graph_of(addresses)
    head, nodes = g.head, g.nodes
    head[H_NEED] = NEED_NOTHING
    for i in range(start, times.shape[0]):
        time = times[i]
        look_ahead(g, payers, payees, i)
        forget_until(g, time - window)
        need = lacking(g, payers[i], payees[i])
        if need != NEED_NOTHING:
            head[H_NEED] = need
            return i
        u = node_for(g, payers[i], time, memory)
        v = node_for(g, payees[i], time, memory)
        info = currencies[i]
        crossing = payer_institutions[i] != payee_institutions[i]
        if crossing:
            info |= CROSS_INSTITUTION
        f = out[i]
        for k in range(42, 55):
            f[k] = 0.0
        log = whole_log(amounts[i])
        f[0] = log / LOG_UNIT
        f[37] = _distance(g, u, np.int64(0), log)
        f[38] = _distance(g, v, np.int64(HALF), log)
        before = (
            nodes[u, D_LAST], nodes[u, HALF + D_LAST], nodes[v, D_LAST], nodes[v, HALF + D_LAST],
        )  # fmt: skip
        pair = add_payment(g, u, v, time, amounts[i], values[i], head[H_HEAD], info)
        _about_sides(g, u, v, time, log, currencies[i], before, f)
        f[39] = g.pairs[pair, P_COUNT]
        previous = g.edges[edge_row(g, g.pairs[pair, P_LAST]), E_PREVIOUS]
        f[40] = -1.0 if previous < 0 else (time - g.edges[edge_row(g, previous), E_TIME]) / _HOUR
        f[41] = 1.0 if previous < 0 else 0.0
        cut = False
        if u != v:
            reverse = find_pair(g, v, u)
            f[42] = g.pairs[reverse, P_COUNT] if reverse >= 0 else 0.0
            cut = _about_shapes(g, u, v, budgets, permille, f)
        f[53] = min(fan_of(g, u, OUT), fan_of(g, u, IN))
        f[54] = min(fan_of(g, v, OUT), fan_of(g, v, IN))
        f[55] = f[3] / f[12] if f[12] > 0.0 else 0.0
        f[56] = 1.0 if crossing else 0.0
        f[57] = 1.0 if u == v else 0.0
        f[58] = (time - nodes[u, N_SINCE]) / _HOUR
        f[59] = (time - nodes[v, N_SINCE]) / _HOUR
        f[60] = 1.0 if cut else 0.0
    return times.shape[0]
