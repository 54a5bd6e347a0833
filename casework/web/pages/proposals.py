"""Proposals of rules: which there are, what one changes, and the decision of a second person."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Response
from fastapi.responses import RedirectResponse

from casework.cases.lifecycle import ALLOWED, Action
from casework.cases.proposals import Proposal, ProposalState
from casework.service.outside import Backtest, Reading
from casework.service.proposals import ProposalService, Standing
from casework.web.differences import differences
from casework.web.pages.inforce import desk_of, looked_at_again, may_apply
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import NotFoundError, UsageError

router = page_router()

ROWS: Final = 50
ACTS: Final = ("approve", "refuse", "withdraw", "apply")


def _service(visit: Visit) -> ProposalService:
    if visit.parts.proposals is None:
        raise NotFoundError(say("this server keeps no proposals"))
    return visit.parts.proposals


@router.get("/proposals")
def list_proposals(visit: Person) -> Response:
    """Those that wait for somebody, or all of them."""
    service = _service(visit)
    every = bool(visit.asked("every", 1))
    found = service.proposals(
        visit.scope,
        states=None if every else [ProposalState.OPEN, ProposalState.APPROVED],
        after=visit.asked("after", 40) or None,
        limit=ROWS,
    )
    return page(
        visit,
        "proposals",
        title=gettext(visit, "Proposals of rules"),
        here="proposals",
        every=every,
        backtests=visit.parts.backtests is not None,
        in_force=visit.parts.rules_in_force is not None,
        rows=[(one, service.standing(one).value) for one in found.items],
        after=found.after,
    )


@router.get("/proposals/{proposal}")
def show(visit: Person, proposal: str) -> Response:
    """One proposal, held against what it was made from."""
    service = _service(visit)
    found = service.proposal(visit.scope, proposal)
    texts = service.texts(visit.scope, proposal)
    standing = service.standing(found)
    used, desk = service.in_use(found.pack), visit.parts.rules_in_force
    reading = None if desk is None else desk.reading(visit.scope)
    made = page(
        visit,
        "proposal",
        title=f"{found.pack} {found.version}",
        here="proposals",
        proposal=found,
        standing=standing.value,
        used="" if used is None else str(used["version"]),
        changes=differences(texts.base, texts.proposed),
        reading=reading,
        acts=_acts(visit, found, standing, reading),
        own=found.author == visit.scope.actor,
        backtests=_backtests(visit, found),
        done=visit.asked("done", 20),
    )
    if reading is not None and standing is Standing.APPLIED:
        return looked_at_again(made, reading, f"/proposals/{found.id}")
    return made


def _backtests(visit: Visit, found: Proposal) -> list[Backtest]:
    """Those of the same text."""
    desk = visit.parts.backtests
    every = [] if desk is None else desk.backtests(visit.scope)
    return [one for one in every if one.sha256 == found.sha256]


@router.get("/proposals/{proposal}/text")
def text(visit: Person, proposal: str) -> Response:
    """The proposed text as a file."""
    service = _service(visit)
    found = service.proposal(visit.scope, proposal)
    headers = {"Content-Disposition": f'attachment; filename="{found.pack}.yml"'}
    return Response(
        service.texts(visit.scope, proposal).proposed,
        media_type="application/yaml; charset=utf-8",
        headers=headers,
    )


@router.post("/proposals/{proposal}")
def decide(visit: Person, proposal: str) -> Response:
    """Approve, refuse, take it back, or put it in force."""
    service, wanted = _service(visit), visit.typed.get("act")
    if wanted not in ACTS:
        raise UsageError(
            say("%(wanted)r is nothing that can be done with a proposal", wanted=wanted[:40])
        )
    if wanted == "apply":
        desk_of(visit).apply(visit.scope, [service.proposal(visit.scope, proposal).id])
        return RedirectResponse(f"/proposals/{proposal}?done={wanted}", 303)
    act: Any = getattr(service, wanted)
    act(visit.scope, proposal, visit.typed.get("reason")[:4000])
    return RedirectResponse(f"/proposals/{proposal}?done={wanted}", 303)


def _acts(visit: Visit, found: Proposal, standing: Standing, reading: Reading | None) -> list[str]:
    """What this person can do with it now."""
    roles = visit.scope.roles
    decides = bool(roles & ALLOWED[Action.DECIDE_PROPOSALS])
    own = found.author == visit.scope.actor
    if found.state is ProposalState.OPEN:
        if own:
            return ["withdraw"] if roles & ALLOWED[Action.PROPOSE] else []
        if not decides:
            return []
        return ["refuse"] if standing is Standing.STALE else ["approve", "refuse"]
    made = []
    if standing is Standing.APPROVED and reading is not None and reading.writes:
        made = ["apply"] if may_apply(visit) else []
    if found.accepted and decides and standing in (Standing.APPROVED, Standing.APPLIED):
        made.append("withdraw")
    return made
