"""The events behind alerts: found by id, those of the alert's reporter, and nobody else's."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from casework.cases.alert import StoredAlert
from casework.evidence import verify_bundle
from casework.evidence.keys import create_keys
from casework.stores.memory import MemoryRecord
from regtech.app.casework import Casework
from regtech.app.eventtexts import EventTexts
from regtech.app.evidence import export_case
from regtech.app.journal import Journal
from regtech.clock import ManualClock
from regtech.errors import InputError, UsageError
from tests.contract.world import SERVICE, START_US, WANG, Salts, World, alert, scope


def rests_on(*events: str) -> StoredAlert:
    return StoredAlert.of(json.dumps({**alert(1).body(), "events": list(events)}).encode())


def event(name: str, reporter: str = "BANK-A", **more: object) -> dict[str, object]:
    return {"id": name, "type": "transaction", "reporter": reporter, **more}


def written(path: Path, *events: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=True) + "\n" for one in events))
    return path


def test_events_are_found_in_files_and_in_a_journal(tmp_path: Path) -> None:
    file = written(tmp_path / "a.ndjson", event("E1"), event("other"), event("Ü 2"))
    journal = Journal(tmp_path / "data")
    journal.append([json.dumps(event("E3", payer={"id": "E9"})).encode()])
    journal.close()
    texts = EventTexts([file, tmp_path / "data"], SERVICE)
    found = texts([rests_on("E1", "Ü 2", "E3", "E9")])
    assert set(found) == {"E1", "Ü 2", "E3"}
    assert texts.missing == {"E9"}  # an id of something else is none of an event


def test_files_may_be_compressed_and_tables_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "a.ndjson", event("E1"), event("E2"))
    packed = tmp_path / "a.ndjson.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert set(EventTexts([packed], SERVICE)([rests_on("E1", "E2")])) == {"E1", "E2"}
    packed.write_bytes(packed.read_bytes()[:-12])
    with pytest.raises(InputError, match="could not be read"):
        EventTexts([packed], SERVICE)([rests_on("E1", "E9")])
    table = tmp_path / "a.csv"
    table.write_text("id,type\nE1,transaction\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"a\.csv is no NDJSON"):
        EventTexts([table], SERVICE)


def test_of_several_with_an_id_it_is_the_one_of_the_alerts_reporter(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.ndjson", event("E1", "BANK-B"), event("E1"), event("E2", "BANK-B"),
        event("E3", "BANK-B"), event("E3", "BANK-C"),
    )  # fmt: skip
    texts = EventTexts([file], SERVICE)
    found = texts([rests_on("E1", "E2", "E3")])
    assert {name: one["reporter"] for name, one in found.items()} == {
        "E1": "BANK-A", "E2": "BANK-B",
    }  # fmt: skip
    assert texts.missing == {"E3"}


def test_events_of_others_are_out_of_reach(tmp_path: Path) -> None:
    file = written(tmp_path / "a.ndjson", event("E1"), event("E2", "BANK-B"))
    mine = EventTexts([file], scope("eva", tenants={"BANK-A"}))
    assert set(mine([rests_on("E1", "E2")])) == {"E1"}


def test_what_is_no_source_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        EventTexts([tmp_path / "nowhere"], SERVICE)
    with pytest.raises(UsageError, match="no journal"):
        EventTexts([tmp_path], SERVICE)
    assert EventTexts([], SERVICE)([rests_on("E1")]) == {}


def test_a_bundle_has_the_events_behind_its_alerts_personal_data_withheld(tmp_path: Path) -> None:
    clock = ManualClock(START_US)
    world = World(MemoryRecord(clock, Salts()), clock)
    case = world.one(rests_on("E1", "E2"))
    create_keys(tmp_path / "keys", START_US)
    file = written(tmp_path / "a.ndjson", event("E1", payer={"id": "C1", "name": "Zhang San"}))
    parts = Casework("", world.record, world.service, world.intake)
    out = tmp_path / "case.json"
    done = export_case(
        parts, WANG, case.id, out, keys=tmp_path / "keys", personal=False, number=0, rules=None,
        events=[file],
    )  # fmt: skip
    assert (done["events"], done["missing_events"]) == (1, 1)
    bundle = out.read_bytes()
    assert b"Zhang San" not in bundle and b'"events/E1"' in bundle
    assert verify_bundle.verify(bundle, []).status == verify_bundle.WHOLE
    changed = bundle.replace(b'"reporter":"BANK-A","type"', b'"reporter":"BANK-B","type"')
    assert changed != bundle
    assert verify_bundle.verify(changed, []).status != verify_bundle.WHOLE
    # What was handed out is on record, event by event.
    entry = world.record.timeline(SERVICE, case.id)[-1]
    assert "events/E1" in entry.detail["documents"]
