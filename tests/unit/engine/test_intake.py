"""Events that wait for earlier ones: the answer does not depend on how they came in."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from regtech.columns.vocabulary import Vocabulary
from regtech.engine.engine import Engine
from regtech.engine.intake import Intake
from regtech.engine.plan import compile_plan
from regtech.reference.load import Reference
from regtech.rulelang.files import pack_files
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import require_packs
from regtech.sandbox.harness import decoder_of, judge_events, lines

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATENESS = timedelta(minutes=10)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


@pytest.fixture(scope="module")
def packs() -> list[Pack]:
    return require_packs([path for path in pack_files() if path.stem == "cn-aml-large-value"])


@pytest.fixture(scope="module")
def shuffled() -> list[dict[str, Any]]:
    """A payment a second, some of the same second, each out of place by up to five minutes."""
    draw = random.Random(5)
    made = [
        {
            "id": f"e{k}",
            "type": "transaction",
            "time": (START + timedelta(seconds=k - k % 3)).isoformat(),
            "reporter": "B",
            "payee": {"id": f"C{k % 40}"},
            "channel": "cash",
            "kind": "deposit",
            "amount": str(900 + k % 700),
            "currency": "CNY",
        }
        for k in range(3000)
    ]
    return [made[k] for k in sorted(range(3000), key=lambda k: k + draw.randrange(300))]


@pytest.fixture(params=["spread", "packed"])
def waits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether waiting blocks keep all columns, or all but those that hold nothing."""
    if request.param == "packed":
        monkeypatch.setattr("regtech.engine.intake.SPREAD_MAX", 0)
        monkeypatch.setattr("regtech.engine.intake.WORTH_PACKING", 1)
    return str(request.param)


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("batch", [1, 7, 100, 1000])
def test_many_parts_waiting_answer_as_one_batch(
    packs: list[Pack], reference: Reference, shuffled: list[dict[str, Any]], batch: int
) -> None:
    whole = judge_events(packs, shuffled, reference)
    parts = judge_events(packs, shuffled, reference, batch=batch)
    assert not whole.rejects and len(whole.alerts) > 20
    assert [a.canonical() for a in parts.alerts] == [a.canonical() for a in whole.alerts]
    assert parts.engine.summary() == whole.engine.summary()


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("batch", [7, 100, 1000])
def test_events_of_one_instant_that_come_in_many_parts_go_on_in_pieces(
    packs: list[Pack],
    reference: Reference,
    shuffled: list[dict[str, Any]],
    batch: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing can be judged before all have come, and no block has room for them."""
    given = [{**event, "time": START.isoformat()} for event in shuffled]
    given += [given[3], {**given[5], "amount": "1"}]
    whole = judge_events(packs, given, reference)
    monkeypatch.setattr("regtech.engine.intake.PIECE_EVENTS", 256)
    parts = judge_events(packs, given, reference, batch=batch)
    assert len(whole.alerts) > 20
    assert [a.canonical() for a in parts.alerts] == [a.canonical() for a in whole.alerts]
    assert parts.engine.summary() == whole.engine.summary()
    assert (parts.engine.intake.repeats, parts.engine.intake.conflicts) == (1, 1)

    plan = compile_plan(packs, reference)
    engine = Engine(plan, lateness_us=int(LATENESS.total_seconds()) * 1_000_000)
    decoder = decoder_of(plan, Vocabulary())
    for at in range(0, len(given), batch):
        engine.push(decoder.decode(lines(given[at : at + batch]), at + 1)[0])
    engine.intake.close(0)
    assert [events.count for events in engine.ready()] == [256] * 11 + [184]


@pytest.mark.usefixtures("waits")
def test_waiting_events_are_kept_in_few_parts(
    packs: list[Pack], reference: Reference, shuffled: list[dict[str, Any]]
) -> None:
    plan = compile_plan(packs, reference)
    engine = Engine(plan, lateness_us=int(LATENESS.total_seconds()) * 1_000_000)
    decoder = decoder_of(plan, Vocabulary())
    most = 0
    for k, event in enumerate(shuffled):
        engine.push(decoder.decode(lines([event]), k + 1)[0])
        most = max(most, len(engine.intake.parts))
        assert _waiting(engine.intake) == k + 1 - engine.events
    assert 200 < most <= 257
    assert _waiting(engine.intake) > 500


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("batch", [1, 2, 5, 100])
def test_late_twins_are_told_apart_whatever_waits(
    packs: list[Pack], reference: Reference, shuffled: list[dict[str, Any]], batch: int
) -> None:
    """Repeats, conflicts and late events among what is held back count the same in any pieces."""
    start, late = shuffled[:400], []
    for k, event in enumerate(start[:60]):
        if k % 3 == 0:
            late.append(dict(event))
        elif k % 3 == 1:
            late.append({**event, "amount": "1"})
        else:
            late.append({**event, "id": f"new{k}"})
    jump = {**shuffled[-1], "id": "jump", "time": (START + timedelta(hours=5)).isoformat()}
    given = [*start, jump, *late]
    plan = compile_plan(packs, reference)
    engine = Engine(plan, lateness_us=int(LATENESS.total_seconds()) * 1_000_000)
    decoder = decoder_of(plan, Vocabulary())
    for at in range(0, len(given), batch):
        engine.push(decoder.decode(lines(given[at : at + batch]), at + 1)[0])
    engine.finish()
    found = engine.summary()
    assert (found.repeats, found.conflicts, found.late) == (20, 20, 20)
    codes = sorted(event.code for event in engine.set_aside())
    assert codes == ["conflict"] * 20 + ["late"] * 20


def test_a_snapshot_holds_what_waits_with_all_its_columns(
    packs: list[Pack], reference: Reference, shuffled: list[dict[str, Any]], waits: str
) -> None:
    plan = compile_plan(packs, reference)
    decoder = decoder_of(plan, Vocabulary())
    engine = Engine(plan, lateness_us=int(LATENESS.total_seconds()) * 1_000_000)
    for at in range(0, 900, 300):
        engine.push(decoder.decode(lines(shuffled[at : at + 300]), at + 1)[0])
    whole = [part.kept is None for part in engine.intake.parts]
    assert whole == [waits == "spread"] * len(whole) and len(whole) > 1
    kept = engine.intake.pending()
    assert kept is not None and kept.count == _waiting(engine.intake) > 400
    columns = engine.intake.columns
    assert len(kept.columns) == len(columns.index)
    decoded = decoder.decode(lines(shuffled[:900]), 1)[0]
    places = np.searchsorted(decoded.line, np.sort(kept.line))
    expected = decoded.columns[: len(columns.decoded()), places]
    assert (kept.columns[: len(expected), np.argsort(kept.line)] == expected).all()


def _waiting(intake: Intake) -> int:
    return sum(len(part.places) for part in intake.parts)
