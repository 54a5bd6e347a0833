"""The overview: what rises, what is overdue, by jurisdiction, theme and institution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Response

from casework.ports import CaseQuery, Tally
from casework.search.query import Kind, SearchQuery
from casework.web.drawing import sparkline
from casework.web.render import gettext, link, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.errors import ForbiddenError, RegtechError

router = page_router()

WEEKS: Final = 12
WEEK_US: Final = 7 * 86_400 * 1_000_000
ROWS: Final = 12
KEPT_S: Final = 30.0
"""So long the weeks of a scope are kept: twelve questions to the index for every look."""
_KEPT: Final = 200

_GROUPS: Final = (
    (Tally.JURISDICTION, "jurisdiction", "jurisdiction"),
    (Tally.THEME, "theme", "theme"),
    (Tally.TENANT, "tenant", "tenant"),
)
"""What is counted by, the filter of the queue, the facet of the index."""


@router.get("/overview")
def show(visit: Person) -> Response:
    """Figures, each a link to what it counts."""
    scope, service = visit.scope, visit.parts.service
    if scope.restricted:
        raise ForbiddenError(f"{scope.actor} may not see the overview")
    now = visit.parts.clock.now_us()
    weeks = _weeks(visit, now)
    groups = []
    for by, name, facet in _GROUPS:
        open_ = service.tally(scope, CaseQuery(), by)
        late = service.tally(scope, CaseQuery(due_before_us=now), by)
        groups.append({"name": name, "rows": _rows(visit, name, facet, open_, late, weeks)})
    states = service.tally(scope, CaseQuery(open=None), Tally.STATE)
    totals = [sum(week.get("jurisdiction", {}).values()) for week in weeks]
    return page(
        visit,
        "overview",
        title=gettext(visit, "Overview"),
        here="overview",
        open=sum(n for state, n in states.items() if state not in ("closed", "reported")),
        overdue=sum(service.tally(scope, CaseQuery(due_before_us=now), Tally.STATE).values()),
        nobody=sum(service.tally(scope, CaseQuery(assignee=""), Tally.STATE).values()),
        waiting=states.get("awaiting_approval", 0),
        states=sorted(states.items(), key=lambda pair: -pair[1]),
        alerts=totals,
        line=sparkline(totals),
        groups=groups,
        weeks=len(weeks),
    )


def _rows(
    visit: Visit,
    name: str,
    facet: str,
    open_: Mapping[str, int],
    late: Mapping[str, int],
    weeks: list[Mapping[str, Mapping[str, int]]],
) -> list[dict[str, Any]]:
    rows = []
    for value, count in sorted(open_.items(), key=lambda pair: (-pair[1], pair[0]))[:ROWS]:
        series = [week.get(facet, {}).get(value, 0) for week in weeks]
        title: Any = value
        if name == "theme":
            title = dict(visit.parts.service.themes.of(value).title)
        rows.append(
            {
                "title": title,
                "open": count,
                "overdue": late.get(value, 0),
                "series": series,
                "line": sparkline(series),
                "rise": sum(series[-4:]) - sum(series[-8:-4]),
                "href": link("/queue", **{name: value}),
                "late_href": link("/queue", **{name: value, "overdue": "1"}),
            }
        )
    return rows


class _Weeks:
    """Counts of the last weeks, kept for a moment for each scope."""

    def __init__(self) -> None:
        self.kept: dict[Any, tuple[float, list[Mapping[str, Mapping[str, int]]]]] = {}


_WEEKS: Final = _Weeks()


def _weeks(visit: Visit, now: int) -> list[Mapping[str, Mapping[str, int]]]:
    """Facets of alerts by week of event time, the oldest first; none without an index."""
    search, scope = visit.parts.search, visit.scope
    if search is None:
        return []
    key = (id(search), scope.roles, scope.jurisdictions, scope.tenants)
    elapsed = visit.parts.clock.elapsed()
    at, known = _WEEKS.kept.get(key, (0.0, []))
    if known and elapsed - at < KEPT_S:
        return known
    made: list[Mapping[str, Mapping[str, int]]] = []
    try:
        for week in range(WEEKS, 0, -1):
            query = SearchQuery(
                kinds=(Kind.ALERT,),
                since_us=now - week * WEEK_US,
                until_us=now - (week - 1) * WEEK_US - 1,
            )
            made.append(search.search(scope, query, limit=1).facets)
    except RegtechError:
        return []
    if len(_WEEKS.kept) > _KEPT:
        _WEEKS.kept.clear()
    _WEEKS.kept[key] = (elapsed, made)
    return made
