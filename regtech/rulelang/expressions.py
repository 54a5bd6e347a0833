"""Reads an expression: from text to checked, typed IR. Never evaluates anything.

A faulty part is ``None`` and silences the checks that would need it, so that one mistake gives one
fault and every mistake gives its own.

More than 500 lines: one method for each kind of expression, all over the same faults.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Final, Literal

from regtech.content.faults import Mark, did_you_mean
from regtech.content.saying import Hint, Said, say
from regtech.rulelang import functions, measures
from regtech.rulelang.comparing import read_comparison
from regtech.rulelang.fieldviews import Resolved, Unresolved, resolve_path
from regtech.rulelang.ir import (
    Arith,
    Const,
    Duration,
    Expr,
    FieldRef,
    IfElse,
    LetRef,
    Logic,
    Not,
    ParamRef,
    Type,
)
from regtech.rulelang.membership import read_in
from regtech.rulelang.scanner import FROM_PLACEHOLDER, scan
from regtech.rulelang.scope import Scope, Source
from regtech.rulelang.types import (
    BOOL,
    DURATION,
    RATIO,
    SYMBOL,
    TEXT,
    Mismatch,
    arithmetic,
    common,
    describe,
)

DEPTH_MAX: Final = 40

_ARITHMETIC: Final[dict[type[ast.operator], Literal["+", "-", "*", "/"]]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_NOT_IN_SUBSET: Final[dict[type[ast.AST], str]] = {
    ast.Lambda: "lambda",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.JoinedStr: "a format string",
    ast.Subscript: "an index",
    ast.Starred: "a star",
    ast.NamedExpr: "an assignment",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.List: "a list here",
    ast.Tuple: "a list here",
    ast.Slice: "a slice",
}


class Reader:
    """Reads one expression in a scope; ``read`` is the only entry."""

    def __init__(self, source: Source, scope: Scope, *, allow_measures: str = "") -> None:
        """``allow_measures``: why no measure may stand here; "" where one may."""
        self.scope = scope
        self.types = scope.types
        self.no_measures = allow_measures
        self._source = source
        self._scanned = scan(source.text)
        self._depth = 0
        self._inside: str = ""  # the measure being read, "" outside

    # --- entry ---------------------------------------------------------------------------------

    def read(self) -> Expr | None:
        """The expression, or None when it has faults (they are in the scope)."""
        for fault in self._scanned.faults:
            self.scope.faults.add(
                fault.code, fault.message, self._source.mark(fault.offset), fault.hint
            )
        if self._scanned.tree is None:
            return None
        return self.expr(self._scanned.tree)

    # --- for functions and measures ------------------------------------------------------------

    def mark(self, node: ast.AST) -> Mark:
        return self._source.mark(self._scanned.offset(getattr(node, "col_offset", 0)))

    def fault(self, code: str, message: Said, node: ast.AST, hint: Hint = "") -> None:
        self.scope.faults.add(code, message, self.mark(node), hint)

    def mismatch(self, error: Mismatch, node: ast.AST) -> None:
        self.fault(error.code, error.message, node, error.hint)

    @contextmanager
    def inside(self, measure: str, types: tuple[str, ...]) -> Iterator[None]:
        """Names mean fields of the contributing row while this holds."""
        before = self.types, self._inside
        self.types, self._inside = types, measure
        try:
            yield
        finally:
            self.types, self._inside = before

    @property
    def measure(self) -> str:
        """Name of the measure whose argument is being read, or ""."""
        return self._inside

    def duration(self, node: ast.AST) -> Duration | None:
        """The length of time that this name stands for, if it is one."""
        if not isinstance(node, ast.Name):
            return None
        return self._scanned.durations.get(self._scanned.offset(node.col_offset))

    def path(self, node: ast.AST) -> str | None:
        """The dotted path that this node spells, or None when it is something else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append("from" if node.attr == FROM_PLACEHOLDER else node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or self.duration(node) is not None:
            return None
        parts.append("from" if node.id == FROM_PLACEHOLDER else node.id)
        return ".".join(reversed(parts))

    def field(self, node: ast.AST) -> Resolved | None:
        """The field that a path names; a fault when it is none."""
        path = self.path(node)
        if path is None:
            self.fault("RL206", say("a field is expected here"), node)
            return None
        found = resolve_path(path, self.types)
        if isinstance(found, Unresolved):
            self.fault(found.code, found.message, node, found.hint)
            return None
        return found

    def field_ref(self, node: ast.AST) -> FieldRef | None:
        found = self.field(node)
        return FieldRef(found.path, found.type, self.mark(node)) if found else None

    def text(self, node: ast.AST, what: str) -> str | None:
        """A literal text; a fault when it is something else."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        hint: Hint = ""
        path = self.path(node)
        if path is not None:
            hint = say('write "%(path)s"', path=path)
        self.fault("RL205", say("%(what)s is a text in quotes", what=what), node, hint)
        return None

    def param(self, node: ast.Call) -> ParamRef | None:
        """``param("name")``."""
        if len(node.args) != 1 or node.keywords:
            self.fault("RL205", say('param takes one name: param("x")'), node)
            return None
        name = self.text(node.args[0], say("the name of a parameter"))
        if name is None:
            return None
        self.scope.params_used.add(name)
        param = self.scope.params.get(name)
        if param is None and name in self.scope.param_names:
            return None  # its own fault is told where it is defined
        if param is None:
            self.fault(
                "RL301",
                say("the parameter %(name)r is not defined", name=name),
                node.args[0],
                did_you_mean(name, self.scope.params),
            )
            return None
        return ParamRef(name, param.type, self.mark(node))

    # --- nodes ---------------------------------------------------------------------------------

    def expr(self, node: ast.expr) -> Expr | None:
        if self._depth >= DEPTH_MAX:
            self.fault(
                "RL201",
                say("nested deeper than %(depth_max)s", depth_max=DEPTH_MAX),
                node,
                say("use let"),
            )
            return None
        handler = _HANDLERS.get(type(node))
        if handler is None:
            what = _NOT_IN_SUBSET.get(type(node), f"Python's {type(node).__name__}")
            self.fault("RL202", say("%(what)s is not part of the rule language", what=what), node)
            return None
        self._depth += 1
        try:
            return handler(self, node)
        finally:
            self._depth -= 1

    def condition(self, node: ast.expr) -> Expr | None:
        """An expression that must be a condition."""
        found = self.expr(node)
        if found is None:
            return None
        if found.type.name != "bool":
            self.fault(
                "RL206",
                say("a condition is expected, this is %(type)s", type=describe(found.type)),
                node,
            )
            return None
        return found

    def _constant(self, node: ast.expr) -> Expr | None:
        assert isinstance(node, ast.Constant)
        value = node.value
        mark = self.mark(node)
        if isinstance(value, bool):
            return Const(value, BOOL, mark)
        if isinstance(value, str):
            return Const(value, SYMBOL, mark)
        number = self._scanned.numbers.get(self._scanned.offset(node.col_offset))
        if number is not None and isinstance(value, int):
            if number.denominator == 1 and "." not in self._raw_number(node):
                return Const(int(number), Type("int"), mark)
            return Const(number, RATIO, mark)
        if value is None:
            self.fault("RL202", say("None is not a value"), node, say("use missing(field)"))
        else:
            self.fault("RL202", say("this literal is not part of the rule language"), node)
        return None

    def _raw_number(self, node: ast.Constant) -> str:
        start = self._scanned.offset(node.col_offset)
        end = self._scanned.offset(node.end_col_offset or node.col_offset)
        return self._scanned.text[start:end]

    def _name(self, node: ast.expr) -> Expr | None:
        length = self.duration(node)
        if length is not None:
            return Const(length, DURATION, self.mark(node))
        path = self.path(node)
        if path is None:
            self.fault("RL202", say("a field is a name with dots"), node)
            return None
        if path in ("true", "false"):
            return Const(path == "true", BOOL, self.mark(node))
        if path in self.scope.let_names:
            return self._let(path, node)
        derived = functions.DERIVED.get(path)
        if derived is not None:
            return derived(self, node)
        found = resolve_path(path, self.types)
        if isinstance(found, Resolved):
            return FieldRef(found.path, found.type, self.mark(node))
        hint = found.hint
        if path in functions.FUNCTIONS or path in measures.MEASURES:
            hint = say("%(path)s is a function: %(path)s(…)", path=path)
        elif path in self.scope.params:
            hint = say('use param("%(path)s")', path=path)
        elif found.code == "RL203":
            hint = (
                did_you_mean(path, self.scope.let_names)
                or hint
                or say('a word is written "%(path)s"', path=path)
            )
        self.fault(found.code, found.message, node, hint)
        return None

    def _let(self, name: str, node: ast.expr) -> Expr | None:
        self.scope.lets_used.add(name)
        found = self.scope.lets.get(name)
        if found is None:
            if name not in self.scope.lets:
                self.fault("RL304", say("%(name)r is used before it is defined", name=name), node)
            return None
        if self._inside:
            if self.types == self.scope.types and not measures.has_measure(found):
                return found  # read again on the contributing row
            self.fault(
                "RL214",
                say("%(name)r cannot be used inside %(inside)s()", name=name, inside=self._inside),
                node,
                say("it is measured on the present row, not on each contributing one"),
            )
            return None
        if self.no_measures and measures.has_measure(found):
            self.fault(
                "RL214",
                say(
                    "%(name)r is a measure: %(no_measures)s",
                    name=name,
                    no_measures=self.no_measures,
                ),
                node,
            )
            return None
        if self.no_measures:
            return found
        return LetRef(name, found.type, self.mark(node))

    def _bool_op(self, node: ast.expr) -> Expr | None:
        assert isinstance(node, ast.BoolOp)
        operands = [self.condition(value) for value in node.values]
        if any(operand is None for operand in operands):
            return None
        op: Literal["and", "or"] = "and" if isinstance(node.op, ast.And) else "or"
        flat: list[Expr] = []
        for operand in operands:
            assert operand is not None
            if isinstance(operand, Logic) and operand.op == op:
                flat.extend(operand.operands)
            else:
                flat.append(operand)
        return Logic(op, tuple(flat), mark=self.mark(node))

    def _unary(self, node: ast.expr) -> Expr | None:
        assert isinstance(node, ast.UnaryOp)
        if isinstance(node.op, ast.Not):
            operand = self.condition(node.operand)
            return Not(operand, mark=self.mark(node)) if operand is not None else None
        if isinstance(node.op, ast.USub):
            operand = self.expr(node.operand)
            if operand is None:
                return None
            if isinstance(operand, Const) and isinstance(operand.value, int | Fraction):
                if not isinstance(operand.value, bool):
                    return Const(-operand.value, operand.type, self.mark(node))
            self.fault(
                "RL202", say("a minus stands before a number only"), node, say("write 0 - x")
            )
            return None
        self.fault("RL202", say("this sign is not part of the rule language"), node)
        return None

    def _bin_op(self, node: ast.expr) -> Expr | None:
        assert isinstance(node, ast.BinOp)
        op = _ARITHMETIC.get(type(node.op))
        left = self.expr(node.left)
        right = self.expr(node.right)
        if op is None:
            self.fault("RL202", say("only + - * / are part of the rule language"), node)
            return None
        if left is None or right is None:
            return None
        try:
            type_ = arithmetic(op, left.type, right.type)
        except Mismatch as error:
            self.mismatch(error, node.right)
            return None
        if op == "/" and isinstance(right, Const) and right.value == 0:
            self.fault("RL206", say("division by zero"), node.right)
            return None
        return Arith(op, left, right, type_, self.mark(node))

    def _compare(self, node: ast.expr) -> Expr | None:
        assert isinstance(node, ast.Compare)
        parts: list[Expr | None] = []
        left_node: ast.expr = node.left
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn):
                parts.append(
                    read_in(self, node, left_node, right_node, isinstance(operator, ast.NotIn))
                )
            elif isinstance(operator, ast.Is | ast.IsNot):
                self.fault(
                    "RL202",
                    say("is is not part of the rule language"),
                    node,
                    say("use == or missing()"),
                )
                parts.append(None)
            else:
                parts.append(read_comparison(self, node, left_node, operator, right_node))
            left_node = right_node
        if any(part is None for part in parts):
            return None
        whole = [part for part in parts if part is not None]
        return whole[0] if len(whole) == 1 else Logic("and", tuple(whole), mark=self.mark(node))

    def fit(self, value: Expr, other: Expr, other_node: ast.AST) -> Expr | None:
        """A literal word takes the type of what it is compared with, and must be possible there."""
        if not (isinstance(value, Const) and isinstance(value.value, str)):
            return value
        if other.type.name == "text":
            return Const(value.value, TEXT, value.mark)
        if isinstance(other, FieldRef) and not self.word_fits(value.value, other, value.mark):
            return None
        return value

    def word_fits(self, word: str, field_ref: FieldRef, mark: Mark) -> bool:
        """Whether a field can have this word; a fault when it cannot."""
        found = resolve_path(field_ref.path, self.types)
        if isinstance(found, Unresolved):
            return True  # a field inlined from another scope was checked there
        field = found.field
        faults = self.scope.faults
        if field.kind.value == "currency":
            known = self.scope.names.currencies
            if known is not None and word not in known:
                faults.add(
                    "RL209",
                    say("unknown currency %(word)r", word=word),
                    mark,
                    did_you_mean(word, known),
                )
                return False
            return True
        allowed = field.words or field.enum
        if allowed and word not in allowed:
            faults.add(
                "RL216",
                say("%(path)s is never %(word)r", path=field_ref.path, word=word),
                mark,
                did_you_mean(word, allowed)
                or say("one of %(allowed)s", allowed=", ".join(allowed[:12])),
            )
            return False
        return True

    def _if_else(self, node: ast.expr) -> Expr | None:
        assert isinstance(node, ast.IfExp)
        condition = self.condition(node.test)
        then, otherwise = self.expr(node.body), self.expr(node.orelse)
        if condition is None or then is None or otherwise is None:
            return None
        try:
            type_ = common(then.type, otherwise.type, say("choose between"))
        except Mismatch as error:
            self.mismatch(error, node.orelse)
            return None
        return IfElse(condition, then, otherwise, type_, self.mark(node))

    def _call(self, node: ast.expr) -> Expr | None:
        assert isinstance(node, ast.Call)
        if not isinstance(node.func, ast.Name):
            self.fault("RL202", say("a function is a plain name"), node.func)
            return None
        name = node.func.id
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                self.fault("RL202", say("a star is not part of the rule language"), argument)
                return None
        for keyword in node.keywords:
            if keyword.arg is None:
                self.fault("RL202", say("a star is not part of the rule language"), keyword.value)
                return None
        if name in measures.MEASURES:
            if self._inside:
                self.fault(
                    "RL214",
                    say("a measure inside %(inside)s()", inside=self._inside),
                    node,
                    say("use let"),
                )
                return None
            if self.no_measures:
                self.fault(
                    "RL214",
                    say(
                        "%(name)s() cannot be used here: %(no_measures)s",
                        name=name,
                        no_measures=self.no_measures,
                    ),
                    node,
                )
                return None
            return measures.read(self, name, node)
        function = functions.FUNCTIONS.get(name)
        if function is None:
            known = [*functions.FUNCTIONS, *measures.MEASURES]
            self.fault(
                "RL204",
                say("unknown function %(name)r", name=name),
                node.func,
                did_you_mean(name, known),
            )
            return None
        return functions.read(self, function, node)


_Handler = Callable[[Reader, ast.expr], Expr | None]
_HANDLERS: Final[dict[type[ast.AST], _Handler]] = {
    ast.Constant: Reader._constant,
    ast.Name: Reader._name,
    ast.Attribute: Reader._name,
    ast.BoolOp: Reader._bool_op,
    ast.UnaryOp: Reader._unary,
    ast.BinOp: Reader._bin_op,
    ast.Compare: Reader._compare,
    ast.IfExp: Reader._if_else,
    ast.Call: Reader._call,
}
