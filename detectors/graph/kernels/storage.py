"""The payment graph itself: adding a payment, forgetting the oldest, and accounts with them.

Order is by sequence number, which follows the canonical order of the input; times only bound
windows.

More than 500 lines: every list, hash and sum that a payment changes is taken back when it is
forgotten, and both stand side by side.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.graph.kernels.neighbours import (
    append,
    capacity_of,
    give_back,
    leave,
)
from detectors.graph.kernels.tables import (
    empty_place,
    find_pair,
    home,
    move_some,
    place_of,
    remove,
)
from detectors.graph.layout import (
    A_BLOCK,
    A_END,
    A_FAN,
    C_ACTIVE,
    C_CODE,
    CROSS_INSTITUTION,
    CURRENCY_BITS,
    D_COUNT,
    D_CROSS,
    D_CURRENCIES,
    D_CURRENCY,
    D_LAST,
    D_LOGS,
    D_SQUARES,
    D_SUM_COUNT,
    D_SUM_HIGH,
    D_SUM_LOW,
    E_AMOUNT,
    E_EVENT,
    E_INFO,
    E_NEXT,
    E_PAIR,
    E_PREVIOUS,
    E_TIME,
    E_VALUE,
    FREE,
    H_ARENA,
    H_BARE,
    H_BEGAN,
    H_FREE_PAGES,
    H_HAND,
    H_HEAD,
    H_NODE_FREE,
    H_NODES,
    H_NODES_LIVE,
    H_PAIR_FREE,
    H_PAIRS,
    H_PAIRS_LIVE,
    H_STAMP,
    H_SUMS_LIVE,
    H_SUMS_MOVED,
    H_TABLE_MOVED,
    H_TAIL,
    H_TIME,
    HALF,
    IN,
    LIMB,
    LOG_UNIT,
    MULTI,
    N_SINCE,
    N_WOKE,
    NEED_ARENA,
    NEED_NODES,
    NEED_NOTHING,
    NEED_PAGES,
    NEED_PAIRS,
    NEED_STAMPS,
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
    R_ARENA,
    R_CODES,
    R_NODES,
    R_OLD_SUMS,
    R_OLD_TABLE,
    R_PAGES,
    R_PAIRS,
    R_SUMS,
    R_TABLE,
    R_WINDOWS,
    S_COUNT,
    S_HIGH,
    S_LOW,
    SIDE,
    STAMP_MAX,
    SUM_WORDS,
    WIDTHS,
    Graph,
)
from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.words import expect, rows_of

_CURRENCY = (1 << CURRENCY_BITS) - 1
_ABSENT = 2
_PAIR_ROW, _SUM_ROW = np.int64(2), np.int64(SUM_WORDS)
_LIMB = (1 << LIMB) - 1
_FAR, _NEAR, _SOON = 12, 8, 4
"""So many payments before their turn, what they will touch begins to be loaded, in three steps of
which each finds its addresses in what the one before has loaded."""

_W = tuple(WIDTHS.values())
_one, _two, _sum, _path = rows_of(1), rows_of(2), rows_of(_W[12]), rows_of(_W[18])
_edge, _pair, _node, _list = rows_of(_W[3]), rows_of(_W[4]), rows_of(_W[7]), rows_of(_W[8])


@inline_kernel(nrt=False, inner=True)
def graph_of(a: Any) -> Any:
    """The graph whose arrays lie at these addresses, in the order of ``layout.WIDTHS``."""
    return Graph(
        _one(a[0]), _one(a[1]), _one(a[2]), _edge(a[3]), _pair(a[4]), _two(a[5]), _two(a[6]),
        _node(a[7]), _list(a[8]), _one(a[9]), _two(a[10]), _two(a[11]), _sum(a[12]), _sum(a[13]),
        _two(a[14]), _two(a[15]), _one(a[16]), _one(a[17]), _path(a[18]), _two(a[19]),
        _two(a[20]),
    )  # fmt: skip


@inline_kernel(nrt=False, inner=True)
def edge_row(g: Any, seq: Any) -> Any:
    """Row of a payment in the window."""
    return g.pages[(seq >> PAGE_BITS) & (g.head[R_PAGES] - 1)] + (seq & (PAGE - 1))


@inline_kernel(nrt=False, inner=True)
def newest(g: Any) -> Any:
    """Sequence number of the newest payment."""
    return g.head[H_HEAD] - 1


@kernel(nrt=False, inner=True)
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


# --- sums by node, direction and currency


@inline_kernel(nrt=False, inner=True)
def _sum_key(node: Any, side: Any, currency: Any) -> Any:
    return (((node << 1) | side) << CURRENCY_BITS) | currency


@inline_kernel(nrt=False, inner=True)
def read_sum(g: Any, node: Any, side: Any, currency: Any) -> Any:
    """Number of payments and their total, as float64 for models."""
    row = g.nodes[node]
    base = side * HALF
    count, high, low = row[base + D_SUM_COUNT], row[base + D_SUM_HIGH], row[base + D_SUM_LOW]
    if count == 0 or row[base + D_CURRENCY] != currency:
        count, high, low = np.int64(0), np.int64(0), np.int64(0)
        if row[base + D_CURRENCIES] > 0:
            count, high, low = _further_sum(g, _sum_key(node, side, currency))
    return np.float64(count), np.float64(high) * 4294967296.0 + np.float64(low)


@kernel(nrt=False, inner=True)
def _further_sum(g: Any, key: Any) -> Any:
    table = g.sums
    at = place_of(table, g.head[R_SUMS], key)
    if at < 0 and g.head[H_SUMS_MOVED] < g.head[R_OLD_SUMS]:
        table = g.old_sums
        at = place_of(table, g.head[R_OLD_SUMS], key)
    if at < 0:
        return np.int64(0), np.int64(0), np.int64(0)
    return table[at, S_COUNT], table[at, S_HIGH], table[at, S_LOW]


@inline_kernel(nrt=False, inner=True)
def _change_sum(g: Any, node: Any, side: Any, currency: Any, amount: Any, by: Any) -> None:
    """Put an amount into the sum of its currency, or take it out."""
    row = g.nodes[node]
    base = side * HALF
    held = row[base + D_SUM_COUNT]
    if held != 0 and row[base + D_CURRENCY] == currency:
        row[base + D_SUM_COUNT] = held + by
        row[base + D_SUM_HIGH] += by * (amount >> LIMB)
        row[base + D_SUM_LOW] += by * (amount & _LIMB)
        if held + by == 0:
            row[base + D_CURRENCIES] -= 1
        return
    changed = _ABSENT
    if held != 0 or row[base + D_CURRENCIES] > 0:
        changed = _change_further(g, _sum_key(node, side, currency), amount, by, held != 0)
    if changed == _ABSENT:
        row[base + D_CURRENCIES] += 1
        row[base + D_CURRENCY] = currency
        row[base + D_SUM_COUNT] = by
        row[base + D_SUM_HIGH] = by * (amount >> LIMB)
        row[base + D_SUM_LOW] = by * (amount & _LIMB)
    else:
        row[base + D_CURRENCIES] += changed


@kernel(nrt=False, inner=True)
def _change_further(g: Any, key: Any, amount: Any, by: Any, make: Any) -> Any:
    """The same in the table: how many sums there are more (or less); ``_ABSENT`` where there is
    none and none is to be made."""
    head = g.head
    table, places = g.sums, head[R_SUMS]
    at = place_of(table, places, key)
    if at < 0 and head[H_SUMS_MOVED] < head[R_OLD_SUMS]:
        at = place_of(g.old_sums, head[R_OLD_SUMS], key)
        if at >= 0:
            table, places = g.old_sums, head[R_OLD_SUMS]
    made = 0
    if at < 0:
        if not make:
            return _ABSENT
        at = empty_place(table, places, key)
        table[at, 0] = key + 1
        head[H_SUMS_LIVE] += 1
        made = 1
    table[at, S_COUNT] += by
    table[at, S_HIGH] += by * (amount >> LIMB)
    table[at, S_LOW] += by * (amount & _LIMB)
    if table[at, S_COUNT] == 0:
        remove(table, places, _SUM_ROW, at)
        head[H_SUMS_LIVE] -= 1
        return -1
    if made and head[H_SUMS_MOVED] < head[R_OLD_SUMS]:
        move_some(g.old_sums, head[R_OLD_SUMS], g.sums, head[R_SUMS], _SUM_ROW, head, H_SUMS_MOVED)
    return made


# --- accounts


@inline_kernel(nrt=False, inner=True)
def _begin(g: Any, node: Any, time: Any) -> None:
    g.accounts[node, C_ACTIVE] = NEVER
    if g.head[H_BARE]:
        return
    row = g.nodes[node]
    row[OUT * HALF + D_LAST] = NEVER
    row[IN * HALF + D_LAST] = NEVER
    row[N_SINCE] = time
    row[N_WOKE] = NEVER


@inline_kernel(nrt=False, inner=True)
def _forget_accounts(g: Any, time: Any, memory: Any) -> None:
    """Free slots of accounts that have not dealt for ``memory``. Looking at three for every new
    account keeps the slots to one and a half times the accounts that are known."""
    head = g.head
    for _ in range(3):
        node = head[H_HAND]
        if node >= head[H_NODES]:
            head[H_HAND] = 0
            return
        head[H_HAND] = node + 1
        code, active = g.accounts[node, C_CODE], g.accounts[node, C_ACTIVE]
        if code >= 0 and active <= time - memory and active != NEVER:
            g.node_of[code] = -1
            g.accounts[node, C_CODE] = FREE - head[H_NODE_FREE]
            head[H_NODE_FREE] = node
            head[H_NODES_LIVE] -= 1


@kernel(nrt=False, inner=True)
def node_for(g: Any, code: Any, time: Any, memory: Any) -> Any:
    """Node of an account's code. One that has not dealt for ``memory`` is as if it were new."""
    head = g.head
    node = g.node_of[code]
    if node >= 0:
        if g.accounts[node, C_ACTIVE] <= time - memory:
            _begin(g, node, time)
        return node
    _forget_accounts(g, time, memory)
    node = head[H_NODE_FREE]
    if node >= 0:
        head[H_NODE_FREE] = FREE - g.accounts[node, C_CODE]
    else:
        node = head[H_NODES]
        head[H_NODES] += 1
        g.lists[node, A_BLOCK] = -1
        g.lists[node, SIDE + A_BLOCK] = -1
    head[H_NODES_LIVE] += 1
    g.node_of[code] = node
    g.accounts[node, C_CODE] = code
    _begin(g, node, time)
    return node


