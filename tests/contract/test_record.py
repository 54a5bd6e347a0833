"""What every store promises, whichever it is.

Long because every promise of the port is held against every store with the same few alerts.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, State
from casework.cases.chain import FIRST_PREVIOUS, entry_hash
from casework.cases.directive import AsideDirective, Disposition, Wake
from casework.cases.errors import VersionConflictError
from casework.cases.keys import KeyKind
from casework.cases.scope import Role, Scope
from casework.cases.timeline import Draft, EntryKind, changed, replay
from casework.ports import AlertQuery, CaseQuery, Reach, Record, Tally, Topic
from casework.service.placing import Placed
from casework.stores.common import write_cursor
from casework.stores.sql.record import SqlRecord
from regtech.clock import ManualClock
from regtech.errors import ConflictError, NotFoundError, RegtechError, UsageError
from tests.contract.world import DAY_US, SERVICE, START_US, WANG, Salts, World, alert, scope


@pytest.fixture
def world(record: Record, clock: ManualClock) -> World:
    return World(record, clock)


# --- alerts


def test_the_same_alert_again_changes_nothing(world: World) -> None:
    first = world.intake.take(SERVICE, [alert(1), alert(2, subject="K2")])
    before = (world.all(), world.record.chains(SERVICE))
    # Found again in another file: still the same finding.
    again = world.intake.take(SERVICE, [alert(2, subject="K2", file="other.ndjson"), alert(1)])
    assert (first.new, first.placed.opened) == (2, 2)
    assert (again.new, again.repeated, again.placed) == (0, 2, Placed())
    assert (world.all(), world.record.chains(SERVICE)) == before


def test_the_same_alert_twice_in_one_batch_is_one(world: World) -> None:
    report = world.intake.take(SERVICE, [alert(1), alert(1), alert(1, severity="low")])
    assert (report.new, report.repeated, len(report.conflicts)) == (1, 1, 1)
    assert world.one().alert_count == 1


def test_other_content_under_a_known_id_is_kept_and_reported(world: World) -> None:
    kept = alert(1)
    other = alert(1, severity="critical")
    world.take(kept)
    report = world.intake.take(SERVICE, [other])
    again = world.intake.take(SERVICE, [other])
    assert report.conflicts == [kept.id] and again.conflicts == [] and again.repeated == 1
    assert world.record.alert(SERVICE, kept.id) == kept
    (conflict,) = world.record.conflicts(SERVICE).items
    assert conflict.alert == other and conflict.known_digest == kept.digest
    assert world.record.conflicts(scope(tenants={"BANK-B"})).items == ()


def test_alerts_are_paged_from_the_latest(world: World) -> None:
    alerts = [alert(n, day=n % 3) for n in range(10)]
    world.take(*alerts)
    found: list[StoredAlert] = []
    after = None
    while True:
        page = world.record.alerts(SERVICE, after=after, limit=3)
        found += page.items
        after = page.after
        if after is None:
            break
    assert found == sorted(alerts, key=lambda a: (-a.time_us, a.id))


# --- what policies ask and leave


def reached(world: World, *reaches: Reach, who: Scope = SERVICE) -> list[str]:
    with world.record.unit(who) as unit:
        return sorted(unit.reach(who, reaches))


def test_alerts_are_found_by_what_they_have_in_common(world: World) -> None:
    alerts = [
        alert(1, subject="K1", group="G1", counterparty__id="P1"),
        alert(2, subject="K2", group="G1", day=5, rule="other"),
        alert(3, subject="K3", tenant="BANK-B", counterparty__id="P1", day=9),
        alert(4, subject="x" * 400),
    ]
    world.take(*alerts)
    one, two, three, four = (a.id for a in alerts)
    first, last = alerts[0].time_us, alerts[2].time_us
    assert reached(world, Reach("subject", "BANK-A|K1", first, first)) == [one]
    assert reached(world, Reach("subject", "BANK-A|K1", first + 1, last)) == []
    assert reached(world, Reach("subject", "BANK-A|K1", 0, first - 1)) == []
    assert reached(world, Reach("group", "G1", 0, last)) == [one, two]
    assert reached(world, Reach("counterparty", "P1", 0, last)) == [one, three]
    assert reached(world, Reach("institution", "BANK-B", 0, last)) == [three]
    assert reached(world, Reach("rule", "other", 0, last)) == [two]
    assert reached(world, Reach("subject", "BANK-A|" + "x" * 400, 0, last)) == [four]
    assert reached(world, Reach("subject", "BANK-A|" + "x" * 399 + "y", 0, last)) == []
    both = (Reach("group", "G1", 0, first), Reach("counterparty", "P1", last, last))
    assert reached(world, *both) == [one, three]
    assert reached(world) == []
    stranger = scope(tenants={"BANK-B"})
    assert reached(world, Reach("counterparty", "P1", 0, last), who=stranger) == [three]


def test_many_reaches_at_once_find_what_each_finds(world: World) -> None:
    alerts = [alert(n, subject=f"K{n}", day=n % 20) for n in range(700)]
    world.take(*alerts)
    reaches = [Reach("subject", f"BANK-A|K{n}", a.time_us, a.time_us) for n, a in enumerate(alerts)]
    assert reached(world, *reaches) == sorted(a.id for a in alerts)
    assert len(reached(world, *reaches[:650:2])) == 325


def aside(number: int, outcome: Disposition, reason: str = "so") -> AsideDirective:
    text = {"en": reason, "zh": reason}
    return AsideDirective(alert(number).id, outcome, "p", "1.0.0", text, until=number, behind="b")


def test_alerts_aside_are_kept_and_shown_with_the_reason(world: World) -> None:
    ids = [alert(n).id for n in (1, 2, 3)]
    suppressed, braked = aside(1, Disposition.SUPPRESSED), aside(2, Disposition.BRAKED)
    with world.record.unit(SERVICE) as unit:
        unit.add_alerts(SERVICE, [alert(1), alert(2, rule="other"), alert(3)])
        unit.set_aside(SERVICE, [suppressed, braked])
        assert unit.asides(SERVICE, ids) == {ids[0]: suppressed, ids[1]: braked}
    shown = world.record.alerts
    assert [a.id for a in shown(SERVICE, AlertQuery(Disposition.SUPPRESSED)).items] == ids[:1]
    assert [a.id for a in shown(SERVICE, AlertQuery(Disposition.BRAKED)).items] == ids[1:2]
    assert [a.id for a in shown(SERVICE, AlertQuery(Disposition.OPEN)).items] == ids[2:]
    listed = world.record.asides
    assert [item.directive for item in listed(SERVICE).items] == [braked, suppressed]
    assert [item.alert.id for item in listed(SERVICE, rule="other").items] == ids[1:2]
    assert [i.directive for i in listed(SERVICE, disposition=Disposition.BRAKED).items] == [braked]
    page = listed(SERVICE, limit=1)
    assert [i.directive for i in listed(SERVICE, after=page.after).items] == [suppressed]
    assert listed(scope(tenants={"BANK-B"})).items == ()
    again = aside(1, Disposition.SNOOZED, "a repeat")
    with world.record.unit(SERVICE) as unit:
        unit.set_aside(SERVICE, [again])
        unit.take_back(SERVICE, ids[1:])
    assert [item.directive for item in listed(SERVICE).items] == [again]


def test_what_policies_put_into_cases_is_told_apart_from_what_people_move(world: World) -> None:
    case = world.one(alert(1), alert(2), alert(3))
    one, two, three = (alert(n).id for n in (1, 2, 3))
    split = world.service.split(WANG, case.id, case.version, [three], "another matter")
    with world.record.unit(SERVICE) as unit:
        assert unit.placed(SERVICE, [three]) == {case.id: frozenset((one, two, three))}
        assert unit.placed_in(SERVICE, split.id) == frozenset()
        assert unit.attach(SERVICE, case.id, [alert(1), alert(3)]) == frozenset()
        assert unit.unplace(SERVICE, case.id, [two, three]) == {two}
        assert unit.placed(SERVICE, [one]) == {case.id: frozenset((one,))}
        assert [a.id for a in unit.case_alerts(SERVICE, case.id)] == [one]
        assert [a.id for a in unit.case_alerts(SERVICE, split.id)] == [three]
        assert unit.attach(SERVICE, case.id, [alert(2), alert(3)]) == {two}
        assert [a.id for a in unit.case_alerts(SERVICE, case.id)] == [one, two]
    assert [c.id for c in world.record.cases_of_alerts(SERVICE, [three])] == [split.id]


def test_closings_wakes_and_how_far_event_time_has_come(world: World) -> None:
    case = world.one(alert(1), alert(2, day=3))
    wakes = [Wake(9, alert(1).id, "p"), Wake(5, alert(1).id, "q"), Wake(7, alert(2).id, "p")]
    with world.record.unit(SERVICE) as unit:
        unit.hold(SERVICE)
        unit.cut(SERVICE, case.id, ["k1", "k2"], 20)
        unit.cut(SERVICE, case.id, ["k1"], 10)
        unit.cut(SERVICE, case.id, ["k1"], 10)
        unit.set_wakes(SERVICE, [], wakes)
        assert unit.as_of(SERVICE) == alert(2, day=3).time_us
        unit.passed(SERVICE, 5)
        assert unit.as_of(SERVICE) == alert(2, day=3).time_us
        unit.passed(SERVICE, START_US * 2)
        unit.passed(SERVICE, START_US)
    with world.record.unit(SERVICE) as unit:
        assert unit.as_of(SERVICE) == START_US * 2
        assert unit.closings(SERVICE, ["k1", "k2", "k3"]) == {"k1": (10, 20), "k2": (20,)}
        assert unit.due_wakes(SERVICE, 5, 9) == ()
        assert unit.due_wakes(SERVICE, 8, 9) == (alert(1).id, alert(2).id)
        assert unit.due_wakes(SERVICE, 8, 1) == (alert(1).id,)
        unit.set_wakes(SERVICE, [alert(1).id], [Wake(6, alert(1).id, "p")])
        assert unit.due_wakes(SERVICE, 6, 9) == ()
        unit.uncut(SERVICE, case.id)
        assert unit.closings(SERVICE, ["k1", "k2"]) == {}


# --- cases and timelines


def test_a_case_is_what_its_timeline_makes_of_it(world: World) -> None:
    case = world.one(alert(1), alert(2, severity="high"))
    after = world.service.comment(WANG, case.id, case.version, "hello")
    entries = world.record.timeline(SERVICE, case.id)
    assert [entry.sequence for entry in entries] == list(range(1, after.version + 1))
    assert replay(entries) == world.record.case(SERVICE, case.id) == after
    assert case.alert_count == 2 and case.severity == "high" and case.state is State.NEW


def test_an_old_version_is_refused_with_what_was_done_since(world: World) -> None:
    case = world.one()
    world.service.tag(WANG, case.id, case.version, add=["cash"])
    moved = world.service.assign(WANG, case.id, case.version + 1, "li")
    with pytest.raises(VersionConflictError) as caught:
        world.service.comment(scope("li"), case.id, case.version, "mine")
    assert caught.value.changes == (
        "tagged (tags) by wang",
        "assigned (assignee None → li) by wang",
    )
    assert (caught.value.seen, caught.value.version) == (case.version, moved.version)
    assert world.record.case(SERVICE, case.id) == moved
    with pytest.raises(VersionConflictError, match="does not exist"):
        world.service.comment(WANG, case.id, 99, "from the future")


def test_a_unit_that_fails_leaves_nothing(world: World) -> None:
    case = world.one()
    before = (world.record.chains(SERVICE), world.record.messages(SERVICE, Topic.SEARCH))
    with pytest.raises(RuntimeError), world.record.unit(SERVICE) as unit:
        unit.add_alerts(SERVICE, [alert(9)])
        unit.append(SERVICE, case.id, case.version, [changed(EntryKind.TAGGED, case, tags=("x",))])
        unit.log(SERVICE, "", Draft(EntryKind.NOTED))
        unit.put_file(SERVICE, "0" * 64, b"x")
        raise RuntimeError("the machine stops here")
    assert world.record.case(SERVICE, case.id) == case
    assert (world.record.chains(SERVICE), world.record.messages(SERVICE, Topic.SEARCH)) == before
    with pytest.raises(NotFoundError):
        world.record.alert(SERVICE, alert(9).id)


def test_a_case_is_opened_once(world: World) -> None:
    case = world.one()
    with pytest.raises(ConflictError), world.record.unit(SERVICE) as unit:
        unit.open(SERVICE, case, {})


def test_queues_are_paged_in_order_whatever_is_asked(world: World) -> None:
    severities = ("low", "high", "medium", "critical", "info")
    for n in range(40):
        world.take(
            alert(
                n,
                subject=f"K{n}",
                severity=severities[n % 5],
                day=n % 7,
                jurisdiction=("CN", "EU")[n % 2],
                tenant=f"BANK-{n % 3}",
            )
        )
    cases = world.all()
    order = [(-c.priority, c.due_us or 0, c.opened_us, c.id) for c in cases]
    assert len(cases) == 40 and order == sorted(
        order, key=lambda key: tuple(map(str, key[3:])) and key
    )
    for query in (
        CaseQuery(),
        CaseQuery(jurisdiction="EU"),
        CaseQuery(queue="desk", assignee=""),
        CaseQuery(state=State.NEW, tenant="BANK-1"),
        CaseQuery(theme="laundering", awake_at_us=0),
        CaseQuery(due_before_us=START_US + 16 * DAY_US),
        CaseQuery(open=False),
    ):
        whole = world.record.cases(SERVICE, query, limit=1000).items
        wanted = [case for case in cases if _fits(case, query)]
        assert list(whole) == wanted
        pieces: list[Case] = []
        after = None
        while True:
            page = world.record.cases(SERVICE, query, after=after, limit=7)
            pieces += page.items
            after = page.after
            if after is None:
                break
        assert pieces == wanted


def _fits(case: Case, query: CaseQuery) -> bool:
    return (
        query.open is not False
        and query.jurisdiction in (None, case.jurisdiction)
        and query.queue in (None, case.queue)
        and (query.tenant is None or query.tenant in case.tenants)
        and (query.due_before_us is None or (case.due_us or 0) < query.due_before_us)
    )


def test_cases_are_counted_as_they_are_listed(world: World) -> None:
    for n in range(30):
        world.take(
            alert(
                n,
                subject=f"K{n}",
                day=n % 7,
                jurisdiction=("CN", "EU", "SG")[n % 3],
                tenant=f"BANK-{n % 4}",
            )
        )
    late = START_US + 16 * DAY_US
    taken = world.service.claim_next(WANG)
    assert taken is not None
    queries = (
        CaseQuery(),
        CaseQuery(jurisdiction="EU"),
        CaseQuery(tenant="BANK-1", open=None),
        CaseQuery(due_before_us=late),
        CaseQuery(assignee="nobody"),
    )
    scopes = (WANG, scope(jurisdictions={"CN"}), scope(tenants={"BANK-1", "BANK-2"}))
    for who in scopes:
        for query in queries:
            listed = world.record.cases(who, query, limit=100).items
            for by in Tally:
                named = [
                    tenant
                    for case in listed
                    for tenant in (
                        case.tenants if by is Tally.TENANT else (getattr(case, by.value),)
                    )
                ]
                assert dict(world.record.tally(who, query, by)) == Counter(map(str, named))
        open_cases = world.record.cases(who, CaseQuery(), limit=100).items
        for pair in (
            (Tally.JURISDICTION, Tally.STATE),
            (Tally.TENANT,),
            (Tally.TENANT, Tally.THEME),
        ):
            expected: dict[tuple[str, ...], list[int]] = {}
            for case in open_cases:
                for tenant in case.tenants if Tally.TENANT in pair else ("",):
                    key = tuple(
                        tenant if by is Tally.TENANT else str(getattr(case, by.value))
                        for by in pair
                    )
                    row = expected.setdefault(key, [0, 0, 0])
                    row[0] += 1
                    row[1] += case.due_us is not None and case.due_us < late
                    row[2] += case.assignee is None
            found = world.record.standing(who, pair, late)
            assert {k: [v.cases, v.overdue, v.nobody] for k, v in found.items()} == expected
            assert any(0 < v.overdue for v in found.values())
        query = CaseQuery(tenant="BANK-1", open=None)
        both = world.record.standing(who, (Tally.THEME, Tally.STATE), late, query)
        mine = world.record.cases(who, query, limit=100).items
        counted = Counter((case.theme, case.state.value) for case in mine)
        assert {key: one.cases for key, one in both.items()} == counted
        at_work = [case for case in mine if not case.ended]
        assert sum(one.nobody for one in both.values()) == sum(not c.assignee for c in at_work)
        assert sum(one.overdue for one in both.values()) == sum(
            case.due_us is not None and case.due_us < late for case in at_work
        )


def test_cases_are_counted_by_the_week_in_which_they_were_opened(world: World) -> None:
    for n in range(6):
        world.take(
            alert(n, subject=f"K{n}", tenant=f"BANK-{n % 2}", jurisdiction=("CN", "EU")[n % 2])
        )
    cases = world.record.cases(SERVICE, CaseQuery(open=None), limit=100).items
    day = cases[0].opened_us // DAY_US
    found = world.record.case_weeks(SERVICE, day + 7, 3)
    assert found == {
        theme: (0, count, 0) for theme, count in Counter(case.theme for case in cases).items()
    }
    assert world.record.case_weeks(SERVICE, day - 1, 3) == {}
    assert world.record.case_weeks(SERVICE, day + 21, 3) == {}
    some = world.record.case_weeks(scope(jurisdictions={"EU"}), day, 1)
    assert sum(sum(series) for series in some.values()) == sum(
        c.jurisdiction == "EU" for c in cases
    )


def test_alerts_are_counted_by_week_as_they_come(world: World) -> None:
    for n in range(30):
        made = alert(
            n, subject=f"K{n}", day=n, jurisdiction=("CN", "EU")[n % 2], tenant=f"BANK-{n % 3}",
            kind=("breach", "suspicion")[n % 2],
        )  # fmt: skip
        world.take(made)
        world.take(made)
    last = START_US // DAY_US + 27
    found = world.record.alert_weeks(SERVICE, Tally.JURISDICTION, last, 3)
    days = range(last - 20, last + 1)
    for value, series in found.items():
        parity = ("CN", "EU").index(value)
        mine = [n for n in range(30) if n % 2 == parity and START_US // DAY_US + n in days]
        assert sum(series) == len(mine) and len(series) == 3
        assert series[-1] == sum(START_US // DAY_US + n > last - 7 for n in mine)
        for week, count in enumerate(series):  # what is counted can be shown
            begin = (last - 20 + 7 * week) * DAY_US
            asked = AlertQuery(jurisdiction=value, from_us=begin, before_us=begin + 7 * DAY_US)
            shown = world.record.alerts(SERVICE, asked).items
            assert len(shown) == count and {a.jurisdiction for a in shown} == {value}
    some = world.record.alerts(SERVICE, AlertQuery(tenant="BANK-1", from_us=START_US), limit=4)
    rest = world.record.alerts(SERVICE, AlertQuery(tenant="BANK-1"), after=some.after).items
    assert len(some.items) + len(rest) == 10
    assert {a.tenant for a in (*some.items, *rest)} == {"BANK-1"}
    foreign = scope(tenants={"BANK-2"})
    assert world.record.alerts(foreign, AlertQuery(tenant="BANK-1")).items == ()
    by_bank = world.record.alert_weeks(scope(tenants={"BANK-1"}), Tally.TENANT, last, 3)
    assert set(by_bank) == {"BANK-1"} and sum(by_bank["BANK-1"]) == 7
    bank = scope("bank", Role.INSTITUTION, tenants={"BANK-1"})
    assert sum(world.record.alert_weeks(bank, Tally.TENANT, last, 3)["BANK-1"]) < 7


def test_the_latest_alerts_of_a_key_and_their_cases(world: World) -> None:
    for n in range(12):
        world.take(alert(n, subject=f"K{n % 2}", day=n, payer__account="A-1"))
    account = (KeyKind.ACCOUNT, "A-1")
    always = (0, START_US + 40 * DAY_US)
    found = world.record.alerts_of(SERVICE, (account,), *always, latest=5)
    assert [a.id for a in found] == [alert(n).id for n in range(7, 12)]
    until = (0, alert(8, day=8).time_us)
    found = world.record.alerts_of(SERVICE, (account,), *until, latest=3)
    assert [a.id for a in found] == [alert(n).id for n in (6, 7, 8)]
    everything = world.record.alerts_of(SERVICE, (account,), *always, latest=100)
    assert len(everything) == 12
    cases = world.record.cases_of_alerts(SERVICE, [a.id for a in everything])
    assert list(cases) == [c for c in world.all() if c.alert_count]
    assert world.record.alerts_of(scope(tenants={"X"}), (account,), *always, latest=3) == []
    assert world.record.cases_of_alerts(scope(tenants={"X"}), [everything[0].id]) == ()


def test_what_is_snoozed_is_left_out_until_its_time_or_until_it_is_overdue(world: World) -> None:
    case = world.one()
    assert case.due_us is not None
    world.service.snooze(WANG, case.id, case.version, case.due_us + DAY_US, "they answer then")

    def found(at_us: int) -> int:
        return len(world.record.cases(SERVICE, CaseQuery(awake_at_us=at_us)).items)

    assert [found(case.due_us + us) for us in (-1, 0, 1, DAY_US)] == [0, 0, 1, 1]


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "WyJhIiwxXQ", "\u00e9", "W1tbW1t"])
def test_a_cursor_that_is_none_of_ours_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(UsageError, match="cursor"):
        world.record.cases(SERVICE, CaseQuery(), after=cursor)


HUGE, HALF = 10**30, "\ud800"
"""What no store can be asked for: more than 64 bits, half a character."""


def test_a_cursor_that_no_store_can_be_asked_for_is_refused(world: World) -> None:
    """Such a place has the form of ours, and was never made here."""
    case, record = world.one(), world.record
    for ask, place in (
        (lambda after: record.cases(SERVICE, CaseQuery(), after=after), (1, 2, HUGE, "C")),
        (lambda after: record.cases(SERVICE, CaseQuery(), after=after), (1, 2, 3, HALF)),
        (lambda after: record.case_alerts(SERVICE, case.id, after=after), (HUGE,)),
        (lambda after: record.alerts(SERVICE, after=after), (-HUGE, "a")),
        (lambda after: record.alerts(SERVICE, after=after), (1, "a\0")),
        (lambda after: record.asides(SERVICE, after=after), (HUGE, "a")),
        (lambda after: record.conflicts(SERVICE, after=after), ("a", "no digest")),
    ):
        with pytest.raises(UsageError, match="cursor"):
            ask(write_cursor(place))


def test_two_units_cannot_both_change_what_one_has_seen(world: World) -> None:
    """Two threads add to the same case over and over: each version is written once."""
    case = world.one()
    refused: list[int] = []
    done: list[int] = []
    failed: list[RegtechError] = []

    def work(actor: str) -> None:
        for _ in range(10):
            seen = world.record.case(SERVICE, case.id).version
            try:
                after = world.service.comment(scope(actor), case.id, seen, f"from {seen}")
                done.append(after.version)
            except VersionConflictError:
                refused.append(seen)
            except RegtechError as error:
                failed.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(done) == len(set(done)) and len(done) + len(refused) == 20
    assert world.record.case(SERVICE, case.id).version == case.version + len(done)


def test_two_people_never_claim_the_same_case(world: World) -> None:
    for n in range(12):
        world.take(alert(n, subject=f"K{n}"))
    claimed: list[str] = []

    def work(actor: str) -> None:
        while True:
            found = world.service.claim_next(scope(actor))
            if found is None:
                return
            claimed.append(found[0].id)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 12


# --- the log


def test_every_tenants_log_is_a_chain(world: World) -> None:
    world.take(alert(1), alert(2, tenant="BANK-B"))
    case = world.all()[0]
    world.service.comment(WANG, case.id, case.version, "look")
    chains = world.record.chains(SERVICE)
    assert sorted(chains) == ["BANK-A", "BANK-B"]
    for name, (length, last) in chains.items():
        entries = world.record.log(SERVICE, name)
        previous = FIRST_PREVIOUS
        for position, entry in enumerate(entries, 1):
            assert (entry.position, entry.previous, entry.chain) == (position, previous, name)
            assert entry.hash == entry_hash(previous, entry.content()) and entry.intact
            previous = entry.hash
        assert (len(entries), previous) == (length, last)


def test_a_changed_value_breaks_the_chain_also_where_it_is_committed(world: World) -> None:
    case = world.one()
    world.service.comment(WANG, case.id, case.version, "look")
    entry = world.record.timeline(SERVICE, case.id)[-1]
    content = entry.content()
    assert "look" not in str(content) and entry.detail["text"] == "look"
    assert not replace(entry, detail={"text": "looked"}).intact
    assert not replace(entry, actor="li").intact


def test_what_is_written_is_to_be_passed_on(world: World) -> None:
    case = world.one()
    world.service.comment(WANG, case.id, case.version, "look")
    hooks = world.record.messages(SERVICE, Topic.WEBHOOKS)
    assert [m.body["kind"] for m in hooks] == ["opened", "commented"]
    search = [m.body for m in world.record.messages(SERVICE, Topic.SEARCH)]
    assert {"alerts": [alert(1).id]} in search
    assert {"case": case.id, "version": case.version + 1} in search
    world.record.acknowledge(SERVICE, Topic.WEBHOOKS, [hooks[0].number])
    world.record.acknowledge(SERVICE, Topic.SEARCH, [hooks[1].number])
    left = world.record.messages(SERVICE, Topic.WEBHOOKS)
    assert [m.number for m in left] == [hooks[1].number]
    assert len(world.record.messages(SERVICE, Topic.SEARCH)) == len(search)


def test_checkpoints_are_kept_in_order_once(world: World) -> None:
    for size in (9, 2):
        world.record.add_checkpoint(SERVICE, "BANK-A", size, {"size": size, "text": "é"})
    world.record.add_checkpoint(SERVICE, "", 1, {"size": 1})
    kept = ({"size": 2, "text": "é"}, {"size": 9, "text": "é"})
    assert world.record.checkpoints(SERVICE, "BANK-A") == kept
    with pytest.raises(ConflictError):
        world.record.add_checkpoint(SERVICE, "BANK-A", 9, {})
    stranger = scope(tenants={"BANK-B"})
    assert world.record.checkpoints(stranger, "BANK-A") == ()
    with pytest.raises(NotFoundError):
        world.record.add_checkpoint(stranger, "BANK-A", 10, {})


# --- scope

STRANGERS = {
    "another jurisdiction": scope(jurisdictions={"EU"}),
    "another tenant": scope(tenants={"BANK-B"}),
    "another institution": scope("b", Role.INSTITUTION, tenants={"BANK-B"}),
    "no jurisdiction": scope(jurisdictions=set()),
}


@pytest.mark.parametrize("who", list(STRANGERS))
def test_what_is_out_of_scope_is_as_if_it_were_not_there(world: World, who: str) -> None:
    stranger: Scope = STRANGERS[who]
    case = world.one(alert(1, payee__account="ACC-1"))
    calls: list[Callable[[str, str], Any]] = [
        lambda c, a: world.record.case(stranger, c),
        lambda c, a: world.record.timeline(stranger, c),
        lambda c, a: world.record.case_alerts(stranger, c),
        lambda c, a: world.record.related(stranger, c),
        lambda c, a: world.record.file(stranger, c, "0" * 64),
        lambda c, a: world.record.alert(stranger, a),
    ]
    for call in calls:
        said = []
        for case_id, alert_id in ((case.id, alert(1).id), ("C-" + "0" * 20, "0" * 32)):
            with pytest.raises(NotFoundError) as caught:
                call(case_id, alert_id)
            error = caught.value
            said.append((str(error).replace(case_id, "?").replace(alert_id, "?"), error.code))
        assert said[0] == said[1]
    assert world.record.cases(stranger, CaseQuery(open=None)).items == ()
    assert world.record.alerts(stranger).items == ()
    assert world.record.cases_of_alerts(stranger, [alert(1).id]) == ()
    assert reached(world, Reach("subject", "BANK-A|K1", 0, START_US), who=stranger) == []
    with world.record.unit(stranger) as unit:
        assert unit.find(stranger, [case.id]) == {}
        assert unit.first(stranger, CaseQuery()) == ()
        assert unit.alerts(stranger, [alert(1).id]) == []
    with pytest.raises(NotFoundError), world.record.unit(stranger) as unit:
        unit.append(stranger, case.id, case.version, [])


def test_an_institution_never_learns_of_a_suspicion(world: World) -> None:
    bank = scope("b", Role.INSTITUTION, tenants={"BANK-A"})
    secret = world.one(alert(1, kind="suspicion"))
    with pytest.raises(NotFoundError):
        world.record.case(bank, secret.id)
    with pytest.raises(NotFoundError):
        world.record.alert(bank, alert(1).id)
    assert world.record.cases(bank, CaseQuery(open=None)).items == ()
    # A breach in the same case makes the case known, and the suspicion no less unknown.
    world.take(alert(2, kind="breach"))
    assert [case.id for case in world.record.cases(bank, CaseQuery()).items] == [secret.id]
    view = world.service.view(bank, secret.id)
    assert [found["id"] for found in view["alerts"]] == [alert(2).id]
    with pytest.raises(NotFoundError):
        world.record.alert(bank, alert(1).id)


def test_a_case_about_a_stranger_too_is_not_shown_whole(world: World) -> None:
    case = world.one(alert(1, payee__id="P9"))
    with world.record.unit(SERVICE) as unit:
        unit.add_alerts(SERVICE, [alert(2, tenant="BANK-B")])
        both = changed(EntryKind.ALERTS_ADDED, case, tenants=("BANK-A", "BANK-B"), alert_count=2)
        unit.append(SERVICE, case.id, case.version, [both])
        unit.attach(SERVICE, case.id, [alert(2, tenant="BANK-B")])
    with pytest.raises(NotFoundError):
        world.record.case(scope(tenants={"BANK-A"}), case.id)
    assert world.record.case(scope(tenants={"BANK-A", "BANK-B"}), case.id).version == 2
    bank = scope("b", Role.INSTITUTION, tenants={"BANK-B"})
    view = world.service.view(bank, case.id)
    assert [found["id"] for found in view["alerts"]] == [alert(2).id]


# --- what belongs together


def test_related_cases_have_a_key_in_common(world: World) -> None:
    world.take(
        alert(1, subject="K1", payee__account="ACC-1", payee__id="P1"),
        alert(2, subject="K2", payer__account="ACC-1", payee__id="P1"),
        alert(3, subject="K3", payer__id="P1"),
        alert(4, subject="K4"),
    )
    by_key = {case.key: case for case in world.all()}
    related = world.record.related(SERVICE, by_key["BANK-A|K1"].id)
    assert [found.case.key for found in related] == ["BANK-A|K2", "BANK-A|K3"]
    assert related[0].shared == ((KeyKind.ACCOUNT, "ACC-1"), (KeyKind.PARTY, "P1"))
    assert world.record.related(SERVICE, by_key["BANK-A|K4"].id) == ()


def test_files_are_kept_under_their_digest(world: World) -> None:
    content = b"%PDF-1.7 a contract"
    sha256 = hashlib.sha256(content).hexdigest()
    case = world.one()
    after = world.service.add_file(
        WANG, case.id, case.version,
        name="contract.pdf", media_type="application/pdf", content=content, sha256=sha256,
    )  # fmt: skip
    assert after.files[0].size == len(content)
    assert world.record.file(SERVICE, case.id, sha256) == content
    other = world.take(alert(2, subject="K2"))[-1]
    for missing in (case.id, other.id):
        with pytest.raises(NotFoundError):
            world.record.file(SERVICE, missing, "0" * 64)
    stranger = next(c.id for c in world.all() if c.id != case.id)
    with pytest.raises(NotFoundError):
        world.record.file(SERVICE, stranger, sha256)


def test_a_store_that_is_opened_again_has_everything(sql_url: str, clock: ManualClock) -> None:
    first = SqlRecord(sql_url, clock, Salts())
    case = World(first, clock).one()
    entries = first.timeline(SERVICE, case.id)
    first.close()
    second = SqlRecord(sql_url, clock, Salts())
    assert second.case(SERVICE, case.id) == case
    assert second.timeline(SERVICE, case.id) == entries
    second.close()
