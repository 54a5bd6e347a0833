"""The README's way: from events to an alert, its explanation, its replay; and what can go wrong."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from regtech.cli.main import run
from regtech.model.alert import digested
from tests.support import standby

PARTY = (
    '{"id":"1","type":"party","time":"2026-03-02T08:00:00+08:00","reporter":"BANK",'
    '"party":{"id":"BANK","kind":"institution","country":"CN"}}'
)
CASH = (
    '{{"id":"{0}","type":"transaction","time":"2026-03-02T{1}+08:00","reporter":"BANK",'
    '"payee":{{"id":"C1"}},"channel":"cash","kind":"deposit","amount":"{2}","currency":"CNY"}}'
)
PACK = "cn-aml-large-value"


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """The command in this process, in a folder of its own: what it does, without its start."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def command(*arguments: object) -> Done:
        status = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Done(status, captured.out, captured.err)

    return command


@pytest.fixture
def installed(tmp_path: Path) -> Command:
    """The installed command from its start, in a folder of its own."""

    def command(*arguments: object) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "regtech.cli.main", *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return command


@pytest.fixture
def regtech(tmp_path: Path) -> Command:
    """The command in a process of its own that needs no start, in a folder of its own."""

    def command(*arguments: object, stdin: str | None = None) -> Done:
        pipe = subprocess.PIPE
        process: subprocess.Popen[str] = standby.Command(
            *arguments, cwd=tmp_path, stdin=pipe, stdout=pipe, stderr=pipe, text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        out, err = process.communicate(stdin)
        return Done(process.returncode, out, err)

    return command


def _events(path: Path, second: str = "20000", *more: str) -> str:
    lines = [PARTY, CASH.format(2, "09:00:00", "30000"), CASH.format(3, "16:30:00", second), *more]
    path.write_text("".join(line + "\n" for line in lines))
    return path.name


def _alerts(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().split("\n") if line]


def test_a_first_alert(installed: Command, regtech: Command, tmp_path: Path) -> None:
    events = _events(tmp_path / "cash.ndjson")
    done = installed("run", events, "--packs", PACK)
    assert done.status == 0 and "error" not in done.err
    out = tmp_path / "alerts.ndjson"
    [alert] = [a for a in _alerts(out) if a["rule"] == "cn-lvtr-0501"]
    assert alert["outcome"] == "met"
    meant = b"".join(digested(line) + b"\n" for line in out.read_bytes().splitlines())
    assert hashlib.sha256(meant).hexdigest() in done.out
    explained = regtech("explain", "alerts.ndjson")
    assert explained.status == 0 and "50,000" in explained.out.replace("50000", "50,000")
    chinese = regtech("explain", "alerts.ndjson", "--lang", "zh")
    assert chinese.status == 0 and "大额" in chinese.out
    replayed = regtech("replay", "alerts.ndjson", "--all", "--json")
    assert replayed.status == 0, replayed.out


def test_a_fen_less_is_no_alert(here: Command, tmp_path: Path) -> None:
    events = _events(tmp_path / "cash.ndjson", "19999.99")
    assert here("run", events, "--packs", PACK).status == 0
    assert [a for a in _alerts(tmp_path / "alerts.ndjson") if a["rule"] == "cn-lvtr-0501"] == []


def test_standard_input_to_standard_output(regtech: Command, tmp_path: Path) -> None:
    text = (tmp_path / _events(tmp_path / "cash.ndjson")).read_text()
    done = regtech("run", "-", "--packs", PACK, "--out", "-", stdin=text)
    assert done.status == 0
    assert [json.loads(line)["rule"] for line in done.out.splitlines()]


def test_machines_get_one_document(here: Command, tmp_path: Path) -> None:
    done = here("run", _events(tmp_path / "cash.ndjson"), "--packs", PACK, "--json")
    summary = json.loads(done.out)
    assert "error" not in done.err and summary["events"] == 3
    parts = ("judged", "repeats", "conflicts", "late", "outside")
    total = sum(summary[part] for part in parts) + sum(summary["quarantined"].values())
    assert total == summary["events"]


def test_every_format_gives_the_same_digest(here: Command, tmp_path: Path) -> None:
    digests = set()
    for suffix in ("ndjson", "csv", "parquet"):
        made = ("simulate", f"e.{suffix}", "--events", 3000, "--seed", 5)
        assert here(*made).status == 0
        done = here("run", f"e.{suffix}", "--out", f"{suffix}.out", "--json")
        assert done.status == 0, done.err
        digests.add(json.loads(done.out)["digest"])
    assert len(digests) == 1


def test_a_bad_record_is_set_aside_and_can_be_fed_again(here: Command, tmp_path: Path) -> None:
    bad = CASH.format(4, "10:00:00", "1").replace("+08:00", "")
    events = _events(tmp_path / "cash.ndjson", "20000", bad)
    done = here("run", events, "--packs", PACK, "--json")
    summary = json.loads(done.out)
    assert summary["quarantined"] == {"missing_offset": 1}
    listed = json.loads(here("quarantine", "list", summary["quarantine"], "--json").out)
    assert listed["records"][0]["line"] == 4
    retried = here(
        "quarantine", "retry", summary["quarantine"], "--out", "again.ndjson",
        "--set", "time=2026-03-02T10:00:00+08:00",
    )  # fmt: skip
    assert retried.status == 0, retried.err
    again = here("run", events, "again.ndjson", "--packs", PACK, "--json")
    assert json.loads(again.out)["judged"] == 4


def test_strict_stops_at_the_first_bad_record(here: Command, tmp_path: Path) -> None:
    events = _events(tmp_path / "cash.ndjson", "20000", "{")
    done = here("run", events, "--packs", PACK, "--strict")
    assert done.status == 3 and f"{events}:4" in done.err.replace(", line ", ":")
    assert not (tmp_path / "alerts.ndjson").exists()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("run", "no-such-file"), 3),
        (("run", "cash.ndjson", "--packs", "atlantis"), 2),
        (("run", "cash.ndjson", "--home", "atlantis"), 2),
        (("run", "cash.ndjson", "--map", "no-such-map"), 2),
        (("run", "cash.ndjson", "--out", "cash.ndjson/below"), 3),
        (("run", "cash.ndjson", "--rules", "no-such-folder"), 3),
    ],
)
def test_what_cannot_be_is_said_with_the_right_status(
    here: Command, tmp_path: Path, arguments: tuple[str, ...], status: int
) -> None:
    _events(tmp_path / "cash.ndjson")
    done = here(*arguments)
    assert (done.status, done.out) == (status, ""), done.err
    assert done.err.startswith("error[")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
def test_a_full_disk_is_status_3(regtech: Command, tmp_path: Path) -> None:
    done = regtech("run", _events(tmp_path / "cash.ndjson"), "--packs", PACK, "--out", "/dev/full")
    assert done.status == 3 and "No space left" in done.err


def test_whose_law_judged_events_that_name_no_country_is_said(here: Command) -> None:
    Path("cash.ndjson").write_text(CASH.format(1, "09:00:00", "50000") + "\n")
    said = here("run", "cash.ndjson", "--packs", PACK)
    assert "1 alert in" in said.out
    assert "events that name no country were judged by the law of CN" in said.out
    said = here("run", "cash.ndjson", "--packs", PACK, "--home", "cn")
    assert "1 alert in" in said.out and "by the law of CN" not in said.out
