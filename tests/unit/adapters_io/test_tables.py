"""CSV and Parquet: the same events give the same batch as NDJSON; a bad row costs itself alone."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regtech.adapters.decoded import Decoded
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import describe_source, read_events
from regtech.adapters.tables.layout import make_layout
from regtech.adapters.tables.write import COLUMNS, ParquetWriter, write_csv
from regtech.errors import InputError
from regtech.sandbox.simulate.background import background

HEADER = "id,type,time,reporter,amount,currency,payer.id,persons,data\n"
ROW = "{},transaction,2026-03-02T09:00:00Z,R,1.50,CNY,C1,,\n"
Write = Callable[[str, str | bytes], str]


def _read(name: str, decoder: NdjsonDecoder, **options: Any) -> list[Decoded]:
    return list(read_events(describe_source(name), decoder, **options))


def _ids(pieces: Iterable[Decoded]) -> list[str]:
    found = []
    for piece in pieces:
        if piece.batch is not None:
            text, places = piece.batch.id_bytes.tobytes(), piece.batch.id_offsets.tolist()
            found += [text[a:b].decode() for a, b in zip(places[:-1], places[1:], strict=True)]
    return found


def _rejects(pieces: Iterable[Decoded]) -> list[tuple[int, str, str]]:
    return [(r.line, r.code, r.field) for piece in pieces for r in piece.rejects]


def _same(left: list[Decoded], right: list[Decoded]) -> None:
    def joined(pieces: list[Decoded], name: str, axis: int = 0) -> Any:
        batches = [piece.batch for piece in pieces if piece.batch is not None]
        # A batch's columns may be wider than its events are many.
        parts = [getattr(b, name)[..., : b.count] if axis else getattr(b, name) for b in batches]
        return np.concatenate(parts, axis=axis)

    assert _ids(left) == _ids(right)
    assert (joined(left, "content") == joined(right, "content")).all()
    assert (joined(left, "columns", 1) == joined(right, "columns", 1)).all()
    assert (joined(left, "person_values") == joined(right, "person_values")).all()
    assert (joined(left, "person_given") == joined(right, "person_given")).all()


def _three(tmp_path: Path, records: list[dict[str, Any]]) -> tuple[str, str, str]:
    """The same records as NDJSON, CSV and Parquet."""
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (tmp_path / "e.ndjson").write_text(lines)
    text = io.StringIO()
    write_csv(text, records, COLUMNS)
    (tmp_path / "e.csv").write_text(text.getvalue())
    writer = ParquetWriter(tmp_path / "e.parquet", COLUMNS)
    writer.write(records)
    writer.close()
    names = ("e.ndjson", "e.csv", "e.parquet")
    return str(tmp_path / names[0]), str(tmp_path / names[1]), str(tmp_path / names[2])


def test_simulated_events_are_the_same_in_all_three(tmp_path: Path, decoder: NdjsonDecoder) -> None:
    records = [json.loads(line) for piece in background(3000, 5) for line in piece.lines]
    ndjson, csv, parquet = (_read(name, decoder) for name in _three(tmp_path, records))
    assert len(_ids(ndjson)) == 3000
    _same(ndjson, csv)
    _same(ndjson, parquet)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\0"), max_size=20)
RECORDS = st.fixed_dictionaries(
    {
        "id": TEXTS.filter(bool),
        "type": st.just("data_transfer"),
        "time": st.just("2026-03-02T09:00:00+08:00"),
        "reporter": TEXTS.filter(bool),
        "exporter": st.fixed_dictionaries({"id": TEXTS.filter(bool), "name": TEXTS}),
        "recipient": st.fixed_dictionaries({"id": TEXTS.filter(bool)}),
    },
    optional={
        "persons": st.lists(TEXTS, max_size=4),
        "person_count": st.integers(0, 10**6),
        "encrypted": st.booleans(),
        "purpose": TEXTS,
        "data": st.lists(
            st.fixed_dictionaries({"category": st.just("health"), "level": st.integers(0, 9)}),
            max_size=2,
        ),
    },
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(records=st.lists(RECORDS, min_size=1, max_size=6))
def test_any_texts_are_the_same_in_all_three(
    tmp_path: Path, decoder: NdjsonDecoder, records: list[dict[str, Any]]
) -> None:
    """Quotes, commas, bars, brackets, control characters and any script pass unchanged."""
    for record in records:
        if "\r" in json.dumps(record, ensure_ascii=False):
            return
    ndjson, csv, parquet = (_read(name, decoder) for name in _three(tmp_path, records))
    given_fields = [(code, field) for _, code, field in _rejects(ndjson)]
    for other in (csv, parquet):
        assert [(code, field) for _, code, field in _rejects(other)] == given_fields
        if _ids(ndjson):
            _same(ndjson, other)


BAD_ROWS = [
    ("b,transaction,2026-03-02T09:00:00Z,R,1.50,CNY\n", "columns", ""),
    (ROW.format("b").rstrip() + ",more\n", "columns", ""),
    ('b,transaction,2026-03-02T09:00:00Z,R,"1.50,CNY,C1,,\n', "columns", ""),
    ('"b"x,transaction,2026-03-02T09:00:00Z,R,1.50,CNY,C1,,\n', "columns", ""),
    ("b,transaction,2026-03-02T09:00:00,R,1.50,CNY,C1,,\n", "missing_offset", "time"),
    ("b,transaction,2026-03-02T09:00:00Z,R,1e5,CNY,C1,,\n", "bad_number", "amount"),
    ("b,transaction,2026-03-02T09:00:00Z,R,1.505,CNY,C1,,\n", "amount_precision", "amount"),
    ("b,transaction,2026-03-02T09:00:00Z,R,,CNY,C1,,\n", "missing_field", "amount"),
    ("b,nothing,2026-03-02T09:00:00Z,R,1.50,CNY,C1,,\n", "unknown_type", "type"),
]


@pytest.mark.parametrize(("row", "code", "field"), BAD_ROWS)
def test_a_bad_row_does_not_touch_its_neighbours(
    write: Write, decoder: NdjsonDecoder, row: str, code: str, field: str
) -> None:
    name = write("e.csv", HEADER + ROW.format("a") + row + ROW.format("c"))
    pieces = _read(name, decoder)
    assert _ids(pieces) == ["a", "c"]
    assert _rejects(pieces) == [(3, code, field)]
    [reject] = [r for piece in pieces for r in piece.rejects]
    assert reject.raw == row.encode().rstrip(b"\n")


def test_bytes_that_are_no_text_cost_their_row_alone(write: Write, decoder: NdjsonDecoder) -> None:
    bad = ROW.format("b").encode().replace(b"C1", b"\xff")
    content = (HEADER + ROW.format("a")).encode() + bad + ROW.format("c").encode()
    pieces = _read(write("e.csv", content), decoder)
    assert _ids(pieces) == ["a", "c"] and _rejects(pieces) == [(3, "encoding", "")]


def test_a_cell_cannot_smuggle_a_field_in(write: Write, decoder: NdjsonDecoder) -> None:
    """JSON text in a cell is one value, never the rest of the record."""
    evil = '"[],""amount"":""9"""'
    row = f"a,transaction,2026-03-02T09:00:00Z,R,,CNY,C1,,{evil}\n"
    pieces = _read(write("e.csv", HEADER + row), decoder)
    assert _ids(pieces) == [] and _rejects(pieces)[0][1] in ("wrong_type", "missing_field")


