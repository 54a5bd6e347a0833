"""``run`` as a whole: nothing lost, nothing doubled, whatever ends it; what its options mean.

Long because every promise is held against one command, on the same few events.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from regtech.adapters.snapshots import SnapshotFolder
from regtech.app.choice import chosen_packs
from regtech.app.progress import NoProgress
from regtech.app.run import run_command
from regtech.app.simulate import simulate_command
from regtech.app.summary import RunSummary
from regtech.errors import InputError, Interrupted, SnapshotError, StoreError, UsageError
from regtech.reference.load import Reference
from tests.support.standby import Command

PACKS = ("cn-aml-large-value", "cn-data-export", "cn-incidents")
EVENTS = 1500
START = datetime(2026, 3, 2, 1, tzinfo=UTC)

Event = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    """Packs and reference data are read once, not for every run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("regtech.app.run.chosen_packs", cache(chosen_packs))
        reference = Reference.shipped()
        patch.setattr(Reference, "shipped", lambda: reference)
        yield


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events of all types in order of time, with findings of every rule."""
    path = tmp_path_factory.mktemp("events") / "simulated.ndjson"
    simulate_command(path, events=EVENTS, seed=11, progress=NoProgress())
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def cash(number: int, minutes: float, amount: str, customer: str = "C1", **more: Any) -> Event:
    return {
        "id": f"e{number}",
        "type": "transaction",
        "time": (START + timedelta(minutes=minutes)).isoformat(),
        "reporter": "BANK",
        "payee": {"id": customer, "kind": "person"},
        "channel": "cash",
        "kind": "deposit",
        "amount": amount,
        "currency": "CNY",
        **more,
    }


def write(path: Path, *events: Event) -> str:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return str(path)


def run(*events: str | Path, **options: Any) -> RunSummary:
    given = {"packs": PACKS[:1], "home": "CN", **options}
    return run_command(events=tuple(map(str, events)), **given)


def alerts(path: str | Path = "alerts.ndjson", rule: str = "cn-lvtr-0501") -> list[dict[str, Any]]:
    found = [json.loads(line) for line in Path(path).read_text().splitlines()]
    return [alert for alert in found if alert["rule"] == rule]


def quarantined(path: str | Path = "alerts.quarantine.ndjson") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def adds_up(summary: RunSummary) -> bool:
    apart = summary.repeats + summary.conflicts + summary.late + summary.outside
    return summary.judged + apart + sum(summary.quarantined.values()) == summary.events


# --- several sources, bad records, what is set aside


def test_everything_given_is_accounted_for(here: Path) -> None:
    events = [
        cash(1, 0, "1"),
        cash(1, 0, "1"),  # a repeat
        cash(2, 60, "2"),
        cash(2, 60, "3"),  # a conflict
        cash(3, 10, "4"),  # fifty minutes late
        {**cash(4, 61, "5"), "currency": "XXQ"},
    ]
    path = write(here / "events.ndjson", *events)
    with open(path, "a") as file:
        file.write("\n{not json\n")
    summary = run(path)
    assert adds_up(summary) and summary.events == 7
    assert (summary.judged, summary.repeats, summary.conflicts, summary.late) == (2, 1, 1, 1)
    assert summary.quarantined == {"unknown_currency": 1, "not_json": 1}
    found = {entry["code"]: entry for entry in quarantined()}
    assert set(found) == {"unknown_currency", "not_json", "late", "conflict"}
    lines = Path(path).read_text().split("\n")
    for entry in found.values():
        assert entry["raw"] == lines[entry["line"] - 1]
        assert entry["source"] == path


def test_a_late_record_can_be_fed_again(here: Path) -> None:
    path = write(here / "events.ndjson", cash(1, 60, "30000"), cash(2, 0, "20000"))
    assert run(path).late == 1 and not alerts()
    again = here / "again.ndjson"
    again.write_text("".join(entry["raw"] + "\n" for entry in quarantined()))
    run(again, path)
    assert [alert["subject"]["id"] for alert in alerts()] == ["C1"]


def test_sources_are_merged_by_time(here: Path) -> None:
    events = [cash(k, k, "9000", f"C{k % 3}") for k in range(60)]
    whole = run(write(here / "all.ndjson", *events), out="all.out")
    parts = [write(here / f"part{n}.ndjson", *events[n::4]) for n in range(4)]
    days = [write(here / f"day{n}.ndjson", *events[n * 15 : n * 15 + 15]) for n in range(4)]
    for number, files in enumerate((parts, parts[::-1], days, days[::-1])):
        split = run(*files, out=f"split{number}.out", batch=7)
        assert split.digest == whole.digest
        assert (split.late, split.judged) == (0, 60)


@pytest.mark.parametrize("batch", [1, 7, 1000, 100_000])
def test_batches_change_nothing(simulated: Path, here: Path, batch: int) -> None:
    assert run(simulated, packs=PACKS, batch=batch).digest == run(simulated, packs=PACKS).digest


def test_no_events_are_no_alerts(here: Path) -> None:
    (here / "empty.ndjson").write_bytes(b"")
    summary = run("empty.ndjson", snapshot=Path("state"))
    assert (summary.events, summary.alerts) == (0, 0)
    assert Path("alerts.ndjson").read_bytes() == b""
    assert run("empty.ndjson", snapshot=Path("state"), resume=True).digest == summary.digest


def test_strict_ends_with_an_empty_quarantine_or_not_at_all(here: Path) -> None:
    path = write(here / "events.ndjson", cash(1, 0, "50000"), {**cash(2, 1, "1"), "amount": 1.5})
    with pytest.raises(InputError, match=r"events.ndjson:2: bad_number amount: found 1.5"):
        run(path, strict=True)
    assert not Path("alerts.ndjson").exists()
    assert run(write(here / "good.ndjson", cash(1, 0, "50000")), strict=True).alerts == 1


# --- periods and law


def test_from_and_to(here: Path) -> None:
    day = 24 * 60
    events = [
        cash(1, 0, "50000", "C1"),  # before the period: no alert is written
        cash(2, day, "30000", "C2"),
        cash(3, day + 1, "20000", "C2"),
        cash(4, 2 * day, "50000", "C3"),  # at the end: left out
    ]
    path = write(here / "events.ndjson", *events)
    start, end = START + timedelta(days=1), START + timedelta(days=2)
    summary = run(path, from_=micros(start), to=micros(end))
    assert [alert["subject"]["id"] for alert in alerts()] == ["C2"]
    assert (summary.outside, summary.judged) == (2, 2) and adds_up(summary)
    # Between its two parts the day's sum still counts what came before.
    run(path, from_=micros(start + timedelta(seconds=30)))
    assert [alert["subject"]["id"] for alert in alerts()] == ["C2", "C3"]


def test_deadlines_pass_up_to_the_end_of_the_period(here: Path) -> None:
    wrong = {
        "id": "i1",
        "type": "incident",
        "time": START.isoformat(),
        "reporter": "BANK",
        "kind": "personal_data_breach",
    }
    path = write(here / "events.ndjson", wrong)
    for seconds, breaches in ((0, 0), (1, 1)):
        end = START + timedelta(hours=72, seconds=seconds)
        run(path, packs=("eu-data-incidents",), home="EU", to=micros(end))
        found = alerts(rule="eu-breach-authority")
        assert sum(not alert["warning"] for alert in found) == breaches


def test_the_law_of_a_day(here: Path) -> None:
    rules = here / "rules"
    rules.mkdir()
    (rules / "de-trial.yml").write_text(
        """\
