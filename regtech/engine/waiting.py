"""Events that wait for earlier ones, a block at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from regtech.columns.lending import Lender
from regtech.engine.block import Block, Sequence, joined
from regtech.engine.kernels import order as O
from regtech.engine.kernels.raw import MIN

Int64 = npt.NDArray[np.int64]


@dataclass(slots=True)
class Waiting:
    """Events of a block that are held back: their places there, and the earliest of their times."""

    block: Block
    places: Int64
    earliest: int
    first_lines: dict[int, int]
    """Source to a line at or before the first of its events here."""
    kept: Int64 | None = None
    """Numbers of the columns that the block still has, ascending; ``None`` where it has all."""

    @property
    def whole(self) -> bool:
        """Whether all events of the block wait; their places are then in order."""
        return len(self.places) == self.block.count

    @classmethod
    def of(cls, block: Block, places: Int64, time_row: int, lender: Lender) -> Waiting:
        """Events of a block; it is copied where most of it is no longer needed."""
        if 2 * len(places) < block.count:
            block, places = block.select(places, lender), np.arange(len(places))
        if block.count == 1:
            only = {int(block.source[0]): int(block.line[0])}
            return cls(block, places, int(block.columns[time_row, 0]), only)
        lines: dict[int, int] = {}
        sources = block.source[places]
        for source in np.unique(sources).tolist():
            lines[source] = int(block.line[places][sources == source].min())
        return cls(block, places, int(block.columns[time_row][places].min()), lines)

    def rest(self, places: Int64, time_row: int, lender: Lender) -> Waiting:
        """What still waits when the events at other places have gone on."""
        return replace(Waiting.of(self.block, places, time_row, lender), kept=self.kept)

    def keys(self, rows: int, lender: Lender) -> Block:
        """The events with their first columns alone."""
        keys = replace(self.block, columns=self.block.columns[:rows, : self.block.count].copy())
        return keys if self.whole else keys.select(self.places, lender)

    def packed(self, first: int, decoded: int) -> Waiting:
        """The same without the columns that hold nothing, of the ``decoded`` ones; the ``first`` of
        them stay where they are. What is filled in later is missing so far, and goes too."""
        block, filled = self.block, np.zeros(decoded, np.bool_)
        O.filled_columns(block.columns, block.count, filled)
        filled[:first] = True
        kept = np.flatnonzero(filled)
        return replace(
            self, block=replace(block, columns=block.columns[kept, : block.count]), kept=kept
        )

    def spread(self, rows: int, lender: Lender) -> Waiting:
        """The same with all columns."""
        if self.kept is None:
            return self
        columns = lender.lend(rows, self.block.count)
        columns[:] = MIN
        columns[self.kept] = self.block.columns
        return replace(self, block=replace(self.block, columns=columns), kept=None)

    def origins(self, rows: int) -> Int64:
        """Addresses of the first events of the first columns; 0 where a column is missing."""
        columns = self.block.columns
        numbers = np.arange(rows) if self.kept is None else self.kept
        found = np.zeros(rows, np.int64)
        found[numbers] = columns.ctypes.data + np.arange(len(numbers)) * columns.strides[0]
        return found


def fit_together(parts: list[Waiting]) -> bool:
    """Whether one of the blocks has room behind it for the events of all other parts."""
    if any(part.kept is not None for part in parts):
        return False
    counts = [len(part.places) for part in parts]
    largest = parts[counts.index(max(counts))].block
    return bool(largest.count + sum(counts) - max(counts) <= largest.columns.shape[1])


def one_block(parts: list[Waiting], lender: Lender) -> Sequence:
    """Events of several parts, all with all columns, as places in one block: the others' are put
    behind the largest's."""
    if len(parts) == 1:
        return Sequence(parts[0].block, parts[0].places)
    largest = max(parts, key=lambda part: len(part.places))
    others = [
        part.block if part.whole else part.block.select(part.places, lender)
        for part in parts
        if part is not largest
    ]
    block = joined(largest.block, others)
    added = np.arange(largest.block.count, block.count)
    return Sequence(block, np.concatenate([largest.places, added]))
