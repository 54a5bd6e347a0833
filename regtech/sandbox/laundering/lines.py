"""Payments and labels as lines of NDJSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import numpy as np

from regtech.sandbox.laundering.flows import NOBODY, WAYS, WIRE
from regtech.sandbox.laundering.scenario import Scenario
from regtech.sandbox.laundering.world import PERSON, World
from regtech.sandbox.simulate.background import FIRST_US
from regtech.sandbox.simulate.numbers import Int64
from regtech.sandbox.simulate.population import COUNTRIES
from regtech.sandbox.simulate.texts import amounts, currencies, times

PIECE: Final = 1 << 15


def _account(world: World, who: int) -> str:
    return f"{COUNTRIES[int(world.country[who])][0]}{who:010}"


def _parties(world: World) -> list[str]:
    rows = zip(world.role.tolist(), world.country.tolist(), world.institution.tolist(), strict=True)
    return [
        f'{{"id":"C{who:07}","account":"{COUNTRIES[land][0]}{who:010}",'
        f'"institution":"{world.institutions[bank]}",'
        f'"name":"{"Person" if role == PERSON else "Company"} {who}",'
        f'"kind":"{"person" if role == PERSON else "entity"}","country":"{COUNTRIES[land][0]}"}}'
        for who, (role, land, bank) in enumerate(rows)
    ]


def payment_id(place: int) -> str:
    """The id of the payment at a place: by time alone, so that it tells nothing."""
    return f"P{place:09}"


def lines(scenario: Scenario) -> Iterator[list[str]]:
    """The payments as lines without line ends, in pieces, in order of time."""
    world, whole = scenario.world, scenario.payments
    parties = _parties(world)
    for start in range(0, len(whole), PIECE):
        index = np.arange(start, min(start + PIECE, len(whole)))
        yield _piece(world, scenario, parties, index)


def _piece(world: World, scenario: Scenario, parties: list[str], index: Int64) -> list[str]:
    part = scenario.payments.take(index)
    holder = np.where(part.payer == NOBODY, part.payee, part.payer)
    land, bank = world.country[holder], world.institution[holder]
    rows = zip(
        index.tolist(),
        times(FIRST_US + part.us, land),
        bank.tolist(),
        amounts(part.amount, land),
        currencies(land),
        part.way.tolist(),
        part.payer.tolist(),
        part.payee.tolist(),
        strict=True,
    )
    made = []
    for k, time, b, amount, currency, way, payer, payee in rows:
        channel, kind = WAYS[way]
        sides = f'"payer":{parties[payer]},' if payer != NOBODY else ""
        sides += f'"payee":{parties[payee]},' if payee != NOBODY else ""
        purpose = '"purpose":"remittance",' if way == WIRE else ""
        made.append(
            f'{{"id":"P{k:09}","type":"transaction","time":"{time}",'
            f'"reporter":"{world.institutions[b]}","amount":"{amount}","currency":"{currency}",'
            f'"channel":"{channel}","kind":"{kind}",{sides}{purpose}"reference":"E2E{k:010}"}}'
        )
    return made


def labels(scenario: Scenario) -> Iterator[str]:
    """One line for each attempt: typology, accounts with what they paid and got, payments."""
    world, whole = scenario.world, scenario.payments
    for attempt in scenario.attempts:
        part = whole.take(attempt.places)
        holder = np.where(part.payer == NOBODY, part.payee, part.payer)
        seen = [who for who in [*part.payer.tolist(), *part.payee.tolist()] if who != NOBODY]
        accounts = [
            {
                "id": f"C{who:07}",
                "account": _account(world, who),
                "paid": int((part.payer == who).sum()),
                "received": int((part.payee == who).sum()),
            }
            for who in sorted(set(seen))
        ]
        when = times(FIRST_US + part.us, world.country[holder])
        label = {
            "attempt": f"A{attempt.number:05}",
            "typology": attempt.typology,
            "expected": "alert",
            "first": when[0],
            "last": when[-1],
            "subjects": [account["id"] for account in accounts],
            "accounts": accounts,
            "events": [
                {"reporter": world.institutions[bank], "id": payment_id(place)}
                for bank, place in zip(
                    world.institution[holder].tolist(), attempt.places.tolist(), strict=True
                )
            ],
        }
        yield json.dumps(label, ensure_ascii=False, separators=(",", ":"))
