"""Users and keys: who may come in, keys of machines, one's own second factor."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Response
from fastapi.responses import RedirectResponse

from casework.cases.accounts import Permission
from casework.cases.scope import Role
from casework.web.menu import has_role
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import ForbiddenError, UsageError

router = page_router()

_OVERSEERS: Final = (Role.OPERATOR, Role.AUDITOR)


@router.get("/accounts")
def show(visit: Person) -> Response:
    """One's own keys; for those who oversee, everybody's and all users."""
    return _page(visit)


def _page(visit: Visit, *, made: str = "", label: str = "") -> Response:
    scope, identity = visit.scope, visit.parts.identity
    oversees = has_role(scope, *_OVERSEERS)
    now = visit.parts.clock.now_us()
    keys = identity.keys(scope, None if oversees else scope.actor)
    users: list[dict[str, Any]] = []
    if oversees:
        users = [
            {
                "name": user.name,
                "roles": sorted(user.roles),
                "jurisdictions": _sorted(user.jurisdictions),
                "tenants": _sorted(user.tenants),
                "created": user.created_us,
                "second_factor": bool(user.totp),
                "disabled": user.disabled,
            }
            for user in identity.users(scope)
        ]
    return page(
        visit,
        "accounts",
        title=gettext(visit, "Users and keys"),
        here="accounts",
        users=users,
        oversees=oversees,
        keeps=has_role(scope, Role.OPERATOR),
        keys=[
            {
                "id": key.id,
                "owner": key.owner,
                "label": key.label,
                "permissions": sorted(key.permissions),
                "created": key.created_us,
                "expires": key.expires_us,
                "alive": key.alive(now),
            }
            for key in keys
        ],
        permissions=[permission.value for permission in Permission],
        made=made,
        made_label=label,
    )


def _sorted(values: frozenset[str] | None) -> list[str] | None:
    return None if values is None else sorted(values)


@router.post("/accounts/keys")
def make_key(visit: Person) -> Response:
    """A key of one's own for a machine; its text is shown this once."""
    typed = visit.typed
    wanted = typed.all("permission")
    known = [permission.value for permission in Permission]
    if any(word not in known for word in wanted):
        raise UsageError(
            say("no such permission"), hint=say("permissions: %(known)s", known=", ".join(known))
        )
    text, key = visit.parts.identity.create_key(
        visit.scope,
        visit.scope.actor,
        typed.get("label"),
        [Permission(word) for word in wanted],
        days=typed.whole("days"),
    )
    return _page(visit, made=text, label=key.label)


@router.post("/accounts/keys/{key}/revoke")
def revoke(visit: Person, key: str) -> Response:
    """End a key at once and for good."""
    visit.parts.identity.revoke_key(visit.scope, key)
    return RedirectResponse("/accounts#keys-heading", 303)


@router.post("/accounts/users/{name}/{act}")
def change(visit: Person, name: str, act: str) -> Response:
    """Keep somebody out, or let them in again. Users are made on the command line alone."""
    if not has_role(visit.scope, Role.OPERATOR):
        raise ForbiddenError(
            say("%(actor)s may not change users", actor=visit.scope.actor),
            hint=say("it takes the role operator"),
        )
    if act not in ("disable", "enable"):
        raise UsageError(say("%(act)r is nothing that can be done with a user", act=act[:40]))
    if name == visit.scope.actor:
        raise UsageError(say("nobody locks themselves out"), hint=say("another operator can"))
    visit.parts.identity.disable_user(visit.scope, name, disabled=act == "disable")
    return RedirectResponse("/accounts", 303)
