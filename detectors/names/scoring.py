"""From features to a score between 0 and 1: log-odds as a sum, each part of it named.

Two sets of weights, for pairs in which a name is an organisation's and for all others. No weight
has the wrong sign: what speaks for a match never lowers a score. Weights are data
(``mappings/names/score.json``), fitted by ``benchmarks/fit_names.py`` on development pairs so that
0.5 is where the two kinds of errors balance on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.names.columns import ORGANISATION, VESSEL, Names, Words
from detectors.names.features import (
    COUNT,
    FEATURES,
    FORM_DIFFERS,
    Scratch,
    compare,
    native_difference,
    prepare,
    scratch_for,
)
from regtech.columns.jit import kernel
from regtech.errors import ContentError

SAYING_NO: Final = frozenset(
    {
        "lost_fewer", "lost_other", "lost_word", "replaced", "uneven", "numeral", "numeral_extra",
        "generation", "form_differs", "country_differs", "country_extra", "initials",
        "descent_crossed", "single_word", "slips", "worst_word", "disorder", "kind_differs",
        "one_word_each", "other_word", "best_word", "short_forms", "worst_of_few", "loose",
    }
)  # fmt: skip
"""Features that only ever speak against a match; all others only ever for one."""

KINDS: Final = ("person", "organisation")


SEGMENTS: Final = 6
"""Segments of the line that a feature is weighed by, at most."""


class Weights(NamedTuple):
    """What each feature brings: a line in pieces that only ever rises, or only ever falls.

    ``knots[kind, feature]`` are places on it; between knot k and k + 1 the log-odds change by
    ``steps[kind, feature, k]``, evenly; unused segments lie beyond every value. ``bias``: by kind.
    ``native``: log-odds of equal native names, of names that differ, and of differing forms.
    """

    knots: NDArray[np.float64]  # [kinds, COUNT, SEGMENTS + 1]
    steps: NDArray[np.float64]  # [kinds, COUNT, SEGMENTS]
    bias: NDArray[np.float64]
    native: NDArray[np.float64]


def no_weights() -> Weights:
    """Weights by which every pair has log-odds of 0; to get features alone."""
    return Weights(
        np.full((len(KINDS), COUNT, SEGMENTS + 1), BEYOND) + np.arange(SEGMENTS + 1),
        np.zeros((len(KINDS), COUNT, SEGMENTS)),
        np.zeros(len(KINDS)),
        np.zeros(3),
    )


BEYOND: Final = 100.0
"""No feature has so high a value."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Weights with their name; ``version`` goes into every answer."""

    version: str
    weights: Weights

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Model:
        """The model of a parsed file. Raises ``ContentError`` for unknown or missing features."""
        weights = no_weights()
        try:
            for row, kind in enumerate(KINDS):
                given = document["weights"][kind]
                if set(given) != {*FEATURES, "bias"}:
                    raise ContentError(
                        f"the weights of {kind} are for other features: "
                        f"{sorted(set(given) ^ {*FEATURES, 'bias'})}",
                        hint="fit them anew: python benchmarks/fit_names.py",
                    )
                weights.bias[row] = float(given["bias"])
                for column, name in enumerate(FEATURES):
                    _read_line(given[name], name, weights.knots[row, column],
                               weights.steps[row, column])  # fmt: skip
            for number, key in enumerate(("same", "other", "form_differs")):
                weights.native[number] = float(document["native"][key])
            return cls(str(document["version"]), weights)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ContentError(f"the weights of names are not as expected: {error!r}") from error


def _read_line(
    points: Any, name: str, knots: NDArray[np.float64], steps: NDArray[np.float64]
) -> None:
    """One feature's line from its points ``[value, log-odds]``, the first at log-odds 0."""
    if not points:
        return
    if len(points) - 1 > SEGMENTS:
        raise ContentError(f"the line of {name} has more than {SEGMENTS} segments")
    for k, (value, odds) in enumerate(points):
        knots[k] = float(value)
        if k:
            steps[k - 1] = float(odds) - float(points[k - 1][1])
            if knots[k] <= knots[k - 1] or steps[k - 1] * (-1 if name in SAYING_NO else 1) < 0:
                raise ContentError(f"the line of {name} turns the wrong way at {value}")


