"""Copying bytes eight at a time, and telling eight at a time whether JSON lets them stand."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from regtech.columns.hashing import low_bytes
from regtech.columns.jit import inline_kernel
from regtech.columns.memory import Intrinsic, load64

_ONES: Final = np.uint64(0x0101010101010101)
_HIGH: Final = np.uint64(0x8080808080808080)
_QUOTE: Final = np.uint64(0x2222222222222222)
_BACKSLASH: Final = np.uint64(0x5C5C5C5C5C5C5C5C)
_SPACE: Final = np.uint64(0x2020202020202020)
_ZERO: Final = np.uint64(0)


def _store64(typing: Any, array: Any, index: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(made.data, [args[1]])
        pointer = builder.bitcast(place, ir.IntType(64).as_pointer())
        builder.store(args[2], pointer, align=1)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.uint64), generate


store64: Intrinsic = intrinsic(_store64)
"""``store64(array, i, word)``: put eight bytes at element ``i``, unaligned; no index is checked."""


@inline_kernel(nrt=False, inner=True)
def copy_span(out: Any, o: int, text: Any, start: int, length: int) -> None:
    """Copy ``length`` bytes; up to seven bytes after them in ``out`` are overwritten."""
    k = 0
    while k < length:
        store64(out, o + k, load64(text, start + k))
        k += 8


@inline_kernel(nrt=False, inner=True)
def is_plain(text: Any, start: int, end: int) -> bool:
    """Whether no byte is a quote, a backslash or below a space, so that JSON needs no escape."""
    p = start
    while p < end:
        word = load64(text, p)
        # Bytes that do not belong to the span become spaces.
        mask = low_bytes(end - p)
        word = (word & mask) | (_SPACE & ~mask)
        quote = word ^ _QUOTE
        slash = word ^ _BACKSLASH
        found = (
            ((quote - _ONES) & ~quote) | ((slash - _ONES) & ~slash) | ((word - _SPACE) & ~word)
        ) & _HIGH
        if found != _ZERO:
            return False
        p += 8
    return True
