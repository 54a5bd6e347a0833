"""What lies around a payment in time, as a stream: sums over windows, and what is beside it.

The payments of the longest window are kept in one log. The same loops look at what comes after a
payment when they are given payments in reversed order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from detectors.anomaly.catalogue import WINDOWS_DAYS
from detectors.anomaly.features import usable_state
from detectors.anomaly.kernels.around import around
from detectors.anomaly.kernels.nearby import HOPS, LISTS, MEASURES
from detectors.anomaly.kernels.nearby import nearby as nearby_kernel
from detectors.anomaly.nearby import ALIKE, LOOKED_AT_MAX, WINDOW_DAYS
from detectors.anomaly.payments import Float64, Int64, Payments

DAY_US: Final = 86_400_000_000
_WEIGHT: Final = 1 << 20
"""Surprises become whole numbers, so that sums over windows are exact."""
_ROOM: Final = 1024
_CHAIN_BEFORE: Final = 1
"""A chain comes in to the payer, and goes on from the payee."""
_CHAIN_AFTER: Final = 2
_LOG: Final = {
    "times": np.int64, "payers": np.int64, "payees": np.int64, "weights": np.int64,
    "currencies": np.int64, "logs": np.float64, "strange": np.float64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a log looks: windows of the sums, of what is beside, and of a hop of a chain."""

    windows_us: tuple[int, ...]
    beside_us: int
    chain_us: int
    chain_list: int

    @classmethod
    def back(cls) -> Reach:
        """Before a payment."""
        days = tuple(days * DAY_US for days in WINDOWS_DAYS)
        beside = WINDOW_DAYS * DAY_US
        return cls(days, beside, min(2 * beside // HOPS, beside), _CHAIN_BEFORE)

    @classmethod
    def ahead(cls, settle_days: int) -> Reach:
        """After a payment, no further than a score may wait."""
        days = tuple(min(days, settle_days) * DAY_US for days in WINDOWS_DAYS)
        beside = min(WINDOW_DAYS, settle_days) * DAY_US
        return cls(days, beside, min(settle_days * DAY_US // HOPS, beside), _CHAIN_AFTER)


class Recent:
    """The payments of the last days; batches may be cut anywhere."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        windows = len(reach.windows_us)
        self._arrays: dict[str, Any] = {name: np.zeros(0, kind) for name, kind in _LOG.items()}
        self._arrays["links"] = np.zeros((0, 2), np.int64)
        self._arrays["chains"] = np.zeros((0, HOPS))
        self._used = 0
        self._base = 0
        """Number of the first payment of the log."""
        self._tails = np.zeros(windows, np.int64)
        """Where each window begins, as a place in the log."""
        self._sums: Int64 = np.zeros((windows, 2, 0), np.int64)
        self._counts: Int64 = np.zeros((windows, 2, 0), np.int64)
        self._heads: Int64 = np.zeros((2, 0), np.int64)

    def update(self, payments: Payments, strange: Float64) -> tuple[Float64, Float64]:
        """Add payments: (sums over the windows, eight columns each; what is beside each payment).

        ``strange``: as ``BehaviourFeatures.update`` gave it.
        """
        n = len(payments)
        sums, beside = [], np.zeros((n, LISTS * MEASURES + 1))
        self._room(payments.accounts(), n)
        first, end = self._used, self._used + n
        given = {
            "times": payments.time_us, "payers": payments.payer, "payees": payments.payee,
            "weights": np.round(strange * _WEIGHT).astype(np.int64),
            "currencies": payments.currency,
            "logs": np.log(np.maximum(payments.amount, 1).astype(np.float64)), "strange": strange,
        }  # fmt: skip
        for name, column in given.items():
            self._arrays[name][first:end] = column
        self._arrays["chains"][first:end] = 0.0
        self._used = end
        log = {name: array[:end] for name, array in self._arrays.items()}
        for k, window_us in enumerate(self._reach.windows_us):
            found, numbers = np.zeros((n, 4), np.int64), np.zeros((n, 4), np.int64)
            self._tails[k] = around(
                log["times"], log["payers"], log["payees"], log["weights"], first,
                int(self._tails[k]), window_us, self._sums[k], self._counts[k], found, numbers,
            )  # fmt: skip
            sums.append(_columns(found, numbers))
        measures = np.zeros((n, LISTS * MEASURES))
        nearby_kernel(
            log["times"], log["payers"], log["payees"], log["logs"], log["currencies"],
            log["strange"], log["links"], self._heads, first, self._base, self._reach.chain_list,
            self._reach.beside_us, self._reach.chain_us, ALIKE, LOOKED_AT_MAX, measures,
            log["chains"],
        )  # fmt: skip
        beside[:, :-1], beside[:, -1] = measures, log["chains"][first:, HOPS - 1]
        return np.hstack(sums), beside

    def _room(self, accounts: int, coming: int) -> None:
        have = self._heads.shape[1]
        if accounts > have:
            more = max(accounts, 2 * have) - have
            wide = ((0, 0), (0, 0), (0, more))
            self._sums, self._counts = np.pad(self._sums, wide), np.pad(self._counts, wide)
            self._heads = np.pad(self._heads, ((0, 0), (0, more)), constant_values=-1)
        capacity = len(self._arrays["times"])
        if self._used + coming <= capacity:
            return
        gone = int(self._tails.min())
        kept = self._used - gone
        capacity = max(capacity, _ROOM, 2 * (kept + coming))
        for name, array in self._arrays.items():
            moved = np.zeros((capacity, *array.shape[1:]), array.dtype)
            moved[:kept] = array[gone : self._used]
            self._arrays[name] = moved
        self._used, self._base = kept, self._base + gone
        self._tails -= gone

    def state(self) -> dict[str, Any]:
        """All state as arrays, for a snapshot."""
        gone = int(self._tails.min())
        made = {name: array[gone : self._used].copy() for name, array in self._arrays.items()}
        return {
            **made,
            "tails": np.append(self._tails - gone, self._base + gone),
            "sums": self._sums.copy(),
            "counts": self._counts.copy(),
            "heads": self._heads.copy(),
        }

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over ``state``; ``SnapshotError`` where arrays are missing or of another shape."""
        usable_state("recent payments", self.state(), arrays)
        self._arrays = {name: arrays[name].copy() for name in self._arrays}
        self._used = len(self._arrays["times"])
        self._tails, self._base = arrays["tails"][:-1].copy(), int(arrays["tails"][-1])
        self._sums, self._counts = arrays["sums"].copy(), arrays["counts"].copy()
        self._heads = arrays["heads"].copy()


def _columns(found: Int64, numbers: Int64) -> Float64:
    nats = found / _WEIGHT
    made = np.empty((len(found), 8))
    made[:, 0::2] = np.log1p(nats)
    made[:, 1::2] = nats / np.sqrt(numbers + 1.0)
    return made


def around_payments(
    payments: Payments, strange: Float64, settle_days: int
) -> tuple[Float64, Float64]:
    """What surrounds each payment and what is beside it: ``features_of`` without behaviour, and
    ``nearby_features``.

    What comes after is looked at for ``settle_days`` at most, so that a score is final once so many
    days have passed. Nothing outside ``payments`` is seen: training sees nothing of what follows.
    """
    sums, beside = Recent(Reach.back()).update(payments, strange)
    if not settle_days:
        return sums, beside
    later = Recent(Reach.ahead(settle_days))
    after, near = later.update(payments.reversed(), np.ascontiguousarray(strange[::-1]))
    return np.hstack([sums, after[::-1]]), np.hstack([beside, near[::-1]])
