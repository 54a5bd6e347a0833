"""The chains by which a share comes about, the greatest first; bounded, saying what is cut."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from typing import Final

from detectors.ownership.terms import WHOLE
from detectors.ownership.view import Measure, View

STEPS_MAX: Final = 2_000
"""Parties looked at in all for the paths of one answer."""
DEPTH_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Link:
    """One holding of a chain; ``nominee``: the owner holds for others."""

    owner: str
    owned: str
    low: Fraction
    high: Fraction
    ref: str
    nominee: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """A chain from the party asked about up to an owner; its shares multiplied."""

    links: tuple[Link, ...]
    low: Fraction
    high: Fraction


@dataclass(slots=True)
class Paths:
    """Paths by owner, and whether some were cut."""

    of: dict[int, list[Path]]
    cut: set[int]
    """Owners of whom more paths than those given were found."""
    exhausted: bool
    """Whether the search stopped at its bound."""


def paths_of(view: View, root: int, owners: frozenset[int], measure: Measure, most: int) -> Paths:
    """At most so many chains without a repeated party for each owner, the greatest first."""
    found = Paths({owner: [] for owner in sorted(owners)}, set(), False)
    if not owners or most <= 0:
        return found
    names = view.register.names
    queue: list[tuple[int, int, tuple[int, ...], tuple[tuple[int, int, str], ...]]] = []
    start = root << 1
    number = 0
    heappush(queue, (-(WHOLE**2), number, (start,), ()))
    steps = 0
    while queue:
        _, _, states, links = heappop(queue)
        state = states[-1]
        party = state >> 1
        if party in found.of and state != start and not state & 1:
            if len(found.of[party]) < most:
                found.of[party].append(_path(names, states, links))
            else:
                found.cut.add(party)
        steps += 1
        if steps > STEPS_MAX:
            found.exhausted = True
            break
        row = view.row(state, measure, start)
        if row is None or len(links) >= DEPTH_MAX:
            continue
        for owner, low, high, ref in zip(row.owners, row.low, row.high, row.refs, strict=True):
            if not high or owner in states:
                continue
            number += 1
            chain = (*links, (low, high, ref))
            weight = WHOLE**2
            for least, greatest, _ in chain:
                weight = weight * (least or greatest) // WHOLE
            heappush(queue, (-weight, number, (*states, owner), chain))
    return found


def _path(
    names: list[str], states: tuple[int, ...], chain: tuple[tuple[int, int, str], ...]
) -> Path:
    low = high = Fraction(1)
    links = []
    for place, (least, most, ref) in enumerate(chain):
        share, top = Fraction(least, WHOLE), Fraction(most, WHOLE)
        low, high = low * share, high * top
        owner, owned = states[place + 1], states[place]
        links.append(Link(names[owner >> 1], names[owned >> 1], share, top, ref, bool(owner & 1)))
    return Path(tuple(links), low, high)
