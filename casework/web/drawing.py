"""Small drawings made on the server: sparklines, and the network of a case as data.

A drawing is never the only place of what it shows: each has its figures beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

WIDTH: Final = 120
HEIGHT: Final = 28
_PAD: Final = 2
NODES_MAX: Final = 200

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


def network(alerts: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Who has to do with whom in alerts: nodes and edges as plain data, masked as given.

    An edge is a payment, a transfer of data or a loan of a deciding event; where only one side is
    known, the subject is joined to the alert's institution.
    """
    nodes: dict[str, dict[str, Any]] = {}
    edges: list[dict[str, Any]] = []

    def node(identity: str, kind: str, role: str = "") -> str:
        key = f"{kind}:{identity}"
        made = nodes.setdefault(key, {"id": key, "label": identity, "kind": kind})
        if role:
            made["role"] = role
        if kind == "party" or role == "subject":
            made.setdefault("href", "/parties?" + _query(kind, identity))
        return key

    for alert in alerts:
        if len(nodes) > NODES_MAX:
            break
        facts = alert.get("facts") or {}
        subject = alert.get("subject") or {}
        label = str((alert.get("explanation") or {}).get("en") or alert.get("rule"))
        pair = _pair(facts)
        if pair is not None:
            ends = [node(identity, kind) for kind, identity in pair]
        elif subject.get("id") and (subject.get("institution") or facts.get("reporter")):
            reporter = str(subject.get("institution") or facts.get("reporter"))
            if reporter == subject["id"]:
                continue
            ends = [node(reporter, "institution"), node(str(subject["id"]), "party", "subject")]
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
        if facts.get("currency"):
            edge["currency"] = str(facts["currency"])
        edges.append(edge)
    return {"nodes": list(nodes.values()), "edges": edges}


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


def _query(kind: str, identity: str) -> str:
    from urllib.parse import urlencode

    return urlencode({"kind": "party" if kind == "party" else kind, "key": identity})
