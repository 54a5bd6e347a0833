"""Attempts that never were, put among an institution's own payments, to teach without outcomes.

Nobody knows the outcomes of most payments, but how money is laundered is known: it is gathered,
spread, handed on, sent round, layered. So attempts of these shapes are imagined among the accounts
that are there, many times and in many styles, and a model learns what tells them from everything
else in this very traffic. No outcome and no published attempt is used. The styles are drawn, for
each attempt anew: how many partners know each other, whether amounts are the payer's own, alike, or
handed on less a fee, how long it takes. Times of day, channels and the roundness of amounts are
drawn from the payments that the accounts make anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.anomaly.payments import Float64, Int64, Payments, joined

DAY_US: Final = 86_400_000_000
_SPAN_DAYS: Final = (1, 20)
_TRIES: Final = 40

Step = tuple[int, int, float]
"""Payer and payee as places in the attempt's accounts, and when it is due (0 to 1 of the span)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The payments of an attempt, in groups that follow each other; how many accounts it takes."""

    accounts: int
    steps: list[Step]
    handed_on: bool
    """Whether amounts are those that came in, less a little."""


def fan_in(size: int, drawn: np.random.Generator) -> Shape:
    """Several pay one."""
    return Shape(size + 1, [(k, 0, drawn.random()) for k in range(1, size + 1)], False)


def fan_out(size: int, drawn: np.random.Generator) -> Shape:
    """One pays several."""
    return Shape(size + 1, [(0, k, drawn.random()) for k in range(1, size + 1)], False)


def gather_scatter(size: int, drawn: np.random.Generator) -> Shape:
    """Several pay one, who pays several."""
    into = [(k, 0, 0.5 * drawn.random()) for k in range(1, size + 1)]
    out = [(0, k, 0.5 + 0.5 * drawn.random()) for k in range(size + 1, 2 * size + 1)]
    return Shape(2 * size + 1, into + out, False)


def scatter_gather(size: int, drawn: np.random.Generator) -> Shape:
    """One pays several, who pay the same other one."""
    steps: list[Step] = []
    for k in range(2, size + 2):
        first = 0.6 * drawn.random()
        steps += [(0, k, first), (k, 1, first + (1.0 - first) * drawn.random())]
    return Shape(size + 2, steps, True)


def chain(size: int, drawn: np.random.Generator) -> Shape:
    """Each pays the next."""
    due = np.sort(drawn.random(size)).tolist()
    return Shape(size + 1, [(k, k + 1, due[k]) for k in range(size)], True)


def ring(size: int, drawn: np.random.Generator) -> Shape:
    """Each pays the next, the last one the first."""
    size = max(size, 2)
    due = np.sort(drawn.random(size)).tolist()
    return Shape(size, [(k, (k + 1) % size, due[k]) for k in range(size)], True)


