"""From a typed expression to instructions of the register machine, for one type of row.

Numbers carry an exact coefficient: a register r with coefficient c stands for c * r. Comparisons
with constants move the coefficient to the constant and round it in the direction that keeps the
answer exact; two registers with different coefficients are compared in 128 bits.

More than 500 lines: one method for each kind of expression, all over the same registers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from regtech.columns.hashing import hash_bytes
from regtech.columns.vocabulary import Vocabulary
from regtech.content.faults import Mark
from regtech.engine.columns import (
    PERSONS_GIVEN,
    ColumnRegistry,
    has_path,
    key_words,
    kind_of,
    sides,
    words_of,
)
from regtech.engine.kernels.programs import OP
from regtech.engine.kernels.rows import FLAG_LEG, FLAG_PRIMARY
from regtech.engine.subjects import EVENT, INSTITUTION, PREFIXES, SLOT, Part
from regtech.errors import ContentError
from regtech.model.fields import DECIMAL_SCALE, Kind
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
)

Int64 = npt.NDArray[np.int64]
INSTRUCTION_WORDS: Final = 8
"""Words of an instruction: operation, target and up to six arguments."""
US: Final = 1_000_000
DAY_US: Final = 86_400 * US
_FLIP: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_PLAIN: Final = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_WIDE: Final = {"<": "xlt", "<=": "xle", ">": "xgt", ">=": "xge", "==": "xeq", "!=": "xne"}
_INT64: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Number:
    """A register and its coefficient; a constant has no register."""

    register: int
    coefficient: Fraction
    constant: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Quotient:
    """A ratio of two numbers; it exists only inside a comparison."""

    above: Number
    below: Number


class Symbols(Protocol):
    """What lowering asks of the plan: codes, columns, slots."""

    columns: ColumnRegistry
    vocabulary: Vocabulary

    @property
    def currencies(self) -> CurrencyTable:
        """Currencies and their decimals."""
        ...

    def rate_target(self, currency: str) -> int:
        """Row of a target currency in the rate arrays."""
        ...


def natural_unit(kind: Type) -> Fraction:
    """What one integer of a stored value of this type stands for."""
    return Fraction(1, DECIMAL_SCALE) if kind.name == "ratio" else Fraction(1)


@dataclass
class Lowering:
    """Instructions for one (jurisdiction, event type); registers are shared by equal parts."""

    plan: Symbols
    event_type: str
    measure_slot: Callable[[Measure, bool], int]
    """Output slot of a measure; the flag asks for one that is unknown while anything is
    uncertain."""
    code: list[tuple[int, ...]] = field(default_factory=list)
    numbers: int = 0
    truths: int = 0
    pool: list[int] = field(default_factory=list)
    pool_at: dict[tuple[int, ...], int] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)
    """Codes of literal words already asked for; shared like the pool of constants."""
    memo: dict[tuple[object, ...], int] = field(default_factory=dict)
    seen: dict[int, Number | Quotient | int] = field(default_factory=dict)
    """What was made of an expression, by its identity: all live as long as the plan."""

    # --- emitting

    kept: list[Expr] = field(default_factory=list)
    """Expressions in ``seen``, so that no identity is used twice."""
    _table: Int64 | None = None

    def emit(self, op: str, *args: int, truth: bool = False) -> int:
        """Add an instruction unless an equal one is there; returns its register."""
        key = (op, *args)
        if key in self.memo:
            return self.memo[key]
        if truth:
            register = self.truths
            self.truths += 1
        else:
            register = self.numbers
            self.numbers += 1
        self._add(op, register, *args)
        self.memo[key] = register
        return register

    def _add(self, op: str, dst: int, *args: int) -> None:
        self.code.append((OP[op], dst, *args, *([0] * (INSTRUCTION_WORDS - 2 - len(args)))))

    def table(self) -> Int64:
        """The instructions as rows of ``INSTRUCTION_WORDS``; nothing may be added afterwards."""
        if self._table is None:
            rows = np.array(self.code, np.int64)
            self._table = rows.reshape(len(self.code), INSTRUCTION_WORDS)
        return self._table

    def output(self, op: str, dst: int, *args: int) -> None:
        """Add an instruction that writes to an array instead of a register."""
        key = ("out", op, dst, *args)
        if key not in self.memo:
            self.memo[key] = 0
            self._add(op, dst, *args)

    # --- conditions

    def truth(self, expr: Expr) -> int:
        """Truth register of a condition."""
        found = self.seen.get(id(expr))
        if isinstance(found, int):
            return found
        register = self._truth(expr)
        self.seen[id(expr)] = register
        self.kept.append(expr)
        return register

    def _truth(self, expr: Expr) -> int:
        match expr:
            case Const(value=bool(value)):
                return self.emit("bconst", 2 if value else 0, truth=True)
            case Logic(op=op, operands=operands):
                register = self.truth(operands[0])
                for operand in operands[1:]:
                    register = self.emit(op, register, self.truth(operand), truth=True)
                return register
            case Not(operand=operand):
                return self.emit("not", self.truth(operand), truth=True)
            case Compare():
                return self._compare(expr)
            case In():
                return self._membership(expr)
            case Call():
                return self._condition_call(expr)
            case IfElse(condition=c, then=a, otherwise=b):
                test = self.truth(c)
                yes = self.emit("and", test, self.truth(a), truth=True)
                no = self.emit("and", self.emit("not", test, truth=True), self.truth(b), truth=True)
                return self.emit("or", yes, no, truth=True)
            case FieldRef():
                return self.emit("truth", self.load(expr.path, expr.mark), truth=True)
            case _:
                raise self._cannot(expr.mark, "is not a condition")

    def _compare(self, expr: Compare) -> int:
        left, right = expr.left, expr.right
        if left.type.name == "bool" or right.type.name == "bool":
            return self._compare_truths(expr)
        if left.type.name in ("symbol", "text") or right.type.name in ("symbol", "text"):
            a, b = self._word(left, right), self._word(right, left)
            return self.emit(_PLAIN[expr.op], a, b, truth=True)
        x, y = self.number(left), self.number(right)
        if isinstance(y, Quotient) and not isinstance(x, Quotient):
            return self._compare_values(y, x, _FLIP[expr.op], expr.mark)
        return self._compare_values(x, y, expr.op, expr.mark)

    def _compare_truths(self, expr: Compare) -> int:
        a, b = self.truth(expr.left), self.truth(expr.right)
        both = self.emit("and", a, b, truth=True)
        neither = self.emit(
            "and", self.emit("not", a, truth=True), self.emit("not", b, truth=True), truth=True
        )
        same = self.emit("or", both, neither, truth=True)
        return same if expr.op == "==" else self.emit("not", same, truth=True)

    def _compare_values(
        self, x: Number | Quotient, y: Number | Quotient, op: str, mark: Mark
    ) -> int:
        if isinstance(x, Quotient):
            if isinstance(y, Quotient):
                raise self._cannot(mark, "compares two quotients; multiply out one of them")
            return self._compare_quotient(x, y, op, mark)
        assert isinstance(y, Number)
        if x.constant is not None and y.constant is not None:
            return self.emit("bconst", 2 if _holds(x.constant, op, y.constant) else 0, truth=True)
        if x.constant is not None:
            return self._compare_values(y, x, _FLIP[op], mark)
        if y.constant is not None:
            return self._compare_constant(x, y.constant / x.coefficient, op)
        if x.coefficient == y.coefficient:
            return self.emit(_PLAIN[op], x.register, y.register, truth=True)
        a = x.coefficient.numerator * y.coefficient.denominator
        b = y.coefficient.numerator * x.coefficient.denominator
        shared = math.gcd(a, b)
        a, b = a // shared, b // shared
        if max(abs(a), abs(b)) >= _INT64:
            raise self._cannot(mark, "needs factors beyond 62 bits")
        return self.emit(_WIDE[op], x.register, y.register, a, b, truth=True)

    def _compare_constant(self, x: Number, value: Fraction, op: str) -> int:
        if value.denominator != 1 and op in ("==", "!="):
            known = self.emit("eq", x.register, x.register, truth=True)
            never = self.emit("and", known, self.emit("not", known, truth=True), truth=True)
            return never if op == "==" else self.emit("not", never, truth=True)
        if value.denominator == 1:
            bound = int(value)
        elif op in (">=", "<"):
            bound = math.ceil(value)
        else:
            bound = math.floor(value)
        # A figure beyond 64 bits is beyond every exact value: the ends of the range say just that.
        bound = max(min(bound, (1 << 63) - 1), 1 - (1 << 63))
        return self.emit(_PLAIN[op], x.register, self.emit("const", bound), truth=True)

    def _compare_quotient(self, x: Quotient, y: Number, op: str, mark: Mark) -> int:
        """``a / b >= y`` is ``a >= y * b`` where b > 0; cannot tell elsewhere."""
        if y.constant is None:
            return self._compare_product(x, y, op, mark)
        zero = Number(-1, Fraction(1), Fraction(0))
        if y.constant == 0:
            compared = self._compare_values(x.above, zero, op, mark)
        elif y.constant < 0:
            raise self._cannot(mark, "compares a quotient with a negative figure")
        elif x.below.constant is not None:
            raise self._cannot(mark, "divides by a constant inside a quotient")
        else:
            scaled = Number(x.below.register, x.below.coefficient * y.constant)
            compared = self._compare_values(x.above, scaled, op, mark)
        exact = self.emit("eq", x.below.register, x.below.register, truth=True)
        positive = self._compare_values(x.below, zero, ">", mark)
        positive = self.emit("and", positive, exact, truth=True)
        unsure = self.emit("bconst", 1, truth=True)
        told = self.emit("and", compared, positive, truth=True)
        untold = self.emit("and", unsure, self.emit("not", positive, truth=True), truth=True)
        return self.emit("or", told, untold, truth=True)

    def _compare_product(self, x: Quotient, y: Number, op: str, mark: Mark) -> int:
        """``a / b >= y`` for a y that is no figure: ``y * b`` against ``a``, in 128 bits."""
        if x.below.constant is not None or x.above.constant is not None:
            raise self._cannot(mark, "compares a quotient of a figure")
        ratio = y.coefficient * x.below.coefficient / x.above.coefficient
        k1, k2 = ratio.numerator, ratio.denominator
        if max(k1, k2) >= _INT64:
            raise self._cannot(mark, "needs factors beyond 62 bits")
        name = "q" + _WIDE[_FLIP[op]][1:]
        return self.emit(name, y.register, x.above.register, k1, k2, x.below.register, truth=True)

    def _membership(self, expr: In) -> int:
        if expr.flags is not None:
            assert isinstance(expr.item, Const) and isinstance(expr.item.value, str)
            register = self._has(expr.flags, (expr.item.value,))
        else:
            codes = tuple(sorted({self._code(expr.item, word) for word in expr.words or ()}))
            at = self._pooled(codes)
            register = self.emit("inset", self._word(expr.item, None), at, truth=True)
        return self.emit("not", register, truth=True) if expr.negated else register

    def _pooled(self, codes: tuple[int, ...]) -> int:
        if codes not in self.pool_at:
            self.pool_at[codes] = len(self.pool)
            self.pool += [len(codes), *codes]
        return self.pool_at[codes]

    def _mask(self, flags: Expr, words: tuple[str, ...]) -> int:
        assert isinstance(flags, FieldRef)
        known = words_of(flags.path)
        return sum(1 << known.index(word) for word in set(words))

    def _has(self, flags: Expr, words: tuple[str, ...]) -> int:
        register = self._flags(flags)
        return self.emit("has", register, self._mask(_field_of(flags), words), truth=True)

    def _flags(self, expr: Expr) -> int:
        number = self.number(expr)
        assert isinstance(number, Number)
        return number.register

    def _condition_call(self, call: Call) -> int:
        args = call.args
        match call.function:
            case "missing" | "known":
                register = self._presence(args[0])
                return (
                    register
                    if call.function == "missing"
                    else self.emit("not", register, truth=True)
                )
            case "has":
                return self._has(args[0], _words(args[1:]))
            case "only":
                register = self._flags(args[0])
                mask = self._mask(_field_of(args[0]), _words(args[1:]))
                return self.emit("only", register, mask, truth=True)
            case "working_day":
                return self.emit("workday", truth=True)
            case "month_end" | "quarter_end" | "year_end":
                months = {"month_end": 1, "quarter_end": 3, "year_end": 12}[call.function]
                number = self.number(args[0])
                assert isinstance(number, Number)
                return self.emit("boundary", number.register, months, truth=True)
            case "given":
                number = self.number(call)
                assert isinstance(number, Number)
                return self.emit("truth", number.register, truth=True)
            case _:
                raise self._cannot(call.mark, f"calls {call.function}, which is no condition")

    def _presence(self, expr: Expr) -> int:
        if isinstance(expr, FieldRef) and expr.path == "persons":
            return self.emit("missing", self.load(PERSONS_GIVEN, expr.mark), truth=True)
        if isinstance(expr, FieldRef):
            return self.emit("missing", self.load(expr.path, expr.mark), truth=True)
        number = self.number(expr)
        assert isinstance(number, Number)
        return self.emit("missing", number.register, truth=True)

    # --- words

    def _code(self, peer: Expr, word: str) -> int:
        """Integer that stands for a literal word, in the domain of what it is compared with."""
        target = _field_of(peer)
        kind = kind_of(target.path) if isinstance(target, FieldRef) else Kind.SYMBOL
        if kind is Kind.CURRENCY:
            currency = self.plan.currencies.get(word)
            return -1 if currency is None else currency.index
        kept = isinstance(target, FieldRef) and self.plan.columns.keeps(target.path)
        if kind is Kind.TEXT and not kept:
            return hash_bytes(word.encode()) >> 1
        if word not in self.words:
            self.words[word] = self.plan.vocabulary.code_of(word)
        return self.words[word]

    def _word(self, expr: Expr, peer: Expr | None) -> int:
        if isinstance(expr, Const):
            assert isinstance(expr.value, str) and peer is not None
            return self.emit("const", self._code(peer, expr.value))
        number = self.number(expr)
        assert isinstance(number, Number)
        return number.register

    # --- numbers

    def number(self, expr: Expr) -> Number | Quotient:
        """Register and coefficient of a number (or of any value that is stored as an integer)."""
        found = self.seen.get(id(expr))
        if isinstance(found, Number | Quotient):
            return found
        made = self._number(expr)
        self.seen[id(expr)] = made
        self.kept.append(expr)
        return made

    def _number(self, expr: Expr) -> Number | Quotient:
        match expr:
            case Const():
                return Number(-1, Fraction(1), self._constant(expr))
            case FieldRef():
                kind = kind_of(expr.path) if expr.path != "direction" else Kind.SYMBOL
                unit = Fraction(1, DECIMAL_SCALE) if kind is Kind.DECIMAL else Fraction(1)
                return Number(self.load(expr.path, expr.mark), unit)
            case Measure(kind="mean"):
                return self._mean(expr)
            case Measure(kind="distinct", value=FieldRef(path="persons")):
                return Number(self._persons(expr), Fraction(1))
            case Measure():
                register = self.emit("measure", self.measure_slot(expr, False))
                return Number(register, natural_unit(expr.type))
            case Call():
                return self._number_call(expr)
            case Arith():
                return self._arithmetic(expr)
            case IfElse(condition=c, then=a, otherwise=b):
                test = self.truth(c)
                x, y, unit = self._alike(self.number(a), self.number(b), expr.mark)
                return Number(self.emit("select", test, x, y), unit)
            case _:
                raise self._cannot(expr.mark, "is not a number")

    def _constant(self, expr: Const) -> Fraction:
        match expr.value:
            case bool(value):
                return Fraction(int(value))
            case Money(amount=amount, currency=code):
                return amount * Fraction(10) ** self.plan.currencies[code].exponent
            case Duration(count=count, unit="seconds"):
                return Fraction(count * US)
            case Duration(count=count, unit="days"):
                return Fraction(count * DAY_US)
            case int(value):
                return Fraction(value)
            case Fraction() as value:
                return value
            case _:
                raise self._cannot(expr.mark, "cannot be used as a number")

    def _mean(self, expr: Measure) -> Quotient:
        total, count = mean_parts(expr)
        above = self.emit("measure", self.measure_slot(total, True))
        below = self.emit("measure", self.measure_slot(count, True))
        return Quotient(Number(above, natural_unit(total.type)), Number(below, Fraction(1)))

    def _persons(self, expr: Measure) -> int:
        ids, largest, total = persons_parts(expr)
        registers = [
            self.emit("measure", self.measure_slot(part, False)) for part in (ids, largest, total)
        ]
        return self.emit("persons", *registers)

    def _number_call(self, call: Call) -> Number | Quotient:
        args = call.args
        match call.function:
            case "amount_in":
                return Number(self._converted(call), Fraction(1))
            case "given":
                x = self.number(args[0])
                if isinstance(args[1], Const) and isinstance(args[1].value, str):
                    y: Number | Quotient = Number(self._word(args[1], args[0]), Fraction(1))
                else:
                    y = self.number(args[1])
                a, b, unit = self._alike(x, y, call.mark)
                return Number(self.emit("given", a, b), unit)
            case "days_since" | "days_until":
                x = self.number(args[0])
                assert isinstance(x, Number)
                is_time = 1 if args[0].type.name == "time" else 0
                unit = Fraction(DAY_US) if call.type.name == "duration" else Fraction(1)
                return Number(self.emit(call.function, x.register, is_time), unit)
            case "time_since":
                x = self.number(args[0])
                assert isinstance(x, Number)
                return Number(self.emit("time_since", x.register), Fraction(1))
            case "hour" | "weekday":
                return Number(self.emit(call.function), Fraction(1))
            case "length":
                return Number(self.load(PERSONS_GIVEN, call.mark), Fraction(1))
            case "least" | "greatest":
                value = self.number(args[0])
                for other in args[1:]:
                    a, b, unit = self._alike(value, self.number(other), call.mark)
                    value = Number(self.emit(call.function, a, b), unit)
                return value
            case _:
                raise self._cannot(call.mark, f"calls {call.function}, which is no number")

    def _converted(self, call: Call) -> int:
        amount = call.args[0]
        assert isinstance(amount, FieldRef)
        target = amount_currency(call)
        money = self.load(amount.path, call.mark)
        currency = self.load("currency", call.mark)
        day = self.emit("day")
        if self.event_type == "figure":
            day = self.emit("given", self.load("as_of", call.mark), day)
        row = self.plan.rate_target(target)
        index = self.plan.currencies[target].index
        return self.emit("convert", money, currency, day, row, index)

    def _arithmetic(self, expr: Arith) -> Number | Quotient:
        if (clock := calendar_length(expr)) is not None:
            start = self.number(expr.left)
            assert isinstance(start, Number)
            kind = 1 if clock.unit == "months" else 0
            return Number(self.emit("clock_end", start.register, clock.count, kind), Fraction(1))
        for choice, other in ((expr.left, expr.right), (expr.right, expr.left)):
            if expr.op == "*" and isinstance(choice, IfElse):
                then, otherwise = (
                    replace(expr, left=other, right=part)
                    for part in (choice.then, choice.otherwise)
                )
                return self.number(IfElse(choice.condition, then, otherwise, expr.type, expr.mark))
        x, y = self.number(expr.left), self.number(expr.right)
        if isinstance(x, Quotient) and isinstance(y, Number) and y.constant:
            factor = y.constant if expr.op == "*" else 1 / y.constant
            if expr.op in "*/" and factor > 0 and x.above.constant is None:
                return Quotient(self._times(x.above, factor), x.below)
        if isinstance(y, Quotient) and isinstance(x, Number) and x.constant and expr.op == "*":
            return self.number(replace(expr, left=expr.right, right=expr.left))
        if isinstance(x, Quotient) or isinstance(y, Quotient):
            raise self._cannot(expr.mark, "calculates with a quotient; compare it directly")
        if x.constant is not None and y.constant is not None:
            if expr.op == "/" and y.constant == 0:
                raise self._cannot(expr.mark, "divides by zero")
            result = {
                "+": x.constant + y.constant,
                "-": x.constant - y.constant,
                "*": x.constant * y.constant,
                "/": x.constant / y.constant if y.constant else Fraction(0),
            }[expr.op]
            return Number(-1, Fraction(1), result)
        if expr.op == "*":
            figure, value = (x, y) if x.constant is not None else (y, x)
            if figure.constant is None:
                raise self._cannot(expr.mark, "multiplies two values that are not figures")
            return self._times(value, figure.constant)
        if expr.op == "/":
            if y.constant is not None:
                if y.constant == 0:
                    raise self._cannot(expr.mark, "divides by zero")
                return self._times(x, 1 / y.constant)
            if x.constant is not None:
                x = Number(
                    self._materialised(x, Fraction(1, x.constant.denominator)),
                    Fraction(1, x.constant.denominator),
                )
            return Quotient(x, y)
        a, b, unit = self._alike(x, y, expr.mark)
        return Number(self.emit("add" if expr.op == "+" else "sub", a, b), unit)

    def _times(self, x: Number, factor: Fraction) -> Number:
        if factor == 0:
            return Number(-1, Fraction(1), Fraction(0))
        if factor < 0:
            negated = self.emit("sub", self.emit("const", 0), x.register)
            return Number(negated, x.coefficient * -factor)
        return Number(x.register, x.coefficient * factor)

    def _alike(
        self, x: Number | Quotient, y: Number | Quotient, mark: Mark
    ) -> tuple[int, int, Fraction]:
        """Both as registers of one common unit."""
        if isinstance(x, Quotient) or isinstance(y, Quotient):
            raise self._cannot(mark, "uses a quotient outside a comparison")
        a = x.constant if x.constant is not None else x.coefficient
        b = y.constant if y.constant is not None else y.coefficient
        if a == 0 and b == 0:
            unit = Fraction(1)
        else:
            common = math.lcm(a.denominator, b.denominator)
            unit = Fraction(math.gcd(int(a * common), int(b * common)), common)
        return self._materialised(x, unit), self._materialised(y, unit), unit

    def _materialised(self, x: Number, unit: Fraction) -> int:
        if x.constant is not None:
            return self.emit("const", int(x.constant / unit))
        factor = x.coefficient / unit
        if factor == 1:
            return x.register
        assert factor.denominator == 1 and factor > 0
        return self.emit("mulc", x.register, int(factor))

    def stored(self, expr: Expr) -> int:
        """Register of a value in the natural unit of its type, for storing in a measure."""
        x = self.number(expr)
        if isinstance(x, Quotient):
            raise self._cannot(expr.mark, "stores a quotient")
        unit = natural_unit(expr.type)
        if x.constant is None and (x.coefficient / unit).denominator != 1:
            raise self._cannot(expr.mark, "is finer than the unit it is measured in")
        return self._materialised(x, unit)

    # --- loads

    def load(self, path: str, mark: Mark) -> int:
        """Register of a field as the row sees it; unknown where the type has no such field."""
        if path == "direction":
            if self.event_type != "transaction":
                return self.emit("unknown")
            codes = (self.plan.vocabulary.code_of("out"), self.plan.vocabulary.code_of("in"))
            return self.emit("direction", *codes)
        if path in PREFIXES[self.event_type]:
            path = f"{path}.id"
        if self.event_type == "transaction" and (pair := sides(path)) is not None:
            if not has_path("transaction", pair[0]):
                return self.emit("unknown")
            column = self.plan.columns.column
            return self.emit("oriented", column(pair[0]), column(pair[1]))
        if not has_path(self.event_type, path):
            return self.emit("unknown")
        return self.emit("load", self.plan.columns.column(path))

    def key(
        self,
        parts: tuple[str, ...],
        keyspace: int,
        column: int,
        prefix: int | None = None,
        insert: bool = True,
    ) -> None:
        """Write the slot of a key into a key column; ``prefix``: the key column of its first parts;
        ``insert``: a new key gets a slot, otherwise -1 is written."""
        words = key_words(parts if prefix is None else (SLOT, *parts))
        if EVENT in parts or len(words) > 4:
            raise ContentError(f"a key of {parts} cannot be kept", hint="use at most seven parts")

        def register(part: Part) -> int:
            if part == SLOT:
                assert prefix is not None
                return self.emit("slot", prefix)
            return self.emit("institution") if part == INSTITUTION else self.load(part, _NO_MARK)

        registers = [
            self.emit("pair", *map(register, word)) if len(word) == 2 else register(*word)
            for word in words
        ]
        registers += [-1] * (4 - len(registers))
        self.output("key", column, keyspace, *registers, int(insert))

    def row_flag(self, leg: bool) -> int:
        """Whether the row is a leg row (or the primary row)."""
        return self.emit("rowflag", FLAG_LEG if leg else FLAG_PRIMARY, truth=True)

    def _cannot(self, mark: Mark, what: str) -> ContentError:
        return ContentError(f"{mark}: the expression {what}", hint="see the language reference")


_NO_MARK: Final = Mark("<key>", 0, 0)


def calendar_length(expr: Arith) -> Duration | None:
    """The months or working days that are added to a time, where the sum is one of those."""
    if expr.op == "+" and isinstance(expr.right, Const) and isinstance(expr.right.value, Duration):
        if expr.right.value.unit in ("months", "working_days"):
            return expr.right.value
    return None


def amount_currency(call: Call) -> str:
    """Target currency of ``amount_in``."""
    target = call.args[1]
    assert isinstance(target, Const)
    return target.value.currency if isinstance(target.value, Money) else str(target.value)


def mean_parts(expr: Measure) -> tuple[Measure, Measure]:
    """The sum and the count that a mean is made of."""
    assert expr.value is not None
    unit = expr.value.type
    return replace(expr, kind="sum", type=unit), replace(
        expr, kind="count", value=None, type=Type("int")
    )


def persons_parts(expr: Measure) -> tuple[Measure, Measure, Measure]:
    """Distinct ids, largest bare count and sum of bare counts, where only counts were sent."""
    count = FieldRef("person_count", Type("int", unit="persons"))
    persons = FieldRef("persons", Type("persons"))
    bare: Expr = Call("missing", (persons,), Type("bool"))
    bare = Logic("and", (bare, Call("known", (count,), Type("bool"))))
    where = bare if expr.where is None else Logic("and", (expr.where, bare))
    return (
        expr,
        replace(expr, kind="max", value=count, where=where),
        replace(expr, kind="sum", value=count, where=where),
    )


def _field_of(expr: Expr) -> Expr:
    """The field that decides the domain of a word: inside ``given`` it is the first argument."""
    while isinstance(expr, Call) and expr.function == "given":
        expr = expr.args[0]
    return expr


def _words(args: tuple[Expr, ...]) -> tuple[str, ...]:
    return tuple(str(a.value) for a in args if isinstance(a, Const))


def _holds(a: Fraction, op: str, b: Fraction) -> bool:
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}[op]
