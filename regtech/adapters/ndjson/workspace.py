"""What all ways of decoding events have in common: tables, vocabularies, scratch, and batches.

Lines of NDJSON and cells of tables fill the same columns by the same kernels (``take``), one event
after the other; here is what these kernels are given, and how a batch is made of what they leave.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from regtech.adapters.ndjson.assemble import gather, sizes
from regtech.adapters.ndjson.catalogue import build_catalogue
from regtech.adapters.ndjson.layout import (
    AT_BYTE,
    AT_LINE,
    AT_PERSON,
    AT_ROW,
    DEPTH_MAX,
    EVENT_WORDS,
    FRAME,
    INDEX_SIZE,
    LOG_BYTES,
    LOG_ENTRIES,
    STATE_WORDS,
)
from regtech.columns.batch import Batch, Bytes, Int64, UInt64
from regtech.columns.lending import Lender
from regtech.columns.vocabulary import Vocabulary
from regtech.columns.vocabulary_kernels import LOG_WORDS
from regtech.model.fields import NULL, Field


class Workspace:
    """Arrays for the kernels of one decoder. Not for several threads.

    ``fields``, ``extra_rows`` and ``spare`` as in ``NdjsonDecoder``.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        symbols: Vocabulary,
        persons: Vocabulary,
        currencies: Mapping[str, tuple[int, int]],
        extra_rows: int,
        spare: int,
        kept: Collection[str],
    ) -> None:
        self.fields = tuple(fields)
        self.symbols = symbols
        self.persons = persons
        self.catalogue = made = build_catalogue(fields, symbols, currencies, kept)
        self.tables = (
            made.keys,
            made.steps,
            made.leaves,
            made.context_id,
            made.words,
            made.word_values,
            made.word_bytes,
            made.needs,
            made.data_leaves,
        )
        self.work = (
            np.zeros((LOG_ENTRIES, LOG_WORDS), np.uint64),
            np.zeros((LOG_ENTRIES, LOG_WORDS), np.uint64),
            np.zeros(INDEX_SIZE, np.int64),
            np.zeros(DEPTH_MAX * FRAME, np.int64),
            np.zeros(EVENT_WORDS, np.int64),
        )
        self.state: Int64 = np.zeros(STATE_WORDS, np.int64)
        self.person_codes: Int64 = np.zeros(2 * LOG_ENTRIES, np.int64)
        self._rows, self._spare = len(self.fields) + extra_rows, spare
        self._lender = Lender()

    def begin(self, byte: int, line: int) -> None:
        """Say where a run of the kernel starts."""
        state = self.state
        state[AT_BYTE], state[AT_LINE], state[AT_ROW], state[AT_PERSON] = byte, line, 0, 0

    def columns(self, capacity: int) -> Int64:
        """Columns for so many events, all missing; who uses the spare places fills them."""
        columns = self._lender.lend(self._rows, capacity + min(self._spare, capacity))
        columns[:, :capacity] = NULL
        return columns

    def make_room(self) -> None:
        """Room for one more block of events, when a kernel asks for it."""
        self.symbols.reserve(LOG_ENTRIES, LOG_BYTES)
        self.persons.reserve(LOG_ENTRIES, LOG_BYTES)
        self.room_for_persons(LOG_ENTRIES)

    def room_for_persons(self, count: int) -> None:
        """Room for the codes of so many more persons."""
        used = int(self.state[AT_PERSON])
        if used + count > len(self.person_codes):
            longer = np.zeros(max(2 * len(self.person_codes), used + count), np.int64)
            longer[:used] = self.person_codes[:used]
            self.person_codes = longer

    def batch(
        self,
        text: Bytes,
        columns: Int64,
        lines: Int64,
        content: UInt64,
        kept: Int64,
        source_index: int,
    ) -> Batch:
        """The events of the lines ``kept`` (places in ``lines``, ascending)."""
        count = len(kept)
        if count != len(content):
            content = content[kept]
            if count == 0 or int(kept[-1]) != count - 1:
                columns = columns[:, kept]
        batch = Batch(
            count=count,
            columns=columns,
            person_offsets=np.empty(count + 1, np.int64),
            person_values=np.empty(0, np.int64),
            person_given=np.empty(count, np.uint8),
            id_offsets=np.empty(count + 1, np.int64),
            id_bytes=np.empty(0, np.uint8),
            content=content,
            line=np.empty(count, np.int64),
            source=source_index,
        )
        sizes(lines, kept, count, batch.id_offsets, batch.person_offsets)
        batch.id_bytes = np.empty(batch.id_offsets[count], np.uint8)
        batch.person_values = np.empty(batch.person_offsets[count], np.int64)
        gather(
            text,
            lines,
            kept,
            count,
            self.person_codes,
            batch.id_offsets,
            batch.id_bytes,
            batch.person_offsets,
            batch.person_values,
            batch.person_given,
            batch.line,
        )
        return batch
