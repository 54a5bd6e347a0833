"""A run of events in canonical order, ready to be judged, and the ids of events already judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(slots=True)
class Block:
    """``count`` events in canonical order; ``columns`` has the plan's columns, see ``columns.py``."""

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

    def part(self, start: int, end: int) -> Block:
        """Events ``start..end`` as a block of its own (views where possible)."""
        if start == 0 and end == self.count:
            return self
        persons = self.person_offsets[start : end + 1]
        ids = self.id_offsets[start : end + 1]
        return Block(
            end - start,
            np.ascontiguousarray(self.columns[:, start:end]),
            persons - persons[0],
            self.person_values[persons[0] : persons[-1]],
            self.person_given[start:end],
            ids - ids[0],
            self.id_bytes[ids[0] : ids[-1]],
            self.content[start:end],
            self.line[start:end],
            self.source[start:end],
        )

    def select(self, order: Int64) -> Block:
        """The events at these places, in this order."""
        persons, person_offsets = _gather(self.person_offsets, self.person_values, order)
        ids, id_offsets = _gather(self.id_offsets, self.id_bytes, order)
        return Block(
            len(order),
            np.ascontiguousarray(self.columns[:, order]),
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


def joined(blocks: list[Block]) -> Block:
    """One block of several, in the order given."""
    if len(blocks) == 1:
        return blocks[0]

    def offsets(parts: list[Int64]) -> Int64:
        made = [np.zeros(1, np.int64)]
        total = 0
        for part in parts:
            made.append(part[1:] + total)
            total += int(part[-1])
        return np.concatenate(made)

    return Block(
        sum(b.count for b in blocks),
        np.concatenate([b.columns for b in blocks], axis=1),
        offsets([b.person_offsets for b in blocks]),
        np.concatenate([b.person_values for b in blocks]),
        np.concatenate([b.person_given for b in blocks]),
        offsets([b.id_offsets for b in blocks]),
        np.concatenate([b.id_bytes for b in blocks]),
        np.concatenate([b.content for b in blocks]),
        np.concatenate([b.line for b in blocks]),
        np.concatenate([b.source for b in blocks]),
    )


def _gather(
    offsets: Int64, values: npt.NDArray[np.generic], order: Int64
) -> tuple[npt.NDArray[np.generic], Int64]:
    """The lists at these places one after another, and where each begins."""
    lengths = offsets[order + 1] - offsets[order]
    ends = np.cumsum(lengths)
    made = np.concatenate([np.zeros(1, np.int64), ends])
    if not len(order) or made[-1] == 0:
        return values[:0], made
    start = np.repeat(offsets[order] - made[:-1], lengths)
    return values[np.arange(made[-1], dtype=np.int64) + start], made


class EventStore:
    """Ids, reporters, times and places of judged events, by ordinal, as far back as evidence reaches."""

    def __init__(self) -> None:
        self.base = 0
        self.count = 0
        self._offsets = np.zeros(1025, np.int64)
        self._bytes = np.zeros(1 << 16, np.uint8)
        self._meta = np.zeros((4, 1024), np.int64)  # time, reporter, source, line

    def __len__(self) -> int:
        return self.count

    @property
    def next(self) -> int:
        """Ordinal that the next event gets."""
        return self.base + self.count

    def append(self, block: Block, times: Int64, reporters: Int64) -> None:
        """Keep a block's ids."""
        n = block.count
        used = int(self._offsets[self.count])
        size = int(block.id_offsets[n] - block.id_offsets[0])
        if self.count + n + 1 > len(self._offsets):
            grown = max(2 * len(self._offsets), self.count + n + 1)
            self._offsets = np.resize(self._offsets, grown)
            meta = np.zeros((4, grown), np.int64)
            meta[:, : self.count] = self._meta[:, : self.count]
            self._meta = meta
        if used + size > len(self._bytes):
            fresh = np.zeros(max(2 * len(self._bytes), used + size), np.uint8)
            fresh[:used] = self._bytes[:used]
            self._bytes = fresh
        first = int(block.id_offsets[0])
        self._bytes[used : used + size] = block.id_bytes[first : first + size]
        self._offsets[self.count + 1 : self.count + n + 1] = block.id_offsets[1 : n + 1] - first + used
        at = slice(self.count, self.count + n)
        self._meta[0, at], self._meta[1, at] = times, reporters
        self._meta[2, at], self._meta[3, at] = block.source, block.line
        self.count += n

    def ids(self, ordinals: Int64) -> list[str]:
        """Ids of events by ordinal; those already forgotten are left out."""
        found = []
        for ordinal in ordinals:
            k = int(ordinal) - self.base
            if k >= 0:
                found.append(self._bytes[self._offsets[k] : self._offsets[k + 1]].tobytes().decode())
        return found

    def place(self, ordinal: int) -> tuple[int, int]:
        """Source index and line of an event."""
        k = ordinal - self.base
        return int(self._meta[2, k]), int(self._meta[3, k])

    def forget(self, before_us: int) -> None:
        """Drop events older than an instant, once they are more than half of what is held."""
        drop = int(np.searchsorted(self._meta[0, : self.count], before_us))
        if drop < 65536 or drop * 2 < self.count:
            return
        used = int(self._offsets[drop])
        size = int(self._offsets[self.count]) - used
        self._bytes[:size] = self._bytes[used : used + size].copy()
        kept = self.count - drop
        self._offsets[: kept + 1] = self._offsets[drop : self.count + 1] - used
        self._meta[:, :kept] = self._meta[:, drop : self.count].copy()
        self.base += drop
        self.count = kept

    def export(self) -> dict[str, npt.NDArray[np.generic]]:
        """Arrays for a snapshot."""
        return {
            "base": np.array([self.base, self.count], np.int64),
            "offsets": self._offsets[: self.count + 1].copy(),
            "bytes": self._bytes[: int(self._offsets[self.count])].copy(),
            "meta": self._meta[:, : self.count].copy(),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[np.generic]]) -> EventStore:
        """The store that was exported."""
        made = cls()
        made.base, made.count = (int(x) for x in arrays["base"])
        made._offsets = np.ascontiguousarray(arrays["offsets"], np.int64)
        made._bytes = np.ascontiguousarray(arrays["bytes"], np.uint8)
        made._meta = np.ascontiguousarray(arrays["meta"], np.int64)
        return made
