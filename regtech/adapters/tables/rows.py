"""Rows of a table to a batch, traced back to where they came from.

Columns of text are taken straight into the columns of the batch; rows that need care, and rows of
CSV, are emitted as lines and decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from regtech.adapters.ndjson.assemble import put_spans
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.ndjson.layout import (
    GOOD,
    ID_LENGTH,
    LINE_NUMBER,
    LINE_STATUS,
    LINE_WORDS,
    MORE_ROOM,
    PERSONS_COUNT,
)
from regtech.adapters.tables.cells import FOUND_ROWS, FOUND_WORDS, Views
from regtech.adapters.tables.emit import (
    AT_BYTE,
    AT_LINE,
    AT_OUT,
    AT_ROW,
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
    csv_lines,
    view_lines,
)
from regtech.adapters.tables.layout import Layout
from regtech.adapters.tables.taking import take_views
from regtech.columns.batch import Batch, Bytes, Int64, Reject, UInt64
from regtech.columns.hashing import padded
from regtech.model.fields import EVENT_TYPES

_OUT_MIN = 1 << 20


class RowDecoder:
    """Decodes rows of one layout. Not for several threads."""

    def __init__(self, layout: Layout, decoder: NdjsonDecoder) -> None:
        self._layout = layout
        self._decoder = decoder
        columns = len(layout.rank)
        self._out: Bytes = np.zeros(_OUT_MIN, np.uint8)
        self._found: Int64 = np.zeros((FOUND_ROWS, columns + 1, FOUND_WORDS), np.int64)
        self._counts: Int64 = np.zeros(FOUND_ROWS, np.int64)
        self._state: Int64 = np.zeros(STATE_WORDS, np.int64)
        self._line_persons = np.zeros_like(decoder.workspace.person_codes)
        catalogue = decoder.workspace.catalogue
        self._steps: Int64 = np.array(
            [
                [catalogue.step_of(k, path) for path in layout.paths]
                for k in range(len(EVENT_TYPES))
            ],
            np.int64,
        ).reshape(len(EVENT_TYPES), -1)
        self._type_rank = layout.paths.index("type") if "type" in layout.paths else -1
        # A row with longer cells could become a line that is refused for its length.
        self._longest = (decoder.line_bytes_max - layout.overhead) // GROWTH

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
        self, cells: Views, numbers: Int64, source_name: str, source_index: int
    ) -> tuple[Batch, list[Reject]]:
        """Decode rows given as columns of text; row ``k`` is the record ``numbers[k]``."""
        space, count = self._decoder.workspace, len(numbers)
        columns = space.columns(count)
        lines = np.empty((count, LINE_WORDS), np.int64)
        lines[:, LINE_NUMBER] = numbers
        content = np.empty(count, np.uint64)
        self._take(cells, columns, lines, content)
        kept: Int64 = np.arange(count)
        unsure = np.flatnonzero(lines[:, LINE_STATUS] != GOOD)
        if not len(unsure):
            return space.batch(cells.text, columns, lines, content, kept, source_index), []
        # Decoding lines writes codes of persons too, and those that were taken are still needed.
        taken, space.person_codes = space.person_codes, self._line_persons
        rejects: list[Reject] = []
        late: list[tuple[Int64, Batch]] = []
        for batch, refused in self._lines(cells, numbers, lines, unsure, source_name, source_index):
            places = np.searchsorted(numbers, batch.line)
            known = len(space.fields)
            columns[:known, places] = batch.columns[:known, : batch.count]
            content[places] = batch.content
            lines[places, LINE_STATUS] = GOOD
            lines[places, ID_LENGTH] = np.diff(batch.id_offsets)
            lines[places, PERSONS_COUNT] = np.where(
                batch.person_given != 0, np.diff(batch.person_offsets), -1
            )
            late.append((places, batch))
            rejects += refused
        kept = np.flatnonzero(lines[:, LINE_STATUS] == GOOD)
        self._line_persons, space.person_codes = space.person_codes, taken
        made = space.batch(cells.text, columns, lines, content, kept, source_index)
        for places, batch in late:
            at = np.searchsorted(kept, places)
            put_spans(made.id_offsets, made.id_bytes, at, batch.id_offsets, batch.id_bytes)
            put_spans(
                made.person_offsets, made.person_values, at, batch.person_offsets,
                batch.person_values,
            )  # fmt: skip
        return made, rejects

    def _take(self, cells: Views, columns: Int64, lines: Int64, content: UInt64) -> None:
        """Take what needs no care; every row gets a line that is GOOD or UNSURE."""
        space, layout = self._decoder.workspace, self._layout
        space.begin(0, 1)
        flat = columns.reshape(-1)
        while (
            take_views(
                cells.text, cells.views, cells.bases, cells.scratch, cells.plain, len(lines),
                self._longest, columns.shape[1], layout.cells, self._steps, self._type_rank,
                space.tables, space.symbols.arrays(), space.persons.arrays(),
                (flat, lines, content, space.person_codes), space.work,
                self._found, self._counts, space.state,
            )
            == MORE_ROOM
        ):  # fmt: skip
            space.make_room()

    def _lines(
        self,
        cells: Views,
        numbers: Int64,
        lines: Int64,
        unsure: Int64,
        source_name: str,
        source_index: int,
    ) -> Iterator[tuple[Batch, list[Reject]]]:
        """The rows ``unsure`` by way of lines, as many at a time as there is room for."""
        state, layout = self._state, self._layout
        state[AT_ROW] = 0
        statuses = np.ascontiguousarray(lines[:, LINE_STATUS])
        while state[AT_ROW] < len(lines):
            before = int(state[AT_ROW])
            state[AT_OUT] = 0
            view_lines(
                cells.text, cells.views, cells.bases, cells.scratch, cells.plain, len(lines),
                layout.overhead, layout.cells, layout.nodes, layout.text, self._out, self._found,
                self._counts, statuses, state,
            )  # fmt: skip
            if state[AT_OUT] == 0 and state[AT_ROW] < len(lines):
                self._room(2 * len(self._out) + layout.overhead)  # one row that does not fit
                continue
            first, last = np.searchsorted(unsure, [before, int(state[AT_ROW])])
            if last > first:
                yield self._decode(numbers[unsure[first:last]], source_name, source_index)

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
