"""What the walk does with the values it meets: check, convert, put into columns, add to the digest.

Each function answers False where it is not sure; then the line goes to the strict path.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.adapters.ndjson.catalogue import (
    BOOLEAN,
    CURRENCY,
    DATA_ITEM,
    DATE,
    DECIMAL,
    EVENT_ID,
    EVENT_TYPE,
    FLAG,
    INTEGER,
    LEAF_COLUMN,
    LEAF_KIND,
    LEAF_NEED,
    LEAF_SALT,
    LEAF_SIGNED,
    LEAF_TYPES,
    LEAF_WORDS,
    MONEY,
    PERSON,
    SYMBOL,
    TEXT,
    TIME,
    UNKNOWN_BIT,
)
from regtech.adapters.ndjson.layout import (
    ALLOWED,
    CATEGORIES,
    DECIMALS,
    DIGEST,
    FLAG_BITS,
    HAVE,
    ID_LENGTH,
    ID_START,
    ITEMS,
    LEVEL,
    LINE_ENTRIES,
    LISTED,
    LOGGED,
    LOGGED_BYTES,
    MONEY_COUNT,
    MONEY_FIRST,
    MONEY_MAX,
    PERSON_LOGGED,
    PERSONS_COUNT,
    ROW,
    STRIDE,
    TYPE,
)
from regtech.adapters.ndjson.layout import PERSON as NEXT_PERSON
from regtech.adapters.ndjson.lookup import word_index
from regtech.adapters.ndjson.values import calendar_date, plain_decimal, rfc3339
from regtech.columns.hashing import key_words, mix_field, mix_words
from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.memory import prefetch, signed
from regtech.columns.vocabulary_kernels import ENTRY_WORDS, SPAN_SHIFT, STRING_MAX
from regtech.model.fields import DECIMAL_SCALE, NULL

_ONE: Final = np.uint64(1)
_DECIMAL_PLACES: Final = len(str(DECIMAL_SCALE)) - 1


@inline_kernel(nrt=False)
def _note(leaves: Any, event: Any, leaf: int, shown: Any) -> None:
    """A field is given: ``shown`` is what its value adds to the digest."""
    event[DIGEST] += signed(mix_field(np.uint64(leaves[leaf, LEAF_SALT]), shown))
    event[HAVE] |= leaves[leaf, LEAF_NEED]
    event[ALLOWED] &= leaves[leaf, LEAF_TYPES]


@inline_kernel(nrt=False)
def _put(leaves: Any, event: Any, columns: Any, leaf: int, value: int) -> None:
    column = leaves[leaf, LEAF_COLUMN]
    if column >= 0:
        columns[column * event[STRIDE] + event[ROW]] = value


@inline_kernel(nrt=False)
def _log(
    log: Any,
    at: int,
    target: int,
    start: int,
    length: int,
    digest: Any,
    first: Any,
    second: Any,
    table: Any,
) -> None:
    """Leave a string to ``encode_log``, and start fetching its place in the table."""
    prefetch(table, signed(digest & np.uint64(table.shape[0] - 1)) * ENTRY_WORDS)
    log[at, 0] = np.uint64(target)
    log[at, 1] = np.uint64((start << SPAN_SHIFT) | length)
    log[at, 2] = digest
    log[at, 3] = first
    log[at, 4] = second


@inline_kernel(nrt=False, inner=True)
def _later(event: Any, leaves: Any, leaf: int, start: int, end: int) -> bool:
    """Keep an amount until its currency is known."""
    count = event[MONEY_COUNT]
    if count == MONEY_MAX:
        return False
    event[MONEY_FIRST + 3 * count] = leaf
    event[MONEY_FIRST + 3 * count + 1] = start
    event[MONEY_FIRST + 3 * count + 2] = end
    event[MONEY_COUNT] = count + 1
    event[HAVE] |= leaves[leaf, LEAF_NEED]
    event[ALLOWED] &= leaves[leaf, LEAF_TYPES]
    return True


@inline_kernel(nrt=False, inner=True)
def take_string(
    text: Any, start: int, length: int, leaf: int, tables: Any, symbols: Any, out: Any, work: Any
) -> Any:
    """A string (already without escapes) as the value of a field."""
    _, _, leaves, _, words, word_values, word_bytes, _, _ = tables
    columns, lines, _, _ = out
    log, _, _, _, event = work
    kind = leaves[leaf, LEAF_KIND]
    if length == 0:
        return kind != BOOLEAN  # else missing
    if kind == MONEY:
        return _later(event, leaves, leaf, start, start + length)
    if kind > EVENT_ID:
        value = NULL
        if kind == TIME:
            value = rfc3339(text, start, start + length)
        elif kind == DATE:
            value = calendar_date(text, start, start + length)
        elif kind == DECIMAL:
            value = plain_decimal(text, start, start + length, _DECIMAL_PLACES, True)
        elif kind == INTEGER:
            value = plain_decimal(text, start, start + length, 0, False)
        if value == NULL or (value < 0 and (kind == INTEGER or kind == DECIMAL)):
            return False
        _put(leaves, event, columns, leaf, value)
        _note(leaves, event, leaf, np.uint64(value))
        return True
    first, second = key_words(text, start, length)
    shown = mix_words(first, second, length)
    if kind == SYMBOL:
        if length > STRING_MAX:
            return False
        column = leaves[leaf, LEAF_COLUMN]
        if column >= 0:
            target = column * event[STRIDE] + event[ROW]
            _log(log, event[LOGGED], target, start, length, shown, first, second, symbols[0])
            event[LOGGED] += 1
            event[LOGGED_BYTES] += length
    elif kind == TEXT or kind == EVENT_ID:
        if kind == EVENT_ID:
            if length > STRING_MAX:
                return False
            lines[event[ROW], ID_START] = start
            lines[event[ROW], ID_LENGTH] = length
        _put(leaves, event, columns, leaf, signed(shown >> _ONE))
    else:
        word_set = leaves[leaf, LEAF_WORDS]
        index = word_index(
            words, word_values, word_bytes, word_set, text, start, length, shown, first, second
        )
        if index < 0:
            return False
        _put(leaves, event, columns, leaf, word_values[index, 0])
        if kind == CURRENCY:
            event[DECIMALS] = word_values[index, 1]
        elif kind == EVENT_TYPE:
            event[TYPE] = word_values[index, 1]
    _note(leaves, event, leaf, shown)
    return True


@inline_kernel(nrt=False, inner=True)
def take_number(
    text: Any, start: int, end: int, leaf: int, tables: Any, out: Any, work: Any
) -> bool:
    """A JSON number as the value of a field; ``end`` is negative where it is no integer."""
    leaves = tables[2]
    event = work[4]
    kind = leaves[leaf, LEAF_KIND]
    if end < 0:
        return False
    if kind == MONEY:
        return _later(event, leaves, leaf, start, end)
    if kind != DECIMAL and kind != INTEGER:
        return False
    value = plain_decimal(text, start, end, _DECIMAL_PLACES if kind == DECIMAL else 0, False)
    if value == NULL or (value < 0 and (kind == INTEGER or kind == DECIMAL)):
        return False
    _put(leaves, event, out[0], leaf, value)
    _note(leaves, event, leaf, np.uint64(value))
    return True


@inline_kernel(nrt=False, inner=True)
def take_boolean(value: int, leaf: int, tables: Any, out: Any, work: Any) -> bool:
    """``true`` or ``false`` as the value of a field."""
    leaves = tables[2]
    if leaves[leaf, LEAF_KIND] != BOOLEAN:
        return False
    _put(leaves, work[4], out[0], leaf, value)
    _note(leaves, work[4], leaf, np.uint64(value))
    return True


@inline_kernel(nrt=False, inner=True)
def take_flag(
    text: Any, start: int, length: int, leaf: int, into: int, tables: Any, work: Any
) -> None:
    """Add a word's bit to the set ``into`` of the event."""
    _, _, leaves, _, words, word_values, word_bytes, _, _ = tables
    first, second = key_words(text, start, length)
    digest = mix_words(first, second, length)
    index = word_index(
        words,
        word_values,
        word_bytes,
        leaves[leaf, LEAF_WORDS],
        text,
        start,
        length,
        digest,
        first,
        second,
    )
    work[4][into] |= word_values[index, 0] if index >= 0 else 1 << UNKNOWN_BIT


