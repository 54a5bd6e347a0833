"""Payments as columns, before they are events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from regtech.sandbox.simulate.numbers import Int64

WAYS: Final = (
    ("transfer", "payment"),
    ("card", "purchase"),
    ("cash", "deposit"),
    ("cash", "withdrawal"),
    ("wire", "remittance"),
    ("bill", "payment"),
    ("cheque", "payment"),
    ("internal", "payment"),
    ("transfer", "refund"),
)
TRANSFER, CARD, DEPOSIT, WITHDRAWAL, WIRE, BILL, CHEQUE, INTERNAL, REFUND = range(len(WAYS))
NOBODY: Final = -1
"""The other side of cash."""
BACKGROUND: Final = -1
"""The attempt of a payment that belongs to none."""


@dataclass(slots=True)
class Flows:
    """Payments: microseconds since the first day, accounts, hundredths, way, attempt.

    All columns are as long as each other. A payer or payee is ``NOBODY`` where cash is.
    """

    us: Int64
    payer: Int64
    payee: Int64
    amount: Int64
    way: Int64
    attempt: Int64

    def __len__(self) -> int:
        return len(self.us)

    def take(self, places: Int64) -> Flows:
        """The payments at some places, in that order."""
        return Flows(*(getattr(self, field.name)[places] for field in fields(Flows)))

    def in_order(self) -> Flows:
        """By time; of equal times the parties decide, so that no order of making shows."""
        return self.take(np.lexsort((self.amount, self.payee, self.payer, self.us)))


def flows(us: Int64, payer: Int64, payee: Int64, amount: Int64, way: Int64 | int) -> Flows:
    """Payments of the background."""
    ways = np.broadcast_to(np.asarray(way, np.int64), us.shape).copy()
    return Flows(us, payer, payee, amount, ways, np.full(len(us), BACKGROUND))


def together(parts: Sequence[Flows]) -> Flows:
    """Several as one, one after the other."""
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Flows))
    return Flows(*(np.concatenate(column) for column in columns))
