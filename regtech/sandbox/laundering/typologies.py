"""How money is laundered: each typology as payments among accounts, in the accounts' own style.

A plan picks its accounts among those that are there: some that know each other, some that do not,
some busy and some not. Amounts are near what the payers usually pay, hours are the payers' own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from regtech.sandbox.laundering.flows import DEPOSIT, NOBODY
from regtech.sandbox.laundering.surroundings import DAY_US, HOUR_US, Dice, Surroundings
from regtech.sandbox.laundering.world import DAYS

KNOWN: Final = 60
"""Per cent of partners who are taken from among those that an account deals with anyway."""
BUSY: Final = 8
"""Per cent of accounts that are picked by how busy they are."""
_CANDIDATES: Final = 4
WATCHED: Final = 1_000_000
"""A round sum, in our units, that structuring stays under: our own figure, not any law's."""


@dataclass(frozen=True, slots=True)
class Step:
    """A planned payment; ``amount`` in our units, ``way`` None for what is usual."""

    us: int
    payer: int
    payee: int
    amount: int
    way: int | None = None


class Plan:
    """The accounts, days and amounts of one attempt."""

    def __init__(self, around: Surroundings, dice: Dice, span_days: int) -> None:
        self.around, self.dice, self.span = around, dice, span_days
        self.first = dice.between(4, DAYS - span_days - 3)
        self.used: set[int] = set()

    def account(self, near: int | None = None, like: int | None = None, known: int = KNOWN) -> int:
        """An account that the plan has not used: known to ``near``, of amounts like ``like``'s."""
        best, far = -1, 0.0
        tries = 0
        while tries < 12 * _CANDIDATES and (best < 0 or tries < _CANDIDATES):
            tries += 1
            contact = near is not None and self.dice.chance(known)
            found = self.around.contact(near, self.dice) if near is not None and contact else -1
            if found < 0:
                found = self.around.anyone(self.dice, busy=BUSY)
            world = self.around.world
            if near is not None and world.country[found] != world.country[near]:
                if self.dice.chance(85):
                    continue
            if found in self.used or self.around.is_hub(found) and self.dice.chance(60):
                continue
            if not self.around.is_there(found, self.first, self.first + self.span):
                continue
            if like is None:
                best = found
                break
            ratio = self.around.usual(found) / self.around.usual(like)
            ratio = max(ratio, 1 / ratio) * (1 if contact else 4)
            if best < 0 or ratio < far:
                best, far = found, ratio
        if best < 0:
            best = next(
                (
                    k
                    for k in range(self.around.world.count)
                    if k not in self.used
                    and self.around.is_there(k, self.first, self.first + self.span)
                ),
                0,
            )
        self.used.add(best)
        return best

    def accounts(self, count: int, near: int, known: int = KNOWN) -> list[int]:
        """Several, see ``account``; like ``near`` in their amounts."""
        return [self.account(near, near, known) for _ in range(count)]

    def amount(self, who: int) -> int:
        """About what the account pays."""
        own, usual = self.around.amount(who, self.dice), self.around.usual(who)
        return max(own if self.dice.chance(55) else usual * self.dice.between(40, 130) // 100, 100)

    def on(self, who: int, low: int, high: int) -> int:
        """A moment between two days of the plan, at the account's own hours."""
        return self.around.hour_on(who, self.first + self.dice.between(low, high), self.dice)

    def after(self, us: int, who: int, hours: tuple[int, int]) -> int:
        """A moment some hours later."""
        return us + self.dice.between(hours[0] * 60, hours[1] * 60) * (HOUR_US // 60)

    def shares(self, total: int, count: int) -> list[int]:
        """``total`` less a few per cent in uneven parts."""
        weights = [self.dice.between(60, 140) for _ in range(count)]
        kept = total * self.dice.between(92, 99) // 100
        return [max(kept * weight // sum(weights), 100) for weight in weights]


Typology = Callable[[Plan], list[Step]]


def fan_in(plan: Plan) -> list[Step]:
    """Several pay one."""
    target = plan.account()
    payers = plan.accounts(plan.dice.between(4, 12), target)
    return [Step(plan.on(p, 0, plan.span), p, target, plan.amount(p)) for p in payers]


def fan_out(plan: Plan) -> list[Step]:
    """One pays several."""
    source = plan.account()
    payees = plan.accounts(plan.dice.between(4, 12), source)
    return [Step(plan.on(source, 0, plan.span), source, p, plan.amount(source)) for p in payees]


def gather_scatter(plan: Plan) -> list[Step]:
    """Several pay one, who then pays several others."""
    middle = plan.account()
    half = plan.span // 2
    steps = [
        Step(plan.on(p, 0, half), p, middle, plan.amount(p))
        for p in plan.accounts(plan.dice.between(3, 7), middle)
    ]
    payees = plan.accounts(plan.dice.between(3, 7), middle)
    parts = plan.shares(sum(step.amount for step in steps), len(payees))
    return steps + [
        Step(plan.on(middle, half + 1, plan.span), middle, p, part)
        for p, part in zip(payees, parts, strict=True)
    ]


def scatter_gather(plan: Plan) -> list[Step]:
    """One pays several, who all pay the same other one."""
    source = plan.account()
    target = plan.account(source, source, known=0)
    half = plan.span // 2
    steps = []
    for middle in plan.accounts(plan.dice.between(3, 7), source):
        amount = plan.amount(source)
        steps.append(Step(plan.on(source, 0, half), source, middle, amount))
        passed = amount * plan.dice.between(88, 99) // 100
        steps.append(Step(plan.on(middle, half + 1, plan.span), middle, target, passed))
    return steps


def _chain(plan: Plan, accounts: Sequence[int], loss: tuple[int, int]) -> list[Step]:
    """From each account to the next, in order of time, a little less each time."""
    amount = plan.amount(accounts[0])
    hops = len(accounts) - 1
    steps = []
    for hop, (payer, payee) in enumerate(zip(accounts[:-1], accounts[1:], strict=True)):
        low = hop * plan.span // hops
        high = max((hop + 1) * plan.span // hops - 1, low)
        steps.append(Step(plan.on(payer, low, high), payer, payee, amount))
        amount = max(amount * (1000 - plan.dice.between(*loss)) // 1000, 100)
    times = sorted(step.us for step in steps)
    return [Step(us, s.payer, s.payee, s.amount) for us, s in zip(times, steps, strict=True)]


def _walk(plan: Plan, count: int) -> list[int]:
    accounts = [plan.account()]
    while len(accounts) < count:
        accounts.append(plan.account(accounts[-1], accounts[0]))
    return accounts


def cycle(plan: Plan) -> list[Step]:
    """Money that comes back to where it began over three to eight hops."""
    accounts = _walk(plan, plan.dice.between(3, 8))
    return _chain(plan, [*accounts, accounts[0]], (2, 60))


def random_walk(plan: Plan) -> list[Step]:
    """A chain of four to eight hops that does not close."""
    return _chain(plan, _walk(plan, plan.dice.between(5, 9)), (2, 80))


def _layers(plan: Plan, sizes: Sequence[int]) -> list[Step]:
    """Layers of accounts, each account paying two of the next layer."""
    first = plan.account()
    layers = [[first, *plan.accounts(sizes[0] - 1, first)]]
    for size in sizes[1:]:
        before = layers[-1]
        layers.append([plan.account(before[k % len(before)], first) for k in range(size)])
    steps = []
    parts = len(layers) - 1
    for number, (payers, payees) in enumerate(zip(layers[:-1], layers[1:], strict=True)):
        low = number * plan.span // parts
        high = max((number + 1) * plan.span // parts - 1, low)
        for place, payer in enumerate(payers):
            for turn in range(2):
                payee = payees[(place + turn) % len(payees)]
                us = plan.on(payer, low, high)
                steps.append(Step(us, payer, payee, plan.amount(payer)))
    return steps


def stack(plan: Plan) -> list[Step]:
    """Three layers, each paying the next."""
    return _layers(plan, [plan.dice.between(2, 4) for _ in range(3)])


def bipartite(plan: Plan) -> list[Step]:
    """One group pays another."""
    return _layers(plan, [plan.dice.between(3, 6), plan.dice.between(2, 4)])


def pass_through(plan: Plan) -> list[Step]:
    """One or two payments in, and within hours nearly all of it out, several times."""
    middle = plan.account()
    source, target = plan.account(middle, middle), plan.account(middle, middle)
    steps = []
    rounds = plan.dice.between(2, 4)
    for turn in range(rounds):
        amount = plan.amount(source)
        us = plan.on(source, turn * plan.span // rounds, (turn + 1) * plan.span // rounds - 1)
        steps.append(Step(us, source, middle, amount))
        us = plan.after(us, middle, (1, 9))
        for part in plan.shares(amount, plan.dice.between(1, 2)):
            steps.append(Step(us, middle, target, part))
            us = plan.after(us, middle, (0, 2))
    return steps


def structuring(plan: Plan) -> list[Step]:
    """What is too much at once is paid in parts just under a round sum, in cash or by transfer."""
    target = plan.account()
    helpers = plan.accounts(plan.dice.between(1, 3), target)
    # The round sum is the watched one, or a tenth or a fiftieth of it for who deals in less.
    usual = plan.around.usual(target)
    limit = next((WATCHED // k for k in (1, 10, 50) if WATCHED // k < 8 * usual), WATCHED // 100)
    steps = []
    for _ in range(plan.dice.between(5, 10)):
        amount = limit * plan.dice.between(82, 99) // 100 // 500 * 500
        if plan.dice.chance(45):
            us = plan.on(target, 0, plan.span)
            steps.append(Step(us, NOBODY, target, amount, DEPOSIT))
        else:
            helper = helpers[plan.dice.below(len(helpers))]
            steps.append(Step(plan.on(helper, 0, plan.span), helper, target, amount))
    return steps


def round_tripping(plan: Plan) -> list[Step]:
    """Out over the border, on by way of another country, and home again as if it were new."""
    home = plan.account()
    world = plan.around.world
    stations = []
    lands = {int(world.country[home])}
    for _ in range(plan.dice.between(2, 3)):
        found = _abroad(plan, lands, home)
        if found < 0:
            break
        lands.add(int(world.country[found]))
        stations.append(found)
    if not stations:
        stations = plan.accounts(2, home)
    return _chain(plan, [home, *stations, home], (5, 80))


def _abroad(plan: Plan, lands: set[int], like: int) -> int:
    """An account of a country that is not among ``lands``; -1 where none was found."""
    world = plan.around.world
    best, far = -1, 0.0
    for _ in range(60):
        found = plan.around.anyone(plan.dice, busy=BUSY)
        there = plan.around.is_there(found, plan.first, plan.first + plan.span)
        if found in plan.used or int(world.country[found]) in lands or not there:
            continue
        ratio = plan.around.usual(found) / plan.around.usual(like)
        ratio = max(ratio, 1 / ratio)
        if best < 0 or ratio < far:
            best, far = found, ratio
    if best >= 0:
        plan.used.add(best)
    return best


def mule(plan: Plan) -> list[Step]:
    """An account that was silent or is new takes money from strangers and hands it on at once."""
    mule_account = _sleeper(plan)
    victims = plan.accounts(plan.dice.between(3, 7), mule_account, known=25)
    boss = plan.account(mule_account, mule_account, known=25)
    steps = []
    for place, victim in enumerate(victims):
        amount = plan.amount(victim)
        us = plan.on(victim, 0, plan.span - 1)
        steps.append(Step(us, victim, mule_account, amount))
        if place % 2 or plan.dice.chance(60):
            us = plan.after(us, mule_account, (1, 20))
            passed = amount * plan.dice.between(90, 99) // 100
            steps.append(Step(us, mule_account, boss, passed))
    return steps


def _sleeper(plan: Plan) -> int:
    """An account on the days after it woke or was opened, where there is one in time."""
    world, dice = plan.around.world, plan.dice
    for _ in range(60):
        found = plan.around.anyone(dice, busy=25)
        wakes = int(world.resumed[found] if world.resumed[found] > world.paused[found] else 0)
        wakes = wakes or int(world.opened[found])
        if wakes and wakes + plan.span + 8 < DAYS:
            plan.first = wakes + dice.below(6)
            plan.used.add(found)
            return found
    return plan.account()


TYPOLOGIES: Final[dict[str, tuple[Typology, int, int]]] = {
    "fan_in": (fan_in, 3, 14),
    "fan_out": (fan_out, 3, 14),
    "gather_scatter": (gather_scatter, 6, 18),
    "scatter_gather": (scatter_gather, 6, 18),
    "cycle": (cycle, 4, 20),
    "stack": (stack, 5, 16),
    "bipartite": (bipartite, 3, 12),
    "random_walk": (random_walk, 4, 18),
    "pass_through": (pass_through, 4, 12),
    "structuring": (structuring, 3, 9),
    "round_tripping": (round_tripping, 4, 20),
    "mule": (mule, 4, 12),
}
"""Name, plan, and the shortest and longest span in days."""


def planned(name: str, around: Surroundings, dice: Dice) -> list[Step]:
    """The payments of an attempt of a typology, in order of time."""
    make, low, high = TYPOLOGIES[name]
    return in_period(make(Plan(around, dice, dice.between(low, high))))


def in_period(steps: Sequence[Step]) -> list[Step]:
    """In order of time, none outside the days that are simulated."""
    end = DAYS * DAY_US - 1
    moved = [replace(step, us=min(max(step.us, 0), end)) for step in steps]
    return sorted(moved, key=lambda step: step.us)
