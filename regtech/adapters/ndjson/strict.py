"""The strict path: one line through the standard library's JSON with every leniency closed.

It takes what the fast path is not sure of, explains rejects, and is the oracle of the tests. Beyond
the grammar of RFC 8259 it refuses repeated keys, NaN and infinities, lone surrogates, NUL (escaped
too), raw control characters and nesting deeper than ``DEPTH_MAX``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from regtech.adapters.ndjson.layout import DEPTH_MAX
from regtech.adapters.record import Float, Number, Record, RecordFault, RecordReader, show

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.S)
_BRACKETS: Final = re.compile(rb"[\[\]{}]")
_BLANKS: Final = b" \t\r"


class _Constant(Float):
    """NaN, Infinity or -Infinity: not JSON, but worth its own word where a number is expected."""

    __slots__ = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise RecordFault("duplicate_key", key, show(key), "each key once in an object")
            seen.add(key)
    return found


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Number, parse_float=Float, parse_constant=_Constant
)


class StrictReader:
    """Reads one line at a time; ``currencies`` and ``kept`` as in ``RecordReader``."""

    def __init__(
        self,
        currencies: Mapping[str, tuple[int, int]],
        *,
        line_bytes_max: int = 1 << 20,
        kept: Collection[str] = (),
    ) -> None:
        self._reader = RecordReader(currencies, kept)
        self._line_bytes_max = line_bytes_max

    def read(self, line: bytes) -> Record:
        """The record in the line (without its newline); ``RecordFault`` where it cannot be used."""
        if len(line) > self._line_bytes_max:
            found = f"{len(line)} bytes"
            raise RecordFault("too_long", "", found, f"at most {self._line_bytes_max} bytes")
        parsed = _parse(line)
        constants = _check_strings(parsed)
        if not isinstance(parsed, dict):
            if constants:
                raise _not_json(show(parsed))
            raise RecordFault("not_object", "", show(parsed), "an object")
        record = self._reader.read(parsed)
        if constants:
            raise _not_json("NaN or an infinity")
        return record


def _not_json(found: str) -> RecordFault:
    return RecordFault("not_json", "", found, "one JSON object")


def _parse(line: bytes) -> Any:
    control = _CONTROL.search(line)
    if control is not None:
        found = f"byte 0x{control[0][0]:02x} at {control.start() + 1}"
        raise RecordFault("encoding", "", found, "no control characters")
    try:
        text = line.strip(_BLANKS).decode()
    except UnicodeDecodeError as error:
        found = f"byte 0x{line.strip(_BLANKS)[error.start]:02x} at {error.start + 1}"
        raise RecordFault("encoding", "", found, "UTF-8") from None
    _check_depth(line)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        found = f"{error.msg} at {error.pos + 1}"
        if error.msg.startswith("Invalid control character"):
            raise RecordFault("encoding", "", found, "no control characters") from None
        raise _not_json(found) from None


def _check_depth(line: bytes) -> None:
    """Refuse deep nesting before the parser recurses into it."""
    if line.count(b"[") + line.count(b"{") <= DEPTH_MAX:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRING.sub(b"", line)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH_MAX:
            raise RecordFault(
                "too_deep", "", f"more than {DEPTH_MAX} levels", f"at most {DEPTH_MAX}"
            )


def _check_strings(value: Any) -> bool:
    """Refuse lone surrogates and NULs; whether a NaN or an infinity is anywhere."""
    if isinstance(value, str):
        if "\0" in value or not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise RecordFault("encoding", "", show(value).replace("\0", "\\u0000"), "valid text")
        return isinstance(value, _Constant)
    if isinstance(value, dict):
        return any([_check_strings(part) for pair in value.items() for part in pair])
    if isinstance(value, list):
        return any([_check_strings(part) for part in value])
    return False
