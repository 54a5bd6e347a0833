"""Errors as ``application/problem+json`` (RFC 9457): one shape, stable codes, no values."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from casework.cases.errors import ThrottledError, UnauthenticatedError, VersionConflictError
from regtech.errors import ContentError, RegtechError

LOG: Final = logging.getLogger("regtech.api")
MEDIA_TYPE: Final = "application/problem+json"


class Fault(BaseModel):
    """One of several things that are wrong with what was sent."""

    model_config = ConfigDict(extra="allow")

    where: str = Field(description="Place in the request: `body.reason`, `query.limit`.")
    message: str = Field(description="What is wrong there.")


class Problem(BaseModel):
    """What every error looks like."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:regtech:problem:not_found",
                "title": "Not Found",
                "status": 404,
                "code": "not_found",
                "detail": "there is no case C-0123456789abcdef0123",
                "hint": "",
                "request": "b1946ac92492d2347c6235b4d2611184",
            }
        }
    )

    type: str = Field(description="`urn:regtech:problem:` and the code.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="What went wrong; a code keeps its meaning.")
    detail: str = Field(description="What was wrong, for people.")
    hint: str = Field("", description="What to do about it.")
    request: str = Field("", description="Id of the request, as in the server's log.")
    faults: list[Fault] = Field(default_factory=list, description="All faults of what was sent.")
    changes: list[str] = Field(
        default_factory=list, description="What others changed since the version that was seen."
    )


CODES: Final[Mapping[str, tuple[int, str]]] = {
    "usage": (400, "the request cannot be carried out as it was made"),
    "walk_ended": (400, "the pages of this search are no longer kept: search again"),
    "input": (400, "what was sent cannot be read"),
    "unauthenticated": (401, "neither a key nor a session was shown"),
    "key_refused": (401, "the key is not known, has expired or was revoked"),
    "session_ended": (401, "the session has ended"),
    "login_refused": (401, "name, password or code is wrong"),
    "forbidden": (403, "the caller's role or key does not allow it"),
    "four_eyes": (403, "a second person has to decide"),
    "csrf": (403, "a session's request that changes something lacks its token"),
    "not_found": (404, "there is no such thing, or not for the caller"),
    "method": (405, "the path has no such method"),
    "conflict": (409, "what is there now does not fit what was asked"),
    "transition": (409, "the case is not in a state that allows it"),
    "checklist": (409, "required points of the checklist are open"),
    "idempotency": (409, "the idempotency key belongs to another request, or to one still at work"),
    "precondition": (412, "somebody changed the case since the version in If-Match"),
    "too_large": (413, "the body is larger than the path takes"),
    "media_type": (415, "the body is of a type that the path does not take"),
    "invalid": (422, "the request does not have the form that the path takes; all faults are told"),
    "content": (422, "rules or policies have faults; all are told"),
    "precondition_missing": (428, "If-Match with the version that was seen is needed"),
    "throttled": (429, "too many requests; Retry-After says when to come again"),
    "internal": (500, "a defect of the server"),
    "capacity": (503, "a declared bound was reached"),
    "store": (503, "the store cannot be reached"),
    "index_absent": (503, "the search index is being built, or was lost"),
    "timeout": (503, "the request took too long"),
    "stopping": (503, "the server is shutting down"),
}
"""Every code that is answered; a page of the reference is made of this."""


class ProblemError(HTTPException):
    """A problem of the request itself, before any use case is asked."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        hint: str = "",
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code, self.hint = code, hint


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    hint: str = "",
    request: str = "",
    faults: Sequence[Mapping[str, Any]] = (),
    changes: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer of a problem."""
    body: dict[str, Any] = {
        "type": f"urn:regtech:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "hint": hint,
        "request": request,
        "faults": list(faults),
        "changes": list(changes),
    }
    # Escaped: what was sent may hold half a character, which no UTF-8 can say.
    return Response(json.dumps(body), status, dict(headers or {}), MEDIA_TYPE)


def answer_error(error: Exception, request: str = "") -> Response:
    """The answer of any exception; only what is deliberate says what it was."""
    if isinstance(error, ProblemError):
        return problem_response(
            error.status_code, error.code, str(error.detail),
            hint=error.hint, request=request, headers=error.headers,
        )  # fmt: skip
    if isinstance(error, RegtechError):
        return _of_ours(error, request)
    if isinstance(error, RequestValidationError):
        return _of_validation(error, request)
    if isinstance(error, HTTPException):
        codes = {400: "input", 404: "not_found", 405: "method", 413: "too_large"}
        code = codes.get(error.status_code, "usage")
        said = {404: "there is no such path", 405: "the path has no such method"}
        detail = said.get(error.status_code, str(error.detail))
        return problem_response(
            error.status_code, code, detail, request=request, headers=error.headers
        )
    return problem_response(500, "internal", "the server failed; it is in its log", request=request)


def _of_ours(error: RegtechError, request: str) -> Response:
    status, code, headers = error.http_status, error.code, {}
    detail, hint = error.message, error.hint
    faults: list[dict[str, Any]] = []
    changes: Sequence[str] = ()
    if isinstance(error, VersionConflictError):
        status, code, changes = 412, "precondition", error.changes
        detail = f"{error.case_id} has changed: version {error.version}, seen was {error.seen}"
    elif isinstance(error, ThrottledError):
        headers = {"Retry-After": str(error.retry_after_s)}
    elif isinstance(error, UnauthenticatedError):
        headers = {"WWW-Authenticate": 'Bearer realm="regtech"'}
    elif isinstance(error, ContentError):
        faults = [_fault(fault) for fault in error.faults]
    if code not in CODES:
        code = _kind(error)
    if status >= 500 and CODES[code][0] != 503:
        log_defect(error, request)
        status, code, detail, hint = 500, "internal", "the server failed; it is in its log", ""
    return problem_response(
        status, code, detail,
        hint=hint, request=request, faults=faults, changes=changes, headers=headers,
    )  # fmt: skip


def _kind(error: RegtechError) -> str:
    """The code of the nearest class that has one which is answered."""
    for kind in type(error).__mro__:
        code = getattr(kind, "code", "")
        if code in CODES:
            return str(code)
    return "internal"


def _fault(fault: object) -> dict[str, Any]:
    if isinstance(fault, Mapping):
        data = dict(fault)
    else:
        data = fault.as_data() if hasattr(fault, "as_data") else {}
    return {"where": str(data.get("path", "")), "message": str(fault), **data}


def _of_validation(error: RequestValidationError, request: str) -> Response:
    faults = [
        # What was sent is left out: it may be a secret, or a person's.
        {"where": ".".join(str(part) for part in fault["loc"]), "message": str(fault["msg"])}
        for fault in error.errors()
    ]
    if any(fault.get("type") == "json_invalid" for fault in error.errors()):
        return problem_response(
            400, "input", "the body is not JSON", request=request, faults=faults
        )
    return problem_response(
        422, "invalid", "the request does not have the form that is needed",
        request=request, faults=faults,
    )  # fmt: skip


def log_defect(error: Exception, request: str) -> None:
    """Where it failed, without values: they may be a person's."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    line = {"event": "defect", "request": request, "error": type(error).__name__, "at": places}
    LOG.error(json.dumps(line))


def request_id(request: Request) -> str:
    """The id that the outermost layer gave to the request."""
    return str(request.scope.get("state", {}).get("request_id", ""))


def install(app: FastAPI) -> None:
    """Answer every exception as a problem."""

    async def answer(request: Request, error: Exception) -> Response:
        return answer_error(error, request_id(request))

    for kind in (RegtechError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


_SAID: Final = {
    status: " or ".join(f"`{code}`" for code, (s, _) in CODES.items() if s == status)
    for status in sorted({status for status, _ in CODES.values()})
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems of a route for its documentation, those that every route has with them."""
    every = {400, 401, 403, 422, 429, 500, 503, *statuses}
    return {
        status: {
            "description": _SAID[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted(every)
    }
