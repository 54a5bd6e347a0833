"""What an engine remembers: the same decisions as from the whole journal, or it is passed over."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from casework.ports import Record
from casework.stores.memory import MemoryRecord
from casework.stores.memory_service import MemoryEventDesk
from casework.stores.sql.record import SqlRecord
from regtech.app import deciding as module
from regtech.app.backup import backup, restore
from regtech.app.choice import chosen_packs
from regtech.app.deciding import Deciding
from regtech.app.journal import Journal
from regtech.app.progress import NoProgress
from regtech.app.warm import FOLDER, Remember, recalled, remember
from regtech.app.workers import run_beside
from regtech.clock import ManualClock
from regtech.errors import StoreError
from regtech.reference.load import Reference
from tests.contract.world import SERVICE, START_US, Salts, World
from tests.unit.casework.api.api_world import bank, deposit

PACKS = ("cn-aml-large-value",)
REFERENCE = Reference.shipped()


class Running:
    """What judges events over a folder, as in a server."""

    def __init__(self, folder: Path, store: str | None = None) -> None:
        self.clock = clock = ManualClock(START_US)
        record: Record = MemoryRecord(clock, Salts())
        if store is not None:
            record = SqlRecord(store, clock, Salts())
        self.world = World(record, clock)
        self.journal = Journal(folder, segment_bytes=3_000)
        self.deciding = Deciding(
            chosen_packs(PACKS), REFERENCE, self.journal, MemoryEventDesk(), self.world.intake,
            clock, home=None,
        )  # fmt: skip
        self.warmed = self.deciding.warm_up()

    def close(self) -> None:
        """End it as a server ends, but for what waits."""
        self.journal.close()
        self.world.record.close()

    def send(self, event: dict[str, object]) -> tuple[str, list[bytes]]:
        """Verdict and alerts."""
        decision = self.deciding.judge(SERVICE, json.dumps(event).encode()).settle()
        return decision.verdict.value, list(decision.alerts)

    def due(self) -> int:
        """Hand over what waits; how far may be remembered."""
        self.deciding.hand_over(SERVICE)
        return self.deciding.memory_due()


def half(number: int, customer: int) -> dict[str, object]:
    """Half of what is to be reported of a day."""
    return deposit(number, "25000", payee={"id": f"C{customer}", "country": "CN"})


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBER_BYTES", 1_000)


def test_after_a_restart_windows_repeats_and_alerts_are_as_before(
    tmp_path: Path, often: None
) -> None:
    folder = tmp_path / "data"
    running = Running(folder)
    running.send(bank())
    for number in range(1, 30):
        running.send(half(number, number))
    position = running.due()
    assert position == running.journal.end and running.deciding.memory_due() == 0
    wanted = Remember(str(folder), position, PACKS)
    remember(wanted, chosen_packs(PACKS), REFERENCE)
    for number in range(30, 40):
        running.send(half(number, number))
    running.journal.close()
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    shutil.rmtree(whole / FOLDER)
    told = []
    for where, read in ((folder, 10), (whole, 40)):
        again = Running(where)
        assert again.warmed["events"] == read
        answers = [again.send(half(7, 7))]  # repeated
        answers += [again.send({**half(8, 8), "amount": "1"})]  # another content: a conflict
        answers += [again.send(half(100 + k, k)) for k in (3, 29, 30, 39)]  # now it is enough
        again.journal.close()
        told.append(answers)
    assert told[0] == told[1]
    assert [verdict for verdict, _ in told[0]] == ["repeated", "conflict"] + ["judged"] * 4
    assert all(len(alerts) == 1 for _, alerts in told[0][2:])


def test_a_restored_server_decides_as_the_one_that_was_backed_up(
    tmp_path: Path, often: None
) -> None:
    """What the engine remembered is not in a backup: the journal is, and gives the same."""
    folder, store = tmp_path / "data", f"{tmp_path}/cases.db"
    running = Running(folder, store)
    running.send(bank())
    for number in range(1, 30):
        running.send(half(number, number))
    position = running.due()
    remember(Remember(str(folder), position, PACKS), chosen_packs(PACKS), REFERENCE)
    for number in range(30, 40):
        running.send(half(number, number))
    (alert,) = running.send(half(50, 31))[1]
    archive = tmp_path / "all.backup"
    backup(store, folder, archive, running.clock, NoProgress())  # the alert is not in the record
    running.close()
    new, copy = tmp_path / "new", f"{tmp_path}/copy.db"
    restore(archive, copy, new, running.clock, NoProgress())
    assert not (new / FOLDER).exists()
    told = []
    for where, record, read in ((folder, store, 11), (new, copy, 41)):
        again = Running(where, record)
        assert (again.warmed["events"], again.warmed["to_record"]) == (read, 1)
        answers = [again.send(half(50, 31)), again.send({**half(8, 8), "amount": "1"})]
        answers += [again.send(half(100 + k, k)) for k in (3, 29, 30, 39)]
        again.deciding.hand_over(SERVICE)
        found = again.world.record.alerts(SERVICE, limit=100).items
        told.append((answers, [one.raw for one in found], again.deciding.subjects()))
        again.close()
    assert told[0] == told[1]
    answers, alerts, subjects = told[0]
    assert alert in alerts and len(alerts) == 5
    assert [verdict for verdict, _ in answers] == ["repeated", "conflict"] + ["judged"] * 4
    assert max(subjects.values()) >= 39


def test_alerts_that_are_not_in_the_record_hold_memory_back(tmp_path: Path, often: None) -> None:
    folder = tmp_path / "data"
    running = Running(folder)
    running.send(bank())
    for number in range(1, 20):
        running.send(deposit(number))
    assert running.deciding.memory_due() == 0  # alerts wait
    position = running.due()
    assert position > 0
    remember(Remember(str(folder), position, PACKS), chosen_packs(PACKS), REFERENCE)
    for number in range(20, 23):
        running.send(deposit(number))
    running.journal.close()
    # As after a kill: those of the last three were not handed over, and are made again.
    again = Running(folder)
    assert again.warmed == {"events": 3, "alerts": 3, "to_record": 3}
    again.journal.close()


def _damaged(folder: Path) -> None:
    (path,) = (folder / FOLDER).glob("*.snapshot")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _other_journal(folder: Path) -> None:
    for path in sorted(folder.glob("events-*.ndjson")):
        path.write_bytes(path.read_bytes().replace(b'"C', b'"D'))


def _shorter(folder: Path) -> None:
    for path in sorted(folder.glob("events-*.ndjson"))[1:]:
        path.unlink()


@pytest.mark.parametrize("harm", [_damaged, _other_journal, _shorter])
def test_what_does_not_fit_is_passed_over(
    tmp_path: Path, often: None, harm: Callable[[Path], None]
) -> None:
    folder = tmp_path / "data"
    running = Running(folder)
    for number in range(1, 30):
        running.send(half(number, number))
    remember(Remember(str(folder), running.due(), PACKS), chosen_packs(PACKS), REFERENCE)
    end = running.journal.end
    running.journal.close()
    packs = chosen_packs(PACKS)
    assert recalled(folder, packs, REFERENCE, None, end) is not None
    assert recalled(folder, packs, REFERENCE, "CN", end) is None
    assert recalled(folder, chosen_packs(("hk",)), REFERENCE, None, end) is None
    harm(folder)
    journal = Journal(folder)
    assert recalled(folder, packs, REFERENCE, None, journal.end) is None
    journal.close()


def test_the_process_beside_remembers_and_goes_on_from_the_last_time(
    tmp_path: Path, often: None
) -> None:
    folder = tmp_path / "data"
    running = Running(folder)
    for number in range(1, 20):
        running.send(half(number, number))
    wanted = Remember(str(folder), running.due(), PACKS)
    remember(wanted, chosen_packs(PACKS), REFERENCE)
    for number in range(20, 40):
        running.send(half(number, number))
    later = replace(wanted, position=running.due())
    # What came before the first memory is not looked at again.
    (folder / "events-00000000000000000000.ndjson").write_bytes(b"")
    run_beside(later.command(), lambda: False)
    found = recalled(folder, chosen_packs(PACKS), REFERENCE, None, running.journal.end)
    assert found is not None and found[1] == later.position
    running.journal.close()


def test_a_process_beside_that_fails_says_why_and_one_that_is_late_is_ended() -> None:
    with pytest.raises(StoreError, match="ended with 3: no luck"):
        run_beside(["sh", "-c", "echo no luck >&2; exit 3"], lambda: False)
    run_beside(["sleep", "60"], lambda: True)
