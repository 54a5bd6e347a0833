"""The quarantine keeps the bytes of every record, and gives them back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtech.adapters.quarantine import (
    QuarantineFile,
    decode_reject,
    encode_reject,
    read_quarantine,
)
from regtech.app.quarantine import list_quarantine, retry_quarantine, show_record
from regtech.columns.batch import Reject
from regtech.errors import InputError, UsageError

GOOD = (
    '{"id":"%s","type":"transaction","time":"2026-03-02T09:00:00%s","reporter":"R",'
    '"amount":"1.50","currency":"%s"}'
)


def _reject(raw: bytes, code: str = "not_json", source: str = "in.ndjson", line: int = 1) -> Reject:
    return Reject(source, line, "", code, "what", "else", raw)


@given(raw=st.binary(max_size=200), found=st.text(max_size=20))
def test_any_bytes_come_back_as_they_were(raw: bytes, found: str) -> None:
    reject = Reject("a.ndjson", 7, "amount", "bad_number", found, "a number", raw)
    line = encode_reject(reject)
    assert line.count(b"\n") == 1
    assert decode_reject(json.loads(line)) == reject


def _file(tmp_path: Path, rejects: list[Reject]) -> Path:
    path = tmp_path / "q.ndjson"
    file = QuarantineFile(str(path))
    file.write(rejects)
    file.close()
    return path


def test_a_file_that_is_no_quarantine_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "q.ndjson"
    path.write_bytes(encode_reject(_reject(b"x")) + b'{"id": 1}\n')
    with pytest.raises(InputError, match=r"q\.ndjson:2 is no quarantined record"):
        list(read_quarantine(path))


def test_the_list_counts_reasons_and_numbers_records(tmp_path: Path) -> None:
    path = _file(tmp_path, [_reject(b"x"), _reject(b"y", "too_long"), _reject(b"z")])
    listing = list_quarantine(path, limit=2)
    assert [(name, n) for name, n, _ in listing["reasons"]] == [("not_json", 2), ("too_long", 1)]
    assert [record["number"] for record in listing["records"]] == [1, 2]
    assert [r["number"] for r in list_quarantine(path, code="not_json")["records"]] == [1, 3]


def test_an_unknown_reason_is_wrong_use_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean not_json"):
        list_quarantine(_file(tmp_path, []), code="not_jsom")


def test_a_record_is_shown_whole_even_where_it_is_no_text(tmp_path: Path) -> None:
    path = _file(tmp_path, [_reject(b"\xff\xfe")])
    record, text = show_record(path, 1)
    assert record["raw_base64"] == "//4="
    assert "in.ndjson:1" in text and "//4=" in text
    with pytest.raises(UsageError, match="there is no number 2"):
        show_record(path, 2)


def test_retry_sorts_what_can_be_used_now_from_what_cannot(tmp_path: Path) -> None:
    records = [(GOOD % ("a", "", "CNY")).encode(), (GOOD % ("b", "Z", "XXQ")).encode(), b"\xff"]
    path = _file(tmp_path, [_reject(raw, line=n) for n, raw in enumerate(records, 1)])
    out = tmp_path / "again.ndjson"
    result = retry_quarantine(path, out=out, sets=("currency=CNY",))
    assert (result["tried"], result["usable"], result["unusable"]) == (3, 1, 2)
    assert json.loads(out.read_bytes())["currency"] == "CNY"
    left = list(read_quarantine(Path(result["quarantine"])))
    assert [(r.line, r.code) for r in left] == [(1, "missing_offset"), (3, "encoding")]


def test_retry_leaves_numbers_as_they_were_written(tmp_path: Path) -> None:
    raw = b'{"id":"a","type":"transaction","time":"2026-03-02T09:00:00Z","reporter":"R",'
    raw += b'"amount":123456789012345,"currency":"XXQ","note":1.10}'
    out = tmp_path / "again.ndjson"
    retry_quarantine(_file(tmp_path, [_reject(raw)]), out=out, sets=("currency=USD",))
    text = out.read_text()
    assert '"amount":123456789012345' in text and '"note":1.10' in text


def test_retry_takes_corrected_records_in_their_order(tmp_path: Path) -> None:
    path = _file(tmp_path, [_reject(b"x"), _reject(b"y")])
    corrected = tmp_path / "corrected.ndjson"
    corrected.write_text("\n" + GOOD % ("b", "Z", "USD") + "\n")
    out = tmp_path / "again.ndjson"
    result = retry_quarantine(path, out=out, corrected=corrected)
    assert (result["tried"], result["usable"]) == (1, 1)
    corrected.write_text("{}\n")
    with pytest.raises(UsageError, match="1 lines for 2 records"):
        retry_quarantine(path, out=out, corrected=corrected)


def test_retry_of_csv_rows_writes_csv_under_their_header(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("id,type,time,reporter,amount,currency\n")
    good = b"a,transaction,2026-03-02T09:00:00Z,R,1.50,CNY"
    rejects = [_reject(raw, "columns", str(source), 2) for raw in (b"a,b", b"c,d")]
    corrected = tmp_path / "corrected.csv"
    corrected.write_bytes(good + b"\nstill,bad\n")
    out = tmp_path / "again.csv"
    result = retry_quarantine(_file(tmp_path, rejects), out=out, corrected=corrected)
    assert out.read_bytes() == source.read_bytes() + good + b"\n"
    assert (result["usable"], result["unusable"]) == (1, 1)


def test_fields_of_rows_are_set_in_the_column_that_the_map_reads(tmp_path: Path) -> None:
    column_map = tmp_path / "ours.yml"
    column_map.write_text(
        "map: ours\ntitle: {en: Ours, zh: 我们的}\n"
        "constants: {type: transaction, reporter: OUR, currency: SGD}\n"
        "fields: {id: no, time: when, amount: amt}\n",
        encoding="utf-8",
    )
    source = tmp_path / "in.csv"
    source.write_text("no,when,amt,note\n")
    raws = (b'1,2026-03-02T09:00:00Z,NaN,"a, b"', b"2,2026-03-02T09:00:00Z")
    rejects = [_reject(raw, "bad_number", str(source), 2) for raw in raws]
    file, out = _file(tmp_path, rejects), tmp_path / "again.csv"
    result = retry_quarantine(file, out=out, sets=("amount=5",), map=str(column_map))
    assert out.read_text() == 'no,when,amt,note\n1,2026-03-02T09:00:00Z,5,"a, b"\n'
    assert (result["usable"], result["unusable"]) == (1, 1)
    with pytest.raises(UsageError, match="currency stands in no column"):
        retry_quarantine(file, out=out, sets=("currency=CNY",), map=str(column_map))
    with pytest.raises(UsageError, match="rows of CSV") as caught:
        retry_quarantine(file, out=tmp_path / "again.ndjson", map=str(column_map))
    assert "again.csv" in str(caught.value)


def test_a_field_that_is_none_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean currency"):
        retry_quarantine(_file(tmp_path, []), out=tmp_path / "o", sets=("curency=CNY",))
