"""How rare a value is: each column's upper tail in training, as a table.

A value becomes the negative logarithm (nats) of the share of training rows that reached it. Columns
of all units become comparable, one sum of them is the score of ECOD for upper tails (Li et al.
2022), and other detectors see no scale at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.anomaly.payments import Float64

_FAR_NATS: Final = 4.605170185988091  # of one row in a hundred
STEPS: Final = 160
"""Places at which a tail is known: ranks that grow by a fixed factor, the extreme ones all."""


@dataclass(frozen=True, slots=True)
class Tails:
    """``edges[column, step]`` rising, and the surprise of reaching each of them."""

    edges: Float64
    nats: Float64

    def of(self, rows: Float64, *, beyond: bool = False) -> Float64:
        """Surprise of each value ``[n, columns]``, in nats from 0 on.

        What is above all training rows goes on as their highest hundredth lets expect (an
        exponential tail), so that order is kept: ``beyond`` in full, else by its logarithm, so that
        no single column outweighs all others.
        """
        made = np.empty(rows.shape)
        for column in range(rows.shape[1]):
            edges, nats = self.edges[column], self.nats[column]
            place = np.searchsorted(edges, rows[:, column], side="right") - 1
            made[:, column] = np.where(place >= 0, nats[place], 0.0)
            far = min(int(np.searchsorted(nats, _FAR_NATS)), len(nats) - 1)
            a_nat = (edges[-1] - edges[far]) / max(nats[-1] - nats[far], 1.0)
            over = np.maximum(rows[:, column] - edges[-1], 0.0) / max(a_nat, 1e-9)
            made[:, column] += over if beyond else np.log1p(over)
        return made


def make_tails(rows: Float64) -> Tails:
    """The tails of training rows."""
    n = len(rows)
    # How many rows are at or above each step: from all of them down to one.
    above = np.unique(np.round(np.geomspace(1, n, STEPS)).astype(np.int64))[::-1]
    above = np.concatenate([above, np.full(STEPS - len(above), above[-1])])
    ordered = np.sort(rows, axis=0)
    edges = ordered[n - above]
    # Equal values are all reached together: what counts is how many there are at least.
    reached = np.stack(
        [n - np.searchsorted(ordered[:, k], edges[:, k], side="left") for k in range(rows.shape[1])]
    )
    return Tails(np.ascontiguousarray(edges.T), -np.log((reached + 0.5) / (n + 1.0)))
