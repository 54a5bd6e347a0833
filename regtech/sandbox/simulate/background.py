"""The background: which event comes when, in order of time, in pieces of a fixed size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from regtech.sandbox.simulate.numbers import Int64, Numbers
from regtech.sandbox.simulate.others import (
    action_lines,
    exposure_lines,
    figure_lines,
    incident_lines,
    loan_lines,
    ownership_lines,
    party_lines,
    transfer_lines,
)
from regtech.sandbox.simulate.payments import payment_lines
from regtech.sandbox.simulate.population import Population, make_population
from regtech.sandbox.simulate.texts import DAY_US

FIRST_US: Final = 1_767_225_600_000_000
"""2026-01-01T00:00Z: where the background begins."""
DAYS: Final = 90
PIECE: Final = 1 << 15
PARTY_SHARE: Final = 10  # per cent of the events, all at the beginning
_PARTY_STEP_US: Final = 1000

_TYPES: Final = (
    ("transaction", 70),
    ("loan", 6),
    ("exposure", 4),
    ("data_transfer", 6),
    ("ownership", 2),
    ("incident", 1),
    ("action", 1),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines without line ends, in order of ``us`` (microseconds since 1970)."""

    us: Int64
    lines: list[str]


_WEIGHTS: Final = tuple(weight for _, weight in _TYPES)
_INCIDENT: Final = 5
_KIND: Final = 99  # the use of the numbers that say what kind of event comes


def _incidents_before(index: Int64, numbers: Numbers) -> Int64:
    """The number of the nearest incident before each index; of the index itself without one."""
    found = index.copy()
    for k, place in enumerate(index.tolist()):
        back = np.arange(max(place - 400, 0), max(place, 1))
        earlier = back[numbers.choice(back, _WEIGHTS, _KIND) == _INCIDENT]
        if len(earlier):
            found[k] = earlier[-1]
    return found


def background(events: int, seed: int) -> Iterator[Piece]:
    """``events`` lines over 90 days of 2026, in order of time, all ids different."""
    people = make_population(events, seed)
    parties = min(
        max(len(people.institutions), events * PARTY_SHARE // 100),
        len(people.institutions) + people.customers,
        events,
    )
    for start in range(0, parties, PIECE):
        index = np.arange(start, min(start + PIECE, parties))
        us = FIRST_US + index * _PARTY_STEP_US
        yield Piece(us, party_lines(index, us, people))
    # The banks' figures come next, all of them once.
    first = FIRST_US + parties * _PARTY_STEP_US
    figures = min(5 * len(people.institutions), events - parties)
    numbers = Numbers(seed, "figures")
    if figures:
        index = np.arange(figures)
        us = first + index * _PARTY_STEP_US
        yield Piece(us, figure_lines(index, us, people, numbers))
    rest = events - parties - figures
    first += figures * _PARTY_STEP_US
    step = max((DAYS * DAY_US - (first - FIRST_US)) // max(rest, 1), 1)
    numbers = Numbers(seed, "mix")
    for start in range(0, rest, PIECE):
        index = np.arange(start, min(start + PIECE, rest))
        us = first + index * step + numbers.below(index, int(min(step, 1 << 30)), 1)
        yield _mixed(index, us, people, numbers, seed)


def _mixed(index: Int64, us: Int64, people: Population, numbers: Numbers, seed: int) -> Piece:
    kind = numbers.choice(index, _WEIGHTS, _KIND)
    lines: list[str] = [""] * len(index)
    for number, (name, _) in enumerate(_TYPES):
        where = np.flatnonzero(kind == number)
        if not len(where):
            continue
        source = Numbers(seed, name)
        chosen, when = index[where], us[where]
        match name:
            case "transaction":
                made = payment_lines(chosen, when, people, source)
            case "loan":
                made = loan_lines(chosen, when, people, source)
            case "exposure":
                made = exposure_lines(chosen, when, people, source)
            case "data_transfer":
                made = transfer_lines(chosen, when, people, source)
            case "ownership":
                made = ownership_lines(chosen, when, people, source)
            case "incident":
                made = incident_lines(chosen, when, people, source)
            case _:
                about = _incidents_before(chosen, numbers)
                made = action_lines(chosen, when, people, Numbers(seed, "incident"), about)
        for place, line in zip(where.tolist(), made, strict=True):
            lines[place] = line
    return Piece(us, lines)
