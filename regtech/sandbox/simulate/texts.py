"""Columns of numbers as columns of JSON text."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from regtech.sandbox.simulate.numbers import Int64
from regtech.sandbox.simulate.population import COUNTRIES

DAY_US: Final = 86_400_000_000
_OFFSET_US: Final = np.array(
    [
        (1 if offset[0] == "+" else -1) * (int(offset[1:3]) * 60 + int(offset[4:])) * 60_000_000
        for _, _, offset, _ in COUNTRIES
    ]
)


@cache
def _clock() -> list[str]:
    return [f"T{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86400)]


@cache
def _days(first: int, count: int) -> list[str]:
    return [str(day) for day in np.datetime64("1970-01-01") + first + np.arange(count)]


def times(us: Int64, country: Int64) -> list[str]:
    """RFC 3339 in each country's winter time, to the millisecond."""
    local = us + _OFFSET_US[country]
    day, rest = local // DAY_US, local % DAY_US
    first = int(day.min())
    names = _days(first, int(day.max()) - first + 1)
    clock, offsets = _clock(), [entry[2] for entry in COUNTRIES]
    seconds, milli = (rest // 1_000_000).tolist(), (rest // 1000 % 1000).tolist()
    rows = zip((day - first).tolist(), seconds, milli, country.tolist(), strict=True)
    return [f"{names[d]}{clock[s]}.{m:03}{offsets[c]}" for d, s, m, c in rows]


def dates(us: Int64) -> list[str]:
    """UTC days."""
    day = us // DAY_US
    first = int(day.min())
    names = _days(first, int(day.max()) - first + 1)
    return [names[d] for d in (day - first).tolist()]


def amounts(hundredths: Int64, country: Int64) -> list[str]:
    """Decimal text in the country's currency; yen have no hundredths."""
    whole = [currency == "JPY" for _, currency, *_ in COUNTRIES]
    rows = zip(hundredths.tolist(), country.tolist(), strict=True)
    return [str(h) if whole[c] else f"{h // 100}.{h % 100:02}" for h, c in rows]


def currencies(country: Int64) -> list[str]:
    """The countries' currencies."""
    codes = [currency for _, currency, *_ in COUNTRIES]
    return [codes[c] for c in country.tolist()]


def picks(words: tuple[str, ...], index: Int64) -> list[str]:
    """A word for each index."""
    return [words[k] for k in index.tolist()]
