"""People and policies on the same cases: what each did stays, and nothing is lost between them."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, Gate, Outcome, State
from casework.cases.directive import Disposition
from casework.cases.lifecycle import Move
from casework.cases.timeline import EntryKind, replay
from casework.ports import Record
from regtech.clock import ManualClock
from tests.contract.world import DAY_US, LI, SERVICE, START_US, WANG, World, alert, planner_of

TESTS = """
    tests:
      - {name: acts, alerts: [{id: a, time: "2026-03-01T00:00:00Z", rule: r}],
         expect: {suppressed: [a]}}
      - {name: does not, alerts: [{id: a, time: "2026-03-01T00:00:00Z", rule: r}], expect: none}
"""
POLICIES = f"""
set: lively
version: 1.0.0
title: {{en: Lively, zh: 多}}
themes:
  - {{id: all, title: {{en: All, zh: 全}}, alerts: [any]}}
policies:
  - id: repeats
    title: {{en: Repeats, zh: 重复}}
    order: 1
    on: {{rule: noisy}}
    same: [subject, rule]
    snooze: {{for: 4d}}{TESTS}
  - id: both
    title: {{en: Both, zh: 两者}}
    order: 2
    all: [{{rule: money}}, {{rule: noisy}}]
    same: subject
    within: 2d
    case: {{queue: complex, theme: all, priority: urgent, merge: 2d, sla: 5 working days}}{TESTS}
  - id: silence
    title: {{en: Silence, zh: 未回复}}
    order: 3
    on: {{rule: asked}}
    absent: {{rule: answered}}
    same: subject
    within: 5d
    case: {{queue: late, theme: all, priority: high, sla: 5 working days}}{TESTS}
  - id: asked
    title: {{en: Asked, zh: 已询问}}
    order: 4
    on: {{rule: [asked, answered]}}
    suppress: {{reason: {{en: waits for an answer, zh: 等待回复}}}}{TESTS}
  - id: rest
    title: {{en: Rest, zh: 余}}
    order: 5
    on: any
    same: subject
    case: {{queue: desk, theme: all, priority: severity, merge: 3d, sla: 10 working days}}{TESTS}
