"""A payment against what its two accounts, the pair and such pairs of kinds do as a rule.

All state is of the past: the payment is compared first and counted afterwards. Columns of ``out``
are those of ``detectors.anomaly.usage.USAGE``.
"""

from __future__ import annotations

from math import log
from typing import Any, Final

from detectors.anomaly.kernels.behaviour import CHANNELS
from detectors.anomaly.kernels.pairs import EMPTY, slot
from regtech.columns.jit import inline_kernel, kernel

KINDS: Final = 6
ENTITY: Final = 2
DAY_US: Final = 86_400_000_000.0
LATEST: Final = 8
"""Amounts of an account that are remembered."""
# Columns of what is known of an account and direction.
PAYMENTS, ROUND, ENTITIES, PARTNERS, TURNED, CHANNEL = range(6)
SIDE_WORDS: Final = 5 + CHANNELS
# Columns of what is known of a pair.
COUNT, FIRST, LAST, SAME, AMOUNT = range(5)
PAIR_WORDS: Final = 5
_ZEROS_MAX: Final = 6
_PRIOR: Final = 4.0
WAYS_PRIOR: Final = 0.1
"""Payments of a channel between kinds of parties before any was seen."""


@inline_kernel(inner=True)
def _roundness(amount: Any) -> Any:
    """Zeros at the end of an amount; a five before them counts a half."""
    zeros, rest = 0.0, amount
    while rest > 0 and rest % 10 == 0 and zeros < _ZEROS_MAX:
        rest //= 10
        zeros += 1.0
    return zeros + 0.5 if rest % 5 == 0 else zeros


@inline_kernel
def _alone(row: Any, at: Any, one: Any, other: Any, way: Any, roundness: Any) -> None:
    """What can be said of one side without the other: share, channel, roundness."""
    row[at] = one[PAYMENTS] / (one[PAYMENTS] + other[PAYMENTS] + 1.0)
    row[at + 1] = -log((one[CHANNEL + way[0]] + _PRIOR * way[1]) / (one[PAYMENTS] + _PRIOR))
    row[at + 2] = roundness - (one[ROUND] + 2.0) / (one[PAYMENTS] + 2.0)


@inline_kernel(inner=True)
def _kind_surprise(one: Any, entity: bool) -> Any:
    share = (one[ENTITIES] + 1.0) / (one[PAYMENTS] + 2.0)
    return -log(share) if entity else -log(1.0 - share)


@inline_kernel
def _count(one: Any, channel: Any, roundness: Any, entity: bool) -> None:
    one[PAYMENTS] += 1.0
    one[ROUND] += roundness
    one[CHANNEL + channel] += 1.0
    if entity:
        one[ENTITIES] += 1.0


@kernel
def usage(
    times: Any, payers: Any, payees: Any, amounts: Any, channels: Any, payer_kinds: Any,
    payee_kinds: Any, keys: Any, pairs: Any, sides: Any, latest: Any, ways: Any, everyone: Any,
    out: Any,
) -> int:  # fmt: skip
    """Fill ``out``; returns how many pairs are new.

    ``pairs``: rows of the pairs in ``keys``. At first ``sides[direction, account]`` are zero,
    ``latest[account]`` -1, ``ways[kind, kind, channel]`` ``WAYS_PRIOR``; ``everyone``: turned
    pairs, pairs.
    """
    added = 0
    for i in range(times.shape[0]):
        a, b, amount, channel, row = payers[i], payees[i], amounts[i], channels[i], out[i]
        roundness = _roundness(amount)
        usual = ways[payer_kinds[i], payee_kinds[i]]
        part = usual[channel] / usual.sum()
        row[0], row[1], row[2] = roundness, channel, payer_kinds[i] * KINDS + payee_kinds[i]
        row[3] = -log(part)
        both = a >= 0 and b >= 0
        to_entity, from_entity = payee_kinds[i] == ENTITY, payer_kinds[i] == ENTITY
        if a >= 0:
            _alone(row, 4, sides[0, a], sides[1, a], (channel, part), roundness)
            if both:
                row[7] = _kind_surprise(sides[0, a], to_entity)
            for k in range(LATEST):
                if latest[a, k] == amount:
                    row[8] = 1.0
            latest[a, int(sides[0, a, PAYMENTS]) % LATEST] = amount
        if b >= 0:
            _alone(row, 9, sides[1, b], sides[0, b], (channel, part), roundness)
            if both:
                row[12] = _kind_surprise(sides[1, b], from_entity)
        if both:
            out_side, in_side, pair = sides[0, a], sides[1, b], pairs[slot(keys, a, b)]
            before = pair[COUNT]
            other = slot(keys, b, a)
            back = pairs[other, COUNT] if keys[other] != EMPTY else 0.0
            against = before == 0.0 and back > 0.0
            row[13], row[14] = before, back
            if against:
                share = _PRIOR * (everyone[0] + 1.0) / (everyone[1] + 10.0)
                row[15] = -log((out_side[TURNED] + share) / (out_side[PARTNERS] + _PRIOR))
                row[16] = -log((in_side[TURNED] + share) / (in_side[PARTNERS] + _PRIOR))
            row[17] = -1.0
            if before > 0.0:
                gap = (times[i] - pair[LAST]) / DAY_US
                row[17] = log(1.0 + gap)
                if before > 1.0:
                    mean = (pair[LAST] - pair[FIRST]) / DAY_US / (before - 1.0)
                    row[18] = log((gap + 0.5) / (mean + 0.5))
                row[19] = pair[SAME] / before
                row[20] = 1.0 if pair[AMOUNT] == amount else 0.0
            row[21], row[22] = log(1.0 + out_side[PARTNERS]), log(1.0 + in_side[PARTNERS])
            row[23] = out_side[PARTNERS] / (out_side[PAYMENTS] + 1.0)
            row[24] = in_side[PARTNERS] / (in_side[PAYMENTS] + 1.0)
            row[25] = log(1.0 + sides[1, a, PARTNERS])
            row[26] = log(1.0 + sides[0, b, PARTNERS])
            if before == 0.0:
                keys[slot(keys, a, b)] = (a << 32) | b
                added += 1
                pair[FIRST] = times[i]
                out_side[PARTNERS] += 1.0
                in_side[PARTNERS] += 1.0
                everyone[1] += 1.0
                if against:
                    out_side[TURNED] += 1.0
                    in_side[TURNED] += 1.0
                    everyone[0] += 1.0
            elif pair[AMOUNT] == amount:
                pair[SAME] += 1.0
            pair[AMOUNT], pair[LAST] = amount, times[i]
            pair[COUNT] += 1.0
        usual[channel] += 1.0
        if a >= 0:
            _count(sides[0, a], channel, roundness, to_entity)
        if b >= 0:
            _count(sides[1, b], channel, roundness, from_entity)
    return added
