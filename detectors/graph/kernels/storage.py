"""The payment graph's own arrays: finding a pair, adding a payment, forgetting the oldest.

Order is by sequence number, which follows the canonical order of the input; times only bound
windows. Neighbours of a node stand in the order of their last payment, so a scan from the end
meets the newest first and may stop where a window ends, and forgetting only takes from the front.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.graph.layout import (
    CROSS_INSTITUTION,
    CURRENCY_BITS,
    D_CAPACITY,
    D_COUNT,
    D_CROSS,
    D_CURRENCIES,
    D_END,
    D_FAN,
    D_FRONT,
    D_LAST,
    D_LOGS,
    D_OFFSET,
    D_SQUARES,
    E_AMOUNT,
    E_EVENT,
    E_INFO,
    E_NEXT,
    E_PAIR,
    E_PREVIOUS,
    E_TIME,
    E_VALUE,
    H_ARENA,
    H_BEGAN,
    H_BLOCKS,
    H_FREE_PAGES,
    H_HEAD,
    H_NODES,
    H_PAIR_FREE,
    H_PAIRS,
    H_PAIRS_LIVE,
    H_SUMS_LIVE,
    H_SUMS_MOVED,
    H_TABLE_MOVED,
    H_TAIL,
    H_TIME,
    HALF,
    IN,
    LIMB,
    LOG_UNIT,
    N_ACTIVE,
    N_CODE,
    N_SINCE,
    N_WOKE,
    NEED_ARENA,
    NEED_NODES,
    NEED_NOTHING,
    NEED_PAGES,
    NEED_PAIRS,
    NEED_SUMS,
    NEED_TABLE,
    NEVER,
    OUT,
    P_COUNT,
    P_FIRST,
    P_FREE,
    P_IN,
    P_KEY,
    P_LAST,
    P_OUT,
    PAGE,
    PAGE_BITS,
    S_COUNT,
    S_HIGH,
    S_LOW,
)
from regtech.columns.jit import inline_kernel, kernel

_MOVES = 8
"""Entries that move to a grown table with each new entry."""


@inline_kernel(nrt=False)
def edge_row(g: Any, seq: Any) -> Any:
    """Row of a payment in the window."""
    return g.pages[(seq >> PAGE_BITS) & (g.pages.shape[0] - 1)] + (seq & (PAGE - 1))


@inline_kernel(nrt=False)
def whole_log(amount: Any) -> Any:
    """Logarithm to the base 2 in ``LOG_UNIT`` parts, straight lines between powers of two; 0 below
    2. Whole numbers, so that sums of them can be taken back exactly."""
    if amount < 2:
        return 0
    bits = 0
    rest = amount
    step = 32
    while step > 0:
        if rest >> step:
            rest >>= step
            bits += step
        step >>= 1
    above = amount - (1 << bits)
    part = above >> (bits - 12) if bits > 12 else above << (12 - bits)
    return bits * LOG_UNIT + part


# --- open addressing: rows of (key + 1, ...), removal by shifting back


@inline_kernel(nrt=False)
def _home(key: Any, mask: Any) -> Any:
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    return np.int64((mixed * np.uint64(0xD6E8FEB86659FD93)) >> np.uint64(32)) & mask


@inline_kernel(nrt=False)
def place_of(table: Any, key: Any) -> Any:
    """Place of a key, or -1."""
    mask = table.shape[0] - 1
    at = _home(key, mask)
    wanted = key + 1
    while table[at, 0] != 0:
        if table[at, 0] == wanted:
            return at
        at = (at + 1) & mask
    return -1


@inline_kernel(nrt=False)
def empty_place(table: Any, key: Any) -> Any:
    mask = table.shape[0] - 1
    at = _home(key, mask)
    while table[at, 0] != 0:
        at = (at + 1) & mask
    return at


@kernel(nrt=False)
def _remove(table: Any, at: Any) -> None:
    mask = table.shape[0] - 1
    after = at
    while True:
        after = (after + 1) & mask
        if table[after, 0] == 0:
            break
        home = _home(table[after, 0] - 1, mask)
        if ((after - home) & mask) >= ((after - at) & mask):
            for k in range(table.shape[1]):
                table[at, k] = table[after, k]
            at = after
    for k in range(table.shape[1]):
        table[at, k] = 0


@kernel(nrt=False)
def _move_some(old: Any, table: Any, head: Any, counter: Any) -> None:
    """Move a few entries of the table before growth. Places before the counter stay empty."""
    at = head[counter]
    left = _MOVES
    looked = 4 * _MOVES
    while at < old.shape[0] and left > 0 and looked > 0:
        if old[at, 0] == 0:
            at += 1
            looked -= 1
            continue
        to = empty_place(table, old[at, 0] - 1)
        for k in range(table.shape[1]):
            table[to, k] = old[at, k]
        _remove(old, at)
        left -= 1
    head[counter] = at


@inline_kernel(nrt=False)
def find_pair(g: Any, payer: Any, payee: Any) -> Any:
    """Pair of a payer and a payee with a payment in the window, or -1."""
    key = (payer << 32) | payee
    at = place_of(g.table, key)
    if at >= 0:
        return g.table[at, 1]
    if g.head[H_TABLE_MOVED] < g.old_table.shape[0]:
        at = place_of(g.old_table, key)
        if at >= 0:
            return g.old_table[at, 1]
    return -1


@inline_kernel(nrt=False)
def _forget_key(g: Any, key: Any) -> None:
    at = place_of(g.table, key)
    if at >= 0:
        _remove(g.table, at)
    else:
        _remove(g.old_table, place_of(g.old_table, key))


# --- sums by node, direction and currency


@inline_kernel(nrt=False)
def sum_key(node: Any, direction: Any, currency: Any) -> Any:
    """Key of a sum."""
    return (((node << 1) | direction) << CURRENCY_BITS) | currency


@inline_kernel(nrt=False)
def read_sum(g: Any, key: Any, found: Any) -> None:
    """``found`` receives number and total (as float64, for models) of a sum."""
    table = g.sums
    at = place_of(table, key)
    if at < 0 and g.head[H_SUMS_MOVED] < g.old_sums.shape[0]:
        table = g.old_sums
        at = place_of(table, key)
    if at < 0:
        found[0] = 0.0
        found[1] = 0.0
    else:
        found[0] = table[at, S_COUNT]
        found[1] = np.float64(table[at, S_HIGH]) * 4294967296.0 + np.float64(table[at, S_LOW])


@kernel(nrt=False)
def _change_sum(g: Any, node: Any, direction: Any, currency: Any, amount: Any, by: Any) -> None:
    head = g.head
    key = sum_key(node, direction, currency)
    table = g.sums
    at = place_of(table, key)
    if at < 0 and head[H_SUMS_MOVED] < g.old_sums.shape[0]:
        at = place_of(g.old_sums, key)
        if at >= 0:
            table = g.old_sums
    if at < 0:
        at = empty_place(table, key)
        table[at, 0] = key + 1
        head[H_SUMS_LIVE] += 1
        g.nodes[node, direction * HALF + D_CURRENCIES] += 1
        if head[H_SUMS_MOVED] < g.old_sums.shape[0]:
            table[at, S_COUNT] = by
            table[at, S_HIGH] = by * (amount >> LIMB)
            table[at, S_LOW] = by * (amount & ((1 << LIMB) - 1))
            _move_some(g.old_sums, g.sums, head, H_SUMS_MOVED)
            return
    table[at, S_COUNT] += by
    table[at, S_HIGH] += by * (amount >> LIMB)
    table[at, S_LOW] += by * (amount & ((1 << LIMB) - 1))
    if table[at, S_COUNT] == 0:
        _remove(table, at)
        head[H_SUMS_LIVE] -= 1
        g.nodes[node, direction * HALF + D_CURRENCIES] -= 1


# --- neighbours in the order of their last payment


@kernel(nrt=False)
def _settle(g: Any, node: Any, direction: Any, capacity: Any) -> None:
    """Move the neighbours of a node close together, into a block of so many rows."""
    base = direction * HALF
    row = g.nodes[node]
    arena, head = g.arena, g.head
    offset, old = row[base + D_OFFSET], row[base + D_CAPACITY]
    to = offset
    if capacity != old:
        size = 0
        while (4 << size) < capacity:
            size += 1
        to = head[H_BLOCKS + size]
        if to >= 0:
            head[H_BLOCKS + size] = arena[to, 0]
        else:
            to = head[H_ARENA]
            head[H_ARENA] += capacity
    slot = P_OUT if direction == OUT else P_IN
    end = 0
    for k in range(row[base + D_FRONT], row[base + D_END]):
        if arena[offset + k, 0] >= 0:
            arena[to + end, 0] = arena[offset + k, 0]
            arena[to + end, 1] = arena[offset + k, 1]
            g.pairs[arena[to + end, 0] & 0xFFFFFFFF, slot] = end
            end += 1
    if capacity != old and old > 0:
        _free_block(g, offset, old)
    row[base + D_OFFSET] = to
    row[base + D_CAPACITY] = capacity
    row[base + D_FRONT] = 0
    row[base + D_END] = end


@inline_kernel(nrt=False)
def _free_block(g: Any, offset: Any, capacity: Any) -> None:
    size = 0
    while (4 << size) < capacity:
        size += 1
    g.arena[offset, 0] = g.head[H_BLOCKS + size]
    g.head[H_BLOCKS + size] = offset


@kernel(nrt=False)
def _append(g: Any, node: Any, direction: Any, neighbour: Any, pair: Any, seq: Any) -> None:
    base = direction * HALF
    row = g.nodes[node]
    if row[base + D_END] == row[base + D_CAPACITY]:
        capacity = row[base + D_CAPACITY]
        if capacity == 0:
            _settle(g, node, direction, np.int64(4))
        elif 2 * row[base + D_FAN] > capacity:
            _settle(g, node, direction, 2 * capacity)
        else:
            _settle(g, node, direction, capacity)
    end = row[base + D_END]
    at = row[base + D_OFFSET] + end
    g.arena[at, 0] = (neighbour << 32) | pair
    g.arena[at, 1] = seq
    g.pairs[pair, P_OUT if direction == OUT else P_IN] = end
    row[base + D_END] = end + 1
    row[base + D_FAN] += 1


@kernel(nrt=False)
def _leave(g: Any, node: Any, direction: Any, pair: Any) -> None:
    """Take a pair out of a node's neighbours, wherever it stands."""
    base = direction * HALF
    row = g.nodes[node]
    offset = row[base + D_OFFSET]
    g.arena[offset + g.pairs[pair, P_OUT if direction == OUT else P_IN], 0] = -1
    row[base + D_FAN] -= 1
    front, end = row[base + D_FRONT], row[base + D_END]
    while front < end and g.arena[offset + front, 0] < 0:
        front += 1
    row[base + D_FRONT] = front
    if end - front > 2 * row[base + D_FAN] + 8:
        _settle(g, node, direction, row[base + D_CAPACITY])


