"""Every address that is no page: a page that says so."""

from __future__ import annotations

from contextlib import suppress

from fastapi import FastAPI, Request, Response
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.routing import Route

from casework.web.site import error_page, page_router
from casework.web.visit import Typed, identify
from regtech.content.saying import say
from regtech.errors import NotFoundError, RegtechError

router = page_router()


class OutsideConvertor(StringConvertor):
    """A path that is not the API's, which says in its own way that it has nothing there."""

    regex = r"(?!api/|healthz|readyz|metrics).*"


register_url_convertor("outside", OutsideConvertor())


def _missing(request: Request) -> Response:
    # Whoever has signed in keeps the menu on the way back.
    with suppress(RegtechError):
        identify(request, Typed())
    return error_page(request, NotFoundError(say("there is no such page")))


def add(app: FastAPI) -> None:
    """The last route of all."""
    app.router.routes.append(Route("/{path:outside}", _missing, methods=["GET", "HEAD"]))
