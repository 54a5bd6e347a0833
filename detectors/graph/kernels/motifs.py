"""Motifs, payment after payment: each is added, then every spec is asked whether it completes one.

What is found goes into ``reports`` (a row each, columns ``R_``) and its payments into ``evidence``
(rows ``X_``, newest first). A motif with one account in the middle is an *episode* of that account:
it is reported when first complete and at each doubling of its size, and ends when for one window
the condition was not met. Other motifs are reported each time; who shares payments is put together
by the caller.
"""

from __future__ import annotations

from typing import Any

from detectors.graph.kernels.search import amount_cycles
from detectors.graph.kernels.storage import (
    add_payment,
    edge_row,
    empty_place,
    forget_until,
    lacking,
    move_windows,
    node_for,
    place_of,
)
from detectors.graph.layout import (
    CURRENCY_BITS,
    CUT_AMOUNT_CYCLES,
    CUT_EVIDENCE,
    D_END,
    D_FAN,
    D_FRONT,
    D_OFFSET,
    E_AMOUNT,
    E_EVENT,
    E_INFO,
    E_PAIR,
    E_PREVIOUS,
    E_TIME,
    H_CUT,
    H_HEAD,
    H_NEED,
    H_TIME,
    HALF,
    IN,
    N_CODE,
    NEED_NOTHING,
    NEED_OUTPUT,
    OUT,
    P_KEY,
    P_LAST,
)
from detectors.graph.spec import (
    CYCLE,
    FAN_IN,
    FAN_OUT,
    K_BUDGET,
    K_CONCENTRATION,
    K_LENGTH,
    K_MAX,
    K_MIN,
    K_PERMILLE,
    K_TYPE,
)
from regtech.columns.jit import inline_kernel, kernel

EVIDENCE_MAX = 512
"""Payments of one report; the newest are kept, and what was cut is counted."""

(R_SPEC, R_EVENT, R_TIME, R_ANCHOR, R_FIRST, R_STEP, R_SIZE, R_FROM, R_TO, R_CUT) = range(10)
REPORT_WORDS = 10
(X_EVENT, X_PAYER, X_PAYEE, X_TIME, X_AMOUNT, X_CURRENCY) = range(6)
PAYMENT_WORDS = 6

# Episodes: rows of (spec and node + 1, time last met, size of the next report, event of the first
# report, step).
(N_KEY, N_MET, N_NEXT, N_FIRST, N_STEP) = range(5)
EPISODE_WORDS = 5

# Counters of the output: reports, evidence, episodes.
(C_REPORTS, C_EVIDENCE, C_EPISODES) = range(3)


@kernel(nrt=False)
def _new_size(
    g: Any, episodes: Any, counts: Any, spec: Any, node: Any, length: Any, size: Any
) -> Any:
    """Row of the episode where this size is to be reported, else -1."""
    time = g.head[H_TIME]
    key = (spec << 32) | node
    at = place_of(episodes, key)
    if at < 0:
        at = empty_place(episodes, key)
        episodes[at, N_KEY] = key + 1
        episodes[at, N_NEXT] = 0
        counts[C_EPISODES] += 1
    elif episodes[at, N_MET] <= time - length:
        episodes[at, N_NEXT] = 0
    episodes[at, N_MET] = time
    if size < episodes[at, N_NEXT]:
        return -1
    if episodes[at, N_NEXT] == 0:
        episodes[at, N_FIRST] = _newest_event(g)
        episodes[at, N_STEP] = 0
    else:
        episodes[at, N_STEP] += 1
    episodes[at, N_NEXT] = 2 * size
    return at


@inline_kernel(nrt=False)
def _newest_event(g: Any) -> Any:
    return g.edges[edge_row(g, g.head[H_HEAD] - 1), E_EVENT]


@inline_kernel(nrt=False)
def _open(g: Any, reports: Any, counts: Any, spec: Any, anchor: Any, size: Any) -> Any:
    report = reports[counts[C_REPORTS]]
    report[R_SPEC] = spec
    report[R_EVENT] = _newest_event(g)
    report[R_TIME] = g.head[H_TIME]
    report[R_ANCHOR] = g.nodes[anchor, N_CODE]
    report[R_FIRST] = report[R_EVENT]
    report[R_STEP] = 0
    report[R_SIZE] = size
    report[R_FROM] = counts[C_EVIDENCE]
    report[R_CUT] = 0
    return counts[C_REPORTS]


@inline_kernel(nrt=False)
def _close(g: Any, reports: Any, counts: Any, cut: Any) -> None:
    report = reports[counts[C_REPORTS]]
    report[R_TO] = counts[C_EVIDENCE]
    if cut:
        report[R_CUT] = 1
        g.head[H_CUT + CUT_EVIDENCE] += 1
    counts[C_REPORTS] += 1


@inline_kernel(nrt=False)
def _keep(g: Any, seq: Any, evidence: Any, counts: Any) -> None:
    """Write a payment as evidence."""
    row = edge_row(g, seq)
    key = g.pairs[g.edges[row, E_PAIR], P_KEY]
    made = evidence[counts[C_EVIDENCE]]
    made[X_EVENT] = g.edges[row, E_EVENT]
    made[X_PAYER] = g.nodes[key >> 32, N_CODE]
    made[X_PAYEE] = g.nodes[key & 0xFFFFFFFF, N_CODE]
    made[X_TIME] = g.edges[row, E_TIME]
    made[X_AMOUNT] = g.edges[row, E_AMOUNT]
    made[X_CURRENCY] = g.edges[row, E_INFO] & ((1 << CURRENCY_BITS) - 1)
    counts[C_EVIDENCE] += 1


