"""Brakes go by how many subjects the engine evaluates rules for, in whatever order it says so."""

from __future__ import annotations

from functools import cache

from casework.policy.load import require_policies
from casework.policy.matcher import PythonMatcher
from casework.policy.planner import Planner
from casework.service.intake import FEWEST, AlertIntake
from casework.stores.memory import MemoryRecord
from regtech.clock import ManualClock
from tests.contract.world import SERVICE, START_US, Salts, World, alert, due_dates

ALERTS = [alert(n, subject=f"K{n}", rule="noisy") for n in range(5)]
"""One day, five subjects: more than a fifth of 24, and not of 25."""


@cache
def planner() -> Planner:
    """The policies that ship."""
    return Planner(require_policies(), PythonMatcher(), due_dates())


def world() -> World:
    clock = ManualClock(START_US)
    made = World(MemoryRecord(clock, Salts()), clock, planner())
    made.intake.fewest = 1
    return made


def braked(some: World) -> int:
    return len(some.record.asides(SERVICE).items)


def open_cases(some: World) -> int:
    return sum(not case.ended for case in some.all())


def test_nothing_is_held_back_while_nobody_knows() -> None:
    some = world()
    report = some.intake.take(SERVICE, ALERTS)
    assert (braked(some), open_cases(some), report.unknown) == (0, 5, {"noisy"})


def test_a_number_that_comes_later_holds_back_what_is_there() -> None:
    some = world()
    some.intake.take(SERVICE, ALERTS)
    report = some.intake.watch(SERVICE, {"noisy": 24, "other": 1000})
    assert (braked(some), open_cases(some)) == (5, 0)
    assert report.placed.withdrawn == 5


def test_more_subjects_let_go_of_what_was_held_back() -> None:
    some = world()
    some.intake.watch(SERVICE, {"noisy": 10})
    some.intake.take(SERVICE, ALERTS)
    assert (braked(some), open_cases(some)) == (5, 0)
    some.intake.watch(SERVICE, {"noisy": 25})
    assert (braked(some), open_cases(some)) == (0, 5)


def test_the_most_that_was_said_counts_whoever_said_it_when() -> None:
    some = world()
    some.intake.watch(SERVICE, {"noisy": 25})
    some.intake = AlertIntake(
        some.record, some.clock, some.intake.jurisdictions, some.intake.planner
    )
    some.intake.fewest = 1
    some.intake.watch(SERVICE, {"noisy": 5})
    some.intake.take(SERVICE, ALERTS)
    assert braked(some) == 0


def test_hardly_more_waits_until_it_is_to_be_exact() -> None:
    some = world()
    some.intake.watch(SERVICE, {"noisy": 199})
    some.intake.watch(SERVICE, {"noisy": 200})
    with some.record.unit(SERVICE) as unit:
        assert unit.watched(SERVICE) == {"noisy": 199}
    some.intake.watch(SERVICE, {"noisy": 200}, exactly=True)
    with some.record.unit(SERVICE) as unit:
        assert unit.watched(SERVICE) == {"noisy": 200}


def test_a_setting_goes_before_the_count() -> None:
    some = world()
    some.intake.watched = 1000
    some.intake.watch(SERVICE, {"noisy": 10})
    some.intake.take(SERVICE, ALERTS)
    assert braked(some) == 0


def test_of_few_subjects_no_share_is_told() -> None:
    some = world()
    some.intake.fewest = FEWEST
    some.intake.take(SERVICE, ALERTS)
    report = some.intake.watch(SERVICE, {"noisy": FEWEST - 1}, exactly=True)
    assert (braked(some), open_cases(some), report.placed.withdrawn) == (0, 5, 0)
    with some.record.unit(SERVICE) as unit:
        assert unit.watched(SERVICE) == {}
