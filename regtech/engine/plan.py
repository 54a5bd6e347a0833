"""Packs compiled to data: measures, key spaces, columns; programs are lowered for each era.

An era is a stretch of time in which the same rules are in force; its programs are made when the
first event of it arrives. Measures and key spaces are numbered once for the whole run, so state
survives every change of law.

Somewhat over 500 lines: numbering measures, keys and columns is one step and reads as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Final

from regtech.columns.vocabulary import Vocabulary
from regtech.engine.asking import (
    check_questions,
    columns_of,
    put_questions,
    shared_out,
    waits_for,
)
from regtech.engine.columns import ColumnRegistry, has_path, is_name, sides
from regtech.engine.kernels.measures import CALENDAR, EVER, KIND, MONTHS, PERIODS, ROLLING
from regtech.engine.lowering import calendar_length, mean_parts, persons_parts
from regtech.engine.subjects import EVENT, PREFIXES, Part, group_path, is_sided, key_parts
from regtech.engine.variants import (
    TIME_MIN,
    Variant,
    as_of,
    condition,
    unique_rules,
    variants_of,
)
from regtech.errors import ContentError
from regtech.model.fields import EVENT_TYPES
from regtech.ports.detection import Detectors, Question
from regtech.reference.currencies import CurrencyTable
from regtech.reference.load import Reference
from regtech.reference.profiles import Profile
from regtech.rulelang.ir import (
    Arith,
    Call,
    Const,
    Duration,
    Expr,
    FieldRef,
    IfElse,
    Measure,
    Money,
    Pack,
    Rule,
)
from regtech.rulelang.walk import walk

DAY_US: Final = 86_400_000_000
FILTERS_MAX: Final = 31
KEY_PARTS_MAX: Final = 4
TYPE_INDEX: Final = {name: index for index, name in enumerate(EVENT_TYPES)}
_RETENTION_DAYS: Final = {
    "day": 3, "week": 9, "month": 33, "quarter": 94, "year": 368, "business_day": 16,
}  # fmt: skip
EVIDENCE_DAYS_EVER: Final = 400
"""How far back evidence of measures without a window is kept."""


@dataclass
class Keyspace:
    """A dictionary of subjects: one slot for each combination of key parts in one jurisdiction."""

    index: int
    jurisdiction: int
    keys: tuple[tuple[str, tuple[Part, ...]], ...]  # event type, parts
    prefix: Keyspace | None = None  # of the first parts, where a key has more than four
    filters: dict[object, int] = field(default_factory=dict)  # filter identity to bit
    values: dict[object, int] = field(default_factory=dict)  # value identity to position
    retention_us: int = 0
    logged: bool = False


@dataclass(eq=False)
class MeasureSpec:
    """One measure as the kernels see it."""

    index: int
    kind: int
    window: int
    period: int
    length: int
    jurisdiction: int
    keyspace: Keyspace
    contributes: dict[str, tuple[Part, ...]]  # event type to key parts
    leg: dict[str, bool]
    where: Expr | None
    rule_where: Expr | None
    value: Expr | None
    item: dict[str, tuple[Part, ...]]
    item_space: Keyspace | None
    nonnegative: bool
    bit: int
    value_at: int
    reads: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    figure: str | None = None
    at: str | None = None
    first_us: int = 0  # from when on contributions matter
    end_us: int = 0


@dataclass(eq=False)
class Plan:
    """Everything about the packs that does not change during a run."""

    reference: Reference
    packs: tuple[Pack, ...]
    vocabulary: Vocabulary
    columns: ColumnRegistry = field(default_factory=ColumnRegistry)
    jurisdictions: tuple[Profile, ...] = ()
    variants: list[Variant] = field(default_factory=list)
    rules: list[tuple[Pack, Rule]] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    disabled: list[str] = field(default_factory=list)
    keyspaces: list[Keyspace] = field(default_factory=list)
    measures: list[MeasureSpec] = field(default_factory=list)
    rate_targets: dict[str, int] = field(default_factory=dict)
    detectors: Detectors = ()
    questions: dict[str, Question] = field(default_factory=dict)
    """What detectors are asked, by the name of the column that takes the answers."""
    needs_business_days: bool = False
    law_as_of: date | None = None
    _by_identity: dict[object, MeasureSpec] = field(default_factory=dict)
    _space_by_keys: dict[object, list[Keyspace]] = field(default_factory=dict)
    _slots: dict[tuple[int, Measure, bool], MeasureSpec] = field(default_factory=dict)
    _by_object: dict[tuple[int, int, bool], MeasureSpec] = field(default_factory=dict)
    """As ``_slots`` by the identity of the expression: comparing deep trees is slow."""
    _parts: dict[int, tuple[Measure, list[tuple[Measure, bool]]]] = field(default_factory=dict)

    @property
    def currencies(self) -> CurrencyTable:
        """Currencies and their decimals."""
        return self.reference.currencies

    def rate_target(self, currency: str) -> int:
        """Row of a target currency in the rate arrays."""
        return self.rate_targets.setdefault(currency, len(self.rate_targets))

    def jurisdiction_index(self, identity: str) -> int:
        """Position of a jurisdiction in ``jurisdictions``."""
        return next(k for k, p in enumerate(self.jurisdictions) if p.id == identity)

    def measure_of(self, variant: Variant, expr: Measure, strict: bool = False) -> MeasureSpec:
        """The kernel measure of a variant's measure; it is registered at compilation."""
        found = self._by_object.get((variant.index, id(expr), strict))
        return found or self._slots[(variant.index, expr, strict)]

    def is_strict(self, variant: Variant, expr: Measure) -> bool:
        """Whether the variant has the measure as one that is unknown while anything is
        uncertain."""
        if (variant.index, id(expr), False) in self._by_object:
            return False
        return (variant.index, expr, True) in self._slots

    def parts_of(self, expr: Measure) -> list[tuple[Measure, bool]]:
        """The kernel measures that a measure is made of, each with its strictness."""
        kept = self._parts.get(id(expr))
        if kept is None or kept[0] is not expr:
            kept = (expr, kernel_parts(expr))
            self._parts[id(expr)] = kept
        return kept[1]


