"""What a plan changes: late alerts, closed cases, braked rules, alerts that changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from casework.cases.directive import UNSORTED, AsideDirective, Disposition, Plan
from casework.cases.facts import AlertFacts, facts_of
from casework.policy.clocks import Clocks
from casework.policy.gather import decide
from casework.policy.load import load_policies
from casework.policy.matcher import PythonMatcher
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
from regtech.reference.load import Reference

POLICIES, _ = load_policies()
PLANNER = Planner(POLICIES, PythonMatcher(), Clocks(Reference.shipped()))
LATER = 1 << 60


def alert(name: str, day: int, **fields: Any) -> AlertFacts:
    given = {"rule": "ty-mule", "subject": "C1", "institution": "B1", **fields}
    time = f"2026-{3 + day // 28:02d}-{1 + day % 28:02d}T01:00:00Z"
    return facts_of(written_alert({"id": name, "time": time, **given}))


def cases_of(plan: Plan, *, closed: bool = False) -> dict[str, CurrentCase]:
    return {c.case: CurrentCase(said(c), frozenset(c.alerts), closed) for c in plan.cases}


def test_a_late_alert_before_the_first_makes_another_id_and_merges_the_old_case() -> None:
    reader = MemoryAlerts()
    first = decide(PLANNER, reader, reader.add([alert("b", 10)]), LATER)
    second = decide(PLANNER, reader, reader.add([alert("a", 5)]), LATER)
    (old,), (new,) = first.cases, second.cases
    assert new.alerts == ("a", "b") and new.case != old.case
    assert changes(cases_of(first), {}, second) == (
        OpenedCase(new),
        MergedCase(old.case, new.case),
    )


def test_a_late_alert_between_brings_two_cases_together() -> None:
    reader = MemoryAlerts()
    first = decide(PLANNER, reader, reader.add([alert("a", 0), alert("c", 50)]), LATER)
    assert [case.alerts for case in first.cases] == [("a",), ("c",)]
    second = decide(PLANNER, reader, reader.add([alert("b", 25)]), LATER)
    kept, gone = first.cases
    found = changes(cases_of(first), {}, second)
    assert found[0] == AddedAlerts(kept.case, ("b", "c"))
    assert isinstance(found[1], RevisedCase) and found[1].directive.case == kept.case
    assert found[2:] == (MergedCase(gone.case, kept.case),)


def test_after_a_closing_the_next_alert_opens_another_case() -> None:
    reader = MemoryAlerts()
    first = decide(PLANNER, reader, reader.add([alert("a", 0)]), LATER)
    (old,) = first.cases
    reader.close(old.key, old.last_at + 1)
    second = decide(PLANNER, reader, reader.add([alert("b", 1)]), LATER)
    assert [case.alerts for case in second.cases] in ([("b",)], [("a",), ("b",)])
    opened = [c for c in changes(cases_of(first, closed=True), {}, second)]
    assert [c.directive.alerts for c in opened if isinstance(c, OpenedCase)] == [("b",)]
    assert len(opened) == 1


def test_a_closed_case_is_not_torn_apart() -> None:
    """The export comes after the near miss's case was closed: both are in the new case as well."""
    money = {"rule": "cn-lvtr-0501", "pack": "cn-aml-large-value", "kind": "indicator"}
    data = {"rule": "cn-xb-sa-1m", "pack": "cn-data-export", "kind": "breach", "per": "exporter"}
    reader = MemoryAlerts()
    split = alert("m", 0, rule="ty-structuring", group="G1")
    first = decide(PLANNER, reader, reader.add([split]), LATER)
    second = decide(
        PLANNER, reader, reader.add([alert("d", 3, group="G1", **{**money, **data})]), LATER
    )
    (both,) = second.cases
    assert both.policy == "money-and-data" and both.alerts == ("m", "d")
    assert changes(cases_of(first, closed=True), {}, second) == (OpenedCase(both),)
    (old,) = first.cases
    found = changes(cases_of(first), {}, second)
    assert found == (OpenedCase(both), MergedCase(old.case, both.case))