@inline_kernel(nrt=False)
def _give_back(g: Any, node: Any, direction: Any) -> None:
    """The block of a node without neighbours."""
    base = direction * HALF
    if g.nodes[node, base + D_FAN] == 0 and g.nodes[node, base + D_CAPACITY] > 0:
        _free_block(g, g.nodes[node, base + D_OFFSET], g.nodes[node, base + D_CAPACITY])
        g.nodes[node, base + D_CAPACITY] = 0
        g.nodes[node, base + D_FRONT] = 0
        g.nodes[node, base + D_END] = 0


# --- a payment comes, the oldest go


@inline_kernel(nrt=False)
def lacking(g: Any, payer: Any, payee: Any) -> Any:
    """What there might be no room for when a payment between two codes is added."""
    head = g.head
    if head[H_NODES] + 2 > g.nodes.shape[0]:
        return NEED_NODES
    if payer >= g.node_of.shape[0] or payee >= g.node_of.shape[0]:
        return NEED_NODES
    if (head[H_HEAD] & (PAGE - 1)) == 0:
        held = (head[H_HEAD] >> PAGE_BITS) - (head[H_TAIL] >> PAGE_BITS) + 1
        if head[H_FREE_PAGES] == 0 or held >= g.pages.shape[0]:
            return NEED_PAGES
    if head[H_PAIR_FREE] < 0 and head[H_PAIRS] >= g.pairs.shape[0]:
        return NEED_PAIRS
    if 2 * (head[H_PAIRS_LIVE] + 1) > g.table.shape[0]:
        return NEED_TABLE
    if 2 * (head[H_SUMS_LIVE] + 2) > g.sums.shape[0]:
        return NEED_SUMS
    room = 16
    u, v = g.node_of[payer], g.node_of[payee]
    if u >= 0:
        room += 2 * g.nodes[u, D_CAPACITY]
    if v >= 0:
        room += 2 * g.nodes[v, HALF + D_CAPACITY]
    if head[H_ARENA] + room > g.arena.shape[0]:
        return NEED_ARENA
    return NEED_NOTHING


