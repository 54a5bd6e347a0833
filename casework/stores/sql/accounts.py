"""Users, keys and sessions in the store of the record, with the log in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from casework.cases.accounts import ApiKey, Session, User, account_data, account_of
from casework.cases.scope import Scope
from casework.cases.timeline import Draft
from casework.stores.sql.record import SqlRecord
from casework.stores.sql.rows import to_json
from casework.stores.sql.service_tables import API_KEYS, SESSIONS, USERS
from casework.stores.sql.unit import SqlUnit


def upsert(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> None:
    """Insert a row, or replace what there is under its primary key."""
    made = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    insert = made(table).values(row)
    keys = [column.name for column in table.primary_key]
    rest = {name: insert.excluded[name] for name in row if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=rest))


class SqlAccounts:
    """``casework.ports.Accounts`` beside a ``SqlRecord``."""

    def __init__(self, record: SqlRecord) -> None:
        self._record = record

    @contextmanager
    def unit(self, scope: Scope) -> Iterator[_Unit]:
        with self._record.unit(scope) as unit:
            yield _Unit(unit)

    def _one(self, select: sa.Select[Any]) -> Any:
        with self._record.reading() as connection:
            body = connection.execute(select).scalar()
        return None if body is None else json.loads(body)

    def user(self, scope: Scope, name: str) -> User | None:
        found = self._one(sa.select(USERS.c.body).where(USERS.c.name == name))
        return None if found is None else account_of(User, found)

    def user_of_subject(self, scope: Scope, subject: str) -> User | None:
        found = self._one(sa.select(USERS.c.body).where(USERS.c.subject == subject))
        return None if found is None else account_of(User, found)

    def users(self, scope: Scope) -> tuple[User, ...]:
        with self._record.reading() as connection:
            rows = connection.execute(sa.select(USERS.c.body).order_by(USERS.c.name)).scalars()
            return tuple(account_of(User, json.loads(body)) for body in rows)

    def key(self, scope: Scope, key_id: str) -> ApiKey | None:
        found = self._one(sa.select(API_KEYS.c.body).where(API_KEYS.c.id == key_id))
        return None if found is None else account_of(ApiKey, found)

    def keys(self, scope: Scope, owner: str | None = None) -> tuple[ApiKey, ...]:
        select = sa.select(API_KEYS.c.body).order_by(API_KEYS.c.id)
        if owner is not None:
            select = select.where(API_KEYS.c.owner == owner)
        with self._record.reading() as connection:
            rows = connection.execute(select).scalars()
            return tuple(account_of(ApiKey, json.loads(body)) for body in rows)

    def session(self, scope: Scope, digest: str) -> Session | None:
        found = self._one(sa.select(SESSIONS.c.body).where(SESSIONS.c.digest == digest))
        return None if found is None else account_of(Session, found)


class _Unit:
    def __init__(self, unit: SqlUnit) -> None:
        self._unit, self._connection = unit, unit.connection

    def log(self, scope: Scope, chain: str, draft: Draft) -> None:
        self._unit.log(scope, chain, draft)

    def user(self, scope: Scope, name: str) -> User | None:
        select = sa.select(USERS.c.body).where(USERS.c.name == name).with_for_update()
        body = self._connection.execute(select).scalar()
        return None if body is None else account_of(User, json.loads(body))

    def put_user(self, scope: Scope, user: User) -> None:
        row = {"name": user.name, "subject": user.subject or None}
        upsert(self._connection, USERS, {**row, "body": to_json(account_data(user))})

    def put_key(self, scope: Scope, key: ApiKey) -> None:
        row = {"id": key.id, "owner": key.owner, "body": to_json(account_data(key))}
        upsert(self._connection, API_KEYS, row)

    def put_session(self, scope: Scope, session: Session) -> None:
        row = {
            "digest": session.digest,
            "owner": session.user,
            "expires_us": session.expires_us,
            "body": to_json(account_data(session)),
        }
        upsert(self._connection, SESSIONS, row)

    def drop_session(self, scope: Scope, digest: str) -> None:
        self._connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.digest == digest))

    def drop_sessions(self, scope: Scope, user: str, before_us: int | None = None) -> None:
        delete = sa.delete(SESSIONS)
        if user:
            delete = delete.where(SESSIONS.c.owner == user)
        if before_us is not None:
            delete = delete.where(SESSIONS.c.expires_us < before_us)
        self._connection.execute(delete)
