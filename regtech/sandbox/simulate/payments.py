"""Payments: seven in ten of the simulated events."""

from __future__ import annotations

from typing import Final

import numpy as np

from regtech.sandbox.simulate.numbers import Int64, Numbers
from regtech.sandbox.simulate.population import HABITS, Population
from regtech.sandbox.simulate.texts import amounts, currencies, picks, times

# What a payment is, and how often: (channel, kind, weight).
_WAYS: Final = (
    ("transfer", "payment", 40),
    ("card", "purchase", 26),
    ("cash", "deposit", 7),
    ("cash", "withdrawal", 6),
    ("wire", "remittance", 9),
    ("virtual_asset", "trade", 2),
    ("cheque", "payment", 3),
    ("bill", "payment", 3),
    ("internal", "payment", 3),
    ("metal", "trade", 1),
)
_DEPOSIT: Final = 2
_WITHDRAWAL: Final = 3
_WIRE: Final = 4
_PURPOSES: Final = ("goods", "services", "salary", "rent", "family_support", "invoice", "savings")


def _habitual(pair: Int64, land: Int64, people: Population, numbers: Numbers) -> Int64:
    """The counterparty of a habit: mostly of the same country, one in fifteen from anywhere."""
    first, after = people.first_neighbour[land], people.first_neighbour[land + 1]
    drawn = numbers.below(pair, 1 << 30, 3)
    near = people.neighbours[first + drawn % np.maximum(after - first, 1)]
    return np.where(numbers.below(pair, 15, 11) == 0, drawn % people.customers, near)


def payment_lines(index: Int64, us: Int64, people: Population, numbers: Numbers) -> list[str]:
    """One line for each index: a customer pays one of its habitual counterparties.

    Amounts scatter around the customer's usual one: half to double for most, and for one in 200
    up to forty times as much. One transfer in 50 is reported by the payee's bank instead.
    """
    payer = numbers.below(index, people.customers, 1)
    habit = numbers.below(index, HABITS, 2)
    payee = _habitual(
        payer * HABITS + habit, people.institution_country[people.home[payer]], people, numbers
    )
    payee = np.where(payee == payer, (payee + 1) % people.customers, payee)
    way = numbers.choice(index, tuple(weight for *_, weight in _WAYS), 4)
    deposit = way == _DEPOSIT
    reporter = np.where(deposit, people.home[payee], people.home[payer])
    other = (numbers.below(index, 50, 5) == 0) & (way < 2)
    reporter = np.where(other, people.home[payee], reporter)

    scale = np.where(deposit, people.scale[payee], people.scale[payer])
    factor = 50 + numbers.below(index, 150, 6)
    large = numbers.below(index, 200, 7) == 0
    factor = np.where(large, factor * (2 + numbers.below(index, 20, 8)), factor)
    value = np.maximum(scale * factor // 100, 1)
    # People hand over round sums in cash.
    cash = deposit | (way == _WITHDRAWAL)
    value = np.where(cash, np.maximum(value // 10000, 1) * 10000, value)
    land = np.where(deposit, people.country[payee], people.country[payer])

    # What crosses a border carries full data, but for one payment in a hundred.
    lands = people.institution_country
    crossing = lands[people.home[payer]] != lands[people.home[payee]]
    crossing &= numbers.below(index, 100, 10) > 0
    plain, full = people.party_json, people.full_json
    rows = zip(
        index.tolist(),
        times(us, land),
        reporter.tolist(),
        amounts(value, land),
        currencies(land),
        way.tolist(),
        payer.tolist(),
        payee.tolist(),
        picks(_PURPOSES, numbers.below(index, len(_PURPOSES), 9)),
        crossing.tolist(),
        strict=True,
    )
    lines = []
    banks = people.institutions
    for k, time, bank, amount, currency, w, a, b, purpose, abroad in rows:
        channel, kind, _ = _WAYS[w]
        if w == _DEPOSIT:
            parties = f'"payee":{plain[b]}'
        elif w == _WITHDRAWAL:
            parties = f'"payer":{plain[a]}'
        elif w == _WIRE or abroad:
            parties = f'"payer":{full[a]},"payee":{full[b]},"purpose":"{purpose}"'
        else:
            parties = f'"payer":{plain[a]},"payee":{plain[b]}'
        lines.append(
            f'{{"id":"T{k:09}","type":"transaction","time":"{time}","reporter":"{banks[bank]}",'
            f'"amount":"{amount}","currency":"{currency}","channel":"{channel}","kind":"{kind}",'
            f'{parties},"reference":"E2E{k:010}"}}'
        )
    return lines
