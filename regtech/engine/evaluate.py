"""Expressions in plain Python, exact: for an alert's values, for replay and explanations.

A second reading of the language beside the kernels: the first alerts of every rule and a share of
the later ones are decided again with it before they leave the engine (``evidence.CHECKED_FIRST``,
``CHECKED_EVERY``), and a disagreement stops the run. Values are intervals of fractions, words, sets
of words, or None for unknown; truth is 0 not met, 1 cannot tell, 2 met.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Protocol

from regtech.engine.lowering import DAY_US, US, amount_currency, calendar_length
from regtech.errors import InternalError
from regtech.reference.civil import civil_from_days
from regtech.reference.currencies import CurrencyTable
from regtech.rulelang.ir import (
    Arith,
    Call,
    Compare,
    Const,
    Duration,
    Expr,
    FieldRef,
    IfElse,
    In,
    Logic,
    Measure,
    Money,
    Not,
)

NO, MAYBE, YES = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Interval:
    """A number known to lie between two ends; None is unbounded."""

    low: Fraction | None
    high: Fraction | None

    @property
    def exact(self) -> Fraction | None:
        """The value, where it is known."""
        return self.low if self.low is not None and self.low == self.high else None


UNKNOWN: Final = Interval(None, None)
Value = Interval | str | frozenset[str] | None


class Environment(Protocol):
    """What an expression reads."""

    currencies: CurrencyTable

    def field(self, path: str) -> Value:
        """A field of the row: a number in stored units, a word, a set of words, or None."""
        ...

    def measure(self, measure: Measure) -> Interval:
        """A measure's value in stored units."""
        ...

    def converted(self, path: str, currency: str) -> Interval:
        """A money field in a currency, in its minor units."""
        ...

    def clock_end(self, start_us: int, length: Duration) -> Interval:
        """When months or working days from a time are over, in the jurisdiction's zone."""
        ...

    def local(self, what: str) -> Fraction | None:
        """``day``, ``hour``, ``weekday``, ``time``, ``working_day``, ``offset`` of the row."""
        ...


def point(value: Fraction | int) -> Interval:
    """A known number."""
    number = Fraction(value)
    return Interval(number, number)


def truth(expr: Expr, env: Environment) -> int:
    """Whether a condition is met, not met, or cannot be told."""
    match expr:
        case Const(value=bool(value)):
            return YES if value else NO
        case Logic(op=op, operands=operands):
            results = [truth(o, env) for o in operands]
            return min(results) if op == "and" else max(results)
        case Not(operand=operand):
            return 2 - truth(operand, env)
        case Compare():
            return _compare(expr, env)
        case In():
            found = _membership(expr, env)
            return 2 - found if expr.negated else found
        case IfElse(condition=c, then=a, otherwise=b):
            test = truth(c, env)
            return max(min(test, truth(a, env)), min(2 - test, truth(b, env)))
        case Call():
            return _condition_call(expr, env)
        case FieldRef(path=path):
            return _as_truth(env.field(path))
        case _:
            raise InternalError(f"{expr.mark}: no condition")


def _as_truth(value: Value) -> int:
    if not isinstance(value, Interval) or value.exact is None:
        return MAYBE
    return YES if value.exact != 0 else NO


def _membership(expr: In, env: Environment) -> int:
    if expr.flags is not None:
        flags = evaluate(expr.flags, env)
        assert isinstance(expr.item, Const)
        if not isinstance(flags, frozenset):
            return MAYBE
        return YES if expr.item.value in flags else NO
    item = evaluate(expr.item, env)
    if not isinstance(item, str):
        return MAYBE
    return YES if item in (expr.words or ()) else NO