@inline_kernel(nrt=False, inner=True)
def take_person(
    text: Any, start: int, length: int, leaf: int, tables: Any, persons: Any, work: Any
) -> bool:
    """One person of the list."""
    leaves = tables[2]
    _, log, _, _, event = work
    if length == 0 or length > STRING_MAX or event[LISTED] >= LINE_ENTRIES:
        return False
    first, second = key_words(text, start, length)
    shown = mix_words(first, second, length)
    event[DIGEST] += signed(mix_field(np.uint64(leaves[leaf, LEAF_SALT]), shown))
    event[LISTED] += 1
    if leaves[leaf, LEAF_COLUMN] >= 0:
        at = event[PERSON_LOGGED]
        _log(log, at, event[NEXT_PERSON], start, length, shown, first, second, persons[0])
        event[PERSON_LOGGED] += 1
        event[NEXT_PERSON] += 1
    return True


@inline_kernel(nrt=False, inner=True)
def take_item_value(text: Any, start: int, length: int, part: int, tables: Any, work: Any) -> bool:
    """A category (part 0), sensitivity (1) or level (2) of a data item, as a string."""
    if length == 0:
        return True
    if part == 2:
        return take_level(text, start, start + length, work)
    take_flag(text, start, length, tables[8][part], CATEGORIES + part, tables, work)
    return True


