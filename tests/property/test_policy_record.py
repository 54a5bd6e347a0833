"""The same alerts give the same cases through the service, on every store, and as plainly read.

Alerts come in any order and batches, some of them twice; the intake and the store are opened anew
in between; people close cases. What the record then says is held against the independent reading
of the policies (``tests/property/policy/reading.py``).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, Gate, Outcome, State
from casework.cases.importance import PRIORITIES
from casework.cases.lifecycle import Move
from casework.cases.plans import key_digest
from casework.cases.timeline import replay
from casework.policy.matcher import PythonMatcher
from casework.policy.planner import Planner, case_key
from casework.ports import Record
from casework.service.placing import Placed
from casework.stores.memory import MemoryRecord
from casework.stores.sql.record import SqlRecord
from regtech.clock import ManualClock
from tests.contract.world import LI, SERVICE, WANG, Salts, World, due_dates
from tests.property.policy.generate import SINGLE, THEMES, noisy_worlds, worlds
from tests.property.policy.generate import World as Given
from tests.property.policy.reading import HOUR, Reading, micros
from tests.property.test_policy import SEEDS, compiled, event_days, rule_events
from tests.support.examples import examples

PROFILE = settings(deadline=None, suppress_health_check=list(HealthCheck))
LATE_US = micros("2027-01-01T00:00:00Z")
"""The time of day: long after all alerts."""


class Desk:
    """A store under the intake, opened anew when asked, and who closes cases on it."""

    def __init__(self, given: Given, file: Path | None, *, said: bool = True) -> None:
        self.given, self.file = given, file
        self.said = said
        """Whether a setting says how many subjects there are, or the engine, little by little."""
        self.events = event_days(given.events or {})
        self.clock, self.salts = ManualClock(LATE_US), Salts()
        self.policies = compiled(given)
        self.alerts = [StoredAlert.of(json.dumps(alert).encode()) for alert in given.alerts]
        self.keys = {
            key_digest(case_key(policy, values)): (policy.id, values)
            for policy in self.policies.policies
            for alert in self.alerts
            if (values := policy.key_of(self.planner().ready(alert.facts()))) is not None
        }
        self.closings: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        self.kept: dict[str, tuple[set[Any], list[str]]] = {}
        """Cases that a person closed: their keys, and their alerts by time at that moment."""
        self.memory = MemoryRecord(self.clock, self.salts)
        self.record: Record = self.memory
        self.restart()

    def planner(self) -> Planner:
        return Planner(self.policies, PythonMatcher(), due_dates())

    def restart(self) -> None:
        """Everything but what is written is made anew."""
        self.record.close()
        self.record = self.memory
        if self.file is not None:
            self.record = SqlRecord(f"sqlite:///{self.file}", self.clock, self.salts)
        watched = self.given.watched if self.said else None
        self.world = World(self.record, self.clock, self.planner(), watched)
        self.world.intake.fewest = 1

    def watch(self, subjects: int | None) -> None:
        """The engine says how many subjects it evaluates rules for."""
        if subjects is not None and not self.said:
            rules = {alert.rule for alert in self.alerts} - SINGLE.keys()
            self.world.intake.watch(SERVICE, dict.fromkeys(rules, subjects), exactly=True)

    def count(self, draw: Random | None) -> None:
        """The engine says how many events there were, of some days, perhaps not all of them yet."""
        if self.said:
            return
        days = self.events
        if draw is not None:
            days = [day._replace(events=draw.randint(0, day.events)) for day in days]
            days = draw.sample(days, draw.randint(0, len(days)))
        self.world.intake.count_events(SERVICE, rule_events(), days)

    def close(self, number: int) -> None:
        """A person closes one of the open cases; from then on its keys are closed."""
        cases = [c for c in self.world.all() if not c.ended and c.state is not State.REOPENED]
        if not cases:
            return
        service = self.world.service
        case = cases[number % len(cases)]
        with self.record.unit(SERVICE) as unit:
            at = unit.as_of(SERVICE)
        if case.state is State.NEW:
            case = service.move(WANG, case.id, case.version, Move.TRIAGE)
        case = service.ask(
            WANG, case.id, case.version, Gate.CLOSE, "seen", outcome=Outcome.DATA_ERROR
        )
        service.approve(LI, case.id, case.version, case.version)
        keys = {self.keys[digest] for digest in case.planned["keys"] if digest in self.keys}
        self.kept.setdefault(case.id, (keys, [alert.id for alert in self.held(case)]))
        for digest in case.planned["keys"]:
            if digest in self.keys:
                self.closings.setdefault(self.keys[digest], []).append(at)

    def held(self, case: Case) -> list[StoredAlert]:
        """Alerts of a case by time and id."""
        found = self.record.case_alerts(SERVICE, case.id, limit=1000).items
        return sorted(found, key=lambda alert: (alert.time_us, alert.id))

    def name_of(self, name: str, key: Any, names: tuple[str, ...], planned: set[str]) -> str:
        """What a case is called: as it was called when a person closed it, if one did."""
        if name in self.kept:
            return name
        # What came to such a case later stays with it, also once what it was closed with is aside.
        for other, (keys, _) in self.kept.items():
            case = self.record.case(SERVICE, other)
            if key in keys and not case.ended and other not in planned:
                if tuple(alert.id for alert in self.held(case)) == names:
                    return other
        known = {
            alert: other
            for other, (keys, alerts) in sorted(self.kept.items(), reverse=True)
            for alert in alerts
            if key in keys and other not in planned
        }
        return next((known[alert] for alert in names if alert in known), name)

    def is_as_read(self, as_of: int) -> None:
        """The record says what the plainest reading of all alerts says."""
        read = Reading(
            self.given.policies,
            THEMES,
            self.given.alerts,
            as_of=as_of,
            closings=self.closings,
            watched=self.given.watched,
            events=None if self.said else self.given.events,
            types=SINGLE,
        )
        cases = {case.id: case for case in self.world.all()}
        for case in cases.values():
            assert case.alert_count == len(self.held(case))
            assert replay(self.record.timeline(SERVICE, case.id)) == case
        unsorted: set[tuple[str, ...]] = set()
        found: set[tuple[Any, ...]] = set()
        for case in cases.values():
            if case.ended:
                continue
            names = tuple(alert.id for alert in self.held(case))
            if case.policy == "unsorted":
                unsorted.add(names)
                continue
            found.add(
                (
                    case.policy, names, case.id, case.key, case.priority, case.queue,
                    case.severity, case.theme, case.tenants, case.due_us,
                )
            )  # fmt: skip
        closed = {i: c for i, c in cases.items() if c.ended and not c.withdrawn}
        wanted: set[tuple[Any, ...]] = set()
        named = {item[2] for item in read.cases if item[0] != "unsorted"}
        times = {alert.id: alert.time_us for alert in self.alerts}
        # Where alerts from before take apart what was closed together, the earliest keeps the id.
        for item in sorted(read.cases, key=lambda item: (times[item[1][0]], item[2:3])):
            if item[0] == "unsorted":
                open_ = not any(
                    c.policy == "unsorted" and self.held(c)[0].id == item[1][0]
                    for c in closed.values()
                )
                assert (item[1] in unsorted) == open_
                unsorted.discard(item[1])
                continue
            policy, names, name, key, priority, queue, severity, theme, tenants, due = item
            name = self.name_of(name, (policy, key), names, named)
            named.add(name)
            if name in closed:  # nothing that a person closed is torn apart, and late ones come
                assert set(names) <= {alert.id for alert in self.held(closed[name])}
                continue
            due_us = None if due is None else due - 1
            wanted.add(
                (
                    policy, names, name, key[0], PRIORITIES[priority], queue, severity, theme,
                    tenants, due_us,
                )
            )  # fmt: skip
        assert unsorted == set()
        assert found == wanted
        listed = self.record.asides(SERVICE, limit=1000).items
        aside = {(a.directive.alert, a.directive.outcome.value, a.directive.policy) for a in listed}
        assert aside == read.aside
        # Every alert is in a case, or shown aside.
        shown = {alert.id for case in cases.values() for alert in self.held(case)}
        assert shown | {item.alert.id for item in listed} == {a.id for a in self.alerts}


def holds(given: Given, seed: int, file: Path | None) -> None:
    draw = Random(seed)
    desk = Desk(given, file, said=given.events is None)
    bounds = [0, *given.cuts, len(given.alerts)]
    closings = list(given.closings)
    order = [desk.alerts[place] for place in given.order]
    try:
        for low, high in zip(bounds, bounds[1:], strict=False):
            desk.world.intake.take(SERVICE, order[low:high])
            if given.watched is not None and draw.random() < 0.7:
                desk.watch(draw.randint(0, given.watched))
            if draw.random() < 0.7:
                desk.count(draw)
            if draw.random() < 0.3:
                desk.restart()
            if draw.random() < 0.3:
                desk.world.intake.take(SERVICE, order[:high])  # everything once more
            if draw.random() < 0.5:
                desk.world.intake.wake(SERVICE)
            if closings:
                desk.close(closings.pop()[0])
        desk.watch(given.watched)
        desk.count(None)
        end = max(alert.time_us for alert in desk.alerts)
        for as_of in (end, *(end + wake for wake in given.wakes), end + 48 * HOUR):
            desk.world.intake.wake(SERVICE, as_of)
            desk.is_as_read(max(as_of, end))
        desk.restart()
        again = desk.world.intake.take(SERVICE, desk.alerts)
        assert (again.new, again.placed) == (0, Placed())
        assert desk.world.intake.wake(SERVICE).placed == Placed()
    finally:
        desk.record.close()


@settings(PROFILE, max_examples=examples(40))
@given(worlds(), SEEDS)
def test_any_policies_in_memory(given: Given, seed: int) -> None:
    holds(given, seed, None)


@settings(PROFILE, max_examples=examples(30))
@given(worlds(actions=("case",), forms=("on", "all", "any"), hours=12, least=5, closings=6), SEEDS)
def test_cases_that_people_close_in_memory(given: Given, seed: int) -> None:
    holds(given, seed, None)


@settings(PROFILE, max_examples=examples(25))
@given(worlds(actions=("case", "snooze", "suppress", "brake"), forms=("on", "absent")), SEEDS)
def test_alerts_that_go_aside_and_come_back_in_memory(given: Given, seed: int) -> None:
    holds(given, seed, None)


REST: dict[str, Any] = {
    "id": "the-rest", "title": {"en": "R", "zh": "余"}, "order": 9, "on": "any", "same": "subject",
    "case": {"queue": "q", "theme": "rest", "priority": "severity", "merge": "8h", "due": "alert"},
}  # fmt: skip
"""Takes what other policies leave, and gives it back when they want it after all."""


def layered(**kinds: Any) -> st.SearchStrategy[Given]:
    """Policies that choose before one that takes the rest, over a few crowded hours."""

    def over_the_rest(given: Given) -> Given:
        return replace(given, policies=[*given.policies, REST])

    return worlds(hours=12, least=8, **kinds).map(over_the_rest)


@settings(PROFILE, max_examples=examples(40))
@given(layered(actions=("case",), forms=("all", "any", "count")), SEEDS)
def test_alerts_that_one_policy_takes_from_another_in_memory(given: Given, seed: int) -> None:
    holds(given, seed, None)


@settings(PROFILE, max_examples=examples(40))
@given(layered(actions=("snooze", "snooze", "brake")), SEEDS)
def test_repeats_that_come_before_the_first_in_memory(given: Given, seed: int) -> None:
    holds(given, seed, None)


@settings(PROFILE, max_examples=examples(60))
@given(noisy_worlds(), SEEDS)
def test_brakes_of_single_events_in_memory(given: Given, seed: int) -> None:
    holds(given, seed, None)


@settings(PROFILE, max_examples=examples(10))
@given(noisy_worlds(), SEEDS)
def test_brakes_of_single_events_in_sqlite(
    tmp_path_factory: pytest.TempPathFactory, given: Given, seed: int
) -> None:
    holds(given, seed, tmp_path_factory.mktemp("store") / "cases.db")


def test_an_alert_that_a_brake_leaves_alone_still_counts_for_it() -> None:
    """A report of the same rule about a second subject brakes a breach that came before it."""
    brake = {
        "id": "brake", "title": {"en": "B", "zh": "制"}, "order": 0, "on": {"kind": "breach"},
        "same": ["rule"], "brake": {"above": "20%", "over": "24h", "at_least": 2},
    }  # fmt: skip

    def alert(name: str, kind: str, subject: str, hour: int) -> dict[str, Any]:
        return {
            "id": name, "time": f"2026-03-01T{hour:02}:00:00Z", "rule": "r", "pack": "p",
            "kind": kind, "severity": "high", "jurisdiction": "CN", "obligation": [],
            "status": "enabled", "outcome": "met", "warning": False, "late": False,
            "subject": {"per": "customer", "id": subject, "institution": "B1"},
            "facts": {"reporter": "B1"}, "due": None,
        }  # fmt: skip

    alerts = [alert("a0", "breach", "C1", 9), alert("a1", "report", "C2", 0)]
    holds(Given([brake, REST], alerts, [0, 1], [1], 1, None, [], []), 0, None)


def test_what_was_closed_together_and_belongs_apart_keeps_its_id_once() -> None:
    """An alert from before two that were closed together takes the first of them to itself."""
    two = {
        "id": "two", "title": {"en": "T", "zh": "二"}, "order": 0, "same": ["institution"],
        "within": "3h", "on": "any", "count": 2,
        "case": {"queue": "q", "theme": "rest", "priority": "high", "due": "alert"},
    }  # fmt: skip

    def alert(name: str, hour: int) -> dict[str, Any]:
        return {
            "id": name, "time": f"2026-03-01T{hour:02}:00:00Z", "rule": "r-one", "pack": "p",
            "kind": "report", "severity": "high", "jurisdiction": "CN", "obligation": [],
            "status": "enabled", "outcome": "met", "warning": False, "late": False,
            "subject": {"per": "customer", "id": "C1", "institution": "B1"},
            "facts": {"reporter": "B1"}, "due": None,
        }  # fmt: skip

    alerts = [alert("a0", 9), alert("a1", 11), alert("a2", 7), alert("a3", 12)]
    holds(Given([two], alerts, [0, 1, 2, 3], [2], None, None, [(0, 0)], []), 0, None)


@settings(PROFILE, max_examples=examples(25))
@given(layered(), SEEDS)
def test_any_policies_in_sqlite(
    tmp_path_factory: pytest.TempPathFactory, given: Given, seed: int
) -> None:
    holds(given, seed, tmp_path_factory.mktemp("store") / "cases.db")
