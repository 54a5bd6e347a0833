"""What every store promises of counted events: whole numbers that only grow, each in its scope."""

from __future__ import annotations

import pytest

from casework.ports import EventDay, EventKind, EventsOf, Record
from regtech.clock import ManualClock
from tests.contract.world import SERVICE, World, scope

PAY, MOVE = EventKind("CN", "transaction"), EventKind("CN", "data_transfer")
ABROAD = EventKind("HK", "transaction")


@pytest.fixture
def world(record: Record, clock: ManualClock) -> World:
    return World(record, clock)


def day(number: int, events: int, institution: str = "B1", kind: EventKind = PAY) -> EventDay:
    return EventDay(kind, institution, number, events)


def asked(first: int, last: int, institution: str | None = None, *kinds: EventKind) -> EventsOf:
    return EventsOf(kinds or (PAY,), institution, first, last)


def test_events_are_counted_by_kind_institution_and_day(world: World) -> None:
    days = [day(1, 10), day(2, 20), day(2, 5, "B2"), day(2, 7, kind=MOVE), day(3, 40, kind=ABROAD)]
    with world.record.unit(SERVICE) as unit:
        assert unit.events_counted(SERVICE, [asked(0, 9)]) == [0]
        unit.count_events(SERVICE, {}, days)
        assert unit.events_counted(SERVICE, [asked(1, 1)]) == [10]
    questions = [
        asked(1, 2), asked(2, 3), asked(3, 9), asked(1, 3, "B1"), asked(1, 3, "B2"),
        asked(1, 3, "B3"), asked(1, 3, None, PAY, MOVE), asked(1, 3, None, PAY, MOVE, ABROAD),
    ]  # fmt: skip
    with world.record.unit(SERVICE) as unit:
        assert unit.events_counted(SERVICE, questions) == [35, 25, 0, 30, 5, 0, 42, 82]
        assert unit.events_counted(SERVICE, []) == []
        many = [asked(1, 1 + n % 3) for n in range(700)]
        assert unit.events_counted(SERVICE, many) == [(10, 35, 35)[n % 3] for n in range(700)]


def test_the_most_that_was_said_of_a_day_stays(world: World) -> None:
    for events, known in ((10, 10), (8, 10), (10, 10), (12, 12)):
        with world.record.unit(SERVICE) as unit:
            unit.count_events(SERVICE, {}, [day(1, events), day(-4, 1)])
            assert unit.events_counted(SERVICE, [asked(1, 1), asked(-5, 0)]) == [known, 1]


def test_what_was_said_of_a_rule_stays(world: World) -> None:
    with world.record.unit(SERVICE) as unit:
        assert unit.rule_events(SERVICE) == {}
        unit.count_events(SERVICE, {"one": [PAY], "two": [MOVE, ABROAD]}, [])
        unit.count_events(SERVICE, {"one": [MOVE], "two": [MOVE]}, [])
    with world.record.unit(SERVICE) as unit:
        assert unit.rule_events(SERVICE) == {"one": (MOVE, PAY), "two": (MOVE, ABROAD)}


def test_counts_of_others_are_as_if_they_were_not_there(world: World) -> None:
    days = [day(1, 10), day(1, 5, "B2"), day(1, 40, kind=ABROAD)]
    question = [asked(1, 1, None, PAY, ABROAD), asked(1, 1, "B2")]
    with world.record.unit(SERVICE) as unit:
        unit.count_events(SERVICE, {"one": [PAY], "two": [ABROAD]}, days)
        assert unit.events_counted(scope(jurisdictions={"CN"}), question) == [15, 5]
        assert unit.events_counted(scope(tenants={"B1"}), question) == [50, 0]
        assert unit.events_counted(scope(tenants=set()), question) == [0, 0]
        assert unit.rule_events(scope(jurisdictions={"HK"})) == {"two": (ABROAD,)}


def test_a_transaction_that_fails_counts_nothing(world: World) -> None:
    with pytest.raises(RuntimeError), world.record.unit(SERVICE) as unit:
        unit.count_events(SERVICE, {"one": [PAY]}, [day(1, 10)])
        raise RuntimeError
    with world.record.unit(SERVICE) as unit:
        assert unit.events_counted(SERVICE, [asked(1, 1)]) == [0]
        assert unit.rule_events(SERVICE) == {}
