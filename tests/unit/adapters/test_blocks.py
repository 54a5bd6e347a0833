"""Blocks of whole lines from plain and compressed sources, whatever their size and fate."""

from __future__ import annotations

import doctest
import gzip
import io
import tracemalloc
from pathlib import Path
from typing import IO

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.adapters import blocks
from regtech.adapters.blocks import Block, open_source, read_blocks
from regtech.columns.batch import Reject
from regtech.columns.memory import PADDING
from regtech.errors import InputError

LINES = b"".join(b"line %d\n" % k for k in range(5000))


def test_the_example_in_the_module_holds() -> None:
    assert doctest.testmod(blocks).failed == 0


@settings(max_examples=200, deadline=None)
@given(
    data=st.lists(st.binary(max_size=12), max_size=20).map(b"\n".join),
    block_bytes=st.integers(1, 40),
)
def test_nothing_is_lost_and_every_line_has_its_number(data: bytes, block_bytes: int) -> None:
    found: dict[int, bytes] = {}
    for part in read_blocks(io.BytesIO(data), block_bytes, line_bytes_max=8):
        if isinstance(part, Reject):
            assert part.code == "too_long"
            found[part.line] = part.raw
            continue
        if part.room is not None:  # to be written to, with room behind for whole words
            assert part.room[: len(part.data)] == part.data
            assert len(part.room) >= len(part.data) + PADDING
            part.room[: len(part.data)] = b"?" * len(part.data)
        pieces = part.data.split(b"\n")
        assert part.final or pieces.pop() == b""
        assert part.next_line == part.first_line + len(pieces)
        found |= dict(enumerate(pieces, part.first_line))
    expected = data.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    assert sorted(found) == list(range(1, len(expected) + 1))
    for number, line in enumerate(expected, 1):
        assert found[number] in (line, line[:8])


class _Endless(io.RawIOBase):
    """A line of 100 MB, made as it is read, then a short one."""

    def __init__(self) -> None:
        self.left = 100 * 2**20

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # the buffer of the reader above
        if self.left == 0:
            return 0
        count = min(len(view), self.left)
        view[:count] = b"x" * count
        self.left -= count
        if self.left == 0:
            view[count - 6 : count] = b"\nshort"
        return count


def test_a_line_of_100_mb_is_refused_in_bounded_memory() -> None:
    reject, block = list(read_blocks(io.BufferedReader(_Endless()), source_name="f"))
    assert isinstance(reject, Reject) and isinstance(block, Block)
    assert (reject.line, reject.source, reject.found) == (1, "f", f"{100 * 2**20 - 6} bytes")
    assert len(reject.raw) == 1 << 20
    assert (block.data, block.first_line, block.final) == (b"short", 2, True)


def test_a_file_that_waits_holds_its_block_and_no_room_for_the_longest_line() -> None:
    """A run may have a thousand files open, each waiting for its time."""
    tracemalloc.start()
    try:
        waiting = read_blocks(io.BytesIO(LINES), 1 << 14)
        assert isinstance(next(waiting), Block)
        assert tracemalloc.get_traced_memory()[0] < 4 << 14
    finally:
        tracemalloc.stop()


def test_a_long_line_among_short_blocks_is_whole() -> None:
    data = b"a\n" + b"x" * 100_000 + b"\nb\n"
    found = [part.data for part in read_blocks(io.BytesIO(data), 64) if isinstance(part, Block)]
    assert b"".join(found) == data
    assert any(b"x" * 100_000 + b"\n" in part for part in found)


def _read(source: Path | IO[bytes]) -> bytes:
    with open_source(source) as stream:
        return b"".join(b.data for b in read_blocks(stream, 777) if isinstance(b, Block))


# With a checksum, as the zstd command writes them.
ZSTD = zstandard.ZstdCompressor(write_checksum=True)
PACKED = {
    "plain": LINES,
    "gzip": gzip.compress(LINES),
    "two gzip members": gzip.compress(LINES[:999]) + gzip.compress(LINES[999:]),
    "zstd": ZSTD.compress(LINES),
    "two zstd frames": ZSTD.compress(LINES[:999]) + ZSTD.compress(LINES[999:]),
}


@pytest.mark.parametrize("name", PACKED)
def test_compression_is_told_by_the_first_bytes(tmp_path: Path, name: str) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(PACKED[name])
    assert _read(path) == LINES
    assert _read(io.BytesIO(PACKED[name])) == LINES


@pytest.mark.parametrize("data", [b"", b"\n", b"a", b"\x1f", b"\x28\xb5\x2f"])
def test_short_sources_are_read(data: bytes) -> None:
    assert _read(io.BytesIO(data)) == data


@pytest.mark.parametrize("name", ["gzip", "zstd", "two gzip members", "two zstd frames"])
def test_a_cut_or_damaged_file_is_an_error_not_an_end(name: str) -> None:
    packed = PACKED[name]
    with pytest.raises(InputError):
        _read(io.BytesIO(packed[:-9]))
    half = len(packed) // 2
    with pytest.raises(InputError):
        _read(io.BytesIO(packed[:half] + b"\xff" * 40 + packed[half + 40 :]))


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        open_source(tmp_path / "nowhere.ndjson")


def test_lines_arrive_while_the_pipe_is_open() -> None:
    class Pipe(io.RawIOBase):
        parts = [b"one\ntw", b"o\nthree"]

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            data = self.parts.pop(0) if self.parts else b""
            memoryview(buffer)[: len(data)] = data  # type: ignore[arg-type]  # as above
            return len(data)

    found = read_blocks(io.BufferedReader(Pipe()))
    first = next(found)
    assert isinstance(first, Block) and first.data == b"one\n"
