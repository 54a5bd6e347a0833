"""Conditions that can never, or always, be met: found by intervals and sets, not by running them.

A condition is brought into a disjunction of conjunctions. A conjunction is impossible when the
bounds on one value exclude each other (``x > 5 and x < 3``), a word must be two words, or a
condition and its opposite are both required. Figures are taken as they stand on each span of days
on which no figure changes; a condition is never met when it is impossible on all of them.

The search is sound (what it reports is true) and bounded, not complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

from regtech.rulelang.ir import (
    Arith,
    Call,
    Compare,
    Const,
    Duration,
    Expr,
    FieldRef,
    In,
    LetRef,
    Logic,
    Measure,
    Money,
    Not,
    Param,
    ParamRef,
    Rule,
    Span,
    Value,
)
from regtech.rulelang.rules import params_of
from regtech.rulelang.walk import rewrite

CONJUNCTIONS_MAX: Final = 64

_NEGATED: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_NOT_NEGATIVE: Final = ("count", "distinct", "since_last", "first_seen", "stddev")
_RANGES: Final = {"hour": (0, 23), "weekday": (1, 7)}

Values = Mapping[str, Value]
Atom = tuple[Expr, bool]
"""An atomic condition, and whether it or its opposite is required."""


def substitute(expr: Expr, lets: Mapping[str, Expr]) -> Expr:
    """The expression with every let replaced by what it stands for."""
    if not lets:
        return expr

    def change(part: Expr) -> Expr:
        if isinstance(part, LetRef) and part.name in lets:
            return substitute(lets[part.name], lets)
        return part

    return rewrite(expr, change)


def spans_of_params(rule: Rule, params: Mapping[str, Param]) -> list[tuple[Span, dict[str, Value]]]:
    """Spans of days inside the rule's on which no figure changes, with the figures' values.

    Only days on which every parameter of the rule has a value: on others it is not in force.
    """
    used = [params[name] for name in params_of(rule) if name in params]
    starts = {rule.span.first or date.min}
    for param in used:
        for version in param.versions:
            if version.span.first:
                starts.add(version.span.first)
            if version.span.last and version.span.last < date.max:
                starts.add(version.span.last + timedelta(days=1))
    end = rule.span.last or date.max
    ordered = sorted(start for start in starts if (rule.span.first or date.min) <= start <= end)
    found: list[tuple[Span, dict[str, Value]]] = []
    for index, start in enumerate(ordered):
        values: dict[str, Value] = {}
        for param in used:
            value = value_on(param, start)
            if value is not None:
                values[param.name] = value
        if len(values) == len(used):
            last = ordered[index + 1] - timedelta(days=1) if index + 1 < len(ordered) else end
            first = None if start == date.min else start
            found.append((Span(first, None if last == date.max else last), values))
    return found


def value_on(param: Param, day: date) -> Value | None:
    """The value of a parameter on a day, or None where it has none."""
    for version in param.versions:
        if (version.span.first or date.min) <= day <= (version.span.last or date.max):
            return version.value
    return None


def never_met(condition: Expr, values: Values) -> bool:
    """Whether no event can meet a condition (lets already substituted)."""
    conjunctions = _disjunction(condition, True, values)
    return conjunctions is not None and all(_impossible(atoms, values) for atoms in conjunctions)


def always_met(condition: Expr, values: Values) -> bool:
    """Whether every event whose facts are known meets a condition."""
    conjunctions = _disjunction(condition, False, values)
    return conjunctions is not None and all(_impossible(atoms, values) for atoms in conjunctions)


def _disjunction(expr: Expr, wanted: bool, values: Values) -> list[list[Atom]] | None:
    """Conjunctions of atoms; None when there would be too many."""
    if isinstance(expr, Not):
        return _disjunction(expr.operand, not wanted, values)
    if isinstance(expr, Logic):
        parts = [_disjunction(operand, wanted, values) for operand in expr.operands]
        if any(part is None for part in parts):
            return None
        known = [part for part in parts if part is not None]
        if (expr.op == "or") == wanted:
            joined = [atoms for part in known for atoms in part]
            return joined if len(joined) <= CONJUNCTIONS_MAX else None
        product: list[list[Atom]] = [[]]
        for part in known:
            product = [[*left, *right] for left in product for right in part]
            if len(product) > CONJUNCTIONS_MAX:
                return None
        return product
    return [[(expr, wanted)]]


@dataclass(slots=True)
class _Bounds:
    """What a conjunction requires of one value."""

    low: Fraction | None = None
    low_open: bool = False
    high: Fraction | None = None
    high_open: bool = False
    words: frozenset[str] | None = None
    not_words: set[str] = field(default_factory=set)
    truths: set[bool] = field(default_factory=set)
    whole: bool = False
    not_equal: set[Fraction] = field(default_factory=set)

    def at_least(self, value: Fraction, is_open: bool) -> None:
        if self.low is None or (value, is_open) > (self.low, self.low_open):
            self.low, self.low_open = value, is_open

    def at_most(self, value: Fraction, is_open: bool) -> None:
        if self.high is None or (-value, is_open) > (-self.high, self.high_open):
            self.high, self.high_open = value, is_open

    def empty(self) -> bool:
        if len(self.truths) > 1:
            return True
        if self.words is not None and not self.words - self.not_words:
            return True
        low, high = self.low, self.high
        if low is None or high is None:
            return False
        if self.whole:
            first = -(-low.numerator // low.denominator)
            last = high.numerator // high.denominator
            if self.low_open and first == low:
                first += 1
            if self.high_open and last == high:
                last -= 1
            return first > last or (first == last and Fraction(first) in self.not_equal)
        if low > high or (low == high and (self.low_open or self.high_open)):
            return True
        return low == high and low in self.not_equal


def _impossible(atoms: list[Atom], values: Values) -> bool:
    bounds: dict[Expr, _Bounds] = {}
    absent: set[Expr] = set()
    present: set[Expr] = set()
    for expr, wanted in atoms:
        if isinstance(expr, Compare):
            op = expr.op if wanted else _NEGATED[expr.op]
            if _compare(expr, op, values, bounds, present):
                return True
        elif isinstance(expr, In) and expr.words is not None and expr.flags is None:
            entry = bounds.setdefault(expr.item, _Bounds())
            present.add(expr.item)
            _limit_words(entry, frozenset(expr.words), wanted != expr.negated)
        elif isinstance(expr, In):
            entry = bounds.setdefault(replace(expr, negated=False), _Bounds())
            entry.truths.add(wanted != expr.negated)
        elif isinstance(expr, Call) and expr.function in ("missing", "known"):
            is_absent = wanted == (expr.function == "missing")
            (absent if is_absent else present).add(expr.args[0])
        elif isinstance(expr, Const) and isinstance(expr.value, bool):
            if expr.value != wanted:
                return True
        else:
            bounds.setdefault(expr, _Bounds()).truths.add(wanted)
            if isinstance(expr, FieldRef):
                present.add(expr)
    return bool(absent & present) or any(entry.empty() for entry in bounds.values())


def _compare(
    expr: Compare, op: str, values: Values, bounds: dict[Expr, _Bounds], present: set[Expr]
) -> bool:
    """Notes one comparison; True when it alone is impossible."""
    left, right = constant(expr.left, values), constant(expr.right, values)
    if left is not None and right is not None:
        return not _OPERATORS[op](left, right)
    for side in (expr.left, expr.right):
        if isinstance(side, FieldRef):
            present.add(side)
    value = right if left is None else left
    subject = expr.left if left is None else expr.right
    if value is None:
        if expr.left == expr.right:
            return op in ("<", ">", "!=")
        if op in ("==", "!="):
            entry = bounds.setdefault(replace(expr, op="=="), _Bounds())
            entry.truths.add(op == "==")
        return False
    if left is not None:
        op = _MIRRORED[op]
    entry = bounds.setdefault(subject, _Bounds())
    if isinstance(value, bool):
        entry.truths.add(value == (op == "=="))
    elif isinstance(value, str):
        _limit_words(entry, frozenset((value,)), op == "==")
    else:
        _natural_bounds(subject, entry)
        if op in (">", ">=", "=="):
            entry.at_least(value, op == ">")
        if op in ("<", "<=", "=="):
            entry.at_most(value, op == "<")
        if op == "!=":
            entry.not_equal.add(value)
    return False


def _limit_words(entry: _Bounds, words: frozenset[str], inside: bool) -> None:
    if inside:
        entry.words = words if entry.words is None else entry.words & words
    else:
        entry.not_words |= words


def _natural_bounds(subject: Expr, entry: _Bounds) -> None:
    entry.whole = subject.type.name == "int"
    if isinstance(subject, Measure) and (
        subject.kind in _NOT_NEGATIVE or (subject.kind == "sum" and subject.type.name == "money")
    ):
        entry.at_least(Fraction(0), False)
    elif isinstance(subject, Call) and subject.function in _RANGES:
        low, high = _RANGES[subject.function]
        entry.at_least(Fraction(low), False)
        entry.at_most(Fraction(high), False)
    elif isinstance(subject, Call) and subject.function == "amount_in":
        entry.at_least(Fraction(0), False)


_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def constant(expr: Expr, values: Values) -> Fraction | str | bool | None:
    """The value of an expression that no event changes, lengths of time in seconds; else None."""
    if isinstance(expr, Const):
        return _plain(expr.value)
    if isinstance(expr, ParamRef):
        return _plain(values[expr.name]) if expr.name in values else None
    if isinstance(expr, Arith):
        left, right = constant(expr.left, values), constant(expr.right, values)
        if not isinstance(left, Fraction) or not isinstance(right, Fraction):
            return None
        match expr.op:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right if right else None
    if isinstance(expr, Call) and expr.function in ("least", "greatest"):
        parts = [constant(argument, values) for argument in expr.args]
        numbers = [part for part in parts if isinstance(part, Fraction)]
        if len(numbers) == len(parts):
            return min(numbers) if expr.function == "least" else max(numbers)
    return None


def _plain(value: Value) -> Fraction | str | bool | None:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, Duration):
        scale = {"seconds": 1, "days": 86400}.get(value.unit)
        return Fraction(value.count * scale) if scale else None
    if isinstance(value, int | Fraction):
        return Fraction(value)
    return None
