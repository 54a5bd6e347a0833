"""Rows taken straight from columns against the same rows by way of lines.

CSV always goes by way of lines, so it is what Parquet is held against. ``REGTECH_FUZZ_RECORDS``
says how many rows are tried.
"""

from __future__ import annotations

import io
import json
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regtech.adapters.decoded import Decoded
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import describe_source, read_events
from regtech.adapters.tables.write import ParquetWriter, flatten, write_csv
from regtech.columns.batch import Reject
from regtech.sandbox.simulate.background import background

ROWS = int(os.environ.get("REGTECH_FUZZ_RECORDS", "10000"))
FILE_ROWS = 1000
SEEDS = range(max(ROWS // FILE_ROWS, 1))
# What needs care, what is refused, and what looks like it but is right.
CELLS = [
    "", " ", "\0", "a\0b", "long enough for a buffer \0", "é", "中文" * 9, "\x01", '"', "\\",
    "\\u0041",
    "|", "a|", "a||b", "a|b|a", "[", "[]", '["a","b"]', '["a",1]', '["a"],"id":"x"', "{}", "null",
    '[{"category":"health"}]', '[{"category":"health","level":2},{"level":7},{}]', "[{}]",
    '[{"category":"health","category":"health"}]', '[{"level":03}]', '[{"level":-1}]',
    '[{"level":"4"}]', '[{"other":1}]', '[ {"level":1}]', '[{"category":"\\u0068ealth"}]',
    '[{"sensitivity":"core"},]', '[{"category":""}]', '[{"level":1e2}]', '[[{"level":1}]]',
    '[{"category":"中"}]', '[{"level":1}', '[{"level":1}]]', '[{"level":9999999999999999999}]',
    "true", "TRUE", "tru", "1", "0", "-0", "-1", "007", "1.50", "1.505", ".5", "1e5", "9" * 17,
    "9" * 30, "x" * 13, "x" * 4096, "x" * 4097, "JPY", "KWD", "XXX", "person", "hosted", "minor",
    "minor|bank|nobody", "transaction", "data_transfer", "figure", "party", "nothing",
    "2026-03-02", "2026-02-30", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00",
    "2026-03-02 09:00:00.1234567+08:00", "0001-01-01T00:00:00+14:00",
]  # fmt: skip
Row = dict[str, str | None]


def _rows(seed: int, share: float) -> list[Row]:
    """Simulated events as cells, in random order; of so many rows some cells are changed."""
    source = random.Random(seed)
    records = [json.loads(line) for piece in background(FILE_ROWS, seed) for line in piece.lines]
    rows: list[Row] = [dict(flatten(record)) for record in records]
    source.shuffle(rows)
    columns = sorted({column for row in rows for column in row})
    for row in rows:
        if source.random() < share:
            for _ in range(source.choice([1, 1, 2, 5])):
                given = source.choice([list(row), columns])
                row[source.choice(given)] = source.choice([*CELLS, None])
    return rows


def _read(path: Path, decoder: NdjsonDecoder, **options: Any) -> list[Decoded]:
    return list(read_events(describe_source(str(path)), decoder, **options))


def _both(
    folder: Path, rows: list[Row], decoder: NdjsonDecoder
) -> tuple[list[Decoded], list[Decoded]]:
    """What is read from Parquet and from CSV of the rows, of which the header is one."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = pa.table({c: pa.array([row.get(c) for row in rows], pa.string()) for c in columns})
    pq.write_table(table, folder / "e.parquet", row_group_size=301)
    text = io.StringIO()
    nested = [_nested(row) for row in rows]
    write_csv(text, nested, columns)
    (folder / "e.csv").write_text(text.getvalue(), newline="")
    return _read(folder / "e.parquet", decoder), _read(folder / "e.csv", decoder)


def _nested(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, text in row.items():
        *parts, last = column.split(".")
        inner = found
        for part in parts:
            inner = inner.setdefault(part, {})
        inner[last] = text
    return found


def _joined(pieces: list[Decoded]) -> dict[str, Any]:
    batches = [piece.batch for piece in pieces if piece.batch is not None]
    found: dict[str, Any] = {
        name: np.concatenate([getattr(batch, name) for batch in batches])
        for name in ("content", "person_values", "person_given", "id_bytes", "line")
    }
    found["columns"] = np.concatenate([b.columns[:, : b.count] for b in batches], axis=1)
    for name in ("id_offsets", "person_offsets"):
        found[name] = np.concatenate([np.diff(getattr(batch, name)) for batch in batches])
    return found


def _rejects(pieces: list[Decoded]) -> list[Reject]:
    return [reject for piece in pieces for reject in piece.rejects]


@pytest.mark.parametrize("seed", SEEDS)
def test_changed_rows_mean_the_same_as_their_lines(
    tmp_path: Path, decoder: NdjsonDecoder, seed: int
) -> None:
    _assert_same(tmp_path, _rows(seed, (0.02, 0.3, 1.0)[seed % 3]), decoder)


@pytest.mark.parametrize("event_type", ["transaction", "data_transfer", "party"])
def test_every_cell_in_every_column_means_the_same_as_in_a_line(
    tmp_path: Path, decoder: NdjsonDecoder, event_type: str
) -> None:
    rows = [row for row in _rows(2, 0) if row["type"] == event_type]
    whole = max(rows, key=len)
    _assert_same(tmp_path, [{**whole, c: cell} for c in whole for cell in CELLS], decoder)


def _assert_same(tmp_path: Path, rows: list[Row], decoder: NdjsonDecoder) -> None:
    taken, lines = _both(tmp_path, rows, decoder)
    left, right = _joined(taken), _joined(lines)
    right["line"] = right["line"] - 1  # the header
    for name, values in left.items():
        assert np.array_equal(values, right[name]), name
    rejects = _rejects(taken)
    source = str(tmp_path / "e.parquet")
    # The line of a row holds what was found at a place in it; CSV has the place in its own line.
    expected = [replace(r, source=source, line=r.line - 1, raw=b"") for r in _rejects(lines)]
    assert [replace(r, raw=b"") for r in rejects] == expected
    assert len(left["content"]) + len(rejects) == len(rows) and rejects


def test_what_is_set_aside_keeps_a_line_that_says_why(
    tmp_path: Path, decoder: NdjsonDecoder
) -> None:
    taken, _ = _both(tmp_path, _rows(3, 0.5), decoder)
    assert _rejects(taken)
    for reject in _rejects(taken):
        _, [again], _ = decoder.decode(reject.raw)
        assert (again.code, again.field, again.found) == (reject.code, reject.field, reject.found)


def test_simulated_events_need_no_lines(
    tmp_path: Path, decoder: NdjsonDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [json.loads(line) for piece in background(2000, 5) for line in piece.lines]
    columns = list(dict.fromkeys(column for record in records for column in flatten(record)))
    writer = ParquetWriter(tmp_path / "e.parquet", columns)
    writer.write(records)
    writer.close()

    def decode(*given: Any, **named: Any) -> None:
        raise AssertionError("a row was written as a line")

    monkeypatch.setattr(NdjsonDecoder, "decode", decode)
    pieces = _read(tmp_path / "e.parquet", decoder)
    assert sum(p.batch.count for p in pieces if p.batch is not None) == 2000


@pytest.mark.parametrize("first", [1, 2, 300, 301, 302, 999, 1000, 1001])
def test_rows_with_and_without_lines_are_read_on_anywhere(
    tmp_path: Path, decoder: NdjsonDecoder, first: int
) -> None:
    whole, _ = _both(tmp_path, _rows(1, 0.3), decoder)
    part = _read(tmp_path / "e.parquet", decoder, first_line=first)
    numbers = [int(n) for p in part if p.batch is not None for n in p.batch.line]
    expected = [int(n) for p in whole if p.batch is not None for n in p.batch.line if n >= first]
    assert numbers == expected
    assert _rejects(part) == [r for r in _rejects(whole) if r.line >= first]


def test_bytes_that_are_no_text_cost_their_row_alone(
    tmp_path: Path, decoder: NdjsonDecoder
) -> None:
    def column(*texts: bytes) -> Any:
        return pa.array(texts, pa.binary()).view(pa.string())

    same = {"type": b"incident", "time": b"2026-03-02T09:00:00Z", "reporter": b"R", "kind": b"x"}
    for bad in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"a long one that ends in \xc3"):
        table = {"id": column(b"a", b"b", b"c"), "risk": column(b"r", bad, b"s")}
        table |= {name: column(*[text] * 3) for name, text in same.items()}
        pq.write_table(pa.table(table), tmp_path / "e.parquet")
        pieces = _read(tmp_path / "e.parquet", decoder)
        assert _joined(pieces)["id_bytes"].tobytes() == b"ac"
        assert [(r.line, r.code) for r in _rejects(pieces)] == [(2, "encoding")]


def test_a_table_without_types_or_rows_is_no_matter(tmp_path: Path, decoder: NdjsonDecoder) -> None:
    pq.write_table(pa.table({"id": ["a", "b"]}), tmp_path / "e.parquet")
    pieces = _read(tmp_path / "e.parquet", decoder)
    assert [(r.line, r.code, r.field) for r in _rejects(pieces)] == [
        (1, "missing_field", "type"),
        (2, "missing_field", "type"),
    ]
    pq.write_table(pa.table({"id": pa.array([], pa.string())}), tmp_path / "e.parquet")
    assert _read(tmp_path / "e.parquet", decoder) == []
