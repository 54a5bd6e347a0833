"""Screening over HTTP: who may ask, what comes back, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casework.cases.accounts import Permission
from casework.cases.scope import Role
from detectors.names.screener import Screener
from regtech.app.names import load_model, load_tables
from regtech.app.screening import Screening
from regtech.reference.watchlists import BirthDate, ListedName, ListEntry, ListVersion
from tests.unit.casework.api.api_world import ApiWorld, problem

YEAR_US = 365 * 86_400 * 1_000_000


def lists() -> Screener:
    petrov = ListEntry(
        "7", "person", (ListedName("PETROV, Ivan Sergeyevich"),), birth_dates=(BirthDate(1970),)
    )
    acme = ListEntry("8", "entity", (ListedName("Romashka Trading LLC"),))
    versions = [
        ListVersion("own", (petrov, acme)),
        ListVersion("late", (petrov,), since_us=60 * YEAR_US),
    ]
    return Screener(load_tables(), load_model(), versions)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    folder: Path = tmp_path_factory.mktemp("screening")
    with ApiWorld.made(folder, screening=Screening(lists)) as made:
        made.user("li", Role.SUPERVISOR, jurisdictions={"HK"})
        made.user("bank-a", Role.INSTITUTION, tenants={"BANK-A"})
        made.user("author", Role.AUTHOR)
        made.user("auditor", Role.AUDITOR)
        made.user("operator", Role.OPERATOR)
        yield made


def screened(world: ApiWorld, who: str, **asked: Any) -> dict[str, Any]:
    response = world.ask(who, "POST", "/screen", json=asked)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize("who", ["li", "bank-a"])
def test_a_listed_party_is_found_and_explained(world: ApiWorld, who: str) -> None:
    found = screened(world, who, name="Иван Сергеевич Петров", born="1970", lists=["own"])
    (hit,) = found["items"]
    assert (hit["list"], hit["entry"]) == ("own", "7") and hit["score"] > 0.9
    assert hit["start"] is None
    born = next(part for part in hit["parts"] if part["part"] == "birth_date")
    assert (born["zh"], born["listed"]) == ("出生日期", "1970") and born["log_odds"] > 0
    assert {word["relation"] for word in hit["words"]} & {"same", "alike", "spelling"}
    assert screened(world, who, name="Anna Berg", lists=["own"])["items"] == []


def test_a_text_says_where_the_name_stands(world: ApiWorld) -> None:
    text = "invoice 8812: Romashka Trading, timber"
    found = screened(world, "li", text=text, lists=["own"])
    (hit,) = found["items"]
    assert text[hit["start"] : hit["end"]] == "Romashka Trading" and not found["cut"]


def test_a_list_that_cannot_answer_is_said(world: ApiWorld) -> None:
    asked = {"name": "Ivan Petrov", "lists": ["own", "late", "none"], "at": "2020-01-01T00:00:00Z"}
    found = screened(world, "li", **asked)
    assert (found["lists"], found["unknown"]) == (["own"], ["late", "none"])
    assert screened(world, "li", name="Ivan Petrov")["unknown"] == []


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({}, 400, "usage"),
        ({"name": "a", "text": "b"}, 400, "usage"),
        ({"text": "b", "born": "1970"}, 400, "usage"),
        ({"name": "a", "born": "1970-13"}, 422, "invalid"),
        ({"name": "a", "born": "in May"}, 422, "invalid"),
        ({"name": "a", "threshold": 2}, 422, "invalid"),
        ({"name": "a" * 500}, 422, "invalid"),
        ({"name": "a", "score": 1}, 422, "invalid"),
    ],
)
def test_what_is_no_question_is_refused(
    world: ApiWorld, asked: dict[str, Any], status: int, code: str
) -> None:
    response = world.ask("li", "POST", "/screen", json=asked)
    assert problem(response, status, code)


@pytest.mark.parametrize("who", ["author", "auditor", "operator"])
def test_other_roles_do_not_screen(world: ApiWorld, who: str) -> None:
    assert problem(world.ask(who, "POST", "/screen", json={"name": "Ivan"}), 403, "forbidden")


def test_a_key_for_something_else_does_not(world: ApiWorld) -> None:
    world.user("sender", Role.INSTITUTION, tenants={"BANK-A"})
    world.key("sender", frozenset({Permission.EVENTS}))
    assert problem(world.ask("sender", "POST", "/screen", json={"name": "x"}), 403, "forbidden")


def test_it_is_counted_like_any_request(tmp_path: Path) -> None:
    with ApiWorld.made(tmp_path, screening=Screening(lists), rate=1) as world:
        world.user("li", Role.SUPERVISOR)
        assert world.ask("li", "POST", "/screen", json={"name": "Anna"}).status_code == 200
        assert problem(world.ask("li", "POST", "/screen", json={"name": "Anna"}), 429, "throttled")


def test_without_lists_there_is_no_route(api: ApiWorld) -> None:
    api.user("li", Role.SUPERVISOR)
    assert problem(api.ask("li", "POST", "/screen", json={"name": "x"}), 404, "not_found")
