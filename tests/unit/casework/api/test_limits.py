"""Bounds, headers and the one shape of errors, whatever it is that goes wrong."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from casework.api.examples import EXAMPLES
from casework.api.problems import CODES
from casework.api.shell import HEADERS, Limits
from casework.cases.scope import Role
from regtech.errors import CapacityError, StoreError
from tests.support.pages import reference_page
from tests.unit.casework.api.api_world import SECOND_US, ApiWorld, deposit, problem

SMALL = Limits(body_bytes=2000, file_bytes=3000, bulk_bytes=4000, timeout_s=0.2)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[ApiWorld]:
    """With small bounds and an engine."""
    with ApiWorld.made(tmp_path, events=True, limits=SMALL) as world:
        world.user("feed", Role.SERVICE)
        world.user("wang", Role.SUPERVISOR)
        yield world


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/cases/", 404, "not_found"),
        ("DELETE", "/cases", 405, "method"),
        ("GET", "/cases?limit=0", 422, "invalid"),
        ("GET", "/cases?state=open", 422, "invalid"),
        ("GET", "/parties?kind=x&key=y", 422, "invalid"),
        ("GET", "/parties?kind=account&key=y&since=2026-03-01T00:00:00", 422, "invalid"),
        ("GET", "/parties?kind=account&key=y&since=9999-03-01T00:00:00Z", 422, "invalid"),
        ("GET", f"/alerts/{'x' * 201}", 422, "invalid"),
        ("GET", "/quarantine/0", 404, "not_found"),
    ],
)
def test_what_cannot_be_asked(
    api: ApiWorld, method: str, path: str, status: int, code: str
) -> None:
    api.user("wang", Role.SUPERVISOR)
    problem(api.ask("wang", method, path), status, code)


def test_a_filter_that_is_misspelled_is_not_left_out(api: ApiWorld) -> None:
    api.user("wang", Role.SUPERVISOR)
    refused = api.ask("wang", "GET", "/cases?jurisdicton=CN&limit=5&nothing=")
    problem(refused, 422, "invalid")
    first, second = refused.json()["faults"]
    assert first["where"] == "query.jurisdicton" and "'jurisdiction'" in first["message"]
    assert second["where"] == "query.nothing" and "one of queue, state" in second["message"]
    assert api.ask("wang", "GET", "/cases?jurisdiction=CN&every=true").status_code == 200
    problem(api.ask("wang", "GET", "/session?me=1"), 422, "invalid")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "invalid"),
        (b"{", 400, "input"),
        (b"[]", 422, "invalid"),
        (b'{"action": "dance"}', 422, "invalid"),
        (b'{"action": "triage", "more": 1}', 422, "invalid"),
        (b'{"action": "comment", "text": "\\ud800"}', 422, "invalid"),
        (b'{"action": "comment", "\\ud800": "x", "text": "x"}', 422, "invalid"),
        (b'{"action": "close", "outcome": "x", "reason": ""}', 422, "invalid"),
        (b"[" * 1900, 400, "input"),
        (b'{"action": "comment", "text": "\xff"}', 400, "input"),
    ],
)  # fmt: skip
def test_bodies_that_are_none(api: ApiWorld, content: bytes, status: int, code: str) -> None:
    api.user("wang", Role.SUPERVISOR)
    case = api.case()
    response = api.ask(
        "wang", "POST", f"/cases/{case.id}/actions", content=content,
        headers={"Content-Type": "application/json", "If-Match": '"1"'},
    )  # fmt: skip
    problem(response, status, code)
    assert api.world.all()[0].version == 1


def test_what_was_sent_is_not_said_back(api: ApiWorld) -> None:
    response = api.client.post(
        "/api/v1/session", json={"name": "wang", "password": ["secret-word"], "x": "secret-word"}
    )
    found = problem(response, 422, "invalid")
    assert "secret-word" not in response.text
    assert [fault["where"] for fault in found["faults"]] == ["body.password", "body.x"]


@pytest.mark.parametrize(
    "path", ["/api/v1/cases", "/api/v1/nothing", "/health/live", "/api/v1/openapi.json"]
)
def test_every_answer_has_the_headers(api: ApiWorld, path: str) -> None:
    response = api.client.get(path)
    for name, value in HEADERS.items():
        assert response.headers[name] == value
    assert "'unsafe" not in response.headers["content-security-policy"]
    assert len(response.headers["x-request-id"]) == 32
    assert "server" not in response.headers


def test_bodies_have_bounds_said_or_not(small: ApiWorld) -> None:
    large = json.dumps(deposit(1, purpose="x" * 2000)).encode()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(large), 100):
            yield large[start : start + 100]

    kind = {"Content-Type": "application/json"}
    problem(small.ask("feed", "POST", "/events", content=large, headers=kind), 413, "too_large")
    chunked = small.ask("feed", "POST", "/events", content=pieces(), headers=kind)
    problem(chunked, 413, "too_large")
    lines = {"Content-Type": "application/x-ndjson"}
    two = large + b"\n" + large
    problem(small.ask("feed", "POST", "/events/bulk", content=two, headers=lines), 413, "too_large")
    streamed = small.ask(
        "feed", "POST", "/events/bulk", content=iter([large, b"\n", large]), headers=lines
    )
    problem(streamed, 413, "too_large")
    assert small.ask("feed", "GET", "/events/jobs").json()["items"] == []
    assert small.bulk is not None
    assert list(small.bulk._folder.iterdir()) == []


def test_a_request_that_takes_too_long_is_ended(
    small: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def slow(*_: Any, **__: Any) -> None:
        done.wait(5)
        raise StoreError("late")

    monkeypatch.setattr(small.context.service, "list", slow)
    response = small.ask("wang", "GET", "/cases")
    done.set()
    problem(response, 503, "timeout")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StoreError("the store failed: disk I/O error"), 503, "store"),
        (CapacityError("full"), 503, "capacity"),
        (ValueError("Zhang San, 3101011990"), 500, "internal"),
        (RecursionError(), 500, "internal"),
    ],
)
def test_a_defect_is_logged_and_not_told(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    error: Exception, status: int, code: str,
) -> None:  # fmt: skip
    def fails(*_: Any, **__: Any) -> None:
        raise error

    api.user("wang", Role.SUPERVISOR)
    monkeypatch.setattr(api.context.service, "list", fails)
    with caplog.at_level(logging.INFO, "regtech.api"):
        response = api.ask("wang", "GET", "/cases")
    problem(response, status, code)
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "Zhang San" not in response.text + said
    assert response.headers["x-request-id"] in said


def test_the_log_has_no_ids_and_no_addresses(
    api: ApiWorld, caplog: pytest.LogCaptureFixture
) -> None:
    api.user("wang", Role.SUPERVISOR)
    case = api.case()
    with caplog.at_level(logging.INFO, "regtech.api"):
        api.ask("wang", "GET", f"/cases/{case.id}")
        api.ask("wang", "GET", "/parties?kind=account&key=SECRET")
    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert [line["route"] for line in lines] == ["/api/v1/cases/{case}", "/api/v1/parties"]
    text = json.dumps(lines)
    for secret in (case.id, "SECRET", "wang", "testclient", api.keys["wang"]):
        assert secret not in text


def test_each_key_has_its_rate(tmp_path: Path) -> None:
    with ApiWorld.made(tmp_path, rate=3) as world:
        world.user("wang", Role.SUPERVISOR)
        world.user("li", Role.SUPERVISOR)
        left = [world.ask("wang", "GET", "/cases").headers["ratelimit-remaining"] for _ in "123"]
        assert left == ["2", "1", "0"]
        refused = world.ask("wang", "GET", "/cases")
        problem(refused, 429, "throttled")
        assert int(refused.headers["retry-after"]) >= 1
        assert world.ask("li", "GET", "/cases").status_code == 200
        world.clock.advance(SECOND_US)
        assert world.ask("wang", "GET", "/cases").status_code == 200


def test_strangers_are_counted_by_address(tmp_path: Path) -> None:
    with ApiWorld.made(tmp_path, strangers=2) as world:
        world.user("wang", Role.SUPERVISOR)
        codes = [world.client.get("/api/v1/cases").status_code for _ in range(4)]
        assert codes == [401, 401, 429, 429]
        assert world.ask("wang", "GET", "/cases").status_code == 200


def test_health_is_open_and_says_little(api: ApiWorld) -> None:
    assert api.client.get("/health/live").json() == {"status": "ok"}
    assert api.client.get("/health/ready").json() == {"status": "ok"}
    api.health.serving = False
    problem(api.client.get("/health/ready"), 503, "stopping")
    assert api.client.get("/health/live").status_code == 200
    api.user("op", Role.OPERATOR)
    report = api.ask("op", "GET", "/health").json()
    assert report == {"ready": False, "parts": {"engine": {"events": 0}}}


def test_figures_count_routes_not_ids(api: ApiWorld) -> None:
    api.user("op", Role.OPERATOR)
    case = api.case()
    api.ask("op", "GET", f"/cases/{case.id}")
    api.client.get(f"/api/v1/{case.id}")
    text = api.ask("op", "GET", "/metrics").text
    route = 'regtech_requests_total{method="GET",route="/api/v1/cases/{case}",status="200"} 1.0'
    assert route in text
    assert case.id not in text


def test_the_description_is_whole(judging: ApiWorld) -> None:
    found = judging.client.get("/api/v1/openapi.json").json()
    schemas = set(found["components"]["schemas"])
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"] and operation["description"], (method, path)
            if path.startswith("/health"):
                continue
            statuses = set(operation["responses"])
            assert statuses & {"200", "201", "202", "204"}
            assert {"401", "403", "422", "429", "500", "503"} <= statuses
    referenced = set(
        part.split('"')[0]
        for part in json.dumps(found).split("#/components/schemas/")[1:]
    )  # fmt: skip
    assert referenced <= schemas
    assert "Problem" in schemas


@pytest.mark.parametrize("kind", list(EXAMPLES), ids=lambda kind: kind.__name__)
def test_every_example_is_one(kind: type[BaseModel]) -> None:
    made = kind.model_validate(EXAMPLES[kind])
    assert set(EXAMPLES[kind]) <= set(made.model_dump())


def test_what_is_taken_has_an_example(judging: ApiWorld) -> None:
    found = judging.client.get("/api/v1/openapi.json").json()
    acts = found["components"]["schemas"]["Bulk"]["properties"]["act"]["discriminator"]["mapping"]
    for reference in acts.values():
        assert "example" in found["components"]["schemas"][reference.rpartition("/")[2]]
    operation = found["paths"]["/api/v1/cases/{case}/actions"]["post"]
    assert operation["security"] == [{"key": []}, {"session": [], "csrf": []}]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert {"Idempotency-Key", "If-Match"} <= names
    queue = found["paths"]["/api/v1/cases"]["get"]
    assert queue["security"] == [{"key": []}, {"session": []}]


def test_every_code_is_said_in_the_reference() -> None:
    text = reference_page("api.md")
    assert [code for code in CODES if f"`{code}`" not in text] == []
