"""Events judged, by law, type, reporter and day: what a share of alerts is a share of.

Counts are whole numbers of a day, so that telling them again, or after a restart from an older
snapshot, changes nothing. A day of which no event can come any more is kept for ``KEPT_DAYS``, for
who has lost what it was told; then it is let go of, once it was told where anybody is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from regtech.engine.arrays import Table
from regtech.engine.kernels import tallies as T
from regtech.engine.plan import Plan
from regtech.model.eventday import DAY_US, EventDay, EventKind
from regtech.model.fields import EVENT_TYPES

Int64 = npt.NDArray[np.int64]
Laws = npt.NDArray[np.uint64]
KEPT_DAYS: Final = 35
_MORE: Final = 256
_HARDLY: Final = 105
"""Hundredths of the last number told from which on another is news."""


@dataclass(frozen=True, slots=True)
class DayNews:
    """Counts that are to be told; ``EventDays.told`` is given them back once they are."""

    days: tuple[EventDay, ...]
    rows: Int64


class EventDays:
    """Counts of events over a table of the engine's state."""

    def __init__(self, plan: Plan, table: Table) -> None:
        self._laws = [profile.id for profile in plan.jurisdictions]
        self._words = plan.vocabulary
        self._table = table
        self._looked_at = np.zeros(len(EVENT_TYPES), np.uint64)
        """For each type the laws whose rules look at it, as bits."""
        for variant in plan.variants:
            law = np.uint64(1 << self._laws.index(variant.jurisdiction))
            for name in variant.rule.on:
                self._looked_at[EVENT_TYPES.index(name)] |= law
        self.is_told = False
        """Whether somebody is told: then nothing goes that was not."""

    def count(self, types: Int64, times: Int64, reporters: Int64, governed: Laws) -> None:
        """Count events that a rule looks at, in the order of their times; ``governed``: laws as
        bits.
        """
        done, laws, table = 0, len(self._laws), self._table
        while True:
            done = T.count_events(
                types, times, reporters, governed, self._looked_at, done, laws, table.descriptor
            )
            if done == len(types):
                return
            self._forget(int(times[done]) // DAY_US - KEPT_DAYS)
            table.ensure(max(_MORE, 2 * laws))

    def news(self, now_us: int, *, exactly: bool = False, kinds: frozenset[EventKind]) -> DayNews:
        """Counts of these kinds that grew since they were told.

        One that is hardly higher waits until its day is over, unless it is to be told ``exactly``.
        """
        rows = self._rows()
        told, counts = rows[:, T.TOLD], rows[:, T.COUNT]
        due = counts > told
        if not exactly:
            due &= (counts * 100 >= told * _HARDLY) | (rows[:, T.DAY] < now_us // DAY_US)
        wanted = np.zeros(len(rows), np.bool_)
        for kind in kinds:
            number, law = EVENT_TYPES.index(kind.type) + 1, self._laws.index(kind.jurisdiction)
            wanted |= (rows[:, T.TYPE] == number) & (rows[:, T.LAW] == np.int64(1 << law))
        rows = rows[due & wanted]
        return DayNews(tuple(self._said(rows)), rows)

    def told(self, news: DayNews) -> None:
        """They were told, and are kept by who was told."""
        if len(news.rows):
            T.note_told(news.rows, self._table.descriptor)

    def all(self) -> list[EventDay]:
        """Every count that is held."""
        return self._said(self._rows())

    def tell_again(self) -> None:
        """As if nothing had been told: after a snapshot nobody knows who has what."""
        self._table.entries.reshape(-1, T.WORDS)[:, T.TOLD] = 0

    def _rows(self) -> Int64:
        entries = self._table.entries.reshape(-1, T.WORDS)
        rows: Int64 = entries[entries[:, T.TYPE] != 0]
        return rows

    def _said(self, rows: Int64) -> list[EventDay]:
        words: dict[int, str] = {}
        found = []
        for kind, reporter, law, day, events, _ in rows.tolist():
            if reporter not in words:
                words[reporter] = self._words.text(reporter)
            of = EventKind(self._laws[law.bit_length() - 1], EVENT_TYPES[kind - 1])
            found.append(EventDay(of, words[reporter], day, events))
        return sorted(found)

    def _forget(self, before: int) -> None:
        rows = self._rows()
        kept = rows[:, T.DAY] >= before
        if self.is_told:
            kept |= rows[:, T.COUNT] > rows[:, T.TOLD]
        if not kept.all():
            places = len(self._table.entries) // T.WORDS
            self._table.fill(np.ascontiguousarray(rows[kept]), places)
