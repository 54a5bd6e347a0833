"""What recurs: wages, rents, bills, allowances, invoices, and what people do together for once.

The last are lawful look-alikes: collections for a present, savings rings, agents who gather rents
and hand them on, firms that sweep their takings to a parent. A detector has to tell them apart.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from regtech.sandbox.laundering.flows import (
    BILL,
    CHEQUE,
    INTERNAL,
    TRANSFER,
    WIRE,
    Flows,
    flows,
    together,
)
from regtech.sandbox.laundering.world import (
    DAYS,
    FIRM,
    HUB,
    NARROW,
    PERSON,
    SHOP,
    WIDE,
    World,
    around,
)
from regtech.sandbox.simulate.numbers import Int64, Numbers

DAY_US: Final = 86_400_000_000
_HOUR_US: Final = 3_600_000_000
_MONTH: Final = 30
_WEEK: Final = 7


def _every(
    world: World,
    numbers: Numbers,
    payer: Int64,
    payee: Int64,
    base: Int64,
    first: Int64,
    step: Int64,
    *,
    spread: Int64 | None,
    slack: int = 2,
    way: Int64 | int = TRANSFER,
) -> Flows:
    """A payment every ``step`` days from day ``first`` on, ``slack`` days late at most.

    The amount is always ``base`` without a ``spread``. Who is not active does not pay.
    """
    times = np.maximum((DAYS - first + step - 1) // step, 0)
    row = np.repeat(np.arange(len(payer)), times)
    turn = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    index = row * 256 + turn
    day = first[row] + turn * step[row] + numbers.below(index, slack + 1, 1)
    amount = base[row] if spread is None else around(base[row], index, numbers, 2, spread)
    us = world.moment(payer[row], day, index, numbers, 3)
    ways = np.broadcast_to(np.asarray(way), payer.shape)[row]
    made = flows(us, payer[row], payee[row], amount, ways)
    kept = world.active(payer[row], day) & world.active(payee[row], day)
    return made.take(np.flatnonzero(kept & (payer[row] != payee[row])))


def _abroad(world: World, payer: Int64, payee: Int64, way: int = TRANSFER) -> Int64:
    """A wire across a border, and else the way that is given."""
    return np.where(world.country[payer] != world.country[payee], WIRE, way)


def wages(world: World) -> Flows:
    """Monthly on the employer's day, some weekly; pensions and benefits too come from hubs."""
    numbers = Numbers(world.seed, "laundering-wages")
    worker = np.flatnonzero(world.employer >= 0)
    employer = world.employer[worker]
    weekly = numbers.below(employer, 100, 10) < 12
    day = np.where(weekly, numbers.below(employer, 7, 11), numbers.below(employer, 28, 12))
    base = np.where(weekly, world.scale[worker] // 4, world.scale[worker])
    step = np.where(weekly, _WEEK, _MONTH)
    return _every(
        world, numbers, employer, worker, base, day, step, spread=None, slack=1,
        way=_abroad(world, employer, worker),
    )  # fmt: skip


def rents(world: World) -> Flows:
    """Half of the persons rent, from persons, firms and hubs, or by an agent of several owners."""
    numbers = Numbers(world.seed, "laundering-rents")
    tenant = world.members(PERSON)
    tenant = tenant[numbers.below(tenant, 100, 10) < 45]
    from_person = numbers.below(tenant, 100, 11) < 45
    landlord = np.where(
        from_person,
        world.near(tenant, PERSON, tenant, numbers, 12),
        world.near(tenant, FIRM, tenant, numbers, 15),
    )
    base = world.scale[tenant] * (20 + numbers.below(tenant, 20, 18)) // 100 // 500 * 500
    base = np.maximum(base, 500)
    first = numbers.below(tenant, 6, 19)
    step = np.full(len(tenant), _MONTH)
    paid = _every(world, numbers, tenant, landlord, base, first, step, spread=None)
    return together([paid, _handed_on(world, numbers, paid)])


def _handed_on(world: World, numbers: Numbers, paid: Flows) -> Flows:
    """Agents keep a few per cent and hand the rest to an owner within two days."""
    agent = (world.role[paid.payee] == FIRM) & (numbers.below(paid.payee, 100, 20) < 40)
    part = paid.take(np.flatnonzero(agent))
    key = part.payer * 1009 + part.payee
    owner = world.near(part.payee, PERSON, key, numbers, 21)
    index = np.arange(len(part))
    fee = 3 + numbers.below(part.payee, 7, 24)
    us = part.us + _HOUR_US + numbers.below(index, 47 * 3600, 25) * 1_000_000
    made = flows(us, part.payee, owner, part.amount * (100 - fee) // 100, TRANSFER)
    return made.take(np.flatnonzero((us < DAYS * DAY_US) & (owner != part.payee)))


def bills(world: World) -> Flows:
    """One or two utilities a month, paid as bills or by transfer."""
    numbers = Numbers(world.seed, "laundering-bills")
    payer = np.concatenate([world.members(PERSON), world.members(FIRM), world.members(SHOP)])
    payer = np.repeat(payer, 1 + (numbers.below(payer, 100, 9) < 30))
    index = np.arange(len(payer))
    hub = world.near(payer, HUB, index, numbers, 10)
    level = np.where(world.role[payer] == PERSON, world.scale[payer] // 50, world.scale[payer] // 4)
    base = (level + world.scale[hub]) // 2
    first = numbers.below(index, _MONTH, 13)
    step = np.where(numbers.below(index, 100, 14) < 55, 2 * _MONTH, _MONTH)
    way = np.where(numbers.below(index, 100, 15) < 60, BILL, TRANSFER)
    return _every(world, numbers, payer, hub, base, first, step, spread=NARROW, way=way)


def allowances(world: World) -> Flows:
    """Within a family every week or month; some send to relatives abroad."""
    numbers = Numbers(world.seed, "laundering-families")
    members = world.members(PERSON)
    members = members[np.argsort(world.family[members], kind="stable")]
    after = np.roll(members, -1)
    same = world.family[members] == world.family[after]
    payer, payee = members[same], after[same]
    back = numbers.below(payer, 100, 10) < 25
    payer, payee = np.concatenate([payer, payee[back]]), np.concatenate([payee, payer[back]])
    sender = world.members(PERSON)
    sender = sender[numbers.below(sender, 100, 11) < 6]
    relative = world.near(sender, PERSON, sender, numbers, 12, abroad=1)
    payer, payee = np.concatenate([payer, sender]), np.concatenate([payee, relative])
    index = np.arange(len(payer))
    step = np.where(numbers.below(index, 100, 15) < 30, _WEEK, _MONTH)
    base = np.maximum(world.scale[payer] * step // 500 // 1000 * 1000, 1000)
    first = numbers.below(index, _MONTH, 16)
    return _every(
        world, numbers, payer, payee, base, first, step, spread=None, slack=3,
        way=_abroad(world, payer, payee, INTERNAL),
    )  # fmt: skip


def invoices(world: World) -> Flows:
    """Firms and shops pay two to five suppliers, each in its own rhythm."""
    numbers = Numbers(world.seed, "laundering-invoices")
    buyer = np.concatenate([world.members(FIRM), world.members(SHOP)])
    buyer = np.repeat(buyer, 2 + numbers.below(buyer, 4, 10))
    index = np.arange(len(buyer))
    supplier = world.near(buyer, FIRM, index, numbers, 11, abroad=15)
    base = (world.scale[buyer] + world.scale[supplier]) // 2
    step = np.array((7, 14, 30, 30, 45))[numbers.below(index, 5, 14)]
    first = numbers.below(index, 30, 15)
    way = np.where(numbers.below(index, 100, 16) < 8, CHEQUE, TRANSFER)
    way = np.where(world.country[buyer] != world.country[supplier], WIRE, way)
    return _every(
        world, numbers, buyer, supplier, base, first, step, spread=WIDE, slack=4, way=way
    )  # fmt: skip


def sweeps(world: World) -> Flows:
    """One shop or firm in twelve sends its takings to a parent every week."""
    numbers = Numbers(world.seed, "laundering-sweeps")
    child = np.concatenate([world.members(FIRM), world.members(SHOP)])
    child = child[numbers.below(child, 12, 10) == 0]
    parent = world.near(child, FIRM, child, numbers, 11, abroad=8)
    first = numbers.below(child, _WEEK, 14)
    step = np.full(len(child), 2 * _WEEK)
    way = _abroad(world, child, parent)
    return _every(
        world, numbers, child, parent, world.scale[child] * 3, first, step, spread=WIDE, way=way
    )


def gatherings(world: World) -> Flows:
    """A present, a journey, a club: several pay one within days, who then pays for it."""
    numbers = Numbers(world.seed, "laundering-gatherings")
    count = world.count // 14
    which = np.arange(count)
    persons, firms = world.members(PERSON), world.members(FIRM)
    organiser = np.where(
        numbers.below(which, 100, 10) < 70,
        persons[numbers.below(which, len(persons), 11)],
        firms[numbers.below(which, len(firms), 12)],
    )
    day = world.some_day(organiser, which, numbers, 13)
    size = 3 + numbers.below(which, 9, 14)
    each = (
        around(np.full(count, 6_000), which, numbers, 15, WIDE) * world.scale[organiser] // 300_000
    )
    each = np.maximum(each // 500 * 500, 500)
    row = np.repeat(which, size)
    index = np.arange(len(row))
    guest = world.near(organiser[row], PERSON, index, numbers, 16)
    days = day[row] + numbers.below(index, 6, 19)
    us = world.moment(guest, days, index, numbers, 20)
    gathered = flows(us, guest, organiser[row], each[row], TRANSFER)
    kept = world.active(guest, days) & (guest != organiser[row])
    gathered = gathered.take(np.flatnonzero(kept))

    pays = np.repeat(which, 1 + numbers.below(which, 3, 22))
    turn = np.arange(len(pays))
    payee = np.where(
        numbers.below(turn, 2, 23) == 0,
        world.near(organiser[pays], SHOP, turn, numbers, 24),
        world.near(organiser[pays], PERSON, turn, numbers, 27),
    )
    later = day[pays] + 5 + numbers.below(turn, 4, 30)
    paid = flows(
        world.moment(organiser[pays], later, turn, numbers, 31), organiser[pays], payee,
        each[pays] * size[pays] * 3 // 8, TRANSFER,
    )  # fmt: skip
    kept = world.active(organiser[pays], later) & (payee != organiser[pays])
    return together([gathered, paid.take(np.flatnonzero(kept))])


def savings_rings(world: World) -> Flows:
    """Four to seven persons pay the same into a pot, and one after the other has it."""
    numbers = Numbers(world.seed, "laundering-rings")
    count = world.count // 120
    which = np.arange(count)
    persons = world.members(PERSON)
    founder = persons[numbers.below(which, len(persons), 10)]
    size = 4 + numbers.below(which, 4, 11)
    base = np.maximum(world.scale[founder] // 20 // 1000 * 1000, 1000)
    parts = []
    for turn in range(6):
        holder = _ring_member(world, numbers, founder, which, np.full(count, turn) % size)
        for place in range(7):
            payer = _ring_member(world, numbers, founder, which, np.full(count, place))
            index = which * 64 + turn * 8 + place
            day = np.full(count, turn * _MONTH) + numbers.below(index, 4, 20)
            us = world.moment(payer, day, index, numbers, 21)
            made = flows(us, payer, holder, base, TRANSFER)
            kept = (place < size) & (payer != holder)
            kept &= world.active(payer, day) & world.active(holder, day)
            parts.append(made.take(np.flatnonzero(kept)))
    return together(parts)


def _ring_member(
    world: World, numbers: Numbers, founder: Int64, which: Int64, place: Int64
) -> Int64:
    other = world.near(founder, PERSON, which * 8 + place, numbers, 12)
    return np.where(place == 0, founder, other)


def habits(world: World) -> Flows:
    """All that recurs or happens together."""
    made = (wages, rents, bills, allowances, invoices, sweeps, gatherings, savings_rings)
    return together([make(world) for make in made])
