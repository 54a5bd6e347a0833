"""How the payment graph lies in arrays: one name for every column, and the bundle that kernels get.

All arrays are of int64. Rows have 64 bytes or whole multiples of it where one event touches them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

OUT, IN = np.int64(0), np.int64(1)
"""Directions of a node: payments it makes, payments it receives. Not Python's own numbers: a kernel
is compiled anew for each of those that it is called with."""
NO, YES = np.bool_(False), np.bool_(True)
"""The same for what is so or not."""

# --- edges: one row a payment in the window
(E_TIME, E_AMOUNT, E_VALUE, E_EVENT, E_PAIR, E_PREVIOUS, E_NEXT, E_INFO) = range(8)
EDGE_WORDS: Final = 8
PAGE_BITS: Final = 12
PAGE: Final = 1 << PAGE_BITS
"""Edges a page. Pages are taken and given back as the window moves: growth copies nothing."""
UNKNOWN: Final = -1
"""The value of a payment in the common currency where it is not known."""

# --- E_INFO: bits 0-15 the currency, then
CURRENCY_BITS: Final = 16
CROSS_INSTITUTION: Final = 1 << 16
CROSS_BORDER: Final = 1 << 17
DEPTH_SHIFT: Final = 20
DEPTH_MAX: Final = 255
"""Payments of the longest walk that ends here, this one included, in 8 bits from here on."""
BACK_SHIFT: Final = 28
"""How many payments before this one the walk came from, in the bits above."""

# --- pairs: one row for each payer and payee with a payment in the window
(P_KEY, P_COUNT, P_LAST, P_FIRST, P_OUT, P_IN, P_FREE, P_SPARE) = range(8)
"""``P_OUT``, ``P_IN``: where the pair stands among the payees of its payer, and the other way."""
PAIR_WORDS: Final = 8

# --- nodes: two halves, payments out and payments in
(D_COUNT, D_LAST, D_LOGS, D_SQUARES, D_CROSS, D_CURRENCIES, D_CURRENCY, D_SUM_COUNT, D_SUM_HIGH,
 D_SUM_LOW) = range(10)  # fmt: skip
"""The sum of one currency stands in the half itself; of others, which few accounts have, in the
table of sums."""
HALF: Final = 10
N_SINCE, N_WOKE = 20, 22
"""Time of the first payment of a node, and since when it is busy after it was still."""
N_CODE, N_ACTIVE = 21, 23
"""Where a snapshot keeps what is in ``accounts`` while kernels run."""
NODE_WORDS: Final = 24

# --- accounts: by node what every graph needs, also one that does not count
C_CODE, C_ACTIVE = 0, 1
"""The code of the account, in a free slot ``FREE`` less the next free one; and when it last made or
received a payment."""
ACCOUNT_WORDS: Final = 2
NEVER: Final = -(1 << 62)
FREE: Final = -2

# --- lists: by node the counterparties it pays, then those that pay it
(A_BEGIN, A_END, A_FAN, A_BLOCK) = range(4)
"""First place and the one after the last, how many stand there, and the block: its first place and
the size class, or -1."""
SIDE: Final = 4
LIST_WORDS: Final = 8
BLOCK_BITS: Final = 6
PAIR_MASK: Final = (1 << 31) - 1
MULTI: Final = 1 << 31
"""Set in the first word of a neighbour whose pair has had more than one payment at once; the rest
of it is the neighbour (32 bits) and the pair (31)."""

# --- sums: one row for each node, direction and further currency
(S_KEY, S_COUNT, S_HIGH, S_LOW) = range(4)
SUM_WORDS: Final = 4
LIMB: Final = 32
"""Sums are kept as two words, of the upper and the lower 32 bits of the amounts: no sum of fewer
than 2**31 payments can overflow, whatever the amounts."""

LOG_UNIT: Final = 4096
"""Logarithms of amounts to the base 2 are whole numbers of this many parts."""

# --- head: counters and free lists
(H_HEAD, H_TAIL, H_NODES, H_PAIRS, H_PAIR_FREE, H_PAIRS_LIVE, H_TABLE_MOVED, H_SUMS_LIVE,
 H_SUMS_MOVED, H_ARENA, H_STAMP, H_FREE_PAGES, H_NEED, H_TIME, H_BEGAN,
 H_BLOCKS) = range(16)  # fmt: skip
H_CUT: Final = 64
"""Counters of searches that were cut, see ``CUTS``, from here on."""
CUTS: Final = (
    "cycles", "amount_cycles", "scatter_gather", "evidence", "layers", "walks", "sums",
)  # fmt: skip
(CUT_CYCLES, CUT_AMOUNT_CYCLES, CUT_SCATTER_GATHER, CUT_EVIDENCE, CUT_LAYERS, CUT_WALKS,
 CUT_SUMS) = range(7)  # fmt: skip
(H_NODE_FREE, H_HAND, H_NODES_LIVE, H_STEPS, H_BARE) = range(80, 85)
"""Free slots of nodes, where the search for accounts to forget stands, how many are known, what is
left of the budget of a search, and whether nobody asks for the numbers of accounts: their payments,
sums and fans are not counted then."""
(R_NODES, R_CODES, R_PAGES, R_PAIRS, R_TABLE, R_OLD_TABLE, R_SUMS, R_OLD_SUMS, R_ARENA,
 R_WINDOWS) = range(96, 106)  # fmt: skip
"""Rows of the arrays, for kernels."""
HEAD_WORDS: Final = 112

# --- what a kernel stopped for
(NEED_NOTHING, NEED_PAGES, NEED_PAIRS, NEED_TABLE, NEED_SUMS, NEED_ARENA, NEED_NODES, NEED_OUTPUT,
 NEED_STAMPS) = range(9)  # fmt: skip
STAMP_MAX: Final = (1 << 31) - 1024

# --- scratch
FOUND_WORDS: Final = 16
PATH_ROWS: Final = 256
PATH_WORDS: Final = 6
WORK_ROWS: Final = 1024

WIDTHS: Final = {
    "head": 1, "pages": 1, "free_pages": 1, "edges": EDGE_WORDS, "pairs": PAIR_WORDS, "table": 2,
    "old_table": 2, "nodes": NODE_WORDS, "lists": LIST_WORDS, "node_of": 1, "arena": 2,
    "newest": 2, "sums": SUM_WORDS, "old_sums": SUM_WORDS, "marks": 2, "windows": 2, "fans": 1,
    "found": 1, "path": PATH_WORDS, "work": 2, "accounts": ACCOUNT_WORDS,
}  # fmt: skip
"""Words of a row of every array, in the order in which kernels get their addresses."""


class Graph(NamedTuple):
    """What every kernel is given: rows of words (``regtech.columns.words``)."""

    head: Any
    pages: Any
    """First row of each page, by page number modulo the length (a power of two)."""
    free_pages: Any
    edges: Any
    pairs: Any
    table: Any
    """Open addressing: key + 1 (0 is an empty place) and pair."""
    old_table: Any
    """Entries that have not moved yet since the table grew."""
    nodes: Any
    lists: Any
    node_of: Any
    """Node by code of the account, -1 where it is not known."""
    arena: Any
    """Blocks of neighbours in the order of their last payment: neighbour and pair, sequence."""
    newest: Any
    """Amount and currency of that payment, in the same places."""
    sums: Any
    old_sums: Any
    marks: Any
    """Two stamps for searches by node."""
    windows: Any
    """One row a shorter window: length, first sequence number inside."""
    fans: Any
    """Distinct counterparties by node, shorter window and direction."""
    found: Any
    """Scratch: what a search has found."""
    path: Any
    """Scratch: the accounts on the way."""
    work: Any
    """Scratch: accounts still to be looked at."""
    accounts: Any
    """Accounts by node: code and last payment."""
