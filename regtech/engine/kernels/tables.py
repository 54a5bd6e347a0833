"""Open-addressing hash tables over raw memory, one layout for every use.

A table is one row of a descriptor array ``T``: address of the entries, number of places, number
of entries, words an entry. An entry's first word is never 0; a zero word is an empty place. Growth
happens between blocks, from Python (``regtech.engine.state.Table``), never inside a kernel.

A hash becomes a place by its share of the whole range (the upper half of hash times places), so
that a table may have any number of places. Places are in the order of hashes: growing reads and
writes memory from front to back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.words import prefetch64
from regtech.engine.kernels.raw import MAX, load64, mix, multiply_high, store64

T_ADDRESS, T_PLACES, T_COUNT, T_WORDS = 0, 1, 2, 3
DESCRIPTOR_WORDS = 4


@inline_kernel(nrt=False, inner=True)
def find2(address: Any, places: Any, words: Any, a: Any, b: Any) -> Any:
    """Word index of the entry (a, b), or -1 - index of the empty place where it belongs."""
    place = np.int64(multiply_high(mix(a, b), np.uint64(places)))
    while True:
        at = place * words
        first = load64(address, at)
        if first == 0:
            return -1 - at
        if first == a and load64(address, at + 1) == b:
            return at
        place += 1
        if place == places:
            place = np.int64(0)


@inline_kernel(nrt=False, inner=True)
def prefetch2(address: Any, places: Any, words: Any, a: Any, b: Any) -> None:
    """Start loading the line where ``find2`` will look first."""
    prefetch64(address, np.int64(multiply_high(mix(a, b), np.uint64(places))) * words)


@inline_kernel(nrt=False, inner=True)
def key_place(places: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Where ``find_key`` looks first."""
    hashed = mix(a, b) ^ mix(c + np.int64(0x5BD1E995), d)
    return np.int64(multiply_high(hashed, np.uint64(places)))


@inline_kernel(nrt=False, inner=True)
def prefetch_entry(address: Any, words: Any, place: Any) -> None:
    """Start loading an entry, both lines where it lies across two."""
    prefetch64(address, place * words)
    prefetch64(address, place * words + words - 1)


@inline_kernel(nrt=False, inner=True)
def find_key(address: Any, places: Any, words: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """As ``find2`` for keys of up to four words, all but the last of the entry's; ``a`` must not be
    0, and words of the key beyond the entry's must be 0."""
    return find_key_from(address, places, words, key_place(places, a, b, c, d), a, b, c, d)


@inline_kernel(nrt=False, inner=True)
def find_key_from(
    address: Any, places: Any, words: Any, place: Any, a: Any, b: Any, c: Any, d: Any
) -> Any:
    """``find_key`` where ``key_place`` is known already."""
    while True:
        at = place * words
        first = load64(address, at)
        if first == 0:
            return -1 - at
        if (
            first == a
            and (words < 3 or load64(address, at + 1) == b)
            and (words < 4 or load64(address, at + 2) == c)
            and (words < 5 or load64(address, at + 3) == d)
        ):
            return at
        place += 1
        if place == places:
            place = np.int64(0)


@kernel(nrt=False)
def fresh_entries(source: Any, places: Any, words: Any, stale_word: Any, stale_below: Any) -> Any:
    """How many entries have a ``stale_word`` that is not below a bound, and the least of these."""
    found = 0
    least = MAX
    for k in range(places):
        at = k * words
        if load64(source, at) != 0:
            word = load64(source, at + stale_word)
            if word >= stale_below:
                found += 1
                least = min(least, word)
    return found, least


@kernel(nrt=False)
def rehash2(
    source: Any,
    source_places: Any,
    words: Any,
    target: Any,
    places: Any,
    stale_word: Any,
    stale_below: Any,
) -> Any:
    """Copy entries of a ``find2`` table; those whose ``stale_word`` is below a bound are dropped.

    ``stale_word`` 0 keeps all. Returns the number of entries kept.
    """
    kept = 0
    for k in range(source_places):
        at = k * words
        if load64(source, at) == 0:
            continue
        if stale_word > 0 and load64(source, at + stale_word) < stale_below:
            continue
        to = find2(target, places, words, load64(source, at), load64(source, at + 1))
        to = -1 - to
        for w in range(words):
            store64(target, to + w, load64(source, at + w))
        kept += 1
    return kept


@kernel(nrt=False)
def rehash_keys(source: Any, source_places: Any, words: Any, target: Any, places: Any) -> Any:
    """Copy all entries of a ``find_key`` table into an empty one; returns how many."""
    kept = 0
    for k in range(source_places):
        at = k * words
        a = load64(source, at)
        if a == 0:
            continue
        b = load64(source, at + 1) if words > 2 else np.int64(0)
        c = load64(source, at + 2) if words > 3 else np.int64(0)
        d = load64(source, at + 3) if words > 4 else np.int64(0)
        to = -1 - find_key(target, places, words, a, b, c, d)
        for w in range(words):
            store64(target, to + w, load64(source, at + w))
        kept += 1
    return kept
