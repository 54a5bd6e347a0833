"""Shares of everybody behind a party, as exact bounds, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from detectors.ownership.flow import Exact, Fixed, Flow, spread
from detectors.ownership.rows import AS_NOMINEE, Row
from detectors.ownership.solve import solve_exact
from detectors.ownership.terms import ENDS, WHOLE, Missing, Share
from detectors.ownership.view import Measure, View

EXACT_STATES: Final = 100
"""Up to so many parties whatever rounding could blur is computed in fractions at once."""


class Unbounded(Exception):
    """A ring in which the greatest shares reach the whole: they bound nothing."""


class _Upper(Exact):
    """Upper bounds: a ring counts only where its greatest shares leave something outside."""

    def ring(
        self, inflow: list[Fraction], edges: list[list[tuple[int, int]]]
    ) -> list[Fraction] | None:
        if any(sum(weight for _, weight in out) >= WHOLE for out in edges):
            raise Unbounded
        return solve_exact(inflow, edges)


@dataclass(slots=True)
class Reach:
    """What a party's shares come to. Values are times ``unit``; see ``share_of``."""

    root: int
    measure: Measure
    flow: Flow
    ends: dict[int, Any]
    """By party: the least share of those at whom chains end, listed companies among them."""
    missing: list[tuple[int, str, Any, int]] = field(default_factory=list)
    """(party, code, part, owner or -1)."""
    unseen: Any = 0
    """All that is missing together."""
    most: dict[int, Fraction] | None = None
    """By party: the greatest share; None where it is the same as the least and what is missing."""
    ranged: bool = False

    @property
    def exact(self) -> bool:
        """Whether nothing was lost by rounding."""
        return not self.flow.loss

    def share_of(self, *parties: int) -> Share:
        """The share of ends together; of others nothing is known."""
        flow = self.flow
        least = sum(self.ends.get(party, 0) for party in parties)
        low = flow.fraction(least)
        open_ = min(Fraction(1), flow.fraction(least + self.unseen + flow.loss))
        high = low if not self.ranged else open_
        if self.most is not None:
            most = sum((self.most.get(party, Fraction(0)) for party in parties), Fraction(0))
            high = min(open_, max(low, most))
        return Share(low, high, open_)

    def missing_parts(self, names: list[str]) -> list[Missing]:
        """What is missing, the greatest part first."""
        found = [
            Missing(
                names[party], code, self.flow.fraction(part), names[owner] if owner >= 0 else ""
            )
            for party, code, part, owner in self.missing
        ]
        return sorted(found, key=lambda m: (-m.part, m.party, m.code, m.owner))


def reach(
    view: View,
    party: int,
    measure: Measure = "shares",
    *,
    stop: frozenset[int] = frozenset(),
    exact: bool = False,
) -> Reach:
    """The shares of all that stand behind a party; chains end at ``stop`` too.

    With ``exact`` in fractions however large the graph is, else where that is cheap.
    """
    root = party << 1
    arithmetic: Fixed | Exact = Exact() if exact else Fixed()
    step = view.step(root, measure, stop=stop)
    flow = spread(root, step, arithmetic)
    if flow.loss and len(flow.arrived) <= EXACT_STATES:
        flow = spread(root, step, Exact())
    found = Reach(root, measure, flow, {})
    _ends(view, found, stop)
    if found.ranged:
        _most(view, found, stop)
    return found


def _ends(view: View, found: Reach, stop: frozenset[int]) -> None:
    """Tell apart where the unit came to rest: at owners, or where something is missing."""
    flow, register = found.flow, view.register
    for state, value in flow.arrived.items():
        party = state >> 1
        if state != found.root and party in stop and not state & AS_NOMINEE:
            found.ends[party] = found.ends.get(party, 0) + value
            continue
        row = view.row(state, found.measure, found.root)
        if row is None:
            found.ends[party] = found.ends.get(party, 0) + value
            continue
        found.ranged = found.ranged or not row.exact
        left = flow.left.get(state)
        if not left:
            continue
        person = register.kinds[party] in ENDS and not state & AS_NOMINEE
        if person and state != found.root:
            found.ends[party] = found.ends.get(party, 0) + left
            continue
        found.unseen += left
        found.missing += _reasons(view, state, row, left)
    for members, value in flow.rings:
        if value:
            found.unseen += value
            found.missing.append((min(members) >> 1, "ring", value, -1))


def _reasons(view: View, state: int, row: Row, left: Any) -> list[tuple[int, str, Any, int]]:
    """Why a part of what came to a party goes no further."""
    party = state >> 1
    if not row.owners:
        nominee = state & AS_NOMINEE
        return [(party, "nominee" if nominee else "no_owner", left, -1)]
    if row.exact:
        return [(party, "rest", left, -1)]
    owner = -1
    if row.sides:
        code, owner = "nominee_side", row.sides[0] >> 1
    elif row.unknown:
        code, owner = "share", row.unknown[0] >> 1
    else:
        code = "range"
    reserve = WHOLE - sum(row.high)
    if reserve <= 0:
        return [(party, code, left, owner)]
    rest = left * reserve
    rest = rest // (WHOLE - row.total) if isinstance(left, int) else rest / (WHOLE - row.total)
    return [(party, code, left - rest, owner), (party, "rest", rest, -1)]


def _most(view: View, found: Reach, stop: frozenset[int]) -> None:
    try:
        step = view.step(found.root, found.measure, high=True, stop=stop)
        flow = spread(found.root, step, _Upper())
    except Unbounded:
        return
    most: dict[int, Fraction] = {}
    for state, value in flow.arrived.items():
        party = state >> 1
        if state == found.root:
            continue
        row = view.row(state, found.measure, found.root)
        if row is None or party in stop or view.register.kinds[party] in ENDS:
            most[party] = most.get(party, Fraction(0)) + value
    found.most = most