@kernel(nrt=False)
def _gather(
    g: Any, node: Any, direction: Any, since: Any, room: Any, evidence: Any, counts: Any
) -> Any:
    """Write the payments of a node in a direction since a sequence number; returns the room that
    is left, below 0 where there was too little."""
    base = direction * HALF
    offset = g.nodes[node, base + D_OFFSET]
    front = g.nodes[node, base + D_FRONT]
    k = g.nodes[node, base + D_END] - 1
    while k >= front:
        entry = g.arena[offset + k, 0]
        if entry >= 0:
            seq = g.pairs[entry & 0xFFFFFFFF, P_LAST]
            if seq < since:
                break
            while seq >= since and seq >= 0:
                if room <= 0:
                    return -1
                _keep(g, seq, evidence, counts)
                room -= 1
                seq = g.edges[edge_row(g, seq), E_PREVIOUS]
        k -= 1
    return room


@kernel(nrt=False)
def _fan(
    g: Any, spec: Any, row: Any, w: Any, node: Any, direction: Any, episodes: Any,
    reports: Any, evidence: Any, counts: Any,
) -> None:  # fmt: skip
    size = g.fans[node, w, direction]
    if size < row[K_MIN]:
        return
    if size * 1000 < row[K_CONCENTRATION] * g.nodes[node, direction * HALF + D_FAN]:
        return
    at = _new_size(g, episodes, counts, spec, node, row[K_LENGTH], size)
    if at < 0:
        return
    made = _open(g, reports, counts, spec, node, size)
    reports[made, R_FIRST] = episodes[at, N_FIRST]
    reports[made, R_STEP] = episodes[at, N_STEP]
    left = _gather(g, node, direction, g.windows[w, 1], EVIDENCE_MAX, evidence, counts)
    _close(g, reports, counts, left < 0)


@kernel(nrt=False)
def _cycle(
    g: Any, spec: Any, row: Any, w: Any, u: Any, v: Any, reports: Any, evidence: Any, counts: Any,
    numbers: Any, path: Any,
) -> None:  # fmt: skip
    if amount_cycles(
        g, u, v, row[K_MAX], row[K_PERMILLE], g.windows[w, 1], row[K_BUDGET], numbers, path
    ):
        g.head[H_CUT + CUT_AMOUNT_CYCLES] += 1
    size = numbers[1]
    if size < row[K_MIN]:
        return
    _open(g, reports, counts, spec, v, size)
    _keep(g, g.head[H_HEAD] - 1, evidence, counts)
    for k in range(size - 1):
        _keep(g, path[k, 3], evidence, counts)
    _close(g, reports, counts, False)


@kernel(nrt=False)
def fill_episodes(episodes: Any, rows: Any) -> None:
    """Put rows into an empty table."""
    for k in range(rows.shape[0]):
        at = empty_place(episodes, rows[k, N_KEY] - 1)
        for word in range(EPISODE_WORDS):
            episodes[at, word] = rows[k, word]


@kernel(nrt=False)
def motifs_of(
    g: Any, start: Any, window: Any, specs: Any, slots: Any, times: Any, payers: Any, payees: Any,
    amounts: Any, values: Any, events: Any, infos: Any, episodes: Any, reports: Any, evidence: Any,
    counts: Any, numbers: Any, path: Any,
) -> Any:  # fmt: skip
    """Add payments from ``start`` on and look for motifs; returns where it had to stop."""
    head = g.head
    head[H_NEED] = NEED_NOTHING
    n_specs = specs.shape[0]
    for i in range(start, times.shape[0]):
        time = times[i]
        move_windows(g, time)
        forget_until(g, time - window)
        need = lacking(g, payers[i], payees[i])
        if need == NEED_NOTHING and (
            counts[C_REPORTS] + n_specs > reports.shape[0]
            or counts[C_EVIDENCE] + n_specs * EVIDENCE_MAX > evidence.shape[0]
            or 2 * (counts[C_EPISODES] + n_specs) > episodes.shape[0]
        ):
            need = NEED_OUTPUT
        if need != NEED_NOTHING:
            head[H_NEED] = need
            return i
        u = node_for(g, payers[i], time)
        v = node_for(g, payees[i], time)
        add_payment(g, u, v, time, amounts[i], values[i], events[i], infos[i])
        if u == v:
            continue
        for s in range(n_specs):
            row = specs[s]
            kind = row[K_TYPE]
            w = slots[s]
            if kind == FAN_IN or kind == FAN_OUT:
                direction = IN if kind == FAN_IN else OUT
                node = v if kind == FAN_IN else u
                _fan(g, s, row, w, node, direction, episodes, reports, evidence, counts)
            elif kind == CYCLE:
                _cycle(g, s, row, w, u, v, reports, evidence, counts, numbers, path)
    return times.shape[0]
