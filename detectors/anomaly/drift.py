"""Whether what is scored still looks like what was trained on: the population stability index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.anomaly.payments import Float64, Int64

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

    def part(self, columns: Sequence[int]) -> Population:
        """Some of the columns."""
        chosen = list(columns)
        return Population(self.edges[chosen], self.shares[chosen])

    def counts(self, rows: Float64) -> Int64:
        """How many rows lie in each bin of each column."""
        made = np.zeros((rows.shape[1], BINS), np.int64)
        for column in range(rows.shape[1]):
            places = np.searchsorted(self.edges[column], rows[:, column], side="right")
            made[column] = np.bincount(places, minlength=BINS)
        return made

    def stability(self, rows: Float64) -> Float64:
        """The index of each column: sum of (share - before) * ln(share / before)."""
        return self.stability_of(self.counts(rows))

    def stability_of(self, counts: Int64) -> Float64:
        """The same of ``counts`` that were added up."""
        now = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        a, b = np.maximum(now, _FLOOR), np.maximum(self.shares, _FLOOR)
        made: Float64 = ((a - b) * np.log(a / b)).sum(axis=1)
        return made


def make_population(rows: Float64) -> Population:
    """What training rows look like."""
    edges = np.quantile(rows, np.arange(1, BINS) / BINS, axis=0).T
    empty = Population(np.ascontiguousarray(edges), np.zeros((rows.shape[1], BINS)))
    return Population(empty.edges, empty.counts(rows) / max(len(rows), 1))
