"""The mutants of a rule: the rule with one thing changed by the smallest step, one by one.

Changed are expressions (``variations``), the figures that the rule uses, its splits, period,
re-trigger, deadline and due date, whom it yields to, and the days on which law begins and ends.

Left alone, because nothing would come of it: an ``item`` that is part of the subject already, and
``known(x)`` beside a deadline that starts at x (a duty without a start is never opened).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from regtech.content.faults import Mark
from regtech.reference.currencies import CurrencyTable
from regtech.rulelang.ir import (
    Call,
    Compare,
    Deadline,
    Duration,
    Expr,
    FieldRef,
    Measure,
    Pack,
    Param,
    ParamRef,
    ParamVersion,
    Rule,
    Span,
    Type,
)
from regtech.rulelang.rules import expressions_of
from regtech.rulelang.values import duration_text, value_text
from regtech.rulelang.walk import walk
from regtech.sandbox.source import length_text, source_of
from regtech.sandbox.variations import Change, operands_of, steps, variations

_DAY: Final = timedelta(days=1)
_PERIODS: Final = ("event", "day", "week", "month", "quarter", "year", "ever")
_PERIOD_ENDS: Final = ("month", "quarter", "year")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed rule and the pack whose figures it uses.

    ``place``: set where the change stands in one place of the pack and shows in several rules (the
    dates of instruments and figures, the words of a list): it is enough that the tests of one of
    them notice. A number is tested by every rule that uses it.
    """

    rule: Rule
    pack: Pack
    change: Change
    place: tuple[Mark, str, str] | None = None


def mutants_of(rule: Rule, pack: Pack, currencies: CurrencyTable) -> Iterator[Mutant]:
    """Every mutant of a rule, in the order of its parts."""
    idle = _without_effect(rule)
    for changed, change in _conditions(rule, currencies):
        if change not in idle:
            yield Mutant(changed, pack, change)
    for changed, change in _subject(rule):
        yield Mutant(changed, pack, change)
    for changed, change in _consequence(rule, currencies):
        yield Mutant(changed, pack, change)
    if rule.deadline is not None:
        for deadline, change in _deadline(rule, rule.deadline, currencies):
            yield Mutant(replace(rule, deadline=deadline), pack, change)
    for span, change, place in _days(rule, pack):
        yield Mutant(replace(rule, span=span), pack, change, place)
    for param, change, shared in _figures(rule, pack, currencies):
        place = (change.mark, change.before, change.after) if shared else None
        yield Mutant(rule, _with_param(pack, param), change, place)


def _with_param(pack: Pack, param: Param) -> Pack:
    return replace(pack, params={**pack.params, param.name: param})


def _conditions(rule: Rule, currencies: CurrencyTable) -> Iterator[tuple[Rule, Change]]:
    if rule.where is not None:
        if rule.when is not None and len(operands_of(rule.where)) == 1:
            yield replace(rule, where=None), _left_out(rule.where, "where: ")
        for expr, change in variations(rule.where, currencies):
            yield replace(rule, where=expr), change
    for name, named in rule.lets.items():
        for expr, change in variations(named, currencies):
            yield replace(rule, lets={**rule.lets, name: expr}), change
    if rule.when is not None:
        if rule.where is not None and len(operands_of(rule.when)) == 1:
            yield replace(rule, when=None), _left_out(rule.when, "when: ")
        for expr, change in variations(rule.when, currencies):
            yield replace(rule, when=expr), change


def _without_effect(rule: Rule) -> set[Change]:
    """Changes that leave every finding as it is."""
    found = set()
    start = rule.deadline.start if rule.deadline is not None else None
    subject = {path for part in (*rule.per, *rule.by) for path in (part, f"{part}.id")}
    for node in (node for expr in expressions_of(rule) for node in walk(expr)):
        if isinstance(node, Measure) and node.key is None and node.read is None:
            for item in node.item:
                if isinstance(item, FieldRef) and item.path in subject:
                    found.add(Change(node.mark, f"item={source_of(item)}", "left out"))
        elif isinstance(node, Call) and node.function == "known" and node.args == (start,):
            found.add(_left_out(node))
    return found


def _left_out(expr: Expr, what: str = "") -> Change:
    return Change(expr.mark, f"{what}{source_of(expr)}", "left out")


