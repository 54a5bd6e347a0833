"""Every route, every role, a foreign tenant: what is not theirs looks like what is not there."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casework.api.problems import MEDIA_TYPE
from casework.cases.case import Case
from casework.cases.proposals import ProposalState
from casework.cases.scope import Role
from tests.contract.world import SERVICE
from tests.support.backtests import BACKTEST, kept_backtest
from tests.support.proposals import proposal, texts
from tests.unit.casework.api.api_world import ApiWorld, bank, deposit
from tests.unit.casework.api.outward import Policies, SomeBundles, SomeLists, SomeWebhooks

CASE, NO_CASE = "{case}", "C-00000000000000000000"
NO_ALERT = "f" * 32
SHA = hashlib.sha256(b"text").hexdigest()

# Method and path to (body, headers). A route that is missing here fails the test below.
REQUESTS: dict[tuple[str, str], tuple[Any, dict[str, str]]] = {
    ("GET", "/api/v1/session"): (None, {}),
    ("DELETE", "/api/v1/session"): (None, {}),
    ("GET", "/api/v1/keys"): (None, {}),
    ("POST", "/api/v1/keys"): ({"label": "x", "permissions": ["read"], "days": 1}, {}),
    ("DELETE", "/api/v1/keys/{key}"): (None, {}),
    ("GET", "/api/v1/users"): (None, {}),
    ("GET", "/api/v1/cases"): (None, {}),
    ("POST", "/api/v1/cases/claim"): ({}, {}),
    ("POST", "/api/v1/cases/bulk"): (
        {"cases": [{"case": CASE, "version": 1}], "act": {"action": "triage"}}, {},
    ),
    ("GET", "/api/v1/cases/precision"): (None, {}),
    ("GET", "/api/v1/cases/{case}"): (None, {}),
    ("POST", "/api/v1/cases/{case}/actions"): (
        {"action": "comment", "text": "hello"}, {"If-Match": '"1"'},
    ),
    ("GET", "/api/v1/cases/{case}/timeline"): (None, {}),
    ("GET", "/api/v1/cases/{case}/alerts"): (None, {}),
    ("GET", "/api/v1/cases/{case}/related"): (None, {}),
    ("POST", "/api/v1/cases/{case}/unmask"): ({"reason": "curious"}, {}),
    ("POST", "/api/v1/cases/{case}/bundle"): ({}, {}),
    ("PUT", "/api/v1/cases/{case}/files/{sha256}"): (
        "text", {"If-Match": '"1"', "Content-Type": "text/plain"},
    ),
    ("GET", "/api/v1/cases/{case}/files/{sha256}"): (None, {}),
    ("GET", "/api/v1/alerts"): (None, {}),
    ("GET", "/api/v1/alerts/conflicts"): (None, {}),
    ("GET", "/api/v1/alerts/{alert}"): (None, {}),
    ("GET", "/api/v1/alerts/{alert}/cases"): (None, {}),
    ("GET", "/api/v1/parties"): (None, {}),
    ("GET", "/api/v1/search"): (None, {}),
    ("POST", "/api/v1/search"): ({"text": "SECRET-CUSTOMER"}, {}),
    ("POST", "/api/v1/screen"): ({"name": "Ivan Petrov"}, {}),
    ("GET", "/api/v1/searches"): (None, {}),
    ("POST", "/api/v1/searches"): ({"name": "x", "search": {"text": "anna"}}, {}),
    ("DELETE", "/api/v1/searches"): (None, {}),
    ("GET", "/api/v1/audit/chains"): (None, {}),
    ("GET", "/api/v1/audit/entries"): (None, {}),
    ("GET", "/api/v1/health"): (None, {}),
    ("GET", "/api/v1/metrics"): (None, {}),
    ("POST", "/api/v1/events"): (deposit(5), {}),
    ("POST", "/api/v1/events/bulk"): ("lines", {"Content-Type": "application/x-ndjson"}),
    ("GET", "/api/v1/events/jobs"): (None, {}),
    ("GET", "/api/v1/events/jobs/{job}"): (None, {}),
    ("DELETE", "/api/v1/events/jobs/{job}"): (None, {}),
    ("GET", "/api/v1/quarantine"): (None, {}),
    ("GET", "/api/v1/quarantine/{number}"): (None, {}),
    ("POST", "/api/v1/quarantine/{number}/retry"): (None, {}),
    ("GET", "/api/v1/packs"): (None, {}),
    ("GET", "/api/v1/packs/{pack}"): (None, {}),
    ("GET", "/api/v1/rules/{rule}"): (None, {}),
    ("POST", "/api/v1/rules/lint"): ({"yaml": "pack: x"}, {}),
    ("GET", "/api/v1/proposals"): (None, {}),
    ("POST", "/api/v1/proposals"): ({"yaml": "pack: x", "note": "why"}, {}),
    ("GET", "/api/v1/proposals/{proposal}"): (None, {}),
    ("POST", "/api/v1/proposals/{proposal}/decision"): ({"act": "refuse", "reason": "no"}, {}),
    ("POST", "/api/v1/proposals/{proposal}/apply"): (None, {}),
    ("GET", "/api/v1/rules-in-force"): (None, {}),
    ("POST", "/api/v1/rules-in-force"): (None, {}),
    ("GET", "/api/v1/backtests"): (None, {}),
    ("POST", "/api/v1/backtests"): ({"yaml": "pack: x"}, {}),
    ("GET", "/api/v1/backtests/{backtest}"): (None, {}),
    ("DELETE", "/api/v1/backtests/{backtest}"): (None, {}),
    ("GET", "/api/v1/backtests/{backtest}/result"): (None, {}),
    ("GET", "/api/v1/backtests/{backtest}/changes"): (None, {}),
    ("GET", "/api/v1/backtests/{backtest}/changes/{change}"): (None, {}),
    ("GET", "/api/v1/policies"): (None, {}),
    ("GET", "/api/v1/policies/{policy}"): (None, {}),
    ("POST", "/api/v1/policies/lint"): ({"yaml": "policies: []"}, {}),
    ("GET", "/api/v1/webhooks"): (None, {}),
    ("POST", "/api/v1/webhooks"): ({"url": "https://example.org/in"}, {}),
    ("DELETE", "/api/v1/webhooks/{endpoint}"): (None, {}),
    ("POST", "/api/v1/webhooks/{endpoint}/enable"): (None, {}),
    ("GET", "/api/v1/webhooks/{endpoint}/deliveries"): (None, {}),
    ("POST", "/api/v1/webhooks/{endpoint}/deliveries/{message}/replay"): (None, {}),
}  # fmt: skip
OPEN = {
    ("POST", "/api/v1/session"), ("GET", "/health/live"), ("GET", "/health/ready"),
}  # fmt: skip
QUERY = {
    ("GET", "/api/v1/search"): "?text=SECRET-CUSTOMER",
    ("DELETE", "/api/v1/searches"): "?name=mine",
    ("GET", "/api/v1/parties"): "?kind=account&key=A1",
    ("GET", "/api/v1/audit/entries"): "?chain=BANK-A",
    ("GET", "/api/v1/keys"): "?owner=bank-a",
    ("PUT", "/api/v1/cases/{case}/files/{sha256}"): "?name=a.txt",
}
SHARED = ("/api/v1/packs", "/api/v1/rules", "/api/v1/policies")
"""Law and policies belong to nobody."""

STRANGERS: dict[str, dict[str, Any]] = {
    "supervisor-of-hk": {"role": Role.SUPERVISOR, "jurisdictions": {"HK"}},
    "supervisor-of-b": {"role": Role.SUPERVISOR, "tenants": {"BANK-B"}},
    "bank-b": {"role": Role.INSTITUTION, "tenants": {"BANK-B"}},
    "author": {"role": Role.AUTHOR},
    "author-of-hk": {"role": Role.AUTHOR, "jurisdictions": {"HK"}},
    "author-of-b": {"role": Role.AUTHOR, "tenants": {"BANK-B"}},
    "operator-of-b": {"role": Role.OPERATOR, "tenants": {"BANK-B"}},
    "auditor-of-b": {"role": Role.AUDITOR, "tenants": {"BANK-B"}},
    "operator-of-hk": {"role": Role.OPERATOR, "jurisdictions": {"HK"}},
    "auditor-of-hk": {"role": Role.AUDITOR, "jurisdictions": {"HK"}},
    "service-of-b": {"role": Role.SERVICE, "tenants": {"BANK-B"}},
}


def theirs(who: str, path: str) -> bool:
    """Proposals and backtests of rules belong to the authority: an author without bounds is no
    stranger there."""
    return who == "author" and path.startswith(("/api/v1/proposals", "/api/v1/backtests"))


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApiWorld, dict[str, str]]]:
    """BANK-A has a case, an alert, a file in line, a quarantined event, a key, a webhook."""
    folder: Path = tmp_path_factory.mktemp("walk")
    more: dict[str, Any] = {
        "policies": Policies(),
        "webhooks": SomeWebhooks(),
        "bundles": SomeBundles(),
        "screening": SomeLists(),
    }
    with ApiWorld.made(folder, events=True, **more) as world:
        case: Case = world.case(1, payer__account="A1", subject="SECRET-CUSTOMER")
        world.user("bank-a", Role.INSTITUTION, tenants={"BANK-A"})
        for event in (bank(), {**deposit(1), "amount": "1.234"}):
            world.ask("bank-a", "POST", "/events", json=event)
        job = world.ask(
            "bank-a", "POST", "/events/bulk", content=json.dumps(deposit(9)),
            headers={"Content-Type": "application/x-ndjson"},
        ).json()  # fmt: skip
        for name, reach in STRANGERS.items():
            given = {**reach}
            world.user(name, given.pop("role"), **given)
        world.indexed()
        kept = {"name": "mine", "search": {"text": "SECRET-CUSTOMER"}}
        assert world.ask("bank-a", "POST", "/searches", json=kept).status_code == 201
        (key,) = world.accounts.keys(SERVICE, "bank-a")
        assert world.proposals is not None
        with world.proposals.unit(SERVICE) as unit:
            unit.add(SERVICE, proposal(), texts())
        kept_backtest(folder / "backtests", BACKTEST)
        yield world, {
            "case": case.id, "sha256": SHA, "alert": f"{1:032x}", "job": job["id"],
            "number": "1", "key": key.id, "endpoint": "W-1111", "message": "M-1111",
            "pack": "cn-aml-large-value", "rule": "cn-lvtr-0501", "policy": "one",
            "proposal": proposal().id, "backtest": BACKTEST, "change": "0",
        }  # fmt: skip


ABSENT = {
    "case": NO_CASE, "sha256": SHA, "alert": NO_ALERT, "job": "J-00000000000000000000",
    "number": "999", "key": "aaaaaaaaaaaaaaaa", "endpoint": "W-9999", "message": "M-9999",
    "pack": "no-pack", "rule": "no-rule", "policy": "none",
    "proposal": "P-99999999999999999999", "backtest": "B-99999999999999999999", "change": "0",
}  # fmt: skip


def _operations(world: ApiWorld) -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for path, methods in world.app.openapi()["paths"].items()
        for method in methods
    }


def test_the_walk_knows_every_route(walk: tuple[ApiWorld, dict[str, str]]) -> None:
    assert _operations(walk[0]) == set(REQUESTS) | OPEN


def _send(world: ApiWorld, who: str, method: str, path: str, ids: dict[str, str]) -> Any:
    body, headers = REQUESTS[method, path]
    url = path.removeprefix("/api/v1").format(**ids) + QUERY.get((method, path), "")
    if isinstance(body, str):
        return world.ask(who, method, url, content=body, headers=headers)
    text = None if body is None else json.loads(json.dumps(body).replace(CASE, ids["case"]))
    return world.ask(who, method, url, headers=headers, **({} if text is None else {"json": text}))


def _told(response: Any, ids: dict[str, str]) -> tuple[int, Any, Any]:
    """Everything a stranger can compare, with the ids that it sent itself left out."""
    text = re.sub(r'"request": "[0-9a-f]+"', "", response.text)
    for value in sorted(ids.values(), key=len, reverse=True):
        if len(value) > 3:
            text = text.replace(value, "ID")
    text = re.sub(r"event 1\b|event 999\b", "event N", text)
    headers = {
        k: v
        for k, v in response.headers.items()
        if k not in ("x-request-id", "content-length", "ratelimit-remaining")
    }
    return response.status_code, text, headers


@pytest.mark.parametrize(
    ("who", "method", "path"),
    [(who, *request) for who in STRANGERS for request in REQUESTS if not theirs(who, request[1])],
)
def test_a_stranger_learns_nothing(
    walk: tuple[ApiWorld, dict[str, str]], who: str, method: str, path: str
) -> None:
    world, ids = walk
    before = world.world.all()
    there = _send(world, who, method, path, ids)
    assert there.status_code < 500, there.text
    if "{" in path and not path.startswith(SHARED):
        absent = _send(world, who, method, path, ABSENT)
        assert there.status_code in (403, 404), there.text
        assert there.headers["content-type"] == MEDIA_TYPE
        assert _told(there, ids) == _told(absent, ABSENT)
    for secret in ("BANK-A", "SECRET-CUSTOMER", ids["case"], ids["job"]):
        sent = json.dumps(REQUESTS[method, path][0] or "") + path.format(**ids)
        if secret not in sent and "{case}" not in sent:
            assert secret not in there.text.replace("events of BANK-A", "")
    assert world.world.all() == before
    assert world.proposals is not None
    assert [one.state for one in world.proposals.proposals(SERVICE).items] == [ProposalState.OPEN]


@pytest.mark.parametrize(("method", "path"), list(REQUESTS))
def test_nobody_learns_nothing_at_all(
    walk: tuple[ApiWorld, dict[str, str]], method: str, path: str
) -> None:
    world, ids = walk
    world.keys["nobody"] = "rtk_aaaaaaaaaaaaaaaa_none"
    there = _send(world, "nobody", method, path, ids)
    absent = _send(world, "nobody", method, path, ABSENT)
    assert there.status_code in (401, 422), there.text
    assert _told(there, ids) == _told(absent, ABSENT)
