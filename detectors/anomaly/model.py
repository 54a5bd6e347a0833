"""A trained model as data: what it was trained on, how it scores, what is usual, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.anomaly.catalogue import Feature
from detectors.anomaly.drift import Population, make_population
from detectors.anomaly.payments import Float64
from detectors.anomaly.supervised import Supervised, fit_supervised, fit_taught
from detectors.anomaly.tails import Tails
from detectors.anomaly.trees import Trees
from detectors.anomaly.unsupervised import Unsupervised, fit_unsupervised
from regtech.errors import SnapshotError

Bools = npt.NDArray[np.bool_]
FORMAT: Final = 2
ROWS_PER_PIECE: Final = 8192
"""Rows that are scored together: a row's score does not depend on them."""
_TYPICAL: Final = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Scores:
    """``unsupervised`` in nats of surprise; ``taught`` and ``supervised`` as probabilities.

    ``taught``: of being imagined rather than of the traffic, None where nothing was imagined.
    ``supervised``: of being a case, None without outcomes. ``score`` is the last of them there is.
    """

    unsupervised: Float64
    supervised: Float64 | None
    taught: Float64 | None = None

    @property
    def score(self) -> Float64:
        """The score that alerts go by."""
        if self.supervised is not None:
            return self.supervised
        return self.unsupervised if self.taught is None else self.taught


@dataclass(frozen=True, slots=True)
class Model:
    """``features``: names of the columns it reads; ``unusual``: which of them the ensemble uses.

    ``typical``: the fifth and the 95th hundredth of each column in training. ``levels``: the score
    that so large a share of training rows exceeded, by that share.
    """

    features: tuple[str, ...]
    unusual: tuple[int, ...]
    ensemble: Unsupervised
    boosted: Supervised | None
    typical: Float64
    population: Population
    scores: Population
    levels: Mapping[float, float]
    taught: Supervised | None = None

    def score(self, rows: Float64) -> Scores:
        """Scores of payments, in pieces."""
        if rows.shape[1] != len(self.features):
            raise ValueError(f"{rows.shape[1]} columns in place of {len(self.features)}")
        one, two, three = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
        for start in range(0, len(rows), ROWS_PER_PIECE):
            piece = rows[start : start + ROWS_PER_PIECE]
            here = slice(start, start + len(piece))
            one[here] = self.ensemble.score(piece[:, self.unusual])
            for trees, made in ((self.boosted, two), (self.taught, three)):
                if trees is not None:
                    made[here] = probability(trees.score(piece))
        return Scores(
            one, None if self.boosted is None else two, None if self.taught is None else three
        )

    def deciding(self, rows: Float64) -> Float64:
        """``score(rows).score`` alone: what alerts go by."""
        made = np.zeros(len(rows))
        trees = self.taught if self.boosted is None else self.boosted
        for start in range(0, len(rows), ROWS_PER_PIECE):
            piece = rows[start : start + ROWS_PER_PIECE]
            made[start : start + len(piece)] = (
                self.ensemble.score(piece[:, self.unusual])
                if trees is None
                else probability(trees.score(piece))
            )
        return made

    def contributions(self, rows: Float64) -> Float64:
        """What each column adds to each score, by the model that ``Scores.score`` is of."""
        trees = self.taught if self.boosted is None else self.boosted
        if trees is not None:
            return trees.contributions(rows)
        made = np.zeros(rows.shape)
        made[:, self.unusual] = self.ensemble.contributions(rows[:, self.unusual])
        return made

    def level_about(self, budget: float) -> float:
        """The score that the largest calibrated share up to ``budget`` exceeded in training; the
        highest level where all of them are larger."""
        fitting = [share for share in self.levels if share <= budget + 1e-12]
        if fitting:
            return self.levels[max(fitting)]
        return max(self.levels.values(), default=1.0)


def probability(log_odds: Float64) -> Float64:
    """Log odds as a probability."""
    made: Float64 = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -40.0, 40.0)))
    return made


