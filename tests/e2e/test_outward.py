"""A server tells others by itself: webhooks go out, the index is kept, evidence is handed out."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from casework.cases.scope import Role, Scope
from casework.evidence import verify_bundle
from casework.evidence.keys import create_keys
from casework.ports import CaseQuery
from casework.search.query import SearchQuery
from casework.webhooks.address import AllowList
from regtech.app.asgi import ServerSettings, server
from regtech.app.casework import casework
from regtech.app.outward import EvidenceDesk
from regtech.app.search import open_index
from regtech.clock import SystemClock
from tests.contract.world import SERVICE, alert

LI = Scope("li", frozenset({Role.SUPERVISOR}), None, None)
OPERATOR = Scope("op", frozenset({Role.OPERATOR}), None, None)


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A real server that keeps what is posted to it: (webhook-id, body)."""
    heard: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((self.headers["webhook-id"], body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}/in", heard
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def until(found: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.05)


def test_what_happens_to_a_case_goes_out_and_is_found(tmp_path: Path) -> None:
    store, keys = f"sqlite:///{tmp_path}/cases.db", tmp_path / "keys"
    create_keys(keys, SystemClock().now_us())
    settings = ServerSettings(
        store=store,
        data=tmp_path / "data",
        events=False,
        keys=keys,
        allow=AllowList.of("127.0.0.1"),
    )
    with receiver() as (url, heard), server(settings) as made, TestClient(made.app):
        desk, bundles = made.context.webhooks, made.context.bundles
        assert desk is not None and isinstance(bundles, EvidenceDesk)
        assert made.context.policies is not None
        endpoint, secret = desk.register(OPERATOR, url, ["case.*"], "ours")
        assert secret.startswith("whsec_") and desk.endpoints(OPERATOR) == [endpoint]
        with casework(store) as parts:
            parts.intake.take(SERVICE, [alert(1, payer__id="P1", payer__name="Anna Berg")])
            (case,) = parts.service.list(LI, CaseQuery()).items
            bundles.checkpoint(SERVICE)
            assert [body["size"] for body in parts.record.checkpoints(SERVICE, "BANK-A")] == [2]
        until(lambda: len(heard) == 1)
        said = json.loads(heard[0][1])
        assert said["type"] == "case.opened" and said["data"]["case"] == case.id
        page = desk.deliveries(OPERATOR, str(endpoint["id"]), after=None, limit=10)
        until(lambda: _states(desk, str(endpoint["id"])) == ["delivered"])
        assert [item["id"] for item in page.items] == [heard[0][0]]
        desk.replay(OPERATOR, str(endpoint["id"]), heard[0][0])
        until(lambda: len(heard) == 2)
        assert heard[1][0] == heard[0][0]
        index, _ = open_index(store, None, SystemClock())
        until(lambda: index.live() is not None)
        until(lambda: index.search(SERVICE, SearchQuery("Anna Berg"), limit=5).total > 0)
        index.close()
        report = verify_bundle.verify(bundles.export(LI, case.id, personal=False, number=0), [])
        assert report.status == verify_bundle.WHOLE


def _states(desk: Any, endpoint: str) -> list[str]:
    page = desk.deliveries(OPERATOR, endpoint, after=None, limit=10)
    return [item["state"] for item in page.items]
