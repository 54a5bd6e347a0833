"""An indicator that points at too many payments of one bank is braked there, and only there."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from regtech.cli.main import run
from tests.support.served import Served, user

PACK = "intl-typologies"
PAYMENTS = 300
"""Of each bank. Every third of B1's, and every tenth of B2's, goes to a watched country."""


def payment(number: int, bank: str) -> dict[str, Any]:
    watched = number % (3 if bank == "B1" else 10) == 0
    minutes = 9 * 60 + number
    return {
        "id": f"{bank}-{number}", "type": "transaction", "reporter": bank,
        "time": f"2026-03-02T{minutes // 60:02}:{minutes % 60:02}:00Z", "channel": "wire",
        "payer": {"id": f"c{number % 50}", "country": "GB"}, "amount": "10.00", "currency": "GBP",
        "payee": {"id": f"d{number % 60}", "country": "ZZ" if watched else "FR"},
    }  # fmt: skip


EVENTS = [payment(number, bank) for number in range(PAYMENTS) for bank in ("B1", "B2")]


def told(store: Path) -> dict[tuple[str, str, int], int]:
    with closing(sqlite3.connect(store)) as base:
        rows = base.execute("SELECT jurisdiction, institution, day, events FROM event_days")
        return {(law, bank, day): events for law, bank, day, events in rows}


def braked(store: Path) -> Counter[str]:
    with closing(sqlite3.connect(store)) as base:
        rows = base.execute(
            "SELECT tenant FROM asides JOIN alerts ON id = alert_id"
            " WHERE disposition = 'braked' AND policy = 'brake-noisy-indicators'"
        )
        return Counter(bank for (bank,) in rows)


WANTED = {("INTL", "B1", 20_514): PAYMENTS, ("INTL", "B2", 20_514): PAYMENTS}


def test_a_run_brakes_where_too_many_events_are_hit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, store, alerts = (tmp_path / name for name in ("e.ndjson", "cases.db", "a.ndjson"))
    events.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    command = ["run", str(events), "--packs", PACK, "--out", str(alerts), "--store", str(store)]
    assert run(command) == 0
    assert told(store) == WANTED
    assert braked(store) == {"B1": PAYMENTS // 3}
    capsys.readouterr()
    dry = ["policies", "dry-run", str(alerts), "--json"]
    assert run([*dry, "--store", str(store)]) == 0
    by_store = json.loads(capsys.readouterr().out)
    assert run(dry) == 0
    alone = json.loads(capsys.readouterr().out)
    assert by_store["braked"]["ty-geography"] == PAYMENTS // 3
    assert "ty-geography" not in by_store["brake_cannot_tell"]
    assert "ty-geography" not in alone["braked"] and "ty-geography" in alone["brake_cannot_tell"]
    listed = ["cases", "aside", "--store", str(store), "--outcome", "braked", "--limit", "1"]
    assert run([*listed, "--json"]) == 0
    assert "100 of 300 events of B1 within 1 day" in capsys.readouterr().out


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, pack=PACK, REGTECH_RATE="100000")
    yield made
    if made.child is not None and made.child.poll() is None:
        made.end(signal.SIGKILL)


def test_what_is_sent_again_after_a_kill_is_counted_once(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = user(served, capsys, "feed", "service", "events,read")
    half = len(EVENTS) // 2
    served.start()
    for event in EVENTS[:half]:
        assert served.ask(feed, "POST", "/events", event)[0] == 200
    served.end(signal.SIGKILL)
    served.start()
    for event in EVENTS[half - 50 :]:  # the client does not know what was kept
        status, found = served.ask(feed, "POST", "/events", event)
        assert status == 200 and found["verdict"] in ("judged", "repeated")
    assert served.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    store = Path(served.store)
    assert told(store) == WANTED
    assert braked(store) == {"B1": PAYMENTS // 3}
    served.start()  # the journal is read once more
    assert served.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    assert (told(store), braked(store)) == (WANTED, {"B1": PAYMENTS // 3})
