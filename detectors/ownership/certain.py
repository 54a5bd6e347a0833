"""Which natural persons own a party for certain, through somebody in between: names alone.

The short answer for whoever only asks whether it has changed. Figures are compared in integers, and
nothing is worked out of those that may be owners: that takes ``beneficial.answer_of``.
"""

from __future__ import annotations

from typing import Any, Final

from detectors.ownership.beneficial import Behind, candidates_of, owner_of
from detectors.ownership.control import votes_of
from detectors.ownership.paths import paths_of
from detectors.ownership.rows import AS_NOMINEE
from detectors.ownership.terms import PERSON, Comparator, Outcome

_MEETS: Final[dict[Comparator, Any]] = {
    "at_least": lambda part, mark: part >= mark,
    "above": lambda part, mark: part > mark,
}


def indirect_persons(asked: Behind) -> frozenset[str]:
    """Persons who meet the threshold for certain and do not only hold the party itself."""
    register = asked.view.register
    ends, _ = candidates_of(asked)
    persons = [party for party in ends if register.kinds[party] == PERSON]
    if not persons:
        return frozenset()
    through = _through(asked)
    # A person who holds for others may only come again behind itself: chains repeat nobody.
    holding = register.held.keys() & through.intersection(persons)
    if holding:
        chains = paths_of(asked.view, asked.root, frozenset(holding), "shares", 2).of
        direct = {p for p in holding if all(len(path.links) == 1 for path in chains[p])}
        through -= direct
    return frozenset(
        register.names[party] for party in persons if _is_indirect_owner(asked, party, through)
    )


def _is_indirect_owner(asked: Behind, party: int, through: set[int]) -> bool:
    if party in asked.groups or party in asked.declared:
        owner = owner_of(asked, party)
        controls = len(owner.control_chain) > 1
        return owner.outcome is Outcome.MET and (controls or party in through)
    if party in through:
        return _meets(asked, party)
    # Not by shares: only a chain of control can lead through somebody else.
    return _controls(asked, party) and len(owner_of(asked, party).control_chain) > 1


def _controls(asked: Behind, party: int) -> bool:
    return votes_of(asked.field, frozenset((party << 1,))).controls


def _meets(asked: Behind, party: int) -> bool:
    """Whether the least that is reported meets the threshold by any measure."""
    over, under = asked.threshold.numerator, asked.threshold.denominator
    meets = _MEETS[asked.comparator]
    for found in (asked.shares, asked.multiplied_votes, asked.income):
        if found is not None and meets(found.ends.get(party, 0) * under, found.flow.unit * over):
            return True
    votes = votes_of(asked.field, frozenset((party << 1,)))
    return votes.controls or bool(votes.whole and meets(votes.low * under, votes.whole * over))


def _through(asked: Behind) -> set[int]:
    """Parties that hold shares in somebody who holds some, directly or not, in the party."""
    view, start = asked.view, asked.root << 1
    found: set[int] = set()
    waiting, seen = [start], {start}
    while waiting:
        state = waiting.pop()
        row = view.row(state, "shares", start)
        if row is None:
            continue
        for owner, high in zip(row.owners, row.high, strict=True):
            if not high:
                continue
            if state != start and not owner & AS_NOMINEE:
                found.add(owner >> 1)
            if owner not in seen:
                seen.add(owner)
                waiting.append(owner)
    return found
