"""``regtech score`` over simulated laundering: trained on the past, reasons, labels in time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from detectors.anomaly import supervised
from regtech.app.laundering import simulate_laundering
from regtech.app.options import parse_moment
from regtech.app.outcomes import read_outcomes
from regtech.app.paymenttable import read_payments
from regtech.app.scoring import score_command
from regtech.clock import ManualClock
from regtech.errors import InputError

UNTIL = "2026-05-01"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("score") / "p.ndjson"
    simulate_laundering(path, events=6000, seed=2, share_per_mille=30)
    return path


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of the trees for what holds of any model; some tests train as they ship."""
    monkeypatch.setattr(supervised, "TAUGHT", {**supervised.TAUGHT, "rounds": 60})


def score(made: Path, out: Path, **more: Any) -> dict[str, object]:
    return score_command([str(made)], until_us=parse_moment(UNTIL), out=out, **more)


def test_later_payments_are_scored_with_reasons(made: Path, tmp_path: Path) -> None:
    summary = score(made, tmp_path / "s.parquet", settle_days=7)
    frame = pl.read_parquet(tmp_path / "s.parquet")
    later = {}
    for line in made.read_text().splitlines():
        record = json.loads(line)
        later[record["id"]] = parse_moment(record["time"]) >= parse_moment(UNTIL)
    assert set(frame["id"]) == {event for event, is_later in later.items() if is_later}
    assert frame["score"].is_finite().all() and min(map(len, frame["reasons"].to_list())) >= 1
    assert summary["scored"] == len(frame) and "measured" not in summary
    assert 0 < frame["alert"].sum() < 0.03 * len(frame)
    top = frame.sort("score", descending=True)["reasons"][0]
    assert len(top) == 3 and all("usually" in text for text in top)


@pytest.mark.usefixtures("few_rounds")
def test_training_again_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    one = score(made, tmp_path / "s.parquet", settle_days=7)
    two = score(made, tmp_path / "t.parquet", settle_days=7)
    assert (tmp_path / "s.parquet").read_bytes() == (tmp_path / "t.parquet").read_bytes()
    assert two["trained"] == one["trained"]


@pytest.mark.usefixtures("few_rounds")
def test_what_comes_later_changes_no_score_that_has_settled(made: Path, tmp_path: Path) -> None:
    score(made, tmp_path / "whole.parquet", settle_days=3)
    lines = made.read_text().splitlines()
    end = parse_moment("2026-06-10")
    early = [line for line in lines if parse_moment(json.loads(line)["time"]) < end]
    cut = tmp_path / "cut.ndjson"
    cut.write_text("\n".join(early) + "\n")
    score(cut, tmp_path / "cut.parquet", settle_days=3)
    one, two = (
        pl.read_parquet(tmp_path / "whole.parquet"),
        pl.read_parquet(tmp_path / "cut.parquet"),
    )
    settled = parse_moment("2026-06-07")
    final = [
        json.loads(line)["id"]
        for line in early
        if parse_moment(UNTIL) <= parse_moment(json.loads(line)["time"]) < settled
    ]
    both = one.join(two, on="id", suffix="_cut").filter(pl.col("id").is_in(final))
    assert len(both) == len(final) > 300
    assert both["score"].to_list() == both["score_cut"].to_list()


@pytest.mark.usefixtures("few_rounds")
def test_outcomes_teach_only_once_they_are_known(made: Path, tmp_path: Path) -> None:
    labels = made.with_name(made.name + ".labels.ndjson")
    summary = score(made, tmp_path / "s.parquet", labels=labels, settle_days=7)
    trained, measured = summary["trained"], summary["measured"]
    assert isinstance(trained, dict) and isinstance(measured, dict)
    assert trained["supervised"] and trained["cases"] >= 60
    assert measured["supervised"]["pr_auc"] > 0.05 and measured["by_kind"]
    frame = pl.read_parquet(tmp_path / "s.parquet")
    assert frame["supervised"].to_list() == frame["score"].to_list()
    assert frame["score"].is_between(0, 1).all() and (frame["unsupervised"] >= 0).all()

    late = tmp_path / "late.ndjson"
    late.write_text(
        "".join(
            json.dumps({**json.loads(line), "known": "2026-06-20T00:00:00Z"}) + "\n"
            for line in labels.read_text().splitlines()
        )
    )
    told = score(made, tmp_path / "t.parquet", labels=late, settle_days=7)["trained"]
    assert isinstance(told, dict)
    assert not told["supervised"] and told["cases"] == 0
    assert told["labels_not_yet_known"] == trained["cases"] + 0 or told["labels_not_yet_known"] > 60


def test_outcomes_are_read_in_all_their_forms(made: Path, tmp_path: Path) -> None:
    table = read_payments([str(made)])
    (tmp_path / "o.csv").write_text(
        "id,label,typology,decided\nP000000003,1,fan_in,2026-03-01\nP000000004,0,,\nnone,1,,\n"
    )
    found = read_outcomes(tmp_path / "o.csv", table)
    place = {event: k for k, event in enumerate(table.ids)}
    assert found.said[place["P000000003"]] == 1 and found.kinds == ["fan_in"]
    assert found.known_us[place["P000000003"]] == parse_moment("2026-03-01")
    assert found.said[place["P000000004"]] == 0 and found.said[place["P000000005"]] == -1
    assert found.unmatched == 1 and not found.closed
    frame = pl.DataFrame({"id": ["P000000003"], "is_laundering": [True]})
    frame.write_parquet(tmp_path / "o.parquet")
    assert read_outcomes(tmp_path / "o.parquet", table).said.sum() == 1
    (tmp_path / "bad.csv").write_text("id,label\nP000000003,perhaps\n")
    with pytest.raises(InputError, match="bad.csv:2: label is 'perhaps'"):
        read_outcomes(tmp_path / "bad.csv", table)
    (tmp_path / "other.csv").write_text("name,value\na,1\n")
    with pytest.raises(InputError, match="no id or no outcome"):
        read_outcomes(tmp_path / "other.csv", table)


