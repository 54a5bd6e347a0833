"""What is not theirs takes the same work as what is not there: statement by statement, and in time.

A clock on the wire tells a stranger what words do not. So the routes that name something are asked
over a real store, once for what another tenant has and once for what nobody has: the store has to
be asked the same, and the times of the two have to be of one class.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from starlette.testclient import TestClient

from casework.api import gate
from casework.cases.accounts import EVERYTHING
from casework.cases.scope import Role
from casework.evidence.keys import create_keys
from casework.ports import CaseQuery
from casework.webhooks.address import AllowList
from regtech.app.asgi import ServerSettings, server
from regtech.app.casework import casework
from regtech.clock import SystemClock
from tests.contract.world import SERVICE, alert
from tests.unit.casework.api.api_world import bank, deposit
from tests.unit.casework.api.test_walk import (
    ABSENT,
    CASE,
    QUERY,
    REQUESTS,
    SHA,
    SHARED,
    STRANGERS,
)

ROUTES = [key for key in REQUESTS if "{" in key[1] and not key[1].startswith(SHARED)]
ROUNDS = 40


class Asked:
    """A server over SQLite, and what its store was asked during a request."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.keys: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self._statements: list[str] = []
        self._listening = False

    def listen(self, engine: sa.Engine) -> None:
        """Hear the statements of an engine, without their values."""

        def executed(_c: Any, _cur: Any, statement: str, _p: Any, _ctx: Any, many: bool) -> None:
            if self._listening:
                self._statements.append(statement + (" (many)" if many else ""))

        event.listen(engine, "before_cursor_execute", executed)

    def ask(self, who: str, method: str, path: str, ids: dict[str, str]) -> tuple[int, float]:
        """Status and seconds."""
        body, headers = REQUESTS[method, path]
        url = path.format(**ids) + QUERY.get((method, path), "")
        given: dict[str, Any] = {}
        if isinstance(body, str):
            given = {"content": body}
        elif body is not None:
            given = {"json": json.loads(json.dumps(body).replace(CASE, ids["case"]))}
        told = {"Authorization": f"Bearer {self.keys[who]}", **headers}
        start = time.perf_counter()
        response = self.client.request(method, url, headers=told, **given)
        return response.status_code, time.perf_counter() - start

    @contextmanager
    def heard(self) -> Iterator[list[str]]:
        """The statements of what is asked inside."""
        self._statements = []
        self._listening = True
        yield self._statements
        self._listening = False


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """BANK-A has one of everything that a route names; the workers of the server stand still."""
    folder = tmp_path_factory.mktemp("timing")
    create_keys(folder / "keys", SystemClock().now_us())
    store = f"sqlite:///{folder}/cases.db"
    settings = ServerSettings(
        store=store, data=folder / "data", keys=folder / "keys", packs=("cn-aml-large-value",),
        rate=1_000_000, stranger_rate=1_000_000, allow=AllowList.of("127.0.0.1"),
    )  # fmt: skip
    with casework(store, create=True) as parts:
        parts.intake.take(
            SERVICE, [alert(1, subject="C1"), alert(2, subject="C1", kind="suspicion")]
        )
        case = parts.service.list(SERVICE, CaseQuery()).items[0]
    with pytest.MonkeyPatch.context() as patch, server(settings) as made:
        # Who has a key is asked of the store once, not now and then in between.
        patch.setattr(gate, "KNOWN_S", 1e9)
        # Without its lifespan: no worker writes in between.
        client = TestClient(made.app, base_url="https://regtech.test")
        world = Asked(client)
        identity = made.context.gate.identity
        for name, reach in {
            "bank-a": {"role": Role.INSTITUTION, "tenants": {"BANK-A"}},
            **STRANGERS,
        }.items():
            given = {**reach}
            identity.create_user(SERVICE, name, [given.pop("role")], **given)
            world.keys[name], key = identity.create_key(SERVICE, name, "test", EVERYTHING, days=9)
            if name == "bank-a":
                world.ids["key"] = key.id
        mine = {"Authorization": f"Bearer {world.keys['bank-a']}"}
        for sent in (bank(), {**deposit(1), "amount": "1.234"}):
            client.post("/api/v1/events", json=sent, headers=mine)
        job = client.post(
            "/api/v1/events/bulk", content=json.dumps(deposit(9)),
            headers={**mine, "Content-Type": "application/x-ndjson"},
        ).json()  # fmt: skip
        hook = {"url": "http://127.0.0.1:9/in", "kinds": ["case.*"], "description": ""}
        endpoint = client.post("/api/v1/webhooks", json=hook, headers=mine).json()
        world.ids |= {
            "case": case.id, "sha256": SHA, "alert": f"{1:032x}", "job": job["id"], "number": "1",
            "endpoint": endpoint["id"], "message": "msg_" + "0" * 32,
        }  # fmt: skip
        record: Any = made.context.service.record
        world.listen(record._engine)
        yield world


@pytest.mark.parametrize("who", list(STRANGERS))
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_store_is_asked_the_same(asked: Asked, who: str, method: str, path: str) -> None:
    ids = {**ABSENT, **asked.ids}
    asked.ask(who, "GET", "/api/v1/cases/{case}", ABSENT)  # who it is, is known from here on
    with asked.heard() as absent:
        nothing, _ = asked.ask(who, method, path, ABSENT)
    with asked.heard() as foreign:
        status, _ = asked.ask(who, method, path, ids)
    assert status == nothing and status in (403, 404)
    assert foreign == absent


TIMED = [
    ("GET", "/api/v1/cases/{case}"),
    ("GET", "/api/v1/cases/{case}/related"),
    ("POST", "/api/v1/cases/{case}/actions"),
    ("GET", "/api/v1/alerts/{alert}"),
    ("GET", "/api/v1/quarantine/{number}"),
    ("GET", "/api/v1/events/jobs/{job}"),
]


@pytest.mark.parametrize(("method", "path"), TIMED)
@pytest.mark.parametrize("who", ["supervisor-of-hk", "bank-b"])
def test_the_times_are_of_one_class(asked: Asked, who: str, method: str, path: str) -> None:
    ids = {**ABSENT, **asked.ids}
    times: dict[bool, list[float]] = {True: [], False: []}
    for round_ in range(2 * ROUNDS):
        # In turns, so that what else the machine does meets both.
        there = round_ % 2 == 0
        times[there].append(asked.ask(who, method, path, ids if there else ABSENT)[1])
    foreign, absent = times[True], times[False]
    slower = sum((f > a) + 0.5 * (f == a) for f in foreign for a in absent) / ROUNDS**2
    apart = abs(statistics.median(foreign) - statistics.median(absent))
    # Of one class the share is 0.5, give or take 0.065 (one standard deviation).
    assert 0.15 < slower < 0.85 or apart < 0.0005, (slower, apart)
