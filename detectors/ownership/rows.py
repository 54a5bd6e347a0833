"""One party's owners at a moment, made ready for arithmetic: a row for each measure.

A row's shares never add up to more than the whole. What a party holds in itself (treasury shares)
stays in the row; the flow takes it out by solving the loop.

A *state* is a party's number times two, plus one where the party holds as a nominee.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from detectors.ownership.register import INDIRECT, Change, Register
from detectors.ownership.terms import ENDS, WHOLE, Finding, Interest, Moment, range_text

AS_NOMINEE: Final = 1

SHARES: Final = (Interest.SHARES, Interest.UNIT)


@dataclass(slots=True)
class Row:
    """Owners of one party for one measure, as states, with their least and greatest shares."""

    owners: list[int] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)
    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    refs: list[str] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    """Owners whose share was not reported at all."""
    sides: list[int] = field(default_factory=list)
    """Owners of whom it is not told whether they hold as nominees or stand behind one."""
    total: int = 0
    """The least shares together."""
    exact: bool = True

    def add(self, state: int, low: int, high: int, ref: str) -> None:
        """One more holding; several of one owner are added up."""
        place = self.places.setdefault(state, len(self.owners))
        if place < len(self.owners):
            self.low[place] += low
            self.high[place] += high
        else:
            self.owners.append(state)
            self.low.append(low)
            self.high.append(high)
            self.refs.append(ref)

    def settle(self) -> int:
        """Make the shares consistent with a whole of one; by how much too much was reported.

        Where the least shares add up to more than the whole, each may be overstated by the excess:
        they are lowered by it. The greatest shares are lowered to what the others leave.
        """
        total = sum(self.low)
        excess = max(0, total - WHOLE)
        if excess:
            self.low = [max(0, share - excess) for share in self.low]
            total = sum(self.low)
        if self.low != self.high:
            room = WHOLE - total
            self.high = [
                min(high, low + room) for low, high in zip(self.low, self.high, strict=True)
            ]
        self.total, self.exact = total, self.low == self.high
        return excess


@dataclass(slots=True)
class Holdings:
    """All that is held in one party at a moment.

    ``votes`` and ``income`` are None where nothing else than the shares was reported: then votes
    and income follow the shares (a default). ``control``: (owner state, interest, ref) of control
    by other means. ``declared``: totals through others by owner, as bounds. ``concert``: parties
    that act in concert over this one.
    """

    shares: Row
    votes: Row | None
    income: Row | None
    control: list[tuple[int, Interest, str]]
    concert: list[int]
    declared: dict[int, tuple[int, int, str]]
    behind: Row | None
    """For whom the party holds as a nominee, where that is reported."""
    findings: list[Finding]


def holdings_of(register: Register, party: int, at: Moment) -> Holdings:
    """The holdings in a party at a moment."""
    entries = register.in_force(party, at)
    shares = Row()
    votes: Row | None = None
    income: Row | None = None
    behind: Row | None = None
    made = Holdings(shares, None, None, [], [], {}, None, [])
    nominees: list[tuple[int, Change]] = []
    others = False
    for owner, interest, change in entries:
        state = owner << 1
        if interest >= INDIRECT:
            if interest - INDIRECT in SHARES:
                made.declared[owner] = (change.low, change.high, change.ref)
            elif interest - INDIRECT in (Interest.CONTROL, Interest.BOARD):
                # What is declared of control through others is control, whatever the chain.
                made.control.append((state, Interest(interest - INDIRECT), change.ref))
        elif interest in SHARES:
            others = True
            _add(shares, state, change)
        elif interest == Interest.VOTES:
            others = True
            votes = votes or Row()
            _add(votes, state, change)
        elif interest == Interest.INCOME:
            others = True
            income = income or Row()
            _add(income, state, change)
        elif interest == Interest.CONTROL:
            made.control.append((state, Interest.CONTROL, change.ref))
        elif interest == Interest.BOARD:
            # The right to appoint a majority; a part of the seats that is no majority is none.
            if not change.given or change.low * 2 > WHOLE:
                made.control.append((state, Interest.BOARD, change.ref))
        elif interest == Interest.CONCERT:
            made.concert.append(owner)
        elif interest == Interest.NOMINATOR:
            behind = behind or Row()
            _add(behind, state, change)
        elif interest == Interest.NOMINEE:
            nominees.append((owner, change))
    if nominees:
        behind = behind or Row()
        alone = not others and len(nominees) == 1
        for owner, change in nominees:
            _nominee(register, party, owner, change, shares, behind, alone=alone)
    if behind is not None and behind.owners:
        if len(behind.owners) == 1 and behind.unknown:
            behind.low, behind.high, behind.unknown = [WHOLE], [WHOLE], []  # the only one: for all
        made.behind = behind
    if votes is not None:
        made.votes = _instead(votes, shares)
    if income is not None:
        made.income = _instead(income, shares)
    for row in (made.shares, made.votes, made.income, made.behind):
        if row is not None and (excess := row.settle()):
            name = register.names[party]
            share = Fraction(excess, WHOLE)
            more = range_text(share, share)
            made.findings.append(Finding("more_than_whole", name, "", more))
    return made


def _add(row: Row, state: int, change: Change) -> None:
    row.add(state, change.low, change.high, change.ref)
    if not change.given:
        row.unknown.append(state)


def _instead(stated: Row, shares: Row) -> Row:
    """A measure of which some owners' shares were stated; of the others it follows the shares."""
    of = set(stated.owners)
    for state, low, high, ref in zip(
        shares.owners, shares.low, shares.high, shares.refs, strict=True
    ):
        if state not in of:
            stated.add(state, low, high, ref)
    return stated


def _nominee(
    register: Register,
    party: int,
    owner: int,
    change: Change,
    shares: Row,
    behind: Row,
    *,
    alone: bool,
) -> None:
    """A nominee interest: the owner holds for others, or stands behind a nominee.

    It stands behind where the owned is a person or where the interest has no share. It holds for
    others where others have interests too, or where the owned holds nothing. Else nobody can tell.
    """
    if register.kinds[party] in ENDS or not change.given:
        _add(behind, owner << 1, change)
    elif alone and register.holds.get(party) and owner not in register.nominees:
        shares.add(owner << 1, 0, change.high, change.ref)
        shares.sides.append(owner << 1)
    else:
        shares.add(owner << 1 | AS_NOMINEE, change.low, change.high, change.ref)
