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
def _place(items: Any, low: Any, high: Any, wanted: Any) -> Any:
    """The first place in a rising list from which on numbers are at least ``wanted``."""
    while low < high:
        middle = (low + high) // 2
        if items[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@inline_kernel
def _list(
    i: Any, starts: Any, items: Any, account: Any, later: bool, times: Any, logs: Any,
    currencies: Any, weights: Any, window_us: Any, chain_us: Any, alike: Any, most: Any, row: Any,
    at: Any, chained: bool, chains: Any,
) -> None:  # fmt: skip
    """Fill the measures of one list, from the payment away; where ``chained`` its chains too."""
    low, high = starts[account], starts[account + 1]
    place, step = _place(items, low, high, i), 1
    if later:
        if place < high and items[place] == i:
            place += 1
    else:
        place, step = place - 1, -1
    count, near, first, second, third, strange = 0, 0, 0.0, 0.0, 0.0, 0.0
    while count < most and low <= place < high:
        other = items[place]
        away = abs(times[i] - times[other])
        if away > window_us:
            break
        count += 1
        weight = weights[other]
        if weight > first:
            first, second, third = weight, first, second
        elif weight > second:
            second, third = weight, second
        elif weight > third:
            third = weight
        if currencies[other] == currencies[i] and abs(logs[other] - logs[i]) < alike:
            near += 1
            strange += weight
            if chained and away <= chain_us:
                chains[i, 0] = max(chains[i, 0], weight)
                for hop in range(1, HOPS):
                    more = weight + _FADES * chains[other, hop - 1]
                    chains[i, hop] = max(chains[i, hop], more)
        place += step
    row[at], row[at + 1], row[at + 2] = first, second + third, near
    row[at + 3], row[at + 4] = strange, log(1.0 + count)


@kernel
def nearby(
    times: Any, payers: Any, payees: Any, logs: Any, currencies: Any, weights: Any, out_starts: Any,
    out_items: Any, in_starts: Any, in_items: Any, later: bool, window_us: int, chain_us: int,
    alike: float, most: int, out: Any, chains: Any,
) -> None:  # fmt: skip
    """Fill ``out``: ``MEASURES`` of what payer and payee made and received, ``LISTS`` of them.

    ``later``: of what follows within ``window_us``, else of what came before. At most ``most``
    payments of an account are looked at. ``chains[i, k]``, zero before: the strangest chain of up
    to ``k + 1`` alike payments that leads to the payment (or on from it), each within ``chain_us``
    of the next.
    """
    n = times.shape[0]
    for k in range(n):
        i = n - 1 - k if later else k
        for side in range(LISTS):
            account = payers[i] if side < 2 else payees[i]
            if account < 0:
                continue
            made = side % 2 == 0
            starts = out_starts if made else in_starts
            items = out_items if made else in_items
            # A chain comes in to the payer, and goes on from the payee.
            chained = side == 2 if later else side == 1
            _list(
                i, starts, items, account, later, times, logs, currencies, weights, window_us,
                chain_us, alike, most, out[i], side * MEASURES, chained, chains,
            )  # fmt: skip
