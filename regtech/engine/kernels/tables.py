"""Open-addressing hash tables over raw memory, one layout for every use.

A table is one row of a descriptor array ``T``: address of the entries, mask (capacity - 1), number
of entries, words an entry. An entry's first word is never 0; a zero word is an empty place. Growth
happens
between blocks, from Python (``regtech.engine.state.Table``), never inside a kernel.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from regtech.columns.jit import inline_kernel, kernel
from regtech.engine.kernels.raw import load64, mix, store64

T_ADDRESS, T_MASK, T_COUNT, T_WORDS = 0, 1, 2, 3
DESCRIPTOR_WORDS = 4


@inline_kernel(nrt=False)
def find2(address: Any, mask: Any, words: Any, a: Any, b: Any) -> Any:
    """Word index of the entry (a, b), or -1 - index of the empty place where it belongs."""
    place = np.int64(mix(a, b) & np.uint64(mask))
    while True:
        at = place * words
        first = load64(address, at)
        if first == 0:
            return -1 - at
        if first == a and load64(address, at + 1) == b:
            return at
        place = (place + 1) & mask


@inline_kernel(nrt=False)
def find4(address: Any, mask: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """As ``find2`` for keys of four words in entries of five; ``a`` must not be 0."""
    place = np.int64((mix(a, b) ^ mix(c + np.int64(0x5BD1E995), d)) & np.uint64(mask))
    while True:
        at = place * 5
        first = load64(address, at)
        if first == 0:
            return -1 - at
        if (
            first == a
            and load64(address, at + 1) == b
            and load64(address, at + 2) == c
            and load64(address, at + 3) == d
        ):
            return at
        place = (place + 1) & mask


@kernel(nrt=False)
def rehash2(
    source: Any,
    capacity: Any,
    words: Any,
    target: Any,
    mask: Any,
    stale_word: Any,
    stale_below: Any,
) -> Any:
    """Copy entries of a ``find2`` table; those whose ``stale_word`` is below a bound are dropped.

    ``stale_word`` 0 keeps all. Returns the number of entries kept.
    """
    kept = 0
    for k in range(capacity):
        at = k * words
        if load64(source, at) == 0:
            continue
        if stale_word > 0 and load64(source, at + stale_word) < stale_below:
            continue
        to = find2(target, mask, words, load64(source, at), load64(source, at + 1))
        to = -1 - to
        for w in range(words):
            store64(target, to + w, load64(source, at + w))
        kept += 1
    return kept


@kernel(nrt=False)
def rehash4(source: Any, capacity: Any, target: Any, mask: Any) -> Any:
    """Copy all entries of a ``find4`` table into an empty one; returns how many."""
    kept = 0
    for k in range(capacity):
        at = k * 5
        if load64(source, at) == 0:
            continue
        to = -1 - find4(
            target,
            mask,
            load64(source, at),
            load64(source, at + 1),
            load64(source, at + 2),
            load64(source, at + 3),
        )
        for w in range(5):
            store64(target, to + w, load64(source, at + w))
        kept += 1
    return kept
