"""Comparisons: what may stand beside what, and in which order."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, Literal

from regtech.content.saying import say
from regtech.rulelang.ir import Arith, Compare, Const, Duration, Expr, ParamRef
from regtech.rulelang.types import DAYS, DURATION, Mismatch, common, describe

if TYPE_CHECKING:
    from regtech.rulelang.expressions import Reader

_COMPARISONS: Final[dict[type[ast.cmpop], Literal["<", "<=", ">", ">=", "==", "!="]]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_ORDERED: Final = ("int", "ratio", "money", "duration", "time", "date")


def read_comparison(
    reader: Reader,
    node: ast.Compare,
    left_node: ast.expr,
    operator: ast.cmpop,
    right_node: ast.expr,
) -> Expr | None:
    op = _COMPARISONS[type(operator)]
    left, right = reader.expr(left_node), reader.expr(right_node)
    if left is None or right is None:
        return None
    fitted, other = reader.fit(left, right, right_node), reader.fit(right, left, left_node)
    if fitted is None or other is None:
        return None
    left, right = _days_as_length(fitted, other), _days_as_length(other, fitted)
    if op not in ("==", "!=") and left.type.name not in _ORDERED:
        reader.fault(
            "RL206",
            say("%(type)s has no order: %(op)s cannot decide", type=describe(left.type), op=op),
            left_node,
        )
        return None
    try:
        type_ = common(left.type, right.type, say("compare"))
    except Mismatch as error:
        reader.mismatch(error, right_node)
        return None
    if type_.name in ("flags", "persons", "words"):
        reader.fault(
            "RL206",
            say("%(type)s cannot be compared", type=describe(type_)),
            left_node,
            say("use has() or in"),
        )
        return None
    if type_.name == "duration":
        for side, side_node in ((left, left_node), (right, right_node)):
            if _has_no_fixed_length(reader, side):
                reader.fault(
                    "RL206",
                    say("months and working days have no fixed length to compare with"),
                    side_node,
                    say("use days"),
                )
                return None
    return Compare(op, left, right, mark=reader.mark(node))


def _has_no_fixed_length(reader: Reader, side: Expr) -> bool:
    lengths: list[object] = []
    if isinstance(side, Const):
        lengths = [side.value]
    elif isinstance(side, ParamRef):
        lengths = [version.value for version in reader.scope.params[side.name].versions]
    return any(
        isinstance(length, Duration) and length.unit in ("months", "working_days")
        for length in lengths
    )


def _days_as_length(value: Expr, other: Expr) -> Expr:
    """A number of days beside a length of time becomes one: ``days_since(x) > 30d``."""
    if value.type == DAYS and other.type.name == "duration":
        return Arith(
            "*", value, Const(Duration(1, "days"), DURATION, value.mark), DURATION, value.mark
        )
    return value
