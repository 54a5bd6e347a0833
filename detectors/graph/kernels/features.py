"""Features of payments, one after the other: each payment is added, then looked at."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.graph.kernels.search import amount_cycles, count_cycles, scatter_gather
from detectors.graph.kernels.storage import (
    add_payment,
    edge_row,
    find_pair,
    forget_until,
    lacking,
    node_for,
    read_sum,
    sum_key,
    whole_log,
)
from detectors.graph.layout import (
    CROSS_INSTITUTION,
    CUT_AMOUNT_CYCLES,
    CUT_CYCLES,
    CUT_SCATTER_GATHER,
    D_COUNT,
    D_CROSS,
    D_CURRENCIES,
    D_FAN,
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
    LOG_UNIT,
    N_SINCE,
    NEED_NOTHING,
    NEVER,
    P_COUNT,
    P_LAST,
)
from regtech.columns.jit import inline_kernel, kernel

_HOUR = 3_600_000_000.0


@inline_kernel(nrt=False)
def _hours(time: Any, before: Any) -> Any:
    return -1.0 if before == NEVER else (time - before) / _HOUR


@inline_kernel(nrt=False)
def _spread(count: Any, logs: Any, squares: Any) -> Any:
    """Standard deviation from exact sums: the difference is formed in whole numbers where it can
    be."""
    if count < 2:
        return 0.0
    mean = logs / count
    variance = squares / count - mean * mean
    return np.sqrt(variance) / LOG_UNIT if variance > 0.0 else 0.0


@inline_kernel(nrt=False)
def _distance(g: Any, node: Any, base: Any, log: Any) -> Any:
    count = g.nodes[node, base + D_COUNT]
    if count < 2:
        return 0.0
    logs = g.nodes[node, base + D_LOGS]
    spread = _spread(count, logs, g.nodes[node, base + D_SQUARES])
    # A floor of a quarter of a power of two: who always pays the same is not infinitely regular.
    return (log - logs / count) / LOG_UNIT / max(spread, 0.25)


@kernel(nrt=False)
def features_of(
    g: Any, start: Any, window: Any, times: Any, payers: Any, payees: Any, amounts: Any,
    values: Any, currencies: Any, payer_institutions: Any, payee_institutions: Any, budgets: Any,
    permille: Any, scratch: Any, numbers: Any, path: Any, out: Any,
) -> Any:  # fmt: skip
    """Add payments from ``start`` on and write their features; returns where it had to stop."""
    head, nodes = g.head, g.nodes
    head[H_NEED] = NEED_NOTHING
    for i in range(start, times.shape[0]):
        time = times[i]
        forget_until(g, time - window)
        need = lacking(g, payers[i], payees[i])
        if need != NEED_NOTHING:
            head[H_NEED] = need
            return i
        u = node_for(g, payers[i], time)
        v = node_for(g, payees[i], time)
        info = currencies[i]
        crossing = payer_institutions[i] != payee_institutions[i]
        if crossing:
            info |= CROSS_INSTITUTION
        f = out[i]
        log = whole_log(amounts[i])
        f[0] = log / LOG_UNIT
        f[37] = _distance(g, u, np.int64(0), log)
        f[38] = _distance(g, v, np.int64(HALF), log)
        last0, last1 = nodes[u, D_LAST], nodes[u, HALF + D_LAST]
        last2, last3 = nodes[v, D_LAST], nodes[v, HALF + D_LAST]
        pair = add_payment(g, u, v, time, amounts[i], values[i], head[H_HEAD], info)
        for side in range(4):
            node = u if side < 2 else v
            direction = side & 1
            base = direction * HALF
            at = 1 + 9 * side
            count = nodes[node, base + D_COUNT]
            f[at] = count
            f[at + 1] = nodes[node, base + D_FAN]
            read_sum(g, sum_key(node, direction, currencies[i]), scratch)
            f[at + 2] = scratch[1]
            f[at + 3] = scratch[1] / scratch[0] if scratch[0] > 0.0 else 0.0
            logs = nodes[node, base + D_LOGS]
            f[at + 4] = logs / count / LOG_UNIT if count > 0 else 0.0
            f[at + 5] = _spread(count, logs, nodes[node, base + D_SQUARES])
            last = last0 if side == 0 else last1 if side == 1 else last2 if side == 2 else last3
            f[at + 6] = _hours(time, last)
            f[at + 7] = nodes[node, base + D_CROSS]
            f[at + 8] = nodes[node, base + D_CURRENCIES]
        f[39] = g.pairs[pair, P_COUNT]
        previous = g.edges[edge_row(g, g.pairs[pair, P_LAST]), E_PREVIOUS]
        f[40] = -1.0 if previous < 0 else (time - g.edges[edge_row(g, previous), E_TIME]) / _HOUR
        f[41] = 1.0 if previous < 0 else 0.0
        cut = False
        for k in range(7):
            numbers[k] = 0
        reverse = -1
        ways = 0
        sources = 0
        amount_found = 0
        amount_longest = 0
        if u != v:
            reverse = find_pair(g, v, u)
            longest = np.int64(5 if budgets[1] > 0 else 4)
            budget = budgets[1] if budgets[1] > 0 else budgets[0]
            while count_cycles(g, u, v, longest, budget, numbers):
                cut = True
                head[H_CUT + CUT_CYCLES] += 1
                if longest == 4:
                    break
                # Those of 5 were too many: what was found of them stays, up to 4 are counted alone.
                longest = np.int64(4)
                budget = budgets[0]
                for k in range(5):
                    numbers[k] = 0
        f[42] = g.pairs[reverse, P_COUNT] if reverse >= 0 else 0.0
        for k in range(4):
            f[43 + k] = numbers[2 + k]
        f[47] = numbers[0]
        f[48] = numbers[1]
        if u != v:
            if budgets[2] > 0:
                if amount_cycles(
                    g, u, v, np.int64(10), permille, np.int64(0), head[H_TAIL], budgets[2],
                    numbers, path,
                ):  # fmt: skip
                    cut = True
                    head[H_CUT + CUT_AMOUNT_CYCLES] += 1
                amount_found = numbers[0]
                amount_longest = numbers[1]
            if scatter_gather(g, u, v, head[H_TAIL], budgets[3], numbers):
                cut = True
                head[H_CUT + CUT_SCATTER_GATHER] += 1
            ways = numbers[0]
            sources = numbers[1]
        f[49] = amount_found
        f[50] = amount_longest
        f[51] = ways
        f[52] = sources
        f[53] = min(nodes[u, D_FAN], nodes[u, HALF + D_FAN])
        f[54] = min(nodes[v, D_FAN], nodes[v, HALF + D_FAN])
        f[55] = f[3] / f[12] if f[12] > 0.0 else 0.0
        f[56] = 1.0 if crossing else 0.0
        f[57] = 1.0 if u == v else 0.0
        f[58] = (time - nodes[u, N_SINCE]) / _HOUR
        f[59] = (time - nodes[v, N_SINCE]) / _HOUR
        f[60] = 1.0 if cut else 0.0
    return times.shape[0]
