"""What a rule's alerts have in common, and what deciding the rule reads: for evidence and replay.

``Reading`` is the order of an alert's ``facts`` and ``inputs``. The alert and its replay both
follow it, so the evidence can be read back without the state that it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from regtech.engine.columns import is_asked, kind_of
from regtech.engine.evaluate import Environment, truth
from regtech.engine.lowering import amount_currency
from regtech.engine.plan import Plan, kernel_parts
from regtech.engine.program import natural_period
from regtech.engine.variants import Variant, condition
from regtech.model.fields import Kind
from regtech.rulelang.ir import Call, Duration, Expr, FieldRef, Measure
from regtech.rulelang.values import value_text
from regtech.rulelang.walk import children

ALWAYS: Final = ("type", "time", "reporter")
"""Facts of the deciding event that every alert carries."""


@dataclass(slots=True)
class Reading:
    """Fields and kernel measures that deciding reads, each in the order of first appearance.

    A measure belongs to a variant: equal measures of two rules may count by different filters.
    The flag asks for the reading that is unknown while anything is uncertain.
    """

    fields: dict[str, None] = field(default_factory=dict)
    measures: dict[tuple[int, Measure, bool], None] = field(default_factory=dict)
    conversions: dict[tuple[str, str, Expr | None], None] = field(default_factory=dict)
    """Money field and target currency of every conversion of the row, and the filter of the measure
    that it is in."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is the same for all alerts of a variant while the same higher rules are in force."""

    variant: Variant
    condition: Expr
    higher: tuple[tuple[Variant, Expr], ...]
    reading: Reading
    params: dict[str, Any]
    cite: dict[str, Any] | None
    period: tuple[int, int, int]
    names: dict[str, Expr]
    due: Duration | None
    asked: tuple[str, ...]
    """Fields that detectors answer."""


def shape_of(plan: Plan, variant: Variant, higher: Sequence[Variant] = ()) -> Shape:
    """The shape of a variant; ``higher``: the rules in force that it gives way to."""
    rule = variant.rule
    whole = condition(variant)
    above = tuple((other, condition(other)) for other in higher)
    reading = _reading(variant, whole, above)
    return Shape(
        variant,
        whole,
        above,
        reading,
        params_of_variant(variant),
        citation(variant),
        natural_period(plan, variant),
        dict(variant.lets),
        rule.alert.due,
        tuple(path for path in reading.fields if is_asked(path)),
    )


def higher_rules(variant: Variant, in_force: dict[str, Variant]) -> tuple[Variant, ...]:
    """The rules that a variant gives way to, those that are in force, in the order written."""
    found = (in_force.get(name) for name in variant.rule.yields_to)
    return tuple(other for other in found if other is not None)


def decide(shape: Shape, env_of: Callable[[Variant], Environment]) -> int:
    """The outcome on a row: the rule's own condition, less the rules that it gives way to."""
    outcome = truth(shape.condition, env_of(shape.variant))
    for other, expr in shape.higher:
        outcome = min(outcome, 2 - truth(expr, env_of(other)))
    return outcome


def note_conversions(shape: Shape, env: Environment) -> None:
    """Convert what the row contributes to measures, so that the rates used are noted."""
    for path, currency, where in shape.reading.conversions:
        if where is None or truth(where, env):
            env.converted(path, currency)


def law_day(plan: Plan) -> str | None:
    """The day whose law a rehearsal judges by; None where each event's own day counts."""
    return None if plan.law_as_of is None else plan.law_as_of.isoformat()


def params_of_variant(variant: Variant) -> dict[str, Any]:
    """The figures in force, with their basis, as an alert shows them."""
    return {
        name: {"value": value_text(c.value, c.type), "basis": variant.pack.params[name].basis}
        for name, c in variant.params.items()
    }


def citation(variant: Variant) -> dict[str, Any] | None:
    """What a rule rests on, as an alert shows it; None for an indicator of the product."""
    cite = variant.rule.cite
    if cite is None:
        return None
    instrument = variant.pack.instruments.get(cite.instrument)
    return {
        "instrument": cite.instrument,
        "title": dict(instrument.title) if instrument else {},
        "article": cite.article,
        "confidence": cite.confidence,
        "text_digest": cite.text_digest,
    }


def _reading(variant: Variant, whole: Expr, above: tuple[tuple[Variant, Expr], ...]) -> Reading:
    reading = Reading(fields=dict.fromkeys(ALWAYS))
    rule = variant.rule
    parts: list[Expr] = [whole, *variant.lets.values()]
    if variant.again is not None:
        parts += [variant.again.value, variant.again.step]
    if variant.deadline is not None:
        parts += [e for e in (variant.deadline.about, variant.deadline.start) if e is not None]
    for expr in parts:
        _collect(expr, variant, reading)
    if rule.alert.due is not None:
        reading.fields[rule.alert.due_from] = None
    for other, higher in above:
        _collect(higher, other, reading)
    return reading


def _collect(expr: Expr, variant: Variant, reading: Reading, where: Expr | None = None) -> None:
    if isinstance(expr, Measure):
        for part, strict in kernel_parts(expr):
            reading.measures[(variant.index, part, strict)] = None
            # what stands in for a list of persons where only their number is given
            if part is not expr and isinstance(part.value, FieldRef):
                _collect(part.value, variant, reading, expr.where)
        inner: list[Expr] = list(expr.read or ())
        if set(expr.on) & set(variant.rule.on):  # the row itself contributes
            inner += [e for e in (expr.value, expr.where) if e is not None]
        for read in inner:
            _collect(read, variant, reading, expr.where)
        return
    if isinstance(expr, FieldRef):
        reading.fields[expr.path] = None
        if kind_of(expr.path) is Kind.MONEY:
            reading.fields["currency"] = None
    if isinstance(expr, Call) and expr.function == "amount_in":
        money = expr.args[0]
        assert isinstance(money, FieldRef)
        reading.conversions[(money.path, amount_currency(expr), where)] = None
        reading.fields["currency"] = None
        if "figure" in variant.rule.on:
            reading.fields["as_of"] = None  # a figure is converted at the rate of its own day
    for child in children(expr):
        _collect(child, variant, reading, where)