def compile_plan(
    packs: Iterable[Pack],
    reference: Reference,
    vocabulary: Vocabulary | None = None,
    include_disabled: bool = False,
    law_as_of: date | None = None,
    detectors: Detectors = (),
) -> Plan:
    """Compile packs. Raises ContentError where a rule cannot be run as written.

    ``law_as_of``: every event is judged by the law of that day, whenever it happens.
    ``detectors``: who answers what rules ask; a rule that asks for another one waits.
    """
    vocabulary = Vocabulary() if vocabulary is None else vocabulary
    for name in EVENT_TYPES:
        if vocabulary.code_of(name) != TYPE_INDEX[name]:
            raise ContentError("the vocabulary does not begin with the event types")
    plan = Plan(reference, tuple(sorted(packs, key=lambda p: p.id)), vocabulary)
    plan.law_as_of = law_as_of
    plan.detectors = tuple(detectors)
    plan.rules = unique_rules(plan.packs)
    used = sorted({pack.jurisdiction for pack in plan.packs})
    plan.jurisdictions = tuple(reference.profile(name) for name in used)
    if len(used) > 63:
        raise ContentError("more than 63 jurisdictions in one run")
    _reserve_symbols(plan)
    for number, (pack, rule) in enumerate(plan.rules):
        if rule.status == "disabled" and not include_disabled:
            plan.disabled.append(rule.id)
            continue
        if (detector := waits_for(rule, detectors)) is not None:
            plan.waiting[rule.id] = detector
            continue
        profile = reference.profile(pack.jurisdiction)
        variants = variants_of(pack, rule, number, profile, reference.sets)
        if law_as_of is not None:
            variants = as_of(variants, law_as_of)
        for variant in variants:
            variant.index = len(plan.variants)
            plan.variants.append(variant)
            plan.questions.update((q.name, q) for q in put_questions(variant, profile.zone))
            _register(plan, variant)
    _note_questions(plan)
    plan.columns.finish()
    return plan


def _reserve_symbols(plan: Plan) -> None:
    """Countries first: governing looks them up in a small array."""
    for profile in plan.jurisdictions:
        for country in sorted(profile.countries):
            plan.vocabulary.code_of(country)
        for event_type in EVENT_TYPES:
            for path in profile.governing_paths(event_type):
                if has_path(event_type, path):
                    plan.columns.column(path)
    for path in ("payer.institution_country", "payee.institution_country", "reporter.country"):
        plan.columns.column(path)