def test_an_id_that_two_banks_use_is_learned_from_only_where_it_is_said_whose(
    tmp_path: Path,
) -> None:
    def payment(reporter: str, number: int) -> str:
        event = {
            "id": "1", "type": "transaction", "reporter": reporter, "amount": "10",
            "time": f"2026-03-0{number}T00:00:00Z", "currency": "EUR",
            "payer": {"id": f"P{number}"}, "payee": {"id": "Q"},
        }  # fmt: skip
        return json.dumps(event) + "\n"

    events = tmp_path / "events.ndjson"
    events.write_text(payment("B1", 1) + payment("B2", 2))
    table = read_payments([str(events)])

    def said(rows: str) -> tuple[list[int], int, int]:
        (tmp_path / "o.csv").write_text(rows)
        found = read_outcomes(tmp_path / "o.csv", table)
        return found.said.tolist(), found.ambiguous, found.unmatched

    assert said("id,label\n1,1\n2,0\n") == ([-1, -1], 1, 1)
    assert said("id,label,institution\n1,1,B2\n1,0,B1\n") == ([0, 1], 0, 0)
    assert said("id,label,institution\n1,0,B3\n") == ([-1, -1], 1, 0)
    assert said("id,label,reporter\n1,0,B1\n") == ([0, -1], 0, 0)


def test_a_payment_that_two_banks_report_is_one(made: Path, tmp_path: Path) -> None:
    lines = made.read_text().splitlines()[:1000]
    twice = []
    for line in lines:
        twice.append(line)
        record = json.loads(line)
        if "payer" in record and "payee" in record:
            if record["payer"]["institution"] != record["payee"]["institution"]:
                other = record["payee"]["institution"]
                twice.append(json.dumps({**record, "id": "X" + record["id"], "reporter": other}))
    (tmp_path / "twice.ndjson").write_text("\n".join(twice + twice[:10]) + "\n")
    table = read_payments([str(tmp_path / "twice.ndjson")])
    assert len(table) == len(twice) + 10
    assert (table.same_as == np.arange(len(table))).sum() == len(lines)


def test_too_little_to_train_on_is_said(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too few to train on"):
        score_command([str(made)], until_us=parse_moment("2026-01-02"), out=tmp_path / "s.parquet")
    (tmp_path / "none.ndjson").write_text('{"id":"1"}\n')
    with pytest.raises(InputError, match="no transaction"):
        read_payments([str(tmp_path / "none.ndjson")])


@pytest.mark.usefixtures("few_rounds")
def test_models_are_kept_promoted_scored_and_rolled_back(made: Path, tmp_path: Path) -> None:
    from regtech.app.models import Models
    from regtech.errors import NotFoundError

    folder, ticking = tmp_path / "models", ManualClock(1_000_000)
    first = score(made, tmp_path / "a.parquet", models=folder, by="ann", settle_days=7)
    second = score(made, tmp_path / "b.parquet", models=folder, by="ann", seed=2, settle_days=7)
    models = Models(folder, ticking)
    with pytest.raises(NotFoundError, match="no model has been promoted"):
        score_command([str(made)], until_us=None, models=folder, out=tmp_path / "c.parquet")
    for person in ("ann", "bo"):
        models.promote(str(first["version"]), person, "measured")
    told = score_command([str(made)], until_us=None, models=folder, out=tmp_path / "c.parquet")
    one, kept = pl.read_parquet(tmp_path / "a.parquet"), pl.read_parquet(tmp_path / "c.parquet")
    assert told["version"] == first["version"]
    assert one["score"].to_list() == kept["score"].to_list()
    shadow = pl.read_parquet(tmp_path / "c.shadow.parquet")
    assert shadow["version"].unique().to_list() == [second["version"]]
    other = pl.read_parquet(tmp_path / "b.parquet")
    assert shadow["score"].to_list() == other["score"].to_list()

    for person in ("bo", "cy"):
        models.promote(str(second["version"]), person, "better")
    assert models.champion() == second["version"]
    assert models.rollback("ann", "too many alerts") == {
        "rolled_back": second["version"], "champion": first["version"],
    }  # fmt: skip
    roles = {row["version"]: row["role"] for row in models.listed()}
    assert roles == {first["version"]: "champion", second["version"]: "challenger"}


@pytest.mark.usefixtures("few_rounds")
def test_what_no_longer_looks_like_training_is_a_finding(made: Path, tmp_path: Path) -> None:
    lines = []
    for line in made.read_text().splitlines():
        record = json.loads(line)
        if parse_moment(record["time"]) >= parse_moment(UNTIL):
            record["channel"] = "metal"
        lines.append(json.dumps(record))
    (tmp_path / "moved.ndjson").write_text("\n".join(lines) + "\n")
    score(tmp_path / "moved.ndjson", tmp_path / "s.parquet", settle_days=0)
    found = (tmp_path / "s.parquet.drift.ndjson").read_text().splitlines()
    names = [json.loads(line)["name"] for line in found]
    assert "channel_surprise" in names
