"""Kernels that write rows as JSON lines, following a layout's program."""

from __future__ import annotations

from typing import Any, Final

from regtech.adapters.ndjson.layout import GOOD
from regtech.adapters.tables.cells import (
    DOUBLED,
    FOUND_END,
    FOUND_MARKS,
    FOUND_RANK,
    FOUND_START,
    FOUND_WORDS,
    find_cells,
)
from regtech.adapters.tables.copying import copy_span, is_plain
from regtech.adapters.tables.layout import (
    DEPTH,
    FLOAT,
    JSON,
    KEY_LENGTH,
    KEY_START,
    LIST,
    NODE,
    OPEN_LENGTH,
    OPEN_START,
    PARENT,
    STYLE,
    TRUTH,
    WHOLE,
)
from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.memory import load8

GROWTH: Final = 6
"""A byte of a cell becomes at most so many: a control character is written as ``\\u001f``."""

# What the CSV kernel says of a row.
ROW_GOOD: Final = 0
ROW_CELLS: Final = 1  # more or fewer cells than the header has names
ROW_QUOTE: Final = 2  # a quote that is not closed, or text after a closing quote
ROW_LONG: Final = 3  # longer than the limit

# Columns of the table of rows.
ROW_LINE: Final = 0
ROW_START: Final = 1
ROW_END: Final = 2
ROW_STATUS: Final = 3
ROW_FOUND: Final = 4  # cells found
ROW_WORDS: Final = 5

# Places of the state that says how far a kernel came.
AT_BYTE: Final = 0
AT_LINE: Final = 1
AT_ROW: Final = 2
AT_OUT: Final = 3
STATE_WORDS: Final = 4


@inline_kernel(nrt=False)
def _hex(value: int) -> int:
    return value + 48 if value < 10 else value + 87


@inline_kernel(nrt=False, inner=True)
def _put_char(out: Any, o: int, c: int) -> int:
    """One byte of a JSON string."""
    if c == 34 or c == 92:
        out[o] = 92
        out[o + 1] = c
        return o + 2
    if c < 32:
        out[o] = 92
        out[o + 1] = 117
        out[o + 2] = 48
        out[o + 3] = 48
        out[o + 4] = _hex(c >> 4)
        out[o + 5] = _hex(c & 15)
        return o + 6
    out[o] = c
    return o + 1


@kernel(nrt=False, inner=True)
def _put_string(out: Any, o: int, text: Any, start: int, end: int, doubled: bool) -> int:
    """A JSON string; ``doubled``: two quotes in the cell stand for one."""
    out[o] = 34
    o += 1
    if is_plain(text, start, end):
        copy_span(out, o, text, start, end - start)
        o += end - start
        out[o] = 34
        return o + 1
    p = start
    while p < end:
        c = load8(text, p)
        o = _put_char(out, o, c)
        p += 2 if doubled and c == 34 else 1
    out[o] = 34
    return o + 1


@kernel(nrt=False, inner=True)
def _one_value(text: Any, start: int, end: int, doubled: bool) -> bool:
    """Whether the text is one bracketed JSON value and not several: the decoder does the rest."""
    depth = 0
    inside = False
    p = start
    while p < end:
        c = load8(text, p)
        if c == 10:
            return False
        if doubled and c == 34:
            p += 1
        if inside:
            if c == 92:
                # What is escaped is no closing quote; a doubled quote after it takes two bytes.
                p += 1
                if doubled and p < end and load8(text, p) == 34:
                    p += 1
            elif c == 34:
                inside = False
        elif c == 34:
            inside = True
        elif c == 91 or c == 123:
            depth += 1
        elif c == 93 or c == 125:
            depth -= 1
            if depth == 0 and p + 1 < end:
                return False
        elif depth == 0:
            return False
        p += 1
    return depth == 0 and not inside


@kernel(nrt=False, inner=True)
def _whole(text: Any, start: int, end: int) -> bool:
    p = start
    if p < end and load8(text, p) == 45:
        p += 1
    if p >= end or (load8(text, p) == 48 and p + 1 < end):
        return False
    while p < end:
        if load8(text, p) < 48 or load8(text, p) > 57:
            return False
        p += 1
    return True


@kernel(nrt=False)
def truth_of(text: Any, start: int, end: int) -> int:
    """1 for true, 0 for false, in any case; else -1."""
    word = 0
    if end - start < 4 or end - start > 5:
        return -1
    for p in range(start, end):
        c = load8(text, p) | 32
        word = word * 256 + c
    if word == 0x74727565:
        return 1
    return 0 if word == 0x66616C7365 else -1


