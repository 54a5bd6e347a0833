"""Elasticsearch killed under writes, away, and wiped: what was acknowledged is there, or made anew.

These tests kill the server, so they need one that is theirs: ``REGTECH_SERVICES_SCRIPT`` names
``.ci/services.py``, which also started it. They run alone (``pytest -n 0 tests/servers``).
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casework.cases.scope import service_scope
from casework.ports import Topic
from casework.search.errors import IndexAbsentError
from casework.search.indexer import Indexer
from casework.search.query import Kind, SearchQuery
from casework.search.rebuild import check, rebuild
from casework.stores.sql.record import SqlRecord
from regtech.clock import ManualClock
from regtech.errors import StoreError
from tests.contract.world import START_US, Salts, World, alert
from tests.support.servers import ELASTIC, control, server_url

SERVICE = service_scope()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = ManualClock(START_US)
    record = SqlRecord(f"{tmp_path}/cases.db", clock, Salts())
    yield World(record, clock)
    record.close()


@pytest.fixture
def index(world: World) -> Iterator[Any]:
    from casework.search.elastic.index import ElasticIndex

    url = server_url(ELASTIC)
    control("start", "elasticsearch")
    made = ElasticIndex(f"{url}/lost-{uuid.uuid4().hex}", world.clock)
    yield made
    made.close()
    control("start", "elasticsearch")


def indexer(world: World, index: Any) -> Indexer:
    return Indexer(
        world.record,
        index,
        SERVICE,
        world.service.themes,
        wait=lambda seconds: False,
        random=lambda: 0.5,
        note=lambda text: None,
    )


def test_killed_under_writes_nothing_acknowledged_is_lost(world: World, index: Any) -> None:
    rebuild(world.record, index, SERVICE, world.service.themes)
    worker, stop = indexer(world, index), threading.Event()
    passed, failed = [0], list[StoreError]()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 20
            world.take(*(alert(number + n, subject=f"K{n}") for n in range(20)))
            try:
                passed[0] += worker.catch_up()
            except StoreError as error:
                failed.append(error)
                stop.wait(0.2)

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(3):
        before = passed[0]
        while passed[0] < before + 30:
            stop.wait(0.05)
        control("kill", "elasticsearch")
        stop.wait(1)
        control("start", "elasticsearch")
    stop.set()
    thread.join()
    assert failed, "the server was never away while something was written"
    assert all("not in reach" in e.message or "failed" in e.message for e in failed), failed
    # What the outbox no longer has is in the index: acknowledged means kept.
    waiting = world.record.messages(SERVICE, Topic.SEARCH, limit=10_000)
    named = {m.body["case"] for m in waiting if "case" in m.body}
    named |= {i for m in waiting for i in m.body.get("alerts", ())}
    found = check(world.record, index, SERVICE, world.service.themes)
    lost = [i for i in found.faulty if i.split(":")[1] not in named and not i.startswith("party")]
    assert lost == [] and found.foreign == []
    worker.catch_up()
    assert check(world.record, index, SERVICE, world.service.themes).same


def test_wiped_it_is_built_from_the_record(world: World, index: Any) -> None:
    world.take(*(alert(n, subject=f"K{n}", payer__name="Anna") for n in range(40)))
    worker = indexer(world, index)
    worker.catch_up()
    assert check(world.record, index, SERVICE, world.service.themes).same
    control("wipe", "elasticsearch")
    with pytest.raises(StoreError, match="not in reach"):
        index.search(SERVICE, SearchQuery("anna"))
    control("start", "elasticsearch")
    # An index that lost everything never looks like one that has nothing to find.
    with pytest.raises(IndexAbsentError):
        index.search(SERVICE, SearchQuery("anna"))
    world.take(alert(100, subject="K100"))
    worker.catch_up()
    found = check(world.record, index, SERVICE, world.service.themes)
    assert found.same and found.documents["alert"] == 41
    page = index.search(SERVICE, SearchQuery("anna", kinds=(Kind.CASE,)))
    assert page.total == 40


def test_killed_while_it_is_built_the_old_index_stays(world: World, index: Any) -> None:
    world.take(*(alert(n, subject=f"K{n}") for n in range(40)))
    rebuild(world.record, index, SERVICE, world.service.themes)
    before = index.live()
    killed: list[int] = []

    def told(documents: int) -> None:
        if not killed:
            killed.append(documents)
            control("kill", "elasticsearch")

    with pytest.raises(StoreError):
        rebuild(world.record, index, SERVICE, world.service.themes, told)
    control("start", "elasticsearch")
    assert index.live() == before and check(world.record, index, SERVICE, world.service.themes).same
    rebuild(world.record, index, SERVICE, world.service.themes)
    assert index.live() != before and check(world.record, index, SERVICE, world.service.themes).same
