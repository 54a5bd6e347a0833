"""The chains by which a share comes about, the greatest first; bounded, saying what is cut."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from typing import Final

from detectors.ownership.rows import Row
from detectors.ownership.terms import WHOLE
from detectors.ownership.view import Measure, View

STEPS_MAX: Final = 1_000
"""Chains looked at in all for one answer, whole ones and beginnings."""
DEPTH_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Link:
    """One holding of a chain, shares times ``WHOLE``; ``nominee``: the owner holds for others."""

    owner: str
    owned: str
    low: int
    high: int
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
    """Paths by owner, and of which owners some were cut."""

    of: dict[int, list[Path]]
    cut: set[int]
    """Owners of whom more chains than those given were found."""
    exhausted: bool
    """Whether the search stopped at its bound."""


def paths_of(view: View, root: int, owners: frozenset[int], measure: Measure, most: int) -> Paths:
    """At most so many chains without a repeated party for each owner, the greatest first."""
    found = Paths({owner: [] for owner in sorted(owners)}, set(), False)
    if not owners or most <= 0:
        return found
    start = root << 1
    rows, useful = _towards(view, start, owners, measure)
    unit = WHOLE**3
    queue: list[tuple[int, int, tuple[int, ...], tuple[int, ...]]] = [(-unit, 0, (start,), ())]
    number = steps = 0
    while queue and len(found.cut) < len(found.of):
        weight, _, states, places = heappop(queue)
        state = states[-1]
        party = state >> 1
        if party in found.of and state != start and not state & 1:
            if len(found.of[party]) < most:
                found.of[party].append(_path(view, rows, states, places))
            else:
                found.cut.add(party)
        steps += 1
        if steps > STEPS_MAX:
            found.exhausted = True
            break
        row = rows.get(state)
        if row is None or len(places) >= DEPTH_MAX:
            continue
        for place, owner in enumerate(row.owners):
            if owner in useful and row.high[place] and owner not in states:
                number += 1
                share = row.low[place] or row.high[place]
                chain = (*places, place)
                heappush(queue, (weight * share // WHOLE, number, (*states, owner), chain))
    return found


def _towards(
    view: View, start: int, owners: frozenset[int], measure: Measure
) -> tuple[dict[int, Row], set[int]]:
    """Rows of all that can be reached, and the states from which an owner can be reached."""
    rows: dict[int, Row] = {}
    down: dict[int, list[int]] = {}
    waiting, seen = [start], {start}
    while waiting:
        state = waiting.pop()
        row = view.row(state, measure, start)
        if row is None:
            continue
        rows[state] = row
        for owner in row.owners:
            down.setdefault(owner, []).append(state)
            if owner not in seen:
                seen.add(owner)
                waiting.append(owner)
    waiting = [state for state in seen if state >> 1 in owners]
    useful = set(waiting)
    while waiting:
        for below in down.get(waiting.pop(), ()):
            if below not in useful:
                useful.add(below)
                waiting.append(below)
    return rows, useful


def _path(
    view: View, rows: dict[int, Row], states: tuple[int, ...], places: tuple[int, ...]
) -> Path:
    names = view.register.names
    low = high = 1
    links = []
    for owned, owner, place in zip(states, states[1:], places, strict=False):
        row = rows[owned]
        share, top = row.low[place], row.high[place]
        low, high = low * share, high * top
        nominee = bool(owner & 1)
        links.append(
            Link(names[owner >> 1], names[owned >> 1], share, top, row.refs[place], nominee)
        )
    whole = WHOLE ** len(links)
    least = Fraction(low, whole)
    return Path(tuple(links), least, least if low == high else Fraction(high, whole))
