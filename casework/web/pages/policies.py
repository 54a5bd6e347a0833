"""Policies: how alerts become cases, each as a page for people."""

from __future__ import annotations

from fastapi import Response

from casework.cases.scope import Role
from casework.service.outside import PolicyBook
from casework.web.menu import has_role
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import ForbiddenError, NotFoundError

router = page_router()


def _book(visit: Visit) -> PolicyBook:
    if visit.parts.policies is None:
        raise NotFoundError(say("this server has no policies"))
    if visit.scope.restricted and not has_role(visit.scope, Role.AUTHOR):
        raise ForbiddenError(say("%(actor)s may not read policies", actor=visit.scope.actor))
    return visit.parts.policies


@router.get("/policies")
def list_policies(visit: Person) -> Response:
    """In the order in which they are asked."""
    rows = sorted(_book(visit).policies(), key=lambda row: (row.get("order", 0), row["id"]))
    return page(visit, "policies", title=gettext(visit, "Policies"), here="policies", rows=rows)


@router.get("/policies/{policy}")
def show(visit: Person, policy: str) -> Response:
    """One of them in words."""
    text = _book(visit).page(policy, visit.lang)
    return page(visit, "words", title=policy, here="policies", text=text, back="/policies")
