"""An alert by itself, the list of them, and those that are in no case, with the reason."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Response

from casework.cases.directive import ASIDES, Disposition
from casework.cases.lifecycle import Action, allow
from casework.ports import AlertQuery
from casework.web import owners
from casework.web.pages.case import explained, rule_of
from casework.web.period import Period
from casework.web.render import gettext, page, said_in
from casework.web.site import page_router
from casework.web.visit import Person
from regtech.content.saying import say
from regtech.errors import RegtechError, UsageError

router = page_router()

ROWS: Final = 50


@router.get("/alerts")
def list_alerts(visit: Person) -> Response:
    """Alerts, the latest event time first; ``aside``: those in no case, and why."""
    allow(visit.scope, Action.READ)
    after = visit.asked("after", 2000) or None
    wanted = "" if visit.scope.restricted else visit.asked("aside")
    if wanted and wanted not in ASIDES:
        raise UsageError(
            say("no outcome %(wanted)r", wanted=wanted),
            hint=say("outcomes: %(asides)s", asides=", ".join(ASIDES)),
        )
    period = Period.asked(visit)
    filters = {name: visit.asked(name) for name in ("jurisdiction", "tenant", "from", "until")}
    rows: list[dict[str, Any]]
    if wanted:
        found = visit.parts.service.asides(
            visit.scope, disposition=Disposition(wanted), after=after, limit=ROWS
        )
        rows = [{**row, "id": row["alert"]} for row in found.items]
    else:
        query = AlertQuery(
            jurisdiction=filters["jurisdiction"] or None,
            tenant=filters["tenant"] or None,
            from_us=period.from_us,
            before_us=period.before_us,
        )
        found = visit.parts.alerts.alerts(visit.scope, query, after=after, limit=ROWS)
        rows = list(found.items)
    return page(
        visit,
        "alerts",
        title=gettext(visit, "Alerts"),
        here="alerts",
        rows=rows,
        aside=wanted,
        active={} if wanted else {name: value for name, value in filters.items() if value},
        asides=list(ASIDES),
        after=found.after,
    )


@router.get("/alerts/{alert}")
def show(visit: Person, alert: str) -> Response:
    """What was found, what it rests on, every fact, and where it led."""
    body = visit.parts.alerts.alert(visit.scope, alert)
    cases: list[dict[str, Any]] = []
    why = ""
    if not visit.scope.restricted:
        service = visit.parts.service
        cases = [
            service.summary(visit.scope, case)
            for case in visit.parts.alerts.cases_of_alert(visit.scope, alert)
        ]
    if visit.parts.explainer is not None:
        try:
            why = explained(visit, alert)
        except RegtechError as error:
            why = said_in(error.message, visit.lang)
    held, roles = owners.holdings([body])
    return page(
        visit,
        "alert",
        title=alert,
        here="alerts",
        body=body,
        alert={"body": body, "open": True, "why": why, "rule": rule_of(visit, body)},
        cases=cases,
        holdings=held,
        owner_drawing=owners.drawn(held, roles),
    )
