"""Currencies and declared virtual assets: index, number of decimals, exact parsing and writing.

An amount is a whole number of smallest units (``10**-exponent``) held in 64 bits. The index of a
currency is its place in ``mappings/currencies.yml``; that file only grows at its ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.reference.faults import Reader

AMOUNT_MAX: Final = (1 << 63) - 1
"""Largest amount in smallest units."""

_EXPONENT_MAX: Final = 9


class AmountFault(ValueError):
    """An amount cannot be held; ``code`` is a reason code of the quarantine."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency or virtual asset.

    ``exponent``: decimals that amounts are held with. ``native``: decimals the asset itself has
    (more than ``exponent`` only for virtual assets; finer amounts are refused). ``name``: by
    language.
    """

    code: str
    index: int
    exponent: int
    native: int
    virtual: bool
    withdrawn: bool
    name: Mapping[str, str]


class CurrencyTable:
    """All currencies of an installation, in a stable order. Immutable."""

    def __init__(self, currencies: tuple[Currency, ...]) -> None:
        self._all = currencies
        self._by_code = {c.code: c for c in currencies}

    @classmethod
    def from_document(
        cls, document: Any, *, file: str = "currencies.yml", reader: Reader | None = None
    ) -> CurrencyTable:
        """The table of a parsed ``currencies.yml``. Raises ContentError with every fault."""
        reader = reader or Reader(file)
        top = reader.mapping(document, "", ("currencies", "virtual_assets"))
        found: list[Currency] = []
        codes: set[str] = set()
        for section, virtual in (("currencies", False), ("virtual_assets", True)):
            for i, item in enumerate(reader.sequence(top.get(section, ()), section)):
                currency = _currency(reader, item, f"{section}[{i}]", len(found), virtual)
                if currency.code in codes:
                    reader.fault(f"{section}[{i}].code", "duplicate", f"{currency.code} again")
                codes.add(currency.code)
                found.append(currency)
        reader.finish()
        return cls(tuple(found))

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, code: str) -> bool:
        return code in self._by_code

    def __getitem__(self, code: str) -> Currency:
        """The currency of a code; KeyError where it is not declared."""
        return self._by_code[code]

    def get(self, code: str) -> Currency | None:
        """The currency of a code, or None."""
        return self._by_code.get(code)

    def at(self, index: int) -> Currency:
        """The currency of an index."""
        return self._all[index]

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes in the order of their indices."""
        return tuple(c.code for c in self._all)

    def exponents(self) -> npt.NDArray[np.int64]:
        """Decimals by index, for kernels."""
        return np.array([c.exponent for c in self._all], dtype=np.int64)

    def digest(self) -> str:
        """SHA-256 over code, index and exponent of all: what the integers of a snapshot mean."""
        text = "".join(f"{c.index} {c.code} {c.exponent}\n" for c in self._all)
        return hashlib.sha256(text.encode()).hexdigest()

    def parse(self, text: str, code: str) -> int:
        """An amount in plain decimal notation, in smallest units of a currency.

        Raises AmountFault with the quarantine's reason: ``unknown_currency``, ``bad_number`` (also
        for exponents, signs other than a leading minus, grouping), ``amount_precision`` (more
        decimals than the currency has; zeros at the end do not count), ``amount_range``.
        A negative amount is returned as such; whether one is allowed is the caller's rule.
        """
        currency = self._by_code.get(code)
        if currency is None:
            raise AmountFault("unknown_currency", f"{code!r} is not a declared currency")
        digits = text[1:] if text.startswith("-") else text
        whole, point, fraction = digits.partition(".")
        if not _all_digits(whole) or (point and not _all_digits(fraction)):
            raise AmountFault("bad_number", f"{_short(text)} is not a plain decimal number")
        fraction = fraction.rstrip("0")
        if len(fraction) > currency.exponent:
            raise AmountFault(
                "amount_precision",
                f"{_short(text)} has {len(fraction)} decimals, {code} {currency.exponent}",
            )
        significant = (whole + fraction.ljust(currency.exponent, "0")).lstrip("0")
        if len(significant) > 19:  # before int(): converting many digits is slow
            raise AmountFault("amount_range", f"{_short(text)} {code} is too large to be held")
        minor = int(significant or "0")
        if minor > AMOUNT_MAX:
            raise AmountFault("amount_range", f"{_short(text)} {code} is too large to be held")
        return -minor if text.startswith("-") else minor

    def format(self, minor: int, code: str) -> str:
        """Smallest units as a decimal number with all the currency's decimals: ``50000.00``."""
        exponent = self._by_code[code].exponent
        sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(exponent + 1, "0")
        return sign + (f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits)


def _currency(reader: Reader, item: Any, path: str, index: int, virtual: bool) -> Currency:
    keys = ("code", "exponent", "native", "withdrawn", "name")
    entry = reader.mapping(item, path, keys)
    code = reader.text(entry.get("code"), f"{path}.code")
    if not (code.isascii() and code.isalnum() and code.isupper()):
        reader.fault(f"{path}.code", "bad_code", f"{code!r} is not an upper-case code")
    exponent = reader.integer(entry.get("exponent"), f"{path}.exponent", 0, _EXPONENT_MAX)
    native = exponent
    if "native" in entry:
        native = reader.integer(entry["native"], f"{path}.native", exponent, 36)
    names = reader.mapping(entry.get("name"), f"{path}.name", ("en", "zh"))
    reader.text(names.get("en"), f"{path}.name.en")
    withdrawn = entry.get("withdrawn") is True
    return Currency(code, index, exponent, native, virtual, withdrawn, dict(names))


def _all_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
