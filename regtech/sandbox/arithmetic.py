"""A rule's arithmetic on one row, step by step: what was compared, and how it came out.

The rule as written and the rule as it stands on the alert's day have the same shape; walking both
at once gives the words of the one and the values of the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from regtech.engine.evaluate import MAYBE, UNKNOWN, YES, Environment, Value, evaluate, truth
from regtech.engine.variants import Variant
from regtech.rulelang.ir import (
    Call,
    Expr,
    FieldRef,
    In,
    LetRef,
    Logic,
    Measure,
    Param,
    ParamRef,
)
from regtech.rulelang.walk import children


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a statement that has a value of its own.

    ``kind``: ``name`` (of ``let``), ``field``, ``figure`` (a parameter), or ``part`` (a measure or
    function). ``name``: the let's or the figure's name, or the field's path.
    """

    kind: str
    name: str
    written: Expr
    resolved: Expr


@dataclass(frozen=True, slots=True)
class Step:
    """A condition with its outcome (0 not met, 1 cannot tell, 2 met).

    ``op`` is ``and`` or ``or`` with ``parts``, or empty for a statement with ``terms``.
    """

    written: Expr
    outcome: int
    op: str = ""
    parts: tuple[Step, ...] = ()
    terms: tuple[Term, ...] = ()


def condition_steps(written: Expr, resolved: Expr, env: Environment) -> Step:
    """The steps of a condition."""
    outcome = truth(resolved, env)
    if isinstance(written, Logic) and isinstance(resolved, Logic):
        pairs = zip(written.operands, resolved.operands, strict=True)
        parts = tuple(condition_steps(a, b, env) for a, b in pairs)
        return Step(written, outcome, written.op, parts)
    terms: dict[tuple[str, str], Term] = {}
    for term in _terms(written, resolved):
        terms.setdefault((term.kind, term.name), term)
    return Step(written, outcome, terms=tuple(terms.values()))


def parts_of(written: Expr, resolved: Expr) -> tuple[Term, ...]:
    """The terms inside an expression; none where it is itself a single one."""
    found: dict[tuple[str, str], Term] = {}
    for term in _terms(written, resolved):
        if term.written is not written:
            found.setdefault((term.kind, term.name), term)
    return tuple(found.values())


def _terms(written: Expr, resolved: Expr) -> Iterator[Term]:
    match written:
        case LetRef(name=name):
            yield Term("name", name, written, resolved)
        case ParamRef(name=name):
            yield Term("figure", name, written, resolved)
        case FieldRef(path=path):
            yield Term("field", path, written, resolved)
        case Measure():
            yield Term("part", repr(written), written, resolved)
        case Call(function=name) if name not in _TRANSPARENT:
            if name == "amount_in":
                yield Term("part", repr(written), written, resolved)
                return
            yield from _inner(written, resolved)
            if written.type.name != "bool":
                yield Term("part", repr(written), written, resolved)
        case _:
            yield from _inner(written, resolved)


_TRANSPARENT = frozenset({"given", "least", "greatest"})
"""Functions whose value is that of one of their parts: the parts say enough."""


def _inner(written: Expr, resolved: Expr) -> Iterator[Term]:
    if isinstance(written, In) and isinstance(resolved, In):
        yield from _terms(written.item, resolved.item)
        if written.flags is not None and resolved.flags is not None:
            yield from _terms(written.flags, resolved.flags)
        if written.param is not None:
            yield Term("figure", written.param.name, written.param, written.param)
        return
    if type(written) is type(resolved):
        for a, b in zip(children(written), children(resolved), strict=True):
            yield from _terms(a, b)


def value_of(expr: Expr, env: Environment) -> Value:
    """Value of a term; a condition's outcome as a number."""
    if expr.type.name == "bool":
        if truth(expr, env) == MAYBE:
            return UNKNOWN
    return evaluate(expr, env)


def failing(step: Step) -> list[Step]:
    """The statements that keep a condition from being met, each once, in order."""
    if step.outcome == YES:
        return []
    if not step.op:
        return [step]
    return [found for part in step.parts for found in failing(part)]


def params_in_force(variant: Variant) -> dict[str, Param]:
    """The pack's parameters with the one value of the variant's days."""
    made = {}
    for name, const in variant.params.items():
        param = variant.pack.params[name]
        versions = tuple(v for v in param.versions if v.value == const.value)[:1]
        made[name] = replace(param, versions=versions)
    return made
