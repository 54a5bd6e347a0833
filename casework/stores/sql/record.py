"""The record over SQLAlchemy: reading, and the units that write.

More than 500 lines: one method for each question of the port, and it is read beside the port.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, Outcome
from casework.cases.directive import Disposition
from casework.cases.disclosure import sees, sees_alert
from casework.cases.keys import Key, KeyKind
from casework.cases.scope import Scope
from casework.cases.timeline import Entry
from casework.ports import (
    AlertConflict,
    AlertQuery,
    AsideAlert,
    CaseQuery,
    Dossier,
    Message,
    Page,
    Precision,
    Related,
    SavedSearch,
    Standing,
    Tally,
    Topic,
)
from casework.stores.common import (
    CASE_PLACE,
    HUB_CASES,
    RESTRICTED_PLACE,
    SEARCHES_MAX,
    Salt,
    absent,
    case_order,
    read_conflict_cursor,
    read_cursor,
    search_name,
    too_many_searches,
    write_cursor,
)
from casework.stores.sql.engine import open_engine, store_url, told
from casework.stores.sql.outbox import SqlOutbox
from casework.stores.sql.queries import (
    alert_in_scope,
    alert_weeks,
    alerts_asked,
    alerts_by_key,
    case_weeks,
    chunks,
    in_scope,
    queue,
    standing,
    tally,
)
from casework.stores.sql.rows import (
    read_alert,
    read_aside,
    read_case,
    read_entry,
    read_message,
    to_json,
)
from casework.stores.sql.tables import (
    ALERT_CONFLICTS,
    ALERT_KEYS,
    ALERTS,
    ASIDES,
    CASE_ALERTS,
    CASE_KEYS,
    CASES,
    CHAINS,
    CHECKPOINTS,
    ENTRIES,
    FILES,
    OUTBOX,
    OUTCOMES,
    SAVED_SEARCHES,
)
from casework.stores.sql.unit import SqlUnit
from regtech.clock import Clock
from regtech.errors import StoreError


class SqlRecord:
    """``casework.ports.Record`` in SQLite or PostgreSQL; may be used by several threads.

    ``salt`` gives ``SALT_BYTES`` random bytes a call. ``create`` False: the store has to be there.
    """

    def __init__(self, url: str, clock: Clock, salt: Salt, *, create: bool = True) -> None:
        self._clock, self._salt = clock, salt
        self._engine = open_engine(store_url(url), create=create)

    @contextmanager
    def unit(self, scope: Scope) -> Iterator[SqlUnit]:
        with self._writing() as connection:
            unit = SqlUnit(connection, self._clock, self._salt)
            yield unit
            unit.finish()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with (
            told(),
            self._engine.connect().execution_options(regtech_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for reading, on one state of the store."""
        with told(), self._engine.connect() as connection, connection.begin():
            yield connection

    def _visible(self, connection: sa.Connection, scope: Scope, case_id: str) -> Case:
        select = sa.select(CASES.c.body).where(CASES.c.id == case_id, *in_scope(scope))
        body = connection.execute(select).scalar()
        case = None if body is None else read_case(body)
        # The second check is the same rule in its other form: neither alone lets anything out.
        if case is None or not sees(scope, case):
            raise absent("case", case_id)
        return case

    def case(self, scope: Scope, case_id: str) -> Case:
        with self.reading() as connection:
            return self._visible(connection, scope, case_id)

    def cases(
        self, scope: Scope, query: CaseQuery, *, after: str | None = None, limit: int = 50
    ) -> Page[Case]:
        kinds = RESTRICTED_PLACE if scope.restricted else CASE_PLACE
        place = None if after is None else read_cursor(after, kinds)
        with self.reading() as connection:
            rows = connection.execute(queue(scope, query, place).limit(limit + 1)).all()
        items = tuple(read_case(row.body) for row in rows[:limit])
        more = len(rows) > limit
        return Page(items, write_cursor(case_order(scope, items[-1])) if more else None)

    def tally(self, scope: Scope, query: CaseQuery, by: Tally) -> Mapping[str, int]:
        with self.reading() as connection:
            rows = connection.execute(tally(scope, query, by)).all()
        return {str(value): int(count) for value, count in rows}

    def standing(
        self, scope: Scope, by: Sequence[Tally], now_us: int, query: CaseQuery | None = None
    ) -> Mapping[tuple[str, ...], Standing]:
        with self.reading() as connection:
            rows = connection.execute(standing(scope, by, now_us, query)).all()
        return {tuple(map(str, row[:-3])): Standing(*map(int, row[-3:])) for row in rows}

    def case_weeks(self, scope: Scope, last_day: int, weeks: int) -> Mapping[str, tuple[int, ...]]:
        return self._by_week(case_weeks(scope, last_day, weeks), weeks)

    def alert_weeks(
        self, scope: Scope, by: Tally, last_day: int, weeks: int
    ) -> Mapping[str, tuple[int, ...]]:
        return self._by_week(alert_weeks(scope, by, last_day, weeks), weeks)

    def _by_week(self, select: sa.Select[Any], weeks: int) -> dict[str, tuple[int, ...]]:
        found: dict[str, list[int]] = {}
        with self.reading() as connection:
            for value, week, count in connection.execute(select):
                found.setdefault(value, [0] * weeks)[week] = int(count)
        return {value: tuple(series) for value, series in found.items()}

    def timeline(
        self, scope: Scope, case_id: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        select = (
            sa.select(ENTRIES)
            .where(ENTRIES.c.case_id == case_id, ENTRIES.c.sequence > after)
            .order_by(ENTRIES.c.sequence)
            .limit(limit)
        )
        with self.reading() as connection:
            self._visible(connection, scope, case_id)
            return tuple(read_entry(row) for row in connection.execute(select))

    def case_alerts(
        self, scope: Scope, case_id: str, *, after: str | None = None, limit: int = 50
    ) -> Page[StoredAlert]:
        first = 0 if after is None else read_cursor(after, (int,))[0]
        c = CASE_ALERTS.c
        select = (
            sa.select(ALERTS, c.number)
            .join(CASE_ALERTS, c.alert_id == ALERTS.c.id)
            .where(c.case_id == case_id, c.moved_to.is_(None), c.number > first)
            .order_by(c.number)
            .limit(limit + 1)
        )
        with self.reading() as connection:
            self._visible(connection, scope, case_id)
            rows = connection.execute(select).all()
        items = rows[:limit]
        more = len(rows) > limit
        return Page(
            tuple(read_alert(row) for row in items),
            write_cursor((items[-1].number,)) if more else None,
        )

    def alert(self, scope: Scope, alert_id: str) -> StoredAlert:
        select = sa.select(ALERTS).where(ALERTS.c.id == alert_id, *alert_in_scope(scope))
        with self.reading() as connection:
            row = connection.execute(select).one_or_none()
        if row is None or not sees_alert(scope, read_alert(row)):
            raise absent("alert", alert_id)
        return read_alert(row)

    def alerts(
        self,
        scope: Scope,
        query: AlertQuery | None = None,
        *,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[StoredAlert]:
        c = ALERTS.c
        where = [*alert_in_scope(scope), *alerts_asked(query or AlertQuery())]
        if after is not None:
            time, identity = read_cursor(after, (int, str))
            later = sa.and_(c.time_us == -time, c.id > identity)
            where += [c.time_us <= -time, sa.or_(c.time_us < -time, later)]
        select = sa.select(ALERTS).where(*where).order_by(c.time_us.desc(), c.id)
        with self.reading() as connection:
            rows = connection.execute(select.limit(limit + 1)).all()
        items = rows[:limit]
        more = len(rows) > limit
        return Page(
            tuple(read_alert(row) for row in items),
            write_cursor((-items[-1].time_us, items[-1].id)) if more else None,
        )

    def asides(
        self,
        scope: Scope,
        *,
        disposition: Disposition | None = None,
        rule: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[AsideAlert]:
        c = ASIDES.c
        where = alert_in_scope(scope)
        if disposition is not None:
            where.append(c.disposition == disposition.value)
        if rule is not None:
            where.append(c.rule == rule)
        if after is not None:
            time, identity = read_cursor(after, (int, str))
            later = sa.and_(c.time_us == -time, c.alert_id > identity)
            where += [c.time_us <= -time, sa.or_(c.time_us < -time, later)]
        named = [column for column in c if column.name not in ("rule", "time_us")]
        select = (
            sa.select(ALERTS, *named)
            .join(ASIDES, c.alert_id == ALERTS.c.id)
            .where(*where)
            .order_by(c.time_us.desc(), c.alert_id)
            .limit(limit + 1)
        )
        with self.reading() as connection:
            rows = connection.execute(select).all()
        items = rows[:limit]
        more = len(rows) > limit
        return Page(
            tuple(AsideAlert(read_alert(row), read_aside(row)) for row in items),
            write_cursor((-items[-1].time_us, items[-1].id)) if more else None,
        )

    def alerts_of(
        self, scope: Scope, keys: Collection[Key], since_us: int, until_us: int, *, latest: int
    ) -> Sequence[StoredAlert]:
        k = ALERT_KEYS.c
        with self.reading() as connection:
            found = {
                row.id: row
                for select in alerts_by_key(scope, keys, since_us, until_us)
                for row in connection.execute(
                    select.order_by(k.time_us.desc(), k.alert_id.desc()).limit(latest)
                )
            }
        rows = sorted(found.values(), key=lambda row: (row.time_us, row.id))
        return [read_alert(row) for row in rows[-latest:]]

    def cases_of_alerts(self, scope: Scope, alert_ids: Collection[str]) -> tuple[Case, ...]:
        c = CASE_ALERTS.c
        found: dict[str, Case] = {}
        with self.reading() as connection:
            for some in chunks(sorted(set(alert_ids))):
                mine = sa.select(c.case_id).where(c.alert_id.in_(some), c.moved_to.is_(None))
                select = sa.select(CASES.c.body).where(CASES.c.id.in_(mine), *in_scope(scope))
                cases = map(read_case, connection.execute(select).scalars())
                found.update((case.id, case) for case in cases)
        seen = [case for case in found.values() if sees(scope, case)]
        return tuple(sorted(seen, key=lambda case: case_order(scope, case)))

    def related(self, scope: Scope, case_id: str, *, limit: int = 20) -> tuple[Related, ...]:
        k = CASE_KEYS.c
        shared: dict[str, set[Key]] = defaultdict(set)
        with self.reading() as connection:
            self._visible(connection, scope, case_id)
            mine = connection.execute(sa.select(k.kind, k.value).where(k.case_id == case_id)).all()
            for kind, value in mine:
                select = sa.select(k.case_id).where(k.kind == kind, k.value == value)
                others = connection.execute(select.limit(HUB_CASES + 1)).scalars().all()
                if len(others) <= HUB_CASES:
                    for other in others:
                        shared[other].add((KeyKind(kind), value))
            shared.pop(case_id, None)
            order = sorted(shared, key=lambda other: (-len(shared[other]), other))
            found: list[Related] = []
            for some in chunks(order):
                select = sa.select(CASES.c.body).where(CASES.c.id.in_(some), *in_scope(scope))
                cases = {c.id: c for c in map(read_case, connection.execute(select).scalars())}
                found += [
                    Related(cases[other], tuple(sorted(shared[other])))
                    for other in some
                    if other in cases and sees(scope, cases[other])
                ]
                if len(found) >= limit:
                    break
        return tuple(found[:limit])

    def conflicts(
        self, scope: Scope, *, after: str | None = None, limit: int = 50
    ) -> Page[AlertConflict]:
        c = ALERT_CONFLICTS.c
        where: list[sa.ColumnElement[bool]] = []
        if after is not None:
            identity, digest = read_conflict_cursor(after)
            later = sa.and_(c.alert_id == identity, c.digest > bytes.fromhex(digest))
            where.append(sa.or_(c.alert_id > identity, later))
        if scope.tenants is not None:
            where.append(c.tenant.in_(sorted(scope.tenants)))
        select = sa.select(ALERT_CONFLICTS).where(*where).order_by(c.alert_id, c.digest)
        found: list[AlertConflict] = []
        with self.reading() as connection:
            for row in connection.execute(select):
                alert = StoredAlert.of(bytes(row.raw), row.tenant)
                if sees_alert(scope, alert):
                    known = bytes(row.known_digest).hex()
                    found.append(AlertConflict(alert, known, row.received_us))
                if len(found) > limit:
                    break
        items = found[:limit]
        more = len(found) > limit
        last = items[-1].alert if items else None
        return Page(tuple(items), write_cursor((last.id, last.digest)) if more and last else None)

    def file(self, scope: Scope, case_id: str, sha256: str) -> bytes:
        with self.reading() as connection:
            case = self._visible(connection, scope, case_id)
            select = sa.select(FILES.c.content).where(FILES.c.sha256 == sha256)
            content = connection.execute(select).scalar()
        if content is None or not any(ref.sha256 == sha256 for ref in case.files):
            raise absent("file", sha256)
        if hashlib.sha256(bytes(content)).hexdigest() != sha256:
            raise StoreError(f"the file {sha256} is damaged", hint="restore it from a backup")
        return bytes(content)

    def precision(self, scope: Scope) -> tuple[Precision, ...]:
        c = OUTCOMES.c
        names = (c.rule, c.tenant, c.jurisdiction)
        select = sa.select(*names, c.outcome, sa.func.count().label("cases"))
        counts: dict[tuple[str, str, str], Counter[Outcome]] = defaultdict(Counter)
        with self.reading() as connection:
            for row in connection.execute(select.group_by(*names, c.outcome)):
                counts[row.rule, row.tenant, row.jurisdiction][Outcome(row.outcome)] += row.cases
        return tuple(
            Precision(rule, tenant, where, *(counter[outcome] for outcome in Outcome))
            for (rule, tenant, where), counter in sorted(counts.items())
            if scope.reaches(where, (tenant,))
        )

    def chains(self, scope: Scope) -> Mapping[str, tuple[int, bytes]]:
        c = CHAINS.c
        with self.reading() as connection:
            rows = connection.execute(sa.select(c.chain, c.position, c.hash)).all()
        found = {row.chain: (row.position, bytes(row.hash)) for row in rows if row.position}
        return {name: found[name] for name in sorted(found) if scope.reaches_log(name)}

    def log(
        self, scope: Scope, chain: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        if not scope.reaches_log(chain):
            return ()
        select = (
            sa.select(ENTRIES)
            .where(ENTRIES.c.chain == chain, ENTRIES.c.position > after)
            .order_by(ENTRIES.c.position)
            .limit(limit)
        )
        with self.reading() as connection:
            return tuple(read_entry(row) for row in connection.execute(select))

    def checkpoints(self, scope: Scope, chain: str) -> tuple[Mapping[str, Any], ...]:
        if not scope.reaches_log(chain):
            return ()
        c = CHECKPOINTS.c
        select = sa.select(c.body).where(c.chain == chain).order_by(c.size)
        with self.reading() as connection:
            return tuple(json.loads(body) for body in connection.execute(select).scalars())

    def add_checkpoint(self, scope: Scope, chain: str, size: int, body: Mapping[str, Any]) -> None:
        if not scope.reaches_log(chain):
            raise absent("log", chain)
        row = {"chain": chain, "size": size, "body": to_json(body)}
        with self._writing() as connection:
            connection.execute(sa.insert(CHECKPOINTS).values(**row))

    def messages(self, scope: Scope, topic: Topic, *, limit: int = 500) -> tuple[Message, ...]:
        select = (
            sa.select(OUTBOX)
            .where(OUTBOX.c.topic == topic.value)
            .order_by(OUTBOX.c.number)
            .limit(limit)
        )
        with self.reading() as connection:
            return tuple(read_message(row) for row in connection.execute(select))

    def acknowledge(self, scope: Scope, topic: Topic, numbers: Collection[int]) -> None:
        with self._writing() as connection:
            for some in chunks(sorted(numbers)):
                mine = sa.delete(OUTBOX).where(OUTBOX.c.topic == topic.value)
                connection.execute(mine.where(OUTBOX.c.number.in_(some)))

    def outbox(self) -> SqlOutbox:
        """Endpoints and deliveries of webhooks, in the same store."""
        return SqlOutbox(self._engine)

    def dossiers(
        self, scope: Scope, case_ids: Collection[str], *, alerts_max: int
    ) -> tuple[Dossier, ...]:
        alerts: dict[str, list[StoredAlert]] = defaultdict(list)
        entries: dict[str, list[Entry]] = defaultdict(list)
        cases: list[Case] = []
        a, e = CASE_ALERTS.c, ENTRIES.c
        with self.reading() as connection:
            for some in chunks(sorted(set(case_ids))):
                select = sa.select(CASES.c.body).where(CASES.c.id.in_(some), *in_scope(scope))
                found = [read_case(row.body) for row in connection.execute(select)]
                seen = [case for case in found if sees(scope, case)]
                ids = [case.id for case in seen]
                cases += sorted(seen, key=lambda case: case.id)
                select = (
                    sa.select(ALERTS, a.case_id)
                    .join(CASE_ALERTS, a.alert_id == ALERTS.c.id)
                    .where(a.case_id.in_(ids), a.moved_to.is_(None), a.number <= alerts_max)
                    .order_by(a.case_id, a.number)
                )
                for row in connection.execute(select):
                    alerts[row.case_id].append(read_alert(row))
                select = sa.select(ENTRIES).where(e.case_id.in_(ids))
                for row in connection.execute(select.order_by(e.case_id, e.sequence)):
                    entries[row.case_id].append(read_entry(row))
        return tuple(
            Dossier(case, tuple(alerts[case.id]), tuple(entries[case.id])) for case in cases
        )

    def alerts_by_id(self, scope: Scope, alert_ids: Collection[str]) -> tuple[StoredAlert, ...]:
        found: list[StoredAlert] = []
        with self.reading() as connection:
            for some in chunks(sorted(set(alert_ids))):
                select = sa.select(ALERTS).where(ALERTS.c.id.in_(some), *alert_in_scope(scope))
                found += [read_alert(row) for row in connection.execute(select)]
        return tuple(sorted((x for x in found if sees_alert(scope, x)), key=lambda x: x.id))

    def save_search(self, scope: Scope, name: str, body: Mapping[str, Any]) -> None:
        name, c = search_name(name), SAVED_SEARCHES.c
        mine = c.owner == scope.actor
        new = {"body": to_json(body), "changed_us": self._clock.now_us()}
        with self._writing() as connection:
            update = sa.update(SAVED_SEARCHES).where(mine, c.name == name).values(**new)
            if connection.execute(update).rowcount:
                return
            count = sa.select(sa.func.count()).select_from(SAVED_SEARCHES).where(mine)
            if int(connection.execute(count).scalar_one()) >= SEARCHES_MAX:
                raise too_many_searches()
            insert = sa.insert(SAVED_SEARCHES).values(owner=scope.actor, name=name, **new)
            connection.execute(insert)

    def saved_searches(self, scope: Scope) -> tuple[SavedSearch, ...]:
        c = SAVED_SEARCHES.c
        select = sa.select(c.name, c.body, c.changed_us).where(c.owner == scope.actor)
        with self.reading() as connection:
            rows = connection.execute(select).all()
        found = (SavedSearch(row.name, json.loads(row.body), row.changed_us) for row in rows)
        # Sorted here: servers do not agree on the order of text.
        return tuple(sorted(found, key=lambda search: search.name))

    def forget_search(self, scope: Scope, name: str) -> None:
        c = SAVED_SEARCHES.c
        delete = sa.delete(SAVED_SEARCHES).where(
            c.owner == scope.actor, c.name == search_name(name)
        )
        with self._writing() as connection:
            if not connection.execute(delete).rowcount:
                raise absent("saved search", name)

    def close(self) -> None:
        """Let go of connections; SQLite is told what it may want to know for its plans."""
        try:
            if self._engine.dialect.name == "sqlite":
                # Advice for later plans: where the file is no longer there, it is not needed.
                with contextlib.suppress(sa.exc.SQLAlchemyError), self._engine.connect() as found:
                    found.exec_driver_sql("PRAGMA optimize")
        finally:
            self._engine.dispose()

    def explain(self, scope: Scope, query: CaseQuery) -> list[Any]:
        """How the server finds a page of a queue; for benchmarks and tests of indexes."""
        select = queue(scope, query, None).limit(50)
        text = select.compile(self._engine, compile_kwargs={"literal_binds": True})
        prefix = "EXPLAIN QUERY PLAN" if self._engine.dialect.name == "sqlite" else "EXPLAIN"
        with self.reading() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(f"{prefix} {text}")]
