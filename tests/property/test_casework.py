"""Casework under any order of things: nothing is lost, and every store tells the same story."""

from __future__ import annotations

import hashlib
import itertools
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, Gate, Outcome, State
from casework.cases.errors import FourEyesError, VersionConflictError
from casework.cases.lifecycle import MOVES, Move, next_state
from casework.cases.timeline import Entry, EntryKind, replay
from casework.ports import CaseQuery, Record
from casework.service.work import check_file
from casework.stores.memory import MemoryRecord
from casework.stores.sql.record import SqlRecord
from regtech.clock import ManualClock
from regtech.errors import RegtechError
from tests.contract.test_placing import POLICIES
from tests.contract.world import (
    DAY_US,
    SERVICE,
    START_US,
    Salts,
    World,
    alert,
    plain_planner,
    planner_of,
    scope,
)
from tests.support.examples import examples

ALERTS = [
    alert(
        n,
        subject=f"K{n % 3}",
        severity=("low", "medium", "high")[n % 3],
        kind=("breach", "indicator", "suspicion")[n // 3 % 3],
        rule=f"rule-{n % 2}",
        payee__account=f"ACC-{n % 2}",
        day=n % 5,
    )
    for n in range(12)
]
ACTORS = ("wang", "li")

ACTIONS: dict[str, Callable[[World, str, Case, list[Case]], Any]] = {
    "comment": lambda w, who, c, _: w.service.comment(
        scope(who), c.id, c.version, f"{who} on {c.version}"
    ),
    "tag": lambda w, who, c, _: w.service.tag(scope(who), c.id, c.version, add=[who]),
    "untag": lambda w, who, c, _: w.service.tag(scope(who), c.id, c.version, remove=["li"]),
    "assign": lambda w, who, c, _: w.service.assign(scope(who), c.id, c.version, who),
    "claim": lambda w, who, c, _: w.service.claim_next(scope(who)),
    "triage": lambda w, who, c, _: w.service.move(scope(who), c.id, c.version, Move.TRIAGE),
    "escalate": lambda w, who, c, _: w.service.move(
        scope(who), c.id, c.version, Move.ESCALATE, "why"
    ),
    "reopen": lambda w, who, c, _: w.service.move(scope(who), c.id, c.version, Move.REOPEN, "why"),
    "check": lambda w, who, c, _: w.service.check(scope(who), c.id, c.version, "facts"),
    "close": lambda w, who, c, _: w.service.close(
        scope(who), c.id, c.version, Outcome.DATA_ERROR, "why"
    ),
    "ask": lambda w, who, c, _: w.service.ask(
        scope(who), c.id, c.version, Gate.CLOSE, "why", outcome=Outcome.DUPLICATE
    ),
    "override": lambda w, who, c, _: w.service.ask(
        scope(who), c.id, c.version, Gate.OVERRIDE, "why", about="rule-0"
    ),
    "approve": lambda w, who, c, _: w.service.approve(
        scope(who), c.id, c.version, c.requests[0].number if c.requests else 1
    ),
    "refuse": lambda w, who, c, _: w.service.refuse(
        scope(who), c.id, c.version, c.requests[-1].number if c.requests else 1, "why"
    ),
    "snooze": lambda w, who, c, _: w.service.snooze(
        scope(who), c.id, c.version, START_US + 90 * DAY_US, "why"
    ),
    "link": lambda w, who, c, all_: w.service.link(scope(who), c.id, c.version, all_[-1].id),
    "merge": lambda w, who, c, all_: w.service.merge(
        scope(who), c.id, c.version, all_[0].id, all_[0].version, "why"
    ),
    "split": lambda w, who, c, _: w.service.split(
        scope(who),
        c.id,
        c.version,
        [a.id for a in w.record.case_alerts(SERVICE, c.id).items[:1]],
        "why",
    ),
    "share": lambda w, who, c, _: w.service.share(scope(who), c.id, c.version, True, "why"),
    "sweep": lambda w, who, c, _: w.service.sweep(SERVICE),
}

STEP_NAMES = ["look", "look", "look", "take", "later", *ACTIONS]
START = [("wang", "take", 3), ("wang", "look", 0), ("li", "look", 0)]
SEEDS = int(os.environ.get("REGTECH_PROPERTY_SEEDS", "100"))

STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTORS),
        st.sampled_from(STEP_NAMES),
        st.integers(0, 11),
    ),
    min_size=5,
    max_size=80,
)


