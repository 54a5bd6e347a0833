"""Which scores are alerts: as many as a budget allows, by what was scored in the weeks before.

A network of strange payments would spend the budget on itself: ten alerts that say the same. So
what is strange at an account that was told of lately is not told again, and the level falls until
the budget is spent on others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.anomaly.kernels.quiet import NEVER, told
from detectors.anomaly.payments import Float64, Int64, runs

Bools = npt.NDArray[np.bool_]
DAY_US: Final = 86_400_000_000
WEEKS_US: Final = 28 * DAY_US
SCORES_MIN: Final = 1_000
KEPT_SHARE: Final = 0.1
"""Of each day that is over this share of highest scores is kept, or twice the budget, and
``SCORES_MIN`` at least."""
UNITS: Final = 1_000_000_000
"""Scores are compared as whole numbers of this part, so that what is written decides."""


def whole(scores: Float64) -> Int64:
    """Scores in billionths."""
    made: Int64 = np.round(scores * UNITS).astype(np.int64)
    return made


@dataclass(frozen=True, slots=True)
class Scored:
    """Payments in order of time with their scores, in billionths; accounts are -1 for nobody."""

    times_us: Int64
    payers: Int64
    payees: Int64
    scores: Int64

    def part(self, chosen: Any) -> Scored:
        """Some of them."""
        return Scored(
            self.times_us[chosen], self.payers[chosen], self.payees[chosen], self.scores[chosen]
        )

    def __len__(self) -> int:
        return len(self.times_us)

    @classmethod
    def joined(cls, parts: list[Scored]) -> Scored:
        """Several one after the other."""
        if not parts:
            return cls(*(np.zeros(0, np.int64) for _ in range(4)))
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("times_us", "payers", "payees", "scores")
            )
        )


class Levels:
    """The score to alert at for each UTC day: what a ``budget`` of payments exceeded before it.

    It is made from the four weeks before the day, or more where these have fewer than
    ``SCORES_MIN`` scores; ``first`` counts until there are so many. The day itself and what follows
    are never used. ``quiet_us``: so long an account that was told of is not told of again.
    """

    def __init__(self, budget: float, quiet_us: int, first: int) -> None:
        self._budget, self._quiet_us, self._first = budget, quiet_us, first
        self._kept = max(KEPT_SHARE, min(2 * budget, 1.0))
        self._day = NEVER
        self._level = first
        self._last: Int64 = np.zeros(0, np.int64)
        self._days: list[tuple[int, int, Scored]] = []
        """Days that are over: number, how many scores it had, the highest of them."""
        self._today: list[Scored] = []

    def update(self, given: Scored) -> tuple[Int64, Bools]:
        """Payments in order of time: the level of each, and which are told."""
        levels, alerts = np.zeros(len(given), np.int64), np.zeros(len(given), bool)
        self._room(given)
        for day, start, end in runs(given.times_us // DAY_US):
            self._reach(day)
            part = given.part(slice(start, end))
            levels[start:end] = self._level
            told(
                part.times_us, part.payers, part.payees, part.scores, self._level, self._quiet_us,
                self._last, alerts[start:end],
            )  # fmt: skip
            self._today.append(part)
        return levels, alerts

    def _room(self, given: Scored) -> None:
        accounts = int(max(given.payers.max(initial=-1), given.payees.max(initial=-1))) + 1
        have = len(self._last)
        if accounts > have:
            more = max(accounts, 2 * have) - have
            self._last = np.pad(self._last, (0, more), constant_values=NEVER)

    def _reach(self, day: int) -> None:
        """Close the days before, and make the level of this one."""
        if day == self._day:
            return
        today = Scored.joined(self._today)
        if len(today):
            kept = min(max(int(len(today) * self._kept), SCORES_MIN), len(today))
            highest = np.sort(np.argpartition(-today.scores, kept - 1)[:kept])
            self._days.append((self._day, len(today), today.part(highest)))
        self._today, self._day = [], day
        number = sum(count for _, count, _ in self._days)
        while self._days and (self._days[0][0] + 28) < day:
            if number - self._days[0][1] < SCORES_MIN:
                break
            number -= self._days.pop(0)[1]
        self._level = self._first if number < SCORES_MIN else self._found(number)

    def _found(self, number: int) -> int:
        """The lowest level at which no more than the budget would have been told."""
        before = Scored.joined([scored for _, _, scored in self._days])
        allowed = int(self._budget * number)
        steps = np.unique(before.scores)
        low, high = 0, len(steps) - 1
        while low < high:
            middle = (low + high) // 2
            last = np.full(len(self._last), NEVER, np.int64)
            count = told(
                before.times_us, before.payers, before.payees, before.scores, int(steps[middle]),
                self._quiet_us, last, np.zeros(len(before), bool),
            )  # fmt: skip
            if count <= allowed:
                high = middle
            else:
                low = middle + 1
        return int(steps[low])

    def state(self) -> dict[str, Any]:
        """All state as arrays, for a snapshot."""
        parts = [*(scored for _, _, scored in self._days), *self._today]
        every = Scored.joined(parts)
        days = [[day, count, len(scored)] for day, count, scored in self._days]
        return {
            "now": np.array([self._day, self._level], np.int64),
            "last": self._last.copy(),
            "days": np.array(days, np.int64).reshape(len(days), 3),
            "scored": np.stack([every.times_us, every.payers, every.payees, every.scores]),
        }

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over ``state``. KeyError or ValueError where it does not fit."""
        self._day, self._level = (int(x) for x in arrays["now"])
        self._last = arrays["last"].copy()
        every = Scored(*(row.copy() for row in arrays["scored"]))
        self._days, place = [], 0
        for day, count, kept in arrays["days"].tolist():
            self._days.append((day, count, every.part(slice(place, place + kept))))
            place += kept
        self._today = [every.part(slice(place, None))] if place < len(every) else []
