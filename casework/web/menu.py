"""The menu: every page that somebody may open, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from casework.cases.lifecycle import ALLOWED, Action
from casework.cases.scope import Role, Scope
from casework.web.language import N_
from casework.web.parts import Parts


@dataclass(frozen=True, slots=True)
class Place:
    """An entry. ``show`` says for whom, and with which parts, the page is there."""

    id: str
    path: str
    title: str
    show: Callable[[Scope, Parts], bool]


def _reads(scope: Scope, _: Parts) -> bool:
    return bool(scope.roles & ALLOWED[Action.READ])


def _full(scope: Scope, parts: Parts) -> bool:
    return _reads(scope, parts) and not scope.restricted


def _roles(*roles: Role) -> Callable[[Scope, Parts], bool]:
    return lambda scope, _: has_role(scope, *roles)


def _audit(scope: Scope, _: Parts) -> bool:
    # A log tells of all jurisdictions.
    return has_role(scope, Role.AUDITOR, Role.OPERATOR) and scope.jurisdictions is None


def _quarantine(scope: Scope, parts: Parts) -> bool:
    return parts.quarantine is not None and _reads(scope, parts)


def _webhooks(scope: Scope, parts: Parts) -> bool:
    return parts.webhooks is not None and has_role(scope, Role.OPERATOR, Role.INSTITUTION)


def _policies(scope: Scope, parts: Parts) -> bool:
    # What an authority looks for, and when it does not, is not for those who are looked at.
    return parts.policies is not None and (not scope.restricted or has_role(scope, Role.AUTHOR))


def _rules(scope: Scope, parts: Parts) -> bool:
    # What the law asks for is for everybody, those who are looked at included.
    return parts.rules is not None


def _drafts(scope: Scope, parts: Parts) -> bool:
    return parts.drafts is not None and has_role(scope, Role.AUTHOR)


def _proposals(scope: Scope, parts: Parts) -> bool:
    return parts.proposals is not None and bool(scope.roles & ALLOWED[Action.READ_PROPOSALS])


MENU: Final = (
    Place("overview", "/overview", N_("Overview"), _full),
    Place("queue", "/queue", N_("Queue"), _reads),
    Place("alerts", "/alerts", N_("Alerts"), _reads),
    Place("parties", "/parties", N_("Parties"), _full),
    Place("institutions", "/institutions", N_("Institutions"), _reads),
    Place("rules", "/rules", N_("Rules"), _rules),
    Place("rule-editor", "/rule-editor", N_("Rule editor"), _drafts),
    Place("proposals", "/proposals", N_("Proposals of rules"), _proposals),
    Place("policies", "/policies", N_("Policies"), _policies),
    Place("quarantine", "/quarantine", N_("Quarantine"), _quarantine),
    Place("webhooks", "/webhooks", N_("Webhooks"), _webhooks),
    Place("accounts", "/accounts", N_("Users and keys"), lambda *_: True),
    Place("audit", "/audit", N_("Audit"), _audit),
    Place("health", "/health", N_("System health"), _roles(Role.OPERATOR)),
)
"""Every page that the menu leads to, in order. A new page adds its line here."""


def menu_of(scope: Scope, parts: Parts) -> list[Place]:
    """The entries for somebody, in order."""
    return [place for place in MENU if place.show(scope, parts)]


def first_page(scope: Scope, parts: Parts) -> str:
    """Where somebody begins: the first page that is theirs."""
    places = menu_of(scope, parts)
    queue = [place for place in places if place.id == "queue"]
    return (queue or places)[0].path if places else "/preferences"


def has_role(scope: Scope, *roles: Role) -> bool:
    """Whether somebody has any of the roles."""
    return bool(scope.roles & set(roles))
