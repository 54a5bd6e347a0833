"""Who is there: persons, firms, shops and hubs with their homes, hours, incomes and circles."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from regtech.sandbox.simulate.numbers import Int64, Numbers
from regtech.sandbox.simulate.population import COUNTRIES

DAYS: Final = 180
EVENTS_PER_ACCOUNT: Final = 60
PERSON, FIRM, SHOP, HUB = range(4)
_ROLE_WEIGHTS: Final = (66, 16, 15, 3)
_ACTIVITY: Final = (8, 16, 18, 60)
"""How much of the payments that no calendar asks for an account of each role makes."""
_PRICE_LEVEL: Final = {"CNY": 7, "HKD": 8, "JPY": 1}
"""A unit of our amounts in hundredths of the currency; yen have none, so one is about right."""
LEVELS: Final = np.array([_PRICE_LEVEL.get(currency, 1) for _, currency, *_ in COUNTRIES])
"""The same by country."""
OFFSETS: Final = np.array([int(offset[:3]) for _, _, offset, _ in COUNTRIES])
"""Hours of the countries' clocks ahead of UTC."""
_SHIFTS: Final = (
    # Weights of the 24 hours: by day, by evening, by night, and office hours.
    (1, 1, 1, 1, 1, 2, 5, 9, 11, 11, 11, 12, 12, 10, 9, 9, 10, 11, 11, 9, 7, 5, 3, 2),
    (2, 1, 1, 1, 1, 1, 2, 3, 5, 6, 7, 8, 9, 8, 7, 7, 8, 10, 13, 15, 15, 13, 9, 5),
    (7, 6, 5, 4, 4, 4, 4, 3, 3, 3, 3, 4, 5, 6, 6, 6, 6, 6, 7, 8, 9, 10, 10, 9),
    (0, 0, 0, 0, 0, 1, 2, 6, 14, 17, 17, 15, 11, 13, 15, 15, 13, 8, 4, 2, 1, 1, 0, 0),
)
_SPREAD_STEPS: Final = 1024


def quantiles(sigma: float) -> Int64:
    """A log-normal around 1 as 1,024 quantiles in thousandths."""
    normal = NormalDist(0.0, sigma)
    steps = range(_SPREAD_STEPS)
    return np.array([round(1000 * exp(normal.inv_cdf((k + 0.5) / _SPREAD_STEPS))) for k in steps])


NARROW: Final = quantiles(0.25)
WIDE: Final = quantiles(0.7)
BROAD: Final = quantiles(1.1)


