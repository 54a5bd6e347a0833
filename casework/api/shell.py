"""What is around every request: its id, its bounds, its headers, its line in the log.

Plain ASGI, so that a body that streams is never held in memory here.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.api.metrics import Metrics
from casework.api.problems import LOG, ProblemError, log_defect, problem_response
from regtech.clock import Clock

PREFIX: Final = "/api/v1"

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""On every answer of the API."""

OF_PAGES: Final = frozenset({b"content-security-policy", b"cache-control", b"referrer-policy"})
"""What an answer outside of the API says for itself, where it does: pages have other needs."""

PAGE_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
}
"""For pages: nothing from other hosts, and no script or style that stands in the page."""

PageOf = Callable[[Scope, int, str, str], bytes | None]
"""(request, status, code, request id) to a page that says what went wrong; None: not for pages."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a request. Bytes of a body by the beginning of the path, and seconds."""

    body_bytes: int = 1 << 20
    file_bytes: int = 26 << 20
    bulk_bytes: int = 1 << 30
    timeout_s: float = 30.0
    bulk_timeout_s: float = 600.0
    json_depth: int = 64
    bulk_path: str = field(default="/api/v1/events/bulk")

    def of(self, path: str, method: str) -> tuple[int, float]:
        """Bytes and seconds of a request."""
        if path == self.bulk_path and method == "POST":
            return self.bulk_bytes, self.bulk_timeout_s
        if method == "PUT" and "/files/" in path:
            return self.file_bytes, self.timeout_s
        return self.body_bytes, self.timeout_s


class Shell:
    """The outermost layer. ``random`` gives so many random bytes a call."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        metrics: Metrics,
        clock: Clock,
        random: Callable[[int], bytes],
        hsts: bool,
        page_of: PageOf | None = None,
    ) -> None:
        self._app, self._limits, self._metrics = app, limits, metrics
        self._clock, self._random, self.page_of = clock, random, page_of
        more = {"Strict-Transport-Security": "max-age=31536000"} if hsts else {}
        self._headers = [
            (name.lower().encode(), value.encode()) for name, value in {**HEADERS, **more}.items()
        ]
        self._own = {name for name, _ in self._headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = self._random(16).hex()
        call = _Call(self, scope, send)
        bytes_max, seconds = self._limits.of(scope["path"], scope["method"])
        began = self._clock.elapsed()
        try:
            if (refusal := _refused(scope, bytes_max)) is not None:
                await call.problem(*refusal)
            else:
                async with asyncio.timeout(seconds):
                    await self._app(scope, _bounded(receive, bytes_max), call.send)
        except TimeoutError:
            await call.problem(503, "timeout", f"the request took more than {seconds:g} s")
        except Exception as error:
            log_defect(error, state["request_id"])
            await call.problem(500, "internal", "the server failed; it is in its log")
        finally:
            self._tell(scope, call.status, self._clock.elapsed() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        # The template of the path, never the path: ids and what was searched for stay out.
        found = getattr(scope.get("route"), "path_format", "") or "none"
        api = scope["path"].startswith(PREFIX) and not found.startswith(PREFIX)
        route = PREFIX + found if api and found != "none" else found
        state: dict[str, Any] = scope["state"]
        self._metrics.request(scope["method"], route, status, seconds)
        if LOG.isEnabledFor(logging.INFO):
            line = {
                "event": "request",
                "request": state["request_id"],
                "method": scope["method"],
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 2),
                "caller": state.get("caller_id", ""),
            }
            LOG.info(json.dumps(line))

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that every answer has."""
        return self._headers

    @property
    def own(self) -> set[bytes]:
        """Their names."""
        return self._own


class _Call:
    """One answer on its way out."""

    def __init__(self, shell: Shell, scope: Scope, send: Send) -> None:
        self._shell, self._scope, self._send = shell, scope, send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = [(n, v) for n, v in message["headers"] if n.lower() not in self._shell.own]
            ours = self._shell.headers
            if not self._scope["path"].startswith(PREFIX):
                said = [(n, v) for n, v in message["headers"] if n.lower() in OF_PAGES]
                names = {n.lower() for n, _ in said}
                ours = [pair for pair in ours if pair[0] not in names] + said
            state: dict[str, Any] = self._scope["state"]
            rate = state.get("rate", ())
            extra = [(name.lower().encode(), value.encode()) for name, value in rate]
            extra.append((b"x-request-id", state["request_id"].encode()))
            message = {**message, "headers": given + ours + extra}
        await self._send(message)

    async def problem(self, status: int, code: str, detail: str, hint: str = "") -> None:
        if self.status:
            return  # half an answer is out: the connection breaks off, which nobody mistakes
        request = self._scope["state"]["request_id"]
        response = problem_response(status, code, detail, hint=hint, request=request)
        page = self._shell.page_of and self._shell.page_of(self._scope, status, code, request)
        if page is not None:
            response = Response(page, status, PAGE_HEADERS, "text/html")
        start = {"type": "http.response.start", "status": status, "headers": response.raw_headers}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": response.body})


def _refused(scope: Scope, bytes_max: int) -> tuple[int, str, str, str] | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > bytes_max):
            return _too_large(bytes_max)
    return None


def _too_large(bytes_max: int) -> tuple[int, str, str, str]:
    return 413, "too_large", f"a body may have {bytes_max} bytes here", "send it in pieces"


def _bounded(receive: Receive, bytes_max: int) -> Receive:
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > bytes_max:
                raise ProblemError(*_too_large(bytes_max))
        return message

    return bounded
