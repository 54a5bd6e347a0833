"""Whether what is scored still looks like what was trained on: the population stability index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.anomaly.payments import Float64

BINS: Final = 10
MOVED: Final = 0.1
CHANGED: Final = 0.25
"""Rules of thumb of credit scoring, our defaults: below 0.1 stable, above 0.25 not the same."""
_FLOOR: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Population:
    """For each column nine inner edges of ten bins, and the share of training rows in each bin."""

    edges: Float64
    shares: Float64

    def stability(self, rows: Float64) -> Float64:
        """The index of each column: sum of (share - before) * ln(share / before)."""
        index = np.zeros(rows.shape[1])
        for column in range(rows.shape[1]):
            now = _shares(rows[:, column], self.edges[column])
            before = self.shares[column]
            a, b = np.maximum(now, _FLOOR), np.maximum(before, _FLOOR)
            index[column] = float(((a - b) * np.log(a / b)).sum())
        return index


def _shares(values: Float64, edges: Float64) -> Float64:
    places = np.searchsorted(edges, values, side="right")
    made: Float64 = np.bincount(places, minlength=BINS) / max(len(values), 1)
    return made


def make_population(rows: Float64) -> Population:
    """What training rows look like."""
    edges = np.quantile(rows, np.arange(1, BINS) / BINS, axis=0).T
    shares = np.stack([_shares(rows[:, k], edges[k]) for k in range(rows.shape[1])])
    return Population(np.ascontiguousarray(edges), shares)
