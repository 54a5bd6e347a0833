"""The same alerts give the same cases: in any order, in any batches, after any restart."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.cases.directive import UNSORTED, AsideDirective, CaseDirective, CaseKey, Plan, Wake
from casework.cases.facts import AlertFacts, facts_of
from casework.policy.clocks import Clocks
from casework.policy.counts import Watched, counting
from casework.policy.durable import ENGINE, DurableMatcher
from casework.policy.gather import decide
from casework.policy.load import load_text
from casework.policy.matcher import CANDIDATES_MAX, Matcher, PythonMatcher
from casework.policy.model import PolicySet
from casework.policy.planner import Planner
from casework.policy.reader import MemoryAlerts
from casework.policy.reconcile import (
    AddedAlerts,
    CurrentCase,
    MergedCase,
    OpenedCase,
    RevisedCase,
    SetAside,
    TakenAlerts,
    WithdrawnCase,
    changes,
    said,
)
from casework.policy.testcases import written_alert
from casework.ports import EventDay, EventKind
from regtech.reference.load import Reference
from tests.property.policy.generate import (
    RULES,
    SINGLE,
    THEMES,
    World,
    noisy_worlds,
    time_of,
    worlds,
)
from tests.property.policy.reading import HOUR, Reading, micros
from tests.support.examples import examples

PROFILE = settings(
    deadline=None, max_examples=examples(50), suppress_health_check=[HealthCheck.too_slow]
)


@cache
def clocks() -> Clocks:
    return Clocks(Reference.shipped())


def compiled(world: World) -> PolicySet:
    document = {
        "set": "generated",
        "version": "1.0.0",
        "title": {"en": "G", "zh": "生"},
        "themes": THEMES,
        "policies": [with_tests(policy) for policy in world.policies],
    }
    policies, faults = load_text(json.dumps(document))
    assert [str(f) for f in faults if f.severity == "error"] == []
    assert len(policies.policies) == len(world.policies)
    return policies


def with_tests(policy: dict[str, Any]) -> dict[str, Any]:
    """A policy needs a test that it acts in and one that it does not; they are not run here."""
    alert = {"id": "x", "time": "2026-03-01T00:00:00Z", "rule": "r-one"}
    tests = [
        {"name": "acts", "alerts": [alert], "expect": {"suppressed": ["x"]}},
        {"name": "does not", "alerts": [alert], "expect": "none"},
    ]
    return policy | {"tests": tests}


def event_days(events: dict[tuple[str, str, int], int]) -> list[EventDay]:
    """Counts of events as the engine tells them."""
    return [
        EventDay(EventKind("CN", kind), institution, day, count)
        for (kind, institution, day), count in sorted(events.items())
    ]


def rule_events() -> dict[str, tuple[EventKind, ...]]:
    """What rules look at whose subject is each single event, as the engine tells it."""
    return {rule: tuple(EventKind("CN", kind) for kind in kinds) for rule, kinds in SINGLE.items()}


def watched(world: World) -> Watched:
    """What is known of how many there are of what rules look at."""
    if world.events is None:
        return Watched(world.watched)
    subjects = {} if world.watched is None else dict.fromkeys(RULES, world.watched)
    return Watched(subjects=subjects, events=rule_events())


class Desk:
    """What a record would do: feeds batches, keeps what was decided, applies changes to it."""

    def __init__(self, world: World, matcher: Matcher) -> None:
        self.world = world
        self.policies = compiled(world)
        self.matcher = matcher
        self.seen: list[AlertFacts] = []
        self.closed: list[tuple[CaseKey, int]] = []
        self.cases: dict[str, CaseDirective] = {}
        self.record: dict[str, CurrentCase] = {}
        self.aside: dict[str, AsideDirective] = {}
        self.wakes: set[Wake] = set()
        self.restart()

    def restart(self) -> None:
        """Everything but the record is made anew."""
        self.planner = Planner(self.policies, self.matcher, clocks())
        self.reader = MemoryAlerts(
            self.seen,
            watched=watched(self.world),
            counted=counting(event_days(self.world.events or {})),
        )
        for key, at in self.closed:
            self.reader.close(key, at)

    def take(self, batch: list[AlertFacts], as_of: int) -> None:
        self.seen += batch
        self.plan(self.reader.add(batch), as_of)

    def close(self, case: CaseDirective, at: int, as_of: int) -> None:
        self.closed.append((case.key, at))
        self.reader.close(case.key, at)
        mine = [c for c in self.cases.values() if c.key == case.key]
        self.plan([self.reader.get(a) for c in mine for a in c.alerts], as_of)

    def wake(self, as_of: int) -> None:
        due = [self.reader.get(wake.alert) for wake in self.wakes if wake.at < as_of]
        self.plan(due, as_of)

    def plan(self, touched: list[AlertFacts], as_of: int) -> None:
        if not touched:
            return
        plan = decide(self.planner, self.reader, touched, as_of)
        assert {facts.id for facts in touched} <= plan.scope
        placed = [a for c in plan.cases for a in c.alerts] + [a.alert for a in plan.aside]
        assert sorted(placed) == sorted(plan.scope)  # every alert is somewhere, exactly once
        self.apply(plan)
        for case in [c for c in self.cases.values() if set(c.alerts) & plan.scope]:
            assert set(case.alerts) <= plan.scope  # no case lies half in what was planned
            del self.cases[case.case]
        self.cases |= {case.case: case for case in plan.cases}
        self.wakes = {w for w in self.wakes if w.alert not in plan.scope} | set(plan.wakes)

    def apply(self, plan: Plan) -> None:
        """As a record would, by changes; afterwards there is nothing left to change."""
        for change in changes(self.record, self.aside, plan):
            match change:
                case OpenedCase(directive):
                    alerts = frozenset(directive.alerts)
                    self.record[directive.case] = CurrentCase(said(directive), alerts)
                case AddedAlerts(case, added):
                    known = self.record[case]
                    self.record[case] = replace(known, alerts=known.alerts | set(added))
                case RevisedCase(directive):
                    known = self.record[directive.case]
                    self.record[directive.case] = replace(known, said=said(directive))
                case TakenAlerts(case, taken):
                    known = self.record[case]
                    self.record[case] = replace(known, alerts=known.alerts - set(taken))
                case MergedCase(case, into):
                    assert into in self.record
                    del self.record[case]
                case WithdrawnCase(case):
                    del self.record[case]
                case SetAside(item):
                    self.aside[item.alert] = item
        in_cases = {a for c in plan.cases for a in c.alerts}
        self.aside = {a: item for a, item in self.aside.items() if a not in in_cases}
        assert changes(self.record, self.aside, plan) == ()


def run(world: World, matcher: Matcher, *, seed: int = 0) -> tuple[Desk, int]:
    """Feeds the world in its order and batches, with restarts between some of them."""
    desk = Desk(world, matcher)
    rng = Random(seed)
    facts = [facts_of(world.alerts[place]) for place in world.order]
    end = max(f.time for f in facts)
    as_of = micros("2026-02-01T00:00:00Z")
    bounds = [0, *world.cuts, len(facts)]
    closings = list(world.closings)
    for low, high in zip(bounds, bounds[1:], strict=False):
        as_of = max(as_of, *(f.time for f in facts[low:high])) if high > low else as_of
        desk.take(facts[low:high], min(as_of, end))
        if rng.random() < 0.3:
            desk.restart()
        if rng.random() < 0.3:
            desk.take(facts[:high], min(as_of, end))  # everything once more
        names = sorted(name for name, c in desk.cases.items() if c.policy != UNSORTED)
        if closings and names:
            number, hour = closings.pop()
            case = desk.cases[names[number % len(names)]]
            desk.close(case, micros(time_of(hour)), min(as_of, end))
    return desk, end


def outcome(desk: Desk) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    cases: set[tuple[Any, ...]] = set()
    for case in desk.cases.values():
        if case.policy == UNSORTED:
            cases.add(("unsorted", case.alerts))
            continue
        cases.add(
            (
                case.policy, case.alerts, case.case, case.key.values, case.priority, case.queue,
                case.severity, case.theme, case.tenants, case.due_at,
            )
        )  # fmt: skip
    return cases, {(a.alert, a.outcome, a.policy) for a in desk.aside.values()}


def read(world: World, desk: Desk, as_of: int) -> Reading:
    closings: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for key, at in desk.closed:
        closings.setdefault((key.policy, key.values), []).append(at)
    return Reading(
        world.policies, THEMES, world.alerts, as_of=as_of, closings=closings,
        watched=world.watched, events=world.events, types=SINGLE,
    )  # fmt: skip


def holds(world: World, seed: int, matcher: Matcher) -> None:
    """What was decided batch by batch is what the plainest reading of the whole record gives."""
    desk, end = run(world, matcher, seed=seed)
    for as_of in (end, *(end + wake for wake in world.wakes), end + 48 * HOUR):
        desk.wake(as_of)
        whole = read(world, desk, as_of)
        cases, aside = outcome(desk)
        assert cases == whole.cases
        assert aside == whole.aside
    assert {name: set(c.alerts) for name, c in desk.record.items()} == {
        name: set(c.alerts) for name, c in desk.cases.items()
    }


PYTHON = PythonMatcher()
SEEDS = st.integers(0, 100)


@PROFILE
@given(worlds(), SEEDS)
def test_any_policies(world: World, seed: int) -> None:
    holds(world, seed, PYTHON)


@PROFILE
@given(worlds(actions=("case",), forms=("all", "any"), hours=12, least=5, closings=6), SEEDS)
def test_joins_with_closings(world: World, seed: int) -> None:
    holds(world, seed, PYTHON)


@PROFILE
@given(worlds(actions=("case",), forms=("count", "on"), hours=15, least=5, closings=6), SEEDS)
def test_counts_with_closings(world: World, seed: int) -> None:
    holds(world, seed, PYTHON)


@PROFILE
@given(worlds(actions=("case", "suppress"), forms=("absent", "on"), hours=20, least=4), SEEDS)
def test_absences(world: World, seed: int) -> None:
    holds(world, seed, PYTHON)


@PROFILE
@given(worlds(actions=("case", "snooze", "brake"), forms=("on",), least=5), SEEDS)
def test_snoozes_and_brakes(world: World, seed: int) -> None:
    holds(world, seed, PYTHON)


@PROFILE
@given(noisy_worlds(), SEEDS)
def test_brakes_of_single_events(world: World, seed: int) -> None:
    holds(world, seed, PYTHON)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the engine needs Python below 3.13")
def test_joins_by_the_engine() -> None:
    matcher = DurableMatcher()

    @settings(PROFILE, max_examples=examples(30))
    @given(worlds(actions=("case",), forms=("all", "any"), hours=12, least=5), SEEDS)
    def engine_holds(world: World, seed: int) -> None:
        holds(world, seed, matcher)

    try:
        engine_holds()
        health = matcher.health()
        assert (health.engine, health.fallbacks, health.failures) == (ENGINE, 0, 0)
    finally:
        matcher.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_hot_key_gives_the_same_case_in_any_order(seed: int) -> None:
    """Too many alerts to be joined one by one: they are put together by stretches of the window."""
    policy: dict[str, Any] = {
        "id": "hot", "title": {"en": "H", "zh": "热"}, "order": 1, "same": "subject",
        "within": "1h", "all": [{"rule": "r-one"}, {"rule": "r-two"}],
        "case": {"queue": "q", "theme": "rest", "priority": "high", "sla": "72 hours"},
    }  # fmt: skip
    rng = Random(seed)
    alerts = [
        written_alert(
            {
                "id": f"a{i:04}",
                "time": f"2026-03-01T{i // 60:02}:{i % 60:02}:00Z",
                "rule": ("r-one", "r-two")[i % 2],
                "subject": "C1",
            }
        )
        for i in range(CANDIDATES_MAX + 1 + seed)
    ]
    alone = written_alert(
        {"id": "b", "time": "2026-03-02T00:00:00Z", "rule": "r-one", "subject": "C1"}
    )
    found = []
    for _ in range(3):
        order = list(range(len(alerts) + 1))
        rng.shuffle(order)
        cuts = sorted(rng.sample(range(len(order)), 2))
        world = World([policy], [*alerts, alone], order, cuts, None, None, [], [])
        desk, _end = run(world, PYTHON, seed=rng.randrange(100))
        found.append({(c.case, c.policy, c.alerts, c.saturated) for c in desk.cases.values()})
    assert all(one == found[0] for one in found)
    hot = [case for case in found[0] if case[1] == "hot"]
    assert len(hot) == 1 and hot[0][3] and len(hot[0][2]) == len(alerts)
