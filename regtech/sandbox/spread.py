"""How values lie around a figure: those that reach it, and those that stay a little below.

A heap just below a figure is what splitting looks like; a heap just above shows what a small change
of the figure would do. Values of alerts and of near misses are counted by their share of the
figure, exactly, in steps of ``STEP`` from ``1 - SHARE`` up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from regtech.model.alert import Alert
from regtech.rulelang.ir import Compare, Expr, LetRef, Logic, Pack, ParamRef, Rule
from regtech.sandbox.near import NearMisses

SHARE: Final = Fraction(1, 5)
"""How far below and above a figure values are counted one by one."""
STEP: Final = Fraction(1, 50)
_FIGURE: Final = re.compile(
    r"(?:(?P<currency>[A-Z]\w*) )?(?P<number>-?\d+(?:\.\d+)?)(?P<percent>%)?"
)
_BINS: Final = int(2 * SHARE / STEP)


@dataclass
class Around:
    """Values of one measure around one figure; ``figures``: the texts of it that were in force.

    ``counts``: of each step, from the lowest; ``beyond``: values above the last one.
    """

    rule: str
    measure: str
    param: str
    figures: set[str] = field(default_factory=set)
    counts: list[int] = field(default_factory=lambda: [0] * _BINS)
    beyond: int = 0

    def add(self, share: Fraction) -> None:
        """Count a value by its share of the figure; far below it is none of ours."""
        place = (share - (1 - SHARE)) // STEP
        if place >= _BINS:
            self.beyond += 1
        elif place >= 0:
            self.counts[place] += 1

    def to_json(self) -> dict[str, Any]:
        """As plain data; ``from`` and ``to`` in percent of the figure."""
        edges = [int(100 * (1 - SHARE + k * STEP)) for k in range(_BINS + 1)]
        bins = [
            {"from": edges[k], "to": edges[k + 1], "count": count}
            for k, count in enumerate(self.counts)
        ]
        return {
            "rule": self.rule,
            "measure": self.measure,
            "param": self.param,
            "figures": sorted(self.figures),
            "bins": bins,
            "beyond": self.beyond,
        }


class Spread:
    """Takes the alerts of rules with near misses beside them; gives on those of the real rules."""

    def __init__(self, packs: Iterable[Pack], near: NearMisses) -> None:
        self._near = near
        self._around: dict[str, list[Around]] = {}
        for pack in packs:
            for rule in pack.rules:
                pairs = dict.fromkeys(_pairs(rule.when, rule)) if rule.when is not None else {}
                if pairs and rule.id in near.rules:
                    self._around[rule.id] = [Around(rule.id, *pair) for pair in pairs]

    def take(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Sort alerts; the real ones."""
        real = self._near.take(alerts)
        for alert in real:
            if alert.rule in self._around and alert.outcome == "met":
                self._count(alert.rule, alert.as_dict())
        return real

    def found(self) -> list[Around]:
        """Every figure that values lie around, once the run has ended."""
        for line in self._near.lines():
            entry = json.loads(line)
            if entry["rule"] in self._around:
                self._count(entry["rule"], entry)
        every = [around for rule in sorted(self._around) for around in self._around[rule]]
        return [around for around in every if around.beyond or any(around.counts)]

    def _count(self, rule: str, entry: Mapping[str, Any]) -> None:
        for around in self._around[rule]:
            param = (entry.get("params") or {}).get(around.param)
            value = _number((entry.get("measures") or {}).get(around.measure))
            figure = None if param is None else param["value"]
            limit = _number(figure)
            if value is None or limit is None or not limit[0] or value[1] != limit[1]:
                continue
            around.figures.add(str(figure))
            around.add(value[0] / limit[0])


def _pairs(expr: Expr, rule: Rule, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
    """(name, parameter) of each comparison that asks for at least a figure."""
    match expr:
        case Logic(operands=operands):
            for part in operands:
                yield from _pairs(part, rule, seen)
        case LetRef(name=name) if expr.type.name == "bool" and name not in seen:
            yield from _pairs(rule.lets[name], rule, seen | {name})
        case Compare(op=">" | ">=", left=LetRef(name=name), right=ParamRef(name=param)):
            yield name, param
        case Compare(op="<" | "<=", left=ParamRef(name=param), right=LetRef(name=name)):
            yield name, param
        case _:
            return


def _number(value: Any) -> tuple[Fraction, str] | None:
    """A value of an alert, exactly, with its currency or ""; None where it is no number.

    As alerts write them: ``{"amount", "currency"}``, a number, or a figure's text such as
    ``CNY 50,000`` or ``50%``.
    """
    if isinstance(value, Mapping):
        value = f"{value.get('currency', '')} {value.get('amount', '')}"
    found = _FIGURE.fullmatch(str(value).replace(",", ""))
    if found is None:
        return None
    number = Fraction(found["number"])
    return (number / 100 if found["percent"] else number), found["currency"] or ""
