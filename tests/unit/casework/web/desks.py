"""Webhooks and bundles that keep to the ports and remember what was asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casework.cases.scope import Scope
from casework.ports import Page
from regtech.errors import NotFoundError


class Hooks:
    """One endpoint of each institution, with one delivery that was given up."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []

    def _own(self, scope: Scope, endpoint: str) -> None:
        if endpoint not in [one["id"] for one in self.endpoints(scope)]:
            raise NotFoundError(f"there is no endpoint {endpoint}")

    def endpoints(self, scope: Scope) -> Sequence[Mapping[str, Any]]:
        tenants = ["BANK-A", "BANK-B"] if scope.tenants is None else sorted(scope.tenants)
        return [
            {
                "id": f"ep-{tenant}", "url": f"https://{tenant.lower()}.example/in",
                "kinds": ["case.*"], "description": f"of {tenant}", "state": "enabled",
                "disabled_why": "", "created": "2026-03-01T00:00:00Z",
            }
            for tenant in tenants
        ]  # fmt: skip

    def register(
        self, scope: Scope, url: str, kinds: Sequence[str], description: str
    ) -> tuple[Mapping[str, Any], str]:
        self.done.append(("register", url))
        return {"id": "ep-new", "url": url}, "whsec_new"

    def remove(self, scope: Scope, endpoint: str) -> None:
        self._own(scope, endpoint)
        self.done.append(("remove", endpoint))

    def rotate(self, scope: Scope, endpoint: str) -> str:
        self._own(scope, endpoint)
        self.done.append(("rotate", endpoint))
        return "whsec_fresh"

    def enable(self, scope: Scope, endpoint: str) -> None:
        self._own(scope, endpoint)
        self.done.append(("enable", endpoint))

    def deliveries(
        self, scope: Scope, endpoint: str, *, after: str | None, limit: int
    ) -> Page[Mapping[str, Any]]:
        self._own(scope, endpoint)
        made = {
            "id": f"msg-{endpoint}", "kind": "case.opened", "state": "dead", "attempts": 9,
            "last": "500 <b>no</b>", "made": "2026-03-01T00:00:00Z", "ended": None,
        }  # fmt: skip
        return Page((made,), None)

    def replay(self, scope: Scope, endpoint: str, message: str) -> None:
        self._own(scope, endpoint)
        self.done.append(("replay", message))


class Bundles:
    """A bundle that says of what it is."""

    def export(self, scope: Scope, case_id: str, *, personal: bool, number: int) -> bytes:
        return f'{{"case":"{case_id}"}}'.encode()
