"""``regtech rules``: the commands around the language."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def test_a_new_rule_passes_lint_and_its_tests(regtech: Command, tmp_path: Path) -> None:
    path = tmp_path / "my-rule.yml"
    assert regtech("rules", "new", "my-rule", "--jurisdiction", "sg", "--out", path).status == 0
    assert regtech("rules", "lint", path).status == 0
    done = regtech("rules", "test", path, "--json")
    assert done.status == 0 and json.loads(done.out)["failed"] == []
    assert '"3999.99"' in path.read_text()
    again = regtech("rules", "new", "my-rule", "--jurisdiction", "sg", "--out", path)
    assert again.status == 2 and "is there already" in again.err


def test_the_tests_of_a_new_rule_notice_every_change(regtech: Command, tmp_path: Path) -> None:
    path = tmp_path / "my-rule.yml"
    regtech("rules", "new", "my-rule", "--jurisdiction", "jp", "--out", path)
    assert '"3999"' in path.read_text()  # yen have no decimals
    done = regtech("rules", "test", path, "--mutate")
    assert done.status == 0 and "0 unnoticed" in done.out


def test_faults_are_shown_with_their_place_and_fail(regtech: Command, tmp_path: Path) -> None:
    path = tmp_path / "my-rule.yml"
    regtech("rules", "new", "my-rule", "--jurisdiction", "SG", "--out", path)
    path.write_text(path.read_text().replace("where: is_cash", "where: is_cahs"))
    done = regtech("rules", "lint", path)
    assert done.status == 1
    assert f"{path}:" in done.out and "did you mean 'is_cash'" in done.out
    faults = json.loads(regtech("rules", "lint", path, "--json").out)["faults"]
    assert faults and {"file", "line", "column", "code"} <= set(faults[0])


def test_a_failing_test_says_what_was_expected_and_got(regtech: Command, tmp_path: Path) -> None:
    path = tmp_path / "my-rule.yml"
    regtech("rules", "new", "my-rule", "--jurisdiction", "SG", "--out", path)
    path.write_text(path.read_text().replace('amount: "4000"', 'amount: "3000"'))
    done = regtech("rules", "test", path)
    assert done.status == 1 and f"{path}:" in done.out and "1 failed" in done.out


def test_format_changes_the_layout_once(regtech: Command, tmp_path: Path) -> None:
    path = tmp_path / "my-rule.yml"
    regtech("rules", "new", "my-rule", "--jurisdiction", "SG", "--out", path)
    path.write_text(path.read_text().replace("version: 0.1.0", "version:   0.1.0   # first"))
    assert regtech("rules", "format", path, "--check").status == 1
    assert regtech("rules", "format", path).status == 0
    assert "version: 0.1.0" in path.read_text() and "# first" in path.read_text()
    assert regtech("rules", "format", path, "--check").status == 0


def test_the_lock_notices_a_change_without_a_new_version(regtech: Command, tmp_path: Path) -> None:
    path = tmp_path / "my-rule.yml"
    regtech("rules", "new", "my-rule", "--jurisdiction", "SG", "--out", path)
    assert regtech("rules", "lock", tmp_path, "--check").status == 1
    assert regtech("rules", "lock", tmp_path).status == 0
    assert regtech("rules", "lock", tmp_path, "--check").status == 0
    text = path.read_text()
    path.write_text(text.replace("severity: low", "severity: high"))
    assert regtech("rules", "lock", tmp_path).status == 1
    path.write_text(path.read_text().replace("version: 0.1.0", "version: 0.2.0"))
    assert regtech("rules", "lock", tmp_path).status == 0


def test_show_prints_the_page_in_both_languages(regtech: Command, tmp_path: Path) -> None:
    path = tmp_path / "my-rule.yml"
    regtech("rules", "new", "my-rule", "--jurisdiction", "SG", "--out", path)
    assert "Title of my-rule" in regtech("rules", "show", path).out
    assert "my-rule 的标题" in regtech("rules", "show", path, "--lang", "zh").out


def test_a_path_that_does_not_exist_is_status_3(regtech: Command, tmp_path: Path) -> None:
    assert regtech("rules", "lint", tmp_path / "none").status == 3
    assert regtech("rules", "lock", tmp_path / "none").status == 3


@pytest.mark.parametrize("words", ["lint", "test", "lock", "lock --check", "format", "coverage"])
def test_a_folder_without_rulepacks_does_not_pass(
    regtech: Command, tmp_path: Path, words: str
) -> None:
    (tmp_path / "notes.txt").write_text("no rules")
    done = regtech("rules", *words.split(), tmp_path)
    assert (done.status, done.out) == (2, ""), done
    assert f"there are no rulepacks in {tmp_path}" in done.err and ".yml" in done.err
    assert not (tmp_path / "rules.lock").exists()


def test_each_of_several_folders_must_hold_a_rulepack(regtech: Command, tmp_path: Path) -> None:
    path = tmp_path / "my-rule.yml"
    regtech("rules", "new", "my-rule", "--jurisdiction", "SG", "--out", path)
    empty = tmp_path / "empty"
    empty.mkdir()
    done = regtech("rules", "lint", path, empty)
    assert done.status == 2 and f"there are no rulepacks in {empty}" in done.err


def test_upcoming_counts_from_the_day_given(regtech: Command, tmp_path: Path) -> None:
    path = tmp_path / "my-rule.yml"
    regtech("rules", "new", "my-rule", "--jurisdiction", "SG", "--out", path)
    text = path.read_text()
    path.write_text(
        text.replace("severity: low}", "severity: low}\n    in_force: {from: 2026-06-01}")
    )
    shown = regtech("rules", "upcoming", path, "--on", "2026-05-31", "--days", 1, "--json")
    assert [change["day"] for change in json.loads(shown.out)] == ["2026-06-01"]
    assert regtech("rules", "upcoming", path, "--on", "2026-06-02").out == "nothing\n"


def test_upcoming_names_the_institutions_by_their_events(regtech: Command, tmp_path: Path) -> None:
    path, events = tmp_path / "my-rule.yml", tmp_path / "events.ndjson"
    regtech("rules", "new", "my-rule", "--jurisdiction", "SG", "--out", path)
    text = path.read_text()
    path.write_text(
        text.replace("severity: low}", "severity: low}\n    in_force: {from: 2026-06-01}")
    )

    def payment(number: int, bank: str) -> str:
        party = {"id": "C1", "institution": bank}
        event = {"id": f"e{number}", "type": "transaction", "time": "2026-01-05T00:00:00Z",
                 "reporter": bank, "amount": "1", "currency": "SGD", "payer": party}  # fmt: skip
        return json.dumps(event) + "\n"

    def bank(name: str, country: str) -> str:
        event = {"id": f"is-{name}", "type": "party", "time": "2026-01-01T00:00:00Z",
                 "reporter": name, "party": {"id": name, "country": country}}  # fmt: skip
        return json.dumps(event) + "\n"

    lines = [bank("B1", "SG"), bank("B2", "SG"), bank("B3", "DE")]
    lines += [payment(k, name) for k, name in enumerate(("B1", "B2", "B2", "B3"))]
    events.write_text("".join(lines))
    shown = regtech("rules", "upcoming", path, "--on", "2026-05-31", "--events", events, "--json")
    expected = [{"id": "B2", "events": 2}, {"id": "B1", "events": 1}]
    assert json.loads(shown.out)[0]["institutions"] == expected
    text = regtech("rules", "upcoming", path, "--on", "2026-05-31", "--events", events).out
    assert "2: B2 (2), B1 (1)" in text
