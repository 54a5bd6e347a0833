"""Runs the tests inside policies on the real planner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casework.cases.directive import Plan
from casework.cases.facts import AlertFacts, facts_of
from casework.policy.counts import EVENT, Watched, counting
from casework.policy.gather import decide
from casework.policy.model import Policy, PolicyTest
from casework.policy.planner import Planner
from casework.policy.reader import MemoryAlerts


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one test went; ``problems`` is empty where it passed."""

    __test__ = False  # not one of pytest's

    policy: str
    test: PolicyTest
    problems: tuple[str, ...]
    found: tuple[dict[str, Any], ...]

    @property
    def passed(self) -> bool:
        return not self.problems


def run_tests(planner: Planner, only: Sequence[str] | None = None) -> list[TestResult]:
    """Runs every test of every policy of the planner, or of those named.

    All policies take part in each test, in their order; compared is what the test's own policy
    does. Every alert must end up in exactly one case or aside, or the test fails.
    """
    results = []
    for policy in planner.policies.policies:
        if only is None or policy.id in only:
            results += [run_test(planner, policy, test) for test in policy.tests]
    return results


def run_test(planner: Planner, policy: Policy, test: PolicyTest) -> TestResult:
    """Runs one test, as of ``until`` or of its last alert."""
    alerts = [facts_of(alert) for alert in test.alerts]
    as_of = test.until
    if as_of is None:
        as_of = max(facts.time for facts in alerts)
    reader = MemoryAlerts(alerts, watched=_known(test, alerts), counted=counting(test.events or ()))
    plan = decide(planner, reader, reader.all(), as_of)
    problems = [*_lost(plan, {facts.id for facts in alerts})]
    cases = [case.as_data() for case in plan.cases if case.policy == policy.id]
    aside = [
        {"outcome": item.outcome, "alert": item.alert}
        for item in plan.aside
        if item.policy == policy.id
    ]
    problems += _compare_cases(test.cases, cases)
    for item in test.aside:
        if item not in aside:
            problems.append(f"expected {item['alert']} to be {item['outcome']}")
    for item in aside:
        if item not in test.aside:
            problems.append(f"{item['alert']} was {item['outcome']}, which was not expected")
    return TestResult(policy.id, test, tuple(problems), (*cases, *aside))


def _known(test: PolicyTest, alerts: Sequence[AlertFacts]) -> Watched:
    """What the test says of how many there are of what rules look at.

    A rule whose subject is each single event looks at all events of its law that the test has.
    """
    if test.events is None:
        return Watched(test.watched)
    kinds = sorted({day.kind for day in test.events})
    return Watched(
        events={
            facts.rule: tuple(kind for kind in kinds if kind.jurisdiction == facts.jurisdiction)
            for facts in alerts
            if facts.per == EVENT
        }
    )


def _lost(plan: Plan, ids: set[str]) -> list[str]:
    """Alerts that are nowhere, or in two places: a defect of ours, shown all the same."""
    places = [alert for case in plan.cases for alert in case.alerts]
    places += [item.alert for item in plan.aside]
    return [
        f"{alert} is in {places.count(alert)} places"
        for alert in sorted(ids)
        if places.count(alert) != 1
    ]


def _compare_cases(
    expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]
) -> list[str]:
    problems = []
    left = list(found)
    for wanted in expected:
        same = [case for case in left if sorted(case["alerts"]) == sorted(wanted["alerts"])]
        if not same:
            problems.append(f"expected a case of {', '.join(sorted(wanted['alerts']))}")
            continue
        left.remove(same[0])
        problems += [
            f"{name} is {same[0][name]!r}, expected {value!r}"
            for name, value in wanted.items()
            if name != "alerts" and same[0][name] != value
        ]
    problems += [f"a case of {', '.join(case['alerts'])} was not expected" for case in left]
    return problems