# --- a payment comes, the oldest go


@kernel(nrt=False, inner=True)
def lacking(g: Any, payer: Any, payee: Any) -> Any:
    """What there might be no room for when a payment between two codes is added."""
    head = g.head
    if head[H_NODES] + 2 > head[R_NODES]:
        return NEED_NODES
    if payer >= head[R_CODES] or payee >= head[R_CODES]:
        return NEED_NODES
    if (head[H_HEAD] & (PAGE - 1)) == 0:
        held = (head[H_HEAD] >> PAGE_BITS) - (head[H_TAIL] >> PAGE_BITS) + 1
        if head[H_FREE_PAGES] == 0 or held >= head[R_PAGES]:
            return NEED_PAGES
    if head[H_PAIR_FREE] < 0 and head[H_PAIRS] >= head[R_PAIRS]:
        return NEED_PAIRS
    if 2 * (head[H_PAIRS_LIVE] + 1) > head[R_TABLE]:
        return NEED_TABLE
    if 2 * (head[H_SUMS_LIVE] + 2) > head[R_SUMS]:
        return NEED_SUMS
    if head[H_STAMP] >= STAMP_MAX:
        return NEED_STAMPS
    room = 16
    u, v = g.node_of[payer], g.node_of[payee]
    if u >= 0:
        room += 2 * capacity_of(g.lists[u, A_BLOCK])
    if v >= 0:
        room += 2 * capacity_of(g.lists[v, SIDE + A_BLOCK])
    if head[H_ARENA] + room > head[R_ARENA]:
        return NEED_ARENA
    return NEED_NOTHING


