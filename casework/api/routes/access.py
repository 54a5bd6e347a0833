"""Logging in and out, who one is, keys, users."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from casework.api.context import Parts
from casework.api.gate import Manager, Reader, Worker
from casework.api.problems import ProblemError, documented
from casework.api.types import access as T
from casework.cases.accounts import ApiKey
from casework.cases.errors import ThrottledError, UnauthenticatedError
from casework.cases.times import time_text
from casework.identity.rate import COOKIE
from casework.identity.service import Caller

router = APIRouter(tags=["access"])


@router.post("/session", responses=documented(), summary="Log in")
def log_in(request: Request, response: Response, parts: Parts, wanted: T.Login) -> T.Who:
    """Begin a session: sets a cookie and says the token that `X-CSRF-Token` has to be.

    A session that the browser had before ends. After failures the next try has to wait.
    """
    _same_site(request)
    gate = parts.gate
    address = gate.address(request)
    gate.strangers.take(address)
    try:
        token, session = gate.identity.log_in(
            wanted.name,
            wanted.password.get_secret_value(),
            wanted.code,
            address=address,
            replacing=request.cookies.get(COOKIE),
        )
    except (UnauthenticatedError, ThrottledError) as error:
        parts.metrics.login(error.code)
        raise
    parts.metrics.login("done")
    set_session_cookie(response, token, (session.expires_us - session.created_us) // 1_000_000)
    return who(gate.identity.of_session(token))


@router.get("/session", responses=documented(), summary="Who am I")
def show(caller: Reader) -> T.Who:
    """Who asks, what they may see, and the token for requests that change something."""
    return who(caller)


@router.delete("/session", status_code=204, responses=documented(), summary="Log out")
def log_out(caller: Worker, parts: Parts, response: Response) -> None:
    """End the session."""
    parts.gate.identity.log_out(caller)
    set_session_cookie(response, "", 0)


@router.get("/keys", responses=documented(), summary="Keys")
def keys(
    caller: Manager,
    parts: Parts,
    owner: Annotated[
        str | None, Query(max_length=64, description="Somebody else; `*`: everybody.")
    ] = None,
) -> T.KeyList:
    """One's own keys; those who oversee accounts may ask for others'."""
    wanted = None if owner == "*" else owner or caller.user.name
    found = parts.gate.identity.keys(caller.scope, wanted)
    return T.KeyList(items=[T.Key.model_validate(_key(key)) for key in found])


@router.post("/keys", status_code=201, responses=documented(404), summary="Make a key")
def make_key(caller: Manager, parts: Parts, wanted: T.NewKey) -> T.MadeKey:
    """A key of one's own for a machine. Its text is shown this once.

    It takes a session: a key makes no keys, or one that leaked would outlive itself.
    """
    if caller.session is None:
        raise ProblemError(403, "forbidden", "a key makes no keys", "log in for it")
    text, key = parts.gate.identity.create_key(
        caller.scope,
        caller.user.name,
        wanted.label,
        wanted.permissions,
        days=wanted.days,
        roles=wanted.roles,
        jurisdictions=wanted.jurisdictions,
        tenants=wanted.tenants,
    )
    return T.MadeKey.model_validate({**_key(key), "text": text})


@router.delete("/keys/{key}", responses=documented(404), summary="Revoke a key")
def revoke(caller: Manager, parts: Parts, key: Annotated[str, Field(max_length=64)]) -> T.Key:
    """End a key at once and for good."""
    return T.Key.model_validate(_key(parts.gate.identity.revoke_key(caller.scope, key)))


@router.get("/users", responses=documented(), summary="Users")
def users(caller: Manager, parts: Parts) -> T.UserList:
    """All users, for those who oversee accounts. They are made on the command line."""
    items = [
        T.UserLine(
            name=user.name,
            roles=sorted(user.roles),
            jurisdictions=_sorted(user.jurisdictions),
            tenants=_sorted(user.tenants),
            created=time_text(user.created_us),
            second_factor=bool(user.totp),
            disabled=user.disabled,
        )
        for user in parts.gate.identity.users(caller.scope)
    ]
    return T.UserList(items=items)


def who(caller: Caller) -> T.Who:
    """What a caller is told of itself."""
    scope, session = caller.scope, caller.session
    ends = session.expires_us if session else caller.key.expires_us if caller.key else None
    return T.Who(
        name=caller.user.name,
        roles=sorted(scope.roles),
        jurisdictions=_sorted(scope.jurisdictions),
        tenants=_sorted(scope.tenants),
        permissions=sorted(caller.permissions),
        key=None if caller.key is None else caller.key.id,
        csrf=None if session is None else session.csrf,
        expires=None if ends is None else time_text(ends),
    )


def _key(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "owner": key.owner,
        "label": key.label,
        "permissions": sorted(key.permissions),
        "roles": _sorted(key.roles),
        "jurisdictions": _sorted(key.jurisdictions),
        "tenants": _sorted(key.tenants),
        "created": time_text(key.created_us),
        "expires": time_text(key.expires_us),
        "revoked": None if key.revoked_us is None else time_text(key.revoked_us),
    }


def _sorted(values: frozenset[str] | frozenset[object] | None) -> list[str] | None:
    return None if values is None else sorted(str(value) for value in values)


def _same_site(request: Request) -> None:
    """A page of another site may not log a browser in: there is no token yet to ask for."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ProblemError(403, "csrf", "the login did not come from this site")


def set_session_cookie(response: Response, token: str, seconds: int) -> None:
    """Hand the browser its session; no seconds: take it away."""
    response.set_cookie(
        COOKIE, token, max_age=seconds, path="/", httponly=True, samesite="lax", secure=True
    )