def _condition_call(call: Call, env: Environment) -> int:
    args = call.args
    match call.function:
        case "missing" | "known":
            value = evaluate(args[0], env)
            absent = value is None or value == UNKNOWN
            return YES if absent == (call.function == "missing") else NO
        case "has" | "only":
            flags = evaluate(args[0], env)
            if not isinstance(flags, frozenset):
                return MAYBE
            words = {str(a.value) for a in args[1:] if isinstance(a, Const)}
            found = bool(flags & words) if call.function == "has" else flags <= words
            return YES if found else NO
        case "working_day":
            working = env.local("working_day")
            return MAYBE if working is None else (YES if working else NO)
        case "month_end" | "quarter_end" | "year_end":
            day = _number(args[0], env).exact
            if day is None:
                return MAYBE
            months = {"month_end": 1, "quarter_end": 3, "year_end": 12}[call.function]
            year, month, of_month = civil_from_days(int(day) + 1)
            return YES if of_month == 1 and (year * 12 + month - 1) % months == 0 else NO
        case _:
            return _as_truth(evaluate(call, env))


def _compare(expr: Compare, env: Environment) -> int:
    left, right = expr.left, expr.right
    if left.type.name == "bool" or right.type.name == "bool":
        a, b = truth(left, env), truth(right, env)
        same = max(min(a, b), min(2 - a, 2 - b))
        return same if expr.op == "==" else 2 - same
    if left.type.name in ("symbol", "text") or right.type.name in ("symbol", "text"):
        x, y = evaluate(left, env), evaluate(right, env)
        if not isinstance(x, str) or not isinstance(y, str):
            return MAYBE
        return YES if (x == y) == (expr.op == "==") else NO
    quotient = _quotient(left)
    if quotient is not None:
        return _compare_quotient(quotient, right, expr.op, env)
    quotient = _quotient(right)
    if quotient is not None:
        return _compare_quotient(quotient, left, _FLIP[expr.op], env)
    return compare(_number(left, env), expr.op, _number(right, env))


_FLIP: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _quotient(expr: Expr) -> tuple[Expr, Expr] | None:
    from regtech.engine.lowering import mean_parts

    if isinstance(expr, Arith) and expr.op == "/" and not _is_constant(expr.right):
        return expr.left, expr.right
    if isinstance(expr, Measure) and expr.kind == "mean":
        return mean_parts(expr)
    return None


def _is_constant(expr: Expr) -> bool:
    if isinstance(expr, Const):
        return True
    return isinstance(expr, Arith) and _is_constant(expr.left) and _is_constant(expr.right)


def _compare_quotient(parts: tuple[Expr, Expr], other: Expr, op: str, env: Environment) -> int:
    above, below, right = (_number(e, env) for e in (*parts, other))
    if below.exact is None or below.exact <= 0:
        return MAYBE
    return compare(above, op, _scaled(right, below.exact))


def compare(a: Interval, op: str, b: Interval) -> int:
    """Three-valued comparison of two intervals. Rule 9 of semantics.md."""
    if op in ("<", "<="):
        a, b, op = b, a, _FLIP[op]
    if op == ">=":
        sure = a.low is not None and b.high is not None and a.low >= b.high
        possible = a.high is None or b.low is None or a.high >= b.low
        return YES if sure else (MAYBE if possible else NO)
    if op == ">":
        sure = a.low is not None and b.high is not None and a.low > b.high
        possible = a.high is None or b.low is None or a.high > b.low
        return YES if sure else (MAYBE if possible else NO)
    apart = (a.low is not None and b.high is not None and a.low > b.high) or (
        a.high is not None and b.low is not None and a.high < b.low
    )
    same = NO if apart else (YES if a.exact is not None and b.exact is not None else MAYBE)
    return same if op == "==" else 2 - same


def _number(expr: Expr, env: Environment) -> Interval:
    value = evaluate(expr, env)
    return value if isinstance(value, Interval) else UNKNOWN


def _scaled(x: Interval, factor: Fraction) -> Interval:
    low = None if x.low is None else x.low * factor
    high = None if x.high is None else x.high * factor
    if factor == 0:
        return point(0)
    return Interval(low, high) if factor > 0 else Interval(high, low)


