"""Naming an alert: by place, by id, or a sample."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from regtech.app.alerts import load_alerts
from regtech.errors import InputError, UsageError

ALERTS = [
    {"id": "aa11", "rule": "cn-1", "jurisdiction": "CN"},
    {"id": "aa22", "rule": "cn-1", "jurisdiction": "CN"},
    {"id": "bb33", "rule": "cn-2", "jurisdiction": "CN"},
    {"id": "cc44", "rule": "eu-1", "jurisdiction": "EU", "explanation": {"en": "a\u2028b"}},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "alerts.ndjson"
    path.write_text("".join(json.dumps(alert, ensure_ascii=False) + "\n" for alert in ALERTS))
    return path


def _ids(found: list[dict[str, object]]) -> list[object]:
    return [alert["id"] for alert in found]


def test_a_file_means_its_first_alert_a_line_or_an_id(file: Path) -> None:
    assert _ids(load_alerts(str(file), file)) == ["aa11"]
    assert _ids(load_alerts(f"{file}:4", file)) == ["cc44"]
    assert _ids(load_alerts(f"{file}#bb33", file)) == ["bb33"]
    assert _ids(load_alerts("bb33", file)) == ["bb33"]
    assert _ids(load_alerts("bb", file)) == ["bb33"]
    assert len(load_alerts(str(file), file, every=True)) == 4


def test_a_sample_goes_round_the_jurisdictions(file: Path) -> None:
    assert _ids(load_alerts(str(file), file, sample=2)) == ["aa11", "cc44"]
    assert _ids(load_alerts(str(file), file, sample=9)) == ["aa11", "cc44", "bb33"]


@pytest.mark.parametrize("reference", ["zz", "aa", "{}:0", "{}:5", "{}#zz"])
def test_what_names_no_single_alert_is_wrong_use(file: Path, reference: str) -> None:
    with pytest.raises(UsageError):
        load_alerts(reference.format(file), file)


@pytest.mark.parametrize("content", ["", "not json\n", "{}\n", "[]\n"])
def test_a_file_without_alerts_is_an_input_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text(content)
    with pytest.raises(InputError):
        load_alerts(str(path), path)


def test_a_sample_prefers_alerts_over_a_few_events(tmp_path: Path) -> None:
    path = tmp_path / "alerts.ndjson"
    counts = {"one": 1, "three": 3, "many": 500}
    path.write_text(
        "".join(
            json.dumps({"id": name, "rule": "r", "jurisdiction": "CN", "event_count": count}) + "\n"
            for name, count in counts.items()
        )
    )
    assert _ids(load_alerts(str(path), path, sample=1)) == ["three"]
