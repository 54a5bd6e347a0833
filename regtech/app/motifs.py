"""``regtech motifs``: files of events in, motifs of the network of payments out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from detectors.graph.motifs import Finding, Motifs
from detectors.graph.spec import MEMORY_US, chosen
from regtech.adapters.committed import CommittedFile
from regtech.adapters.quarantine import QuarantineFile
from regtech.adapters.sources import SourceFile, describe_source
from regtech.adapters.tables.columnmap import load_column_map
from regtech.app.payments import PaymentStream, Piece
from regtech.app.progress import NoProgress, Progress
from regtech.app.run import Outputs
from regtech.app.sources import check_names
from regtech.clock import Clock, SystemClock
from regtech.reference.civil import time_text
from regtech.reference.load import Reference

_BATCH: Final = 4096


@dataclass(slots=True)
class MotifSummary:
    """What was found: motifs by type, each counted once however it grew."""

    events: int = 0
    payments: int = 0
    other: int = 0
    again: int = 0
    repeats: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    motifs: dict[str, int] = field(default_factory=dict)
    told: int = 0
    accounts: int = 0
    cut: dict[str, int] = field(default_factory=dict)
    digest: str = ""
    seconds: float = 0.0
    out: str = ""
    quarantine: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data, keys in a stable order."""
        return {name: getattr(self, name) for name in self.__slots__}


def motifs_command(
    *,
    events: tuple[str, ...],
    types: tuple[str, ...] = (),
    changes: Mapping[str, Mapping[str, int]] | None = None,
    out: str = "motifs.ndjson",
    quarantine: str | None = None,
    map: str | None = None,
    lateness: int = 600_000_000,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> MotifSummary:
    """Look for motifs; ``types``: which, all where none is named; ``changes``: parameters by type;
    ``lateness`` in microseconds.

    Raises ``UsageError``, ``InputError`` or ``StoreError``; then no file bears the name of a
    finished one.
    """
    specs = chosen(types, _changes(map, changes or {}))
    outputs = Outputs.beside(out, quarantine, False)
    outputs.check(events)
    clock, told = clock or SystemClock(), progress or NoProgress()
    began = clock.elapsed()
    files = [describe_source(name) for name in events]
    check_names(files)
    reference = Reference.shipped()
    stream = PaymentStream(
        files, column_map=map, batch=_BATCH, lateness_us=lateness, reference=reference
    )
    told.stage("looking for motifs", _total(files))
    writer = _Writer(Motifs(specs, memory_us=MEMORY_US), stream, outputs)
    try:
        for piece in stream.pieces():
            writer.take(piece)
            told.advance(piece.size, f"{stream.counts.given:,} events, {writer.told:,} motifs")
        return writer.finish(clock.elapsed() - began)
    except BaseException:
        writer.abandon()
        raise
    finally:
        stream.close()


def _changes(
    map: str | None, given: Mapping[str, Mapping[str, int]]
) -> Mapping[str, Mapping[str, int]]:
    """Parameters that fit the source, and over them those that were asked for."""
    found = {} if map is None else {k: dict(v) for k, v in load_column_map(map).motifs.items()}
    for kind, values in given.items():
        found.setdefault(kind, {}).update(values)
    return found


def _total(files: list[SourceFile]) -> int | None:
    sizes = [file.size for file in files]
    return None if None in sizes else sum(size for size in sizes if size)


class _Writer:
    """From payments to lines."""

    def __init__(self, motifs: Motifs, stream: PaymentStream, outputs: Outputs) -> None:
        self._motifs, self._stream, self._outputs = motifs, stream, outputs
        self._ids: list[str] = []
        self._reporters: list[int] = []
        self._found: Counter[str] = Counter()
        self._accounts: set[int] = set()
        self.told = 0
        self._file = CommittedFile(outputs.alerts, "motifs")
        try:
            self._quarantine = QuarantineFile(outputs.quarantine)
        except BaseException:
            self._file.abandon()
            raise

    def take(self, piece: Piece) -> None:
        """Look at a piece, and write what it completes."""
        self._quarantine.write(piece.rejects)
        self._ids += piece.ids
        self._reporters += piece.reporters.tolist()
        for finding in self._motifs.observe(piece.payments):
            self.told += 1
            self._found[finding.type] += finding.step == 0
            self._accounts.update(finding.accounts)
            line = json.dumps(self._written(finding), ensure_ascii=False, separators=(",", ":"))
            self._file.write(line.encode() + b"\n")

    def _written(self, finding: Finding) -> dict[str, Any]:
        words = self._stream.vocabulary
        kind, anchor, first = finding.key
        named = words.text(anchor) if anchor >= 0 else ""
        parts = (kind, named, words.text(self._reporters[first]), self._ids[first])
        begin, end = finding.span_us
        return {
            "id": hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32],
            "type": kind,
            "step": finding.step,
            "time": time_text(finding.time_us),
            "accounts": words.texts(finding.accounts),
            "events": [self._ids[number] for number in finding.events],
            "span": {"from": time_text(begin), "to": time_text(end)},
            "measures": finding.measures,
            "cut": finding.cut,
            "payments": [self._payment(payment) for payment in finding.payments],
        }

    def _payment(self, payment: tuple[int, ...]) -> dict[str, str]:
        event, payer, payee, time_us, amount, currency = payment
        words, table = self._stream.vocabulary, self._stream.currencies
        code = table.at(currency).code
        return {
            "event": self._ids[event],
            "reporter": words.text(self._reporters[event]),
            "payer": words.text(payer),
            "payee": words.text(payee),
            "time": time_text(time_us),
            "amount": table.format(amount, code),
            "currency": code,
        }

    def finish(self, seconds: float) -> MotifSummary:
        """Close the files and sum up."""
        digest = self._file.close().digest
        self._quarantine.close()
        counts = self._stream.counts
        return MotifSummary(
            events=counts.given,
            payments=counts.payments,
            other=counts.other,
            again=counts.again,
            repeats=counts.repeats,
            quarantined=dict(counts.rejected),
            motifs={spec.type: self._found[spec.type] for spec in self._motifs.specs},
            told=self.told,
            accounts=len(self._accounts),
            cut={name: n for name, n in self._motifs.cuts().items() if n},
            digest=digest,
            seconds=seconds,
            out=self._outputs.alerts,
            quarantine=self._outputs.quarantine,
        )

    def abandon(self) -> None:
        """The unclean end: nothing gets the name of a finished file."""
        self._file.abandon()
        self._quarantine.abandon()
