"""Damaged tables: no crash, nothing lost. ``REGTECH_FUZZ_RECORDS`` says how many rows are tried."""

from __future__ import annotations

import io
import json
import os
import random
from pathlib import Path

import pytest

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import SourceFile, describe_source, read_events
from regtech.adapters.tables.write import COLUMNS, ParquetWriter, flatten, write_csv
from regtech.errors import InputError
from regtech.sandbox.simulate.background import background

ROWS = int(os.environ.get("REGTECH_FUZZ_RECORDS", "10000"))
FILE_ROWS = 2000
SEEDS = range(max(ROWS // FILE_ROWS, 1))
_BYTES = [b'"', b",", b"\n", b"\r", b"\x00", b"\xff", b"[", b"{", b"\\", b"|", b"9" * 30, b"", b"-"]


def _records(seed: int) -> list[dict[str, object]]:
    return [json.loads(line) for piece in background(FILE_ROWS, seed) for line in piece.lines]


def _damaged(data: bytes, source: random.Random, times: int, start: int) -> bytes:
    found = bytearray(data)
    for _ in range(times):
        place = source.randrange(start, len(found))
        match source.randrange(3):
            case 0:
                found[place] = source.randrange(256)
            case 1:
                found[place : place + source.randrange(1, 20)] = source.choice(_BYTES)
            case _:
                found[place:place] = source.choice(_BYTES)
    return bytes(found)


def _counts(source: SourceFile, decoder: NdjsonDecoder) -> tuple[int, int]:
    accepted = rejected = 0
    for piece in read_events(source, decoder):
        accepted += piece.batch.count if piece.batch is not None else 0
        rejected += len(piece.rejects)
    return accepted, rejected


@pytest.mark.parametrize("seed", SEEDS)
def test_every_row_of_a_damaged_csv_file_is_accepted_or_set_aside(
    tmp_path: Path, decoder: NdjsonDecoder, seed: int
) -> None:
    records = _records(seed)
    used = {column for record in records for column in flatten(record)}
    text = io.StringIO()
    write_csv(text, records, [column for column in COLUMNS if column in used])
    data = text.getvalue().encode()
    header = data.index(b"\n") + 1
    path = tmp_path / "e.csv"
    path.write_bytes(_damaged(data, random.Random(seed), FILE_ROWS // 2, header))
    lines = [line for line in path.read_bytes()[header:].split(b"\n") if line.strip(b"\r")]
    accepted, rejected = _counts(describe_source(str(path)), decoder)
    assert accepted + rejected == len(lines)
    assert accepted > FILE_ROWS // 3 and rejected > 100


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_parquet_file_is_read_or_refused(
    tmp_path: Path, decoder: NdjsonDecoder, seed: int
) -> None:
    path = tmp_path / "e.parquet"
    writer = ParquetWriter(path, COLUMNS)
    writer.write(_records(seed)[:300])
    writer.close()
    whole = path.read_bytes()
    source = random.Random(seed)
    for _ in range(5):
        path.write_bytes(_damaged(whole, source, source.choice([1, 1, 3]), 0))
        try:
            accepted, rejected = _counts(describe_source(str(path)), decoder)
        except InputError:
            continue
        assert accepted + rejected <= 300
