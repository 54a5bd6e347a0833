"""Snapshot and restore between any two pushes: the same bytes of alerts, whatever the batches.

Seeds are few here; ``REGTECH_PROPERTY_SEEDS`` raises their number (``make fuzz``).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.snapshots import read_snapshot, write_snapshot
from regtech.columns.vocabulary import Vocabulary
from regtech.engine.engine import Engine, Summary
from regtech.engine.plan import compile_plan
from regtech.engine.snapshot import capture, fingerprint, restore, vocabularies
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.sandbox.harness import decoder_of, lines
from tests.property.generate.scenario import Scenario, scenario
from tests.property.test_engine import micros, packs_of

SEEDS = range(int(os.environ.get("REGTECH_PROPERTY_SEEDS", "40")) // 4)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


class Run:
    """An engine with its decoder, that can be put away and taken out again."""

    def __init__(self, case: Scenario, packs: list[Pack], reference: Reference) -> None:
        self.case, self.packs, self.reference = case, packs, reference
        self.names = [f"source{k}" for k in range(len(case.sources))]
        self.make(Vocabulary(), Vocabulary())

    def make(self, symbols: Vocabulary, persons: Vocabulary) -> None:
        plan = compile_plan(self.packs, self.reference, symbols)
        self.persons = persons
        self.decoder: NdjsonDecoder = decoder_of(plan, persons)
        self.engine = Engine(
            plan,
            sources=self.names,
            lateness_us=self.case.lateness_seconds * 1_000_000,
            home=self.case.home,
        )

    def restart(self, path: Path) -> None:
        """Through a file and into a new engine."""
        before = fingerprint(self.engine.plan)
        write_snapshot(path, {}, capture(self.engine, self.persons))
        arrays = read_snapshot(path).arrays
        self.make(*vocabularies(arrays))
        assert fingerprint(self.engine.plan) == before
        restore(self.engine, arrays)

    def all(self, batch: int, between: Callable[[], None]) -> tuple[list[bytes], Summary]:
        """Every event, ``batch`` at a time, with ``between`` called between the pushes."""
        alerts = []
        at = [0] * len(self.names)
        while any(a < len(s) for a, s in zip(at, self.case.sources, strict=True)):
            for source, stream in enumerate(self.case.sources):
                part = stream[at[source] : at[source] + batch]
                if not part:
                    continue
                made, _, _ = self.decoder.decode(
                    lines(part), at[source] + 1, self.names[source], source
                )
                alerts += self.engine.push(made)
                at[source] += len(part)
                if at[source] >= len(stream):
                    alerts += self.engine.close_source(source)
                between()
        alerts += self.engine.finish(micros(self.case.until) if self.case.until else None)
        return [alert.canonical() for alert in alerts], self.engine.summary()


def run(seed: int, reference: Reference, batch: int, between: Any = None) -> Any:
    case = scenario(seed)
    made = Run(case, packs_of(case), reference)
    return made.all(batch, (lambda: between(made)) if between else lambda: None)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restart_between_any_two_pushes_changes_nothing(
    seed: int, reference: Reference, tmp_path: Path
) -> None:
    path = tmp_path / "state"
    whole = run(seed, reference, 16)
    assert run(seed, reference, 16, lambda made: made.restart(path)) == whole


@pytest.mark.parametrize("seed", SEEDS)
def test_restarts_now_and_then_and_other_batches_change_no_alert(
    seed: int, reference: Reference, tmp_path: Path
) -> None:
    chance = Random(seed)
    path = tmp_path / "state"

    def sometimes(made: Run) -> None:
        if chance.random() < 0.3:
            made.restart(path)

    whole, _ = run(seed, reference, 1000)
    for batch in (5, 23):
        assert run(seed, reference, batch, sometimes)[0] == whole


def test_the_seeds_are_worth_something(reference: Reference) -> None:
    """State that is hard to keep is there: open duties, held alerts, events in waiting."""
    seen = {"duties": 0, "held": 0, "pending": 0, "raised": 0, "set_aside": 0}

    def count(made: Run) -> None:
        engine = made.engine
        seen["duties"] += len(engine.deadlines.open)
        seen["held"] += len(engine.held)
        seen["pending"] += bool(engine.intake.parts)
        seen["raised"] += len(engine.raised)
        seen["set_aside"] += len(engine.intake.set_aside)

    for seed in SEEDS:
        run(seed, reference, 16, count)
    assert all(seen.values()), seen
