"""Small drawings made on the server: sparklines, and the network of a case as data.

A drawing is never the only place of what it shows: each has its figures beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from casework.web.formats import fact

WIDTH: Final = 120
HEIGHT: Final = 28
BAR_WIDTH: Final = 20
BARS_HEIGHT: Final = 80
_PAD: Final = 2
NODES_MAX: Final = 200
EDGES_MAX: Final = 400
"""Of one alert."""

_PERS: Final = {"account": "account", "group": "group", "device": "device", "event": "subject"}
"""Subjects that are not kept as parties."""
_SIDES: Final = (("payer", "payee"), ("exporter", "recipient"), ("borrower", "lender"))


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A line for SVG: ``points`` as a polyline has them, the last one apart, and the bounds."""

    points: str
    last: tuple[float, float]
    low: int
    high: int


def sparkline(values: Sequence[int]) -> Sparkline:
    """A line through counts, from 0 up, in a box of ``WIDTH`` by ``HEIGHT``."""
    high = max(values, default=0)
    steps = max(1, len(values) - 1)
    places = [
        (
            round(_PAD + index * (WIDTH - 2 * _PAD) / steps, 1),
            round(HEIGHT - _PAD - value * (HEIGHT - 2 * _PAD) / max(1, high), 1),
        )
        for index, value in enumerate(values)
    ]
    last = places[-1] if places else (float(_PAD), float(HEIGHT - _PAD))
    return Sparkline(
        " ".join(f"{x:g},{y:g}" for x, y in places), last, min(values, default=0), high
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a drawing. ``below``: left of the figure."""

    x: int
    y: float
    width: int
    height: float
    below: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """Counts in steps around a figure, for SVG. ``figure``: where it stands."""

    width: int
    height: int
    figure: int
    bars: tuple[Bar, ...]


def bars(bins: Sequence[Mapping[str, Any]]) -> Bars:
    """Bars of counts; a bin's ``to`` is in percent of the figure."""
    high = max((int(one["count"]) for one in bins), default=0)
    made = []
    for place, one in enumerate(bins):
        height = round(int(one["count"]) * BARS_HEIGHT / max(1, high), 1)
        below = int(one["to"]) <= 100
        made.append(Bar(place * BAR_WIDTH, BARS_HEIGHT - height, BAR_WIDTH - 2, height, below))
    left = sum(bar.below for bar in made)
    return Bars(len(made) * BAR_WIDTH, BARS_HEIGHT, left * BAR_WIDTH - 1, tuple(made))


def network(alerts: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Who has to do with whom in alerts: nodes and edges as plain data, masked as given.

    An edge is a payment, a transfer of data or a loan of a deciding event, a payment of a motif, or
    a holding of a chain of owners; where only one side is known, the subject is joined to the
    alert's institution.
    """
    nodes: dict[str, dict[str, Any]] = {}
    edges: list[dict[str, Any]] = []

    def node(identity: str, kind: str, role: str = "") -> str:
        key = f"{kind}:{identity}"
        made = nodes.setdefault(key, {"id": key, "label": identity, "kind": kind})
        if role:
            made["role"] = role
        made.setdefault("href", "/parties?" + urlencode({"kind": kind, "key": identity}))
        return key

    for alert in alerts:
        if len(nodes) > NODES_MAX:
            break
        facts = alert.get("facts") or {}
        subject = alert.get("subject") or {}
        label = str((alert.get("explanation") or {}).get("en") or alert.get("rule"))
        found = [
            edge
            | {"source": node(edge["source"], "party"), "target": node(edge["target"], "party")}
            for edge in _found(alert, label)
        ]
        if found:
            edges += found
            continue
        pair = _pair(facts)
        if pair is not None:
            ends = [node(identity, kind) for kind, identity in pair]
        elif subject.get("id") and (subject.get("institution") or facts.get("reporter")):
            reporter = str(subject.get("institution") or facts.get("reporter"))
            if reporter == subject["id"]:
                continue
            per = _PERS.get(str(subject.get("per")), "party")
            ends = [node(reporter, "institution"), node(str(subject["id"]), per, "subject")]
        else:
            continue
        edge = {
            "id": str(alert["id"]),
            "source": ends[0],
            "target": ends[1],
            "time": str(alert.get("time")),
            "kind": str(facts.get("type") or alert.get("kind")),
            "label": label,
            "rule": str(alert.get("rule")),
        }
        paid = fact(alert, "amount", facts.get("amount"))
        if isinstance(paid, dict):
            edge |= paid
        edges.append(edge)
    return {"nodes": list(nodes.values()), "edges": edges}


def _found(alert: Mapping[str, Any], label: str) -> list[dict[str, Any]]:
    """Payments and holdings that detectors found, as edges between the ids of parties."""
    made: list[dict[str, Any]] = []
    for finding in (alert.get("findings") or {}).values():
        if not isinstance(finding, Mapping):
            continue
        for edge in finding.get("edges") or ():
            ends = {"source": edge["from"], "target": edge["to"], "kind": "transaction"}
            made.append(ends | {k: edge[k] for k in ("time", "amount", "currency")})
        for owner in finding.get("owners") or ():
            for path in owner.get("paths") or ():
                made += [
                    {
                        "source": link["owner"], "target": link["owned"], "kind": "ownership",
                        "time": str(alert.get("time")), "share": str(link["share"]),
                    }
                    for link in path
                ]  # fmt: skip
    number = 0
    for edge in made[:EDGES_MAX]:
        number += 1
        edge |= {"id": f"{alert['id']}-{number}", "label": label, "rule": str(alert.get("rule"))}
    return made[:EDGES_MAX]


def _pair(facts: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    for sides in _SIDES:
        found = []
        for side in sides:
            for kind, name in (("party", f"{side}.id"), ("account", f"{side}.account")):
                if facts.get(name):
                    found.append((kind, str(facts[name])))
                    break
        if len(found) == 2:
            return found
    return None