def test_a_closed_case_that_is_opened_again_loses_at_once_what_it_would_lose_later() -> None:
    """Two late alerts come together; one opens the case again, the other has an alert go aside."""
    reader = MemoryAlerts()
    (case,) = decide(PLANNER, reader, reader.add([alert("a", 0), alert("c", 2)]), LATER).cases
    before = {case.case: CurrentCase("", frozenset(["a", "b"]), closed=True)}
    aside = AsideDirective("b", Disposition.BRAKED, "p0", "1", {"en": "", "zh": ""})
    plan = Plan(frozenset(["a", "b", "c"]), (case,), (aside,), ())
    found = changes(before, {}, plan)
    assert AddedAlerts(case.case, ("c",)) in found and TakenAlerts(case.case, ("b",)) in found
    after = {case.case: CurrentCase(said(case), frozenset(case.alerts))}
    assert changes(after, {"b": aside}, plan) == ()
    # Nothing comes to it: it stays as the person closed it.
    same = replace(case, alerts=("a",))
    assert changes(before, {"b": aside}, replace(plan, cases=(same,))) == ()


def test_alerts_leave_an_open_case_one_by_one() -> None:
    reader = MemoryAlerts()
    some = [alert("m", 0, rule="ty-structuring", group="G1"), alert("n", 1)]
    first = decide(PLANNER, reader, reader.add(some), LATER)
    (old,) = first.cases
    export = alert("d", 2, rule="cn-xb-sa-1m", pack="cn-data-export", subject="E", group="G1")
    second = decide(PLANNER, reader, reader.add([export]), LATER)
    found = changes(cases_of(first), {}, second)
    # The case of both began with the alert that left: what stays is a case of another id.
    names = {type(change).__name__ for change in found}
    assert names == {"OpenedCase", "MergedCase"}
    kept = replace(old, case="C-other")
    other = {"C-other": CurrentCase(said(kept), frozenset(["m", "n", "z"]))}
    taken = changes(other, {}, second)
    assert TakenAlerts("C-other", ("m", "n")) in taken


def test_a_braked_rule_withdraws_its_cases() -> None:
    reader = MemoryAlerts(watched=20)
    few = [alert(f"a{i}", 0, subject=f"C{i}") for i in range(4)]
    first = decide(PLANNER, reader, reader.add(few), LATER)
    assert len(first.cases) == 4 and not first.aside
    second = decide(PLANNER, reader, reader.add([alert("a4", 0, subject="C4")]), LATER)
    assert not second.cases and len(second.aside) == 5
    assert {a.outcome for a in second.aside} == {"braked"}
    assert "5 of 20 subjects" in second.aside[0].reason["en"]
    found = changes(cases_of(first), {}, second)
    assert sum(isinstance(change, WithdrawnCase) for change in found) == 4
    assert sum(isinstance(change, SetAside) for change in found) == 5
    known: dict[str, AsideDirective] = {item.alert: item for item in second.aside}
    assert changes({}, known, second) == ()


def test_a_changed_alert_leaves_the_key_that_it_had() -> None:
    reader = MemoryAlerts()
    both = [alert("a", 0), alert("b", 1)]
    decide(PLANNER, reader, reader.add(both), LATER)
    changed = both[0]._replace(subject="A|first")
    plan = decide(PLANNER, reader, reader.add([changed]), LATER)
    assert sorted(case.alerts for case in plan.cases) == [("a",), ("b",)]
    again = MemoryAlerts([changed, *both])
    assert decide(PLANNER, again, again.all(), LATER).cases == plan.cases


def test_an_alert_without_a_subject_is_a_case_of_its_own() -> None:
    lost = facts_of({"id": "x", "time": "2026-03-02T01:00:00Z"})
    reader = MemoryAlerts([lost])
    (case,) = decide(PLANNER, reader, reader.all(), LATER).cases
    assert (case.policy, case.queue, case.alerts) == (UNSORTED, UNSORTED, ("x",))
