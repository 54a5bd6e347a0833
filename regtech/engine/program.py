"""The programs of one era: for each (jurisdiction, event type) the instructions and their slots.

Somewhat over 500 lines: contributions, gates and rules of a group are made over the same registers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.engine.columns import PERSONS_GIVEN
from regtech.engine.kernels import measures as K
from regtech.engine.kernels.hits import (
    PASS,
    PER_EVENT,
    PER_EVER,
    PER_ROLLING,
)
from regtech.engine.kernels.measures import CALENDAR, KIND, MONTHS, PERIODS, ROLLING
from regtech.engine.lowering import INSTRUCTION_WORDS, Lowering
from regtech.engine.plan import (
    KEY_PARTS_MAX,
    TYPE_INDEX,
    Keyspace,
    MeasureSpec,
    Plan,
    in_force,
    subject_space,
)
from regtech.engine.subjects import EVENT, is_sided, key_parts
from regtech.engine.variants import Variant, condition
from regtech.model.fields import EVENT_TYPES
from regtech.rulelang.ir import Const, Expr, FieldRef, Logic, Measure, Type
from regtech.rulelang.walk import walk

Int64 = npt.NDArray[np.int64]
N_TYPES: Final = len(EVENT_TYPES)


@dataclass(eq=False)
class EraProgram:
    """All tables the kernels need for one era."""

    start_us: int
    end_us: int
    code_a: Int64
    sections_a: Int64  # [section, group and first and last instruction and gate]
    sections_figures: Int64  # those of figures
    sections_others: Int64
    code_b: Int64
    sections_b: Int64
    pool: Int64
    roles: Int64  # [measure, type, ROLE_WORDS]
    sole: Int64  # [measure]: the only type of its rows, or -1
    active: Int64  # [measure]
    out: Int64  # [measure]
    added: Int64  # [key space, type]: keys that a row may add
    log_keys: Int64  # [log, type]
    filters: Int64
    filter_from: Int64
    values: Int64
    value_from: Int64
    rule_key: Int64  # [variant, type]
    slots: dict[str, int]  # sizes of F, V, S, X, number and truth registers
    rules_per_group: Int64
    most_rules: int


@dataclass
class _Group:
    jurisdiction: int
    event_type: str
    before: Lowering
    after: dict[int, Lowering] = field(default_factory=dict)  # gate to what is behind it
    filters: dict[int, int] = field(default_factory=dict)  # truth register to F slot
    values: dict[int, int] = field(default_factory=dict)  # number register to V slot
    keys: dict[tuple[int, tuple[str, ...], bool], int] = field(default_factory=dict)
    gates: dict[int, int] = field(default_factory=dict)  # variant to the filter slot of its gate
    rules: int = 0
    roles: dict[int, Int64] = field(default_factory=dict)  # measure to its role words
    rule_keys: dict[int, int] = field(default_factory=dict)  # variant to its key column

    def role(self, index: int) -> Int64:
        """Role words of a measure in this group."""
        if index not in self.roles:
            made = np.full(K.ROLE_WORDS, -1, np.int64)
            made[K.R_FLAGS] = 0
            self.roles[index] = made
        return self.roles[index]


def out_slots(plan: Plan) -> tuple[Int64, int]:
    """Output slot of each measure, and how many there are at most.

    Numbered within a jurisdiction (rows of two never meet), the same in every era.
    """
    counts = [0] * len(plan.jurisdictions)
    out = np.zeros(max(len(plan.measures), 1), np.int64)
    for spec in plan.measures:
        out[spec.index] = counts[spec.jurisdiction]
        counts[spec.jurisdiction] += 1
    return out, max(counts, default=0)


class Workshop:
    """What the programs of all eras share: constants, codes of words, groups already lowered."""

    def __init__(self) -> None:
        self.pool: list[int] = []
        self.pool_at: dict[tuple[int, ...], int] = {}
        self.words: dict[str, int] = {}
        self.groups: dict[object, _Group] = {}


class Builder:
    """Lowers the rules in force at an instant."""

    def __init__(self, plan: Plan, workshop: Workshop, start_us: int, end_us: int) -> None:
        self.plan, self.workshop = plan, workshop
        self.start_us, self.end_us = start_us, end_us
        self.variants = list(in_force(plan, start_us))
        self.by_rule = {v.rule.id: v for v in self.variants}
        self.active = [m.first_us <= start_us < m.end_us for m in plan.measures]
        self.rules_of: dict[tuple[str, str], list[Variant]] = {}
        for variant in self.variants:
            for event_type in variant.rule.on:
                self.rules_of.setdefault((variant.jurisdiction, event_type), []).append(variant)
        self.closers = [v for v in plan.variants if v.deadline is not None and v.first_us < end_us]
        self.measures_of: dict[tuple[int, str], list[MeasureSpec]] = {}
        for spec in plan.measures:
            if self.active[spec.index]:
                for event_type in spec.contributes:
                    self.measures_of.setdefault((spec.jurisdiction, event_type), []).append(spec)
        self.pool, self.pool_at = workshop.pool, workshop.pool_at
        shape = (len(plan.measures), N_TYPES, K.ROLE_WORDS)
        self.roles = np.full(shape, -1, np.int64)
        self.roles[:, :, K.R_FLAGS] = 0
        self.out, self.x_slots = out_slots(plan)
        self.rule_key = np.full((len(plan.variants), N_TYPES), -1, np.int64)
        self.groups: list[_Group] = []

    def build(self) -> EraProgram:
        """The finished tables."""
        for j in range(len(self.plan.jurisdictions)):
            for event_type in EVENT_TYPES:
                self.groups.append(self._group(j, event_type))
        logs = [space for space in self.plan.keyspaces if space.logged]
        log_keys, filters, filter_from, values, value_from = self._logs(logs)
        code_a, sections_a = _joined([(k, -1, g.before) for k, g in enumerate(self.groups)])
        of_figures = np.array([g.event_type == "figure" for g in self.groups], np.bool_)
        figures = of_figures[sections_a[:, 0]]
        after = [(k, x, g.after[x]) for k, g in enumerate(self.groups) for x in sorted(g.after)]
        code_b, sections_b = _joined(after)
        both = [*(g.before for g in self.groups), *(part for _, _, part in after)]
        slots = {
            "F": max((len(g.filters) for g in self.groups), default=0),
            "V": max((len(g.values) for g in self.groups), default=0),
            "S": max((len(g.keys) for g in self.groups), default=0),
            "X": self.x_slots,
            "numbers": max((x.numbers for x in both), default=0),
            "truths": max((x.truths for x in both), default=0),
        }
        return EraProgram(
            self.start_us, self.end_us, code_a, sections_a, sections_a[figures],
            sections_a[~figures], code_b, sections_b,
            np.array(self.pool or [0], np.int64), self.roles, _sole_types(self.roles),
            np.array(self.active, np.int64),
            self.out, self._added(), log_keys, filters, filter_from, values, value_from,
            self.rule_key, slots,
            np.array([g.rules for g in self.groups], np.int64),
            max((g.rules for g in self.groups), default=0),
        )  # fmt: skip

    def _added(self) -> Int64:
        """How many subjects a row of a type may add to each key space of its jurisdiction."""
        added = np.zeros((len(self.plan.keyspaces), N_TYPES), np.int64)
        for group in self.groups:
            for space, _, insert in group.keys:
                added[space, TYPE_INDEX[group.event_type]] += insert
        return added

    def _group(self, j: int, event_type: str) -> _Group:
        """The group's programs; a group that no change of law touched is taken over as it was."""
        profile = self.plan.jurisdictions[j]
        variants = self.rules_of.get((profile.id, event_type), [])
        measures = self.measures_of.get((j, event_type), [])
        closers = self.closers if event_type == "action" else []
        identity = (j, event_type) + tuple(
            tuple(x.index for x in part) for part in (variants, measures, closers)
        )
        higher = tuple(
            self.by_rule[name].index
            for v in variants
            for name in v.rule.yields_to
            if name in self.by_rule
        )
        group = self.workshop.groups.get((identity, higher))
        if group is None:
            group = self._lowered(j, event_type, variants, measures, closers)
            self.workshop.groups[(identity, higher)] = group
        t = TYPE_INDEX[event_type]
        for index, role in group.roles.items():
            self.roles[index, t] = role
        for index, column in group.rule_keys.items():
            self.rule_key[index, t] = column
        return group

    def _lowered(
        self,
        j: int,
        event_type: str,
        variants: list[Variant],
        measures: list[MeasureSpec],
        closers: list[Variant],
    ) -> _Group:
        group = _Group(j, event_type, self._lowering(event_type))
        for spec in measures:
            self._contribution(group, spec)
        for variant in variants:
            self._reads(group, variant)
            self._rule(group, variant)
        self._ask(group, variants)
        for variant in closers:
            self._closer(group, variant)
        return group

    def _lowering(self, event_type: str) -> Lowering:
        return Lowering(
            self.plan, event_type, _no_measure, pool=self.pool, pool_at=self.pool_at,
            words=self.workshop.words,
        )  # fmt: skip

    def _key(
        self, group: _Group, space: Keyspace, parts: tuple[str, ...], insert: bool = True
    ) -> int:
        wanted = (space.index, parts, insert)
        if wanted not in group.keys:
            head = None
            if space.prefix is not None:
                head = self._key(group, space.prefix, parts[:KEY_PARTS_MAX], insert)
            group.keys[wanted] = len(group.keys)
            rest = parts if head is None else parts[KEY_PARTS_MAX:]
            group.before.key(rest, space.index, group.keys[wanted], head, insert)
        return group.keys[wanted]

    def _contribution(self, group: _Group, spec: MeasureSpec) -> None:
        t = group.event_type
        role = group.role(spec.index)
        role[K.R_FLAGS] |= K.CONTRIBUTES
        role[K.R_KEY] = self._key(group, spec.keyspace, spec.contributes[t])
        if spec.item_space is not None:
            role[K.R_ITEM] = self._key(group, spec.item_space, spec.item[t])
        register = self._filter(group, spec)
        if register is not None:
            slot = group.filters.setdefault(register, len(group.filters))
            group.before.output("outf", slot, register)
            role[K.R_FILTER] = slot
        if spec.value is not None and spec.kind != KIND["persons"]:
            role[K.R_VALUE] = self._value(group, group.before.stored(spec.value))
        if spec.kind == KIND["figure"]:
            assert spec.value is not None, "a figure has a value"
            as_of = group.before.load("as_of", spec.value.mark)
            role[K.R_AS_OF] = self._value(group, as_of)

    def _value(self, group: _Group, register: int) -> int:
        slot = group.values.setdefault(register, len(group.values))
        group.before.output("outv", slot, register)
        return slot

    def _filter(self, group: _Group, spec: MeasureSpec) -> int | None:
        low = group.before
        parts: list[int] = []
        if group.event_type == "transaction" or (group.event_type == "figure" and not spec.figure):
            parts.append(low.row_flag(spec.leg[group.event_type]))
        for expr in (spec.rule_where, spec.where):
            if expr is not None:
                parts.append(low.truth(expr))
        if spec.figure is not None:
            name = FieldRef("name", Type("symbol"))
            code = self.plan.vocabulary.code_of(spec.figure)
            parts.append(
                low.emit("eq", low.load("name", name.mark), low.emit("const", code), truth=True)
            )
            if spec.at is not None:
                months = {"quarter_end": 3, "year_end": 12}[spec.at]
                day = low.emit("given", low.load("as_of", name.mark), low.emit("day"))
                parts.append(low.emit("boundary", day, months, truth=True))
        if spec.kind == KIND["persons"]:
            given = low.emit(
                "not",
                low.emit("missing", low.load(PERSONS_GIVEN, _mark(spec)), truth=True),
                truth=True,
            )
            no_count = low.emit("missing", low.load("person_count", _mark(spec)), truth=True)
            unsure = low.emit("and", no_count, low.emit("bconst", 1, truth=True), truth=True)
            parts.append(low.emit("or", given, unsure, truth=True))
        if not parts:
            return None
        register = parts[0]
        for part in parts[1:]:
            register = low.emit("and", register, part, truth=True)
        return register

    def _reads(self, group: _Group, variant: Variant) -> None:
        t = group.event_type
        for index in {spec.index for spec in variant.specs}:
            spec = self.plan.measures[index]
            role = group.role(index)
            role[K.R_FLAGS] |= K.READS
            # a figure that nobody reported reads as one of an unknown subject does: who is only
            # asked for needs no slot and no cells
            insert = spec.kind != KIND["figure"] or any(t == own for own, _ in spec.keyspace.keys)
            role[K.R_READ] = self._key(group, spec.keyspace, spec.reads[t], insert)

    def _gate(self, group: _Group, variant: Variant) -> int:
        """Filter slot of what the row alone says of a rule's condition; -1 where it says nothing.

        The parts of a conjunction that ask for no measure. Where they are not met, neither is the
        rule, whatever its measures are.
        """
        if variant.index not in group.gates:
            low = group.before
            parts = [
                low.truth(part)
                for part in _conjuncts(condition(variant))
                if not _measured(part) and not isinstance(part, Const)
            ]
            leading = key_parts((*variant.rule.per, *variant.rule.by), group.event_type)
            if group.event_type in ("transaction", "figure"):
                parts.append(low.row_flag(is_sided(leading, group.event_type)))
            if EVENT in leading:
                # no slot tells that a part of the subject is unknown; the row is then not evaluated
                for part in leading:
                    if part != EVENT:
                        lacks = low.emit("missing", low.load(part, variant.rule.mark), truth=True)
                        parts.append(low.emit("not", lacks, truth=True))
            group.gates[variant.index] = self._filter_slot(group, parts)
        return group.gates[variant.index]

    def _filter_slot(self, group: _Group, parts: list[int]) -> int:
        """Filter slot of a conjunction of truth registers; -1 where there are none."""
        if not parts:
            return -1
        register = parts[0]
        for part in parts[1:]:
            register = group.before.emit("and", register, part, truth=True)
        slot = group.filters.setdefault(register, len(group.filters))
        group.before.output("outf", slot, register)
        return slot

    def _ask(self, group: _Group, variants: list[Variant]) -> None:
        """Note where a measure may matter: where no rule that reads it is ruled out by its row.

        Evidence of a rule shows the measures of the rules that it gives way to as well.
        """
        gates: dict[int, set[int]] = {}
        for variant in variants:
            higher = (self.by_rule.get(name) for name in variant.rule.yields_to)
            for other in (variant, *higher):
                for spec in () if other is None else other.specs:
                    gates.setdefault(spec.index, set()).add(self._gate(group, variant))
        for index, slots in gates.items():
            if -1 in slots or not group.role(index)[K.R_FLAGS] & K.READS:
                continue
            registers = {slot: register for register, slot in group.filters.items()}
            low, register = group.before, -1
            for slot in sorted(slots):
                found = registers[slot]
                register = found if register < 0 else low.emit("or", register, found, truth=True)
            group.role(index)[K.R_ASKED] = self._filter_slot(group, [register])

    def _behind(self, group: _Group, gate: int) -> Lowering:
        """The instructions for the rows that a gate lets through."""
        if gate not in group.after:
            group.after[gate] = self._lowering(group.event_type)
        return group.after[gate]

    def _condition(self, low: Lowering, variant: Variant, gate: int) -> int:
        """Truth register of a rule's condition; behind its gate the rest of it, and the gate."""

        def slot(measure: Measure, strict: bool) -> int:
            return int(self.out[self.plan.measure_of(variant, measure, strict).index])

        low.measure_slot = slot
        low.seen.clear()  # equal measures of two rules may be two kernel measures
        if gate < 0:
            return low.truth(condition(variant))
        register = low.emit("gate", gate, truth=True)
        for part in _conjuncts(condition(variant)):
            if _measured(part):
                register = low.emit("and", register, low.truth(part), truth=True)
        return register

    def _rule(self, group: _Group, variant: Variant) -> None:
        rule = variant.rule
        gate = self._gate(group, variant)
        low = self._behind(group, gate)
        register = self._condition(low, variant, gate)
        for name in rule.yields_to:
            other = self.by_rule.get(name)
            if other is not None and group.event_type in other.rule.on:
                higher = low.emit("not", self._condition(low, other, -1), truth=True)
                register = low.emit("and", register, higher, truth=True)
        space = subject_space(self.plan, variant)
        column = -1
        if space is not None:
            parts = key_parts((*rule.per, *rule.by), group.event_type)
            column = self._key(group, space, parts)
            group.rule_keys[variant.index] = column
        asks = 1 if rule.cannot_tell == "alert" else 0
        low.output("rule", variant.index, register, column, asks)
        group.rules += 1

    def _closer(self, group: _Group, variant: Variant) -> None:
        assert variant.deadline is not None
        low = self._behind(group, -1)
        low.seen.clear()
        register = low.truth(variant.deadline.closed_by)
        low.output("rule", len(self.plan.variants) + variant.index, register, -1, 0)
        group.rules += 1

    def _logs(self, logs: list[Keyspace]) -> tuple[Int64, Int64, Int64, Int64, Int64]:
        keys = np.full((max(len(logs), 1), N_TYPES), -1, np.int64)
        filters: list[tuple[int, int]] = []
        values: list[tuple[int, int]] = []
        filter_from, value_from = [0], [0]
        members: dict[tuple[int, int], list[MeasureSpec]] = {}
        for (_, event_type), specs in self.measures_of.items():
            for spec in specs:
                if spec.bit >= 0:
                    place = (spec.keyspace.index, TYPE_INDEX[event_type])
                    members.setdefault(place, []).append(spec)
        for number, space in enumerate(logs):
            for t in range(N_TYPES):
                bits: dict[int, int] = {}
                stored: dict[int, int] = {}
                for spec in members.get((space.index, t), ()):
                    role = self.roles[spec.index, t]
                    keys[number, t] = role[K.R_KEY]
                    bits[spec.bit] = int(role[K.R_FILTER])
                    if spec.value_at >= 0:
                        stored[spec.value_at] = int(role[K.R_VALUE])
                filters += sorted(bits.items())
                values += sorted(stored.items())
                filter_from.append(len(filters))
                value_from.append(len(values))
        return (
            keys,
            np.array(filters or [(0, 0)], np.int64),
            np.array(filter_from, np.int64),
            np.array(values or [(0, 0)], np.int64),
            np.array(value_from, np.int64),
        )


