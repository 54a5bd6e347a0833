"""What webhooks need of others: the outbox, the sender, and a way to tell an owner."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from casework.cases.scope import Scope
from casework.webhooks.delivery import Delivery, DeliveryState, Outcome, Verdict
from casework.webhooks.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is being attempted. ``token`` tells this claim from later ones."""

    delivery: Delivery
    endpoint: Endpoint
    token: int
    until_us: int


class Outbox(Protocol):
    """Endpoints and what is to be delivered to them. What is out of scope is as if not there."""

    def add(self, scope: Scope, endpoint: Endpoint) -> None:
        """Keep a new endpoint. Raises ``ConflictError`` where the id is taken."""

    def endpoint(self, scope: Scope, endpoint_id: str) -> Endpoint:
        """Raises ``NotFoundError``."""

    def endpoints(self, scope: Scope) -> tuple[Endpoint, ...]:
        """All endpoints in scope, by id."""

    def change(self, scope: Scope, endpoint: Endpoint) -> None:
        """Replace what people set: everything but ``id``, ``tenant``, ``created_us``.

        ``health`` is replaced only where the endpoint was disabled and is enabled by this; else
        it is the worker's alone. Raises ``NotFoundError``.
        """

    def remove(self, scope: Scope, endpoint_id: str) -> None:
        """Forget an endpoint and its deliveries. Raises ``NotFoundError``."""

    def put(self, scope: Scope, deliveries: Sequence[Delivery]) -> int:
        """Keep new deliveries in the order given and number them; how many were new.

        An id that is known changes nothing, whatever became of it; nor does one for an endpoint
        that is gone.
        """

    def claim(
        self,
        scope: Scope,
        now_us: int,
        lease_us: int,
        limit: int,
        *,
        without: Collection[str] = (),
    ) -> tuple[Claim, ...]:
        """Take what may be attempted now, at most one delivery of each endpoint, none of the
        tenants ``without``.

        Of an enabled endpoint that is ready it is the pending delivery with the smallest number,
        unless somebody holds it. Nobody else gets it before ``now_us + lease_us``; afterwards, if
        it was not settled, it is given out again. Endpoints that have waited longest come first.
        """

    def renew(self, scope: Scope, claim: Claim, until_us: int) -> bool:
        """Hold a claim until later: its attempt is still under way; False where it is lost."""

    def settle(self, scope: Scope, claim: Claim, verdict: Verdict) -> bool:
        """Write what came of an attempt, all or nothing, and end the claim.

        False, and nothing is written, where the claim was given to another since, or the
        endpoint is gone. ``verdict.disable`` disables the endpoint and makes its owner untold.
        """

    def deliveries(
        self,
        scope: Scope,
        *,
        endpoint_id: str | None = None,
        state: DeliveryState | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> tuple[Delivery, ...]:
        """Deliveries by number, those after ``after``."""

    def delivery(self, scope: Scope, delivery_id: str) -> Delivery:
        """Raises ``NotFoundError``."""

    def replay(self, scope: Scope, delivery_ids: Collection[str]) -> int:
        """Make ended deliveries pending again, in their old order; how many.

        Unknown and pending ones are left alone.
        """

    def untold(self, scope: Scope) -> tuple[Endpoint, ...]:
        """Endpoints that were disabled by a verdict and whose owners are not told yet."""

    def told(self, scope: Scope, endpoint_id: str, now_us: int) -> None:
        """Note that the owner was told. Nothing happens where the endpoint is gone or enabled."""

    def forget(self, scope: Scope, before_us: int) -> int:
        """Drop deliveries that ended before; how many. Their messages must not come again."""


class Sender(Protocol):
    """One attempt over the network."""

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """POST once. Whatever the other side does is an ``Outcome``, never an exception."""


class Owners(Protocol):
    """A way to the people behind an endpoint."""

    def endpoint_disabled(self, endpoint: Endpoint) -> None:
        """Say that nothing is delivered any more, and why. May be called twice for one event."""
