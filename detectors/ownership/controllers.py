"""Who controls a party, and whether two parties have a controller in common."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.ownership.control import Field, controlled_by, settled, starts
from detectors.ownership.rows import AS_NOMINEE
from detectors.ownership.terms import ENDS, Outcome
from detectors.ownership.view import View


@dataclass(frozen=True, slots=True)
class Controllers:
    """Parties that control one, itself among them. ``ultimate`` are controlled by nobody known.

    ``settled``: no part of the votes that could decide is unreported.
    """

    certain: frozenset[str]
    ultimate: frozenset[str]
    possible: frozenset[str]
    settled: bool

    def common(self, other: Controllers) -> Outcome:
        """Whether somebody controls both."""
        if self.certain & other.certain:
            return Outcome.MET
        mine, others = self.certain | self.possible, other.certain | other.possible
        if mine & others or not self.settled or not other.settled:
            return Outcome.CANNOT_TELL
        return Outcome.NOT_MET

    def group(self, party: str) -> str:
        """The name of the group."""
        return min(self.ultimate or self.certain - {party} or {party})


def controllers_of(found: Field, view: View) -> Controllers:
    """Who controls the root of a field."""
    names, root = view.register.names, found.root
    certain, possible = {root}, set()
    for state in found.below:
        if state & AS_NOMINEE or state == root or not starts(found, state):
            continue
        if root in controlled_by(found, (state,), "certain").states:
            certain.add(state)
        elif root in controlled_by(found, (state,), "possible").states:
            possible.add(state)
    top = certain - {root}
    over = {state: controlled_by(found, (state,), "certain").states for state in top}
    ultimate = {s for s in top if not any(s in over[other] for other in top if other != s)}
    ended = any(view.register.kinds[state >> 1] in ENDS for state in certain)
    return Controllers(
        frozenset(names[s >> 1] for s in certain),
        frozenset(names[s >> 1] for s in ultimate),
        frozenset(names[s >> 1] for s in possible),
        ended or settled(found),
    )
