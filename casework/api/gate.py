"""Who asks, whether they may, and how often: the first thing every route does."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from casework.api.problems import ProblemError
from casework.cases.accounts import Permission
from casework.cases.errors import UnauthenticatedError
from casework.cases.scope import Role, Scope
from casework.identity.rate import COOKIE, KEPT, Rate
from casework.identity.service import KEY_PREFIX, Caller, Identity
from regtech.errors import ForbiddenError

CSRF_HEADER: Final = "X-CSRF-Token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
KNOWN_S: Final = 1.0
"""So long a key that was revoked elsewhere may still be taken."""

_BEARER: Final = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key: `Authorization: Bearer rtk_…`."
)
_SESSION: Final = APIKeyCookie(
    name=COOKIE, auto_error=False, scheme_name="session",
    description="The cookie that `POST /api/v1/session` sets.",
)  # fmt: skip
_CSRF: Final = APIKeyHeader(
    name=CSRF_HEADER, auto_error=False, scheme_name="csrf",
    description="With a session, on whatever changes something: the token of the session.",
)  # fmt: skip


class Gate:
    """Finds out who asks, by key or session; counts; checks what a key may be used for."""

    def __init__(self, identity: Identity, rate: Rate, strangers: Rate) -> None:
        self.identity, self.rate, self.strangers = identity, rate, strangers
        self._known: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()
        self._lock = threading.Lock()

    def address(self, request: Request) -> str:
        """Where the request comes from, for throttling."""
        return request.client.host if request.client else ""

    def identify(self, request: Request) -> Caller:
        """Who asks; the same for the whole request. Raises ``UnauthenticatedError``."""
        known: Caller | None = getattr(request.state, "caller", None)
        if known is not None:
            return known
        try:
            caller = self._identify(request)
        except UnauthenticatedError:
            self.strangers.take(self.address(request))
            raise
        left = self.rate.take(caller.id)
        limit = f"{self.rate.burst};w={-(-self.rate.burst // self.rate.per_second)}"
        request.state.rate = (("RateLimit-Limit", limit), ("RateLimit-Remaining", str(left)))
        request.state.caller = caller
        request.state.caller_id = caller.id if caller.key is not None else "session"
        return caller

    def _identify(self, request: Request) -> Caller:
        shown = request.headers.get("authorization")
        if shown is not None:
            scheme, _, text = shown.partition(" ")
            if scheme.lower() != "bearer" or not text.startswith(KEY_PREFIX):
                raise UnauthenticatedError("the key is not known, or no longer", code="key_refused")
            return self._of_key(text.strip())
        token = request.cookies.get(COOKIE)
        if not token:
            raise UnauthenticatedError(
                "neither a key nor a session", hint="Authorization: Bearer rtk_…"
            )
        caller = self.identity.of_session(token)
        if request.method not in _SAFE:
            assert caller.session is not None
            given = request.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(given.encode(), caller.session.csrf.encode()):
                raise ProblemError(
                    403, "csrf", f"{CSRF_HEADER} is not that of the session",
                    "GET /api/v1/session says it",
                )  # fmt: skip
        return caller

    def _of_key(self, text: str) -> Caller:
        """Who has the key, asked of the store at most once in ``KNOWN_S``."""
        clock = self.rate.clock
        digest, now = hashlib.sha256(text.encode()).digest(), clock.elapsed()
        with self._lock:
            caller, at = self._known.get(digest, (None, 0.0))
        if caller is not None and caller.key is not None and now - at < KNOWN_S:
            if caller.key.alive(clock.now_us()):
                return caller
        caller = self.identity.of_key(text)
        with self._lock:
            self._known[digest] = caller, now
            self._known.move_to_end(digest)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return caller

    def admit(self, request: Request, permission: Permission) -> Caller:
        """Who asks, if it may use what needs the permission."""
        caller = self.identify(request)
        if permission not in caller.permissions:
            raise ForbiddenError(
                f"the key may not be used to {permission}", hint="make one that may"
            )
        return caller


def gate_of(request: Request) -> Gate:
    """The gate of the application."""
    gate: Gate = request.app.state.gate
    return gate


def permitted(permission: Permission) -> Callable[..., Caller]:
    """A dependency: the caller, with a permission."""

    def caller(
        request: Request,
        _bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
        _session: Annotated[str | None, Depends(_SESSION)],
        _csrf: Annotated[str | None, Depends(_CSRF)],
    ) -> Caller:
        return gate_of(request).admit(request, permission)

    return caller


Reader = Annotated[Caller, Depends(permitted(Permission.READ))]
Worker = Annotated[Caller, Depends(permitted(Permission.WORK))]
Sender = Annotated[Caller, Depends(permitted(Permission.EVENTS))]
Manager = Annotated[Caller, Depends(permitted(Permission.MANAGE))]


def needs_role(scope: Scope, what: str, *roles: Role) -> None:
    """Raise ``ForbiddenError`` where no role of the scope is among them."""
    if not scope.roles & set(roles):
        raise ForbiddenError(
            f"{scope.actor} may not {what}", hint="it takes the role " + " or ".join(sorted(roles))
        )
