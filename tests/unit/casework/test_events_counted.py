"""Brakes of rules that look at single events go by how many events there were."""

from __future__ import annotations

import json
from typing import Any

from casework.cases.alert import StoredAlert
from casework.policy.planner import Planner
from casework.ports import EventDay, EventKind
from casework.service.intake import AlertIntake
from casework.stores.memory import MemoryRecord
from regtech.clock import ManualClock
from tests.contract.world import PLAIN, SERVICE, START_US, Salts, World, alert, planner_of

DAY = 20_513
"""2026-03-01 since 1970, on which the alerts lie."""
PAY, LOAN = EventKind("CN", "transaction"), EventKind("CN", "loan")
RULES = {"noisy": (PAY,)}
BRAKE = """  - id: brake
    title: {en: B, zh: 制}
    order: 0
    on: {per: event}
    same: [institution, rule]
    brake: {above: 20%, over: 1d, at_least: 3}
    tests:
      - name: acts
        events: [{day: 2026-03-01, institution: A, count: 4}]
        alerts: [{id: a, time: "2026-03-01T00:00:00Z", rule: r}]
        expect: {braked: [a]}
      - name: does not
        alerts: [{id: a, time: "2026-03-01T00:00:00Z", rule: r}]
        expect: none
"""


def planner(brakes: str = BRAKE) -> Planner:
    head, _, rest = PLAIN.partition("policies:\n")
    return planner_of(f"{head}policies:\n{brakes}{rest}")


def world(brakes: str = BRAKE) -> World:
    clock = ManualClock(START_US)
    made = World(MemoryRecord(clock, Salts()), clock, planner(brakes))
    made.intake.fewest = 1
    return made


def found(number: int, institution: str = "BANK-A", *, hour: int = 8) -> StoredAlert:
    body: dict[str, Any] = dict(alert(number, rule="noisy").body())
    body |= {
        "time": f"2026-03-01T{hour:02}:00:00Z",
        "subject": {"per": "event", "id": f"{institution}/{number}"},
        "facts": {"reporter": institution},
    }
    return StoredAlert.of(json.dumps(body).encode())


def day(events: int, institution: str = "BANK-A", at: int = DAY) -> EventDay:
    return EventDay(PAY, institution, at, events)


ALERTS = [*(found(n) for n in range(3)), *(found(n, "BANK-B") for n in range(3, 6))]


def braked(some: World) -> dict[str, str]:
    items = some.record.asides(SERVICE, limit=100).items
    return {item.directive.alert: item.directive.reason["en"] for item in items}


def ids(*numbers: int) -> set[str]:
    return {ALERTS[n].id for n in numbers}


def test_nothing_is_held_back_while_nobody_counted() -> None:
    some = world()
    report = some.intake.take(SERVICE, ALERTS)
    assert (braked(some), report.unknown) == ({}, {"noisy"})


def test_only_the_institution_whose_events_are_too_few_is_braked() -> None:
    some = world()
    some.intake.take(SERVICE, ALERTS)
    some.intake.count_events(SERVICE, RULES, [day(14), day(15, "BANK-B")])
    assert braked(some).keys() == ids(0, 1, 2)
    assert set(braked(some).values()) == {
        "noisy fired on 3 of 14 events of BANK-A within 1 day: more than 20%"
    }


def test_events_known_before_brake_what_comes() -> None:
    some = world()
    some.intake.count_events(SERVICE, RULES, [day(14), day(15, "BANK-B")])
    report = some.intake.take(SERVICE, ALERTS[:2])
    assert (braked(some), report.unknown) == ({}, set())
    some.intake.take(SERVICE, ALERTS)
    assert braked(some).keys() == ids(0, 1, 2)


def test_more_events_let_go_and_fewer_do_not_hold_back() -> None:
    some = world()
    some.intake.take(SERVICE, ALERTS)
    for events, held in ((4, ids(0, 1, 2)), (15, set()), (4, set())):
        some.intake.count_events(SERVICE, RULES, [day(events), day(1, at=DAY + 1)])
        assert braked(some).keys() == held


def test_events_of_another_day_or_kind_do_not_count() -> None:
    some = world()
    some.intake.take(SERVICE, ALERTS)
    other = [EventDay(LOAN, "BANK-A", DAY, 1000), day(1000, at=DAY - 1), day(1000, at=DAY + 1)]
    some.intake.count_events(SERVICE, RULES, [day(14), *other])
    assert braked(some).keys() == ids(0, 1, 2)


def test_what_the_rule_looks_at_may_be_told_after_the_counts() -> None:
    some = world()
    some.intake.take(SERVICE, ALERTS)
    some.intake.count_events(SERVICE, {}, [day(14)])
    assert braked(some) == {}
    some.intake.count_events(SERVICE, RULES, [])
    assert braked(some).keys() == ids(0, 1, 2)


def test_of_few_events_no_share_is_told() -> None:
    some = world()
    some.intake.fewest = 100
    some.intake.take(SERVICE, ALERTS)
    some.intake.count_events(SERVICE, RULES, [day(14)])
    report = some.intake.take(SERVICE, [found(9)])
    assert (braked(some), report.unknown) == ({}, {"noisy"})


def test_a_setting_goes_before_the_counts() -> None:
    some = world()
    some.intake.watched = 1000
    some.intake.count_events(SERVICE, RULES, [day(4)])
    some.intake.take(SERVICE, ALERTS)
    assert braked(some) == {}
    intake = AlertIntake(some.record, some.clock, some.intake.jurisdictions, some.intake.planner)
    intake.fewest = 1
    intake.count_events(SERVICE, RULES, [day(5)])
    assert braked(some).keys() == ids(0, 1, 2)


def test_a_brake_of_parts_of_a_day_cannot_tell() -> None:
    some = world(BRAKE.replace("over: 1d", "over: 8h"))
    some.intake.take(SERVICE, ALERTS)
    report = some.intake.count_events(SERVICE, RULES, [day(4)])
    assert (braked(some), report.unknown) == ({}, set())


def test_the_brake_that_comes_first_takes_over_when_it_can_tell() -> None:
    """Alerts that one brake lets go of, or holds back, another may hold back in its place."""
    second = BRAKE.replace("id: brake", "id: long").replace("over: 1d", "over: 2d")
    some = world(BRAKE + second.replace("order: 0", "order: 1").replace("20%", "5%"))
    some.intake.take(SERVICE, ALERTS[:3])

    def policies() -> set[str]:
        return {item.directive.policy for item in some.record.asides(SERVICE, limit=9).items}

    some.intake.count_events(SERVICE, RULES, [day(4)])
    assert policies() == {"brake"}
    some.intake.count_events(SERVICE, RULES, [day(50)])
    assert policies() == {"long"}
    some.intake.count_events(SERVICE, RULES, [day(60)])
    assert policies() == set()
