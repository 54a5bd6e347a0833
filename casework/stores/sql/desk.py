"""Events that could not be judged, bulk intakes, and answers to repeated requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from casework.cases.scope import Scope
from casework.ports import Answered, Job, JobState, Page, Quarantined
from casework.stores.common import (
    absent,
    job_data,
    job_of,
    reaches_unjudged,
    read_cursor,
    sees_job,
    settled_already,
    write_cursor,
)
from casework.stores.sql.accounts import upsert
from casework.stores.sql.record import SqlRecord
from casework.stores.sql.rows import to_json
from casework.stores.sql.service_tables import ANSWERS, JOBS, QUARANTINE


@contextmanager
def _writing(record: SqlRecord, scope: Scope) -> Iterator[sa.Connection]:
    with record.unit(scope) as unit:
        yield unit.connection


class SqlAnswers:
    """``casework.ports.Answers`` beside a ``SqlRecord``."""

    def __init__(self, record: SqlRecord) -> None:
        self._record = record

    def begin(self, scope: Scope, key: str, answered: Answered, stale_us: int) -> Answered | None:
        c = ANSWERS.c
        mine = sa.and_(c.actor == scope.actor, c.key == key)
        with _writing(self._record, scope) as connection:
            stale = sa.delete(ANSWERS).where(mine, c.status == 0, c.made_us < stale_us)
            connection.execute(stale)
            made = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            insert = made(ANSWERS).values(_answer_row(scope, key, answered))
            reserved = insert.on_conflict_do_nothing().returning(ANSWERS.c.key)
            if connection.execute(reserved).first() is not None:
                return None
            row = connection.execute(sa.select(ANSWERS).where(mine)).one()
        return Answered(
            row.request, row.made_us, row.status, json.loads(row.headers), bytes(row.body)
        )

    def finish(self, scope: Scope, key: str, answered: Answered | None) -> None:
        with _writing(self._record, scope) as connection:
            if answered is None:
                c = ANSWERS.c
                mine = sa.and_(c.actor == scope.actor, c.key == key, c.status == 0)
                connection.execute(sa.delete(ANSWERS).where(mine))
            else:
                upsert(connection, ANSWERS, _answer_row(scope, key, answered))

    def forget(self, scope: Scope, before_us: int) -> int:
        with _writing(self._record, scope) as connection:
            done = connection.execute(sa.delete(ANSWERS).where(ANSWERS.c.made_us < before_us))
            return int(done.rowcount)


def _answer_row(scope: Scope, key: str, answered: Answered) -> dict[str, Any]:
    return {
        "actor": scope.actor,
        "key": key,
        "request": answered.request,
        "made_us": answered.made_us,
        "status": answered.status,
        "headers": to_json(dict(answered.headers)),
        "body": answered.body,
    }


class SqlEventDesk:
    """``casework.ports.EventDesk`` beside a ``SqlRecord``."""

    def __init__(self, record: SqlRecord) -> None:
        self._record = record

    # --- quarantine

    def quarantine(self, scope: Scope, events: Sequence[Quarantined]) -> tuple[int, ...]:
        numbers = []
        with _writing(self._record, scope) as connection:
            for event in events:
                body = {k: v for k, v in asdict(event).items() if k not in _QUARANTINE_COLUMNS}
                known = _known(connection, event.origin)
                if known is not None:
                    numbers.append(known)
                    continue
                insert = sa.insert(QUARANTINE).values(
                    tenant=event.tenant,
                    state=event.state,
                    code=event.code,
                    origin=event.origin,
                    body=to_json(body),
                    raw=event.raw,
                )
                key = connection.execute(insert).inserted_primary_key
                assert key is not None
                numbers.append(int(key[0]))
        return tuple(numbers)

    def quarantined(
        self,
        scope: Scope,
        *,
        state: str | None = "open",
        code: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Quarantined]:
        c = QUARANTINE.c
        where = _tenants(scope)
        if state is not None:
            where.append(c.state == state)
        if code is not None:
            where.append(c.code == code)
        if after is not None:
            where.append(c.number > read_cursor(after, (int,))[0])
        select = sa.select(QUARANTINE).where(*where).order_by(c.number).limit(limit + 1)
        with self._record.reading() as connection:
            rows = connection.execute(select).all()
        items = tuple(_quarantined(row) for row in rows[:limit])
        more = len(rows) > limit
        return Page(items, write_cursor((items[-1].number,)) if more else None)

    def quarantined_event(self, scope: Scope, number: int) -> Quarantined:
        select = sa.select(QUARANTINE).where(QUARANTINE.c.number == number, *_tenants(scope))
        with self._record.reading() as connection:
            row = connection.execute(select).one_or_none()
        if row is None:
            raise absent("quarantined event", str(number))
        return _quarantined(row)

    def settle_quarantined(self, scope: Scope, number: int, state: str) -> None:
        with _writing(self._record, scope) as connection:
            c = QUARANTINE.c
            select = sa.select(c.state).where(c.number == number, *_tenants(scope))
            known = connection.execute(select.with_for_update()).scalar()
            if known is None:
                raise absent("quarantined event", str(number))
            if known != "open":
                raise settled_already(number, known)
            connection.execute(sa.update(QUARANTINE).where(c.number == number).values(state=state))

    # --- jobs

    def put_job(self, scope: Scope, job: Job) -> None:
        with _writing(self._record, scope) as connection:
            row = {
                "id": job.id,
                "actor": job.actor,
                "state": job.state.value,
                "made_us": job.made_us,
                "body": to_json(job_data(job)),
            }
            upsert(connection, JOBS, row)

    def job(self, scope: Scope, job_id: str) -> Job:
        with self._record.reading() as connection:
            body = connection.execute(sa.select(JOBS.c.body).where(JOBS.c.id == job_id)).scalar()
        job = None if body is None else job_of(json.loads(body))
        if job is None or not sees_job(scope, job):
            raise absent("job", job_id)
        return job

    def jobs(self, scope: Scope, *, after: str | None = None, limit: int = 50) -> Page[Job]:
        c = JOBS.c
        select = sa.select(c.body).order_by(c.made_us.desc(), c.id)
        if scope.restricted:
            select = select.where(c.actor == scope.actor)
        if after is not None:
            made, identity = read_cursor(after, (int, str))
            select = select.where(
                sa.or_(c.made_us < -made, sa.and_(c.made_us == -made, c.id > identity))
            )
        found: list[Job] = []
        with self._record.reading() as connection:
            for body in connection.execute(select).scalars():
                job = job_of(json.loads(body))
                if sees_job(scope, job):
                    found.append(job)
                if len(found) > limit:
                    break
        items = tuple(found[:limit])
        more = len(found) > limit
        return Page(items, write_cursor((-items[-1].made_us, items[-1].id)) if more else None)

    def open_jobs(self, scope: Scope) -> tuple[Job, ...]:
        c = JOBS.c
        states = [JobState.WAITING.value, JobState.RUNNING.value]
        select = sa.select(c.body).where(c.state.in_(states)).order_by(c.made_us, c.id)
        with self._record.reading() as connection:
            return tuple(job_of(json.loads(b)) for b in connection.execute(select).scalars())


_QUARANTINE_COLUMNS = frozenset({"number", "tenant", "state", "code", "origin", "raw"})


def _known(connection: sa.Connection, origin: str | None) -> int | None:
    if origin is None:
        return None
    select = sa.select(QUARANTINE.c.number).where(QUARANTINE.c.origin == origin)
    found = connection.execute(select).scalar()
    return None if found is None else int(found)


def _tenants(scope: Scope) -> list[sa.ColumnElement[bool]]:
    if scope.tenants is None:
        return [] if reaches_unjudged(scope) else [sa.false()]
    return [QUARANTINE.c.tenant.in_(sorted(scope.tenants))]


def _quarantined(row: sa.Row[Any]) -> Quarantined:
    return Quarantined(
        number=row.number,
        tenant=row.tenant,
        state=row.state,
        code=row.code,
        origin=row.origin,
        raw=bytes(row.raw),
        **json.loads(row.body),
    )
