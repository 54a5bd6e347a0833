"""Events: one with its decision, files of them, and the quarantine."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from casework.api.context import Parts, context_of
from casework.api.gate import Reader, Sender, gate_of
from casework.api.problems import ProblemError, documented
from casework.api.repeat import RepeatableRoute
from casework.api.types import events as T
from casework.api.types.common import Cursor, Limit
from casework.cases.accounts import Permission
from casework.cases.disclosure import own_part
from casework.cases.grades import Grade, clear_grade, grade_of, masked
from casework.cases.scope import Role
from casework.cases.times import time_text
from casework.identity.service import Caller
from casework.ports import Job, Quarantined
from casework.service.outside import BulkIntake, Decider, Decision, Judged, QuarantineDesk
from regtech.errors import InternalError

router = APIRouter(tags=["events"])
one_router = APIRouter(tags=["events"], route_class=RepeatableRoute)
LINES = "application/x-ndjson"

_EVENT_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}, "example": T.EXAMPLE}},
    }
}
_SECURITY: dict[str, Any] = {"security": [{"key": []}, {"session": [], "csrf": []}]}
_BULK_BODY = {
    "requestBody": {
        "required": True,
        "content": {LINES: {"schema": {"type": "string"}, "example": json.dumps(T.EXAMPLE)}},
    }
}
_RAW_BODY = {"requestBody": {**_EVENT_BODY["requestBody"], "required": False}}
Number = Annotated[int, Path(ge=1, le=1 << 60)]
JobId = Annotated[str, Path(max_length=64, examples=["J-0123456789abcdef0123"])]


@one_router.post(
    "/events",
    responses={
        **documented(413, 415),
        200: {"model": T.Decision, "description": "Judged, or known already."},
        202: {"model": T.Decision, "description": "Not judged: kept in the quarantine."},
    },
    openapi_extra={**_EVENT_BODY, **_SECURITY},
    response_class=Response,
    summary="Decide on one event",
)
async def decide(request: Request) -> Response:
    """Judge one event now, by a warm engine, and say what was found.

    Events are judged in the order of their calls, with no time allowed for late ones: an event
    older than the newest that was judged is `late` and goes to the quarantine. The same event
    again is `repeated` and changes nothing. On the answer the event is durable; the cases that
    its alerts lead to follow within moments.
    """
    _is_type(request, "application/json")
    body = await request.body()
    loop = asyncio.get_running_loop()
    # One thread, so that events are judged in the order in which they came.
    made = await loop.run_in_executor(request.app.state.in_order, _judge, request, body)
    return made if isinstance(made, Response) else await run_in_threadpool(_settle, *made)


def _judge(request: Request, body: bytes) -> Response | tuple[Caller, Judged]:
    caller = gate_of(request).admit(request, Permission.EVENTS)
    judged = _decider(context_of(request).decider).judge(caller.scope, body)
    # Waiting for the disk is left to others, so that the next event is judged meanwhile.
    return (caller, judged) if judged.waits else _settle(caller, judged)


def _settle(caller: Caller, judged: Judged) -> Response:
    return _answer(caller, judged.settle())


@router.post(
    "/events/bulk",
    status_code=202,
    responses=documented(409, 413, 415),
    openapi_extra=_BULK_BODY,
    summary="Send a file of events",
)
async def bulk(request: Request, response: Response, caller: Sender, parts: Parts) -> T.Job:
    """Take over a file of events, one JSON object a line, durably; judge it afterwards.

    The file's own order does not matter: it is sorted by time. `Location` says where its progress
    is. Events are judged with no time allowed for late ones, as single ones are.
    """
    _is_type(request, LINES)
    job = await _bulk(parts.bulk).accept(caller.scope, request.stream())
    response.headers["Location"] = f"{request.url.path.removesuffix('/bulk')}/jobs/{job.id}"
    return _job(caller, job)


@router.get("/events/jobs", responses=documented(), summary="Files in line")
def jobs(caller: Sender, parts: Parts, after: Cursor = None, limit: Limit = 50) -> T.JobPage:
    """Files that were taken over, the newest first."""
    page = _bulk(parts.bulk).jobs(caller.scope, after=after, limit=limit)
    return T.JobPage(items=[_job(caller, job) for job in page.items], after=page.after)


@router.get("/events/jobs/{job}", responses=documented(404), summary="Progress of a file")
def job(caller: Sender, parts: Parts, job: JobId) -> T.Job:
    """How far a file is, and what became of its events."""
    return _job(caller, _bulk(parts.bulk).job(caller.scope, job))


@router.delete("/events/jobs/{job}", responses=documented(404, 409), summary="Stop a file")
def cancel(caller: Sender, parts: Parts, job: JobId) -> T.Job:
    """Stop judging a file. What was judged stays judged."""
    return _job(caller, _bulk(parts.bulk).cancel(caller.scope, job))


@router.get("/quarantine", responses=documented(), summary="The quarantine")
def quarantine(
    caller: Reader,
    parts: Parts,
    state: Annotated[str | None, Query(max_length=20, description="open, retried")] = "open",
    code: Annotated[str | None, Query(max_length=64)] = None,
    after: Cursor = None,
    limit: Limit = 50,
) -> T.QuarantinePage:
    """Events that could not be judged, oldest first, with what was wrong."""
    page = _desk(parts.quarantine).list(
        caller.scope, state=state or None, code=code, after=after, limit=limit
    )
    return T.QuarantinePage(items=[_quarantined(caller, e) for e in page.items], after=page.after)


@router.get("/quarantine/{number}", responses=documented(404), summary="A quarantined event")
def quarantined(caller: Reader, parts: Parts, number: Number) -> T.Quarantined:
    """One of them, whole for those who sent it."""
    return _quarantined(caller, _desk(parts.quarantine).get(caller.scope, number))


@one_router.post(
    "/quarantine/{number}/retry",
    responses={
        **documented(404, 409, 413),
        200: {"model": T.Decision, "description": "Judged."},
        202: {"model": T.Decision, "description": "Refused again: it stays."},
    },
    openapi_extra=_RAW_BODY,
    response_class=Response,
    summary="Try again",
)
async def retry(request: Request, caller: Sender, parts: Parts, number: Number) -> Response:
    """Judge a quarantined event again: as it is, or as the body has it, corrected."""
    corrected = await request.body() or None
    desk = _desk(parts.quarantine)
    return _answer(caller, await run_in_threadpool(desk.retry, caller.scope, number, corrected))


def _answer(caller: Caller, decision: Decision) -> Response:
    clear = clear_grade(caller.scope)
    refusal = decision.refusal
    if clear >= Grade.SENSITIVE and caller.scope.tenants is None:
        alerts = [alert.decode() for alert in decision.alerts]
    else:
        bodies = [own_part(caller.scope, json.loads(alert)) for alert in decision.alerts]
        alerts = [json.dumps(masked(body, clear), ensure_ascii=False) for body in bodies]
    told: Any = None
    if refusal is not None:
        told = {
            "field": refusal.field,
            "code": refusal.code,
            "found": refusal.found,
            "expected": refusal.expected,
            "number": refusal.number,
        }
    # Put together by hand: the alerts are JSON already, and this is the way that has to be fast.
    body = (
        f'{{"verdict":"{decision.verdict.value}","alerts":[{",".join(alerts)}],'
        f'"cannot_tell":{json.dumps(list(decision.cannot_tell))},"refusal":{json.dumps(told)}}}'
    )
    return Response(body, 200 if refusal is None else 202, media_type="application/json")


def _quarantined(caller: Caller, event: Quarantined) -> T.Quarantined:
    own = bool(caller.scope.roles & {Role.INSTITUTION, Role.SERVICE})
    clear = clear_grade(caller.scope)
    return T.Quarantined(
        number=event.number,
        tenant=event.tenant,
        received=time_text(event.received_us),
        source=event.source,
        line=event.line,
        field=event.place,
        code=event.code,
        found=event.found if own or grade_of(event.place) <= clear else "•••",
        expected=event.expected,
        state=event.state,
        raw=event.raw.decode("utf-8", "backslashreplace") if own else None,
    )


def _job(caller: Caller, job: Job) -> T.Job:
    counts = dict(job.counts)
    if caller.scope.restricted:
        # Beside the alerts that it is shown the number of all would tell of suspicions.
        counts.pop("alerts", None)
    return T.Job(
        id=job.id,
        state=job.state.value,
        made=time_text(job.made_us),
        changed=time_text(job.changed_us),
        sha256=job.sha256,
        size=job.size,
        at=job.at,
        lines=job.lines,
        counts=counts,
        error=job.error,
    )


def _is_type(request: Request, wanted: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != wanted:
        raise ProblemError(415, "media_type", f"the body has to be {wanted}", "say Content-Type")


def _decider(part: Decider | None) -> Decider:
    if part is None:
        raise InternalError("the routes of events are there without an engine")
    return part


def _bulk(part: BulkIntake | None) -> BulkIntake:
    if part is None:
        raise InternalError("the routes of events are there without an intake")
    return part


def _desk(part: QuarantineDesk | None) -> QuarantineDesk:
    if part is None:
        raise InternalError("the routes of events are there without a quarantine")
    return part
