"""Events are counted by law, type, reporter and day: the same however they come, never twice."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest

from regtech.columns.vocabulary import Vocabulary
from regtech.engine.engine import Engine
from regtech.engine.eventdays import KEPT_DAYS
from regtech.engine.plan import compile_plan
from regtech.engine.snapshot import capture, restore, vocabularies
from regtech.model.eventday import EventDay, EventKind
from regtech.reference.load import Reference
from regtech.rulelang.files import pack_files
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import require_packs
from regtech.sandbox.harness import decoder_of

CN = EventKind("CN", "transaction")
HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def packs() -> list[Pack]:
    return require_packs([path for path in pack_files() if path.stem == "cn-aml-conduct"])


class Run:
    """An engine with what decodes for it, that can be put away and taken out again."""

    def __init__(self, packs: list[Pack], arrays: dict[str, Any] | None = None) -> None:
        self.packs = packs
        symbols, self.persons = (
            (Vocabulary(), Vocabulary()) if arrays is None else vocabularies(arrays)
        )
        plan = compile_plan(packs, Reference.shipped(), symbols)
        self.decoder = decoder_of(plan, self.persons)
        self.engine = Engine(plan, lateness_us=HOUR_US, home="CN")
        self.engine.judge.event_days.is_told = True
        if arrays is not None:
            restore(self.engine, arrays)

    def push(self, events: list[dict[str, Any]], first: int = 1) -> None:
        lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
        batch, rejects, _ = self.decoder.decode(lines, first, "")
        assert rejects == []
        self.engine.push(batch)

    def again(self) -> Run:
        return Run(self.packs, capture(self.engine, self.persons))

    def counts(self) -> dict[tuple[str, int], int]:
        found = self.engine.judge.event_days.all()
        return {(d.institution, d.day): d.events for d in found if d.kind == CN}


def event(number: int, hour: int, reporter: str = "B1") -> dict[str, Any]:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour, seconds=number % 60)
    return {
        "id": f"e{number}",
        "type": "transaction",
        "time": at.isoformat(),
        "reporter": reporter,
        "payer": {"id": f"c{number % 7}"},
        "payee": {"id": "d"},
        "amount": "10.00",
        "currency": "CNY",
    }


def day_of(hour: int) -> int:
    return 20454 + hour // 24


@pytest.mark.parametrize("seed", range(8))
def test_any_chopping_and_any_restart_count_the_same(packs: list[Pack], seed: int) -> None:
    rng = Random(seed)
    hours = sorted(rng.randrange(24 * 20) for _ in range(600))
    events = [event(k, hour, rng.choice(["B1", "B2", "B3"])) for k, hour in enumerate(hours)]
    wanted = Counter((e["reporter"], day_of(h)) for e, h in zip(events, hours, strict=True))
    run, told = Run(packs), dict[tuple[str, int], int]()
    at, kept, back_to = 0, run.again(), 0
    while at < len(events):
        step = rng.randint(1, 90)
        some = events[at : at + step]
        repeated = events[max(0, at - 5) : at]  # what is sent again is counted once
        rng.shuffle(some)
        run.push([e for e in sorted([*some, *repeated], key=lambda e: e["time"])])
        at += step
        news = run.engine.day_news(exactly=rng.random() < 0.3)
        for day in news.days:
            key = day.institution, day.day
            told[key] = max(told.get(key, 0), day.events)
        if rng.random() < 0.8:
            run.engine.judge.event_days.told(news)
        if rng.random() < 0.2:
            kept, back_to = run.again(), at
        if rng.random() < 0.1:  # a crash: an older snapshot, and the events since once more
            run, at = kept, back_to
            kept = run.again()
    run.engine.finish()
    for day in run.engine.day_news(exactly=True).days:
        told[day.institution, day.day] = max(told.get((day.institution, day.day), 0), day.events)
    assert run.counts() == wanted
    assert told == wanted


def test_of_rules_whose_subject_is_the_event_alone_it_is_told(packs: list[Pack]) -> None:
    run = Run(packs)
    assert run.engine.evaluated
    assert set(run.engine.evaluated).isdisjoint(run.engine.watching())
    assert {kind for kinds in run.engine.evaluated.values() for kind in kinds} == {
        CN,
        EventKind("CN", "action"),
    }


def test_what_hardly_grew_waits_for_the_end_of_its_day(packs: list[Pack]) -> None:
    run = Run(packs)
    days = run.engine.judge.event_days
    run.push([event(k, 1) for k in range(50)])
    run.push([event(50, 5)])
    assert [d.events for d in run.engine.day_news().days] == [50]
    days.told(run.engine.day_news())
    run.push([event(51, 6), event(52, 8)])
    assert run.engine.day_news().days == ()
    assert run.engine.day_news(exactly=True).days == (EventDay(CN, "B1", day_of(0), 52),)
    run.push([event(53, 30), event(54, 33)])
    assert EventDay(CN, "B1", day_of(0), 53) in run.engine.day_news().days


@pytest.mark.parametrize("is_told", [True, False])
def test_days_that_are_long_over_go_once_they_were_told(packs: list[Pack], is_told: bool) -> None:
    run = Run(packs)
    days = run.engine.judge.event_days
    days.is_told = is_told
    number = 0
    for day in range(120):
        run.push([event(number + k, day * 24, f"B{k}") for k in range(20)])
        number += 20
        if is_told and day == 60:
            days.told(run.engine.day_news(exactly=True))
    run.engine.finish()
    held = {day.day - day_of(0) for day in days.all() if day.kind == CN}
    # After the 60th day nobody was told any more: those days wait.
    wanted = range(60, 120) if is_told else range(120 - KEPT_DAYS, 120)
    assert held >= set(wanted) and min(held) > 0


def test_a_store_is_told_again_what_a_snapshot_holds(packs: list[Pack]) -> None:
    run = Run(packs)
    run.push([event(k, 1) for k in range(5)])
    run.engine.finish()
    run.engine.judge.event_days.told(run.engine.day_news(exactly=True))
    assert run.engine.day_news(exactly=True).days == ()
    assert [d.events for d in run.again().engine.day_news().days] == [5]


def test_counts_are_whole_numbers_of_the_machine(packs: list[Pack]) -> None:
    run = Run(packs)
    run.push([event(1, 1)])
    run.engine.finish()
    assert run.engine.day_news().rows.dtype == np.int64
