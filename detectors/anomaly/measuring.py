"""How good scores are: area under precision and recall, and recall within a budget of alerts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detectors.anomaly.payments import Float64, Int64

Bools = npt.NDArray[np.bool_]


def average_precision(scores: Float64, labels: Bools) -> float:
    """Area under the curve of precision against recall, as steps; equal scores count together.

    0.0 where there is no case.
    """
    cases = int(labels.sum())
    if not cases:
        return 0.0
    order = np.argsort(-scores, kind="stable")
    ordered, found = scores[order], np.cumsum(labels[order])
    last = np.append(ordered[1:] != ordered[:-1], True)
    hits, alerts = found[last], np.flatnonzero(last) + 1
    gained = np.diff(hits, prepend=0)
    return float((gained * hits / alerts).sum() / cases)


def within_budget(scores: Float64, budget: float) -> Bools:
    """The ``budget`` share of highest scores; of equal ones those that come first."""
    count = int(budget * len(scores))
    chosen = np.zeros(len(scores), bool)
    chosen[np.argsort(-scores, kind="stable")[:count]] = True
    return chosen


def recall_at(scores: Float64, labels: Bools, budget: float) -> float:
    """Share of the cases among the ``budget`` share of highest scores; 0.0 without cases."""
    cases = int(labels.sum())
    return float(labels[within_budget(scores, budget)].sum() / cases) if cases else 0.0


def by_kind(chosen: Bools, kinds: Int64, names: list[str]) -> dict[str, tuple[int, int]]:
    """Of each kind of case how many were chosen, and how many there are; ``kinds`` -1 for none."""
    return {
        name: (int(chosen[kinds == k].sum()), int((kinds == k).sum()))
        for k, name in enumerate(names)
        if (kinds == k).any()
    }