def test_a_line_that_is_too_long_is_set_aside(write: Write, decoder: NdjsonDecoder) -> None:
    long = ROW.format("b" * 3_000_000)
    pieces = _read(write("e.csv", HEADER + ROW.format("a") + long + ROW.format("c")), decoder)
    assert _ids(pieces) == ["a", "c"] and _rejects(pieces) == [(3, "too_long", "")]


def test_blank_lines_windows_ends_and_a_mark_are_no_matter(
    write: Write, decoder: NdjsonDecoder
) -> None:
    text = "\ufeff" + HEADER + ROW.format("a") + "\n" + ROW.format("b")
    pieces = _read(write("e.csv", text.replace("\n", "\r\n")), decoder)
    assert _ids(pieces) == ["a", "b"] and not _rejects(pieces)
    assert pieces[0].batch is not None and pieces[0].batch.line.tolist() == [2, 4]


@pytest.mark.parametrize("first", range(1, 9))
@pytest.mark.parametrize("kind", ["ndjson", "csv", "parquet"])
def test_reading_can_go_on_at_any_record(
    tmp_path: Path, decoder: NdjsonDecoder, kind: str, first: int
) -> None:
    records = [json.loads(line) for piece in background(6, 5) for line in piece.lines]
    name = dict(zip(("ndjson", "csv", "parquet"), _three(tmp_path, records), strict=True))[kind]
    every = _ids(_read(name, decoder))
    lines_before = first - 1 if kind != "csv" else max(first - 2, 0)
    assert _ids(_read(name, decoder, first_line=first)) == every[lines_before:]


def _parquet(tmp_path: Path, columns: dict[str, Any]) -> str:
    name = str(tmp_path / "typed.parquet")
    pq.write_table(pa.table(columns), name)
    return name