"""
LATE_US = START_US + 300 * DAY_US


@pytest.fixture
def world(record: Record, clock: ManualClock) -> World:
    clock.advance(300 * DAY_US)
    return World(record, clock, planner_of(POLICIES))


def places(world: World) -> dict[str, list[int]]:
    """Open cases by policy to the numbers of their alerts."""
    found: dict[str, list[int]] = {}
    for case in world.all():
        assert replay(world.record.timeline(SERVICE, case.id)) == case
        alerts = world.record.case_alerts(SERVICE, case.id).items
        assert len(alerts) == case.alert_count
        if not case.ended:
            found.setdefault(case.policy, []).extend(int(a.id, 16) for a in alerts)
    return {policy: sorted(numbers) for policy, numbers in found.items()}


def aside(world: World) -> dict[int, Disposition]:
    items = world.record.asides(SERVICE).items
    return {int(item.alert.id, 16): item.directive.outcome for item in items}


def open_case(world: World, policy: str = "rest") -> Case:
    (case,) = [case for case in world.all() if case.policy == policy and not case.ended]
    return case


def kinds(world: World, case_id: str) -> list[EntryKind]:
    return [entry.kind for entry in world.record.timeline(SERVICE, case_id)]


def money(number: int, day: int, **more: Any) -> StoredAlert:
    return alert(number, day=day, rule="money", **more)


def noisy(number: int, day: int) -> StoredAlert:
    return alert(number, day=day, rule="noisy")


def close(world: World, case: Case) -> Case:
    if case.state is State.NEW:
        case = world.service.move(WANG, case.id, case.version, Move.TRIAGE)
    case = world.service.ask(
        WANG, case.id, case.version, Gate.CLOSE, "seen", outcome=Outcome.DATA_ERROR
    )
    return world.service.approve(LI, case.id, case.version, case.version)


def test_work_goes_along_when_an_earlier_alert_makes_another_case(world: World) -> None:
    case = world.one(money(2, 5))
    case = world.service.move(WANG, case.id, case.version, Move.TRIAGE)
    case = world.service.assign(WANG, case.id, case.version, "li")
    case = world.service.tag(WANG, case.id, case.version, add=["cash"])
    case = world.service.check(WANG, case.id, case.version, "facts")
    case = world.service.prioritise(WANG, case.id, case.version, 77, "the press knows")
    world.take(money(1, 3))
    after = open_case(world)
    old = world.record.case(SERVICE, case.id)
    assert after.id != old.id and places(world) == {"rest": [1, 2]}
    assert (old.state, old.merged_into, old.withdrawn) == (State.CLOSED, after.id, True)
    assert (after.state, after.assignee, after.tags) == (State.TRIAGE, "li", ("cash",))
    assert [check.item for check in after.checks] == ["facts"] and after.priority == 77
    assert after.links[0].case == old.id
    assert kinds(world, old.id)[-1] is EntryKind.MERGED
    assert kinds(world, after.id) == [EntryKind.OPENED, EntryKind.TAKEN_OVER]
    opened = world.record.timeline(SERVICE, after.id)[0]
    assert (opened.detail["policy"], opened.detail["policy_version"]) == ("rest", "1.0.0")
    assert world.service.precision(WANG) == ()  # nobody judged anything


def test_an_alert_that_was_aside_comes_back_and_the_other_way_round(world: World) -> None:
    world.take(noisy(3, 7), noisy(2, 4))
    assert places(world) == {"rest": [2]} and aside(world) == {3: Disposition.SNOOZED}
    first = open_case(world)
    world.take(noisy(1, 1))  # now 2 is the repeat, and 3 comes too late to be one
    assert places(world) == {"rest": [1, 3]} and aside(world) == {2: Disposition.SNOOZED}
    assert world.record.case(SERVICE, first.id).withdrawn


def test_a_case_whose_alerts_are_all_aside_is_withdrawn_and_comes_back(world: World) -> None:
    world.take(noisy(4, 10), alert(9, subject="K9"))
    case = next(c for c in world.all() if c.key == "BANK-A|K1")
    world.take(noisy(3, 7))
    gone = world.record.case(SERVICE, case.id)
    assert gone.withdrawn and gone.state is State.CLOSED and gone.outcome is None
    assert kinds(world, case.id) == [EntryKind.OPENED, EntryKind.WITHDRAWN]
    assert aside(world) == {4: Disposition.SNOOZED}
    world.take(noisy(2, 4))  # 3 is the repeat of 2 now, and 4 of nothing
    assert aside(world) == {3: Disposition.SNOOZED}
    assert open_case_of(world, 4).id == case.id
    assert places(world) == {"rest": [2, 4, 9]}


def open_case_of(world: World, number: int) -> Case:
    found = world.record.cases_of_alerts(SERVICE, [alert(number).id])
    (case,) = [case for case in found if not case.ended]
    return case


def test_a_case_that_a_policy_had_merged_away_is_opened_again(world: World) -> None:
    world.take(money(5, 11))
    alone = open_case(world)
    world.take(noisy(6, 11))
    assert places(world) == {"both": [5, 6]}
    assert world.record.case(SERVICE, alone.id).merged_into == open_case(world, "both").id
    # Earlier noise makes 6 a repeat, and is itself too far from the money.
    world.take(noisy(7, 7))
    assert aside(world) == {6: Disposition.SNOOZED}
    assert places(world) == {"rest": [5, 7]}
    again = world.record.case(SERVICE, alone.id)
    assert (again.state, again.merged_into, again.withdrawn) == (State.REOPENED, None, False)
    assert open_case_of(world, 5).id == alone.id


def test_nobody_answers_and_somebody_does_after_all(world: World, clock: ManualClock) -> None:
    world.take(alert(1, rule="asked", day=0))
    assert places(world) == {} and aside(world) == {1: Disposition.SUPPRESSED}
    quiet = START_US + 4 * DAY_US
    assert world.intake.wake(SERVICE, quiet).placed.opened == 0
    assert world.intake.wake(SERVICE, START_US + 6 * DAY_US).placed.opened == 1
    assert places(world) == {"silence": [1]} and aside(world) == {}
    case = open_case(world, "silence")
    world.take(alert(2, rule="answered", day=3))  # late, but it was sent in time
    assert places(world) == {} and set(aside(world)) == {1, 2}
    assert world.record.case(SERVICE, case.id).withdrawn
    # Event time never goes back: what was decided stays decided, after a restart as well.
    other = World(world.record, clock, world.planner)
    assert other.intake.wake(SERVICE, quiet).placed.opened == 0
    other.take(alert(3, rule="asked", day=0, subject="K2"))
    assert places(other) == {"silence": [3]}


def test_what_a_person_closed_keeps_its_alerts_and_takes_late_ones(world: World) -> None:
    case = close(world, world.one(money(1, 4), money(2, 5)))
    world.take(money(4, 8))  # from after the closing: another case
    assert places(world) == {"rest": [4]}
    assert world.record.case(SERVICE, case.id).state is State.CLOSED
    world.take(money(3, 4))  # from before it: the closed case is open again
    assert world.record.case(SERVICE, case.id).state is State.REOPENED
    assert places(world) == {"rest": [1, 2, 3, 4]}
    again = close(world, world.record.case(SERVICE, case.id))
    # From before its first alert: it is open again as well, and is called what it was called.
    world.take(money(5, 3))
    case = world.record.case(SERVICE, case.id)
    assert (case.state, case.alert_count, again.alert_count) == (State.REOPENED, 4, 3)
    assert places(world) == {"rest": [1, 2, 3, 4, 5]}
    assert len(world.all()) == 2


@pytest.mark.parametrize("order", list(permutations((3, 4, 5))))
def test_alerts_from_before_a_closed_case_open_it_again_in_any_order(
    world: World, order: tuple[int, ...]
) -> None:
    case = close(world, world.one(money(1, 4), money(2, 5)))
    for number in order:  # each before the one that came first so far, or between
        world.take(money(number, 7 - number))
    (found,) = world.all()
    assert (found.id, found.state, found.alert_count) == (case.id, State.REOPENED, 5)
    # A person closes it once more, and an even earlier alert opens it again.
    close(world, found)
    world.take(money(6, 1))
    (found,) = world.all()
    assert (found.id, found.state, found.alert_count) == (case.id, State.REOPENED, 6)


def test_a_case_that_is_reopened_by_a_person_takes_alerts_again(world: World) -> None:
    case = close(world, world.one(money(2, 5)))
    world.take(money(4, 7))
    assert len(world.all()) == 2
    case = world.service.move(WANG, case.id, case.version, Move.REOPEN, "more came")
    world.intake.wake(SERVICE)
    after = world.record.case(SERVICE, case.id)
    assert after.alert_count == 2 and places(world) == {"rest": [2, 4]}
    assert [c.id for c in world.all() if not c.ended] == [case.id]


def test_alerts_that_a_person_split_off_stay_where_they_are(world: World) -> None:
    case = world.one(money(1, 1), money(2, 2), money(3, 3))
    split = world.service.split(WANG, case.id, case.version, [alert(2).id], "another matter")
    world.take(money(4, 4))
    assert world.record.case(SERVICE, split.id).alert_count == 1
    assert [int(a.id, 16) for a in world.record.case_alerts(SERVICE, case.id).items] == [1, 3, 4]
    world.take(money(5, 0))  # an earlier one: the case has another id, the split stays
    assert sorted(places(world)["rest"]) == [1, 2, 3, 4, 5]
    assert world.record.case(SERVICE, split.id).alert_count == 1


def test_alerts_of_a_case_that_a_person_merged_go_where_it_went(world: World) -> None:
    one, two = world.take(money(1, 1), money(2, 1, subject="K2"))
    target = world.service.merge(WANG, one.id, one.version, two.id, two.version, "one matter")
    of_merged = {one.key: "K1" if one.key.endswith("K1") else "K2"}[one.key]
    world.take(money(3, 2, subject=of_merged, severity="critical"))
    after = world.record.case(SERVICE, target.id)
    assert after.alert_count == 3 and after.severity == "critical"
    world.take(money(8, 0, subject=of_merged))  # an earlier one: the merged case has another id
    after = world.record.case(SERVICE, target.id)
    assert after.alert_count == 4 and places(world) == {"rest": [1, 2, 3, 8]}
    assert world.record.case(SERVICE, one.id).merged_into == target.id
    assert [c.id for c in world.all() if not c.ended] == [target.id]
    # Closing the case closes what was merged into it: later alerts of both open others.
    close(world, after)
    world.take(money(4, 9), money(5, 9, subject="K2"))
    assert len([case for case in world.all() if not case.ended]) == 2


def _joined(world: World) -> Case:
    """A harmless case of one bank, with a severe alert of another that a person split off."""
    world.take(
        money(1, 5),
        money(2, 5, subject="K2", tenant="BANK-B"),
        money(3, 5, subject="K2", tenant="BANK-B", severity="critical"),
    )
    target, other = sorted(world.all(), key=lambda case: case.tenants)
    split = world.service.split(WANG, other.id, other.version, [alert(3).id], "another matter")
    return world.service.merge(WANG, split.id, split.version, target.id, target.version, "one")


def test_what_a_person_brought_into_a_case_stays_severe_and_its_banks(world: World) -> None:
    """Or one person alone could close it, and see what is another bank's."""
    case = _joined(world)
    assert (case.severity, case.tenants) == ("critical", ("BANK-A", "BANK-B"))
    world.take(money(4, 6))
    after = world.record.case(SERVICE, case.id)
    assert (after.alert_count, after.severity) == (3, "critical")
    assert after.tenants == ("BANK-A", "BANK-B")
    world.take(money(5, 3))  # an earlier one: the case has another id, and its guests come along
    (moved,) = [c for c in world.all() if not c.ended and "BANK-A" in c.tenants]
    assert moved.id != case.id and moved.alert_count == 4
    assert (moved.severity, moved.tenants) == ("critical", ("BANK-A", "BANK-B"))
    world.take(money(6, 6))
    moved = world.record.case(SERVICE, moved.id)
    assert (moved.severity, moved.tenants) == ("critical", ("BANK-A", "BANK-B"))


