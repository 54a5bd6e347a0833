"""Coming in and going out; language, theme and clock of the pages."""

from __future__ import annotations

import json
from typing import Any, Final

from fastapi import Response
from fastapi.responses import RedirectResponse

from casework.cases.errors import ThrottledError, UnauthenticatedError
from casework.identity.rate import COOKIE
from casework.web.language import LANGUAGES
from casework.web.menu import first_page
from casework.web.render import gettext, page
from casework.web.site import RESUME_MAX, local_path, page_router, sign_in_page
from casework.web.visit import (
    CSRF_FIELD,
    LANG_COOKIE,
    THEME_COOKIE,
    THEMES,
    ZONE_COOKIE,
    Anybody,
    Person,
    Visit,
    same_site,
)

router = page_router()

YEAR_S: Final = 365 * 86_400
NAME_MAX: Final = 200
SECRET_MAX: Final = 1000


@router.get("/")
def begin(visit: Person) -> Response:
    """The first page of whoever asks."""
    return RedirectResponse(first_page(visit.scope, visit.parts), 303)


@router.get("/signin")
def show(visit: Anybody) -> Response:
    """The form."""
    if visit.caller is not None:
        return RedirectResponse(local_path(visit.asked("next", 2000)), 303)
    return sign_in_page(visit, code="session_ended" if visit.asked("ended") else "")


@router.post("/signin")
def sign_in(visit: Anybody) -> Response:
    """Begin a session; go on with what was typed before, where something was."""
    request, parts, typed = visit.request, visit.parts, visit.typed
    same_site(request)
    address = request.client.host if request.client else ""
    name, resume = typed.get("name")[:NAME_MAX], typed.get("resume")
    try:
        parts.strangers.take(address)
        token, session = parts.identity.log_in(
            name,
            next((value for key, value in typed.fields if key == "password"), "")[:SECRET_MAX],
            typed.get("code").replace(" ", "")[:20],
            address=address,
            replacing=request.cookies.get(COOKIE),
        )
    except (UnauthenticatedError, ThrottledError) as error:
        parts.logins.login(error.code)
        made = sign_in_page(
            visit, status=error.http_status, code=error.code, resume=resume, name=name
        )
        if isinstance(error, ThrottledError):
            made.headers["Retry-After"] = str(error.retry_after_s)
        return made
    parts.logins.login("done")
    request.state.caller = parts.identity.of_session(token)
    again = _resumed(resume)
    if again is None:
        made = RedirectResponse(local_path(typed.get("next")), 303)
    else:
        fresh = Visit(
            request, parts, request.state.caller, visit.lang, visit.theme, visit.zone, typed
        )
        made = page(
            fresh, "resume", title=gettext(visit, "You were about to send this"), again=again
        )
    seconds = (session.expires_us - session.created_us) // 1_000_000
    _session_cookie(made, token, seconds)
    return made


def _resumed(text: str) -> dict[str, Any] | None:
    """What was typed before the session ended; None for nothing, and for what is none of ours."""
    if not text or len(text) > RESUME_MAX:
        return None
    try:
        found = json.loads(text)
        path, fields = found["path"], found["fields"]
        pairs = [(str(name), str(value)) for name, value in fields if name != CSRF_FIELD]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(path, str) or local_path(path) != path:
        return None
    return {"path": path, "fields": pairs}


@router.post("/signout")
def sign_out(visit: Person) -> Response:
    """End the session."""
    assert visit.caller is not None
    visit.parts.identity.log_out(visit.caller)
    made = RedirectResponse("/signin", 303)
    _session_cookie(made, "", 0)
    return made


@router.post("/preferences")
def prefer(visit: Anybody) -> Response:
    """Another language, theme or clock; nothing that is on record changes."""
    same_site(visit.request)
    typed = visit.typed
    made = RedirectResponse(local_path(typed.get("next")), 303)
    for cookie, value, known in (
        (LANG_COOKIE, typed.get("lang"), value_in(typed.get("lang"), LANGUAGES)),
        (THEME_COOKIE, typed.get("theme"), value_in(typed.get("theme"), THEMES)),
        (ZONE_COOKIE, typed.get("zone"), 0 < len(typed.get("zone")) <= 64),
    ):
        if known:
            made.set_cookie(cookie, value, max_age=YEAR_S, path="/", samesite="lax")
    return made


def value_in(value: str, known: Any) -> bool:
    """Whether a word is one of those that are known."""
    return value in known


def _session_cookie(response: Response, token: str, seconds: int) -> None:
    response.set_cookie(
        COOKIE, token, max_age=seconds, path="/", httponly=True, samesite="lax", secure=True
    )
