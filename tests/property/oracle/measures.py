"""Measures by looking through all earlier rows: rules 12 to 16 of the semantics, read plainly."""

from __future__ import annotations

import ast
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.property.oracle.language import (
    LEG_WORDS,
    Reference,
    Rule,
    Scope,
    call_name,
    can_be_negative,
    dotted,
    ends_period,
    word,
)
from tests.property.oracle.localtime import LocalTime
from tests.property.oracle.values import (
    UNKNOWN,
    Interval,
    Length,
    Outcome,
    all_of,
    number,
    read_length,
)
from tests.property.oracle.world import PARTIES, Known, Row, is_numeric

Key = tuple[Any, ...]


@dataclass
class Contribution:
    """What one row adds: its value, or that it may add something (``uncertain``)."""

    row: Row
    value: Any
    uncertain: bool
    item: Key = ()
    only_count: Fraction | None = None  # of persons whose ids are not given


@dataclass
class History:
    """All rows so far, by jurisdiction, and all reported figures."""

    reference: Reference
    rows: dict[str, list[Row]] = field(default_factory=dict)
    figures: list[Known] = field(default_factory=list)
    cache: dict[Hashable, Any] = field(default_factory=dict)

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self.rows.setdefault(row.jurisdiction, []).append(row)

    # --- keys ---

    def key_part(self, row: Row, part: str) -> Key | None:
        """Rule 8: the values of one part of ``per`` on a row; None where unknown."""
        kind = row.event.type
        found: Key
        if part == "event":
            found = row.event.reporter, row.event.id
        elif part == "institution":
            found = (row.event.reporter,)
        elif part in ("customer", "account"):
            if kind == "transaction":
                found = (
                    row.institution,
                    row.get("party.id" if part == "customer" else "party.account"),
                )
            elif kind == "loan" and part == "customer":
                found = row.event.reporter, row.get("borrower.id")
            else:
                return None
        elif part == "group":
            head = {
                "transaction": "party",
                "exposure": "counterparty",
                "data_transfer": "exporter",
                "loan": "borrower",
            }.get(kind)
            found = (None if head is None else row.get(f"{head}.group"),)
        else:
            found = (self.path(row, part),)
        return None if None in found else found

    def path(self, row: Row, path: str) -> Any:
        """The value of a path of ``per``, ``by``, ``key`` or ``read``; None where unknown."""
        kind = row.event.type
        if path == "reporter":
            return row.event.reporter
        if path in PARTIES[kind] or (kind == "transaction" and path in ("party", "counterparty")):
            path += ".id"
        value = row.get(path)
        if isinstance(value, Interval):
            return value.exact if value.known else None
        return value

    def subject(self, row: Row, rule: Rule) -> Key | None:
        """The parts of ``per`` then ``by``, flat; None where any is unknown."""
        parts = [self.key_part(row, part) for part in rule.per]
        parts += [self._single(row, path) for path in rule.by]
        return self._flat(parts)

    def _shared_part(self, row: Row, part: str) -> Key | None:
        """As ``key_part``; a measure of a rule per event goes over its reporter's rows."""
        return (row.event.reporter,) if part == "event" else self.key_part(row, part)

    def _single(self, row: Row, path: str) -> Key | None:
        value = self.path(row, path)
        return None if value is None else (value,)

    @staticmethod
    def _flat(parts: Sequence[Key | None]) -> Key | None:
        if None in parts:
            return None
        return tuple(value for part in parts if part is not None for value in part)

    def _contributing_key(self, row: Row, rule: Rule, spec: Spec) -> Key | None:
        parts: list[Key | None]
        if spec.key is None:
            parts = [self._shared_part(row, part) for part in rule.per]
            parts += [self._single(row, path) for path in rule.by]
        else:
            parts = []
            for position, path in enumerate(spec.key):
                if spec.read is None and rule.per[position] in ("customer", "account", "event"):
                    parts.append((row.event.reporter,))
                parts.append(self._single(row, path))
        parts += [self._single(row, path) for path in spec.by]
        return self._flat(parts)

    def _reading_key(self, row: Row, rule: Rule, spec: Spec) -> Key | None:
        parts: list[Key | None]
        if spec.read is not None:
            parts = [self._single(row, path) for path in spec.read]
        elif spec.key is None:
            parts = [self._shared_part(row, part) for part in rule.per]
        else:
            parts = [self.key_part(row, part) for part in rule.per]
        if spec.key is None:
            parts += [self._single(row, path) for path in rule.by]
        parts += [self._single(row, path) for path in spec.by]
        return self._flat(parts)

    # --- windows ---

    def window_start(self, over: ast.expr, rule: Rule, row: Row) -> int:
        """Rolling: the latest instant that is no longer inside."""
        length = self._length(over, rule, row.day)
        if length.unit == "months":
            return self.times(row).months_before(row.time, length.count)
        return row.time - length.micros

    def times(self, row: Row) -> LocalTime:
        return self.reference.times[row.jurisdiction]

    def _length(self, over: ast.expr, rule: Rule, day: date) -> Length:
        if call_name(over) == "param":
            assert isinstance(over, ast.Call)
            length = rule.pack.param(word(over.args[0]), day)
        else:
            assert isinstance(over, ast.Call) and call_name(over) == "_duration"
            length = read_length(word(over.args[0]))
        assert isinstance(length, Length), ast.unparse(over)
        return length

    def _inside(self, spec: Spec, rule: Rule, earlier: Row, row: Row) -> bool:
        if spec.over is None or dotted(spec.over) == "ever":
            return True
        if isinstance(spec.over, ast.Name):
            times = self.times(row)
            kind = spec.over.id
            return times.period(kind, earlier.day) == times.period(kind, row.day)
        return earlier.time > self.window_start(spec.over, rule, row)

    # --- contributions ---

    def contributions(self, spec: Spec, rule: Rule, row: Row) -> list[Contribution] | None:
        """Those in the window, in order; None where the reading row's key is unknown."""
        key = self._reading_key(row, rule, spec)
        if key is None:
            return None
        law = rule.law(row.day)
        found = []
        for earlier in self.rows[row.jurisdiction]:
            if earlier.number > row.number:
                break
            if earlier.event.type not in spec.on or not earlier.stands_for(_legs(rule, spec)):
                continue
            name = ("key", rule.id, spec.name, earlier.number)
            if name not in self.cache:
                self.cache[name] = self._contributing_key(earlier, rule, spec)
            if self.cache[name] != key or not self._inside(spec, rule, earlier, row):
                continue
            contribution = self._contribution(spec, rule, earlier, row.day, law)
            if contribution is not None:
                found.append(contribution)
        return found

    def _contribution(
        self, spec: Spec, rule: Rule, earlier: Row, day: date, law: Hashable
    ) -> Contribution | None:
        name = ("value", rule.id, spec.name, earlier.number, law)
        if name not in self.cache:
            self.cache[name] = self._read(spec, rule, earlier, day)
        found: Contribution | None = self.cache[name]
        return found

    def _read(self, spec: Spec, rule: Rule, earlier: Row, day: date) -> Contribution | None:
        """Rule 12, with the law of the reading row's day."""
        scope = Scope(rule, earlier, day, self.reference)
        filtered: Outcome = scope.outcome(spec.where)
        if not spec.elsewhere:
            filtered = all_of([scope.outcome(rule.where), filtered])
        if filtered is False:
            return None
        value = None if spec.value is None else scope.value(spec.value)
        unknown = spec.value is not None and (
            value is None or (isinstance(value, Interval) and not value.known)
        )
        only_count: Fraction | None = None
        if unknown and spec.kind == "distinct" and dotted(spec.value or spec.node) == "persons":
            count = earlier.get("person_count")
            unknown = not count.known
            only_count = count.exact if count.known else None
        item = tuple(self.path(earlier, path) for path in spec.item)
        uncertain = filtered is None or unknown or None in item
        return Contribution(earlier, value, uncertain, item, only_count)

    # --- results ---

    def measure(self, node: ast.Call, scope: Scope) -> Any:
        spec = Spec(node, scope.rule)
        if spec.kind == "figure":
            return self._figure(node, scope)
        found = self.contributions(spec, scope.rule, scope.row)
        if found is None:
            return _nothing(spec)
        sure = [one for one in found if not one.uncertain]
        doubt = len(sure) < len(found)
        if spec.kind in ("since_last", "first_seen"):
            return self._elapsed(spec.kind, found, scope.row)
        if spec.kind == "last":
            return found[-1].value if found and not found[-1].uncertain else _nothing(spec)
        if spec.kind == "count":
            return Interval(Fraction(len(sure)), math.inf if doubt else Fraction(len(sure)))
        if spec.kind == "distinct":
            return _distinct(sure, doubt)
        if spec.kind == "outstanding":
            return self._outstanding(spec, scope.rule, found)
        values = [one.value.exact for one in sure]
        if spec.kind == "sum":
            return _total(sum(values, Fraction(0)), doubt, spec, scope.rule)
        if doubt or not values:
            return UNKNOWN
        if spec.kind == "min":
            return number(min(values))
        if spec.kind == "max":
            return number(max(values))
        if spec.kind == "mean":
            return number(sum(values, Fraction(0)) / len(values))
        assert spec.kind == "stddev"
        return number(self._deviation(values, self._decimals(spec, scope)))

    def _decimals(self, spec: Spec, scope: Scope) -> int:
        """Decimals of the unit that a deviation is rounded down to."""
        for part in ast.walk(spec.value or spec.node):
            if isinstance(part, ast.Call) and call_name(part) == "amount_in":
                money = part.args[0]
                if call_name(money) == "param":
                    assert isinstance(money, ast.Call)
                    value = scope.rule.pack.param(word(money.args[0]), scope.day)
                    return self.reference.decimals[getattr(value, "currency", str(value))]
                return self.reference.decimals[word(money)]
        return 0

    @staticmethod
    def _deviation(values: Sequence[Fraction], decimals: int) -> Fraction:
        scale = 10**decimals
        units = [int(value * scale) for value in values]
        n = len(units)
        spread = n * sum(unit * unit for unit in units) - sum(units) ** 2
        return Fraction(math.isqrt(spread // (n * n)), scale)

    @staticmethod
    def _elapsed(kind: str, found: Sequence[Contribution], row: Row) -> Interval:
        if kind == "since_last":
            before = [one for one in found if one.row.number < row.number]
            if not before or before[-1].uncertain:
                return UNKNOWN
            return number(row.time - before[-1].row.time)
        if not found or found[0].uncertain:
            return UNKNOWN
        return number(row.time - found[0].row.time)

    @staticmethod
    def _outstanding(spec: Spec, rule: Rule, found: Sequence[Contribution]) -> Interval:
        latest = {one.item: one for one in found}
        sure = [one.value.exact for one in latest.values() if not one.uncertain]
        return _total(sum(sure, Fraction(0)), len(sure) < len(latest), spec, rule)

    def _figure(self, node: ast.Call, scope: Scope) -> Interval:
        """Rule 16."""
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        party = self.path(scope.row, dotted(options["of"]) or "")
        if party is None:
            return UNKNOWN
        name = word(node.args[0])
        at = word(options["at"]) if "at" in options else None
        times = self.times(scope.row)
        best: tuple[date, Known] | None = None
        for figure in self.figures:
            raw = figure.raw
            if raw["of"].get("id") != party or raw["name"] != name:
                continue
            as_of = date.fromisoformat(raw["as_of"]) if "as_of" in raw else times.day(figure.time)
            if as_of >= scope.row.day or (at is not None and not ends_period(as_of, at)):
                continue
            if best is None or as_of >= best[0]:
                best = as_of, figure
        if best is None:
            return UNKNOWN
        raw = best[1].raw
        currency = word(options["currency"]) if "currency" in options else raw.get("currency")
        return scope.convert(number(raw["value"]), raw.get("currency"), str(currency), best[0])


class Spec:
    """A measure as written, with its arguments told apart."""

    def __init__(self, node: ast.Call, rule: Rule) -> None:
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        kind = call_name(node)
        assert kind is not None
        self.node = node
        self.name = id(node)
        self.kind = kind
        self.value = node.args[0] if node.args and kind != "figure" else None
        self.over = options.get("over")
        self.where = options.get("where")
        self.elsewhere = "on" in options
        self.on = _paths(options["on"]) if "on" in options else rule.on
        self.by = _paths(options["by"]) if "by" in options else ()
        self.key = _paths(options["key"]) if "key" in options else None
        self.read = _paths(options["read"]) if "read" in options else None
        self.item = _paths(options["item"]) if "item" in options else ()


def _paths(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.List | ast.Tuple):
        return tuple(word(part) for part in node.elts)
    return (word(node),)


def _nothing(spec: Spec) -> Any:
    """The unknown of a measure: of the kind that its values have."""
    path = dotted(spec.value) if spec.kind == "last" and spec.value is not None else None
    return None if path is not None and not is_numeric(path) else UNKNOWN


def _total(total: Fraction, doubt: bool, spec: Spec, rule: Rule) -> Interval:
    if not doubt:
        return number(total)
    if spec.value is None or can_be_negative(spec.value, rule):
        return UNKNOWN
    return Interval(total, math.inf)


def _distinct(sure: Sequence[Contribution], doubt: bool) -> Interval:
    seen: set[Any] = set()
    counts = []
    for one in sure:
        if isinstance(one.value, tuple):
            seen.update(one.value)
        elif one.only_count is not None:
            counts.append(one.only_count)
        else:
            seen.add(one.value)
    known = Fraction(len(seen))
    low = max([known, *counts])
    return Interval(low, math.inf if doubt else known + sum(counts, Fraction(0)))


def _legs(rule: Rule, spec: Spec) -> bool:
    """Whether the measure's key names a side of a transaction, so that leg rows contribute."""
    names = spec.key if spec.key is not None else (*rule.per, *rule.by)
    return any(str(name).partition(".")[0] in LEG_WORDS for name in (*names, *spec.by))
