"""The application: routes, problems and the shell around them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi

from casework.api.context import Context
from casework.api.examples import EXAMPLES
from casework.api.problems import Problem, documented, install
from casework.api.query import known_parameters
from casework.api.repeat import HEADER, KEY_MAX, RepeatableRoute
from casework.api.routes import (
    access,
    alerts,
    audit,
    backtests,
    cases,
    content,
    events,
    files,
    inforce,
    openid,
    outward,
    proposals,
    screening,
    search,
)
from casework.api.shell import PREFIX, Limits, PageOf, Shell

_ABOUT: Final = """\
Work cases, send events, read what was found. Every answer that is an error is
`application/problem+json` with a stable `code`. Lists come in pages: hand `after` back.
Changes to a case need `If-Match`; `POST` takes an `Idempotency-Key`."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    context: Context,
    *,
    version: str,
    limits: Limits | None = None,
    random: Callable[[int], bytes],
    hsts: bool = False,
    lifespan: Lifespan | None = None,
    page_of: PageOf | None = None,
) -> FastAPI:
    """The API over these parts. ``random`` gives so many random bytes a call; ``page_of`` makes
    pages of what goes wrong outside of the routes."""
    app = _Api(
        title="regtech",
        version=version,
        summary="Events against dated law; alerts; cases",
        description=_ABOUT,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its page needs scripts of other hosts, which the policy refuses
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.context = context
    app.state.gate, app.state.answers = context.gate, context.answers
    app.state.clock = context.clock
    app.state.in_order = ThreadPoolExecutor(1, "events")
    install(app)
    for router in _routers(context):
        # A provider sends the browser back with what it likes.
        strict = [] if router is openid.router else [Depends(known_parameters)]
        app.include_router(router, prefix=PREFIX, dependencies=strict)
    app.include_router(audit.health_router)
    app.add_middleware(
        Shell,
        limits=limits or Limits(),
        metrics=context.metrics,
        clock=context.clock,
        random=random,
        hsts=hsts,
        page_of=page_of,
    )
    return app


def _routers(context: Context) -> list[Any]:
    # Paths are tried in this order: events, of which there are most, come first.
    judging = context.decider and context.bulk and context.quarantine
    first = [] if judging is None else [events.one_router, events.router]
    made = [*first, cases.router, files.router, alerts.router, access.router, audit.router]
    optional = (
        (context.search, search.router),
        (context.screening, screening.router),
        (context.openid, openid.router),
        (context.rules, content.rules_router),
        (context.proposals, proposals.router),
        (context.rules_in_force, inforce.router),
        (context.backtests, backtests.router),
        (context.policies, content.policies_router),
        (context.webhooks, outward.webhooks_router),
        (context.bundles, outward.bundles_router),
    )
    return made + [router for part, router in optional if part is not None]


def _repeatable() -> frozenset[str]:
    """Paths whose POST minds an idempotency key."""
    routers = (
        cases.router, events.one_router, outward.webhooks_router, proposals.router,
        inforce.router, backtests.router,
    )  # fmt: skip
    return frozenset(
        PREFIX + route.path
        for router in routers
        for route in router.routes
        if isinstance(route, RepeatableRoute) and "POST" in (route.methods or ())
    )


_REPEATABLE: Final = _repeatable()


def _describe(path: str, method: str, operation: dict[str, Any]) -> None:
    """What the signature of a route does not say of it."""
    if operation.get("security"):
        # A session needs its token as well on whatever changes something.
        session: dict[str, list[str]] = {"session": []}
        if method not in ("get", "head"):
            session["csrf"] = []
        operation["security"] = [{"key": []}, session]
    if method == "post" and path in _REPEATABLE:
        operation.setdefault("parameters", []).append(
            {
                "name": HEADER,
                "in": "header",
                "required": False,
                "description": "The same request with the same key is answered again.",
                "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX},
            }
        )
        operation["responses"].setdefault("409", documented(409)[409])


class _Api(FastAPI):
    """With its own description, examples and problems among it."""

    def openapi(self) -> dict[str, Any]:
        """Made once."""
        return _openapi(self)


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            routes=app.routes,
        )
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs", {}))
        schemas["Problem"] = problem
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for kind, example in EXAMPLES.items():
            if kind.__name__ in schemas:
                schemas[kind.__name__]["example"] = example
        for path, methods in made["paths"].items():
            for method, operation in methods.items():
                _describe(path, method, operation)
        app.openapi_schema = made
    return app.openapi_schema
