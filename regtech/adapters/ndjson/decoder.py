"""NDJSON bytes to a batch of columns and a list of rejected lines.

Every line ends in exactly one of three ways: accepted, rejected with a reason, or blank. A fast
path in compiled kernels takes the lines that are right; whatever it is not sure of goes through the
strict path, which accepts or rejects it and defines what is right.

What is checked does not depend on the fields that are asked for: every field that the event's type
knows must have a value of its kind, and every other part of the line must be valid JSON without
repeated keys. The fields that are asked for only decide which columns are filled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from regtech.adapters.ndjson.layout import (
    AT_PERSON,
    AT_ROW,
    DONE,
    GOOD,
    ID_LENGTH,
    ID_START,
    LINE_END,
    LINE_NUMBER,
    LINE_START,
    LINE_STATUS,
    LINE_WORDS,
    PERSONS_COUNT,
    PERSONS_START,
)
from regtech.adapters.ndjson.strict import StrictReader
from regtech.adapters.ndjson.walk import decode_lines
from regtech.adapters.ndjson.workspace import Workspace
from regtech.adapters.record import RecordFault
from regtech.columns.batch import Batch, Bytes, Int64, Reject, UInt64
from regtech.columns.memory import PADDING
from regtech.columns.vocabulary import Vocabulary
from regtech.model.fields import NULL, Field

BOM = b"\xef\xbb\xbf"
LINE_BYTES_MAX = 1 << 20
"""Default limit of a line's length in bytes, without its newline."""


