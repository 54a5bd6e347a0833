"""The beneficial owners of a party: shares, votes, income and control of everybody behind it.

Everybody is first looked at in integers: who cannot meet the threshold by any measure in any
reading is only counted. The others are worked out in fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from fractions import Fraction
from heapq import nlargest
from typing import Any, Final

from detectors.ownership.answer import Answer, ControlLink, Owner, Part
from detectors.ownership.concert import Groups, groups_over
from detectors.ownership.control import (
    Field,
    Votes,
    candidates,
    controlled_by,
    field_of,
    settled,
    votes_of,
)
from detectors.ownership.declared import contradiction, declared_total, narrowed
from detectors.ownership.paths import Paths, paths_of
from detectors.ownership.reach import Reach, reach
from detectors.ownership.terms import (
    NOTHING,
    Comparator,
    Finding,
    Missing,
    Moment,
    Outcome,
    Share,
    compare,
)
from detectors.ownership.view import Measure, View
from regtech.model.fields import PARTY_KINDS

LISTED_MAX: Final = 100
"""Parties below the threshold, parties of whom it cannot be told because much is unreported, and
missing parts that an answer names; all are counted."""

_ZERO: Final = Fraction(0)


@dataclass(slots=True)
class Behind:
    """One party with all behind it: what was computed for a question."""

    view: View
    root: int
    threshold: Fraction
    comparator: Comparator
    complete: bool
    shares: Reach
    multiplied_votes: Reach | None
    income: Reach | None
    field: Field
    groups: Groups
    declared: dict[int, Share]
    """By party: its share where the register declares a total."""
    unseen: Fraction
    findings: list[Finding]
    persons: dict[Comparator, frozenset[str]] = dataclass_field(default_factory=dict)
    """What ``certain.indirect_persons`` has answered, by comparator."""

    def share_of(self, party: int) -> Share:
        """The share of one party, by the chains and by what is declared."""
        share = self.declared.get(party)
        if share is not None:
            return share
        share = self.shares.share_of(party)
        open_ = min(share.open, share.low + self.unseen)
        return share if open_ == share.open else Share(share.low, min(share.high, open_), open_)


def answer_of(asked: Behind, paths: int) -> Answer:
    """See ``OwnershipGraph.beneficial_owners``."""
    return _put_together(asked, _sorted_out(asked), paths)


def leaves_open(asked: Behind) -> bool:
    """Whether somebody may be an owner: one of whom it is not known, or whom nobody has named.

    As ``answer_of`` says by its ``unclear`` and ``further``; no paths are looked for.
    """
    if compare(_ZERO, asked.unseen, asked.threshold, asked.comparator) is Outcome.CANNOT_TELL:
        if not asked.complete:
            return True
    owners = _sorted_out(asked).owners
    if any(owner.outcome is Outcome.CANNOT_TELL for owner in owners):
        return True
    return not (asked.complete or _is_control_known(asked, owners))


def elsewhere(asked: Behind, at: Moment) -> Behind | None:
    """The same where it is another day at the same instant; None where that may be another."""
    if asked.view.by_day:
        return None
    view = asked.view.elsewhere(at.day)
    return replace(asked, view=view, groups={}, persons=asked.persons.copy())


def behind(
    view: View, root: int, threshold: Fraction, comparator: Comparator, *, complete: bool
) -> Behind:
    """Shares, votes, income and control of everybody behind a party.

    With another comparator (``dataclasses.replace``) it is the same.
    """
    shares = _decided(view, root, "shares", threshold)
    parties = {state >> 1 for state in shares.flow.arrived}
    control = field_of(view, root)
    parties.update(state >> 1 for state in control.votes)
    parties &= view.register.held.keys()
    income = votes = None
    if any(view.holdings(party).votes is not None for party in parties):
        votes = _decided(view, root, "votes", threshold)
    if any(view.holdings(party).income is not None for party in parties):
        income = _decided(view, root, "income", threshold)
    asked = Behind(
        view, root, threshold, comparator, complete, shares, votes, income, control, {}, {},
        shares.flow.fraction(shares.unseen + shares.flow.loss), [],
    )  # fmt: skip
    _declare(asked)
    return asked


def _declare(asked: Behind) -> None:
    """What a register declares in all is no longer unseen."""
    view, root = asked.view, asked.root
    if not view.holdings(root).declared:
        return
    more = _ZERO
    for party in sorted(view.holdings(root).declared):
        computed, total = asked.shares.share_of(party), declared_total(view, root, party)
        share, differs = narrowed(computed, total)
        if differs and total is not None:
            asked.findings.append(contradiction(view, root, party, computed, total))
        else:
            more += share.low - computed.low
        asked.declared[party] = share
    asked.unseen = max(_ZERO, asked.unseen - more)


def _decided(view: View, root: int, measure: Measure, threshold: Fraction) -> Reach:
    """The shares; in fractions where what rounding took away could decide."""
    found = reach(view, root, measure)
    loss = found.flow.loss
    if not loss:
        return found
    mark = threshold * found.flow.unit
    for value in (0, *found.ends.values()):
        for bound in (value, value + found.unseen):
            if bound <= mark <= bound + loss:
                return reach(view, root, measure, exact=True)
    return found


@dataclass(slots=True)
class _Sorted:
    """Those that are or may be owners, how many more may be, the others, listed companies.

    ``below``: least shares and parties.
    """

    owners: list[Owner]
    more: int
    below: list[tuple[Any, int]]
    stops: list[int]


def candidates_of(asked: Behind) -> tuple[set[int], list[int]]:
    """Parties at which chains end, and listed companies that stop them; notes who acts together."""
    view, root = asked.view, asked.root
    ends = {*asked.shares.ends, *candidates(asked.field), *asked.declared}
    for more in (asked.multiplied_votes, asked.income):
        ends.update(() if more is None else more.ends)
    ends.discard(root)
    stops = [party for party in ends if view.listed(party)]
    ends.difference_update(stops)
    asked.groups = groups_over(view, root, ends)
    return ends, stops


def _sorted_out(asked: Behind) -> _Sorted:
    view = asked.view
    ends, stops = candidates_of(asked)
    owners: list[Owner] = []
    below: list[tuple[Any, int]] = []
    perhaps: list[tuple[Any, int]] = []
    look, least = _Look(asked), asked.shares.ends
    names = view.register.names
    for party in sorted(ends, key=names.__getitem__):
        if party in asked.groups or party in asked.declared:
            first = Outcome.MET
        else:
            first = look.at(party)
        if first is Outcome.CANNOT_TELL:
            perhaps.append((least.get(party, 0), party))
        elif first is Outcome.MET:
            owners.append(owner_of(asked, party))
        else:
            below.append((least.get(party, 0), party))
    # Where much is not reported anybody may be an owner: the greatest are worked out.
    greatest = nlargest(LISTED_MAX, perhaps, key=lambda entry: entry[0])
    owners += [owner_of(asked, party) for _, party in greatest]
    for owner in owners:
        if owner.outcome is Outcome.NOT_MET:
            party = view.register.index[owner.party]
            below.append((least.get(party, 0), party))
    named = [owner for owner in owners if owner.outcome is not Outcome.NOT_MET]
    rest = len(perhaps) - len(greatest)
    return _Sorted(named, rest, below, sorted(stops, key=names.__getitem__))


class _Look:
    """A first look in integers: whether a party meets the threshold by any measure.

    It errs towards met, and then towards cannot tell; what is not met, is not met.
    """

    def __init__(self, asked: Behind) -> None:
        self._asked = asked
        self._over, self._under = asked.threshold.numerator, asked.threshold.denominator
        measures = (asked.shares, asked.multiplied_votes, asked.income)
        self._measures = [
            (found.ends, found.flow.loss * self._under,
             (found.unseen + found.flow.loss) * self._under, found.flow.unit * self._over)
            for found in measures if found is not None
        ]  # fmt: skip

    def at(self, party: int) -> Outcome:
        votes = votes_of(self._asked.field, frozenset((party << 1,)))
        mark = votes.whole * self._over
        if votes.controls or votes.low * self._under >= mark:
            return Outcome.MET
        perhaps = votes.open * self._under >= mark or 2 * votes.open > votes.whole
        for ends, loss, unseen, mark in self._measures:
            least = ends.get(party, 0) * self._under
            if least + loss >= mark:
                return Outcome.MET
            perhaps = perhaps or least + unseen >= mark
        return Outcome.CANNOT_TELL if perhaps else Outcome.NOT_MET


def owner_of(asked: Behind, party: int) -> Owner:
    """One party behind another, with all figures; its paths are not looked for."""
    view, names = asked.view, asked.view.register.names
    members = asked.groups.get(party, frozenset({party}))
    shares = _of_all(asked, members)
    income = None if asked.income is None else asked.income.share_of(*members)
    votes = votes_of(asked.field, frozenset(p << 1 for p in members))
    cast = votes.share()
    if asked.multiplied_votes is not None:
        cast = _greater(cast, asked.multiplied_votes.share_of(*members))
    figures = {"shares": shares, "votes": cast}
    if income is not None:
        figures["income"] = income
    outcomes = {
        name: share.outcome(asked.threshold, asked.comparator, complete=asked.complete)
        for name, share in figures.items()
    }
    outcomes["control"] = control = _control(asked, votes)
    outcome = Outcome.any_of(list(outcomes.values()))
    kind = view.register.kinds[party]
    return Owner(
        party=names[party],
        kind=PARTY_KINDS[kind - 1] if kind else None,
        outcome=outcome,
        reasons=tuple(name for name, one in outcomes.items() if one is outcome),
        shares=shares,
        votes=cast,
        income=income,
        own=asked.share_of(party),
        control=control,
        together=tuple(sorted(names[p] for p in members - {party})),
        control_chain=_chain(asked, members) if control is Outcome.MET else (),
        declared=declared_total(view, asked.root, party),
    )


def _control(asked: Behind, votes: Votes) -> Outcome:
    if votes.controls:
        return Outcome.MET
    most = votes.high if asked.complete else votes.open
    return Outcome.CANNOT_TELL if 2 * most > votes.whole else Outcome.NOT_MET


def _greater(one: Share, other: Share) -> Share:
    """Votes by control or multiplied down the chains, whichever is more."""
    high = max(one.high, other.high)
    return Share(max(one.low, other.low), high, max(high, one.open, other.open))


def _of_all(asked: Behind, members: frozenset[int]) -> Share:
    """Shares of parties in concert together."""
    parts = [asked.share_of(party) for party in members]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return NOTHING
    low = sum((part.low for part in parts), _ZERO)
    open_ = max(low, min(Fraction(1), low + asked.unseen))
    return Share(low, min(open_, sum((part.high for part in parts), _ZERO)), open_)


def _chain(asked: Behind, members: frozenset[int]) -> tuple[ControlLink, ...]:
    """How control comes about, from the party asked about up."""
    names, field = asked.view.register.names, asked.field
    certain = controlled_by(field, [party << 1 for party in members], "certain")
    ends = {party << 1 for party in members}
    links: list[ControlLink] = []
    waiting, seen = [field.root], set(ends)
    while waiting:
        state = waiting.pop(0)
        if state in seen or state not in certain.via:
            continue
        seen.add(state)
        holders = certain.via[state]
        means = field.means.get(state, {})
        votes, refs = _ZERO, tuple[str, ...]()
        if len(holders) == 1 and holders[0] in means:
            interest, ref = means[holders[0]]
            name, refs = interest.name.lower(), (ref,)
        else:
            name, ballot = "votes", field.votes[state]
            votes = Fraction(sum(ballot.holders[h][0] for h in holders), ballot.whole)
            row = asked.view.row(state, "votes", field.root)
            if row is not None:
                refs = tuple(row.refs[row.places[h]] for h in holders)
        who = tuple(sorted(names[h >> 1] for h in holders))
        links.append(ControlLink(names[state >> 1], who, name, votes, refs))
        waiting += [h for h in holders if h not in ends]
    return tuple(links)


def _put_together(asked: Behind, found: _Sorted, paths: int) -> Answer:
    view, names, index = asked.view, asked.view.register.names, asked.view.register.index
    owners, below = found.owners, found.below
    wanted = frozenset(index[name] for o in owners for name in (o.party, *o.together))
    chains = paths_of(view, asked.root, wanted, "shares", paths)
    owners.sort(key=lambda o: (-o.shares.low, -o.votes.low, -o.shares.open, o.party))
    owners = [_with_paths(owner, index[owner.party], chains, paths) for owner in owners]
    missing, further = _missing(asked, owners)
    shown = nlargest(LISTED_MAX, missing, key=lambda m: m.part)
    findings = list(asked.findings)
    known = {state >> 1 for state in asked.shares.flow.arrived} & view.register.held.keys()
    for party in sorted(known, key=names.__getitem__):
        findings += view.holdings(party).findings
    # Equal shares stay in the order of names: nlargest is stable.
    greatest = nlargest(LISTED_MAX, below, key=lambda entry: entry[0])
    return Answer(
        party=names[asked.root],
        at=view.at,
        threshold=asked.threshold,
        comparator=asked.comparator,
        owners=tuple(o for o in owners if o.outcome is Outcome.MET),
        unclear=tuple(o for o in owners if o.outcome is Outcome.CANNOT_TELL),
        unclear_more=found.more,
        below=tuple(Part(names[party], asked.share_of(party)) for _, party in greatest),
        below_count=len(below),
        stops=tuple(
            sorted(
                (Part(names[party], asked.share_of(party)) for party in found.stops),
                key=lambda part: (-part.shares.low, part.party),
            )
        ),
        missing=tuple(shown),
        missing_count=len(missing),
        unseen=asked.unseen,
        further=further,
        findings=tuple(findings),
        exhausted=chains.exhausted,
    )


def _with_paths(owner: Owner, party: int, chains: Paths, most: int) -> Owner:
    found = tuple(chains.of.get(party, ()))
    cut = party in chains.cut or (chains.exhausted and len(found) < most)
    return replace(owner, paths=found, paths_cut=cut)


def _is_control_known(asked: Behind, owners: list[Owner]) -> bool:
    """Whether somebody named controls the party, or nobody else could by votes."""
    return settled(asked.field) or any(
        owner.control is Outcome.MET and owner.kind == "person" for owner in owners
    )


def _missing(asked: Behind, owners: list[Owner]) -> tuple[list[Missing], Outcome]:
    """What is missing, and whether somebody whom nobody named may be an owner."""
    names = asked.view.register.names
    found = [
        Missing(owner.party, "kind", owner.shares.low) for owner in owners if owner.kind is None
    ]
    if asked.complete:
        return found, Outcome.NOT_MET
    found = asked.shares.missing_parts(names) + found
    further = compare(_ZERO, asked.unseen, asked.threshold, asked.comparator)
    if not _is_control_known(asked, owners):
        ballot = asked.field.votes[asked.field.root]
        part = Fraction(ballot.unseen, ballot.whole) if ballot.whole else Fraction(1)
        found.append(Missing(names[asked.root], "control", part))
        further = Outcome.CANNOT_TELL
    return found, further
