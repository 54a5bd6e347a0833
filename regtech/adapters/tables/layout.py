"""From column names to the tables by which a row is written as one JSON line.

>>> layout = make_layout(["id", "payer.id", "payer.country", "amount", "note"])
>>> layout.rank.tolist(), layout.ignored
([0, 1, 2, 3, -1], (('note', ''),))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import numpy as np

from regtech.columns.batch import Bytes, Int64
from regtech.columns.hashing import padded
from regtech.errors import InputError
from regtech.model.fields import Kind, all_fields

# Columns of ``Layout.cells``.
COLUMN: Final = 0
STYLE: Final = 1
KEY_START: Final = 2
KEY_LENGTH: Final = 3
NODE: Final = 4
CELL_WORDS: Final = 5

# Columns of ``Layout.nodes``; node 0 is the record itself.
PARENT: Final = 0
DEPTH: Final = 1
OPEN_START: Final = 2
OPEN_LENGTH: Final = 3
NODE_WORDS: Final = 4

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
    """How rows of some columns are written.

    ``rank``: column to its place in ``cells``, the order of writing, or -1 where it is no field.
    ``cells``: what to write for each rank. ``nodes``: the objects inside the record. ``text``: the
    bytes that both copy. ``ordered``: whether columns come in the order of their ranks.
    ``paths``: the field of each rank. ``overhead``: bytes of a line beside its cells, at most.
    ``ignored``: columns that are no fields, with the field that was perhaps meant, or "".
    """

    rank: Int64
    cells: Int64
    nodes: Int64
    text: Bytes
    ordered: bool
    paths: tuple[str, ...]
    overhead: int
    ignored: tuple[tuple[str, str], ...]


_Tree = dict[str, "_Tree | int"]


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


def _insert(tree: _Tree, path: str, value: int) -> None:
    parts = path.split(".")
    for part in parts[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            raise InputError(f"the columns {part!r} and {path!r} exclude each other")
        tree = inner
    if parts[-1] in tree:
        raise InputError(f"the column {path!r} is there twice, or beside {path + '.…'!r}")
    tree[parts[-1]] = value


def make_layout(names: Sequence[str], *, floats: frozenset[int] = frozenset()) -> Layout:
    """The layout for columns of these names, in this order.

    ``floats`` are the columns that hold binary floats. Raises ``InputError`` for repeated or
    contradictory columns.
    """
    known = _known()
    tree: _Tree = {}
    ignored: list[tuple[str, str]] = []
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InputError(f"the column {name!r} is there twice")
        if name in known:
            _insert(tree, name, number)
        else:
            ignored.append((name, next(iter(get_close_matches(name, known, 1)), "")))
    cells: list[tuple[int, int, int, int, int]] = []
    nodes: list[tuple[int, int, int, int]] = [(0, 0, 0, 0)]
    data = bytearray()

    def put(text: str) -> tuple[int, int]:
        encoded = text.encode()
        data.extend(encoded)
        return len(data) - len(encoded), len(encoded)

    def walk(branch: _Tree, prefix: str, node: int) -> None:
        for key, value in branch.items():
            path = prefix + key
            if isinstance(value, dict):
                depth = nodes[node][DEPTH] + 1
                if depth > DEPTH_MAX:
                    raise InputError(f"the columns {path!r} are nested too deep")
                nodes.append((node, depth, *put(f'"{key}":{{')))
                walk(value, f"{path}.", len(nodes) - 1)
            else:
                style = FLOAT if value in floats else _style(path)
                cells.append((value, style, *put(f'"{key}":'), node))

    walk(tree, "", 0)
    rank: Int64 = np.full(len(names), -1, np.int64)
    for place, cell in enumerate(cells):
        rank[cell[COLUMN]] = place
    given = rank[rank >= 0]
    return Layout(
        rank=rank,
        cells=np.array(cells, np.int64).reshape(-1, CELL_WORDS),
        nodes=np.array(nodes, np.int64).reshape(-1, NODE_WORDS),
        text=padded(bytes(data)),
        ordered=bool((np.diff(given) > 0).all()),
        paths=tuple(names[cell[COLUMN]] for cell in cells),
        overhead=len(data) + 8 * (len(cells) + len(nodes)) + 16,
        ignored=tuple(ignored),
    )