@inline_kernel(nrt=False, inner=True)
def take_level(text: Any, start: int, end: int, work: Any) -> bool:
    """A level of a data item; the event keeps the highest."""
    value = plain_decimal(text, start, end, 0, False) if end >= 0 else NULL
    work[4][LEVEL] = max(work[4][LEVEL], value)
    return value >= 0


@inline_kernel(nrt=False, inner=True)
def close_list(kind: int, leaf: int, tables: Any, out: Any, work: Any) -> None:
    """The list of a field ends."""
    leaves = tables[2]
    data_leaves = tables[8]
    columns, lines, _, _ = out
    event = work[4]
    if kind == FLAG:
        _put(leaves, event, columns, leaf, event[FLAG_BITS])
        _note(leaves, event, leaf, np.uint64(event[FLAG_BITS]))
    elif kind == PERSON:
        if leaves[leaf, LEAF_COLUMN] >= 0:
            lines[event[ROW], PERSONS_COUNT] = event[LISTED]
        _put(leaves, event, columns, leaf, event[LISTED])
        _note(leaves, event, leaf, np.uint64(event[LISTED]))
    elif kind == DATA_ITEM:
        for part in range(3):
            value = event[CATEGORIES + part]
            if event[ITEMS] == 0:
                value = 0
            elif part < 2 and value == 0:
                value = NULL
            if value != NULL:
                _put(leaves, event, columns, data_leaves[part], value)
                _note(leaves, event, data_leaves[part], np.uint64(value))
            else:
                event[ALLOWED] &= leaves[data_leaves[part], LEAF_TYPES]


@kernel(nrt=False, inner=True)
def take_money(text: Any, leaves: Any, columns: Any, event: Any) -> bool:
    """Convert the amounts that waited for the currency."""
    for k in range(event[MONEY_COUNT]):
        leaf = event[MONEY_FIRST + 3 * k]
        start = event[MONEY_FIRST + 3 * k + 1]
        end = event[MONEY_FIRST + 3 * k + 2]
        negative_allowed = leaves[leaf, LEAF_SIGNED] != 0
        if event[DECIMALS] < 0 and not negative_allowed:
            return False
        value = plain_decimal(text, start, end, max(event[DECIMALS], 0), True)
        if value == NULL or (value < 0 and not negative_allowed):
            return False
        _put(leaves, event, columns, leaf, value)
        _note(leaves, event, leaf, np.uint64(value))
    return True


@inline_kernel(nrt=False)
def end_event(text: Any, tables: Any, out: Any, event: Any) -> Any:
    """Whether all that was taken makes an event of its type; converts its amounts."""
    needs = tables[7]
    event_type = event[TYPE]
    return (
        event_type >= 0
        and (event[ALLOWED] >> event_type) & 1 != 0
        and (event[HAVE] & needs[event_type]) == needs[event_type]
        and take_money(text, tables[2], out[0], event)
    )
