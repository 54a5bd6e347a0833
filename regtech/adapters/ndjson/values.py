"""Kernels for single values: plain decimals, times, dates; ``NULL`` for anything else."""

from __future__ import annotations

from typing import Any, Final

from regtech.columns.jit import inline_kernel, kernel
from regtech.columns.memory import load8
from regtech.model.fields import NULL
from regtech.reference.civil_kernels import days_from_civil, month_length

AMOUNT_MAX: Final = 9 * 10**17
"""Greatest absolute value of a number after scaling: ten of them still fit 64 bits."""
MICROSECONDS_MIN: Final = -62135596800000000
"""0001-01-01T00:00:00Z."""
MICROSECONDS_MAX: Final = 253402300799999999
"""9999-12-31T23:59:59.999999Z."""
_DAY: Final = 86400


@kernel(nrt=False, inner=True)
def plain_decimal(text: Any, start: int, end: int, scale: int, point_allowed: bool) -> Any:
    """``-?digits(.digits)?`` times ``10**scale``.

    NULL for other text, for non-zero digits beyond the scale, and above ``AMOUNT_MAX``.
    """
    p = start
    negative = False
    if p < end and load8(text, p) == 45:
        negative = True
        p += 1
    value = 0
    digits = 0
    decimals = -1
    while p < end:
        c = load8(text, p)
        if 48 <= c <= 57:
            digits += 1
            if decimals >= 0:
                decimals += 1
                if decimals > scale:
                    if c != 48:
                        return NULL
                    p += 1
                    continue
            value = value * 10 + (c - 48)
            if value > AMOUNT_MAX:
                return NULL
        elif c == 46 and decimals < 0 and digits > 0 and point_allowed:
            decimals = 0
        else:
            return NULL
        p += 1
    if digits == 0 or decimals == 0:
        return NULL
    k = max(decimals, 0)
    while k < scale and value != 0:
        value *= 10
        k += 1
        if value > AMOUNT_MAX:
            return NULL
    return -value if negative else value


@inline_kernel(nrt=False, inner=True)
def _two(text: Any, place: int) -> Any:
    """Two digits as a number; very negative where one is none."""
    a = load8(text, place) - 48
    b = load8(text, place + 1) - 48
    if a < 0 or a > 9 or b < 0 or b > 9:
        return -1000000
    return a * 10 + b


@kernel(nrt=False, inner=True)
def _days(text: Any, place: int) -> Any:
    """Days since 1970-01-01 of the YYYY-MM-DD at ``place``; NULL where it is no date."""
    year = _two(text, place) * 100 + _two(text, place + 2)
    month = _two(text, place + 5)
    day = _two(text, place + 8)
    if year < 1 or month < 1 or month > 12 or day < 1:
        return NULL
    if load8(text, place + 4) != 45 or load8(text, place + 7) != 45:
        return NULL
    if day > month_length(year, month):
        return NULL
    return days_from_civil(year, month, day)


@kernel(nrt=False, inner=True)
def rfc3339(text: Any, start: int, end: int) -> Any:
    """Microseconds since 1970-01-01T00:00Z of an RFC 3339 time with an offset; else NULL.

    No 60th second, no digits but zeros beyond the sixth, no year outside 1..9999 in UTC.
    """
    if end - start < 20:
        return NULL
    days = _days(text, start)
    hour = _two(text, start + 11)
    minute = _two(text, start + 14)
    second = _two(text, start + 17)
    c = load8(text, start + 10)
    if days == NULL or (c != 84 and c != 116 and c != 32):
        return NULL
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return NULL
    if load8(text, start + 13) != 58 or load8(text, start + 16) != 58:
        return NULL
    p = start + 19
    fraction = 0
    if load8(text, p) == 46:
        p += 1
        digits = 0
        while p < end:
            c = load8(text, p) - 48
            if c < 0 or c > 9:
                break
            if digits < 6:
                fraction = fraction * 10 + c
            elif c != 0:
                return NULL
            digits += 1
            p += 1
        if digits == 0:
            return NULL
        while digits < 6:
            fraction *= 10
            digits += 1
    if p >= end:
        return NULL
    c = load8(text, p)
    offset = 0
    if c == 90 or c == 122:
        p += 1
    elif (c == 43 or c == 45) and p + 6 <= end and load8(text, p + 3) == 58:
        hours = _two(text, p + 1)
        minutes = _two(text, p + 4)
        if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
            return NULL
        offset = (hours * 60 + minutes) * 60
        if c == 45:
            offset = -offset
        p += 6
    if p != end:
        return NULL
    seconds = days * _DAY + hour * 3600 + minute * 60 + second - offset
    value = seconds * 1000000 + fraction
    if value < MICROSECONDS_MIN or value > MICROSECONDS_MAX:
        return NULL
    return value


@kernel(nrt=False, inner=True)
def calendar_date(text: Any, start: int, end: int) -> Any:
    """Days since 1970-01-01 of YYYY-MM-DD, or of the local date of an RFC 3339 time; else NULL."""
    if end - start != 10 and rfc3339(text, start, end) == NULL:
        return NULL
    return _days(text, start)