class NdjsonDecoder:
    """Decodes lines of one run. Not safe for use by two threads at once.

    ``fields`` are the rows of ``Batch.columns``, in that order. A ``PERSONS`` field's row holds the
    number of persons listed; without such a field the persons lists of the batch stay empty.
    ``currencies`` gives index and decimals of every known currency or virtual asset. ``extra_rows``
    more rows are left empty in ``Batch.columns`` for the next in line, and up to ``spare`` more
    places are left unwritten. ``kept``: paths of texts that are kept as symbols, not as hashes.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        symbols: Vocabulary,
        persons: Vocabulary,
        currencies: Mapping[str, tuple[int, int]],
        *,
        line_bytes_max: int = LINE_BYTES_MAX,
        extra_rows: int = 0,
        spare: int = 0,
        kept: Collection[str] = (),
    ) -> None:
        self.strict_lines = 0
        """Lines so far that took the strict path, some fifty times slower than the fast one."""
        self.line_bytes_max = line_bytes_max
        self.workspace = Workspace(fields, symbols, persons, currencies, extra_rows, spare, kept)
        """What readers of tables share with it, which decode cells in place of lines."""
        self._strict = StrictReader(currencies, line_bytes_max=line_bytes_max, kept=kept)
        self._rows = {field.path: k for k, field in enumerate(self.workspace.fields)}
        self._text = np.zeros(PADDING, np.uint8)

    def decode(
        self,
        data: bytes | bytearray | memoryview,
        first_line: int = 1,
        source_name: str = "",
        source_index: int = 0,
        final: bool = True,
        lines_max: int | None = None,
        room: memoryview | None = None,
    ) -> tuple[Batch, list[Reject], int]:
        """Decode whole lines; (events in order, rejected lines in order, bytes consumed).

        ``first_line`` is the number of the first line of ``data``, ``lines_max`` how many there are
        at most, for a caller who has counted them. ``room``: memory that begins with the same bytes
        and has ``PADDING`` more, which is written to; without it they are copied. A last line
        without a newline is decoded only when ``final``, and otherwise left for the next call. A
        byte order mark is skipped at the start of line 1. Never raises for bad input.
        """
        view = memoryview(data).cast("B")
        whole = np.frombuffer(view, np.uint8)
        consumed = len(view)
        if not final:
            consumed = _last_newline(view) + 1
        start = len(BOM) if first_line == 1 and bytes(view[: len(BOM)]) == BOM else 0
        text = self._load(whole, consumed) if room is None else np.frombuffer(room, np.uint8)
        capacity = lines_max
        if capacity is None:
            capacity = int(np.count_nonzero(text[start:consumed] == 10)) + 1
        columns = self.workspace.columns(capacity)
        lines = np.empty((capacity, LINE_WORDS), np.int64)
        content = np.empty(capacity, np.uint64)
        count = self._walk(text, start, consumed, first_line, columns, lines, content)
        kept = np.arange(count)
        rejects: list[Reject] = []
        unsure = np.flatnonzero(lines[:count, LINE_STATUS] != GOOD)
        if len(unsure):
            self.strict_lines += len(unsure)
            for row in unsure.tolist():
                raw = bytes(view[int(lines[row, LINE_START]) : int(lines[row, LINE_END])])
                reject = self._decide(row, raw, text, columns, lines, content, source_name)
                if reject is not None:
                    rejects.append(reject)
            kept = np.flatnonzero(lines[:count, LINE_STATUS] == GOOD)
        batch = self.workspace.batch(text, columns, lines, content, kept, source_index)
        return batch, rejects, consumed

    def _load(self, whole: np.ndarray[tuple[int], np.dtype[np.uint8]], size: int) -> Bytes:
        """The input in the decoder's own padded buffer, which the kernels may write to."""
        if len(self._text) < size + PADDING:
            self._text = np.zeros(max(size + PADDING, 2 * len(self._text)), np.uint8)
        self._text[:size] = whole[:size]
        self._text[size : size + PADDING] = 0
        return self._text

    def _walk(
        self,
        text: Bytes,
        start: int,
        end: int,
        first_line: int,
        columns: Int64,
        lines: Int64,
        content: UInt64,
    ) -> int:
        """Run the fast path over all lines, making room whenever it asks; number of lines."""
        space = self.workspace
        space.begin(start, first_line)
        flat = columns.reshape(-1)
        while True:
            answer = decode_lines(
                text,
                end,
                self.line_bytes_max,
                columns.shape[1],
                space.tables,
                space.symbols.arrays(),
                space.persons.arrays(),
                (flat, lines, content, space.person_codes),
                space.work,
                space.state,
            )
            if answer == DONE:
                return int(space.state[AT_ROW])
            space.make_room()

    def _decide(
        self,
        row: int,
        raw: bytes,
        text: Bytes,
        columns: Int64,
        lines: Int64,
        content: UInt64,
        source_name: str,
    ) -> Reject | None:
        """Judge a line by the strict path; fill its row, or say why not."""
        columns[:, row] = NULL
        lines[row, PERSONS_COUNT] = -1
        try:
            record = self._strict.read(raw)
        except RecordFault as fault:
            return Reject(
                source=source_name,
                line=int(lines[row, LINE_NUMBER]),
                field=fault.field,
                code=fault.code,
                found=fault.found,
                expected=fault.expected,
                raw=raw if len(raw) <= self.line_bytes_max else raw[: self.line_bytes_max],
            )
        lines[row, LINE_STATUS] = GOOD
        content[row] = record.content
        # The line has been read: its place in the buffer holds its id from here on.
        lines[row, ID_START], lines[row, ID_LENGTH] = lines[row, LINE_START], len(record.event_id)
        start = int(lines[row, LINE_START])
        text[start : start + len(record.event_id)] = np.frombuffer(record.event_id, np.uint8)
        space = self.workspace
        for path, value in record.values.items():
            column = self._rows.get(path)
            if column is None:
                continue
            if isinstance(value, str):
                columns[column, row] = space.symbols.code_of(value)
            elif isinstance(value, tuple):
                space.room_for_persons(len(value))
                first = int(space.state[AT_PERSON])
                space.person_codes[first : first + len(value)] = space.persons.codes_of(value)
                space.state[AT_PERSON] = first + len(value)
                lines[row, PERSONS_START], lines[row, PERSONS_COUNT] = first, len(value)
                columns[column, row] = len(value)
            else:
                columns[column, row] = value
        return None


def _last_newline(view: memoryview) -> int:
    """Place of the last newline, or -1; looked for from the end, in steps."""
    end = len(view)
    while end > 0:
        start = max(0, end - 4096)
        found = bytes(view[start:end]).rfind(b"\n")
        if found >= 0:
            return start + found
        end = start
    return -1
