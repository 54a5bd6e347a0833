"""Which natural persons own a party for certain, through somebody in between: names alone.

The short answer for whoever only asks whether it has changed. Figures are compared in integers, and
nothing is worked out of those that may be owners: that takes ``beneficial.answer_of``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from detectors.ownership.beneficial import Behind, candidates_of, owner_of
from detectors.ownership.control import votes_of
from detectors.ownership.paths import paths_of
from detectors.ownership.register import Register
from detectors.ownership.rows import AS_NOMINEE, SHARES
from detectors.ownership.terms import PERSON, Comparator, Interest, Outcome

_PLAIN: Final = frozenset(
    {*SHARES, Interest.VOTES, Interest.INCOME, Interest.CONTROL, Interest.BOARD}
)
_NO, _EXACTLY, _MORE = range(3)
"""Whether the least that is reported is below the threshold, meets it exactly, or is above it."""


def leads_to_no_person(register: Register, party: int) -> bool:
    """Whether a look at who was ever reported says that no person holds through others.

    It errs towards false: where some act in concert, hold as nominees, are declared with a total or
    stand in a ring with the party, that has to be worked out.
    """
    kinds, held = register.kinds, register.held
    waiting, seen = [party], {party}
    for owned in waiting:
        for key in held.get(owned, ()):
            owner = key >> 5
            if owner == party or key & 31 not in _PLAIN:
                return False
            if owned != party and kinds[owner] == PERSON:
                return False
            if owner not in seen:
                seen.add(owner)
                waiting.append(owner)
    return True


def indirect_persons(asked: Behind) -> frozenset[str]:
    """Persons who meet the threshold for certain and do not only hold the party itself."""
    if not asked.persons:
        _find_persons(asked)
    return asked.persons[asked.comparator]


def _find_persons(asked: Behind) -> None:
    """Find them for both comparators: one law asks with the one, the next with the other."""
    register = asked.view.register
    ends, _ = candidates_of(asked)
    persons = [party for party in ends if register.kinds[party] == PERSON]
    levels: dict[str, int] = {}
    if persons:
        through = _through(asked)
        # A person who holds for others may only come again behind itself: chains repeat nobody.
        holding = register.held.keys() & through.intersection(persons)
        if holding:
            chains = paths_of(asked.view, asked.root, frozenset(holding), "shares", 2).of
            direct = {p for p in holding if all(len(path.links) == 1 for path in chains[p])}
            through -= direct
        levels = {register.names[party]: _level(asked, party, through) for party in persons}
    asked.persons["at_least"] = frozenset(name for name, level in levels.items() if level)
    asked.persons["above"] = frozenset(n for n, level in levels.items() if level == _MORE)


def _level(asked: Behind, party: int, through: set[int]) -> int:
    """How an owner through others stands to the threshold; not at all where it is none."""
    if party in asked.groups or party in asked.declared:
        level = _NO
        comparators: tuple[Comparator, Comparator] = ("at_least", "above")
        for comparator in comparators:
            owner = owner_of(replace(asked, comparator=comparator), party)
            indirect = len(owner.control_chain) > 1 or party in through
            level += owner.outcome is Outcome.MET and indirect
        return level
    if party in through:
        return _shares_and_votes(asked, party)
    # Not by shares: only a chain of control can lead through somebody else.
    votes = votes_of(asked.field, frozenset((party << 1,)))
    return _MORE if votes.controls and len(owner_of(asked, party).control_chain) > 1 else _NO


def _shares_and_votes(asked: Behind, party: int) -> int:
    """How the least that is reported by any measure stands to the threshold."""
    over, under = asked.threshold.numerator, asked.threshold.denominator
    level = _NO
    for found in (asked.shares, asked.multiplied_votes, asked.income):
        if found is not None:
            part, mark = found.ends.get(party, 0) * under, found.flow.unit * over
            if part > mark:
                return _MORE
            level = max(level, int(part == mark))
    votes = votes_of(asked.field, frozenset((party << 1,)))
    if votes.controls:
        return _MORE
    if votes.whole:
        part, mark = votes.low * under, votes.whole * over
        level = _MORE if part > mark else max(level, int(part == mark))
    return level


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
