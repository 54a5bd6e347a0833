"""From events to cases on a terminal: alerts reach a store once, whatever ends the run."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from casework.cases.scope import service_scope
from casework.cases.timeline import replay
from casework.ports import CaseQuery
from regtech.app.casework import casework, import_alerts
from regtech.app.progress import NoProgress
from regtech.app.run import run_command
from regtech.app.simulate import simulate_command
from regtech.cli.main import run
from regtech.errors import ConflictError, StoreError
from tests.support.standby import Command as Started

PACKS = ("cn-aml-large-value", "cn-data-export", "cn-incidents")
SERVICE = service_scope()


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Done]


@pytest.fixture
def regtech(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """``regtech("cases", "list")`` runs that command, as ``wang``."""
    monkeypatch.setenv("REGTECH_ACTOR", "wang")

    def command(*arguments: object) -> Done:
        status = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Done(status, captured.out, captured.err)

    return command


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "simulated.ndjson"
    simulate_command(path, events=1500, seed=11, progress=NoProgress())
    return path


@pytest.fixture(scope="module")
def alerts(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The alerts of a run without a store."""
    out = tmp_path_factory.mktemp("alerts") / "alerts.ndjson"
    run_command(events=(str(simulated),), packs=PACKS, out=str(out))
    return out


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def full(alerts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the cases of the alerts, to be copied."""
    store = tmp_path_factory.mktemp("store") / "cases.db"
    with casework(str(store), create=True) as parts:
        import_alerts(parts, [alerts], tenant=None, progress=NoProgress())
    return store


@pytest.fixture
def filled(full: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of its own with the cases of the alerts, set as the default."""
    monkeypatch.setenv("REGTECH_STORE", "cases.db")
    shutil.copy(full, here / "cases.db")
    return here / "cases.db"


def holds(store: Path | str, alerts: Path) -> None:
    """The store has every alert of the file once and in a case; timelines and chains are whole."""
    wanted = {json.loads(line)["id"]: line for line in alerts.read_text().splitlines()}
    with casework(str(store)) as parts:
        record = parts.record
        found: dict[str, str] = {}
        after = None
        while True:
            page = record.alerts(SERVICE, after=after, limit=500)
            for alert in page.items:
                assert alert.id not in found
                found[alert.id] = alert.raw.decode()
            after = page.after
            if after is None:
                break
        assert found == wanted
        cases = record.cases(SERVICE, CaseQuery(open=None), limit=10_000).items
        in_cases: list[str] = []
        for case in cases:
            assert replay(record.timeline(SERVICE, case.id)) == case
            mine = record.case_alerts(SERVICE, case.id, limit=10_000).items
            in_cases += [alert.id for alert in mine]
        assert sorted(in_cases) == sorted(wanted)
        for chain in record.chains(SERVICE):
            log = record.log(SERVICE, chain, limit=100_000)
            assert all(entry.intact for entry in log)
            assert all(b.previous == a.hash for a, b in itertools.pairwise(log))


# --- the run fills the store


def test_a_run_puts_its_alerts_into_the_store(simulated: Path, here: Path) -> None:
    options: dict[str, Any] = {"packs": PACKS, "store": "cases.db"}
    first = run_command(events=(str(simulated),), **options)
    assert first.store is not None
    assert first.store["new"] == first.alerts > 50 and first.store["cases_opened"] > 10
    holds("cases.db", here / "alerts.ndjson")
    again = run_command(events=(str(simulated),), **options)
    assert again.store is not None and again.digest == first.digest
    assert (again.store["new"], again.store["repeated"]) == (0, first.alerts)
    holds("cases.db", here / "alerts.ndjson")


def test_a_store_that_fails_leaves_no_finished_file(simulated: Path, here: Path) -> None:
    (here / "cases.db").write_text("no database " * 200)
    with pytest.raises(StoreError, match="not a database"):
        run_command(events=(str(simulated),), packs=PACKS, store="cases.db")
    assert not (here / "alerts.ndjson").exists()


def test_killed_and_resumed_nothing_is_lost_or_doubled(
    simulated: Path, alerts: Path, here: Path
) -> None:
    """kill −9 at places that differ, each time resumed; at last the store is as after one run."""
    words = [
        "run", simulated,
        "--packs", ",".join(PACKS), "--snapshot", "state", "--resume",
        "--store", "cases.db", "--batch", "50",
    ]  # fmt: skip
    environment = {**os.environ, "REGTECH_SNAPSHOT_EVERY": "100"}
    kills = 0
    for round_ in range(12):
        process: subprocess.Popen[bytes] = Started(
            *words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        state = here / "state"
        before = set(state.iterdir()) if state.is_dir() else set()
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline and round_ < 3:
            if state.is_dir() and set(state.iterdir()) - before:
                process.kill()
                break
            time.sleep(0.002)
        status = process.wait()
        kills += status == -signal.SIGKILL
        if status == 0:
            break
    assert status == 0 and kills >= 2
    assert (here / "alerts.ndjson").read_bytes() == alerts.read_bytes()
    holds("cases.db", alerts)


def test_a_store_that_was_lost_is_filled_again_by_a_resume(
    simulated: Path, alerts: Path, here: Path
) -> None:
    options: dict[str, Any] = {"packs": PACKS, "snapshot": Path("state"), "resume": True}
    run_command(events=(str(simulated),), **options)
    run_command(events=(str(simulated),), store="cases.db", **options)
    holds("cases.db", alerts)


# --- the commands


def test_import_is_idempotent_and_says_what_it_did(
    alerts: Path, here: Path, regtech: Command
) -> None:
    first = regtech("cases", "import", alerts, "--store", "cases.db", "--json").json
    again = regtech("cases", "import", alerts, "--store", "cases.db", "--json").json
    count = len(alerts.read_text().splitlines())
    assert (first["new"], first["repeated"]) == (count, 0)
    assert (again["new"], again["repeated"], again["cases_opened"]) == (0, count, 0)
    holds("cases.db", alerts)


def test_import_names_the_line_that_is_no_alert(here: Path, regtech: Command) -> None:
    (here / "bad.ndjson").write_text('{"id": "x"}\n')
    done = regtech("cases", "import", "bad.ndjson", "--store", "cases.db")
    assert done.status == 3 and "bad.ndjson:1: not an alert" in done.err
    (here / "half.ndjson").write_text('{"id": "\\ud800"}\n')
    done = regtech("cases", "import", "half.ndjson", "--store", "cases.db")
    assert done.status == 3 and "half.ndjson:1" in done.err


def test_a_changed_alert_is_kept_as_a_conflict(
    alerts: Path, here: Path, regtech: Command, filled: Path
) -> None:
    assert regtech("cases", "conflicts").status == 0
    first = json.loads(alerts.read_text().splitlines()[0])
    (here / "changed.ndjson").write_text(json.dumps({**first, "severity": "info"}) + "\n")
    report = regtech("cases", "import", "changed.ndjson", "--json").json
    assert report["conflicts"] == [first["id"]]
    done = regtech("cases", "conflicts", "--json")
    assert done.status == 1 and [c["alert"] for c in done.json["conflicts"]] == [first["id"]]


def test_a_case_is_worked_from_the_queue_to_the_end(filled: Path, regtech: Command) -> None:
    listed = regtech("cases", "list", "--json", "--limit", "3").json
    assert [c["priority"] for c in listed["cases"]] == sorted(
        (c["priority"] for c in listed["cases"]), reverse=True
    )
    case = listed["cases"][0]["id"]
    claimed = regtech("cases", "act", "next", "--json").json
    assert claimed["done"][0]["case"]["id"] == case and "priority" in claimed["why"]["en"]
    for words in (
        ("comment", "--text", "asked for the contract"),
        ("check", "--item", "facts"),
        ("check", "--item", "law"),
        ("tag", "--tag", "cash, urgent"),
        ("ask-report", "--outcome", "confirmed", "--reason", "filed with the authority"),
    ):
        assert regtech("cases", "act", case, *words).status == 0
    number = str(regtech("cases", "show", case, "--json").json["requests"][0]["number"])
    refused = regtech("cases", "act", case, "approve", "--number", number)
    assert refused.status == 2 and "error[four_eyes]" in refused.err
    done = regtech("cases", "act", case, "approve", "--number", number, "--as", "li")
    assert done.status == 0 and "reported" in done.out
    shown = regtech("cases", "show", case, "--lang", "zh")
    assert "asked for the contract" in shown.out and "时间线" in shown.out
    assert "核查清单变更" in shown.out and "state_changed" not in shown.out
    assert "  [x] facts\n" in shown.out
    assert "Z  li  " in shown.out  # times say that they are in UTC
    rows = regtech("cases", "precision", "--json").json
    assert rows[0]["confirmed"] == 1 and rows[0]["precision"] == "1.000"
    assert case not in regtech("cases", "list", "--limit", "500").out
    assert case in regtech("cases", "list", "--all", "--limit", "500").out


def test_a_version_that_was_seen_is_kept_to(filled: Path, regtech: Command) -> None:
    case = regtech("cases", "list", "--json", "--limit", "1").json["cases"][0]
    act = ("cases", "act", case["id"])
    assert regtech(*act, "tag", "--tag", "a", "--as", "li").status == 0
    done = regtech(*act, "comment", "--text", "b", "--seen", case["version"], "--json")
    assert done.status == ConflictError.exit_status
    assert done.json["error"]["code"] == "conflict"
    assert "tagged (tags) by li" in done.json["error"]["message"]


def test_several_cases_at_once_and_one_that_is_not_there(filled: Path, regtech: Command) -> None:
    found = regtech("cases", "list", "--json", "--limit", "2").json["cases"]
    ids = ",".join([*(case["id"] for case in found), "C-nope"])
    done = regtech("cases", "act", ids, "assign", "--to", "li", "--json")
    assert done.status == 1
    assert [entry.get("error", {}).get("code") for entry in done.json["done"]] == [
        None,
        None,
        "not_found",
    ]
    mine = regtech("cases", "list", "--assignee", "li", "--json").json["cases"]
    assert {case["id"] for case in mine} == {case["id"] for case in found}


def test_pages_of_the_list_make_the_whole(filled: Path, regtech: Command) -> None:
    def listed(limit: int) -> list[str]:
        found: list[str] = []
        after: tuple[str, ...] = ()
        while True:
            page = regtech("cases", "list", "--limit", limit, "--json", *after).json
            found += [case["id"] for case in page["cases"]]
            if page["after"] is None:
                return found
            after = ("--after", page["after"])

    whole = listed(500)
    assert listed(41) == whole and len(set(whole)) == len(whole) > 20


def test_an_institution_sees_its_own_and_not_that_there_is_more(
    filled: Path, regtech: Command
) -> None:
    whole = regtech("cases", "list", "--limit", "500", "--json").json["cases"]
    tenant = whole[0]["tenants"][0]
    bank = ("--role", "institution", "--tenant", tenant, "--as", "bank")
    mine = regtech("cases", "list", *bank, "--json").json
    assert mine["restricted"] and set(mine["cases"][0]) == {"case", "theme", "jurisdiction", "open"}
    strange = next(case["id"] for case in whole if tenant not in case["tenants"])
    for missing in (strange, "C-nope"):
        done = regtech("cases", "show", missing, *bank)
        assert done.status == 2 and done.err == f"error[not_found]: there is no case {missing}\n"
    assert regtech("cases", "show", mine["cases"][0]["case"], *bank).status == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("list", "--store", "missing.db"), 3, "there is no store missing.db"),
        (("list", "--state", "asleep"), 2, "no state 'asleep'"),
        (("list", "--after", "x"), 2, "not a cursor"),
        (("list", "--role", "king"), 2, "no role 'king'"),
        (("list", "--jurisdiction", "zz"), 2, "unknown jurisdiction 'ZZ'"),
        (("show", "C-nope", "--jurisdiction", "cn,cnn"), 2, "did you mean 'CN'? known: CN, EU,"),
        (("list", "--role", "institution"), 2, "needs the tenants"),
        (("act", "C-nope", "dance"), 2, "no action 'dance'"),
        (("act", "C-nope", "comment", "--text", "x"), 2, "there is no case C-nope"),
        (("act", "next", "comment"), 2, "can only be claimed"),
        (("show", "C-nope"), 2, "there is no case C-nope"),
    ],
)
def test_wrong_use_says_so(
    filled: Path, regtech: Command, words: tuple[str, ...], status: int, said: str
) -> None:
    done = regtech("cases", *words)
    assert (done.status, said in done.err) == (status, True), done.err


def test_no_store_is_named(here: Path, regtech: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGTECH_STORE", raising=False)
    assert "which store?" in regtech("cases", "list").err
