"""``regtech motifs``: a ring and a fan in a file, found with their payments; what is no edge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from regtech.cli.main import run


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
FAN = [payment(10 + k, 13, f"P{k}", "M", str(100 + k)) for k in range(45)]


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str


def written(folder: Path, events: list[dict[str, Any]]) -> str:
    source = folder / "events.ndjson"
    source.write_text("".join(json.dumps(event) + "\n" for event in events))
    return source.name


def found_in(folder: Path) -> list[Any]:
    out = folder / "motifs.ndjson"
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


@pytest.fixture
def motifs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Any:
    """The command in this process, in a folder of its own: what it does, without its start."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def command(events: list[dict[str, Any]], *options: str) -> tuple[Done, list[Any]]:
        status = run(["motifs", written(tmp_path, events), *options])
        captured = capfd.readouterr()
        return Done(status, captured.out, captured.err), found_in(tmp_path)

    return command


def test_a_ring_and_a_fan(tmp_path: Path) -> None:
    """By the installed command, in a process of its own."""
    options = (written(tmp_path, [*RING, *FAN]), "--types", "cycle,fan_in", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "regtech.cli.main", "motifs", *options],
        cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ring, fan = found_in(tmp_path)
    assert (ring["type"], ring["step"], ring["accounts"]) == ("cycle", 0, ["A", "B", "C", "D"])
    assert ring["events"] == ["p1", "p2", "p3", "p4"]
    assert ring["span"] == {"from": "2026-03-02T09:00:00Z", "to": "2026-03-02T12:00:00Z"}
    assert [p["amount"] for p in ring["payments"]] == ["1000.00", "990.50", "980.00", "975.00"]
    assert fan["type"] == "fan_in" and fan["measures"] == {"size": 41}
    assert set(fan["accounts"]) == {"M", *(f"P{k}" for k in range(41))}
    summary = json.loads(done.stdout)
    assert summary["motifs"] == {"cycle": 1, "fan_in": 1}
    assert summary["payments"] == 49 and summary["cut"] == {}


def test_what_is_no_ring(motifs: Any) -> None:
    late = [*RING[:2], payment(3, 8, "C", "D", "980"), RING[3]]
    unlike = [*RING[:2], payment(3, 11, "C", "D", "2000"), RING[3]]
    for events in (late, unlike, RING[:3]):
        done, found = motifs(events, "--types", "cycle", "--lateness", "1d")
        assert done.status == 0, done.err
        assert found == []


def test_a_payment_of_two_reporters_is_one_and_cash_is_none(motifs: Any) -> None:
    twice = [{**event, "reference": f"r{k}"} for k, event in enumerate(RING)]
    again = [{**event, "id": f"q{k}", "reporter": "OTHER"} for k, event in enumerate(twice)]
    both = [event for pair in zip(twice, again, strict=True) for event in pair]
    cash = {**payment(20, 13, "A", "B", "5"), "payer": None}
    del cash["payer"]
    done, found = motifs([*both, cash, RING[0] | {"time": "later"}], "--types", "cycle",
                         "--json")  # fmt: skip
    assert done.status == 0, done.err
    summary = json.loads(done.out)
    assert (summary["payments"], summary["again"], summary["other"]) == (4, 4, 1)
    assert summary["quarantined"] == {"bad_time": 1}
    assert len(found) == 1 and len(found[0]["events"]) == 4


def test_a_parameter_can_be_set(motifs: Any) -> None:
    few = ("--types", "fan_in", "--set", "fan_in.least=3", "--set", "fan_in.window=1h")
    _, found = motifs(FAN[:3], *few)
    assert [f["measures"] for f in found] == [{"size": 3}]
    done, _ = motifs(FAN[:3], "--set", "fan_in.payers=3")
    assert done.status == 2 and "least" in done.err
    done, _ = motifs(FAN[:3], "--set", "fan_in=3")
    assert done.status == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--set spliting.least=2", "no motif 'spliting'|did you mean 'splitting'? known: fan_in,"),
        ("--set cycle.windw=30d", "cycle has no parameter 'windw'|did you mean 'window'? known: "),
        # Neither has these been looked at when their type is not looked for.
        ("--types cycle --set splitting.lest=2", "changes nothing|--types splitting"),
        ("--set structuring.lest=2", "structuring has no parameter 'lest'|mean 'least'"),
        ("--set structuring.least=2", "structuring needs limits"),
    ],
)
def test_a_parameter_that_would_change_nothing_is_wrong_use(
    motifs: Any, options: str, said: str
) -> None:
    done, found = motifs(RING, *options.split())
    assert done.status == 2 and found == []
    for text in said.split("|"):
        assert text in done.err, done.err


def test_an_unknown_type_is_wrong_use(motifs: Any) -> None:
    done, _ = motifs(RING, "--types", "spiral")
    assert done.status == 2 and "fan_in" in done.err
