"""Proposals of rulepacks: made by an author, decided on by somebody else."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from casework.api.context import Context, Parts
from casework.api.gate import Reader, Worker
from casework.api.problems import documented
from casework.api.repeat import RepeatableRoute
from casework.api.types import proposals as T
from casework.api.types.common import Cursor, Limit
from casework.cases.proposals import Proposal, ProposalState
from casework.cases.scope import Scope
from casework.cases.times import time_text
from casework.service.proposals import ProposalService
from regtech.errors import InternalError

router = APIRouter(prefix="/proposals", tags=["rules"], route_class=RepeatableRoute)

Id = Annotated[str, Path(max_length=100)]


@router.get("", responses=documented(), summary="Proposals of rules")
def list_proposals(
    caller: Reader,
    parts: Parts,
    state: ProposalState | None = None,
    pack: Annotated[str | None, Query(max_length=200)] = None,
    after: Cursor = None,
    limit: Limit = 50,
) -> T.ProposalPage:
    """Changes of rulepacks that were proposed, the newest first."""
    service = _proposals(parts)
    found = service.proposals(
        caller.scope, states=None if state is None else [state], pack=pack, after=after, limit=limit
    )
    items = [T.ProposalLine.model_validate(_line(service, one)) for one in found.items]
    return T.ProposalPage(items=items, after=found.after)


@router.post("", status_code=201, responses=documented(409, 413), summary="Propose a changed pack")
def propose(caller: Worker, parts: Parts, wanted: T.NewProposal) -> T.Proposal:
    """Keep a pack without errors, whose tests pass, for a second person. No rule changes by it."""
    made = _proposals(parts).propose(caller.scope, wanted.yaml, wanted.note, base=wanted.base)
    return _whole(_proposals(parts), caller.scope, made)


@router.get("/{proposal}", responses=documented(404), summary="One proposal")
def show(caller: Reader, parts: Parts, proposal: Id) -> T.Proposal:
    """What is proposed, what it was made from, and what was decided."""
    service = _proposals(parts)
    return _whole(service, caller.scope, service.proposal(caller.scope, proposal))


@router.post("/{proposal}/decision", responses=documented(404, 409), summary="Decide on one")
def decide(caller: Worker, parts: Parts, proposal: Id, wanted: T.ProposalDecision) -> T.Proposal:
    """Approve or refuse somebody else's, or take one back. An approved one comes into force when an
    operator applies it."""
    service = _proposals(parts)
    if wanted.act == "approve":
        after = service.approve(caller.scope, proposal, wanted.reason)
    elif wanted.act == "refuse":
        after = service.refuse(caller.scope, proposal, wanted.reason)
    else:
        after = service.withdraw(caller.scope, proposal, wanted.reason)
    return _whole(service, caller.scope, after)


def _line(service: ProposalService, one: Proposal) -> dict[str, Any]:
    return {
        "id": one.id,
        "pack": one.pack,
        "jurisdiction": one.jurisdiction,
        "version": one.version,
        "base_version": one.base_version,
        "author": one.author,
        "made": time_text(one.made_us),
        "note": one.note,
        "state": one.state.value,
        "standing": service.standing(one).value,
        "decided_by": one.decided_by,
        "decided": None if one.decided_us is None else time_text(one.decided_us),
        "reason": one.reason,
    }


def _whole(service: ProposalService, scope: Scope, one: Proposal) -> T.Proposal:
    texts = service.texts(scope, one.id)
    more = {
        "digest": one.digest,
        "sha256": one.sha256,
        "base_digest": one.base_digest,
        "findings": dict(one.findings),
        "yaml": texts.proposed,
        "base_yaml": texts.base,
    }
    return T.Proposal.model_validate({**_line(service, one), **more})


def _proposals(parts: Context) -> ProposalService:
    if parts.proposals is None:
        raise InternalError("the routes of proposals are there without proposals")
    return parts.proposals
