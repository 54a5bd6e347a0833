"""Motifs along several accounts: cycles, walks, layers, and bursts of one pair."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.graph.kernels.alike import alike, amount_cycles, newest_alike
from detectors.graph.kernels.neighbours import (
    end_of,
    fan_of,
    front_of,
    neighbour_at,
    older,
    pair_at,
)
from detectors.graph.kernels.reports import close_report, keep, keep_pair, open_report
from detectors.graph.kernels.search import first_since, mark, marked, new_stamp
from detectors.graph.kernels.storage import edge_row, fan_in_window, newest
from detectors.graph.layout import (
    BACK_SHIFT,
    CUT_AMOUNT_CYCLES,
    CUT_LAYERS,
    CUT_WALKS,
    DEPTH_MAX,
    DEPTH_SHIFT,
    E_INFO,
    E_PAIR,
    E_PREVIOUS,
    H_CUT,
    H_TAIL,
    IN,
    MULTI,
    NO,
    OUT,
    P_COUNT,
    P_KEY,
    YES,
)
from detectors.graph.spec import (
    K_BORDERS,
    K_BUDGET,
    K_CONCENTRATION,
    K_HUB,
    K_LEAST,
    K_MOST,
    K_PERMILLE,
    K_SECOND,
)
from regtech.columns.jit import inline_kernel, kernel


@inline_kernel(nrt=False, inner=True)
def cycle(g: Any, o: Any, spec: Any, row: Any, w: Any, u: Any, v: Any) -> None:
    """A cycle in time order with alike amounts, closed by the newest payment; the longest."""
    if fan_of(g, v, OUT) > 0 and fan_of(g, u, IN) > 0:  # else there is no way back
        _cycle_found(g, o, spec, row, w, u, v)


@kernel(nrt=False, inner=True)
def _cycle_found(g: Any, o: Any, spec: Any, row: Any, w: Any, u: Any, v: Any) -> None:
    if amount_cycles(
        g, u, v, row[K_MOST], row[K_PERMILLE], row[K_BORDERS], g.windows[w, 1], row[K_BUDGET]
    ):
        g.head[H_CUT + CUT_AMOUNT_CYCLES] += 1
    size = g.found[1]
    if size >= row[K_LEAST]:
        open_report(g, o, spec, v, size)
        keep(g, o, newest(g))
        for k in range(size - 1):
            keep(g, o, g.path[k, 3])
        close_report(g, o)


@kernel(nrt=False, inner=True)
def _alike_of_pair(
    g: Any, o: Any, since: Any, permille: Any, budget: Any, write: Any
) -> Any:  # fmt: skip
    """How many payments of the newest payment's pair are like it; ``write`` puts them into the open
    report."""
    like = edge_row(g, newest(g))
    size = 0
    seq = newest(g)
    while seq >= since and seq >= 0:
        budget -= 1
        if budget < 0:
            if not write:
                g.head[H_CUT + CUT_WALKS] += 1
            return size
        at = edge_row(g, seq)
        if alike(g, at, like, permille):
            size += 1
            if write:
                keep(g, o, seq)
        seq = g.edges[at, E_PREVIOUS]
    return size


@kernel(nrt=False, inner=True)
def splitting(g: Any, o: Any, spec: Any, row: Any, w: Any, pair: Any, anchor: Any) -> None:
    """Several alike payments of one pair within the window, of which most of its payments are."""
    count = g.pairs[pair, P_COUNT]
    if count < row[K_LEAST]:
        return
    since, permille, budget = g.windows[w, 1], row[K_PERMILLE], row[K_BUDGET]
    size = _alike_of_pair(g, o, since, permille, budget, NO)
    if size >= row[K_LEAST] and size * 1000 >= row[K_CONCENTRATION] * count:
        open_report(g, o, spec, anchor, size)
        _alike_of_pair(g, o, since, permille, budget, YES)
        close_report(g, o)


@kernel(nrt=False, inner=True)
def walk(g: Any, o: Any, spec: Any, row: Any, w: Any, u: Any, v: Any) -> None:
    """Payments one after the other, each alike to the next, each from the account the one before
    went to; the longest that ends with the newest. Every payment keeps the length of its longest
    walk and how far back the one before it is, so that a payment looks one step back only;
    what the graph has forgotten is left out."""
    line = edge_row(g, newest(g))
    g.edges[line, E_INFO] |= 1 << DEPTH_SHIFT
    if row[K_HUB] and max(fan_of(g, u, IN), fan_of(g, u, OUT)) > row[K_HUB]:
        return
    best = _walk_before(g, row, u, v, g.windows[w, 1], line)
    if best < 0 or newest(g) - best >= 1 << 34:
        return
    longest = _depth(g, best)
    depth = min(longest + 1, row[K_MOST])
    info = g.edges[line, E_INFO] & ((1 << DEPTH_SHIFT) - 1)
    g.edges[line, E_INFO] = info | (depth << DEPTH_SHIFT) | ((newest(g) - best) << BACK_SHIFT)
    if depth < row[K_LEAST] or longest >= row[K_MOST]:
        return
    size = _walked(g, v, depth)
    if size >= row[K_LEAST]:
        open_report(g, o, spec, v, size)
        for k in range(size):
            keep(g, o, g.path[k, 3])
        close_report(g, o)


@inline_kernel(nrt=False, inner=True)
def _depth(g: Any, seq: Any) -> Any:
    return (g.edges[edge_row(g, seq), E_INFO] >> DEPTH_SHIFT) & DEPTH_MAX


@kernel(nrt=False, inner=True)
def _walk_before(g: Any, row: Any, u: Any, v: Any, since: Any, like: Any) -> Any:
    """The payment to u, alike to the newest, with the longest walk (of equals the newest), or
    -1."""
    longest = 0
    best = np.int64(-1)
    steps = row[K_BUDGET]
    permille = row[K_PERMILLE]
    at, front = end_of(g, u, IN), front_of(g, u, IN)
    while True:
        at = older(g, at, front, since)
        if at < 0:
            return best
        if neighbour_at(g, at) == v:
            continue
        several = g.arena[at, 0] & MULTI != 0
        seq = g.arena[at, 1]
        if not several and not newest_alike(g, at, like, permille):
            steps -= 1
        else:
            while seq >= since and seq >= 0 and steps > 0:
                steps -= 1
                depth = _depth(g, seq)
                if (depth > longest or (depth == longest and seq > best)) and alike(
                    g, edge_row(g, seq), like, permille
                ):
                    longest = depth
                    best = seq
                seq = g.edges[edge_row(g, seq), E_PREVIOUS] if several else np.int64(-1)
        if steps <= 0:
            g.head[H_CUT + CUT_WALKS] += 1
            return best


@kernel(nrt=False, inner=True)
def _walked(g: Any, v: Any, depth: Any) -> Any:
    """Put the payments of the newest payment's walk into ``path``; how many, or 0 where it comes
    back to an account: that is a cycle or a to and fro, and is told as such."""
    stamp = new_stamp(g)
    mark(g, v, 1, stamp, 0)
    seq = newest(g)
    for k in range(depth):
        at = edge_row(g, seq)
        payer = g.pairs[g.edges[at, E_PAIR], P_KEY] >> 32
        if marked(g, payer, 1, stamp) >= 0:
            return 0
        mark(g, payer, 1, stamp, 0)
        g.path[k, 3] = seq
        back = g.edges[at, E_INFO] >> BACK_SHIFT
        if back == 0 or seq - back < g.head[H_TAIL]:
            return k + 1
        seq -= back
    return depth


# --- layers


@inline_kernel(nrt=False, inner=True)
def _wide(g: Any, node: Any, side: Any, hub: Any) -> Any:
    return hub > 0 and fan_of(g, node, side) > hub


@kernel(nrt=False, inner=True)
def _mark(g: Any, node: Any, side: Any, stamp: Any, since: Any, hub: Any) -> Any:
    """Mark (in the column of the side) the neighbours of a node within the window, hubs in the
    other direction apart; how many, or -1 where the node itself has too many."""
    if _wide(g, node, side, hub):
        return -1
    count = 0
    at, front = end_of(g, node, side), front_of(g, node, side)
    while True:
        at = older(g, at, front, since)
        if at < 0:
            return count
        if not _wide(g, neighbour_at(g, at), 1 - side, hub):
            mark(g, neighbour_at(g, at), side, stamp, 0)
            count += 1


@kernel(nrt=False, inner=True)
def _shared(
    g: Any, o: Any, node: Any, side: Any, stamp: Any, since: Any, write: Any
) -> Any:  # fmt: skip
    """How many neighbours of a node are marked, and the sequence numbers of the earliest and of the
    latest payment with one of them. ``write`` puts these payments into the open report."""
    count = 0
    earliest, latest = np.int64(1 << 62), np.int64(-1)
    at, front = end_of(g, node, side), front_of(g, node, side)
    while True:
        at = older(g, at, front, since)
        if at < 0:
            return count, earliest, latest
        if marked(g, neighbour_at(g, at), side, stamp) >= 0:
            count += 1
            earliest = min(earliest, first_since(g, at, since))
            latest = max(latest, g.arena[at, 1])
            if write:
                keep_pair(g, o, pair_at(g, at), since)


@kernel(nrt=False, inner=True)
def _layer(
    g: Any, o: Any, row: Any, target: Any, since: Any, stamp: Any, both: Any, write: Any
) -> Any:  # fmt: skip
    """How many of a target's payers share marked payees and, where ``both`` are asked
    for, marked payers whom the payments to the payees follow; ``write`` puts their
    payments into the open report."""
    hub, common = row[K_HUB], row[K_SECOND]
    steps = row[K_BUDGET]
    layer = 0
    at, front = end_of(g, target, IN), front_of(g, target, IN)
    while True:
        at = older(g, at, front, since)
        if at < 0:
            return layer
        middle = neighbour_at(g, at)
        if _wide(g, middle, OUT, hub) or (both and _wide(g, middle, IN, hub)):
            continue
        steps -= fan_of(g, middle, OUT) + (fan_of(g, middle, IN) if both else 0)
        if steps < 0:
            if not write:
                g.head[H_CUT + CUT_LAYERS] += 1
            return layer
        if fan_of(g, middle, OUT) < common:
            continue
        count, _, latest = _shared(g, o, middle, OUT, stamp, since, NO)
        if count < common:
            continue
        if both:
            count, earliest, _ = _shared(g, o, middle, IN, stamp, since, NO)
            if count < common or latest <= earliest:
                continue
        layer += 1
        if write:
            if both:
                _shared(g, o, middle, IN, stamp, since, YES)
            _shared(g, o, middle, OUT, stamp, since, YES)


@kernel(nrt=False, inner=True)
def layers(
    g: Any, o: Any, spec: Any, row: Any, w: Any, middle: Any, target: Any, both: Any
) -> None:
    """Bipartite: several payers of the target that each pay several of the payees that the newest
    payment's payer pays. Stack (``both``): several accounts in a middle layer that, too, receive
    from the same sources before."""
    since, hub, common = g.windows[w, 1], row[K_HUB], row[K_SECOND]
    if fan_in_window(g, target, w, IN) < row[K_LEAST] or _wide(g, target, IN, hub):
        return
    if fan_in_window(g, middle, w, OUT) < common:
        return
    if both and fan_in_window(g, middle, w, IN) < common:
        return
    stamp = new_stamp(g)
    if _mark(g, middle, OUT, stamp, since, hub) < common:
        return
    if both and _mark(g, middle, IN, stamp, since, hub) < common:
        return
    layer = _layer(g, o, row, target, since, stamp, both, NO)
    if layer >= row[K_LEAST]:
        open_report(g, o, spec, target, layer)
        _layer(g, o, row, target, since, stamp, both, YES)
        close_report(g, o)
