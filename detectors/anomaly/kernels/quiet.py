"""Which of the payments beyond a level are told: not those of accounts that were told of lately."""

from __future__ import annotations

from typing import Any, Final

from regtech.columns.jit import kernel

NEVER: Final = -(1 << 62)


@kernel
def told(
    times: Any, payers: Any, payees: Any, scores: Any, level: int, quiet_us: int, last: Any,
    out: Any,
) -> int:  # fmt: skip
    """Mark in ``out`` which payments above ``level`` are told; returns how many.

    ``last[account]``: when the account last had a payment above the level, ``NEVER`` at first.
    Within ``quiet_us`` of it another one of either account is not told, and prolongs the silence.
    """
    count = 0
    for i in range(times.shape[0]):
        out[i] = False
        if scores[i] <= level:
            continue
        silent = False
        for side in range(2):
            account = payers[i] if side == 0 else payees[i]
            if account >= 0:
                silent = silent or times[i] - last[account] <= quiet_us
                last[account] = times[i]
        if not silent or quiet_us <= 0:
            out[i] = True
            count += 1
    return count
