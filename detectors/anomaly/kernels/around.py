"""Sums over what an account pays and is paid in the days before or after each payment."""

from __future__ import annotations

from typing import Any

from regtech.columns.jit import kernel


@kernel
def around(
    times: Any, payers: Any, payees: Any, weights: Any, window_us: int, backward: bool, sums: Any,
    counts: Any, out: Any, out_counts: Any,
) -> None:  # fmt: skip
    """Fill ``out[i]`` with sums of ``weights`` of other payments within ``window_us`` of payment i.

    Columns: made by the payer, received by the payer, made by the payee, received by the payee;
    ``out_counts`` the numbers of these payments. ``backward`` looks at what comes after; of equal
    times, what comes later in order. ``weights`` are whole numbers, so that what was added is taken
    away exactly. ``sums`` and ``counts``, ``[2, accounts]``, are zero before.
    """
    n = times.shape[0]
    tail = 0
    for k in range(n):
        i = n - 1 - k if backward else k
        while tail < k:
            j = n - 1 - tail if backward else tail
            if abs(times[i] - times[j]) <= window_us:
                break
            if payers[j] >= 0:
                sums[0, payers[j]] -= weights[j]
                counts[0, payers[j]] -= 1
            if payees[j] >= 0:
                sums[1, payees[j]] -= weights[j]
                counts[1, payees[j]] -= 1
            tail += 1
        for side in range(2):
            account = payers[i] if side == 0 else payees[i]
            for direction in range(2):
                if account >= 0:
                    out[i, 2 * side + direction] = sums[direction, account]
                    out_counts[i, 2 * side + direction] = counts[direction, account]
                else:
                    out[i, 2 * side + direction] = 0
                    out_counts[i, 2 * side + direction] = 0
        if payers[i] >= 0:
            sums[0, payers[i]] += weights[i]
            counts[0, payers[i]] += 1
        if payees[i] >= 0:
            sums[1, payees[i]] += weights[i]
            counts[1, payees[i]] += 1
