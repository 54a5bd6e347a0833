"""Alerts by themselves, and what is known of a party."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from casework.api.context import Parts
from casework.api.gate import Reader
from casework.api.problems import documented
from casework.api.routes.cases import line
from casework.api.types import alerts as T
from casework.api.types.common import Cursor, Limit, Moment, microseconds
from casework.cases.directive import Disposition
from casework.cases.keys import KeyKind
from casework.cases.times import time_text
from casework.ports import AlertQuery, Page

router = APIRouter(tags=["alerts"])

AlertId = Annotated[str, Field(max_length=200, examples=["0123456789abcdef0123456789abcdef"])]
_FIRST, _LAST = 0, 7_258_118_400_000_000


@router.get("/alerts", responses=documented(), summary="Alerts")
def list_alerts(
    caller: Reader,
    parts: Parts,
    disposition: Disposition | None = None,
    jurisdiction: Annotated[str | None, Query(max_length=20)] = None,
    tenant: Annotated[str | None, Query(max_length=200)] = None,
    since: Moment | None = None,
    until: Moment | None = None,
    after: Cursor = None,
    limit: Limit = 50,
) -> T.AlertPage:
    """Alerts, the latest event time first. Suppressed and braked ones are there as well.

    ``since`` and ``until``: of events from the one to before the other.
    """
    query = AlertQuery(
        disposition,
        jurisdiction,
        tenant,
        None if since is None else microseconds(since),
        None if until is None else microseconds(until),
    )
    page = parts.alerts.alerts(caller.scope, query, after=after, limit=limit)
    return _page(page)


@router.get("/alerts/conflicts", responses=documented(), summary="Alerts that contradict")
def conflicts(caller: Reader, parts: Parts, after: Cursor = None) -> T.ConflictPage:
    """Alerts that came with another content under a known id; none is ever lost."""
    page = parts.service.conflicts(caller.scope, after=after)
    items = [
        T.AlertConflict(
            alert=found.alert.id,
            rule=found.alert.rule,
            tenant=found.alert.tenant,
            digest=found.alert.digest,
            known=found.known_digest,
            received=time_text(found.received_us),
        )
        for found in page.items
    ]
    return T.ConflictPage(items=items, after=page.after)


@router.get("/alerts/{alert}", responses=documented(404), summary="One alert")
def show(caller: Reader, parts: Parts, alert: AlertId) -> T.Alert:
    """An alert as it was written, with its law, its figures and its events."""
    return T.Alert.model_validate(parts.alerts.alert(caller.scope, alert))


@router.get("/alerts/{alert}/cases", responses=documented(404), summary="Its cases")
def cases(caller: Reader, parts: Parts, alert: AlertId) -> T.CasesOfAlert:
    """The cases that have the alert now."""
    found = parts.alerts.cases_of_alert(caller.scope, alert)
    return T.CasesOfAlert(items=[line(parts.service, caller.scope, case) for case in found])


@router.get("/parties", responses=documented(), summary="A party")
def party(
    caller: Reader,
    parts: Parts,
    kind: KeyKind,
    key: Annotated[str, Query(min_length=1, max_length=500)],
    since: Moment | None = None,
    until: Moment | None = None,
) -> T.Party:
    """What is known of a party, account, device, person or group: its alerts and their cases."""
    first = _FIRST if since is None else microseconds(since)
    last = _LAST if until is None else microseconds(until)
    found, cases, more = parts.alerts.party(caller.scope, (kind, key), first, last)
    lines = [line(parts.service, caller.scope, case) for case in cases]
    alerts = [T.Alert.model_validate(alert) for alert in found]
    return T.Party(kind=kind.value, key=key, alerts=alerts, cases=lines, more=more)


def _page(page: Page[dict[str, object]]) -> T.AlertPage:
    return T.AlertPage.model_validate({"items": list(page.items), "after": page.after})