def _subject(rule: Rule) -> Iterator[tuple[Rule, Change]]:
    for k, path in enumerate(rule.by):
        by = rule.by[:k] + rule.by[k + 1 :]
        yield replace(rule, by=by), Change(rule.mark, f"by: {path}", "left out")
    for k, path in enumerate(rule.per if len(rule.per) > 1 else ()):
        per = rule.per[:k] + rule.per[k + 1 :]
        yield replace(rule, per=per), Change(rule.mark, f"per: {path}", "left out")
    if rule.period in _PERIODS:
        for period in _beside(rule.period, _PERIODS):
            change = Change(rule.mark, f"period: {rule.period}", f"period: {period}")
            yield replace(rule, period=period), change
    for k, name in enumerate(rule.yields_to):
        rest = rule.yields_to[:k] + rule.yields_to[k + 1 :]
        yield replace(rule, yields_to=rest), Change(rule.mark, f"yields_to: {name}", "left out")


def _beside(word: str, ladder: tuple[str, ...]) -> list[str]:
    at = ladder.index(word)
    return [ladder[k] for k in (at - 1, at + 1) if 0 <= k < len(ladder)]


def _consequence(rule: Rule, currencies: CurrencyTable) -> Iterator[tuple[Rule, Change]]:
    if rule.again is not None:
        yield replace(rule, again=None), Change(rule.mark, "again", "left out")
        for step, change in variations(rule.again.step, currencies):
            yield replace(rule, again=replace(rule.again, step=step)), change
    alert = rule.alert
    if alert.due is not None:
        for due, change in _lengths(alert.due, rule.mark, "due", currencies):
            yield replace(rule, alert=replace(alert, due=due)), change
        if alert.due_from != "time":
            change = Change(rule.mark, f"due_from: {alert.due_from}", "left out")
            yield replace(rule, alert=replace(alert, due_from="time")), change


def _lengths(
    length: Duration, mark: Mark, what: str, currencies: CurrencyTable
) -> Iterator[tuple[Duration, Change]]:
    for moved, text in steps(length, Type("duration"), currencies):
        assert isinstance(moved, Duration)
        yield moved, Change(mark, f"{what}: {duration_text(length)}", text)


def _deadline(
    rule: Rule, deadline: Deadline, currencies: CurrencyTable
) -> Iterator[tuple[Deadline, Change]]:
    if isinstance(deadline.within, Duration):
        for length, change in _lengths(deadline.within, rule.mark, "within", currencies):
            yield replace(deadline, within=length), change
    if deadline.warn is not None:
        for length, change in _lengths(deadline.warn, rule.mark, "warn", currencies):
            yield replace(deadline, warn=length), change
        yield (
            replace(deadline, warn=None),
            Change(rule.mark, f"warn: {length_text(deadline.warn)}", "left out"),
        )
    for expr, change in variations(deadline.closed_by, currencies):
        yield replace(deadline, closed_by=expr), change
    if deadline.about is not None:
        yield replace(deadline, about=None), _left_out(deadline.about, "about: ")
    if deadline.start is not None:
        yield replace(deadline, start=None), _left_out(deadline.start, "start: ")
        for expr, change in variations(deadline.start, currencies):
            yield replace(deadline, start=expr), change
    if deadline.start_period_end is not None:
        before = deadline.start_period_end
        for period in _beside(before, _PERIOD_ENDS):
            what = "start_period_end: "
            yield (
                replace(deadline, start_period_end=period),
                Change(rule.mark, what + before, what + period),
            )


# --- days ----------------------------------------------------------------------------------------


def _moved(day: date) -> list[date]:
    return [day + step for step in (_DAY, -_DAY) if date.min < day < date.max]


def _days(rule: Rule, pack: Pack) -> Iterator[tuple[Span, Change, tuple[Mark, str, str] | None]]:
    """The rule's first and last day in force. An instrument's date is one place for all rules."""
    instrument = pack.instruments.get(rule.cite.instrument) if rule.cite else None
    for side, word in (("first", "from"), ("last", "until")):
        day = getattr(rule.span, side)
        if day is None:
            continue
        of_instrument = instrument is not None and getattr(instrument.span, side) == day
        mark = instrument.mark if of_instrument and instrument else rule.mark
        for moved in _moved(day):
            change = Change(mark, f"in_force: {word} {day}", f"{word} {moved}")
            place = (mark, change.before, change.after) if of_instrument else None
            first, last = (moved, rule.span.last) if side == "first" else (rule.span.first, moved)
            yield Span(first, last), change, place


