"""What people can do with cases, by the rules of the house; over memory, one of the stores.

Long because every act on a case is tried in one world, on every store.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, Gate, Outcome, State
from casework.cases.disclosure import Disclosure, disclosure
from casework.cases.errors import FourEyesError, TransitionError, VersionConflictError
from casework.cases.grades import MASK, Grade
from casework.cases.lifecycle import ALLOWED, Action, Move, mermaid
from casework.cases.scope import Role, Scope
from casework.cases.sla import ClockState, warn_before
from casework.cases.timeline import EntryKind, changed
from casework.cases.times import instant_us
from casework.policy.lengths import Length
from casework.ports import CaseQuery, Tally, Topic
from casework.service.cases import CaseService
from casework.service.intake import AlertIntake
from casework.stores.memory import MemoryRecord
from regtech.clock import ManualClock
from regtech.errors import CapacityError, ConflictError, ForbiddenError, NotFoundError, UsageError
from regtech.reference.load import Reference
from tests.contract.world import (
    DAY_US,
    LI,
    PLAIN,
    SERVICE,
    START_US,
    WANG,
    Salts,
    World,
    alert,
    due_dates,
    plain_planner,
    planner_of,
    scope,
)

BANK = scope("bank", Role.INSTITUTION, tenants={"BANK-A"})
AUDITOR = scope("audit", Role.AUDITOR)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_US)


@pytest.fixture
def world(clock: ManualClock) -> World:
    return World(MemoryRecord(clock, Salts()), clock)


def triaged(world: World, *alerts: StoredAlert) -> Case:
    case = world.one(*alerts)
    return world.service.move(WANG, case.id, case.version, Move.TRIAGE)


def kinds(world: World, case: Case) -> list[str]:
    return [entry.kind.value for entry in world.record.timeline(SERVICE, case.id)]


# --- the life of a case


def test_a_case_from_the_first_alert_to_the_end(world: World) -> None:
    case = triaged(world)
    case = world.service.check(WANG, case.id, case.version, "facts")
    case = world.service.check(WANG, case.id, case.version, "law")
    case = world.service.close(WANG, case.id, case.version, Outcome.CONFIRMED, "true")
    assert (case.state, case.outcome, case.closing_reason) == (
        State.CLOSED,
        Outcome.CONFIRMED,
        "true",
    )
    case = world.service.move(WANG, case.id, case.version, Move.REOPEN, "new facts")
    assert (case.state, case.outcome) == (State.REOPENED, None)
    assert world.service.precision(scope("a", Role.AUTHOR)) == ()


def test_the_checklist_comes_before_the_end(world: World) -> None:
    case = triaged(world)
    with pytest.raises(ConflictError, match="facts, law") as caught:
        world.service.close(WANG, case.id, case.version, Outcome.UNFOUNDED, "no")
    assert caught.value.code == "checklist"
    assert world.service.close(WANG, case.id, case.version, Outcome.DATA_ERROR, "typo").ended


@pytest.mark.parametrize("severity", ["high", "critical"])
def test_a_severe_case_takes_two_to_close(world: World, severity: str) -> None:
    case = triaged(world, alert(1, severity=severity))
    with pytest.raises(TransitionError, match="second person"):
        world.service.close(WANG, case.id, case.version, Outcome.DUPLICATE, "why")
    case = world.service.ask(
        WANG, case.id, case.version, Gate.CLOSE, "why", outcome=Outcome.DUPLICATE
    )
    assert case.state is State.AWAITING_APPROVAL
    number = case.requests[0].number
    with pytest.raises(FourEyesError):
        world.service.approve(WANG, case.id, case.version, number)
    closed = world.service.approve(LI, case.id, case.version, number)
    assert (closed.state, closed.outcome, closed.requests) == (
        State.CLOSED,
        Outcome.DUPLICATE,
        (),
    )


def test_a_tick_that_was_taken_back_is_missed_by_the_second_person(world: World) -> None:
    case = triaged(world, alert(1, severity="high"))
    for point in ("facts", "law"):
        case = world.service.check(WANG, case.id, case.version, point)
    ask = world.service.ask
    case = ask(WANG, case.id, case.version, Gate.CLOSE, "why", outcome=Outcome.UNFOUNDED)
    number = case.requests[0].number
    case = world.service.check(WANG, case.id, case.version, "facts", done=False)
    with pytest.raises(ConflictError, match="facts"):
        world.service.approve(LI, case.id, case.version, number)
    case = world.service.check(LI, case.id, case.version, "facts")
    assert world.service.approve(LI, case.id, case.version, number).ended


def test_a_refused_request_goes_back_to_work(world: World) -> None:
    case = triaged(world)
    ask = world.service.ask
    case = ask(WANG, case.id, case.version, Gate.REPORT, "why", outcome=Outcome.DATA_ERROR)
    case = world.service.refuse(LI, case.id, case.version, case.version, "not yet")
    assert (case.state, case.requests, case.outcome) == (State.INVESTIGATION, (), None)


def test_alerts_from_after_the_end_of_a_case_open_another(world: World) -> None:
    case = triaged(world)
    world.service.close(WANG, case.id, case.version, Outcome.DATA_ERROR, "typo")
    assert [p.data_error for p in world.service.precision(WANG)] == [1]
    cases = {found.id: found for found in world.take(alert(2, severity="high", day=9))}
    ended = cases.pop(case.id)
    (another,) = cases.values()
    assert (ended.state, another.state, another.severity) == (State.CLOSED, State.NEW, "high")
    assert [p.data_error for p in world.service.precision(WANG)] == [1]


def test_the_drawing_in_the_docs_is_that_of_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "concepts" / "cases.md"
    assert f"```mermaid\n{mermaid()}\n```" in page.read_text(encoding="utf-8")


# --- who may do what


@pytest.mark.parametrize("role", list(Role))
def test_each_role_does_what_it_is_for_and_no_more(world: World, role: Role) -> None:
    case = triaged(world)
    tenants = {"BANK-A"} if role is Role.INSTITUTION else None
    who = scope("x", role, tenants=tenants)
    tried: dict[Action, Callable[[int], Any]] = {
        Action.WORK: lambda v: world.service.tag(who, case.id, v, add=["t"]),
        Action.ASSIGN: lambda v: world.service.assign(who, case.id, v, "y"),
        Action.SHARE: lambda v: world.service.share(who, case.id, v, True, "why"),
        Action.INTAKE: lambda v: world.intake.take(who, [alert(1)]),
        Action.PRECISION: lambda v: world.service.precision(who),
        Action.UNMASK: lambda v: world.service.unmask(who, case.id, "why", grade=Grade.PERSONAL),
    }
    for action, act in tried.items():
        version = world.record.case(SERVICE, case.id).version
        if role in ALLOWED[action]:
            act(version)
        else:
            with pytest.raises(ForbiddenError):
                act(version)
            assert world.record.case(SERVICE, case.id).version == version


def test_an_institution_without_tenants_and_an_actor_without_a_name_are_refused() -> None:
    with pytest.raises(UsageError):
        Scope("bank", frozenset({Role.INSTITUTION}), None, None)
    with pytest.raises(UsageError):
        Scope("", frozenset({Role.SUPERVISOR}), None, None)


# --- tipping off


@pytest.mark.parametrize(
    ("secret", "kind", "expected"),
    [
        (False, "breach", Disclosure.OPEN),
        (True, "breach", Disclosure.OPEN),
        (True, "suspicion", Disclosure.NEVER),
        (False, "suspicion", Disclosure.NEVER),
        (True, "indicator", Disclosure.NEVER),
        (False, "indicator", Disclosure.DECIDED),
        (True, "never heard of", Disclosure.NEVER),
        (False, "never heard of", Disclosure.DECIDED),
    ],
)
def test_what_may_be_told(secret: bool, kind: str, expected: Disclosure) -> None:
    assert disclosure(secret, kind) is expected


def test_nothing_an_institution_sees_moves_with_what_it_may_not_know(world: World) -> None:
    case = world.one(alert(1))
    before = world.service.view(BANK, case.id)
    listed = world.service.disclosed_list(BANK).items
    case = world.one(alert(2, kind="suspicion", severity="critical"))
    case = world.service.move(WANG, case.id, case.version, Move.TRIAGE)
    case = world.service.comment(WANG, case.id, case.version, "we suspect them")
    case = world.service.move(WANG, case.id, case.version, Move.ESCALATE, "suspicion")
    case = world.service.assign(WANG, case.id, case.version, "li")
    case = world.service.share(WANG, case.id, case.version, True, "the breach")
    assert world.service.view(BANK, case.id) == before
    assert world.service.disclosed_list(BANK).items == listed
    world.service.comment(WANG, case.id, case.version, "please explain", shared=True)
    world.service.comment(BANK, case.id, None, "we will")
    said = world.service.view(BANK, case.id)["messages"]
    assert [(m["by"], m["text"]) for m in said] == [
        ("authority", "please explain"),
        ("BANK-A", "we will"),
    ]


def test_what_one_institution_says_is_not_told_to_another(clock: ManualClock) -> None:
    shared = planner_of(PLAIN.replace("same: [subject, jurisdiction]", "same: [counterparty]"))
    world = World(MemoryRecord(clock, Salts()), clock, shared)
    case = world.one(
        alert(1, counterparty__id="X"), alert(2, tenant="BANK-B", counterparty__id="X")
    )
    world.service.comment(BANK, case.id, None, "our customer told us")
    other = scope("b", Role.INSTITUTION, tenants={"BANK-B"})
    assert world.service.view(other, case.id)["messages"] == []
    assert len(world.service.view(BANK, case.id)["messages"]) == 1


def test_an_indicator_is_shown_once_a_supervisor_decides_so(clock: ManualClock) -> None:
    public = planner_of(PLAIN.replace("secret: true", "secret: false"))
    world = World(MemoryRecord(clock, Salts()), clock, public)
    case = world.one(alert(1, kind="indicator", pack="cn-large-exposures"))
    with pytest.raises(NotFoundError):
        world.service.view(BANK, case.id)
    with pytest.raises(NotFoundError):
        world.service.comment(BANK, case.id, None, "hello")
    world.service.share(WANG, case.id, case.version, True, "they have to act")
    assert len(world.service.view(BANK, case.id)["alerts"]) == 1


def test_every_disclosure_is_on_record(world: World) -> None:
    case = world.one()
    world.service.view(BANK, case.id)
    world.service.disclosed_list(BANK)
    told = [e for e in world.record.log(SERVICE, "BANK-A") if e.kind is EntryKind.DISCLOSED]
    assert [e.actor for e in told] == ["bank", "bank"]
    assert told[0].detail == {"case": case.id, "alerts": [alert(1).id], "to": ["BANK-A"]}
    assert told[1].detail["cases"] == [case.id]


@pytest.mark.parametrize("name", ["get", "timeline", "related"])
def test_an_institution_is_not_given_the_case_itself(world: World, name: str) -> None:
    case = world.one()
    with pytest.raises(ForbiddenError):
        getattr(world.service, name)(BANK, case.id)
    with pytest.raises(ForbiddenError):
        world.service.list(BANK, CaseQuery())


# --- personal data


def test_personal_data_is_masked_by_role_and_unmasking_is_on_record(world: World) -> None:
    facts: dict[str, Any] = {
        "payer__name": "Zhang San",
        "payer__account": "6222",
        "payer__identifiers__national": "1101",
        "persons": ["p1"],
        "name": "net_capital",
        "channel": "cash",
    }
    case = world.one(alert(1, **facts))
    seen = world.service.view(WANG, case.id)["found"][0]["facts"]
    assert (seen["payer.name"], seen["payer.account"], seen["channel"]) == (MASK, "6222", "cash")
    assert seen["payer.identifiers.national"] == seen["persons"] == MASK
    assert seen["name"] == "net_capital"
    operator = world.service.view(scope("op", Role.OPERATOR), case.id)
    assert operator["found"][0]["subject"]["id"] == MASK and operator["subject"]["key"] == MASK
    with pytest.raises(UsageError, match="reason"):
        world.service.unmask(WANG, case.id, "  ", grade=Grade.SENSITIVE)
    clear = world.service.unmask(WANG, case.id, "to call them", grade=Grade.PERSONAL)
    found = clear["found"][0]["facts"]
    assert found["payer.name"] == "Zhang San" and found["payer.identifiers.national"] == MASK
    entry = world.record.log(SERVICE, "BANK-A")[-1]
    assert (entry.kind, entry.reason) == (EntryKind.UNMASKED, "to call them")
    assert entry.detail == {"case": case.id, "alerts": [alert(1).id], "grade": "personal"}


def test_exporting_personal_data_takes_two_and_counts_once(world: World) -> None:
    case = world.one()
    with pytest.raises(FourEyesError):
        world.service.exported(WANG, case.id, what="bundle", personal=True)
    case = world.service.ask(WANG, case.id, case.version, Gate.EXPORT, "court order", about="court")
    number = case.version
    with pytest.raises(FourEyesError):
        world.service.exported(WANG, case.id, what="bundle", personal=True, number=number)
    world.service.approve(LI, case.id, case.version, number)
    # Without personal data it uses up nothing, though it names the approval.
    world.service.exported(AUDITOR, case.id, what="bundle", personal=False, number=number)
    world.service.exported(WANG, case.id, what="bundle", personal=True, number=number)
    with pytest.raises(FourEyesError):
        world.service.exported(WANG, case.id, what="bundle", personal=True, number=number)
    world.service.exported(AUDITOR, case.id, what="bundle", personal=False)
    assert kinds(world, case)[-2:] == ["exported", "exported"]


# --- outcomes


def test_outcomes_become_precision_of_rules(world: World) -> None:
    for n, outcome in enumerate([Outcome.DATA_ERROR, Outcome.DUPLICATE, Outcome.DATA_ERROR]):
        world.take(alert(n, subject=f"K{n}", rule="r1"), alert(100 + n, subject=f"K{n}", rule="r1"))
        case = next(c for c in world.all() if c.key == f"BANK-A|K{n}")
        case = world.service.move(WANG, case.id, case.version, Move.TRIAGE)
        world.service.close(WANG, case.id, case.version, outcome, "why")
    (found,) = world.service.precision(scope("a", Role.AUTHOR))
    assert (found.rule, found.tenant, found.jurisdiction) == ("r1", "BANK-A", "CN")
    assert (found.confirmed, found.unfounded, found.duplicate, found.data_error) == (0, 0, 1, 2)
    assert found.judged == 2
    assert world.service.precision(scope("a", Role.AUTHOR, jurisdictions={"EU"})) == ()


def test_an_overridden_rule_was_wrong_whatever_the_case_was(world: World) -> None:
    case = triaged(world, alert(1, rule="r1"), alert(2, rule="r2"))
    with pytest.raises(UsageError, match="no alert of a rule r9"):
        world.service.ask(WANG, case.id, case.version, Gate.OVERRIDE, "why", about="r9")
    case = world.service.ask(WANG, case.id, case.version, Gate.OVERRIDE, "why", about="r1")
    case = world.service.approve(LI, case.id, case.version, case.version)
    world.service.close(WANG, case.id, case.version, Outcome.DATA_ERROR, "typo")
    found = {p.rule: (p.unfounded, p.data_error) for p in world.service.precision(WANG)}
    assert found == {"r1": (1, 0), "r2": (0, 1)}


# --- claiming, snoozing, clocks


def test_the_most_important_comes_first_and_says_why(world: World) -> None:
    world.take(alert(1, subject="K1", severity="low"), alert(2, subject="K2", severity="critical"))
    claimed = world.service.claim_next(WANG)
    assert claimed is not None
    case, why = claimed
    assert (case.key, case.assignee, case.state) == ("BANK-A|K2", "wang", State.TRIAGE)
    assert "priority 90, critical severity" in why["en"] and "has priority 30" in why["en"]
    assert "优先级 90" in why["zh"]
    again = world.service.claim_next(LI)
    assert again is not None and "nothing else waits" in again[1]["en"]
    assert world.service.claim_next(LI) is None


def test_a_snoozed_case_comes_back_by_itself(world: World, clock: ManualClock) -> None:
    case = world.one()
    with pytest.raises(UsageError, match="later than now"):
        world.service.snooze(WANG, case.id, case.version, START_US, "why")
    world.service.snooze(WANG, case.id, case.version, START_US + DAY_US, "they answer tomorrow")
    assert world.service.claim_next(WANG) is None
    clock.advance(DAY_US)
    assert world.service.claim_next(WANG) is not None


def test_a_snoozed_case_comes_back_when_it_is_overdue(world: World, clock: ManualClock) -> None:
    """Or a severe case could be put away by one person for as long as it takes to be forgotten."""
    case = world.one(alert(1, severity="critical"))
    assert case.due_us is not None
    years = START_US + 30_000 * DAY_US
    world.service.snooze(WANG, case.id, case.version, years, "nobody will ask")
    now = CaseQuery(awake_at_us=case.due_us)
    assert world.service.list(WANG, now).items == ()
    clock.advance(case.due_us + 1 - START_US)
    (back,) = world.service.list(WANG, CaseQuery(awake_at_us=case.due_us + 1)).items
    assert back.id == case.id and world.service.claim_next(WANG) is not None


def test_a_case_without_a_date_cannot_be_put_away_for_good(world: World) -> None:
    case = world.one()
    case = world.service.set_due(WANG, case.id, case.version, None, "none is set by law")
    longest = START_US + 90 * DAY_US
    with pytest.raises(UsageError, match="90 days at most"):
        world.service.snooze(WANG, case.id, case.version, longest + 1, "nobody will ask")
    case = world.service.snooze(WANG, case.id, case.version, longest, "the court sits then")
    assert case.snoozed_until_us == longest
    # Nor by taking the date away afterwards.
    case = world.service.set_due(WANG, case.id, case.version, longest, "prolonged")
    case = world.service.snooze(WANG, case.id, case.version, longest + DAY_US, "they answer then")
    with pytest.raises(UsageError, match="90 days at most"):
        world.service.set_due(WANG, case.id, case.version, None, "none after all")


def test_the_clock_counts_working_days_and_tells_once(clock: ManualClock) -> None:
    soon = planner_of(PLAIN.replace("10 working days", "3 working days"))
    world = World(MemoryRecord(clock, Salts()), clock, soon)
    case = world.one(alert(1, severity="high", day=3))  # Thursday: three days on is Tuesday
    assert case.due_us == START_US + 9 * DAY_US - 9 * 3_600_000_000 - 1  # midnight in Shanghai
    assert world.service.clock_of(case).working_days == 6
    assert world.service.sweep(SERVICE) == 0
    clock.advance(7 * DAY_US)  # Monday
    assert world.service.clock_of(case).state is ClockState.WARNING
    assert (world.service.sweep(SERVICE), world.service.sweep(SERVICE)) == (1, 0)
    clock.advance(3 * DAY_US)
    reading = world.service.clock_of(case)
    assert (reading.state, reading.working_days) == (ClockState.OVERDUE, -2)
    assert (world.service.sweep(SERVICE), world.service.sweep(SERVICE)) == (1, 0)
    assert kinds(world, case) == ["opened", "clock_told", "clock_told"]
    told = [m.body["kind"] for m in world.record.messages(SERVICE, Topic.WEBHOOKS)]
    assert told == ["opened", "clock_told", "clock_told"]
    case = world.record.case(SERVICE, case.id)
    later = world.service.set_due(
        WANG, case.id, case.version, clock.now_us() + 30 * DAY_US, "prolonged"
    )
    assert later.clock_told == "" and world.service.clock_of(later).state is ClockState.RUNNING


def test_working_days_are_those_of_the_jurisdiction() -> None:
    china = Reference.shipped().profile("CN")
    # 2025-09-30 is a Tuesday; 1 to 8 October are off; Saturday 11 October is worked in exchange.
    start = 1_759_190_400_000_000  # 2025-09-30T08:00+08:00
    _, due = due_dates().due_of_sla(start, Length(3, "working_days"), "CN")
    end = 1_760_198_400_000_000  # the end of Saturday 2025-10-11 in Shanghai
    assert due == end
    assert warn_before(china, end - 1) == end - 2 * DAY_US


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-03-02T01:00:00.000001+00:00", START_US + 1),
        ("2026-03-02T09:00:00.5+08:00", START_US + 500_000),
        ("2026-03-01T20:30:00-04:30", START_US),
        ("0000-12-31T10:00:00Z", -62_135_596_800_000_000 - 14 * 3_600_000_000),
    ],
)
def test_times_of_alerts_are_exact(text: str, expected: int) -> None:
    assert instant_us(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-02T01:00:00",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-03-02T24:00:00Z",
        "soon",
    ],
)
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        instant_us(text)


def test_alerts_at_the_edges_of_time_become_cases(clock: ManualClock) -> None:
    reference = Reference.shipped()
    record = MemoryRecord(clock, Salts())
    intake = AlertIntake(record, clock, reference, plain_planner())
    for number, time in enumerate(["0000-12-31T10:00:00Z", "9999-12-31T23:59:59.999999Z"]):
        body = {**alert(number, subject=f"K{number}").body(), "time": time}
        raw = json.dumps(body, separators=(",", ":")).encode()
        assert intake.take(SERVICE, [StoredAlert.of(raw)]).placed.opened == 1
    service = CaseService(record, clock, reference, intake.themes)
    shown = [service.summary(WANG, case) for case in record.cases(SERVICE, CaseQuery()).items]
    assert len(shown) == 2


# --- together


def test_merging_moves_every_alert_and_later_ones_follow(world: World) -> None:
    world.take(alert(1, subject="K1"), alert(2, subject="K2"))
    by_key = {case.key: case for case in world.all()}
    source, target = by_key["BANK-A|K1"], by_key["BANK-A|K2"]
    after = world.service.merge(
        WANG, source.id, source.version, target.id, target.version, "same person"
    )
    gone = world.record.case(SERVICE, source.id)
    assert (gone.state, gone.merged_into, gone.alert_count) == (State.CLOSED, target.id, 0)
    assert after.alert_count == 2
    world.take(alert(3, subject="K1"))
    assert world.record.case(SERVICE, target.id).alert_count == 3
    held = [a.id for a in world.record.case_alerts(SERVICE, target.id).items]
    assert held == [alert(n).id for n in (2, 1, 3)]
    now = world.record.case(SERVICE, source.id).version
    with pytest.raises(TransitionError, match="was merged"):
        world.service.move(WANG, source.id, now, Move.REOPEN, "why")


def test_cases_of_two_jurisdictions_are_not_merged(world: World) -> None:
    world.take(alert(1, subject="K1"), alert(2, subject="K1", jurisdiction="EU"))
    one, other = world.all()
    with pytest.raises(TransitionError, match="can be linked"):
        world.service.merge(WANG, one.id, one.version, other.id, other.version, "why")
    linked = world.service.link(WANG, one.id, one.version, other.id)
    assert [x.case for x in linked.links] == [other.id]
    assert [x.case for x in world.record.case(SERVICE, other.id).links] == [one.id]


def test_splitting_leaves_the_rest_and_a_policy_does_not_bring_it_back(world: World) -> None:
    case = world.one(alert(1), alert(2, severity="high"), alert(3))
    new = world.service.split(WANG, case.id, case.version, [alert(2).id], "another matter")
    rest = world.record.case(SERVICE, case.id)
    assert (new.alert_count, new.severity, new.state) == (1, "high", State.NEW)
    assert (rest.alert_count, rest.severity) == (2, "medium")
    world.take(alert(2), alert(4))
    assert world.record.case(SERVICE, case.id).alert_count == 3
    assert world.record.case(SERVICE, new.id).alert_count == 1
    with pytest.raises(UsageError, match="not all"):
        world.service.split(WANG, new.id, new.version, [alert(2).id], "why")


def test_a_case_that_is_about_one_institution_alone_again_is_seen_by_its_supervisor(
    world: World,
) -> None:
    own = scope("eva", tenants={"BANK-A"})
    case = world.one(alert(1, subject="P"), alert(2, subject="P"))
    with world.record.unit(SERVICE) as unit:  # as a policy does it that groups by counterparty
        entry = changed(EntryKind.REVISED, case, tenants=("BANK-A", "BANK-B"))
        case = unit.append(SERVICE, case.id, case.version, [entry])
    assert world.record.cases(own, CaseQuery()).items == ()
    rest = world.service.split(WANG, case.id, case.version, [alert(2).id], "another matter")
    found = world.record.cases(own, CaseQuery()).items
    assert {c.id for c in found} == {case.id, rest.id}
    assert world.record.cases(scope("bo", tenants={"BANK-B"}), CaseQuery()).items == ()
    assert world.record.tally(WANG, CaseQuery(), Tally.TENANT) == {"BANK-A": 2}


def test_bulk_says_what_became_of_each(world: World) -> None:
    world.take(*(alert(n, subject=f"K{n}") for n in range(3)))
    cases = world.all()
    items = [(case.id, case.version) for case in cases]
    items[1] = (items[1][0], 99)
    done = world.service.bulk(
        WANG, items, lambda i, seen: world.service.assign(WANG, i, seen, "li")
    )
    assert [d.error is None for d in done] == [True, False, True]
    assert isinstance(done[1].error, VersionConflictError)
    assert [c.assignee for c in world.all()].count("li") == 2


# --- files

PDF = b"%PDF-1.7"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": "../etc/passwd"}, UsageError),
        ({"name": ""}, UsageError),
        ({"name": "picture\u202egpj.exe"}, UsageError),
        ({"name": "a\u2066b.pdf"}, UsageError),
        ({"name": "a\r\nb.pdf"}, UsageError),
        ({"name": "a\ud800.pdf"}, UsageError),
        ({"media_type": "text/html"}, UsageError),
        ({"media_type": "image/png"}, UsageError),
        ({"content": b""}, UsageError),
        ({"content": b"%PDF-" + b"x" * (25 * 1024 * 1024)}, CapacityError),
        ({"sha256": "0" * 64}, UsageError),
        ({"media_type": "text/plain", "content": b"\xff"}, UsageError),
    ],
)
def test_files_that_are_not_what_they_say(
    world: World, change: dict[str, Any], error: type[Exception]
) -> None:
    case = world.one()
    good: dict[str, Any] = {
        "name": "a.pdf",
        "media_type": "application/pdf",
        "content": PDF,
        "sha256": hashlib.sha256(PDF).hexdigest(),
    }
    with pytest.raises(error):
        world.service.add_file(WANG, case.id, case.version, **{**good, **change})
    assert world.record.case(SERVICE, case.id) == case


def test_an_institution_that_hands_in_what_is_there_already_is_on_record(world: World) -> None:
    """The bytes are kept once; that it gave them, and when, is evidence of its own."""
    case = world.one()
    file: dict[str, Any] = {
        "name": "合同 a.pdf",
        "media_type": "application/pdf",
        "content": PDF,
        "sha256": hashlib.sha256(PDF).hexdigest(),
    }
    case = world.service.add_file(WANG, case.id, case.version, **file)
    assert world.service.view(BANK, case.id)["messages"] == []
    for _ in range(2):
        world.service.add_file(BANK, case.id, None, **file)
        (said,) = world.service.view(BANK, case.id)["messages"]
        assert (said["by"], said["name"]) == ("BANK-A", "合同 a.pdf")
    now = world.record.case(SERVICE, case.id)
    shared = {**file, "shared": True}
    now = world.service.add_file(WANG, case.id, now.version, **shared)
    assert [m["by"] for m in world.service.view(BANK, case.id)["messages"]] == [
        "BANK-A",
        "authority",
    ]
    assert len(now.files) == 1
