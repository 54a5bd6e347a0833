"""``run --cores 2``: the same to the byte as on one core, and the same ends.

Each run is a command of its own: it forks, which a process with threads had better not.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from regtech.adapters.snapshots import Snapshot, SnapshotFolder
from regtech.app.progress import NoProgress
from regtech.app.simulate import simulate_command
from tests.support.standby import Command

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
EVENTS = 1500
ONE_PACK = ("--packs", "cn-aml-large-value")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events of all types with findings of every rule, chains of owners and networks among them."""
    path = tmp_path_factory.mktemp("events") / "simulated.ndjson"
    simulate_command(path, events=EVENTS, seed=11, progress=NoProgress())
    return path


def run(folder: Path, files: Sequence[str], *words: str) -> subprocess.CompletedProcess[str]:
    """One run in a folder of its own over files that lie beside it."""
    folder.mkdir()
    process: subprocess.Popen[str] = Command(
        "run", *(f"../{name}" for name in files), "--json", *words,
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    out, err = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def errors_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What it said is wrong. Which command meets a kernel first, and says so, is up to the order of
    the tests: two cores ask for one more than one does."""
    assert "error[" in done.stderr
    return [line for line in done.stderr.splitlines() if not line.startswith("compiling for")]


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def disordered(events: list[bytes]) -> list[bytes]:
    """Out of order within and beyond the lateness, with repeats, conflicts and bad lines."""
    draw = random.Random(5)
    made = list(events)
    for place in range(0, len(made) - 40, 40):
        piece = made[place : place + 8]
        draw.shuffle(piece)
        made[place : place + 8] = piece
    made.insert(900, made[10])  # late, and a repeat
    made.insert(1500, made[1490])
    made.insert(1501, made[1491].replace(b'"BANK', b'"BANX', 1))
    changed = json.loads(made[1480])
    made.insert(1502, json.dumps({**changed, "time": "2031-01-01T00:00:00"}).encode())
    made.insert(40, b'{"id": 1}')
    made.insert(41, b"not json")
    made.append(made.pop(2))  # late
    return made


def test_what_is_found_is_the_same_to_the_byte(tmp_path: Path, simulated: Path) -> None:
    lines = disordered(simulated.read_bytes().splitlines())
    (tmp_path / "odd.ndjson").write_bytes(b"\n".join(lines[0::2]) + b"\n")
    (tmp_path / "even.ndjson.gz").write_bytes(gzip.compress(b"\n".join(lines[1::2])))
    files = ("odd.ndjson", "even.ndjson.gz")
    one = run(tmp_path / "one", files, "--batch", "997")
    assert one.returncode == 0, one.stderr
    summary = json.loads(one.stdout)
    assert summary["alerts"] > 100 and summary["quarantined"] and summary["late"]
    two = run(tmp_path / "two", files, "--cores", "2", "--batch", "997")
    assert two.returncode == 0, two.stderr
    assert outputs(tmp_path / "two") == outputs(tmp_path / "one")
    of_speed = {"seconds": 0, "events_per_second": 0}
    assert {**json.loads(two.stdout), **of_speed} == {**summary, **of_speed}
    found = [json.loads(line) for line in outputs(tmp_path / "one")["alerts.ndjson"].splitlines()]
    asked = {
        name.split("(")[0].split(".")[1] for alert in found for name in alert.get("findings", {})
    }
    assert {"beneficial_owner", "owner_share", "cycle"} <= asked, "detectors on both sides"


def test_periods_and_near_misses_are_the_same(tmp_path: Path, simulated: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(simulated.read_bytes())
    middle = sorted(json.loads(x)["time"] for x in simulated.read_bytes().splitlines())[EVENTS // 2]
    words = ("--near", "5%", "--from", middle, "--packs", "cn")
    one = run(tmp_path / "one", ["events.ndjson"], *words)
    two = run(tmp_path / "two", ["events.ndjson"], *words, "--cores", "2")
    assert (one.returncode, two.returncode) == (0, 0), two.stderr
    assert outputs(tmp_path / "two") == outputs(tmp_path / "one")
    assert json.loads(two.stdout)["outside"] == json.loads(one.stdout)["outside"] > 0


def test_a_source_that_breaks_off_ends_both_alike(tmp_path: Path, simulated: Path) -> None:
    whole = gzip.compress(simulated.read_bytes())
    (tmp_path / "events.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    one = run(tmp_path / "one", ["events.ndjson.gz"], *ONE_PACK)
    two = run(tmp_path / "two", ["events.ndjson.gz"], *ONE_PACK, "--cores", "2")
    assert one.returncode == two.returncode != 0
    assert errors_of(two) == errors_of(one)
    assert not (tmp_path / "two" / "alerts.ndjson").exists()


def test_strict_stops_at_the_same_record(tmp_path: Path, simulated: Path) -> None:
    lines = disordered(simulated.read_bytes().splitlines())
    (tmp_path / "events.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    one = run(tmp_path / "one", ["events.ndjson"], *ONE_PACK, "--strict")
    two = run(tmp_path / "two", ["events.ndjson"], *ONE_PACK, "--strict", "--cores", "2")
    assert one.returncode == two.returncode == 3
    assert errors_of(two) == errors_of(one)


def test_a_snapshot_of_two_cores_says_what_that_of_one_says(
    tmp_path: Path, simulated: Path
) -> None:
    lines = disordered(simulated.read_bytes().splitlines())
    (tmp_path / "events.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    words = (*ONE_PACK, "--snapshot", "state")
    found: list[Snapshot] = []
    for cores in ("1", "2"):
        done = run(tmp_path / cores, ["events.ndjson"], "--cores", cores, *words)
        assert done.returncode == 0, done.stderr
        with SnapshotFolder(tmp_path / cores / "state") as folder:
            found.append(folder.newest()[0])
    one, two = found
    assert one.said == two.said and one.arrays.keys() == two.arrays.keys()
    np.testing.assert_array_equal(two.arrays["pending.line"], one.arrays["pending.line"])
    assert two.arrays["pending.line"].size, "events are held back at the end"


def resuming(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A run that takes snapshots of every hundred events, and goes on from one that is there."""
    return Command(
        "run", "../events.ndjson", "--snapshot", "../state", "--resume", *words, cwd=folder,
        env={**os.environ, "REGTECH_SNAPSHOT_EVERY": "100"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for_snapshots(process: subprocess.Popen[str], state: Path, count: int) -> None:
    """Until so many more are there, or the run has ended."""
    before = set(state.glob("*.snapshot"))
    while process.poll() is None and len(set(state.glob("*.snapshot")) - before) < count:
        time.sleep(0.005)


def test_killed_on_some_cores_and_resumed_on_others(tmp_path: Path, simulated: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(simulated.read_bytes())
    whole = run(tmp_path / "whole", ["events.ndjson"])
    assert whole.returncode == 0, whole.stderr
    folder = tmp_path / "killed"
    folder.mkdir()
    kills = 0
    for cores in ("2", "2", "1"):
        with resuming(folder, "--batch", "50", "--cores", cores) as process:
            wait_for_snapshots(process, tmp_path / "state", 2)
            process.kill()
            process.communicate()
            kills += process.returncode == -signal.SIGKILL
    assert kills == 3
    with resuming(folder, "--json", "--cores", "2") as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert json.loads(out)["resumed_at"]
    assert outputs(folder) == outputs(tmp_path / "whole")


def test_an_interrupt_leaves_a_snapshot_of_where_it_was(tmp_path: Path, simulated: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(simulated.read_bytes())
    whole = run(tmp_path / "whole", ["events.ndjson"], *ONE_PACK)
    assert whole.returncode == 0, whole.stderr
    folder = tmp_path / "two"
    folder.mkdir()
    with resuming(folder, *ONE_PACK, "--cores", "2", "--batch", "20") as process:
        wait_for_snapshots(process, tmp_path / "state", 1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "--resume goes on from there" in said
    with resuming(folder, *ONE_PACK, "--cores", "2") as process:
        _, said = process.communicate()
    assert process.returncode == 0, said
    assert outputs(folder) == outputs(tmp_path / "whole")


class Running:
    """A run on two cores that reads from us, and the process that reads ahead in it."""

    def __init__(self, folder: Path, events: bytes) -> None:
        self.process: subprocess.Popen[bytes] = Command(
            "run", "-", "--cores", "2", *ONE_PACK,
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write(events)
        self.process.stdin.flush()

    def ahead(self) -> int:
        """Its number, once it is there."""
        told = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for _ in range(600):
            if found := told.read_text().split():
                return int(found[0])
            time.sleep(0.05)
        raise AssertionError("nobody reads ahead")

    def end(self) -> tuple[int, str]:
        """Exit status and what was said."""
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said.decode()


needs_proc = pytest.mark.skipif(
    not Path(f"/proc/self/task/{os.getpid()}/children").exists(),
    reason="the system does not tell the children of a process",
)


@needs_proc
def test_a_reader_that_is_killed_is_an_error_and_no_file(tmp_path: Path, simulated: Path) -> None:
    running = Running(tmp_path, simulated.read_bytes()[:200_000])
    os.kill(running.ahead(), signal.SIGKILL)
    status, said = running.end()
    assert status == 3
    assert "reads ahead has ended" in said
    assert not (tmp_path / "alerts.ndjson").exists()


@needs_proc
def test_an_interrupt_ends_both(tmp_path: Path, simulated: Path) -> None:
    running = Running(tmp_path, simulated.read_bytes()[:200_000])
    ahead = running.ahead()
    time.sleep(0.5)
    running.process.send_signal(signal.SIGINT)
    status, said = running.end()
    assert status == 130, said
    assert not Path(f"/proc/{ahead}").exists()
    assert not (tmp_path / "alerts.ndjson").exists()


@needs_proc
def test_a_judge_that_is_killed_takes_the_reader_along(tmp_path: Path, simulated: Path) -> None:
    running = Running(tmp_path, simulated.read_bytes()[:200_000])
    ahead = running.ahead()
    running.process.kill()
    running.end()
    for _ in range(600):
        if not Path(f"/proc/{ahead}").exists():
            return
        time.sleep(0.05)
    raise AssertionError("the process that reads ahead is still there")
