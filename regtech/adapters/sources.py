"""Opens what a command names as a source of events, and tells the format by its name.

    events.ndjson, .jsonl, .json, or anything else   NDJSON
    events.csv                                       CSV with a header of field paths
    events.parquet, .pq                              Parquet
    a JSON array, or lines with a statementId        BODS, the Beneficial Ownership Data Standard
    -                                                NDJSON from standard input

``.gz`` and ``.zst`` behind NDJSON and CSV are told by the first bytes, whatever the name says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from regtech.adapters.blocks import (
    BLOCK_BYTES,
    LINE_BYTES_MAX,
    READ_ERRORS,
    from_line,
    open_source,
    read_blocks,
)
from regtech.adapters.bods.statements import HEAD_BYTES, looks_like_bods
from regtech.adapters.decoded import Decoded
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.tables.columnmap import ColumnMap
from regtech.columns.batch import Reject
from regtech.errors import InputError

Format = Literal["ndjson", "csv", "parquet", "bods"]
STDIN = "-"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A named source and its format; ``size`` in bytes as stored, None where unknown."""

    name: str
    format: Format
    size: int | None


def describe_source(name: str) -> SourceFile:
    """What ``name`` is. Raises ``InputError`` where there is no such file, or it is a folder."""
    if name == STDIN:
        return SourceFile(name, "ndjson", None)
    path = Path(name)
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise InputError(f"{name} is a folder", hint=f"name its files: {name}/*.ndjson")
        if not os.access(path, os.R_OK):
            raise InputError(f"{name} may not be read")
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from None
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in (".gz", ".zst"):
        suffixes.pop()
    ending = suffixes[-1] if suffixes else ""
    if ending in (".parquet", ".pq"):
        return SourceFile(name, "parquet", size)
    if ending in (".csv", ".tsv"):
        return SourceFile(name, "csv", size)
    return SourceFile(name, "bods" if _is_bods(path) else "ndjson", size)


def _is_bods(path: Path) -> bool:
    """Whether a file holds BODS statements. A pipe cannot be looked at twice: it holds events."""
    if not path.is_file():
        return False
    try:
        with open_source(path) as stream:
            return looks_like_bods(stream.read(HEAD_BYTES))
    except READ_ERRORS:
        return False  # who reads it will say what is wrong


def read_events(
    source: SourceFile,
    decoder: NdjsonDecoder,
    *,
    source_index: int = 0,
    column_map: ColumnMap | None = None,
    first_line: int = 1,
    block_bytes: int = BLOCK_BYTES,
    line_bytes_max: int = LINE_BYTES_MAX,
) -> Iterator[Decoded]:
    """The events of a source in their order, in pieces of about ``block_bytes``.

    Records before ``first_line`` are left out (see ``Decoded.next_line``). ``column_map`` applies
    to CSV and Parquet; NDJSON is always in our own fields. Bad records come as rejects;
    ``InputError`` is raised only where the source as a whole cannot be read on.
    """
    if source.format == "ndjson":
        yield from _read_ndjson(
            source, decoder, source_index, first_line, block_bytes, line_bytes_max
        )
        return
    if source.format == "bods":
        from regtech.adapters.bods.reader import read_bods

        with _open(source) as stream:
            yield from read_bods(
                stream,
                decoder,
                source_name=source.name,
                source_index=source_index,
                first_line=first_line,
            )
        return
    # pyarrow takes 0.3 s to import; NDJSON does without it.
    from regtech.adapters.tables.csvfile import read_csv
    from regtech.adapters.tables.mapped import read_mapped
    from regtech.adapters.tables.parquetfile import read_parquet

    with _open(source) as stream:
        if column_map is not None:
            yield from read_mapped(
                stream,
                decoder,
                column_map,
                parquet=source.format == "parquet",
                source_name=source.name,
                source_index=source_index,
                first_line=first_line,
                line_bytes_max=line_bytes_max,
            )
        elif source.format == "csv":
            yield from read_csv(
                stream,
                decoder,
                source_name=source.name,
                source_index=source_index,
                separator="\t" if ".tsv" in source.name.lower() else ",",
                first_line=first_line,
                line_bytes_max=line_bytes_max,
            )
        else:
            yield from read_parquet(
                stream,
                decoder,
                source_name=source.name,
                source_index=source_index,
                first_line=first_line,
            )


def _open(source: SourceFile) -> IO[bytes]:
    if source.name == STDIN:
        return open_source(sys.stdin.buffer)
    if source.format != "parquet":
        return open_source(Path(source.name))
    try:
        return open(source.name, "rb")
    except OSError as error:
        raise InputError(f"{source.name} cannot be read: {error.strerror}") from None


def _read_ndjson(
    source: SourceFile,
    decoder: NdjsonDecoder,
    source_index: int,
    first_line: int,
    block_bytes: int,
    line_bytes_max: int,
) -> Iterator[Decoded]:
    with _open(source) as stream:
        for block in read_blocks(
            stream, block_bytes, line_bytes_max=line_bytes_max, source_name=source.name
        ):
            if isinstance(block, Reject):
                if block.line >= first_line:
                    yield Decoded(None, [block], block.line + 1, len(block.raw))
                continue
            if block.next_line <= first_line:
                continue
            data, line = from_line(block, first_line)
            batch, rejects, _ = decoder.decode(
                data,
                first_line=line,
                source_name=source.name,
                source_index=source_index,
                lines_max=block.next_line - line,
                room=block.room if line == block.first_line else None,
            )
            yield Decoded(batch, rejects, block.next_line, len(data), data, line)


def read_raw(source: SourceFile, lines: Iterable[int]) -> dict[int, bytes]:
    """The bytes of records by their number, read again; for events set aside after decoding.

    What cannot be read again (standard input, rows of Parquet) is left out, and so are lines that
    are no longer there.
    """
    wanted = set(lines)
    if not wanted or source.name == STDIN or source.format in ("parquet", "bods"):
        return {}
    found: dict[int, bytes] = {}
    last = max(wanted)
    with _open(source) as stream:
        for block in read_blocks(stream, source_name=source.name):
            if isinstance(block, Reject):
                continue
            if not wanted.isdisjoint(range(block.first_line, block.next_line + 1)):
                for number, raw in enumerate(block.data.split(b"\n"), block.first_line):
                    if number in wanted:
                        found[number] = raw.removesuffix(b"\r")
            if block.next_line > last:
                break
    return found
