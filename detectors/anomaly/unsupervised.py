"""Detectors that need no outcomes, combined: how rare, how far out, and how easily set apart.

Three members look at the same surprises (``tails``):

    tails     their sum over all features (ECOD's upper tails)
    groups    of each group of related features the largest, squared and summed: one strong sign
              counts more than many faint ones, and one event behind many features counts once
    forest    PyOD's isolation forest over the groups' largest

Each member's score becomes the surprise it had in training, and the mean of the three is the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.anomaly.payments import Float64, Int64
from detectors.anomaly.tails import Tails, make_tails
from detectors.anomaly.trees import Trees, together

MEMBERS: Final = ("tails", "groups", "forest")
FOREST_ROWS_MAX: Final = 60_000
TREES: Final = 100
SAMPLE: Final = 512


@dataclass(frozen=True, slots=True)
class Unsupervised:
    """A trained ensemble; ``group[column]`` says which columns belong together."""

    tails: Tails
    group: Int64
    forest: Trees
    members: Tails

    def score(self, rows: Float64) -> Float64:
        """Mean surprise of the members, in nats; higher is more unusual."""
        scores = self._member_scores(self.tails.of(rows))
        made: Float64 = self.members.of(scores).mean(axis=1)
        return made

    def contributions(self, rows: Float64) -> Float64:
        """Each feature's surprise: what the members are made from."""
        return self.tails.of(rows)

    def _member_scores(self, surprise: Float64) -> Float64:
        return _member_scores(surprise, self.group, self.forest)


def _largest(surprise: Float64, group: Int64) -> Float64:
    count = int(group.max()) + 1
    return np.stack([surprise[:, group == k].max(axis=1) for k in range(count)], axis=1)


def _member_scores(surprise: Float64, group: Int64, forest: Trees) -> Float64:
    largest = _largest(surprise, group)
    # The forest's own rows are of single precision: thresholds are compared as in training.
    depth = forest.score(largest.astype(np.float32))
    return np.stack([surprise.sum(axis=1), (largest**2).sum(axis=1), -depth], axis=1)


def fit_unsupervised(rows: Float64, groups: list[str], seed: int) -> Unsupervised:
    """Train on rows of ordinary traffic; what little is not ordinary among them does no harm."""
    names = sorted(set(groups))
    group = np.array([names.index(name) for name in groups], np.int64)
    tails = make_tails(rows)
    surprise = tails.of(rows)
    forest = _forest(_largest(surprise, group), seed)
    members = make_tails(_member_scores(surprise, group, forest))
    return Unsupervised(tails, group, forest, members)


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
