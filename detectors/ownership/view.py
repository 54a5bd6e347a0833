"""The graph at a moment: whose holdings lead on, and where a chain ends."""

from __future__ import annotations

from typing import Final, Literal

from detectors.ownership.flow import Edges, Step
from detectors.ownership.register import Register
from detectors.ownership.rows import AS_NOMINEE, Holdings, Row, holdings_of
from detectors.ownership.terms import ENDS, Moment

Measure = Literal["shares", "votes", "income"]

NO_OWNERS: Final[Edges] = ((), ())
_KEPT_MAX: Final = 1 << 20


class Cache:
    """Holdings of parties, each for as long as nothing in them changes."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self._kept: dict[int, tuple[int, int, tuple[int, int, int], Holdings]] = {}

    def holdings(self, party: int, at: Moment) -> tuple[Holdings, bool]:
        """The holdings in a party at a moment, and whether they are the same whatever the zone."""
        register = self.register
        # Whether the nominee side can be told depends on what the party holds itself, and on
        # whether anybody stands behind its owners as a nominee.
        nominees = len(register.nominees) if party in register.nominees else 0
        version = register.changed.get(party, 0), len(register.holds.get(party, ())), nominees
        kept = self._kept.get(party)
        if kept is not None and kept[2] == version and kept[0] <= at.us < kept[1]:
            return kept[3], True
        made = holdings_of(register, party, at)
        first, last = register.steady(party, at)
        if first < last:
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            self._kept[party] = first, last, version, made
        return made, first < last

    def forget(self, party: int) -> None:
        """After a fact that changes how a party's holdings are read."""
        self._kept.pop(party, None)


class View:
    """The graph at one moment. ``through_listed``: do not stop at listed companies."""

    def __init__(self, cache: Cache, at: Moment, *, through_listed: bool = False) -> None:
        self.register, self.at = cache.register, at
        self.through_listed = through_listed
        self._cache = cache
        self._held: dict[int, Holdings] = {}
        self.by_day = False
        """Whether some holdings seen so far go by the local day: elsewhere they may be others."""

    def elsewhere(self, day: int) -> View:
        """The same instant where it is another day, for a view that does not go by it."""
        made = View(self._cache, Moment(self.at.us, day), through_listed=self.through_listed)
        made._held = self._held.copy()
        return made

    def holdings(self, party: int) -> Holdings:
        """What is held in a party."""
        held = self._held.get(party)
        if held is None:
            held, steady = self._cache.holdings(party, self.at)
            self._held[party] = held
            self.by_day = self.by_day or not steady
        return held

    def listed(self, party: int) -> bool:
        """Whether a chain stops at a party because it is listed."""
        return (
            not self.through_listed
            and party in self.register.listed
            and self.register.is_listed(party, self.at)
        )

    def row(self, state: int, measure: Measure, root: int) -> Row | None:
        """Whom the chain goes on to from a state; None at an end.

        A row without owners is where nobody is reported.
        """
        party = state >> 1
        register = self.register
        if party not in register.held and state != root:
            if state & AS_NOMINEE:
                return _EMPTY
            kind = register.kinds[party]
            ended = kind in ENDS or kind == 0 or self.listed(party)
            return None if ended else _EMPTY  # of a kind nobody reported, and owned by nobody
        held = self.holdings(party)
        if state != root:
            if held.behind is not None:
                return held.behind
            if not state & AS_NOMINEE:
                if register.kinds[party] in ENDS or self.listed(party):
                    return None
            elif register.kinds[party] in ENDS:
                return _EMPTY
        row = held.shares
        if measure == "votes" and held.votes is not None:
            row = held.votes
        elif measure == "income" and held.income is not None:
            row = held.income
        return row

    def step(
        self, root: int, measure: Measure, *, high: bool = False, stop: frozenset[int] = frozenset()
    ) -> Step:
        """The edges of a measure by its least shares, or its greatest; chains end at ``stop``."""

        def edges(state: int) -> Edges | None:
            if state >> 1 in stop and state != root and not state & AS_NOMINEE:
                return None
            row = self.row(state, measure, root)
            if row is None:
                return None
            if not row.owners:
                return NO_OWNERS
            weights = row.high if high else row.low
            if state & AS_NOMINEE and row.sides and not high:
                # It is known as a nominee, so the other side stands behind it.
                weights = [
                    most if owner in row.sides else least
                    for owner, least, most in zip(row.owners, row.low, row.high, strict=True)
                ]
            return row.owners, weights

        return edges


_EMPTY: Final = Row()
