"""Values of the oracle: exact intervals, three outcomes, and literals of the rule language.

A number is an ``Interval`` of Fractions (money in main units, time in microseconds, dates in days
since 1970). Words, flags and persons are plain Python values, ``None`` where unknown. An outcome is
True (met), False (not met) or None (cannot tell).
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Bound = Fraction | float  # a float only as an infinity
Outcome = bool | None


@dataclass(frozen=True)
class Interval:
    """All that is known of a number: it lies in [lo, hi]."""

    lo: Bound
    hi: Bound

    @property
    def known(self) -> bool:
        return self.lo == self.hi

    @property
    def exact(self) -> Fraction:
        assert isinstance(self.lo, Fraction) and self.known
        return self.lo


UNKNOWN = Interval(-math.inf, math.inf)


def number(value: Fraction | int | str) -> Interval:
    exact = Fraction(value)
    return Interval(exact, exact)


# --- three outcomes ------------------------------------------------------------------------------


def all_of(outcomes: Iterable[Outcome]) -> Outcome:
    """``and``: the least of not met < cannot tell < met."""
    found = list(outcomes)
    if False in found:
        return False
    return None if None in found else True


def any_of(outcomes: Iterable[Outcome]) -> Outcome:
    found = list(outcomes)
    if True in found:
        return True
    return None if None in found else False


def negate(outcome: Outcome) -> Outcome:
    return None if outcome is None else not outcome


def at_least(a: Interval, b: Interval) -> Outcome:
    if a.lo >= b.hi:
        return True
    return False if a.hi < b.lo else None


def above(a: Interval, b: Interval) -> Outcome:
    if a.lo > b.hi:
        return True
    return False if a.hi <= b.lo else None


def same(a: Interval, b: Interval) -> Outcome:
    if a.known and b.known:
        return a.lo == b.lo
    if a.hi < b.lo or b.hi < a.lo:
        return False
    return None


ORDERS: dict[type[ast.cmpop], Callable[[Interval, Interval], Outcome]] = {
    ast.GtE: at_least,
    ast.Gt: above,
    ast.LtE: lambda a, b: at_least(b, a),
    ast.Lt: lambda a, b: above(b, a),
    ast.Eq: same,
    ast.NotEq: lambda a, b: negate(same(a, b)),
}


# --- arithmetic ----------------------------------------------------------------------------------


def _times(a: Bound, b: Bound) -> Bound:
    return Fraction(0) if a == 0 or b == 0 else a * b


def add(a: Interval, b: Interval) -> Interval:
    return Interval(a.lo + b.lo, a.hi + b.hi)


def subtract(a: Interval, b: Interval) -> Interval:
    return Interval(a.lo - b.hi, a.hi - b.lo)


def multiply(a: Interval, b: Interval) -> Interval:
    corners = [_times(x, y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    return Interval(min(corners), max(corners))


def divide(a: Interval, b: Interval) -> Interval:
    """Rule 10: only by a number known exactly and above 0."""
    if not b.known or b.lo <= 0:
        return UNKNOWN
    return multiply(a, number(1 / b.exact))


def round_half_even(value: Fraction, decimals: int) -> Fraction:
    scale = 10**decimals
    return Fraction(round(value * scale), scale)  # Python rounds a Fraction half to even


# --- literals of the language --------------------------------------------------------------------


@dataclass(frozen=True)
class Length:
    """A length of time: ``unit`` is seconds, days, months or working_days."""

    count: int
    unit: str

    @property
    def micros(self) -> int:
        """Exact length; only of seconds and days (24 h each)."""
        return self.count * {"seconds": 1, "days": 86_400}[self.unit] * 1_000_000


@dataclass(frozen=True)
class Money:
    amount: Fraction
    currency: str


_LENGTHS = {
    "s": (1, "seconds"),
    "second": (1, "seconds"),
    "min": (60, "seconds"),
    "minute": (60, "seconds"),
    "h": (3600, "seconds"),
    "hour": (3600, "seconds"),
    "d": (1, "days"),
    "day": (1, "days"),
    "week": (7, "days"),
    "mo": (1, "months"),
    "month": (1, "months"),
    "year": (12, "months"),
    "working day": (1, "working_days"),
}
_NUMBER = r"\d[\d,]*(?:\.\d+)?"


def read_length(text: str) -> Length | None:
    """``24h``, ``72 hours``, ``5 working days``; None for anything else."""
    match = re.fullmatch(r"(\d+)\s*([a-z]+(?: day)?)", text.strip())
    if match is None:
        return None
    word = match[2]
    unit = (
        _LENGTHS.get(word)
        or _LENGTHS.get(word.removesuffix("s"))
        or (_LENGTHS["working day"] if word in ("working day", "working days") else None)
    )
    return None if unit is None else Length(int(match[1]) * unit[0], unit[1])


def read_literal(value: Any) -> Any:
    """A parameter's value as written in YAML.

    Money, Length, Fraction, a word, or a frozenset of words.
    """
    if isinstance(value, list):
        return frozenset(str(word) for word in value)
    if isinstance(value, bool):
        return value
    text = str(value).strip()
    if match := re.fullmatch(rf"([A-Z][A-Z0-9]{{2,5}})\s+({_NUMBER})", text):
        return Money(Fraction(match[2].replace(",", "")), match[1])
    if match := re.fullmatch(rf"({_NUMBER})\s*%", text):
        return Fraction(match[1].replace(",", "")) / 100
    working = re.fullmatch(r"(\d+) working days?", text)
    if working:
        return Length(int(working[1]), "working_days")
    length = read_length(text)
    if length is not None:
        return length
    if match := re.fullmatch(rf"(-?{_NUMBER})(?: [a-z]+)?", text):
        return Fraction(match[1].replace(",", ""))
    return text


_TEXT = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_TOKENS = re.compile(_TEXT + r"|(?<![\w.])(\d+(?:\.\d+)?)([a-z]+)?\b")


def parse(source: Any) -> ast.expr:
    """An expression as a tree. Lengths become ``_duration("7d")``, decimals ``_exact("0.25")``."""
    if isinstance(source, bool):
        return ast.Constant(source)

    def rewrite(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        if match[3]:
            return f'_duration("{match[2]}{match[3]}")'
        return f'_exact("{match[2]}")'

    return ast.parse(_TOKENS.sub(rewrite, str(source).strip()), mode="eval").body
