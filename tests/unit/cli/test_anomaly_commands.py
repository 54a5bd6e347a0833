"""``regtech score`` and ``regtech models`` as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detectors.anomaly import supervised

Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of the trees: what is typed and told is the same with any number."""
    monkeypatch.setattr(supervised, "TAUGHT", {**supervised.TAUGHT, "rounds": 60})


def test_scoring_keeping_and_promoting_from_the_command_line(
    regtech: Command, tmp_path: Path
) -> None:
    events, out, folder = tmp_path / "p.ndjson", tmp_path / "s.parquet", tmp_path / "models"
    regtech("simulate", events, "--scenario", "laundering", "--events", 3000, "--seed", 1)
    done = regtech(
        "score", events, "--train-until", "2026-05-01", "--out", out, "--models", folder,
        "--by", "ann", "--labels", f"{events}.labels.ndjson", "--lang", "zh",
    )  # fmt: skip
    assert done.status == 0 and "no supervised model: too few cases" in done.out
    listed = json.loads(regtech("models", "list", "--models", folder, "--json").out)
    version = listed[0]["version"]
    assert listed[0]["role"] == "challenger" and listed[0]["author"] == "ann"
    where = ("--models", folder, "--reason", "measured")
    first = regtech("models", "promote", version, "--by", "ann", *where)
    assert first.status == 0 and "a second person has to" in first.out
    again = regtech("models", "promote", version, "--by", "ann", *where)
    assert again.status != 0 and "has approved" in again.err
    second = regtech("models", "promote", version, "--by", "bo", *where)
    assert f"{version} decides from now on" in second.out
    assert "champion" in regtech("models", "list", "--models", folder).out
    kept = regtech("score", events, "--models", folder, "--out", out, "--json")
    assert json.loads(kept.out)["version"] == version
    back = regtech("models", "rollback", "--by", "bo", *where)
    assert back.status != 0 and "no champion to go back to" in back.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("e.ndjson",), "say --train-until, or --models"),
        (("e.ndjson", "--train-until", "soon"), "not a time"),
        (("e.ndjson", "--train-until", "2026-05-01", "--out", "s.csv"), "end it in .parquet"),
        (("e.ndjson", "--train-until", "2026-05-01", "--without", "luck"), "leans on 'luck'"),
        (("none.ndjson", "--train-until", "2026-05-01"), "none.ndjson"),
    ],
)
def test_wrong_use_says_what_to_do(regtech: Command, words: tuple[str, ...], said: str) -> None:
    done = regtech("score", *words)
    assert done.status in (2, 3) and said in done.err


def test_training_up_to_the_end_leaves_nothing_to_score(regtech: Command, tmp_path: Path) -> None:
    events, out = tmp_path / "p.ndjson", tmp_path / "s.parquet"
    regtech("simulate", events, "--scenario", "laundering", "--events", 3000, "--seed", 1)
    done = regtech("score", events, "--train-until", "2036-05-01", "--out", out)
    assert done.status == 3 and "no payment is from 2036-05-01" in done.err
    assert "--train-until" in done.err and not out.exists()
    # Kept for later it is trained on, though all payments lie in what would be the burn-in.
    kept = regtech(
        "score", events, "--train-until", "2036-05-01", "--out", out, "--models", tmp_path / "m"
    )
    assert kept.status == 0, kept.err


def test_no_models_are_no_fault(regtech: Command, tmp_path: Path) -> None:
    done = regtech("models", "list", "--models", tmp_path / "none")
    assert done.status == 0 and "there are no models" in done.out
