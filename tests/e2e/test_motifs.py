"""``regtech motifs``: a ring and a fan in a file, found with their payments; what is no edge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def payment(
    number: int, hour: int, payer: str, payee: str, amount: str, **more: Any
) -> dict[str, Any]:
    return {
        "id": f"p{number}", "type": "transaction", "time": f"2026-03-02T{hour:02}:00:00Z",
        "reporter": "BANK", "payer": {"id": payer}, "payee": {"id": payee}, "amount": amount,
        "currency": "USD", **more,
    }  # fmt: skip


RING = [
    payment(1, 9, "A", "B", "1000"),
    payment(2, 10, "B", "C", "990.50"),
    payment(3, 11, "C", "D", "980"),
    payment(4, 12, "D", "A", "975"),
]
FAN = [payment(10 + k, 13, f"P{k}", "M", str(100 + k)) for k in range(9)]


@pytest.fixture
def motifs(tmp_path: Path) -> Any:
    def command(events: list[dict[str, Any]], *options: str) -> tuple[Any, list[Any]]:
        source = tmp_path / "events.ndjson"
        source.write_text("".join(json.dumps(event) + "\n" for event in events))
        done = subprocess.run(
            [sys.executable, "-m", "regtech.cli.main", "motifs", source.name, *options],
            cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        out = tmp_path / "motifs.ndjson"
        lines = out.read_text().splitlines() if out.exists() else []
        return done, [json.loads(line) for line in lines]

    return command


def test_a_ring_and_a_fan(motifs: Any) -> None:
    done, found = motifs([*RING, *FAN], "--types", "cycle,fan_in", "--json")
    assert done.returncode == 0, done.stderr
    ring, fan = found
    assert (ring["type"], ring["step"], ring["accounts"]) == ("cycle", 0, ["A", "B", "C", "D"])
    assert ring["events"] == ["p1", "p2", "p3", "p4"]
    assert ring["span"] == {"from": "2026-03-02T09:00:00Z", "to": "2026-03-02T12:00:00Z"}
    assert [p["amount"] for p in ring["payments"]] == ["1000.00", "990.50", "980.00", "975.00"]
    assert fan["type"] == "fan_in" and fan["measures"] == {"size": 8}
    assert set(fan["accounts"]) == {"M", *(f"P{k}" for k in range(8))}
    summary = json.loads(done.stdout)
    assert summary["motifs"] == {"cycle": 1, "fan_in": 1}
    assert summary["payments"] == 13 and summary["cut"] == {}


def test_what_is_no_ring(motifs: Any) -> None:
    late = [*RING[:2], payment(3, 8, "C", "D", "980"), RING[3]]
    unlike = [*RING[:2], payment(3, 11, "C", "D", "2000"), RING[3]]
    for events in (late, unlike, RING[:3]):
        done, found = motifs(events, "--types", "cycle", "--lateness", "1d")
        assert done.returncode == 0, done.stderr
        assert found == []


def test_a_payment_of_two_reporters_is_one_and_cash_is_none(motifs: Any) -> None:
    twice = [{**event, "reference": f"r{k}"} for k, event in enumerate(RING)]
    again = [{**event, "id": f"q{k}", "reporter": "OTHER"} for k, event in enumerate(twice)]
    both = [event for pair in zip(twice, again, strict=True) for event in pair]
    cash = {**payment(20, 13, "A", "B", "5"), "payer": None}
    del cash["payer"]
    done, found = motifs([*both, cash, RING[0] | {"time": "later"}], "--types", "cycle",
                         "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["payments"], summary["again"], summary["other"]) == (4, 4, 1)
    assert summary["quarantined"] == {"bad_time": 1}
    assert len(found) == 1 and len(found[0]["events"]) == 4


def test_an_unknown_type_is_wrong_use(motifs: Any) -> None:
    done, _ = motifs(RING, "--types", "spiral")
    assert done.returncode == 2 and "fan_in" in done.stderr
