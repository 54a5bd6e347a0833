"""Walking over checked expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any

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

_EXPRESSIONS = frozenset(
    (Const, FieldRef, ParamRef, LetRef, Measure, Call, Not, Logic, Compare, In, Arith, IfElse)
)


@cache
def _children(kind: Any) -> tuple[str, ...]:
    """Names of the fields of a node that may hold further expressions."""
    return tuple(
        part.name
        for part in fields(kind)
        if "Expr" in str(part.type) or "ParamRef" in str(part.type) or part.name == "window"
    )


def walk(expr: object) -> Iterator[Expr]:
    """Every expression inside an expression (or a tuple of them), itself first."""
    pending: list[Any] = [expr]
    while pending:
        node: Any = pending.pop()
        if node is None:
            continue
        kind: Any = type(node)
        if kind is tuple:
            pending.extend(reversed(node))
        elif kind in _EXPRESSIONS:
            yield node
            pending.extend(getattr(node, name) for name in reversed(_children(kind)))
        elif kind is Window:
            pending.append(node.length)


def transform(expr: Any, change: Callable[[Expr], Expr]) -> Any:
    """The expression with ``change`` applied to every node, innermost first.

    Unchanged parts are kept as they are, so that most of a tree is shared with the original.
    """
    kind: Any = type(expr)
    if kind is tuple:
        items = tuple(transform(item, change) for item in expr)
        return items if any(a is not b for a, b in zip(items, expr, strict=True)) else expr
    if kind is Window:
        length = transform(expr.length, change)
        return expr if length is expr.length else replace(expr, length=length)
    if kind not in _EXPRESSIONS:
        return expr
    changed: dict[str, Any] = {}
    for name in _children(kind):
        before = getattr(expr, name)
        after = transform(before, change)
        if after is not before:
            changed[name] = after
    return change(replace(expr, **changed) if changed else expr)
