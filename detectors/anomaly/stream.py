"""All features of a score at once, as one stream: the rows that a model without settling reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from detectors.anomaly.catalogue import Feature, features_of
from detectors.anomaly.features import BehaviourFeatures
from detectors.anomaly.nearby import nearby_features
from detectors.anomaly.payments import Float64, Payments
from detectors.anomaly.recent import Reach, Recent
from detectors.anomaly.usage import USAGE, UsageFeatures


class Columns(Protocol):
    """Columns that another package adds, as a stream."""

    def update(self, payments: Payments) -> Float64:
        """Add payments; their columns."""
        ...

    def state(self) -> dict[str, Any]:
        """All state as arrays."""
        ...

    def restore(self, arrays: dict[str, Any]) -> None:
        """Take over ``state``."""
        ...


def stream_features(shapes: tuple[Feature, ...]) -> tuple[Feature, ...]:
    """The features there are, ``shapes`` being those of the graph."""
    return (*features_of(0), *shapes, *USAGE, *nearby_features(0))


class FeatureStream:
    """Rows of payments in order of time; batches may be cut anywhere.

    Nothing is ever forgotten but what lies outside the windows: about 1 kB an account and 150 bytes
    a pair that ever occurred.
    """

    def __init__(self, shapes: Columns) -> None:
        self._behaviour, self._usage = BehaviourFeatures(), UsageFeatures()
        self._recent, self._shapes = Recent(Reach.back()), shapes
        self._parts: dict[str, Any] = {
            "behaviour": self._behaviour, "usage": self._usage, "recent": self._recent,
            "shapes": self._shapes,
        }  # fmt: skip

    def update(self, payments: Payments) -> Float64:
        """Add payments; a row each, in the order of ``stream_features``."""
        behaviour, strange = self._behaviour.update(payments)
        around, beside = self._recent.update(payments, strange)
        shapes, usage = self._shapes.update(payments), self._usage.update(payments)
        return np.hstack([behaviour, around, shapes, usage, beside])

    def state(self) -> dict[str, Any]:
        """All state as arrays, for a snapshot."""
        return {
            f"{name}.{key}": array
            for name, part in self._parts.items()
            for key, array in part.state().items()
        }

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over ``state``; ``SnapshotError`` where arrays are missing or of another shape."""
        for name, part in self._parts.items():
            prefix = f"{name}."
            part.restore({k[len(prefix) :]: a for k, a in arrays.items() if k.startswith(prefix)})
