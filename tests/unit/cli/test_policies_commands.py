"""``regtech policies``: the commands around policies."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casework.policy.testcases import written_alert
from regtech.content import content_root

Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def plain_matcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTECH_MATCHER", "python")


def drafts(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    shutil.copytree(content_root("policies"), folder)
    return folder


def alerts(tmp_path: Path) -> Path:
    path = tmp_path / "alerts.ndjson"
    money = {"rule": "cn-lvtr-0501", "pack": "cn-aml-large-value", "kind": "report", "near": True}
    data = {"rule": "cn-xb-sa-1m", "pack": "cn-data-export", "kind": "breach", "per": "exporter"}
    some: list[dict[str, Any]] = [
        {"id": "m", "time": "2026-03-02T01:00:00Z", "subject": "C1", "institution": "B1", **money},
        {"id": "d", "time": "2026-03-03T01:00:00Z", "subject": "E1", "institution": "B2", **data},
        {"id": "s", "time": "2026-03-03T01:00:00Z", "subject": "C2", "rule": "ty-mule"},
    ]
    path.write_text("".join(json.dumps(written_alert(item)) + "\n" for item in some))
    return path


def test_what_ships_is_faultless_and_passes(regtech: Command) -> None:
    assert regtech("policies", "lint").status == 0
    done = regtech("policies", "test", "--json")
    assert done.status == 0 and json.loads(done.out)["failed"] == []
    assert json.loads(done.out)["tests"] >= 16


def test_faults_are_shown_with_their_place_and_fail(regtech: Command, tmp_path: Path) -> None:
    folder = drafts(tmp_path)
    core = folder / "core.yml"
    core.write_text(core.read_text().replace("theme: data-export", "theme: data-exprot"))
    done = regtech("policies", "lint", folder)
    assert done.status == 1
    assert f"{core}:" in done.out and "did you mean 'data-export'" in done.out
    faults = json.loads(regtech("policies", "lint", folder, "--json").out)["faults"]
    assert faults and {"file", "line", "column", "code"} <= set(faults[0])
    refused = regtech("policies", "dry-run", alerts(tmp_path), "--policies", folder)
    assert refused.status == 1 and "PL301" in refused.err


def test_a_failing_test_says_what_was_expected(regtech: Command, tmp_path: Path) -> None:
    folder = drafts(tmp_path)
    core = folder / "core.yml"
    core.write_text(core.read_text().replace("within: 30d", "within: 29d"))
    done = regtech("policies", "test", folder, "--policy", "money-and-data")
    assert done.status == 1 and "1 failed" in done.out
    assert "expected a case of d1, m1, m2" in done.out and f"{core}:" in done.out
    unknown = regtech("policies", "test", "--policy", "nothing")
    assert unknown.status == 2


def test_show_prints_a_page_in_both_languages(regtech: Command) -> None:
    assert "with the same: group" in regtech("policies", "show", "money-and-data").out
    assert "集团" in regtech("policies", "show", "money-and-data", "--lang", "zh").out
    wrong = regtech("policies", "show", "money-and-dat")
    assert wrong.status == 2 and "did you mean 'money-and-data'" in wrong.err


def test_schema_is_a_document(regtech: Command) -> None:
    assert json.loads(regtech("policies", "schema").out)["title"] == "Policies"


def test_a_dry_run_shows_cases_and_needs_the_parties_for_groups(
    regtech: Command, tmp_path: Path
) -> None:
    file = alerts(tmp_path)
    alone = json.loads(regtech("policies", "dry-run", file, "--json").out)
    assert alone["by_policy"] == {
        "near-miss-alone": {"cases": 0, "alerts": 0, "aside": 1},
        "subject-and-theme": {"cases": 2, "alerts": 2, "aside": 0},
    }
    parties = tmp_path / "events.ndjson"
    party = [{"type": "party", "party": {"id": p, "group": "G1"}} for p in ("C1", "E1")]
    parties.write_text("".join(json.dumps(item) + "\n" for item in party))
    done = regtech("policies", "dry-run", file, "--parties", parties, "--json")
    found = json.loads(done.out)
    assert found["by_policy"]["money-and-data"] == {"cases": 1, "alerts": 2, "aside": 0}
    assert found["by_queue"] == {"complex": 1, "general": 1}
    assert found["brake_cannot_tell"] and found["matcher"]["engine"] == "python"
    page = regtech("policies", "dry-run", file, "--parties", parties).out
    assert "money-and-data" in page and "3 alerts: 2 cases, 0 aside" in page


def test_a_dry_run_brakes_by_the_number_that_is_watched(regtech: Command, tmp_path: Path) -> None:
    file = tmp_path / "many.ndjson"
    some: list[dict[str, Any]] = [
        {"id": f"a{i}", "time": "2026-03-02T01:00:00Z", "rule": "ty-mule", "subject": f"C{i}"}
        for i in range(6)
    ]
    file.write_text("".join(json.dumps(written_alert(item)) + "\n" for item in some))
    few = json.loads(regtech("policies", "dry-run", file, "--watched", "29", "--json").out)
    assert few["braked"] == {"ty-mule": 6} and few["cases"] == 0 and few["aside"] == 6
    many = json.loads(regtech("policies", "dry-run", file, "--watched", "30", "--json").out)
    assert many["braked"] == {} and many["cases"] == 6


def test_records_that_are_no_alerts_are_named(regtech: Command, tmp_path: Path) -> None:
    file = alerts(tmp_path)
    with file.open("a") as out:
        out.write("not json\n[]\n{}\n" + "[" * 100_000 + "\n")
    done = regtech("policies", "dry-run", file, "--json")
    found = json.loads(done.out)
    assert done.status == 1 and found["alerts"] == 3 and len(found["unreadable"]) == 4
    assert f"{file}:4: not JSON" in found["unreadable"]
    assert regtech("policies", "dry-run", tmp_path / "nothing").status == 3


@pytest.mark.parametrize("word", ["lint", "test"])
def test_a_folder_without_policies_does_not_pass(
    regtech: Command, tmp_path: Path, word: str
) -> None:
    done = regtech("policies", word, tmp_path)
    assert (done.status, done.out) == (2, "")
    assert f"there are no policies in {tmp_path}" in done.err
