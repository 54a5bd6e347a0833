"""What motif searches write: reports, their payments, and the episodes of accounts.

Everything is in one bundle, ``Output``. A report is opened, gets its payments, and is closed, or is
dropped by not closing it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from detectors.graph.kernels.neighbours import end_of, front_of, older, pair_at
from detectors.graph.kernels.storage import edge_row, newest
from detectors.graph.kernels.tables import empty_place, place_of
from detectors.graph.layout import (
    C_CODE,
    CURRENCY_BITS,
    CUT_EVIDENCE,
    E_AMOUNT,
    E_EVENT,
    E_INFO,
    E_PAIR,
    E_PREVIOUS,
    E_TIME,
    H_CUT,
    H_TIME,
    P_KEY,
    P_LAST,
)
from detectors.graph.spec import SPEC_WORDS
from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.words import rows_of

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

(C_REPORTS, C_EVIDENCE, C_EPISODES, C_REPORT_ROWS, C_EVIDENCE_ROWS, C_PLACES, C_SPECS,
 C_LIMITS) = range(8)  # fmt: skip
COUNTS: Final = 8
LIMIT_WORDS: Final = 3
OUTPUT_WIDTHS: Final = {
    "counts": 1, "reports": REPORT_WORDS, "evidence": PAYMENT_WORDS, "episodes": EPISODE_WORDS,
    "specs": SPEC_WORDS, "slots": 1, "limits": LIMIT_WORDS,
}  # fmt: skip


class Output(NamedTuple):
    """What is looked for and where searches write: rows of words."""

    counts: Any
    """How many reports, payments and episodes there are, how many there is room for, and how many
    specs and limits are looked for."""
    reports: Any
    evidence: Any
    episodes: Any
    specs: Any
    slots: Any
    """Which of the graph's shorter windows a spec has."""
    limits: Any
    """Spec, currency and amount."""


_word, _report = rows_of(1), rows_of(REPORT_WORDS)
_payment, _episode = rows_of(PAYMENT_WORDS), rows_of(EPISODE_WORDS)
_spec, _limit = rows_of(SPEC_WORDS), rows_of(LIMIT_WORDS)


@inline_kernel(nrt=False, inner=True)
def output_of(a: Any) -> Any:
    """The output whose arrays lie at these addresses."""
    return Output(
        _word(a[0]), _report(a[1]), _payment(a[2]), _episode(a[3]), _spec(a[4]), _word(a[5]),
        _limit(a[6]),
    )  # fmt: skip


@inline_kernel(nrt=False, inner=True)
def full(o: Any) -> Any:
    """Whether there might be no room for what one payment makes all specs tell."""
    counts = o.counts
    specs = counts[C_SPECS]
    return (
        counts[C_REPORTS] + 2 * specs > counts[C_REPORT_ROWS]
        or counts[C_EVIDENCE] + 2 * specs * EVIDENCE_MAX > counts[C_EVIDENCE_ROWS]
        or 2 * (counts[C_EPISODES] + 2 * specs) > counts[C_PLACES]
    )


@kernel(nrt=False, inner=True)
def due(g: Any, o: Any, spec: Any, side: Any, node: Any, length: Any, size: Any) -> Any:
    """Whether an account that meets a condition now is to be told of at this size; keeps its
    episode open."""
    episodes, time = o.episodes, g.head[H_TIME]
    key = (((spec << 1) | side) << 32) | node
    at = place_of(episodes, o.counts[C_PLACES], key)
    if at < 0:
        return True
    if episodes[at, N_MET] <= time - length:
        return True
    episodes[at, N_MET] = time
    return size >= episodes[at, N_NEXT]


@kernel(nrt=False, inner=True)
def begin(
    g: Any, o: Any, spec: Any, side: Any, node: Any, length: Any, growth: Any, size: Any
) -> None:
    """Open a report of an episode: its first, or that it has grown."""
    episodes, time = o.episodes, g.head[H_TIME]
    key = (((spec << 1) | side) << 32) | node
    at = place_of(episodes, o.counts[C_PLACES], key)
    if at < 0:
        at = empty_place(episodes, o.counts[C_PLACES], key)
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


