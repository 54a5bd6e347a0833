"""Walking over and rewriting expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from regtech.rulelang.ir import (
    Arith,
    Call,
    Compare,
    Const,
    Duration,
    Expr,
    IfElse,
    In,
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
    """The expression and everything inside it, outermost first, parts in order."""
    pending = [expr] if expr is not None else []
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(children(node)))


def rewrite(expr: Expr, leaf: Callable[[Expr], Expr]) -> Expr:
    """The expression with ``leaf`` applied to every node from the inside out.

    Parts that do not change are shared with the original. A window's or a word list's parameter
    stays a parameter unless ``leaf`` gives a length of time for the window.
    """
    made: Expr = expr
    match expr:
        case Measure():
            value = None if expr.value is None else rewrite(expr.value, leaf)
            where = None if expr.where is None else rewrite(expr.where, leaf)
            key = None if expr.key is None else _all(expr.key, leaf)
            read = None if expr.read is None else _all(expr.read, leaf)
            item = _all(expr.item, leaf)
            window = _window(expr.window, leaf)
            new = (value, where, key, read, item, window)
            old = (expr.value, expr.where, expr.key, expr.read, expr.item, expr.window)
            if any(a is not b for a, b in zip(new, old, strict=True)):
                made = replace(
                    expr, value=value, where=where, key=key, read=read, item=item, window=window
                )
        case Call():
            args = _all(expr.args, leaf)
            if args is not expr.args:
                made = replace(expr, args=args)
        case Not():
            operand = rewrite(expr.operand, leaf)
            if operand is not expr.operand:
                made = replace(expr, operand=operand)
        case Logic():
            operands = _all(expr.operands, leaf)
            if operands is not expr.operands:
                made = replace(expr, operands=operands)
        case Compare() | Arith():
            left, right = rewrite(expr.left, leaf), rewrite(expr.right, leaf)
            if left is not expr.left or right is not expr.right:
                made = replace(expr, left=left, right=right)
        case In():
            made = _member(expr, leaf)
        case IfElse():
            parts = (expr.condition, expr.then, expr.otherwise)
            fresh = _all(parts, leaf)
            if fresh is not parts:
                made = replace(expr, condition=fresh[0], then=fresh[1], otherwise=fresh[2])
        case _:
            pass
    return leaf(made)


def _all(parts: tuple[Expr, ...], leaf: Callable[[Expr], Expr]) -> tuple[Expr, ...]:
    fresh = tuple(rewrite(part, leaf) for part in parts)
    return parts if all(a is b for a, b in zip(fresh, parts, strict=True)) else fresh


def _member(expr: In, leaf: Callable[[Expr], Expr]) -> In:
    item = rewrite(expr.item, leaf)
    flags = None if expr.flags is None else rewrite(expr.flags, leaf)
    param = expr.param
    if param is not None:
        renamed = leaf(param)
        param = renamed if isinstance(renamed, ParamRef) else param
    if item is expr.item and flags is expr.flags and param is expr.param:
        return expr
    return replace(expr, item=item, flags=flags, param=param)


def _window(window: Window, leaf: Callable[[Expr], Expr]) -> Window:
    if not isinstance(window.length, ParamRef):
        return window
    length = leaf(window.length)
    if isinstance(length, Const) and isinstance(length.value, Duration):
        return replace(window, length=length.value)
    if isinstance(length, ParamRef) and length is not window.length:
        return replace(window, length=length)
    return window