pack: de-trial
version: 1.0.0
jurisdiction: CN
title: {en: Trial, zh: 试验}
params:
  limit:
    basis: default
    values:
      - {until: 2026-12-31, value: CNY 10000}
      - {from: 2027-01-01, value: CNY 500}
rules:
  - id: de-one
    title: {en: One, zh: 一}
    on: transaction
    per: customer
    when: amount_in("CNY") >= param("limit")
    alert: {kind: limit, severity: low}
    tests:
      - name: met
        events: [{time: "2026-03-02T10:00:00Z", payee: {id: C1}, amount: "10000", currency: CNY}]
        expect: {alert: {subject: C1}}
      - name: not met
        events: [{time: "2026-03-02T10:00:00Z", payee: {id: C1}, amount: "9999", currency: CNY}]
        expect: none
"""
    )
    path = write(here / "events.ndjson", cash(1, 0, "600"))
    assert run(path, packs=(), rules=rules).alerts == 0
    assert run(path, packs=(), rules=rules, law_as_of=date(2027, 1, 1)).alerts == 1
    assert run(path, packs=(), rules=rules, law_as_of=date(2026, 12, 31)).alerts == 0


# --- near misses


def test_near_misses_are_no_alerts(here: Path) -> None:
    day = 24 * 60
    events = [
        cash(1, 0, "47500", "LOW"),  # five per cent below
        cash(2, 1, "47499.99", "LOWER"),  # a fen lower
        cash(3, 2, "48000", "MET"),  # near first, met later that day
        cash(4, 3, "2000", "MET"),
        cash(5, day, "49999.99", "MET"),  # near again, on a day of its own
    ]
    path = write(here / "events.ndjson", *events)
    plain = run(path, out="plain.ndjson")
    summary = run(path, near=Fraction(5, 100))
    assert summary.digest == plain.digest
    assert Path("alerts.ndjson").read_bytes() == Path("plain.ndjson").read_bytes()
    near = alerts("alerts.near.ndjson")
    found = [(entry["subject"]["id"], entry["period"], entry["outcome"]) for entry in near]
    assert found == [("LOW", "2026-03-02", "near"), ("MET", "2026-03-03", "near")]
    assert {"rule": "cn-lvtr-0501", "near": 2} in summary.near


# --- snapshots


class Killed(BaseException):
    """The machine goes dark in the middle of a call."""


class Outage:
    """Breaks the ``number``-th call that makes something durable, half done."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int) -> None:
        self.left = number
        self._patch = patch
        for name in ("write", "fsync", "replace"):
            patch.setattr(os, name, self._broken(getattr(os, name), name))

    def _broken(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                if name == "write":
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                raise Killed
            return real(*arguments)

        return call


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTECH_SNAPSHOT_EVERY", "400")


def test_killed_at_any_call_and_resumed(
    simulated: Path, here: Path, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the process died in each write, sync and rename in turn."""
    lines = simulated.read_bytes().splitlines(keepends=True)[:900]
    lines[500:500] = [b"broken\n", lines[3], lines[5].replace(b'"id":"', b'"id":"x')]
    Path("events.ndjson").write_bytes(b"".join(lines))
    options: dict[str, Any] = {"packs": PACKS[:1], "batch": 100, "near": Fraction(1, 20)}
    whole = run("events.ndjson", out="whole.ndjson", **options)
    assert whole.late and whole.quarantined and whole.alerts
    number, finished = -1, False
    while not finished:
        number += 2
        state = Path(f"state{number}")
        given = {**options, "out": f"out{number}.ndjson", "snapshot": state}
        with monkeypatch.context() as patch:
            Outage(patch, number)
            try:
                run("events.ndjson", **given)
                finished = True
            except Killed:
                pass
        resumed = run("events.ndjson", **given, resume=True)
        assert replace(resumed, seconds=0).to_json()["rules"] == whole.to_json()["rules"]
        for ending in ("", ".quarantine", ".near"):
            found = Path(f"out{number}{ending}.ndjson").read_bytes()
            assert found == Path(f"whole{ending}.ndjson").read_bytes(), (number, ending)
    assert number > 12


def test_a_snapshot_goes_with_any_batch(simulated: Path, here: Path, often: None) -> None:
    whole = run(simulated, packs=PACKS)
    options: dict[str, Any] = {"packs": PACKS, "snapshot": Path("state"), "out": "out.ndjson"}
    for batch, stop in ((50, 500), (1000, 900), (7, 1400)):
        with pytest.raises(Killed):
            run(simulated, **options, resume=True, batch=batch, progress=StopsAt(stop))
    resumed = run(simulated, **options, resume=True, batch=100_000)
    assert resumed.digest == whole.digest and resumed.resumed_at is not None
    assert Path("out.ndjson").read_bytes() == Path("alerts.ndjson").read_bytes()


class StopsAt(NoProgress):
    """Breaks a run off once it has seen so many events."""

    def __init__(self, events: int) -> None:
        self.events = events

    def advance(self, steps: int, text: str = "") -> None:
        if int(text.split()[0].replace(",", "")) >= self.events:
            raise Killed


class Notes(NoProgress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def test_a_run_goes_on_with_the_next_day(here: Path) -> None:
    days = [
        write(
            here / f"day{day}.ndjson",
            *(cash(day * 50 + k, day * 1440 + k * 9, "9000", f"C{k % 3}") for k in range(50)),
        )
        for day in range(3)
    ]
    whole = run(*days, out="whole.ndjson")
    state = Path("state")
    run(days[0], snapshot=state)
    run(*days[:2], snapshot=state, resume=True)
    summary = run(*days, snapshot=state, resume=True)
    assert summary.resumed_at == 100 and summary.digest == whole.digest
    # A day that was read to its end need not be named again.
    again = run(*days[1:], snapshot=state, resume=True)
    assert again.digest == whole.digest


def test_what_was_judged_is_not_judged_again_by_a_file_added_later(here: Path) -> None:
    today = write(here / "today.ndjson", cash(1, 1440, "1"), cash(2, 1500, "1"))
    yesterday = write(here / "yesterday.ndjson", cash(3, 0, "50000"))
    run(today, snapshot=Path("state"))
    summary = run(today, yesterday, snapshot=Path("state"), resume=True)
    assert (summary.late, summary.judged) == (1, 2)
    assert quarantined()[0]["raw"] == Path(yesterday).read_text().rstrip("\n")


def test_a_damaged_snapshot_is_refused_and_the_one_before_it_used(
    simulated: Path, here: Path, often: None
) -> None:
    whole = run(simulated, packs=PACKS, out="whole.ndjson")
    options: dict[str, Any] = {"packs": PACKS, "snapshot": Path("state"), "batch": 100}
    with pytest.raises(Killed):
        run(simulated, **options, progress=StopsAt(1300))
    with SnapshotFolder(Path("state")) as folder:
        newest = folder.paths()[0]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    notes = Notes()
    summary = run(simulated, **options, resume=True, progress=notes)
    assert summary.digest == whole.digest
    assert any(str(newest) in text and "damaged" in text for text in notes.texts)
    assert any("damaged" in text for text in summary.notes)


def test_no_snapshot_yet_is_a_new_beginning(here: Path) -> None:
    path = write(here / "events.ndjson", cash(1, 0, "50000"))
    notes = Notes()
    summary = run(path, snapshot=Path("state"), resume=True, progress=notes)
    assert (summary.alerts, summary.resumed_at) == (1, None)
    assert any("begins anew" in text for text in notes.texts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"packs": ("us-aml",), "home": None}, "other rules: cn-aml-large-value, us-aml"),
        ({"lateness": 1}, "another --lateness"),
        ({"home": None}, "another --home"),
        ({"law_as_of": date(2026, 1, 1)}, "another --law-as-of"),
        ({"to": micros(START) + 1}, "another --to"),
        ({"near": Fraction(1, 10)}, "another --near"),
    ],
)
def test_a_snapshot_of_another_run_is_refused(
    here: Path, change: dict[str, Any], message: str
) -> None:
    path = write(here / "events.ndjson", cash(1, 0, "50000"))
    run(path, snapshot=Path("state"))
    with pytest.raises(SnapshotError, match=message):
        run(path, snapshot=Path("state"), resume=True, **change)


def test_other_input_and_other_output_are_refused(here: Path) -> None:
    path = Path(write(here / "events.ndjson", *(cash(k, k, "50000", f"C{k}") for k in range(9))))
    run(path, snapshot=Path("state"), lateness=0)
    content = path.read_bytes()
    for changed in (content[:-50], content.replace(b"50000", b"50001")):
        path.write_bytes(changed)
        with pytest.raises(SnapshotError, match="not the file that the snapshot has read from"):
            run(path, snapshot=Path("state"), lateness=0, resume=True)
    path.write_bytes(content)
    Path("alerts.ndjson").write_bytes(b"")
    with pytest.raises(SnapshotError, match="not the file that the snapshot goes with"):
        run(path, snapshot=Path("state"), lateness=0, resume=True)


def test_tables_resume_too(simulated: Path, here: Path, often: None) -> None:
    digests = set()
    for ending in ("csv", "parquet"):
        name = f"events.{ending}"
        simulate_command(Path(name), events=EVENTS, seed=11, progress=NoProgress())
        options: dict[str, Any] = {"packs": PACKS, "snapshot": Path(f"state-{ending}")}
        with pytest.raises(Killed):
            run(name, **options, batch=100, progress=StopsAt(1000))
        digests.add(run(name, **options, resume=True).digest)
    assert digests == {run(simulated, packs=PACKS).digest}


# --- the process itself


def command(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    return Command(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def wait_for(found: Callable[[], object], process: subprocess.Popen[str]) -> bool:
    """Whether something came before the process ended."""
    while process.poll() is None:
        if found():
            return True
        time.sleep(0.002)
    return False


def test_killed_for_real_and_resumed(simulated: Path, here: Path) -> None:
    run(simulated, home=None, out="whole.ndjson")
    chance = random.Random(7)
    state = Path("state")
    environment = {**os.environ, "REGTECH_SNAPSHOT_EVERY": "100"}
    kills = 0
    for batch in (7, 100, 30):
        before = {path.name for path in state.glob("*.snapshot")}
        process = command(
            "run", simulated, "--packs", PACKS[0], "--snapshot", state, "--resume",
            "--batch", batch, env=environment,
        )  # fmt: skip

        def new(known: set[str] = before) -> set[str]:
            return {path.name for path in state.glob("*.snapshot")} - known

        if wait_for(new, process):
            time.sleep(chance.random() * 0.1)
            process.kill()
            kills += process.wait() == -signal.SIGKILL
        process.communicate()
    done = command("run", simulated, "--packs", PACKS[0], "--snapshot", state, "--resume")
    out, err = done.communicate()
    assert done.returncode == 0, err
    assert Path("alerts.ndjson").read_bytes() == Path("whole.ndjson").read_bytes()
    assert kills >= 2


def test_interrupted(simulated: Path, here: Path) -> None:
    process = command(
        "run", simulated, "--packs", PACKS[0], "--snapshot", "state", "--batch", 5,
        env={**os.environ, "REGTECH_SNAPSHOT_EVERY": "100"},
    )  # fmt: skip
    assert wait_for(lambda: list(Path("state").glob("*.snapshot")), process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130, err
    assert "interrupted after" in err and "--resume" in err and "Traceback" not in err
    assert not Path("alerts.ndjson").exists()
    resumed = run(simulated, home=None, snapshot=Path("state"), resume=True)
    assert resumed.digest == run(simulated, home=None, out="whole.ndjson").digest


def test_interrupted_while_it_waits_for_input(here: Path) -> None:
    process = command("run", "-", "--packs", PACKS[0], "--home", "CN", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps(cash(1, 0, "50000")) + "\n")
    process.stdin.flush()
    assert wait_for(lambda: Path("alerts.ndjson.part").exists(), process)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    process.communicate()
    assert not Path("alerts.ndjson").exists()


def test_a_closed_pipe(simulated: Path, here: Path) -> None:
    with command("run", simulated, "--packs", "us-aml", "--out", "-") as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 3
    assert "error[store]" in err and "Broken pipe" in err and "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_between_two_batches(here: Path, number: int) -> None:
    path = write(here / "events.ndjson", *(cash(k, k, "1") for k in range(100)))
    before = signal.getsignal(number)

    class Ends(NoProgress):
        def advance(self, steps: int, text: str = "") -> None:
            os.kill(os.getpid(), number)

    state = Path("state")
    with pytest.raises(Interrupted, match="interrupted after 10 events .*--resume"):
        run(path, batch=10, snapshot=state, progress=Ends())
    assert signal.getsignal(number) == before
    assert run(path, snapshot=state, resume=True).resumed_at == 10


# --- outputs that cannot be


def test_a_full_disk_leaves_nothing_that_looks_whole(simulated: Path, here: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))
    try:
        with pytest.raises(StoreError, match="could not be written"):
            run(simulated, packs=("us-aml",), home=None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not Path("alerts.ndjson").exists() and Path("alerts.ndjson.part").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(here: Path) -> None:
    path = write(here / "events.ndjson", cash(1, 0, "1"))
    (here / "kept").mkdir(mode=0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        run(path, out="kept/alerts.ndjson")


def test_outputs_that_cannot_be(here: Path) -> None:
    path = write(here / "events.ndjson", cash(1, 0, "1"))
    with pytest.raises(StoreError):
        run(path, out=f"{path}/alerts.ndjson")
    if Path("/proc").exists():  # read-only even for root
        with pytest.raises(StoreError):
            run(path, out="/proc/alerts.ndjson")
    with pytest.raises(UsageError, match="same file"):
        run(path, out="x.ndjson", quarantine="./x.ndjson")
    with pytest.raises(UsageError, match="would be replaced"):
        run(path, out="events.ndjson")
    with pytest.raises(UsageError, match="standard output cannot be resumed"):
        run(path, out="-", snapshot=Path("state"))
    with pytest.raises(UsageError, match="no store is kept in mysql"):
        run(path, store="mysql://localhost/cases")
    with pytest.raises(UsageError, match="--from is not before --to"):
        run(path, from_=2, to=1)
    assert sorted(p.name for p in here.iterdir()) == ["events.ndjson"]


# --- input that cannot be


def test_input_that_cannot_be(here: Path) -> None:
    good = write(here / "good.ndjson", cash(1, 0, "50000"))
    with pytest.raises(InputError, match="No such file"):
        run(good, "missing.ndjson")
    with pytest.raises(UsageError, match="twice"):
        run("-", "-")
    with pytest.raises(UsageError, match="did you mean 'cn-aml-large-value'"):
        run(good, packs=("cn-aml-large-valeu",))
    with pytest.raises(UsageError, match="jurisdiction MARS"):
        run(good, home="MARS")
    assert not Path("alerts.ndjson").exists()
    packed = gzip.compress(Path(good).read_bytes() * 50)
    for damaged in (packed[: len(packed) // 2], packed[:-8] + b"\0" * 8, b"\x1f\x8b" + b"x" * 90):
        Path("damaged.ndjson.gz").write_bytes(damaged)
        with pytest.raises(InputError, match=r"damaged\.ndjson\.gz"):
            run("damaged.ndjson.gz")
        assert not Path("alerts.ndjson").exists()
