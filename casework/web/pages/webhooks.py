"""Webhooks: where news goes, what was delivered, once more, a fresh secret."""

from __future__ import annotations

from typing import Final

from fastapi import Response
from fastapi.responses import RedirectResponse

from casework.cases.scope import Role
from casework.service.outside import WebhookDesk
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import ForbiddenError, NotFoundError, UsageError

router = page_router()

ROWS: Final = 50
_KEEPERS: Final = frozenset({Role.OPERATOR, Role.INSTITUTION})


def _desk(visit: Visit) -> WebhookDesk:
    if not visit.scope.roles & _KEEPERS:
        raise ForbiddenError(
            say("%(actor)s may not look after webhooks", actor=visit.scope.actor),
            hint=say("it takes the role institution or operator"),
        )
    if visit.parts.webhooks is None:
        raise NotFoundError(say("this server has no webhooks"))
    return visit.parts.webhooks


@router.get("/webhooks")
def list_endpoints(visit: Person) -> Response:
    """Addresses that are told of what happens."""
    return _list(visit)


def _list(visit: Visit, *, secret: str = "", endpoint: str = "") -> Response:
    return page(
        visit,
        "webhooks",
        title=gettext(visit, "Webhooks"),
        here="webhooks",
        rows=list(_desk(visit).endpoints(visit.scope)),
        secret=secret,
        secret_of=endpoint,
    )


@router.post("/webhooks")
def register(visit: Person) -> Response:
    """Tell an address from now on; its secret is shown this once."""
    typed = visit.typed
    kinds = [kind.strip() for kind in typed.get("kinds").replace("，", ",").split(",")]
    made, secret = _desk(visit).register(
        visit.scope,
        typed.get("url")[:2000],
        [kind for kind in kinds if kind][:50],
        typed.get("description")[:500],
    )
    return _list(visit, secret=secret, endpoint=str(made["id"]))


@router.get("/webhooks/{endpoint}")
def show(visit: Person, endpoint: str) -> Response:
    """An endpoint with its deliveries."""
    found = [one for one in _desk(visit).endpoints(visit.scope) if one["id"] == endpoint]
    if not found:
        raise NotFoundError(say("there is no endpoint %(endpoint)s", endpoint=endpoint))
    deliveries = _desk(visit).deliveries(
        visit.scope, endpoint, after=visit.asked("after", 40) or None, limit=ROWS
    )
    return page(
        visit,
        "webhook",
        title=str(found[0]["url"]),
        here="webhooks",
        endpoint=found[0],
        rows=list(deliveries.items),
        after=deliveries.after,
        done=visit.asked("done", 40),
    )


@router.post("/webhooks/{endpoint}/{act}")
def act(visit: Person, endpoint: str, act: str) -> Response:
    """Rotate its secret, send again, deliver again, or forget it."""
    desk = _desk(visit)
    if act == "rotate":
        return _list(visit, secret=desk.rotate(visit.scope, endpoint), endpoint=endpoint)
    if act == "remove":
        desk.remove(visit.scope, endpoint)
        return RedirectResponse("/webhooks", 303)
    if act == "replay":
        desk.replay(visit.scope, endpoint, visit.typed.get("message")[:100])
    elif act == "enable":
        desk.enable(visit.scope, endpoint)
    else:
        raise UsageError(say("%(act)r is nothing that can be done with an endpoint", act=act[:40]))
    return RedirectResponse(f"/webhooks/{endpoint}?done={act}", 303)
