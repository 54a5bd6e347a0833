"""Who controls a party, and whether two parties have a controller in common."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.ownership.control import MAJORITY, Field, controlled_by
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
    names, root = view.register.names, found.root << 1
    certain, possible = {found.root}, set()
    for state in sorted(found.below):
        if state & AS_NOMINEE or state == root:
            continue
        if not _starts(found, state):
            continue
        if root in controlled_by(found, {state}, "certain").states:
            certain.add(state >> 1)
        elif root in controlled_by(found, {state}, "possible").states:
            possible.add(state >> 1)
    top = certain - {found.root}
    ultimate = {p for p in top if not any(q != p and _over(found, q, p) for q in top)}
    settled = any(view.register.kinds[p] in ENDS for p in certain) or not _loose(found)
    return Controllers(
        frozenset(names[p] for p in certain),
        frozenset(names[p] for p in ultimate),
        frozenset(names[p] for p in possible),
        settled,
    )


def _starts(found: Field, state: int) -> bool:
    """Whether a party controls anything by itself or in concert: else it controls nothing."""
    for thing in found.below.get(state, ()):
        if state in found.means.get(thing, {}) or thing in found.concert:
            return True
        votes = found.votes.get(thing, {}).get(state)
        if votes is not None and votes.high > MAJORITY:
            return True
    return False


def _over(found: Field, one: int, other: int) -> bool:
    return other << 1 in controlled_by(found, {one << 1}, "certain").states


def _loose(found: Field) -> bool:
    """Whether somebody of whom nobody knows could control the root."""
    root = found.root << 1
    if found.unseen.get(root, 0) > MAJORITY:
        return True
    return root in controlled_by(found, (), "open").states
