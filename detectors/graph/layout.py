"""How the payment graph lies in arrays: one name for every column, and the bundle that kernels get.

All arrays are of int64. Rows have 64 bytes or whole multiples of it where one event touches them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

OUT, IN = 0, 1
"""Directions of a node: payments it makes, payments it receives."""

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
PAIR_WORDS: Final = 8

# --- nodes: two halves, payments out and payments in
(D_OFFSET, D_CAPACITY, D_FRONT, D_END, D_FAN, D_COUNT, D_LAST, D_LOGS, D_SQUARES, D_CROSS,
 D_CURRENCIES) = range(11)  # fmt: skip
HALF: Final = 12
N_SINCE, N_CODE = 11, 23
"""Time of the first payment of a node, and the code of its account."""
N_WOKE, N_ACTIVE = 24, 25
"""Since when an account is busy after it was still, and when it last made or received a payment."""
NODE_WORDS: Final = 26
NEVER: Final = -(1 << 62)

# --- sums: one row for each node, direction and currency
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
HEAD_WORDS: Final = 96

# --- what a kernel stopped for
(NEED_NOTHING, NEED_PAGES, NEED_PAIRS, NEED_TABLE, NEED_SUMS, NEED_ARENA, NEED_NODES,
 NEED_OUTPUT) = range(8)  # fmt: skip


class Graph(NamedTuple):
    """What every kernel is given."""

    head: Int64
    pages: Int64
    """First row of each page, by page number modulo the length (a power of two)."""
    free_pages: Int64
    edges: Int64
    pairs: Int64
    table: Int64
    """Open addressing: key + 1 (0 is an empty place) and pair."""
    old_table: Int64
    """Entries that have not moved yet since the table grew."""
    nodes: Int64
    node_of: Int64
    """Node by code of the account, -1 where it has not been seen."""
    arena: Int64
    """Blocks of neighbours in the order of their last payment: neighbour and pair, sequence."""
    sums: Int64
    old_sums: Int64
    marks: Int64
    """Two stamps for searches by node."""
    windows: Int64
    """One row a shorter window: length, first sequence number inside."""
    fans: Int64
    """Distinct counterparties by node, shorter window and direction."""