def layers(size: int, drawn: np.random.Generator) -> Shape:
    """Two or three layers, each account paying some of the next layer."""
    count = int(drawn.integers(2, 4))
    width = max(2, (size + 1) // count)
    steps: list[Step] = []
    for layer in range(count - 1):
        for a in range(width):
            for b in drawn.permutation(width)[: int(drawn.integers(1, 3))].tolist():
                due = (layer + drawn.random()) / (count - 1)
                steps.append((layer * width + a, (layer + 1) * width + b, due))
    return Shape(width * count, steps, False)


def again(size: int, drawn: np.random.Generator) -> Shape:
    """A few pay the same one several times each."""
    payers = int(drawn.integers(1, 4))
    steps = [(1 + k % payers, 0, drawn.random()) for k in range(size + 1)]
    return Shape(payers + 1, steps, False)


def through(size: int, drawn: np.random.Generator) -> Shape:
    """What one sends another hands on at once, several times."""
    steps: list[Step] = []
    for _ in range(max(1, size // 2)):
        due = drawn.random()
        steps += [(1, 0, due), (0, 2, min(due + 0.1 * drawn.random(), 1.0))]
    return Shape(3, steps, True)


SHAPES: Final[tuple[Callable[[int, np.random.Generator], Shape], ...]] = (
    fan_in, fan_out, gather_scatter, scatter_gather, chain, ring, layers, again, through,
)  # fmt: skip
"""What is imagined, each as often as the others."""


@dataclass(frozen=True, slots=True)
class Imagined:
    """Traffic with attempts in it: ``attempt`` is the number of each payment's attempt, -1 for
    what was there."""

    payments: Payments
    attempt: Int64


def imagine(payments: Payments, share: float, seed: int) -> Imagined:
    """Put attempts among payments, until they are ``share`` of them; the same for the same seed.

    Accounts that nobody has seen yet, or no more, take no part. Nothing but ``payments`` is used.
    """
    if len(payments) < 2:
        return Imagined(payments, np.full(len(payments), -1))
    among = _Traffic(payments, np.random.default_rng([seed, 19]))
    made: list[list[int]] = []
    attempt: list[int] = []
    number = 0
    while len(made) < share * len(payments):
        rows = among.attempt(SHAPES[number % len(SHAPES)])
        made += rows
        attempt += [number] * len(rows)
        number += 1
    added = among.payments_of(np.array(made, np.int64).reshape(-1, 5))
    whole, order = joined(payments, added)
    of = np.concatenate([np.full(len(payments), -1), np.array(attempt, np.int64)])
    return Imagined(whole, of[order])


class _Traffic:
    """What there is, by account, for drawing from it."""

    def __init__(self, payments: Payments, drawn: np.random.Generator) -> None:
        self.payments, self.drawn = payments, drawn
        count = payments.accounts()
        self.out, self.into = _by(payments.payer, count), _by(payments.payee, count)
        self.first, self.last = _seen(payments, count)
        self.there = np.flatnonzero(self.last >= 0)
        self.kind, self.country = _attributes(payments, count)
        self.ways = _by_ways(payments)
        self.abroad = float(payments.abroad.mean())
        self.logs: Float64 = np.log(np.maximum(payments.amount, 1).astype(np.float64))
        self.begin, self.end = int(payments.time_us[0]), int(payments.time_us[-1])

    def below(self, bound: int) -> int:
        return int(self.drawn.integers(0, max(bound, 1)))

    def attempt(self, make: Callable[[int, np.random.Generator], Shape]) -> list[list[int]]:
        """Rows of time, payer, payee, amount and the payment that lent currency and way."""
        drawn = self.drawn
        shape = make(1 + min(int(drawn.geometric(0.2)), 14), drawn)
        span = min(int(drawn.integers(*_SPAN_DAYS)) * DAY_US, (self.end - self.begin) // 2)
        start = self.begin + int(drawn.random() * (self.end - self.begin - span))
        accounts = self._accounts(shape.accounts, start, span)
        amounts = self._amounts(shape, accounts)
        rows = []
        for (a, b, due), amount in zip(shape.steps, amounts, strict=True):
            payer, payee = accounts[a], accounts[b]
            if payer == payee:
                continue
            like = self._own(payer)
            hour = int(self.payments.time_us[like]) % DAY_US
            moment = (start + int(due * span)) // DAY_US * DAY_US + hour
            rows.append([moment, payer, payee, amount, like])
        return rows

    def _accounts(self, count: int, start: int, span: int) -> list[int]:
        known = np.sqrt(self.drawn.random())  # those who launder use whom they know
        lead = self._account(-1, 0.0, start, span, set())
        found, used = [lead], {lead}
        for _ in range(count - 1):
            near = found[0] if self.drawn.random() < 0.7 else found[-1]
            one = self._account(near, known, start, span, used)
            found.append(one)
            used.add(one)
        return found

    def _account(self, near: int, known: float, start: int, span: int, used: set[int]) -> int:
        one = 0
        for _ in range(_TRIES):
            one = self._partner(near) if near >= 0 and self.drawn.random() < known else -1
            if one < 0:
                one = int(self.there[self.below(len(self.there))])
                foreign = near >= 0 and self.country[one] != self.country[near]
                if foreign and self.drawn.random() >= self.abroad:
                    continue
            there = self.first[one] <= start and self.last[one] >= start - 30 * DAY_US
            if there and one not in used:
                return one
        return one

    def _partner(self, who: int) -> int:
        """Somebody whom an account pays or is paid by; -1 for nobody."""
        lists = [(self.out, self.payments.payee), (self.into, self.payments.payer)]
        if self.drawn.random() < 0.5:
            lists.reverse()
        for (starts, order), other in lists:
            low, high = int(starts[who]), int(starts[who + 1])
            if high > low:
                return int(other[order[low + self.below(high - low)]])
        return -1

    def _own(self, who: int) -> int:
        """A payment that an account made, or received, or any."""
        for starts, order in (self.out, self.into):
            low, high = int(starts[who]), int(starts[who + 1])
            if high > low:
                return int(order[low + self.below(high - low)])
        return self.below(len(self.payments))

    def _amounts(self, shape: Shape, accounts: list[int]) -> list[int]:
        drawn = self.drawn
        amount = self.payments.amount
        style = drawn.random()
        base = int(amount[self._own(accounts[0])])
        spread = float(drawn.choice([0.0, 0.1, 0.4, 0.9]))
        rounds = drawn.random()
        came: dict[int, int] = {}
        made = []
        for a, b, _ in sorted(shape.steps, key=lambda step: step[2]):
            own = int(amount[self._own(accounts[a])])
            value = own if style < 0.4 else int(base * np.exp(spread * drawn.normal()))
            if shape.handed_on and a in came:
                value = int(
                    came[a] * (1.0 - float(drawn.choice([0.0, 0.03, 0.1])) * drawn.random())
                )
            if drawn.random() < 0.6 * rounds:
                value = _as_round_as(value, own)
            came[b] = max(value, 1)
            made.append(max(value, 1))
        # In the order of the steps again.
        order = sorted(range(len(shape.steps)), key=lambda k: shape.steps[k][2])
        back = [0] * len(made)
        for place, value in zip(order, made, strict=True):
            back[place] = value
        return back

    def payments_of(self, rows: Int64) -> Payments:
        """Rows as payments: currency of the payer, channel as such accounts pay each other."""
        time, payer, payee, amount, like = rows.T if len(rows) else np.zeros((5, 0), np.int64)
        given = self.payments
        abroad = self.country[payer] != self.country[payee]
        abroad &= (self.country[payer] >= 0) & (self.country[payee] >= 0)
        ways = (self.kind[payer] * 8 + self.kind[payee]) * 2 + abroad
        channel = given.channel[like].copy()
        for way in np.unique(ways).tolist():
            mine = np.flatnonzero(ways == way)
            from_these = self.ways.get(way)
            if from_these is not None:
                channel[mine] = given.channel[
                    from_these[self.drawn.integers(0, len(from_these), len(mine))]
                ]
        return Payments(
            time_us=time, payer=payer, payee=payee, amount=amount, currency=given.currency[like],
            channel=channel, abroad=abroad, peer=self.kind[payer], hour=time // 3_600_000_000 % 24,
            payer_kind=self.kind[payer], payee_kind=self.kind[payee],
            payer_country=self.country[payer], payee_country=self.country[payee],
        )  # fmt: skip


def _as_round_as(value: int, other: int) -> int:
    step = 1
    while step < 10_000_000 and other % (step * 10) == 0:
        step *= 10
    if other % (step * 5) == 0:
        step *= 5
    return max(value // step * step, step) if step <= 2 * value else value


def _by(accounts: Int64, count: int) -> tuple[Int64, Int64]:
    """Where each account's payments begin, and the payments in that order."""
    order = np.argsort(accounts, kind="stable")
    return np.searchsorted(accounts[order], np.arange(count + 1)), order


def _seen(payments: Payments, count: int) -> tuple[Int64, Int64]:
    first, last = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    for side in (payments.payer, payments.payee):
        mine = np.flatnonzero(side >= 0)
        np.minimum.at(first, side[mine], payments.time_us[mine])
        np.maximum.at(last, side[mine], payments.time_us[mine])
    return first, last


def _attributes(payments: Payments, count: int) -> tuple[Int64, Int64]:
    """Kind and country of each account, as last told."""
    kind, country = np.zeros(count, np.int64), np.full(count, -1)
    for side, kinds, countries in (
        (payments.payer, payments.payer_kind, payments.payer_country),
        (payments.payee, payments.payee_kind, payments.payee_country),
    ):
        mine = np.flatnonzero(side >= 0)
        kind[side[mine]], country[side[mine]] = kinds[mine], countries[mine]
    return kind, country


def _by_ways(payments: Payments) -> dict[int, Int64]:
    """Payments between two parties, by kinds of both and whether they cross a border."""
    both = np.flatnonzero((payments.payer >= 0) & (payments.payee >= 0))
    ways = (payments.payer_kind * 8 + payments.payee_kind) * 2 + payments.abroad
    return {way: both[ways[both] == way] for way in np.unique(ways[both]).tolist()}
