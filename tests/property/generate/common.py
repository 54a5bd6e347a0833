"""What rules and events must agree on so that they meet: parties, words, sizes, lengths of time."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

CURRENCY = {"CN": "CNY", "UK": "GBP", "EU": "EUR", "US": "USD", "INTL": "USD"}
ZONES = {
    "CN": "Asia/Shanghai",
    "UK": "Europe/London",
    "EU": "Europe/Brussels",
    "US": "America/New_York",
    "INTL": "UTC",
}
INSTITUTIONS = {
    "B-CN": "CN",
    "B-GB": "GB",
    "B-DE": "DE",
    "B-US": "US",
    "B-CN2": "CN",
    "B-GB2": "GB",
    "B-XX": None,
}
"""Institutions that report, and their countries; nobody knows that of the last."""

CUSTOMERS = ("P1", "P2", "P3")
COUNTRIES = ("CN", "GB", "DE", "US", "JP")
GROUPS = ("G1", "G2")
FLAGS = ("ciio", "casp", "dealer")
CHANNELS = ("cash", "transfer", "card")
KINDS = ("deposit", "payment", "fx")
PURPOSES = ("rent", "tax", "goods")
EXEMPTIONS = ("x1", "x2")

SIZE = {"CNY": 1, "USD": 0.14, "GBP": 0.11, "EUR": 0.13, "JPY": 20, "BTC": 0.000002, "KWD": 0.04}
"""About how much of a currency is one yuan, so that converted sums come near the same limits. There
is no rate for KWD in the shipped table."""
DECIMALS = {"CNY": 2, "USD": 2, "GBP": 2, "EUR": 2, "JPY": 0, "BTC": 8, "KWD": 3}
AMOUNTS = (10, 20, 25, 49.99, 50, 50.01, 75, 100, 100, 200)
LIMITS = (50, 50.01, 75, 100, 149.99, 150, 200, 300)

ROLLING = ("1h", "24h", "2d", "7d", "30d", "1mo", "3mo", "12mo")
CALENDAR = ("day", "week", "month", "quarter", "year", "business_day")


def sized(amount: float, currency: str) -> str:
    """An amount given in yuan as a decimal text in a currency, to its smallest unit."""
    decimals = DECIMALS[currency]
    return f"{amount * SIZE[currency]:.{decimals}f}"


class Chance:
    """Choices from one source of chance, so that a seed says everything."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def one(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def some(self, choices: Sequence[T], least: int, most: int) -> list[T]:
        return self.random.sample(choices, self.random.randint(least, min(most, len(choices))))

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def often(self, share: float) -> bool:
        return self.random.random() < share
