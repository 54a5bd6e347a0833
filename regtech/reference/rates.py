"""Exchange rates: a dated table, exact lookup, conversion rounded once (half to even).

The file is CSV with the header ``date,base,quote,rate``: one ``base`` is ``rate`` ``quote``, as
decimal text. Lines ``# key: value`` before the header say what the table is: ``table`` (its name),
``pivot`` (currency that cross rates go through, default USD), ``max_age_days`` (default 10),
``note``. A rate holds from its day on until a newer one, and no longer than ``max_age_days`` days.
"""

from __future__ import annotations

import bisect
import csv
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from regtech.errors import CapacityError, InputError, UsageError
from regtech.reference.civil import iso_from_day
from regtech.reference.currencies import CurrencyTable
from regtech.reference.faults import Reader

Int64 = npt.NDArray[np.int64]

DEFAULT_MAX_AGE_DAYS: Final = 10
DEFAULT_PIVOT: Final = "USD"
HEADER: Final = ("date", "base", "quote", "rate")
_INT64_MAX: Final = (1 << 63) - 1
_RATIOS_KEPT: Final = 100_000
_TABLES_KEPT: Final = 16
"""Tables for kernels: one for each currency that rules convert to."""
_RATE: Final = re.compile(r"\d{1,18}(\.\d{1,18})?", re.ASCII)
_SETTING: Final = re.compile(r"#\s*(table|pivot|max_age_days|note):\s*(.*?)\s*")


