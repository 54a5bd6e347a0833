"""A transaction: cases are held when they are read, rows go out in bulk, entries are sealed last.

Sealing last has a reason: a tenant's chain has one end, and whoever takes it makes the others wait.
Cases are taken first, in the order of their ids, the ends of the chains after them, in order, so
that two units never wait for each other.

More than 500 lines: all writes of a transaction share what it holds and what waits to be written.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from casework.cases.alert import StoredAlert
from casework.cases.case import Case
from casework.cases.chain import FIRST_PREVIOUS
from casework.cases.directive import AsideDirective, Disposition, Wake
from casework.cases.disclosure import sees, sees_alert
from casework.cases.keys import RELATING
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, Entry, opened
from casework.ports import CaseQuery, EventDay, EventKind, EventsOf, Intake, Reach, Topic
from casework.stores.common import (
    DAY_US,
    Salt,
    absent,
    chained,
    extend,
    outcomes_of,
    unchained,
    version_conflict,
)
from casework.stores.sql.counts import EventCounts
from casework.stores.sql.queries import (
    alert_in_scope,
    chunks,
    counting,
    queue,
    reaching,
)
from casework.stores.sql.rows import (
    alert_row,
    aside_row,
    case_row,
    entry_row,
    read_alert,
    read_aside,
    read_case,
    read_entry,
    to_json,
)
from casework.stores.sql.tables import (
    ALERT_CONFLICTS,
    ALERT_DAYS,
    ALERT_KEYS,
    ALERTS,
    ASIDES,
    CASE_ALERTS,
    CASE_KEYS,
    CASE_TENANTS,
    CASES,
    CHAINS,
    CLOSINGS,
    ENTRIES,
    FILES,
    MARKS,
    OUTBOX,
    OUTCOMES,
    WAKES,
)
from regtech.clock import Clock
from regtech.errors import ConflictError

_DECIDING: Final = 7_276_150_204_318
"""Of the advisory lock under which policies decide in PostgreSQL; any fixed number."""


@dataclass(frozen=True, slots=True)
class Place:
    """An alert in a case: whether a policy put it there, and where it went from there."""

    planned: int
    moved_to: str | None


_RELATING: Final = frozenset(kind.value for kind in RELATING)
_DECISIONS: Final = "decisions"
"""The mark that counts how often policies have decided."""
_WATCHED: Final = "watched "
"""Beginning of the marks that say for how many subjects a rule is evaluated."""


def _insert_into(table: sa.Table, dialect: sa.Dialect) -> Any:
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)


@lru_cache(256)
def _insertion(
    table: sa.Table,
    names: tuple[str, ...],
    dialect: sa.Dialect,
    repeats: bool = False,
    renewed: tuple[str, ...] = (),
    added_up: tuple[str, ...] = (),
) -> tuple[str, tuple[str, ...] | None]:
    """The statement as the driver takes it, and its columns in order where they have places.

    Of a row that is there already, the columns ``renewed`` are replaced, and those ``added_up`` are
    summed; with ``repeats`` it stays as it is; otherwise it is an error.
    """
    insert = _insert_into(table, dialect).inline()
    if renewed or added_up:
        more = {name: insert.excluded[name] for name in renewed}
        more |= {name: table.c[name] + insert.excluded[name] for name in added_up}
        keys = [column.name for column in table.primary_key]
        insert = insert.on_conflict_do_update(index_elements=keys, set_=more)
    elif repeats:
        insert = insert.on_conflict_do_nothing()
    compiled = insert.compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup
    return str(compiled), None if order is None else tuple(order)


class SqlUnit:
    """``casework.ports.Unit`` on one connection; ``SqlRecord.unit`` begins and ends it."""

    def __init__(self, connection: sa.Connection, clock: Clock, salt: Salt) -> None:
        self._connection, self._clock, self._salt = connection, clock, salt
        self._postgres = connection.dialect.name == "postgresql"
        self._cases: dict[str, Case] = {}
        """Cases that this unit holds, as they stand in it."""
        self._absent: set[str] = set()
        self._new: set[str] = set()
        """Of these, the ones whose rows are not there yet."""
        self._touched: dict[str, None] = {}
        """Those whose rows are behind."""
        self._changed: dict[str, None] = {}
        self._left: set[tuple[str, str]] = set()
        """Institutions that cases were about before, with the case."""
        self._pending: list[Entry] = []
        self._held: dict[str, dict[str, Place]] = {}
        self._numbers: dict[str, int] = {}
        """The last number of an alert in cases that are prepared for more."""
        self._fresh: set[str] = set()
        """Alerts that came in this unit."""
        self._rows: dict[sa.Table, list[dict[str, Any]]] = {}

    @property
    def connection(self) -> sa.Connection:
        """For what is written beside the record, in the same transaction."""
        return self._connection

    # --- cases

    def find(self, scope: Scope, case_ids: Collection[str]) -> dict[str, Case]:
        asked = (i for i in set(case_ids) if i not in self._cases and i not in self._absent)
        wanted = sorted(asked)
        for some in chunks(wanted):
            select = (
                sa.select(CASES.c.body).where(CASES.c.id.in_(some)).order_by(CASES.c.id)
            ).with_for_update()
            for body in self._connection.execute(select).scalars().all():
                case = read_case(body)
                self._cases[case.id] = case
        self._absent.update(i for i in wanted if i not in self._cases)
        found = {i: self._cases[i] for i in sorted(set(case_ids)) if i in self._cases}
        return {i: case for i, case in found.items() if sees(scope, case)}

    def case(self, scope: Scope, case_id: str) -> Case:
        found = self.find(scope, (case_id,))
        if case_id not in found:
            raise absent("case", case_id)
        return found[case_id]

    def open(self, scope: Scope, case: Case, detail: Mapping[str, Any]) -> Case:
        self.find(scope, (case.id,))
        if case.id in self._cases:
            raise ConflictError(f"there is a case {case.id} already")
        self._new.add(case.id)
        return self._extend(None, case.id, case.chain, [opened(case, detail)], scope.actor)

    def append(self, scope: Scope, case_id: str, seen: int, drafts: Sequence[Draft]) -> Case:
        case = self.case(scope, case_id)
        if seen != case.version:
            select = (
                sa.select(ENTRIES)
                .where(ENTRIES.c.case_id == case_id, ENTRIES.c.sequence > seen)
                .order_by(ENTRIES.c.sequence)
            )
            raise version_conflict(case, seen, map(read_entry, self._connection.execute(select)))
        if not drafts:
            return case
        return self._extend(case, case_id, case.chain, drafts, scope.actor)

    def _extend(
        self, case: Case | None, case_id: str, chain: str, drafts: Sequence[Draft], actor: str
    ) -> Case:
        after, made = extend(case, case_id, chain, drafts, self._clock.now_us(), actor)
        self._pending += made
        self._cases[case_id] = after
        if case is not None and case.tenants != after.tenants:
            self._left.update((tenant, case_id) for tenant in case.tenants)
        self._touched[case_id] = self._changed[case_id] = None
        return after

    def log(self, scope: Scope, chain: str, draft: Draft) -> None:
        self._pending.append(unchained(chain, draft, self._clock.now_us(), scope.actor))

    def first(self, scope: Scope, query: CaseQuery) -> tuple[Case, ...]:
        self._flush()
        select = queue(scope, query, None).limit(2)
        if self._postgres:
            select = select.with_for_update(skip_locked=True, of=CASES)
        found = [read_case(row.body) for row in self._connection.execute(select)]
        for case in found:
            self._cases.setdefault(case.id, case)
        return tuple(found)

    # --- alerts

    def add_alerts(self, scope: Scope, alerts: Sequence[StoredAlert]) -> Intake:
        now = self._clock.now_us()
        given: dict[str, StoredAlert] = {}
        again: list[StoredAlert] = []
        for alert in alerts:
            if given.setdefault(alert.id, alert) is not alert:
                again.append(alert)
        known = self._digests(list(given))
        fresh = [alert for alert in given.values() if alert.id not in known]
        if fresh:
            self._bulk(ALERTS, [alert_row(alert, now) for alert in fresh], repeats=True)
            if self._postgres:
                # Another unit may have been faster: what is there now is in force.
                raced = self._digests([alert.id for alert in fresh])
                lost = {a.id: raced[a.id] for a in fresh if raced[a.id] != a.digest}
                fresh = [alert for alert in fresh if alert.id not in lost]
                known.update(lost)
            self._add_keys(fresh)
            self._count_days(fresh)
            self._say(Topic.SEARCH, {"alerts": [alert.id for alert in fresh]})
        new = {alert.id: alert.digest for alert in fresh}
        self._fresh.update(new)
        rest = [alert for alert in given.values() if alert.id not in new] + again
        differing = [a for a in rest if {**known, **new}.get(a.id) != a.digest] if rest else []
        conflicts = self._keep_conflicts(differing, {**known, **new}, now)
        return Intake(tuple(new), len(rest) - len(conflicts), tuple(conflicts))

    def _digests(self, ids: Sequence[str]) -> dict[str, str]:
        found = {}
        for some in chunks(ids):
            select = sa.select(ALERTS.c.id, ALERTS.c.digest).where(ALERTS.c.id.in_(some))
            for identity, digest in self._connection.execute(select).all():
                found[identity] = bytes(digest).hex()
        return found

    def _add_keys(self, alerts: Sequence[StoredAlert]) -> None:
        rows = [
            (kind._value_, value, alert.time_us, alert.id)
            for alert in alerts
            for kind, value in alert.keys()
        ]
        # In the order of the index: neighbours of a page are written together.
        rows.sort()
        self._send(ALERT_KEYS, ("kind", "value", "time_us", "alert_id"), rows, repeats=True)

    def _count_days(self, alerts: Sequence[StoredAlert]) -> None:
        counts = Counter((a.time_us // DAY_US, a.tenant, a.jurisdiction, a.kind) for a in alerts)
        names = tuple(column.name for column in ALERT_DAYS.c)
        # In order, so that two units at once wait for each other and never for both.
        rows = [(*key, number) for key, number in sorted(counts.items())]
        self._send(ALERT_DAYS, names, rows, added_up=names[-1:])

    def _keep_conflicts(
        self, alerts: Sequence[StoredAlert], known: Mapping[str, str], now: int
    ) -> list[str]:
        found = []
        for alert in alerts:
            insert = (
                self._insert(ALERT_CONFLICTS)
                .values(
                    alert_id=alert.id,
                    digest=bytes.fromhex(alert.digest),
                    known_digest=bytes.fromhex(known[alert.id]),
                    tenant=alert.tenant,
                    received_us=now,
                    raw=alert.raw,
                )
                .on_conflict_do_nothing()
            )
            options = {"preserve_rowcount": True}  # of inserts only kept where asked for
            if self._connection.execute(insert, execution_options=options).rowcount == 1:
                found.append(alert.id)
        return found

    def prepare(self, scope: Scope, case_ids: Collection[str]) -> None:
        wanted = sorted({i for i in case_ids if i not in self._held and i not in self._new})
        last = sa.select(sa.func.max(CASE_ALERTS.c.number)).where(
            CASE_ALERTS.c.case_id == CASES.c.id
        )
        for some in chunks(wanted):
            select = sa.select(CASES.c.id, last.scalar_subquery()).where(CASES.c.id.in_(some))
            for case_id, number in self._connection.execute(select).all():
                self._numbers[case_id] = number or 0

    def attach(self, scope: Scope, case_id: str, alerts: Sequence[StoredAlert]) -> frozenset[str]:
        if case_id in self._numbers and all(alert.id in self._fresh for alert in alerts):
            return self._attach_fresh(case_id, alerts)
        held = self._load_held((case_id,))[case_id]
        given = {alert.id: alert for alert in alerts}
        new = [alert for alert in given.values() if alert.id not in held]
        known = [alert for alert in given.values() if alert.id in held]
        back = [alert for alert in known if held[alert.id].moved_to == ""]
        here = [alert for alert in known if held[alert.id].moved_to != ""]
        self._put_alerts(case_id, [alert.id for alert in new], planned=1)
        self._mark(case_id, [alert.id for alert in back], planned=1, moved_to=None)
        self._mark(case_id, [alert.id for alert in here], planned=1)
        self._add_case_keys(case_id, [*new, *back])
        return frozenset(alert.id for alert in (*new, *back))

    def _attach_fresh(self, case_id: str, alerts: Sequence[StoredAlert]) -> frozenset[str]:
        """The same of alerts that came in this unit, whatever alerts the case has besides."""
        rows = self._rows.setdefault(CASE_ALERTS, [])
        number = self._numbers[case_id]
        for alert in alerts:
            number += 1
            row = {"case_id": case_id, "number": number, "alert_id": alert.id}
            rows.append({**row, "planned": 1, "moved_to": None})
        self._numbers[case_id] = number
        self._add_case_keys(case_id, alerts)
        return frozenset(alert.id for alert in alerts)

    def _mark(self, case_id: str, alert_ids: Sequence[str], **values: Any) -> None:
        """Change rows of a case's alerts, here and in the store."""
        if not alert_ids:
            return
        self._flush()
        held, c = self._held[case_id], CASE_ALERTS.c
        for alert_id in alert_ids:
            held[alert_id] = replace(held[alert_id], **values)
        for some in chunks(alert_ids):
            update = sa.update(CASE_ALERTS).where(c.case_id == case_id, c.alert_id.in_(some))
            self._connection.execute(update.values(**values))

    def _put_alerts(self, case_id: str, alert_ids: Sequence[str], *, planned: int) -> None:
        """Rows are never taken away, so that the next number follows from how many there are."""
        held = self._held[case_id]
        rows = self._rows.setdefault(CASE_ALERTS, [])
        place = Place(planned, None)
        for alert_id in alert_ids:
            held[alert_id] = place
            row = {"case_id": case_id, "number": len(held), "alert_id": alert_id}
            rows.append({**row, "planned": planned, "moved_to": None})

    def _load_held(self, case_ids: Collection[str]) -> dict[str, dict[str, Place]]:
        wanted = sorted({i for i in case_ids if i not in self._held})
        if not wanted:
            return self._held
        if not self._numbers.keys().isdisjoint(wanted):
            self._flush()  # rows that were made without asking what is there
            for case_id in wanted:
                self._numbers.pop(case_id, None)
        self._held.update({case_id: {} for case_id in wanted})
        c = CASE_ALERTS.c
        columns = (c.case_id, c.alert_id, c.planned, c.moved_to)
        for some in chunks([case_id for case_id in wanted if case_id not in self._new]):
            select = sa.select(*columns).where(c.case_id.in_(some))
            for case_id, alert_id, planned, moved_to in self._connection.execute(select).all():
                self._held[case_id][alert_id] = Place(planned, moved_to)
        return self._held

    def _add_case_keys(self, case_id: str, alerts: Sequence[StoredAlert]) -> None:
        words = _RELATING
        keys = {
            (kind._value_, value)
            for alert in alerts
            for kind, value in alert.keys()
            if kind._value_ in words
        }
        rows = self._rows.setdefault(CASE_KEYS, [])
        rows += [{"case_id": case_id, "kind": kind, "value": value} for kind, value in sorted(keys)]

    def move(self, scope: Scope, from_case: str, to_case: str, alert_ids: Sequence[str]) -> None:
        there = dict(self._load_held((from_case, to_case))[to_case])
        self._mark(from_case, list(alert_ids), moved_to=to_case)
        self._mark(to_case, [i for i in alert_ids if i in there], moved_to=None)
        self._put_alerts(to_case, [i for i in alert_ids if i not in there], planned=0)
        for case_id in (from_case, to_case):
            self._case_keys_anew(scope, case_id)

    def _case_keys_anew(self, scope: Scope, case_id: str) -> None:
        alerts = self.case_alerts(scope, case_id)
        self._connection.execute(sa.delete(CASE_KEYS).where(CASE_KEYS.c.case_id == case_id))
        self._add_case_keys(case_id, alerts)

    # --- policies

    def hold(self, scope: Scope) -> int:
        if self._postgres:  # in SQLite a unit is alone from its beginning
            self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_DECIDING)))
        select = sa.select(MARKS.c.at_us).where(MARKS.c.name == _DECISIONS)
        number = (self._connection.execute(select).scalar() or 0) + 1
        self._raise_marks({_DECISIONS: number})
        return int(number)

    def reach(self, scope: Scope, reaches: Collection[Reach]) -> frozenset[str]:
        found: set[str] = set()
        for text, given in reaching(list(reaches), postgres=self._postgres):
            found.update(self._connection.exec_driver_sql(text, given).scalars().all())
        if scope.jurisdictions is None and scope.tenants is None and not scope.restricted:
            return frozenset(found)
        return frozenset(alert.id for alert in self.alerts(scope, sorted(found)))

    def counted(self, scope: Scope, reaches: Sequence[Reach]) -> list[int]:
        found = [0] * len(reaches)
        for text, given in counting(reaches, postgres=self._postgres):
            for place, count in self._connection.exec_driver_sql(text, given).all():
                found[place] = count
        return found

    def braked(self, scope: Scope, reaches: Collection[Reach]) -> frozenset[str]:
        found: set[str] = set()
        c = ASIDES.c
        spans: dict[tuple[int, int], list[str]] = {}
        for reach in sorted(set(reaches)):
            spans.setdefault((reach.since, reach.until), []).append(reach.value)
        for (since, until), rules in spans.items():
            for some in chunks(rules):
                where = (
                    c.rule.in_(some),
                    c.time_us.between(since, until),
                    c.disposition == Disposition.BRAKED.value,
                )
                select = sa.select(c.alert_id).where(*where)
                found.update(self._connection.execute(select).scalars())
        return frozenset(found)

    def watched(self, scope: Scope) -> dict[str, int]:
        c = MARKS.c
        select = sa.select(c.name, c.at_us).where(c.name.startswith(_WATCHED, autoescape=True))
        rows = self._connection.execute(select)
        return {name.removeprefix(_WATCHED): int(subjects) for name, subjects in rows}

    def watch(self, scope: Scope, subjects: Mapping[str, int]) -> None:
        self._raise_marks({f"{_WATCHED}{rule}": number for rule, number in subjects.items()})

    def rule_events(self, scope: Scope) -> dict[str, tuple[EventKind, ...]]:
        return EventCounts(self._connection).rules(scope)

    def count_events(
        self,
        scope: Scope,
        rules: Mapping[str, Collection[EventKind]],
        days: Collection[EventDay],
    ) -> None:
        EventCounts(self._connection).write(scope, rules, days)

    def events_counted(self, scope: Scope, asked: Sequence[EventsOf]) -> list[int]:
        return EventCounts(self._connection).of(scope, asked)

    def closings(self, scope: Scope, keys: Collection[str]) -> dict[str, tuple[int, ...]]:
        found: dict[str, list[int]] = {}
        c = CLOSINGS.c
        for some in chunks(sorted(keys)):
            select = sa.select(c.key, c.at_us).where(c.key.in_(some)).distinct()
            for key, at_us in self._connection.execute(select.order_by(c.key, c.at_us)):
                found.setdefault(key, []).append(at_us)
        return {key: tuple(times) for key, times in found.items()}

    def cut(self, scope: Scope, case_id: str, keys: Collection[str], at_us: int) -> None:
        self._flush()
        rows = [{"key": key, "at_us": at_us, "case_id": case_id} for key in sorted(keys)]
        self._bulk(CLOSINGS, rows, repeats=True)

    def uncut(self, scope: Scope, case_id: str) -> None:
        self._connection.execute(sa.delete(CLOSINGS).where(CLOSINGS.c.case_id == case_id))

    def placed(self, scope: Scope, alert_ids: Collection[str]) -> dict[str, frozenset[str]]:
        self._flush()
        cases: set[str] = set()
        c = CASE_ALERTS.c
        for some in chunks(sorted(alert_ids)):
            select = sa.select(c.case_id).where(c.alert_id.in_(some)).distinct()
            cases.update(self._connection.execute(select).scalars())
        self._load_held(cases)
        found = {case_id: self.placed_in(scope, case_id) for case_id in sorted(cases)}
        return {case_id: ids for case_id, ids in found.items() if ids}

    def placed_in(self, scope: Scope, case_id: str) -> frozenset[str]:
        held = self._load_held((case_id,))[case_id]
        return frozenset(alert_id for alert_id, place in held.items() if place.planned)

    def moved(self, scope: Scope, case_id: str) -> dict[str, str]:
        held = self._load_held((case_id,))[case_id]
        return {i: place.moved_to for i, place in held.items() if place.moved_to}

    def unplace(self, scope: Scope, case_id: str, alert_ids: Collection[str]) -> frozenset[str]:
        held = self._load_held((case_id,))[case_id]
        mine = sorted(i for i in alert_ids if i in held and held[i].planned)
        here = [i for i in mine if held[i].moved_to is None]
        self._mark(case_id, [i for i in mine if held[i].moved_to is not None], planned=0)
        self._mark(case_id, here, planned=0, moved_to="")
        if here:
            self._case_keys_anew(scope, case_id)
        return frozenset(here)

    def asides(self, scope: Scope, alert_ids: Collection[str]) -> dict[str, AsideDirective]:
        found = {}
        for some in chunks(sorted(alert_ids)):
            select = sa.select(ASIDES).where(ASIDES.c.alert_id.in_(some))
            for row in self._connection.execute(select):
                found[row.alert_id] = read_aside(row)
        return found

    def set_aside(self, scope: Scope, directives: Collection[AsideDirective]) -> None:
        ids = [directive.alert for directive in directives]
        self.take_back(scope, [i for i in ids if i not in self._fresh])
        known: dict[str, tuple[str, int]] = {}
        for some in chunks(ids):
            select = sa.select(ALERTS.c.id, ALERTS.c.rule, ALERTS.c.time_us)
            for row in self._connection.execute(select.where(ALERTS.c.id.in_(some))):
                known[row.id] = row.rule, row.time_us
        self._bulk(ASIDES, [aside_row(d, *known[d.alert]) for d in directives])

    def take_back(self, scope: Scope, alert_ids: Collection[str]) -> None:
        for some in chunks(sorted(alert_ids)):
            self._connection.execute(sa.delete(ASIDES).where(ASIDES.c.alert_id.in_(some)))

    def set_wakes(self, scope: Scope, alert_ids: Collection[str], wakes: Collection[Wake]) -> None:
        if alert_ids and self._connection.execute(sa.select(WAKES.c.at_us).limit(1)).first():
            for some in chunks(sorted(alert_ids)):
                self._connection.execute(sa.delete(WAKES).where(WAKES.c.alert_id.in_(some)))
        rows = [{"at_us": w.at, "alert_id": w.alert, "policy": w.policy} for w in sorted(wakes)]
        self._bulk(WAKES, rows, repeats=True)

    def due_wakes(self, scope: Scope, before_us: int, limit: int) -> tuple[str, ...]:
        c = WAKES.c
        first = sa.func.min(c.at_us)
        select = sa.select(c.alert_id).where(c.at_us < before_us).group_by(c.alert_id)
        rows = self._connection.execute(select.order_by(first, c.alert_id).limit(limit))
        return tuple(rows.scalars())

    def as_of(self, scope: Scope) -> int:
        passed = sa.select(MARKS.c.at_us).where(MARKS.c.name == "passed")
        latest = sa.select(sa.func.max(ALERTS.c.time_us))
        found = [self._connection.execute(select).scalar() for select in (passed, latest)]
        return max((int(at) for at in found if at is not None), default=0)

    def passed(self, scope: Scope, at_us: int) -> None:
        self._raise_marks({"passed": at_us})

    def _raise_marks(self, marks: Mapping[str, int]) -> None:
        """Marks only ever grow: in whatever order they come, the highest stays."""
        insert = self._insert(MARKS)
        later = insert.excluded.at_us > MARKS.c.at_us
        values = {"at_us": insert.excluded.at_us}
        upsert = insert.on_conflict_do_update(index_elements=["name"], set_=values, where=later)
        rows = [{"name": name, "at_us": marks[name]} for name in sorted(marks)]
        if rows:
            self._connection.execute(upsert, rows)

    def case_alerts(self, scope: Scope, case_id: str) -> Sequence[StoredAlert]:
        self.case(scope, case_id)
        self._flush()
        select = (
            sa.select(ALERTS)
            .join(CASE_ALERTS, CASE_ALERTS.c.alert_id == ALERTS.c.id)
            .where(CASE_ALERTS.c.case_id == case_id, CASE_ALERTS.c.moved_to.is_(None))
            .order_by(CASE_ALERTS.c.number)
        )
        return [read_alert(row) for row in self._connection.execute(select)]

    def alerts(self, scope: Scope, alert_ids: Sequence[str]) -> Sequence[StoredAlert]:
        found: dict[str, StoredAlert] = {}
        for some in chunks(list(dict.fromkeys(alert_ids))):
            select = sa.select(ALERTS).where(ALERTS.c.id.in_(some), *alert_in_scope(scope))
            for row in self._connection.execute(select):
                found[row.id] = read_alert(row)
        return [found[i] for i in alert_ids if i in found and sees_alert(scope, found[i])]

    # --- the rest

    def put_file(self, scope: Scope, sha256: str, content: bytes) -> None:
        insert = self._insert(FILES).values(sha256=sha256, content=content)
        self._connection.execute(insert.on_conflict_do_nothing())

    def settle(self, scope: Scope, case: Case) -> None:
        self._connection.execute(sa.delete(OUTCOMES).where(OUTCOMES.c.case_id == case.id))
        if not case.ended:
            return
        found = outcomes_of(case, self.case_alerts(scope, case.id))
        for (rule, tenant, where), outcome in sorted(found.items()):
            self._put(
                OUTCOMES,
                case_id=case.id,
                rule=rule,
                tenant=tenant,
                jurisdiction=where,
                outcome=outcome.value,
            )

    def _insert(self, table: sa.Table) -> Any:
        return _insert_into(table, self._connection.dialect)

    def _bulk(
        self,
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        repeats: bool = False,
        renewed: tuple[str, ...] = (),
    ) -> None:
        """Insert rows that all have the same columns; see ``_insertion`` for those that are there.

        The values go to the driver as they are (text, whole numbers, bytes). Handing them through
        the type system of SQLAlchemy costs more than SQLite takes for the rows.
        """
        if not rows:
            return
        names = tuple(rows[0])
        given = list(map(operator.itemgetter(*names), rows))
        self._send(table, names, given, repeats=repeats, renewed=renewed)

    def _send(
        self,
        table: sa.Table,
        names: tuple[str, ...],
        rows: list[tuple[Any, ...]],
        *,
        repeats: bool = False,
        renewed: tuple[str, ...] = (),
        added_up: tuple[str, ...] = (),
    ) -> None:
        """Insert rows of values in the order of the names."""
        if not rows:
            return
        dialect = self._connection.dialect
        text, order = _insertion(table, names, dialect, repeats, renewed, added_up)
        if order is None:
            given: Any = [dict(zip(names, row, strict=True)) for row in rows]
        else:
            places = [names.index(name) for name in order]
            given = rows if order == names else list(map(operator.itemgetter(*places), rows))
        self._connection.exec_driver_sql(text, given)

    def _put(self, table: sa.Table, **row: Any) -> None:
        self._rows.setdefault(table, []).append(row)

    def _say(self, topic: Topic, body: Mapping[str, Any]) -> None:
        made = self._clock.now_us()
        self._put(OUTBOX, topic=topic.value, made_us=made, body=to_json(body))

    def _flush(self) -> None:
        """Send the rows that wait. Cases first: the others refer to them."""
        touched = [self._cases[case_id] for case_id in self._touched]
        if touched:
            names = tuple(column.name for column in CASES.c if column.name != "id")
            rows_of = {case.id: case_row(case) for case in touched}
            fresh = [row for case_id, row in rows_of.items() if case_id in self._new]
            known = [row for case_id, row in rows_of.items() if case_id not in self._new]
            # No upsert: where another unit made the same case, this one has to fail.
            self._bulk(CASES, fresh)
            self._bulk(CASES, known, renewed=names)
            self._put_tenants(touched, rows_of)
            self._new.clear()
            self._touched.clear()
        for table, rows in self._rows.items():
            # A case may get a key again; everything else is there once, or something is wrong.
            self._bulk(table, rows, repeats=table is CASE_KEYS)
        self._rows.clear()

    def _put_tenants(self, cases: Sequence[Case], rows_of: Mapping[str, Any]) -> None:
        """The institutions of cases, each with what it is counted by; those that left go."""
        c = CASE_TENANTS.c
        for tenant, case_id in sorted(self._left):
            if tenant not in self._cases[case_id].tenants:
                gone = (c.tenant == tenant, c.case_id == case_id)
                self._connection.execute(sa.delete(CASE_TENANTS).where(*gone))
        self._left.clear()
        beside = ("jurisdiction", "ended", "due_sort", "assignee")
        rows = []
        for case in cases:
            row = rows_of[case.id]
            held = tuple(row[name] for name in beside)
            rows += [(tenant, case.id, *held) for tenant in case.tenants]
        self._send(CASE_TENANTS, ("tenant", "case_id", *beside), rows, renewed=beside)

    def finish(self) -> None:
        """Seal what waits and send everything."""
        by_chain: dict[str, list[Entry]] = {}
        for pending in self._pending:
            by_chain.setdefault(pending.chain, []).append(pending)
        entries, ends = [], []
        for chain, (position, previous) in self._ends_of(sorted(by_chain)).items():
            made, position, previous = chained(by_chain[chain], position, previous, self._salt)
            entries += made
            ends.append({"of": chain, "position": position, "hash": previous})
        if ends:
            update = sa.update(CHAINS).where(CHAINS.c.chain == sa.bindparam("of"))
            self._connection.execute(update, ends)
        for entry in entries:
            if entry.case:
                body = {"case": entry.case, "sequence": entry.sequence, "kind": entry.kind.value}
                self._say(Topic.WEBHOOKS, body)
        for case_id in self._changed:
            self._say(Topic.SEARCH, {"case": case_id, "version": self._cases[case_id].version})
        self._flush()
        self._bulk(ENTRIES, [entry_row(entry) for entry in entries])

    def _ends_of(self, chains: Sequence[str]) -> dict[str, tuple[int, bytes]]:
        """The ends of chains, held until the end of the unit."""
        if not chains:
            return {}
        starts = [{"chain": name, "position": 0, "hash": FIRST_PREVIOUS} for name in chains]
        self._connection.execute(self._insert(CHAINS).on_conflict_do_nothing(), starts)
        found: dict[str, tuple[int, bytes]] = {}
        for some in chunks(chains):
            select = sa.select(CHAINS).where(CHAINS.c.chain.in_(some)).order_by(CHAINS.c.chain)
            for row in self._connection.execute(select.with_for_update()):
                found[row.chain] = (int(row.position), bytes(row.hash))
        return {name: found[name] for name in chains}
