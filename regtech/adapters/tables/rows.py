"""Rows of a table to a batch: emitted as lines, decoded, traced back to where they came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.tables.emit import (
    AT_BYTE,
    AT_LINE,
    AT_OUT,
    AT_ROW,
    FOUND_WORDS,
    GROWTH,
    ROW_CELLS,
    ROW_END,
    ROW_FOUND,
    ROW_GOOD,
    ROW_LINE,
    ROW_LONG,
    ROW_START,
    ROW_STATUS,
    ROW_WORDS,
    STATE_WORDS,
    column_lines,
    csv_lines,
    view_lines,
)
from regtech.adapters.tables.layout import Layout
from regtech.columns.batch import Batch, Bytes, Int64, Reject
from regtech.columns.hashing import padded
from regtech.columns.memory import PADDING

_OUT_MIN = 1 << 20
_BLOCK_ROWS = 64  # rows whose cells are found at a time; their lists stay in the cache


@dataclass(frozen=True, slots=True)
class Spans:
    """Cells as columns: cell (column, row) is ``text[first[column, row]:last[column, row]]``."""

    text: Bytes
    first: Int64
    last: Int64


@dataclass(frozen=True, slots=True)
class Views:
    """Cells as Arrow string views, see ``view_lines``."""

    text: Bytes
    views: Int64
    bases: Int64

    def part(self, start: int) -> Views:
        """The same cells without the first ``start`` rows."""
        views = self.views.copy()
        full = views[:, 0] >= 0
        views[full, 0] += 16 * start
        views[full, 2] += start
        return Views(self.text, views, self.bases)


class RowDecoder:
    """Decodes rows of one layout. Not for several threads."""

    def __init__(self, layout: Layout, decoder: NdjsonDecoder) -> None:
        self._layout = layout
        self._decoder = decoder
        columns = len(layout.rank)
        self._out: Bytes = np.zeros(_OUT_MIN, np.uint8)
        self._found: Int64 = np.zeros((_BLOCK_ROWS, columns + 1, FOUND_WORDS), np.int64)
        self._counts: Int64 = np.zeros(_BLOCK_ROWS, np.int64)
        self._state: Int64 = np.zeros(STATE_WORDS, np.int64)

    def _room(self, size: int) -> None:
        if len(self._out) < size:
            self._out = np.zeros(size, np.uint8)

    def decode_csv(
        self,
        data: bytes,
        first_line: int,
        separator: str,
        line_bytes_max: int,
        source_name: str,
        source_index: int,
    ) -> Iterator[tuple[Batch, list[Reject]]]:
        """Decode whole lines of CSV, the first of which has the number ``first_line``."""
        text = padded(data)
        state, layout = self._state, self._layout
        count = data.count(b"\n") + 1
        rows = np.empty((count, ROW_WORDS), np.int64)
        # Twice the input is enough for most; a row that needs more has at least its own worst case.
        longest = min(line_bytes_max, len(data))
        self._room(2 * len(data) + min(count, 4096) * layout.overhead + GROWTH * longest)
        state[AT_BYTE], state[AT_LINE] = 0, first_line
        while state[AT_BYTE] < len(data):
            state[AT_ROW], state[AT_OUT] = 0, 0
            before = int(state[AT_BYTE])
            csv_lines(
                text, len(data), ord(separator), line_bytes_max, layout.overhead, layout.ordered,
                layout.rank, layout.cells, layout.nodes, layout.text, rows, self._out,
                self._found[0], state,
            )  # fmt: skip
            assert state[AT_BYTE] > before, "a row did not fit its buffer"
            seen = rows[: int(state[AT_ROW])]
            good = seen[seen[:, ROW_STATUS] == ROW_GOOD]
            rejects = [
                _csv_reject(row, data, len(layout.rank), line_bytes_max, source_name)
                for row in seen[seen[:, ROW_STATUS] != ROW_GOOD].tolist()
            ]
            batch, refused = self._decode(good[:, ROW_LINE], source_name, source_index)
            spans = {int(row[ROW_LINE]): row for row in good.tolist()} if refused else {}
            for reject in refused:
                row = spans[reject.line]
                rejects.append(replace(reject, raw=data[row[ROW_START] : row[ROW_END]]))
            yield batch, sorted(rejects, key=lambda reject: reject.line)

    def decode_columns(
        self, cells: Spans | Views, numbers: Int64, source_name: str, source_index: int
    ) -> Iterator[tuple[Batch, list[Reject]]]:
        """Decode rows given as columns of text; row ``k`` is the record ``numbers[k]``."""
        count = len(numbers)
        state, layout = self._state, self._layout
        rest = (
            count, layout.overhead, layout.cells, layout.nodes, layout.text, self._out,
            self._found, self._counts, state,
        )  # fmt: skip
        state[AT_ROW] = 0
        while state[AT_ROW] < count:
            before = int(state[AT_ROW])
            state[AT_OUT] = 0
            if isinstance(cells, Views):
                view_lines(cells.text, cells.views, cells.bases, *rest)
            else:
                column_lines(cells.text, cells.first, cells.last, *rest)
            after = int(state[AT_ROW])
            if after == before:
                self._room(2 * len(self._out) + layout.overhead)  # one row that does not fit
                rest = (*rest[:5], self._out, *rest[6:])
                continue
            yield self._decode(numbers[before:after], source_name, source_index)

    def _decode(
        self, numbers: Int64, source_name: str, source_index: int
    ) -> tuple[Batch, list[Reject]]:
        """Decode what was emitted; its line ``k`` is the record with the number ``numbers[k]``."""
        lines = self._out[: int(self._state[AT_OUT])].data
        batch, rejects, _ = self._decoder.decode(
            lines, first_line=1, source_name=source_name, source_index=source_index
        )
        batch.line = numbers[batch.line - 1]
        return batch, [replace(r, line=int(numbers[r.line - 1])) for r in rejects]


def _csv_reject(
    row: Sequence[int], data: bytes, cells: int, line_bytes_max: int, source_name: str
) -> Reject:
    raw = data[row[ROW_START] : row[ROW_END]]
    code, expected = "columns", f"{cells} cells"
    if row[ROW_STATUS] == ROW_CELLS:
        found = f"{row[ROW_FOUND]} cells"
    elif row[ROW_STATUS] == ROW_LONG:
        code, found = "too_long", f"{len(raw)} bytes"
        expected = f"at most {line_bytes_max} bytes"
        raw = raw[:line_bytes_max]
    else:
        found = f"a quote in cell {row[ROW_FOUND] + 1} that does not end with it"
    return Reject(source_name, row[ROW_LINE], "", code, found, expected, raw)


def spans_of(columns: Sequence[tuple[Int64, Bytes]]) -> Spans:
    """One buffer and the spans in it, from (offsets, bytes) of each column."""
    count = len(columns[0][0]) - 1 if columns else 0
    size = sum(int(offsets[-1] - offsets[0]) for offsets, _ in columns)
    spans = Spans(
        np.zeros(size + PADDING, np.uint8),
        np.zeros((len(columns), count), np.int64),
        np.zeros((len(columns), count), np.int64),
    )
    place = 0
    for k, (offsets, data) in enumerate(columns):
        first, last = int(offsets[0]), int(offsets[-1])
        spans.text[place : place + last - first] = data[first:last]
        np.add(offsets[:-1], place - first, out=spans.first[k])
        np.add(offsets[1:], place - first, out=spans.last[k])
        place += last - first
    return spans
