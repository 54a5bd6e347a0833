"""What stands beside a payment at its two accounts: the strangest, the alike, and chains."""

from __future__ import annotations

from math import log
from typing import Any, Final

from regtech.columns.jit import inline_kernel, kernel

MEASURES: Final = 5
"""Of each list: strangest, the next two together, how many alike, how strange these, how many."""
LISTS: Final = 4
HOPS: Final = 3
"""Payments of the longest chain before, or after, a payment."""
_FADES: Final = 0.9


@inline_kernel
def _list(
    i: Any, other: Any, links: Any, direction: Any, base: Any, times: Any, logs: Any,
    currencies: Any, weights: Any, window_us: Any, chain_us: Any, alike: Any, most: Any, row: Any,
    at: Any, chained: bool, chains: Any,
) -> None:  # fmt: skip
    """Fill the measures of one list, from the payment away; where ``chained`` its chains too."""
    count, near, first, second, third, strange = 0, 0, 0.0, 0.0, 0.0, 0.0
    while other >= base and count < most:
        place = other - base
        away = abs(times[i] - times[place])
        if away > window_us:
            break
        count += 1
        weight = weights[place]
        if weight > first:
            first, second, third = weight, first, second
        elif weight > second:
            second, third = weight, second
        elif weight > third:
            third = weight
        if currencies[place] == currencies[i] and abs(logs[place] - logs[i]) < alike:
            near += 1
            strange += weight
            if chained and away <= chain_us:
                chains[i, 0] = max(chains[i, 0], weight)
                for hop in range(1, HOPS):
                    more = weight + _FADES * chains[place, hop - 1]
                    chains[i, hop] = max(chains[i, hop], more)
        other = links[place, direction]
    row[at], row[at + 1], row[at + 2] = first, second + third, near
    row[at + 3], row[at + 4] = strange, log(1.0 + count)


@kernel
def nearby(
    times: Any, payers: Any, payees: Any, logs: Any, currencies: Any, weights: Any, links: Any,
    heads: Any, first: int, base: int, chain_side: int, window_us: int, chain_us: int,
    alike: float, most: int, out: Any, chains: Any,
) -> None:  # fmt: skip
    """Fill ``out`` for payments from ``first`` on: ``MEASURES`` of what payer and payee made and
    received within ``window_us`` before, ``LISTS`` of them; in reversed order, after.

    Payments are numbered, the first of the arrays is ``base``. ``heads[direction, account]`` is the
    number of the account's last payment, ``links[place, direction]`` that of the one before it; -1
    for none. At most ``most`` payments of an account are looked at. ``chains[i, k]``, zero before:
    the strangest chain of up to ``k + 1`` alike payments in the list ``chain_side``, each within
    ``chain_us`` of the next.
    """
    for i in range(first, times.shape[0]):
        for side in range(LISTS):
            account = payers[i] if side < 2 else payees[i]
            if account < 0:
                continue
            direction = side % 2
            _list(
                i, heads[direction, account], links, direction, base, times, logs, currencies,
                weights, window_us, chain_us, alike, most, out[i - first], side * MEASURES,
                side == chain_side, chains,
            )  # fmt: skip
        for direction in range(2):
            account = payers[i] if direction == 0 else payees[i]
            if account >= 0:
                links[i, direction] = heads[direction, account]
                heads[direction, account] = base + i