def test_typed_columns_are_read_exactly(tmp_path: Path, decoder: NdjsonDecoder) -> None:
    typed = _parquet(
        tmp_path,
        {
            "id": pa.array(["a", "b"]).dictionary_encode(),
            "type": ["data_transfer", "data_transfer"],
            "time": pa.array([1772413200000000, 1], pa.timestamp("us", "Asia/Shanghai")),
            "reporter": ["R", "R"],
            "exporter": [{"id": "X"}, {"id": "Y"}],
            "recipient.id": ["Z", "Z"],
            "persons": [["p", "q"], None],
            "person_count": [None, 5],
            "encrypted": [True, False],
            "tool_expires": pa.array([None, 20000], pa.date32()),
        },
    )
    records = [
        {
            "id": "a", "type": "data_transfer", "time": "2026-03-02T01:00:00Z", "reporter": "R",
            "exporter": {"id": "X"}, "recipient": {"id": "Z"}, "persons": ["p", "q"],
            "encrypted": True,
        },
        {
            "id": "b", "type": "data_transfer", "time": "1970-01-01T00:00:00.000001Z",
            "reporter": "R", "exporter": {"id": "Y"}, "recipient": {"id": "Z"},
            "person_count": 5, "encrypted": False, "tool_expires": "2024-10-04",
        },
    ]  # fmt: skip
    _same(_read(typed, decoder), _read(_three(tmp_path, records)[0], decoder))


def test_decimals_are_exact_and_binary_floats_are_refused(
    tmp_path: Path, decoder: NdjsonDecoder
) -> None:
    def table(amount: Any) -> dict[str, Any]:
        return {
            "id": ["a"],
            "type": ["transaction"],
            "time": ["2026-03-02T09:00:00Z"],
            "reporter": ["R"],
            "amount": amount,
            "currency": ["CNY"],
        }

    exact = pa.array([Decimal("1234567890123.45")], pa.decimal128(20, 2))
    pieces = _read(_parquet(tmp_path, table(exact)), decoder)
    assert _ids(pieces) == ["a"]
    pieces = _read(_parquet(tmp_path, table(pa.array([0.1]))), decoder)
    assert _ids(pieces) == [] and _rejects(pieces)[0][2] == "amount"


def test_a_time_without_a_zone_is_never_guessed(tmp_path: Path, decoder: NdjsonDecoder) -> None:
    columns = {
        "id": ["a"],
        "type": ["incident"],
        "time": pa.array([1772413200000000], pa.timestamp("us")),
        "reporter": ["R"],
        "kind": ["outage"],
    }
    pieces = _read(_parquet(tmp_path, columns), decoder)
    assert _rejects(pieces) == [(1, "missing_offset", "time")]


@pytest.mark.parametrize("cut", [0, 3, 50, 400, -1])
def test_a_damaged_parquet_file_is_a_clear_error(
    tmp_path: Path, decoder: NdjsonDecoder, cut: int
) -> None:
    records = [json.loads(line) for piece in background(50, 5) for line in piece.lines]
    path = Path(_three(tmp_path, records)[2])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"e\.parquet is"):
        _read(str(path), decoder)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("id,id", "is there twice"),
        ("payer,payer.id", "exclude each other|beside"),
        ('id,"ty', "header"),
        (",,", "does not begin with a header"),
    ],
)
def test_a_header_that_cannot_be_is_a_clear_error(
    write: Write, decoder: NdjsonDecoder, header: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        _read(write("e.csv", header + "\n1,2\n"), decoder)


def test_columns_that_are_no_fields_are_named() -> None:
    assert make_layout(["id", "payer.nmae", "zzz"]).ignored == (
        ("payer.nmae", "payer.name"),
        ("zzz", ""),
    )


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_an_empty_file_has_no_events(write: Write, decoder: NdjsonDecoder, suffix: str) -> None:
    import gzip

    import zstandard

    empty = {"": b"", ".gz": gzip.compress(b""), ".zst": zstandard.compress(b"")}[suffix]
    assert _read(write("e.csv" + suffix, empty), decoder) == []
    assert _read(write("f.csv" + suffix, empty), decoder) == []


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_very_long_cell_passes_or_is_set_aside_alone(
    tmp_path: Path, decoder: NdjsonDecoder, kind: str
) -> None:
    """Longer than the buffer that rows are written into; control characters grow sixfold."""
    base = {"type": "incident", "time": "2026-03-02T09:00:00Z", "reporter": "R", "kind": "x"}
    records: list[dict[str, Any]] = [
        {"id": "a", **base},
        {"id": "b", **base, "risk": "\x01" * 600_000},
        {"id": "c", **base, "risk": "r"},
    ]
    name = dict(zip(("ndjson", "csv", "parquet"), _three(tmp_path, records), strict=True))[kind]
    pieces = _read(name, decoder)
    assert _ids(pieces) == ["a", "c"]
    assert [code for _, code, _ in _rejects(pieces)] == ["too_long"]