def train(
    rows: Float64,
    features: Sequence[Feature],
    *,
    labels: Bools | None,
    budgets: Sequence[float],
    seed: int,
    lessons: tuple[Float64, Bools] | None = None,
) -> Model:
    """Train on ordinary traffic in order of time, and on outcomes where there are enough.

    ``lessons``: rows of imagined attempts and of the traffic around them, and which are imagined.
    """
    unusual = tuple(k for k, feature in enumerate(features) if feature.side == "high")
    ensemble = fit_unsupervised(rows[:, unusual], seed)
    taught = None if lessons is None else fit_taught(*lessons, seed)
    imagined = None if lessons is None else lessons[0][lessons[1]]
    boosted = None if labels is None else fit_supervised(rows, labels, seed, imagined)
    made = Model(
        tuple(feature.name for feature in features), unusual, ensemble, boosted,
        np.quantile(rows, _TYPICAL, axis=0).T.copy(), make_population(rows),
        make_population(np.zeros((1, 1))), {}, taught,
    )  # fmt: skip
    score = made.score(rows).score
    levels = {budget: float(np.quantile(score, 1.0 - budget)) for budget in budgets}
    return Model(
        made.features, unusual, ensemble, boosted, made.typical, made.population,
        make_population(score[:, None]), levels, taught,
    )  # fmt: skip


def export(model: Model) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """(arrays, plain values): all there is to know, for keeping."""
    arrays: dict[str, npt.NDArray[Any]] = {
        "tail_edges": model.ensemble.tails.edges,
        "tail_nats": model.ensemble.tails.nats,
        "member_edges": model.ensemble.members.edges,
        "member_nats": model.ensemble.members.nats,
        "typical": model.typical,
        "population_edges": model.population.edges,
        "population_shares": model.population.shares,
        "score_edges": model.scores.edges,
        "score_shares": model.scores.shares,
        **{f"forest_{name}": a for name, a in model.ensemble.forest.arrays().items()},
    }
    plain: dict[str, Any] = {
        "format": FORMAT,
        "features": list(model.features),
        "unusual": list(model.unusual),
        "levels": [[budget, level] for budget, level in model.levels.items()],
    }
    for name, learnt in (("boosted", model.boosted), ("taught", model.taught)):
        if learnt is not None:
            arrays.update({f"{name}_{k}": a for k, a in learnt.trees.arrays().items()})
            plain[name] = {
                "base": learnt.base,
                "chosen": learnt.chosen,
                "validation": learnt.validation,
            }
    return arrays, plain


def restore(arrays: Mapping[str, npt.NDArray[Any]], plain: Mapping[str, Any]) -> Model:
    """What was exported; ``SnapshotError`` where it is of another format or not whole."""
    if plain.get("format") != FORMAT:
        raise SnapshotError(
            f"the model is of format {plain.get('format')}, this version reads {FORMAT}",
            hint="train it again",
        )
    try:
        features = tuple(str(name) for name in plain["features"])
        unusual = tuple(int(k) for k in plain["unusual"])
        ensemble = Unsupervised(
            Tails(arrays["tail_edges"], arrays["tail_nats"]),
            _trees(arrays, "forest_", len(unusual)),
            Tails(arrays["member_edges"], arrays["member_nats"]),
        )
        boosted, taught = (
            _learnt(arrays, plain, name, len(features)) for name in ("boosted", "taught")
        )
        model = Model(
            features, unusual, ensemble, boosted, arrays["typical"],
            Population(arrays["population_edges"], arrays["population_shares"]),
            Population(arrays["score_edges"], arrays["score_shares"]),
            {float(budget): float(level) for budget, level in plain["levels"]}, taught,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"the model is not whole: {error}") from None
    n = len(features)
    if not (
        len(model.typical) == len(model.population.edges) == n
        and len(unusual) == len(ensemble.tails.edges)
        and all(0 <= k < n for k in unusual)
    ):
        raise SnapshotError("the parts of the model are of different sizes")
    return model


def _learnt(
    arrays: Mapping[str, npt.NDArray[Any]], plain: Mapping[str, Any], name: str, features: int
) -> Supervised | None:
    if name not in plain:
        return None
    said = plain[name]
    return Supervised(
        _trees(arrays, f"{name}_", features), float(said["base"]), dict(said["chosen"]),
        float(said["validation"]),
    )  # fmt: skip


def _trees(arrays: Mapping[str, npt.NDArray[Any]], prefix: str, features: int) -> Trees:
    mine = {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
    return Trees.from_arrays(mine, features)
