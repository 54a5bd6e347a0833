"""Every smallest change of an expression: comparators, figures, conditions, words, windows.

Left alone, because no test could tell or because it is not the rule's own text: members of dated
sets, numbers that stand in for a missing field (``given``), target currencies, and what the checker
itself writes out: the ``known()`` in ``exempt``, the inside of ``is_cross_border``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, Literal

from regtech.content.faults import Mark
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
    Type,
    Value,
    Window,
)
from regtech.rulelang.values import value_text
from regtech.sandbox.source import source_of, window_text, words_text

NEIGHBOURS: Final[dict[str, Literal["<", "<=", ">", ">=", "==", "!="]]] = {
    ">=": ">", ">": ">=", "<=": "<", "<": "<=", "==": "!=", "!=": "==",
}  # fmt: skip
SMALLEST_RATIO: Final = Fraction(1, 10**9)
"""What a decimal field distinguishes (``regtech.model.fields.DECIMAL_SCALE``)."""
PERIODS: Final = ("day", "week", "month", "quarter", "year")
_SHORTER_AND_LONGER: Final = {
    "day": ("week",), "business_day": ("day", "week"), "week": ("day", "month"),
    "month": ("week", "quarter"), "quarter": ("month", "year"), "year": ("quarter", "ever"),
}  # fmt: skip
_CUT_BY_YEARS: Final = frozenset({"sum", "count", "distinct", "min", "max", "mean", "stddev"})
"""Measures over ``ever`` that a year's window would change; the others have no window."""
_SWAPS: Final = {
    "missing": ("known",), "known": ("missing",),
    "least": ("greatest",), "greatest": ("least",),
    "month_end": ("quarter_end",), "quarter_end": ("month_end", "year_end"),
    "year_end": ("quarter_end",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed where: the text before and after. ``shared``: see ``Mutant.place``."""

    mark: Mark
    before: str
    after: str


Variation = tuple[Expr, Change]


def steps(
    value: Value, kind: Type, currencies: CurrencyTable, *, fine: bool = False
) -> Iterator[tuple[Value, str]]:
    """A figure moved by the smallest step, up and down, or a list of words less each word.

    One minor unit, one person, 1e-9 of a ratio (``fine``: of a whole number too), one second, day,
    month or working day.
    """
    match value:
        case bool() | str():
            return
        case frozenset():
            for word in sorted(value) if len(value) > 1 else ():
                rest = value - {word}
                yield rest, words_text(tuple(sorted(rest)))
        case Money(amount=amount, currency=code):
            unit = Fraction(1, 10 ** currencies[code].exponent)
            for moved in (amount + unit, amount - unit):
                yield _said(Money(moved, code), kind)
        case Duration(count=count, unit=name):
            for moved_count in (count + 1, count - 1):
                if moved_count > 0:
                    yield _said(Duration(moved_count, name), kind)
        case int() | Fraction():
            small = fine or kind.name == "ratio" or Fraction(value).denominator != 1
            step: Fraction | int = SMALLEST_RATIO if small else 1
            for number in (value + step, value - step):
                yield _said(number, kind)


def _said(value: Value, kind: Type) -> tuple[Value, str]:
    return value, value_text(value, kind)


def variations(expr: Expr, currencies: CurrencyTable) -> Iterator[Variation]:
    """The expression with one thing changed, for every thing in it."""
    if _is_written_out(expr):
        return
    yield from _own(expr, currencies)
    fine = isinstance(expr, Compare) and "ratio" in (expr.left.type.name, expr.right.type.name)
    for child, rebuilt in _slots(expr):
        if isinstance(child, Const):
            for value, text in steps(child.value, child.type, currencies, fine=fine):
                kind = Type("ratio") if isinstance(value, Fraction) else child.type
                change = Change(child.mark, source_of(child), text)
                yield rebuilt(replace(child, value=value, type=kind)), change
            continue
        for varied, change in variations(child, currencies):
            yield rebuilt(varied), change


def _is_written_out(expr: Expr) -> bool:
    """Whether the checker made this of a name (``is_cross_border``): its parts share a place."""
    return isinstance(expr, IfElse) and expr.mark == expr.condition.mark == expr.then.mark


def operands_of(expr: Expr) -> tuple[Expr, ...]:
    """What stands on its own in a conjunction: its operands, or the expression."""
    if isinstance(expr, Logic) and expr.op == "and":
        return expr.operands
    return (expr,)


def _own(expr: Expr, currencies: CurrencyTable) -> Iterator[Variation]:
    match expr:
        case Compare(op=op):
            yield _changed(expr, replace(expr, op=NEIGHBOURS[op]))
        case Logic():
            yield from _logic(expr)
        case Not(operand=operand):
            yield _changed(expr, operand)
        case In():
            yield from _membership(expr)
        case Call():
            yield from _call(expr)
        case IfElse(then=then, otherwise=otherwise):
            yield _changed(expr, then)
            yield _changed(expr, otherwise)
        case Arith(op="+" | "-" as op):
            yield _changed(expr, replace(expr, op="-" if op == "+" else "+"))
        case Measure():
            yield from _measure(expr, currencies)
        case _:
            return


def _changed(before: Expr, after: Expr) -> Variation:
    return after, Change(before.mark, source_of(before), source_of(after))


def _without(expr: Expr, dropped: Expr, rest: Expr) -> Variation:
    return rest, Change(dropped.mark, source_of(dropped), "left out")


def _logic(expr: Logic) -> Iterator[Variation]:
    other: Literal["and", "or"] = "or" if expr.op == "and" else "and"
    yield _changed(expr, replace(expr, op=other))
    for k, operand in enumerate(expr.operands):
        if _guards_exemption(expr, k):
            continue
        rest = expr.operands[:k] + expr.operands[k + 1 :]
        yield _without(expr, operand, rest[0] if len(rest) == 1 else replace(expr, operands=rest))


def _guards_exemption(expr: Expr, k: int) -> bool:
    """Whether this operand is the ``known(exemption)`` that ``exempt`` is made with."""
    if not isinstance(expr, Logic) or expr.op != "and" or k + 2 >= len(expr.operands):
        return False
    guard, claimed = expr.operands[k], expr.operands[k + 1]
    return (
        isinstance(guard, Call)
        and guard.function == "known"
        and guard.args == (FieldRef("exemption", Type("symbol")),)
        and isinstance(claimed, In)
        and claimed.item == guard.args[0]
        and isinstance(expr.operands[k + 2], Not)
    )


def _membership(expr: In) -> Iterator[Variation]:
    yield _changed(expr, replace(expr, negated=not expr.negated))
    words = expr.words or ()
    for word in words if len(words) > 1 else ():
        rest = replace(expr, words=tuple(w for w in words if w != word))
        yield rest, Change(expr.mark, f'"{word}"', "left out")


def _call(expr: Call) -> Iterator[Variation]:
    for other in _SWAPS.get(expr.function, ()):
        yield _changed(expr, replace(expr, function=other))
    args = expr.args
    if expr.function in ("has", "only") and len(args) > 2:
        for k in range(1, len(args)):
            rest = replace(expr, args=args[:k] + args[k + 1 :])
            yield rest, Change(args[k].mark, source_of(args[k]), "left out")
    if expr.function in ("least", "greatest"):
        for k in range(len(args)):
            kept = args[:k] + args[k + 1 :]
            made = kept[0] if len(kept) == 1 else replace(expr, args=kept)
            yield _without(expr, args[k], made)
    if expr.function == "given":
        default = args[1]
        if isinstance(default, Const) and isinstance(default.value, bool):
            flipped = replace(default, value=not default.value)
            yield _changed(expr, replace(expr, args=(args[0], flipped)))


def _measure(expr: Measure, currencies: CurrencyTable) -> Iterator[Variation]:
    for window in windows_beside(expr.window, currencies):
        if expr.window.kind == "ever" and expr.kind not in _CUT_BY_YEARS:
            continue
        before, after = window_text(expr.window), window_text(window)
        yield replace(expr, window=window), Change(expr.mark, f"over={before}", f"over={after}")
    if expr.where is not None and len(operands_of(expr.where)) == 1:
        yield (
            replace(expr, where=None),
            Change(expr.where.mark, f"where={source_of(expr.where)}", "left out"),
        )
    for k, path in enumerate(expr.by):
        made = replace(expr, by=expr.by[:k] + expr.by[k + 1 :])
        yield made, Change(expr.mark, f"by={path}", "left out")
    for k, item in enumerate(expr.item if len(expr.item) > 1 else ()):
        made = replace(expr, item=expr.item[:k] + expr.item[k + 1 :])
        yield made, Change(expr.mark, f"item={source_of(item)}", "left out")
    if expr.at is not None:
        yield replace(expr, at=None), Change(expr.mark, f'at="{expr.at}"', "left out")


def windows_beside(window: Window, currencies: CurrencyTable) -> Iterator[Window]:
    """The next shorter and the next longer window."""
    if window.kind == "ever":
        yield Window("calendar", "year")
    elif window.kind == "calendar":
        for name in _SHORTER_AND_LONGER[str(window.period)]:
            yield Window("ever") if name == "ever" else Window("calendar", name)
    elif isinstance(window.length, Duration):
        for length, _ in steps(window.length, Type("duration"), currencies):
            assert isinstance(length, Duration)
            yield replace(window, length=length)


def _slots(expr: Expr) -> Iterator[tuple[Expr, Callable[[Expr], Expr]]]:
    """The parts that are changed in turn, each with what puts a new one in its place."""

    def field(name: str) -> Callable[[Expr], Expr]:
        changes: Any = replace
        return lambda part: changes(expr, **{name: part})

    def place(name: str, parts: tuple[Expr, ...], k: int) -> Callable[[Expr], Expr]:
        changes: Any = replace
        return lambda part: changes(expr, **{name: (*parts[:k], part, *parts[k + 1 :])})

    match expr:
        case Measure():
            if expr.value is not None:
                yield expr.value, field("value")
            if expr.where is not None:
                yield expr.where, field("where")
        case Call(function=function, args=args):
            if function in ("given", "amount_in"):
                yield args[0], place("args", args, 0)
            elif function not in ("has", "only"):
                for k, part in enumerate(args):
                    yield part, place("args", args, k)
        case Not(operand=operand):
            yield operand, field("operand")
        case Logic(operands=operands):
            for k, part in enumerate(operands):
                if not _guards_exemption(expr, k):
                    yield part, place("operands", operands, k)
        case Compare(left=left, right=right) | Arith(left=left, right=right):
            yield left, field("left")
            yield right, field("right")
        case IfElse(condition=condition, then=then, otherwise=otherwise):
            yield condition, field("condition")
            yield then, field("then")
            yield otherwise, field("otherwise")
        case _:
            return
