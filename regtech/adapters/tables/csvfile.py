"""CSV as a source of events: UTF-8, a header of field paths, one row a line.

A cell may be quoted with double quotes, a quote inside is doubled (RFC 4180); but a line end always
ends the row, also inside quotes, so that one open quote costs one row and not the rest of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import IO

from regtech.adapters.blocks import LINE_BYTES_MAX, Block, from_line, read_blocks
from regtech.adapters.decoded import Decoded
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.adapters.tables.layout import make_layout
from regtech.adapters.tables.rows import RowDecoder
from regtech.columns.batch import Reject
from regtech.errors import InputError

_BOM = b"\xef\xbb\xbf"


def read_header(line: bytes, separator: str, source_name: str) -> list[str]:
    """The column names of a header line; ``InputError`` where it cannot be one."""
    try:
        text = line.removeprefix(_BOM).decode("utf-8").rstrip("\r\n")
        names = next(csv.reader([text], delimiter=separator, strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the header of {source_name} cannot be read: {error}") from None
    if not names or not all(name.strip() for name in names):
        raise InputError(
            f"{source_name} does not begin with a header", hint="the first line names the columns"
        )
    return [name.strip() for name in names]


def split_header(
    blocks: Iterator[Block | Reject], source_name: str
) -> tuple[bytes, Iterator[Block | Reject]]:
    """The first line, and the blocks without it; an empty file has no first line."""
    first = next(blocks, None)
    if first is None:
        return b"", iter(())
    if isinstance(first, Reject):
        raise InputError(f"the header of {source_name} is too long")
    head, newline, rest = first.data.partition(b"\n")

    def following() -> Iterator[Block | Reject]:
        if rest:
            yield Block(rest, first.first_line + 1, first.next_line, first.final)
        yield from blocks

    return head + newline, following()


def read_csv(
    stream: IO[bytes],
    decoder: NdjsonDecoder,
    *,
    source_name: str,
    source_index: int,
    separator: str = ",",
    first_line: int = 1,
    line_bytes_max: int = LINE_BYTES_MAX,
) -> Iterator[Decoded]:
    """The events of a CSV file in our own columns; lines before ``first_line`` are left out."""
    head, blocks = split_header(
        read_blocks(stream, line_bytes_max=line_bytes_max, source_name=source_name), source_name
    )
    if not head:
        return
    names = read_header(head, separator, source_name)
    layout = make_layout(names)
    rows = RowDecoder(layout, decoder)
    for block in blocks:
        if isinstance(block, Reject):
            if block.line >= first_line:
                yield Decoded(None, [block], block.line + 1, len(block.raw))
            continue
        if block.next_line <= first_line:
            continue
        data, line = from_line(block, first_line)
        lines, size = data, len(data)
        for batch, rejects in rows.decode_csv(
            data, line, separator, line_bytes_max, source_name, source_index
        ):
            yield Decoded(batch, rejects, block.next_line, size, lines, line)
            lines, size = b"", 0
