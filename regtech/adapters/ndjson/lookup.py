"""Look-ups in the decoder's small tables: known keys, and words of closed sets."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.adapters.ndjson.catalogue import KEY_BYTES_MAX, KEY_PLACES, WORD_PLACES
from regtech.columns.hashing import SHORT_MAX, low_bytes
from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.memory import load64, signed

_ZERO: Final = np.uint64(0)
_MUL_A: Final = np.uint64(0x9E3779B97F4A7C15)
_MUL_B: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_S8: Final = np.uint64(8)
_S54: Final = np.uint64(54)
_LOW8: Final = np.uint64(0xFF)
_WORD_MASK: Final = np.uint64(WORD_PLACES - 1)


@inline_kernel(nrt=False)
def key_id(keys: Any, text: Any, start: int, length: int) -> Any:
    """Number of a known key, or -1; the place to start at is that of ``catalogue.key_place``."""
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


@kernel(nrt=False, inner=True)
def word_index(
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
    """Index of a word in a closed set, or -1; ``digest``, ``first``, ``second`` are its hashes."""
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
