"""Second phase of decoding: walk the keys of each line, by the grammar of JSON.

The walk is conservative. A line is accepted only when every check passed here; whatever is doubtful
or wrong is marked ``UNSURE`` and the strict path (``regtech.adapters.ndjson.strict``) decides and
explains. So an error here can cost time, and the tests hold both paths against each other.
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
    OBJECT,
    PERSON,
    PERSONS,
    SKIP,
)
from regtech.adapters.ndjson.layout import (
    ALLOWED,
    AT_BYTE,
    AT_LINE,
    AT_PERSON,
    AT_ROW,
    BLOCK_LINES,
    CATEGORIES,
    DECIMALS,
    DEPTH_MAX,
    DIGEST,
    DONE,
    ESCAPES,
    FLAG_BITS,
    FRAME,
    GOOD,
    HAVE,
    ID_LENGTH,
    ITEMS,
    LEVEL,
    LINE_END,
    LINE_NUMBER,
    LINE_START,
    LINE_STATUS,
    LISTED,
    MONEY_COUNT,
    MORE_ROOM,
    PERSONS_COUNT,
    PERSONS_START,
    QUOTES,
    ROW,
    SENSITIVITIES,
    STRIDE,
    TYPE,
    UNKNOWN_FIRST,
    UNKNOWN_MAX,
    UNSURE,
)
from regtech.adapters.ndjson.layout import PERSON as NEXT_PERSON
from regtech.adapters.ndjson.lookup import key_id
from regtech.adapters.ndjson.scan import (
    INDEX_WORDS,
    QUOTES_MAX,
    index_line,
    number_end,
    unescape,
    valid_utf8,
)
from regtech.adapters.ndjson.take import (
    close_list,
    end_event,
    take_boolean,
    take_flag,
    take_item_value,
    take_level,
    take_number,
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
from regtech.columns.hashing import key_words, low_bytes, mix_words
from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.memory import load8, load64, signed
from regtech.model.fields import NULL

_KEY_OR_END: Final = 0
_KEY: Final = 1
_VALUE: Final = 2
_AFTER: Final = 3
_ELEMENT_OR_END: Final = 4
_CLOSE: Final = 5

_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_TRUE: Final = np.uint64(int.from_bytes(b"true", "little"))
_FALSE: Final = np.uint64(int.from_bytes(b"false", "little"))
_NULL: Final = np.uint64(int.from_bytes(b"null", "little"))


@inline_kernel(nrt=False, inner=True)
def _skip_blanks(text: Any, p: int) -> Any:
    c = load8(text, p)
    while c == 32 or c == 9 or c == 13:
        p += 1
        c = load8(text, p)
    return p


@inline_kernel(nrt=False, inner=True)
def _repeated(event: Any, text: Any, start: int, length: int, base: int, count: int) -> bool:
    """Whether an unknown key may stand in its object already (from ``base`` on); keeps it."""
    first, second = key_words(text, start, length)
    digest = signed(mix_words(first, second, length))
    if count >= UNKNOWN_MAX:
        return True
    for k in range(base, count):
        if event[UNKNOWN_FIRST + k] == digest:
            return True
    event[UNKNOWN_FIRST + count] = digest
    return False


@inline_kernel(nrt=False, inner=True)
def _element_step(kind: int, argument: int) -> Any:
    """The step of the elements of a list that is the value of a step; -1 where no list can be."""
    if kind == SKIP:
        return SKIP
    if kind == FLAGS:
        return (argument << ACTION_BITS) | FLAG
    if kind == PERSONS:
        return (argument << ACTION_BITS) | PERSON
    if kind == DATA:
        return (argument << ACTION_BITS) | DATA_ITEM
    return -1


@inline_kernel(nrt=False)
def start_event(event: Any) -> None:
    """Nothing is known of the event yet."""
    event[DIGEST] = 0
    event[TYPE] = -1
    event[ALLOWED] = -1
    event[HAVE] = 0
    event[DECIMALS] = -1
    event[MONEY_COUNT] = 0
    event[LISTED] = 0
    event[CATEGORIES] = 0
    event[SENSITIVITIES] = 0
    event[LEVEL] = NULL
    event[ITEMS] = 0


@inline_kernel(nrt=False, inner=True)
def _walk_line(
    text: Any, p: int, stop: int, tables: Any, symbols: Any, persons: Any, out: Any, work: Any
) -> Any:
    """Read the object at ``p``, which must end at ``stop``; False where not sure."""
    keys, steps, _, context_id, _, _, _, _, _ = tables
    _, _, index, stack, event = work
    start_event(event)
    skip_context = context_id.shape[0] - 1
    quote = QUOTES
    escape = ESCAPES
    depth = 0
    context = 0
    in_object = True
    seen_low = _ZERO
    seen_high = _ZERO
    unknown = 0
    unknown_base = 0
    element = SKIP
    step = SKIP
    place = _KEY_OR_END
    p += 1
    while True:
        p = _skip_blanks(text, p)
        c = load8(text, p)
        if place <= _KEY:
            if c == 34:
                start = p + 1
                end = index[quote + 1]
                quote += 2
                if index[escape] < end:
                    return False  # an escaped key may be a known one
                key = key_id(keys, text, start, end - start)
                if key >= 0:
                    bit = _ONE << np.uint64(key & 63)
                    if key < 64:
                        if (seen_low & bit) != _ZERO:
                            return False
                        seen_low |= bit
                    else:
                        if (seen_high & bit) != _ZERO:
                            return False
                        seen_high |= bit
                    step = steps[context, key]
                else:
                    if _repeated(event, text, start, end - start, unknown_base, unknown):
                        return False
                    unknown += 1
                    step = SKIP
                p = _skip_blanks(text, end + 1)
                if load8(text, p) != 58:
                    return False
                p = _skip_blanks(text, p + 1)
                c = load8(text, p)
                place = _VALUE
            elif c == 125 and place == _KEY_OR_END:
                place = _CLOSE
            else:
                return False
        elif place == _ELEMENT_OR_END:
            place = _CLOSE if c == 93 else _VALUE
            step = element
        if place == _VALUE:
            kind = step & ACTION_MASK
            argument = step >> ACTION_BITS
            if c == 34:
                start = p + 1
                end = index[quote + 1]
                quote += 2
                p = end + 1
                length = end - start
                if index[escape] < end:
                    length = unescape(text, start, end)
                    while index[escape] < end:
                        escape += 1
                    if length < 0:
                        return False
                if kind == OBJECT and context_id[argument] >= 0:
                    kind = LEAF
                    argument = context_id[argument]
                sure = kind == SKIP
                if kind == LEAF:
                    sure = take_string(text, start, length, argument, tables, symbols, out, work)
                    if depth == 0 and event[TYPE] >= 0:
                        context = 1 + event[TYPE]
                elif kind == FLAG and length > 0:
                    take_flag(text, start, length, argument, FLAG_BITS, tables, work)
                    sure = True
                elif kind == PERSON:
                    sure = take_person(text, start, length, argument, tables, persons, work)
                elif kind == ITEM_VALUE:
                    sure = take_item_value(text, start, length, argument, tables, work)
                if not sure:
                    return False
            elif c == 123 or c == 91:
                if depth >= DEPTH_MAX - 2:
                    return False
                frame = depth * FRAME
                stack[frame] = (context << 1) | in_object
                stack[frame + 1] = element
                stack[frame + 2] = signed(seen_low)
                stack[frame + 3] = signed(seen_high)
                stack[frame + 4] = unknown_base
                depth += 1
                p += 1
                in_object = c == 123
                if in_object:
                    if kind == SKIP:
                        context = skip_context
                    elif kind == OBJECT or kind == DATA_ITEM:
                        context = argument
                    else:
                        return False
                    seen_low = _ZERO
                    seen_high = _ZERO
                    unknown_base = unknown
                    place = _KEY_OR_END
                else:
                    element = _element_step(kind, argument)
                    if element < 0:
                        return False
                    event[FLAG_BITS] = 0
                    place = _ELEMENT_OR_END
                continue
            elif c == 45 or 48 <= c <= 57:
                end = number_end(text, p)
                sure = kind == SKIP
                if kind == LEAF:
                    sure = take_number(text, p, end, argument, tables, out, work)
                elif kind == ITEM_VALUE and argument == 2:
                    sure = take_level(text, p, end, work)
                if end == 0 or not sure:
                    return False
                p = abs(end)
            elif (load64(text, p) & low_bytes(4)) == _TRUE:
                if kind != SKIP and not (
                    kind == LEAF and take_boolean(1, argument, tables, out, work)
                ):
                    return False
                p += 4
            elif (load64(text, p) & low_bytes(5)) == _FALSE:
                if kind != SKIP and not (
                    kind == LEAF and take_boolean(0, argument, tables, out, work)
                ):
                    return False
                p += 5
            elif (load64(text, p) & low_bytes(4)) == _NULL:
                if kind == FLAG or kind == PERSON or kind == DATA_ITEM:
                    return False
                p += 4
            else:
                return False
            place = _AFTER
            p = _skip_blanks(text, p)
            c = load8(text, p)
        if place == _AFTER:
            if p >= stop:
                return False
            if c == 44:
                p += 1
                place = _KEY if in_object else _VALUE
                step = element
                continue
            if c != (125 if in_object else 93):
                return False
        # The object or list closes at p.
        p += 1
        if depth == 0:
            break
        if not in_object:
            close_list(element & ACTION_MASK, element >> ACTION_BITS, tables, out, work)
        else:
            unknown = unknown_base
        depth -= 1
        frame = depth * FRAME
        context = stack[frame] >> 1
        in_object = (stack[frame] & 1) != 0
        element = stack[frame + 1]
        seen_low = np.uint64(stack[frame + 2])
        seen_high = np.uint64(stack[frame + 3])
        unknown_base = stack[frame + 4]
        if not in_object and (element & ACTION_MASK) == DATA_ITEM:
            event[ITEMS] += 1
        place = _AFTER
    return p >= stop and end_event(text, tables, out, event)


@kernel(nrt=False)
def decode_lines(
    text: Any,
    end: int,
    line_bytes_max: int,
    stride: int,
    tables: Any,
    symbols: Any,
    persons: Any,
    out: Any,
    work: Any,
    state: Any,
) -> Any:
    """Decode the lines of ``text[state[AT_BYTE]:end]``; DONE, or MORE_ROOM to be called again.

    ``out[0]`` is flat: field * ``stride`` + row; its values are NULL before. ``out[1]`` gets a row
    for each line that is not blank. Rows that are UNSURE hold no meaning yet.
    """
    _, lines, content, person_values = out
    _, _, index, _, event = work
    quotes = index[QUOTES : QUOTES + INDEX_WORDS]
    escapes = index[ESCAPES : ESCAPES + INDEX_WORDS]
    position = state[AT_BYTE]
    line = state[AT_LINE]
    row = state[AT_ROW]
    event[STRIDE] = stride
    event[NEXT_PERSON] = state[AT_PERSON]
    answer = DONE
    while position < end and row < lines.shape[0]:
        if not begin_block(symbols, persons, person_values, event):
            answer = MORE_ROOM
            break
        block_end = min(row + BLOCK_LINES, lines.shape[0])
        while position < end and row < block_end and takes_more(event):
            line_start = position
            line_end, quote_count, escape_count, control, first_high = index_line(
                text, position, end, quotes, escapes
            )
            position = line_end + 1
            line += 1
            short = line_end - line_start <= line_bytes_max
            p = _skip_blanks(text, line_start)
            if p >= line_end and short:
                continue
            stop = line_end
            while stop > p and (
                load8(text, stop - 1) == 32
                or load8(text, stop - 1) == 9
                or load8(text, stop - 1) == 13
            ):
                stop -= 1
            event[ROW] = row
            before = so_far(event)
            lines[row, LINE_NUMBER] = line - 1
            lines[row, LINE_START] = line_start
            lines[row, LINE_END] = line_end
            lines[row, LINE_STATUS] = UNSURE
            lines[row, ID_LENGTH] = 0
            lines[row, PERSONS_START] = event[NEXT_PERSON]
            lines[row, PERSONS_COUNT] = -1
            good = False
            if (
                short
                and quote_count < QUOTES_MAX - 64
                and escape_count < QUOTES_MAX - 64
                and quote_count & 1 == 0
                and not control
                and load8(text, p) == 123
                and (first_high < 0 or valid_utf8(text, first_high, stop))
            ):
                # End marks beyond the line, so that the walk needs no test of the counts.
                quotes[quote_count] = stop + 1
                quotes[quote_count + 1] = stop + 1
                escapes[escape_count] = stop + 1
                good = _walk_line(text, p, stop, tables, symbols, persons, out, work)
            if good:
                lines[row, LINE_STATUS] = GOOD
                content[row] = np.uint64(event[DIGEST])
            else:
                take_back(event, before)
            row += 1
        end_block(text, symbols, persons, out, work)
    state[AT_BYTE] = position
    state[AT_LINE] = line
    state[AT_ROW] = row
    state[AT_PERSON] = event[NEXT_PERSON]
    return answer