@inline_kernel(nrt=False, inner=True)
def _count(g: Any, node: Any, side: Any, amount: Any, info: Any, by: Any) -> None:
    """Put a payment into the numbers of a node, or take it out."""
    base = side * HALF
    log = whole_log(amount)
    row = g.nodes[node]
    row[base + D_COUNT] += by
    row[base + D_LOGS] += by * log
    row[base + D_SQUARES] += by * log * log
    if info & CROSS_INSTITUTION:
        row[base + D_CROSS] += by
    _change_sum(g, node, side, info & _CURRENCY, amount, by)


@kernel(nrt=False, inner=True)
def _count_both(g: Any, u: Any, v: Any, amount: Any, info: Any, by: Any) -> None:
    for side in range(2):
        _count(g, v if side else u, side, amount, info, by)


@inline_kernel(nrt=False, inner=True)
def _pair_for(g: Any, u: Any, v: Any, seq: Any) -> Any:
    """The pair of two nodes, taken out of both lists of counterparties, or a new one."""
    head, pairs = g.head, g.pairs
    pair = find_pair(g, u, v)
    if pair >= 0:
        if u != v:
            for side in range(2):
                leave(g, v if side else u, side, pair)
        return pair
    pair = head[H_PAIR_FREE]
    if pair >= 0:
        head[H_PAIR_FREE] = pairs[pair, P_FREE]
    else:
        pair = head[H_PAIRS]
        head[H_PAIRS] += 1
    key = (u << 32) | v
    at = empty_place(g.table, head[R_TABLE], key)
    g.table[at, 0] = key + 1
    g.table[at, 1] = pair
    head[H_PAIRS_LIVE] += 1
    if head[H_TABLE_MOVED] < head[R_OLD_TABLE]:
        move_some(
            g.old_table, head[R_OLD_TABLE], g.table, head[R_TABLE], _PAIR_ROW, head,
            H_TABLE_MOVED,
        )  # fmt: skip
    row = pairs[pair]
    row[P_KEY] = key
    row[P_COUNT] = 0
    row[P_LAST] = -1
    row[P_FIRST] = seq
    return pair


