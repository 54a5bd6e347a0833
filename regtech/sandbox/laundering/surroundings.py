"""What an attempt may take from its surroundings: accounts, contacts, amounts and hours."""

from __future__ import annotations

from typing import Final

import numpy as np

from regtech.sandbox.laundering.flows import CARD, NOBODY, Flows
from regtech.sandbox.laundering.world import DAYS, HUB, LEVELS, World
from regtech.sandbox.simulate.numbers import Int64, Numbers

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
_DRAWS: Final = 4096


class Dice:
    """Random numbers of one attempt, one after the other; the same for the same seed and number."""

    def __init__(self, seed: int, number: int) -> None:
        index = number * _DRAWS + np.arange(_DRAWS)
        self._drawn = (Numbers(seed, "laundering-attempts").bits(index) >> np.uint64(1)).tolist()
        self._at = 0

    def below(self, bound: int) -> int:
        """A whole number from 0 up to and without ``bound``."""
        drawn: int = self._drawn[self._at % _DRAWS]
        self._at += 1
        return drawn % max(bound, 1)

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred."""
        return self.below(100) < percent


class Surroundings:
    """An index of the background by account."""

    def __init__(self, world: World, background: Flows) -> None:
        self.world = world
        both = (background.payer != NOBODY) & (background.payee != NOBODY)
        self._paid = background.take(np.flatnonzero(both))
        self._by_payer = _index(self._paid.payer, world.count)
        self._by_payee = _index(self._paid.payee, world.count)
        self._usual = self._usual_amounts()

    def _usual_amounts(self) -> Int64:
        """What an account transfers on average, in units of its country."""
        paid, count = self._paid, self.world.count
        plain = paid.way != CARD
        value = np.minimum(paid.amount // self.level(paid.payer), 1 << 40)
        number = np.bincount(paid.payer[plain], minlength=count)
        total = np.zeros(count, np.int64)
        np.add.at(total, paid.payer[plain], value[plain])
        return np.where(number > 0, total // np.maximum(number, 1), 5_000)

    def level(self, who: Int64) -> Int64:
        """Hundredths of the account's currency for a hundredth of our unit."""
        return LEVELS[self.world.country[who]]

    def anyone(self, dice: Dice, *, busy: int) -> int:
        """An account: in ``busy`` of a hundred by how much it pays or is paid, else any."""
        if dice.chance(busy):
            place = dice.below(len(self._paid))
            side = self._paid.payer if dice.chance(60) else self._paid.payee
            return int(side[place])
        return dice.below(self.world.count)

    def contact(self, who: int, dice: Dice) -> int:
        """One whom the account pays or is paid by; -1 for none."""
        for index, other in (
            (self._by_payer, self._paid.payee),
            (self._by_payee, self._paid.payer),
        )[:: 1 if dice.chance(60) else -1]:
            order, starts = index
            count = int(starts[who + 1] - starts[who])
            if count:
                return int(other[order[int(starts[who]) + dice.below(count)]])
        return -1

    def amount(self, who: int, dice: Dice) -> int:
        """An amount of the account's own, in our units: of a payment it made, or its usual one."""
        order, starts = self._by_payer
        count = int(starts[who + 1] - starts[who])
        if not count:
            return int(self._usual[who])
        place = int(order[int(starts[who]) + dice.below(count)])
        return max(int(self._paid.amount[place]) // int(self.level(np.array([who]))[0]), 1)

    def usual(self, who: int) -> int:
        """See ``_usual_amounts``."""
        return max(int(self._usual[who]), 1)

    def is_there(self, who: int, first: int, last: int) -> bool:
        """Whether an account is active on all days between."""
        days = np.array([first, min(last, DAYS - 1)])
        world = self.world
        gap = world.resumed[who] > world.paused[who]
        crosses = gap and first < world.resumed[who] and last >= world.paused[who]
        return bool(world.active(np.array([who, who]), days).all()) and not crosses

    def is_hub(self, who: int) -> bool:
        """Whether the account is a hub."""
        return bool(self.world.role[who] == HUB)

    def hour_on(self, who: int, day: int, dice: Dice) -> int:
        """Microseconds since the first day, at an hour that is usual for the account."""
        index = np.array([dice.below(1 << 40)])
        numbers = Numbers(self.world.seed, "laundering-hours")
        return int(self.world.moment(np.array([who]), np.array([day]), index, numbers, 0)[0])


def _index(who: Int64, count: int) -> tuple[Int64, Int64]:
    order = np.argsort(who, kind="stable")
    return order, np.searchsorted(who[order], np.arange(count + 1))
