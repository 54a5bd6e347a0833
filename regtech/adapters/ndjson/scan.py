"""First phase of decoding: where a line ends, where its quotes are, and is it text at all.

64 bytes at a time, after Langdale and Lemire, "Parsing gigabytes of JSON per second" (2019).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.memory import bit_count, json_masks, load8, load64, trailing_zeros

QUOTES_MAX: Final = 1 << 14
"""Quotes (and escapes) of a line that the fast path holds; lines with more take the strict path."""
INDEX_WORDS: Final = QUOTES_MAX + 80
"""Length of the index arrays: eight places are written at a time, and two end marks follow."""

_ALL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_S63: Final = np.uint64(63)
_ODD: Final = np.uint64(0xAAAAAAAAAAAAAAAA)
_EVEN: Final = np.uint64(0x5555555555555555)
_HIGH: Final = np.uint64(0x8080808080808080)


@inline_kernel(nrt=False, inner=True)
def _escaped(backslash: Any, carried: Any) -> tuple[Any, Any]:
    """(characters that a backslash escapes, whether the next 64 bytes start escaped)."""
    starts = backslash & ~carried
    follows = (starts << _ONE) | carried
    odd_starts = starts & _ODD & ~follows
    runs = odd_starts + starts
    carry = _ONE if runs < odd_starts else _ZERO
    return (_EVEN ^ (runs << _ONE)) & follows, carry


@inline_kernel(nrt=False)
def _inside(quote: Any, carried: Any) -> Any:
    """Mask of the bytes inside strings: the running parity of the quotes."""
    inside = quote
    inside ^= inside << _ONE
    inside ^= inside << np.uint64(2)
    inside ^= inside << np.uint64(4)
    inside ^= inside << np.uint64(8)
    inside ^= inside << np.uint64(16)
    inside ^= inside << np.uint64(32)
    return inside ^ carried


@inline_kernel(nrt=False, inner=True)
def index_line(text: Any, start: int, end: int, quotes: Any, escapes: Any) -> Any:
    """Index the line that starts at ``start``.

    Returns (end of the line, number of quotes, number of backslashes that escape, control character
    in a string, place of the first 64 bytes with a non-ASCII one or -1). The counts may exceed
    ``QUOTES_MAX``; then the index is incomplete.
    """
    place = start
    line_end = -1
    quote_count = 0
    escape_count = 0
    control = False
    first_high = -1
    parity = _ZERO
    carried = _ZERO
    while line_end < 0:
        quote, backslash, low, newline, high = json_masks(text, place)
        if place + 64 > end:
            valid = (_ONE << np.uint64(end - place)) - _ONE
            quote &= valid
            backslash &= valid
            low &= valid
            newline &= valid
            high &= valid
            if newline == _ZERO:
                line_end = end
        if newline != _ZERO:
            length = trailing_zeros(newline)
            line_end = place + length
            valid = (_ONE << np.uint64(length)) - _ONE
            quote &= valid
            backslash &= valid
            low &= valid
            high &= valid
        if backslash != _ZERO or carried != _ZERO:
            escaped, carried = _escaped(backslash, carried)
            quote &= ~escaped
            rest = backslash & ~escaped
            while rest != _ZERO:
                if escape_count < QUOTES_MAX:
                    escapes[escape_count] = place + trailing_zeros(rest)
                escape_count += 1
                rest &= rest - _ONE
        if high != _ZERO and first_high < 0:
            first_high = place
        inside = _inside(quote, parity)
        if (inside & low) != _ZERO:
            control = True
        parity = _ALL if (inside >> _S63) != _ZERO else _ZERO
        if quote_count < QUOTES_MAX - 64:
            rest = quote
            k = quote_count
            while rest != _ZERO:
                # Eight at a time without a test between; what is too many is overwritten later.
                for j in range(8):
                    quotes[k + j] = place + trailing_zeros(rest)
                    rest &= rest - _ONE
                k += 8
            quote_count += bit_count(quote)
        else:
            quote_count = QUOTES_MAX
        place += 64
    return line_end, quote_count, escape_count, control, first_high


@kernel(nrt=False, inner=True)
def valid_utf8(text: Any, start: int, end: int) -> bool:
    """Whether the bytes are well-formed UTF-8: shortest form, no surrogates, up to U+10FFFF."""
    i = start
    while i < end:
        if i + 8 <= end and (load64(text, i) & _HIGH) == _ZERO:
            i += 8
            continue
        lead = load8(text, i)
        if lead < 0x80:
            i += 1
            continue
        second = load8(text, i + 1)
        low, high, size = 0x80, 0xBF, 2
        if 0xC2 <= lead <= 0xDF:
            pass
        elif 0xE0 <= lead <= 0xEF:
            size = 3
            if lead == 0xE0:
                low = 0xA0
            elif lead == 0xED:
                high = 0x9F
        elif 0xF0 <= lead <= 0xF4:
            size = 4
            if lead == 0xF0:
                low = 0x90
            elif lead == 0xF4:
                high = 0x8F
        else:
            return False
        if second < low or second > high:
            return False
        for k in range(2, size):
            if (load8(text, i + k) & 0xC0) != 0x80:
                return False
        i += size
    return i == end


@kernel(nrt=False, inner=True)
def _hex4(text: Any, place: int) -> int:
    value = 0
    for k in range(4):
        c = load8(text, place + k)
        if 48 <= c <= 57:
            digit = c - 48
        elif 97 <= c <= 102:
            digit = c - 87
        elif 65 <= c <= 70:
            digit = c - 55
        else:
            return -1
        value = value * 16 + digit
    return value


@kernel(nrt=False, inner=True)
def unescape(text: Any, start: int, end: int) -> int:
    """Replace escapes in place; the new length, or -1 for a bad escape, lone surrogate or NUL."""
    i = start
    out = start
    while i < end:
        c = load8(text, i)
        if c != 92:
            text[out] = c
            out += 1
            i += 1
            continue
        c = load8(text, i + 1)
        if c != 117:
            if c == 110:
                c = 10
            elif c == 116:
                c = 9
            elif c == 114:
                c = 13
            elif c == 98:
                c = 8
            elif c == 102:
                c = 12
            elif c != 34 and c != 92 and c != 47:
                return -1
            text[out] = c
            out += 1
            i += 2
            continue
        if i + 6 > end:
            return -1
        point = _hex4(text, i + 2)
        i += 6
        if point <= 0 or 0xDC00 <= point <= 0xDFFF:
            return -1
        if 0xD800 <= point <= 0xDBFF:
            if i + 6 > end or load8(text, i) != 92 or load8(text, i + 1) != 117:
                return -1
            low = _hex4(text, i + 2)
            if low < 0xDC00 or low > 0xDFFF:
                return -1
            i += 6
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00)
        if point < 0x80:
            text[out] = point
            out += 1
        elif point < 0x800:
            text[out] = 0xC0 | (point >> 6)
            text[out + 1] = 0x80 | (point & 63)
            out += 2
        elif point < 0x10000:
            text[out] = 0xE0 | (point >> 12)
            text[out + 1] = 0x80 | ((point >> 6) & 63)
            text[out + 2] = 0x80 | (point & 63)
            out += 3
        else:
            text[out] = 0xF0 | (point >> 18)
            text[out + 1] = 0x80 | ((point >> 12) & 63)
            text[out + 2] = 0x80 | ((point >> 6) & 63)
            text[out + 3] = 0x80 | (point & 63)
            out += 4
    return out - start


@kernel(nrt=False, inner=True)
def number_end(text: Any, start: int) -> int:
    """End of the JSON number at ``start``, negated where it has a point or an exponent; 0: none."""
    p = start
    c = load8(text, p)
    if c == 45:
        p += 1
        c = load8(text, p)
    if c == 48:
        p += 1
    elif 49 <= c <= 57:
        while 48 <= load8(text, p) <= 57:
            p += 1
    else:
        return 0
    plain = True
    if load8(text, p) == 46:
        plain = False
        p += 1
        if not 48 <= load8(text, p) <= 57:
            return 0
        while 48 <= load8(text, p) <= 57:
            p += 1
    c = load8(text, p)
    if c == 101 or c == 69:
        plain = False
        p += 1
        c = load8(text, p)
        if c == 43 or c == 45:
            p += 1
        if not 48 <= load8(text, p) <= 57:
            return 0
        while 48 <= load8(text, p) <= 57:
            p += 1
    return p if plain else -p