RULES = ("money", "noisy", "asked", "answered", "rule-0")
LIVELY = [
    alert(
        n, subject=f"K{n % 2}", rule=RULES[n % 5], day=n * 7 % 12, severity=("low", "high")[n % 2]
    )
    for n in range(24)
]
"""Alerts that the policies of ``test_placing`` take from each other, put aside and take back."""


class Desk:
    """Two people, each with the cases as they saw them last, over one store."""

    def __init__(
        self, record: Record, clock: ManualClock, alerts: list[StoredAlert] = ALERTS
    ) -> None:
        planner = plain_planner() if alerts is ALERTS else planner_of(POLICIES)
        self.world, self.clock, self.alerts = World(record, clock, planner), clock, alerts
        self.seen: dict[str, list[Case]] = {who: [] for who in ACTORS}
        self.said: list[str] = []
        self.told: list[str] = []
        self.taken: set[str] = set()

    def step(self, who: str, what: str, number: int) -> None:
        """One step; what became of it goes to ``told``."""
        if what == "take":
            count = len(self.alerts)
            some = [self.alerts[number % count], self.alerts[number * 5 % count]]
            self.world.intake.take(SERVICE, some)
            self.taken.update(a.id for a in some)
        elif what == "look":
            self.seen[who] = self.world.all()
        elif what == "later":
            self.clock.advance(DAY_US)
        elif self.seen[who]:
            cases = self.seen[who]
            case = cases[number % len(cases)]
            try:
                ACTIONS[what](self.world, who, case, cases)
                self.told.append(f"{what} done")
                if what == "comment":
                    self.said.append(f"{who} on {case.version}")
            except RegtechError as error:
                self.told.append(f"{what} {error.code} {error.message}")

    def check(self) -> tuple[list[Case], list[tuple[Entry, ...]]]:
        """Everything that has to hold at any time; gives cases and timelines."""
        record = self.world.record
        cases = self.world.all()
        timelines = [record.timeline(SERVICE, case.id) for case in cases]
        held: set[str] = set()
        comments = []
        for case, entries in zip(cases, timelines, strict=True):
            assert replay(entries) == case
            alerts = record.case_alerts(SERVICE, case.id, limit=1000).items
            assert len(alerts) == case.alert_count
            held.update(found.id for found in alerts)
            if not case.ended:
                assert {found.kind for found in alerts} == set(case.alert_kinds)
            for entry in entries:
                if entry.kind is EntryKind.COMMENTED:
                    comments.append(entry.detail["text"])
                if entry.kind is EntryKind.APPROVED:
                    assert entry.detail["author"] != entry.actor
        held.update(item.alert.id for item in record.asides(SERVICE, limit=1000).items)
        assert held == self.taken, "an alert is neither in a case nor aside"
        assert sorted(comments) == sorted(self.said), "a comment was lost or doubled"
        for name in record.chains(SERVICE):
            log = record.log(SERVICE, name, limit=100_000)
            assert all(entry.intact for entry in log)
            assert all(b.previous == a.hash for a, b in itertools.pairwise(log))
        for case in record.cases(SERVICE, CaseQuery(open=True), limit=1000).items:
            assert case.state not in (State.CLOSED, State.REPORTED)
        return cases, timelines


