"""Many pairs of names at once: the score of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.names.analysis import Analyser, Kind
from detectors.names.columns import WordTable
from detectors.names.scoring import Model, pair_log_odds, probability


def pair_scores(
    analyser: Analyser,
    model: Model,
    left: Sequence[str],
    right: Sequence[str],
    kinds: Sequence[Kind] | None = None,
) -> NDArray[np.float64]:
    """The score from 0 to 1 of each pair: the best of the readings of its names.

    ``kinds``: what both names of a pair are known to be, "" where nothing is known. Names without
    any letter or digit have the score 0, however alike they are.
    """
    table = WordTable()
    rows: dict[tuple[str, Kind], list[int]] = {}

    def rows_of(text: str, kind: Kind) -> list[int]:
        key = text, kind
        if key not in rows:
            rows[key] = [table.add(reading) for reading in analyser.analyse(text, kind)]
        return rows[key]

    first: list[int] = []
    second: list[int] = []
    pair_of: list[int] = []
    for number, (a, b) in enumerate(zip(left, right, strict=True)):
        kind: Kind = kinds[number] if kinds is not None else ""
        for one in rows_of(a, kind):
            for other in rows_of(b, kind):
                first.append(one)
                second.append(other)
                pair_of.append(number)
    best = np.full(len(left), -30.0)
    if first:
        odds, _ = pair_log_odds(
            table.words(),
            table.names(),
            np.array(first, np.int64),
            np.array(second, np.int64),
            model.weights,
        )
        np.maximum.at(best, np.array(pair_of), odds)
    return probability(best)
