"""Behaviour features as a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from detectors.anomaly.kernels.behaviour import (
    ACCOUNT_WORDS,
    CHANNELS,
    CURRENCIES,
    HABITS,
    NEVER,
    OWN,
    PEERS,
    SIDE_WORDS,
    behaviour,
)
from detectors.anomaly.pairs import PairTable
from detectors.anomaly.payments import Float64, Payments
from regtech.errors import SnapshotError

_STATE: Final = ("sides", "accounts", "habits", "peers", "levels", "everyone")


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
        self._pairs = PairTable(2)

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
        pairs = self._pairs
        pairs.count += behaviour(
            payments.time_us, payments.payer, payments.payee, logs, payments.currency,
            payments.channel, payments.abroad, payments.peer, payments.hour, self._sides,
            self._accounts, self._habits, self._peers, self._levels, self._everyone, pairs.keys,
            pairs.values, out, strange,
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
        self._pairs.room(coming)

    def state(self) -> dict[str, Any]:
        """All state as arrays, for a snapshot."""
        made = {name: getattr(self, f"_{name}").copy() for name in _STATE}
        return {**made, **self._pairs.state()}

    def restore(self, arrays: dict[str, Any]) -> None:
        """Take over ``state``; ``SnapshotError`` where arrays are missing or of another shape."""
        usable_state("behaviour features", self.state(), arrays)
        for name in _STATE:
            setattr(self, f"_{name}", arrays[name].copy())
        self._pairs.restore(arrays)


def usable_state(of: str, mine: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """``SnapshotError`` where arrays of a state are missing or of another kind than ``mine``."""
    for name, array in mine.items():
        given = arrays.get(name)
        if given is None or given.ndim != array.ndim or given.dtype != array.dtype:
            raise SnapshotError(f"the state of {of} has no usable {name!r}")


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
