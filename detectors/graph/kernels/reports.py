"""What motif searches write: reports, their payments, and the episodes of accounts.

Everything is in one bundle, ``Output``. A report is opened, gets its payments, and is closed, or is
dropped by not closing it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from detectors.graph.kernels.storage import edge_row, empty_place, place_of
from detectors.graph.layout import (
    CURRENCY_BITS,
    CUT_EVIDENCE,
    D_END,
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
    H_TIME,
    HALF,
    N_CODE,
    P_KEY,
    P_LAST,
    Int64,
)
from regtech.columns.jit import inline_kernel, kernel

EVIDENCE_MAX: Final = 512
"""Payments of one report; the newest are kept, and what was cut is counted."""

(R_SPEC, R_EVENT, R_TIME, R_ANCHOR, R_FIRST, R_STEP, R_SIZE, R_FROM, R_TO, R_CUT) = range(10)
REPORT_WORDS: Final = 10
(X_EVENT, X_PAYER, X_PAYEE, X_TIME, X_AMOUNT, X_CURRENCY) = range(6)
PAYMENT_WORDS: Final = 6

# Episodes: (spec, side and node) + 1, time last met, size of the next report, event of the first
# report, step.
(N_KEY, N_MET, N_NEXT, N_FIRST, N_STEP) = range(5)
EPISODE_WORDS: Final = 5

(C_REPORTS, C_EVIDENCE, C_EPISODES) = range(3)


class Output(NamedTuple):
    """Where searches write."""

    counts: Int64
    """How many reports, payments and episodes there are."""
    reports: Int64
    evidence: Int64
    episodes: Int64
    numbers: Int64
    """Scratch: results of searches."""
    path: Int64
    """Scratch: the accounts on the way."""


@inline_kernel(nrt=False)
def newest(g: Any) -> Any:
    """Sequence number of the newest payment."""
    return g.head[H_HEAD] - 1


@kernel(nrt=False)
def due(g: Any, o: Any, spec: Any, side: Any, node: Any, length: Any, size: Any) -> Any:
    """Whether an account that meets a condition now is to be told of at this size; keeps its
    episode open."""
    episodes, time = o.episodes, g.head[H_TIME]
    key = (((spec << 1) | side) << 32) | node
    at = place_of(episodes, key)
    if at < 0:
        return True
    if episodes[at, N_MET] <= time - length:
        return True
    episodes[at, N_MET] = time
    return size >= episodes[at, N_NEXT]


@kernel(nrt=False)
def begin(
    g: Any, o: Any, spec: Any, side: Any, node: Any, length: Any, growth: Any, size: Any
) -> None:
    """Open a report of an episode: its first, or that it has grown."""
    episodes, time = o.episodes, g.head[H_TIME]
    key = (((spec << 1) | side) << 32) | node
    at = place_of(episodes, key)
    if at < 0:
        at = empty_place(episodes, key)
        episodes[at, N_KEY] = key + 1
        episodes[at, N_NEXT] = 0
        o.counts[C_EPISODES] += 1
    elif episodes[at, N_MET] <= time - length:
        episodes[at, N_NEXT] = 0
    if episodes[at, N_NEXT] == 0:
        episodes[at, N_FIRST] = g.edges[edge_row(g, newest(g)), E_EVENT]
        episodes[at, N_STEP] = 0
    else:
        episodes[at, N_STEP] += 1
    episodes[at, N_MET] = time
    episodes[at, N_NEXT] = max(size + 1, size * growth // 1000)
    open_report(g, o, spec, node, size)
    report = o.reports[o.counts[C_REPORTS]]
    report[R_FIRST] = episodes[at, N_FIRST]
    report[R_STEP] = episodes[at, N_STEP]


@kernel(nrt=False)
def open_report(g: Any, o: Any, spec: Any, anchor: Any, size: Any) -> None:
    """Open a report; its payments follow."""
    report = o.reports[o.counts[C_REPORTS]]
    report[R_SPEC] = spec
    report[R_EVENT] = g.edges[edge_row(g, newest(g)), E_EVENT]
    report[R_TIME] = g.head[H_TIME]
    report[R_ANCHOR] = g.nodes[anchor, N_CODE]
    report[R_FIRST] = report[R_EVENT]
    report[R_STEP] = 0
    report[R_SIZE] = size
    report[R_FROM] = o.counts[C_EVIDENCE]
    report[R_CUT] = 0


@inline_kernel(nrt=False)
def room(o: Any) -> Any:
    """Payments that the open report may still get."""
    return EVIDENCE_MAX - (o.counts[C_EVIDENCE] - o.reports[o.counts[C_REPORTS], R_FROM])


@kernel(nrt=False)
def keep(g: Any, o: Any, seq: Any) -> None:
    """A payment of the open report; where there is no room for it, the report is marked cut."""
    if room(o) <= 0:
        o.reports[o.counts[C_REPORTS], R_CUT] = 1
        return
    row = edge_row(g, seq)
    key = g.pairs[g.edges[row, E_PAIR], P_KEY]
    made = o.evidence[o.counts[C_EVIDENCE]]
    made[X_EVENT] = g.edges[row, E_EVENT]
    made[X_PAYER] = g.nodes[key >> 32, N_CODE]
    made[X_PAYEE] = g.nodes[key & 0xFFFFFFFF, N_CODE]
    made[X_TIME] = g.edges[row, E_TIME]
    made[X_AMOUNT] = g.edges[row, E_AMOUNT]
    made[X_CURRENCY] = g.edges[row, E_INFO] & ((1 << CURRENCY_BITS) - 1)
    o.counts[C_EVIDENCE] += 1


@kernel(nrt=False)
def keep_pair(g: Any, o: Any, pair: Any, since: Any) -> None:
    """The payments of a pair from a sequence number on, newest first."""
    seq = g.pairs[pair, P_LAST]
    while seq >= since and seq >= 0 and o.reports[o.counts[C_REPORTS], R_CUT] == 0:
        keep(g, o, seq)
        seq = g.edges[edge_row(g, seq), E_PREVIOUS]


@kernel(nrt=False)
def keep_side(g: Any, o: Any, node: Any, side: Any, since: Any) -> None:
    """The payments that a node makes (side 0) or receives (side 1) from a number on."""
    base = side * HALF
    offset = g.nodes[node, base + D_OFFSET]
    for k in range(g.nodes[node, base + D_END] - 1, g.nodes[node, base + D_FRONT] - 1, -1):
        entry = g.arena[offset + k, 0]
        if entry < 0:
            continue
        if g.arena[offset + k, 1] < since or o.reports[o.counts[C_REPORTS], R_CUT] != 0:
            return
        keep_pair(g, o, entry & 0xFFFFFFFF, since)


@kernel(nrt=False)
def close_report(g: Any, o: Any) -> None:
    """The open report is whole."""
    report = o.reports[o.counts[C_REPORTS]]
    report[R_TO] = o.counts[C_EVIDENCE]
    if report[R_CUT]:
        g.head[H_CUT + CUT_EVIDENCE] += 1
    o.counts[C_REPORTS] += 1


@kernel(nrt=False)
def fill_episodes(episodes: Any, rows: Any) -> None:
    """Put rows into an empty table."""
    for k in range(rows.shape[0]):
        at = empty_place(episodes, rows[k, N_KEY] - 1)
        for word in range(EPISODE_WORDS):
            episodes[at, word] = rows[k, word]
