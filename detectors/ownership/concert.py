"""Parties that act in concert: their interests in a party are counted together.

``concert`` with a company as the owned: all who have it act together in that company. With another
holder as the owned, in which the owner holds nothing else: these two act together wherever both
hold.
"""

from __future__ import annotations

from collections.abc import Iterable

from detectors.ownership.register import INDIRECT
from detectors.ownership.terms import Interest
from detectors.ownership.view import View

Groups = dict[int, frozenset[int]]
"""By party: all that act with it, itself included; only parties that act with others."""


def groups_over(view: View, company: int, parties: Iterable[int]) -> Groups:
    """Who of the parties act in concert over a company."""
    leader: dict[int, int] = {}

    def find(party: int) -> int:
        while leader.setdefault(party, party) != party:
            party = leader[party]
        return party

    among = set(parties)
    agreed = [party for party in view.holdings(company).concert if party in among]
    pairs = [(agreed[0], other) for other in agreed[1:]]
    for party in among:
        if party != company and party in view.register.held:
            pairs += [
                (party, other)
                for other in view.holdings(party).concert
                if other in among and not _holds(view, other, party)
            ]
    for one, other in pairs:
        leader[max(find(one), find(other))] = min(find(one), find(other))
    gathered: dict[int, set[int]] = {}
    for party in leader:
        gathered.setdefault(find(party), set()).add(party)
    return {
        party: frozenset(members)
        for members in gathered.values()
        if len(members) > 1
        for party in members
    }


def _holds(view: View, owner: int, owned: int) -> bool:
    """Whether an owner has another interest than concert in a party."""
    return any(
        holder == owner and interest % INDIRECT != Interest.CONCERT
        for holder, interest, _ in view.register.in_force(owned, view.at)
    )
