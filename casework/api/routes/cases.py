"""Cases: the queue, one case, what is done with it."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from casework.api.actions import act_on
from casework.api.context import Parts
from casework.api.gate import Reader, Worker
from casework.api.problems import documented
from casework.api.repeat import RepeatableRoute, shown_once
from casework.api.types import cases as T
from casework.api.types.alerts import AlertPage
from casework.api.types.common import Cursor, Limit, Text
from casework.api.versions import IfMatch, seen_version, tag
from casework.cases.case import Case
from casework.cases.grades import Grade, clear_grade, masked
from casework.cases.scope import Scope
from casework.cases.times import time_text
from casework.ports import CaseQuery
from casework.service.cases import CaseService
from regtech.errors import ForbiddenError, RegtechError

router = APIRouter(prefix="/cases", tags=["cases"], route_class=RepeatableRoute)

_ETAG = {"headers": {"ETag": {"description": "The version.", "schema": {"type": "string"}}}}
CaseId = Annotated[str, Field(max_length=100, examples=["C-0123456789abcdef0123"])]


@router.get("", responses=documented(), summary="The queue")
def list_cases(
    caller: Reader,
    parts: Parts,
    queue: Annotated[str | None, Query(max_length=200)] = None,
    state: T.StateName | None = None,
    theme: Annotated[str | None, Query(max_length=200)] = None,
    jurisdiction: Annotated[str | None, Query(max_length=20)] = None,
    tenant: Annotated[str | None, Query(max_length=200)] = None,
    assignee: Annotated[
        str | None, Query(max_length=64, description='`""`: those that nobody has.')
    ] = None,
    overdue: bool = False,
    every: Annotated[bool, Query(description="Ended and snoozed ones too.")] = False,
    after: Cursor = None,
    limit: Limit = 50,
) -> T.CasePage:
    """Cases, the most important first: priority, then the date they are due.

    An institution gets those that it may know of, oldest first; that it did is on record.
    """
    scope = caller.scope
    if scope.restricted:
        shown = parts.service.disclosed_list(
            scope, open=None if every else True, after=after, limit=limit
        )
        return T.CasePage(
            items=[T.DisclosedLine(**told) for told in shown.items], after=shown.after
        )
    now = parts.clock.now_us()
    query = CaseQuery(
        open=None if every or state is not None else True,
        state=state,
        queue=queue,
        assignee=assignee,
        jurisdiction=jurisdiction,
        theme=theme,
        tenant=tenant,
        awake_at_us=None if every else now,
        due_before_us=now if overdue else None,
    )
    page = parts.service.list(scope, query, after=after, limit=limit)
    items = [line(parts.service, scope, case) for case in page.items]
    return T.CasePage(items=list(items), after=page.after)


@router.post("/claim", responses=documented(404, 409), summary="Take the next case")
def claim(caller: Worker, parts: Parts, response: Response, wanted: T.Claim) -> T.Claimed:
    """Take the most important case that nobody has, and learn why it is the first."""
    query = CaseQuery(
        queue=wanted.queue,
        jurisdiction=wanted.jurisdiction,
        theme=wanted.theme,
        tenant=wanted.tenant,
    )
    found = parts.service.claim_next(caller.scope, query)
    if found is None:
        return T.Claimed(case=None, why=Text(en="nothing waits", zh="没有待办案件"))
    case, why = found
    tag(response, case)
    return T.Claimed(case=line(parts.service, caller.scope, case), why=Text(**why))


@router.post("/bulk", responses=documented(), summary="The same for many")
def bulk(caller: Worker, parts: Parts, wanted: T.Bulk) -> T.BulkDone:
    """Do the same with many cases, each on its own: one refusal does not undo the others."""
    scope = caller.scope
    if scope.restricted:
        raise ForbiddenError(f"{scope.actor} may not work cases")

    def one(case_id: str, seen: int) -> Case:
        return act_on(parts.service, scope, case_id, seen, wanted.act)

    pairs = [(item.case, item.version) for item in wanted.cases]
    done = parts.service.bulk(scope, pairs, one)
    items = []
    for entry in done:
        shown = None if entry.case is None else line(parts.service, scope, entry.case)
        items.append(T.BulkLine(id=entry.case_id, case=shown, error=_error(entry.error)))
    return T.BulkDone(items=items)


@router.get("/precision", responses=documented(), summary="How often rules were right")
def precision(caller: Reader, parts: Parts) -> T.PrecisionList:
    """Outcomes of ended cases by rule and institution."""
    rows = []
    for found in parts.service.precision(caller.scope):
        share = Fraction(found.confirmed, found.judged) if found.judged else None
        rows.append(
            T.Precision(
                rule=found.rule,
                tenant=found.tenant,
                jurisdiction=found.jurisdiction,
                confirmed=found.confirmed,
                unfounded=found.unfounded,
                duplicate=found.duplicate,
                data_error=found.data_error,
                precision=None if share is None else f"{float(round(share, 3)):.3f}",
            )
        )
    return T.PrecisionList(items=rows)


@router.get("/{case}", responses={**documented(404), 200: _ETAG}, summary="One case")
def show(caller: Reader, parts: Parts, response: Response, case: CaseId) -> T.AnyCase:
    """A case with alerts, checklist, requests and timeline; an institution sees its part of it."""
    view = parts.service.view(caller.scope, case)
    if caller.scope.restricted:
        for message in view["messages"]:
            message["at"] = time_text(message.pop("at_us"))
        return T.DisclosedCase.model_validate(view)
    for request in view["requests"]:
        request["at"] = time_text(request.pop("at_us"))
    response.headers["ETag"] = f'"{view["version"]}"'
    return T.CaseView.model_validate(view)


@router.post(
    "/{case}/actions", responses={**documented(404, 409, 412, 428), 200: _ETAG}, summary="Act"
)
def act(
    caller: Worker,
    parts: Parts,
    response: Response,
    case: CaseId,
    wanted: T.Action,
    if_match: IfMatch = None,
) -> T.Acted:
    """Do something with a case that still is as it was seen.

    Needs `If-Match`. Where somebody was faster the answer is 412 and says what they did.
    Institutions comment, without a version, on cases that they may know of.
    """
    scope = caller.scope
    seen = seen_version(if_match, scope)
    changed = act_on(parts.service, scope, case, seen, wanted)
    if scope.restricted:
        return T.Answered(case=case)
    tag(response, changed)
    return line(parts.service, scope, changed)


@router.get("/{case}/timeline", responses=documented(404), summary="The timeline")
def timeline(
    caller: Reader, parts: Parts, case: CaseId, after: Cursor = None, limit: Limit = 100
) -> T.EntryPage:
    """Entries after a number, in order."""
    first = number_cursor(after)
    entries = parts.service.timeline(caller.scope, case, after=first, limit=limit + 1)
    clear = clear_grade(caller.scope)
    items = [T.Entry.model_validate(masked(entry_data(entry), clear)) for entry in entries[:limit]]
    return T.EntryPage(items=items, after=str(items[-1].sequence) if len(entries) > limit else None)


@router.get("/{case}/alerts", responses=documented(404), summary="Its alerts")
def case_alerts(
    caller: Reader, parts: Parts, case: CaseId, after: Cursor = None, limit: Limit = 50
) -> AlertPage:
    """Alerts of the case in the order they came to it."""
    page = parts.alerts.alerts_of_case(caller.scope, case, after=after, limit=limit)
    return AlertPage.model_validate({"items": list(page.items), "after": page.after})


@router.get("/{case}/related", responses=documented(404), summary="Related cases")
def related(caller: Reader, parts: Parts, case: CaseId, limit: Limit = 20) -> T.RelatedPage:
    """Cases that share a party, account, device, person or group."""
    clear = clear_grade(caller.scope)
    items = [
        T.RelatedCase(
            case=found.case.id,
            shared=[
                T.SharedKey(**masked({"kind": kind.value, "key": key}, clear))
                for kind, key in found.shared
            ],
        )
        for found in parts.service.related(caller.scope, case, limit=limit)
    ]
    return T.RelatedPage(items=items)


@router.post("/{case}/unmask", responses=documented(404, 409), summary="Personal data in the clear")
def unmask(
    request: Request, caller: Worker, parts: Parts, case: CaseId, wanted: T.Unmask
) -> T.Unmasked:
    """Show the alerts of a case with personal data; who looked, and why, is on record.

    With an `Idempotency-Key` the answer is not given again: each look is one of its own.
    """
    shown_once(request)
    grade = Grade[wanted.grade.upper()]
    return T.Unmasked.model_validate(
        parts.service.unmask(caller.scope, case, wanted.reason, grade=grade)
    )


def line(service: CaseService, scope: Scope, case: Case) -> T.CaseLine:
    """A case in a list."""
    return T.CaseLine.model_validate(service.summary(scope, case))


def number_cursor(after: str | None) -> int:
    """A cursor that is a number. Raises ``UsageError``."""
    from regtech.errors import UsageError

    if after is None:
        return 0
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        raise UsageError("not a cursor of this list", hint="take `after` of the page before")
    return int(after)


def entry_data(entry: Any) -> dict[str, Any]:
    """An entry as plain data."""
    return {
        "sequence": entry.sequence,
        "kind": entry.kind.value,
        "at": time_text(entry.at_us),
        "actor": entry.actor,
        "before": dict(entry.before),
        "after": dict(entry.after),
        "detail": dict(entry.detail),
        "why": entry.reason,
        "shared": entry.shared,
        "hash": entry.hash.hex(),
    }


def _error(error: RegtechError | None) -> T.BulkError | None:
    if error is None:
        return None
    return T.BulkError(code=error.code, message=error.message, hint=error.hint)
