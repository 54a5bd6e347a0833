"""BODS statements as events: releases 0.2 to 0.4, changes and ends of records, what is bad."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from regtech.adapters.bods.statements import looks_like_bods
from regtech.adapters.bods.translate import Translator
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.record import RecordFault
from regtech.adapters.sources import describe_source, read_events
from regtech.columns.batch import Reject
from regtech.columns.vocabulary import Vocabulary
from regtech.model.fields import COMMON

SAMPLES = Path(__file__).parent / "bods_samples"

Statement = dict[str, Any]


def _plain(value: Any) -> Any:
    """Numbers as the reader hands them on: as their text."""
    from regtech.adapters.bods.statements import Plain

    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return Plain(str(value))
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value


def _events(*statements: Statement) -> list[dict[str, Any]]:
    translator = Translator()
    return [event for one in statements for event in translator.events(_plain(one))]


def _holding(
    number: int, date: str, *interests: dict[str, Any], status: str = "new", record: str = "r1"
) -> Statement:
    return {
        "statementId": f"s{number}",
        "statementDate": date,
        "recordId": record,
        "recordType": "relationship",
        "recordStatus": status,
        "recordDetails": {"subject": "X", "interestedParty": "P", "interests": list(interests)},
    }


def _shares(exact: float, start: str | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "shareholding", "share": {"exact": exact}, "startDate": start, **more}


def _said(events: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(e["time"][:10], e.get("from"), e.get("share")) for e in events]


def _read(path: Path) -> tuple[list[tuple[str, int]], list[Reject]]:
    """Ids and statement numbers of the events of a file, and what was refused."""
    decoder = NdjsonDecoder(COMMON, Vocabulary(), Vocabulary(), {})
    found: list[tuple[str, int]] = []
    rejects: list[Reject] = []
    for piece in read_events(describe_source(str(path)), decoder):
        rejects += piece.rejects
        if piece.batch is not None:
            offsets, ids = piece.batch.id_offsets, piece.batch.id_bytes.tobytes()
            for place, line in enumerate(piece.batch.line.tolist()):
                found.append((ids[offsets[place] : offsets[place + 1]].decode(), line))
    return found, rejects


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_samples_are_read_whole_with_their_places(sample: Path) -> None:
    statements = json.loads(sample.read_text(encoding="utf-8"))
    found, rejects = _read(sample)
    assert rejects == []
    ids = [statement["statementId"] for statement in statements]
    assert {identity.partition("#")[0] for identity, _ in found} == set(ids)
    assert all(ids[line - 1] == identity.partition("#")[0] for identity, line in found)


def test_a_share_that_changed_changes_on_the_day_of_the_statement() -> None:
    events = _events(
        _holding(1, "2020-01-10", _shares(60, "2019-05-01")),
        _holding(2, "2021-02-20", _shares(40, "2019-05-01"), status="updated"),
        _holding(3, "2022-03-30", status="closed"),
    )
    assert _said(events) == [
        ("2020-01-10", "2019-05-01", "0.6"),
        ("2021-02-20", "2019-05-01", "0.6"),
        ("2021-02-20", "2021-02-20", "0.4"),
        ("2022-03-30", "2019-05-01", "0.6"),
        ("2022-03-30", "2021-02-20", "0.4"),
        ("2022-03-30", "2022-03-30", "0"),
    ]


def test_several_interests_of_one_kind_are_added_while_they_last() -> None:
    first = _holding(1, "2020-01-10", _shares(20, "2018-01-01"),
                     _shares(10, "2019-01-01", endDate="2019-07-01"))  # fmt: skip
    other = _holding(2, "2020-01-11", _shares(5, "2018-06-01"), record="r2")
    assert _said(_events(first, other)[-4:]) == [
        ("2020-01-11", "2018-01-01", "0.2"),
        ("2020-01-11", "2018-06-01", "0.25"),
        ("2020-01-11", "2019-01-01", "0.35"),
        ("2020-01-11", "2019-07-01", "0.25"),
    ]


def test_ranges_keep_what_they_leave_out() -> None:
    def bounds(share: dict[str, Any]) -> tuple[Any, Any]:
        (event,) = _events(_holding(1, "2020-01-01", {"type": "votingRights", "share": share}))
        return event.get("share_min"), event.get("share_max")

    assert bounds({"minimum": 25, "maximum": 50}) == ("0.25", "0.5")
    assert bounds({"exclusiveMinimum": 25, "maximum": 50}) == ("0.250000001", "0.5")
    assert bounds({"minimum": 25, "exclusiveMinimum": True, "exclusiveMaximum": 50}) == (
        "0.250000001",
        "0.499999999",
    )
    assert bounds({"minimum": 75}) == ("0.75", "1")
    assert bounds({}) == (None, None)


def test_the_older_releases_name_statements_and_replace_them() -> None:
    def statement(number: int, kind: str, **more: Any) -> Statement:
        return {"statementID": f"s{number}", "statementType": kind,
                "statementDate": "2020-01-01", **more}  # fmt: skip

    holding = {
        "subject": {"describedByEntityStatement": "s1"},
        "interests": [
            {"type": "voting-rights", "interestLevel": "direct",
             "share": {"minimum": 25, "maximum": 50, "exclusiveMinimum": True}}
        ],
    }  # fmt: skip
    events = _events(
        statement(1, "entityStatement", entityType="registeredEntity", name="Alpha"),
        statement(2, "personStatement", personType="knownPerson"),
        statement(3, "personStatement", personType="knownPerson", replacesStatements=["s2"]),
        statement(4, "ownershipOrControlStatement",
                  interestedParty={"describedByPersonStatement": "s3"}, **holding),
        statement(5, "ownershipOrControlStatement",
                  interestedParty={"unspecified": {"reason": "unknown"}}, **holding),
    )  # fmt: skip
    parties = [event["party"]["id"] for event in events if event["type"] == "party"]
    assert parties == ["s1", "s2", "s2"]
    held = [event for event in events if event["type"] == "ownership"]
    assert [(e["owner"]["id"], e["owned"]["id"], e["interest"], e["share_min"]) for e in held] == [
        ("s2", "s1", "votes", "0.250000001"),
        ("unspecified/s5", "s1", "votes", "0.250000001"),
    ]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"recordType": "shipment"}, "unknown_type", "recordType"),
        ({"recordDetails": None}, "missing_field", "recordDetails"),
        ({"statementDate": None}, "missing_field", "statementDate"),
        ({"statementId": ""}, "missing_field", "statementId"),
    ],
)
def test_what_a_statement_needs(change: Statement, code: str, field: str) -> None:
    with pytest.raises(RecordFault) as found:
        _events({**_holding(1, "2020-01-01", _shares(10)), **change})
    assert (found.value.code, found.value.field) == (code, field)


@pytest.mark.parametrize(
    ("interest", "code", "field"),
    [
        ({"type": "friendship"}, "unknown_word", "interests[0].type"),
        ({"type": "shareholding", "share": {"exact": 101}}, "amount_range",
         "interests[0].share.exact"),
        ({"type": "shareholding", "share": {"exact": "half"}}, "bad_number",
         "interests[0].share.exact"),
        ("shares", "wrong_type", "interests[0]"),
    ],
)  # fmt: skip
def test_what_an_interest_may_say(interest: Any, code: str, field: str) -> None:
    with pytest.raises(RecordFault) as found:
        _events(_holding(1, "2020-01-01", interest))
    assert (found.value.code, found.value.field) == (code, field)


def test_a_bad_statement_is_set_aside_and_the_others_are_read(tmp_path: Path) -> None:
    good = _holding(1, "2020-01-01", _shares(10))
    offset = {**_holding(2, "2020-01-01T10:00:00", _shares(10)), "recordId": "r2"}
    deep = _holding(4, "2020-01-01", {"type": "shareholding", "share": {"exact": -1}})
    lines = [json.dumps(good), json.dumps(offset), "{no json", json.dumps(deep), '"a text"',
             '{"statementId":"a","statementId":"b"}']  # fmt: skip
    path = tmp_path / "statements.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    found, rejects = _read(path)
    assert found == [("s1#1", 1)]
    assert [(r.line, r.code) for r in rejects] == [
        (2, "missing_offset"),
        (3, "not_json"),
        (4, "amount_range"),
        (5, "not_object"),
        (6, "duplicate_key"),
    ]
    assert rejects[1].raw == b"{no json"


def test_an_array_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "broken.json.gz"
    text = json.dumps([_holding(1, "2020-01-01", _shares(10))], indent=1)[:-1]
    path.write_bytes(gzip.compress((text + ', {"statementId": ').encode()))
    found, rejects = _read(path)
    assert found == [("s1#1", 1)]
    assert [(r.line, r.code) for r in rejects] == [(2, "not_json")]


def test_our_own_events_are_not_taken_for_statements() -> None:
    assert looks_like_bods(b'\xef\xbb\xbf [ {"statementId": "a"} ]')
    assert looks_like_bods(b'{"statementID":"a"}\n')
    assert not looks_like_bods(b'{"id":"statementId","type":"party","reporter":"B1"}\n')
    assert not looks_like_bods(b'{"type":"party","reporter":"B1","statementId":"a"}\n')
    assert not looks_like_bods(b"")


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "statements.json"
    path.write_text(json.dumps([
        _holding(1, "2020-01-10", _shares(60, "2019-05-01")),
        _holding(2, "2021-02-20", _shares(40, "2019-05-01"), status="updated"),
    ]))  # fmt: skip
    decoder = NdjsonDecoder(COMMON, Vocabulary(), Vocabulary(), {})
    pieces = list(read_events(describe_source(str(path)), decoder, first_line=2))
    assert [p.batch.line.tolist() for p in pieces if p.batch is not None] == [[2, 2]]
    assert pieces[-1].next_line == 3
