"""The first run on a machine: what a run calls is compiled before it begins."""

from __future__ import annotations

from typing import Any

import pytest

from regtech.app import compiling
from regtech.app.choice import chosen_packs
from regtech.app.compiling import compile_kernels, trial_events
from regtech.app.progress import NoProgress
from regtech.model.fields import EVENT_TYPES
from regtech.reference.load import Reference
from regtech.sandbox.harness import judge_events

PACKS = tuple(chosen_packs(("cn-aml-large-value",), None))


class Told(NoProgress):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_the_events_that_it_is_tried_with_are_of_all_types_and_good() -> None:
    assert {event["type"] for event in trial_events()} == set(EVENT_TYPES)
    assert judge_events(PACKS, trial_events(), Reference.shipped()).rejects == []


def test_a_first_run_says_so_and_a_second_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    monkeypatch.setattr(compiling, "uncompiled", lambda *names: names)
    compile_kernels(PACKS, Reference.shipped(), told)
    assert len(told.notes) == 1 and "once" in told.notes[0]
    monkeypatch.setattr(compiling, "uncompiled", lambda *names: ())
    compile_kernels(PACKS, Reference.shipped(), told)
    assert len(told.notes) == 1


def test_what_no_run_calls_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def none_of(*names: str) -> tuple[str, ...]:
        asked.append(names)
        return ()

    monkeypatch.setattr(compiling, "uncompiled", none_of)
    compile_kernels(PACKS, Reference.shipped(), Told())
    assert asked == [("programs", "motifs")]


def test_compiling_ahead_reads_tables_in_every_way() -> None:
    from regtech.adapters.tables import emit, taking

    compiling._read_tables(judge_events(PACKS, [], Reference.shipped()).engine.judge.plan)
    kernels: list[Any] = [emit.csv_lines, emit.view_lines, taking.take_views]
    assert all(kernel.signatures for kernel in kernels)
