"""Simulated input: the same seed gives the same bytes, in order of time, usable as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from regtech.app.decoding import checking_decoder
from regtech.model.fields import EVENT_TYPES
from regtech.sandbox.simulate.background import background

Command = Callable[..., Any]


def _lines(events: int, seed: int) -> list[str]:
    return [line for piece in background(events, seed) for line in piece.lines]


def test_the_same_seed_gives_the_same_events_and_another_gives_others() -> None:
    assert _lines(500, 3) == _lines(500, 3)
    assert _lines(500, 3) != _lines(500, 4)


@pytest.mark.parametrize("events", [1, 19, 20, 21, 1000])
def test_there_are_as_many_as_asked_for(events: int) -> None:
    assert len(_lines(events, 1)) == events


def test_events_are_in_order_of_time_with_ids_of_their_own() -> None:
    records = [json.loads(line) for line in _lines(5000, 1)]
    times = [datetime.fromisoformat(record["time"]) for record in records]
    assert times == sorted(times)
    assert len({(record["reporter"], record["id"]) for record in records}) == 5000


def test_all_types_occur_and_most_are_payments() -> None:
    records = [json.loads(line) for line in _lines(20000, 1)]
    kinds = [record["type"] for record in records]
    assert set(kinds) == set(EVENT_TYPES)
    assert 0.55 < kinds.count("transaction") / len(kinds) < 0.75


def test_nothing_is_quarantined() -> None:
    _, rejects, _ = checking_decoder().decode("\n".join(_lines(5000, 2)).encode())
    assert rejects == []


def test_planted_cases_carry_labels_that_name_their_events(
    regtech: Command, tmp_path: Path
) -> None:
    out = tmp_path / "e.ndjson"
    done = regtech("simulate", out, "--events", 2000, "--seed", 1, "--json")
    assert done.status == 0 and done.err == ""
    summary = json.loads(done.out)
    keys = set()
    for line in out.read_text().splitlines():
        record = json.loads(line)
        keys.add((record["reporter"], record["id"]))
    labels = [json.loads(line) for line in Path(summary["labels"]).read_text().splitlines()]
    assert len(labels) == summary["planted"] > 100
    assert {label["expected"] for label in labels} == {"alert", "none"}
    for label in labels:
        assert all((event["reporter"], event["id"]) in keys for event in label["events"])
    # Two institutions lend to one borrower: the policy about several has something to find.
    shared = [label for label in labels if label.get("shared")]
    assert len(shared) >= 2 and {label["expected"] for label in shared} == {"alert"}
    lent: dict[str, set[str]] = {}
    for line in out.read_text().splitlines():
        event = json.loads(line)
        if "counterparty" in event:
            lent.setdefault(event["counterparty"]["id"], set()).add(event["reporter"])
    assert sum(len(reporters) == 2 for reporters in lent.values()) >= len(shared) // 2


@pytest.mark.parametrize("suffix", ["ndjson", "ndjson.gz", "ndjson.zst", "csv", "parquet"])
def test_every_format_is_written_and_read_again(
    regtech: Command, tmp_path: Path, suffix: str
) -> None:
    from regtech.adapters.sources import describe_source, read_events

    out = tmp_path / f"e.{suffix}"
    arguments = ["simulate", out, "--events", 300, "--seed", 1, "--no-planted", "--json"]
    first = json.loads(regtech(*arguments).out)
    again = json.loads(regtech(*arguments).out)
    assert first["sha256"] == again["sha256"]
    pieces = list(read_events(describe_source(str(out)), checking_decoder()))
    assert sum(piece.batch.count for piece in pieces if piece.batch is not None) == 300


def test_an_output_that_cannot_be_written_is_status_3(regtech: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = regtech(
        "simulate", tmp_path / "file" / "e.ndjson", "--events", 1, "--seed", 1, "--no-planted"
    )
    assert done.status == 3 and "could not be written" in done.err


def test_laundering_is_simulated_and_audited(regtech: Command, tmp_path: Path) -> None:
    out = tmp_path / "p.parquet"
    done = regtech(
        "simulate", out, "--scenario", "laundering", "--events", 20000, "--seed", 3,
        "--share", 10, "--audit", "--json",
    )  # fmt: skip
    summary = json.loads(done.out)
    assert done.status == 0 and summary["events"] == 20000
    assert all(one["either_way"] <= summary["limit"] for one in summary["audit"])
    labels = Path(summary["labels"]).read_text().splitlines()
    assert len(labels) == summary["planted"] and json.loads(labels[0])["typology"]
    text = regtech(
        "simulate", tmp_path / "tiny.csv", "--scenario", "laundering", "--events", 300,
        "--seed", 4, "--audit",
    )  # fmt: skip
    assert text.status == 1 and "beyond 0.70 in either direction" in text.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--scenario", "weather"), "no scenario 'weather'"),
        (("--audit",), "go with --scenario laundering"),
        (("--scenario", "laundering", "--share", 400), "from 0 to 250 in a thousand"),
        (("--scenario", "laundering", "--patterns", "none.txt"), "none.txt"),
    ],
)
def test_wrong_use_of_scenarios(
    regtech: Command, tmp_path: Path, more: tuple[object, ...], said: str
) -> None:
    done = regtech("simulate", tmp_path / "e.ndjson", "--events", 10, "--seed", 1, *more)
    assert done.status in (2, 3) and said in done.err
