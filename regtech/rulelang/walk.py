"""Walking and rewriting expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from regtech.rulelang.ir import (
    Arith,
    Call,
    Compare,
    Const,
    Expr,
    FieldRef,
    IfElse,
    In,
    LetRef,
    Logic,
    Measure,
    Not,
    ParamRef,
    Window,
)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct parts of an expression, in order; a measure's window parameter included."""
    match expr:
        case Measure():
            parts: list[Expr] = []
            if expr.value is not None:
                parts.append(expr.value)
            if expr.where is not None:
                parts.append(expr.where)
            parts.extend(expr.key or ())
            parts.extend(expr.read or ())
            parts.extend(expr.item)
            if isinstance(expr.window.length, ParamRef):
                parts.append(expr.window.length)
            return tuple(parts)
        case Call():
            return expr.args
        case Not():
            return (expr.operand,)
        case Logic():
            return expr.operands
        case Compare() | Arith():
            return (expr.left, expr.right)
        case In():
            extra = [e for e in (expr.flags, expr.param) if e is not None]
            return (expr.item, *extra)
        case IfElse():
            return (expr.condition, expr.then, expr.otherwise)
        case _:
            return ()


def walk(expr: Expr | None) -> Iterator[Expr]:
    """The expression and everything inside it, outermost first."""
    if expr is None:
        return
    yield expr
    for child in children(expr):
        yield from walk(child)


def rewrite(expr: Expr, leaf: Callable[[Expr], Expr]) -> Expr:
    """A copy with ``leaf`` applied to every node from the inside out."""
    made: Expr
    match expr:
        case Const() | FieldRef() | ParamRef() | LetRef():
            made = expr
        case Measure():
            window = expr.window
            if isinstance(window.length, ParamRef):
                window = _resolved(window, leaf(window.length))
            made = replace(
                expr,
                value=None if expr.value is None else rewrite(expr.value, leaf),
                where=None if expr.where is None else rewrite(expr.where, leaf),
                key=None if expr.key is None else tuple(rewrite(e, leaf) for e in expr.key),
                read=None if expr.read is None else tuple(rewrite(e, leaf) for e in expr.read),
                item=tuple(rewrite(e, leaf) for e in expr.item),
                window=window,
            )
        case Call():
            made = replace(expr, args=tuple(rewrite(e, leaf) for e in expr.args))
        case Not():
            made = replace(expr, operand=rewrite(expr.operand, leaf))
        case Logic():
            made = replace(expr, operands=tuple(rewrite(e, leaf) for e in expr.operands))
        case Compare() | Arith():
            made = replace(expr, left=rewrite(expr.left, leaf), right=rewrite(expr.right, leaf))
        case In():
            flags = None if expr.flags is None else rewrite(expr.flags, leaf)
            made = replace(expr, item=rewrite(expr.item, leaf), flags=flags)
        case IfElse():
            made = replace(
                expr,
                condition=rewrite(expr.condition, leaf),
                then=rewrite(expr.then, leaf),
                otherwise=rewrite(expr.otherwise, leaf),
            )
    return leaf(made)


def _resolved(window: Window, value: Expr) -> Window:
    if isinstance(value, Const):
        return replace(window, length=value.value)  # type: ignore[arg-type]  # checked: a Duration
    return window