@kernel(nrt=False, inner=True)
def add_payment(
    g: Any, u: Any, v: Any, time: Any, amount: Any, value: Any, event: Any, info: Any
) -> Any:
    """Add a payment between two nodes; returns its pair. ``lacking`` must have found nothing."""
    head = g.head
    seq = head[H_HEAD]
    if seq == 0:
        head[H_BEGAN] = time
    if (seq & (PAGE - 1)) == 0:
        head[H_FREE_PAGES] -= 1
        page = g.free_pages[head[H_FREE_PAGES]]
        g.pages[(seq >> PAGE_BITS) & (head[R_PAGES] - 1)] = page
    pair = _pair_for(g, u, v, seq)
    row = g.pairs[pair]
    previous = row[P_LAST]
    edge = g.edges[edge_row(g, seq)]
    edge[E_TIME] = time
    edge[E_AMOUNT] = amount
    edge[E_VALUE] = value
    edge[E_EVENT] = event
    edge[E_PAIR] = pair
    edge[E_PREVIOUS] = previous
    edge[E_NEXT] = -1
    edge[E_INFO] = info
    if previous >= 0:
        g.edges[edge_row(g, previous), E_NEXT] = seq
    row[P_LAST] = seq
    row[P_COUNT] += 1
    if u != v:
        windows = 0 if head[H_BARE] else head[R_WINDOWS]
        for w in range(windows):
            if previous < g.windows[w, 1]:
                g.fans[(u * windows + w) * 2 + OUT] += 1
                g.fans[(v * windows + w) * 2 + IN] += 1
        mark = pair | (MULTI if previous >= 0 else 0)
        for side in range(2):
            entry = ((u if side else v) << 32) | mark
            append(g, v if side else u, side, entry, seq, amount, info & _CURRENCY)
    if not head[H_BARE]:
        _count_both(g, u, v, amount, info, np.int64(1))
        g.nodes[u, OUT * HALF + D_LAST] = time
        g.nodes[v, IN * HALF + D_LAST] = time
    g.accounts[u, C_ACTIVE] = time
    g.accounts[v, C_ACTIVE] = time
    head[H_HEAD] = seq + 1
    head[H_TIME] = time
    return pair