def _mark(spec: MeasureSpec) -> Any:
    return spec.value.mark if spec.value is not None else None


def _no_measure(measure: Measure, strict: bool) -> int:
    raise AssertionError(f"a filter or value reads the measure {measure}")


def _conjuncts(expr: Expr) -> list[Expr]:
    """The parts of a conjunction, however deep; any other condition is its only part."""
    if isinstance(expr, Logic) and expr.op == "and":
        return [part for operand in expr.operands for part in _conjuncts(operand)]
    return [expr]


def _measured(expr: Expr) -> bool:
    return any(isinstance(node, Measure) for node in walk(expr))


def _sole_types(roles: Int64) -> Int64:
    """For each measure the only type of row that changes or reads it; -1 where there are more."""
    used = roles[:, :, K.R_FLAGS] != 0
    return np.where(used.sum(axis=1) == 1, used.argmax(axis=1), -1)


def _joined(programs: list[tuple[int, int, Lowering]]) -> tuple[Int64, Int64]:
    """Instructions one after another, and the sections that they make: (group, gate, program)."""
    tables = [low.table() for _, _, low in programs]
    sections, at = [], 0
    for (group, gate, _), table in zip(programs, tables, strict=True):
        if len(table):
            sections.append((group, at, at + len(table), gate))
        at += len(table)
    code = np.concatenate([*tables, np.zeros((1, INSTRUCTION_WORDS), np.int64)])
    return code, np.array(sections, np.int64).reshape(len(sections), 4)


