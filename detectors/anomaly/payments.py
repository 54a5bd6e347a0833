"""Payments as the anomaly features take them: columns in order of time."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Payments:
    """Columns of one length. Codes count from 0; an account is -1 where there is none (cash).

    ``amount``: minor units of ``currency``. ``peer``: code of the actor's peer group, below 64.
    ``hour``: of the clock of who acts. ``abroad``: whether the other side is in another country.
    ``payer_kind`` and ``payee_kind``: 0 not known, 1 a person, 2 an entity, above that another.
    Countries are -1 where not known.
    """

    time_us: Int64
    payer: Int64
    payee: Int64
    amount: Int64
    currency: Int64
    channel: Int64
    abroad: npt.NDArray[np.bool_]
    peer: Int64
    hour: Int64
    payer_kind: Int64
    payee_kind: Int64
    payer_country: Int64
    payee_country: Int64

    def __len__(self) -> int:
        return len(self.time_us)

    def part(self, start: int, end: int) -> Payments:
        """The payments from one place up to before another."""
        return Payments(*(getattr(self, field.name)[start:end] for field in fields(Payments)))

    def reversed(self) -> Payments:
        """The payments from the last to the first."""
        return Payments(
            *(np.ascontiguousarray(getattr(self, field.name)[::-1]) for field in fields(Payments))
        )

    def accounts(self) -> int:
        """One more than the largest code of an account."""
        return int(max(self.payer.max(initial=-1), self.payee.max(initial=-1))) + 1


def joined(one: Payments, two: Payments) -> tuple[Payments, Int64]:
    """Both in order of time, of equal times ``one`` first; and from where each payment came, the
    places of ``two`` counted after those of ``one``."""
    times = np.concatenate([one.time_us, two.time_us])
    order = np.argsort(times, kind="stable")
    columns = (
        np.concatenate([getattr(one, field.name), getattr(two, field.name)])[order]
        for field in fields(Payments)
    )
    return Payments(*columns), order


def runs(values: Int64) -> list[tuple[int, int, int]]:
    """Stretches of equal values: (value, start, end)."""
    if not len(values):
        return []
    starts = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist()]
    return [
        (int(values[start]), start, end)
        for start, end in zip(starts, [*starts[1:], len(values)], strict=True)
    ]
