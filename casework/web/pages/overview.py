"""The overview: what rises, what is overdue, by jurisdiction, theme and institution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Response

from casework.ports import Standing, Tally
from casework.web.drawing import sparkline
from casework.web.flows import country_name
from casework.web.period import day_text
from casework.web.render import gettext, link, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import ForbiddenError
from regtech.reference.civil import DAY_US

router = page_router()

WEEKS: Final = 12
ROWS: Final = 12
_CASES: Final = (Tally.JURISDICTION, Tally.THEME, Tally.STATE)
"""What cases are counted by in one go; those of several institutions are counted by themselves."""
_GROUPS: Final = (Tally.JURISDICTION, Tally.THEME, Tally.TENANT)


@router.get("/overview")
def show(visit: Person) -> Response:
    """Figures, each a link to what it counts."""
    scope, service = visit.scope, visit.parts.service
    if scope.restricted:
        raise ForbiddenError(say("%(actor)s may not see the overview", actor=scope.actor))
    found = service.standing(scope, _CASES)
    tenants = service.standing(scope, (Tally.TENANT,))
    last_day = visit.parts.clock.now_us() // DAY_US
    groups = []
    totals = [0] * WEEKS
    for by in _GROUPS:
        stand = _added(tenants, 0) if by is Tally.TENANT else _added(found, _CASES.index(by))
        if by is Tally.THEME:
            weeks = service.case_weeks(scope, WEEKS)
        else:
            weeks = service.alert_weeks(scope, by, WEEKS)
        if by is Tally.JURISDICTION and weeks:
            totals = [sum(week) for week in zip(*weeks.values(), strict=True)]
        rows = _rows(visit, by, stand, weeks, last_day)
        groups.append({"name": by.value, "rows": rows})
    states = _added(found, _CASES.index(Tally.STATE))
    return page(
        visit,
        "overview",
        title=gettext(visit, "Overview"),
        here="overview",
        open=sum(one.cases for one in states.values()),
        overdue=sum(one.overdue for one in states.values()),
        nobody=sum(one.nobody for one in states.values()),
        waiting=states["awaiting_approval"].cases if "awaiting_approval" in states else 0,
        alerts=[
            {"count": count, "href": link("/alerts", **_days(last_day, week, week))}
            for week, count in enumerate(totals)
        ],
        any_alerts=any(totals),
        line=sparkline(totals),
        groups=groups,
    )


def _added(found: Mapping[tuple[str, ...], Standing], place: int) -> dict[str, Standing]:
    """The counts by one of the values alone."""
    made: dict[str, Standing] = {}
    for key, one in found.items():
        so_far = made.get(key[place], Standing(0, 0, 0))
        made[key[place]] = Standing(
            so_far.cases + one.cases,
            so_far.overdue + one.overdue,
            so_far.nobody + one.nobody,
        )
    return made


def _rows(
    visit: Visit,
    by: Tally,
    stand: Mapping[str, Standing],
    weeks: Mapping[str, Sequence[int]],
    last_day: int,
) -> list[dict[str, Any]]:
    rows = []
    first = sorted(stand.items(), key=lambda pair: (-pair[1].cases, pair[0]))[:ROWS]
    for value, one in first:
        series = weeks.get(value, [0] * WEEKS)
        title: Any = value
        name = country_name(value, visit.lang) if by is Tally.JURISDICTION else ""
        if by is Tally.THEME:
            title = dict(visit.parts.service.themes.of(value).title)
        rows.append(
            {
                "title": title,
                "name": "" if name == value else name,
                "open": one.cases,
                "overdue": one.overdue,
                "series": series,
                "line": sparkline(series),
                "rise": sum(series[-4:]) - sum(series[-8:-4]),
                "weeks_href": _counted(by, value, _days(last_day, 0, WEEKS - 1)),
                "rise_href": _counted(by, value, _days(last_day, WEEKS - 8, WEEKS - 1)),
                "href": link("/queue", **{by.value: value}),
                "late_href": link("/queue", **{by.value: value, "overdue": "1"}),
            }
        )
    return rows


def _days(last_day: int, first: int, last: int) -> dict[str, str]:
    """The first and the last day of some of the weeks that end with a day, for an address."""
    begin = last_day - 7 * WEEKS + 1
    return {"from": day_text(begin + 7 * first), "until": day_text(begin + 7 * last + 6)}


def _counted(by: Tally, value: str, days: Mapping[str, str]) -> str:
    """Where that is shown which the weeks of a row count: cases of a theme, else alerts."""
    if by is Tally.THEME:
        return link("/queue", theme=value, every="1", **days)
    return link("/alerts", **{by.value: value}, **days)
