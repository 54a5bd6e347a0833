"""Outcomes of cases as labels: what people decided, event by event, and nobody else's."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, Gate, Outcome
from casework.cases.lifecycle import Move
from casework.cases.scope import Role
from casework.cases.timeline import EntryKind
from casework.ports import Record
from casework.service.learn import EventOutcome
from regtech.app.caselabels import write_outcomes
from regtech.app.casework import Casework
from regtech.clock import ManualClock
from regtech.errors import ForbiddenError, UsageError
from tests.contract.world import DAY_US, LI, SERVICE, START_US, WANG, World, alert, scope


@pytest.fixture
def world(record: Record, clock: ManualClock) -> World:
    return World(record, clock)


def rests_on(number: int, *events: str, **more: Any) -> StoredAlert:
    body = {**alert(number, **more).body(), "events": list(events)}
    return StoredAlert.of(json.dumps(body).encode())


def end(world: World, case: Case, outcome: Outcome) -> Case:
    case = world.service.move(WANG, case.id, case.version, Move.TRIAGE)
    for point in ("facts", "law"):
        case = world.service.check(WANG, case.id, case.version, point)
    case = world.service.ask(WANG, case.id, case.version, Gate.CLOSE, "seen", outcome=outcome)
    return world.service.approve(LI, case.id, case.version, case.version)


def case_of(world: World, subject: str) -> Case:
    (found,) = [case for case in world.all() if case.key.endswith(subject)]
    return found


def filled(world: World, clock: ManualClock) -> None:
    world.take(
        rests_on(1, "E1", "E2", subject="K1", rule="ring"),
        rests_on(2, "E2", "E3", subject="K2", rule="ring"),
        rests_on(3, "E4", subject="K3", rule="fan", tenant="BANK-B"),
        rests_on(4, "E5", subject="K4", rule="fan"),
        rests_on(5, "E6", subject="K5", rule="fan"),
    )
    end(world, case_of(world, "K1"), Outcome.CONFIRMED)
    clock.advance(DAY_US)
    end(world, case_of(world, "K2"), Outcome.UNFOUNDED)
    end(world, case_of(world, "K3"), Outcome.DATA_ERROR)
    end(world, case_of(world, "K4"), Outcome.DUPLICATE)  # says nothing; K5 is open


def test_what_is_confirmed_once_is_confirmed_and_open_cases_say_nothing(
    world: World, clock: ManualClock
) -> None:
    filled(world, clock)
    later = START_US + DAY_US
    assert world.service.event_outcomes(WANG) == (
        EventOutcome("BANK-A", "E1", True, START_US, "ring", "laundering"),
        EventOutcome("BANK-A", "E2", True, START_US, "ring", "laundering"),
        EventOutcome("BANK-A", "E3", False, later, "ring", "laundering"),
        EventOutcome("BANK-B", "E4", False, later, "fan", "laundering"),
    )


def test_one_id_of_two_institutions_is_two_events(world: World, clock: ManualClock) -> None:
    world.take(
        rests_on(1, "E1", subject="K1", rule="ring"),
        rests_on(2, "E1", subject="K3", rule="fan", tenant="BANK-B"),
    )
    end(world, case_of(world, "K1"), Outcome.CONFIRMED)
    end(world, case_of(world, "K3"), Outcome.UNFOUNDED)
    found = [(one.institution, one.confirmed) for one in world.service.event_outcomes(WANG)]
    assert found == [("BANK-A", True), ("BANK-B", False)]


def test_each_sees_outcomes_of_its_own_scope_and_institutions_none(
    world: World, clock: ManualClock
) -> None:
    filled(world, clock)
    one = scope("eva", tenants={"BANK-B"})
    assert [found.event for found in world.service.event_outcomes(one)] == ["E4"]
    assert world.service.event_outcomes(scope("hk", jurisdictions={"HK"})) == ()
    with pytest.raises(ForbiddenError):
        world.service.event_outcomes(scope("bank", Role.INSTITUTION, tenants={"BANK-A"}))
    logged = {
        chain: [entry.detail for entry in world.record.log(SERVICE, chain, limit=1000)
                if entry.kind is EntryKind.EXPORTED]
        for chain in world.record.chains(SERVICE)
    }  # fmt: skip
    assert logged["BANK-B"] == [{"what": "outcomes", "cases": 1}]
    assert logged["BANK-A"] == []


def test_the_file_is_a_table_of_labels_and_nothing_is_overwritten(
    world: World, clock: ManualClock, tmp_path: Path
) -> None:
    filled(world, clock)
    parts = Casework("", world.record, world.service, world.intake)
    out = tmp_path / "labels.csv"
    assert write_outcomes(parts, WANG, out) == {"out": str(out), "confirmed": 2, "unfounded": 2}
    with out.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["id"], row["label"], row["typology"]) for row in rows] == [
        ("E1", "1", "ring"), ("E2", "1", "ring"), ("E3", "0", "ring"), ("E4", "0", "fan"),
    ]  # fmt: skip
    assert rows[0]["known"] == "2026-03-02T01:00:00Z"
    assert [row["institution"] for row in rows] == ["BANK-A", "BANK-A", "BANK-A", "BANK-B"]
    with pytest.raises(UsageError, match="there already"):
        write_outcomes(parts, WANG, out)
