"""How many events rules were evaluated for, by day, in SQL: what brakes are held against.

Counts are whole and only ever grow: in whatever order they are told, the highest stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from casework.cases.scope import Scope
from casework.ports import EventDay, EventKind, EventsOf
from casework.stores.sql.tables import EVENT_DAYS, RULE_EVENTS

_ASKED: Final = 100
"""Questions of one statement: below the bounds of both servers."""
_Row = tuple[int, str, str, str | None, int, int]


class EventCounts:
    """Counts of events within a transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._postgres = connection.dialect.name == "postgresql"

    def rules(self, scope: Scope) -> dict[str, tuple[EventKind, ...]]:
        """See ``casework.ports.PolicyUnit.rule_events``."""
        c = RULE_EVENTS.c
        select = sa.select(c.rule, c.jurisdiction, c.type).order_by(c.rule, c.jurisdiction, c.type)
        if scope.jurisdictions is not None:
            select = select.where(c.jurisdiction.in_(sorted(scope.jurisdictions)))
        found: dict[str, list[EventKind]] = {}
        for rule, jurisdiction, kind in self._connection.execute(select):
            found.setdefault(rule, []).append(EventKind(jurisdiction, kind))
        return {rule: tuple(kinds) for rule, kinds in found.items()}

    def write(
        self,
        scope: Scope,
        rules: Mapping[str, Collection[EventKind]],
        days: Collection[EventDay],
    ) -> None:
        """See ``casework.ports.PolicyUnit.count_events``."""
        kinds = [
            {"rule": rule, "jurisdiction": kind.jurisdiction, "type": kind.type}
            for rule in sorted(rules)
            for kind in sorted(rules[rule])
        ]
        if kinds:
            self._connection.execute(self._insert(RULE_EVENTS).on_conflict_do_nothing(), kinds)
        rows = [
            {
                "jurisdiction": day.kind.jurisdiction,
                "type": day.kind.type,
                "day": day.day,
                "institution": day.institution,
                "events": day.events,
            }
            for day in sorted(days)
        ]
        if rows:
            insert = self._insert(EVENT_DAYS)
            more = insert.excluded.events > EVENT_DAYS.c.events
            upsert = insert.on_conflict_do_update(
                index_elements=[column.name for column in EVENT_DAYS.primary_key],
                set_={"events": insert.excluded.events},
                where=more,
            )
            self._connection.execute(upsert, rows)

    def of(self, scope: Scope, asked: Sequence[EventsOf]) -> list[int]:
        """See ``casework.ports.PolicyUnit.events_counted``."""
        found = [0] * len(asked)
        rows = [
            (place, kind.jurisdiction, kind.type, one.institution, one.first_day, one.last_day)
            for place, one in enumerate(asked)
            for kind in one.kinds
        ]
        for text, given in _counting(scope, rows, postgres=self._postgres):
            for place, events in self._connection.exec_driver_sql(text, given).all():
                found[place] += int(events)
        return found

    def _insert(self, table: sa.Table) -> Any:
        return postgresql.insert(table) if self._postgres else sqlite.insert(table)


def _counting(
    scope: Scope, rows: Sequence[_Row], *, postgres: bool
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Statements that together give the place of each question with its events, perhaps in parts.

    Each is a walk over a table of the questions and, for each of them, a piece of the days.
    """
    mark = "%s" if postgres else "?"
    row = "(%s::int,%s::text,%s::text,%s::text,%s::int,%s::int)" if postgres else "(?,?,?,?,?,?)"
    within, bounds = "", list[str]()
    for column, seen in (("jurisdiction", scope.jurisdictions), ("institution", scope.tenants)):
        if seen is not None:
            marks = ",".join([mark] * len(seen)) or "NULL"
            within += f" AND e.{column} IN ({marks})"
            bounds += sorted(seen)
    for start in range(0, len(rows), _ASKED):
        some = rows[start : start + _ASKED]
        yield (
            "WITH r(place,jurisdiction,type,institution,first_day,last_day) AS (VALUES "
            + ",".join([row] * len(some))
            + ") SELECT r.place, SUM(e.events) FROM r JOIN event_days e"
            " ON e.jurisdiction = r.jurisdiction AND e.type = r.type"
            " AND e.day BETWEEN r.first_day AND r.last_day"
            " AND (r.institution IS NULL OR e.institution = r.institution)"
            f"{within} GROUP BY r.place",
            (*(value for one in some for value in one), *bounds),
        )
