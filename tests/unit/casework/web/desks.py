"""Webhooks and bundles that keep to the ports and remember what was asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.ports import Page
from casework.service.outside import Backtest, BacktestState
from regtech.errors import CapacityError, ConflictError, NotFoundError


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


class SomeBacktests:
    """``RuleBacktests``: one that is done, whose every text is a hostile one, and one that runs."""

    def __init__(self, text: str) -> None:
        self._text = text

    def histories(self) -> list[str]:
        return ["journal", "history"]

    def start(self, scope: Scope, text: str, history: str) -> Backtest:
        raise CapacityError("another backtest is running")

    def _all(self) -> list[Backtest]:
        done = Backtest(
            id="B-1", actor=self._text, pack="p", jurisdiction="CN", version="2", base_version="1",
            sha256="0" * 64, history="journal", made_us=1_772_413_200_000_000,
            state=BacktestState.DONE,
        )  # fmt: skip
        return [replace(done, id="B-2", state=BacktestState.RUNNING, at=1, of=3), done]

    def backtests(self, scope: Scope) -> list[Backtest]:
        allow(scope, Action.READ_PROPOSALS)
        return self._all()

    def backtest(self, scope: Scope, backtest_id: str) -> Backtest:
        return next(one for one in self.backtests(scope) if one.id == backtest_id)

    def cancel(self, scope: Scope, backtest_id: str) -> Backtest:
        raise ConflictError("it has ended")

    def result(self, scope: Scope, backtest_id: str) -> dict[str, Any]:
        text, counts = self._text, {"new": 1, "gone": 0, "moved": 0}
        measures = {text: {"amount": "49000.00", "currency": "CNY"}, "n": 5}
        alert = {"measures": measures, "params": {text: {"value": text, "basis": "law"}},
                 "facts": {"name": text, "many": [text]}}  # fmt: skip
        change = {
            "change": "new", "rule": text, "jurisdiction": "CN", "institution": "BANK-A",
            "subject": {"id": text}, "period": text, "time": "2026-03-02T00:03:00Z",
            "causes": [{"text": {"en": text, "zh": text}}], "base": None, "head": alert,
        }  # fmt: skip
        bins = [{"from": 80 + 2 * k, "to": 82 + 2 * k, "count": k} for k in range(20)]
        return {
            "alerts": {**counts, "same": 7}, "sides": {"base": 7, "head": 8}, "events": 9,
            "set_aside": {"late": 1}, "titles": {text: {"en": text, "zh": text}},
            "by_rule": [{"rule": text, **counts}], "by_institution": [
                {"institution": "BANK-A", **counts}], "changes": [change],
            "causes": [{"rule": text, "name": text, "alerts": 1}],
            "around": [{"rule": text, "measure": text, "figures": [text], "bins": bins,
                        "beyond": 3}],
        }  # fmt: skip
