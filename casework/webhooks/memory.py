"""The outbox in memory, for tests and rehearsals: nothing survives the process."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import replace

from casework.cases.scope import Scope
from casework.webhooks.delivery import Delivery, DeliveryState, Verdict, replayed
from casework.webhooks.endpoints import Endpoint, EndpointState, owned
from casework.webhooks.ports import Claim
from regtech.errors import ConflictError, NotFoundError


class MemoryOutbox:
    """``Outbox`` over dictionaries, under one lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endpoints: dict[str, Endpoint] = {}
        self._deliveries: dict[str, Delivery] = {}  # in the order of their numbers
        self._leases: dict[str, tuple[int, int]] = {}  # delivery: token, until
        self._number = 0
        self._token = 0

    def add(self, scope: Scope, endpoint: Endpoint) -> None:
        owned(scope, endpoint.tenant)
        with self._lock:
            if endpoint.id in self._endpoints:
                raise ConflictError(f"there is an endpoint {endpoint.id}")
            self._endpoints[endpoint.id] = endpoint

    def _find(self, scope: Scope, endpoint_id: str) -> Endpoint:
        endpoint = self._endpoints.get(endpoint_id)
        if endpoint is None:
            raise NotFoundError("there is no such endpoint")
        owned(scope, endpoint.tenant)
        return endpoint

    def endpoint(self, scope: Scope, endpoint_id: str) -> Endpoint:
        with self._lock:
            return self._find(scope, endpoint_id)

    def endpoints(self, scope: Scope) -> tuple[Endpoint, ...]:
        with self._lock:
            return tuple(self._endpoints[key] for key in sorted(self._seen(scope)))

    def _seen(self, scope: Scope) -> list[str]:
        return [
            endpoint.id
            for endpoint in self._endpoints.values()
            if scope.tenants is None or endpoint.tenant in scope.tenants
        ]

    def change(self, scope: Scope, endpoint: Endpoint) -> None:
        with self._lock:
            old = self._find(scope, endpoint.id)
            enabled = (
                old.state is EndpointState.DISABLED and endpoint.state is EndpointState.ENABLED
            )
            self._endpoints[endpoint.id] = replace(
                endpoint,
                tenant=old.tenant,
                created_us=old.created_us,
                health=endpoint.health if enabled else old.health,
            )

    def remove(self, scope: Scope, endpoint_id: str) -> None:
        with self._lock:
            self._find(scope, endpoint_id)
            del self._endpoints[endpoint_id]
            gone = [d.id for d in self._deliveries.values() if d.endpoint == endpoint_id]
            for delivery_id in gone:
                del self._deliveries[delivery_id]
                self._leases.pop(delivery_id, None)

    def put(self, scope: Scope, deliveries: Sequence[Delivery]) -> int:
        with self._lock:
            seen = set(self._seen(scope))
            new = 0
            for delivery in deliveries:
                if delivery.id in self._deliveries or delivery.endpoint not in seen:
                    continue
                self._number += 1
                new += 1
                self._deliveries[delivery.id] = replace(delivery, number=self._number)
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
        with self._lock:
            ready = [
                endpoint
                for endpoint in (self._endpoints[key] for key in self._seen(scope))
                if endpoint.state is EndpointState.ENABLED
                and endpoint.health.ready_us <= now_us
                and endpoint.tenant not in without
            ]
            heads: dict[str, Delivery] = {}
            for delivery in self._deliveries.values():
                if delivery.state is DeliveryState.PENDING:
                    heads.setdefault(delivery.endpoint, delivery)
            claims: list[Claim] = []
            for endpoint in sorted(ready, key=lambda each: (each.health.ready_us, each.id)):
                head = heads.get(endpoint.id)
                if head is None or self._leases.get(head.id, (0, 0))[1] > now_us:
                    continue
                if len(claims) == limit:
                    break
                self._token += 1
                self._leases[head.id] = (self._token, now_us + lease_us)
                claims.append(Claim(head, endpoint, self._token, now_us + lease_us))
            return tuple(claims)

    def renew(self, scope: Scope, claim: Claim, until_us: int) -> bool:
        with self._lock:
            if self._leases.get(claim.delivery.id, (0, 0))[0] != claim.token:
                return False
            self._leases[claim.delivery.id] = (claim.token, until_us)
            return True

    def settle(self, scope: Scope, claim: Claim, verdict: Verdict) -> bool:
        with self._lock:
            delivery_id = claim.delivery.id
            endpoint = self._endpoints.get(claim.endpoint.id)
            if endpoint is None or self._leases.get(delivery_id, (0, 0))[0] != claim.token:
                return False
            owned(scope, endpoint.tenant)
            del self._leases[delivery_id]
            self._deliveries[delivery_id] = verdict.delivery
            endpoint = replace(endpoint, health=verdict.health)
            if verdict.disable and endpoint.state is EndpointState.ENABLED:
                endpoint = replace(
                    endpoint,
                    state=EndpointState.DISABLED,
                    disabled_why=verdict.disable,
                    told_us=None,
                )
            self._endpoints[endpoint.id] = endpoint
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
        with self._lock:
            seen = set(self._seen(scope))
            found = [
                delivery
                for delivery in self._deliveries.values()
                if delivery.endpoint in seen
                and delivery.number > after
                and endpoint_id in (None, delivery.endpoint)
                and state in (None, delivery.state)
            ]
            return tuple(found[:limit])

    def delivery(self, scope: Scope, delivery_id: str) -> Delivery:
        with self._lock:
            delivery = self._deliveries.get(delivery_id)
            if delivery is None or delivery.endpoint not in self._seen(scope):
                raise NotFoundError("there is no such delivery")
            return delivery

    def replay(self, scope: Scope, delivery_ids: Collection[str]) -> int:
        with self._lock:
            seen = set(self._seen(scope))
            count = 0
            for delivery_id in delivery_ids:
                delivery = self._deliveries.get(delivery_id)
                if (
                    delivery is not None
                    and delivery.endpoint in seen
                    and delivery.state is not DeliveryState.PENDING
                ):
                    self._deliveries[delivery_id] = replayed(delivery)
                    count += 1
            return count

    def untold(self, scope: Scope) -> tuple[Endpoint, ...]:
        with self._lock:
            return tuple(
                endpoint
                for endpoint in (self._endpoints[key] for key in sorted(self._seen(scope)))
                if endpoint.state is EndpointState.DISABLED
                and endpoint.disabled_why
                and endpoint.told_us is None
            )

    def told(self, scope: Scope, endpoint_id: str, now_us: int) -> None:
        with self._lock:
            endpoint = self._endpoints.get(endpoint_id)
            if endpoint is None or endpoint_id not in self._seen(scope):
                return
            if endpoint.state is EndpointState.DISABLED:
                self._endpoints[endpoint_id] = replace(endpoint, told_us=now_us)

    def forget(self, scope: Scope, before_us: int) -> int:
        with self._lock:
            seen = set(self._seen(scope))
            gone = [
                delivery.id
                for delivery in self._deliveries.values()
                if delivery.endpoint in seen
                and delivery.ended_us is not None
                and delivery.ended_us < before_us
            ]
            for delivery_id in gone:
                del self._deliveries[delivery_id]
            return len(gone)
