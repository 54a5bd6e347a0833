"""Bytes of a source as blocks of whole lines; plain, gzip or Zstandard, told by the first bytes.

>>> import io
>>> [(b.first_line, b.data) for b in read_blocks(io.BytesIO(b"a\\nb\\nc"), block_bytes=3)]
[(1, b'a\\n'), (2, b'b\\n'), (3, b'c')]
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import zstandard

from regtech.columns.batch import Reject
from regtech.columns.memory import PADDING
from regtech.errors import InputError

BLOCK_BYTES: Final = 1 << 20
LINE_BYTES_MAX: Final = 1 << 20
_COUNTED: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
# Compressed bytes at a time: a hostile frame grows each of them at most some 32,000 times.
_ZSTD_STEP: Final = 1 << 12
READ_ERRORS: Final = (OSError, EOFError, zlib.error, zstandard.ZstdError)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines; only the last block of a source may end without a newline.

    ``next_line`` is the number of the line after the block, where a resumed run goes on. ``room``:
    the memory that the lines were read into, with ``PADDING`` bytes behind them, which may be
    written to until the next block is asked for; None where there is none.
    """

    data: bytes
    first_line: int
    next_line: int
    final: bool
    room: memoryview | None = None


def from_line(block: Block, first_line: int) -> tuple[bytes, int]:
    """The lines of a block from a number on, and the number of the first that is left."""
    place = 0
    for _ in range(first_line - block.first_line):
        place = block.data.index(b"\n", place) + 1
    return block.data[place:], max(block.first_line, first_line)


class _Joined(io.RawIOBase):
    """Bytes already read from a stream, then the stream."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] if self._head else _some(self._stream, len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _ZstdStream(io.RawIOBase):
    """Frames of Zstandard one after the other; a truncated one is an error, not an end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._frame: Any = None
        self._ready = memoryview(b"")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            data = self._rest or _some(self._stream, _ZSTD_STEP)
            self._rest = b""
            if not data:
                if self._frame is not None:
                    raise EOFError("the compressed data ends inside a frame")
                return 0
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(self._frame.decompress(data))
            if self._frame.eof:
                self._rest = self._frame.unused_data
                self._frame = None
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


def open_source(source: Path | IO[bytes]) -> IO[bytes]:
    """The uncompressed bytes of a file or stream; ``InputError`` where it cannot be opened.

    Closing the result closes the stream that was given.
    """
    try:
        stream = open(source, "rb") if isinstance(source, Path) else source
        head = b""
        while len(head) < len(_ZSTD) and (more := stream.read(len(_ZSTD) - len(head))):
            head += more
    except OSError as error:
        raise InputError(f"cannot read {source}: {error.strerror or error}") from error
    compressed = head.startswith(_GZIP) or head == _ZSTD
    if isinstance(source, Path) and not compressed and stream.seekable():
        stream.seek(0)  # without the copies that joining takes
        return stream
    joined: Any = io.BufferedReader(_Joined(head, stream), BLOCK_BYTES)
    if head.startswith(_GZIP):
        return io.BufferedReader(_Gzip(joined), BLOCK_BYTES)
    if head == _ZSTD:
        return io.BufferedReader(_ZstdStream(joined), BLOCK_BYTES)
    found: IO[bytes] = joined
    return found


class _Gzip(gzip.GzipFile):
    """A gzip stream that closes what it reads from."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(fileobj=stream, mode="rb")
        self._below = stream

    def close(self) -> None:
        super().close()
        self._below.close()


def _some(stream: IO[bytes], size: int) -> bytes:
    """What is there, at least one byte and at most ``size``; empty at the end."""
    read = getattr(stream, "read1", stream.read)
    data: bytes = read(size)
    return data


def _some_into(stream: IO[bytes], buffer: memoryview, source_name: str) -> int:
    """Read what is there into a buffer, at least one byte; how many, 0 at the end."""
    try:
        read = getattr(stream, "readinto1", None)
        if read is not None:
            count: int = read(buffer)
            return count
        data = _some(stream, len(buffer))
    except READ_ERRORS as error:
        raise InputError(f"cannot read {source_name or 'the input'}: {error}") from error
    buffer[: len(data)] = data
    return len(data)


def _newlines(data: bytes) -> int:
    """How many there are. ``bytes.count`` takes five times as long: it stops at each of them."""
    values = np.frombuffer(data, np.uint8)
    return sum(
        int(np.count_nonzero(values[start : start + _COUNTED] == 10))
        for start in range(0, len(values), _COUNTED)
    )


def read_blocks(
    stream: IO[bytes],
    block_bytes: int = BLOCK_BYTES,
    *,
    line_bytes_max: int = LINE_BYTES_MAX,
    source_name: str = "",
    first_line: int = 1,
) -> Iterator[Block | Reject]:
    """Blocks of whole lines as they arrive, and a ``too_long`` reject for each line over the limit.

    Holds at most ``block_bytes + line_bytes_max`` bytes, whatever the length of a line; a reject
    keeps the first ``line_bytes_max`` bytes of its line. Raises ``InputError`` where reading fails.
    """
    # One buffer is read into again and again: memory that was never touched costs more than a copy.
    # It has room for a long line only once there is one, since many files may wait at once.
    buffer = bytearray(block_bytes + PADDING)
    view = memoryview(buffer)
    line, held, rest = first_line, 0, b""
    while True:
        if len(buffer) - PADDING - held < max(1, block_bytes // 2):
            buffer = bytearray(view[:held]) + bytearray(block_bytes + PADDING)
            view = memoryview(buffer)
        if rest:
            held, read = 0, len(rest)
            view[:read], rest = rest, b""
        else:
            most = min(held + block_bytes, len(buffer) - PADDING)
            read = _some_into(stream, view[held:most], source_name)
        if not read:
            if held:
                yield Block(bytes(view[:held]), line, line + 1, final=True)
            return
        filled = held + read
        end = buffer.rfind(b"\n", held, filled) + 1
        if end:
            whole = bytes(view[:end])
            count = _newlines(whole)
            yield Block(whole, line, line + count, final=False, room=view)
            line += count
            buffer[: filled - end] = buffer[end:filled]
        held = filled - end
        if held > line_bytes_max:
            size, rest = _skip_line(stream, held, block_bytes, source_name)
            yield Reject(
                source=source_name,
                line=line,
                field="",
                code="too_long",
                found=f"{size} bytes",
                expected=f"at most {line_bytes_max} bytes",
                raw=bytes(view[:line_bytes_max]),
            )
            line += 1
            held = 0


def _skip_line(
    stream: IO[bytes], size: int, block_bytes: int, source_name: str
) -> tuple[int, bytes]:
    """(length of the line in all, what was read beyond its newline)."""
    buffer = bytearray(block_bytes)
    view = memoryview(buffer)
    while True:
        read = _some_into(stream, view, source_name)
        end = buffer.find(b"\n", 0, read)
        if end >= 0:
            return size + end, bytes(view[end + 1 : read])
        if not read:
            return size, b""
        size += read
