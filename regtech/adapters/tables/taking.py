"""Kernels that take cells of tables as the values of an event, by the rules for lines of NDJSON.

A row is taken only where its line would be accepted by the walk over lines, with the same values:
cells become values by the same functions (``ndjson.take``). Whatever is not sure is left to the
line that would be written of the row.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.adapters.ndjson.catalogue import (
    ACTION_BITS,
    ACTION_MASK,
    DATA,
    DATA_ITEM,
    FLAG,
    FLAGS,
    ITEM_VALUE,
    LEAF,
    PERSON,
    PERSONS,
    SKIP,
)
from regtech.adapters.ndjson.layout import (
    AT_PERSON,
    AT_ROW,
    DIGEST,
    DONE,
    FLAG_BITS,
    GOOD,
    ID_LENGTH,
    ID_START,
    ITEMS,
    LINE_STATUS,
    MORE_ROOM,
    PERSONS_COUNT,
    PERSONS_START,
    ROW,
    STRIDE,
    TYPE,
    UNSURE,
)
from regtech.adapters.ndjson.layout import PERSON as NEXT_PERSON
from regtech.adapters.ndjson.lookup import key_id
from regtech.adapters.ndjson.scan import number_end, valid_utf8
from regtech.adapters.ndjson.take import (
    close_list,
    end_event,
    take_boolean,
    take_flag,
    take_item_value,
    take_level,
    take_person,
    take_string,
)
from regtech.adapters.ndjson.together import (
    begin_block,
    end_block,
    so_far,
    take_back,
    takes_more,
)
from regtech.adapters.ndjson.walk import start_event
from regtech.adapters.tables.cells import (
    FOUND_END,
    FOUND_MARKS,
    FOUND_RANK,
    FOUND_START,
    SHORT_PLACE,
    UNCHECKED,
    find_cells,
)
from regtech.adapters.tables.copying import copy_span, is_plain
from regtech.adapters.tables.emit import truth_of
from regtech.adapters.tables.layout import FLOAT, JSON, LIST, STYLE, TRUTH
from regtech.columns.hashing import low_bytes
from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.memory import load8, load64

_ZERO: Final = np.uint64(0)
_ONES: Final = np.uint64(0x0101010101010101)
_HIGH: Final = np.uint64(0x8080808080808080)


@inline_kernel(nrt=False)
def _is_text(text: Any, start: int, end: int) -> bool:
    """Whether the bytes are UTF-8 without NUL."""
    high = _ZERO
    p = start
    while p < end:
        mask = low_bytes(end - p)
        word = (load64(text, p) & mask) | (_ONES & ~mask)
        if ((word - _ONES) & ~word & _HIGH) != _ZERO:
            return False
        high |= word & _HIGH
        p += 8
    return high == _ZERO or bool(valid_utf8(text, start, end))


@inline_kernel(nrt=False)
def _string_end(text: Any, p: int, end: int) -> int:
    """The closing quote of the JSON string after the quote at ``p``; -1 where it needs care."""
    if load8(text, p) != 34:
        return -1
    start = p + 1
    p = start
    while p < end and load8(text, p) != 34:
        p += 1
    return p if p < end and is_plain(text, start, p) else -1


@kernel(nrt=False)
def _take_items(
    text: Any, p: int, end: int, context: int, tables: Any, out: Any, work: Any
) -> bool:
    """``[{"category":"…","level":1},…]`` without blanks, escapes or keys that are not known."""
    keys, steps, _, _, _, _, _, _, _ = tables
    event = work[4]
    c = 44
    while c == 44:
        p += 1
        if load8(text, p) == 93 and event[ITEMS] == 0:
            c = 93  # an empty list
            break
        if load8(text, p) != 123:
            return False
        seen = 0
        c = 44
        if load8(text, p + 1) == 125:
            p += 1
            c = 125
        while c == 44:
            stop = _string_end(text, p + 1, end)
            if stop < 0 or load8(text, stop + 1) != 58:
                return False
            key = key_id(keys, text, p + 2, stop - p - 2)
            step = steps[context, key] if key >= 0 else SKIP
            part = step >> ACTION_BITS
            if step & ACTION_MASK != ITEM_VALUE or (seen >> part) & 1:
                return False
            seen |= 1 << part
            p = stop + 2
            if load8(text, p) == 34:
                stop = _string_end(text, p, end)
                if stop < 0 or not take_item_value(text, p + 1, stop - p - 1, part, tables, work):
                    return False
                p = stop + 1
            else:
                stop = number_end(text, p)
                if part != 2 or stop <= 0 or not take_level(text, p, stop, work):
                    return False
                p = stop
            c = load8(text, p)
        if c != 125:
            return False
        event[ITEMS] += 1
        p += 1
        c = load8(text, p)
    if c != 93 or p + 1 != end:
        return False
    close_list(DATA_ITEM, context, tables, out, work)
    return True


@inline_kernel(nrt=False)
def _take_list(
    text: Any,
    start: int,
    end: int,
    kind: int,
    leaf: int,
    tables: Any,
    persons: Any,
    out: Any,
    work: Any,
) -> bool:
    """``a|b|c`` as flags or persons."""
    work[4][FLAG_BITS] = 0
    first = start
    for p in range(start, end + 1):
        if p == end or load8(text, p) == 124:
            if p == first:
                return False
            if kind == FLAGS:
                take_flag(text, first, p - first, leaf, FLAG_BITS, tables, work)
            elif not take_person(text, first, p - first, leaf, tables, persons, work):
                return False
            first = p + 1
    close_list(FLAG if kind == FLAGS else PERSON, leaf, tables, out, work)
    return True


@inline_kernel(nrt=False)
def _take_cell(
    text: Any,
    start: int,
    end: int,
    marks: int,
    style: int,
    step: int,
    tables: Any,
    symbols: Any,
    persons: Any,
    out: Any,
    work: Any,
) -> bool:
    """A cell as the value of the field that ``step`` leads to; False where not sure."""
    if step < 0 or style == FLOAT:
        return False
    if marks & UNCHECKED != 0 and not _is_text(text, start, end):
        return False
    kind = step & ACTION_MASK
    argument = step >> ACTION_BITS
    if kind == LEAF:
        if style != TRUTH:
            return bool(take_string(text, start, end - start, argument, tables, symbols, out, work))
        truth = truth_of(text, start, end)
        return truth >= 0 and take_boolean(truth, argument, tables, out, work)
    bracket = load8(text, start) == 91
    if kind == SKIP:
        return style != JSON and not (style == LIST and bracket)
    if kind == DATA:
        return bracket and _take_items(text, start, end, argument, tables, out, work)
    if kind == FLAGS or kind == PERSONS:
        return not bracket and _take_list(
            text, start, end, kind, argument, tables, persons, out, work
        )
    return False


@inline_kernel(nrt=False)
def _take_row(
    text: Any,
    found: Any,
    count: int,
    cells: Any,
    steps: Any,
    type_rank: int,
    tables: Any,
    symbols: Any,
    persons: Any,
    out: Any,
    work: Any,
) -> bool:
    """Take the cells of a row; ``steps`` says what each is in an event of which type."""
    event = work[4]
    start_event(event)
    # The type comes first: it says what the other cells are.
    typed = 0
    while typed < count and found[typed, FOUND_RANK] != type_rank:
        typed += 1
    if typed == count:
        return False
    for k in range(-1, count):
        if k == typed:
            continue
        at = typed if k < 0 else k
        rank = found[at, FOUND_RANK]
        if not _take_cell(
            text,
            found[at, FOUND_START],
            found[at, FOUND_END],
            found[at, FOUND_MARKS],
            cells[rank, STYLE],
            steps[max(event[TYPE], 0), rank],
            tables,
            symbols,
            persons,
            out,
            work,
        ):
            return False
    return bool(end_event(text, tables, out, event))


@kernel(nrt=False)
def take_views(
    text: Any,
    views: Any,
    bases: Any,
    scratch: int,
    plain: bool,
    count: int,
    longest: int,
    stride: int,
    cells: Any,
    steps: Any,
    type_rank: int,
    tables: Any,
    symbols: Any,
    persons: Any,
    out: Any,
    work: Any,
    found: Any,
    counts: Any,
    state: Any,
) -> int:
    """Take rows ``state[AT_ROW]`` … ``count`` of columns; DONE, or MORE_ROOM to be called again.

    ``out`` as in ``decode_lines``: each row gets a line that is GOOD or UNSURE. ``text`` to
    ``plain``, ``found`` and ``counts`` as in ``find_cells``. A row whose cells are together
    longer than ``longest`` is UNSURE.
    """
    _, lines, content, person_values = out
    event = work[4]
    ids = scratch + views.shape[0] * found.shape[0] * SHORT_PLACE
    event[STRIDE] = stride
    event[NEXT_PERSON] = state[AT_PERSON]
    answer = DONE
    while state[AT_ROW] < count:
        if not begin_block(symbols, persons, person_values, event):
            answer = MORE_ROOM
            break
        first = state[AT_ROW]
        block = min(found.shape[0], count - first)
        find_cells(text, views, bases, scratch, plain, cells, first, block, found, counts)
        r = 0
        while r < block and takes_more(event):
            row = first + r
            event[ROW] = row
            before = so_far(event)
            lines[row, LINE_STATUS] = GOOD
            lines[row, ID_START] = -1
            lines[row, ID_LENGTH] = 0
            lines[row, PERSONS_START] = event[NEXT_PERSON]
            lines[row, PERSONS_COUNT] = -1
            size = 0
            for k in range(counts[r]):
                size += found[r, k, FOUND_END] - found[r, k, FOUND_START]
            if size <= longest and _take_row(
                text, found[r], counts[r], cells, steps, type_rank, tables, symbols, persons, out,
                work,
            ):  # fmt: skip
                content[row] = np.uint64(event[DIGEST])
                start = lines[row, ID_START]
                if start >= scratch:  # the next block overwrites it, and it is needed later
                    copy_span(text, ids + row * SHORT_PLACE, text, start, SHORT_PLACE)
                    lines[row, ID_START] = ids + row * SHORT_PLACE
            else:
                lines[row, LINE_STATUS] = UNSURE
                take_back(event, before)
            r += 1
        state[AT_ROW] = first + r
        end_block(text, symbols, persons, out, work)
    state[AT_PERSON] = event[NEXT_PERSON]
    return answer
