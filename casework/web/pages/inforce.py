"""Rules in force: since when they judge, what waits to be put in force, and how far that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import Response
from fastapi.responses import RedirectResponse

from casework.cases.lifecycle import ALLOWED, Action
from casework.cases.proposals import Proposal, ProposalState
from casework.service.outside import Reading, ReadingState, RulesInForce
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import NotFoundError, UsageError

router = page_router()

PATH: Final = "/rules-in-force"
AGAIN_S: Final = 2
"""A page that shows a reading under way is asked for again after so many seconds."""
ACTS: Final = ("apply", "read")


def desk_of(visit: Visit) -> RulesInForce:
    """What exchanges rules. Raises ``NotFoundError`` where nothing does."""
    if visit.parts.rules_in_force is None:
        raise NotFoundError(say("this server exchanges no rules"))
    return visit.parts.rules_in_force


def may_apply(visit: Visit) -> bool:
    """Whether somebody may put rules in force here."""
    scope = visit.scope
    unbounded = scope.jurisdictions is None and scope.tenants is None
    return unbounded and bool(scope.roles & ALLOWED[Action.APPLY_PROPOSALS])


@router.get(PATH)
def show(visit: Person) -> Response:
    """The packs that judge, what was approved and waits, and what became of the last reading."""
    desk, proposals = desk_of(visit), visit.parts.proposals
    found = desk.reading(visit.scope)
    waiting: Sequence[Proposal] = ()
    if proposals is not None:
        states = [ProposalState.APPROVED]
        waiting = proposals.proposals(visit.scope, states=states, limit=50).items
    made = page(
        visit,
        "inforce",
        title=gettext(visit, "Rules in force"),
        here="proposals",
        reading=found,
        packs=visit.parts.rules.packs() if visit.parts.rules is not None else [],
        waiting=waiting,
        applies=may_apply(visit),
        backtests=visit.parts.backtests is not None,
        done=visit.asked("done", 20),
    )
    return looked_at_again(made, found, PATH)


def looked_at_again(made: Response, found: Reading, path: str) -> Response:
    """The page, asked for again by itself while rules are read."""
    if found.state is ReadingState.READING:
        # With its address: a fragment that came along would make it a jump within the page.
        made.headers["Refresh"] = f"{AGAIN_S}; url={path}"
    return made


@router.post(PATH)
def act(visit: Person) -> Response:
    """Put everything that was approved in force, or have the rules be read as they stand."""
    desk, wanted = desk_of(visit), visit.typed.get("act")
    if wanted not in ACTS:
        raise UsageError(
            say(
                "%(wanted)r is nothing that can be done with the rules in force", wanted=wanted[:40]
            )
        )
    if wanted == "apply":
        desk.apply(visit.scope, ())
    else:
        desk.read(visit.scope)
    return RedirectResponse(f"{PATH}?done={wanted}", 303)