@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_any_interleaving_loses_nothing_and_stores_agree(
    steps: list[tuple[str, str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Alerts come in while two people act on what they saw before; memory and SQLite agree."""
    folder: Path = tmp_path_factory.mktemp("desk")
    clocks = [ManualClock(START_US), ManualClock(START_US)]
    records: list[Record] = [
        MemoryRecord(clocks[0], Salts()),
        SqlRecord(f"sqlite:///{folder}/cases.db", clocks[1], Salts()),
    ]
    desks = [Desk(record, clock) for record, clock in zip(records, clocks, strict=True)]
    try:
        for step in [*START, *steps]:
            for desk in desks:
                desk.step(*step)
            assert desks[0].told[-1:] == desks[1].told[-1:]
        first, second = (desk.check() for desk in desks)
        assert first == second
        assert records[0].precision(SERVICE) == records[1].precision(SERVICE)
        for case in first[0]:
            assert records[0].related(SERVICE, case.id) == records[1].related(SERVICE, case.id)
    finally:
        for record in records:
            record.close()


@pytest.mark.parametrize("alerts", [ALERTS, LIVELY], ids=["one policy", "many policies"])
def test_long_days_lose_nothing_and_every_action_happens(alerts: list[StoredAlert]) -> None:
    """Long random days: deeper than the search above, and proof that the actions take place."""
    done: set[str] = set()
    for seed in range(SEEDS):
        draw, clock = random.Random(seed), ManualClock(START_US)
        desk = Desk(MemoryRecord(clock, Salts()), clock, alerts)
        for step in START:
            desk.step(*step)
        for _ in range(80):
            who = draw.choice(ACTORS)
            if draw.random() < 0.6:
                desk.step(who, "look", 0)
            desk.step(who, draw.choice(STEP_NAMES), draw.randrange(24))
        desk.check()
        done.update(told for told in desk.told if told.endswith("done"))
        assert not [told for told in desk.told if " internal " in told]
    assert done == {f"{name} done" for name in ACTIONS}


@settings(max_examples=40, deadline=None)
@given(
    order=st.permutations(ALERTS),
    cuts=st.lists(st.integers(0, 12), max_size=4),
    again=st.lists(st.sampled_from(ALERTS), max_size=6),
)
def test_alerts_in_any_order_batches_and_repeats_make_the_same_cases(
    order: list[Any], cuts: list[int], again: list[Any]
) -> None:
    def cases_of(batches: list[list[Any]]) -> list[tuple[Any, ...]]:
        world = World(MemoryRecord(ManualClock(START_US), Salts()), ManualClock(START_US))
        for batch in batches:
            world.intake.take(SERVICE, batch)
        return sorted(
            (
                case.id,
                case.severity,
                case.priority,
                case.due_us,
                case.tenants,
                case.alert_kinds,
                sorted(a.id for a in world.record.case_alerts(SERVICE, case.id).items),
            )
            for case in world.all()
            if not case.withdrawn  # by a policy: an earlier alert makes another case
        )

    given_ = [*order, *again]
    places = sorted({0, len(given_), *cuts})
    batches = [given_[a:b] for a, b in itertools.pairwise(places)]
    assert cases_of(batches) == cases_of([ALERTS])


@given(
    state=st.sampled_from(State),
    move=st.sampled_from(Move),
    severity=st.sampled_from(["info", "low", "medium", "high", "critical", "unheard of"]),
)
def test_the_life_cycle_allows_what_its_table_says_and_nothing_else(
    state: State, move: Move, severity: str
) -> None:
    begins, ends = MOVES[move]
    direct = move is Move.CLOSE and severity in ("high", "critical")
    try:
        assert next_state(state, move, severity) is ends
        assert state in begins and not direct
    except RegtechError as error:
        assert error.code == "transition" and (state not in begins or direct)


@given(author=st.sampled_from(ACTORS), second=st.sampled_from(ACTORS), gate=st.sampled_from(Gate))
def test_who_asks_never_decides(author: str, second: str, gate: Gate) -> None:
    world = World(MemoryRecord(ManualClock(START_US), Salts()), ManualClock(START_US))
    case = world.one(alert(1, severity="high", rule="rule-0"))
    case = world.service.move(scope(author), case.id, case.version, Move.TRIAGE)
    case = world.service.ask(
        scope(author),
        case.id,
        case.version,
        gate,
        "why",
        outcome=Outcome.DATA_ERROR,
        about="rule-0",
    )
    if author == second:
        with pytest.raises(FourEyesError):
            world.service.approve(scope(second), case.id, case.version, case.version)
        assert world.service.get(scope(second), case.id) == case
    else:
        after = world.service.approve(scope(second), case.id, case.version, case.version)
        assert after.requests == () and after.version == case.version + 1
        with pytest.raises(VersionConflictError):
            world.service.approve(scope(second), case.id, case.version, case.version)


@given(content=st.binary(min_size=1, max_size=40), changed=st.binary(min_size=1, max_size=40))
def test_a_file_that_was_changed_on_the_way_is_refused(content: bytes, changed: bytes) -> None:
    sha256 = hashlib.sha256(b"%PDF-" + content).hexdigest()
    check_file("a.pdf", "application/pdf", b"%PDF-" + content, sha256)
    if changed != content:
        with pytest.raises(RegtechError, match="SHA-256"):
            check_file("a.pdf", "application/pdf", b"%PDF-" + changed, sha256)
