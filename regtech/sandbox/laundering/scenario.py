"""The whole: background and attempts in one order of time, with labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from regtech.errors import UsageError
from regtech.sandbox.laundering.daily import daily
from regtech.sandbox.laundering.flows import (
    BILL,
    CARD,
    CHEQUE,
    NOBODY,
    TRANSFER,
    WIRE,
    Flows,
    together,
)
from regtech.sandbox.laundering.habits import DAY_US, habits
from regtech.sandbox.laundering.patterns import Published, placed
from regtech.sandbox.laundering.surroundings import Dice, Surroundings
from regtech.sandbox.laundering.typologies import TYPOLOGIES, Step, planned
from regtech.sandbox.laundering.world import DAYS, LEVELS, PERSON, SHOP, World, make_world
from regtech.sandbox.simulate.numbers import Int64, Numbers

SHARE_PER_MILLE: Final = 2
"""Planted payments in a thousand, where nothing else is asked for."""
ANY_FROM_EVENTS: Final = 100
EACH_FROM_EVENTS: Final = 20_000
"""Each typology occurs from so many events on."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A planted attempt: its typology and the places of its payments in the whole."""

    number: int
    typology: str
    places: Int64


@dataclass(frozen=True, slots=True)
class Scenario:
    """All payments in order of time, and the attempts among them."""

    world: World
    payments: Flows
    attempts: tuple[Attempt, ...]


def make_scenario(
    events: int,
    seed: int,
    *,
    share_per_mille: int = SHARE_PER_MILLE,
    published: Sequence[Published] | None = None,
) -> Scenario:
    """``events`` payments over 180 days, ``share_per_mille`` of them planted.

    Nothing is planted among fewer than 100 events, and from 20,000 on each typology at least once.
    With ``published`` attempts these are planted in place of ours, all of them; ``UsageError``
    where they do not fit.
    """
    world = make_world(events, seed)
    recurring = habits(world)
    recurring = recurring.take(np.flatnonzero((recurring.us >= 0) & (recurring.us < DAYS * DAY_US)))
    wanted = max(events * share_per_mille // 1000, 1)
    if not share_per_mille or events < ANY_FROM_EVENTS:
        wanted = 0
    fill = daily(world, max(events - len(recurring), events // 8, 1))
    around = Surroundings(world, together([recurring, fill]))
    planned_steps = _published(around, published) if published else _own(around, wanted, events)
    attempted = [_as_flows(world, steps, k) for k, (_, steps) in enumerate(planned_steps)]
    room = events - sum(map(len, attempted))
    if room < 0:
        raise UsageError(
            f"the published attempts are more than {events} payments", hint="ask for more events"
        )
    background = together([recurring, fill])
    if len(background) > room:  # the last of what fills goes, and of what recurs where it must
        background = background.take(np.arange(room))
    payments = together([background, *attempted]).in_order()
    order = np.argsort(payments.attempt, kind="stable")
    starts = np.searchsorted(payments.attempt[order], np.arange(len(planned_steps) + 1))
    attempts = tuple(
        Attempt(k, name, order[starts[k] : starts[k + 1]])
        for k, (name, _) in enumerate(planned_steps)
    )
    return Scenario(world, payments, attempts)


def _own(around: Surroundings, wanted: int, events: int) -> list[tuple[str, list[Step]]]:
    made: list[tuple[str, list[Step]]] = []
    names = tuple(TYPOLOGIES)
    least = len(names) if wanted and events >= EACH_FROM_EVENTS else 0
    count = 0
    while count < wanted or len(made) < least:
        name = names[(len(made) + around.world.seed) % len(names)]
        steps = planned(name, around, Dice(around.world.seed, len(made)))
        made.append((name, steps))
        count += len(steps)
    return made


def _published(
    around: Surroundings, published: Sequence[Published]
) -> list[tuple[str, list[Step]]]:
    return [
        (attempt.typology, placed(attempt, around, Dice(around.world.seed, k)))
        for k, attempt in enumerate(published)
    ]


def _as_flows(world: World, steps: Sequence[Step], attempt: int) -> Flows:
    us = np.array([step.us for step in steps], np.int64)
    payer = np.array([step.payer for step in steps], np.int64)
    payee = np.array([step.payee for step in steps], np.int64)
    units = np.array([step.amount for step in steps], np.int64)
    given = np.array([-1 if step.way is None else step.way for step in steps], np.int64)
    holder = np.where(payer == NOBODY, payee, payer)
    return Flows(
        us,
        payer,
        payee,
        units * LEVELS[world.country[holder]],
        np.where(given < 0, _usual_way(world, payer, payee, attempt), given),
        np.full(len(steps), attempt),
    )


def _usual_way(world: World, payer: Int64, payee: Int64, attempt: int) -> Int64:
    """As the background does it: cards in shops, wires over borders, else mostly transfers."""
    index = (attempt << 20) + np.arange(len(payer))
    any_of = Numbers(world.seed, "laundering-ways").below(index, 100)
    person = world.role[payer] == PERSON
    way = np.where(any_of < 4, BILL, np.where((any_of < 9) & ~person, CHEQUE, TRANSFER))
    way = np.where((world.role[payee] >= SHOP) & (any_of < 60), CARD, way)
    return np.where(world.country[payer] != world.country[payee], WIRE, way)
