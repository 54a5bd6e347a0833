"""The edges of absence, and of joins over a closing, by hand."""

from __future__ import annotations

import json
from typing import Any

from casework.cases.directive import CaseKey, Plan
from casework.cases.facts import AlertFacts, facts_of
from casework.policy.clocks import Clocks
from casework.policy.gather import decide
from casework.policy.load import load_text
from casework.policy.matcher import PythonMatcher
from casework.policy.planner import Planner
from casework.policy.reader import MemoryAlerts
from casework.policy.testcases import written_alert
from regtech.reference.load import Reference

HOUR = 3_600_000_000
CASE = {"queue": "q", "theme": "all", "priority": "high", "sla": "72 hours"}
TITLE = {"en": "T", "zh": "题"}


def planner(*policies: dict[str, Any]) -> Planner:
    alerts = [{"id": "x", "time": "2026-03-01T00:00:00Z", "rule": "r"}]
    tests = [
        {"name": "acts", "alerts": alerts, "expect": {"suppressed": ["x"]}},
        {"name": "does not", "alerts": alerts, "expect": "none"},
    ]
    document = {
        "set": "x", "version": "1.0.0", "title": TITLE,
        "themes": [{"id": "all", "title": TITLE, "alerts": ["any"]}],
        "policies": [{"title": TITLE, "tests": tests, **policy} for policy in policies],
    }  # fmt: skip
    found, faults = load_text(json.dumps(document))
    assert not [fault for fault in faults if fault.severity == "error"], faults
    return Planner(found, PythonMatcher(), Clocks(Reference.shipped()))


def alert(name: str, hour: int, rule: str, minute: int = 0) -> AlertFacts:
    time = f"2026-03-{1 + hour // 24:02d}T{hour % 24:02d}:{minute:02d}:00Z"
    return facts_of(written_alert({"id": name, "time": time, "rule": rule, "subject": "C1"}))


def made(plan: Plan, policy: str) -> list[tuple[str, ...]]:
    return [case.alerts for case in plan.cases if case.policy == policy]


ABSENT = {
    "id": "unanswered", "order": 5, "on": {"rule": "asked"}, "same": "subject", "within": "5h",
    "absent": {"rule": "answered"}, "case": CASE,
}  # fmt: skip


def test_an_absence_is_told_only_after_its_time_is_over() -> None:
    reader = MemoryAlerts([alert("a", 0, "asked")])
    first = reader.all()[0]
    until = first.time + 5 * HOUR
    for as_of, found in ((until - 1, []), (until, []), (until + 1, [("a",)])):
        plan = decide(planner(ABSENT), reader, [first], as_of)
        assert made(plan, "unanswered") == found
        assert [(w.at, w.alert) for w in plan.wakes] == ([] if found else [(until, "a")])


def test_an_answer_at_the_last_instant_is_one_and_a_minute_later_none() -> None:
    for hour, minute, found in ((5, 0, []), (5, 1, [("a",)]), (0, 0, [])):
        reader = MemoryAlerts([alert("a", 0, "asked"), alert("b", hour, "answered", minute)])
        plan = decide(planner(ABSENT), reader, reader.all(), 1 << 60)
        assert made(plan, "unanswered") == found


def test_an_answer_counts_also_where_another_policy_took_it() -> None:
    taker = {
        "id": "taker", "order": 1, "on": {"rule": "answered"},
        "suppress": {"reason": {"en": "no", "zh": "否"}},
    }  # fmt: skip
    reader = MemoryAlerts([alert("a", 0, "asked"), alert("b", 1, "answered")])
    plan = decide(planner(ABSENT, taker), reader, reader.all(), 1 << 60)
    assert made(plan, "unanswered") == [] and [a.alert for a in plan.aside] == ["b"]


def test_an_answer_that_comes_late_takes_the_absence_back() -> None:
    reader = MemoryAlerts([alert("a", 0, "asked")])
    assert made(decide(planner(ABSENT), reader, reader.all(), 1 << 60), "unanswered")
    plan = decide(planner(ABSENT), reader, reader.add([alert("b", 2, "answered")]), 1 << 60)
    assert made(plan, "unanswered") == []


def test_a_match_over_a_closing_belongs_to_the_later_side() -> None:
    join = {
        "id": "join", "order": 5, "all": [{"rule": "one"}, {"rule": "two"}], "same": "subject",
        "within": "5h", "case": {**CASE, "merge": "9h"},
    }  # fmt: skip
    of = planner(join)
    reader = MemoryAlerts([alert("a", 0, "one"), alert("b", 1, "two"), alert("c", 3, "one")])
    plan = decide(of, reader, reader.all(), 1 << 60)
    assert made(plan, "join") == [("a", "b", "c")]
    reader = MemoryAlerts([alert("a", 0, "one"), alert("c", 3, "one")])
    cut = alert("cut", 3, "x", 30).time
    reader.close(CaseKey("join", "subject", ("|C1",)), cut)
    # Only the later alert is new: what lies before the closing has to be loaded for it.
    plan = decide(of, reader, reader.add([alert("d", 5, "two")]), 1 << 60)
    assert made(plan, "join") == [("a", "c", "d")]
    reader.add([alert("b", 1, "two")])
    plan = decide(of, reader, [reader.get("b")], 1 << 60)
    assert made(plan, "join") == [("a", "b", "c"), ("d",)]


def test_no_policy_takes_the_alerts_of_a_rule_in_the_shadow() -> None:
    everything = {"id": "all", "order": 5, "on": "any", "same": "subject", "case": CASE}
    given = {"id": "b", "time": "2026-03-01T01:00:00Z", "rule": "asked", "subject": "C1"}
    shadow = facts_of(written_alert({**given, "status": "shadow"}))
    reader = MemoryAlerts([alert("a", 0, "asked"), shadow])
    plan = decide(planner(everything), reader, reader.all(), shadow.time + HOUR)
    assert [case.alerts for case in plan.cases] == [("a",)]
    assert [(item.alert, item.policy) for item in plan.aside] == [("b", "shadow")]
    assert "in the shadow" in plan.aside[0].reason["en"]