@inline_kernel(nrt=False)
def node_for(g: Any, code: Any, time: Any) -> Any:
    """Node of an account's code, made where it is new."""
    node = g.node_of[code]
    if node < 0:
        node = g.head[H_NODES]
        g.head[H_NODES] += 1
        g.node_of[code] = node
        g.nodes[node, OUT * HALF + D_LAST] = NEVER
        g.nodes[node, IN * HALF + D_LAST] = NEVER
        g.nodes[node, N_SINCE] = time
        g.nodes[node, N_ACTIVE] = NEVER
        g.nodes[node, N_WOKE] = NEVER
        g.nodes[node, N_CODE] = code
    return node


@kernel(nrt=False)
def _count(g: Any, node: Any, direction: Any, row: Any, by: Any) -> None:
    """Put a payment into the numbers of a node, or take it out."""
    base = direction * HALF
    amount = g.edges[row, E_AMOUNT]
    info = g.edges[row, E_INFO]
    log = whole_log(amount)
    half = g.nodes[node]
    half[base + D_COUNT] += by
    half[base + D_LOGS] += by * log
    half[base + D_SQUARES] += by * log * log
    if info & CROSS_INSTITUTION:
        half[base + D_CROSS] += by
    _change_sum(g, node, direction, info & ((1 << CURRENCY_BITS) - 1), amount, by)