@kernel(nrt=False, inner=True)
def forget_until(g: Any, time: Any) -> None:
    """Forget the payments up to an instant. The shorter windows must have moved on before."""
    head = g.head
    while head[H_TAIL] < head[H_HEAD]:
        seq = head[H_TAIL]
        edge = g.edges[edge_row(g, seq)]
        if edge[E_TIME] > time:
            break
        _forget_ahead(g, seq)
        pair = edge[E_PAIR]
        row = g.pairs[pair]
        key = row[P_KEY]
        u = key >> 32
        v = key & 0xFFFFFFFF
        if not head[H_BARE]:
            _count_both(g, u, v, edge[E_AMOUNT], edge[E_INFO], np.int64(-1))
        row[P_COUNT] -= 1
        if row[P_COUNT] == 0:
            _forget_pair(g, pair, key)
        else:
            row[P_FIRST] = edge[E_NEXT]
            g.edges[edge_row(g, edge[E_NEXT]), E_PREVIOUS] = -1
        head[H_TAIL] = seq + 1
        if ((seq + 1) & (PAGE - 1)) == 0:
            page = g.pages[(seq >> PAGE_BITS) & (head[R_PAGES] - 1)]
            g.free_pages[head[H_FREE_PAGES]] = page
            head[H_FREE_PAGES] += 1


@inline_kernel(nrt=False, inner=True)
def _forget_pair(g: Any, pair: Any, key: Any) -> None:
    head = g.head
    at = place_of(g.table, head[R_TABLE], key)
    if at >= 0:
        remove(g.table, head[R_TABLE], _PAIR_ROW, at)
    else:
        at = place_of(g.old_table, head[R_OLD_TABLE], key)
        remove(g.old_table, head[R_OLD_TABLE], _PAIR_ROW, at)
    u = key >> 32
    v = key & 0xFFFFFFFF
    if u != v:
        for side in range(2):
            node = v if side else u
            leave(g, node, side, pair)
            give_back(g, node, side)
    g.pairs[pair, P_FREE] = head[H_PAIR_FREE]
    head[H_PAIR_FREE] = pair
    head[H_PAIRS_LIVE] -= 1


@inline_kernel(nrt=False, inner=True)
def fan_in_window(g: Any, node: Any, w: Any, side: Any) -> Any:
    """Distinct counterparties of a node on a side within a shorter window."""
    return g.fans[(node * g.head[R_WINDOWS] + w) * 2 + side]


