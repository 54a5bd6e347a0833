"""Rules as they stand on given days: every dated figure and set replaced by its value.

An event is judged by the law of its own day. A rule whose figures or sets change is compiled once
for each stretch of days on which nothing changes; such a stretch is a variant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from regtech.errors import ContentError
from regtech.reference.civil import days_from_civil
from regtech.reference.profiles import Profile
from regtech.reference.sets import SetTable
from regtech.reference.zones import local_day_start_us
from regtech.rulelang.ir import (
    Again,
    Const,
    Deadline,
    Duration,
    Expr,
    In,
    LetRef,
    Logic,
    Measure,
    Money,
    Pack,
    Param,
    ParamRef,
    Rule,
    Span,
    Type,
)
from regtech.rulelang.walk import rewrite, walk

FIRST_DAY = days_from_civil(1, 1, 1)
LAST_DAY = days_from_civil(9999, 12, 31)
TIME_MIN = -(1 << 62)
TIME_MAX = 1 << 62


@dataclass(eq=False)
class Variant:
    """One rule on the days ``first_day..last_day`` of its jurisdiction's zone."""

    pack: Pack
    rule: Rule
    rule_number: int
    jurisdiction: str
    first_day: int
    last_day: int
    first_us: int
    end_us: int
    where: Expr | None
    when: Expr | None
    lets: dict[str, Expr]
    again: Again | None
    deadline: Deadline | None
    params: dict[str, Const]
    index: int = -1
    measures: dict[Measure, int] = field(default_factory=dict)
    condition: Expr | None = None
    specs: list[Any] = field(default_factory=list)
    """The kernel measures (``plan.MeasureSpec``) that it reads."""


def expressions(rule: Rule) -> list[Expr]:
    """Every expression of a rule."""
    found = [e for e in (rule.where, *rule.lets.values(), rule.when) if e is not None]
    if rule.again is not None:
        found += [rule.again.value, rule.again.step]
    if rule.deadline is not None:
        deadline = rule.deadline
        extra = (deadline.closed_by, deadline.about, deadline.start)
        found += [e for e in extra if e is not None]
        if isinstance(deadline.within, ParamRef):
            found.append(deadline.within)
    if rule.detect is not None:
        found += figures_in(rule.detect.params)
    return found


def figures_in(value: Any) -> list[ParamRef]:
    """Parameters named in what a ``detect:`` says."""
    if isinstance(value, ParamRef):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [figure for part in parts for figure in figures_in(part)]


def variants_of(
    pack: Pack, rule: Rule, rule_number: int, profile: Profile, sets: SetTable
) -> list[Variant]:
    """The rule cut at every day on which one of its figures or sets changes."""
    params, set_names = _used(pack, rule)
    first, last = _span_days(rule.span)
    cuts = {first}
    for param in params:
        for version in param.versions:
            start, end = _span_days(version.span)
            cuts.update(day for day in (start, end + 1) if first < day <= last)
    for name in set_names:
        cuts.update(day for day in sets.change_days(name) if first < day <= last)
    ordered = sorted(cuts)
    made = []
    for start, end in zip(ordered, [*(day - 1 for day in ordered[1:]), last], strict=True):
        values = _values_on(params, start)
        if values is None:
            continue
        made.append(_variant(pack, rule, rule_number, profile, sets, start, end, values))
    return made


def as_of(variants: Iterable[Variant], day: date) -> list[Variant]:
    """The variants in force on a day, as if they had always been and always would be."""
    number = days_from_civil(day.year, day.month, day.day)
    return [
        replace(v, first_day=FIRST_DAY, last_day=LAST_DAY, first_us=TIME_MIN, end_us=TIME_MAX)
        for v in variants
        if v.first_day <= number <= v.last_day
    ]


def _used(pack: Pack, rule: Rule) -> tuple[list[Param], set[str]]:
    names: set[str] = set()
    set_names: set[str] = set()
    for expr in expressions(rule):
        for node in walk(expr):
            if isinstance(node, ParamRef):
                names.add(node.name)
            elif isinstance(node, In) and node.set_name is not None:
                set_names.add(node.set_name)
            elif isinstance(node, Measure) and node.type.currency is not None:
                if node.type.currency.startswith("*"):
                    names.add(node.type.currency[1:])
    return [pack.params[name] for name in sorted(names)], set_names


