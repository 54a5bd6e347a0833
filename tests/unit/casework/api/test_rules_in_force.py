"""Over HTTP: a backtest begun, followed and looked into; rules read anew by an operator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casework.cases.scope import Role
from tests.contract.world import SERVICE
from tests.support.backtests import BACKTEST, kept_backtest
from tests.support.proposals import proposal, texts
from tests.unit.casework.api.api_world import ApiWorld, bank, deposit, problem

PACK = "cn-aml-large-value"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ApiWorld]:
    """Six deposits, two of which the law asks to be reported."""
    with ApiWorld.made(tmp_path, events=True) as made:
        made.user("anna", Role.AUTHOR)
        made.user("bo", Role.AUTHOR)
        made.user("li", Role.SUPERVISOR)
        made.user("op", Role.OPERATOR)
        made.user("feed", Role.SERVICE)
        made.user("bank", Role.INSTITUTION, tenants={"BANK-A"})
        amounts = ("50000", "60000", "49000", "48000", "46000", "30000")
        for event in (bank(), *(deposit(n, a) for n, a in enumerate(amounts, 1))):
            assert made.ask("feed", "POST", "/events", json=event).status_code == 200
        yield made


def _lower(world: ApiWorld) -> str:
    assert world.context.rules is not None
    text = world.context.rules.source(PACK).replace("version: 1.0.0", "version: 1.1.0", 1)
    return text.replace("cash_cny: {value: CNY 50000", "cash_cny: {value: CNY 47000", 1)


def _ended(world: ApiWorld, path: str) -> Any:
    for _ in range(1200):
        found = world.ask("bo", "GET", path).json()
        if found["state"] != "running":
            return found
        time.sleep(0.1)
    raise AssertionError("it does not come to its end")


def test_a_backtest_is_begun_once_followed_and_looked_into(world: ApiWorld) -> None:
    body = {"yaml": _lower(world), "history": "journal"}
    again = {"headers": {"Idempotency-Key": "k1"}}
    first = world.ask("anna", "POST", "/backtests", json=body, **again)
    assert first.status_code == 202 and first.json()["state"] == "running"
    path = first.headers["location"].removeprefix("/api/v1")
    repeated = world.ask("anna", "POST", "/backtests", json=body, **again)
    assert (repeated.status_code, repeated.json()["id"]) == (202, first.json()["id"])
    problem(world.ask("bo", "POST", "/backtests", json=body), 503, "capacity")
    problem(world.ask("bo", "GET", f"{path}/result"), 409, "conflict")
    problem(world.ask("bo", "DELETE", path), 403, "forbidden")
    done = _ended(world, path)
    assert (done["state"], done["author"], done["base_version"]) == ("done", "anna", "1.0.0")
    problem(world.ask("anna", "DELETE", path), 409, "conflict")
    listed = world.ask("li", "GET", "/backtests").json()
    assert [one["id"] for one in listed["items"]] == [done["id"]]
    assert listed["histories"] == ["journal"]
    result = world.ask("li", "GET", f"{path}/result").json()
    assert result["alerts"] == {"new": 2, "gone": 0, "moved": 0, "same": 2}
    assert (result["events"], result["sides"], result["kept"]) == (7, {"base": 2, "head": 4}, 2)
    page = world.ask("li", "GET", f"{path}/changes?limit=1&kind=new").json()
    (line,) = page["items"]
    assert (line["rule"], line["subject"]["id"], line["number"]) == ("cn-lvtr-0501", "C3", 0)
    rest = world.ask("li", "GET", f"{path}/changes?limit=1&after={page['after']}").json()
    assert [one["number"] for one in rest["items"]] == [1] and rest["after"] is None
    assert world.ask("li", "GET", f"{path}/changes?kind=gone").json()["items"] == []
    change = world.ask("li", "GET", f"{path}/changes/0").json()
    assert change["base"] is None
    assert change["head"]["measures"]["cny"] == {"amount": "49000.00", "currency": "CNY"}
    # Whom it is about is not for authors, in no place.
    hidden = world.ask("anna", "GET", f"{path}/changes/0").text
    assert '"C3"' not in hidden and "•••" in hidden
    problem(world.ask("li", "GET", f"{path}/changes/2"), 404, "not_found")


def test_what_cannot_be_begun_says_why(world: ApiWorld, tmp_path: Path) -> None:
    body = {"yaml": _lower(world), "history": "journal"}
    for stranger in ("li", "op", "bank", "feed"):
        problem(world.ask(stranger, "POST", "/backtests", json=body), 403, "forbidden")
    found = problem(
        world.ask("anna", "POST", "/backtests", json={**body, "history": "none"}), 400, "usage"
    )
    assert found["hint"] == "histories: journal"
    faulty = {**body, "yaml": body["yaml"].replace("severity: medium", "severity: mediun")}
    found = problem(world.ask("anna", "POST", "/backtests", json=faulty), 422, "content")
    assert found["faults"]
    # Another jurisdiction's is not there.
    kept_backtest(tmp_path / "backtests", BACKTEST, jurisdiction="CN")
    world.user("hk", Role.AUTHOR, jurisdictions={"HK"})
    for path in ("", "/result", "/changes", "/changes/0"):
        problem(world.ask("hk", "GET", f"/backtests/{BACKTEST}{path}"), 404, "not_found")
        assert world.ask("anna", "GET", f"/backtests/{BACKTEST}{path}").status_code == 200
    assert world.ask("hk", "GET", "/backtests").json()["items"] == []


def test_an_operator_has_rules_be_read_and_everybody_of_the_authority_sees_it(
    world: ApiWorld,
) -> None:
    path = "/rules-in-force"
    shown = world.ask("anna", "GET", path).json()
    assert (shown["state"], shown["progress"], shown["refused"]) == ("in_use", None, None)
    for stranger in ("bank", "feed"):
        problem(world.ask(stranger, "GET", path), 403, "forbidden")
    for stranger in ("anna", "li", "bank", "feed"):
        problem(world.ask(stranger, "POST", path), 403, "forbidden")
    asked = world.ask("op", "POST", path)
    assert asked.status_code == 202 and asked.json()["progress"]["stage"] == "packs"
    reading: Any = world.context.rules_in_force
    reading.work(SERVICE)
    assert world.ask("li", "GET", path).json()["state"] == "in_use"
    # Nobody writes to what ships.
    assert world.proposals is not None
    with world.proposals.unit(SERVICE) as unit:
        unit.add(SERVICE, proposal(), texts())
    found = problem(world.ask("op", "POST", f"/proposals/{proposal().id}/apply"), 400, "usage")
    assert "--rules" in found["hint"]