@kernel(nrt=False)
def add_payment(
    g: Any, u: Any, v: Any, time: Any, amount: Any, value: Any, event: Any, info: Any
) -> Any:
    """Add a payment between two nodes; returns its pair. ``lacking`` must have found nothing."""
    head, pairs = g.head, g.pairs
    seq = head[H_HEAD]
    if seq == 0:
        head[H_BEGAN] = time
    if (seq & (PAGE - 1)) == 0:
        head[H_FREE_PAGES] -= 1
        page = g.free_pages[head[H_FREE_PAGES]]
        g.pages[(seq >> PAGE_BITS) & (g.pages.shape[0] - 1)] = page
    pair = find_pair(g, u, v)
    if pair < 0:
        pair = head[H_PAIR_FREE]
        if pair >= 0:
            head[H_PAIR_FREE] = pairs[pair, P_FREE]
        else:
            pair = head[H_PAIRS]
            head[H_PAIRS] += 1
        key = (u << 32) | v
        at = empty_place(g.table, key)
        g.table[at, 0] = key + 1
        g.table[at, 1] = pair
        head[H_PAIRS_LIVE] += 1
        if head[H_TABLE_MOVED] < g.old_table.shape[0]:
            _move_some(g.old_table, g.table, head, H_TABLE_MOVED)
        pairs[pair, P_KEY] = key
        pairs[pair, P_COUNT] = 0
        pairs[pair, P_LAST] = -1
        pairs[pair, P_FIRST] = seq
    elif u != v:
        for direction in range(2):
            _leave(g, v if direction else u, direction, pair)
    row = edge_row(g, seq)
    edges = g.edges
    edges[row, E_TIME] = time
    edges[row, E_AMOUNT] = amount
    edges[row, E_VALUE] = value
    edges[row, E_EVENT] = event
    edges[row, E_PAIR] = pair
    previous = pairs[pair, P_LAST]
    edges[row, E_PREVIOUS] = previous
    edges[row, E_NEXT] = -1
    edges[row, E_INFO] = info
    if previous >= 0:
        edges[edge_row(g, previous), E_NEXT] = seq
    pairs[pair, P_LAST] = seq
    pairs[pair, P_COUNT] += 1
    for w in range(g.windows.shape[0]):
        if u != v and previous < g.windows[w, 1]:
            g.fans[u, w, OUT] += 1
            g.fans[v, w, IN] += 1
    for direction in range(2):
        node = v if direction else u
        if u != v:
            _append(g, node, direction, u if direction else v, pair, seq)
        _count(g, node, direction, row, np.int64(1))
    g.nodes[u, OUT * HALF + D_LAST] = time
    g.nodes[v, IN * HALF + D_LAST] = time
    g.nodes[u, N_ACTIVE] = time
    g.nodes[v, N_ACTIVE] = time
    head[H_HEAD] = seq + 1
    head[H_TIME] = time
    return pair