def _span_days(span: Span) -> tuple[int, int]:
    def number(day: date) -> int:
        return days_from_civil(day.year, day.month, day.day)

    first = FIRST_DAY if span.first is None else number(span.first)
    last = LAST_DAY if span.last is None else number(span.last)
    return first, last


def _values_on(params: Sequence[Param], day: int) -> dict[str, Const] | None:
    """The parameters' values on a day, or None where one has none: the rule is not in force."""
    values = {}
    for param in params:
        for version in param.versions:
            first, last = _span_days(version.span)
            if first <= day <= last:
                kind = param.type
                if isinstance(version.value, Money):
                    kind = Type("money", currency=version.value.currency)
                values[param.name] = Const(version.value, kind, version.mark)
                break
        else:
            return None
    return values


def _variant(
    pack: Pack,
    rule: Rule,
    rule_number: int,
    profile: Profile,
    sets: SetTable,
    first: int,
    last: int,
    values: dict[str, Const],
) -> Variant:
    lets: dict[str, Expr] = {}

    def resolve_node(node: Expr) -> Expr:
        if isinstance(node, ParamRef):
            return values[node.name]
        if isinstance(node, LetRef):
            return lets[node.name]
        if isinstance(node, In) and node.set_name is not None:
            words = tuple(sorted(sets.members(node.set_name, first)))
            return replace(node, set_name=None, words=words)
        if isinstance(node, In) and node.param is not None:
            listed = values[node.param.name].value
            assert isinstance(listed, frozenset)
            return replace(node, param=None, words=tuple(sorted(listed)))
        currency = node.type.currency
        if currency is not None and currency.startswith("*"):
            real = values[currency[1:]].type.currency
            return replace(node, type=Type(node.type.name, node.type.unit, real))
        return node

    def resolve(expr: Expr | None) -> Expr | None:
        return None if expr is None else rewrite(expr, resolve_node)

    for name, expr in rule.lets.items():
        resolved = resolve(expr)
        assert resolved is not None
        lets[name] = resolved
    again = None
    if rule.again is not None:
        again = Again(
            rewrite(rule.again.value, resolve_node), rewrite(rule.again.step, resolve_node)
        )
    deadline = rule.deadline
    if deadline is not None:
        within = deadline.within
        if isinstance(within, ParamRef):
            figure = values[within.name].value
            assert isinstance(figure, Duration), "by the type check"
            within = figure
        deadline = replace(
            deadline,
            within=within,
            closed_by=rewrite(deadline.closed_by, resolve_node),
            start=resolve(deadline.start),
        )
    zone = profile.zone
    return Variant(
        pack,
        rule,
        rule_number,
        profile.id,
        first,
        last,
        TIME_MIN if first == FIRST_DAY else local_day_start_us(zone, first),
        TIME_MAX if last == LAST_DAY else local_day_start_us(zone, last + 1),
        resolve(rule.where),
        resolve(rule.when),
        lets,
        again,
        deadline,
        values,
    )


def condition(variant: Variant) -> Expr:
    """``where and when`` of a variant."""
    if variant.condition is None:
        variant.condition = _condition(variant)
    return variant.condition


def _condition(variant: Variant) -> Expr:
    parts = tuple(e for e in (variant.where, variant.when) if e is not None)
    if not parts:
        return Const(True, Type("bool"))
    return parts[0] if len(parts) == 1 else Logic("and", parts)


def unique_rules(packs: Iterable[Pack]) -> list[tuple[Pack, Rule]]:
    """All rules of the packs, by rule id; ContentError where an id comes twice."""
    found: dict[str, tuple[Pack, Rule]] = {}
    for pack in packs:
        for rule in pack.rules:
            if rule.id in found:
                raise ContentError(f"rule {rule.id} is in {found[rule.id][0].id} and in {pack.id}")
            found[rule.id] = (pack, rule)
    return [found[key] for key in sorted(found)]
