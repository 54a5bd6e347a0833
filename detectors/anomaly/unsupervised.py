"""Detectors that need no outcomes, combined: how rare, how far out, and how easily set apart.

Three members look at the same surprises (``tails``):

    tails     their sum over all features (ECOD's upper tails)
    squares   the sum of their squares: one strong sign counts more than many faint ones
    forest    PyOD's isolation forest

Each member's score becomes the surprise it had in training; their mean, the first counting twice,
is the score. The weights were chosen on generated data, with a later part of time for measuring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.anomaly.payments import Float64
from detectors.anomaly.tails import Tails, make_tails
from detectors.anomaly.trees import Trees, together

MEMBERS: Final = ("tails", "squares", "forest")
_WEIGHTS: Final = np.array((0.5, 0.25, 0.25))
FOREST_ROWS_MAX: Final = 60_000
TREES: Final = 100
SAMPLE: Final = 512


@dataclass(frozen=True, slots=True)
class Unsupervised:
    """A trained ensemble."""

    tails: Tails
    forest: Trees
    members: Tails

    def score(self, rows: Float64) -> Float64:
        """Mean surprise of the members, in nats; higher is more unusual."""
        scores = _member_scores(self.tails.of(rows), self.forest)
        made: Float64 = self.members.of(scores, beyond=True) @ _WEIGHTS
        return made

    def contributions(self, rows: Float64) -> Float64:
        """Each feature's surprise: what the members are made from."""
        return self.tails.of(rows)


def _member_scores(surprise: Float64, forest: Trees) -> Float64:
    # The forest's own rows are of single precision: thresholds are compared as in training.
    depth = forest.score(surprise.astype(np.float32))
    return np.stack([surprise.sum(axis=1), (surprise**2).sum(axis=1), -depth], axis=1)


def fit_unsupervised(rows: Float64, seed: int) -> Unsupervised:
    """Train on rows of ordinary traffic; what little is not ordinary among them does no harm."""
    tails = make_tails(rows)
    surprise = tails.of(rows)
    forest = _forest(surprise, seed)
    return Unsupervised(tails, forest, make_tails(_member_scores(surprise, forest)))


def _forest(rows: Float64, seed: int) -> Trees:
    # Slow to import, and only training needs it.
    from pyod.models.iforest import IForest

    chosen = np.random.default_rng(seed).permutation(len(rows))[:FOREST_ROWS_MAX]
    detector = IForest(
        n_estimators=TREES, max_samples=min(SAMPLE, len(chosen)), random_state=seed, n_jobs=1
    )
    detector.fit(rows[np.sort(chosen)])
    return together([_path_lengths(tree.tree_) for tree in detector.estimators_])


def _path_lengths(tree: Any) -> Trees:
    """An isolation tree whose leaves say how deep they are, with what they would still need."""
    n = int(tree.node_count)
    feature = np.where(tree.children_left >= 0, tree.feature, -1).astype(np.int64)
    depth = np.zeros(n)
    for node in range(n):  # children stand behind their parents
        if feature[node] >= 0:
            depth[tree.children_left[node]] = depth[tree.children_right[node]] = depth[node] + 1
    count = tree.n_node_samples.astype(np.float64)
    length = depth + np.where(feature < 0, _expected_depth(count), 0.0)
    return Trees(
        np.zeros(1, np.int64),
        feature,
        np.where(feature >= 0, tree.threshold, 0.0),
        np.where(feature >= 0, tree.children_left, 0).astype(np.int64),
        np.where(feature >= 0, tree.children_right, 0).astype(np.int64),
        length / TREES,
    )


def _expected_depth(count: npt.NDArray[Any]) -> Float64:
    """Mean depth at which a row of ``count`` is alone (Liu, Ting, Zhou 2008, equation 1)."""
    several = np.maximum(count, 3.0) - 1.0
    long = 2.0 * (np.log(several) + np.euler_gamma) - 2.0 * several / np.maximum(count, 3.0)
    made: Float64 = np.where(count > 2, long, np.where(count == 2, 1.0, 0.0))
    return made
