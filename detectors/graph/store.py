"""The payment graph as a whole: its arrays, their growth, and its state for a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.graph import layout as L
from detectors.graph.layout import Int64
from regtech.errors import CapacityError, InternalError, SnapshotError

Arrays = dict[str, npt.NDArray[Any]]
_SCRATCH: Final = ("marks", "found", "path", "work")
"""What means nothing between two calls of a kernel."""
_STEP_BYTES: Final = 1 << 22
"""Arrays grow by at most so much at once: the system clears the memory, about a millisecond."""
_CODES_MAX: Final = 1 << 31
_LAYOUT: Final = 2
"""Raised whenever the state changes its meaning."""
_LINE: Final = 64
"""Bytes that the processor loads at once: rows of as many begin where a line does."""
_GROWING: Final = (
    "edges", "pairs", "nodes", "accounts", "lists", "node_of", "arena", "newest", "marks", "fans",
)  # fmt: skip


def _aligned(array: Int64) -> Int64:
    """A copy that begins where a line begins, with memory of its own that can become longer."""
    whole = np.zeros(array.size + _LINE // 8, np.int64)
    made = whole[_begin(whole) :][: array.size].reshape(array.shape)
    made[:] = array
    return made


def _begin(whole: Int64) -> int:
    return -whole.ctypes.data % _LINE // 8


def _longer(array: Int64, length: int) -> Int64:
    """What ``_aligned`` made, in place where the system can, with so many rows; new ones are 0."""
    whole, used, shape = array.base, array.size, array.shape[1:]
    assert isinstance(whole, np.ndarray)
    words = length * int(np.prod(shape))
    before = _begin(whole)
    whole.resize(words + _LINE // 8, refcheck=False)
    begin = _begin(whole)
    if begin != before:  # it was moved to where lines begin elsewhere
        whole[begin : begin + used] = whole[before : before + used]
        whole[begin + used : before + used] = 0
    return whole[begin : begin + words].reshape(length, *shape)


class PaymentGraph:
    """Payments of the last ``window_us`` microseconds between accounts, in arrays.

    ``shorter_us``: shorter windows for which the distinct counterparties of each node are counted.
    Accounts are codes from 0 on, as dense as a vocabulary's; amounts are whole minor units.

    ``bare``: the numbers of accounts (``nodes``, ``sums``, ``fans``) are not counted.

    ``accounts_us``: so long an account is known after its last payment, at least as long as the
    window. Then it is forgotten, its slot is used for another, and should it come again it is new.
    """

    def __init__(
        self,
        window_us: int,
        shorter_us: Sequence[int] = (),
        *,
        accounts_us: int = 0,
        bare: bool = False,
    ) -> None:
        if window_us <= 0 or any(not 0 < w <= window_us for w in shorter_us):
            raise ValueError("a window is longer than nothing, and none than the first")
        self.window_us = window_us
        self.accounts_us = max(window_us, accounts_us)
        self._shorter = tuple(shorter_us)
        head = np.zeros(L.HEAD_WORDS, np.int64)
        head[L.H_PAIR_FREE] = -1
        head[L.H_BLOCKS : L.H_CUT] = -1
        head[L.H_TIME] = L.NEVER
        head[L.H_STAMP] = 1
        head[L.H_BEGAN] = L.NEVER
        head[L.H_NODE_FREE] = -1
        head[L.H_BARE] = bare
        windows = np.zeros((len(self._shorter), 2), np.int64)
        windows[:, 0] = self._shorter
        self._parts: dict[str, Int64] = {
            "head": head,
            "pages": np.full(16, -1, np.int64),
            "free_pages": np.zeros(0, np.int64),
            "edges": np.zeros((0, L.EDGE_WORDS), np.int64),
            "pairs": np.zeros((1024, L.PAIR_WORDS), np.int64),
            "table": np.zeros((2048, 2), np.int64),
            "old_table": np.zeros((0, 2), np.int64),
            "nodes": np.zeros((0 if bare else 1024, L.NODE_WORDS), np.int64),
            "accounts": np.zeros((1024, L.ACCOUNT_WORDS), np.int64),
            "lists": np.zeros((1024, L.LIST_WORDS), np.int64),
            "node_of": np.full(1024, -1, np.int64),
            "arena": np.zeros((8192, 2), np.int64),
            "newest": np.zeros((8192, 2), np.int64),
            "sums": np.zeros((4096, L.SUM_WORDS), np.int64),
            "old_sums": np.zeros((0, L.SUM_WORDS), np.int64),
            "marks": np.zeros((1024, 2), np.int64),
            "windows": windows,
            "fans": np.zeros((0 if bare else 1024, len(self._shorter), 2), np.int64),
            "found": np.zeros(L.FOUND_WORDS, np.int64),
            "path": np.zeros((L.PATH_ROWS, L.PATH_WORDS), np.int64),
            "work": np.zeros((L.WORK_ROWS, 2), np.int64),
        }
        self._by_node = ("lists", "accounts", "marks") if bare else (
            "nodes", "lists", "accounts", "marks", "fans"
        )  # fmt: skip
        """Arrays with a row for each node; the widest, of which there is least room, first."""
        self._align()
        self._pages_made = 0
        self._addresses: Int64 | None = None

    def _align(self) -> None:
        for name in _GROWING:
            self._parts[name] = _aligned(self._parts[name])

    # --- for kernels

    @property
    def addresses(self) -> Int64:
        """What kernels get: where the arrays lie, valid until the next ``make_room``."""
        if self._addresses is None:
            parts = self._parts
            for name, row in (
                (self._by_node[0], L.R_NODES), ("node_of", L.R_CODES), ("pages", L.R_PAGES),
                ("pairs", L.R_PAIRS), ("table", L.R_TABLE), ("old_table", L.R_OLD_TABLE),
                ("sums", L.R_SUMS), ("old_sums", L.R_OLD_SUMS), ("arena", L.R_ARENA),
                ("windows", L.R_WINDOWS),
            ):  # fmt: skip
                self.head[row] = len(parts[name])
            self._addresses = np.array([parts[name].ctypes.data for name in L.WIDTHS], np.int64)
        return self._addresses

    @property
    def head(self) -> Int64:
        """Counters, see ``layout``."""
        return self._parts["head"]

    def check(self, times: Int64, payers: Int64, payees: Int64, currencies: Int64) -> None:
        """``ValueError`` where payments cannot be added: times that fall, codes out of range."""
        if not len(times):
            return
        if len({len(column) for column in (times, payers, payees, currencies)}) != 1:
            raise ValueError("the columns of payments are of different lengths")
        if int(times[0]) < int(self.head[L.H_TIME]) or (times[1:] < times[:-1]).any():
            raise ValueError("payments are not in the order of their times")
        if min(int(payers.min()), int(payees.min()), int(currencies.min())) < 0:
            raise ValueError("a payment has no payer, payee or currency")
        if int(currencies.max()) >= 1 << L.CURRENCY_BITS:
            raise ValueError("the index of a currency is above 65,535")

    def make_room(self, codes: int) -> None:
        """What the last kernel stopped for (``H_NEED``); ``codes``: one more than the highest."""
        need = int(self.head[L.H_NEED])
        if codes > _CODES_MAX:
            raise CapacityError("more than 2**31 accounts in one graph", hint="split the input")
        self._addresses = None
        self._let_go("old_table", L.H_TABLE_MOVED)
        self._let_go("old_sums", L.H_SUMS_MOVED)
        if need == L.NEED_PAGES:
            self._more_pages()
        elif need == L.NEED_PAIRS:
            self._longer("pairs", len(self._parts["pairs"]) + 1)
        elif need == L.NEED_ARENA:
            self._more_arena()
        elif need == L.NEED_NODES:
            self._more_nodes(codes)
        elif need == L.NEED_TABLE:
            self._more_places("table", "old_table", L.H_TABLE_MOVED)
        elif need == L.NEED_SUMS:
            self._more_places("sums", "old_sums", L.H_SUMS_MOVED)
        elif need == L.NEED_STAMPS:
            self._parts["marks"][:] = 0
            self.head[L.H_STAMP] = 1
        else:
            raise InternalError(f"a kernel of the payment graph stopped for {need}")

    def _longer(self, name: str, least: int) -> None:
        """Doubled while small, by fixed steps later, so that no step takes long."""
        array = self._parts[name]
        row = max(1, array.itemsize * int(np.prod(array.shape[1:])))
        step = min(max(len(array), 1), max(1, _STEP_BYTES // row))
        length = max(least, len(array) + step)
        self._parts[name] = _longer(array, length)

    def _more_pages(self) -> None:
        head, pages = self.head, self._parts["pages"]
        tail, top = int(head[L.H_TAIL]) >> L.PAGE_BITS, int(head[L.H_HEAD]) >> L.PAGE_BITS
        if top - tail + 1 >= len(pages):
            wider = np.full(2 * len(pages), -1, np.int64)
            for page in range(tail, top):
                wider[page & (len(wider) - 1)] = pages[page & (len(pages) - 1)]
            self._parts["pages"] = wider
        if head[L.H_FREE_PAGES] == 0:
            made = len(self._parts["edges"])
            self._longer("edges", made + L.PAGE)
            count = (len(self._parts["edges"]) - made) // L.PAGE
            self._parts["free_pages"] = np.zeros(self._pages_made + count, np.int64)
            # The lowest is taken first: it was cleared first.
            rows = made + L.PAGE * np.arange(count)[::-1]
            self._parts["free_pages"][:count] = rows
            self._pages_made += count
            head[L.H_FREE_PAGES] = count

    def _more_arena(self) -> None:
        blocks = self._parts["lists"][: int(self.head[L.H_NODES]), [L.A_BLOCK, L.SIDE + L.A_BLOCK]]
        widest = 4 << max(0, int((blocks & ((1 << L.BLOCK_BITS) - 1))[blocks >= 0].max(initial=0)))
        self._longer("arena", int(self.head[L.H_ARENA]) + 4 * widest + 1024)
        self._longer("newest", len(self._parts["arena"]))

    def _more_nodes(self, codes: int) -> None:
        if codes > len(self._parts["node_of"]):
            before = len(self._parts["node_of"])
            self._longer("node_of", max(codes, before + before // 2))
            self._parts["node_of"][before:] = -1
        widest, *others = self._by_node
        if self.head[L.H_NODES] + 2 > len(self._parts[widest]):
            self._longer(widest, len(self._parts[widest]) + 2)
            for name in others:
                if len(self._parts[name]) < len(self._parts[widest]):
                    self._longer(name, len(self._parts[widest]))

    def _more_places(self, name: str, old: str, moved: int) -> None:
        if int(self.head[moved]) < len(self._parts[old]):
            raise InternalError(f"the {name} of the payment graph grew again before it had moved")
        table = self._parts[name]
        self._parts[old] = table
        self._parts[name] = np.zeros((2 * len(table), table.shape[1]), np.int64)
        self.head[moved] = 0

    def _let_go(self, old: str, moved: int) -> None:
        """Give back a table whose entries have all moved."""
        if 0 < len(self._parts[old]) <= int(self.head[moved]):
            self._parts[old] = self._parts[old][:0].copy()
            self.head[moved] = 0

    # --- what is said about it

    @property
    def payments(self) -> int:
        """Payments in the window."""
        return int(self.head[L.H_HEAD] - self.head[L.H_TAIL])

    @property
    def accounts(self) -> int:
        """Accounts it knows."""
        return int(self.head[L.H_NODES_LIVE])

    def known(self) -> Int64:
        """Codes of the accounts it knows."""
        codes = self._parts["accounts"][: int(self.head[L.H_NODES]), L.C_CODE]
        return codes[codes >= 0]

    def cuts(self) -> dict[str, int]:
        """How many searches were cut at their bound, by kind; never a silent loss."""
        return {name: int(self.head[L.H_CUT + k]) for k, name in enumerate(L.CUTS)}

    def bytes_held(self) -> int:
        """Memory of all arrays, as reserved."""
        return sum(array.nbytes for array in self._parts.values())

    # --- snapshots

    def export(self) -> Arrays:
        """All state as arrays, without what is free."""
        head = self.head
        rows = {
            "nodes": L.H_NODES, "lists": L.H_NODES, "fans": L.H_NODES, "pairs": L.H_PAIRS,
            "arena": L.H_ARENA, "newest": L.H_ARENA,
        }  # fmt: skip
        made: Arrays = {
            name: array[: int(head[rows[name]])].copy() if name in rows else array.copy()
            for name, array in self._parts.items()
            if name not in _SCRATCH and name != "accounts"
        }
        accounts = self._parts["accounts"][: int(head[L.H_NODES])]
        if head[L.H_BARE]:
            made["nodes"] = np.zeros((len(accounts), L.NODE_WORDS), np.int64)
        made["nodes"][:, L.N_CODE] = accounts[:, L.C_CODE]
        made["nodes"][:, L.N_ACTIVE] = accounts[:, L.C_ACTIVE]
        made["layout"] = self._layout()
        return made

    def _layout(self) -> Int64:
        return np.array([_LAYOUT, self.window_us, self.accounts_us, *self._shorter], np.int64)

    def restore(self, arrays: Arrays) -> None:
        """Take over what was exported; ``SnapshotError`` where it is of another graph."""
        mine = self._layout()
        if not np.array_equal(arrays.get("layout", np.zeros(0)), mine):
            raise SnapshotError("the payment graph of the snapshot has other windows or layout")
        try:
            for name in self._parts:
                if name not in _SCRATCH and name != "accounts":
                    kept = np.array(arrays[name], np.int64)
                    if kept.shape[1:] != self._parts[name].shape[1:]:
                        raise ValueError(name)
                    self._parts[name] = kept
        except (KeyError, ValueError) as error:
            raise SnapshotError(f"the payment graph of the snapshot lacks {error}") from None
        nodes = self._parts["nodes"]
        self._parts["accounts"] = nodes[:, [L.N_CODE, L.N_ACTIVE]]
        self._parts["marks"] = np.zeros((len(nodes), 2), np.int64)
        if self.head[L.H_BARE]:
            self._parts["nodes"], self._parts["fans"] = nodes[:0], self._parts["fans"][:0]
        self._align()
        self._pages_made = len(self._parts["edges"]) // L.PAGE
        self._addresses = None
