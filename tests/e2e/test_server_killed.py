"""``regtech serve`` killed with SIGKILL under load, again and again: what was accepted is there.

Once by default; ``REGTECH_KILLS=50`` as in continuous integration. The moments are random,
from the first request on to a second and a half later, which the seed in a failure's text gives.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from casework.cases.alert import StoredAlert
from casework.cases.chain import Link, verify_chain
from casework.cases.timeline import EntryKind, replay
from casework.ports import CaseQuery, Topic
from casework.stores.sql.record import SqlRecord
from casework.webhooks.address import AllowList
from regtech.app.backup import backup, restore
from regtech.app.progress import NoProgress
from regtech.app.webhooks import relay, webhook_worker
from regtech.cli.main import run
from regtech.clock import ManualClock, SystemClock
from tests.contract.world import SERVICE, Salts
from tests.support.served import Served, user

KILLS = int(os.environ.get("REGTECH_KILLS", "1"))
SEED = int(os.environ.get("REGTECH_KILLS_SEED", "20260302"))
HOUR_US = 3_600_000_000


class Receiver:
    """A real server that takes webhooks: some at once, some not, some after a while."""

    def __init__(self) -> None:
        self.heard: dict[str, set[bytes]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                identity = self.headers["webhook-id"]
                first = identity not in outer.heard
                outer.heard.setdefault(identity, set()).add(body)
                # Taken, and yet answered badly: it comes again, under the same id.
                bad = first and sum(identity.encode()) % 11 == 0
                self.send_response(503 if bad else 204)
                self.send_header("retry-after", "1")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/in"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Clients:
    """Those who send events, files of events, and work cases, while the server comes and goes.

    What was answered with success is accepted; what was not is sent again until it is, as a
    careful client does.
    """

    def __init__(self, served: Served, feed: str, worker: str) -> None:
        self.served, self._feed, self._worker = served, feed, worker
        self.up, self.stop = threading.Event(), threading.Event()
        self.customers: set[str] = set()
        self.alerts: set[str] = set()
        self.comments: set[str] = set()
        self.files: set[str] = set()
        self.broken: list[str] = []
        self._chosen: dict[int, str] = {}
        self._threads = [
            threading.Thread(target=self._work, args=(step,))
            for step in (self._event, self._event, self._file, self._comment)
        ]
        self._count, self._lock = 0, threading.Lock()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self.stop.set()
        self.up.set()
        for thread in self._threads:
            thread.join()
        assert self.broken == []

    def _work(self, step: Any) -> None:
        while not self.stop.is_set():
            self.up.wait()
            number = self._next()
            try:
                while not self._tried(step, number):
                    if self.stop.is_set():
                        return
                    self.stop.wait(0.02)
            except AssertionError as error:
                self.broken.append(f"{step.__name__}: {error}")
                return

    def _tried(self, step: Any, number: int) -> bool:
        try:
            step(number)
        except (OSError, ValueError, HTTPException):  # the server went away in the middle
            return False
        return True

    def _next(self) -> int:
        with self._lock:
            self._count += 1
            return self._count

    def _ask(self, key: str, method: str, path: str, body: Any = None, **more: str) -> Any:
        status, found = self.served.ask(key, method, path, body, **more)
        if status in (429, 503):
            raise OSError(status)
        return status, found

    def _event(self, number: int) -> None:
        status, found = self._ask(self._feed, "POST", "/events", deposit(f"C{number}"))
        assert status == 200 and found["verdict"] in ("judged", "repeated"), found
        self.customers.add(f"C{number}")
        self.alerts.update(alert["id"] for alert in found["alerts"])
        assert len(found["alerts"]) == 1 or found["verdict"] == "repeated"

    def _file(self, number: int) -> None:
        names = {f"F{number}-{k}" for k in range(20)}
        status, _ = self.served.send_lines(
            self._feed, "/events/bulk", [deposit(name) for name in sorted(names)]
        )
        if status != 202:
            assert status in (409, 429, 503), status
            raise OSError(status)
        self.files |= names
        self.stop.wait(0.3)

    def _comment(self, number: int) -> None:
        if number not in self._chosen:
            _, page = self._ask(self._worker, "GET", "/cases?limit=5")
            if not page["items"]:
                raise OSError("no case yet")
            self._chosen[number] = page["items"][number % len(page["items"])]["id"]
        identity = self._chosen[number]
        text = f"comment {number}"
        while True:
            _, case = self._ask(self._worker, "GET", f"/cases/{identity}")
            if self._said(identity, text):
                break  # it was done, and only the answer was lost
            status, found = self._ask(
                self._worker, "POST", f"/cases/{identity}/actions",
                {"action": "comment", "text": text}, If_Match=f'"{case["version"]}"',
            )  # fmt: skip
            assert status in (200, 409, 412), found
            if status == 200:
                break
        self.comments.add(text)

    def _said(self, case: str, text: str) -> bool:
        after: str | None = "0"
        while after is not None:
            path = f"/cases/{case}/timeline?limit=200&after={after}"
            _, page = self._ask(self._worker, "GET", path)
            if f'"{text}"' in json.dumps(page["items"]):
                return True
            after = page["after"]
        return False


def deposit(customer: str) -> dict[str, Any]:
    """Cash that is to be reported: one alert for each customer."""
    return {
        "id": customer, "type": "transaction", "time": "2026-03-02T09:00:00+08:00",
        "reporter": "BANK", "payee": {"id": customer}, "channel": "cash", "kind": "deposit",
        "amount": "50000", "currency": "CNY",
    }  # fmt: skip


_BANK = {
    "id": "bank", "type": "party", "time": "2026-03-02T08:00:00+08:00", "reporter": "BANK",
    "party": {"id": "BANK", "kind": "institution", "country": "CN"},
}  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    # Every customer of this test breaks the same rule: without a number of subjects to hold that
    # against, the rule would be braked.
    made = Served(
        tmp_path,
        REGTECH_WEBHOOK_ALLOW="127.0.0.1",
        REGTECH_RATE="100000",
        REGTECH_WATCHED="1000000",
    )
    yield made
    if made.child is not None and made.child.poll() is None:
        made.end(signal.SIGKILL)


def test_what_was_accepted_survives_every_kill(
    served: Served, receiver: Receiver, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    feed = user(served, capsys, "feed", "service", "events,read")
    worker = user(served, capsys, "li", "supervisor", "read,work")
    manager = user(served, capsys, "op", "operator", "read,manage")
    served.start()
    assert served.ask(feed, "POST", "/events", _BANK)[0] == 200
    made = {"url": receiver.url, "kinds": ["case.*"], "description": "ours"}
    assert served.ask(manager, "POST", "/webhooks", made)[0] == 201
    clients = Clients(served, feed, worker)
    clients.start()
    before = None
    try:
        for number in range(KILLS):
            clients.up.set()
            time.sleep(chance.uniform(0.05, 1.5))
            if number == KILLS // 2:
                before = _backed_up_under_load(served, clients, tmp_path)
            clients.up.clear()
            served.end(signal.SIGKILL)
            served.start()
        clients.up.set()
        time.sleep(0.5)
    finally:
        clients.end()
    _until_done(served, feed)
    assert served.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    print(
        f"seed {SEED}: {KILLS} kills, {len(clients.customers)} events, {len(clients.files)} in "
        f"files, {len(clients.comments)} comments, {len(receiver.heard)} webhooks"
    )
    assert clients.customers and clients.files and clients.comments
    # An attempt that a kill cut off holds up its endpoint for a while: one kill may end before.
    assert receiver.heard or KILLS < 10
    _judged_once(served.folder / "cases.db.events", clients)
    record = SqlRecord(served.store, SystemClock(), Salts(), create=False)
    try:
        _alerts_and_actions_are_there(record, clients)
        _log_holds(record)
        _told_once(record, receiver)
    finally:
        record.close()
    assert run(["search", "check", "--store", served.store]) == 0
    assert "Traceback" not in (served.folder / "serve.log").read_text()
    assert before is not None
    if KILLS > 9:
        _restored(*before, tmp_path)


def _until_done(served: Served, feed: str) -> None:
    """Files are judged to their end, and alerts have left for the record."""
    for _ in range(1200):
        _, page = served.ask(feed, "GET", "/events/jobs?limit=200")
        if all(job["state"] == "done" for job in page["items"]):
            return
        time.sleep(0.1)
    raise AssertionError("files are not judged to their end")


def _judged_once(folder: Path, clients: Clients) -> None:
    names = [json.loads(line)["id"] for line in journal_lines(folder)]
    assert len(names) == len(set(names))
    assert set(names) >= {"bank"} | clients.customers | clients.files


def journal_lines(folder: Path) -> list[bytes]:
    """All events of a journal, in the order in which they were judged."""
    return [
        line for path in sorted(folder.glob("*.ndjson")) for line in path.read_bytes().splitlines()
    ]


def _alerts_and_actions_are_there(record: SqlRecord, clients: Clients) -> None:
    found: list[StoredAlert] = []
    after: str | None = None
    while True:
        page = record.alerts(SERVICE, after=after, limit=1000)
        found += page.items
        after = page.after
        if after is None:
            break
    subjects = Counter(json.loads(alert.raw)["subject"]["id"] for alert in found)
    assert set(subjects.values()) == {1}
    assert set(subjects) >= clients.customers | clients.files
    assert {alert.id for alert in found} >= clients.alerts
    said: Counter[str] = Counter()
    placed: Counter[str] = Counter()
    for case in record.cases(SERVICE, CaseQuery(open=None), limit=100_000).items:
        timeline = record.timeline(SERVICE, case.id, limit=100_000)
        assert replay(timeline) == case
        said.update(
            str(e.graded("detail.text")) for e in timeline if e.kind is EntryKind.COMMENTED
        )  # fmt: skip
        placed.update(a.id for a in record.case_alerts(SERVICE, case.id, limit=100_000).items)
    assert set(said.values()) == {1} and set(said) >= clients.comments
    aside = {a.alert.id for a in record.asides(SERVICE, limit=100_000).items}
    assert set(placed.values()) == {1}
    assert set(placed) | aside == {alert.id for alert in found} and not set(placed) & aside


def _log_holds(record: SqlRecord) -> None:
    for chain, (length, head) in record.chains(SERVICE).items():
        entries = record.log(SERVICE, chain, limit=1_000_000)
        walked = verify_chain(Link(e.position, e.content(), e.hash) for e in entries)
        assert (walked.broken, walked.length, walked.head) == (None, length, head)


def _told_once(record: SqlRecord, receiver: Receiver) -> None:
    """What still waits goes out, by a worker on a clock that need not wait for its retries."""
    outbox = record.outbox()
    relay(record, outbox)
    clock = ManualClock(SystemClock().now_us() + HOUR_US)
    worker = webhook_worker(outbox, _NoOwners(), clock, AllowList.of("127.0.0.1"))
    # One in eleven is answered badly and holds up the others until it is sent again.
    for _ in range(2_000):
        while worker.step():
            clock.advance(200_000)  # as many a minute as the endpoint allows
        clock.advance(12 * HOUR_US)
    assert not record.messages(SERVICE, Topic.WEBHOOKS)
    wanted: Counter[str] = Counter()
    for case in record.cases(SERVICE, CaseQuery(open=None), limit=100_000).items:
        wanted[case.id] += len(record.timeline(SERVICE, case.id, limit=100_000))
    bodies = list(receiver.heard.values())
    assert all(len(one) == 1 for one in bodies)  # the same id always says the same
    told = Counter(json.loads(next(iter(one)))["data"]["case"] for one in bodies)
    assert told == wanted


class _NoOwners:
    def endpoint_disabled(self, endpoint: Any) -> None:
        raise AssertionError(f"{endpoint.id} was disabled")


def _backed_up_under_load(
    served: Served, clients: Clients, tmp_path: Path
) -> tuple[Path, set[str], set[str]]:
    """A backup while all clients are at work, and what had been accepted when it began."""
    customers, files = set(clients.customers), set(clients.files)
    archive = tmp_path / "load.backup"
    folder = served.folder / "cases.db.events"
    backup(served.store, folder, archive, SystemClock(), NoProgress())
    return archive, customers, files


def _restored(archive: Path, customers: set[str], files: set[str], tmp_path: Path) -> None:
    """A server over the restored backup ends up with all that had been accepted."""
    folder = tmp_path / "again"
    folder.mkdir()
    again = Served(folder)
    data = folder / "cases.db.events"
    restore(archive, again.store, data, SystemClock(), NoProgress())
    again.start()
    wanted = customers | files
    try:
        for _ in range(300):
            with sqlite3.connect(again.store) as store:
                rows = store.execute("SELECT raw FROM alerts").fetchall()
            store.close()
            subjects = [json.loads(raw)["subject"]["id"] for (raw,) in rows]
            if set(subjects) >= wanted:
                break
            time.sleep(0.1)
    finally:
        again.end(signal.SIGTERM)
    assert set(subjects) >= wanted and len(subjects) == len(set(subjects))
    assert {json.loads(line)["id"] for line in journal_lines(data)} >= set(subjects)
