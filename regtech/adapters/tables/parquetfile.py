"""Parquet as a source of events: columns as text, whatever type they are stored in.

Whole numbers, decimals, dates, times with a zone and truth values become their text exactly. Binary
floats become JSON numbers, which the decoder refuses wherever a value must be exact.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regtech.adapters.decoded import Decoded
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.tables.layout import make_layout
from regtech.adapters.tables.rows import RowDecoder, Spans, Views, spans_of
from regtech.columns.batch import Bytes, Int64
from regtech.columns.memory import PADDING
from regtech.errors import InputError

# What the readers raise for damaged files; a name that is no UTF-8 is a ValueError.
_DAMAGE: Final = (pa.ArrowException, OSError, ValueError, MemoryError)
BATCH_ROWS: Final = 1 << 14
CUT_ROWS: Final = 1 << 12
"""Rows decoded at a time: what is made of them stays in the cache."""
WINDOW_ROWS: Final = 1 << 17
"""Rows read at a time; reading a part of a row group reads over what is before it again."""


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
        # What a cast raises for a value that has no text, and for a kind that has none.
        raise InputError(
            f"the column {name!r} of {source_name} is {kind}, which has no exact text",
            hint=str(error),
        ) from None
    _, offsets, data = column.buffers()
    count = len(column)
    starts = np.frombuffer(offsets, np.int64)[column.offset : column.offset + count + 1]
    found = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return starts, found


def _open(stream: IO[bytes], source_name: str) -> Any:
    try:
        return pq.ParquetFile(stream)
    except _DAMAGE as error:
        raise InputError(f"{source_name} is not Parquet, or damaged: {error}") from None


def _pieces(file: Any, source_name: str, first_line: int) -> Iterator[tuple[Any, int, int]]:
    """(table of at most ``BATCH_ROWS`` rows without structs, number of its first row, bytes)."""
    row = 1
    pieces = file.iter_batches(batch_size=BATCH_ROWS, use_threads=False)
    while True:
        try:
            piece = next(pieces, None)
        except _DAMAGE as error:
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


def _is_text(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)
    )


def _windows(file: Any, first_line: int) -> Iterator[tuple[int, int]]:
    """(first row from 0, rows): row groups, and parts of those that are large."""
    start = 0
    for group in range(file.metadata.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        while start < end:
            rows = min(end - start, WINDOW_ROWS)
            if start + rows > first_line - 1:
                skip = max(first_line - 1 - start, 0)
                yield start + skip, rows - skip
            start += rows


def _views(stream: IO[bytes], start: int, rows: int) -> Views:
    """Columns of text as polars reads them, which costs it little."""
    import polars as pl

    stream.seek(0)
    frame = pl.scan_parquet(stream, use_statistics=False).slice(start, rows).collect()
    arrays = [
        column.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
        for column in frame.get_columns()
    ]
    views: Int64 = np.full((len(arrays), 4), -1, np.int64)
    parts: list[Any] = []
    bases: list[int] = []
    place = 0
    for k, array in enumerate(arrays):
        if array.null_count == len(array):
            continue
        valid, own, *data = array.buffers()
        views[k] = place + 16 * array.offset, -1, array.offset, len(bases)
        parts.append(own)
        place += own.size
        for buffer in data:
            bases.append(place)
            parts.append(buffer)
            place += buffer.size
        if valid is not None:
            views[k, 1] = place
            parts.append(valid)
            place += valid.size
    text = np.zeros(place + PADDING, np.uint8)
    place = 0
    for buffer in parts:
        text[place : place + buffer.size] = np.frombuffer(buffer, np.uint8)
        place += buffer.size
    return Views(text, views, np.array([*bases, 0], np.int64))


def _text_pieces(
    stream: IO[bytes], file: Any, source_name: str, first_line: int
) -> Iterator[tuple[Spans | Views, int, int, int]]:
    """(cells, number of the first row, rows, bytes), by the fast way as long as it goes."""
    import polars as pl

    following = first_line
    try:
        for start, rows in _windows(file, first_line):
            views = _views(stream, start, rows)
            for cut in range(0, rows, CUT_ROWS):
                count = min(CUT_ROWS, rows - cut)
                yield views.part(cut), start + cut + 1, count, len(views.text) * count // rows
                following = start + cut + 1 + count
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, *_DAMAGE):
        # Damaged, or bytes that are no UTF-8: the other reader says what, or isolates the rows.
        yield from _slow_pieces(_open(stream, source_name), source_name, following)


def _slow_pieces(
    file: Any, source_name: str, first_line: int
) -> Iterator[tuple[Spans | Views, int, int, int]]:
    for table, row, size in _pieces(file, source_name, first_line):
        yield spans_of(_columns_of(table, source_name)), row, len(table), size


def read_parquet(
    stream: IO[bytes],
    decoder: NdjsonDecoder,
    *,
    source_name: str,
    source_index: int,
    first_line: int = 1,
) -> Iterator[Decoded]:
    """The events of a Parquet file in our own columns; rows before ``first_line`` are left out."""
    file = _open(stream, source_name)
    schema = file.schema_arrow
    if all(_is_text(field.type) for field in schema):
        pieces = _text_pieces(stream, file, source_name, first_line)
    else:
        pieces = _slow_pieces(file, source_name, first_line)
        schema = _flat(schema.empty_table()).schema
    floats = frozenset(k for k, f in enumerate(schema) if pa.types.is_floating(_plain(f.type)))
    decode = RowDecoder(make_layout(schema.names, floats=floats), decoder)
    for cells, row, count, size in pieces:
        numbers = np.arange(row, row + count)
        for batch, rejects in decode.decode_columns(cells, numbers, source_name, source_index):
            yield Decoded(batch, rejects, row + count, size)
            size = 0


def parquet_columns(
    stream: IO[bytes], source_name: str, first_line: int
) -> Iterator[tuple[list[str], list[list[str | None]], int, int]]:
    """(names, texts of each column, number of the first row, bytes), for a column map."""
    for table, row, size in _pieces(_open(stream, source_name), source_name, first_line):
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