NATIVE_SHORT: Final = 4
"""Names of so many Han or Hangul signs are a person's, and one other sign is another person."""


@kernel(nrt=False)
def contribution(weights: Any, kind: int, feature: int, value: float) -> float:
    """What a feature of this value brings to the log-odds."""
    odds = 0.0
    for k in range(SEGMENTS):
        first = weights.knots[kind, feature, k]
        if value <= first:
            break
        last = weights.knots[kind, feature, k + 1]
        step = weights.steps[kind, feature, k]
        odds += step if value >= last else step * ((value - first) / (last - first))
    return odds


@kernel(nrt=False, inner=True)
def log_odds(lw: Any, ln: Any, li: int, rw: Any, rn: Any, ri: int, weights: Any, s: Any) -> float:
    """Log-odds that two names are one's; ``prepare`` has been called for the left row.

    Names that are both in Han or both in Hangul are compared by their signs: romanised, many names
    become one.
    """
    difference, signs = native_difference(ln, li, rn, ri, s.rows)
    if difference >= 0.0:
        for k in range(COUNT):
            s.found[k] = 0.0
        odds = weights.native[0]
        if difference > 0.0:
            if signs <= NATIVE_SHORT:
                odds = weights.native[1]
            else:
                odds += (weights.native[1] - weights.native[0]) * min(1.0, 3.0 * difference)
        forms_l, forms_r = ln.forms[li], rn.forms[ri]
        if forms_l != 0 and forms_r != 0 and (forms_l & forms_r) == 0:
            s.found[FORM_DIFFERS] = 1.0
            odds += weights.native[2]
        return float(odds)
    compare(lw, ln, li, rw, rn, ri, s)
    if ln.starts[li] == ln.starts[li + 1] or rn.starts[ri] == rn.starts[ri + 1]:
        return -30.0
    kind = 1 if ((ln.flags[li] | rn.flags[ri]) & (ORGANISATION | VESSEL)) != 0 else 0
    odds = weights.bias[kind]
    for k in range(COUNT):
        odds += contribution(weights, kind, k, s.found[k])
    return float(odds)


@kernel(nrt=False)
def score_rows(
    lw: Any,
    ln: Any,
    li: int,
    rw: Any,
    rn: Any,
    rows: Any,
    count: int,
    weights: Any,
    s: Any,
    out: Any,
) -> None:
    """Log-odds of the left row against ``rows[:count]`` of the right names, into ``out``.

    ``prepare`` has been called for the left row.
    """
    for k in range(count):
        out[k] = log_odds(lw, ln, li, rw, rn, int(rows[k]), weights, s)


@kernel(nrt=False)
def score_pairs(
    words: Any, names: Any, left: Any, right: Any, weights: Any, s: Any, out: Any, features: Any
) -> None:
    """Log-odds of pairs of rows of one table; features of each where ``features`` has rows."""
    before = -1
    for k in range(len(left)):
        if left[k] != before:
            before = left[k]
            prepare(words, names, before, s)
        out[k] = log_odds(words, names, left[k], words, names, right[k], weights, s)
        if features.shape[0] > 0:
            for j in range(COUNT):
                features[k, j] = s.found[j]


def probability(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds as scores from 0 to 1."""
    return 1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0)))


def pair_log_odds(
    words: Words,
    names: Names,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    weights: Weights,
    *,
    features: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log-odds of each pair of rows, and where asked the features [pairs, COUNT]."""
    scratch: Scratch = scratch_for(len(words.lengths))
    out = np.zeros(len(left))
    found = np.zeros((len(left) if features else 0, COUNT))
    score_pairs(words, names, left, right, weights, scratch, out, found)
    return out, found
