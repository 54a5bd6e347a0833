"""Alerts that simply join a case leave on record what deciding it anew would have left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from casework.cases.alert import StoredAlert
from casework.cases.directive import Disposition
from casework.policy import gather
from casework.policy.gather import Decided
from casework.stores.memory import MemoryRecord
from casework.stores.sql.record import SqlRecord
from regtech.clock import ManualClock
from tests.contract.world import SERVICE, Salts, World, planner_of
from tests.property.policy.generate import World as Given
from tests.property.policy.generate import worlds
from tests.property.test_policy import SEEDS
from tests.property.test_policy_record import LATE_US, PROFILE, Desk, layered
from tests.support.examples import examples

POLICIES = """
set: some
version: 1.0.0
title: {en: Some, zh: 若干}
themes:
  - {id: cash, title: {en: Cash, zh: 现金}, alerts: [{kind: report}]}
  - {id: laundering, title: {en: Laundering, zh: 洗钱}, alerts: [any]}
policies:
  - id: repeats
    title: {en: Repeats, zh: 重复}
    order: 10
    on: {kind: quality}
    same: [subject, rule]
    snooze: {for: 1d}
    tests:
      - name: acts
        alerts:
          - {id: a, time: "2026-03-01T00:00:00Z", rule: r, kind: quality, subject: C}
          - {id: b, time: "2026-03-01T01:00:00Z", rule: r, kind: quality, subject: C}
        expect: {snoozed: [b]}
      - name: does not
        alerts: [{id: a, time: "2026-03-01T00:00:00Z", rule: r, kind: quality, subject: C}]
        expect: none
  - id: subject-and-theme
    title: {en: A subject, zh: 主体}
    order: 20
    on: any
    same: [subject, theme, jurisdiction]
    case: {queue: desk, theme: alert, priority: severity, merge: 2d, due: alert, sla: 3d}
    tests:
      - name: acts
        alerts: [{id: a, time: "2026-03-01T00:00:00Z", rule: r, subject: C, jurisdiction: CN}]
        expect: {cases: [{alerts: [a]}]}
      - name: does not
        alerts: [{id: a, time: "2026-03-01T00:00:00Z", rule: r}]
        expect: none
"""


def _record(world: World) -> tuple[Any, ...]:
    """Cases with their alerts, and what is aside.

    Alerts that join are recorded as a batch before the others. So, as between any two ways of
    batching, the number of entries may differ, and where a case is torn apart, into which of
    those that have its alerts it is merged. Why an alert is braked is said in the numbers of when
    it was decided.
    """
    cases = sorted(world.all(), key=lambda case: case.id)
    held = [
        {alert.id for alert in world.record.case_alerts(SERVICE, case.id, limit=1000).items}
        for case in cases
    ]
    listed = world.record.asides(SERVICE, limit=1000).items
    aside = {
        item.directive.alert: replace(item.directive, reason={})
        if item.directive.outcome is Disposition.BRAKED
        else item.directive
        for item in listed
    }
    said = [c.id if c.withdrawn else replace(c, version=0, links=()) for c in cases]
    return said, held, aside


def _same_as_decided_anew(given: Given, seed: int) -> None:
    """One intake remembers cases, the other decides each anew; people close cases at both.

    Whatever looks next decides that nobody answered: an intake that decides anew may, one that
    remembers leaves it to who wakes it.
    """
    draw = Random(seed)
    remembering, forgetting = Desk(given, None), Desk(given, None)
    bounds = [0, *given.cuts, len(given.alerts)]
    order = [remembering.alerts[place] for place in given.order]
    closings = list(given.closings)
    absences = any("absent" in policy for policy in given.policies)
    for low, high in zip(bounds, bounds[1:], strict=False):
        wakes, closes = draw.random() < 0.3 or absences, closings and draw.random() < 0.4
        number = closings.pop()[0] if closes else None
        for desk in (remembering, forgetting):
            if desk is forgetting:
                desk.world.intake.forget()
            desk.world.intake.take(SERVICE, order[low:high])
            if wakes:
                desk.world.intake.wake(SERVICE)
            if number is not None:
                desk.close(number)
        assert _record(remembering.world) == _record(forgetting.world)


@settings(PROFILE, max_examples=examples(60))
@given(layered(), SEEDS)
def test_policies_before_one_that_takes_each_alert(given: Given, seed: int) -> None:
    _same_as_decided_anew(given, seed)


@settings(PROFILE, max_examples=examples(60))
@given(worlds(actions=("case",), forms=("on", "any"), hours=60, least=10, closings=4), SEEDS)
def test_gaps_and_closings(given: Given, seed: int) -> None:
    _same_as_decided_anew(given, seed)


def _alert(draw: Random, number: int, hour: int) -> StoredAlert:
    body = {
        "id": f"{number:08x}",
        "rule": f"r{draw.randrange(3)}",
        "pack": "p",
        "jurisdiction": draw.choice(("CN", "EU")),
        "kind": draw.choice(("breach", "breach", "report", "quality")),
        "severity": draw.choice(("low", "medium", "high", "odd")),
        "subject": {"per": "customer", "id": f"C{draw.randrange(3)}", "institution": "B1"},
        "time": f"2026-03-{1 + hour // 24:02}T{hour % 24:02}:00:00Z",
        "facts": {"reporter": f"B{draw.randrange(2)}"},
        "due": draw.choice((None, None, f"2026-03-{draw.randrange(10, 30)}")),
    }
    return StoredAlert.of(json.dumps(body).encode())


@pytest.mark.parametrize("seed", range(4))
def test_a_stream_in_sqlite_joins_cases_and_reads_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Ten days in small batches, now and then one out of order, over several openings."""
    draw = Random(seed)
    hours = [
        number // 2 + (draw.randrange(-30, 30) if number % 7 == 0 else 0) for number in range(400)
    ]
    alerts = [_alert(draw, n, min(max(hour, 0), 600)) for n, hour in enumerate(hours)]
    joined = _counted(monkeypatch)
    worlds = []
    for name in ("joins", "anew"):
        record = SqlRecord(f"sqlite:///{tmp_path / name}", ManualClock(LATE_US), Salts())
        world = World(record, ManualClock(LATE_US), planner_of(POLICIES))
        draw = Random(seed)
        at = before = 0
        while at < len(alerts):
            size = draw.randrange(1, 25)
            if name == "anew":
                world.intake.forget()
            world.intake.take(SERVICE, alerts[at : at + size])
            at += size
        worlds.append((_record(world), joined() - before))
        record.close()
    (there, many), (anew, none) = worlds
    assert there == anew
    assert many > 100
    assert none == many  # the counter goes on, and nothing was added to it


