"""Parts of a score, as findings of rules tell them: each feature against its typical range.

What stands in an alert may come from an import: a finding that is not whole is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

WIDTH: Final = 240
HEIGHT: Final = 22
_NARROWEST: Final = 2.0
PARTS_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Part:
    """A feature: words by language, its value and what is usual as they are written.

    The bar lies from 0 to the value, the band over the typical range; both as ``(x, width)`` in a
    box of ``WIDTH``. ``beyond``: the value lies outside what is usual.
    """

    text: Mapping[str, Any]
    unit: Mapping[str, Any]
    value: str
    low: str
    high: str
    bar: tuple[float, float]
    band: tuple[float, float]
    beyond: bool


@dataclass(frozen=True, slots=True)
class Score:
    """A score with its level, the model, and the features that made it, the strongest first."""

    score: str
    threshold: str
    model: str
    role: str
    digest: str
    trained_until: str
    parts: tuple[Part, ...]


def scores(body: Mapping[str, Any]) -> list[Score]:
    """The scores of an alert."""
    findings = body.get("findings")
    if not isinstance(findings, Mapping):
        return []
    return [
        made
        for finding in findings.values()
        if isinstance(finding, Mapping) and (made := _score(finding)) is not None
    ]


def _score(finding: Mapping[str, Any]) -> Score | None:
    reasons = finding.get("reasons")
    if not isinstance(reasons, list) or "threshold" not in finding:
        return None
    parts = [part for reason in reasons[:PARTS_MAX] if (part := _part(reason)) is not None]

    def said(name: str) -> str:
        return str(finding.get(name) or "")

    return Score(
        said("score"), said("threshold"), said("model"), said("role"), said("digest"),
        said("trained_until"), tuple(parts),
    )  # fmt: skip


def _part(reason: Any) -> Part | None:
    try:
        text, unit = dict(reason["text"]), dict(reason["unit"])
        low, high = reason["usually"]
        figures = [float(word) for word in (low, reason["value"], high)]
    except (KeyError, TypeError, ValueError):
        return None
    if not all(map(isfinite, figures)) or figures[0] > figures[2]:
        return None
    first, last = min(0.0, *figures), max(0.0, *figures)
    span = (last - first) or 1.0

    def across(one: float, other: float) -> tuple[float, float]:
        begin, end = sorted(((one - first) / span * WIDTH, (other - first) / span * WIDTH))
        begin = min(begin, WIDTH - _NARROWEST)
        return round(begin, 1), round(max(end - begin, _NARROWEST), 1)

    return Part(
        text, unit, str(reason["value"]), str(low), str(high), across(0.0, figures[1]),
        across(figures[0], figures[2]), not figures[0] <= figures[1] <= figures[2],
    )  # fmt: skip
