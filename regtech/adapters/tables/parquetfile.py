"""Parquet as a source of events: columns as text, whatever type they are stored in.

Whole numbers, decimals, dates, times with a zone and truth values become their text exactly. Binary
floats become JSON numbers, which the decoder refuses wherever a value must be exact.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regtech.adapters.decoded import Decoded
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.tables.layout import make_layout
from regtech.adapters.tables.rows import RowDecoder, spans_of
from regtech.columns.batch import Bytes, Int64
from regtech.errors import InputError

BATCH_ROWS = 1 << 14


def _flat(table: Any) -> Any:
    """Structs as columns with dotted names."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def _plain(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _list_text(column: Any) -> Any:
    """Lists as ``a|b|c`` where that is exact, else as JSON text."""
    values = column.values if not isinstance(column, pa.ChunkedArray) else column.chunk(0).values
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        plain = values.null_count == 0 and not (
            pc.any(pc.match_substring(values, "|")).as_py()
            or pc.any(pc.starts_with(values, "[")).as_py()
            or pc.any(pc.equal(values, "")).as_py()
        )
        if plain:
            return pc.binary_join(column, "|")
    return pa.array(
        [None if v is None else json.dumps(v, ensure_ascii=False) for v in column.to_pylist()],
        pa.large_string(),
    )


def _text_column(column: Any, name: str, source_name: str) -> tuple[Int64, Bytes]:
    """(offsets, bytes) of a column as text; a null is an empty text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    try:
        if _is_list(kind):
            column = _list_text(column)
        elif pa.types.is_timestamp(kind):
            if kind.tz is not None:
                column = column.cast(pa.timestamp(kind.unit, "UTC"))
            column = column.cast(pa.large_string())
        if column.type != pa.large_string():
            column = column.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"the column {name!r} of {source_name} is {kind}, which has no exact text",
            hint=str(error),
        ) from None
    _, offsets, data = column.buffers()
    count = len(column)
    starts = np.frombuffer(offsets, np.int64)[column.offset : column.offset + count + 1]
    found = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return starts, found


def _pieces(stream: IO[bytes], source_name: str, first_line: int) -> Iterator[tuple[Any, int, int]]:
    """(table of at most ``BATCH_ROWS`` rows without structs, number of its first row, bytes)."""
    try:
        file = pq.ParquetFile(stream)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source_name} is not Parquet, or damaged: {error}") from None
    row = 1
    pieces = file.iter_batches(batch_size=BATCH_ROWS, use_threads=False)
    while True:
        try:
            piece = next(pieces, None)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{source_name} is damaged after row {row - 1}: {error}") from None
        if piece is None:
            return
        following = row + len(piece)
        if following > first_line and len(piece):
            if row < first_line:
                piece, row = piece.slice(first_line - row), first_line
            yield _flat(pa.Table.from_batches([piece])).combine_chunks(), row, piece.nbytes
        row = following


def _columns_of(table: Any, source_name: str) -> list[tuple[Int64, Bytes]]:
    return [
        _text_column(column.chunk(0), name, source_name)
        for name, column in zip(table.schema.names, table.columns, strict=True)
    ]


def read_parquet(
    stream: IO[bytes],
    decoder: NdjsonDecoder,
    *,
    source_name: str,
    source_index: int,
    first_line: int = 1,
) -> Iterator[Decoded]:
    """The events of a Parquet file in our own columns; rows before ``first_line`` are left out."""
    decode: RowDecoder | None = None
    for table, row, size in _pieces(stream, source_name, first_line):
        names = table.schema.names
        if decode is None:
            floats = frozenset(
                k for k, f in enumerate(table.schema) if pa.types.is_floating(_plain(f.type))
            )
            decode = RowDecoder(make_layout(names, floats=floats), len(names), decoder)
        text, spans = spans_of(_columns_of(table, source_name))
        numbers = np.arange(row, row + len(table))
        for batch, rejects in decode.decode_columns(
            text, spans, numbers, source_name, source_index
        ):
            yield Decoded(batch, rejects, row + len(table), size)
            size = 0


def parquet_columns(
    stream: IO[bytes], source_name: str, first_line: int
) -> Iterator[tuple[list[str], list[list[str | None]], int, int]]:
    """(names, texts of each column, number of the first row, bytes), for a column map."""
    for table, row, size in _pieces(stream, source_name, first_line):
        texts = []
        for offsets, data in _columns_of(table, source_name):
            view, places = data.tobytes(), offsets.tolist()
            texts.append(
                [
                    view[a:b].decode("utf-8", "replace") if b > a else None
                    for a, b in zip(places[:-1], places[1:], strict=True)
                ]
            )
        yield table.schema.names, texts, row, size
