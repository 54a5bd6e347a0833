"""Who takes part: institutions of every jurisdiction, and customers with their habits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from regtech.sandbox.simulate.numbers import Int64, Numbers

# Country, its currency, its offset from UTC, and how much of the population lives there.
COUNTRIES: Final = (
    ("CN", "CNY", "+08:00", 24),
    ("HK", "HKD", "+08:00", 10),
    ("SG", "SGD", "+08:00", 10),
    ("DE", "EUR", "+01:00", 10),
    ("FR", "EUR", "+01:00", 7),
    ("NL", "EUR", "+01:00", 4),
    ("GB", "GBP", "+00:00", 12),
    ("US", "USD", "-05:00", 18),
    ("JP", "JPY", "+09:00", 3),
    ("CH", "CHF", "+01:00", 2),
)
CUSTOMERS_PER_EVENT: Final = 5  # one customer for so many events
HABITS: Final = 6
"""Counterparties that a customer deals with again and again."""

# What a customer's usual payment is, in hundredths of the currency; a few customers are large.
_SCALES: Final = (1200, 2500, 4000, 6500, 9000, 15000, 30000, 90000, 400000)
_SCALE_WEIGHTS: Final = (14, 20, 20, 16, 12, 9, 6, 2, 1)


@dataclass(slots=True)
class Population:
    """Institutions and customers by number; the ``*_json`` lists are ready to go into a line."""

    institutions: list[str]
    institution_country: Int64  # into COUNTRIES
    customers: int
    home: Int64  # customer -> institution
    country: Int64  # customer -> COUNTRIES
    entity: Int64  # customer -> 1 for a legal person
    scale: Int64  # customer -> hundredths
    neighbours: Int64  # customers in the order of their bank's country
    first_neighbour: Int64  # country -> where its customers begin in ``neighbours``
    party_json: list[str]  # the customer as a party of a payment
    full_json: list[str]  # the same with address and identifier, as wires carry it
    facts_json: list[str]  # what a party event says
    institution_json: list[str]


def make_population(events: int, seed: int) -> Population:
    """About one customer for five events and one institution for 800 customers, 20 at least."""
    numbers = Numbers(seed, "population")
    customers = max(50, events // CUSTOMERS_PER_EVENT)
    count = max(20, min(600, customers // 800))
    which = np.arange(count)
    # The first ones make sure that every country has two; the others follow the weights.
    weights = tuple(weight for *_, weight in COUNTRIES)
    place = np.where(
        which < 2 * len(COUNTRIES), which % len(COUNTRIES), numbers.choice(which, weights, 1)
    )
    institutions = [f"{COUNTRIES[c][0]}-BANK-{k:03}" for k, c in enumerate(place.tolist())]

    who = np.arange(customers)
    home = numbers.below(who, count, 2)
    country = place[home]
    abroad = numbers.below(who, 100, 3) < 4
    country = np.where(abroad, numbers.choice(who, weights, 4), country)
    entity = (numbers.below(who, 100, 5) < 15).astype(np.int64)
    scale = np.asarray(_SCALES)[numbers.choice(who, _SCALE_WEIGHTS, 6)]
    scale = np.where(entity == 1, scale * 6, scale)
    birth = numbers.below(who, 20000, 7)
    return _with_texts(institutions, place, home, country, entity, scale, birth)


def _with_texts(
    institutions: list[str],
    place: Int64,
    home: Int64,
    country: Int64,
    entity: Int64,
    scale: Int64,
    birth: Int64,
) -> Population:
    codes = [entry[0] for entry in COUNTRIES]
    days = (np.datetime64("1945-01-01") + birth).astype(str).tolist()
    party, full, facts = [], [], []
    rows = zip(home.tolist(), country.tolist(), entity.tolist(), days, strict=True)
    for number, (bank, land, is_entity, born) in enumerate(rows):
        kind = "entity" if is_entity else "person"
        short = (
            f'"id":"C{number:07}","account":"{codes[land]}{number:010}",'
            f'"institution":"{institutions[bank]}","name":"{kind.title()} {number}"'
        )
        about = f'"kind":"{kind}","country":"{codes[land]}"'
        street = f'"address":"{number % 997 + 1} Harbour Road"'
        more = f'{street},"identifiers":{{"national":"N{number:09}"}}'
        if not is_entity:
            more += f',"birth_date":"{born}"'
        party.append(f"{{{short},{about}}}")
        full.append(f"{{{short},{about},{more}}}")
        facts.append(f'{{{short},{about},{more},"since":"20{10 + number % 16}-01-15"}}')
    return Population(
        institutions=institutions,
        institution_country=place,
        customers=len(party),
        home=home,
        country=country,
        entity=entity,
        scale=scale,
        neighbours=np.argsort(place[home], kind="stable"),
        first_neighbour=np.searchsorted(np.sort(place[home]), np.arange(len(COUNTRIES) + 1)),
        party_json=party,
        full_json=full,
        facts_json=facts,
        institution_json=[
            f'{{"id":"{name}","kind":"institution","country":"{codes[c]}",'
            f'"flags":["bank","licensed"],"name":"Bank {k}"}}'
            for k, (name, c) in enumerate(zip(institutions, place.tolist(), strict=True))
        ],
    )
