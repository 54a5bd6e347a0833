"""Statements: the scope as a condition that no caller can leave out, and the queues."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from casework.cases.directive import Disposition
from casework.cases.disclosure import OPEN_KINDS
from casework.cases.keys import Key, KeyKind, key_of
from casework.cases.scope import Scope
from casework.ports import AlertQuery, CaseQuery, Reach, Tally
from casework.stores.common import DAY_US, effective
from casework.stores.sql.tables import (
    ALERT_DAYS,
    ALERT_KEYS,
    ALERTS,
    ASIDES,
    CASE_TENANTS,
    CASES,
)

Condition = sa.ColumnElement[bool]
T = TypeVar("T")

CHUNK: Final = 500
"""Values of one IN: below the bounds of both servers."""


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Pieces of at most ``CHUNK``."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def in_scope(scope: Scope) -> list[Condition]:
    """``disclosure.sees`` as conditions on cases; the contract suite holds the two together."""
    made: list[Condition] = []
    if scope.jurisdictions is not None:
        made.append(CASES.c.jurisdiction.in_(sorted(scope.jurisdictions)))
    if scope.tenants is not None:
        tenants = sorted(scope.tenants)
        made.append(_about(tenants))
        if not scope.restricted:
            strange = sa.exists().where(
                CASE_TENANTS.c.case_id == CASES.c.id, CASE_TENANTS.c.tenant.not_in(tenants)
            )
            made.append(~strange)
    if scope.restricted:
        made.append(CASES.c.visible == 1)
    return made


def _about(tenants: Sequence[str]) -> Condition:
    """Cases about any of the tenants.

    As a list that is made once: asking anew for each case of a queue takes ten times as long for a
    tenant with few cases, whose page is then the whole queue.
    """
    mine = sa.select(CASE_TENANTS.c.case_id).where(CASE_TENANTS.c.tenant.in_(tenants))
    return CASES.c.id.in_(mine)


def alert_in_scope(scope: Scope, table: sa.FromClause = ALERTS) -> list[Condition]:
    """``disclosure.sees_alert`` as conditions on alerts."""
    made: list[Condition] = []
    if scope.jurisdictions is not None:
        made.append(table.c.jurisdiction.in_(sorted(scope.jurisdictions)))
    if scope.tenants is not None:
        made.append(table.c.tenant.in_(sorted(scope.tenants)))
    if scope.restricted:
        made.append(table.c.kind.in_(sorted(OPEN_KINDS)))
    return made


def case_columns(scope: Scope) -> list[sa.Column[Any]]:
    """The order of queues for the scope."""
    c = CASES.c
    return [c.opened_us, c.id] if scope.restricted else [c.rank, c.due_sort, c.opened_us, c.id]


def tally(scope: Scope, query: CaseQuery, by: Tally) -> sa.Select[Any]:
    """How many cases of a query there are of each value."""
    where = _asked(scope, query)
    if by is Tally.TENANT:
        # Under another name: conditions of the scope ask the same table in their own way.
        of_case = CASE_TENANTS.alias()
        column: sa.Column[Any] = of_case.c.tenant
        where.append(of_case.c.case_id == CASES.c.id)
        if scope.tenants is not None:
            where.append(column.in_(sorted(scope.tenants)))
    else:
        column = CASES.c[by.value]
    return sa.select(column, sa.func.count()).where(*where).group_by(column)


def standing(
    scope: Scope, by: Sequence[Tally], now_us: int, query: CaseQuery | None = None
) -> sa.Select[Any]:
    """The values, then the number of cases, of overdue ones, and of those nobody has."""
    if (
        query is None
        and tuple(by) == (Tally.TENANT,)
        and scope.tenants is None
        and not scope.restricted
    ):
        t = CASE_TENANTS.c
        mine = [t.ended == 0]
        if scope.jurisdictions is not None:
            mine.append(t.jurisdiction.in_(sorted(scope.jurisdictions)))
        return _standing(CASE_TENANTS, [t.tenant], mine, now_us)
    where = _asked(scope, query or CaseQuery())
    columns: list[sa.Column[Any]] = []
    for one in by:
        if one is Tally.TENANT:
            of_case = CASE_TENANTS.alias()
            columns.append(of_case.c.tenant)
            where.append(of_case.c.case_id == CASES.c.id)
            if scope.tenants is not None:
                where.append(of_case.c.tenant.in_(sorted(scope.tenants)))
        else:
            columns.append(CASES.c[one.value])
    return _standing(CASES, columns, where, now_us)


def _standing(
    table: sa.Table, columns: Sequence[sa.Column[Any]], where: Sequence[Condition], now_us: int
) -> sa.Select[Any]:
    at_work = table.c.ended == 0
    late = sa.func.sum(sa.case((at_work & (table.c.due_sort < now_us), 1), else_=0))
    nobody = sa.func.sum(sa.case((at_work & (table.c.assignee == ""), 1), else_=0))
    return sa.select(*columns, sa.func.count(), late, nobody).where(*where).group_by(*columns)


def case_weeks(scope: Scope, last_day: int, weeks: int) -> sa.Select[Any]:
    """Theme, week from 0, and the number of cases opened in it."""
    c = CASES.c
    first_us, end_us = (last_day - 7 * weeks + 1) * DAY_US, (last_day + 1) * DAY_US
    week = (c.opened_us - first_us) // (7 * DAY_US)
    return (
        sa.select(c.theme, week, sa.func.count())
        .where(c.opened_us >= first_us, c.opened_us < end_us, *in_scope(scope))
        .group_by(c.theme, week)
    )


def alert_weeks(scope: Scope, by: Tally, last_day: int, weeks: int) -> sa.Select[Any]:
    """Value, week from 0, and the number of alerts."""
    c = ALERT_DAYS.c
    first = last_day - 7 * weeks + 1
    week = (c.day - first) // 7
    return (
        sa.select(c[by.value], week, sa.func.sum(c.alerts))
        .where(c.day.between(first, last_day), *alert_in_scope(scope, ALERT_DAYS))
        .group_by(c[by.value], week)
    )


def queue(scope: Scope, query: CaseQuery, place: Sequence[Any] | None) -> sa.Select[Any]:
    """Cases of a query in order, after a place."""
    where = _asked(scope, query)
    columns = case_columns(scope)
    if place is not None:
        where.append(sa.tuple_(*columns) > sa.tuple_(*place))
    return sa.select(CASES.c.body, *columns).where(*where).order_by(*columns)


def _asked(scope: Scope, query: CaseQuery) -> list[Condition]:
    """What a scope asks for, and what it may see at all, as conditions."""
    asked, c = effective(scope, query), CASES.c
    where = in_scope(scope)
    if asked.open is not None:
        where.append(c.ended == int(not asked.open))
    for column, wanted in (
        (c.state, None if asked.state is None else asked.state.value),
        (c.queue, asked.queue),
        (c.assignee, asked.assignee),
        (c.jurisdiction, asked.jurisdiction),
        (c.theme, asked.theme),
    ):
        if wanted is not None:
            where.append(column == wanted)
    if asked.tenant is not None:
        where.append(_about([asked.tenant]))
    if asked.awake_at_us is not None:
        where.append((c.snoozed_us <= asked.awake_at_us) | (c.due_sort < asked.awake_at_us))
    if asked.due_before_us is not None:
        where.append(c.due_sort < asked.due_before_us)
    if asked.tell_before_us is not None:
        where.append(c.tell_us < asked.tell_before_us)
    if asked.opened_from_us is not None:
        where.append(c.opened_us >= asked.opened_from_us)
    if asked.opened_before_us is not None:
        where.append(c.opened_us < asked.opened_before_us)
    return where


def alerts_asked(query: AlertQuery) -> list[Condition]:
    """What is asked of alerts, as conditions."""
    c, where = ALERTS.c, list[Condition]()
    if query.disposition is not None:
        aside = sa.exists().where(ASIDES.c.alert_id == c.id)
        if query.disposition is not Disposition.OPEN:
            aside = aside.where(ASIDES.c.disposition == query.disposition.value)
        where.append(~aside if query.disposition is Disposition.OPEN else aside)
    for column, wanted in ((c.jurisdiction, query.jurisdiction), (c.tenant, query.tenant)):
        if wanted is not None:
            where.append(column == wanted)
    if query.from_us is not None:
        where.append(c.time_us >= query.from_us)
    if query.before_us is not None:
        where.append(c.time_us < query.before_us)
    return where


def alerts_by_key(
    scope: Scope, keys: Collection[Key], since_us: int, until_us: int
) -> Iterator[sa.Select[Any]]:
    """Statements that together find the alerts of the keys in the window; some may come twice.

    A key of one kind is a piece of the index of keys in the order of time.
    """
    by_kind: dict[str, list[str]] = {}
    for kind, value in sorted(set(keys)):
        by_kind.setdefault(kind.value, []).append(value)
    for kind_name, values in by_kind.items():
        for some in chunks(values):
            yield (
                sa.select(ALERTS)
                .join(ALERT_KEYS, ALERT_KEYS.c.alert_id == ALERTS.c.id)
                .where(
                    ALERT_KEYS.c.kind == kind_name,
                    ALERT_KEYS.c.value.in_(some),
                    ALERT_KEYS.c.time_us.between(since_us, until_us),
                    *alert_in_scope(scope),
                )
            )


REACHES: Final = 300
"""Reaches of one statement."""


def reaching(reaches: Sequence[Reach], *, postgres: bool) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Statements, as the driver takes them, that together find the alerts of the reaches.

    Each is a walk over a table of the reaches and, for each of them, a piece of the keys' index.
    """
    for start in range(0, len(reaches), REACHES):
        some = reaches[start : start + REACHES]
        yield (
            _table_of(some, postgres=postgres)
            + " SELECT k.alert_id FROM r JOIN alert_keys k ON k.kind = r.kind"
            " AND k.value = r.value AND k.time_us BETWEEN r.since AND r.until",
            _values_of(some, first=start),
        )


def counting(reaches: Sequence[Reach], *, postgres: bool) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Statements that together say how many keys each of the reaches has: place and number.

    A reach without any is left out.
    """
    for start in range(0, len(reaches), REACHES):
        some = reaches[start : start + REACHES]
        yield (
            _table_of(some, postgres=postgres)
            + " SELECT r.place, COUNT(*) FROM r JOIN alert_keys k ON k.kind = r.kind"
            " AND k.value = r.value AND k.time_us BETWEEN r.since AND r.until GROUP BY r.place",
            _values_of(some, first=start),
        )


def _table_of(some: Sequence[Reach], *, postgres: bool) -> str:
    row = "(%s::int,%s::text,%s::text,%s::bigint,%s::bigint)" if postgres else "(?,?,?,?,?)"
    return "WITH r(place,kind,value,since,until) AS (VALUES " + ",".join([row] * len(some)) + ")"


def _values_of(some: Sequence[Reach], *, first: int) -> tuple[Any, ...]:
    given: list[Any] = []
    for place, reach in enumerate(some, first):
        kind, value = key_of(KeyKind(reach.kind), reach.value)
        given += (place, kind.value, value, reach.since, reach.until)
    return tuple(given)
