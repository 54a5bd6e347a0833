"""Models that learn: from outcomes, with a share of the lawful tuned in time, or from imagination.

Nearly all payments are lawful. Trained on all of them, boosting had a quarter of the quality that
it had with a third of them; how many to keep, and how firmly to regularise, is chosen on the last
part of the training time, never on what comes later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.anomaly.measuring import average_precision
from detectors.anomaly.payments import Float64, Int64
from detectors.anomaly.trees import Trees, together

POSITIVES_MIN: Final = 30
"""With fewer known cases nothing is learnt."""
NEGATIVES_MAX: Final = 60_000
CASE_TIMES: Final = 4
"""How often each case stands beside imagined payments."""
VALIDATION_SHARE: Final = 0.25
ROUNDS: Final = 160
LEAVES: Final = 15
_CHOICES: Final = (
    {"share": 0.33, "l2": 1.0, "leaf": 20, "rate": 0.08},
    {"share": 0.33, "l2": 20.0, "leaf": 40, "rate": 0.05},
    {"share": 0.1, "l2": 5.0, "leaf": 20, "rate": 0.08},
    {"share": 0.33, "l2": 5.0, "leaf": 20, "rate": 0.08, "imagined": 0.5},
    {"share": 0.33, "l2": 5.0, "leaf": 20, "rate": 0.08, "imagined": 2.0},
)
"""``imagined``: imagined payments for each time that a case stands there, where there are any."""
TAUGHT: Final = {
    "share": 1.0, "l2": 5.0, "leaf": 20, "rate": 0.05, "rounds": 300, "leaves": 31, "features": 0.3,
}  # fmt: skip
"""How imagined attempts are learnt: chosen on simulated traffic, other seeds than are reported."""
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Supervised:
    """Boosted trees; ``base`` is the log odds before any of them."""

    trees: Trees
    base: float
    chosen: dict[str, float]
    validation: float

    def score(self, rows: Float64) -> Float64:
        """Log odds of being a case, as in training; higher is more likely."""
        return self.trees.score(rows) + self.base

    def contributions(self, rows: Float64) -> Float64:
        """How much each feature moved the log odds."""
        return self.trees.contributions(rows)


def fit_supervised(
    rows: Float64, labels: Bools, seed: int, imagined: Float64 | None = None
) -> Supervised | None:
    """Train on rows in order of time; None where there are too few cases to learn from.

    The last quarter decides between the choices, and the best of them is trained on all.
    ``imagined``: rows of imagined payments, which stand beside the cases in some of the choices.
    """
    cut = int(len(rows) * (1 - VALIDATION_SHARE))
    if labels.sum() < POSITIVES_MIN:
        return None
    best, quality = _CHOICES[0], -1.0
    if labels[:cut].sum() >= POSITIVES_MIN // 2 and labels[cut:].any():
        for choice in _CHOICES:
            if "imagined" in choice and imagined is None:
                continue
            trees, base = _boosted(rows[:cut], labels[:cut], choice, seed, imagined)
            found = average_precision(trees.score(rows[cut:]) + base, labels[cut:])
            if found > quality:
                best, quality = choice, found
    trees, base = _boosted(rows, labels, best, seed, imagined)
    return Supervised(trees, base, dict(best), quality)


def fit_taught(rows: Float64, imagined: Bools, seed: int) -> Supervised | None:
    """Trees that tell imagined payments from the traffic they were put in; None for too few."""
    if imagined.sum() < POSITIVES_MIN or imagined.all():
        return None
    trees, base = _boosted(rows, imagined, TAUGHT, seed)
    return Supervised(trees, base, dict(TAUGHT), -1.0)


def _kept(labels: Bools, share: float, seed: int) -> Int64:
    """All cases, and a share of the rest."""
    lawful = np.flatnonzero(~labels)
    count = min(int(len(lawful) * share), NEGATIVES_MAX)
    drawn = np.random.default_rng(seed).permutation(len(lawful))[: max(count, 1)]
    return np.sort(np.concatenate([np.flatnonzero(labels), lawful[drawn]]))


def _boosted(
    rows: Float64, labels: Bools, choice: dict[str, float], seed: int,
    imagined: Float64 | None = None,
) -> tuple[Trees, float]:  # fmt: skip
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    kept = _kept(labels, choice["share"], seed)
    learnt, said = rows[kept], labels[kept]
    if imagined is not None and "imagined" in choice:
        # Repeated rather than weighed: the library's bins of weighted rows take most of the time.
        cases = np.repeat(rows[labels], CASE_TIMES, axis=0)
        count = min(int(choice["imagined"] * len(cases)), len(imagined))
        some = np.random.default_rng(seed).permutation(len(imagined))[:count]
        learnt = np.vstack([learnt[~said], cases, imagined[np.sort(some)]])
        said = np.arange(len(learnt)) >= (~labels[kept]).sum()
    model = HistGradientBoostingClassifier(
        max_iter=int(choice.get("rounds", ROUNDS)),
        learning_rate=choice["rate"],
        l2_regularization=choice["l2"],
        min_samples_leaf=int(choice["leaf"]),
        max_leaf_nodes=int(choice.get("leaves", LEAVES)),
        max_features=choice.get("features", 1.0),
        early_stopping=False,
        random_state=seed,
    )
    # One thread: many of them wait for each other more than they work on so few rows.
    with threadpool_limits(1):
        model.fit(learnt, said)
    # scikit-learn has no public way to read its trees; a test compares what is read with it.
    parts = [_tree(found.nodes) for stage in model._predictors for found in stage]
    return together(parts), float(np.ravel(model._baseline_prediction)[0])


def _tree(nodes: Any) -> Trees:
    n = len(nodes)
    leaf = nodes["is_leaf"].astype(bool)
    left = np.where(leaf, 0, nodes["left"]).astype(np.int64)
    right = np.where(leaf, 0, nodes["right"]).astype(np.int64)
    value, count = nodes["value"].astype(np.float64).copy(), nodes["count"].astype(np.float64)
    for node in range(n - 1, -1, -1):  # children stand behind their parents
        if not leaf[node]:
            a, b = left[node], right[node]
            value[node] = (value[a] * count[a] + value[b] * count[b]) / (count[a] + count[b])
    return Trees(
        np.zeros(1, np.int64),
        np.where(leaf, -1, nodes["feature_idx"]).astype(np.int64),
        np.where(leaf, 0.0, nodes["num_threshold"]).astype(np.float64),
        left,
        right,
        value,
    )
