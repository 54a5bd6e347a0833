"""The pages put into an application: routes, what went wrong as a page, files that never change."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Coroutine, Mapping
from importlib import resources
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from casework.cases.errors import ThrottledError, UnauthenticatedError
from casework.web.labels import ERRORS
from casework.web.language import preferred
from casework.web.parts import Parts
from casework.web.render import environment, gettext, page, said_in
from casework.web.visit import CSRF_FIELD, SAFE, Visit, visit_of
from regtech.content.saying import say
from regtech.errors import NotFoundError, RegtechError

RESUME_MAX: Final = 200_000
"""Signs of typed text that are kept over a sign-in."""
FOREVER: Final = "public, max-age=31536000, immutable"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route whose errors are pages; where nobody is known, it asks to sign in first."""

    def get_route_handler(self) -> Handler:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except (RegtechError, RequestValidationError, HTTPException) as error:
                return await run_in_threadpool(error_page, request, error)

        return handle


def page_router() -> APIRouter:
    """A router for pages: not part of what the API describes."""
    return APIRouter(route_class=PageRoute, include_in_schema=False)


def error_page(request: Request, error: Exception) -> Response:
    """What went wrong: what it means, what to do, and what was typed."""
    visit = visit_of(request)
    if isinstance(error, UnauthenticatedError) and error.code != "login_refused":
        return _asks_to_sign_in(visit, error)
    code, status, detail, hint = _of(error)
    headers = {}
    if isinstance(error, ThrottledError):
        headers["Retry-After"] = str(error.retry_after_s)
    title, advice = ERRORS.get(code, ERRORS["internal"])
    if "text/html" not in request.headers.get("accept", "text/html"):
        return _problem(visit, code, status, detail, hint, gettext(visit, title), headers)
    made = page(
        visit,
        "error",
        title=gettext(visit, title),
        status=status,
        advice=gettext(visit, advice),
        detail=detail if status < 500 else "",
        hint=hint if status < 500 else "",
        request_id=request.scope.get("state", {}).get("request_id", ""),
        again=_again(visit, request),
    )
    made.headers.update(headers)
    return made


def _problem(
    visit: Visit,
    code: str,
    status: int,
    detail: str,
    hint: str,
    title: str,
    headers: Mapping[str, str],
) -> Response:
    """For a script of a page: the form of the API's problems (RFC 9457), in the page's language."""
    shown = status < 500
    body = {
        "type": f"urn:regtech:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": said_in(detail, visit.lang) if shown and detail else title,
        "hint": said_in(hint, visit.lang) if shown else "",
        "request": visit.request.scope.get("state", {}).get("request_id", ""),
    }
    return JSONResponse(body, status, dict(headers), "application/problem+json")


def _of(error: Exception) -> tuple[str, int, str, str]:
    """(code of ``ERRORS``, status, detail, hint)"""
    if isinstance(error, RegtechError):
        code = next(
            (c for c in (error.code, *(_code(k) for k in type(error).__mro__)) if c in ERRORS),
            "internal",
        )
        return code, error.http_status, error.message, error.hint
    if isinstance(error, HTTPException) and error.status_code in (404, 405):
        return "not_found", 404, "", ""
    if isinstance(error, HTTPException) and error.status_code == 413:
        return "too_large", 413, "", ""
    return "invalid", 422, "", ""


def _code(kind: type) -> str:
    return str(getattr(kind, "code", ""))


def _again(visit: Visit, request: Request) -> dict[str, Any] | None:
    """What was typed, as a form that sends it again; None where nothing was."""
    if request.method in SAFE:
        return None
    fields = [pair for pair in visit.typed.fields if pair[0] not in (CSRF_FIELD, "password")]
    return {"path": request.url.path, "fields": fields} if fields else None


def _asks_to_sign_in(visit: Visit, error: UnauthenticatedError) -> Response:
    request = visit.request
    if request.method in SAFE:
        where = quote(visit.path, safe="")
        ended = "&ended=1" if error.code == "session_ended" else ""
        return RedirectResponse(f"/signin?next={where}{ended}", 303)
    again = _again(visit, request)
    return sign_in_page(visit, status=401, code="session_ended", resume=resume_text(again))


def resume_text(again: dict[str, Any] | None) -> str:
    """What was typed as one field of the form that signs in."""
    text = "" if again is None else json.dumps(again, ensure_ascii=False)
    return text if len(text) <= RESUME_MAX else ""


def sign_in_page(
    visit: Visit, *, status: int = 200, code: str = "", resume: str = "", name: str = ""
) -> Response:
    """The form that signs in, with what to go on with afterwards."""
    title, advice = ERRORS.get(code, ("", ""))
    return page(
        visit,
        "signin",
        title=gettext(visit, "Sign in"),
        status=status,
        problem=gettext(visit, title) if title else "",
        advice=gettext(visit, advice) if advice else "",
        resume=resume,
        name=name,
        next=visit.asked("next", 2000) or visit.typed.get("next"),
        openid=visit.parts.openid is not None,
    )


def local_path(text: str) -> str:
    """A path of this site to go on to; the beginning for anything else."""
    good = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if good and "\n" not in text and "\r" not in text else "/"


def failed_page(scope: Scope, status: int, code: str, request_id: str) -> bytes | None:
    """For what goes wrong outside of any route; None for what is not asked by a browser."""
    accepts = dict(scope["headers"]).get(b"accept", b"")
    if scope["path"].startswith("/api/") or b"text/html" not in accepts:
        return None
    languages = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    lang = preferred(languages)
    title, advice = ERRORS.get(code, ERRORS["internal"])
    shown = environment(lang).get_template("failed.html")
    return shown.render(title=title, advice=advice, request_id=request_id).encode()


static = APIRouter(include_in_schema=False)


@static.get("/static/{digest}/{name:path}")
def static_file(digest: str, name: str) -> Response:
    """A file of the pages. Its address has its digest in it, so that it may be kept for ever."""
    root = resources.files("casework.web") / "static"
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part for part in parts):
        raise NotFoundError(say("there is no such file"))
    found = root.joinpath(*parts)
    if not found.is_file():
        raise NotFoundError(say("there is no such file"))
    media = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if name.endswith(".js"):
        media = "text/javascript"
    return Response(found.read_bytes(), media_type=media, headers={"Cache-Control": FOREVER})


def add_pages(app: FastAPI, parts: Parts) -> None:
    """Put the pages into the application of the API, behind its routes."""
    from casework.web import pages

    app.state.pages = parts
    app.include_router(static)
    for router in pages.routers():
        app.include_router(router)
    pages.missing.add(app)
