"""Payments out of files of events, in canonical order and each once, for the detectors.

What is not a payment is passed over, except that ``party`` events tell countries and institutions.
A payment without payer or payee (a cash deposit, a withdrawal) is no edge of a network. The same
payment from two reporters (same reference, amount and parties) is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.graph.motifs import Payments
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import SourceFile
from regtech.adapters.tables.columnmap import load_column_map
from regtech.app.sources import Merge, Source
from regtech.columns.batch import Reject
from regtech.columns.vocabulary import Vocabulary
from regtech.engine.arrays import Table
from regtech.engine.block import Sequence
from regtech.engine.columns import ColumnRegistry
from regtech.engine.intake import DEDUPE_DAYS, Intake
from regtech.engine.kernels.order import NEW, identify
from regtech.engine.kernels.tables import DESCRIPTOR_WORDS
from regtech.engine.plan import DAY_US
from regtech.model.fields import EVENT_TYPES, NULL
from regtech.model.quarantine import REASONS
from regtech.reference.load import Reference
from regtech.reference.rates import round_half_even

Int64 = npt.NDArray[np.int64]
_TRANSACTION: Final = EVENT_TYPES.index("transaction")
_PARTY: Final = EVENT_TYPES.index("party")
_FACTS: Final = ("country", "institution")
COMMON_CURRENCY: Final = "USD"
"""Amounts in different currencies are compared by their value in this one."""


@dataclass(slots=True)
class Counts:
    """What was given and what became of it."""

    given: int = 0
    payments: int = 0
    other: int = 0
    """Events of other types, and payments without a payer or a payee."""
    again: int = 0
    """Payments that another reporter had sent already."""
    repeats: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some payments, their ids and reporters, and records that could not be used."""

    payments: Payments
    ids: list[str]
    reporters: Int64
    rejects: list[Reject]
    size: int


