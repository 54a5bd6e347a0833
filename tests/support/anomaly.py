"""Payments as the anomaly features take them, random ones and some that are written down."""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.anomaly.payments import Payments

DAY_US: Final = 86_400_000_000


def payments(count: int, seed: int, accounts: int = 30) -> Payments:
    """Random payments of a small circle, with cash among them."""
    drawn = np.random.default_rng(seed)
    times = np.sort(drawn.integers(0, 60 * DAY_US, count))
    payer, payee = drawn.integers(0, accounts, (2, count))
    payer = np.where(drawn.random(count) < 0.05, -1, payer)
    payee = np.where((drawn.random(count) < 0.05) & (payer >= 0), -1, payee)
    return Payments(
        time_us=times,
        payer=payer,
        payee=payee,
        amount=drawn.integers(1, 10**6, count),
        currency=drawn.integers(0, 3, count),
        channel=drawn.integers(0, 11, count),
        abroad=drawn.random(count) < 0.1,
        peer=drawn.integers(0, 3, count),
        hour=times // 3_600_000_000 % 24,
        payer_kind=np.where(payer < accounts // 2, 1, 2),
        payee_kind=np.where(payee < accounts // 2, 1, 2),
        payer_country=payer % 3,
        payee_country=payee % 3,
    )


def made_of(*rows: tuple[float, int, int, int]) -> Payments:
    """Payments from (day, payer, payee, amount)."""
    n = len(rows)
    zero = np.zeros(n, np.int64)
    times = np.array([round(row[0] * DAY_US) for row in rows])
    payer, payee, amount = (np.array([row[k] for row in rows], np.int64) for k in (1, 2, 3))
    return Payments(
        times, payer, payee, amount, zero, zero, np.zeros(n, bool), zero, zero + 12, zero, zero,
        zero, zero,
    )  # fmt: skip