def evaluate(expr: Expr, env: Environment) -> Value:
    """Value of an expression."""
    match expr:
        case Const():
            return _constant(expr, env.currencies)
        case FieldRef(path=path):
            return env.field(path)
        case Measure(kind="mean"):
            above, below = (_number(e, env) for e in _quotient(expr) or ())
            if above.exact is None or not below.exact:
                return UNKNOWN
            return point(above.exact / below.exact)
        case Measure():
            return env.measure(expr)
        case IfElse(condition=c, then=a, otherwise=b):
            test = truth(c, env)
            if test == MAYBE:
                return UNKNOWN
            return evaluate(a if test == YES else b, env)
        case Arith():
            return _arithmetic(expr, env)
        case Call():
            return _call(expr, env)
        case _:
            return (
                point(Fraction(1 if truth(expr, env) == YES else 0))
                if truth(expr, env) != MAYBE
                else UNKNOWN
            )


def _constant(expr: Const, currencies: CurrencyTable) -> Value:
    match expr.value:
        case bool(value):
            return point(int(value))
        case Money(amount=amount, currency=code):
            return point(amount * 10 ** currencies[code].exponent)
        case Duration(count=count, unit="seconds"):
            return point(count * US)
        case Duration(count=count, unit="days"):
            return point(count * DAY_US)
        case int() | Fraction():
            return point(expr.value)
        case str(value):
            return value
        case frozenset() as value:
            return value
        case _:
            return UNKNOWN


def _arithmetic(expr: Arith, env: Environment) -> Interval:
    if (clock := calendar_length(expr)) is not None:
        start = _number(expr.left, env).exact
        return UNKNOWN if start is None else env.clock_end(int(start), clock)
    a, b = _number(expr.left, env), _number(expr.right, env)
    if expr.op in ("+", "-"):
        if expr.op == "-":
            b = _scaled(b, Fraction(-1))
        low = None if a.low is None or b.low is None else a.low + b.low
        high = None if a.high is None or b.high is None else a.high + b.high
        return Interval(low, high)
    if expr.op == "*":
        if b.exact is not None:
            return _scaled(a, b.exact)
        if a.exact is not None:
            return _scaled(b, a.exact)
        return UNKNOWN
    if b.exact:
        return _scaled(a, 1 / b.exact) if _is_constant(expr.right) or b.exact > 0 else UNKNOWN
    return UNKNOWN


def _call(call: Call, env: Environment) -> Value:
    args = call.args
    match call.function:
        case "amount_in":
            assert isinstance(args[0], FieldRef)
            return env.converted(args[0].path, amount_currency(call))
        case "given":
            value = evaluate(args[0], env)
            return evaluate(args[1], env) if value is None or value == UNKNOWN else value
        case "days_since" | "days_until":
            day = _number(args[0], env).exact
            today, offset = env.local("day"), env.local("offset")
            if day is None or today is None or offset is None:
                return UNKNOWN
            if args[0].type.name == "time":
                day = Fraction((day + offset) // DAY_US)
            days = today - day if call.function == "days_since" else day - today
            return point(days * DAY_US if call.type.name == "duration" else days)
        case "time_since":
            start, now = _number(args[0], env).exact, env.local("time")
            return UNKNOWN if start is None or now is None else point(now - start)
        case "hour" | "weekday":
            here = env.local(call.function)
            return UNKNOWN if here is None else point(here)
        case "length":
            return env.field("persons")
        case "least" | "greatest":
            return _extreme([_number(a, env) for a in args], call.function == "least")
        case _:
            result = _condition_call(call, env)
            return UNKNOWN if result == MAYBE else point(1 if result == YES else 0)


def _extreme(values: list[Interval], least: bool) -> Interval:
    lows = [v.low for v in values]
    highs = [v.high for v in values]
    if least:
        low = None if None in lows else min(x for x in lows if x is not None)
        known = [x for x in highs if x is not None]
        return Interval(low, min(known) if known else None)
    high = None if None in highs else max(x for x in highs if x is not None)
    known = [x for x in lows if x is not None]
    return Interval(max(known) if known else None, high)
