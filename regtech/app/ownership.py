"""Ownership events out of files into the graph: order, repeats, what could not be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from detectors.ownership.graph import OwnershipGraph
from detectors.ownership.observing import (
    OWNERSHIP_FIELDS,
    PARTY_FIELDS,
    note_party,
    observe_ownership,
)
from detectors.ownership.terms import Finding
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import SourceFile, describe_source, read_events
from regtech.adapters.tables.columnmap import load_column_map
from regtech.app.progress import NoProgress, Progress
from regtech.app.sources import check_names
from regtech.columns.batch import Batch, Reject
from regtech.columns.vocabulary import Vocabulary
from regtech.model.fields import NULL, all_fields
from regtech.reference.load import Reference

_PATHS: Final = ("id", "type", "time", "reporter", *OWNERSHIP_FIELDS, *PARTY_FIELDS)
_ROW: Final = {path: place for place, path in enumerate(_PATHS)}


@dataclass
class Loaded:
    """A graph and how it came about. ``newest_us``: time of the newest event used, or None."""

    graph: OwnershipGraph
    given: int = 0
    used: int = 0
    repeats: int = 0
    conflicts: int = 0
    rejects: list[Reject] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    newest_us: int | None = None
    files: list[str] = field(default_factory=list)

    def rejected(self) -> Counter[str]:
        """Records that could not be used, by reason."""
        return Counter(reject.code for reject in self.rejects)


def load_ownership(
    events: Sequence[str], *, map: str | None = None, progress: Progress | None = None
) -> Loaded:
    """Read ``ownership`` and ``party`` events of files, in canonical order, into a graph.

    Events of other types are passed over. Raises ``InputError`` where a file cannot be read.
    """
    told = progress or NoProgress()
    files = [describe_source(name) for name in events]
    check_names(files)
    reader = _Reader(map)
    told.stage("reading", sum(file.size or 0 for file in files) or None)
    for number, file in enumerate(files):
        reader.read(file, number, told)
    return reader.build()


class _Reader:
    def __init__(self, map: str | None) -> None:
        table = Reference.shipped().currencies
        currencies = {code: (table[code].index, table[code].exponent) for code in table.codes}
        known = all_fields()
        self._words = Vocabulary()
        fields = [known[path] for path in _PATHS]
        self._decoder = NdjsonDecoder(fields, self._words, Vocabulary(), currencies)
        self._map = None if map is None else load_column_map(map)
        self._types = {self._words.code_of(name) for name in ("ownership", "party")}
        self._rows: list[tuple[Any, ...]] = []
        self._texts: dict[int, str] = {}
        self.loaded = Loaded(OwnershipGraph())

    def read(self, file: SourceFile, number: int, told: Progress) -> None:
        """Take in one file."""
        self.loaded.files.append(file.name)
        for piece in read_events(file, self._decoder, source_index=number, column_map=self._map):
            self.loaded.rejects += piece.rejects
            self.loaded.given += len(piece.rejects)
            if piece.batch is not None:
                self._keep(piece.batch, file.name)
            told.advance(piece.size)

    def _text(self, code: int) -> str:
        text = self._texts.get(code)
        if text is None:
            text = self._texts[code] = self._words.text(code)
        return text

    def _keep(self, batch: Batch, name: str) -> None:
        self.loaded.given += batch.count
        columns = batch.columns[:, : batch.count].T.tolist()
        ids, offsets = batch.id_bytes.tobytes(), batch.id_offsets.tolist()
        content, lines = batch.content.tolist(), batch.line.tolist()
        for place, row in enumerate(columns):
            if row[_ROW["type"]] not in self._types:
                continue
            identity = ids[offsets[place] : offsets[place + 1]]
            reporter = self._text(row[_ROW["reporter"]])
            key = (row[_ROW["time"]], reporter.encode(), identity, content[place])
            self._rows.append((key, row, f"{name}:{lines[place]}"))

    def build(self) -> Loaded:
        """The graph of all that was read."""
        loaded, seen = self.loaded, dict[tuple[bytes, bytes], int]()
        for key, row, place in sorted(self._rows, key=lambda entry: (entry[0], entry[2])):
            time_us, reporter, identity, content = key
            known = seen.get((reporter, identity))
            if known is not None:
                loaded.repeats += known == content
                loaded.conflicts += known != content
                continue
            seen[reporter, identity] = content
            loaded.newest_us = time_us
            loaded.used += 1
            ref = f"{reporter.decode()}/{identity.decode()} {place}"
            self._observe(time_us, row, ref)
        self._rows.clear()
        return loaded

    def _observe(self, time_us: int, row: list[int], ref: str) -> None:
        graph = self.loaded.graph
        if self._text(row[_ROW["type"]]) == "party":
            party, kind, flags = (row[_ROW[path]] for path in PARTY_FIELDS)
            name = "" if party == NULL else self._text(party)
            note_party(graph, time_us, name, kind, flags, self._text)
            return
        told = [row[_ROW[path]] for path in OWNERSHIP_FIELDS]
        self.loaded.findings += observe_ownership(graph, time_us, told, self._text, ref)
