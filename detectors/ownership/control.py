"""Who controls a party: a chain of control passes wholly, shares of it are not multiplied.

A party controls another if it has more than half of its votes, or controls it by other means (the
right to appoint the board, an agreement). Votes of parties that it controls count as its own, and
so do those of parties with whom it acts in concert. These are defaults of the product: registers
say what is held, the law of each jurisdiction says what control is.

Three readings of the same: ``certain`` takes the least votes, ``possible`` the greatest, ``open``
adds votes of which nobody has reported the owner.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal

from detectors.ownership.concert import Groups, groups_over
from detectors.ownership.rows import AS_NOMINEE, Row
from detectors.ownership.terms import ENDS, WHOLE, Interest, Share
from detectors.ownership.view import View

Reading = Literal["certain", "possible", "open"]
MAJORITY: Final = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes in one party: of a holder state its least and greatest part of all that can be cast."""

    low: Fraction
    high: Fraction
    ref: str


@dataclass(slots=True)
class Field:
    """All parties behind one, with who votes in them and who controls them by other means."""

    root: int
    votes: dict[int, dict[int, Votes]] = field(default_factory=dict)
    """By party: by holder."""
    below: dict[int, list[int]] = field(default_factory=dict)
    """By holder: the parties in which it votes or which it controls by other means."""
    means: dict[int, dict[int, tuple[Interest, str]]] = field(default_factory=dict)
    """By party: by holder the interest that gives control by other means."""
    unseen: dict[int, Fraction] = field(default_factory=dict)
    """By party: votes of which the holder is not reported."""
    concert: dict[int, Groups] = field(default_factory=dict)
    """By party: who votes in it in concert."""


def field_of(view: View, party: int) -> Field:
    """Everything that bears on who controls a party."""
    found = Field(party)
    waiting, seen = [party << 1], {party << 1}
    while waiting:
        state = waiting.pop()
        row = view.row(state, "votes", party << 1)
        if row is None:
            continue
        thing = state >> 1
        _cast(found, state, row)
        held = view.holdings(thing)
        for holder, interest, ref in held.control:
            found.means.setdefault(state, {})[holder] = (interest, ref)
            found.below.setdefault(holder, []).append(state)
        groups = groups_over(view, thing, [holder >> 1 for holder in row.owners])
        if groups:
            found.concert[state] = groups
        for holder in (*row.owners, *(holder for holder, _, _ in held.control)):
            if holder not in seen:
                seen.add(holder)
                waiting.append(holder)
    return found


def _cast(found: Field, state: int, row: Row) -> None:
    """Votes of each holder; those that a party has in itself are not cast."""
    own_low = own_high = 0
    if state in row.places:
        place = row.places[state]
        own_low, own_high = row.low[place], row.high[place]
    cast: dict[int, Votes] = {}
    low_total = Fraction(0)
    for holder, low, high, ref in zip(row.owners, row.low, row.high, row.refs, strict=True):
        if holder == state or not high:
            continue
        least = Fraction(low, WHOLE - own_low) if own_low < WHOLE else Fraction(0)
        most = Fraction(high, WHOLE - own_high) if own_high < WHOLE else Fraction(1)
        cast[holder] = Votes(least, min(Fraction(1), most), ref)
        low_total += least
        found.below.setdefault(holder, []).append(state)
    found.votes[state] = cast
    found.unseen[state] = max(Fraction(0), 1 - low_total)


@dataclass(slots=True)
class Controlled:
    """What a party (or several in concert) controls among those of a field."""

    members: frozenset[int]
    states: set[int]
    via: dict[int, list[int]]
    """By controlled state: the holders, itself or controlled, whose interests give control."""


def controlled_by(found: Field, members: Iterable[int], reading: Reading) -> Controlled:
    """The least set that holds the members and all that the set controls."""
    states = set(members)
    made = Controlled(frozenset(states), states, {})
    counted: dict[int, set[int]] = {}
    root = found.root << 1
    waiting = sorted(states)
    if reading == "open":
        loose = [s for s, unseen in found.unseen.items() if unseen > MAJORITY and s != root]
        waiting += sorted(set(loose) - states)
        states.update(loose)
    while waiting:
        holder = waiting.pop()
        for state in found.below.get(holder, ()):
            if state in states:
                continue
            if holder in found.means.get(state, {}):
                made.via[state] = [holder]
            else:
                voting = counted.setdefault(state, set())
                voting.update(_with(found, state, holder))
                if _cast_by(found, state, voting, reading) <= MAJORITY:
                    continue
                made.via[state] = sorted(voting)
            states.add(state)
            waiting.append(state)
    return made


def _with(found: Field, state: int, holder: int) -> set[int]:
    """A holder and those who vote in a party in concert with it."""
    group = found.concert.get(state, {}).get(holder >> 1, frozenset())
    return {holder, *(party << 1 for party in group)}


def _cast_by(found: Field, state: int, voting: set[int], reading: Reading) -> Fraction:
    """Votes of the holders in a party."""
    cast = found.votes.get(state, {})
    least = reading == "certain"
    total = sum(((v.low if least else v.high) for h, v in cast.items() if h in voting), Fraction(0))
    return total + found.unseen.get(state, Fraction(0)) if reading == "open" else total


def votes_of(found: Field, members: frozenset[int]) -> tuple[Share, Controlled]:
    """Votes that the members can cast in the root, wholly through what they control.

    Beside them what they control for certain.
    """
    root = found.root << 1
    cast = found.votes.get(root, {})
    bounds: list[Fraction] = []
    certain = controlled_by(found, members, "certain")
    for reading in ("possible", "open"):
        states = controlled_by(found, members, reading).states
        voting = set().union(*(_with(found, root, h) for h in cast if h in states))
        others = sum((v.low for h, v in cast.items() if h not in voting), Fraction(0))
        bounds.append(min(_cast_by(found, root, voting, reading), 1 - others))
    voting = set().union(*(_with(found, root, h) for h in cast if h in certain.states))
    low = _cast_by(found, root, voting, "certain")
    high = max(low, bounds[0])
    return Share(low, high, max(high, bounds[1])), certain


def candidates(view: View, found: Field) -> list[int]:
    """Parties at whom chains of control end: owners without owners, and whoever nobody controls."""
    made = set()
    for state in found.below:
        if state & AS_NOMINEE:
            continue
        party = state >> 1
        if view.register.kinds[party] in ENDS or state not in found.votes:
            made.add(party)
    return sorted(made)
