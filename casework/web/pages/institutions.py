"""Institutions: how each stands, what is due, how often findings were right, its own faults."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any, Final

from fastapi import Response

from casework.cases.case import ENDED, Case, State
from casework.cases.keys import KeyKind
from casework.cases.lifecycle import ALLOWED, Action, allow
from casework.ports import CaseQuery, Precision, Quarantined, Tally
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import NotFoundError, RegtechError

router = page_router()

ROWS: Final = 100
DUE_ROWS: Final = 20
FOREVER: Final = 1 << 62
LAST_US: Final = 7_258_118_400_000_000


@router.get("/institutions")
def list_institutions(visit: Person) -> Response:
    """Every institution in reach with its open and overdue cases."""
    allow(visit.scope, Action.READ)
    scope, service = visit.scope, visit.parts.service
    rows: list[dict[str, Any]]
    if scope.restricted:
        rows = [
            {"id": tenant, "open": None, "overdue": None} for tenant in sorted(scope.tenants or ())
        ]
    else:
        found = service.standing(scope, (Tally.TENANT,))
        rows = [
            {"id": tenant, "open": stand.cases, "overdue": stand.overdue}
            for (tenant,), stand in sorted(found.items(), key=lambda p: (-p[1].cases, p[0]))
        ]
    wanted = visit.asked("name", 100).casefold()
    rows = [row for row in rows if wanted in str(row["id"]).casefold()]
    return page(
        visit,
        "institutions",
        title=gettext(visit, "Institutions"),
        here="institutions",
        rows=rows[:ROWS],
        total=len(rows),
        name=visit.asked("name", 100),
    )


@router.get("/institutions/{tenant}")
def show(visit: Person, tenant: str) -> Response:
    """The standing of an institution, as far as who asks may know of it."""
    allow(visit.scope, Action.READ)
    scope = visit.scope
    if scope.tenants is not None and tenant not in scope.tenants:
        raise NotFoundError(say("there is no institution %(tenant)s", tenant=tenant))
    made = _own(visit, tenant) if scope.restricted else _whole(visit, tenant)
    return page(
        visit,
        "institution",
        title=tenant,
        here="institutions",
        tenant=tenant,
        quarantined=_quarantined(visit, tenant),
        **made,
    )


def _whole(visit: Visit, tenant: str) -> dict[str, Any]:
    scope, service = visit.scope, visit.parts.service
    found = service.list(scope, CaseQuery(tenant=tenant), limit=ROWS)
    every = CaseQuery(tenant=tenant, open=None)
    states: Counter[str] = Counter()
    themes: Counter[str] = Counter()
    overdue = 0
    for (theme, state), stand in service.standing(scope, (Tally.THEME, Tally.STATE), every).items():
        states[state] += stand.cases
        overdue += stand.overdue
        if State(state) not in ENDED:
            themes[theme] += stand.cases
    alerts, _, more = visit.parts.alerts.party(
        scope, (KeyKind.INSTITUTION, tenant), 0, LAST_US, DUE_ROWS
    )
    if not states and not alerts:
        raise NotFoundError(say("there is no institution %(tenant)s", tenant=tenant))
    precision = []
    if scope.roles & ALLOWED[Action.PRECISION]:
        precision = [_rate(p) for p in service.precision(scope) if p.tenant == tenant]
    return {
        "cases": [service.summary(scope, case) for case in _by_due(found.items)[:DUE_ROWS]],
        "more_cases": found.after is not None or len(found.items) > DUE_ROWS,
        "open": sum(count for state, count in states.items() if State(state) not in ENDED),
        "overdue": overdue,
        "states": dict(states),
        "themes": [
            (theme, dict(service.themes.of(theme).title), count)
            for theme, count in sorted(themes.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        "precision": precision,
        "alerts": alerts,
        "more_alerts": more,
        "dues": [],
    }


def _own(visit: Visit, tenant: str) -> dict[str, Any]:
    """What the institution is shown of itself: open alerts, their dates, its cases."""
    scope = visit.scope
    found = visit.parts.alerts.alerts(scope, limit=ROWS).items
    alerts = [body for body in found if _tenant_of(body) == tenant]
    dues = [body for body in alerts if body.get("due")]
    return {
        "cases": [],
        "more_cases": False,
        "open": None,
        "overdue": None,
        "states": {},
        "themes": [],
        "precision": [],
        "alerts": alerts[:DUE_ROWS],
        "more_alerts": len(alerts) > DUE_ROWS,
        "dues": sorted(dues, key=lambda body: str(body["due"]))[:DUE_ROWS],
    }


def _tenant_of(body: dict[str, Any]) -> str:
    facts, subject = body.get("facts") or {}, body.get("subject") or {}
    return str(facts.get("reporter") or subject.get("institution") or "")


def _by_due(cases: tuple[Case, ...]) -> list[Case]:
    return sorted(cases, key=lambda case: (case.due_us or FOREVER, -case.priority, case.id))


def _rate(found: Precision) -> dict[str, Any]:
    share = Fraction(found.confirmed, found.judged) if found.judged else None
    return {
        "rule": found.rule,
        "judged": found.judged,
        "confirmed": found.confirmed,
        "unfounded": found.unfounded,
        "data_error": found.data_error,
        "share": None if share is None else f"{round(share * 100)} %",
    }


def _quarantined(visit: Visit, tenant: str) -> list[Quarantined] | None:
    """Events of the institution that could not be judged; None where that cannot be asked."""
    if visit.parts.quarantine is None:
        return None
    try:
        page_ = visit.parts.quarantine.list(
            visit.scope, state="open", code=None, after=None, limit=500
        )
    except RegtechError:
        return None
    return [event for event in page_.items if event.tenant == tenant][:DUE_ROWS]
