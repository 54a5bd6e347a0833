"""Requests that may be sent again: the same ``Idempotency-Key`` gives the same answer.

Only success spends a key; after an error the same key may be tried again. What is shown once, such
as a secret or personal data whose every look is on record, is not kept to be given again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from casework.api.gate import gate_of
from casework.api.problems import ProblemError
from casework.ports import Answered, Answers
from regtech.clock import Clock

HEADER: Final = "Idempotency-Key"
KEY_MAX: Final = 200
STALE_US: Final = 60 * 1_000_000
"""After so long a request that never ended counts as broken off."""
KEPT_US: Final = 24 * 3600 * 1_000_000
_KEPT_HEADERS: Final = ("etag", "location", "content-type")
_ONCE: Final = "shown-once"
"""Of a kept answer whose body was not kept."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class RepeatableRoute(APIRoute):
    """A route that minds the header, on methods that are not idempotent by themselves."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def repeatable(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if key is None or request.method != "POST":
                return await handler(request)
            if not 0 < len(key) <= KEY_MAX or not key.isprintable():
                raise ProblemError(400, "usage", f"{HEADER} has 1 to {KEY_MAX} characters")
            return await _once(request, key, handler)

        return repeatable


def shown_once(request: Request) -> None:
    """Say of a request that its answer is given to nobody again, and stands nowhere."""
    request.state.shown_once = True


async def _once(request: Request, key: str, handler: Handler) -> Response:
    caller = await run_in_threadpool(gate_of(request).identify, request)
    answers: Answers = request.app.state.answers
    clock: Clock = request.app.state.clock
    body = await request.body()
    asked = hashlib.sha256()
    for part in (
        request.method.encode(),
        request.url.path.encode(),
        request.url.query.encode(),
        request.headers.get("if-match", "").encode(),
        body,
    ):
        asked.update(len(part).to_bytes(8, "big") + part)
    now = clock.now_us()
    begun = Answered(asked.hexdigest(), now)
    key = f"{caller.id} {key}"
    known = await run_in_threadpool(answers.begin, caller.scope, key, begun, now - STALE_US)
    if known is not None:
        return _again(known, begun)
    done: Answered | None = None
    try:
        response = await handler(request)
        if response.status_code < 300:
            headers = {n: response.headers[n] for n in _KEPT_HEADERS if n in response.headers}
            body = bytes(response.body)
            if getattr(request.state, "shown_once", False):
                headers, body = {_ONCE: "1"}, b""
            done = Answered(begun.request, now, response.status_code, headers, body)
    finally:
        await run_in_threadpool(answers.finish, caller.scope, key, done)
    return response


def _again(known: Answered, begun: Answered) -> Response:
    if known.request != begun.request:
        raise ProblemError(
            409, "idempotency", "the key was used for another request", "take a new key"
        )
    if not known.status:
        raise ProblemError(
            409, "idempotency", "the first request with this key is still at work", "wait"
        )
    if _ONCE in known.headers:
        raise ProblemError(
            409,
            "idempotency",
            "the first request with this key was carried out, and its answer is shown only once",
            "look at what became of it; where the answer was lost, ask with a new key",
        )
    again = Response(known.body, known.status, dict(known.headers))
    again.headers["Idempotent-Replayed"] = "true"
    return again