def _figures(
    rule: Rule, pack: Pack, currencies: CurrencyTable
) -> Iterator[tuple[Param, Change, bool]]:
    """Figures of the rule with a value or date moved; true where one rule's tests will do."""
    for name, fine in _params_by_value(rule).items():
        param = pack.params[name]
        for k, version in enumerate(param.versions):
            if not _overlap(version.span, rule.span):
                continue
            before = value_text(version.value, param.type)
            for value, text in steps(version.value, param.type, currencies, fine=fine):
                change = Change(version.mark, f"{name}: {before}", text)
                if isinstance(value, frozenset) and isinstance(version.value, frozenset):
                    word = ", ".join(version.value - value)
                    change = Change(version.mark, f'{name}: "{word}"', "left out")
                moved = replace(version, value=value)
                yield _replaced(param, {k: moved}), change, isinstance(value, frozenset)
    for name in {part.name: None for part in _params(rule)}:
        param = pack.params[name]
        for k, version in enumerate(param.versions):
            yield from _dated(rule, param, k, version)


def _dated(
    rule: Rule, param: Param, k: int, version: ParamVersion
) -> Iterator[tuple[Param, Change, bool]]:
    """The day from which a version holds; the one before it ends where the new one begins."""
    before = param.versions[k - 1] if k else None
    span = version.span
    if span.first is not None and _inside(rule.span, span.first):
        adjoins = before is not None and before.span.last == span.first - _DAY
        for day in _moved(span.first):
            changed = {k: replace(version, span=Span(day, span.last))}
            if before is not None and adjoins:
                changed[k - 1] = replace(before, span=Span(before.span.first, day - _DAY))
            change = Change(version.mark, f"{param.name}: from {span.first}", f"from {day}")
            yield _replaced(param, changed), change, True
    after = param.versions[k + 1] if k + 1 < len(param.versions) else None
    if span.last is not None and _inside(rule.span, span.last):
        if after is not None and after.span.first == span.last + _DAY:
            return
        for day in _moved(span.last):
            change = Change(version.mark, f"{param.name}: until {span.last}", f"until {day}")
            changed = {k: replace(version, span=Span(span.first, day))}
            yield _replaced(param, changed), change, True


def _replaced(param: Param, versions: dict[int, ParamVersion]) -> Param:
    return replace(
        param, versions=tuple(versions.get(k, old) for k, old in enumerate(param.versions))
    )


def _overlap(a: Span, b: Span) -> bool:
    return (a.first or date.min) <= (b.last or date.max) and (b.first or date.min) <= (
        a.last or date.max
    )


def _inside(span: Span, day: date) -> bool:
    return (span.first or date.min) < day <= (span.last or date.max)


def _params(rule: Rule) -> list[ParamRef]:
    parts = (part for expr in expressions_of(rule) for part in walk(expr))
    return [part for part in parts if isinstance(part, ParamRef)]


def _params_by_value(rule: Rule) -> dict[str, bool]:
    """Parameters whose value decides something; true where it is compared with a ratio.

    One that only names a currency (``amount_in(param("x"))``) decides nothing by its amount.
    """
    uses: dict[str, int] = {}
    for part in _params(rule):
        uses[part.name] = uses.get(part.name, 0) + 1
    fine: dict[str, bool] = {}
    for node in (node for expr in expressions_of(rule) for node in walk(expr)):
        if isinstance(node, Call) and node.function == "amount_in":
            target = node.args[1]
            if isinstance(target, ParamRef):
                uses[target.name] -= 1
        elif isinstance(node, Compare):
            ratio = "ratio" in (node.left.type.name, node.right.type.name)
            for side in (node.left, node.right):
                if isinstance(side, ParamRef):
                    fine[side.name] = fine.get(side.name, False) or ratio
    return {name: fine.get(name, False) for name, count in uses.items() if count > 0}