def test_a_case_stays_severe_whose_severe_part_was_merged_into_it(world: World) -> None:
    world.take(money(1, 5, severity="critical"), money(2, 5, subject="K2"))
    severe, target = sorted(world.all(), key=lambda case: case.severity)
    world.service.merge(WANG, severe.id, severe.version, target.id, target.version, "one matter")
    world.take(money(3, 6, subject="K2"))
    assert world.record.case(SERVICE, target.id).severity == "critical"


def test_what_a_person_set_gives_way_only_to_something_more_pressing(world: World) -> None:
    case = world.one(money(1, 1, severity="medium"))
    due = case.due_us
    assert case.priority == 50 and due is not None
    case = world.service.prioritise(WANG, case.id, case.version, 10, "known", queue="later")
    case = world.service.set_due(WANG, case.id, case.version, due + 9 * DAY_US, "agreed")
    world.take(money(2, 2, severity="medium"))
    after = world.record.case(SERVICE, case.id)
    assert (after.priority, after.queue, after.due_us) == (10, "later", due + 9 * DAY_US)
    world.take(money(3, 3, severity="critical"))
    after = world.record.case(SERVICE, case.id)
    assert (after.priority, after.queue, after.due_us) == (90, "later", due + 9 * DAY_US)


def test_an_alert_that_policies_cannot_read_is_in_a_case_of_its_own(world: World) -> None:
    long = alert(1, subject="x" * 600, rule="money")
    world.take(long)
    assert places(world) == {"unsorted": [1]}
