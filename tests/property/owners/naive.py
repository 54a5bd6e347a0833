"""Ownership the slow way, for comparison: shares no code with ``detectors.ownership``.

Everything in fractions, from the list of events each time: what is in force is looked up by
scanning, shares are summed over enumerated paths where there is no ring and solved for the whole
register by elimination where there is one, control is grown until nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

ZERO, ONE = Fraction(0), Fraction(1)
Weights = Mapping[str, Mapping[str, Fraction]]
"""By owned: by owner."""


@dataclass(frozen=True)
class Reported:
    """One event; days as numbers, shares as fractions. ``order``: place in the canonical order."""

    order: int
    day: int
    owner: str
    owned: str
    low: Fraction
    high: Fraction
    start: int | None = None
    end: int | None = None
    interest: str = "shares"


def in_force(events: Sequence[Reported], day: int) -> dict[tuple[str, str, str], Reported]:
    """By owner, owned and interest: what is held on a day."""
    best: dict[tuple[str, str, str], tuple[int, int, Reported]] = {}
    for event in events:
        begins = event.day if event.start is None else event.start
        if begins > day:
            continue
        key = event.owner, event.owned, event.interest
        rank = begins, event.order
        if key not in best or best[key][:2] < rank:
            best[key] = (*rank, event)
    found = {key: entry[2] for key, entry in best.items()}
    return {
        key: event
        for key, event in found.items()
        if (event.end is None or event.end > day) and event.high
    }


def weights_of(
    holdings: Mapping[tuple[str, str, str], Reported],
    companies: Sequence[str],
    *,
    low: bool = True,
) -> dict[str, dict[str, Fraction]]:
    """Shares in force by owned and owner."""
    found: dict[str, dict[str, Fraction]] = {company: {} for company in companies}
    for (owner, owned, interest), event in holdings.items():
        if interest == "shares":
            found.setdefault(owned, {})[owner] = event.low if low else event.high
    return found


def paths(weights: Weights, company: str, owner: str) -> Iterator[Fraction]:
    """Products of shares of all walks from a company to an owner; ends only without rings."""
    for holder, share in weights.get(company, {}).items():
        if holder == owner:
            yield share
        else:
            for rest in paths(weights, holder, owner):
                yield share * rest


def solved(weights: Weights, owner: str, rest: Fraction = ZERO) -> dict[str, Fraction] | None:
    """The owner's share of every company: ``x = W x + d``; None where that has no one answer.

    The part of each company that nobody is reported to hold counts ``rest``.
    """
    companies = sorted(company for company in weights if company != owner)
    places = {company: place for place, company in enumerate(companies)}
    size = len(companies)
    rows: list[list[Fraction]] = []
    for company in companies:
        row = [ZERO] * (size + 1)
        row[places[company]] = ONE
        held = weights[company]
        row[size] = held.get(owner, ZERO) + rest * (ONE - sum(held.values(), ZERO))
        for holder, share in held.items():
            if holder in places:
                row[places[holder]] -= share
        rows.append(row)
    for place in range(size):
        pivot = next((k for k in range(place, size) if rows[k][place]), None)
        if pivot is None:
            return None
        rows[place], rows[pivot] = rows[pivot], rows[place]
        head = rows[place][place]
        rows[place] = [value / head for value in rows[place]]
        for other in range(size):
            if other != place and rows[other][place]:
                factor = rows[other][place]
                rows[other] = [
                    a - factor * b for a, b in zip(rows[other], rows[place], strict=True)
                ]
    return {company: rows[places[company]][size] for company in companies}


def controlled(votes: Weights, means: set[tuple[str, str]], members: frozenset[str]) -> set[str]:
    """All that the members control: grown until nothing changes."""
    found = set(members)
    while True:
        more = set()
        for company in {*votes, *(owned for _, owned in means)} - found:
            held = votes.get(company, {})
            cast = ONE - held.get(company, ZERO)
            mine = sum((share for who, share in held.items() if who in found), ZERO)
            if 2 * mine > cast or any((who, company) in means for who in found):
                more.add(company)
        if not more:
            return found
        found |= more


def cast(
    votes: Weights, means: set[tuple[str, str]], members: frozenset[str], company: str
) -> Fraction:
    """Votes that the members cast in a company, with all that they control."""
    reach = controlled(votes, means, members)
    held = votes.get(company, {})
    mine = sum((share for who, share in held.items() if who in reach and who != company), ZERO)
    whole = ONE - held.get(company, ZERO)
    return mine / whole if whole else ZERO
