"""Arrival order to canonical order: late events, repeats and conflicts are sorted out on the
way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from regtech.columns.batch import Batch
from regtech.columns.lending import Lender
from regtech.columns.vocabulary import Vocabulary
from regtech.engine.arrays import Table
from regtech.engine.block import Block, Sequence, joined
from regtech.engine.columns import ColumnRegistry
from regtech.engine.kernels import order as O
from regtech.engine.kernels.raw import MIN
from regtech.engine.plan import DAY_US
from regtech.engine.waiting import Waiting, fit_together, one_block

Int64 = npt.NDArray[np.int64]
NEVER: Final = -(1 << 62)
FOREVER: Final = 1 << 62
DEDUPE_DAYS: Final = 400
PARTS_MAX: Final = 256
"""With more parts than this waiting, the small ones are joined."""
PIECE_EVENTS: Final = 16_384
"""So many events are put together at once where parts do not fit behind one another."""
SPREAD_MAX: Final = 32_768
"""So many waiting events keep all columns; of further ones those that hold nothing are let go."""
WORTH_PACKING: Final = 1024
"""Smaller blocks stay as they are."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """An event that was not judged: where it is and why (``late`` or ``conflict``)."""

    source: int
    line: int
    id: str
    code: str


@dataclass(frozen=True, slots=True)
class Late:
    """A late event until it is clear whether it is one, or a repeat or conflict.

    ``before_us``: the newest time before it from its source. Whoever arrives in whatever pieces,
    the events that counted up to that time are the same; so it is held against these.
    """

    a: int
    b: int
    content: int
    before_us: int
    event: SetAside


@dataclass
class Intake:
    """Holds events back until nothing earlier can come, then hands them on in canonical order."""

    columns: ColumnRegistry
    vocabulary: Vocabulary
    seen: Table
    lateness_us: int
    sources: int
    newest: list[int] = field(default_factory=list)
    parts: list[Waiting] = field(default_factory=list)
    """Events held back. Those of a part that can go on whole are never copied."""
    undecided: list[Late] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    repeats: int = 0
    late: int = 0
    conflicts: int = 0
    arrival_order: bool = False
    """Events of one instant stay in the order they came: for those who judge one at a time."""

    def __post_init__(self) -> None:
        if not self.newest:
            self.newest = [NEVER] * self.sources
        self._lender = Lender()
        self._decoded = len(self.columns.decoded())
        self._time = self.columns.index["time"]
        self._reporter = self.columns.index["reporter"]
        self._key_rows = max(self._time, self._reporter) + 1

    def push(self, batch: Batch) -> None:
        """Take in a batch in arrival order."""
        if batch.count == 0:
            return
        block = self._block(batch)
        late, before = np.zeros(block.count, np.uint8), np.empty(block.count, np.int64)
        source = batch.source
        times = block.columns[self._time]
        self.newest[source] = int(
            O.mark_late(times, block.count, self.newest[source], self.lateness_us, late, before)
        )
        if late.any():
            self._note_late(block, np.flatnonzero(late), before)
            block = block.select(np.flatnonzero(late == 0), self._lender)
        if block.count:
            self.hold(block)

    def hold(self, block: Block) -> None:
        """Hold events back."""
        self.parts.append(Waiting.of(block, np.arange(block.count), self._time, self._lender))
        if len(self.parts) > PARTS_MAX:
            self._join_small()

    def let_go(self) -> None:
        """Hold nothing back: another process takes events in from here on."""
        self.parts.clear()
        self.undecided.clear()
        self.set_aside.clear()

    def _join_small(self) -> None:
        """Join the half with the fewest events, so that looking through the parts stays cheap."""
        ordered = sorted(self.parts, key=lambda part: len(part.places))
        small, large = ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]
        whole = one_block([self._spread(part) for part in small], self._lender)
        self.parts = [*large, Waiting.of(whole.block, whole.order, self._time, self._lender)]

    def _spread(self, part: Waiting) -> Waiting:
        return part.spread(len(self.columns.index), self._lender)

    def _pack(self) -> None:
        """Give memory back where more waits than blocks that are used again and again hold.

        What was held back before was looked at when it was the last.
        """
        if not self.parts or self.parts[-1].block.count < WORTH_PACKING:
            return
        spread = 0
        for place, part in enumerate(self.parts):
            if part.kept is not None:
                continue
            spread += part.block.count
            if spread > SPREAD_MAX and part.block.count >= WORTH_PACKING:
                self.parts[place] = part.packed(self._key_rows, self._decoded)

    def pending(self) -> Block | None:
        """The events held back, as one block of their own."""
        if not self.parts:
            return None
        spread = [self._spread(part) for part in self.parts]
        selected = [part.block.select(part.places, self._lender) for part in spread]
        return joined(selected[0], selected[1:])

    def first_lines(self, sources: int) -> Int64:
        """For each source a line before which none of its events is held back."""
        least = np.full(sources, FOREVER, np.int64)
        for part in self.parts:
            for source, line in part.first_lines.items():
                least[source] = min(int(least[source]), line)
        for late in self.undecided:
            least[late.event.source] = min(int(least[late.event.source]), late.event.line)
        return least

    def _block(self, batch: Batch) -> Block:
        n, columns = batch.count, batch.columns
        rows = len(self.columns.index)
        if columns.shape[0] < rows or not columns.flags.c_contiguous:
            # a batch of another maker: rows for what is looked up are added
            columns = np.full((rows, n), MIN, np.int64)
            columns[: self._decoded] = batch.columns[: self._decoded, :n]
        return Block(
            n, columns, batch.person_offsets, batch.person_values, batch.person_given,
            batch.id_offsets, batch.id_bytes, batch.content, batch.line,
            np.full(n, batch.source, np.int64),
        )  # fmt: skip

    def _note_late(self, block: Block, places: Int64, before: Int64) -> None:
        a, b = self._hashes(block, places)
        for k, place in enumerate(places.tolist()):
            event = SetAside(
                int(block.source[place]), int(block.line[place]), block.id_of(place), "late"
            )
            content = int(block.content[place : place + 1].view(np.int64)[0])
            found = Late(int(a[k]), int(b[k]), content, int(before[place]), event)
            self.undecided.append(found)

    def _decide_late(self, bound: int) -> None:
        """Decide the late events for which everything has come that they are held against."""
        ripe = [late for late in self.undecided if late.before_us < bound]
        if not ripe:
            return
        self.undecided = [late for late in self.undecided if late.before_us >= bound]
        a, b, content, before = (
            np.array([getattr(late, name) for late in ripe], np.int64)
            for name in ("a", "b", "content", "before_us")
        )
        status = np.zeros(len(ripe), np.int64)
        seen = self.seen.descriptor
        O.identify(len(ripe), a, b, content.view(np.uint64), before, seen, False, status)
        for late, what in zip(ripe, status.tolist(), strict=True):
            if what == O.REPEAT:
                self.repeats += 1
            elif what == O.CONFLICT:
                self.conflicts += 1
                self.set_aside.append(replace(late.event, code="conflict"))
            else:
                self.late += 1
                self.set_aside.append(late.event)

    def _hashes(self, block: Block, places: Int64) -> tuple[Int64, Int64]:
        a, b = np.zeros(len(places), np.int64), np.zeros(len(places), np.int64)
        O.identity_hashes(
            block.columns[self._reporter], block.id_offsets, block.id_bytes, places, a, b
        )
        return a, b

    def _identify(self, events: Sequence) -> Int64:
        n, block, order = events.count, events.block, events.order
        a, b = self._hashes(block, order)
        times = block.columns[self._time][order]
        if n > self.seen.room():
            self.seen.ensure(max(n, 4096), 3, int(times[-1]) - DEDUPE_DAYS * DAY_US)
        status = np.zeros(n, np.int64)
        content = block.content[order]
        O.identify(n, a, b, content, times, self.seen.descriptor, True, status)
        return status

    def release_bound(self) -> int:
        """Events before this instant can be judged: nothing earlier can still come in time."""
        lowest = min(self.newest, default=FOREVER)
        return lowest if lowest in (NEVER, FOREVER) else lowest - self.lateness_us

    def close(self, source: int) -> None:
        """A source has ended."""
        self.newest[source] = FOREVER

    def take(self) -> Iterator[Sequence]:
        """The events that can be judged now, in canonical order, each once; in several pieces where
        they lie apart. A piece may be used until the next is asked for."""
        bound = self.release_bound()
        ready: list[Waiting] = []
        kept: list[Waiting] = []
        for part in self.parts:
            if part.earliest >= bound:
                kept.append(part)
                continue
            early = part.block.columns[self._time][part.places] < bound
            if early.all():
                ready.append(part)
                continue
            first = part.places[early]
            ready.append(replace(part, places=first))
            kept.append(part.rest(part.places[~early], self._time, self._lender))
        released: Iterator[Sequence] = iter(())
        if ready:
            self.parts = kept
            released = self._released(ready)
        self._pack()
        self._decide_late(bound)
        return released

    def _released(self, ready: list[Waiting]) -> Iterator[Sequence]:
        if fit_together(ready):
            whole = one_block(ready, self._lender)
            order = self._ordered(whole.block, whole.order)
            return iter([self._unique(Sequence(whole.block, order))])
        # A block of them all would be memory that was never touched: they are ordered by what that
        # takes, and their columns are put together a piece at a time.
        keys = [part.keys(self._key_rows, self._lender) for part in ready]
        joint = joined(keys[0], keys[1:])
        order = self._ordered(joint, np.arange(joint.count))
        events = self._unique(Sequence(joint, order))
        return self._pieces(ready, events)

    def _pieces(self, parts: list[Waiting], events: Sequence) -> Iterator[Sequence]:
        """Events of several parts, by keys that stand in the order of the parts."""
        starts = np.cumsum([0, *(len(part.places) for part in parts)])
        places = np.concatenate([part.places for part in parts])
        origins = np.stack([part.origins(self._decoded) for part in parts], axis=1)
        for start in range(0, events.count, PIECE_EVENTS):
            order = events.order[start : start + PIECE_EVENTS]
            columns = self._lender.lend(len(self.columns.index), len(order))
            whose = np.searchsorted(starts, order, side="right") - 1
            O.gather_columns(origins, whose, places[order], columns)
            columns[self._decoded :] = MIN
            block = replace(events.block.select(order, self._lender), columns=columns)
            yield Sequence(block, np.arange(len(order)))

    def _ordered(self, block: Block, places: Int64) -> Int64:
        if len(places) == 1:
            return places
        all_times = block.columns[self._time]
        times = all_times[places]
        if (times[1:] > times[:-1]).all() or (
            self.arrival_order and (times[1:] >= times[:-1]).all()
        ):
            return places
        order = places[np.argsort(times, kind="stable")]
        if (np.diff(all_times[order]) == 0).any():
            reporters = block.columns[self._reporter]
            codes = np.unique(reporters[order])
            names = [self.vocabulary.text(int(c)).encode() for c in codes]
            position = np.empty(len(codes), np.int64)
            position[sorted(range(len(codes)), key=names.__getitem__)] = np.arange(len(codes))
            ranks = np.zeros(block.count, np.int64)
            ranks[order] = position[np.searchsorted(codes, reporters[order])]
            scratch = np.zeros(len(order), np.int64)
            O.order_ties(
                order, all_times, ranks, block.id_offsets, block.id_bytes, block.content,
                block.source, block.line, scratch,
            )  # fmt: skip
        return order

    def _unique(self, events: Sequence) -> Sequence:
        status = self._identify(events)
        if not status.any():
            return events
        block, order = events.block, events.order
        self.repeats += int((status == O.REPEAT).sum())
        for k in order[status == O.CONFLICT]:
            self.conflicts += 1
            self.set_aside.append(
                SetAside(int(block.source[k]), int(block.line[k]), block.id_of(int(k)), "conflict")
            )
        return Sequence(block, order[status == O.NEW])
