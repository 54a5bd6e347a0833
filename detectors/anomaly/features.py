"""Behaviour features as a stream, and what surrounds a payment once some days have passed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from detectors.anomaly.catalogue import AFTER, BEFORE, BEHAVIOUR, WINDOWS_DAYS, Feature
from detectors.anomaly.kernels.around import around
from detectors.anomaly.kernels.behaviour import (
    ACCOUNT_WORDS,
    CHANNELS,
    CURRENCIES,
    EMPTY,
    HABITS,
    NEVER,
    OWN,
    PEERS,
    SIDE_WORDS,
    behaviour,
    rehash,
)
from detectors.anomaly.payments import Float64, Int64, Payments
from regtech.errors import SnapshotError

DAY_US: Final = 86_400_000_000
_FIRST_PAIRS: Final = 1 << 12
_WEIGHT: Final = 1 << 20
"""Surprises become whole numbers, so that sums over windows are exact."""
_STATE: Final = ("sides", "accounts", "habits", "peers", "levels", "everyone", "keys", "pairs")


class BehaviourFeatures:
    """Each payment against the past: of its accounts, of the pair, of the accounts' peers.

    Payments come in order of time; batches may be cut anywhere. Memory is about 400 bytes an
    account and 24 to 72 bytes a pair that ever occurred.
    """

    def __init__(self) -> None:
        self._sides: Float64 = np.zeros((2, 0, SIDE_WORDS))
        self._accounts: Float64 = np.zeros((0, ACCOUNT_WORDS))
        self._habits: Float64 = np.zeros((0, HABITS))
        self._peers: Float64 = np.zeros((PEERS, HABITS + 3))
        self._levels: Float64 = np.zeros((CURRENCIES, 3))
        self._everyone: Float64 = np.zeros(2)
        self._keys: Int64 = np.full(_FIRST_PAIRS, EMPTY, np.int64)
        self._pairs: Float64 = np.zeros((_FIRST_PAIRS, 2))
        self._pair_count = 0

    def update(self, payments: Payments) -> tuple[Float64, Float64]:
        """Add payments; (features ``[n, len(BEHAVIOUR)]``, how strange both partners are ``[n]``).

        Raises ``ValueError`` where times fall or codes are out of their bounds.
        """
        _check(payments)
        n = len(payments)
        out, strange = np.zeros((n, OWN)), np.zeros(n)
        if not n:
            return out, strange
        self._room(payments.accounts(), n)
        logs = np.log(np.maximum(payments.amount, 1).astype(np.float64))
        self._pair_count += behaviour(
            payments.time_us, payments.payer, payments.payee, logs, payments.currency,
            payments.channel, payments.abroad, payments.peer, payments.hour, self._sides,
            self._accounts, self._habits, self._peers, self._levels, self._everyone, self._keys,
            self._pairs, out, strange,
        )  # fmt: skip
        return out, strange

    def _room(self, accounts: int, coming: int) -> None:
        have = len(self._accounts)
        if accounts > have:
            more = max(accounts, 2 * have) - have
            self._sides = np.concatenate([self._sides, _empty_sides(more)], axis=1)
            fresh = np.full((more, ACCOUNT_WORDS), NEVER)
            self._accounts = np.concatenate([self._accounts, fresh])
            self._habits = np.concatenate([self._habits, np.zeros((more, HABITS))])
        pairs = self._pair_count + coming
        if 2 * pairs > len(self._keys):
            size = 1 << (2 * pairs).bit_length()
            keys, values = np.full(size, EMPTY, np.int64), np.zeros((size, 2))
            rehash(self._keys, self._pairs, keys, values)
            self._keys, self._pairs = keys, values

    def state(self) -> dict[str, Any]:
        """All state as arrays, for a snapshot."""
        return {name: getattr(self, f"_{name}").copy() for name in _STATE}

    def restore(self, arrays: dict[str, Any]) -> None:
        """Take over ``state``; ``SnapshotError`` where arrays are missing or of another shape."""
        for name in _STATE:
            mine, given = getattr(self, f"_{name}"), arrays.get(name)
            if given is None or given.ndim != mine.ndim or given.dtype != mine.dtype:
                raise SnapshotError(f"the state of behaviour features has no usable {name!r}")
        for name in _STATE:
            setattr(self, f"_{name}", arrays[name].copy())
        self._pair_count = int((self._keys != EMPTY).sum())


def _empty_sides(count: int) -> Float64:
    made = np.zeros((2, count, SIDE_WORDS))
    made[:, :, 4] = made[:, :, 9] = NEVER
    return made


def _check(payments: Payments) -> None:
    if len(payments) > 1 and (np.diff(payments.time_us) < 0).any():
        raise ValueError("payments must come in order of time")
    for name, bound in (
        ("currency", CURRENCIES), ("channel", CHANNELS), ("peer", PEERS), ("hour", 24),
    ):  # fmt: skip
        values = getattr(payments, name)
        if len(values) and (values.min() < 0 or values.max() >= bound):
            raise ValueError(f"{name} must be from 0 to {bound - 1}")


def surroundings(payments: Payments, strange: Float64, settle_days: int) -> Float64:
    """What surrounds each payment: the columns ``BEFORE``, and ``AFTER`` where days are given.

    ``strange``: as ``BehaviourFeatures.update`` gave it. What comes after is looked at for
    ``settle_days`` at most, so that a score is final once so many days have passed. Nothing outside
    ``payments`` is seen: training sees nothing of what follows it.
    """
    weights = np.round(strange * _WEIGHT).astype(np.int64)
    parts = []
    for backward in (False, True) if settle_days else (False,):
        for days in WINDOWS_DAYS:
            window = min(days, settle_days) if backward else days
            parts.append(_window(payments, weights, window * DAY_US, backward))
    return np.hstack(parts)


def _window(payments: Payments, weights: Int64, window_us: int, backward: bool) -> Float64:
    n, accounts = len(payments), payments.accounts()
    sums, counts = np.zeros((2, accounts), np.int64), np.zeros((2, accounts), np.int64)
    found, numbers = np.zeros((n, 4), np.int64), np.zeros((n, 4), np.int64)
    around(
        payments.time_us, payments.payer, payments.payee, weights, window_us, backward, sums,
        counts, found, numbers,
    )  # fmt: skip
    nats = found / _WEIGHT
    made = np.empty((n, 8))
    made[:, 0::2] = np.log1p(nats)
    made[:, 1::2] = nats / np.sqrt(numbers + 1.0)
    return made


def features_of(settle_days: int) -> tuple[Feature, ...]:
    """The features there are: behaviour, what came before, and what comes after."""
    return (*BEHAVIOUR, *BEFORE, *(AFTER if settle_days else ()))
