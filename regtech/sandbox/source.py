"""Expressions back in the language's own writing, for saying what a mutation changed."""

from __future__ import annotations

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
    LetRef,
    Logic,
    Measure,
    Not,
    ParamRef,
    Window,
)
from regtech.rulelang.values import duration_text, value_text


def source_of(expr: Expr) -> str:
    """The expression as an author would write it; what the checker wrote out stays written out."""
    match expr:
        case Const(value=bool(value)):
            return "True" if value else "False"
        case Const(value=str(value)):
            return f'"{value}"'
        case Const(value=value, type=kind):
            return value_text(value, kind)
        case FieldRef(path=path):
            return path
        case LetRef(name=name):
            return name
        case ParamRef(name=name):
            return f'param("{name}")'
        case Measure():
            return _measure(expr)
        case Call(function=function, args=args):
            return f"{function}({', '.join(map(source_of, args))})"
        case Not(operand=operand):
            return f"not {_inner(operand)}"
        case Logic(op=op, operands=operands):
            return f" {op} ".join(map(_inner, operands))
        case Compare(op=op, left=left, right=right) | Arith(op=op, left=left, right=right):
            return f"{_inner(left)} {op} {_inner(right)}"
        case In():
            return _membership(expr)
        case IfElse(condition=condition, then=then, otherwise=otherwise):
            parts = f"{_inner(then)} if {_inner(condition)} else {_inner(otherwise)}"
            return parts


def words_text(words: tuple[str, ...]) -> str:
    """A tuple of words in the language's writing."""
    listed = ", ".join(f'"{word}"' for word in words)
    return f"({listed},)" if len(words) == 1 else f"({listed})"


def window_text(window: Window) -> str:
    """What stands after ``over=``."""
    if window.kind == "ever":
        return "ever"
    if window.kind == "calendar":
        return str(window.period)
    return length_text(window.length)


def length_text(length: Duration | ParamRef | None) -> str:
    """A length of time, or the parameter that is one."""
    if isinstance(length, ParamRef):
        return source_of(length)
    return "nothing" if length is None else duration_text(length)


def _inner(expr: Expr) -> str:
    text = source_of(expr)
    return f"({text})" if isinstance(expr, Logic | Arith | IfElse | Compare) else text


def _membership(expr: In) -> str:
    word = "not in" if expr.negated else "in"
    if expr.flags is not None:
        right = source_of(expr.flags)
    elif expr.param is not None:
        right = source_of(expr.param)
    elif expr.set_name is not None:
        right = f'set("{expr.set_name}")'
    else:
        right = words_text(expr.words or ())
    return f"{source_of(expr.item)} {word} {right}"


def _measure(expr: Measure) -> str:
    parts = [] if expr.value is None else [source_of(expr.value)]
    if expr.figure is not None:
        parts = [f'"{expr.figure}"']
    if expr.window.kind != "ever":
        parts.append(f"over={window_text(expr.window)}")
    if expr.where is not None:
        parts.append(f"where={source_of(expr.where)}")
    if expr.by:
        parts.append(f"by={', '.join(expr.by)}")
    return f"{expr.kind}({', '.join(parts)})"
