"""Every search index under one suite: ``index`` is each of them in turn, with nothing in it.

Elasticsearch needs a server: ``REGTECH_TEST_ELASTIC`` is its URL (``python .ci/services.py start``
starts one). Each test has a prefix of its own and takes its indices away.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casework.search.fts.index import FtsIndex
from casework.search.memory import MemoryIndex
from casework.search.ports import SearchIndex
from regtech.clock import ManualClock
from tests.support.servers import ELASTIC, server_url

Make = Callable[[], SearchIndex]


@pytest.fixture
def elastic_url() -> Iterator[str]:
    """A server's URL with a prefix that nobody else has; its indices go at the end."""
    base = server_url(ELASTIC)
    prefix = f"test-{uuid.uuid4().hex}"
    yield f"{base}/{prefix}"
    from elasticsearch import Elasticsearch

    with Elasticsearch(base) as client:
        names = list(client.indices.get(index=f"{prefix}-*", features="aliases"))
        if names:
            client.indices.delete(index=names)


@pytest.fixture(params=["memory", "fts", "elastic"])
def index(
    request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path
) -> Iterator[SearchIndex]:
    """An index of each kind, where nothing was built yet."""
    made: SearchIndex
    if request.param == "memory":
        made = MemoryIndex()
    elif request.param == "fts":
        made = FtsIndex(tmp_path / "search.db", clock)
    else:
        url = request.getfixturevalue("elastic_url")
        from casework.search.elastic.index import ElasticIndex

        made = ElasticIndex(url, clock)
    yield made
    made.close()