class PaymentStream:
    """Payments of several sources. ``vocabulary`` names the codes of parties and countries."""

    def __init__(
        self,
        files: list[SourceFile],
        *,
        column_map: str | None,
        batch: int,
        lateness_us: int,
        reference: Reference,
    ) -> None:
        self.vocabulary = Vocabulary()
        self.vocabulary.codes_of(EVENT_TYPES)
        self.counts = Counts()
        self._reference = reference
        self.currencies = reference.currencies
        self._files = files
        self._columns = _registry()
        self._index = self._columns.index
        tables = np.zeros((2, DESCRIPTOR_WORDS), np.int64)
        self._seen = Table(tables[1], 4)
        self._intake = Intake(
            self._columns, self.vocabulary, Table(tables[0], 4), lateness_us, len(files)
        )
        self._facts: dict[str, dict[int, int]] = {name: {} for name in _FACTS}
        currencies = reference.currencies
        codes = {code: (currencies[code].index, currencies[code].exponent)
                 for code in currencies.codes}  # fmt: skip
        decoder = NdjsonDecoder(self._columns.decoded(), self.vocabulary, Vocabulary(), codes)
        made = None if column_map is None else load_column_map(column_map)
        self._sources = [Source(file, index) for index, file in enumerate(files)]
        self._merge = Merge(self._sources)
        for source in self._sources:
            source.open(decoder, made, batch, self._index["time"])
        self._rates: dict[tuple[int, int], tuple[int, int] | None] = {}

    def close(self) -> None:
        """Let go of all files."""
        self._merge.close()

    def pieces(self) -> Iterator[Piece]:
        """All payments in canonical order, piece by piece."""
        while (found := self._merge.next()) is not None:
            if isinstance(found, int):
                self._intake.close(found)
                yield from self._released([], 0)
                continue
            self.counts.given += len(found.rejects)
            if found.batch is not None:
                self.counts.given += found.batch.count
                self._intake.push(found.batch)
            yield from self._released(found.rejects, found.size)

    def _released(self, rejects: list[Reject], size: int) -> Iterator[Piece]:
        released = self._intake.take()
        rejects = [*rejects, *self._set_aside()]
        for reject in rejects:
            self.counts.rejected[reject.code] += 1
        self.counts.repeats = self._intake.repeats
        none = np.zeros(0, np.int64)
        yield Piece(Payments(none, none, none, none, none), [], none, rejects, size)
        for events in released:
            order = self._edges(events)
            yield self._piece(Sequence(events.block, order), [], 0)

    def _set_aside(self) -> list[Reject]:
        """Late and conflicting events as records of the quarantine."""
        made = []
        for event in self._intake.set_aside:
            raw = self._sources[event.source].raw.line(event.line)
            place = "time" if event.code == "late" else "id"
            name, why = self._files[event.source].name, REASONS[event.code]
            made.append(Reject(name, event.line, place, event.code, event.id, why, raw))
        self._intake.set_aside = []
        least = self._intake.first_lines(len(self._sources))
        for source in self._merge.sources:
            source.raw.forget(min(int(least[source.index]), source.position))
        return made

    # --- which events are edges

    def _edges(self, events: Sequence) -> Int64:
        """Places of the payments between two parties, with facts filled in."""
        columns, order = events.block.columns, events.order
        types = columns[self._index["type"]][order]
        self._fill(columns, order, types)
        payer, payee = (columns[self._index[f"{side}.id"]][order] for side in ("payer", "payee"))
        edges: Int64 = order[(types == _TRANSACTION) & (payer != NULL) & (payee != NULL)]
        self.counts.other += len(order) - len(edges)
        if not len(edges):
            return edges
        again = self._again(columns, edges)
        self.counts.again += int(again.sum())
        edges = np.compress(~again, edges)
        self.counts.payments += len(edges)
        return edges

    def _fill(self, columns: Int64, order: Int64, types: Int64) -> None:
        """Facts of ``party`` events hold from their place on for what a payment leaves out."""
        start = 0
        for place in [*np.flatnonzero(types == _PARTY).tolist(), len(order)]:
            between = order[start:place]
            for name in _FACTS if len(between) else ():
                known = self._facts[name]
                for side in ("payer", "payee"):
                    values = columns[self._index[f"{side}.{name}"]]
                    missing = between[values[between] == NULL]
                    ids = columns[self._index[f"{side}.id"]][missing].tolist()
                    if known and len(missing):
                        values[missing] = [known.get(i, NULL) for i in ids]
            if place < len(order):
                at = order[place]
                party = int(columns[self._index["party.id"], at])
                for name in _FACTS:
                    value = int(columns[self._index[f"party.{name}"], at])
                    if value != NULL:
                        self._facts[name][party] = value
            start = place + 1

    def _again(self, columns: Int64, edges: Int64) -> npt.NDArray[np.bool_]:
        """Which of them were sent before, by whomever."""
        found = np.zeros(len(edges), np.bool_)
        referred = np.flatnonzero(columns[self._index["reference"]][edges] != NULL)
        if not len(referred):
            return found
        a = np.full(len(referred), 0x51ED270B, np.uint64)
        b = np.full(len(referred), 0x2545F491, np.uint64)
        for path in ("reference", "amount", "currency", "payer.id", "payee.id"):
            word = columns[self._index[path]][edges[referred]].astype(np.uint64)
            a = (a ^ word) * np.uint64(0x9E3779B97F4A7C15)
            b = (b + word) * np.uint64(0xC2B2AE3D27D4EB4F)
            a, b = a ^ (a >> np.uint64(29)), b ^ (b >> np.uint64(31))
        times = columns[self._index["time"]][edges[referred]]
        if len(referred) > self._seen.room():
            self._seen.ensure(max(len(referred), 4096), 3, int(times[-1]) - DEDUPE_DAYS * DAY_US)
        status = np.zeros(len(referred), np.int64)
        first = np.maximum(a, np.uint64(1)).view(np.int64)
        content = np.zeros(len(referred), np.uint64)
        identify(
            len(referred), first, b.view(np.int64), content, times, self._seen.descriptor, True,
            status,
        )  # fmt: skip
        found[referred] = status != NEW
        return found

    # --- columns of payments

    def _piece(self, events: Sequence, rejects: list[Reject], size: int) -> Piece:
        block, order = events.block, events.order

        def column(path: str) -> Int64:
            return np.ascontiguousarray(block.columns[self._index[path]][order])

        def known(path: str) -> Int64:
            values = column(path)
            values[values == NULL] = -1
            return values

        times, amounts, currencies = column("time"), column("amount"), column("currency")
        payments = Payments(
            times, column("payer.id"), column("payee.id"), amounts, currencies, None,
            self._values(times, amounts, currencies), known("payer.institution"),
            known("payee.institution"), known("payer.country"), known("payee.country"),
        )  # fmt: skip
        ids = [block.id_of(int(place)) for place in order]
        return Piece(payments, ids, column("reporter"), rejects, size)

    def _values(self, times: Int64, amounts: Int64, currencies: Int64) -> Int64:
        """Amounts in the common currency, rounded once, half to even; -1 where no rate is known."""
        made = np.full(len(times), -1, np.int64)
        days = times // DAY_US
        mixed = (currencies << 32) | (days + (1 << 31))
        for key in np.unique(mixed).tolist():
            rate = self._rate(key >> 32, (key & 0xFFFFFFFF) - (1 << 31))
            if rate is None:
                continue
            rows = np.flatnonzero(mixed == key)
            given: list[Any] = amounts[rows].tolist()
            made[rows] = [min(round_half_even(a * rate[0], rate[1]), (1 << 62)) for a in given]
        return made

    def _rate(self, currency: int, day: int) -> tuple[int, int] | None:
        key = (currency, day)
        if key not in self._rates:
            code = self._reference.currencies.at(currency).code
            self._rates[key] = self._reference.rates.fraction(code, COMMON_CURRENCY, day)
        return self._rates[key]


def _registry() -> ColumnRegistry:
    columns = ColumnRegistry()
    for name in _FACTS:
        for side in ("payer", "payee", "party"):
            columns.column(f"{side}.{name}")
    columns.finish()
    return columns
