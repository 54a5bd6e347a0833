"""How the parts of the server are, for those who keep it running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Response

from casework.cases.scope import Role
from casework.web.menu import has_role
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Person
from regtech.content.saying import say
from regtech.errors import ForbiddenError

router = page_router()


@router.get("/health")
def show(visit: Person) -> Response:
    """Each part with a word on how it is."""
    if not has_role(visit.scope, Role.OPERATOR):
        raise ForbiddenError(
            say("%(actor)s may not see the health of the parts", actor=visit.scope.actor),
            hint=say("it takes the role operator"),
        )
    health = visit.parts.health
    return page(
        visit,
        "health",
        title=gettext(visit, "System health"),
        here="health",
        ready=health.ready(),
        parts=[
            {"name": name, "facts": _facts(found), "bad": _bad(found)}
            for name, found in sorted(health.parts().items())
        ],
    )


def _facts(found: Any) -> list[tuple[str, Any]]:
    if not isinstance(found, Mapping):
        return [("", found)]
    return [(name, value) for name, value in found.items() if value not in ("", None)]


def _bad(found: Any) -> bool:
    if not isinstance(found, Mapping):
        return False
    refused = bool(found.get("refused"))  # rules: those from before go on
    return refused or bool(found.get("failures")) or found.get("running") is False
