"""Cells of tables as kernels see them: Arrow string views, and those of a row that are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from regtech.adapters.tables.copying import store64
from regtech.adapters.tables.layout import COLUMN
from regtech.columns.batch import Bytes, Int64
from regtech.columns.jit import kernel
from regtech.columns.memory import PADDING, bit_count, load8
from regtech.columns.words import rows_of

# A cell of a row that is not empty: its rank, its place, and what is to be minded of it.
FOUND_RANK: Final = 0
FOUND_START: Final = 1
FOUND_END: Final = 2
FOUND_MARKS: Final = 3
FOUND_WORDS: Final = 4

DOUBLED: Final = 1
"""Mark of a cell in which two quotes stand for one."""
UNCHECKED: Final = 2
"""Mark of a cell that may hold NULs, or bytes that are no ASCII."""

FOUND_ROWS: Final = 64
"""Rows whose cells are found at a time; their lists stay in the cache."""
SHORT_MAX: Final = 12
"""Bytes of a text that is part of its view."""
SHORT_PLACE: Final = 16

_VIEWS: Final = rows_of(2)
_LOW32: Final = np.uint64(0xFFFFFFFF)
_S32: Final = np.uint64(32)
_ZERO: Final = np.uint64(0)
_BELOW: Final = np.uint64(0x7F7F7F7F7F7F7F7F)
_HIGH: Final = np.uint64(0x8080808080808080)


@dataclass(frozen=True, slots=True)
class Views:
    """Cells as columns of Arrow string views, see ``find_cells``; ``arrays`` own the views.

    ``plain``: whether all long texts are ASCII without NUL.
    """

    text: Bytes
    views: Int64
    bases: Int64
    scratch: int
    plain: bool
    arrays: Sequence[Any]

    def part(self, start: int) -> Views:
        """The same cells without the first ``start`` rows."""
        views = self.views.copy()
        full = views[:, 0] != 0
        views[full, 0] += 16 * start
        views[full, 2] += start
        return Views(self.text, views, self.bases, self.scratch, self.plain, self.arrays)


def views_of(arrays: Sequence[Any], rows: int) -> Views:
    """Cells of Arrow arrays of string views, of which at most ``rows`` rows are taken at a time.

    Only long texts are copied, so that kernels find them in one buffer; views stay where they are.
    """
    views: Int64 = np.full((len(arrays), 4), -1, np.int64)
    views[:, 0] = 0
    parts: list[Any] = []
    bitmaps: list[tuple[int, Any]] = []
    bases: list[int] = []
    place = 0
    for k, array in enumerate(arrays):
        if array.null_count == len(array):
            continue
        valid, own, *data = array.buffers()
        views[k] = own.address + 16 * array.offset, -1, array.offset, len(bases)
        for buffer in data:
            bases.append(place)
            parts.append(buffer)
            place += buffer.size
        if valid is not None:
            bitmaps.append((k, valid))
    size = place
    for k, valid in bitmaps:
        views[k, 1] = place
        parts.append(valid)
        place += valid.size
    text = np.empty(place + (len(arrays) * FOUND_ROWS + rows) * SHORT_PLACE + PADDING, np.uint8)
    scratch = place
    place = 0
    for buffer in parts:
        text[place : place + buffer.size] = np.frombuffer(buffer, np.uint8)
        place += buffer.size
    plain = bool(text[:size].view(np.int8).min(initial=1) > 0)
    return Views(text, views, np.array([*bases, 0], np.int64), scratch, plain, arrays)


@kernel(nrt=False)
def find_cells(
    text: Any,
    views: Any,
    bases: Any,
    scratch: int,
    plain: bool,
    cells: Any,
    row: int,
    rows: int,
    found: Any,
    counts: Any,
) -> None:
    """The cells of ``rows`` rows from ``row`` on that are not empty: ``found[r, :counts[r]]``.

    They are in ascending order of rank. Columns are passed one after the other, since most cells
    are empty. A view is sixteen bytes: a length, and either up to twelve bytes or a place in buffer
    ``i``. Row ``c`` of ``views`` says where column ``c`` is: the address of its views (0: all are
    empty), its bitmap at ``text[views[c, 1]]`` (-1: none is null; a null becomes empty), the bit
    of the first row, and where in ``bases`` the places of its buffers begin. Texts that are part
    of their view are copied to ``text[scratch]`` and following, where the next call puts others.
    ``plain``: nothing that is longer is UNCHECKED.
    """
    long_marks = 0 if plain else UNCHECKED
    for r in range(rows):
        counts[r] = 0
    for rank in range(cells.shape[0]):
        column = cells[rank, COLUMN]
        if views[column, 0] == 0:
            continue
        pairs = _VIEWS(views[column, 0])
        valid = views[column, 1]
        bit = views[column, 2] + row
        r = 0
        while r < rows:
            if valid >= 0:
                bits = load8(text, valid + ((bit + r) >> 3)) >> ((bit + r) & 7)
                if bits == 0:
                    r += 8 - ((bit + r) & 7)  # nulls up to the end of this byte
                    continue
                if not bits & 1:
                    r += 1
                    continue
            head = np.uint64(pairs[row + r, 0])
            length = np.int64(head & _LOW32)
            if length > 0:
                tail = np.uint64(pairs[row + r, 1])
                if length > SHORT_MAX:
                    base = bases[views[column, 3] + np.int64(tail & _LOW32)]
                    start = base + np.int64(tail >> _S32)
                    marks = long_marks
                else:
                    start = scratch
                    first = (head >> _S32) | (tail << _S32)
                    second = tail >> _S32
                    store64(text, scratch, first)
                    store64(text, scratch + 8, second)
                    scratch += SHORT_PLACE
                    # Of ASCII, bytes are counted that are not NUL; those after the text are.
                    counted = bit_count((first + _BELOW) & _HIGH) + bit_count(
                        second + _BELOW & _HIGH
                    )
                    ascii = ((first | second) & _HIGH) == _ZERO
                    marks = 0 if ascii and counted == length else UNCHECKED
                k = counts[r]
                found[r, k, FOUND_RANK] = rank
                found[r, k, FOUND_START] = start
                found[r, k, FOUND_END] = start + length
                found[r, k, FOUND_MARKS] = marks
                counts[r] = k + 1
            r += 1
