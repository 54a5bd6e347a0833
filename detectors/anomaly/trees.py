"""Trees as arrays: what a trained forest or boosted model needs to score, and nothing that runs.

Models are kept as plain numbers, so that reading one can never execute what somebody put there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.anomaly.kernels.trees import explain_trees, score_trees
from detectors.anomaly.payments import Float64, Int64
from regtech.errors import SnapshotError


@dataclass(frozen=True, slots=True)
class Trees:
    """Nodes of all trees one after the other; ``roots`` says where each begins.

    A node sends a row to ``left`` where its ``feature`` is at most ``threshold``; a leaf has
    ``feature`` -1. ``value``: of a leaf what it adds to the score, of others the mean of the
    training rows below.
    """

    roots: Int64
    feature: Int64
    threshold: Float64
    left: Int64
    right: Int64
    value: Float64

    def score(self, rows: npt.NDArray[Any]) -> Float64:
        """The sum of what the leaves say, for each row."""
        out = np.zeros(len(rows))
        score_trees(
            np.ascontiguousarray(rows), self.roots, self.feature, self.threshold, self.left,
            self.right, self.value, out,
        )  # fmt: skip
        return out

    def contributions(self, rows: npt.NDArray[Any]) -> Float64:
        """How much each feature moved the score on the way through the trees ``[n, features]``.

        Each step from a node to the next moves the expected value, and the feature that was asked
        gets the move (Saabas 2014); with the roots' values these add up to the score.
        """
        out = np.zeros(rows.shape)
        explain_trees(
            np.ascontiguousarray(rows), self.roots, self.feature, self.threshold, self.left,
            self.right, self.value, out,
        )  # fmt: skip
        return out

    def first(self, count: int) -> Trees:
        """The first so many trees alone."""
        if count >= len(self.roots):
            return self
        end = int(self.roots[count])
        return Trees(
            self.roots[:count], *(getattr(self, field.name)[:end] for field in fields(Trees)[1:])
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """For keeping."""
        return {field.name: getattr(self, field.name) for field in fields(Trees)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]], features: int) -> Trees:
        """What was kept; ``SnapshotError`` where a node leads nowhere or round in a circle."""
        try:
            whole = {
                name: np.ascontiguousarray(arrays[name], np.int64)
                for name in ("roots", "feature", "left", "right")
            }
            values = {
                name: np.ascontiguousarray(arrays[name], np.float64)
                for name in ("threshold", "value")
            }
            made = cls(
                whole["roots"], whole["feature"], values["threshold"], whole["left"],
                whole["right"], values["value"],
            )  # fmt: skip
        except (KeyError, ValueError):
            raise SnapshotError("the model has no whole trees") from None
        made._check(features)
        return made

    def _check(self, features: int) -> None:
        n = len(self.feature)
        place = np.arange(n)
        inner = self.feature >= 0
        sizes = {len(getattr(self, field.name)) for field in fields(Trees)} - {len(self.roots)}
        whole = (
            sizes <= {n}
            and len(self.left) == n
            and bool((self.feature < features).all())
            and bool(((self.roots >= 0) & (self.roots < n)).all())
            # Children stand behind their parents, so that every way ends.
            and bool((self.left[inner] > place[inner]).all() and (self.left[inner] < n).all())
            and bool((self.right[inner] > place[inner]).all() and (self.right[inner] < n).all())
            and bool(np.isfinite(self.value).all())
        )
        if not whole:
            raise SnapshotError("the trees of the model lead nowhere")


def together(parts: list[Trees]) -> Trees:
    """Several lots of trees as one."""
    offsets = np.cumsum([0, *(len(part.feature) for part in parts)])[:-1]
    shifted = [
        (part.roots + offset, np.where(part.feature >= 0, part.left + offset, 0),
         np.where(part.feature >= 0, part.right + offset, 0))
        for part, offset in zip(parts, offsets.tolist(), strict=True)
    ]  # fmt: skip
    return Trees(
        np.concatenate([roots for roots, _, _ in shifted]).astype(np.int64),
        np.concatenate([part.feature for part in parts]).astype(np.int64),
        np.concatenate([part.threshold for part in parts]).astype(np.float64),
        np.concatenate([left for _, left, _ in shifted]).astype(np.int64),
        np.concatenate([right for _, _, right in shifted]).astype(np.int64),
        np.concatenate([part.value for part in parts]).astype(np.float64),
    )