def _counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many alerts have simply joined a case so far."""
    found: list[int] = [0]

    def counting(*args: Any) -> Decided:
        done = gather.decide_new(*args)
        found[0] += sum(len(one.directive.alerts) for one in done.joined)
        return done

    monkeypatch.setattr("casework.service.intake.decide_new", counting)
    return lambda: found[0]


def test_an_alert_that_brings_two_cases_together_joins_none() -> None:
    """After a start, what lies behind a case is asked for before alerts may simply join it."""
    record = MemoryRecord(ManualClock(LATE_US), Salts())
    draw = Random(0)

    def alert(number: int, hour: int) -> StoredAlert:
        body = _alert(draw, number, hour).body()
        same = {"jurisdiction": "CN", "kind": "breach", "due": None}
        subject = {"per": "customer", "id": "C1", "institution": "B1"}
        return StoredAlert.of(json.dumps({**body, **same, "subject": subject}).encode())

    first = World(record, ManualClock(LATE_US), planner_of(POLICIES))
    first.intake.take(SERVICE, [alert(1, 0), alert(2, 90)])
    assert [case.alert_count for case in first.all()] == [1, 1]
    second = World(record, ManualClock(LATE_US), planner_of(POLICIES))
    for number, hour in ((3, 1), (4, 46)):
        second.intake.take(SERVICE, [alert(number, hour)])
    assert [case.alert_count for case in second.all() if not case.ended] == [4]


def test_what_another_process_decided_is_seen() -> None:
    """Two intakes over one record: neither goes on from what it remembers alone."""
    record = MemoryRecord(ManualClock(LATE_US), Salts())
    one, other = (World(record, ManualClock(LATE_US), planner_of(POLICIES)) for _ in range(2))
    draw = Random(1)
    body = _alert(draw, 1, 0).body() | {"jurisdiction": "CN", "kind": "breach", "due": None}

    def alert(number: int, hour: int) -> StoredAlert:
        time = f"2026-03-{1 + hour // 24:02}T{hour % 24:02}:00:00Z"
        return StoredAlert.of(json.dumps({**body, "id": f"a{number}", "time": time}).encode())

    one.intake.take(SERVICE, [alert(1, 0)])
    other.intake.take(SERVICE, [alert(2, 90)])
    one.intake.take(SERVICE, [alert(3, 46)])
    assert [case.alert_count for case in one.all() if not case.ended] == [3]
