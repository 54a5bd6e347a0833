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
from regtech.adapters.tables.cells import Views, views_of
from regtech.adapters.tables.layout import make_layout
from regtech.adapters.tables.rows import RowDecoder
from regtech.errors import InputError

# What the readers raise for damaged files; a name that is no UTF-8 is a ValueError.
_DAMAGE: Final = (pa.ArrowException, OSError, ValueError, MemoryError)
BATCH_ROWS: Final = 1 << 14
"""Rows decoded at a time."""
WINDOW_ROWS: Final = 1 << 17
"""Rows read at a time, so that memory is bounded whatever the size of a row group."""


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


def _text_column(column: Any, name: str, source_name: str) -> Any:
    """A column as text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    try:
        if _is_list(kind):
            column = _list_text(column)
        elif pa.types.is_timestamp(kind):
            if kind.tz is not None:
                column = column.cast(pa.timestamp(kind.unit, "UTC"))
        return column.cast(pa.large_string()) if not _is_text(column.type) else column
    except (
        pa.ArrowInvalid,  # a value that has no text
        pa.ArrowNotImplementedError,  # a kind that has none
    ) as error:
        raise InputError(
            f"the column {name!r} of {source_name} is {kind}, which has no exact text",
            hint=str(error),
        ) from None


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


def _columns_of(table: Any, source_name: str) -> list[Any]:
    return [
        _text_column(column.chunk(0), name, source_name)
        for name, column in zip(table.schema.names, table.columns, strict=True)
    ]


def _is_text(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
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
    """Columns of text as polars reads them: as string views, in less than half the time."""
    import polars as pl

    stream.seek(0)
    frame = pl.scan_parquet(stream, use_statistics=False).slice(start, rows).collect()
    table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    return views_of([column.chunk(0) for column in table.columns], min(rows, BATCH_ROWS))


def _text_pieces(
    stream: IO[bytes], file: Any, source_name: str, first_line: int
) -> Iterator[tuple[Views, int, int, int]]:
    """(cells, number of the first row, rows, bytes), by the fast way as long as it goes."""
    import polars as pl

    following = first_line
    row_bytes = stream.seek(0, 2) / max(file.metadata.num_rows, 1)
    try:
        for start, rows in _windows(file, first_line):
            views = _views(stream, start, rows)
            for cut in range(0, rows, BATCH_ROWS):
                count = min(BATCH_ROWS, rows - cut)
                yield views.part(cut), start + cut + 1, count, round(row_bytes * count)
                following = start + cut + 1 + count
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, *_DAMAGE):
        # Damaged, or bytes that are no UTF-8: the other reader says what, or isolates the rows.
        yield from _slow_pieces(_open(stream, source_name), source_name, following)


def _slow_pieces(
    file: Any, source_name: str, first_line: int
) -> Iterator[tuple[Views, int, int, int]]:
    for table, row, size in _pieces(file, source_name, first_line):
        views = [column.cast(pa.string_view()) for column in _columns_of(table, source_name)]
        yield views_of(views, len(table)), row, len(table), size


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
        batch, rejects = decode.decode_columns(cells, numbers, source_name, source_index)
        yield Decoded(batch, rejects, row + count, size)


def parquet_columns(
    stream: IO[bytes], source_name: str, first_line: int
) -> Iterator[tuple[list[str], list[list[str | None]], int, int]]:
    """(names, texts of each column, number of the first row, bytes), for a column map."""
    for table, row, size in _pieces(_open(stream, source_name), source_name, first_line):
        texts = [
            [
                text.decode("utf-8", "replace") if text else None
                for text in column.cast(pa.large_binary()).to_pylist()
            ]
            for column in _columns_of(table, source_name)
        ]
        yield table.schema.names, texts, row, size
