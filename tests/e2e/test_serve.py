"""The real process: started, asked over a socket, ended gently and by force."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regtech.cli.main import run
from regtech.content import content_root
from tests.support.served import Served, user
from tests.support.standby import Command

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server that is not started yet, and is gone afterwards."""
    made = Served(tmp_path)
    yield made
    if made.child is not None and made.child.poll() is None:
        made.end(signal.SIGKILL)


def _deposit(number: int) -> dict[str, Any]:
    return {
        "id": str(number), "type": "transaction", "time": f"2026-03-02T09:{number:02d}:00+08:00",
        "reporter": "BANK", "payee": {"id": f"C{number}"}, "channel": "cash", "kind": "deposit",
        "amount": "50000", "currency": "CNY",
    }  # fmt: skip


_BANK = {
    "id": "bank", "type": "party", "time": "2026-03-02T08:00:00+08:00", "reporter": "BANK",
    "party": {"id": "BANK", "kind": "institution", "country": "CN"},
}  # fmt: skip


def test_from_an_event_to_a_worked_case_and_through_a_kill(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = user(served, capsys, "feed", "service", "events,read")
    li = user(served, capsys, "li", "supervisor", "read,work")
    served.start()
    assert served.ask(feed, "POST", "/events", _BANK)[1]["verdict"] == "judged"
    answered = []
    for number in range(10):
        status, decision = served.ask(feed, "POST", "/events", _deposit(number))
        assert (status, decision["verdict"]) == (200, "judged")
        answered += [alert["id"] for alert in decision["alerts"]]
    # Killed at once: whatever was answered has to be there afterwards.
    served.end(signal.SIGKILL)
    served.start()
    pause = threading.Event()
    for _ in range(100):
        _, page = served.ask(li, "GET", "/alerts")
        if len(page["items"]) >= len(answered):
            break
        pause.wait(0.1)
    assert sorted(alert["id"] for alert in page["items"]) == sorted(answered)
    assert len(answered) == 10
    again = served.ask(feed, "POST", "/events", _deposit(3))[1]
    assert again["verdict"] == "repeated"
    _, claimed = served.ask(li, "POST", "/cases/claim", {})
    case = claimed["case"]
    status, done = served.ask(
        li, "POST", f"/cases/{case['id']}/actions", {"action": "comment", "text": "seen"},
        If_Match=f'"{case["version"]}"',
    )  # fmt: skip
    assert (status, done["version"]) == (200, case["version"] + 1)
    assert served.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    assert run(["cases", "show", case["id"], "--store", served.store]) == 0
    assert "seen" in capsys.readouterr().out
    log = (served.folder / "serve.log").read_text()
    assert "Traceback" not in log
    for secret in (feed, li, case["id"], "C3"):
        assert secret not in log


def test_an_approved_change_comes_into_force_while_events_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proposed, approved, written out by a command beside the server, and through a kill."""
    pack, rules = "cn-aml-large-value", tmp_path / "rules"
    rules.mkdir()
    shutil.copy(content_root("rules") / "cn" / f"{pack}.yml", rules)
    served = Served(tmp_path, rules)
    try:
        feed = user(served, capsys, "feed", "service", "events,read")
        anna = user(served, capsys, "anna", "author", "read,work")
        bo = user(served, capsys, "bo", "author", "read,work")
        li = user(served, capsys, "li", "supervisor", "read,work")
        served.start()
        served.ask(feed, "POST", "/events", _BANK)
        below = {"amount": "45000"}
        assert served.ask(feed, "POST", "/events", _deposit(1) | below)[1]["alerts"] == []
        (used,) = served.ask(anna, "GET", "/packs")[1]["items"]
        text = (rules / f"{pack}.yml").read_text(encoding="utf-8")
        for old, new in (("version: 1.0.0", "version: 1.1.0"), ("CNY 50000", "CNY 40000")):
            text = text.replace(old, new, 1)
        pause = threading.Event()

        def proposed(yaml: str) -> tuple[int, dict[str, Any]]:
            wanted = {"yaml": yaml, "note": "a lower figure", "base": used["digest"]}
            for _ in range(120):  # on a machine that has compiled nothing yet
                status, made = served.ask(anna, "POST", "/proposals", wanted)
                if status != 503:
                    break
                pause.wait(1)
            return status, made

        status, refused = proposed(text)
        assert (status, refused["code"]) == (422, "content")
        fault = refused["faults"][0]
        assert (fault["code"], fault["rule"]) == ("test", "cn-lvtr-0501")
        assert (
            fault["test"] in text.split("\n")[fault["line"] - 1] and "expected" in fault["message"]
        )
        # Tests of the figure are those of the new one; of the mixed figure none is near it.
        tests, following = text.index("    tests:"), text.index("  - id: cn-lvtr-0502")
        text = text[:tests] + _TESTS + text[following:]
        text = "".join(re.split(_ONE_BELOW, text, maxsplit=1))
        status, made = proposed(text)
        assert status == 201, made
        path = f"/proposals/{made['id']}"
        assert served.ask(bo, "POST", f"{path}/decision", {"act": "approve"})[0] == 200
        command = ["rules", "apply", "--store", served.store, "--to", str(rules), "--as", "op"]
        assert run(command) == 0
        for number in range(2, 1200):
            one = {"id": f"x{number}", "payee": {"id": f"X{number}"}}
            event = _deposit(58) | below | one
            assert served.ask(feed, "POST", "/events", event)[1]["verdict"] == "judged"
            standing = served.ask(bo, "GET", path)[1]["standing"]
            if standing == "in_force":
                break
            pause.wait(0.1)
        assert standing == "in_force", served.ask(bo, "GET", "/rules-in-force")
        (alert,) = served.ask(feed, "POST", "/events", _deposit(59) | below)[1]["alerts"]
        assert alert["rule_version"] == "1.1.0"
        served.end(signal.SIGKILL)
        served.start()
        for _ in range(100):
            _, page = served.ask(li, "GET", "/alerts?limit=200")
            if alert["id"] in [one["id"] for one in page["items"]]:
                break
            pause.wait(0.1)
        assert {one["rule_version"] for one in page["items"]} == {"1.1.0"}
        served.end(signal.SIGTERM)
    finally:
        if served.child is not None and served.child.poll() is None:
            served.end(signal.SIGKILL)
    log = (served.folder / "serve.log").read_text()
    assert "Traceback" not in log and "worker_failed" not in log


_ONE_BELOW = r"(?s)      - name: together one fen below\n.*?expect: none\n"
_TESTS = """\
    tests:
      - name: the new figure exactly
        events:
          - {time: "2026-03-02T09:00:00+08:00", payee: {id: C1}, channel: cash, kind: deposit,
             amount: "40000", currency: CNY}
        expect: {alert: {subject: C1, cny: 40000}}
      - name: one fen below
        events:
          - {time: "2026-03-02T09:00:00+08:00", payee: {id: C1}, channel: cash, kind: deposit,
             amount: "39999.99", currency: CNY}
        expect: none
"""


def test_what_was_begun_is_finished_when_the_end_is_asked_for(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = user(served, capsys, "feed", "service", "events,read")
    served.start()
    statuses: list[int] = []

    def send(number: int) -> None:
        try:
            # All of one instant: whichever arrives first, none is late.
            event = _deposit(number) | {"time": "2026-03-02T09:00:00+08:00"}
            statuses.append(served.ask(feed, "POST", "/events", event)[0])
        except OSError:
            statuses.append(0)  # came after the door was closed

    threads = [threading.Thread(target=send, args=(k,)) for k in range(30)]
    for thread in threads[:20]:
        thread.start()
    for thread in threads[:5]:
        thread.join()
    assert served.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    for thread in threads[20:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {0, 200, 202}
    (journal,) = (served.folder / "cases.db.events").glob("events-*.ndjson")
    lines = journal.read_bytes().splitlines()
    assert len(lines) == statuses.count(200)


def test_a_user_logs_in_with_what_the_command_line_set(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTECH_SECRET", "x" * 32)
    file = served.folder / "password"
    file.write_text(PASSWORD + "\n")
    os.chmod(file, 0o600)
    store = ("--store", served.store)
    words = ["users", "create", "li", "--role", "supervisor", "--password-file", str(file)]
    assert run([*words, "--second-factor", "--json", *store]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["uri"].startswith("otpauth://totp/")
    assert run([*words, *store]) == 3  # there is one already
    assert run(["users", "list", "--json", *store]) == 0
    assert made["secret"] not in capsys.readouterr().out
    assert run(["users", "disable", "li", *store]) == 0
    assert run(["users", "disable", "li", "--undo", *store]) == 0
    assert run(["users", "password", "li", "--password-file", str(file), *store]) == 0
    assert run(["keys", "create", "li", "--label", "x", "--for", "everything", *store]) == 2
    assert run(["keys", "create", "nobody", "--label", "x", *store]) == 2
    capsys.readouterr()
    assert run(["keys", "create", "li", "--label", "x", "--json", *store]) == 0
    key = json.loads(capsys.readouterr().out)
    assert key["text"].startswith(f"rtk_{key['id']}_")
    assert run(["keys", "revoke", key["id"], *store]) == 0
    assert run(["keys", "list", "--json", *store]) == 0
    out = capsys.readouterr().out
    assert key["text"] not in out and '"revoked": "' in out


def test_the_address_is_printed_once_it_answers_with_the_port_that_was_found(
    tmp_path: Path,
) -> None:
    arguments = ("serve", "--store", tmp_path / "cases.db", "--no-events", "--port")
    with (tmp_path / "log").open("wb") as log, (tmp_path / "other").open("wb") as other:
        child = Command(*arguments, 0, stdout=subprocess.PIPE, stderr=log, cwd=ROOT, text=True)
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        address = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", url)
        assert address is not None
        port = int(address[1])
        assert port > 0
        with urllib.request.urlopen(f"{url}health/ready") as answer:
            assert answer.status == 200
        assert child.stdout.readline() == f"{url}api/v1/openapi.json\n"
        # Where it cannot listen no address is given.
        second = Command(
            *arguments, port, stdout=subprocess.PIPE, stderr=other, cwd=ROOT, text=True
        )
        assert second.stdout is not None
        with second.stdout:
            assert second.stdout.read() == "" and second.wait(60) == 3
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
        child.stdout.close()
    assert f"127.0.0.1:{port} could not be listened on" in (tmp_path / "other").read_text()
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(lines) > 3 and all(isinstance(line["event"], str) for line in lines)
