"""Small policies, webhooks and bundles that keep to the ports, for tests of the routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Role, Scope
from casework.ports import Page
from casework.service.outside import ScreenedParty
from regtech.errors import ForbiddenError, NotFoundError


class Policies:
    """One policy."""

    def policies(self) -> Sequence[Mapping[str, Any]]:
        return [{"id": "one", "title": {"en": "One"}}]

    def page(self, policy_id: str, lang: str) -> str:
        if policy_id != "one":
            raise NotFoundError(f"there is no policy {policy_id}")
        return "# One" if lang == "en" else "# 一"

    def lint(self, text: str) -> Sequence[Mapping[str, Any]]:
        fault = {"code": "PL001", "severity": "error", "message": "no", "line": 1, "column": 1}
        return [] if text == "good" else [fault]


class SomeWebhooks:
    """One endpoint, of BANK-A."""

    def _own(self, scope: Scope, endpoint: str) -> None:
        if not scope.roles & {Role.INSTITUTION, Role.OPERATOR, Role.SUPERVISOR, Role.SERVICE}:
            raise ForbiddenError(f"{scope.actor} has no webhooks")
        if endpoint != "W-1111" or "BANK-A" not in (scope.tenants or ()):
            raise NotFoundError(f"there is no endpoint {endpoint}")

    def endpoints(self, scope: Scope) -> Sequence[Mapping[str, Any]]:
        mine = "BANK-A" in (scope.tenants or ())
        return [{"id": "W-1111", "url": "https://bank-a.example"}] if mine else []

    def register(
        self, scope: Scope, url: str, kinds: Sequence[str], description: str
    ) -> tuple[Mapping[str, Any], str]:
        return {"id": "W-2222", "url": url}, "whsec_secret"

    def remove(self, scope: Scope, endpoint: str) -> None:
        self._own(scope, endpoint)

    def enable(self, scope: Scope, endpoint: str) -> None:
        self._own(scope, endpoint)

    def deliveries(
        self, scope: Scope, endpoint: str, *, after: str | None, limit: int
    ) -> Page[Mapping[str, Any]]:
        self._own(scope, endpoint)
        return Page(({"id": "D-1"},), None)

    def replay(self, scope: Scope, endpoint: str, message: str) -> None:
        self._own(scope, endpoint)
        if message != "M-1111":
            raise NotFoundError(f"there is no message {message}")


class SomeBundles:
    """No case is anybody's."""

    def export(self, scope: Scope, case_id: str, *, personal: bool, number: int) -> bytes:
        allow(scope, Action.WORK)
        raise NotFoundError(f"there is no case {case_id}")


class SomeLists:
    """Lists with one name on them."""

    def screen(
        self,
        scope: Scope,
        party: ScreenedParty,
        *,
        at_us: int | None,
        lists: tuple[str, ...],
        threshold: float,
    ) -> Mapping[str, Any]:
        return {"items": [], "cut": False, "lists": ["own"], "unknown": []}
