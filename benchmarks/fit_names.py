"""Fits the weights of the name score on development pairs, and writes them as data.

``python benchmarks/fit_names.py LISTS`` reads OFAC's and the UN's files from a folder, fits a
logistic regression whose signs are fixed, prints how it does on folds it was not fitted on, and
writes ``mappings/names/score.json`` and ``word-weights.csv`` (with ``--write``). The same files
give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.name_pairs import (
    FOLDS,
    Pair,
    development_pairs,
    folds_of,
    listed_entities,
)
from benchmarks.strangers import stranger_pairs
from detectors.names.analysis import Analyser
from detectors.names.columns import ORGANISATION, VESSEL, WordTable
from detectors.names.features import FEATURES
from detectors.names.scoring import (
    KINDS,
    SAYING_NO,
    SEGMENTS,
    no_weights,
    pair_log_odds,
)
from regtech.adapters.lists.folder import read_lists
from regtech.app.names import country_words, load_tables
from regtech.reference.watchlists import ListVersion

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "mappings" / "names"
RARE_BELOW: Final = 4
"""A word in fewer names than this says as much as a word never seen."""
RIDGE: Final = 1e-4
NATIVE: Final = {"same": 6.0, "other": -5.0, "form_differs": -3.0}
"""Not fitted: the lists have too few names in Han and Hangul."""
AT_LEAST: Final = {
    "numeral": -4.0,
    "generation": -3.0,
    "kind_differs": -3.0,
    "descent_crossed": -9.0,
    "country_differs": -1.5,
    "numeral_extra": -1.0,
    "short_forms": -0.6,
}
"""What these say against a match is no less than this: chosen, as the lists have few such pairs."""
STRANGERS: Final = 3000
"""Names of people on no list that are held against the listed names most like theirs."""
HARD: Final = ("alias", "neighbour", "distorted", "own script", "own script, other")
"""Sources of pairs that are hard: aliases and slips beside the nearest names of others. What is
reached on them alone is reported; they have no say of their own in where the cut is."""
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def word_weights(versions: list[ListVersion], analyser: Analyser) -> dict[str, float]:
    """How much a word says, by the number of entries that have it; 1 for the rare ones."""
    counts: Counter[str] = Counter()
    total = 0
    for version in versions:
        for entry in version.entries:
            total += 1
            counts.update({w for n in entry.names for w in analyser.analyse(n.text)[0].words})
    scale = math.log(total / (RARE_BELOW - 1))
    return {
        word: round(math.log(total / count) / scale, 3)
        for word, count in sorted(counts.items())
        if count >= RARE_BELOW
    }


def features_of(pairs: list[Pair], analyser: Analyser) -> tuple[Floats, NDArray[np.int64]]:
    """Features of each pair, of its likeliest readings, and its kind (row of the weights)."""
    table = WordTable()
    rows: dict[tuple[str, str], int] = {}

    def row(text: str, pair: Pair) -> int:
        key = text, pair.kind
        if key not in rows:
            rows[key] = table.add(analyser.analyse(text, pair.kind)[0])
        return rows[key]

    left = np.array([row(pair.left, pair) for pair in pairs])
    right = np.array([row(pair.right, pair) for pair in pairs])
    names = table.names()
    _, found = pair_log_odds(table.words(), names, left, right, no_weights(), features=True)
    kinds = ((names.flags[left] | names.flags[right]) & (ORGANISATION | VESSEL)) != 0
    return found, kinds.astype(np.int64)


@dataclass(frozen=True)
class Lines:
    """A fitted line for each feature of one kind of pair."""

    knots: list[Floats]
    steps: list[Floats]
    bias: float

    def odds(self, x: Floats) -> Floats:
        """Log-odds of rows of features."""
        wide = spread(x, self.knots)
        return np.asarray(wide @ np.concatenate(self.steps) + self.bias)


def knots_of(x: Floats) -> list[Floats]:
    """Places of the lines: quantiles of what is not 0, so that each segment has its share."""
    found = []
    for column in x.T:
        values = column[column > 0.001]
        if len(values) < 30:
            found.append(np.array([0.0, 1.0]))
            continue
        places = np.unique(np.round(np.quantile(values, np.linspace(0, 1, SEGMENTS)), 3))
        found.append(np.unique(np.append(0.0, places))[: SEGMENTS + 1])
    return found


def spread(x: Floats, knots: list[Floats]) -> Floats:
    """Each feature as the shares of its segments that it fills."""
    parts = []
    for column, places in zip(x.T, knots, strict=True):
        first, last = places[:-1], places[1:]
        parts.append(np.clip((column[:, None] - first) / (last - first), 0, 1))
    return np.hstack(parts)


def fit(features: Floats, truth: Floats) -> Lines:
    """A logistic regression over the segments, signs fixed, with a ridge."""
    from scipy.optimize import minimize

    knots = knots_of(features)
    x = np.hstack([spread(features, knots), np.ones((len(features), 1))])

    def loss(weights: Floats) -> tuple[float, Floats]:
        odds = x @ weights
        chance = 1 / (1 + np.exp(-np.clip(odds, -35, 35)))
        value = np.mean(np.logaddexp(0, odds) - truth * odds) + RIDGE * np.sum(weights[:-1] ** 2)
        slope = x.T @ (chance - truth) / len(truth)
        slope[:-1] += 2 * RIDGE * weights[:-1]
        return float(value), slope

    bounds: list[tuple[float | None, float | None]] = []
    for name, places in zip(FEATURES, knots, strict=True):
        sign = -1 if name in SAYING_NO else 1
        own = [(0.0, None) if sign > 0 else (None, 0.0) for _ in places[1:]]
        if name in AT_LEAST:
            own[0] = (None, AT_LEAST[name])
        bounds += own
    bounds.append((None, None))
    begin = np.array([0.0 if high is None else high for _, high in bounds])
    found = minimize(
        loss, begin, jac=True, bounds=bounds, method="L-BFGS-B",
        options={"maxiter": 400, "ftol": 1e-8},
    )  # fmt: skip
    cuts = np.cumsum([len(places) - 1 for places in knots])[:-1]
    return Lines(knots, np.split(found.x[:-1], cuts), float(found.x[-1]))


def best_shift(odds: Floats, truth: Floats) -> float:
    """Log-odds at which to cut so that F1 is highest.

    Of all cuts within a thousandth of the best the lowest: of equals the one that finds most.
    """
    cuts = np.quantile(odds, np.linspace(0.05, 0.95, 361))
    scores = np.array([f1(odds >= cut, truth) for cut in cuts])
    return float(np.min(cuts[scores >= scores.max() - 0.001]))


def f1(said: NDArray[np.bool_], truth: Floats) -> float:
    """Harmonic mean of precision and recall."""
    right = float(np.sum(said & (truth > 0)))
    return 2 * right / max(1.0, float(said.sum() + truth.sum()))


def fit_kinds(x: Floats, kinds: NDArray[np.int64], y: Floats, hopeless: Bools) -> list[Lines]:
    """Lines by kind, their biases moved so that 0 is the best cut on these pairs.

    ``hopeless``: matches that share nothing (another language, a nom de guerre). They are not
    fitted on: no feature can say yes to them without saying yes to any two names.
    """
    found = []
    for kind in range(2):
        mine = (kinds == kind) & ~hopeless
        lines = fit(x[mine], y[mine])
        cut = best_shift(lines.odds(x[mine]), y[mine])
        found.append(replace(lines, bias=lines.bias - cut))
    return found


def odds_of(x: Floats, kinds: NDArray[np.int64], lines: list[Lines]) -> Floats:
    """Log-odds of pairs by the lines of their kind."""
    found = np.zeros(len(x))
    for kind in range(2):
        found[kinds == kind] = lines[kind].odds(x[kinds == kind])
    return found


def hopeless_matches(x: Floats, y: Floats) -> Bools:
    """Matches with hardly anything in common."""
    more, acronym = FEATURES.index("covered_more"), FEATURES.index("acronym")
    return np.asarray((y > 0) & (x[:, more] < 0.4) & (x[:, acronym] == 0))


def points(knots: Floats, steps: Floats) -> list[list[float]]:
    """A line as its points; none where the feature brings nothing."""
    if not np.any(np.abs(steps) >= 0.005):
        return []
    heights = np.append(0.0, np.cumsum(steps))
    return [
        [round(float(v), 3), round(float(h), 3) + 0.0] for v, h in zip(knots, heights, strict=True)
    ]


def document(lines: list[Lines], about: dict[str, Any]) -> dict[str, Any]:
    """What ``score.json`` holds."""
    weights: dict[str, Any] = {}
    for kind, found in zip(KINDS, lines, strict=True):
        drawn = map(points, found.knots, found.steps)
        weights[kind] = {**dict(zip(FEATURES, drawn, strict=True)), "bias": round(found.bias, 3)}
    return {"version": "1", "about": about, "native": NATIVE, "weights": weights}


def main() -> None:
    """Fit, say how good it is, and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lists", type=Path, help="folder of OFAC's and the UN's files")
    parser.add_argument("--write", action="store_true", help="write the weights as data")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the pairs that is drawn")
    parser.add_argument("--peers", action="store_true", help="RapidFuzz on the same folds")
    parser.add_argument("--boosted", action="store_true", help="boosted trees on the same features")
    given = parser.parse_args()

    tables = load_tables()
    versions = read_lists(given.lists, country_words(FOLDER))
    weights = word_weights(versions, Analyser(replace(tables, weights={})))
    analyser = Analyser(replace(tables, weights=weights))
    pairs = development_pairs(versions, analyser, scale=given.scale)
    entities = listed_entities(versions)
    place = folds_of(entities, analyser)
    count = int(STRANGERS * given.scale)
    pairs += stranger_pairs(versions, entities, place, analyser.tables, count)
    x, kinds = features_of(pairs, analyser)
    y = np.array([float(pair.match) for pair in pairs])
    folds = np.array([pair.fold for pair in pairs])
    sources = np.array([pair.source for pair in pairs])
    native = np.array([not row.any() for row in x])
    hopeless = hopeless_matches(x, y)
    hard = np.isin(sources, HARD)
    print(f"{len(pairs)} pairs, {int(y.sum())} of them matches, {FOLDS} folds by entity")

    said, said_hard = np.zeros(len(y), bool), np.zeros(len(y), bool)
    for fold in range(FOLDS):
        held = folds == fold
        fitted = ~held & ~native
        lines = fit_kinds(x[fitted], kinds[fitted], y[fitted], hopeless[fitted])
        odds = odds_of(x, kinds, lines)
        said[held] = odds[held] >= 0
        known = hard & ~held
        said_hard[held] = odds[held] >= best_shift(odds[known], y[known])
    report("ours", said, y, sources)
    for name, part in (("without half alike", sources != "half alike"), ("hard alone", hard)):
        report(f"ours, {name}", said[part], y[part], sources[part])
    report("ours, hard alone, cut on hard pairs", said_hard[hard], y[hard], sources[hard])
    if given.boosted:
        report("boosted trees, same features", _boosted(x, kinds, y, folds), y, sources)
    if given.peers:
        for name, answers in _peers(pairs, y, folds).items():
            report(name, answers, y, sources)

    lines = fit_kinds(x[~native], kinds[~native], y[~native], hopeless[~native])
    about = {
        "fitted": "sign-constrained logistic regression on development pairs, see the script",
        "script": "benchmarks/fit_names.py",
        "lists": {version.name: version.digest for version in versions},
        "pairs": dict(sorted(Counter(sources.tolist()).items())),
    }
    found = document(lines, about)
    if given.write:
        text = readable(found)
        (FOLDER / "score.json").write_text(text + "\n", encoding="utf-8")
        rows = [f"{word},{weight:.3f}" for word, weight in weights.items()]
        head = "# word,weight: rarity in OFAC's and the UN's lists (public), by fit_names.py\n"
        (FOLDER / "word-weights.csv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    for row, kind in enumerate(KINDS):
        kept = {k: v for k, v in found["weights"][kind].items() if v}
        print(kind, f"({int((kinds == row).sum())} pairs)", kept)


def readable(found: dict[str, Any]) -> str:
    """JSON with a line for each feature."""
    text = json.dumps(found, indent=1, ensure_ascii=False)
    return re.sub(r"\[[\s\d.,\[\]-]*\](?=,?\n)", lambda m: re.sub(r"\s+", "", m[0]), text)


def report(name: str, said: NDArray[np.bool_], y: Floats, sources: NDArray[np.str_]) -> None:
    """F1 on all, and the share of right answers by source."""
    right = float(np.sum(said & (y > 0)))
    parts = [f"{s} {np.mean(said[sources == s] == (y[sources == s] > 0)):.3f}"
             for s in sorted(set(sources.tolist()))]  # fmt: skip
    print(
        f"{name}: F1 {f1(said, y):.4f} precision {right / max(1, said.sum()):.3f} "
        f"recall {right / y.sum():.3f}; right: " + ", ".join(parts)
    )


def _boosted(
    x: Floats, kinds: NDArray[np.int64], y: Floats, folds: NDArray[np.int64]
) -> NDArray[np.bool_]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    whole = np.hstack([x, kinds[:, None]])
    said = np.zeros(len(y), bool)
    for fold in range(FOLDS):
        held = folds == fold
        model = HistGradientBoostingClassifier(max_iter=300, learning_rate=0.05, random_state=0)
        model.fit(whole[~held], y[~held])
        cut = best_shift(model.decision_function(whole[~held]), y[~held])
        said[held] = model.decision_function(whole[held]) >= cut
    return said


def _peers(pairs: list[Pair], y: Floats, folds: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    from rapidfuzz import fuzz, utils

    found = {}
    for name in ("WRatio", "token_sort_ratio", "token_set_ratio"):
        scorer = getattr(fuzz, name)
        scores = np.array(
            [scorer(p.left, p.right, processor=utils.default_process) for p in pairs], float
        )
        said = np.zeros(len(y), bool)
        for fold in range(FOLDS):
            held = folds == fold
            said[held] = scores[held] >= best_shift(scores[~held], y[~held])
        found[f"RapidFuzz {name}"] = said
    return found


if __name__ == "__main__":
    main()