@kernel(nrt=False, inner=True)
def move_windows(g: Any, time: Any) -> None:
    """Let the shorter windows end at an instant: counterparties not met in them any more leave."""
    head, edges = g.head, g.edges
    windows = head[R_WINDOWS]
    for w in range(windows):
        at = g.windows[w, 1]
        if at < head[H_TAIL]:
            at = head[H_TAIL]
        begin = time - g.windows[w, 0]
        while at < head[H_HEAD]:
            row = edge_row(g, at)
            if edges[row, E_TIME] > begin:
                break
            pair = edges[row, E_PAIR]
            if not head[H_BARE] and g.pairs[pair, P_LAST] == at:
                key = g.pairs[pair, P_KEY]
                u = key >> 32
                v = key & 0xFFFFFFFF
                if u != v:
                    g.fans[(u * windows + w) * 2 + OUT] -= 1
                    g.fans[(v * windows + w) * 2 + IN] -= 1
            at += 1
        g.windows[w, 1] = at


# --- what will be touched begins to be loaded


@inline_kernel(nrt=False, inner=True)
def _expect_node(g: Any, node: Any) -> None:
    if not g.head[H_BARE]:
        for part in range(3):
            expect(g.nodes[node], 8 * part)
    expect(g.lists, node)


@inline_kernel(nrt=False, inner=True)
def _expect_pair(g: Any, u: Any, v: Any) -> None:
    """The row of a pair, where it stands in the table at once."""
    key = (u << 32) | v
    at = home(key, g.head[R_TABLE])
    if g.table[at, 0] == key + 1:
        expect(g.pairs, g.table[at, 1])


@inline_kernel(nrt=False, inner=True)
def _expect_end(g: Any, node: Any, side: Any) -> None:
    """Where the next counterparty of a node will stand."""
    end = g.lists[node, side * SIDE + A_END]
    expect(g.arena, end)
    expect(g.newest, end)


@inline_kernel(nrt=False, inner=True)
def _expect_search(g: Any, u: Any, v: Any) -> None:
    """What a search for a way from the payee back to the payer begins with."""
    if g.lists[v, A_FAN] > 0 and g.lists[u, SIDE + A_FAN] > 0:
        last = g.lists[v, A_END] - 1
        expect(g.arena, last)
        expect(g.newest, last)


@inline_kernel(nrt=False, inner=True)
def look_ahead(g: Any, payers: Any, payees: Any, i: Any) -> None:
    """Begin to load what the payments after the ``i``-th will touch."""
    n = payers.shape[0]
    codes = g.head[R_CODES]
    if i + _FAR >= n:
        return  # the last few of many are not worth asking three times whether they are there
    if payers[i + _FAR] < codes:
        expect(g.node_of, payers[i + _FAR])
    if payees[i + _FAR] < codes:
        expect(g.node_of, payees[i + _FAR])
    for step in range(2):
        j = i + (_SOON if step else _NEAR)
        u = g.node_of[payers[j]] if payers[j] < codes else np.int64(-1)
        v = g.node_of[payees[j]] if payees[j] < codes else np.int64(-1)
        for side in range(2):
            node = v if side else u
            if node >= 0:
                if step:
                    _expect_end(g, node, side)
                else:
                    _expect_node(g, node)
                    expect(g.accounts, node)
        if u >= 0 and v >= 0:
            if step:
                _expect_pair(g, u, v)
                _expect_search(g, u, v)
            else:
                expect(g.table, home((u << 32) | v, g.head[R_TABLE]))


@inline_kernel(nrt=False, inner=True)
def _forget_ahead(g: Any, seq: Any) -> None:
    """The same for the payments after the one that is forgotten now."""
    head = g.head
    if seq + _FAR < head[H_HEAD]:
        expect(g.pairs, g.edges[edge_row(g, seq + _FAR), E_PAIR])
    for step in range(2):
        j = seq + (_SOON if step else _NEAR)
        if j < head[H_HEAD]:
            pair = g.edges[edge_row(g, j), E_PAIR]
            if step:
                expect(g.arena, g.pairs[pair, P_OUT])
                expect(g.arena, g.pairs[pair, P_IN])
            else:
                key = g.pairs[pair, P_KEY]
                _expect_node(g, key >> 32)
                _expect_node(g, key & 0xFFFFFFFF)
                expect(g.table, home(key, head[R_TABLE]))
