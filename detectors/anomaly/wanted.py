"""What a ``detect:`` of the anomaly models says, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from detectors.anomaly.budget import DAY_US, UNITS
from detectors.anomaly.catalogue import LEANINGS
from detectors.parameters import length_us, share_of
from regtech.errors import UsageError
from regtech.ports.detection import Question

QUIET: Final = "0 days"
OVER: Final = "7 days"
LIMIT: Final = "0.25"
PARAMETERS: Final = {
    "anomaly": ("model", "budget", "threshold", "quiet", "without"),
    "model_drift": ("model", "over", "limit"),
}


def without_of(question: Question) -> tuple[str, ...]:
    """What the model must have been trained without."""
    given = question.params.get("without", [])
    return tuple(str(word) for word in (given if isinstance(given, list) else [given]))


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters of a question."""

    budget: float = 0.0
    threshold: int = 0
    quiet_us: int = 0
    over_us: int = 0
    limit: float = 0.0


def wanted_of(question: Question) -> Wanted:
    """Its parameters as numbers. ``UsageError`` for what is none."""
    given = {name: str(value) for name, value in question.params.items()}
    if question.asks == "model_drift":
        over = length_us("over", given.get("over", OVER))
        limit = share_of("limit", given.get("limit", LIMIT))
        if over < DAY_US or over % DAY_US or not limit:
            raise UsageError("over is in whole days, and limit above 0")
        return Wanted(over_us=over, limit=float(limit))
    unknown = sorted(set(without_of(question)) - set(LEANINGS))
    if unknown:
        raise UsageError(f"no feature leans on {unknown[0]!r}", hint=", ".join(LEANINGS))
    if ("budget" in given) == ("threshold" in given):
        raise UsageError("anomaly needs either budget or threshold")
    if "threshold" in given:
        if "quiet" in given:
            raise UsageError("quiet goes with a budget")
        return Wanted(threshold=int(share_of("threshold", given["threshold"]) * UNITS))
    budget = share_of("budget", given["budget"])
    if not 0 < budget <= Fraction(1, 2):
        raise UsageError(f"a budget of {given['budget']} is no share of payments")
    return Wanted(budget=float(budget), quiet_us=length_us("quiet", given.get("quiet", QUIET)))


def fault_of(question: Question) -> str | None:
    """What is wrong with a question, in a sentence; None where nothing is."""
    strange = sorted(set(question.params) - set(PARAMETERS[question.asks]))
    if strange:
        known = ", ".join(PARAMETERS[question.asks])
        return f"{question.asks} has no parameter {strange[0]!r}: there are {known}"
    try:
        wanted_of(question)
    except UsageError as error:
        return str(error)
    return None
