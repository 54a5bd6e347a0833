"""The engine's state as arrays: complete, compact, and refused where it does not fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from regtech.app.progress import NoProgress
from regtech.app.simulate import simulate_command
from regtech.columns.vocabulary import Vocabulary
from regtech.engine.engine import Engine
from regtech.engine.plan import compile_plan
from regtech.engine.snapshot import Arrays, capture, fingerprint, restore, vocabularies
from regtech.errors import SnapshotError
from regtech.reference.load import Reference
from regtech.rulelang.files import pack_files
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import require_packs
from regtech.sandbox.harness import decoder_of

NAMES = ("cn-aml-large-value", "cn-data-export", "cn-incidents", "cn-related-parties", "us-aml")
STEP = 1500


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


@pytest.fixture(scope="module")
def packs() -> list[Pack]:
    return require_packs([path for path in pack_files() if path.stem in NAMES])


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    path = tmp_path_factory.mktemp("events") / "simulated.ndjson"
    simulate_command(path, events=9000, seed=3, progress=NoProgress())
    return path.read_bytes().splitlines(keepends=True)


def judged(
    packs: list[Pack],
    reference: Reference,
    events: list[bytes],
    restarts: bool,
    step: int = STEP,
) -> tuple[list[bytes], list[Arrays]]:
    """All alerts; with restarts, each push has an engine of its own."""
    symbols, persons = Vocabulary(), Vocabulary()
    alerts, kept = [], []
    arrays: Arrays | None = None
    engine: Engine | None = None
    for start in range(0, len(events), step):
        if engine is None or restarts:
            plan = compile_plan(packs, reference, symbols)
            decoder = decoder_of(plan, persons)
            engine = Engine(plan, sources=["events"], home="CN")
            if arrays is not None:
                restore(engine, arrays)
        batch, rejects, _ = decoder.decode(b"".join(events[start : start + step]), start + 1)
        assert not rejects
        alerts += engine.push(batch)
        if restarts:
            # The copies are all that is left of this engine.
            arrays = {name: array.copy() for name, array in capture(engine, persons).items()}
            kept.append(arrays)
            symbols, persons = vocabularies(arrays)
    assert engine is not None
    return [alert.canonical() for alert in alerts + engine.finish()], kept


def test_every_push_in_an_engine_of_its_own(
    packs: list[Pack], reference: Reference, events: list[bytes]
) -> None:
    whole, _ = judged(packs, reference, events, restarts=False)
    parts, kept = judged(packs, reference, events, restarts=True)
    assert parts == whole and len(whole) > 100
    assert len(kept[-1]["persons.offsets"]) > 100
    tables = [array for name, array in kept[-1].items() if name.endswith(".entries")]
    assert any(len(array) > 256 for array in tables), "no table grew"


def test_logs_that_forget(packs: list[Pack], reference: Reference) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        b'{"id":"%d","type":"transaction","time":"%s","reporter":"B","payee":{"id":"C%d"},'
        b'"channel":"cash","kind":"deposit","amount":"%d","currency":"CNY"}\n'
        % (k, (start + timedelta(minutes=5 * k)).isoformat().encode(), k % 7, 1100 + k % 400)
        for k in range(24_000)
    ]
    chosen = [pack for pack in packs if pack.id == "cn-aml-large-value"]
    whole, _ = judged(chosen, reference, events, restarts=False, step=4000)
    parts, kept = judged(chosen, reference, events, restarts=True, step=4000)
    assert parts == whole and whole
    ends = [array for name, array in kept[-1].items() if name.endswith(".ends")]
    assert any(tail > 1000 for tail, head in ends), "no entry was forgotten"


def test_what_is_written_is_what_is_held(
    packs: list[Pack], reference: Reference, events: list[bytes]
) -> None:
    _, kept = judged(packs, reference, events[: 2 * STEP], restarts=True)
    symbols, persons = vocabularies(kept[-1])
    engine = Engine(compile_plan(packs, reference, symbols), sources=["events"])
    restore(engine, kept[-1])
    again = capture(engine, persons)
    assert list(again) == list(kept[-1])
    for name, array in again.items():
        before = kept[-1][name]
        if name.endswith(".entries"):  # a table's order is its own affair
            array, before = (part[part[:, 0].argsort(kind="stable")] for part in (array, before))
        assert array.shape == before.shape and array.tobytes() == before.tobytes(), name
    held = sum(array.nbytes for array in again.values())
    assert held < engine.judge.state.bytes_held() + 4_000_000


def test_the_fingerprint_is_of_all_that_state_depends_on(
    packs: list[Pack], reference: Reference
) -> None:
    whole = fingerprint(compile_plan(packs, reference))
    assert fingerprint(compile_plan(packs[::-1], reference)) == whole
    assert fingerprint(compile_plan(packs[1:], reference)) != whole
    changed = [replace(packs[0], digest="0" * 64), *packs[1:]]
    assert fingerprint(compile_plan(changed, reference)) != whole
    rehearsed = compile_plan(packs, reference, law_as_of=date(2026, 1, 1))
    assert fingerprint(rehearsed) != whole


def test_a_state_of_other_rules_is_refused(
    packs: list[Pack], reference: Reference, events: list[bytes]
) -> None:
    _, kept = judged(packs, reference, events[:STEP], restarts=True)
    engine = Engine(compile_plan(packs[:1], reference, vocabularies(kept[0])[0]))
    with pytest.raises(SnapshotError, match="does not fit"):
        restore(engine, kept[0])
    engine = Engine(compile_plan(packs, reference, vocabularies(kept[0])[0]))
    del kept[0]["state.facts"]
    with pytest.raises(SnapshotError, match="does not fit"):
        restore(engine, kept[0])


def test_half_a_vocabulary_is_refused() -> None:
    with pytest.raises(SnapshotError):
        vocabularies({"symbols.arena": Vocabulary().export_arrays()["arena"]})
