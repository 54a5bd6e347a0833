"""Sums over what an account pays and is paid in the days before each payment."""

from __future__ import annotations

from typing import Any

from regtech.columns.jit import kernel


@kernel
def around(
    times: Any, payers: Any, payees: Any, weights: Any, first: int, tail: int, window_us: int,
    sums: Any, counts: Any, out: Any, out_counts: Any,
) -> int:  # fmt: skip
    """Fill ``out`` for payments from ``first`` on with sums of ``weights`` of the payments before
    each of them within ``window_us``; returns the new tail.

    Columns: made by the payer, received by the payer, made by the payee, received by the payee;
    ``out_counts`` the numbers of these payments. ``weights`` are whole numbers, so that what was
    added is taken away exactly. ``sums`` and ``counts``, ``[2, accounts]``, hold the payments from
    ``tail`` up to ``first``. In reversed order it looks at what comes after.
    """
    for i in range(first, times.shape[0]):
        while tail < i and abs(times[i] - times[tail]) > window_us:
            if payers[tail] >= 0:
                sums[0, payers[tail]] -= weights[tail]
                counts[0, payers[tail]] -= 1
            if payees[tail] >= 0:
                sums[1, payees[tail]] -= weights[tail]
                counts[1, payees[tail]] -= 1
            tail += 1
        for side in range(2):
            account = payers[i] if side == 0 else payees[i]
            for direction in range(2):
                if account >= 0:
                    out[i - first, 2 * side + direction] = sums[direction, account]
                    out_counts[i - first, 2 * side + direction] = counts[direction, account]
                else:
                    out[i - first, 2 * side + direction] = 0
                    out_counts[i - first, 2 * side + direction] = 0
        if payers[i] >= 0:
            sums[0, payers[i]] += weights[i]
            counts[0, payers[i]] += 1
        if payees[i] >= 0:
            sums[1, payees[i]] += weights[i]
            counts[1, payees[i]] += 1
    return tail
