"""``casework.webhooks.ports.Outbox`` in the store: endpoints, deliveries and who attempts them.

An endpoint's row is what makes workers wait for each other: whoever writes to an endpoint, or takes
its first delivery, holds the row until the end of the transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from casework.cases.scope import Scope
from casework.stores.sql.engine import told
from casework.stores.sql.queries import chunks
from casework.stores.sql.rows import to_json
from casework.stores.sql.tables import DELIVERIES, ENDPOINTS
from casework.webhooks.delivery import Delivery, DeliveryState, Verdict, replayed
from casework.webhooks.endpoints import Endpoint, EndpointState, Health, owned
from casework.webhooks.ports import Claim
from casework.webhooks.signature import Secret
from regtech.errors import ConflictError, NotFoundError

_PENDING = DeliveryState.PENDING.value


class SqlOutbox:
    """The outbox over the engine of a record; may be used by several threads and processes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._postgres = engine.dialect.name == "postgresql"

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with told(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with (
            told(),
            self._engine.connect().execution_options(regtech_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def _insert(self, table: sa.Table) -> Any:
        return postgresql.insert(table) if self._postgres else sqlite.insert(table)

    # --- endpoints

    def add(self, scope: Scope, endpoint: Endpoint) -> None:
        owned(scope, endpoint.tenant)
        with self._writing() as connection:
            c = ENDPOINTS.c
            known = sa.select(c.id).where(c.id == endpoint.id)
            if connection.execute(known).first() is not None:
                raise ConflictError(f"there is an endpoint {endpoint.id}")
            connection.execute(sa.insert(ENDPOINTS).values(_endpoint_row(endpoint)))

    def endpoint(self, scope: Scope, endpoint_id: str) -> Endpoint:
        with self._reading() as connection:
            return _find(connection, scope, endpoint_id)

    def endpoints(self, scope: Scope) -> tuple[Endpoint, ...]:
        select = sa.select(ENDPOINTS).where(*_mine(scope)).order_by(ENDPOINTS.c.id)
        with self._reading() as connection:
            return tuple(_endpoint(row) for row in connection.execute(select))

    def change(self, scope: Scope, endpoint: Endpoint) -> None:
        with self._writing() as connection:
            old = _find(connection, scope, endpoint.id, hold=True)
            repaired = (
                old.state is EndpointState.DISABLED and endpoint.state is EndpointState.ENABLED
            )
            changed = replace(
                endpoint,
                tenant=old.tenant,
                created_us=old.created_us,
                health=endpoint.health if repaired else old.health,
            )
            _write(connection, changed)

    def remove(self, scope: Scope, endpoint_id: str) -> None:
        with self._writing() as connection:
            _find(connection, scope, endpoint_id, hold=True)
            connection.execute(sa.delete(DELIVERIES).where(DELIVERIES.c.endpoint == endpoint_id))
            connection.execute(sa.delete(ENDPOINTS).where(ENDPOINTS.c.id == endpoint_id))

    def untold(self, scope: Scope) -> tuple[Endpoint, ...]:
        c = ENDPOINTS.c
        off = (c.state == EndpointState.DISABLED.value, c.disabled_why != "", c.told_us.is_(None))
        select = sa.select(ENDPOINTS).where(*off, *_mine(scope)).order_by(c.id)
        with self._reading() as connection:
            return tuple(_endpoint(row) for row in connection.execute(select))

    def told(self, scope: Scope, endpoint_id: str, now_us: int) -> None:
        c = ENDPOINTS.c
        off = (c.id == endpoint_id, c.state == EndpointState.DISABLED.value)
        with self._writing() as connection:
            update = sa.update(ENDPOINTS).where(*off, *_mine(scope))
            connection.execute(update.values(told_us=now_us))

    # --- deliveries

    def put(self, scope: Scope, deliveries: Sequence[Delivery]) -> int:
        wanted = sorted({delivery.endpoint for delivery in deliveries})
        new = 0
        with self._writing() as connection:
            held: set[str] = set()
            for some in chunks(wanted):
                # Held, so that numbers of an endpoint are seen in the order they were given.
                select = sa.select(ENDPOINTS.c.id).where(ENDPOINTS.c.id.in_(some), *_mine(scope))
                select = select.order_by(ENDPOINTS.c.id).with_for_update()
                held.update(connection.execute(select).scalars())
            insert = self._insert(DELIVERIES).on_conflict_do_nothing(index_elements=["id"])
            for delivery in deliveries:
                if delivery.endpoint in held:
                    options = {"preserve_rowcount": True}  # of inserts only kept where asked for
                    row = _delivery_row(delivery)
                    made = connection.execute(insert.values(row), execution_options=options)
                    new += made.rowcount == 1
        return new

    def claim(
        self,
        scope: Scope,
        now_us: int,
        lease_us: int,
        limit: int,
        *,
        without: Collection[str] = (),
    ) -> tuple[Claim, ...]:
        e, d = ENDPOINTS.c, DELIVERIES.c
        first = sa.select(sa.func.min(d.number)).where(d.endpoint == e.id, d.state == _PENDING)
        ready = (e.state == EndpointState.ENABLED.value, e.ready_us <= now_us)
        select = sa.select(ENDPOINTS, first.scalar_subquery().label("head"))
        select = select.where(*ready, *_mine(scope)).order_by(e.ready_us, e.id)
        if without:
            select = select.where(e.tenant.not_in(sorted(without)))
        # What another worker holds at this moment is passed over.
        select = select.with_for_update(of=ENDPOINTS, skip_locked=True)
        claims: list[Claim] = []
        with self._writing() as connection:
            for row in connection.execute(select).all():
                if len(claims) == limit:
                    break
                if row.head is None:
                    continue
                of = sa.select(DELIVERIES).where(d.number == row.head)
                head = connection.execute(of).one()
                if head.lease_us is not None and head.lease_us > now_us:
                    continue
                token, until = head.token + 1, now_us + lease_us
                update = sa.update(DELIVERIES).where(d.number == row.head)
                connection.execute(update.values(token=token, lease_us=until))
                claims.append(Claim(_delivery(head), _endpoint(row), token, until))
        return tuple(claims)

    def renew(self, scope: Scope, claim: Claim, until_us: int) -> bool:
        d = DELIVERIES.c
        mine = (d.id == claim.delivery.id, d.token == claim.token, d.lease_us.is_not(None))
        update = sa.update(DELIVERIES).where(*mine, *_mine(scope, DELIVERIES))
        with self._writing() as connection:
            return connection.execute(update.values(lease_us=until_us)).rowcount == 1

    def settle(self, scope: Scope, claim: Claim, verdict: Verdict) -> bool:
        e, d = ENDPOINTS.c, DELIVERIES.c
        with self._writing() as connection:
            select = sa.select(ENDPOINTS).where(e.id == claim.endpoint.id).with_for_update()
            row = connection.execute(select).one_or_none()
            if row is None:
                return False
            owned(scope, row.tenant)
            mine = (d.id == claim.delivery.id, d.token == claim.token, d.lease_us.is_not(None))
            values = {**_delivery_row(verdict.delivery), "lease_us": None}
            update = sa.update(DELIVERIES).where(*mine).values(values)
            if connection.execute(update).rowcount != 1:
                return False
            endpoint = replace(_endpoint(row), health=verdict.health)
            if verdict.disable and endpoint.state is EndpointState.ENABLED:
                endpoint = replace(
                    endpoint,
                    state=EndpointState.DISABLED,
                    disabled_why=verdict.disable,
                    told_us=None,
                )
            _write(connection, endpoint)
        return True

    def deliveries(
        self,
        scope: Scope,
        *,
        endpoint_id: str | None = None,
        state: DeliveryState | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> tuple[Delivery, ...]:
        d = DELIVERIES.c
        where = [d.number > after, *_mine(scope, DELIVERIES)]
        if endpoint_id is not None:
            where.append(d.endpoint == endpoint_id)
        if state is not None:
            where.append(d.state == state.value)
        select = sa.select(DELIVERIES).where(*where).order_by(d.number).limit(limit)
        with self._reading() as connection:
            return tuple(_delivery(row) for row in connection.execute(select))

    def delivery(self, scope: Scope, delivery_id: str) -> Delivery:
        mine = (DELIVERIES.c.id == delivery_id, *_mine(scope, DELIVERIES))
        with self._reading() as connection:
            row = connection.execute(sa.select(DELIVERIES).where(*mine)).one_or_none()
        if row is None:
            raise NotFoundError("there is no such delivery")
        return _delivery(row)

    def replay(self, scope: Scope, delivery_ids: Collection[str]) -> int:
        d = DELIVERIES.c
        count = 0
        with self._writing() as connection:
            for some in chunks(sorted(set(delivery_ids))):
                select = sa.select(DELIVERIES).where(d.id.in_(some), d.state != _PENDING)
                for row in connection.execute(select.where(*_mine(scope, DELIVERIES))).all():
                    values = _delivery_row(replayed(_delivery(row)))
                    update = sa.update(DELIVERIES).where(d.number == row.number)
                    connection.execute(update.values(values))
                    count += 1
        return count

    def forget(self, scope: Scope, before_us: int) -> int:
        ended = (DELIVERIES.c.ended_us < before_us, *_mine(scope, DELIVERIES))
        with self._writing() as connection:
            return int(connection.execute(sa.delete(DELIVERIES).where(*ended)).rowcount)


def _mine(scope: Scope, table: sa.Table = ENDPOINTS) -> list[sa.ColumnElement[bool]]:
    """Endpoints, or their deliveries, of the scope's tenants."""
    return [] if scope.tenants is None else [table.c.tenant.in_(sorted(scope.tenants))]


def _find(
    connection: sa.Connection, scope: Scope, endpoint_id: str, *, hold: bool = False
) -> Endpoint:
    select = sa.select(ENDPOINTS).where(ENDPOINTS.c.id == endpoint_id, *_mine(scope))
    row = connection.execute(select.with_for_update() if hold else select).one_or_none()
    if row is None:
        raise NotFoundError("there is no such endpoint")
    return _endpoint(row)


def _write(connection: sa.Connection, endpoint: Endpoint) -> None:
    update = sa.update(ENDPOINTS).where(ENDPOINTS.c.id == endpoint.id)
    connection.execute(update.values(_endpoint_row(endpoint)))


def _endpoint_row(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "tenant": endpoint.tenant,
        "url": endpoint.url,
        "secrets": to_json([[secret.key.hex(), secret.until_us] for secret in endpoint.secrets]),
        "created_us": endpoint.created_us,
        "kinds": to_json(sorted(endpoint.kinds)),
        "description": endpoint.description,
        "per_minute": endpoint.per_minute,
        "state": endpoint.state.value,
        "disabled_why": endpoint.disabled_why,
        "told_us": endpoint.told_us,
        "ready_us": endpoint.health.ready_us,
        "failures": endpoint.health.failures,
        "failing_since_us": endpoint.health.failing_since_us,
    }


def _endpoint(row: sa.Row[Any]) -> Endpoint:
    return Endpoint(
        id=row.id,
        tenant=row.tenant,
        url=row.url,
        secrets=tuple(Secret(bytes.fromhex(key), until) for key, until in json.loads(row.secrets)),
        created_us=row.created_us,
        kinds=frozenset(json.loads(row.kinds)),
        description=row.description,
        per_minute=row.per_minute,
        state=EndpointState(row.state),
        disabled_why=row.disabled_why,
        told_us=row.told_us,
        health=Health(row.ready_us, row.failures, row.failing_since_us),
    )


def _delivery_row(delivery: Delivery) -> dict[str, Any]:
    """All but the number, which the store gives, and the lease."""
    return {
        "id": delivery.id,
        "endpoint": delivery.endpoint,
        "tenant": delivery.tenant,
        "kind": delivery.kind,
        "body": delivery.body,
        "made_us": delivery.made_us,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "last": delivery.last,
        "ended_us": delivery.ended_us,
    }


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        endpoint=row.endpoint,
        tenant=row.tenant,
        kind=row.kind,
        body=bytes(row.body),
        made_us=row.made_us,
        number=row.number,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        last=row.last,
        ended_us=row.ended_us,
    )
