"""Proposals of rulepacks with four eyes: an author saves one, somebody else decides on it.

What is in use never changes here: an accepted proposal is written out by an operator, on the page
of the rules in force or with ``regtech rules apply``, and is in force once a server has read it,
which one that runs does by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any, Final

from casework.cases.lifecycle import ALLOWED, Action, allow
from casework.cases.proposals import (
    Proposal,
    ProposalState,
    ProposalTexts,
    applied,
    decided,
    last_accepted,
    reaches_rules,
)
from casework.cases.scope import Scope
from casework.cases.timeline import Draft as LogDraft
from casework.cases.timeline import EntryKind
from casework.ports import Page, Proposals, ProposalsUnit
from casework.service.base import needs
from casework.service.outside import Draft, FailedTest, RuleBook, RuleDrafts
from regtech.clock import Clock
from regtech.content.saying import say
from regtech.errors import (
    CapacityError,
    ConflictError,
    ContentError,
    ForbiddenError,
    NotFoundError,
    UsageError,
)

OPEN_MAX: Final = 20
"""Proposals of one pack that wait for a decision."""
NOTE_MAX: Final = 4_000


class Standing(StrEnum):
    """Where a proposal stands, beside the packs that are in use here."""

    OPEN = "open"
    STALE = "stale"
    """Open, but what it was made from is no longer in use: it cannot be approved."""
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    """Not in force: an operator is to put it in force."""
    APPLIED = "applied"
    """Written out, and not in force: this server has not read it yet, or refused what it read."""
    IN_FORCE = "in_force"
    """This server holds events against it."""
    PAST = "past"
    """It was accepted, and another version is in use by now."""


class ProposalService:
    """What is done with proposals. ``new_id`` gives an id that was never given before."""

    def __init__(
        self,
        store: Proposals,
        rules: RuleBook,
        drafts: RuleDrafts,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._store, self._rules, self._drafts = store, rules, drafts
        self._clock, self._new_id = clock, new_id

    # --- reading

    def proposal(self, scope: Scope, proposal_id: str) -> Proposal:
        """One of them. Raises ``NotFoundError``, ``ForbiddenError``."""
        allow(scope, Action.READ_PROPOSALS)
        return self._store.proposal(scope, proposal_id)

    def texts(self, scope: Scope, proposal_id: str) -> ProposalTexts:
        """What it says and what it was made from. Raises as ``proposal``."""
        allow(scope, Action.READ_PROPOSALS)
        return self._store.texts(scope, proposal_id)

    def proposals(
        self,
        scope: Scope,
        *,
        states: Collection[ProposalState] | None = None,
        pack: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Proposal]:
        """The newest first."""
        allow(scope, Action.READ_PROPOSALS)
        return self._store.proposals(scope, states=states, pack=pack, after=after, limit=limit)

    def standing(self, proposal: Proposal) -> Standing:
        """Where it stands, beside the packs in use."""
        used = self.in_use(proposal.pack)
        from_base = _digest(used) == proposal.base_digest
        if proposal.state is ProposalState.OPEN:
            return Standing.OPEN if from_base else Standing.STALE
        if not proposal.accepted:
            return Standing(proposal.state.value)
        if used is not None and _is(used, proposal):
            return Standing.IN_FORCE
        return Standing(proposal.state.value) if from_base else Standing.PAST

    def in_use(self, pack: str) -> Mapping[str, Any] | None:
        """The pack in use, as ``RuleBook.packs`` tells it."""
        return next((one for one in self._rules.packs() if one["id"] == pack), None)

    # --- an author's

    def propose(self, scope: Scope, text: str, note: str, *, base: str) -> Proposal:
        """Keep a draft without errors, whose tests pass, for a second person to decide on.

        ``base``: the digest of the pack in use that the text was made from, "" for a new pack.
        Raises ``ContentError`` for a draft with errors or tests that fail, with each of them;
        ``ConflictError`` where another pack is in use by now or an accepted proposal is not in
        force yet, ``UsageError`` where the version is not higher, ``CapacityError`` as the tests
        do.
        """
        allow(scope, Action.PROPOSE)
        note = needs(note, "a proposal")[:NOTE_MAX]
        draft, warnings = self._sound(text)
        self._reached(scope, draft)
        used = self.in_use(draft.pack)
        self._follows(draft, used, base)
        trial = self._drafts.run_tests(text)
        if trial.failed:
            raise ContentError(
                say(
                    "tests of the draft that fail: %(failed)s of %(tests)s",
                    failed=len(trial.failed),
                    tests=trial.tests,
                ),
                [_fault(test) for test in trial.failed],
                hint=say("run its tests: they say what was expected and what came"),
            )
        texts = ProposalTexts("" if used is None else self._rules.source(draft.pack), text)
        with self._store.unit(scope) as unit:
            known = unit.of_pack(scope, draft.pack)
            before = last_accepted(known)
            if before is not None and not _in_force_or_past(before, used):
                raise ConflictError(
                    say(
                        "%(before)s is approved for %(pack)s and not in force yet",
                        before=before.id,
                        pack=draft.pack,
                    ),
                    hint=say("propose again when an operator has put it in force, or take it back"),
                )
            _room(known, _sha256(text))
            made = Proposal(
                id=self._new_id(),
                pack=draft.pack,
                jurisdiction=draft.jurisdiction,
                author=scope.actor,
                made_us=self._clock.now_us(),
                note=note,
                version=draft.version,
                digest=draft.digest,
                sha256=_sha256(text),
                base_version=draft.in_use,
                base_digest=_digest(used),
                builds_on="" if before is None else before.id,
                findings={
                    "warnings": warnings,
                    "rules": draft.rules,
                    "tests": trial.tests,
                    "waiting": sorted(trial.waiting),
                    "added": list(draft.added),
                    "changed": list(draft.changed),
                    "removed": list(draft.removed),
                },
            )
            unit.add(scope, made, texts)
            self._say(unit, scope, EntryKind.REQUESTED, "rules_proposed", made, note)
        return made

    def withdraw(self, scope: Scope, proposal_id: str, reason: str) -> Proposal:
        """Take back one's own open proposal, or an accepted one that is not in force.

        Raises ``TransitionError`` for one that is in force: the next proposal changes that.
        """
        if not scope.roles & _DECIDING:
            allow(scope, Action.PROPOSE)
        reason = needs(reason, "to take a proposal back")
        found = self._store.proposal(scope, proposal_id)
        if self.standing(found) is Standing.IN_FORCE:
            raise ConflictError(
                say("%(proposal_id)s is in force", proposal_id=proposal_id),
                hint=say("propose what is to be in its place"),
            )
        return self._decide(scope, found, ProposalState.WITHDRAWN, reason)

    # --- a second person's

    def approve(self, scope: Scope, proposal_id: str, reason: str = "") -> Proposal:
        """Agree to somebody else's proposal.

        Raises ``FourEyesError`` for one's own, ``ConflictError`` where what it was made from is no
        longer in use, another was approved since, or it no longer fits beside the other packs.
        """
        allow(scope, Action.DECIDE_PROPOSALS)
        found = self._store.proposal(scope, proposal_id)
        used = self.in_use(found.pack)
        if found.state is ProposalState.OPEN and _digest(used) != found.base_digest:
            now = "none" if used is None else used["version"]
            raise ConflictError(
                say(
                    "%(proposal_id)s was made from %(pack)s %(base_version)s, in use is %(now)s",
                    proposal_id=proposal_id,
                    pack=found.pack,
                    base_version=found.base_version or "(new)",
                    now=now,
                ),
                hint=say("refuse it; its author proposes it anew from what is in use"),
            )
        if found.state is ProposalState.OPEN:
            try:
                self._sound(self._store.texts(scope, proposal_id).proposed)
            except ContentError as error:
                raise ConflictError(
                    say(
                        "%(proposal_id)s no longer fits beside the packs in use: %(message)s",
                        proposal_id=proposal_id,
                        message=error.message,
                    ),
                    hint=say("refuse it; its author proposes it anew"),
                ) from None
        return self._decide(scope, found, ProposalState.APPROVED, reason.strip())

    def refuse(self, scope: Scope, proposal_id: str, reason: str) -> Proposal:
        """Say no to somebody else's proposal. Raises ``FourEyesError`` for one's own."""
        allow(scope, Action.DECIDE_PROPOSALS)
        reason = needs(reason, "to refuse")
        found = self._store.proposal(scope, proposal_id)
        return self._decide(scope, found, ProposalState.REFUSED, reason)

    # --- an operator's

    def applied(self, scope: Scope, proposal_id: str) -> Proposal:
        """Put on record that it was written to where a server reads its rules."""
        allow(scope, Action.APPLY_PROPOSALS)
        found = self._store.proposal(scope, proposal_id)
        with self._store.unit(scope) as unit:
            held = _held(unit, scope, found)
            after = applied(held, scope.actor, self._clock.now_us())
            unit.put(scope, after)
            self._say(unit, scope, EntryKind.NOTED, "rules_applied", after, "")
        return after

    # --- what they share

    def _decide(self, scope: Scope, found: Proposal, state: ProposalState, reason: str) -> Proposal:
        with self._store.unit(scope) as unit:
            held = _held(unit, scope, found)
            after = decided(held, state, scope.actor, self._clock.now_us(), reason)
            if state is ProposalState.APPROVED:
                before = last_accepted(unit.of_pack(scope, held.pack))
                if ("" if before is None else before.id) != held.builds_on:
                    raise ConflictError(
                        say(
                            "%(before)s was decided on since %(held)s was made",
                            before=before.id if before else held.builds_on,
                            held=held.id,
                        ),
                        hint=say("refuse it; its author proposes it anew on what is in use then"),
                    )
            unit.put(scope, after)
            kind, act = _ENTRY[state]
            self._say(unit, scope, kind, act, after, reason)
        return after

    def _sound(self, text: str) -> tuple[Draft, int]:
        """A draft without errors, and how many warnings it has. Raises ``ContentError``."""
        draft, faults = self._drafts.check(text)
        errors = [fault for fault in faults if fault["severity"] == "error"]
        if draft is None or errors:
            raise ContentError(say("errors in the draft: %(errors)s", errors=len(errors)), errors)
        return draft, len(faults)

    def _reached(self, scope: Scope, draft: Draft) -> None:
        used = self.in_use(draft.pack)
        places = {draft.jurisdiction, draft.jurisdiction if used is None else used["jurisdiction"]}
        if not all(reaches_rules(scope, place) for place in places):
            raise ForbiddenError(
                say(
                    "%(actor)s may not propose rules of %(jurisdiction)s",
                    actor=scope.actor,
                    jurisdiction=draft.jurisdiction,
                ),
                hint=say("it takes an author of that jurisdiction"),
            )
        if len(places) > 1:
            raise UsageError(
                say(
                    "%(pack)s is a pack of %(jurisdiction)s",
                    pack=draft.pack,
                    jurisdiction=used["jurisdiction"] if used else "",
                ),
                hint=say("a pack of another jurisdiction has another id"),
            )

    def _follows(self, draft: Draft, used: Mapping[str, Any] | None, base: str) -> None:
        if used is not None and not base:
            raise ConflictError(
                say(
                    "%(pack)s is there already, and nothing says which of it was changed",
                    pack=draft.pack,
                ),
                hint=say("give the digest of the pack that the text was made from as base"),
            )
        if used is not None and base != used["digest"]:
            raise ConflictError(
                say(
                    "%(pack)s %(version)s is in use by now, the text was made from another",
                    pack=draft.pack,
                    version=used["version"],
                ),
                hint=say("open the pack in use and bring your changes over"),
            )
        if not draft.newer:
            raise UsageError(
                say(
                    "%(pack)s %(in_use)s is in use, the draft says %(version)s",
                    pack=draft.pack,
                    in_use=draft.in_use,
                    version=draft.version,
                ),
                hint=say("a changed pack has a higher version"),
            )

    def _say(
        self,
        unit: ProposalsUnit,
        scope: Scope,
        kind: EntryKind,
        act: str,
        proposal: Proposal,
        reason: str,
    ) -> None:
        detail = {
            "act": act,
            "proposal": proposal.id,
            "pack": proposal.pack,
            "version": proposal.version,
            "digest": proposal.digest,
            "sha256": proposal.sha256,
            "base": proposal.base_digest,
            "author": proposal.author,
        }
        unit.log(scope, "", LogDraft(kind, detail=detail, reason=reason))


_DECIDING: Final = ALLOWED[Action.DECIDE_PROPOSALS]
_ENTRY: Final = {
    ProposalState.APPROVED: (EntryKind.APPROVED, "rules_approved"),
    ProposalState.REFUSED: (EntryKind.REFUSED, "rules_refused"),
    ProposalState.WITHDRAWN: (EntryKind.NOTED, "rules_withdrawn"),
}


def _held(unit: ProposalsUnit, scope: Scope, found: Proposal) -> Proposal:
    for one in unit.of_pack(scope, found.pack):
        if one.id == found.id:
            return one
    raise NotFoundError(say("there is no proposal %(found)s", found=found.id))


def _is(used: Mapping[str, Any], proposal: Proposal) -> bool:
    return bool(used["digest"] == proposal.digest and used["version"] == proposal.version)


def _in_force_or_past(proposal: Proposal, used: Mapping[str, Any] | None) -> bool:
    return (used is not None and _is(used, proposal)) or _digest(used) != proposal.base_digest


def _fault(test: FailedTest) -> dict[str, Any]:
    """A failing test as a fault of the draft."""
    return {
        "code": "test",
        "severity": "error",
        "line": test.line,
        "rule": test.rule,
        "test": test.name,
        "message": "; ".join(test.problems),
    }


def _digest(used: Mapping[str, Any] | None) -> str:
    return "" if used is None else str(used["digest"])


def _room(known: Collection[Proposal], sha256: str) -> None:
    waiting = [one for one in known if one.state is ProposalState.OPEN]
    for one in waiting:
        if one.sha256 == sha256:
            raise ConflictError(say("the same text is proposed as %(one)s already", one=one.id))
    if len(waiting) >= OPEN_MAX:
        raise CapacityError(
            say("%(open_max)s proposals of the pack wait for a decision", open_max=OPEN_MAX),
            hint=say("decide on those first"),
        )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
