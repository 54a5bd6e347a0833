"""Kernels of the string table: open addressing with the key's words in the entry, bytes verified.

An entry is three words: the two key words, and ``length << 32 | code + 1`` (0: free); where the
bytes are is said by the code's offset. ``state`` is ``[count, arena used, migrated entries of the
old table, migrating]``. While the table is being doubled, look-ups try the new table and then the
old one; the old entries move over a few at a time, so no single call pays for all of them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.columns.hashing import SHORT_MAX, key_words, mix_words
from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.memory import load64, signed

COUNT: Final = 0
USED: Final = 1
MIGRATED: Final = 2
MIGRATING: Final = 3

ENTRY_WORDS: Final = 3
LOG_WORDS: Final = 5
"""Words of one entry of a log of strings to encode: target, span, hash and the two key words."""
SPAN_SHIFT: Final = 16
"""A span is ``offset << SPAN_SHIFT | length``."""
STRING_MAX: Final = 4096
"""Longest string that is encoded, in bytes."""

_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_S32: Final = np.uint64(32)
_LOW32: Final = np.uint64(0xFFFFFFFF)


@inline_kernel(nrt=False, inner=True)
def _same_bytes(arena: Any, place: int, text: Any, offset: int, length: int) -> bool:
    for k in range(length):
        if arena[place + k] != text[offset + k]:
            return False
    return True


@inline_kernel(nrt=False, inner=True)
def _find_in(
    table: Any,
    arena: Any,
    offsets: Any,
    text: Any,
    offset: int,
    length: int,
    digest: Any,
    first: Any,
    second: Any,
) -> tuple[int, int]:
    """(code or -1, place of the entry or of the free place where it belongs)."""
    mask = np.uint64(table.shape[0] - 1)
    place = signed(digest & mask)
    while True:
        at = place * ENTRY_WORDS
        tag = load64(table, at + 2)
        if tag == _ZERO:
            return -1, place
        if (
            load64(table, at) == first
            and load64(table, at + 1) == second
            and signed(tag >> _S32) == length
        ):
            code = signed(tag & _LOW32) - 1
            if length <= SHORT_MAX or _same_bytes(arena, offsets[code], text, offset, length):
                return code, place
        place = signed(np.uint64(place + 1) & mask)


@inline_kernel(nrt=False)
def _find(
    table: Any,
    old: Any,
    arena: Any,
    offsets: Any,
    state: Any,
    text: Any,
    offset: int,
    length: int,
    digest: Any,
    first: Any,
    second: Any,
) -> tuple[int, int]:
    code, place = _find_in(table, arena, offsets, text, offset, length, digest, first, second)
    if code < 0 and state[MIGRATING] != 0:
        code, _ = _find_in(old, arena, offsets, text, offset, length, digest, first, second)
    return code, place


@inline_kernel(nrt=False)
def _add(
    table: Any,
    arena: Any,
    offsets: Any,
    state: Any,
    text: Any,
    offset: int,
    length: int,
    place: int,
    first: Any,
    second: Any,
) -> Any:
    code = state[COUNT]
    used = state[USED]
    table[place, 0] = first
    table[place, 1] = second
    table[place, 2] = (np.uint64(length) << _S32) | np.uint64(code + 1)
    for k in range(length):
        arena[used + k] = text[offset + k]
    offsets[code + 1] = used + length
    state[COUNT] = code + 1
    state[USED] = used + length
    return code


@kernel(nrt=False, inner=True)
def encode_log(
    log: Any,
    count: int,
    text: Any,
    table: Any,
    old: Any,
    arena: Any,
    offsets: Any,
    state: Any,
    out: Any,
) -> None:
    """Write the code of each logged string to its target in ``out``; new strings are added.

    The caller has made room: a free place, an offset and arena bytes for every entry.
    """
    for k in range(count):
        target = signed(log[k, 0])
        span = signed(log[k, 1])
        offset = span >> SPAN_SHIFT
        length = span & ((1 << SPAN_SHIFT) - 1)
        first = log[k, 3]
        second = log[k, 4]
        code, place = _find(
            table, old, arena, offsets, state, text, offset, length, log[k, 2], first, second
        )
        if code < 0:
            code = _add(table, arena, offsets, state, text, offset, length, place, first, second)
        out[target] = code


@kernel(nrt=False)
def find_or_add(
    text: Any,
    offset: int,
    length: int,
    add: bool,
    table: Any,
    old: Any,
    arena: Any,
    offsets: Any,
    state: Any,
) -> int:
    """Code of one string; -1 where it is unknown and ``add`` is false."""
    first, second = key_words(text, offset, length)
    digest = mix_words(first, second, length)
    code, place = _find(
        table, old, arena, offsets, state, text, offset, length, digest, first, second
    )
    if code < 0 and add:
        code = _add(table, arena, offsets, state, text, offset, length, place, first, second)
    return code


@kernel(nrt=False)
def add_all(
    text: Any, ends: Any, table: Any, old: Any, arena: Any, offsets: Any, state: Any
) -> bool:
    """Add strings that stand one behind another up to these ends; False where one is known."""
    start = 0
    for end in ends:
        length = end - start
        first, second = key_words(text, start, length)
        digest = mix_words(first, second, length)
        code, place = _find(
            table, old, arena, offsets, state, text, start, length, digest, first, second
        )
        if code >= 0:
            return False
        _add(table, arena, offsets, state, text, start, length, place, first, second)
        start = end
    return True


@kernel(nrt=False)
def migrate(table: Any, old: Any, state: Any, limit: int) -> None:
    """Move up to ``limit`` places of the old table to the new one."""
    if state[MIGRATING] == 0:
        return
    mask = np.uint64(table.shape[0] - 1)
    start = state[MIGRATED]
    end = min(start + limit, old.shape[0])
    for k in range(start, end):
        tag = old[k, 2]
        if tag == _ZERO:
            continue
        digest = mix_words(old[k, 0], old[k, 1], signed(tag >> _S32))
        place = signed(digest & mask)
        while table[place, 2] != _ZERO:
            place = signed(np.uint64(place + 1) & mask)
        for j in range(ENTRY_WORDS):
            table[place, j] = old[k, j]
    state[MIGRATED] = end
    if end == old.shape[0]:
        state[MIGRATING] = 0


@kernel(nrt=False)
def rebuild(table: Any, arena: Any, offsets: Any, count: int) -> bool:
    """Fill an empty table from arena and offsets; False where a string appears twice."""
    for code in range(count):
        offset = offsets[code]
        length = offsets[code + 1] - offset
        first, second = key_words(arena, offset, length)
        digest = mix_words(first, second, length)
        found, place = _find_in(table, arena, offsets, arena, offset, length, digest, first, second)
        if found >= 0:
            return False
        table[place, 0] = first
        table[place, 1] = second
        table[place, 2] = (np.uint64(length) << _S32) | np.uint64(code + 1)
    return True