@kernel(nrt=False, inner=True)
def _float(text: Any, start: int, end: int) -> bool:
    """Whether the text is made of the characters of a JSON number and has a digit in front."""
    for p in range(start, end):
        c = load8(text, p)
        if not (48 <= c <= 57 or c == 43 or c == 45 or c == 46 or c == 69 or c == 101):
            return False
    c = load8(text, start)
    return bool(48 <= c <= 57 or c == 45)


@kernel(nrt=False, inner=True)
def _put_raw(out: Any, o: int, text: Any, start: int, end: int, doubled: bool) -> int:
    p = start
    while p < end:
        c = load8(text, p)
        out[o] = c
        o += 1
        p += 2 if doubled and c == 34 else 1
    return o


@kernel(nrt=False, inner=True)
def _put_list(out: Any, o: int, text: Any, start: int, end: int, doubled: bool) -> int:
    """``a|b|c`` as a JSON list of strings."""
    out[o] = 91
    o += 1
    first = start
    p = start
    while p <= end:
        if p == end or load8(text, p) == 124:
            o = _put_string(out, o, text, first, p, doubled)
            out[o] = 44
            o += 1
            first = p + 1
        p += 1
    out[o - 1] = 93
    return o


@kernel(nrt=False, inner=True)
def _put_cell(out: Any, o: int, style: int, text: Any, start: int, end: int, doubled: bool) -> int:
    """The value of a cell that is not empty."""
    c = load8(text, start)
    if style == WHOLE and _whole(text, start, end):
        return _put_raw(out, o, text, start, end, False)
    if style == TRUTH:
        truth = truth_of(text, start, end)
        if truth == 1:
            out[o] = 116
            out[o + 1] = 114
            out[o + 2] = 117
            out[o + 3] = 101
            return o + 4
        if truth == 0:
            out[o] = 102
            out[o + 1] = 97
            out[o + 2] = 108
            out[o + 3] = 115
            out[o + 4] = 101
            return o + 5
    if (style == LIST and c == 91) or (style == JSON and (c == 91 or c == 123)):
        if _one_value(text, start, end, doubled):
            return _put_raw(out, o, text, start, end, doubled)
    elif style == LIST:
        return _put_list(out, o, text, start, end, doubled)
    if style == FLOAT and _float(text, start, end):
        return _put_raw(out, o, text, start, end, False)
    return _put_string(out, o, text, start, end, doubled)


@kernel(nrt=False, inner=True)
def emit_row(
    out: Any,
    o: int,
    cells: Any,
    nodes: Any,
    words: Any,
    text: Any,
    found: Any,
    count: int,
) -> int:
    """Write one row as a JSON line at ``out[o]``; the place after its line end.

    ``found[:count]`` are the cells that are not empty, in ascending order of rank, see FOUND_RANK
    and following. The caller has made sure that ``out`` has room for the layout's overhead and
    ``GROWTH`` times the cells.
    """
    out[o] = 123
    o += 1
    here = 0
    for k in range(count):
        rank = found[k, FOUND_RANK]
        target = cells[rank, NODE]
        while here != target:
            above = target
            while nodes[above, DEPTH] > nodes[here, DEPTH] + 1:
                above = nodes[above, PARENT]
            if nodes[above, DEPTH] == nodes[here, DEPTH] + 1 and nodes[above, PARENT] == here:
                copy_span(out, o, words, nodes[above, OPEN_START], nodes[above, OPEN_LENGTH])
                o += nodes[above, OPEN_LENGTH]
                here = above
            else:
                out[o - 1] = 125
                out[o] = 44
                o += 1
                here = nodes[here, PARENT]
        length = cells[rank, KEY_LENGTH]
        copy_span(out, o, words, cells[rank, KEY_START], length)
        o = _put_cell(
            out,
            o + length,
            cells[rank, STYLE],
            text,
            found[k, FOUND_START],
            found[k, FOUND_END],
            found[k, FOUND_MARKS] & DOUBLED != 0,
        )
        out[o] = 44
        o += 1
    while here != 0:
        out[o - 1] = 125
        out[o] = 44
        o += 1
        here = nodes[here, PARENT]
    if count == 0:
        o += 1
    out[o - 1] = 125
    out[o] = 10
    return o + 1


@kernel(nrt=False, inner=True)
def _sort(found: Any, count: int) -> None:
    """Insertion sort by rank: a row has few cells, mostly in order."""
    for k in range(1, count):
        j = k
        while j > 0 and found[j - 1, FOUND_RANK] > found[j, FOUND_RANK]:
            for w in range(FOUND_WORDS):
                found[j - 1, w], found[j, w] = found[j, w], found[j - 1, w]
            j -= 1


