"""Sources: the format by the name, clear errors, records read again."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.sources import SourceFile, describe_source, read_events, read_raw
from regtech.errors import InputError

Write = Callable[[str, str | bytes], str]
LINE = b'{"id":"%d","type":"incident","time":"2026-03-02T09:00:00Z","reporter":"R","kind":"x"}\n'


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.ndjson", "ndjson"),
        ("a.jsonl.gz", "ndjson"),
        ("a", "ndjson"),
        ("a.csv", "csv"),
        ("a.CSV.zst", "csv"),
        ("a.b.tsv", "csv"),
        ("a.parquet", "parquet"),
        ("a.pq", "parquet"),
    ],
)
def test_the_name_tells_the_format(write: Write, name: str, kind: str) -> None:
    assert describe_source(write(name, b"")).format == kind


def test_what_cannot_be_opened_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        describe_source(str(tmp_path / "none"))
    with pytest.raises(InputError, match="is a folder"):
        describe_source(str(tmp_path))


@pytest.mark.parametrize("pack", [lambda b: b, gzip.compress, zstandard.compress])
def test_compression_is_told_by_the_bytes(
    write: Write, decoder: NdjsonDecoder, pack: Callable[[bytes], bytes]
) -> None:
    text = b"".join(LINE % n for n in range(5000))
    pieces = list(read_events(describe_source(write("e.ndjson", pack(text))), decoder))
    assert sum(piece.batch.count for piece in pieces if piece.batch is not None) == 5000
    assert pieces[-1].next_line == 5001


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_cut_archive_is_an_error_after_what_was_whole(
    write: Write, decoder: NdjsonDecoder, pack: Callable[[bytes], bytes]
) -> None:
    import random

    source = random.Random(1)
    text = b"".join(LINE % source.getrandbits(60) for _ in range(60_000))
    name = write("e.ndjson", pack(text)[:-1000])
    count = 0
    with pytest.raises(InputError, match="cannot read"):
        for piece in read_events(describe_source(name), decoder):
            count += piece.batch.count if piece.batch is not None else 0
    assert 0 < count < 60_000


def test_records_can_be_read_again_by_their_number(write: Write) -> None:
    text = b"".join(LINE % n for n in range(30_000))
    source = describe_source(write("e.ndjson.gz", gzip.compress(text)))
    assert read_raw(source, [1, 29_999, 40_000]) == {
        1: (LINE % 0).rstrip(),
        29_999: (LINE % 29_998).rstrip(),
    }
    assert read_raw(source, []) == {}
    assert read_raw(SourceFile("-", "ndjson", None), [1]) == {}


def test_standard_input_is_ndjson(decoder: NdjsonDecoder, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(LINE % 1)

    monkeypatch.setattr("sys.stdin", Stdin())
    [piece] = read_events(describe_source("-"), decoder)
    assert piece.batch is not None and piece.batch.count == 1
