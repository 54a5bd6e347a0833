"""A payment against the past of its two accounts, of the pair, and of the accounts' peers.

State per account and direction (0 pays, 1 is paid), all in order of time:

    totals    payments, of these to new partners, sum and sum of squares of the log amount
    fading    the first two again, fading with a half-life of two and of fourteen days
    habits    of each account: hours in eight parts of the day, channels, other side's countries

An account that is seldom seen is judged by its peers too: their counts stand in for a few of its
own. The payment itself is added after it was compared.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import Any, Final

from detectors.anomaly.kernels.pairs import EMPTY, slot
from regtech.columns.jit import inline_kernel, kernel

DAY_US: Final = 86_400_000_000.0
HALF_DAYS: Final = 2.0 * DAY_US
HALF_WEEKS: Final = 14.0 * DAY_US
_MEAN_LIFE: Final = 1.4426950408889634  # of a half-life: 1 / ln 2
HOURS: Final = 8
CHANNELS: Final = 12
PEERS: Final = 64
CURRENCIES: Final = 256
HABITS: Final = HOURS + CHANNELS + 2
# Columns of the state of an account and direction.
COUNT, NEW, SUM, SQUARES, LAST, DAYS_ALL, DAYS_NEW, WEEKS_ALL, WEEKS_NEW, FADED_AT = range(10)
SIDE_WORDS: Final = 10
# Columns of the state of an account alone.
FIRST, IN_AT, IN_LOG, IN_STRANGE = range(4)
ACCOUNT_WORDS: Final = 4
# Columns of the state of a pair.
PAIR_COUNT, PAIR_SUM = range(2)
NEVER: Final = -1.0
OWN: Final = 34
_PRIOR: Final = 4.0
_MEDIAN_SPREAD: Final = 0.05


@inline_kernel(inner=True)
def _fade(sides: Any, account: int, direction: int, time: float) -> None:
    state = sides[direction, account]
    if state[FADED_AT] >= 0.0:
        passed = time - state[FADED_AT]
        days, weeks = 2.0 ** (-passed / HALF_DAYS), 2.0 ** (-passed / HALF_WEEKS)
        state[DAYS_ALL] *= days
        state[DAYS_NEW] *= days
        state[WEEKS_ALL] *= weeks
        state[WEEKS_NEW] *= weeks
    state[FADED_AT] = time


@inline_kernel(inner=True)
def _excess(seen: float, total: float, age: float, half: float) -> float:
    """How many standard deviations a fading count is above what its whole life lets expect."""
    expected = total / age * min(half * _MEAN_LIFE, age)
    return (seen - expected) / sqrt(expected + 1.0)


@inline_kernel
def _side(
    row: Any, at: int, sides: Any, accounts: Any, account: int, direction: int, time: float,
    log_amount: float, new: bool, known_back: bool, new_share: float, mean: float, spread: float,
) -> float:  # fmt: skip
    """Fill the eight columns of one side; the surprise at a new partner (0 for a known one)."""
    state, other = sides[direction, account], sides[1 - direction, account]
    one = 1.0 if new else 0.0
    share = (state[NEW] + _PRIOR * new_share) / (state[COUNT] + _PRIOR)
    surprise = -log(min(share, 1.0)) if new else 0.0
    # Who has been paid by someone and pays back has no new partner, or only half.
    row[at] = surprise * 0.5 if known_back else surprise
    age = max(time - accounts[account, FIRST], DAY_US)
    row[at + 1] = _excess(state[DAYS_ALL] + 1.0, state[COUNT], age, HALF_DAYS)
    row[at + 2] = _excess(state[DAYS_NEW] + one, state[NEW], age, HALF_DAYS)
    row[at + 3] = _excess(state[WEEKS_ALL] + 1.0, state[COUNT], age, HALF_WEEKS)
    row[at + 4] = _excess(state[WEEKS_NEW] + one, state[NEW], age, HALF_WEEKS)
    row[at + 5] = _excess(other[DAYS_NEW], other[NEW], age, HALF_DAYS)
    count = state[COUNT] + 3.0
    usual = (state[SUM] + 3.0 * mean) / count
    around = (state[SQUARES] + 3.0 * (spread + mean * mean)) / count - usual * usual
    row[at + 6] = abs(log_amount - usual) / sqrt(max(around, 0.02))
    if state[LAST] >= 0.0:
        row[at + 7] = log(1.0 + (time - state[LAST]) * max(state[COUNT], 1.0) / age)
    return 0.0 if known_back else surprise


@inline_kernel(inner=True)
def _surprise(own: float, own_all: float, peers: float, peers_all: float) -> float:
    return -log((own + _PRIOR * (peers + 0.5) / (peers_all + 4.0)) / (own_all + _PRIOR))


@kernel
def behaviour(
    times: Any, payers: Any, payees: Any, log_amounts: Any, currencies: Any, channels: Any,
    abroad: Any, peers_of: Any, hours: Any, sides: Any, accounts: Any, habits: Any, peers: Any,
    levels: Any, everyone: Any, keys: Any, pairs: Any, out: Any, strange: Any,
) -> int:  # fmt: skip
    """Compare payments with the past and add them to it.

    ``out`` gets ``OWN`` columns a payment, ``strange`` the surprise at both sides' new partner.
    ``levels[currency]``: count, sum and squares of log amounts; ``peers[peer]``: the habits of an
    account and the same three; ``everyone``: payments, of these of new pairs. Returns how many
    pairs are new.
    """
    added = 0
    for i in range(times.shape[0]):
        time = float(times[i])
        payer, payee, currency = payers[i], payees[i], currencies[i]
        row = out[i]
        row[:] = 0.0
        level = levels[currency]
        x = log_amounts[i] - (level[1] / level[0] if level[0] > 0.0 else log_amounts[i])
        both = payer >= 0 and payee >= 0
        place, back = -1, False
        new = False
        if both:
            place = slot(keys, payer, payee)
            new = keys[place] == EMPTY
            back = keys[slot(keys, payee, payer)] != EMPTY
        peer = peers_of[i]
        group = peers[peer]
        number = group[HABITS]
        mean = group[HABITS + 1] / number if number > 0.0 else 0.0
        spread = 1.0
        if number > 0.0:
            spread = max(group[HABITS + 2] / number - mean * mean, _MEDIAN_SPREAD)
        new_share = (everyone[1] + 1.0) / (everyone[0] + 4.0)
        out_strange = in_strange = 0.0
        if payer >= 0:
            if accounts[payer, FIRST] < 0.0:
                accounts[payer, FIRST] = time
            _fade(sides, payer, 0, time)
            _fade(sides, payer, 1, time)
            out_strange = _side(row, 0, sides, accounts, payer, 0, time, x, new, back, new_share,
                                mean, spread)  # fmt: skip
        if payee >= 0:
            if accounts[payee, FIRST] < 0.0:
                accounts[payee, FIRST] = time
            _fade(sides, payee, 0, time)
            _fade(sides, payee, 1, time)
            in_strange = _side(row, 8, sides, accounts, payee, 1, time, x, new, back, new_share,
                               mean, spread)  # fmt: skip
        strange[i] = out_strange + in_strange
        # Habits are those of who acts: the payer, or who pays cash in.
        actor = payer if payer >= 0 else payee
        hour, channel = hours[i] * HOURS // 24, channels[i]
        land = HOURS + CHANNELS + (1 if abroad[i] else 0)
        if actor >= 0:
            habit = habits[actor]
            acted = 0.0
            for k in range(HOURS):
                acted += habit[k]
            row[16] = _surprise(habit[hour], acted, group[hour], number)
            row[17] = _surprise(habit[HOURS + channel], acted, group[HOURS + channel], number)
            row[18] = _surprise(habit[land], acted, group[land], number)
            row[19] = abs(x - mean) / sqrt(spread)
        if place >= 0 and not new:
            row[20] = abs(x - pairs[place, PAIR_SUM] / pairs[place, PAIR_COUNT])
        if payer >= 0 and accounts[payer, IN_AT] >= 0.0:
            passed = (time - accounts[payer, IN_AT]) / HALF_DAYS
            row[21] = exp(-passed) * exp(-4.0 * abs(x - accounts[payer, IN_LOG]))
            row[22] = row[21] * accounts[payer, IN_STRANGE]
        row[23] = out_strange + in_strange
        row[24] = min(out_strange, in_strange)
        if payer >= 0:
            row[25] = log(1.0 + sides[0, payer, COUNT])
            row[26] = log(1.0 + sides[1, payer, COUNT])
            row[31] = (time - accounts[payer, FIRST]) / DAY_US
        if payee >= 0:
            row[27] = log(1.0 + sides[1, payee, COUNT])
            row[28] = log(1.0 + sides[0, payee, COUNT])
            row[32] = (time - accounts[payee, FIRST]) / DAY_US
        if place >= 0:
            row[29] = 0.0 if new else log(1.0 + pairs[place, PAIR_COUNT])
        row[30] = 1.0 if back else 0.0
        row[33] = x

        everyone[0] += 1.0
        level[0] += 1.0
        level[1] += log_amounts[i]
        group[HABITS] += 1.0
        group[HABITS + 1] += x
        group[HABITS + 2] += x * x
        group[hour] += 1.0
        group[HOURS + channel] += 1.0
        group[land] += 1.0
        if actor >= 0:
            habits[actor, hour] += 1.0
            habits[actor, HOURS + channel] += 1.0
            habits[actor, land] += 1.0
        if place >= 0:
            if new:
                keys[place] = (payer << 32) | payee
                added += 1
                everyone[1] += 1.0
            pairs[place, PAIR_COUNT] += 1.0
            pairs[place, PAIR_SUM] += x
        for direction in range(2):
            account = payer if direction == 0 else payee
            if account < 0:
                continue
            state = sides[direction, account]
            state[COUNT] += 1.0
            state[SUM] += x
            state[SQUARES] += x * x
            state[LAST] = time
            state[DAYS_ALL] += 1.0
            state[WEEKS_ALL] += 1.0
            if new:
                state[NEW] += 1.0
                state[DAYS_NEW] += 1.0
                state[WEEKS_NEW] += 1.0
        if both:
            accounts[payee, IN_AT] = time
            accounts[payee, IN_LOG] = x
            accounts[payee, IN_STRANGE] = out_strange + in_strange
    return added
