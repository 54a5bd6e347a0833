"""From column names to a program that writes a row as one JSON line.

>>> layout = make_layout(["id", "payer.id", "payer.country", "amount"])
>>> len(layout.program), layout.ignored
(6, ())
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import numpy as np

from regtech.columns.batch import Bytes, Int64
from regtech.columns.hashing import padded
from regtech.errors import InputError
from regtech.model.fields import Kind, all_fields

# Operations of a program.
CELL: Final = 0
OPEN: Final = 1
CLOSE: Final = 2
CONSTANT: Final = 3

# Columns of ``Layout.program``.
OPERATION: Final = 0
COLUMN: Final = 1
STYLE: Final = 2
TEXT_START: Final = 3
TEXT_LENGTH: Final = 4
PROGRAM_WORDS: Final = 5

# How a cell becomes a JSON value.
STRING: Final = 0
WHOLE: Final = 1  # a whole number as it is; other text as a string, which the decoder refuses
TRUTH: Final = 2  # true or false in any case
LIST: Final = 3  # a|b|c, or JSON text that begins with [
JSON: Final = 4  # JSON text that begins with [ or {
FLOAT: Final = 5  # a binary float: written as a JSON number, which the decoder refuses for money

DEPTH_MAX: Final = 8
_LISTS: Final = (Kind.FLAGS, Kind.PERSONS)


@dataclass(frozen=True, slots=True)
class Layout:
    """``program``: rows of OPERATION … TEXT_LENGTH; ``text``: the bytes that it copies.

    ``overhead``: bytes of a line beside its cells, at most. ``ignored``: columns that are no
    fields, with the field that was perhaps meant, or "".
    """

    program: Int64
    text: Bytes
    overhead: int
    ignored: tuple[tuple[str, str], ...]


_Tree = dict[str, "_Tree | int | str"]


def _style(path: str) -> int:
    if path == "data":
        return JSON
    field = all_fields().get(path)
    if field is None:
        return STRING
    if field.kind in _LISTS:
        return LIST
    return {Kind.INTEGER: WHOLE, Kind.BOOLEAN: TRUTH}.get(field.kind, STRING)


def _known() -> dict[str, None]:
    """Field paths, and what stands for a party's id or for the list of data items."""
    known = dict.fromkeys(path for path in all_fields() if not path.startswith("data."))
    for path in list(known):
        if path.endswith(".id"):
            known[path.removesuffix(".id")] = None
    known["data"] = None
    return known


def _insert(tree: _Tree, path: str, value: int | str, names: Sequence[str]) -> None:
    parts = path.split(".")
    for part in parts[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise InputError(f"the columns {part!r} and {path!r} exclude each other")
        tree = inner
    if parts[-1] in tree:
        raise InputError(f"the column {path!r} is there twice, or beside {path + '.…'!r}")
    tree[parts[-1]] = value


def make_layout(
    names: Sequence[str],
    *,
    constants: Mapping[str, str] | None = None,
    floats: frozenset[int] = frozenset(),
) -> Layout:
    """The program for columns of these names, in this order.

    ``constants`` are fields that every row has (path to text); ``floats`` are the columns that hold
    binary floats. Raises ``InputError`` for repeated or contradictory columns.
    """
    known = _known()
    tree: _Tree = {}
    ignored: list[tuple[str, str]] = []
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name in seen:
            raise InputError(f"the column {name!r} is there twice")
        seen.add(name)
        if name in known:
            _insert(tree, name, number, names)
        else:
            ignored.append((name, next(iter(get_close_matches(name, known, 1)), "")))
    for path, text in (constants or {}).items():
        if path not in seen:
            _insert(tree, path, text, names)
    rows: list[tuple[int, int, int, int, int]] = []
    data = bytearray()

    def add(operation: int, column: int, style: int, text: str) -> None:
        encoded = text.encode()
        rows.append((operation, column, style, len(data), len(encoded)))
        data.extend(encoded)

    def walk(branch: _Tree, prefix: str, depth: int) -> None:
        if depth >= DEPTH_MAX:
            raise InputError(f"the columns {prefix!r} are nested too deep")
        for key, value in branch.items():
            path = prefix + key
            if isinstance(value, dict):
                add(OPEN, 0, 0, f'"{key}":{{')
                walk(value, path + ".", depth + 1)
                add(CLOSE, 0, 0, "")
            elif isinstance(value, str):
                add(CONSTANT, 0, 0, f'"{key}":{_constant(path, value)},')
            else:
                add(CELL, value, FLOAT if value in floats else _style(path), f'"{key}":')

    walk(tree, "", 0)
    program: Int64 = np.array(rows, np.int64).reshape(-1, PROGRAM_WORDS)
    return Layout(program, padded(bytes(data)), len(data) + 8 * len(rows) + 16, tuple(ignored))


def _constant(path: str, text: str) -> str:
    import json

    if _style(path) in (WHOLE, TRUTH):
        return text
    if _style(path) == LIST:
        return json.dumps(text.split("|"), ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False)
