"""State as arrays: who was seen, cells of measures, logs, facts. Kernels see them by address.

Head-room is made before a block runs, and for cells before each stretch of it, so kernels never
allocate.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.engine.arrays import FIRST_LOG, FIRST_SLOTS, Int64, Log, Table, address
from regtech.engine.columns import key_words
from regtech.engine.growing import longer
from regtech.engine.kernels import measures as K
from regtech.engine.kernels.cells import order_cells
from regtech.engine.kernels.rows import CODE_BITS, HOUR_US, PAYMENT_HOUR, PAYMENT_WORDS
from regtech.engine.kernels.tables import DESCRIPTOR_WORDS, T_COUNT
from regtech.engine.kernels.tallies import WORDS as EVENT_DAY_WORDS
from regtech.engine.plan import (
    DAY_US,
    KEY_PARTS_MAX,
    TYPE_INDEX,
    Keyspace,
    MeasureSpec,
    Plan,
)
from regtech.engine.subjects import SLOT, Part
from regtech.errors import CapacityError, InternalError

_FIRST_CODES: Final = 1 << 14
_MARGIN_LEAST: Final = 1024
_QUARTER_BELOW: Final = 1 << 18
_SLOTS_MAX: Final = 1 << 31
_FIRST_CELLS: Final = 1 << 12
_CELLS_MAX: Final = 1 << 31
_EXTREMES: Final = (K.KIND["min"], K.KIND["max"], K.KIND["first_seen"])


def cell_words(spec: MeasureSpec) -> int:
    """Words of a measure's cell for one subject."""
    if spec.window in (K.ROLLING, K.MONTHS) and spec.kind in _EXTREMES:
        return 3
    return K.CELL_WORDS[spec.kind]


def _most_words(plan: Plan) -> Int64:
    """Words of all cells that a row of each jurisdiction may change."""
    words = np.zeros((max(len(plan.jurisdictions), 1), len(TYPE_INDEX)), np.int64)
    for spec in plan.measures:
        for event_type in spec.contributes:
            words[spec.jurisdiction, TYPE_INDEX[event_type]] += cell_words(spec)
    most: Int64 = words.max(axis=1)
    return most


def _margin(needed: int) -> int:
    """Room to make where so much is needed now, so that the next blocks need no more."""
    return max(2 * int(needed), _MARGIN_LEAST)


def _more(held: int) -> int:
    """How much longer an array becomes: by a quarter while it is short, later by less memory."""
    return held // 4 if held < _QUARTER_BELOW else held // 8