def around(base: Int64, index: Int64, numbers: Numbers, use: int, spread: Int64) -> Int64:
    """Amounts around ``base``, one at least; ``spread`` says how far (see ``quantiles``)."""
    factor = spread[numbers.below(index, _SPREAD_STEPS, use)]
    made: Int64 = np.maximum(base * factor // 1000, 1)
    return made


@dataclass(slots=True)
class World:
    """Accounts by number; amounts in hundredths of the account's own currency."""

    seed: int
    count: int
    role: Int64
    country: Int64  # into COUNTRIES
    institution: Int64
    institutions: list[str]
    scale: Int64  # a person's income in a month, a firm's usual invoice, a shop's usual ticket
    shift: Int64  # into _SHIFTS
    opened: Int64  # day of the first payment
    paused: Int64  # first day of a long silence
    resumed: Int64  # day on which it ends; not after ``paused``: there is none
    employer: Int64  # -1: none
    family: Int64  # accounts of one family have the same number
    activity: Int64  # weight
    _pools: dict[int, tuple[Int64, Int64]]
    _day_weight: Int64  # cumulative

    def members(self, role: int) -> Int64:
        """Accounts of a role."""
        return np.flatnonzero(self.role == role)

    def near(
        self, who: Int64, role: int, index: Int64, numbers: Numbers, use: int, abroad: int = 25
    ) -> Int64:
        """An account of ``role`` in the country of each of ``who``, the first ones more often.

        One in ``abroad`` is from anywhere, as where a country has none.
        """
        members, starts = self._pools[role]
        land = self.country[who]
        first, size = starts[land], starts[land + 1] - starts[land]
        far = (numbers.below(index, abroad, use) == 0) | (size == 0)
        first, size = np.where(far, 0, first), np.where(far, len(members), size)
        one = numbers.below(index, 1 << 15, use + 1)
        two = np.maximum(one, numbers.below(index, 1 << 15, use + 2))
        place = ((1 << 15) - 1 - two) * size >> 15
        found: Int64 = members[first + place]
        return found

    def active(self, who: Int64, day: Int64) -> npt.NDArray[np.bool_]:
        """Whether accounts pay and are paid on a day."""
        silent = (day >= self.paused[who]) & (day < self.resumed[who])
        return (day >= self.opened[who]) & ~silent & (day < DAYS)

    def some_day(self, who: Int64, index: Int64, numbers: Numbers, use: int) -> Int64:
        """A day on which each account is active: weekends and the quiet season less often."""
        weight = self._day_weight
        before = weight[self.paused[who]] - weight[self.opened[who]]
        after = np.maximum(
            weight[DAYS] - weight[np.maximum(self.resumed[who], self.paused[who])], 0
        )
        drawn = numbers.below(index, np.maximum(before + after, 1), use)
        drawn += np.where(
            drawn < before,
            weight[self.opened[who]],
            weight[np.maximum(self.resumed[who], self.paused[who])] - before,
        )
        return np.minimum(np.searchsorted(weight, drawn, side="right") - 1, DAYS - 1)

    def moment(self, who: Int64, day: Int64, index: Int64, numbers: Numbers, use: int) -> Int64:
        """Microseconds since the first day at an hour that is usual for each account."""
        hour = np.zeros(len(who), np.int64)
        for number, weights in enumerate(_SHIFTS):
            mine = np.flatnonzero(self.shift[who] == number)
            hour[mine] = numbers.choice(index[mine], weights, use)
        # The hours are local; what is kept is UTC.
        since: Int64 = (day * 24 + hour - OFFSETS[self.country[who]]) * 3_600_000_000
        since += numbers.below(index, 3_600_000, use + 1) * 1000
        return since


def _day_weights() -> Int64:
    """Cumulative weight of the days: weekends and the ends of months differ, February is quiet."""
    weights = []
    for day in range(DAYS):
        weekday, of_month = (day + 3) % 7, day % 30  # the first of January 2026 is a Thursday
        weight = (100, 96, 98, 102, 118, 112, 84)[weekday]
        weight += 25 if of_month in (0, 1, 24, 25, 26) else 0
        weight = weight * (78 if 45 <= day < 56 else 100) // 100
        weights.append(weight * (135 if 38 <= day < 45 or 150 <= day < 160 else 100) // 100)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(weights)])


def make_world(events: int, seed: int) -> World:
    """About one account for sixty payments, and one bank for 150 accounts, twenty at least."""
    numbers = Numbers(seed, "laundering-world")
    count = max(40, events // EVENTS_PER_ACCOUNT)
    who = np.arange(count)
    role = numbers.choice(who, _ROLE_WEIGHTS, 1)
    role[:8] = (PERSON, FIRM, SHOP, HUB, PERSON, FIRM, SHOP, HUB)
    weights = tuple(weight for *_, weight in COUNTRIES)
    # Few accounts live in few countries: a country of three persons has no shops.
    lands = min(len(COUNTRIES), max(2, count // 150))
    country = numbers.choice(who, weights[:lands], 2)
    banks = max(3 * lands, min(400, count // 150))
    bank_country = np.arange(banks) % lands
    institutions = [f"{COUNTRIES[c][0]}-BANK-{k:03}" for k, c in enumerate(bank_country.tolist())]
    per_land = (banks - country - 1) // lands + 1
    one, two = numbers.below(who, 1 << 15, 3), numbers.below(who, 1 << 15, 4)
    institution = (np.minimum(one, two) * per_land >> 15) * lands + country

    income = around(np.full(count, 300_000), who, numbers, 5, quantiles(0.55))
    invoice = around(np.full(count, 90_000), who, numbers, 6, quantiles(0.9))
    ticket = around(np.full(count, 9_000), who, numbers, 7, quantiles(0.9))
    bill = around(np.full(count, 20_000), who, numbers, 8, quantiles(0.6))
    scale = np.choose(role, (income, invoice, ticket, bill)) * LEVELS[country]

    shift = np.where(role == PERSON, numbers.choice(who, (55, 32, 13), 9), 3)
    shift = np.where(role == SHOP, numbers.choice(who, (60, 35, 5), 9), shift)
    shift = np.where(role == HUB, numbers.choice(who, (20, 10, 30, 40), 9), shift)
    opened, paused, resumed = _lives(who, role, numbers)
    activity = np.asarray(_ACTIVITY)[role] * around(np.full(count, 100), who, numbers, 14, WIDE)

    pools = {}
    for number in range(4):
        mine = np.flatnonzero(role == number)
        mine = mine[np.argsort(country[mine], kind="stable")]
        pools[number] = (mine, np.searchsorted(country[mine], np.arange(len(COUNTRIES) + 1)))
    world = World(
        seed, count, role, country, institution, institutions, scale, shift, opened, paused,
        resumed, np.full(count, -1), who, activity, pools, _day_weights(),
    )  # fmt: skip
    _settle(world, numbers)
    return world


def _lives(who: Int64, role: Int64, numbers: Numbers) -> tuple[Int64, Int64, Int64]:
    """Most are there all the time; some come new, some are silent for months."""
    new = (numbers.below(who, 100, 10) < 10) & (role != HUB)
    opened = np.where(new, 8 + numbers.below(who, DAYS - 40, 11), 0)
    silent = (numbers.below(who, 100, 12) < 9) & ~new & (role != HUB)
    paused = np.where(silent, 5 + numbers.below(who, 60, 13), DAYS)
    resumed = np.where(silent, paused + 35 + numbers.below(who, 70, 15), paused)
    return opened, paused, np.minimum(resumed, DAYS)


def _settle(world: World, numbers: Numbers) -> None:
    """Give persons an employer and a family."""
    persons = world.members(PERSON)
    kind = numbers.choice(persons, (52, 18, 8, 22), 20)
    for number, role in enumerate((FIRM, SHOP, HUB)):
        mine = persons[kind == number]
        world.employer[mine] = world.near(mine, role, mine, numbers, 21 + 3 * number)
    # Neighbours in the list of a country make families of one to five.
    members = world._pools[PERSON][0]
    begins = numbers.below(np.arange(len(members)), 100, 30) < 38
    begins[0] = True
    world.family[members] = np.cumsum(begins)
