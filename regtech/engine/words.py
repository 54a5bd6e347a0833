"""The words that rules name, each with its code before there are events.

Programs are built when their law comes into force, and give codes to words as they meet them. Where
two processes share one vocabulary, each new code has to come from one of them alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from regtech.engine.plan import Plan
from regtech.rulelang.ir import Const, Expr, In
from regtech.rulelang.walk import walk


def settle_words(plan: Plan) -> None:
    """Give a code to every word that a program of the plan can ask for."""
    for word in ("in", "out"):
        plan.vocabulary.code_of(word)
    for expr in _expressions(plan):
        for node in walk(expr):
            if isinstance(node, Const) and isinstance(node.value, str):
                plan.vocabulary.code_of(node.value)
            elif isinstance(node, In):
                for word in sorted(node.words or ()):
                    plan.vocabulary.code_of(word)
    for measure in plan.measures:
        if measure.figure is not None:
            plan.vocabulary.code_of(measure.figure)


def _expressions(plan: Plan) -> Iterator[Expr | None]:
    for variant in plan.variants:
        yield from (variant.where, variant.when, variant.condition, *variant.lets.values())
        if variant.again is not None:
            yield from (variant.again.value, variant.again.step)
        if variant.deadline is not None:
            deadline = variant.deadline
            yield from (deadline.closed_by, deadline.about, deadline.start)
    for measure in plan.measures:
        yield from (measure.where, measure.rule_where, measure.value)
