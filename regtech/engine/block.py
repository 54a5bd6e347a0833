"""A run of events in canonical order, ready to be judged, and the ids of events already judged."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.columns.lending import Lender
from regtech.engine.growing import longer
from regtech.engine.kernels.order import gather_lists, list_sizes

Int64 = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(slots=True)
class Block:
    """``count`` events; ``columns`` has the plan's columns, see ``columns.py``, and may be
    longer."""

    count: int
    columns: Int64
    person_offsets: Int64
    person_values: Int64
    person_given: Bytes
    id_offsets: Int64
    id_bytes: Bytes
    content: npt.NDArray[np.uint64]
    line: Int64
    source: Int64

    def select(self, order: Int64, lender: Lender) -> Block:
        """The events at these places, in this order; columns are borrowed."""
        columns = lender.lend(len(self.columns), len(order))
        np.take(self.columns, order, axis=1, out=columns, mode="clip")  # else it buffers
        persons, person_offsets = gathered(self.person_offsets, self.person_values, order)
        ids, id_offsets = gathered(self.id_offsets, self.id_bytes, order)
        return Block(
            len(order),
            columns,
            person_offsets,
            persons,
            self.person_given[order],
            id_offsets,
            ids,
            self.content[order],
            self.line[order],
            self.source[order],
        )

    def id_of(self, index: int) -> str:
        """Id of one event."""
        return self.id_bytes[self.id_offsets[index] : self.id_offsets[index + 1]].tobytes().decode()


@dataclass(slots=True)
class Sequence:
    """Events of a block in canonical order, each once: ``order[k]`` is the place of the k-th."""

    block: Block
    order: Int64

    @property
    def count(self) -> int:
        """How many events."""
        return len(self.order)

    def part(self, start: int, end: int) -> Sequence:
        """Events ``start..end``."""
        return Sequence(self.block, self.order[start:end])


def joined(last: Block, others: list[Block]) -> Block:
    """One block of several; the others' columns go behind the last's where there is room."""
    blocks = [last, *others]
    total = sum(b.count for b in blocks)
    if last.columns.shape[1] >= total:
        columns = last.columns
        at = last.count
        for block in others:
            columns[:, at : at + block.count] = block.columns[:, : block.count]
            at += block.count
    else:
        columns = np.concatenate([b.columns[:, : b.count] for b in blocks], axis=1)
    return Block(
        total,
        columns,
        _offsets([b.person_offsets for b in blocks]),
        np.concatenate([b.person_values for b in blocks]),
        np.concatenate([b.person_given for b in blocks]),
        _offsets([b.id_offsets for b in blocks]),
        np.concatenate([b.id_bytes for b in blocks]),
        np.concatenate([b.content for b in blocks]),
        np.concatenate([b.line for b in blocks]),
        np.concatenate([b.source for b in blocks]),
    )


def _offsets(parts: list[Int64]) -> Int64:
    """Where the lists of several blocks begin when their values stand one behind another."""
    made, shift = [parts[0][:1]], 0
    for part in parts:
        made.append(part[1:] + shift)
        shift += int(part[-1])
    return np.concatenate(made)


def gathered(offsets: Int64, values: Any, order: Int64) -> tuple[Any, Int64]:
    """The lists at these places one after another, and where each begins."""
    made = np.empty(len(order) + 1, np.int64)
    found = np.empty(list_sizes(offsets, order), values.dtype)
    gather_lists(offsets, values, order, 0, made, found)
    return found, made


_MARKED_EVENTS: Final = 1024
"""At least so many events lie between two whose time is kept."""


class EventStore:
    """Ids of judged events, by ordinal, as far back as evidence reaches."""

    def __init__(self) -> None:
        self.base = 0
        self.count = 0
        self._offsets = np.zeros(1025, np.int64)
        self._bytes = np.zeros(1 << 16, np.uint8)
        self._marks: list[tuple[int, int]] = []
        """Ordinal and time of some events; the times of events never fall."""

    def __len__(self) -> int:
        return self.count

    @property
    def next(self) -> int:
        """Ordinal that the next event gets."""
        return self.base + self.count

    def append(self, events: Sequence, times: Int64) -> None:
        """Keep the ids of events."""
        n, block, order = events.count, events.block, events.order
        used = int(self._offsets[self.count])
        size = list_sizes(block.id_offsets, order)
        if self.count + n + 1 > len(self._offsets):
            self._offsets = longer(self._offsets, (self.count + n + 1) * 5 // 4)
        if used + size > len(self._bytes):
            self._bytes = longer(self._bytes, (used + size) * 5 // 4)
        offsets = self._offsets[self.count : self.count + n + 1]
        gather_lists(block.id_offsets, block.id_bytes, order, used, offsets, self._bytes)
        if n and (not self._marks or self.next - self._marks[-1][0] >= _MARKED_EVENTS):
            self._marks.append((self.next, int(times[0])))
        self.count += n

    def bytes_held(self) -> int:
        """Memory of all its arrays, as reserved."""
        return self._offsets.nbytes + self._bytes.nbytes

    def ids(self, ordinals: Int64) -> list[str]:
        """Ids of events by ordinal; those already forgotten are left out."""
        found = []
        for ordinal in ordinals:
            k = int(ordinal) - self.base
            if k >= 0:
                found.append(
                    self._bytes[self._offsets[k] : self._offsets[k + 1]].tobytes().decode()
                )
        return found

    def forget(self, before_us: int) -> None:
        """Drop events older than an instant, once they are more than half of what is held.

        Up to a marked one: everything before it is as old or older.
        """
        older = bisect_left(self._marks, before_us, key=_time_of)
        drop = self._marks[older - 1][0] - self.base if older else 0
        if drop < 65536 or drop * 2 < self.count:
            return
        used = int(self._offsets[drop])
        size = int(self._offsets[self.count]) - used
        self._bytes[:size] = self._bytes[used : used + size].copy()
        kept = self.count - drop
        self._offsets[: kept + 1] = self._offsets[drop : self.count + 1] - used
        self.base += drop
        self.count = kept
        del self._marks[: older - 1]

    def export(self) -> dict[str, npt.NDArray[np.generic]]:
        """Arrays for a snapshot."""
        return {
            "base": np.array([self.base, self.count], np.int64),
            "offsets": self._offsets[: self.count + 1].copy(),
            "bytes": self._bytes[: int(self._offsets[self.count])].copy(),
            "marks": np.array(self._marks, np.int64).reshape(-1, 2),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[np.generic]]) -> EventStore:
        """The store that was exported."""
        made = cls()
        made.base, made.count = (int(x) for x in arrays["base"])
        made._offsets = np.ascontiguousarray(arrays["offsets"], np.int64)
        made._bytes = np.ascontiguousarray(arrays["bytes"], np.uint8)
        made._marks = [(int(ordinal), int(time)) for ordinal, time in arrays["marks"]]
        return made


def _time_of(mark: tuple[int, int]) -> int:
    return mark[1]
