"""Near misses: subjects a little below a limit, found by rules made beside the real ones.

Of each rule that compares something with a parameter by at least or more than, a second rule is
made: it is met where the condition is met with every such limit lowered by the share, and the real
condition surely is not. What it finds is a near miss if the real rule raises nothing for that
subject in that period, or, for rolling windows, within one window's length.

Rules that ask for less than a limit, limits of time, and duties with a deadline have none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final

from regtech.engine.asking import asks_of
from regtech.engine.kernels.hits import PER_ROLLING
from regtech.engine.plan import DAY_US, Plan
from regtech.engine.program import natural_period
from regtech.model.alert import Alert, alert_id
from regtech.rulelang.ir import (
    Arith,
    Compare,
    Const,
    Expr,
    LetRef,
    Logic,
    Measure,
    Not,
    Pack,
    ParamRef,
    Rule,
    Type,
)
from regtech.rulelang.walk import children

SUFFIX: Final = "~near"
_NUMBERS: Final = frozenset({"int", "money", "ratio"})
_ABOVE: Final = frozenset({">", ">="})


def with_near(packs: Sequence[Pack], share: Fraction) -> list[Pack]:
    """The packs with a rule beside each real one that can have near misses; digests stay."""
    made = []
    for pack in packs:
        extra = [near_rule(rule, share) for rule in pack.rules]
        made.append(replace(pack, rules=(*pack.rules, *(rule for rule in extra if rule))))
    return made


def near_rule(rule: Rule, share: Fraction) -> Rule | None:
    """The rule that finds the near misses of a rule, or None where it can have none."""
    if rule.when is None or rule.deadline is not None or asks_of(rule):
        return None  # what a detector answers has no value that could be near
    lowered = _lowered(rule.when, rule, 1 - share, True)
    if lowered is rule.when:
        return None
    return replace(
        rule,
        id=rule.id + SUFFIX,
        when=Logic("and", (lowered, Not(rule.when))),
        again=None,
        cannot_tell="count",
        tests=(),
    )


def _lowered(expr: Expr, rule: Rule, factor: Fraction, wanted: bool) -> Expr:
    """A condition with its limits times ``factor``; itself where there is none.

    ``wanted``: whether the condition counts as it stands, or turned round by ``not``.
    """
    match expr:
        case LetRef(name=name) if expr.type.name == "bool":
            inner = rule.lets[name]
            made = _lowered(inner, rule, factor, wanted)
            return expr if made is inner else made
        case Not(operand=operand):
            made = _lowered(operand, rule, factor, not wanted)
            return expr if made is operand else replace(expr, operand=made)
        case Logic(operands=operands):
            parts = tuple(_lowered(part, rule, factor, wanted) for part in operands)
            same = all(a is b for a, b in zip(parts, operands, strict=True))
            return expr if same else replace(expr, operands=parts)
        case Compare(op=op, left=left, right=right):
            if left.type.name not in _NUMBERS or right.type.name not in _NUMBERS:
                return expr
            on_left, on_right = _is_limit(left, rule), _is_limit(right, rule)
            if on_left == on_right:
                return expr
            # `a >= limit` and `limit <= a` ask for much; under `not`, `a < limit` does.
            asks_for_much = (op in _ABOVE) == on_right if op in (*_ABOVE, "<", "<=") else None
            if asks_for_much is not wanted:
                return expr
            if on_right:
                return replace(expr, right=_times(right, factor))
            return replace(expr, left=_times(left, factor))
        case _:
            return expr


def _times(limit: Expr, factor: Fraction) -> Expr:
    return Arith("*", limit, Const(factor, Type("ratio")), limit.type)


def _is_limit(expr: Expr, rule: Rule) -> bool:
    """Whether a number comes from a parameter (parameters inside measures do not count)."""
    match expr:
        case ParamRef():
            return True
        case LetRef(name=name):
            return _is_limit(rule.lets[name], rule)
        case Measure():
            return False
        case _:
            return any(_is_limit(part, rule) for part in children(expr))


def near_misses_of(plan: Plan) -> NearMisses:
    """What sorts the near misses of a plan whose packs were made by ``with_near``."""
    rules = {rule.id.removesuffix(SUFFIX) for _, rule in plan.rules if rule.id.endswith(SUFFIX)}
    windows: dict[str, int] = {}
    for variant in plan.variants:
        kind, length, months = natural_period(plan, variant)
        if variant.rule.id in rules and kind == PER_ROLLING:
            longest = max(length, months * 31 * DAY_US)
            windows[variant.rule.id] = max(windows.get(variant.rule.id, 0), longest)
    again = {rule.id for _, rule in plan.rules if rule.again is not None}
    return NearMisses(rules, windows, again)


@dataclass
class NearMisses:
    """Sorts near misses from alerts while a run goes on; what is left at its end are near misses.

    ``rules``: those that can have near misses. ``windows``: of those by rolling period the length
    of the longest window in microseconds. ``again``: those whose periods have a step at their end.
    Keeps one line a candidate and one key a subject and period with a real alert.
    """

    rules: set[str]
    windows: dict[str, int]
    again: set[str]
    _found: dict[tuple[str, str, str], tuple[int, bytes]] = field(default_factory=dict)
    _met: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)

    def take(self, alerts: Iterable[Alert]) -> list[Alert]:
        """The real alerts among them; candidates are kept, and dropped as soon as they are none."""
        real = []
        for alert in alerts:
            if not alert.rule.endswith(SUFFIX):
                real.append(alert)
                if alert.rule in self.rules and alert.outcome == "met":
                    self._meet(alert)
                continue
            if alert.outcome == "met":
                rule = alert.rule.removesuffix(SUFFIX)
                key = (rule, alert.order[2], alert.order[3])
                if rule in self.windows or key not in self._met:
                    self._found.setdefault(key, (alert.order[0], _line(alert, rule)))
        return real

    def _meet(self, alert: Alert) -> None:
        at, rule, subject, period = alert.order[0], alert.rule, alert.order[2], alert.order[3]
        if rule in self.windows:
            self._met.setdefault((rule, subject, ""), []).append(at)
            return
        key = (rule, subject, period.rpartition("#")[0] if rule in self.again else period)
        self._found.pop(key, None)
        self._met[key] = []

    def lines(self) -> list[bytes]:
        """What is left, in order of time, rule, subject, period."""
        left = []
        for (rule, subject, period), (at, line) in self._found.items():
            length = self.windows.get(rule)
            met = self._met.get((rule, subject, ""), ())
            if length is None or all(abs(at - other) > length for other in met):
                left.append(((at, rule, subject, period), line))
        return [line for _, line in sorted(left)]

    def export(self) -> list[Any]:
        """Plain data for a snapshot."""
        found = [[*key, at, line.decode()] for key, (at, line) in self._found.items()]
        return [found, [[*key, times] for key, times in self._met.items()]]

    def restore(self, data: list[Any]) -> None:
        """Take over what was exported."""
        found, met = data
        self._found = {(r, s, p): (at, line.encode()) for r, s, p, at, line in found}
        self._met = {(r, s, p): times for r, s, p, times in met}


def _line(alert: Alert, rule: str) -> bytes:
    """A near miss as it is written: like an alert, with the outcome ``near``."""
    name = alert_id(rule, alert.order[2], alert.period, "near", False)
    return replace(alert, id=name, rule=rule, outcome="near").canonical()


def counts(lines: Iterable[bytes]) -> dict[str, int]:
    """Near misses by rule."""
    made: dict[str, int] = {}
    for line in lines:
        rule = json.loads(line)["rule"]
        made[rule] = made.get(rule, 0) + 1
    return made
