"""Logging in through a provider: two redirects, and a cookie between them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from casework.api.context import Parts
from casework.api.problems import documented
from casework.api.routes.access import set_session_cookie
from casework.cases.errors import UnauthenticatedError
from casework.identity.openid import STARTED_S, OpenId
from casework.identity.rate import COOKIE
from regtech.errors import InternalError

router = APIRouter(prefix="/session/openid", tags=["access"])

LOGIN_COOKIE: Final = "__Host-regtech-login"
AFTER: Final = "/"
_REDIRECT = {"description": "To where the browser goes on.", "model": None}


@router.get(
    "",
    responses={**documented(), 303: _REDIRECT},
    response_class=RedirectResponse,
    status_code=303,
    summary="Log in through a provider",
)
def begin(request: Request, parts: Parts) -> Response:
    """Send the browser to the OpenID Connect provider."""
    parts.gate.strangers.take(parts.gate.address(request))
    where, sealed = _openid(parts.openid).begin()
    response = RedirectResponse(where, 303)
    response.set_cookie(
        LOGIN_COOKIE, sealed, max_age=STARTED_S, path="/", httponly=True, samesite="lax",
        secure=True,
    )  # fmt: skip
    return response


@router.get(
    "/callback",
    responses={**documented(), 303: _REDIRECT},
    response_class=RedirectResponse,
    status_code=303,
    summary="Back from the provider",
)
def callback(
    request: Request,
    parts: Parts,
    code: Annotated[str, Query(max_length=4000)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
    iss: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Begin the session of whom the provider vouches for. The user has to be there already."""
    parts.gate.strangers.take(parts.gate.address(request))
    try:
        subject = _openid(parts.openid).finish(
            request.cookies.get(LOGIN_COOKIE, ""), code=code, state=state, issuer=iss
        )
        replacing = request.cookies.get(COOKIE)
        token, session = parts.gate.identity.log_in_by_subject(subject, replacing=replacing)
    except UnauthenticatedError as error:
        parts.metrics.login(error.code)
        raise
    parts.metrics.login("done")
    response = RedirectResponse(AFTER, 303)
    response.delete_cookie(LOGIN_COOKIE, path="/", httponly=True, samesite="lax", secure=True)
    set_session_cookie(response, token, (session.expires_us - session.created_us) // 1_000_000)
    return response


def _openid(part: OpenId | None) -> OpenId:
    if part is None:
        raise InternalError("the routes of a provider are there without one")
    return part