@kernel(nrt=False, inner=True)
def open_report(g: Any, o: Any, spec: Any, anchor: Any, size: Any) -> None:
    """Open a report; its payments follow."""
    report = o.reports[o.counts[C_REPORTS]]
    report[R_SPEC] = spec
    report[R_EVENT] = g.edges[edge_row(g, newest(g)), E_EVENT]
    report[R_TIME] = g.head[H_TIME]
    report[R_ANCHOR] = g.accounts[anchor, C_CODE]
    report[R_FIRST] = report[R_EVENT]
    report[R_STEP] = 0
    report[R_SIZE] = size
    report[R_FROM] = o.counts[C_EVIDENCE]
    report[R_CUT] = 0


@inline_kernel(nrt=False, inner=True)
def room(o: Any) -> Any:
    """Payments that the open report may still get."""
    return EVIDENCE_MAX - (o.counts[C_EVIDENCE] - o.reports[o.counts[C_REPORTS], R_FROM])


@kernel(nrt=False, inner=True)
def keep(g: Any, o: Any, seq: Any) -> None:
    """A payment of the open report; where there is no room for it, the report is marked cut."""
    if room(o) <= 0:
        o.reports[o.counts[C_REPORTS], R_CUT] = 1
        return
    row = edge_row(g, seq)
    key = g.pairs[g.edges[row, E_PAIR], P_KEY]
    made = o.evidence[o.counts[C_EVIDENCE]]
    made[X_EVENT] = g.edges[row, E_EVENT]
    made[X_PAYER] = g.accounts[key >> 32, C_CODE]
    made[X_PAYEE] = g.accounts[key & 0xFFFFFFFF, C_CODE]
    made[X_TIME] = g.edges[row, E_TIME]
    made[X_AMOUNT] = g.edges[row, E_AMOUNT]
    made[X_CURRENCY] = g.edges[row, E_INFO] & ((1 << CURRENCY_BITS) - 1)
    o.counts[C_EVIDENCE] += 1


@kernel(nrt=False, inner=True)
def keep_pair(g: Any, o: Any, pair: Any, since: Any) -> None:
    """The payments of a pair from a sequence number on, newest first."""
    seq = g.pairs[pair, P_LAST]
    while seq >= since and seq >= 0 and o.reports[o.counts[C_REPORTS], R_CUT] == 0:
        keep(g, o, seq)
        seq = g.edges[edge_row(g, seq), E_PREVIOUS]


@kernel(nrt=False, inner=True)
def keep_side(g: Any, o: Any, node: Any, side: Any, since: Any) -> None:
    """The payments that a node makes (side 0) or receives (side 1) from a number on."""
    at, front = end_of(g, node, side), front_of(g, node, side)
    while True:
        at = older(g, at, front, since)
        if at < 0 or o.reports[o.counts[C_REPORTS], R_CUT] != 0:
            return
        keep_pair(g, o, pair_at(g, at), since)


@kernel(nrt=False, inner=True)
def close_report(g: Any, o: Any) -> None:
    """The open report is whole."""
    report = o.reports[o.counts[C_REPORTS]]
    report[R_TO] = o.counts[C_EVIDENCE]
    if report[R_CUT]:
        g.head[H_CUT + CUT_EVIDENCE] += 1
    o.counts[C_REPORTS] += 1


@kernel(nrt=False)
def fill_episodes(addresses: Any, rows: Any) -> None:
    """Put rows into an empty table."""
    o = output_of(addresses)
    for k in range(rows.shape[0]):
        at = empty_place(o.episodes, o.counts[C_PLACES], rows[k, N_KEY] - 1)
        for word in range(EPISODE_WORDS):
            o.episodes[at, word] = rows[k, word]
