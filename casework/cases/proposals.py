"""Proposals of rulepacks: what an author saved, and what a second person decided on it.

A proposal never changes by itself what events are held against. An accepted one is written out by
an operator and is in force once a server has read it; which that is follows from the packs in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from casework.cases.errors import FourEyesError, TransitionError
from casework.cases.scope import Role, Scope
from regtech.content.saying import say


class ProposalState(StrEnum):
    """What was decided."""

    OPEN = "open"
    APPROVED = "approved"
    """A second person agreed; it is to be written out."""
    APPLIED = "applied"
    """An operator wrote it to where a server reads its rules."""
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """Its author took it back, or it was taken back before it came into force."""


ACCEPTED: Final = frozenset({ProposalState.APPROVED, ProposalState.APPLIED})


@dataclass(frozen=True, slots=True)
class Proposal:
    """A new text of a pack. Times are microseconds since 1970.

    ``digest``: of all in the pack that decides; ``sha256``: of the text. ``base_version`` and
    ``base_digest``: of the pack in use that it was made from, "" for a pack that is new.
    ``builds_on``: the last accepted proposal of the pack when this was made, or "". ``findings``:
    what checking and testing brought, as plain data. ``decided_by``, ``decided_us``, ``reason``:
    the last decision; ``applied_by``, ``applied_us``: who wrote it out.
    """

    id: str
    pack: str
    jurisdiction: str
    author: str
    made_us: int
    note: str
    version: str
    digest: str
    sha256: str
    base_version: str
    base_digest: str
    builds_on: str
    findings: Mapping[str, Any]
    state: ProposalState = ProposalState.OPEN
    decided_by: str = ""
    decided_us: int | None = None
    reason: str = ""
    applied_by: str = ""
    applied_us: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether a second person agreed and nobody took it back since."""
        return self.state in ACCEPTED


@dataclass(frozen=True, slots=True)
class ProposalTexts:
    """The text that is proposed, and the one in use that it was made from ("" for a new pack)."""

    base: str
    proposed: str


def sees_proposal(scope: Scope, proposal: Proposal) -> bool:
    """Rules are the authority's own: nobody who is there for some institutions alone sees one."""
    return reaches_rules(scope, proposal.jurisdiction)


def reaches_rules(scope: Scope, jurisdiction: str) -> bool:
    """Whether rules of a jurisdiction, before they are law for everybody, lie in a scope."""
    if Role.INSTITUTION in scope.roles or not scope.reaches_chain(""):
        return False
    return scope.jurisdictions is None or jurisdiction in scope.jurisdictions


def decided(
    proposal: Proposal, state: ProposalState, actor: str, at_us: int, reason: str
) -> Proposal:
    """The proposal after somebody approved or refused it, or took it back.

    Raises ``FourEyesError`` where the author decides on it, ``TransitionError`` where it is decided
    already, or is another's to take back.
    """
    own = proposal.author == actor
    if state is ProposalState.WITHDRAWN:
        if proposal.state is ProposalState.OPEN and not own:
            raise TransitionError(
                say(
                    "%(proposal)s is %(author)s's to take back",
                    proposal=proposal.id,
                    author=proposal.author,
                ),
                hint=say("refuse it"),
            )
        if proposal.state is not ProposalState.OPEN and not proposal.accepted:
            raise _closed(proposal)
    elif proposal.state is not ProposalState.OPEN:
        raise _closed(proposal)
    elif own:
        raise FourEyesError(
            say(
                "%(actor)s wrote %(proposal)s and cannot decide on it",
                actor=actor,
                proposal=proposal.id,
            ),
            hint=say("somebody else has to"),
        )
    return replace(proposal, state=state, decided_by=actor, decided_us=at_us, reason=reason)


def applied(proposal: Proposal, actor: str, at_us: int) -> Proposal:
    """The proposal after it was written out. Raises ``TransitionError`` if it is not approved."""
    if proposal.state is not ProposalState.APPROVED:
        raise _closed(proposal)
    return replace(proposal, state=ProposalState.APPLIED, applied_by=actor, applied_us=at_us)


def _closed(proposal: Proposal) -> TransitionError:
    return TransitionError(
        say("%(proposal)s is %(state)s already", proposal=proposal.id, state=proposal.state),
        hint=say("look at it again"),
    )


def last_accepted(proposals: Iterable[Proposal]) -> Proposal | None:
    """Of the proposals of one pack the accepted one that no other accepted one builds on."""
    accepted = [one for one in proposals if one.accepted]
    built_on = {one.builds_on for one in accepted}
    found = [one for one in accepted if one.id not in built_on]
    return found[-1] if found else None
