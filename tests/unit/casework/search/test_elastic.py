"""What of the Elasticsearch backend needs no server: URLs, the mapping, what is sent."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from casework.cases.scope import Role, Scope
from casework.search.base import Asked
from casework.search.document import SHAPE, Document
from casework.search.elastic.client import connect
from casework.search.elastic.index import ElasticIndex, mapping
from casework.search.elastic.requests import question, source_of
from casework.search.query import Kind, SearchQuery
from casework.search.reach import reach_of
from regtech.clock import ManualClock
from regtech.errors import StoreError, UsageError


def test_the_mapping_is_strict_and_names_its_shape() -> None:
    found = mapping()["mappings"]
    assert found["dynamic"] == "strict" and found["_meta"] == {"shape": SHAPE}
    sent = source_of(Document("d", Kind.CASE, "C-1", 1, full=True, names=("Anna",)))
    assert set(sent) == set(found["properties"])
    # What is not in every distribution is not asked of the server.
    kinds = {entry["type"] for entry in found["properties"].values()}
    assert kinds == {"keyword", "text", "long", "integer", "boolean"}
    assert "analysis" not in mapping()["settings"]


def test_what_is_gone_is_sent_without_anything_of_it() -> None:
    gone = Document("d", Kind.CASE, "C-1", 2, gone=True)
    assert set(source_of(gone)) == {"id", "kind", "visible", "body"}
    assert source_of(gone)["visible"] == []


def _filters(scope: Scope, query: SearchQuery) -> list[dict[str, Any]]:
    made = question(Asked(reach_of(scope), query, (), None, 1, False))
    return list(made["bool"]["filter"])


def test_the_scope_is_in_every_question() -> None:
    scope = Scope("x", frozenset({Role.SUPERVISOR}), frozenset({"CN"}), frozenset({"B", "A"}))
    for query in (SearchQuery(), SearchQuery("anna", tenants=("C",), jurisdictions=("EU",))):
        found = _filters(scope, query)
        assert {"term": {"visible": "full"}} in found
        assert {"terms": {"jurisdiction": ["CN"]}} in found
        assert {"range": {"tenant_count": {"gte": 1}}} in found
        terms = {"terms": ["A", "B"], "minimum_should_match_field": "tenant_count"}
        assert {"terms_set": {"tenants": terms}} in found


@pytest.mark.parametrize(
    ("url", "shown", "prefix"),
    [
        ("http://localhost", "http://localhost:9200/regtech-search", "regtech-search"),
        ("https://es.example/cases/", "https://es.example:443/cases", "cases"),
        ("https://u:p%40ss@es:9243/a-b_c1", "https://es:9243/a-b_c1", "a-b_c1"),
        ("http://[::1]:9200", "http://[::1]:9200/regtech-search", "regtech-search"),
    ],
)
def test_urls(url: str, shown: str, prefix: str) -> None:
    client, told, begins = connect(url)
    client.close()
    assert (told, begins) == (shown, prefix)


@pytest.mark.parametrize(
    "url", ["", "localhost:9200", "ftp://x", "http://", "http://x:99999", "http://x/A", "http://x/*",
            "http://x/a,b", "http://x/?a=b"],
)  # fmt: skip
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(UsageError):
        connect(url)


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    index = ElasticIndex(f"http://user:secret@127.0.0.1:{port}/x", ManualClock())
    with pytest.raises(StoreError, match="not in reach") as caught:
        index.live()
    index.close()
    shown = f"{caught.value} {caught.value.hint}"
    assert "secret" not in shown and f"127.0.0.1:{port}/x" in shown
