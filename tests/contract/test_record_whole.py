"""What every store hands out in one piece, and the searches that it keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casework.cases.scope import Role
from casework.ports import Record
from casework.stores.common import SEARCHES_MAX
from regtech.clock import ManualClock
from regtech.errors import CapacityError, NotFoundError, UsageError
from tests.contract.world import LI, SERVICE, WANG, World, alert, scope


@pytest.fixture
def world(record: Record, clock: ManualClock) -> World:
    return World(record, clock)


def test_a_dossier_is_the_case_with_its_alerts_and_its_whole_timeline(world: World) -> None:
    cases = world.take(*(alert(n, subject=f"K{n % 3}") for n in range(12)))
    for case in cases:
        world.service.comment(WANG, case.id, case.version, "seen")
    wanted = [case.id for case in cases] * 2 + ["C-none"]
    found = world.record.dossiers(SERVICE, wanted, alerts_max=100)
    assert [dossier.case for dossier in found] == sorted(world.all(), key=lambda case: case.id)
    for dossier in found:
        identity = dossier.case.id
        assert dossier.alerts == world.record.case_alerts(SERVICE, identity).items
        assert dossier.timeline == world.record.timeline(SERVICE, identity)
    few = world.record.dossiers(SERVICE, wanted, alerts_max=2)
    assert [dossier.alerts for dossier in few] == [dossier.alerts[:2] for dossier in found]


def test_a_dossier_has_the_alerts_that_the_case_has_now(world: World) -> None:
    case = world.one(alert(1), alert(2), alert(3))
    world.service.split(WANG, case.id, case.version, [alert(2).id], "another matter")
    found = world.record.dossiers(SERVICE, [c.id for c in world.all()], alerts_max=100)
    by_case = {dossier.case.id: [a.id for a in dossier.alerts] for dossier in found}
    assert by_case.pop(case.id) == [alert(1).id, alert(3).id]
    assert list(by_case.values()) == [[alert(2).id]]


def test_whole_pieces_are_of_the_scope_alone(world: World) -> None:
    world.take(
        alert(1, tenant="BANK-A"),
        alert(2, tenant="BANK-B", subject="K2"),
        alert(3, tenant="BANK-A", subject="K3", kind="suspicion"),
        alert(4, tenant="BANK-A", subject="K4", jurisdiction="EU"),
    )
    ids = [case.id for case in world.all()]
    alerts = [alert(n).id for n in range(6)]
    for who, numbers in (
        (SERVICE, {1, 2, 3, 4}),
        (scope("x", tenants={"BANK-A"}), {1, 3, 4}),
        (scope("x", jurisdictions={"EU"}), {4}),
        (scope("x", Role.INSTITUTION, tenants={"BANK-A"}), {1, 4}),
        (scope("x", Role.INSTITUTION, tenants={"BANK-C"}), set[int]()),
    ):
        dossiers = world.record.dossiers(who, ids, alerts_max=9)
        assert {int(d.alerts[0].id, 16) for d in dossiers} == numbers
        found = world.record.alerts_by_id(who, [*alerts, *alerts])
        assert [int(a.id, 16) for a in found] == sorted(numbers)


def test_many_are_found_at_once(world: World) -> None:
    given = [alert(n, subject=f"K{n}") for n in range(1, 1201)]
    cases = world.take(*given)
    assert len(world.record.dossiers(SERVICE, [c.id for c in cases], alerts_max=5)) == 1200
    assert world.record.alerts_by_id(SERVICE, [a.id for a in given]) == tuple(given)


def test_searches_are_kept_by_name_for_whoever_saved_them(
    record: Record, clock: ManualClock
) -> None:
    record.save_search(WANG, "b", {"text": "张伟"})
    clock.advance(5)
    record.save_search(WANG, " a ", {"text": "x", "open": True})
    record.save_search(LI, "a", {"text": "mine"})
    record.save_search(WANG, "b", {"text": "李娜", "states": ["new"]})
    assert [(s.name, s.body) for s in record.saved_searches(WANG)] == [
        ("a", {"text": "x", "open": True}),
        ("b", {"text": "李娜", "states": ["new"]}),
    ]
    assert {s.changed_us for s in record.saved_searches(WANG)} == {clock.now_us()}
    # Whose it is is the actor alone: the roles of the moment do not matter.
    assert record.saved_searches(replace(WANG, roles=SERVICE.roles)) != ()
    record.forget_search(WANG, "a")
    with pytest.raises(NotFoundError):
        record.forget_search(WANG, "a")
    assert [s.name for s in record.saved_searches(WANG)] == ["b"]
    assert [s.body for s in record.saved_searches(LI)] == [{"text": "mine"}]


def test_searches_have_bounds(record: Record) -> None:
    for name in ("", "  ", "x" * 101, "a\nb"):
        with pytest.raises(UsageError):
            record.save_search(WANG, name, {})
    for number in range(SEARCHES_MAX):
        record.save_search(WANG, f"s{number}", {})
    record.save_search(WANG, "s7", {"text": "replaced"})
    record.save_search(LI, "one", {})
    with pytest.raises(CapacityError):
        record.save_search(WANG, "one more", {})