def variant_expressions(variant: Variant) -> list[Expr]:
    """Every resolved expression of a variant, except those on other rows."""
    found = [condition(variant), *variant.lets.values()]
    if variant.again is not None:
        found += [variant.again.value, variant.again.step]
    return found


def _register(plan: Plan, variant: Variant) -> None:
    rule = variant.rule
    subject_space(plan, variant)
    for event_type in rule.on:
        parts = key_parts((*rule.per, *rule.by), event_type)
        for part in parts:
            if part not in (EVENT, "@institution", "@unknown"):
                touch(plan, event_type, part)
        if (path := group_path(rule.per, event_type)) is not None:
            touch(plan, event_type, path)
    if rule.alert.due is not None:
        for event_type in rule.on:
            touch(plan, event_type, rule.alert.due_from)
    deadline = variant.deadline
    expressions = variant_expressions(variant)
    if deadline is not None:
        expressions += [e for e in (deadline.about, deadline.start) if e is not None]
        touch(plan, "action", "about")
        for node in walk(deadline.closed_by):
            if isinstance(node, FieldRef):
                touch(plan, "action", node.path)
    for expr in expressions:
        for node in walk(expr):
            if isinstance(node, Measure):
                for made, strict in plan.parts_of(node):
                    _measure(plan, variant, made, strict)
            elif isinstance(node, FieldRef):
                for event_type in rule.on:
                    touch(plan, event_type, node.path)
            elif isinstance(node, Call):
                _touch_call(plan, node)
            elif isinstance(node, Arith) and calendar_length(node) is not None:
                plan.needs_business_days = True


def _touch_call(plan: Plan, node: Call) -> None:
    if node.function == "amount_in":
        target = node.args[1]
        assert isinstance(target, Const)
        code = target.type.currency or str(target.value)
        plan.rate_target(code)
        touch(plan, "figure", "as_of")  # a figure is converted at the rate of its own day
    if node.function == "working_day":
        plan.needs_business_days = True


def _note_questions(plan: Plan) -> None:
    """The columns that detectors read to answer, and those that their answers go into."""
    check_questions(plan.questions, plan.detectors)
    for question in plan.questions.values():
        plan.columns.column(question.name)
        for event_type, path in columns_of(question):
            touch(plan, event_type, path)
    for detector, questions in shared_out(plan.questions, plan.detectors):
        for event_type, paths in detector.reads(questions).items():
            for path in paths:
                touch(plan, event_type, path)
                plan.columns.names_kept |= is_name(path)


def touch(plan: Plan, event_type: str, path: str) -> None:
    """Note the columns that reading a path on an event type takes."""
    if path == "direction":
        return
    if path in PREFIXES[event_type]:
        path = f"{path}.id"
    if event_type == "transaction" and (pair := sides(path)) is not None:
        for side in pair:
            if has_path("transaction", side):
                plan.columns.column(side)
    elif has_path(event_type, path):
        plan.columns.column(path)


def kernel_parts(expr: Measure) -> list[tuple[Measure, bool]]:
    if expr.kind == "mean":
        return [(part, True) for part in mean_parts(expr)]
    if (
        expr.kind == "distinct"
        and isinstance(expr.value, FieldRef)
        and expr.value.path == "persons"
    ):
        return [(part, False) for part in persons_parts(expr)]
    return [(expr, False)]


