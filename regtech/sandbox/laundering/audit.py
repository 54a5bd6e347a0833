"""The giveaway audit: does one simple value alone tell what was planted from the background?

For each value the area under the ROC curve is computed: the chance that a planted payment (or an
account with one) has a higher value than one of the background. 0.5 says nothing, and 0 gives as
much away as 1. A scenario is of use only where no simple value goes beyond the limit either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.sandbox.laundering.flows import BACKGROUND, NOBODY, Flows
from regtech.sandbox.laundering.scenario import Scenario
from regtech.sandbox.laundering.world import LEVELS, OFFSETS
from regtech.sandbox.simulate.numbers import Int64

LIMIT: Final = 0.70
_DAY_US: Final = 86_400_000_000
Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Giveaway:
    """One simple value: of a payment or of an account, its AUC, and the same the other way."""

    of: str
    value: str
    auc: float

    @property
    def either_way(self) -> float:
        """The AUC in the direction that gives more away."""
        return max(self.auc, 1 - self.auc)


def auc(values: Values, planted: npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve by ranks; ties count half. 0.5 where one side is empty."""
    ones, zeros = int(planted.sum()), int((~planted).sum())
    if not ones or not zeros:
        return 0.5
    _, where, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks = (last - (count - 1) / 2)[where]
    return float((ranks[planted].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def audit(scenario: Scenario) -> list[Giveaway]:
    """All simple values, those that give most away first."""
    found = [
        Giveaway("payment", name, auc(values, scenario.payments.attempt != BACKGROUND))
        for name, values in payment_values(scenario).items()
    ]
    values, planted = account_values(scenario)
    found += [Giveaway("account", name, auc(value, planted)) for name, value in values.items()]
    return sorted(found, key=lambda one: -one.either_way)


def _before(key: Int64) -> Int64:
    """How many earlier entries have the same key."""
    order = np.argsort(key, kind="stable")
    same = np.concatenate([[False], key[order][1:] == key[order][:-1]])
    start = np.maximum.accumulate(np.where(same, 0, np.arange(len(key))))
    number = np.empty(len(key), np.int64)
    number[order] = np.arange(len(key)) - start
    return number


def _since(key: Int64, us: Int64) -> Int64:
    """Time since the entry before with the same key; the time itself for the first one."""
    order = np.argsort(key, kind="stable")
    gap = np.diff(us[order], prepend=0)
    first = np.concatenate([[True], key[order][1:] != key[order][:-1]])
    since = np.empty(len(key), np.int64)
    since[order] = np.where(first, us[order], gap)
    return since


def payment_values(scenario: Scenario) -> dict[str, Values]:
    """What is plain to see of each payment when it comes."""
    world, p = scenario.world, scenario.payments
    holder = np.where(p.payer == NOBODY, p.payee, p.payer)
    other = np.where(p.payee == NOBODY, p.payer, p.payee)
    pair = (p.payer + 1) * (world.count + 1) + p.payee + 1
    earlier = _before(pair)
    units = p.amount / LEVELS[world.country[holder]]
    mean = _running_mean(holder, units)
    hour = (p.us // 3_600_000_000 + OFFSETS[world.country[holder]]) % 24
    new = earlier == 0
    return {
        "amount": p.amount,
        "amount in one currency": units,
        "amount against the payer's mean before": units / np.maximum(mean, 1),
        "round amount": p.amount % 500 == 0,
        "hour of day": hour,
        "distance of the hour from noon": np.abs(hour - 12),
        "weekday": (p.us // _DAY_US + 3) % 7,
        "day": p.us // _DAY_US,
        "pair is new": new,
        "payments of the pair before": earlier,
        "payments of the payer before": _before(p.payer),
        "payments of the payee before": _before(p.payee),
        "received by the payer before": _crossed(p.payee, p.payer),
        "paid by the payee before": _crossed(p.payer, p.payee),
        "time since the payer's last": _since(p.payer, p.us),
        "time since the payee's last": _since(p.payee, p.us),
        "new partners of the payer before": _sum_before(p.payer, new),
        "new partners of the payee before": _sum_before(p.payee, new),
        "way": p.way,
        "crosses a border": world.country[holder] != world.country[other],
        "same institution": world.institution[holder] == world.institution[other],
        "payer is no person": world.role[holder] > 0,
        "payee is no person": world.role[other] > 0,
        "order of arrival": np.arange(len(p)),
    }


def _running_mean(key: Int64, values: Values) -> Values:
    count = _before(key)
    total = _sum_before(key, values)
    return np.where(count > 0, total / np.maximum(count, 1), values)


def _sum_before(key: Int64, values: Values) -> Values:
    """Sum of ``values`` over earlier entries with the same key."""
    order = np.argsort(key, kind="stable")
    ordered = values[order].astype(np.float64)
    run = np.cumsum(ordered) - ordered
    first = np.concatenate([[True], key[order][1:] != key[order][:-1]])
    base = np.maximum.accumulate(np.where(first, np.arange(len(key)), 0))
    found = np.empty(len(key), np.float64)
    found[order] = run - run[base]
    return found


def _crossed(counted: Int64, asked: Int64) -> Int64:
    """For each entry, how often its ``asked`` occurs among earlier entries' ``counted``."""
    n = len(asked)
    key = np.concatenate([counted, asked])
    place = np.concatenate([np.arange(n) * 2 + 1, np.arange(n) * 2])
    order = np.lexsort((place, key))
    is_counted = order < n
    run = np.cumsum(is_counted)
    first = np.concatenate([[True], key[order][1:] != key[order][:-1]])
    start = np.maximum.accumulate(np.where(first, np.arange(2 * n), 0))
    inside: Int64 = run - (run[start] - is_counted[start])
    found = np.empty(2 * n, np.int64)
    found[order] = inside - is_counted
    return found[n:]


def account_values(scenario: Scenario) -> tuple[dict[str, Values], npt.NDArray[np.bool_]]:
    """What is plain to see of each account that pays or is paid, and whether it was used."""
    world, p = scenario.world, scenario.payments
    count = world.count
    planted = np.zeros(count, bool)
    used = p.attempt != BACKGROUND
    for side in (p.payer, p.payee):
        mine = used & (side != NOBODY)
        planted[side[mine]] = True
    paid, received = _counts(p, p.payer, count), _counts(p, p.payee, count)
    units = p.amount / LEVELS[world.country[np.where(p.payer == NOBODY, p.payee, p.payer)]]
    out, into = _totals(p.payer, units, count), _totals(p.payee, units, count)
    pair = (p.payer + 1) * (count + 1) + p.payee + 1
    new = _before(pair) == 0
    payees = np.bincount(p.payer[new & (p.payer != NOBODY)], minlength=count)
    payers = np.bincount(p.payee[new & (p.payee != NOBODY)], minlength=count)
    total = np.maximum(paid + received, 1)
    largest = np.zeros(count)
    np.maximum.at(largest, p.payer[p.payer != NOBODY], units[p.payer != NOBODY])
    values = {
        "payments": paid + received,
        "payments made": paid,
        "payments received": received,
        "share of payments received": received / total,
        "amount paid": out,
        "amount received": into,
        "share of the amount received": into / np.maximum(into + out, 1),
        "mean amount paid": out / np.maximum(paid, 1),
        "mean amount received": into / np.maximum(received, 1),
        "largest amount paid": largest,
        "payees": payees,
        "payers": payers,
        "share of payments to new partners": (payees + payers) / total,
        "days since it opened": -world.opened,
        "silent for long": world.resumed > world.paused,
        "is no person": world.role > 0,
    }
    there = (paid + received) > 0
    return {name: value[there] for name, value in values.items()}, planted[there]


def _counts(p: Flows, side: Int64, count: int) -> Int64:
    return np.bincount(side[side != NOBODY], minlength=count)


def _totals(side: Int64, units: Values, count: int) -> Values:
    return np.bincount(side[side != NOBODY], weights=units[side != NOBODY], minlength=count)
