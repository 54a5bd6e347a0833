"""What is known of parties that the graph does not hold: most of those whom events name.

A party comes into the graph when an ownership event names it, when a rule asks about it, or when it
is listed. Until then its facts lie in columns by symbol: a block of ``party`` events is noted at
once, but for those that its other events name, whose order matters.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.observing import EXEMPT, LISTED, Text
from detectors.ownership.terms import KINDS
from regtech.model.fields import NULL

_FIRST: Final = 1 << 13
_STANDING, _KIND, _EXEMPT = range(3)
_NAMED: Final = 1
_IN_GRAPH: Final = 2

Int64 = npt.NDArray[np.int64]


class PartyFacts:
    """Kind and exemption of parties outside the graph, by symbol."""

    def __init__(self) -> None:
        self._take_over(np.zeros((3, _FIRST), np.uint8))
        self._kinds: dict[int, int] = {}
        """Numbers of kinds by their symbol."""

    def in_order(self, parties: Int64, flags: Int64, named: Int64) -> npt.NDArray[np.bool_]:
        """Which ``party`` events have to be noted one by one: of parties that are in the graph or
        come into it, and of those that ``named`` events of the block ask about."""
        self._reserve(int(max(parties.max(initial=0), named.max(initial=0))))
        listed = (flags != NULL) & (flags & LISTED != 0)
        named = np.concatenate((named, parties[listed]))
        in_graph = self._cells[_STANDING, parties] == _IN_GRAPH
        return np.asarray(in_graph | np.isin(parties, named), np.bool_)

    def note_all(self, parties: Int64, kinds: Int64, flags: Int64, text: Text) -> None:
        """Facts of ``party`` events in their order; of one party the last counts."""
        for kind in np.unique(kinds).tolist():
            self._kind_of(kind, text)
        self._cells[_STANDING, parties] = _NAMED
        told = kinds != NULL
        numbers = np.array([self._kinds[kind] for kind in kinds[told].tolist()], np.uint8)
        self._cells[_KIND, parties[told]] = numbers
        told = flags != NULL
        self._cells[_EXEMPT, parties[told]] = flags[told] & EXEMPT != 0

    def note(self, party: int, kind: int, flags: int, text: Text) -> bool:
        """Facts of one; False where they belong into the graph: ``enter`` it then."""
        if self._standing[party] == _IN_GRAPH or (flags != NULL and flags & LISTED):
            return False
        self._standing[party] = _NAMED
        if kind != NULL:
            self._kind[party] = self._kind_of(kind, text)
        if flags != NULL:
            self._exempt[party] = flags & EXEMPT != 0
        return True

    def enter(self, party: int, graph: OwnershipGraph, text: Text) -> int:
        """Put a party that is about to be named into the graph, with what is known of it; its
        number there."""
        if party >= len(self._standing):
            self._reserve(party)
        if self._standing[party] == _NAMED:
            exempt = bool(self._exempt[party])
            number = graph.enter(text(party), self._kind[party], exempt=exempt)
        else:
            number = graph.enter(text(party))
        self._standing[party] = _IN_GRAPH
        return number

    def ask(self, party: int, graph: OwnershipGraph, text: Text) -> int:
        """The same for a party that a question names: one of whom nothing is known stays out, and
        has the number -1."""
        if party >= len(self._standing) or not self._standing[party]:
            return -1
        return self.enter(party, graph, text)

    def _kind_of(self, kind: int, text: Text) -> int:
        number = self._kinds.get(kind)
        if number is None:
            number = self._kinds[kind] = 0 if kind == NULL else KINDS.get(text(kind), 0)
        return number

    def _reserve(self, party: int) -> None:
        count = self._cells.shape[1]
        if party >= count:
            grown = np.zeros((3, max(party + 1, count + count // 2)), np.uint8)
            grown[:, :count] = self._cells
            self._take_over(grown)

    def _take_over(self, cells: npt.NDArray[np.uint8]) -> None:
        self._cells = cells
        # A single cell is read and written twenty times faster so than through the array.
        self._standing, self._kind, self._exempt = (row.data for row in cells)

    def export(self) -> npt.NDArray[Any]:
        """The state, for a snapshot; ``restore`` is the inverse."""
        return self._cells.copy()

    def restore(self, cells: npt.NDArray[Any]) -> None:
        """Take over what was exported. Raises ``ValueError`` where it cannot be that."""
        if cells.ndim != 2 or cells.shape[0] != 3 or cells.dtype != np.uint8:
            raise ValueError("facts of parties")
        self._take_over(cells.copy())
