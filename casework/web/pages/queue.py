"""The queue: what to do next and why, everything else that waits, and the same for many at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fastapi import Response
from fastapi.responses import JSONResponse, RedirectResponse

from casework.cases.alert import severity_rank
from casework.cases.case import Case, State
from casework.cases.importance import why_first
from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Role
from casework.ports import CaseQuery, Tally
from casework.search.query import Kind, SearchQuery
from casework.web.acting import act_on
from casework.web.language import catalogue
from casework.web.period import Period
from casework.web.render import gettext, link, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import ForbiddenError, RegtechError, UsageError

router = page_router()

ROWS: Final = 50
BULK_MAX: Final = 500
FILTERS: Final = ("queue", "state", "severity", "theme", "jurisdiction", "tenant", "assignee")
DAYS: Final = ("from", "until")
"""Filters by the day of opening, which the search index does not know."""
FACETS: Final = {
    "state": "state",
    "severity": "severity",
    "theme": "theme",
    "jurisdiction": "jurisdiction",
    "queue": "queue",
    "tenant": "tenant",
}
"""Filter of the page to facet of the search index."""
FACET_ROWS: Final = 8
BULK_ACTS: Final = ("claim", "assign", "triage", "investigate", "tag", "comment", "snooze", "close")


@router.get("/queue")
def show(visit: Person) -> Response:
    """Cases in the order of the queue; what an institution may know of for one."""
    allow(visit.scope, Action.READ)
    if visit.scope.restricted:
        return _disclosed(visit)
    if visit.asked("q") or visit.asked("severity"):
        return _searched(visit)
    service, now = visit.parts.service, visit.parts.clock.now_us()
    query = _query(visit, now)
    after = visit.asked("after", 2000) or None
    found = service.list(visit.scope, query, after=after, limit=ROWS)
    first = None if after or visit.asked("assignee") else _first(visit, query)
    return page(
        visit,
        "queue",
        title=gettext(visit, "Queue"),
        here="queue",
        cases=[service.summary(visit.scope, case) for case in found.items],
        first=first,
        count=_count_text(visit, _count(visit, query)),
        after=found.after,
        **_around(visit),
    )


@router.get("/queue/count")
def count(visit: Person) -> Response:
    """How many cases the filters of the address have now, as a number and in words.

    The tag lets a browser that knows the number already be told so and no more.
    """
    allow(visit.scope, Action.READ)
    if visit.scope.restricted:
        raise ForbiddenError(
            say("%(actor)s is not told how many cases there are", actor=visit.scope.actor)
        )
    number = _count(visit, _query(visit, visit.parts.clock.now_us()))
    headers = {"ETag": f'"{number}-{visit.lang}"', "Cache-Control": "private, no-cache"}
    if visit.request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    made = {"count": number, "text": _count_text(visit, number)}
    return JSONResponse(made, headers=headers)


def _count(visit: Visit, query: CaseQuery) -> int:
    """Those that are snoozed are counted as well: they are open."""
    asked = replace(query, awake_at_us=None)
    return sum(visit.parts.service.tally(visit.scope, asked, Tally.JURISDICTION).values())


def _count_text(visit: Visit, number: int) -> str:
    said = catalogue(visit.lang).ngettext("%(num)s case", "%(num)s cases", number)
    return said % {"num": f"{number:,}"}


def _query(visit: Visit, now: int) -> CaseQuery:
    """The filters of the address as a query. Raises ``UsageError`` for a state that is none."""
    state = visit.asked("state")
    if state and state not in list(State):
        raise UsageError(
            say("no state %(state)r", state=state),
            hint=say("states: %(state)s", state=", ".join(State)),
        )
    every = visit.asked("every") == "1"
    assignee, opened = visit.asked("assignee"), Period.asked(visit)
    who = {"": None, "nobody": "", "me": visit.scope.actor}.get(assignee, assignee)
    return CaseQuery(
        open=None if every or state else True,
        state=State(state) if state else None,
        queue=visit.asked("queue") or None,
        assignee=who,
        jurisdiction=visit.asked("jurisdiction") or None,
        theme=visit.asked("theme") or None,
        tenant=visit.asked("tenant") or None,
        awake_at_us=None if every else now,
        due_before_us=now if visit.asked("overdue") == "1" else None,
        opened_from_us=opened.from_us,
        opened_before_us=opened.before_us,
    )


def _around(visit: Visit) -> dict[str, Any]:
    """What the page shows beside the cases: filters in force, facets, searches that are kept."""
    kept = {name: visit.asked(name) for name in (*FILTERS, *DAYS, "overdue", "every", "q")}
    saved: list[str] = []
    if visit.parts.search is not None:
        saved = [search.name for search in visit.parts.search.saved(visit.scope)]
    return {
        "filters": kept,
        "active": {name: value for name, value in kept.items() if value},
        "facets": _facets(visit, kept),
        "saved": saved,
        "searches": visit.parts.search is not None,
        "themes": {theme.id: dict(theme.title) for theme in visit.parts.service.themes},
        "bulk_acts": BULK_ACTS,
    }


def asked_of(kept: Mapping[str, str]) -> SearchQuery:
    def some(name: str) -> tuple[str, ...]:
        return (kept[name],) if kept[name] else ()

    return SearchQuery(
        text=kept["q"],
        kinds=(Kind.CASE,) if not kept["q"] else (),
        jurisdictions=some("jurisdiction"),
        themes=some("theme"),
        states=some("state"),
        queues=some("queue"),
        severities=some("severity"),
        tenants=some("tenant"),
        open=None if kept["every"] or kept["state"] or kept["q"] else True,
    )


def _facets(visit: Visit, kept: Mapping[str, str]) -> dict[str, list[tuple[str, int]]]:
    """How many cases there are of each kind; nothing where the index cannot be asked now."""
    if visit.parts.search is None or kept["q"] or any(kept[name] for name in DAYS):
        return {}
    try:
        found = visit.parts.search.search(visit.scope, asked_of(kept), limit=1)
    except RegtechError:
        return {}
    made: dict[str, list[tuple[str, int]]] = {}
    for name, facet in FACETS.items():
        counts = found.facets.get(facet, {})
        if len(counts) > 1 or kept[name]:
            rows = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            if name == "severity":
                rows.sort(key=lambda pair: -severity_rank(pair[0]))
            made[name] = rows[:FACET_ROWS]
    return made


def _first(visit: Visit, query: CaseQuery) -> dict[str, Any] | None:
    """The case that "claim next" would take, and why it is the first."""
    if Role.SUPERVISOR not in visit.scope.roles:
        return None
    service = visit.parts.service
    free = CaseQuery(
        open=True,
        queue=query.queue,
        assignee="",
        jurisdiction=query.jurisdiction,
        theme=query.theme,
        tenant=query.tenant,
        awake_at_us=visit.parts.clock.now_us(),
    )
    pair = service.list(visit.scope, free, limit=2).items
    if not pair:
        return None
    rival = pair[1] if len(pair) > 1 else None
    why = why_first(pair[0], service.clock_of(pair[0]), rival)
    return {"case": service.summary(visit.scope, pair[0]), "why": why}


def _searched(visit: Visit) -> Response:
    """What the index finds of words; cases as lines of the queue, anything else as hits."""
    around = _around(visit)
    parts = visit.parts
    if parts.search is None:
        raise UsageError(
            say("there is no search index here"), hint=say("an operator sets REGTECH_SEARCH")
        )
    after = visit.asked("after", 4000) or None
    found = parts.search.search(visit.scope, asked_of(around["filters"]), after=after, limit=ROWS)
    lines: dict[str, Any] = {}
    for hit in found.hits:
        if hit.kind is Kind.CASE:
            try:
                case = parts.service.get(visit.scope, hit.subject)
            except RegtechError:
                continue
            lines[hit.subject] = parts.service.summary(visit.scope, case)
    return page(
        visit,
        "found",
        title=gettext(visit, "Search"),
        here="queue",
        hits=found.hits,
        lines=lines,
        total=found.total,
        at_least=found.at_least,
        after=found.after,
        **around,
    )


def _disclosed(visit: Visit) -> Response:
    found = visit.parts.service.disclosed_list(
        visit.scope,
        open=None if visit.asked("every") == "1" else True,
        after=visit.asked("after", 2000) or None,
        limit=ROWS,
    )
    themes = visit.parts.service.themes
    return page(
        visit,
        "disclosed",
        title=gettext(visit, "Your cases"),
        here="queue",
        cases=[{**line, "title": dict(themes.of(line["theme"]).title)} for line in found.items],
        every=visit.asked("every") == "1",
        after=found.after,
    )


@router.post("/queue/claim")
def claim(visit: Person) -> Response:
    """Take the most important case that nobody has, and open it."""
    typed = visit.typed
    query = CaseQuery(
        queue=typed.get("queue") or None,
        jurisdiction=typed.get("jurisdiction") or None,
        theme=typed.get("theme") or None,
        tenant=typed.get("tenant") or None,
    )
    found = visit.parts.service.claim_next(visit.scope, query)
    if found is None:
        return RedirectResponse(link("/queue", claimed="none"), 303)
    return RedirectResponse(f"/cases/{found[0].id}?claimed=1", 303)


@router.post("/queue/bulk")
def bulk(visit: Person) -> Response:
    """Do the same with the cases that were ticked, each on its own."""
    scope, typed, service = visit.scope, visit.typed, visit.parts.service
    if scope.restricted:
        raise ForbiddenError(say("%(actor)s may not work cases", actor=scope.actor))
    chosen = [_seen(text) for text in typed.all("case")]
    if not chosen:
        raise UsageError(say("no case is ticked"), hint=say("tick some in the first column"))
    if len(chosen) > BULK_MAX:
        raise UsageError(
            say("%(chosen)s cases at once", chosen=len(chosen)),
            hint=say("at most %(bulk_max)s", bulk_max=BULK_MAX),
        )
    act = typed.get("act")
    if act not in BULK_ACTS:
        raise UsageError(say("nothing was chosen to do"), hint=say("choose what to do with them"))

    def one(case_id: str, seen: int) -> Case:
        return act_on(visit, case_id, seen, act)

    done = service.bulk(scope, chosen, one)
    return page(
        visit,
        "bulk",
        title=gettext(visit, "Done with several cases"),
        here="queue",
        act=act,
        done=[
            {"id": entry.case_id, "error": entry.error, "state": entry.case and entry.case.state}
            for entry in done
        ],
    )


def _seen(text: str) -> tuple[str, int]:
    case_id, _, version = text.partition("@")
    if not version.isascii() or not version.isdigit() or len(version) > 9:
        raise UsageError(say("%(text)r is no case with its version", text=text[:60]))
    return case_id, int(version)
