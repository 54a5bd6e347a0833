"""Reads CSV and Parquet through a column map."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO

import numpy as np
import pyarrow as pa

from regtech.adapters.blocks import Block, read_blocks
from regtech.adapters.decoded import Decoded
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.tables.cells import views_of
from regtech.adapters.tables.columnmap import Column, ColumnMap
from regtech.adapters.tables.csvfile import read_header, split_header
from regtech.adapters.tables.layout import make_layout
from regtech.adapters.tables.parquetfile import parquet_columns
from regtech.adapters.tables.rows import RowDecoder
from regtech.columns.batch import Batch, Int64, Reject
from regtech.errors import InputError


class _Translator:
    """Columns of text of the source to columns of our fields, to a batch."""

    def __init__(self, column_map: ColumnMap, decoder: NdjsonDecoder, source_name: str) -> None:
        self._map = column_map
        self._paths = tuple(column_map.fields)
        fixed = {p: t for p, t in column_map.constants.items() if p not in column_map.fields}
        self._fixed = tuple(fixed.values())
        self._rows = RowDecoder(make_layout([*self._paths, *fixed]), decoder)
        self._source_name = source_name

    def check(self, names: Sequence[str]) -> None:
        """``InputError`` where the source has not the columns that the map reads."""
        missing = sorted(self._map.needs() - set(names))
        if missing:
            raise InputError(
                f"{self._source_name} has no column {', '.join(map(repr, missing))}",
                hint=f"the map {self._map.id} reads it: leave out of a copy of the map what is "
                f"not there; the file has {', '.join(names)}",
            )

    def decode(
        self, columns: Mapping[str, Column], numbers: Int64, source_index: int
    ) -> tuple[Batch, list[Reject]]:
        """The batch of the rows; row ``k`` is the record with the number ``numbers[k]``."""
        rows = numbers.tolist()
        made = [self._map.fields[path].apply(columns, rows) for path in self._paths]
        made += [[text] * len(rows) for text in self._fixed]
        views = views_of([pa.array(column, pa.string_view()) for column in made], len(rows))
        return self._rows.decode_columns(views, numbers, self._source_name, source_index)


def read_mapped(
    stream: IO[bytes],
    decoder: NdjsonDecoder,
    column_map: ColumnMap,
    *,
    parquet: bool,
    source_name: str,
    source_index: int,
    first_line: int,
    line_bytes_max: int,
) -> Iterator[Decoded]:
    """The events of a table that is not in our columns."""
    translator = _Translator(column_map, decoder, source_name)
    if first_line <= 1 and column_map.before:
        batch, rejects, size = decoder.decode(
            column_map.before, source_name=f"map {column_map.id}", source_index=source_index
        )
        yield Decoded(batch, rejects, 1, size)
    if parquet:
        for names, texts, row, size in parquet_columns(stream, source_name, first_line):
            translator.check(names)
            columns = dict(zip(names, texts, strict=True))
            count = len(texts[0])
            numbers = np.arange(row, row + count)
            batch, rejects = translator.decode(columns, numbers, source_index)
            yield Decoded(batch, rejects, row + count, size)
        return
    yield from _mapped_csv(
        stream, translator, column_map, source_name, source_index, first_line, line_bytes_max
    )


def _mapped_csv(
    stream: IO[bytes],
    translator: _Translator,
    column_map: ColumnMap,
    source_name: str,
    source_index: int,
    first_line: int,
    line_bytes_max: int,
) -> Iterator[Decoded]:
    blocks = read_blocks(stream, line_bytes_max=line_bytes_max, source_name=source_name)
    names: Sequence[str] = column_map.names
    if not names:
        head, blocks = split_header(blocks, source_name)
        if not head:
            return
        names = read_header(head, column_map.separator, source_name)
    translator.check(names)
    for block in blocks:
        if isinstance(block, Reject):
            if block.line >= first_line:
                yield Decoded(None, [block], block.line + 1, len(block.raw))
            continue
        if block.next_line <= first_line:
            continue
        lines, cells, rejects = _split(block, column_map, names, first_line, source_name)
        columns = dict(zip(names, zip(*cells, strict=True), strict=True)) if cells else {}
        size = len(block.data)
        if not cells:
            yield Decoded(None, rejects, block.next_line, size)
            continue
        numbers = np.array([number for number, _ in lines], np.int64)
        raw_of = dict(lines)
        batch, refused = translator.decode(columns, numbers, source_index)
        found = [replace(reject, raw=raw_of[reject.line]) for reject in refused]
        rejects = sorted(rejects + found, key=lambda r: r.line)
        yield Decoded(batch, rejects, block.next_line, size, block.data, block.first_line)


def _split(
    block: Block, column_map: ColumnMap, names: Sequence[str], first_line: int, source_name: str
) -> tuple[list[tuple[int, bytes]], list[list[str]], list[Reject]]:
    """Lines with their numbers, their cells, and the lines that cannot be split."""
    lines: list[tuple[int, bytes]] = []
    cells: list[list[str]] = []
    rejects: list[Reject] = []
    skip = tuple(prefix.encode() for prefix in column_map.skip)
    own_header = ",".join(column_map.names).encode()
    for number, raw in enumerate(block.data.split(b"\n"), block.first_line):
        raw = raw.removesuffix(b"\r")
        if not raw or number < first_line or (skip and raw.startswith(skip)):
            continue
        if number == 1 and own_header and raw.split(b",")[0] == own_header.split(b",")[0]:
            continue
        row, fault = _cells(raw, column_map.separator)
        if fault or len(row) != len(names):
            code, found = ("encoding", fault) if fault == "not UTF-8" else ("columns", fault)
            found = found or f"{len(row)} cells"
            expected = "UTF-8" if code == "encoding" else f"{len(names)} cells"
            rejects.append(Reject(source_name, number, "", code, found, expected, raw))
            continue
        lines.append((number, raw))
        cells.append(row)
    return lines, cells, rejects


def _cells(raw: bytes, separator: str) -> tuple[list[str], str]:
    """The cells of a line, or what is wrong with it."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return [], "not UTF-8"
    if '"' not in text:
        return text.split(separator), ""
    try:
        return next(csv.reader([text], delimiter=separator, strict=True)), ""
    except (csv.Error, StopIteration):
        return [], "a quote that does not end its cell"
