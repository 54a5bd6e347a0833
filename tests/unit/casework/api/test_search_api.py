"""Search over HTTP: words, filters, counts, pages that stand still, searches that are kept."""

from __future__ import annotations

from typing import Any

import pytest

from casework.cases.scope import Role
from casework.cases.timeline import EntryKind
from tests.contract.world import SERVICE
from tests.unit.casework.api.api_world import ApiWorld, problem


@pytest.fixture
def found(api: ApiWorld) -> ApiWorld:
    """Three cases of two banks; Li works them, each bank has a user."""
    api.case(1, subject="K1", payer__name="张伟", payer__account="6222021234567890")
    api.case(2, subject="K2", payer__name="Пётр Иванов", severity="high")
    api.case(3, subject="K3", tenant="BANK-B", kind="suspicion", payer__name="Anna Berg")
    api.user("li", Role.SUPERVISOR)
    api.user("of-hk", Role.SUPERVISOR, jurisdictions={"HK"})
    api.user("bank-a", Role.INSTITUTION, tenants={"BANK-A"})
    api.user("bank-b", Role.INSTITUTION, tenants={"BANK-B"})
    api.indexed()
    return api


def search(world: ApiWorld, who: str, **params: Any) -> dict[str, Any]:
    response = world.ask(who, "GET", "/search", params=params)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    assert len(page["items"]) <= page["total"]
    return page


def test_a_part_of_an_account_leads_to_the_case(found: ApiWorld) -> None:
    page = search(found, "li", text="7890", kind="case")
    (hit,) = page["items"]
    assert hit["id"] in {case.id for case in found.world.all()}
    assert hit["highlights"][0]["pieces"][-1] == {"text": "7890", "match": True}
    assert page["facets"]["state"] == {"new": 1}
    # A name is above a supervisor's grade: that it matched is said, and not what it is.
    (hit,) = search(found, "li", text="张伟", kind="case")["items"]
    assert hit["highlights"] == [{"field": "names", "pieces": [{"text": "•••", "match": True}]}]
    assert search(found, "li", facets="false", text="7890")["facets"] == {}


def test_the_same_by_the_body(found: ApiWorld) -> None:
    asked = {"text": "иванов", "kinds": ["case"], "severities": ["high"], "open": True}
    response = found.ask("li", "POST", "/search", json=asked)
    assert response.status_code == 200, response.text
    by_address = search(found, "li", text="иванов", kind="case", severity="high", open="true")
    assert response.json()["items"] == by_address["items"] != []
    assert search(found, "li", text="иванов", kind="case", severity="low")["total"] == 0


def test_pages_stand_still_while_cases_come(found: ApiWorld) -> None:
    first = search(found, "li", kind="case", limit=1)
    assert first["total"] == 3 and first["after"]
    found.case(4, subject="K4")
    found.indexed()
    ids, after = [first["items"][0]["id"]], first["after"]
    while after:
        page = search(found, "li", kind="case", limit=1, after=after)
        assert page["total"] == 3
        ids += [hit["id"] for hit in page["items"]]
        after = page["after"]
    assert len(ids) == len(set(ids)) == 3
    assert search(found, "li", kind="case")["total"] == 4
    problem(found.ask("li", "GET", "/search", params={"after": "zzz"}), 400, "usage")
    problem(
        found.ask("li", "GET", "/search", params={"after": first["after"], "text": "x"}),
        400, "usage",
    )  # fmt: skip


def test_everybody_finds_what_is_theirs_and_no_more(found: ApiWorld) -> None:
    assert search(found, "of-hk")["total"] == 0 == search(found, "of-hk", text="7890")["total"]
    mine = search(found, "bank-a", kind="case")
    assert mine["total"] == 2
    for hit in mine["items"]:
        assert (hit["state"], hit["queue"], hit["severity"]) == ("", "", "")
    assert not {"state", "queue", "severity"} & set(mine["facets"])
    # What it was shown goes on record; a suspicion is not there for the bank.
    told = found.world.record.log(SERVICE, "BANK-A", limit=100)[-1]
    assert told.kind is EntryKind.DISCLOSED
    assert set(told.detail["cases"]) == {hit["id"] for hit in mine["items"]}
    assert search(found, "bank-b", text="anna")["total"] == 0
    # Filters by what is not shown do not narrow it down.
    assert search(found, "bank-a", kind="case", severity="critical")["total"] == 2
    found.user("sender", Role.SERVICE)
    found.user("writer", Role.AUTHOR)
    problem(found.ask("writer", "GET", "/search"), 403, "forbidden")


def test_searches_are_kept_for_whoever_kept_them(found: ApiWorld) -> None:
    wanted = {
        "name": " pressing ",
        "search": {"kinds": ["case"], "severities": ["high"], "since": "2026-03-01T08:00:00+08:00"},
    }
    response = found.ask("li", "POST", "/searches", json=wanted)
    assert response.status_code == 201, response.text
    assert response.json()["name"] == "pressing"
    (kept,) = found.ask("li", "GET", "/searches").json()["items"]
    assert kept == response.json()
    assert kept["search"]["since"] == "2026-03-01T00:00:00Z"
    assert kept["search"]["severities"] == ["high"]
    assert search(found, "li", saved="pressing")["total"] == 1
    both = {"saved": "pressing", "text": "x"}
    problem(found.ask("li", "GET", "/search", params=both), 400, "usage")
    assert found.ask("bank-a", "GET", "/searches").json() == {"items": []}
    pressing = {"saved": "pressing"}
    problem(found.ask("bank-a", "GET", "/search", params=pressing), 404, "not_found")
    named = {"name": "pressing"}
    problem(found.ask("bank-a", "DELETE", "/searches", params=named), 404, "not_found")
    assert found.ask("li", "DELETE", "/searches", params=named).status_code == 204
    problem(found.ask("li", "DELETE", "/searches", params=named), 404, "not_found")


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"text": "x" * 401}, 422, "invalid"),
        ({"text": " ".join(f"w{n}" for n in range(17))}, 400, "usage"),
        ({"text": "!?"}, 400, "usage"),
        ({"kind": "person"}, 422, "invalid"),
        ({"since": "yesterday"}, 422, "invalid"),
        ({"saved": "none"}, 404, "not_found"),
    ],
)
def test_what_cannot_be_asked(
    found: ApiWorld, params: dict[str, str], status: int, code: str
) -> None:
    problem(found.ask("li", "GET", "/search", params=params), status, code)


def test_an_index_that_is_not_there_yet_is_said(api: ApiWorld) -> None:
    api.user("li", Role.SUPERVISOR)
    problem(api.ask("li", "GET", "/search", params={"text": "x"}), 503, "index_absent")
