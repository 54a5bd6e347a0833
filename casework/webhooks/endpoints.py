"""Endpoints: who is told of what, where, and signed with which secrets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from casework.cases.scope import Scope
from casework.webhooks.address import AllowList, Resolver, checked_addresses, parse_url
from casework.webhooks.signature import Secret, new_secret, rotated
from regtech.content.saying import say
from regtech.errors import NotFoundError, UsageError

PER_MINUTE: Final = 600
DAY_US: Final = 86_400_000_000
_KIND = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?")


class EndpointState(StrEnum):
    """Whether deliveries are attempted. Those that wait at a disabled endpoint are kept."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint does: written with every attempt, apart from what people set.

    ``failures`` counts attempts since the last success, ``failing_since_us`` is the first of them.
    The endpoint is not called before ``ready_us``.
    """

    ready_us: int = 0
    failures: int = 0
    failing_since_us: int | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver. ``kinds`` are types of messages (``case.opened``, ``case.*``); none means all.

    ``told_us``: when the owner was told that it was disabled for ``disabled_why``.
    """

    id: str
    tenant: str
    """The owner: "" is the regulator itself."""
    url: str
    secrets: tuple[Secret, ...] = field(repr=False)
    created_us: int
    kinds: frozenset[str] = frozenset()
    description: str = ""
    per_minute: int = PER_MINUTE
    state: EndpointState = EndpointState.ENABLED
    disabled_why: str = ""
    told_us: int | None = None
    health: Health = Health()

    def wants(self, kind: str) -> bool:
        """Whether messages of this type are for it."""
        if not self.kinds:
            return True
        return any(
            kind == wanted or (wanted.endswith(".*") and kind.startswith(wanted[:-1]))
            for wanted in self.kinds
        )


def owned(scope: Scope, tenant: str) -> None:
    """Raise ``NotFoundError`` where the scope does not reach the tenant's endpoints."""
    if scope.tenants is not None and tenant not in scope.tenants:
        raise NotFoundError(say("there is no such endpoint"))


def new_endpoint(
    scope: Scope,
    *,
    endpoint_id: str,
    tenant: str,
    url: str,
    kinds: frozenset[str],
    description: str,
    per_minute: int,
    resolver: Resolver,
    allow: AllowList,
    now_us: int,
    random_bytes: Callable[[int], bytes],
) -> Endpoint:
    """An endpoint with a fresh secret, after its URL and every address behind it were checked.

    Raises ``AddressError`` for a place that is not allowed, ``UsageError`` for other wrong values,
    ``NotFoundError`` for a tenant out of scope.
    """
    owned(scope, tenant)
    for kind in sorted(kinds):
        if not _KIND.fullmatch(kind):
            raise UsageError(
                say("%(kind)r is no type of message", kind=kind),
                hint=say("such as case.opened or case.*"),
            )
    if not 1 <= per_minute <= 60_000:
        raise UsageError(say("a rate is from 1 to 60,000 a minute"))
    if len(description) > 500:
        raise UsageError(say("a description has at most 500 characters"))
    check_url(url, resolver, allow)
    return Endpoint(
        id=endpoint_id,
        tenant=tenant,
        url=url,
        secrets=(new_secret(random_bytes),),
        created_us=now_us,
        kinds=kinds,
        description=description,
        per_minute=per_minute,
    )


def check_url(url: str, resolver: Resolver, allow: AllowList) -> None:
    """Raise ``AddressError`` where webhooks may not go to this URL as it stands now."""
    target = parse_url(url)
    try:
        checked_addresses(target, resolver, allow)
    except OSError as error:
        raise UsageError(
            say(
                "the host %(host)s was not found: %(strerror)s",
                host=target.host,
                strerror=error.strerror or error,
            ),
            hint=say("register an endpoint when its name can be resolved"),
            code="webhook_address",
        ) from None


def with_new_secret(
    endpoint: Endpoint, now_us: int, overlap_us: int, random_bytes: Callable[[int], bytes]
) -> Endpoint:
    """The endpoint with a fresh secret first; the old ones sign beside it for ``overlap_us``."""
    fresh = new_secret(random_bytes)
    return replace(endpoint, secrets=rotated(endpoint.secrets, fresh, now_us, overlap_us))


def enabled_again(endpoint: Endpoint) -> Endpoint:
    """The endpoint as after its repair: what waits is attempted at once, in order."""
    return replace(
        endpoint,
        state=EndpointState.ENABLED,
        disabled_why="",
        told_us=None,
        health=Health(),
    )