@dataclass(frozen=True, slots=True)
class Quote:
    """The rate used for one conversion: one main unit of the source is ``rate`` of the target.

    ``day`` is that of the older rate where two were combined; ``via`` the pivot they met in.
    """

    rate: Fraction
    day: int
    via: str | None = None

    def __str__(self) -> str:
        """The rate as an exact decimal, or as ``numerator/denominator`` where it has none."""
        den = self.rate.denominator
        twos = (den & -den).bit_length() - 1
        fives = 0
        rest = den >> twos
        while rest % 5 == 0:
            rest //= 5
            fives += 1
        if rest != 1:
            return f"{self.rate.numerator}/{den}"
        places = max(twos, fives)
        digits = str(self.rate.numerator * 10**places // den).rjust(places + 1, "0")
        return f"{digits[:-places]}.{digits[-places:]}" if places else digits


_Ratio = tuple[int, int, int, str | None]
"""Numerator and denominator, not in lowest terms; ``day`` and ``via`` as in ``Quote``. In whole
numbers, as some ten thousand are looked up at each start."""


@dataclass(frozen=True, slots=True)
class _Series:
    days: list[int]
    rates: list[tuple[int, int]]

    def at(self, day: int, max_age_days: int) -> tuple[int, int, int] | None:
        """Numerator, denominator and day of the rate that holds on a day."""
        place = bisect.bisect_right(self.days, day) - 1
        if place < 0 or day - self.days[place] > max_age_days:
            return None
        return *self.rates[place], self.days[place]


class RateTable:
    """A dated table of exchange rates. Immutable; ``name`` and ``digest`` go into the evidence."""

    def __init__(
        self,
        name: str,
        rates: Sequence[tuple[int, str, str, Fraction]],
        currencies: CurrencyTable,
        *,
        pivot: str = DEFAULT_PIVOT,
        max_age_days: int = DEFAULT_MAX_AGE_DAYS,
        note: str = "",
    ) -> None:
        """``rates`` are (day, base, quote, rate), in any order, one a day and pair."""
        self.name, self.pivot, self.max_age_days, self.note = name, pivot, max_age_days, note
        self._currencies = currencies
        self._series: dict[tuple[str, str], _Series] = {}
        self._ratios: dict[tuple[str, str, int], _Ratio | None] = {}
        self._tables: dict[tuple[tuple[str, ...], str, int, int], tuple[Int64, Int64]] = {}
        ordered = sorted(rates, key=lambda r: (r[1], r[2], r[0]))
        for day, base, quote, rate in ordered:
            series = self._series.setdefault((base, quote), _Series([], []))
            series.days.append(day)
            series.rates.append(rate.as_integer_ratio())
        text = [f"{pivot} {max_age_days}\n"]
        text += [
            f"{iso_from_day(day)} {base} {quote} {rate}\n" for day, base, quote, rate in ordered
        ]
        self.digest = hashlib.sha256("".join(text).encode()).hexdigest()

    @classmethod
    def load(cls, path: Path, currencies: CurrencyTable) -> RateTable:
        """Read a file. Raises InputError if it cannot be read, ContentError with every fault."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read the rate table {path}: {error}") from error
        return cls.parse(text, currencies, name=path.stem, file=str(path))

    @classmethod
    def parse(
        cls, text: str, currencies: CurrencyTable, *, name: str = "rates", file: str = "rates.csv"
    ) -> RateTable:
        """Read the text of a file. Raises ContentError with every fault, each with its line."""
        reader = Reader(file, locate=lambda path: (int(path.split()[1]), 1))
        settings: dict[str, str] = {}
        rows: list[tuple[int, str, str, Fraction]] = []
        seen: set[tuple[int, str, str]] = set()
        header_seen = False
        for number, line in enumerate(text.splitlines(), start=1):
            if match := _SETTING.fullmatch(line):
                settings[match[1]] = match[2]
            if not line.strip() or line.startswith("#"):
                continue
            cells = tuple(cell.strip() for cell in next(csv.reader([line])))
            if not header_seen:
                header_seen = True
                if cells != HEADER:
                    reader.fault(f"line {number}", "header", f"expected {','.join(HEADER)}")
                continue
            row = _row(reader, f"line {number}", cells, currencies)
            if row is None:
                continue
            if row[:3] in seen:
                reader.fault(f"line {number}", "duplicate", "a second rate for this day and pair")
            seen.add(row[:3])
            rows.append(row)
        pivot = settings.get("pivot", DEFAULT_PIVOT)
        age = settings.get("max_age_days", str(DEFAULT_MAX_AGE_DAYS))
        if pivot not in currencies:
            reader.fault("line 1", "unknown_currency", f"pivot {pivot!r}")
        if not (age.isascii() and age.isdigit()) or int(age) > 3660:
            reader.fault("line 1", "out_of_range", f"max_age_days {age!r} is not 0 to 3660")
            age = "0"
        reader.finish()
        return cls(
            settings.get("table", name),
            rows,
            currencies,
            pivot=pivot,
            max_age_days=int(age),
            note=settings.get("note", ""),
        )

    def span(self) -> tuple[int, int] | None:
        """First and last day on which any rate can be found; None for an empty table."""
        if not self._series:
            return None
        first = min(series.days[0] for series in self._series.values())
        last = max(series.days[-1] for series in self._series.values())
        return first, last + self.max_age_days

    def quote(self, source: str, target: str, day: int) -> Quote | None:
        """The rate from one currency to another on a day (days since 1970-01-01); None if unknown.

        In this order: the pair itself, its inverse, both legs through the pivot; each by the latest
        rate on or before the day that is not older than ``max_age_days``. Never a later rate.
        """
        found = self._ratio(source, target, day)
        if found is None:
            return None
        num, den, of_day, via = found
        return Quote(Fraction(num, den), of_day, via)

    def _ratio(self, source: str, target: str, day: int) -> _Ratio | None:
        key = (source, target, day)
        if key not in self._ratios:
            if len(self._ratios) > _RATIOS_KEPT:
                self._ratios.clear()
            self._ratios[key] = self._found(source, target, day)
        return self._ratios[key]

    def _found(self, source: str, target: str, day: int) -> _Ratio | None:
        if source == target:
            return 1, 1, day, None
        if (leg := self._leg(source, target, day)) is not None:
            return *leg, None
        if self.pivot in (source, target):
            return None
        first = self._leg(source, self.pivot, day)
        second = self._leg(self.pivot, target, day)
        if first is None or second is None:
            return None
        return first[0] * second[0], first[1] * second[1], min(first[2], second[2]), self.pivot

    def _leg(self, source: str, target: str, day: int) -> tuple[int, int, int] | None:
        if series := self._series.get((source, target)):
            if found := series.at(day, self.max_age_days):
                return found
        if series := self._series.get((target, source)):
            if found := series.at(day, self.max_age_days):
                num, den, of_day = found
                return den, num, of_day
        return None

    def fraction(self, source: str, target: str, day: int) -> tuple[int, int] | None:
        """``(num, den)``, both in 1..2**63-1, in lowest terms, or None where no rate is known.

        Target smallest units are ``round_half_even(source smallest units * num / den)``: the
        decimals of both currencies are in the fraction. Raises CapacityError where rates with very
        many digits give a fraction that does not fit, UsageError for an undeclared currency.
        """
        shift = self._exponent(target) - self._exponent(source)
        found = self._ratio(source, target, day)
        if found is None:
            return None
        num, den, of_day, _ = found
        if shift >= 0:
            num *= 10**shift
        else:
            den *= 10**-shift
        divisor = gcd(num, den)
        num, den = num // divisor, den // divisor
        if max(num, den) > _INT64_MAX:
            raise CapacityError(
                f"the rate {source} to {target} of {iso_from_day(of_day)} in table {self.name} "
                "has too many digits to be used exactly",
                hint="give the rates of both currencies with fewer decimals",
            )
        return num, den

    def convert(self, minor: int, source: str, target: str, day: int) -> int | None:
        """An amount in the target's smallest units, rounded once, half to even; None if no rate."""
        found = self.fraction(source, target, day)
        return None if found is None else round_half_even(minor * found[0], found[1])

    def table_for_kernel(
        self, sources: Sequence[str], target: str, first_day: int, last_day: int
    ) -> tuple[Int64, Int64]:
        """``(num, den)``, each int64 of shape (sources, days from first to last, both included).

        ``num[i, day - first_day]`` and ``den`` are those of ``fraction(sources[i], target, day)``;
        where no rate is known both are 0. Cost grows with the number of rates, not of days, and is
        paid once: the same arrays, which nobody may write to, answer the same question again.
        """
        if last_day < first_day:
            raise UsageError("the last day lies before the first")
        key = (tuple(sources), target, first_day, last_day)
        made = self._tables.get(key)
        if made is None:
            if len(self._tables) >= _TABLES_KEPT:
                self._tables.clear()
            made = self._tables[key] = self._table(*key)
        return made

    def _table(
        self, sources: Sequence[str], target: str, first_day: int, last_day: int
    ) -> tuple[Int64, Int64]:
        num = np.zeros((len(sources), last_day - first_day + 1), dtype=np.int64)
        den = np.zeros_like(num)
        for i, source in enumerate(sources):
            days = self._change_days(source, target, first_day, last_day)
            for start, end in zip(days, [*days[1:], last_day + 1], strict=True):
                if (found := self.fraction(source, target, start)) is not None:
                    num[i, start - first_day : end - first_day] = found[0]
                    den[i, start - first_day : end - first_day] = found[1]
        num.flags.writeable = den.flags.writeable = False
        return num, den

    def _change_days(self, source: str, target: str, first_day: int, last_day: int) -> list[int]:
        """Days on which the fraction may change, the first included, in order."""
        found = {first_day}
        for a, b in ((source, target), (source, self.pivot), (self.pivot, target)):
            for pair in ((a, b), (b, a)):
                if series := self._series.get(pair):
                    found.update(series.days)
                    ends = (day + self.max_age_days + 1 for day in series.days)
                    following = (*series.days[1:], _INT64_MAX)
                    found.update(e for e, n in zip(ends, following, strict=True) if e < n)
        return sorted(day for day in found if first_day <= day <= last_day)

    def _exponent(self, code: str) -> int:
        currency = self._currencies.get(code)
        if currency is None:
            raise UsageError(f"unknown currency {code!r}")
        return currency.exponent


def round_half_even(numerator: int, denominator: int) -> int:
    """The whole number nearest to a fraction with a positive denominator; of two, the even one."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2):
        return quotient + 1
    return quotient


def _row(
    reader: Reader, place: str, cells: tuple[str, ...], currencies: CurrencyTable
) -> tuple[int, str, str, Fraction] | None:
    if len(cells) != len(HEADER):
        reader.fault(place, "columns", f"expected {len(HEADER)} cells, found {len(cells)}")
        return None
    date_text, base, quote, rate_text = cells
    day = reader.day(date_text, place)
    for code in (base, quote):
        if code not in currencies:
            reader.fault(place, "unknown_currency", f"{code!r} is not a declared currency")
    if base == quote:
        reader.fault(place, "same_currency", "base and quote are the same")
    if not _RATE.fullmatch(rate_text):
        reader.fault(place, "bad_rate", f"{rate_text!r} is not a plain decimal")
        return None
    rate = Fraction(rate_text)
    if rate <= 0:
        reader.fault(place, "bad_rate", "a rate is greater than zero")
        return None
    return None if day is None else (day, base, quote, rate)
