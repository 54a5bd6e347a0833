"""The beneficial owners of a party: shares, votes, income and control of everybody behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from detectors.ownership.answer import Answer, ControlLink, Owner, Stop
from detectors.ownership.concert import Groups, groups_over
from detectors.ownership.control import (
    Controlled,
    Field,
    candidates,
    field_of,
    votes_of,
)
from detectors.ownership.controllers import controllers_of
from detectors.ownership.declared import contradiction, declared_total, narrowed
from detectors.ownership.paths import Path, paths_of
from detectors.ownership.reach import Reach, reach
from detectors.ownership.terms import (
    NOTHING,
    Comparator,
    Finding,
    Missing,
    Outcome,
    Share,
    compare,
)
from detectors.ownership.view import View
from regtech.model.fields import PARTY_KINDS

_ZERO = Fraction(0)


@dataclass(slots=True)
class _Asked:
    """One question and what was computed for it."""

    view: View
    root: int
    threshold: Fraction
    comparator: Comparator
    complete: bool
    shares: Reach
    income: Reach | None
    field: Field
    groups: Groups
    totals: dict[int, Share]
    unseen: Fraction
    findings: list[Finding]


def answer_of(
    view: View,
    root: int,
    threshold: Fraction,
    comparator: Comparator,
    *,
    complete: bool,
    paths: int,
) -> Answer:
    """See ``OwnershipGraph.beneficial_owners``."""
    asked = _ask(view, root, threshold, comparator, complete)
    found = _owners(asked)
    return _put_together(asked, found, paths)


def _ask(
    view: View, root: int, threshold: Fraction, comparator: Comparator, complete: bool
) -> _Asked:
    shares = _decided(view, root, "shares", threshold)
    parties = {state >> 1 for state in shares.flow.arrived}
    income = None
    if any(view.holdings(p).income is not None for p in parties):
        income = _decided(view, root, "income", threshold)
    field = field_of(view, root)
    declared = view.holdings(root).declared
    ends = sorted({*shares.ends, *candidates(view, field), *declared} - {root})
    groups = groups_over(view, root, ends)
    totals: dict[int, Share] = {}
    findings: list[Finding] = []
    for party in ends:
        computed = shares.share_of(party)
        total = declared_total(view, root, party)
        share, differs = narrowed(computed, total)
        if differs and total is not None:
            findings.append(contradiction(view, root, party, computed, total))
        totals[party] = share
    unseen = shares.flow.fraction(shares.unseen + shares.flow.loss)
    more = sum((totals[p].low - shares.share_of(p).low for p in ends), _ZERO)
    if more > 0 and not findings:  # what a register declares is no longer unseen
        unseen = max(_ZERO, unseen - more)
        for party, share in totals.items():
            if declared_total(view, root, party) is None:
                open_ = min(share.open, share.low + unseen)
                totals[party] = Share(share.low, min(share.high, open_), open_)
    return _Asked(
        view, root, threshold, comparator, complete, shares, income, field, groups, totals,
        unseen, findings,
    )  # fmt: skip


def _decided(view: View, root: int, measure: str, threshold: Fraction) -> Reach:
    """The shares; in fractions where what rounding took away could decide."""
    found = reach(view, root, measure)  # type: ignore[arg-type]
    loss = found.flow.loss
    if not loss:
        return found
    mark = threshold * found.flow.unit
    unseen = found.unseen
    if any(v <= mark <= v + loss or v + unseen <= mark <= v + unseen + loss
           for v in (0, *found.ends.values())):  # fmt: skip
        return reach(view, root, measure, exact=True)  # type: ignore[arg-type]
    return found


def _owners(asked: _Asked) -> list[Owner]:
    """Everybody at whom a chain ends, listed companies apart."""
    view = asked.view
    made = []
    for party in asked.totals:
        if view.listed(party):
            continue
        made.append(_owner(asked, party))
    return made


def _owner(asked: _Asked, party: int) -> Owner:
    view, names = asked.view, asked.view.register.names
    members = asked.groups.get(party, frozenset({party}))
    shares = _of_all(asked.totals, members, asked.unseen)
    income = None
    if asked.income is not None:
        income = asked.income.share_of(*members)
    votes, certain = votes_of(asked.field, frozenset(p << 1 for p in members))
    root = asked.root << 1
    control = Outcome.NOT_MET
    if root in certain.states:
        control = Outcome.MET
    elif (votes.high if asked.complete else votes.open) > Fraction(1, 2):
        control = Outcome.CANNOT_TELL
    figures = {"shares": shares, "votes": votes}
    if income is not None:
        figures["income"] = income
    outcomes = {
        name: share.outcome(asked.threshold, asked.comparator, complete=asked.complete)
        for name, share in figures.items()
    }
    outcomes["control"] = control
    outcome = Outcome.any_of(list(outcomes.values()))
    kind = view.register.kinds[party]
    total = declared_total(view, asked.root, party)
    return Owner(
        party=names[party],
        kind=PARTY_KINDS[kind - 1] if kind else None,
        outcome=outcome,
        reasons=tuple(name for name, one in outcomes.items() if one is outcome),
        shares=shares,
        votes=votes,
        income=income,
        own=asked.totals[party],
        control=control,
        together=tuple(sorted(names[p] for p in members - {party})),
        control_chain=_chain(asked, certain) if control is Outcome.MET else (),
        declared=total,
    )


def _of_all(totals: dict[int, Share], members: frozenset[int], unseen: Fraction) -> Share:
    if len(members) == 1:
        (party,) = members
        return totals.get(party, NOTHING)
    parts = [totals[p] for p in members if p in totals]
    low = sum((part.low for part in parts), _ZERO)
    open_ = min(Fraction(1), low + unseen)
    high = min(open_, sum((part.high for part in parts), _ZERO))
    return Share(low, max(low, high), max(low, open_))


def _chain(asked: _Asked, certain: Controlled) -> tuple[ControlLink, ...]:
    """How control comes about, from the party asked about up."""
    names, field = asked.view.register.names, asked.field
    links: list[ControlLink] = []
    waiting, seen = [asked.root << 1], set()
    while waiting:
        state = waiting.pop(0)
        if state in seen or state in certain.members or state not in certain.via:
            continue
        seen.add(state)
        holders = certain.via[state]
        means = field.means.get(state, {})
        if len(holders) == 1 and holders[0] in means:
            interest, ref = means[holders[0]]
            name, votes = interest.name.lower(), _ZERO
            refs: tuple[str, ...] = (ref,)
        else:
            cast = field.votes[state]
            holders = [h for h in holders if h in cast]
            name = "votes"
            votes = sum((cast[h].low for h in holders), _ZERO)
            refs = tuple(cast[h].ref for h in holders)
        who = tuple(sorted(names[h >> 1] for h in holders))
        links.append(ControlLink(names[state >> 1], who, name, votes, refs))
        waiting += [h for h in holders if h not in certain.members]
    return tuple(links)


def _put_together(asked: _Asked, owners: list[Owner], paths: int) -> Answer:
    view, names = asked.view, asked.view.register.names
    index = view.register.index
    named = [o for o in owners if o.outcome is not Outcome.NOT_MET]
    wanted = frozenset(index[p] for o in named for p in (o.party, *o.together) if p in index)
    chains = paths_of(view, asked.root, wanted, "shares", paths)

    def with_paths(owner: Owner) -> Owner:
        party = index[owner.party]
        found: tuple[Path, ...] = tuple(chains.of.get(party, ()))
        cut = party in chains.cut or (chains.exhausted and len(found) < paths)
        return replace(owner, paths=found, paths_cut=cut)

    order = sorted(owners, key=lambda o: (-o.shares.low, -o.votes.low, -o.shares.open, o.party))
    by: dict[Outcome, list[Owner]] = {outcome: [] for outcome in Outcome}
    for owner in order:
        if owner.outcome is not Outcome.NOT_MET:
            owner = with_paths(owner)
        by[owner.outcome].append(owner)
    missing, further = _missing(asked, owners)
    stops = [
        Stop(names[p], share, votes_of(asked.field, frozenset({p << 1}))[0])
        for p, share in asked.totals.items()
        if view.listed(p)
    ]
    findings = list(asked.findings)
    for party in sorted({state >> 1 for state in asked.shares.flow.arrived}):
        findings += view.holdings(party).findings
    return Answer(
        party=names[asked.root],
        at=view.at,
        threshold=asked.threshold,
        comparator=asked.comparator,
        owners=tuple(by[Outcome.MET]),
        unclear=tuple(by[Outcome.CANNOT_TELL]),
        below=tuple(by[Outcome.NOT_MET]),
        stops=tuple(sorted(stops, key=lambda s: (-s.shares.low, s.party))),
        missing=tuple(missing),
        unseen=asked.unseen,
        further=further,
        findings=tuple(findings),
        exhausted=chains.exhausted,
    )


def _missing(asked: _Asked, owners: list[Owner]) -> tuple[list[Missing], Outcome]:
    """What is missing, and whether somebody whom nobody named may be an owner."""
    view, names = asked.view, asked.view.register.names
    missing = [] if asked.complete else asked.shares.missing_parts(names)
    for owner in owners:
        if owner.kind is None and owner.outcome is not Outcome.NOT_MET:
            missing.append(Missing(owner.party, "kind", owner.shares.low))
    controllers = controllers_of(asked.field, view)
    if not asked.complete and not controllers.settled:
        part = asked.field.unseen.get(asked.root << 1, _ZERO)
        missing.append(Missing(names[asked.root], "control", part))
    if asked.complete:
        return missing, Outcome.NOT_MET
    further = compare(_ZERO, asked.unseen, asked.threshold, asked.comparator)
    if not controllers.settled:
        further = Outcome.CANNOT_TELL
    return missing, further