@kernel(nrt=False)
def csv_lines(
    text: Any,
    end: int,
    separator: int,
    line_bytes_max: int,
    overhead: int,
    ordered: bool,
    ranks: Any,
    cells: Any,
    nodes: Any,
    words: Any,
    rows: Any,
    out: Any,
    cells_found: Any,
    state: Any,
) -> None:
    """Write the lines of ``text[state[AT_BYTE]:end]`` as JSON until done or no room is left.

    ``rows`` gets one row for each line that is not blank; only those that are ROW_GOOD are written.
    A line end always ends a row, so that an open quote cannot spoil its neighbours.
    """
    position = state[AT_BYTE]
    line = state[AT_LINE]
    row = state[AT_ROW]
    o = state[AT_OUT]
    columns = ranks.shape[0]
    while position < end and row < rows.shape[0]:
        stop = position
        while stop < end and load8(text, stop) != 10:
            stop += 1
        following = stop + 1
        if stop > position and load8(text, stop - 1) == 13:
            stop -= 1
        if stop == position:
            position = following
            line += 1
            continue
        if o + overhead + GROWTH * (stop - position) > out.shape[0]:
            break
        found = 0
        count = 0
        status = ROW_GOOD
        if stop - position > line_bytes_max:
            status = ROW_LONG
        p = position
        while status == ROW_GOOD:
            twice = 0
            c = load8(text, p) if p < stop else separator
            if c == separator:
                first = p
                last = p
            elif c == 34:
                p += 1
                first = p
                closed = False
                while p < stop:
                    if load8(text, p) == 34:
                        if p + 1 < stop and load8(text, p + 1) == 34:
                            twice = DOUBLED
                            p += 1
                        else:
                            closed = True
                            break
                    p += 1
                last = p
                p += 1
                if not closed or (p < stop and load8(text, p) != separator):
                    status = ROW_QUOTE
                    break
            else:
                first = p
                while p < stop and load8(text, p) != separator:
                    p += 1
                last = p
            if found < columns and last > first and ranks[found] >= 0:
                cells_found[count, FOUND_RANK] = ranks[found]
                cells_found[count, FOUND_START] = first
                cells_found[count, FOUND_END] = last
                cells_found[count, FOUND_MARKS] = twice
                count += 1
            found += 1
            if p >= stop:
                break
            p += 1
        if status == ROW_GOOD and found != columns:
            status = ROW_CELLS
        rows[row, ROW_LINE] = line
        rows[row, ROW_START] = position
        rows[row, ROW_END] = stop
        rows[row, ROW_STATUS] = status
        rows[row, ROW_FOUND] = found
        row += 1
        if status == ROW_GOOD:
            if not ordered:
                _sort(cells_found, count)
            o = emit_row(out, o, cells, nodes, words, text, cells_found, count)
        position = following
        line += 1
    state[AT_BYTE] = position
    state[AT_LINE] = line
    state[AT_ROW] = row
    state[AT_OUT] = o


@kernel(nrt=False)
def view_lines(
    text: Any,
    views: Any,
    bases: Any,
    scratch: int,
    plain: bool,
    count: int,
    overhead: int,
    cells: Any,
    nodes: Any,
    words: Any,
    out: Any,
    found: Any,
    counts: Any,
    statuses: Any,
    state: Any,
) -> None:
    """Write rows ``state[AT_ROW]`` … ``count`` of columns as JSON lines until no room is left.

    Only rows that are not GOOD by ``statuses``. ``text`` to ``plain``, ``found`` and ``counts`` as
    in ``find_cells``.
    """
    while state[AT_ROW] < count:
        row = state[AT_ROW]
        block = min(found.shape[0], count - row)
        first = row
        while first < row + block and statuses[first] == GOOD:
            first += 1
        state[AT_ROW] = first
        if first == row + block:
            continue
        block -= first - row
        find_cells(text, views, bases, scratch, plain, cells, first, block, found, counts)
        for r in range(block):
            if statuses[first + r] != GOOD:
                size = 0
                for k in range(counts[r]):
                    size += found[r, k, FOUND_END] - found[r, k, FOUND_START]
                o = state[AT_OUT]
                if o + overhead + GROWTH * size > out.shape[0]:
                    return
                state[AT_OUT] = emit_row(out, o, cells, nodes, words, text, found[r], counts[r])
            state[AT_ROW] += 1
