"""Rulepacks as plain dicts, and the value of an expression on a row."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any, Protocol

from tests.property.oracle.localtime import LocalTime, day_number
from tests.property.oracle.values import (
    ORDERS,
    UNKNOWN,
    Interval,
    Length,
    Money,
    Outcome,
    add,
    all_of,
    any_of,
    divide,
    multiply,
    negate,
    number,
    parse,
    read_length,
    read_literal,
    round_half_even,
    subtract,
)
from tests.property.oracle.world import MONEY, PARTIES, Row

MEASURES = {"sum", "count", "distinct", "min", "max", "mean", "stddev", "last", "since_last"}
MEASURES |= {"first_seen", "outstanding", "figure"}
CALENDAR = ("day", "business_day", "week", "month", "quarter", "year")  # the shortest first
LEG_WORDS = {"customer", "account", "party", "group", "direction", "counterparty"}

Rates = Callable[[str, str, date], Fraction | None]
"""Value of one unit of the first currency in the second, on a day; None where there is no rate."""


def listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def _day(value: Any) -> date | None:
    return value if value is None or isinstance(value, date) else date.fromisoformat(str(value))


def inside(span: Mapping[str, Any] | None, day: date) -> bool:
    """Whether a day is in ``{from, until}``, both included; no span is always."""
    first, last = _day((span or {}).get("from")), _day((span or {}).get("until"))
    return (first is None or first <= day) and (last is None or day <= last)


def dotted(node: ast.expr) -> str | None:
    """``payer.country`` of a chain of names; None of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        start = dotted(node.value)
        return None if start is None else f"{start}.{node.attr}"
    return None


def call_name(node: ast.AST) -> str | None:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None


