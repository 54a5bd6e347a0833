"""What no calendar asks for: shopping, friends, strangers, cash, refunds, expenses.

It fills the background up to the number of payments that was asked for.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from regtech.sandbox.laundering.flows import (
    BILL,
    CARD,
    DEPOSIT,
    NOBODY,
    REFUND,
    TRANSFER,
    WIRE,
    WITHDRAWAL,
    Flows,
    flows,
    together,
)
from regtech.sandbox.laundering.world import (
    BROAD,
    FIRM,
    HUB,
    PERSON,
    SHOP,
    WIDE,
    World,
    around,
)
from regtech.sandbox.simulate.numbers import Int64, Numbers

PIECE: Final = 1 << 18
(
    _HABIT_SHOP, _OTHER_SHOP, _FRIEND, _STRANGER, _CASH_OUT, _CASH_IN, _ORDER, _ONE_OFF, _BACK,
    _ONLINE,
) = range(10)  # fmt: skip
# What a person, a firm, a shop and a hub do, in a hundred payments.
_MIX: Final = (
    (39, 3, 30, 5, 6, 2, 2, 1, 0, 12),
    (8, 2, 18, 4, 2, 6, 45, 7, 3, 5),
    (6, 1, 17, 4, 2, 20, 37, 5, 5, 3),
    (2, 1, 20, 12, 0, 1, 46, 6, 12, 0),
)
_FRIENDS: Final = 5
_SHOPS: Final = 5
_ONLINE_SHOPS: Final = 3
_SUPPLIERS: Final = 6


def daily(world: World, count: int) -> Flows:
    """``count`` payments, each by an account that is active on its day."""
    steps = np.cumsum(world.activity)
    parts = []
    for start in range(0, count, PIECE):
        index = np.arange(start, min(start + PIECE, count))
        parts.append(_piece(world, steps, index))
    return together(parts)


def _piece(world: World, steps: Int64, index: Int64) -> Flows:
    numbers = Numbers(world.seed, "laundering-daily")
    wide = numbers.bits(index, 1) >> np.uint64(1)
    payer = np.searchsorted(steps, (wide % np.uint64(steps[-1])).astype(np.int64), side="right")
    doing = np.zeros(len(index), np.int64)
    for role, weights in enumerate(_MIX):
        mine = np.flatnonzero(world.role[payer] == role)
        doing[mine] = numbers.choice(index[mine], weights, 2)
    payee = _payees(world, numbers, payer, doing, index)
    day = world.some_day(payer, index, numbers, 3)
    us = world.moment(payer, day, index, numbers, 4)
    amount = _amounts(world, numbers, payer, payee, doing, index)
    way = _ways(world, numbers, payer, payee, doing, index)
    # Cash is paid in to an account, and so is a payment to an account that is not there yet.
    cash_in, cash_out = way == DEPOSIT, way == WITHDRAWAL
    made = flows(us, payer, payee, amount, way)
    made.payee = np.where(cash_in, payer, np.where(cash_out, NOBODY, payee))
    made.payer = np.where(cash_in, NOBODY, payer)
    return made


def _payees(world: World, numbers: Numbers, payer: Int64, doing: Int64, index: Int64) -> Int64:
    habit = payer * 64 + np.select(
        [doing == _HABIT_SHOP, doing == _FRIEND, doing == _ONLINE],
        [
            np.minimum(numbers.below(index, _SHOPS, 10), numbers.below(index, _SHOPS, 11)),
            8 + np.minimum(numbers.below(index, _FRIENDS, 12), numbers.below(index, _FRIENDS, 16)),
            32 + numbers.below(index, _ONLINE_SHOPS, 17),
        ],
        16 + np.minimum(numbers.below(index, _SUPPLIERS, 13), numbers.below(index, _SUPPLIERS, 14)),
    )
    either = numbers.below(index, 100, 15)
    role = np.select(
        [
            doing == _HABIT_SHOP,
            doing == _OTHER_SHOP,
            (doing == _FRIEND) | (doing == _STRANGER) | (doing == _BACK),
            (doing == _ORDER) | (doing == _ONE_OFF),
            doing == _ONLINE,
        ],
        [
            np.full(len(index), SHOP),
            np.full(len(index), SHOP),
            np.where(either < 88, PERSON, FIRM),
            np.where(either < 70, FIRM, np.where(either < 85, SHOP, PERSON)),
            np.full(len(index), HUB),
        ],
        PERSON,
    )
    again = np.isin(doing, (_HABIT_SHOP, _FRIEND, _ORDER, _ONLINE))
    place = np.where(again, habit, (1 << 40) + index)
    payee = np.zeros(len(index), np.int64)
    for number in range(4):
        mine = np.flatnonzero(role == number)
        payee[mine] = world.near(payer[mine], number, place[mine], numbers, 20)
    return np.where(payee == payer, (payee + 1) % world.count, payee)


def _amounts(
    world: World, numbers: Numbers, payer: Int64, payee: Int64, doing: Int64, index: Int64
) -> Int64:
    own, theirs = world.scale[payer], world.scale[payee]
    person = world.role[payer] == PERSON
    ticket = np.where(person, own // 120, own // 5)
    base = np.select(
        [
            (doing == _HABIT_SHOP) | (doing == _OTHER_SHOP) | (doing == _ONLINE),
            doing == _FRIEND,
            (doing == _STRANGER) | (doing == _BACK),
            (doing == _CASH_OUT) | (doing == _CASH_IN),
        ],
        [
            (ticket + np.where(world.role[payee] == SHOP, theirs, ticket)) // 2,
            np.where(person, own // 40, own // 4),
            np.where(person, own // 25, own // 3),
            np.where(person, own // 20, own),
        ],
        np.where(person, own // 20, own),
    )
    amount = around(np.maximum(base, 10), index, numbers, 30, WIDE)
    large = numbers.below(index, 14, 31) == 0
    amount = np.where(large, around(amount * 4, index, numbers, 32, BROAD), amount)
    # Among persons and in cash sums are mostly round; shops and invoices name theirs.
    step = np.where(amount > 100_000, 10_000, np.where(amount > 10_000, 1000, 500))
    named = (doing == _HABIT_SHOP) | (doing == _OTHER_SHOP) | (doing == _ONLINE)
    named |= (doing == _ORDER) | (doing == _ONE_OFF) | (doing == _BACK)
    cash = (doing == _CASH_OUT) | (doing == _CASH_IN)
    round_sum = ~named & (cash | (numbers.below(index, 100, 33) < 55))
    return np.where(round_sum, np.maximum(amount // step, 1) * step, amount)


def _ways(
    world: World, numbers: Numbers, payer: Int64, payee: Int64, doing: Int64, index: Int64
) -> Int64:
    shop = (doing == _HABIT_SHOP) | (doing == _OTHER_SHOP) | (doing == _ONLINE)
    any_of = numbers.below(index, 100, 40)
    way = np.select(
        [
            doing == _CASH_OUT,
            doing == _CASH_IN,
            shop,
            doing == _BACK,
            world.country[payer] != world.country[payee],
        ],
        [
            np.full(len(index), WITHDRAWAL),
            np.full(len(index), DEPOSIT),
            np.where(any_of < 70, CARD, TRANSFER),
            np.full(len(index), REFUND),
            np.full(len(index), WIRE),
        ],
        np.where(any_of < 4, BILL, TRANSFER),
    )
    return way
