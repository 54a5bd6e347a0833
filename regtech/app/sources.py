"""Several sources of events as one stream, read so that little has to be kept waiting.

The engine can judge what lies before the newest time of the source that lags behind most. So the
next to be read is always that source. The order changes nothing in the result, only how much waits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xxhash

from regtech.adapters.decoded import Decoded
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import STDIN, SourceFile, read_events
from regtech.adapters.tables.columnmap import ColumnMap
from regtech.columns.batch import Batch, Reject
from regtech.errors import SnapshotError, UsageError

_EVENT_BYTES: Final = 400
"""About the length of an event in NDJSON: a block holds about as many events as a batch."""
_BLOCK_MIN: Final = 1 << 16
_BLOCK_MAX: Final = 1 << 23
_HEAD_BYTES: Final = 1 << 16
_NEVER: Final = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Slice:
    """The next piece of one source: at most a batch of events, and the records refused among them.

    ``size``: bytes of the source it stands for, for progress only.
    """

    source: int
    batch: Batch | None
    rejects: list[Reject]
    size: int


def part_of(batch: Batch, start: int, end: int) -> Batch:
    """Events ``start..end`` of a batch as a batch of their own."""
    if start == 0 and end == batch.count:
        return batch
    persons = batch.person_offsets[start : end + 1]
    ids = batch.id_offsets[start : end + 1]
    return Batch(
        count=end - start,
        columns=batch.columns[:, start:end],
        person_offsets=persons - persons[0],
        person_values=batch.person_values[persons[0] : persons[-1]],
        person_given=batch.person_given[start:end],
        id_offsets=ids - ids[0],
        id_bytes=batch.id_bytes[ids[0] : ids[-1]],
        content=batch.content[start:end],
        line=batch.line[start:end],
        source=batch.source,
    )


def kept_of(batch: Batch, keep: Any) -> Batch:
    """The events marked in ``keep`` (truth values) as a batch of their own."""
    if bool(keep.all()):
        return batch
    places = np.flatnonzero(keep)

    def gathered(offsets: Any, values: Any) -> tuple[Any, Any]:
        lengths = offsets[places + 1] - offsets[places]
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        at = np.arange(int(starts[-1])) + np.repeat(offsets[places] - starts[:-1], lengths)
        return values[at], starts

    persons, person_offsets = gathered(batch.person_offsets, batch.person_values)
    ids, id_offsets = gathered(batch.id_offsets, batch.id_bytes)
    return Batch(
        count=len(places),
        columns=np.ascontiguousarray(batch.columns[:, places]),
        person_offsets=person_offsets,
        person_values=persons,
        person_given=batch.person_given[places],
        id_offsets=id_offsets,
        id_bytes=ids,
        content=batch.content[places],
        line=batch.line[places],
        source=batch.source,
    )


def identity_of(file: SourceFile) -> dict[str, Any]:
    """What tells whether a file is the one that a snapshot has read from; empty for a pipe."""
    if file.name == STDIN or file.size is None or not Path(file.name).is_file():
        return {}
    with open(file.name, "rb") as stream:
        head = stream.read(_HEAD_BYTES)
    return {"size": file.size, "head": len(head), "digest": xxhash.xxh3_128_hexdigest(head)}


def check_identity(file: SourceFile, known: dict[str, Any]) -> None:
    """A file may have grown since a snapshot; ``SnapshotError`` where it was changed otherwise."""
    if not known or file.size is None:
        return
    with open(file.name, "rb") as stream:
        head = stream.read(known["head"])
    if file.size < known["size"] or xxhash.xxh3_128_hexdigest(head) != known["digest"]:
        raise SnapshotError(
            f"{file.name} is not the file that the snapshot has read from",
            hint="bring the file back, or start again without --resume",
        )


class RawLines:
    """Lines as they came, of events that wait: one of them may still be set aside."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, bytes, int]] = deque()
        """First line, lines, and the number after the last line."""
        self._split: tuple[int, list[bytes]] = (0, [])

    def add(self, first_line: int, lines: bytes, next_line: int) -> None:
        """One more piece: lines from the number ``first_line`` up to before ``next_line``."""
        self._pieces.append((first_line, lines, next_line))

    def line(self, number: int) -> bytes:
        """A line without its end; empty where it is not at hand."""
        found = next((piece for piece in reversed(self._pieces) if piece[0] <= number), None)
        if found is None:
            return b""
        if self._split[0] != found[0]:
            self._split = (found[0], found[1].split(b"\n"))
        lines = self._split[1]
        place = number - found[0]
        return lines[place].removesuffix(b"\r") if place < len(lines) else b""

    def forget(self, before: int) -> None:
        """Let go of pieces that end before a line."""
        while self._pieces and self._pieces[0][2] <= before:
            self._pieces.popleft()

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """All pieces as arrays, for a snapshot."""
        sizes = [len(lines) for _, lines, _ in self._pieces]
        return {
            "first": np.array([first for first, _, _ in self._pieces], np.int64),
            "next": np.array([following for _, _, following in self._pieces], np.int64),
            "sizes": np.array(sizes, np.int64),
            "bytes": np.frombuffer(b"".join(lines for _, lines, _ in self._pieces), np.uint8),
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what was exported."""
        data, place = arrays["bytes"].tobytes(), 0
        numbers = (arrays[name].tolist() for name in ("first", "next", "sizes"))
        for first, following, size in zip(*numbers, strict=True):
            self.add(first, data[place : place + size], following)
            place += size


class Source:
    """One source: where it is read on, and the lines that may still be asked for."""

    def __init__(self, file: SourceFile, index: int, position: int = 1) -> None:
        self.file = file
        self.index = index
        self.position = position
        """Number of the record that is read next."""
        self.newest = _NEVER
        """Newest time read so far."""
        self.started = False
        self.ended = False
        self.between = True
        """Whether ``position`` says all; not so among the events that a map sends ahead."""
        self.raw = RawLines()
        self.identity = identity_of(file)
        self._pieces: Iterator[Decoded] = iter(())
        self._piece: Decoded | None = None
        self._short = False
        self._at = 0
        self._rejected = 0

    def open(
        self, decoder: NdjsonDecoder, column_map: ColumnMap | None, batch: int, time_row: int
    ) -> None:
        """Make ready to read from ``position`` on, ``batch`` events at a time.

        Of a file that is read from its beginning a short piece is read first, and then it is opened
        again: many files may wait for their time, and each would keep a whole block.
        """
        self._decoder, self._map = decoder, column_map
        self._batch, self._time_row = batch, time_row
        self._short = self.position == 1 and self.file.name != STDIN and column_map is None
        self._pieces = self._read(_BLOCK_MIN if self._short else batch * _EVENT_BYTES)

    def _read(self, size: int) -> Iterator[Decoded]:
        return read_events(
            self.file,
            self._decoder,
            source_index=self.index,
            column_map=self._map,
            first_line=self.position,
            block_bytes=min(max(size, _BLOCK_MIN), _BLOCK_MAX),
        )

    def step(self) -> Slice | None:
        """The next slice, or None at the end."""
        if self._piece is None:
            if self._short and self.started:
                self._short = False
                self.close()
                self._pieces = self._read(self._batch * _EVENT_BYTES)
            self._piece = next(self._pieces, None)
            self.started = True
            if self._piece is None:
                self.ended = True
                return None
            if self._piece.lines:
                self.raw.add(self._piece.first_line, self._piece.lines, self._piece.next_line)
            self._at = self._rejected = 0
        return self._cut(self._piece)

    def close(self) -> None:
        """Let go of the file."""
        if isinstance(self._pieces, Generator):
            self._pieces.close()

    def _cut(self, piece: Decoded) -> Slice:
        batch, rejects = piece.batch, piece.rejects
        start, count = self._at, 0 if batch is None else batch.count
        # A little more than a batch goes whole: a rest of a few events would cost as much again.
        end = count if count - start <= self._batch * 3 // 2 else start + self._batch
        if batch is not None and end < count:
            following = int(batch.line[end])
            last = bisect_right(rejects, following - 1, key=lambda reject: reject.line)
            among = rejects[self._rejected : last]
            self._rejected, self._at = last, end
        else:
            among = rejects[self._rejected :]
            self._piece = None
            seen = [piece.next_line - 1] if batch is None or not count else [int(batch.line[-1])]
            following = max([*seen, *(reject.line for reject in rejects[-1:])]) + 1
        # Events that a map sends ahead stand before the first record and move nothing.
        self.between = piece.next_line > self.position
        if self.between:
            self.position = min(following, piece.next_line)
        made = None if batch is None or end == start else part_of(batch, start, end)
        if made is not None:
            self.newest = max(self.newest, int(made.columns[self._time_row, : made.count].max()))
        share = 1 if count == 0 else (end - start) / count
        return Slice(self.index, made, among, round(piece.size * share))


class Merge:
    """Sources read in turn, each time the one that lags behind most."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = list(sources)

    def next(self) -> Slice | int | None:
        """A slice; the index of a source that has ended; or None when all have."""
        open_ones = [source for source in self.sources if not source.ended]
        if not open_ones:
            return None
        source = min(open_ones, key=lambda s: (s.started, s.newest, s.index))
        found = source.step()
        return source.index if found is None else found

    def close(self) -> None:
        """Let go of all files."""
        for source in self.sources:
            source.close()

    def between(self) -> bool:
        """Whether a snapshot's positions would say all."""
        return all(source.between for source in self.sources)


def resolve_sources(
    given: Sequence[SourceFile], known: Sequence[dict[str, Any]]
) -> tuple[list[SourceFile | None], list[SourceFile]]:
    """For each source of a snapshot the file that was given again (or None), and the new files.

    Raises ``SnapshotError`` where one that was not read to its end is missing.
    """
    left = list(given)
    again: list[SourceFile | None] = []
    for entry in known:
        match = next((file for file in left if file.name == entry["name"]), None)
        if match is not None:
            left.remove(match)
            check_identity(match, entry["identity"])
        elif not entry["ended"]:
            raise SnapshotError(
                f"the snapshot has read {entry['name']} up to record {entry['position'] - 1}",
                hint="name that file too",
            )
        again.append(match)
    return again, left


def check_names(files: Sequence[SourceFile]) -> None:
    """Standard input can be read once."""
    if sum(file.name == STDIN for file in files) > 1:
        raise UsageError("standard input was named twice")