def word(node: ast.expr) -> str:
    """The text of a string literal, or of a bare name used as a word (``over=day``)."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    name = dotted(node)
    assert name is not None, ast.dump(node)
    return name


class Pack:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.jurisdiction = str(document["jurisdiction"])
        self.params: Mapping[str, Any] = document.get("params") or {}
        self.rules = [Rule(self, rule) for rule in document["rules"]]

    def param_version(self, name: str, day: date) -> int | None:
        """Index of the dated value in force on a day."""
        for position, version in enumerate(self._versions(name)):
            if inside(version, day):
                return position
        return None

    def param(self, name: str, day: date) -> Any:
        position = self.param_version(name, day)
        return None if position is None else read_literal(self._versions(name)[position]["value"])

    def _versions(self, name: str) -> list[Mapping[str, Any]]:
        param = self.params[name]
        return list(param["values"]) if "values" in param else [{"value": param["value"]}]


class Rule:
    """One rule of a pack with its expressions parsed."""

    def __init__(self, pack: Pack, document: Mapping[str, Any]) -> None:
        self.pack = pack
        self.document = document
        self.id = str(document["id"])
        self.on = tuple(listed(document["on"]))
        self.per = tuple(listed(document["per"]))
        self.by = tuple(listed(document.get("by")))
        self.where = self._expression("where")
        self.when = self._expression("when")
        self.lets = {name: parse(text) for name, text in (document.get("let") or {}).items()}
        self.again: Mapping[str, Any] | None = document.get("again")
        self.step = parse(self.again["step"]) if self.again else None
        self.deadline: Mapping[str, Any] | None = document.get("deadline")
        named = [str(part).partition(".")[0] for part in (*self.per, *self.by)]
        self.legs = any(part in LEG_WORDS for part in named)
        self.runs = document.get("status", "enabled") != "disabled" and "detect" not in document

    def _expression(self, key: str) -> ast.expr | None:
        text = self.document.get(key)
        return None if text is None else parse(text)

    def trees(self) -> Iterator[ast.expr]:
        yield from (tree for tree in (self.where, self.when, self.step) if tree is not None)
        yield from self.lets.values()
        for key in ("within", "start", "closed_by", "about", "warn"):
            text = str((self.deadline or {}).get(key, ""))
            if text and read_length(text) is None and "working day" not in text:
                yield parse(text)

    @cached_property
    def params(self) -> set[str]:
        """Names of all parameters the rule uses."""
        return {
            word(node.args[0])
            for tree in self.trees()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and call_name(node) == "param"
        }

    @cached_property
    def windows(self) -> list[ast.expr]:
        """The ``over=`` of all its measures."""
        return [
            keyword.value
            for tree in self.trees()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and call_name(node) in MEASURES
            for keyword in node.keywords
            if keyword.arg == "over"
        ]

    @cached_property
    def rolling(self) -> list[ast.expr]:
        return [over for over in self.windows if not isinstance(over, ast.Name)]

    @cached_property
    def period(self) -> str:
        """Rule 18: day … year, ever, event or rolling."""
        if self.document.get("period"):
            return str(self.document["period"])
        if "event" in self.per:
            return "event"
        used = {over.id for over in self.windows if isinstance(over, ast.Name)}
        for calendar in CALENDAR:
            if calendar in used:
                return calendar
        return "rolling" if self.rolling else "event"

    def in_force(self, day: date) -> bool:
        """Rule 17: the rule, its instrument and all its parameters."""
        cite = self.document.get("cite")
        instruments = self.pack.document.get("instruments") or {}
        span = instruments[cite["instrument"]].get("in_force") if cite else None
        return (
            inside(span, day)
            and inside(self.document.get("in_force"), day)
            and all(self.pack.param_version(name, day) is not None for name in self.params)
        )

    @cached_property
    def _uses_sets(self) -> bool:
        return "set(" in str(self.document)

    def law(self, day: date) -> tuple[Any, ...]:
        """What of the law on a day can change the value of an expression on an old row."""
        return day if self._uses_sets else None, *(
            self.pack.param_version(name, day) for name in sorted(self.params)
        )


class Measurer(Protocol):
    def __call__(self, node: ast.Call, scope: Scope) -> Any: ...


@dataclass
class Reference:
    """Dated data beside the rules."""

    rates: Rates
    decimals: Mapping[str, int]
    sets: Mapping[str, list[Mapping[str, Any]]]
    times: Mapping[str, LocalTime]


@dataclass
class Scope:
    """Where an expression is read: the rule, row, day of the law. Measures only on reading rows."""

    rule: Rule
    row: Row
    day: date  # the law of this day
    reference: Reference
    measure: Measurer | None = None
    lets: dict[str, Any] | None = None

    def outcome(self, node: ast.expr | None) -> Outcome:
        if node is None:
            return True
        value = self.value(node)
        assert value is None or isinstance(value, bool), ast.unparse(node)
        return value

    def interval(self, node: ast.expr) -> Interval:
        value = self.value(node)
        assert isinstance(value, Interval), ast.unparse(node)
        return value

    def value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.BoolOp):
            combine = all_of if isinstance(node.op, ast.And) else any_of
            return combine([self.outcome(part) for part in node.values])
        if isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.Not):
                return negate(self.outcome(node.operand))
            assert isinstance(node.op, ast.USub)
            return subtract(number(0), self.interval(node.operand))
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            return all_of(
                self._compare(sides[i], op, sides[i + 1]) for i, op in enumerate(node.ops)
            )
        if isinstance(node, ast.BinOp):
            return self._arithmetic(node)
        if isinstance(node, ast.IfExp):
            return self._choose(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        path = dotted(node)
        assert path is not None, ast.dump(node)
        if path in self.rule.lets:
            # In a filter a named value is read on the contributing row itself.
            return self.value(self.rule.lets[path]) if self.lets is None else self.lets[path]
        return self.field(path)

    def field(self, path: str) -> Any:
        if path == "reporter":
            return self.row.event.reporter
        on_transaction = self.row.event.type == "transaction"
        parties = PARTIES[self.row.event.type]
        if path in parties or (on_transaction and path in ("party", "counterparty")):
            path += ".id"  # a party stands for its id
        return self.row.get(path)

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Outcome:
        if isinstance(op, ast.In | ast.NotIn):
            found = self._member(left, right)
            return found if isinstance(op, ast.In) else negate(found)
        a, b = self.value(left), self.value(right)
        if isinstance(a, Interval) and isinstance(b, Interval):
            return ORDERS[type(op)](a, b)
        assert isinstance(op, ast.Eq | ast.NotEq), ast.unparse(left)
        if a is None or b is None:
            return None
        equal: bool = a == b
        return equal if isinstance(op, ast.Eq) else not equal

    def _member(self, left: ast.expr, right: ast.expr) -> Outcome:
        item = self.value(left)
        if isinstance(right, ast.Call) and call_name(right) == "set":
            return self._in_set(item, word(right.args[0]))
        if isinstance(right, ast.Tuple | ast.List | ast.Set):
            return None if item is None else item in [word(part) for part in right.elts]
        words = self.value(right)
        return None if item is None or words is None else item in words

    def _in_set(self, item: Any, name: str) -> Outcome:
        if item is None:
            return None
        members = self.reference.sets[name]
        return any(member["value"] == item and inside(member, self.day) for member in members)

    def _arithmetic(self, node: ast.BinOp) -> Interval:
        a, b = self.interval(node.left), self.interval(node.right)
        if isinstance(node.op, ast.Add):
            return add(a, b)
        if isinstance(node.op, ast.Sub):
            return subtract(a, b)
        if isinstance(node.op, ast.Mult):
            return multiply(a, b)
        assert isinstance(node.op, ast.Div)
        return divide(a, b)

    def _choose(self, node: ast.IfExp) -> Any:
        condition = self.outcome(node.test)
        then, otherwise = self.value(node.body), self.value(node.orelse)
        if condition is None:
            return UNKNOWN if isinstance(then, Interval) else None
        return then if condition else otherwise

    def _call(self, node: ast.Call) -> Any:
        name = call_name(node)
        assert name is not None, ast.dump(node)
        if name in MEASURES:
            assert self.measure is not None, "a measure inside a measure or a filter"
            return self.measure(node, self)
        function = getattr(self, f"_f_{name.lstrip('_')}", None)
        assert function is not None, name
        return function(*node.args)

    # --- functions ---

    def _f_exact(self, text: ast.expr) -> Interval:
        return number(word(text))

    def _f_duration(self, text: ast.expr) -> Interval:
        length = read_length(word(text))
        assert length is not None, word(text)
        return number(length.micros)

    def _f_param(self, name: ast.expr) -> Any:
        value = self.rule.pack.param(word(name), self.day)
        if isinstance(value, Money):
            return number(value.amount)
        if isinstance(value, Length):
            return number(value.micros)
        return number(value) if isinstance(value, Fraction) else value

    def _f_amount_in(self, currency: ast.expr, field: ast.expr | None = None) -> Interval:
        if call_name(currency) == "param":
            assert isinstance(currency, ast.Call)
            money = self.rule.pack.param(word(currency.args[0]), self.day)
            target = money.currency if isinstance(money, Money) else str(money)
        else:
            target = word(currency)
        path = "amount" if field is None else word(field)
        amount = self.field(path)
        return self.convert(amount, self.row.event.raw.get(MONEY[path]), target, self.row.day)

    def convert(self, amount: Interval, own: str | None, target: str, day: date) -> Interval:
        """Rule 11."""
        if not amount.known or own is None:
            return UNKNOWN
        if own == target:
            return amount
        rate = self.reference.rates(own, target, day)
        if rate is None:
            return UNKNOWN
        return number(round_half_even(amount.exact * rate, self.reference.decimals[target]))

    def _f_exempt(self, *codes: ast.expr) -> bool:
        raw = self.row.event.raw
        return raw.get("exemption") in [word(code) for code in codes] and not raw.get("suspicion")

    def _is_missing(self, field: ast.expr) -> bool:
        value = self.value(field)
        return value is None or (isinstance(value, Interval) and not value.known)

    def _f_missing(self, field: ast.expr) -> bool:
        return self._is_missing(field)

    def _f_known(self, field: ast.expr) -> bool:
        return not self._is_missing(field)

    def _f_given(self, field: ast.expr, default: ast.expr) -> Any:
        return self.value(default if self._is_missing(field) else field)

    def _f_in_set(self, field: ast.expr, name: ast.expr) -> Outcome:
        return self._in_set(self.value(field), word(name))

    def _f_has(self, flags: ast.expr, *words: ast.expr) -> Outcome:
        found = self.value(flags)
        return None if found is None else bool(found & {word(item) for item in words})

    def _f_only(self, flags: ast.expr, *words: ast.expr) -> Outcome:
        found = self.value(flags)
        return None if found is None else found <= {word(item) for item in words}

    def _day_of(self, field: ast.expr) -> Interval:
        """A date field in days since 1970; of a time field, its local day."""
        value = self.interval(field)
        path = dotted(field) or ""
        if path in ("time", "aware", "classified", "ended") and value.known:
            times = self.reference.times[self.row.jurisdiction]
            return number(day_number(times.day(int(value.exact))))
        return value

    def _f_days_since(self, field: ast.expr) -> Interval:
        return subtract(number(day_number(self.row.day)), self._day_of(field))

    def _f_days_until(self, field: ast.expr) -> Interval:
        return subtract(self._day_of(field), number(day_number(self.row.day)))

    def _f_time_since(self, field: ast.expr) -> Interval:
        return subtract(number(self.row.time), self.interval(field))

    def _f_hour(self) -> Interval:
        return number(self.reference.times[self.row.jurisdiction].local(self.row.time).hour)

    def _f_weekday(self) -> Interval:
        return number(self.row.day.isoweekday())

    def _f_working_day(self) -> bool:
        return self.reference.times[self.row.jurisdiction].working(self.row.day)

    def _ends(self, field: ast.expr, kind: str) -> Outcome:
        value = self._day_of(field)
        if not value.known:
            return None
        return ends_period(date.fromordinal(int(value.exact) + date(1970, 1, 1).toordinal()), kind)

    def _f_month_end(self, field: ast.expr) -> Outcome:
        return self._ends(field, "month_end")

    def _f_quarter_end(self, field: ast.expr) -> Outcome:
        return self._ends(field, "quarter_end")

    def _f_year_end(self, field: ast.expr) -> Outcome:
        return self._ends(field, "year_end")

    def _f_least(self, *parts: ast.expr) -> Interval:
        values = [self.interval(part) for part in parts]
        return Interval(min(v.lo for v in values), min(v.hi for v in values))

    def _f_greatest(self, *parts: ast.expr) -> Interval:
        values = [self.interval(part) for part in parts]
        return Interval(max(v.lo for v in values), max(v.hi for v in values))

    def _f_length(self, field: ast.expr) -> Interval:
        persons = self.value(field)
        return UNKNOWN if persons is None else number(len(set(persons)))


def ends_period(day: date, kind: str) -> bool:
    """Whether a day is the last of its month, quarter or year."""
    following = date.fromordinal(day.toordinal() + 1)
    starts = {"month_end": range(1, 13), "quarter_end": (1, 4, 7, 10), "year_end": (1,)}[kind]
    return following.day == 1 and following.month in starts


def can_be_negative(node: ast.expr, rule: Rule) -> bool:
    """Rule 14: whether values of an expression can be below zero."""
    for part in ast.walk(node):
        if isinstance(part, ast.Sub | ast.USub):
            return True
        if call_name(part) in ("days_since", "days_until", "time_since"):
            return True
        if isinstance(part, ast.Name) and part.id == "value":
            return True
        if isinstance(part, ast.Name) and part.id in rule.lets:
            return can_be_negative(rule.lets[part.id], rule)
    return False
