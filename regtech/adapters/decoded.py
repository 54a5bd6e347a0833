"""What every reader of events gives: decoded events, rejects, and where to go on."""

from __future__ import annotations

from dataclasses import dataclass

from regtech.columns.batch import Batch, Reject


@dataclass(frozen=True, slots=True)
class Decoded:
    """A piece of a source.

    ``batch`` is None where the piece holds rejects alone. ``next_line``: the record (line of NDJSON
    and CSV, row of Parquet, from 1) where a resumed run goes on; only the last piece of a block may
    be a place to stop, and pieces of one block carry the same number. ``size``: bytes that the
    piece stands for, for progress only. ``lines``: the block as it came, in the first of its
    pieces; its first line has the number ``first_line``. Empty for Parquet, which has no lines.
    """

    batch: Batch | None
    rejects: list[Reject]
    next_line: int
    size: int
    lines: bytes = b""
    first_line: int = 0
