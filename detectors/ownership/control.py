"""Who controls a party: a chain of control passes wholly, shares of it are not multiplied.

A party controls another if it has more than half of its votes, or controls it by other means (the
right to appoint the board, an agreement). Votes of parties that it controls count as its own, and
so do those of parties with whom it acts in concert. These are defaults of the product: registers
say what is held, the law of each jurisdiction says what control is.

Three readings of the same: ``certain`` takes the least votes, ``possible`` the greatest, ``open``
adds votes of which nobody has reported the owner. Votes are integers; see ``Ballot``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from detectors.ownership.concert import Groups, groups_over
from detectors.ownership.rows import AS_NOMINEE, Row
from detectors.ownership.terms import ENDS, WHOLE, Interest, Share
from detectors.ownership.view import View

Reading = Literal["certain", "possible", "open"]


@dataclass(slots=True)
class Ballot:
    """Votes that can be cast in one party: by holder its least and greatest, of ``whole``.

    ``whole`` is less than ``WHOLE`` by what the party has in itself: that is not cast.
    """

    holders: dict[int, tuple[int, int]]
    whole: int
    low: int
    """The least votes together."""

    @property
    def unseen(self) -> int:
        """Votes of which the holder is not reported for certain."""
        return self.whole - self.low


@dataclass(slots=True)
class Field:
    """All parties behind one, with who votes in them and who controls them by other means."""

    root: int
    """The state of the party asked about."""
    votes: dict[int, Ballot] = field(default_factory=dict)
    below: dict[int, list[int]] = field(default_factory=dict)
    """By holder: the parties in which it votes or which it controls by other means."""
    means: dict[int, dict[int, tuple[Interest, str]]] = field(default_factory=dict)
    """By party: by holder the interest that gives control by other means."""
    concert: dict[int, Groups] = field(default_factory=dict)
    """By party: who votes in it in concert."""
    held_for: set[int] = field(default_factory=set)
    """Persons who hold for others, in part or whole: their votes are not theirs for certain."""
    loose: Controlled | None = None
    """What somebody could control of whom nothing is reported at all."""


@dataclass(slots=True)
class Controlled:
    """What some parties control among those of a field."""

    states: set[int]
    counts: dict[int, int] = field(default_factory=dict)
    """By party that they do not control, or did not at first: the votes counted in it."""
    via: dict[int, list[int]] = field(default_factory=dict)
    """By controlled party: the holders whose interests give control."""


def field_of(view: View, party: int) -> Field:
    """Everything that bears on who controls a party."""
    root = party << 1
    found = Field(root)
    waiting, seen = [root], {root}
    below = found.below
    while waiting:
        state = waiting.pop()
        row = view.row(state, "votes", root)
        if row is None:
            continue
        found.votes[state] = ballot = _ballot(state, row)
        if state != root and not state & AS_NOMINEE and view.register.kinds[state >> 1] in ENDS:
            found.held_for.add(state)
        for holder in ballot.holders:
            below.setdefault(holder, []).append(state)
            if holder not in seen:
                seen.add(holder)
                waiting.append(holder)
        held = view.holdings(state >> 1)
        for holder, interest, ref in held.control:
            means = found.means.setdefault(state, {})
            if holder not in means:
                means[holder] = (interest, ref)
                if holder not in ballot.holders:
                    below.setdefault(holder, []).append(state)
            if holder not in seen:
                seen.add(holder)
                waiting.append(holder)
        groups = groups_over(view, state >> 1, [holder >> 1 for holder in ballot.holders])
        if groups:
            found.concert[state] = groups
    found.loose = _loose(found)
    return found


def _ballot(state: int, row: Row) -> Ballot:
    """Votes of each holder; those that a party has in itself are not cast."""
    own = row.places.get(state)
    if own is None and row.exact:
        return Ballot(dict(zip(row.owners, zip(row.low, row.low, strict=True), strict=True)),
                      WHOLE, row.total)  # fmt: skip
    whole, most = WHOLE, WHOLE
    if own is not None:
        whole, most = WHOLE - row.low[own], WHOLE - row.high[own]
    holders: dict[int, tuple[int, int]] = {}
    low = 0
    for holder, least, greatest in zip(row.owners, row.low, row.high, strict=True):
        if holder == state or not greatest:
            continue
        if most < whole:  # what it has in itself may be more, which makes the others' greater
            greatest = min(whole, -(-greatest * whole // most)) if most else whole
        holders[holder] = (least, greatest)
        low += least
    return Ballot(holders, whole, low)


def controlled_by(found: Field, members: Iterable[int], reading: Reading) -> Controlled:
    """The least set that holds the members and all that the set controls."""
    made = Controlled(set(members))
    waiting = sorted(made.states)
    if reading == "open" and found.loose is not None:
        waiting = sorted(made.states - found.loose.states)
        made.counts = dict(found.loose.counts)
        made.states |= found.loose.states
    _grow(found, made, waiting, reading)
    return made


def _loose(found: Field) -> Controlled:
    made = Controlled(
        {s for s, b in found.votes.items() if 2 * b.unseen > b.whole and s != found.root}
    )
    _grow(found, made, sorted(made.states), "open")
    return made


def _grow(found: Field, made: Controlled, waiting: list[int], reading: Reading) -> None:
    """Add what the states of ``waiting``, which are in already, control."""
    which = 0 if reading == "certain" else 1
    states, counts = made.states, made.counts
    voting: dict[int, list[int]] = {}
    while waiting:
        holder = waiting.pop()
        for state in found.below.get(holder, ()):
            if state in states:
                continue
            if holder in found.means.get(state, ()):
                made.via[state] = [holder]
            else:
                ballot = found.votes[state]
                if state not in counts:
                    counts[state] = ballot.unseen if reading == "open" else 0
                counted = voting.setdefault(state, [])
                for one in _with(found, state, holder):
                    if one not in counted and one in ballot.holders:
                        counted.append(one)
                        counts[state] += ballot.holders[one][which]
                if 2 * counts[state] <= ballot.whole:
                    continue
                made.via[state] = counted
            states.add(state)
            waiting.append(state)


def _with(found: Field, state: int, holder: int) -> Iterable[int]:
    """A holder and those who vote in a party in concert with it."""
    groups = found.concert.get(state)
    if groups is None:
        return (holder,)
    group = groups.get(holder >> 1, frozenset())
    return (holder, *(party << 1 for party in sorted(group) if party != holder >> 1))


def starts(found: Field, state: int) -> bool:
    """Whether a party by itself or in concert may control anything, in any reading."""
    loose = found.loose
    assert loose is not None
    for thing in found.below.get(state, ()):
        if thing in found.concert or state in found.means.get(thing, ()):
            return True
        ballot = found.votes[thing]
        _, high = ballot.holders.get(state, (0, 0))
        counted = 0 if state in loose.states else high
        counted += loose.counts.get(thing, ballot.unseen)
        if 2 * max(high, 0 if thing in loose.states else counted) > ballot.whole:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes in the root that parties can cast in all, of ``whole``."""

    low: int
    high: int
    open: int
    whole: int
    controls: bool
    """Whether they control the root for certain."""

    def share(self) -> Share:
        """As fractions."""
        if not self.whole:
            return Share(Fraction(0), Fraction(0), Fraction(1))
        return Share(
            Fraction(self.low, self.whole),
            Fraction(self.high, self.whole),
            Fraction(self.open, self.whole),
        )


