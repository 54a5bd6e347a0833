"""``regtech owners``: the answer on a terminal and for machines, and what is said of bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

SAMPLES = Path(__file__).resolve().parents[1] / "adapters_io" / "bods_samples"


def _event(number: int, owner: Any, owned: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": f"o{number}",
        "type": "ownership",
        "time": "2026-01-05T09:00:00Z",
        "reporter": "REG",
        "owner": owner,
        "owned": owned,
        "interest": "shares",
        **more,
    }


EVENTS = [
    _event(1, {"id": "H", "kind": "entity"}, {"id": "X", "kind": "entity"}, share="0.6"),
    _event(2, {"id": "P", "kind": "person"}, "H", share="0.5"),
    _event(3, {"id": "Q", "kind": "person"}, "H", share="0.5"),
    _event(4, {"id": "P", "kind": "person"}, "X", share="0.2"),
    _event(5, {"id": "L", "kind": "entity", "flags": ["listed"]}, "X", share="0.2"),
    _event(6, {"id": "P", "kind": "person"}, "H", share="0.1", time="2026-06-01T09:00:00Z"),
]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "ownership.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in EVENTS), encoding="utf-8")
    return path


def _asked(regtech: Command, *arguments: object) -> dict[str, Any]:
    done = regtech("owners", *arguments, "--json")
    assert done.status == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_shares_are_multiplied_and_added_as_of_the_moment(regtech: Command, events: Path) -> None:
    before = _asked(regtech, "X", events, "--at", "2026-06-01T08:59:59+00:00")
    assert [(o["party"], o["share"]["low"]) for o in before["owners"]] == [
        ("P", "0.5"),
        ("Q", "0.3"),
    ]
    assert before["further"] == "not_met"
    after = _asked(regtech, "X", events, "--at", "2026-06-01T09:00:00+00:00")
    assert [(o["party"], o["share"]["low"]) for o in after["owners"]] == [
        ("Q", "0.3"),
        ("P", "0.26"),
    ]
    assert after["missing"][0] == {
        "party": "H",
        "code": "rest",
        "part": "0.24",
        "owner": None,
        "text": {"en": "the owners of this part are not reported", "zh": "该部分的所有人未申报"},
    }


def test_the_threshold_is_compared_as_the_law_says(regtech: Command, events: Path) -> None:
    day = ("--at", "2026-01-06", "--threshold", "30%")
    assert len(_asked(regtech, "X", events, *day)["owners"]) == 2
    above = _asked(regtech, "X", events, *day, "--comparator", "above")
    assert [o["party"] for o in above["owners"]] == ["P"]
    assert [o["party"] for o in above["below"]] == ["Q"]


def test_chains_stop_at_listed_companies(regtech: Command, events: Path) -> None:
    found = _asked(regtech, "X", events, "--at", "2026-01-06")
    assert [(s["party"], s["share"]["low"]) for s in found["stops"]] == [("L", "0.2")]
    through = _asked(regtech, "X", events, "--at", "2026-01-06", "--through-listed")
    assert through["stops"] == []
    assert ("L", "no_owner", "0.2") in [
        (m["party"], m["code"], m["part"]) for m in through["missing"]
    ]


@pytest.mark.parametrize(("lang", "words"), [("en", "owners of X"), ("zh", "所有人： X")])
def test_a_person_reads_chains(regtech: Command, events: Path, lang: str, words: str) -> None:
    done = regtech("owners", "X", events, "--at", "2026-01-06", "--lang", lang)
    assert done.status == 0
    assert words in done.out
    assert "X ← H (60 %) ← P (50 %) = 30 %" in done.out


def test_bad_records_are_counted_and_written(
    regtech: Command, events: Path, tmp_path: Path
) -> None:
    bad = [
        _event(7, "P", "X", share="-0.1"),
        _event(8, "P", "X", share="0.2", time="2026-01-05T09:00:00"),
        _event(1, "P", "X", share="0.9"),
        _event(9, "P", "X", share="1.5", interest="votes"),
        _event(10, "P", "X", share="0.5", **{"from": "2026-02-01", "until": "2026-01-01"}),
    ]
    with events.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in bad)
    kept = tmp_path / "bad.ndjson"
    found = _asked(regtech, "X", events, "--at", "2026-01-06", "--quarantine", kept)
    assert found["read"]["rejected"] == {"missing_offset": 1, "negative": 1}
    assert found["read"]["conflicts"] == 1
    codes = [finding["code"] for finding in found["read"]["findings"]]
    assert sorted(codes) == ["period_reversed", "share_above_whole"]
    assert [json.loads(line)["line"] for line in kept.read_text().splitlines()] == [7, 8]
    assert [o["party"] for o in found["owners"]] == ["P", "Q"]


def test_a_party_that_nobody_names(regtech: Command, events: Path) -> None:
    done = regtech("owners", "NOBODY", events)
    assert done.status == 2
    assert "no ownership event names 'NOBODY'" in done.err


@pytest.mark.parametrize(
    "arguments",
    [("--threshold", "0"), ("--threshold", "a quarter"), ("--comparator", "=="), ("--at", "June")],
)
def test_wrong_use(regtech: Command, events: Path, arguments: tuple[str, str]) -> None:
    assert regtech("owners", "X", events, *arguments).status == 2


@pytest.mark.parametrize(
    ("sample", "entity", "owners"),
    [
        ("bods-package", "c359f58d2977", {"10478c6cf6de": "1"}),
        ("full-pep-declaration", "a7b3bd81d8ba", {"9bcdcc85e803": "0.25"}),
        ("indirect-ownership", "ad3f6c2fcc9e", {"c25d4d612c2c": "0.3"}),
        ("joint-ownership", "31c55e425764", {"1accb8b18b99": "0.5", "f040df24d9ec": "0.5"}),
        ("mixed-direct-and-indirect-ownership", "9bfe59b6a869", {"53508b65253f": "1"}),
        ("multiple-indirect-ownership", "63e3a8a8946f", {"92ebf964a1f6": "0.6"}),
        ("nomination", "104AB1984C", {"101AB1984F": "0"}),
    ],
)
def test_bods_samples(regtech: Command, sample: str, entity: str, owners: dict[str, str]) -> None:
    found = _asked(regtech, entity, SAMPLES / f"{sample}.json", "--at", "2024-01-01")
    assert {o["party"]: o["share"]["low"] for o in found["owners"]} == owners
    assert found["read"]["rejected"] == {}


def test_figures_of_findings_are_shares(regtech: Command, tmp_path: Path) -> None:
    path = tmp_path / "ownership.ndjson"
    person = {"id": "P", "kind": "person"}
    lines = [_event(1, person, "X", share="1.7"), _event(2, person, "Y", share="0.7")]
    lines += [_event(3, {"id": "Q", "kind": "person"}, "Y", share="0.4")]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "{\n", encoding="utf-8")
    said = regtech("owners", "Y", path, "--at", "2026-03-31").out
    assert "taken as not known [170 %]" in said and "by the excess [10 %]" in said
    absent = regtech("owners", "NONE", path)
    assert absent.status == 2 and "3 events" in absent.err and "not_json 1" in absent.err
