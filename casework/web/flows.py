"""Where data and money went between countries, as alerts tell it: rows, and a drawing of them.

Two columns, where from and where to, with a line for each pair; a line is the wider the more events
it stands for. The table beside it has every figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from math import log2
from typing import Any, Final

from babel import Locale

from casework.web.formats import clean, fact

DATA: Final = "data"
MONEY: Final = "money"
ROWS_MAX: Final = 24
"""Pairs that are drawn; the table has all of them."""

WIDTH: Final = 640
_BOX: Final = 190
_HIGH: Final = 30
_GAP: Final = 12
_WIDEST: Final = 14.0
_LOCALES: Final = {"en": "en", "zh": "zh_Hans"}
_CLDR: Final = {"UK": "GB"}
"""Codes of jurisdictions that are no territories of CLDR."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What went from one country to another: ``kind`` data or money, how many findings tell of it,
    the most persons that one of them names, and money by currency. ``source`` or ``target`` "": the
    alerts do not say. ``governed``: the source is the jurisdiction whose law was applied, since the
    event names no country.
    """

    kind: str
    source: str
    target: str
    findings: int
    persons: int | None
    amounts: tuple[tuple[str, str], ...]
    governed: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A country in the drawing: its box."""

    code: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """A flow in the drawing: path for SVG and width of the stroke."""

    flow: Flow
    path: str
    width: float


@dataclass(frozen=True, slots=True)
class FlowDrawing:
    """Boxes and lines in a frame of ``WIDTH`` by ``height``."""

    height: int
    box: int
    high: int
    places: tuple[Place, ...]
    lines: tuple[Line, ...]


@cache
def country_name(code: str, lang: str) -> str:
    """A country in words, as CLDR has it; a code that is none stands for itself."""
    names = Locale.parse(_LOCALES.get(lang, "en")).territories
    return str(names.get(_CLDR.get(code, code), clean(code)))


def flows(alerts: Iterable[Mapping[str, Any]]) -> list[Flow]:
    """Flows of the alerts, the most findings first. What stays within a country is told as well."""
    counts: dict[tuple[str, str, str, bool], list[Mapping[str, Any]]] = {}
    for alert in alerts:
        for kind, source, target, governed in _ways(alert):
            counts.setdefault((kind, source, target, governed), []).append(alert)
    made = [
        Flow(kind, source, target, len(found), _persons(found), _amounts(kind, found), governed)
        for (kind, source, target, governed), found in counts.items()
    ]
    return sorted(made, key=lambda flow: (-flow.findings, flow.kind, flow.source, flow.target))


def _ways(alert: Mapping[str, Any]) -> list[tuple[str, str, str, bool]]:
    facts = alert.get("facts") or {}

    def first(*names: str) -> str:
        return next((str(facts[name]) for name in names if facts.get(name)), "")

    if facts.get("type") == "data_transfer":
        source = first("origin", "exporter.country")
        target = first("destination", "recipient.country")
        onward = first("onward_country")
        if not target and not onward:
            return []
        governed = not source
        start = source or str(alert.get("jurisdiction") or "")
        made = [(DATA, start, target, governed)] if target else []
        return made + ([(DATA, target or start, onward, governed and not target)] if onward else [])
    source = first("payer.country", "payer.institution_country")
    target = first("payee.country", "payee.institution_country")
    return [(MONEY, source, target, False)] if source or target else []


def _persons(alerts: Sequence[Mapping[str, Any]]) -> int | None:
    named = [(alert.get("facts") or {}).get("person_count") for alert in alerts]
    return max((n for n in named if type(n) is int), default=None)


def _amounts(kind: str, alerts: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Money of different payments; several alerts may rest on one."""
    if kind != MONEY:
        return ()
    paid: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for alert in alerts:
        found = fact(alert, "amount", (alert.get("facts") or {}).get("amount"))
        if isinstance(found, Mapping):
            events = tuple(map(str, alert.get("events") or (alert.get("id"),)))
            paid[events[-1:]] = found
    sums: dict[str, Decimal] = {}
    for one in paid.values():
        currency = str(one["currency"])
        sums[currency] = sums.get(currency, Decimal(0)) + Decimal(str(one["amount"]))
    return tuple((currency, str(total)) for currency, total in sorted(sums.items()))


def drawn(found: Sequence[Flow]) -> FlowDrawing:
    """The drawing of flows; empty for none."""
    shown = list(found[:ROWS_MAX])
    left = list(dict.fromkeys(flow.source for flow in shown))
    right = list(dict.fromkeys(flow.target for flow in shown))
    rows = max(len(left), len(right))
    height = rows * (_HIGH + _GAP) + _GAP

    def column(codes: Sequence[str], x: float) -> dict[str, Place]:
        step = height / (len(codes) or 1)
        return {
            code: Place(code, x, round(step * (row + 0.5) - _HIGH / 2, 1))
            for row, code in enumerate(codes)
        }

    sources, targets = column(left, 0), column(right, WIDTH - _BOX)
    lines = []
    for flow in shown:
        start, end = sources[flow.source], targets[flow.target]
        x1, x2, middle = _BOX, WIDTH - _BOX, WIDTH / 2
        y1, y2 = start.y + _HIGH / 2, end.y + _HIGH / 2
        width = round(min(_WIDEST, 2 + 2 * log2(1 + flow.findings)), 1)
        path = f"M{x1:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"
        lines.append(Line(flow, path, width))
    places = (*sources.values(), *targets.values())
    return FlowDrawing(height, _BOX, _HIGH, places, tuple(lines))
