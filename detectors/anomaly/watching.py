"""Whether payments and scores still look like training, stretch by stretch of days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from detectors.anomaly.budget import UNITS, Scored
from detectors.anomaly.drift import BINS
from detectors.anomaly.model import Model
from detectors.anomaly.payments import Float64, Int64, runs

PAYMENTS_MIN: Final = 24
"""A stretch with fewer payments says nothing."""
_CHANCE: Final = 4.0 * (BINS - 1)
"""Divided by the number of payments: what the index of so few reaches by chance alone, four times
its mean, since there are some forty features to be wrong about."""
NAMED_MAX: Final = 10
_NEVER: Final = -1


class Watch:
    """Counts of one model's features and scores, in the bins of its training.

    When the first payment of a stretch comes, the stretch before it is judged. ``model`` is None
    where there is none: then each stretch has its first payment told of.
    """

    def __init__(self, model: Model | None, over_us: int, limit: float) -> None:
        self._model, self._over_us, self._limit = model, over_us, limit
        self._stretch = _NEVER
        columns = 0 if model is None else len(model.unusual)
        self._counts: Int64 = np.zeros((columns + 1, BINS), np.int64)

    def update(
        self, times_us: Int64, rows: Float64 | None, scored: Scored | None
    ) -> dict[int, dict[str, Any] | None]:
        """Payments in order of time: places at which a stretch begins, with what is told there.

        None: nothing to tell of the stretch before.
        """
        told: dict[int, dict[str, Any] | None] = {}
        for stretch, start, end in runs(times_us // self._over_us):
            if stretch != self._stretch:
                told[start] = self._judged()
                self._stretch = stretch
                self._counts[:] = 0
            if self._model is not None and rows is not None and scored is not None:
                unusual = rows[start:end][:, self._model.unusual]
                self._counts[:-1] += self._population().counts(unusual)
                scores = scored.scores[start:end, None] / UNITS
                self._counts[-1] += self._model.scores.counts(scores)[0]
        return told

    def _population(self) -> Any:
        assert self._model is not None
        return self._model.population.part(self._model.unusual)

    def _judged(self) -> dict[str, Any] | None:
        number = int(self._counts[-1].sum())
        if self._model is None or number < PAYMENTS_MIN:
            return None
        index = [
            *self._population().stability_of(self._counts[:-1]).tolist(),
            float(self._model.scores.stability_of(self._counts[-1:])[0]),
        ]
        names = [*(self._model.features[k] for k in self._model.unusual), "score"]
        limit = self._limit + _CHANCE / number
        beyond = sorted(
            ((value, name) for value, name in zip(index, names, strict=True)
             if value > limit),
            key=lambda one: (-one[0], one[1]),
        )  # fmt: skip
        if not beyond:
            return None
        return {
            "payments": number,
            "limit": f"{limit:.4f}",
            "moved": [
                {"name": name, "stability_index": f"{value:.4f}"}
                for value, name in beyond[:NAMED_MAX]
            ],
            "moved_in_all": len(beyond),
        }

    def state(self) -> dict[str, Any]:
        """All state as arrays, for a snapshot."""
        return {"stretch": np.array([self._stretch], np.int64), "counts": self._counts.copy()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over ``state``. KeyError or ValueError where it does not fit."""
        if arrays["counts"].shape != self._counts.shape:
            raise ValueError("counts of other features")
        self._stretch = int(arrays["stretch"][0])
        self._counts = arrays["counts"].copy()