def _measure(plan: Plan, variant: Variant, expr: Measure, strict: bool) -> None:
    rule = variant.rule
    jurisdiction = plan.jurisdiction_index(variant.jurisdiction)
    kind = _kind(expr)
    by = (*rule.by, *expr.by)
    contributes: dict[str, tuple[Part, ...]] = {}
    leg: dict[str, bool] = {}
    item: dict[str, tuple[Part, ...]] = {}
    for event_type in expr.on:
        if expr.key is not None:
            names = tuple(_path(e) for e in expr.key)
            owners = rule.per if expr.read is None else ()
            parts = named_key(names, owners, event_type) + key_parts(expr.by, event_type)
        else:
            parts = _shared(key_parts((*rule.per, *by), event_type))
        contributes[event_type] = parts
        leg[event_type] = is_sided(parts, event_type)
        if expr.item:
            item[event_type] = parts + key_parts(tuple(_path(e) for e in expr.item), event_type)
        for part in (*parts, *item.get(event_type, ())):
            touch(plan, event_type, part)
        for inner in (expr.value, expr.where):
            for node in walk(inner):
                if isinstance(node, FieldRef):
                    touch(plan, event_type, node.path)
                elif isinstance(node, Call):
                    _touch_call(plan, node)
        if kind == KIND["figure"]:
            touch(plan, "figure", "as_of")
            touch(plan, "figure", "name")
    reads: dict[str, tuple[Part, ...]] = {}
    for event_type in rule.on:
        if expr.read is not None:
            parts = key_parts(tuple(_path(e) for e in expr.read), event_type)
            parts += key_parts(expr.by, event_type)
        elif expr.key is not None:
            # the subject, without the rule's own splits: the key names as many parts as `per`
            parts = key_parts(rule.per, event_type) + key_parts(expr.by, event_type)
        else:
            parts = _shared(key_parts((*rule.per, *by), event_type))
        reads[event_type] = parts
        for part in parts:
            touch(plan, event_type, part)
    window, period, length = _window(expr)
    if period == PERIODS.index("business_day") and window == CALENDAR:
        plan.needs_business_days = True
    rule_where = variant.where if expr.rule_where else None
    identity = (
        jurisdiction, kind, window, period, length, strict, tuple(sorted(contributes.items())),
        tuple(sorted(item.items())), tuple(sorted(reads.items())), expr.where, rule_where,
        expr.value, expr.figure, expr.at,
    )  # fmt: skip
    spec = plan._by_identity.get(identity)
    if spec is None:
        filter_key = (expr.where, rule_where)
        space = _keyspace(plan, jurisdiction, contributes, filter_key)
        item_space = _keyspace(plan, jurisdiction, item, None) if item else None
        logged = kind not in (KIND["figure"],)
        bit = value_at = -1
        if logged:
            bit = space.filters.setdefault(filter_key, len(space.filters))
            space.logged = True
            if window in (ROLLING, MONTHS) and expr.value is not None and kind != KIND["persons"]:
                value_at = space.values.setdefault(expr.value, len(space.values))
            space.retention_us = max(space.retention_us, _retention_us(window, period, length))
        spec = MeasureSpec(
            index=len(plan.measures), kind=kind, window=window, period=period, length=length,
            jurisdiction=jurisdiction, keyspace=space, contributes=contributes, leg=leg,
            where=expr.where, rule_where=rule_where, value=expr.value, item=item,
            item_space=item_space, nonnegative=not strict and is_nonnegative(expr.value), bit=bit,
            value_at=value_at, figure=expr.figure, at=expr.at, first_us=1 << 62, end_us=-(1 << 62),
        )  # fmt: skip
        plan.measures.append(spec)
        plan._by_identity[identity] = spec
    spec.reads.update(reads)
    reach = _retention_us(window, period, length)
    whole = window == EVER or kind in (KIND["figure"], KIND["outstanding"])
    first = TIME_MIN if whole or variant.first_us == TIME_MIN else variant.first_us - reach
    spec.first_us = min(spec.first_us, first)
    spec.end_us = max(spec.end_us, variant.end_us)
    plan._slots[(variant.index, expr, strict)] = spec
    plan._by_object[(variant.index, id(expr), strict)] = spec
    variant.specs.append(spec)
    variant.measures[expr] = spec.index


