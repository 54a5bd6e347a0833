"""A BODS file as single statements: one JSON array, or one statement a line.

>>> import io
>>> [(s.number, s.raw) for s in split_statements(io.BytesIO(b'[{"a":1}, {"b":2}]'), "")]
[(1, b'{"a":1}'), (2, b'{"b":2}')]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from regtech.adapters.blocks import LINE_BYTES_MAX
from regtech.adapters.record import Code, RecordFault, show
from regtech.errors import InputError

HEAD_BYTES: Final = 1 << 16
_PIECE: Final = 1 << 18
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_NAMED: Final = re.compile(rb'"statementI[dD]"\s*:')
_OURS: Final = re.compile(rb'"type"\s*:')


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it stands in its file; ``data`` or what is wrong with it."""

    number: int
    raw: bytes
    data: dict[str, Any] | None
    fault: RecordFault | None = None


class Plain(str):
    """The text of a JSON number."""

    __slots__ = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise RecordFault("duplicate_key", twice, show(twice), "each key once in an object")
    return found


def _constant(text: str) -> Any:
    raise RecordFault("not_json", "", text, "JSON without NaN and infinities")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Plain, parse_float=Plain, parse_constant=_constant
)
_SHAPE: Final = json.JSONDecoder(parse_int=Plain, parse_float=Plain)
"""Finds where a value ends, whatever is wrong inside it."""


def looks_like_bods(head: bytes) -> bool:
    """Whether the first bytes of a file are those of BODS statements and not of our events."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return True
    line = text.split(b"\n", 1)[0]
    return text.startswith(b"{") and bool(_NAMED.search(line)) and not _ours(line)


def _ours(line: bytes) -> bool:
    return b'"reporter"' in line and bool(_OURS.search(line))


def split_statements(stream: IO[bytes], name: str) -> Iterator[Statement]:
    """The statements of a file in their order. Raises ``InputError`` where reading fails."""
    head = _read(stream, name)
    body = head.removeprefix(b"\xef\xbb\xbf")
    if body.lstrip().startswith(b"["):
        yield from _array(stream, body, name)
    else:
        yield from _lines(stream, body, name)


def _read(stream: IO[bytes], name: str) -> bytes:
    try:
        return stream.read(_PIECE)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"cannot read {name}: {error}") from error


def _statement(number: int, raw: bytes) -> Statement:
    if len(raw) > LINE_BYTES_MAX:
        limit = f"at most {LINE_BYTES_MAX} bytes"
        return _faulty(number, raw[:LINE_BYTES_MAX], "too_long", f"{len(raw)} bytes", limit)
    try:
        data = _DECODER.decode(raw.decode())
    except RecordFault as error:
        return Statement(number, raw, None, error)
    except UnicodeDecodeError as error:
        return _faulty(number, raw, "encoding", f"byte at {error.start + 1}", "UTF-8")
    except (ValueError, RecursionError) as error:
        return _faulty(number, raw, "not_json", str(error), "one JSON object")
    if not isinstance(data, dict):
        return _faulty(number, raw, "not_object", show(data), "a statement")
    return Statement(number, raw, data)


def _faulty(number: int, raw: bytes, code: Code, found: str, expected: str) -> Statement:
    return Statement(number, raw, None, RecordFault(code, "", found, expected))


def _lines(stream: IO[bytes], carry: bytes, name: str) -> Iterator[Statement]:
    number = 0
    while True:
        more = _read(stream, name)
        *whole, carry = (carry + more).split(b"\n") if more else (*carry.split(b"\n"), b"")
        for line in whole:
            number += 1
            line = line.strip()
            if line:
                yield _statement(number, line)
        if not more:
            return
        if len(carry) > 2 * LINE_BYTES_MAX:
            raise InputError(f"{name}: a line after {number} is longer than {LINE_BYTES_MAX} bytes")


def _array(stream: IO[bytes], head: bytes, name: str) -> Iterator[Statement]:
    """Statements of one array; after a break in its JSON the rest is one fault."""
    text, rest = _text(head, b"", name)
    place = text.index("[") + 1
    number, ended = 0, False
    while True:
        place = _skip(text, place)
        if place < len(text) and text[place] == "]":
            return
        try:
            _, end = _SHAPE.raw_decode(text, place)
            broken = None
            # A number or word at the very end may go on in the next piece.
            complete = ended or _skip(text, end) < len(text)
        except (ValueError, RecursionError) as error:
            broken, complete, end = error, ended, place
        if not complete:
            more = _read(stream, name)
            ended = not more
            added, rest = _text(more, rest, name, final=ended)
            text, place = text[place:] + added, 0
            if len(text) - place > 4 * LINE_BYTES_MAX and broken is not None:
                ended = True  # no statement is that long
            continue
        number += 1
        if broken is not None:
            raw = text[place:].encode()[:LINE_BYTES_MAX]
            if raw.strip() or number == 1:
                yield _faulty(number, raw, "not_json", str(broken), "an array of statements")
            return
        yield _statement(number, text[place:end].encode())
        place = end


def _skip(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    place = found.end() if found else place
    if place < len(text) and text[place] == ",":
        found = _BLANK.match(text, place + 1)
        place = found.end() if found else place + 1
    return place


def _text(data: bytes, rest: bytes, name: str, *, final: bool = False) -> tuple[str, bytes]:
    """UTF-8 as text, and the bytes of a character that is not whole yet."""
    data = rest + data
    for keep in range(4):
        end = len(data) - keep
        try:
            return data[:end].decode(), data[end:]
        except UnicodeDecodeError as error:
            if final or error.start < len(data) - 4 or end <= 0:
                break
    raise InputError(f"{name} is not UTF-8")