@kernel(nrt=False)
def forget_until(g: Any, time: Any) -> None:
    """Forget the payments up to an instant. The shorter windows must have moved on before."""
    head, pairs, edges = g.head, g.pairs, g.edges
    while head[H_TAIL] < head[H_HEAD]:
        seq = head[H_TAIL]
        row = edge_row(g, seq)
        if edges[row, E_TIME] > time:
            break
        pair = edges[row, E_PAIR]
        key = pairs[pair, P_KEY]
        u = key >> 32
        v = key & 0xFFFFFFFF
        for direction in range(2):
            _count(g, v if direction else u, direction, row, np.int64(-1))
        pairs[pair, P_COUNT] -= 1
        if pairs[pair, P_COUNT] == 0:
            _forget_key(g, key)
            if u != v:
                for direction in range(2):
                    node = v if direction else u
                    _leave(g, node, direction, pair)
                    _give_back(g, node, direction)
            pairs[pair, P_FREE] = head[H_PAIR_FREE]
            head[H_PAIR_FREE] = pair
            head[H_PAIRS_LIVE] -= 1
        else:
            pairs[pair, P_FIRST] = edges[row, E_NEXT]
            edges[edge_row(g, edges[row, E_NEXT]), E_PREVIOUS] = -1
        head[H_TAIL] = seq + 1
        if ((seq + 1) & (PAGE - 1)) == 0:
            page = g.pages[(seq >> PAGE_BITS) & (g.pages.shape[0] - 1)]
            g.free_pages[head[H_FREE_PAGES]] = page
            head[H_FREE_PAGES] += 1


@kernel(nrt=False)
def move_windows(g: Any, time: Any) -> None:
    """Let the shorter windows end at an instant: counterparties not met in them any more leave."""
    head, edges, windows = g.head, g.edges, g.windows
    for w in range(windows.shape[0]):
        at = windows[w, 1]
        if at < head[H_TAIL]:
            at = head[H_TAIL]
        begin = time - windows[w, 0]
        while at < head[H_HEAD]:
            row = edge_row(g, at)
            if edges[row, E_TIME] > begin:
                break
            pair = edges[row, E_PAIR]
            if g.pairs[pair, P_LAST] == at:
                key = g.pairs[pair, P_KEY]
                if key >> 32 != key & 0xFFFFFFFF:
                    g.fans[key >> 32, w, OUT] -= 1
                    g.fans[key & 0xFFFFFFFF, w, IN] -= 1
            at += 1
        windows[w, 1] = at
