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


MENU: Final = (Place("queue", "/queue", N_("Queue"), _reads),)


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
