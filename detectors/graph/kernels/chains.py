"""Motifs along several accounts: cycles, walks, layers, and bursts of one pair."""

from __future__ import annotations

from typing import Any

from detectors.graph.kernels.reports import (
    close_report,
    keep,
    keep_pair,
    newest,
    open_report,
)
from detectors.graph.kernels.search import alike, amount_cycles, first_since
from detectors.graph.kernels.storage import edge_row
from detectors.graph.layout import (
    BACK_SHIFT,
    CURRENCY_BITS,
    CUT_AMOUNT_CYCLES,
    CUT_LAYERS,
    CUT_WALKS,
    D_END,
    D_FAN,
    D_FRONT,
    D_OFFSET,
    DEPTH_MAX,
    DEPTH_SHIFT,
    E_AMOUNT,
    E_INFO,
    E_PAIR,
    E_PREVIOUS,
    E_VALUE,
    H_CUT,
    H_STAMP,
    H_TAIL,
    HALF,
    P_COUNT,
    P_KEY,
    P_LAST,
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

_CURRENCY = (1 << CURRENCY_BITS) - 1


@kernel(nrt=False)
def cycle(g: Any, o: Any, spec: Any, row: Any, w: Any, u: Any, v: Any) -> None:
    """A cycle in time order with alike amounts, closed by the newest payment; the longest."""
    if amount_cycles(
        g, u, v, row[K_MOST], row[K_PERMILLE], row[K_BORDERS], g.windows[w, 1], row[K_BUDGET],
        o.numbers, o.path,
    ):  # fmt: skip
        g.head[H_CUT + CUT_AMOUNT_CYCLES] += 1
    size = o.numbers[1]
    if size < row[K_LEAST]:
        return
    open_report(g, o, spec, v, size)
    keep(g, o, newest(g))
    for k in range(size - 1):
        keep(g, o, o.path[k, 3])
    close_report(g, o)


@kernel(nrt=False)
def splitting(g: Any, o: Any, spec: Any, row: Any, w: Any, pair: Any, anchor: Any) -> None:
    """Several alike payments of one pair within the window, of which most of its payments are."""
    since = g.windows[w, 1]
    line = edge_row(g, newest(g))
    amount, value = g.edges[line, E_AMOUNT], g.edges[line, E_VALUE]
    currency = g.edges[line, E_INFO] & _CURRENCY
    size = 0
    seq = newest(g)
    steps = row[K_BUDGET]
    while seq >= since and seq >= 0:
        steps -= 1
        if steps < 0:
            g.head[H_CUT + CUT_WALKS] += 1
            break
        at = edge_row(g, seq)
        if alike(g, at, amount, value, currency, row[K_PERMILLE]):
            size += 1
        seq = g.edges[at, E_PREVIOUS]
    if size < row[K_LEAST] or size * 1000 < row[K_CONCENTRATION] * g.pairs[pair, P_COUNT]:
        return
    open_report(g, o, spec, anchor, size)
    seq = newest(g)
    while seq >= since and seq >= 0 and size > 0:
        at = edge_row(g, seq)
        if alike(g, at, amount, value, currency, row[K_PERMILLE]):
            keep(g, o, seq)
            size -= 1
        seq = g.edges[at, E_PREVIOUS]
    close_report(g, o)


@kernel(nrt=False)
def walk(g: Any, o: Any, spec: Any, row: Any, w: Any, u: Any, v: Any) -> None:
    """Payments one after the other, each alike to the next, each from the account the one before
    went to; the longest that ends with the newest. Every payment keeps the length of its longest
    walk and how far back the one before it is, so that a payment looks one step back only;
    what the graph has forgotten is left out."""
    since = g.windows[w, 1]
    line = edge_row(g, newest(g))
    g.edges[line, E_INFO] |= 1 << DEPTH_SHIFT
    if row[K_HUB] and (g.nodes[u, HALF + D_FAN] > row[K_HUB] or g.nodes[u, D_FAN] > row[K_HUB]):
        return
    amount, value = g.edges[line, E_AMOUNT], g.edges[line, E_VALUE]
    currency = g.edges[line, E_INFO] & _CURRENCY
    longest = 0
    best = -1
    steps = row[K_BUDGET]
    offset = g.nodes[u, HALF + D_OFFSET]
    for k in range(g.nodes[u, HALF + D_END] - 1, g.nodes[u, HALF + D_FRONT] - 1, -1):
        entry = g.arena[offset + k, 0]
        if entry < 0 or entry >> 32 == v:
            continue
        if g.arena[offset + k, 1] < since:
            break
        seq = g.pairs[entry & 0xFFFFFFFF, P_LAST]
        while seq >= since and seq >= 0 and steps > 0:
            steps -= 1
            at = edge_row(g, seq)
            depth = (g.edges[at, E_INFO] >> DEPTH_SHIFT) & DEPTH_MAX
            if (depth > longest or (depth == longest and seq > best)) and alike(
                g, at, amount, value, currency, row[K_PERMILLE]
            ):
                longest = depth
                best = seq
            seq = g.edges[at, E_PREVIOUS]
        if steps <= 0:
            g.head[H_CUT + CUT_WALKS] += 1
            break
    if best < 0 or newest(g) - best >= 1 << 34:
        return
    depth = min(longest + 1, row[K_MOST])
    info = g.edges[line, E_INFO] & ((1 << DEPTH_SHIFT) - 1)
    g.edges[line, E_INFO] = info | (depth << DEPTH_SHIFT) | ((newest(g) - best) << BACK_SHIFT)
    if depth < row[K_LEAST] or longest >= row[K_MOST]:
        return
    # A walk that comes back to an account is a cycle or a to and fro, and is told as such.
    g.head[H_STAMP] += 1
    stamp = g.head[H_STAMP]
    g.marks[v, 1] = stamp
    seq = newest(g)
    size = 0
    for k in range(depth):
        at = edge_row(g, seq)
        payer = g.pairs[g.edges[at, E_PAIR], P_KEY] >> 32
        if g.marks[payer, 1] == stamp:
            return
        g.marks[payer, 1] = stamp
        o.path[k, 3] = seq
        size += 1
        back = g.edges[at, E_INFO] >> BACK_SHIFT
        if back == 0 or seq - back < g.head[H_TAIL]:
            break
        seq -= back
    if size < row[K_LEAST]:
        return
    open_report(g, o, spec, v, size)
    for k in range(size):
        keep(g, o, o.path[k, 3])
    close_report(g, o)


@inline_kernel(nrt=False)
def _wide(g: Any, node: Any, side: Any, hub: Any) -> Any:
    return hub > 0 and g.nodes[node, side * HALF + D_FAN] > hub


@kernel(nrt=False)
def _mark(g: Any, node: Any, side: Any, column: Any, stamp: Any, since: Any, hub: Any) -> Any:
    """Mark the neighbours of a node within the window, hubs (in the other direction) apart; how
    many, or -1 where the node itself has too many."""
    if _wide(g, node, side, hub):
        return -1
    count = 0
    base = side * HALF
    offset = g.nodes[node, base + D_OFFSET]
    for k in range(g.nodes[node, base + D_END] - 1, g.nodes[node, base + D_FRONT] - 1, -1):
        entry = g.arena[offset + k, 0]
        if entry < 0:
            continue
        if g.arena[offset + k, 1] < since:
            break
        if not _wide(g, entry >> 32, 1 - side, hub):
            g.marks[entry >> 32, column] = (stamp << 32) | (entry & 0xFFFFFFFF)
            count += 1
    return count


@kernel(nrt=False)
def _shared(
    g: Any, o: Any, node: Any, side: Any, column: Any, stamp: Any, since: Any, write: Any,
    found: Any,
) -> None:  # fmt: skip
    """How many neighbours of a node are marked: ``found[0]``; with the sequence numbers of the
    earliest (``found[1]``) and of the latest payment (``found[2]``) with one of them. ``write``
    puts these payments into the open report in place."""
    found[0] = 0
    found[1] = 1 << 62
    found[2] = -1
    base = side * HALF
    offset = g.nodes[node, base + D_OFFSET]
    for k in range(g.nodes[node, base + D_END] - 1, g.nodes[node, base + D_FRONT] - 1, -1):
        entry = g.arena[offset + k, 0]
        if entry < 0:
            continue
        if g.arena[offset + k, 1] < since:
            break
        if g.marks[entry >> 32, column] >> 32 == stamp:
            found[0] += 1
            found[1] = min(found[1], first_since(g, entry & 0xFFFFFFFF, since))
            found[2] = max(found[2], g.arena[offset + k, 1])
            if write:
                keep_pair(g, o, entry & 0xFFFFFFFF, since)


@kernel(nrt=False)
def bipartite(g: Any, o: Any, spec: Any, row: Any, w: Any, u: Any, v: Any) -> None:
    """Several payers that each pay several of the payees that the newest payment's payer pays."""
    since, hub = g.windows[w, 1], row[K_HUB]
    if g.fans[v, w, 1] < row[K_LEAST] or g.fans[u, w, 0] < row[K_SECOND]:
        return
    if _wide(g, v, 1, hub):
        return
    g.head[H_STAMP] += 1
    stamp = g.head[H_STAMP]
    if _mark(g, u, 0, 0, stamp, since, hub) < row[K_SECOND]:
        return
    payers = 0
    begun = False
    for stage in range(2):
        if stage == 1:
            if payers < row[K_LEAST]:
                return
            open_report(g, o, spec, v, payers)
            begun = True
        steps = row[K_BUDGET]
        offset = g.nodes[v, HALF + D_OFFSET]
        for k in range(g.nodes[v, HALF + D_END] - 1, g.nodes[v, HALF + D_FRONT] - 1, -1):
            entry = g.arena[offset + k, 0]
            if entry < 0:
                continue
            if g.arena[offset + k, 1] < since:
                break
            payer = entry >> 32
            if _wide(g, payer, 0, hub):
                continue
            steps -= g.nodes[payer, D_FAN]
            if steps < 0:
                if not begun:
                    g.head[H_CUT + CUT_LAYERS] += 1
                break
            _shared(g, o, payer, 0, 0, stamp, since, False, o.numbers)
            if o.numbers[0] >= row[K_SECOND]:
                payers += 1
                if begun:
                    _shared(g, o, payer, 0, 0, stamp, since, True, o.numbers)
    close_report(g, o)


@kernel(nrt=False)
def stack(g: Any, o: Any, spec: Any, row: Any, w: Any, m: Any, t: Any) -> None:
    """Several accounts in a middle layer that receive from the same sources and then pay the same
    targets as the newest payment's payer."""
    since, hub, common = g.windows[w, 1], row[K_HUB], row[K_SECOND]
    if g.fans[m, w, 1] < common or g.fans[m, w, 0] < common or g.fans[t, w, 1] < row[K_LEAST]:
        return
    if _wide(g, t, 1, hub):
        return
    g.head[H_STAMP] += 1
    stamp = g.head[H_STAMP]
    if _mark(g, m, 1, 0, stamp, since, hub) < common:
        return
    if _mark(g, m, 0, 1, stamp, since, hub) < common:
        return
    layer = 0
    begun = False
    for stage in range(2):
        if stage == 1:
            if layer < row[K_LEAST]:
                return
            open_report(g, o, spec, t, layer)
            begun = True
        steps = row[K_BUDGET]
        offset = g.nodes[t, HALF + D_OFFSET]
        for k in range(g.nodes[t, HALF + D_END] - 1, g.nodes[t, HALF + D_FRONT] - 1, -1):
            entry = g.arena[offset + k, 0]
            if entry < 0:
                continue
            if g.arena[offset + k, 1] < since:
                break
            middle = entry >> 32
            if _wide(g, middle, 0, hub) or _wide(g, middle, 1, hub):
                continue
            steps -= g.nodes[middle, D_FAN] + g.nodes[middle, HALF + D_FAN]
            if steps < 0:
                if not begun:
                    g.head[H_CUT + CUT_LAYERS] += 1
                break
            _shared(g, o, middle, 1, 0, stamp, since, False, o.numbers)
            if o.numbers[0] < common:
                continue
            first = o.numbers[1]
            _shared(g, o, middle, 0, 1, stamp, since, False, o.numbers)
            if o.numbers[0] < common or o.numbers[2] <= first:
                continue
            layer += 1
            if begun:
                _shared(g, o, middle, 1, 0, stamp, since, True, o.numbers)
                _shared(g, o, middle, 0, 1, stamp, since, True, o.numbers)
    close_report(g, o)
