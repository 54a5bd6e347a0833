"""What people see at the end of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regtech.app.summary import RuleCount, RunSummary
from regtech.cli.backup import _text as backup_text
from regtech.cli.casetext import export_text
from regtech.cli.console import shortened, table
from regtech.cli.report import run_report

SUMMARY = RunSummary(
    events=1000,
    judged=990,
    repeats=3,
    conflicts=0,
    late=2,
    outside=0,
    ungoverned=0,
    quarantined={"bad_time": 4, "columns": 1},
    alerts=7,
    digest="d" * 64,
    rules=(
        RuleCount("CN", "p", "cn-1", {"en": "Cash", "zh": "现金"}, "high", 7, 12345),
        RuleCount("CN", "p", "cn-silent", {"en": "Silent", "zh": "无"}, "high", 0, 0),
    ),
    seconds=2.0,
    out="a.ndjson",
    quarantine="q.ndjson",
)


def test_the_report_accounts_for_everything() -> None:
    said = run_report(SUMMARY, "en")
    for text in (
        "1,000 events, 990 judged, 3 repeats, 2 late, 5 quarantined",
        "2.0 s, 500 events/s",
        "quarantined in q.ndjson: bad_time 4, columns 1",
        "7 alerts in a.ndjson",
        "digest " + "d" * 64,
    ):
        assert text in said
    assert "cn-1" in said and "12,345" in said
    assert "cn-silent" not in said and "conflicts" not in said


def test_the_report_speaks_chinese_where_the_rules_do() -> None:
    assert "现金" in run_report(SUMMARY, "zh")


def test_what_nobody_governs_is_said() -> None:
    assert "--home" in run_report(replace(SUMMARY, ungoverned=5), "en")


def test_columns_line_up_with_wide_characters() -> None:
    lines = table(["a", "b"], [["现金", "1"], ["x", "22"]], right=" r").splitlines()
    assert lines == ["a      b", "现金   1", "x     22"]


@pytest.mark.parametrize(
    ("text", "places", "said"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("现金收支", 5, "现金…")]
)
def test_long_texts_are_cut_by_their_places(text: str, places: int, said: str) -> None:
    assert shortened(text, places) == said


def test_one_is_told_as_one() -> None:
    store = {
        "new": 1, "repeated": 0, "conflicts": [], "cases_opened": 1, "cases_changed": 0,
        "cases_merged": 0, "cases_withdrawn": 0, "aside": {}, "brake_cannot_tell": ["cn-1"],
        "url": "sqlite:///cases.db",
    }  # fmt: skip
    near = ({"rule": "cn-1", "near": 1},)
    said = run_report(replace(SUMMARY, events=1, alerts=1, near=near, store=store), "en")
    for text in ("1 event,", "1 alert in", "1 near miss of 1 rule\n", "1 new alert,", "1 case "):
        assert text in said
    assert "of 1 rule (see" in said


def test_of_exports_backups_and_scores_one_is_told_as_one_too() -> None:
    done = {
        "out": "b.json", "entries": 1, "alerts": 1, "events": 1, "rules": 1, "withheld": 1,
        "missing_events": 1, "without_text": [], "key": "0",
    }  # fmt: skip
    said = export_text(done, "en")
    assert "1 entry, 1 alert, 1 event, 1 rule, 1 value withheld" in said
    assert "1 event behind the alerts is not in it" in said
    found = {
        "backup": "a", "digest": "0", "rows": {"alerts": 1}, "data": {"x": 5}, "log": {"": 1},
        "made": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    said = backup_text(found, "restored", "en")
    assert "1 row of the record\n1 file of events, 5 B\n1 entry of the log, every hash" in said
    assert "1 条日志，哈希全部相符" in backup_text(found, "restored", "zh")
    assert "keys are those of 2026-03-02T09:00:00Z" in said and "regtech keys list" in said
    assert "2026-03-02T09:00:00Z 时的状态" in backup_text(found, "restored", "zh")
    assert "keys list" not in backup_text(found, "whole", "en")