def votes_of(found: Field, members: frozenset[int]) -> Votes:
    """Votes that the members can cast in the root, wholly through what they control."""
    if not members.isdisjoint(found.held_for):
        theirs = votes_of(found, members - found.held_for)
        ballot = found.votes[found.root]
        open_ = max(theirs.open, sum(ballot.holders.get(s, (0, 0))[1] for s in members))
        return replace(theirs, high=open_, open=open_)
    if len(members) == 1:
        (state,) = members
        if not starts(found, state):
            return _direct(found, state)
    ballot = found.votes[found.root]
    certain = controlled_by(found, members, "certain")
    low, _ = _cast(found, ballot, certain.states)
    least, high = _cast(found, ballot, controlled_by(found, members, "possible").states)
    high = max(low, min(high, ballot.whole - (ballot.low - least)))
    states = controlled_by(found, members, "open").states
    least, open_ = _cast(found, ballot, states)
    open_ = min(open_ + ballot.unseen, ballot.whole - (ballot.low - least))
    return Votes(low, high, max(high, open_), ballot.whole, found.root in certain.states)


def _direct(found: Field, state: int) -> Votes:
    """Of a party that controls nothing, not even in the widest reading."""
    ballot, loose = found.votes[found.root], found.loose
    assert loose is not None
    low, high = ballot.holders.get(state, (0, 0))
    high = max(low, min(high, ballot.whole - (ballot.low - low)))
    least = 0
    open_ = ballot.unseen
    for holder in loose.states:
        mine = ballot.holders.get(holder)
        if mine is not None:
            least += mine[0]
            open_ += mine[1]
    if state not in loose.states:
        least += low
        open_ += high
    open_ = min(open_, ballot.whole - (ballot.low - least))
    return Votes(low, high, max(high, open_), ballot.whole, False)


def _cast(found: Field, ballot: Ballot, states: set[int]) -> tuple[int, int]:
    """Least and greatest votes of the states, and of those in concert with them, in the root."""
    if found.root in found.concert:
        mine = [h for h in ballot.holders if h in states]
        voting = {one for h in mine for one in _with(found, found.root, h)}
    else:
        voting = states
    low = high = 0
    for state in voting:
        if state != found.root and (cast := ballot.holders.get(state)) is not None:
            low += cast[0]
            high += cast[1]
    return low, high


def settled(found: Field) -> bool:
    """Whether nobody of whom nothing is reported could control the root by votes."""
    ballot, loose = found.votes[found.root], found.loose
    assert loose is not None
    return 2 * ballot.unseen <= ballot.whole and found.root not in loose.states


def candidates(found: Field) -> list[int]:
    """Parties that vote or control and that nobody owns: persons, and whoever is not known."""
    return [s >> 1 for s in found.below if not s & AS_NOMINEE and s not in found.votes]
