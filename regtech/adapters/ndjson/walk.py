"""Second phase of decoding: walk the keys of each line and put values into columns.

The walk is conservative. A line is accepted only when every check passed here; whatever is doubtful
or wrong is marked ``UNSURE`` and the strict path (``regtech.adapters.ndjson.strict``) decides and
explains. So an error here can cost time, and the tests hold both paths against each other.

One kernel holds the whole walk: splitting it would pass two dozen arrays through each call, and
the compiler keeps the state of a line in registers.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.adapters.ndjson.catalogue import (
    ACTION_BITS,
    BOOLEAN,
    CURRENCY,
    DATA,
    DATA_ITEM,
    DATE,
    DECIMAL,
    EVENT_ID,
    EVENT_TYPE,
    FLAG,
    FLAGS,
    INTEGER,
    ITEM_VALUE,
    KEY_BYTES_MAX,
    KEY_PLACES,
    LEAF,
    LEAF_COLUMN,
    LEAF_KIND,
    LEAF_NEED,
    LEAF_SALT,
    LEAF_SIGNED,
    LEAF_TYPES,
    LEAF_WORDS,
    MONEY,
    OBJECT,
    PERSON,
    PERSONS,
    SKIP,
    SYMBOL,
    TEXT,
    TIME,
    UNKNOWN_BIT,
    WORD_PLACES,
)
from regtech.adapters.ndjson.scan import (
    INDEX_WORDS,
    QUOTES_MAX,
    index_line,
    number_end,
    unescape,
    valid_utf8,
)
from regtech.adapters.ndjson.values import calendar_date, plain_decimal, rfc3339
from regtech.columns.hashing import SHORT_MAX, key_words, low_bytes, mix_field, mix_words
from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.memory import PADDING, load8, load64, prefetch, signed
from regtech.columns.vocabulary_kernels import (
    COUNT,
    SPAN_SHIFT,
    STRING_MAX,
    USED,
    encode_log,
    migrate,
)
from regtech.model.fields import DECIMAL_SCALE, NULL

# Columns of the table of lines.
LINE_NUMBER: Final = 0
LINE_START: Final = 1
LINE_END: Final = 2
LINE_STATUS: Final = 3
ID_START: Final = 4
ID_LENGTH: Final = 5
PERSONS_START: Final = 6
PERSONS_COUNT: Final = 7
LINE_WORDS: Final = 8

GOOD: Final = 0
UNSURE: Final = 1

# Places of the run's state, and what the kernel says when it returns.
AT_BYTE: Final = 0
AT_LINE: Final = 1
AT_ROW: Final = 2
AT_PERSON: Final = 3
STATE_WORDS: Final = 4
DONE: Final = 0
MORE_ROOM: Final = 1

DEPTH_MAX: Final = 64
"""Objects and lists inside each other, the record itself included."""
_UNKNOWN_KEYS_MAX: Final = 256
_MONEY_MAX: Final = 8
_BLOCK_LINES: Final = 32
LOG_ENTRIES: Final = 4096
"""Strings of one block of lines; a line has far fewer leaves than a quarter of it."""
_LINE_ENTRIES: Final = 1024
_LINE_BYTES: Final = 1 << 18
LOG_BYTES: Final = (1 << 18) + _LINE_ENTRIES * STRING_MAX
"""More bytes than the strings of one block can have."""
_MIGRATE_PLACES: Final = 512

# The scratch array: index of quotes and escapes, stack of open containers, unknown keys, money.
_QUOTES: Final = 0
_ESCAPES: Final = _QUOTES + INDEX_WORDS
_STACK: Final = _ESCAPES + INDEX_WORDS
_FRAME: Final = 5
_UNKNOWN: Final = _STACK + _FRAME * DEPTH_MAX
_PENDING: Final = _UNKNOWN + _UNKNOWN_KEYS_MAX
SCRATCH_WORDS: Final = _PENDING + 3 * _MONEY_MAX

_KEY_OR_END: Final = 0
_KEY: Final = 1
_VALUE: Final = 2
_AFTER: Final = 3
_ELEMENT_OR_END: Final = 4
_CLOSE: Final = 5

_ACTION_MASK: Final = (1 << ACTION_BITS) - 1
_ALL_TYPES: Final = -1
_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_MUL_A: Final = np.uint64(0x9E3779B97F4A7C15)
_MUL_B: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_S8: Final = np.uint64(8)
_S54: Final = np.uint64(54)
_LOW8: Final = np.uint64(0xFF)
_WORD_MASK: Final = np.uint64(WORD_PLACES - 1)
_DECIMALS: Final = len(str(DECIMAL_SCALE)) - 1


@inline_kernel(nrt=False)
def _key_id(keys: Any, text: Any, start: int, length: int) -> Any:
    """Number of a known key, or -1."""
    if length > KEY_BYTES_MAX:
        return -1
    first = load64(text, start) & low_bytes(length)
    second = _ZERO
    third = _ZERO
    if length > 8:
        second = load64(text, start + 8) & low_bytes(length - 8)
        if length > 16:
            third = load64(text, start + 16) & low_bytes(length - 16)
    mixed = (first ^ (second * _MUL_B) ^ (np.uint64(length) * _MUL_A)) * _MUL_A
    place = signed(mixed >> _S54)
    tag = np.uint64(length + 1)
    while True:
        entry = load64(keys, place * 4 + 3)
        if entry == _ZERO:
            return -1
        if (
            load64(keys, place * 4) == first
            and load64(keys, place * 4 + 1) == second
            and load64(keys, place * 4 + 2) == third
            and (entry & _LOW8) == tag
        ):
            return signed(entry >> _S8)
        place = (place + 1) & (KEY_PLACES - 1)


@kernel(nrt=False)
def _word_index(
    words: Any,
    word_values: Any,
    word_bytes: Any,
    word_set: int,
    text: Any,
    start: int,
    length: int,
    digest: Any,
    first: Any,
    second: Any,
) -> Any:
    """Index of a word in a closed set, or -1."""
    place = signed((digest + np.uint64(word_set) * _MUL_A) & _WORD_MASK)
    tag = np.uint64((word_set << 16) | length)
    while True:
        index = signed(load64(words, place * 4 + 3)) - 1
        if index < 0:
            return -1
        if (
            load64(words, place * 4) == first
            and load64(words, place * 4 + 1) == second
            and load64(words, place * 4 + 2) == tag
        ):
            same = True
            if length > SHORT_MAX:
                offset = word_values[index, 2]
                for k in range(length):
                    if word_bytes[offset + k] != text[start + k]:
                        same = False
            if same:
                return index
        place = (place + 1) & (WORD_PLACES - 1)


@inline_kernel(nrt=False)
def _log(
    log: Any, at: int, target: int, start: int, length: int, digest: Any, first: Any, second: Any
) -> None:
    log[at, 0] = np.uint64(target)
    log[at, 1] = np.uint64((start << SPAN_SHIFT) | length)
    log[at, 2] = digest
    log[at, 3] = first
    log[at, 4] = second


@inline_kernel(nrt=False)
def _room(entries: int, size: int, table: Any, arena: Any, offsets: Any, state: Any) -> Any:
    """Whether the vocabulary can take so many more strings; the rule of ``Vocabulary.reserve``."""
    count = state[COUNT] + entries
    return (
        count * 8 <= table.shape[0] * 5
        and count < offsets.shape[0]
        and state[USED] + size + PADDING <= arena.shape[0]
    )


@kernel(nrt=False)
def decode_lines(
    text: Any,
    end: int,
    line_bytes_max: int,
    keys: Any,
    steps: Any,
    leaves: Any,
    context_id: Any,
    words: Any,
    word_values: Any,
    word_bytes: Any,
    needs: Any,
    data_leaves: Any,
    table: Any,
    old: Any,
    arena: Any,
    offsets: Any,
    symbols: Any,
    person_table: Any,
    person_old: Any,
    person_arena: Any,
    person_offsets: Any,
    persons: Any,
    columns: Any,
    stride: int,
    lines: Any,
    content: Any,
    person_values: Any,
    log: Any,
    person_log: Any,
    scratch: Any,
    state: Any,
) -> int:
    """Decode the lines of ``text[state[AT_BYTE]:end]``; DONE, or MORE_ROOM to be called again.

    ``columns`` is flat: field * ``stride`` + row; its values are NULL before. ``lines`` gets a row
    for each line that is not blank. Rows that are UNSURE hold no meaning yet.
    """
    quotes = scratch[_QUOTES : _QUOTES + INDEX_WORDS]
    escapes = scratch[_ESCAPES : _ESCAPES + INDEX_WORDS]
    skip_context = context_id.shape[0] - 1
    position = state[AT_BYTE]
    line = state[AT_LINE]
    row = state[AT_ROW]
    person = state[AT_PERSON]
    answer = DONE
    while position < end and row < lines.shape[0]:
        if (
            not _room(LOG_ENTRIES, LOG_BYTES, table, arena, offsets, symbols)
            or not _room(
                LOG_ENTRIES, LOG_BYTES, person_table, person_arena, person_offsets, persons
            )
            or person + LOG_ENTRIES > person_values.shape[0]
        ):
            answer = MORE_ROOM
            break
        migrate(table, old, symbols, _MIGRATE_PLACES)
        migrate(person_table, person_old, persons, _MIGRATE_PLACES)
        logged = 0
        logged_bytes = 0
        person_logged = 0
        person_bytes = 0
        block_end = row + _BLOCK_LINES
        while (
            position < end
            and row < block_end
            and row < lines.shape[0]
            and logged <= LOG_ENTRIES - _LINE_ENTRIES
            and logged_bytes <= _LINE_BYTES
            and person_logged <= LOG_ENTRIES - _LINE_ENTRIES
            and person_bytes <= _LINE_BYTES
        ):
            line_start = position
            line_end, quote_count, escape_count, control, first_high = index_line(
                text, position, end, quotes, escapes
            )
            position = line_end + 1
            line += 1
            p = line_start
            stop = line_end
            while p < stop and (
                load8(text, p) == 32 or load8(text, p) == 9 or load8(text, p) == 13
            ):
                p += 1
            while stop > p and (
                load8(text, stop - 1) == 32
                or load8(text, stop - 1) == 9
                or load8(text, stop - 1) == 13
            ):
                stop -= 1
            if p >= stop and line_end - line_start <= line_bytes_max:
                continue
            lines[row, LINE_NUMBER] = line - 1
            lines[row, LINE_START] = line_start
            lines[row, LINE_END] = line_end
            lines[row, LINE_STATUS] = UNSURE
            lines[row, ID_LENGTH] = 0
            lines[row, PERSONS_START] = person
            lines[row, PERSONS_COUNT] = -1
            if (
                line_end - line_start > line_bytes_max
                or quote_count >= QUOTES_MAX - 64
                or escape_count >= QUOTES_MAX - 64
                or quote_count & 1
                or control
                or load8(text, p) != 123
            ):
                row += 1
                continue
            if first_high >= 0:
                # The first block may start inside a character that began in the one before.
                checked = max(first_high, line_start)
                while checked > line_start and load8(text, checked) >= 128:
                    checked -= 1
                if not valid_utf8(text, checked, stop):
                    row += 1
                    continue
            # End marks beyond the line, so that the walk needs no test of the counts.
            quotes[quote_count] = stop + 1
            quotes[quote_count + 1] = stop + 1
            escapes[escape_count] = stop + 1

            good = False
            quote = 0
            escape = 0
            depth = 0
            context = 0
            in_object = True
            seen_low = _ZERO
            seen_high = _ZERO
            unknown = 0
            unknown_base = 0
            element = SKIP
            step = SKIP
            kind = SKIP
            argument = 0
            place = _KEY_OR_END
            event_type = -1
            allowed = _ALL_TYPES
            have = 0
            digest_sum = _ZERO
            currency_decimals = -1
            pending = 0
            flags = 0
            categories = 0
            sensitivities = 0
            level = NULL
            items = 0
            line_logged = logged
            line_logged_bytes = logged_bytes
            line_person_logged = person_logged
            line_person_bytes = person_bytes
            listed = 0
            p += 1
            while True:
                c = load8(text, p)
                while c == 32 or c == 9 or c == 13:
                    p += 1
                    c = load8(text, p)
                if place <= _KEY:
                    if c == 34:
                        start = p + 1
                        stop_quote = quotes[quote + 1]
                        quote += 2
                        if escapes[escape] < stop_quote:
                            break  # an escaped key may be a known one
                        length = stop_quote - start
                        key = _key_id(keys, text, start, length)
                        if key >= 0:
                            bit = _ONE << np.uint64(key & 63)
                            if key < 64:
                                if (seen_low & bit) != _ZERO:
                                    break
                                seen_low |= bit
                            else:
                                if (seen_high & bit) != _ZERO:
                                    break
                                seen_high |= bit
                            step = steps[context, key]
                        else:
                            step = SKIP
                            first, second = key_words(text, start, length)
                            digest = signed(mix_words(first, second, length))
                            repeated = unknown >= _UNKNOWN_KEYS_MAX
                            for k in range(unknown_base, unknown):
                                if scratch[_UNKNOWN + k] == digest:
                                    repeated = True
                            if repeated:
                                break
                            scratch[_UNKNOWN + unknown] = digest
                            unknown += 1
                        p = stop_quote + 1
                        c = load8(text, p)
                        while c == 32 or c == 9 or c == 13:
                            p += 1
                            c = load8(text, p)
                        if c != 58:
                            break
                        p += 1
                        c = load8(text, p)
                        while c == 32 or c == 9 or c == 13:
                            p += 1
                            c = load8(text, p)
                        place = _VALUE
                    elif c == 125 and place == _KEY_OR_END:
                        place = _CLOSE
                    else:
                        break
                elif place == _ELEMENT_OR_END:
                    if c == 93:
                        place = _CLOSE
                    else:
                        place = _VALUE
                        step = element
                if place == _VALUE:
                    kind = step & _ACTION_MASK
                    argument = step >> ACTION_BITS
                    if c == 34:
                        start = p + 1
                        stop_quote = quotes[quote + 1]
                        quote += 2
                        length = stop_quote - start
                        p = stop_quote + 1
                        if escapes[escape] < stop_quote:
                            length = unescape(text, start, stop_quote)
                            if length < 0:
                                break
                            while escapes[escape] < stop_quote:
                                escape += 1
                        if kind == OBJECT and context_id[argument] >= 0:
                            kind = LEAF
                            argument = context_id[argument]
                        if kind == LEAF:
                            leaf_kind = leaves[argument, LEAF_KIND]
                            column = leaves[argument, LEAF_COLUMN]
                            if length == 0:
                                if leaf_kind == BOOLEAN:
                                    break
                            elif leaf_kind == MONEY:
                                if pending == _MONEY_MAX:
                                    break
                                scratch[_PENDING + 3 * pending] = argument
                                scratch[_PENDING + 3 * pending + 1] = start
                                scratch[_PENDING + 3 * pending + 2] = start + length
                                pending += 1
                                have |= leaves[argument, LEAF_NEED]
                                allowed &= leaves[argument, LEAF_TYPES]
                            else:
                                value = NULL
                                shown = _ZERO
                                if leaf_kind <= EVENT_ID:
                                    first, second = key_words(text, start, length)
                                    shown = mix_words(first, second, length)
                                    if leaf_kind == SYMBOL:
                                        if length > STRING_MAX:
                                            break
                                        if column >= 0:
                                            prefetch(
                                                table,
                                                signed(shown & np.uint64(table.shape[0] - 1)) * 4,
                                            )
                                            target = column * stride + row
                                            _log(
                                                log,
                                                logged,
                                                target,
                                                start,
                                                length,
                                                shown,
                                                first,
                                                second,
                                            )
                                            logged += 1
                                            logged_bytes += length
                                    elif leaf_kind == TEXT:
                                        value = signed(shown >> _ONE)
                                    elif leaf_kind == EVENT_ID:
                                        if length > STRING_MAX:
                                            break
                                        value = signed(shown >> _ONE)
                                        lines[row, ID_START] = start
                                        lines[row, ID_LENGTH] = length
                                    else:
                                        index = _word_index(
                                            words,
                                            word_values,
                                            word_bytes,
                                            leaves[argument, LEAF_WORDS],
                                            text,
                                            start,
                                            length,
                                            shown,
                                            first,
                                            second,
                                        )
                                        if index < 0:
                                            break
                                        value = word_values[index, 0]
                                        if leaf_kind == CURRENCY:
                                            currency_decimals = word_values[index, 1]
                                        elif leaf_kind == EVENT_TYPE:
                                            event_type = word_values[index, 1]
                                            context = 1 + event_type
                                else:
                                    if leaf_kind == TIME:
                                        value = rfc3339(text, start, start + length)
                                    elif leaf_kind == DATE:
                                        value = calendar_date(text, start, start + length)
                                    elif leaf_kind == DECIMAL:
                                        value = plain_decimal(
                                            text, start, start + length, _DECIMALS, True
                                        )
                                    elif leaf_kind == INTEGER:
                                        value = plain_decimal(text, start, start + length, 0, False)
                                        if value < 0:
                                            break
                                    if value == NULL:
                                        break
                                    shown = np.uint64(value)
                                if column >= 0 and leaf_kind != SYMBOL:
                                    columns[column * stride + row] = value
                                digest_sum += mix_field(
                                    np.uint64(leaves[argument, LEAF_SALT]), shown
                                )
                                have |= leaves[argument, LEAF_NEED]
                                allowed &= leaves[argument, LEAF_TYPES]
                        elif kind == SKIP:
                            pass
                        elif kind == FLAG or (kind == ITEM_VALUE and argument < 2):
                            leaf = argument if kind == FLAG else data_leaves[argument]
                            mask = 0
                            if length > 0:
                                first, second = key_words(text, start, length)
                                index = _word_index(
                                    words,
                                    word_values,
                                    word_bytes,
                                    leaves[leaf, LEAF_WORDS],
                                    text,
                                    start,
                                    length,
                                    mix_words(first, second, length),
                                    first,
                                    second,
                                )
                                mask = 1 << UNKNOWN_BIT
                                if index >= 0:
                                    mask = word_values[index, 0]
                            elif kind == FLAG:
                                break
                            if kind == FLAG:
                                flags |= mask
                            elif argument == 0:
                                categories |= mask
                            else:
                                sensitivities |= mask
                        elif kind == PERSON:
                            if length == 0 or length > STRING_MAX or listed >= _LINE_ENTRIES:
                                break
                            first, second = key_words(text, start, length)
                            shown = mix_words(first, second, length)
                            digest_sum += mix_field(np.uint64(leaves[argument, LEAF_SALT]), shown)
                            listed += 1
                            if leaves[argument, LEAF_COLUMN] >= 0:
                                prefetch(
                                    person_table,
                                    signed(shown & np.uint64(person_table.shape[0] - 1)) * 4,
                                )
                                _log(
                                    person_log,
                                    person_logged,
                                    person,
                                    start,
                                    length,
                                    shown,
                                    first,
                                    second,
                                )
                                person_logged += 1
                                person_bytes += length
                                person += 1
                        elif kind == ITEM_VALUE:
                            if length > 0:
                                value = plain_decimal(text, start, start + length, 0, False)
                                if value < 0:
                                    break
                                level = max(level, value)
                        else:
                            break
                        place = _AFTER
                        c = load8(text, p)
                    elif c == 123:
                        if kind == OBJECT or kind == DATA_ITEM:
                            inner = argument
                        elif kind == SKIP:
                            inner = skip_context
                        else:
                            break
                        if depth >= DEPTH_MAX - 2:
                            break
                        frame = _STACK + depth * _FRAME
                        scratch[frame] = (context << 1) | in_object
                        scratch[frame + 1] = element
                        scratch[frame + 2] = signed(seen_low)
                        scratch[frame + 3] = signed(seen_high)
                        scratch[frame + 4] = unknown_base
                        depth += 1
                        context = inner
                        in_object = True
                        seen_low = _ZERO
                        seen_high = _ZERO
                        unknown_base = unknown
                        p += 1
                        place = _KEY_OR_END
                        continue
                    elif c == 91:
                        if kind == SKIP:
                            inner = SKIP
                        elif kind == FLAGS:
                            inner = (argument << ACTION_BITS) | FLAG
                            flags = 0
                        elif kind == PERSONS:
                            inner = (argument << ACTION_BITS) | PERSON
                        elif kind == DATA:
                            inner = (argument << ACTION_BITS) | DATA_ITEM
                        else:
                            break
                        if depth >= DEPTH_MAX - 2:
                            break
                        frame = _STACK + depth * _FRAME
                        scratch[frame] = (context << 1) | in_object
                        scratch[frame + 1] = element
                        scratch[frame + 2] = signed(seen_low)
                        scratch[frame + 3] = signed(seen_high)
                        scratch[frame + 4] = unknown_base
                        depth += 1
                        in_object = False
                        element = inner
                        p += 1
                        place = _ELEMENT_OR_END
                        continue
                    elif c == 45 or 48 <= c <= 57:
                        after = number_end(text, p)
                        if after == 0:
                            break
                        if kind == LEAF:
                            leaf_kind = leaves[argument, LEAF_KIND]
                            if after < 0:
                                break
                            if leaf_kind == MONEY:
                                if pending == _MONEY_MAX:
                                    break
                                scratch[_PENDING + 3 * pending] = argument
                                scratch[_PENDING + 3 * pending + 1] = p
                                scratch[_PENDING + 3 * pending + 2] = after
                                pending += 1
                            elif leaf_kind == DECIMAL or leaf_kind == INTEGER:
                                scale = _DECIMALS if leaf_kind == DECIMAL else 0
                                value = plain_decimal(text, p, after, scale, False)
                                if value == NULL or (leaf_kind == INTEGER and value < 0):
                                    break
                                if leaves[argument, LEAF_COLUMN] >= 0:
                                    columns[leaves[argument, LEAF_COLUMN] * stride + row] = value
                                digest_sum += mix_field(
                                    np.uint64(leaves[argument, LEAF_SALT]), np.uint64(value)
                                )
                            else:
                                break
                            have |= leaves[argument, LEAF_NEED]
                            allowed &= leaves[argument, LEAF_TYPES]
                        elif kind == ITEM_VALUE and argument == 2:
                            if after < 0:
                                break
                            value = plain_decimal(text, p, after, 0, False)
                            if value < 0:
                                break
                            level = max(level, value)
                        elif kind != SKIP:
                            break
                        p = abs(after)
                        place = _AFTER
                        c = load8(text, p)
                    elif c == 116 or c == 102:
                        if c == 116:
                            value = 1
                            known = load64(text, p) & low_bytes(4) == np.uint64(0x65757274)
                            p += 4
                        else:
                            value = 0
                            known = load64(text, p) & low_bytes(5) == np.uint64(0x65736C6166)
                            p += 5
                        if not known:
                            break
                        if kind == LEAF:
                            if leaves[argument, LEAF_KIND] != BOOLEAN:
                                break
                            if leaves[argument, LEAF_COLUMN] >= 0:
                                columns[leaves[argument, LEAF_COLUMN] * stride + row] = value
                            digest_sum += mix_field(
                                np.uint64(leaves[argument, LEAF_SALT]), np.uint64(value)
                            )
                            have |= leaves[argument, LEAF_NEED]
                            allowed &= leaves[argument, LEAF_TYPES]
                        elif kind != SKIP:
                            break
                        place = _AFTER
                        c = load8(text, p)
                    elif c == 110:
                        if load64(text, p) & low_bytes(4) != np.uint64(0x6C6C756E):
                            break
                        if kind == FLAG or kind == PERSON or kind == DATA_ITEM:
                            break
                        p += 4
                        place = _AFTER
                        c = load8(text, p)
                    else:
                        break
                    while c == 32 or c == 9 or c == 13:
                        p += 1
                        c = load8(text, p)
                if place == _AFTER:
                    if p >= stop:
                        break
                    if c == 44:
                        p += 1
                        if in_object:
                            place = _KEY
                        else:
                            place = _VALUE
                            step = element
                        continue
                    if in_object:
                        if c != 125:
                            break
                    elif c != 93:
                        break
                # The container closes at p.
                p += 1
                if depth == 0:
                    good = p >= stop
                    break
                if not in_object:
                    kind = element & _ACTION_MASK
                    argument = element >> ACTION_BITS
                    if kind == FLAG:
                        if leaves[argument, LEAF_COLUMN] >= 0:
                            columns[leaves[argument, LEAF_COLUMN] * stride + row] = flags
                        digest_sum += mix_field(
                            np.uint64(leaves[argument, LEAF_SALT]), np.uint64(flags)
                        )
                        allowed &= leaves[argument, LEAF_TYPES]
                    elif kind == PERSON:
                        if leaves[argument, LEAF_COLUMN] >= 0:
                            lines[row, PERSONS_COUNT] = listed
                            columns[leaves[argument, LEAF_COLUMN] * stride + row] = listed
                        digest_sum += mix_field(
                            np.uint64(leaves[argument, LEAF_SALT]), np.uint64(listed)
                        )
                        allowed &= leaves[argument, LEAF_TYPES]
                    elif kind == DATA_ITEM:
                        for k in range(3):
                            leaf = data_leaves[k]
                            value = level
                            if k == 0:
                                value = categories
                            elif k == 1:
                                value = sensitivities
                            if items == 0:
                                value = 0
                            elif k < 2 and value == 0:
                                value = NULL
                            if value != NULL:
                                if leaves[leaf, LEAF_COLUMN] >= 0:
                                    columns[leaves[leaf, LEAF_COLUMN] * stride + row] = value
                                digest_sum += mix_field(
                                    np.uint64(leaves[leaf, LEAF_SALT]), np.uint64(value)
                                )
                            allowed &= leaves[leaf, LEAF_TYPES]
                depth -= 1
                frame = _STACK + depth * _FRAME
                context = scratch[frame] >> 1
                in_object = (scratch[frame] & 1) != 0
                element = scratch[frame + 1]
                seen_low = np.uint64(scratch[frame + 2])
                seen_high = np.uint64(scratch[frame + 3])
                unknown = unknown_base
                unknown_base = scratch[frame + 4]
                if not in_object and (element & _ACTION_MASK) == DATA_ITEM:
                    items += 1
                place = _AFTER
                c = load8(text, p)
                # Back to the top, where blanks are skipped and the next mark is judged.

            if good and (
                event_type < 0
                or (allowed >> event_type) & 1 == 0
                or (have & needs[event_type]) != needs[event_type]
            ):
                good = False
            if good:
                for k in range(pending):
                    leaf = scratch[_PENDING + 3 * k]
                    negative_allowed = leaves[leaf, LEAF_SIGNED] != 0
                    decimals = currency_decimals
                    if decimals < 0:
                        if not negative_allowed:
                            good = False
                            break
                        decimals = 0
                    value = plain_decimal(
                        text,
                        scratch[_PENDING + 3 * k + 1],
                        scratch[_PENDING + 3 * k + 2],
                        decimals,
                        True,
                    )
                    if value == NULL or (value < 0 and not negative_allowed):
                        good = False
                        break
                    if leaves[leaf, LEAF_COLUMN] >= 0:
                        columns[leaves[leaf, LEAF_COLUMN] * stride + row] = value
                    digest_sum += mix_field(np.uint64(leaves[leaf, LEAF_SALT]), np.uint64(value))
            if good:
                lines[row, LINE_STATUS] = GOOD
                content[row] = digest_sum
            else:
                logged = line_logged
                logged_bytes = line_logged_bytes
                person -= person_logged - line_person_logged
                person_logged = line_person_logged
                person_bytes = line_person_bytes
            row += 1
        encode_log(log, logged, text, table, old, arena, offsets, symbols, columns)
        encode_log(
            person_log,
            person_logged,
            text,
            person_table,
            person_old,
            person_arena,
            person_offsets,
            persons,
            person_values,
        )
    state[AT_BYTE] = position
    state[AT_LINE] = line
    state[AT_ROW] = row
    state[AT_PERSON] = person
    return answer
