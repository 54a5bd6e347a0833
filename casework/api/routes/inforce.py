"""Rules in force: what events are held against, read anew while the server runs."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from casework.api.context import Context, Parts
from casework.api.gate import Reader, Worker
from casework.api.problems import documented
from casework.api.repeat import RepeatableRoute
from casework.api.routes.proposals import Id
from casework.api.types import inforce as T
from casework.cases.times import time_text
from casework.service.outside import Reading, ReadingState, RulesInForce
from regtech.errors import InternalError

router = APIRouter(tags=["rules"], route_class=RepeatableRoute)
_PATH = "/rules-in-force"


@router.get(_PATH, responses=documented(), summary="Rules in force")
def show(caller: Reader, parts: Parts) -> T.RulesInForce:
    """Since when the packs in use judge, and how far it is with rules that were changed."""
    return _shown(_desk(parts).reading(caller.scope))


@router.post(_PATH, status_code=202, responses=documented(409), summary="Read the rules anew")
def read(caller: Worker, parts: Parts) -> T.RulesInForce:
    """Have the rules be read as they are written now. `GET` says how far it is.

    Others are made ready aside and take over between two events; what does not compile never does.
    """
    return _shown(_desk(parts).read(caller.scope))


@router.post(
    "/proposals/{proposal}/apply",
    status_code=202,
    responses=documented(404, 409),
    summary="Put an approved proposal in force",
)
def apply(
    request: Request, response: Response, caller: Worker, parts: Parts, proposal: Id
) -> T.RulesInForce:
    """Write an approved proposal to where the server reads its rules, and have them be read.

    `Location` says where its progress is. It takes an operator.
    """
    desk = _desk(parts)
    desk.apply(caller.scope, [proposal])
    response.headers["Location"] = request.url.path.partition("/proposals/")[0] + _PATH
    return _shown(desk.reading(caller.scope))


def _shown(found: Reading) -> T.RulesInForce:
    progress = None
    if found.state is ReadingState.READING:
        progress = T.Progress(stage=found.stage, at=found.at, of=found.of)
    refused = None
    if found.refused_us is not None and found.error:
        refused = T.Refused(
            at=time_text(found.refused_us),
            error=found.error,
            hint=found.hint,
            faults=[T.PlacedFault.model_validate(fault) for fault in found.faults],
        )
    return T.RulesInForce(
        state=found.state,
        since=time_text(found.since_us),
        place=found.place,
        writes=found.writes,
        progress=progress,
        refused=refused,
    )


def _desk(parts: Context) -> RulesInForce:
    if parts.rules_in_force is None:
        raise InternalError("the routes of rules in force are there without them")
    return parts.rules_in_force
