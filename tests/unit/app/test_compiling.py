"""The first run on a machine: what a run calls is compiled before it begins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regtech.app import compiling
from regtech.app.choice import chosen_packs
from regtech.app.compiling import compile_kernels, trial_events
from regtech.content import content_root
from regtech.model.fields import EVENT_TYPES
from regtech.reference.load import Reference
from regtech.sandbox.harness import judge_events

CONTENT = content_root("rules") / "sg"
PACKS = tuple(chosen_packs(("cn-aml-large-value",), None))


def test_the_events_that_it_is_tried_with_are_of_all_types_and_good() -> None:
    assert {event["type"] for event in trial_events()} == set(EVENT_TYPES)
    assert judge_events(PACKS, trial_events(), Reference.shipped()).rejects == []


@pytest.mark.parametrize(
    "words", [("rules", "test", "PACK"), ("match", "--pairs", "pairs.csv", "--out", "scores.csv")]
)
def test_a_first_command_says_that_it_compiles_and_a_second_says_nothing(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Where numba would compile: a kernel of its own stands for those that take a minute."""
    (tmp_path / "pairs.csv").write_text("left,right\nIvan Petrov,Iwan Petrow\n")
    code = f"""
import sys
from regtech.columns.jit import kernel
import regtech.app.names, regtech.app.rules

def late(number):
    return number + 1

late.__code__ = late.__code__.replace(co_filename={str(tmp_path / "late.py")!r})
compiled = kernel(late)
for module, name in ((regtech.app.names, "match_command"), (regtech.app.rules, "test_rules")):
    def first(*words, _then=getattr(module, name), **more):
        compiled(1), compiled(1.0)
        return _then(*words, **more)
    setattr(module, name, first)
from regtech.cli.main import run
sys.exit(run({[str(CONTENT) if word == "PACK" else word for word in words]!r}))
"""
    (tmp_path / "late.py").write_text("def late(number):\n    return number + 1\n")
    said = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ).stderr
        for _ in range(2)
    ]  # fmt: skip
    assert said[0].count("compiling for this machine, once") == 1, said
    assert said[1] == ""


def test_what_no_run_calls_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def none_of(*names: str) -> tuple[str, ...]:
        asked.append(names)
        return ()

    monkeypatch.setattr(compiling, "uncompiled", none_of)
    compile_kernels(PACKS, Reference.shipped())
    assert asked == [("programs", "motifs")]


def test_compiling_ahead_reads_tables_in_every_way() -> None:
    from regtech.adapters.tables import emit, taking

    compiling._read_tables(judge_events(PACKS, [], Reference.shipped()).engine.judge.plan)
    kernels: list[Any] = [emit.csv_lines, emit.view_lines, taking.take_views]
    assert all(kernel.signatures for kernel in kernels)


def test_a_server_with_lists_compiles_before_the_first_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a fresh machine; where there is code in the cache nothing is called."""
    from detectors.names import scoring

    kernels = [one for one in vars(scoring).values() if hasattr(one, "signatures")]
    assert kernels
    asked: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(compiling, "_screen_a_text", lambda: asked.append("a text"))
        patch.setattr(compiling, "uncompiled", lambda *names: ())
        compiling.compile_screening()
        assert asked == []
        patch.setattr(compiling, "uncompiled", lambda *names: names)
        compiling.compile_screening()
        assert asked == ["a text"]
    compiling._screen_a_text()
    assert any(one.signatures for one in kernels)