class State:
    """All state of one engine."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        n_measures = max(len(plan.measures), 1)
        self.M = np.zeros((n_measures, K.MEASURE_WORDS), np.int64)
        self.key_descriptors = np.zeros((max(len(plan.keyspaces), 1), DESCRIPTOR_WORDS), np.int64)
        self.keys = [
            Table(self.key_descriptors[space.index], words, by_key=True)
            for space, words in zip(plan.keyspaces, _entry_words(plan), strict=True)
        ]
        self.table_descriptors = np.zeros((n_measures, DESCRIPTOR_WORDS), np.int64)
        self.distinct: dict[int, Table] = {}
        self.logs: list[Log] = []
        logged = [s for s in plan.keyspaces if s.logged]
        self.log_descriptors = np.zeros((max(len(logged), 1), K.LOG_WORDS), np.int64)
        self.value_addresses = np.zeros(max(sum(len(s.values) for s in logged), 1), np.int64)
        self.log_of: dict[int, int] = {}
        at = 0
        for number, space in enumerate(logged):
            descriptor = self.log_descriptors[number]
            descriptor[K.L_VALUES] = at
            at += len(space.values)
            self.logs.append(Log(descriptor, self.value_addresses, space))
            self.log_of[space.index] = number
        self.slots = [FIRST_SLOTS] * len(plan.keyspaces)
        self._measures_of: list[list[MeasureSpec]] = [[] for _ in plan.keyspaces]
        """Measures with cells or items in a key space."""
        for spec in plan.measures:
            self._measures_of[spec.keyspace.index].append(spec)
            if spec.item_space is not None and spec.item_space is not spec.keyspace:
                self._measures_of[spec.item_space.index].append(spec)
        self._lay_out_places()
        self.cells = np.zeros(_FIRST_CELLS, np.int64)
        """The pool of cells; its first words stay 0, and are what a subject without a cell has."""
        self.pool = np.zeros(K.POOL_WORDS, np.int64)
        self.pool[K.POOL_USED] = max(K.CELL_WORDS)
        self.most_words = _most_words(plan)
        self._refresh_pool()
        self.items: dict[int, Int64] = {}
        self.deques: dict[int, list[Int64]] = {}
        self.people: dict[int, list[Int64]] = {}
        for spec in plan.measures:
            self._measure(spec.index)
        self.special = np.zeros((5, DESCRIPTOR_WORDS), np.int64)
        self.seen_ids = Table(self.special[0], 4)
        self.seen_payments = Table(self.special[1], PAYMENT_WORDS)
        self.alerted = Table(self.special[2], 4)
        self.seen_edges = Table(self.special[3], PAYMENT_WORDS)
        self.event_days = Table(self.special[4], EVENT_DAY_WORDS, by_key=True)
        self.fact_places = np.zeros(1, np.int32)
        """Row of a party, by its code, in ``facts``; 0 where nothing was said about it."""
        self.facts = np.zeros((1, 1), np.int64)
        self.facts_used = np.ones(1, np.int64)
        self._law_of_space = np.array([s.jurisdiction for s in plan.keyspaces], np.int64)
        self._space_quota = np.zeros(len(plan.keyspaces), np.int64)
        """Subjects that may still be added to each key space before it needs more room."""
        self._value_quota = dict.fromkeys(self.distinct, 0)
        """The same for the values of each measure that counts distinct ones."""

    def _lay_out_places(self) -> None:
        """All places of a subject's cells side by side; those of law in force at one time stand
        together."""
        self.strides = [0] * len(self.plan.keyspaces)
        """Places of cells of one subject, by key space."""
        self.offsets = [0] * len(self.plan.measures)
        widths: list[list[int]] = [[] for _ in self.plan.keyspaces]
        for spec in sorted(self.plan.measures, key=lambda s: (s.first_us, s.end_us, s.index)):
            self.offsets[spec.index] = self.strides[spec.keyspace.index]
            self.strides[spec.keyspace.index] += 1
            widths[spec.keyspace.index].append(cell_words(spec))
        self._widths = [np.array(of_space, np.int64) for of_space in widths]
        """Words of the cells of one subject, place by place, by key space."""
        self.places = [np.zeros(FIRST_SLOTS * stride, np.int32) for stride in self.strides]
        """Where in the pool a subject's cells begin, by key space; 0 where there is none."""

    def cells_in_order(self) -> tuple[Int64, list[npt.NDArray[np.int32]]]:
        """The pool and the places in it, for a snapshot: by key space, subject and measure.

        In the pool cells stand as they were taken, which depends on how events came in blocks.
        """
        cells = np.zeros(int(self.pool[K.POOL_USED]), np.int64)
        used, found = max(K.CELL_WORDS), []
        for table, places, widths in zip(self.keys, self.places, self._widths, strict=True):
            ordered = places[: table.count * len(widths)].copy()
            used = int(order_cells(ordered, widths, self.cells, used, cells))
            found.append(ordered)
        return cells, found

    def use_cells(self, cells: Int64) -> None:
        """Take over the pool of a snapshot."""
        self.pool[K.POOL_USED] = len(cells)
        self.cells = np.array(cells, np.int64)
        self._refresh_pool()

    def _refresh_pool(self) -> None:
        self.pool[K.POOL_ADDRESS] = address(self.cells)
        self.pool[K.POOL_ROOM] = len(self.cells)

    def _measure(self, index: int) -> None:
        spec = self.plan.measures[index]
        row = self.M[index]
        rolling = spec.window in (K.ROLLING, K.MONTHS)
        extremes = spec.kind in _EXTREMES
        row[K.M_KIND], row[K.M_WINDOW], row[K.M_PERIOD] = spec.kind, spec.window, spec.period
        row[K.M_LENGTH], row[K.M_JURISDICTION] = spec.length, spec.jurisdiction
        row[K.M_NONNEGATIVE], row[K.M_WORDS] = int(spec.nonnegative), cell_words(spec)
        row[K.M_STRIDE] = self.strides[spec.keyspace.index]
        row[K.M_BIT], row[K.M_VALUE] = spec.bit, spec.value_at
        row[K.M_LOG] = self.log_of.get(spec.keyspace.index, -1)
        if spec.kind in (K.KIND["distinct"], K.KIND["persons"]):
            row[K.M_TABLE] = index
            self.distinct[index] = Table(self.table_descriptors[index], 3)
        if rolling and extremes:
            log = self.logs[int(row[K.M_LOG])]
            self.deques[index] = [np.zeros(log.capacity, np.int64) for _ in range(2)]
            log.followers.append(self.deques[index])
        if spec.item_space is not None:
            self.items[index] = np.zeros(FIRST_SLOTS * 2, np.int64)
        if rolling and spec.kind == K.KIND["persons"]:
            self.people[index] = [np.zeros(FIRST_LOG, np.int64) for _ in range(3)]
            row[K.M_PMASK] = FIRST_LOG - 1
        self._refresh_measure(index)

    def _refresh_measure(self, index: int) -> None:
        row = self.M[index]
        space = self.plan.measures[index].keyspace.index
        row[K.M_PLACES] = address(self.places[space]) + 4 * self.offsets[index]
        if index in self.items:
            row[K.M_ITEM_CELLS] = address(self.items[index])
        if index in self.deques:
            log = self.logs[int(row[K.M_LOG])]
            row[K.M_NEXT], row[K.M_PREVIOUS] = (log.origin(a) for a in self.deques[index])
        if index in self.people:
            row[K.M_PT], row[K.M_PS], row[K.M_PV] = (address(a) for a in self.people[index])

    # --- head-room

    def room_for_payments(self, events: int, now_us: int) -> None:
        """Room for the legs of so many events; those of 400 days ago may be forgotten."""
        self._room_in_payments(self.seen_payments, 2 * events, now_us)

    def room_for_edges(self, events: int, now_us: int) -> None:
        """Room for so many payments as edges of the network; those of 400 days ago may go."""
        self._room_in_payments(self.seen_edges, events, now_us)

    @staticmethod
    def _room_in_payments(table: Table, events: int, now_us: int) -> None:
        if events > table.room():
            hour = (now_us - 400 * DAY_US) // int(HOUR_US)
            table.ensure(events + 4096, PAYMENT_HOUR, hour << CODE_BITS)

    def make_room(self, rows: Int64, added: Int64, persons: int, now_us: int) -> None:
        """Room for a block: ``rows[j, t]`` rows of each jurisdiction and type, so many persons.

        ``added[space, t]``: how many subjects a row of a type may add to a key space.
        """
        if (self.key_descriptors[: len(self.slots), T_COUNT] > self.slots).any():
            raise InternalError("more subjects came than there was room for")
        needed = (added * rows[self._law_of_space]).sum(axis=1)
        for place in np.flatnonzero(needed > self._space_quota).tolist():
            more = _margin(needed[place])
            self._room_in_space(self.plan.keyspaces[place], more, now_us)
            self._space_quota[place] = more
        self._space_quota -= needed
        for index, table in self.distinct.items():
            spec = self.plan.measures[index]
            of_persons = spec.kind == K.KIND["persons"]
            values = sum(int(rows[spec.jurisdiction, TYPE_INDEX[t]]) for t in spec.contributes)
            values += persons if of_persons and values else 0
            if values > self._value_quota[index]:
                more = self._value_quota[index] = _margin(values)
                self._room_for_values(index, table, more)
                if of_persons:
                    self._room_for_people(index, more)
            self._value_quota[index] -= values

    def room_for_cells(self) -> None:
        """Room in the pool for what the measures wanted last."""
        used, wanted = int(self.pool[K.POOL_USED]), int(self.pool[K.POOL_WANTED])
        if used + wanted <= len(self.cells):
            return
        if used + wanted > _CELLS_MAX:
            raise CapacityError(f"more than {_CELLS_MAX} words of measures")
        self.cells = longer(self.cells, used + max(2 * wanted, _more(used)))
        self._refresh_pool()

    def keep_no_promises(self) -> None:
        """Forget what head-room there is: the next block makes its own."""
        self._space_quota[:] = 0
        self._value_quota = dict.fromkeys(self.distinct, 0)

    def _room_in_space(self, space: Keyspace, more: int, now_us: int) -> None:
        table = self.keys[space.index]
        table.ensure(more)
        wanted = table.count + more
        if wanted > _SLOTS_MAX:
            raise CapacityError(f"more than {_SLOTS_MAX} subjects of one kind")
        if wanted > self.slots[space.index]:
            slots = max(wanted, self.slots[space.index] + _more(self.slots[space.index]))
            self.slots[space.index] = slots
            stride = self.strides[space.index]
            self.places[space.index] = longer(self.places[space.index], slots * stride)
            for spec in self._measures_of[space.index]:
                if spec.item_space is space:
                    self.items[spec.index] = longer(self.items[spec.index], slots * 2)
                self._refresh_measure(spec.index)
        if space.index in self.log_of:
            self._room_in_log(self.log_of[space.index], more, now_us)

    def _room_in_log(self, number: int, more: int, now_us: int) -> None:
        log = self.logs[number]
        log.heads = longer(log.heads, self.slots[log.space.index])
        rolling = [
            spec.index
            for spec in self._measures_of[log.space.index]
            if spec.keyspace is log.space and spec.window in (K.ROLLING, K.MONTHS)
            and spec.kind not in (K.KIND["last"], K.KIND["since_last"], K.KIND["persons"])
        ]  # fmt: skip
        head = int(log.descriptor[K.L_HEAD])
        # a measure of lapsed law, or of law still far off, holds no entries back
        cursors = [int(self.M[i, K.M_CURSOR]) for i in rolling if self.M[i, K.M_ACTIVE]]
        log.forget(now_us - log.space.retention_us, min(cursors, default=head))
        if log.make_room(more):
            for index in rolling:
                self._refresh_measure(index)
        log.refresh()

    def _room_for_values(self, index: int, table: Table, more: int) -> None:
        spec = self.plan.measures[index]
        stale = 0
        if spec.window in (K.ROLLING, K.MONTHS):
            cursor = K.M_PCURSOR if spec.kind == K.KIND["persons"] else K.M_CURSOR
            stale = int(self.M[index, cursor]) + 1
            table.ensure(more, 2, stale)
        else:
            table.ensure(more)

    def _room_for_people(self, index: int, more: int) -> None:
        if index not in self.people:
            return
        row = self.M[index]
        head, cursor = int(row[K.M_PHEAD]), int(row[K.M_PCURSOR])
        capacity = int(row[K.M_PMASK]) + 1
        if head - cursor + more <= capacity:
            return
        wanted = capacity
        while wanted < 2 * (head - cursor + more):
            wanted *= 2
        live = np.arange(cursor, head, dtype=np.int64)
        made = []
        for array in self.people[index]:
            fresh = np.zeros(wanted, np.int64)
            fresh[live & (wanted - 1)] = array[live & (capacity - 1)]
            made.append(fresh)
        self.people[index] = made
        row[K.M_PMASK] = wanted - 1
        self._refresh_measure(index)

    def room_for_facts(self, codes: int, more: int) -> None:
        """Room for facts about parties with codes below ``codes``, ``more`` of them new."""
        if len(self.fact_places) < codes:
            self.fact_places = longer(self.fact_places, max(codes * 5 // 4, _FIRST_CODES))
        wanted = int(self.facts_used[0]) + more
        if len(self.facts) < wanted:
            facts = np.zeros((max(wanted * 5 // 4, FIRST_SLOTS), self.facts.shape[1]), np.int64)
            facts[: len(self.facts)] = self.facts
            self.facts = facts

    def set_fact(self, party: int, fact: int, value: int) -> None:
        """Set one fact of a party, as the kernels keep it; there must be room."""
        if self.fact_places[party] == 0:
            self.fact_places[party] = self.facts_used[0]
            self.facts_used += 1
        self.facts[self.fact_places[party], fact] = value

    def bytes_held(self) -> int:
        """Memory of all state arrays, as reserved."""
        arrays: list[npt.NDArray[Any]] = [self.cells, *self.places, *self.items.values()]
        arrays += [self.facts, self.fact_places]
        arrays += [t.entries for t in (*self.keys, *self.distinct.values())]
        arrays += [self.seen_ids.entries, self.seen_payments.entries, self.seen_edges.entries]
        arrays += [self.alerted.entries, self.event_days.entries]
        for log in self.logs:
            arrays += [*log.arrays.values(), log.heads]
        for pair in (*self.deques.values(), *self.people.values()):
            arrays += pair
        return sum(a.nbytes for a in arrays)


def _entry_words(plan: Plan) -> list[int]:
    """Words of the entries of each key space: the longest key that is looked up, and its slot."""
    keys = [[key for _, key in space.keys] for space in plan.keyspaces]
    for spec in plan.measures:
        keys[spec.keyspace.index] += spec.reads.values()
    return [
        1 + max(1, *(len(key_words(_looked_up(space, key))) for key in keys[space.index]))
        for space in plan.keyspaces
    ]


def _looked_up(space: Keyspace, key: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts of a key as its table has them."""
    return key if space.prefix is None else (SLOT, *key[KEY_PARTS_MAX:])