def rule_period(plan: Plan, variant: Variant) -> tuple[int, int, int]:
    """Period kind by which a rule's alerts are told apart, and the longest rolling windows.

    Rule 18: (kind, microseconds, months).
    """
    rule = variant.rule
    if rule.deadline is not None or variant.again is not None or rule.detect is not None:
        return PASS, 0, 0
    return natural_period(plan, variant)


def natural_period(plan: Plan, variant: Variant) -> tuple[int, int, int]:
    """As ``rule_period``, without regard to deadlines and re-triggers."""
    rule = variant.rule
    specs = [plan.measures[i] for i in sorted(set(variant.measures.values()))]
    length = max((s.length for s in specs if s.window == ROLLING), default=0)
    months = max((s.length for s in specs if s.window == MONTHS), default=0)
    if rule.period in ("event", "ever"):
        return (PER_EVENT if rule.period == "event" else PER_EVER), 0, 0
    if rule.period is not None and rule.period != "rolling":
        return PERIODS.index(rule.period), 0, 0
    if rule.period is None:
        if "event" in rule.per:
            return PER_EVENT, 0, 0
        names = {PERIODS[s.period] for s in specs if s.window == CALENDAR}
        order = ("day", "business_day", "week", "month", "quarter", "year")
        if found := [name for name in order if name in names]:
            return PERIODS.index(found[0]), 0, 0
    if length or months:
        return PER_ROLLING, length, months
    return PER_EVENT, 0, 0