def _shared(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Key of a measure of a rule per event: the reporter and what ``by`` names."""
    if EVENT not in parts:
        return parts
    return ("reporter", *(part for part in parts if part != EVENT))


def named_key(names: tuple[str, ...], per: tuple[str, ...], event_type: str) -> tuple[Part, ...]:
    """Key parts of ``key=``: each name stands for one word of ``per``; the institution of a
    customer
    or account is the contributing row's reporter."""
    parts: list[Part] = []
    for k, name in enumerate(names):
        if k < len(per) and per[k] in ("customer", "account"):
            parts.append("reporter")
        parts += key_parts((name,), event_type)
    return tuple(parts)


def _kind(expr: Measure) -> int:
    if (
        expr.kind == "distinct"
        and isinstance(expr.value, FieldRef)
        and expr.value.path == "persons"
    ):
        return KIND["persons"]
    return KIND[expr.kind]


def _path(expr: Expr) -> str:
    if not isinstance(expr, FieldRef):
        raise ContentError(f"{expr.mark}: a key is a field")
    return expr.path


def _window(expr: Measure) -> tuple[int, int, int]:
    """Window class, calendar period, length (microseconds or months)."""
    window = expr.window
    if window.kind == "ever":
        return EVER, 0, 0
    if window.kind == "calendar":
        assert window.period is not None
        return CALENDAR, PERIODS.index(window.period), 0
    length = window.length
    assert isinstance(length, Duration)
    if length.unit == "months":
        return MONTHS, 0, length.count
    if length.unit == "working_days":
        raise ContentError(f"{expr.mark}: a window of working days is not supported")
    return ROLLING, 0, length.count * (DAY_US if length.unit == "days" else 1_000_000)


def _retention_us(window: int, period: int, length: int) -> int:
    if window == CALENDAR:
        return _RETENTION_DAYS[PERIODS[period]] * DAY_US
    if window == ROLLING:
        return length + DAY_US
    if window == MONTHS:
        return (length * 31 + 2) * DAY_US
    return EVIDENCE_DAYS_EVER * DAY_US


def _keyspace(
    plan: Plan, jurisdiction: int, keys: dict[str, tuple[Part, ...]], filter_key: object
) -> Keyspace:
    """The key space of these keys that still has room for the filter's bit."""
    identity = (jurisdiction, tuple(sorted(keys.items())))
    spaces = plan._space_by_keys.setdefault(identity, [])
    for space in spaces:
        if filter_key is None or filter_key in space.filters or len(space.filters) < FILTERS_MAX:
            return space
    prefix = None
    if any(len(parts) > KEY_PARTS_MAX for parts in keys.values()):
        head = {name: parts[:KEY_PARTS_MAX] for name, parts in keys.items()}
        prefix = _keyspace(plan, jurisdiction, head, None)
    space = Keyspace(len(plan.keyspaces), jurisdiction, identity[1], prefix)
    plan.keyspaces.append(space)
    spaces.append(space)
    return space


def subject_space(plan: Plan, variant: Variant) -> Keyspace | None:
    """Key space of a rule's own subject; None where each event is its own subject."""
    rule = variant.rule
    keys = {t: key_parts((*rule.per, *rule.by), t) for t in rule.on}
    if any(EVENT in parts for parts in keys.values()):
        return None
    return _keyspace(plan, plan.jurisdiction_index(variant.jurisdiction), keys, None)


_NONNEGATIVE_CALLS: Final = frozenset({"amount_in", "least", "greatest", "length", "given"})


def is_nonnegative(value: Expr | None) -> bool:
    """Whether a value can never be negative, so that a sum of it only grows.

    Negative numbers are refused by every adapter, except the value of a figure.
    """
    match value:
        case None:
            return True
        case Const(value=v):
            return not isinstance(v, str) and not isinstance(v, frozenset) and _positive(v)
        case FieldRef(path=path):
            return path != "value"
        case Call(function=function, args=args):
            if function == "amount_in":
                return is_nonnegative(args[0])
            return function in _NONNEGATIVE_CALLS and all(is_nonnegative(a) for a in args)
        case Arith(op=op, left=left, right=right):
            return op != "-" and is_nonnegative(left) and is_nonnegative(right)
        case IfElse(then=then, otherwise=otherwise):
            return is_nonnegative(then) and is_nonnegative(otherwise)
        case _:
            return False


def _positive(value: int | Fraction | Money | Duration) -> bool:
    match value:
        case Money(amount=number) | Duration(count=number):
            return number >= 0
        case _:
            return value >= 0


def eras(plan: Plan) -> list[int]:
    """Instants at which the set of rules in force, or of measures that matter, changes."""
    cuts: set[int] = set()
    for variant in plan.variants:
        cuts.update((variant.first_us, variant.end_us))
    for measure in plan.measures:
        cuts.update((measure.first_us, measure.end_us))
    return sorted(cuts)


def in_force(plan: Plan, at: int) -> Sequence[Variant]:
    """Variants in force at an instant."""
    return [v for v in plan.variants if v.first_us <= at < v.end_us]
