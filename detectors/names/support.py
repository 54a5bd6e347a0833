"""What is known beside a name: dates of birth, countries, identifiers that are exact.

The log-odds here were chosen, not fitted: lists do not say how often a date of birth is wrong. They
are small beside a name that differs and large beside one that is common.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from regtech.reference.watchlists import BirthDate

SAME_DATE: Final = 2.5
SAME_YEAR: Final = 1.2
YEARS_MEET: Final = 0.6
NEXT_YEAR: Final = -1.5
OTHER_YEAR: Final = -3.5
SAME_COUNTRY: Final = 0.7
OTHER_COUNTRY: Final = -0.7
OTHER_IDENTIFIER: Final = -4.0
WEAK_ALIAS: Final = -2.5

_IMO: Final = re.compile(r"\bIMO\W{0,3}(\d{7})\b", re.I)
_BARE_IMO: Final = re.compile(r"\d{7}\Z")
_WALLET: Final = re.compile(r"\b(?:0x[0-9a-fA-F]{40}|[a-zA-Z0-9]{25,110})\b")
EXACT: Final = ("imo", "wallet")
"""Identifiers that are one vessel's or one wallet's: equal ones are a hit whatever the name."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing beside the name: what, the values of both sides, and what it brings."""

    part: str
    asked: str
    listed: str
    log_odds: float


def imo_valid(number: str) -> bool:
    """Whether seven digits are an IMO ship number: the last is the check digit of the others.

    IMO Resolution A.1117(30): the sum of the first six digits times 7 to 2 ends with the seventh.
    """
    if not _BARE_IMO.match(number):
        return False
    return sum(int(d) * w for d, w in zip(number, range(7, 1, -1), strict=False)) % 10 == int(
        number[6]
    )


def wallet_key(address: str) -> str:
    """An address as it is compared: hexadecimal and bech32 in lower case, others as written."""
    lower = address.lower()
    if lower.startswith(("0x", "bc1", "ltc1", "tb1")):
        return lower
    return address


def identifier_key(kind: str, value: str) -> tuple[str, str]:
    """An identifier as it is compared."""
    if kind == "wallet":
        return kind, wallet_key(value.strip())
    if kind == "imo":
        digits = re.sub(r"\D", "", value)
        return kind, digits
    return kind, re.sub(r"[^A-Z0-9]", "", value.upper())


def identifiers_in(text: str) -> list[tuple[str, str]]:
    """Vessel numbers and wallet addresses that a name or a payment text holds."""
    found = [("imo", number) for number in _IMO.findall(text) if imo_valid(number)]
    stripped = text.strip()
    if imo_valid(stripped):
        found.append(("imo", stripped))
    found += [identifier_key("wallet", address) for address in _WALLET.findall(text)]
    return found


def birth_evidence(asked: BirthDate, listed: Iterable[BirthDate]) -> Evidence | None:
    """The best that any of the listed dates says; None where the list has none."""
    best: Evidence | None = None
    for date in listed:
        found = Evidence("birth_date", asked.text(), date.text(), _dates(asked, date))
        if best is None or found.log_odds > best.log_odds:
            best = found
    return best


def _dates(one: BirthDate, other: BirthDate) -> float:
    (a, b), (c, d) = one.span(), other.span()
    if a <= d and c <= b:
        if a == b == c == d:
            if not (one.month and other.month):
                return SAME_YEAR
            same_month = one.month == other.month
            if same_month and (one.day == other.day or not (one.day and other.day)):
                return SAME_DATE
            if (one.month, one.day) == (other.day, other.month):
                return SAME_YEAR  # day and month exchanged by a clerk
            return 0.0
        return YEARS_MEET
    apart = min(abs(a - d), abs(c - b))
    return NEXT_YEAR if apart <= 1 else OTHER_YEAR


def country_evidence(asked: Iterable[str], listed: Iterable[str]) -> Evidence | None:
    """Whether any country is the same; None where either side has none."""
    first, second = list(dict.fromkeys(asked)), list(dict.fromkeys(listed))
    if not first or not second:
        return None
    same = sorted(set(first) & set(second))
    return Evidence(
        "country",
        " ".join(same or first),
        " ".join(same or second),
        SAME_COUNTRY if same else OTHER_COUNTRY,
    )
