"""Values in a person's words, English and Chinese: money grouped with its currency, local times."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from regtech.engine.columns import kind_of
from regtech.engine.evaluate import Interval, Value
from regtech.model.fields import Kind
from regtech.reference.civil import iso_from_day
from regtech.reference.currencies import CurrencyTable
from regtech.reference.zones import local_day, offset_us
from regtech.rulelang.ir import Type
from regtech.rulelang.values import number_text
from regtech.rulelang.vocabulary import COMMON_WORDS, UNITS, pick

_DAY_US: Final = 86_400_000_000
_ABOUT_PLACES: Final = 4
_PERCENT_UP_TO: Final = 10
"""Ratios above this are shown as a multiple: 1,200 % says less than 12 times."""
_IDENTIFIERS: Final = frozenset(
    "id account institution reporter group device loan_id linked about product project tool_ref "
    "impact_assessment approval list_ref analyst".split()
)
_LENGTHS: Final = (
    (_DAY_US, "day", "天"),
    (3_600_000_000, "hour", "小时"),
    (60_000_000, "minute", "分钟"),
)


@dataclass(frozen=True)
class Saying:
    """How values are written for a reader of a language in a zone.

    ``currency``: that of the deciding event, for amounts in the event's own currency.
    """

    language: str
    currencies: CurrencyTable
    zone: str
    currency: str | None = None

    @property
    def zh(self) -> bool:
        """Whether the reader reads Chinese."""
        return self.language == "zh"

    def pick(self, english: str, chinese: str) -> str:
        """The text in the reader's language."""
        return chinese if self.zh else english

    def value(self, value: Value, kind: Type) -> str:
        """The value of an expression of a type; an interval says what is known of it."""
        if not isinstance(value, Interval):
            return self.word(value)
        if value.exact is not None:
            return self.number(value.exact, kind)
        low = None if value.low is None else self.number(value.low, kind)
        high = None if value.high is None else self.number(value.high, kind)
        if low is not None and high is not None:
            return self.pick(f"between {low} and {high}", f"{low}至{high}之间")
        if low is not None:
            return self.pick(f"at least {low}", f"不少于{low}")
        if high is not None:
            return self.pick(f"at most {high}", f"不超过{high}")
        return self.pick("not known", "未知")

    def number(self, value: Fraction, kind: Type) -> str:
        """An exact number in stored units of its type."""
        match kind.name:
            case "money":
                return self.money(value, kind.currency or self.currency)
            case "duration":
                return self.length(value)
            case "time":
                return self.moment(int(value))
            case "date":
                return iso_from_day(int(value))
            case "bool":
                return self.pick("yes", "是") if value else self.pick("no", "否")
            case "ratio" if abs(value) <= _PERCENT_UP_TO:
                return self.decimal(value * 100) + "%"
            case _:
                return self._counted(value, kind.unit)

    def _counted(self, value: Fraction, unit: str | None) -> str:
        text = self.decimal(value)
        if unit is None:
            return text
        word = pick(UNITS[unit], self.language) if unit in UNITS else unit
        if self.zh:
            return f"{text}{word}"
        return f"{text} {word.removesuffix('s') if value == 1 else word}"

    def decimal(self, value: Fraction, places: int = _ABOUT_PLACES) -> str:
        """A number, exactly where it has few decimals, else rounded and marked as such."""
        if (value * 10**8).denominator == 1:
            return number_text(value, grouped=True)
        rounded = Fraction(round(value * 10**places), 10**places)
        return self.pick("about ", "约") + number_text(rounded, grouped=True)

    def money(self, minor: Fraction, code: str | None) -> str:
        """An amount in minor units: ``CNY 50,000.00``."""
        if code is None or code not in self.currencies:
            return self.decimal(minor)
        exponent = self.currencies[code].exponent
        amount = minor / 10**exponent
        if minor.denominator != 1:
            return f"{code} {self.decimal(amount, exponent + 2)}"
        text = number_text(amount, grouped=True)
        decimals = len(text.partition(".")[2])
        if decimals < min(exponent, 2):
            text += ("" if decimals else ".") + "0" * (min(exponent, 2) - decimals)
        return f"{code} {text}"

    def length(self, microseconds: Fraction) -> str:
        """A length of time in days, hours, minutes and seconds."""
        rest = int(microseconds)
        sign, rest = ("-" if rest < 0 else ""), abs(rest)
        parts = []
        for size, english, chinese in _LENGTHS:
            count, rest = divmod(rest, size)
            if count:
                plural = "" if count == 1 else "s"
                parts.append(self.pick(f"{count:,} {english}{plural}", f"{count:,}{chinese}"))
        if rest or not parts:
            seconds = number_text(Fraction(rest, 1_000_000))
            parts.append(self.pick(f"{seconds} seconds", f"{seconds}秒"))
        return sign + ("" if self.zh else " ").join(parts)

    def moment(self, instant_us: int) -> str:
        """A time on the clocks of the zone, to the second where it is a whole one."""
        shown = instant_us + offset_us(self.zone, instant_us)
        clock = shown - local_day(self.zone, instant_us) * _DAY_US
        seconds, fraction = divmod(clock, 1_000_000)
        text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        if fraction:
            text += f".{fraction:06d}".rstrip("0")
        return f"{iso_from_day(local_day(self.zone, instant_us))} {text} ({self.zone})"

    def word(self, value: str | frozenset[str] | None) -> str:
        """A word of the catalogue, or several of a profile."""
        if value is None:
            return self.pick("not given", "未提供")
        if isinstance(value, frozenset):
            if not value:
                return self.pick("none", "无")
            return self.pick(", ", "、").join(self.word(word) for word in sorted(value))
        if self.zh and value in COMMON_WORDS:
            return COMMON_WORDS[value]
        return value.replace("_", " ")

    def fact(self, path: str, value: Value) -> str:
        """A field of the event."""
        if value is None:
            return self.pick("not given", "未提供")
        kind = kind_of(path)
        if isinstance(value, str):
            if kind is Kind.TEXT:
                return self.pick("given", "已提供")  # only presence and equality are kept
            if kind is Kind.CURRENCY or path.rpartition(".")[2] in _IDENTIFIERS:
                return value
            return self.word(value)
        if isinstance(value, frozenset):
            return self.word(value)
        types = {
            Kind.MONEY: Type("money"),
            Kind.TIME: Type("time"),
            Kind.DATE: Type("date"),
            Kind.BOOLEAN: Type("bool"),
        }
        if path == "persons":
            return self.value(value, Type("int", unit="persons"))
        return self.value(value, types.get(kind, Type("int")))
