"""Figures as a pack writes them: ``CNY 50,000``, ``25%``, ``3 events``, ``72 hours``, words.

Numbers are exact from their text on; nothing passes through a float.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from regtech.content.faults import did_you_mean
from regtech.content.saying import Hint, Said, say
from regtech.rulelang.ir import Duration, Money, Type, Value

DURATION_UNITS: Final[
    dict[str, tuple[int, Literal["seconds", "days", "months", "working_days"]]]
] = {
    "second": (1, "seconds"),
    "seconds": (1, "seconds"),
    "minute": (60, "seconds"),
    "minutes": (60, "seconds"),
    "hour": (3600, "seconds"),
    "hours": (3600, "seconds"),
    "day": (1, "days"),
    "days": (1, "days"),
    "week": (7, "days"),
    "weeks": (7, "days"),
    "month": (1, "months"),
    "months": (1, "months"),
    "year": (12, "months"),
    "years": (12, "months"),
    "working day": (1, "working_days"),
    "working days": (1, "working_days"),
}
"""Unit as written to (multiplier, unit of ``Duration``)."""

SHORT_DURATIONS: Final[dict[str, tuple[int, Literal["seconds", "days", "months"]]]] = {
    "s": (1, "seconds"),
    "min": (60, "seconds"),
    "h": (3600, "seconds"),
    "d": (1, "days"),
    "w": (7, "days"),
    "mo": (1, "months"),
    "y": (12, "months"),
}
"""Suffixes of lengths of time in expressions: ``30min``, ``24h``, ``7d``, ``12mo``."""

COUNT_UNITS: Final[dict[str, str]] = {
    "person": "persons",
    "persons": "persons",
    "people": "persons",
    "event": "events",
    "events": "events",
    "device": "devices",
    "devices": "devices",
    "layer": "layers",
    "layers": "layers",
    "unit": "units",
    "units": "units",
}
"""Units of counts as written to the unit of ``Type``."""


@dataclass(frozen=True, slots=True)
class ValueFault:
    """Why a text is no value: a fault code, a message and a hint."""

    code: str
    message: Said
    hint: Hint = ""


Parsed = tuple[Value, Type]

_NUMBER = r"(-?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?"
_BARE = re.compile(rf"{_NUMBER}\Z")
_PERCENT = re.compile(rf"{_NUMBER} ?%\Z")
_MONEY = re.compile(rf"([A-Z][A-Z0-9]{{2,9}}) +{_NUMBER}\Z")
_MONEY_BACKWARDS = re.compile(rf"{_NUMBER} +([A-Z][A-Z0-9]{{2,9}})\Z")
_WITH_UNIT = re.compile(rf"{_NUMBER} +([A-Za-z][A-Za-z ]*)\Z")
_DIGITS_MAX: Final = 60


def number_of(sign: str, whole: str, decimals: str | None) -> Fraction:
    """Exact number of the parts of a decimal text; ``whole`` may be grouped by commas."""
    digits = whole.replace(",", "") + (decimals or "")
    value = Fraction(int(digits), 10 ** len(decimals or ""))
    return -value if sign else value


def parse_value(text: str, currencies: Collection[str] | None) -> Parsed | ValueFault:
    """Value and type of a figure's text. ``currencies`` None: any code is accepted."""
    text = text.strip()
    if len(text) > _DIGITS_MAX and text[:1] in "-0123456789":
        return ValueFault(
            "RL107", say("a number of more than %(digits_max)s characters", digits_max=_DIGITS_MAX)
        )
    found = _BARE.match(text)
    if found:
        number = number_of(found[1], found[2], found[3])
        if found[3] is None:
            return int(number), Type("int")
        return number, Type("ratio")
    found = _PERCENT.match(text)
    if found:
        return number_of(found[1], found[2], found[3]) / 100, Type("ratio")
    found = _MONEY.match(text)
    if found:
        code = found[1]
        if currencies is not None and code not in currencies:
            return ValueFault(
                "RL209", say("unknown currency %(code)r", code=code), did_you_mean(code, currencies)
            )
        return Money(number_of(found[2], found[3], found[4]), code), Type("money", currency=code)
    found = _MONEY_BACKWARDS.match(text)
    if found:
        return ValueFault(
            "RL107",
            say("cannot read %(text)r as a figure", text=text),
            say("write the currency first: CNY 50000"),
        )
    found = _WITH_UNIT.match(text)
    if found:
        number = number_of(found[1], found[2], found[3])
        return _with_unit(number, " ".join(found[4].split()))
    if text[:1] in "0123456789-" or re.match(r"[A-Z]{3}\s", text):
        return ValueFault(
            "RL107",
            say("cannot read %(text)r as a figure", text=text),
            say("for example CNY 50,000.00, 25%% or 3 events"),
        )
    return text, Type("symbol")


def _with_unit(number: Fraction, unit: str) -> Parsed | ValueFault:
    length = DURATION_UNITS.get(unit)
    if length is not None:
        if number.denominator != 1 or number <= 0:
            return ValueFault("RL107", say("a length of time is a whole positive number"))
        return Duration(int(number) * length[0], length[1]), Type("duration")
    counted = COUNT_UNITS.get(unit)
    if counted is None:
        known = [*DURATION_UNITS, *COUNT_UNITS]
        return ValueFault(
            "RL109", say("unknown unit %(unit)r", unit=unit), did_you_mean(unit, known)
        )
    if number.denominator != 1:
        return ValueFault("RL107", say("a number of %(counted)s is whole", counted=counted))
    return int(number), Type("int", unit=counted)


def parse_duration(text: str) -> Duration | ValueFault:
    """A length of time: ``72 hours``, ``5 working days``."""
    parsed = parse_value(text, None)
    if isinstance(parsed, ValueFault):
        return parsed
    if not isinstance(parsed[0], Duration):
        return ValueFault(
            "RL107",
            say("%(text)r is not a length of time", text=text),
            say("for example 72 hours or 5 working days"),
        )
    return parsed[0]


def short_duration(digits: str, suffix: str) -> Duration:
    """The length of ``24h`` and the like; the suffix must be in ``SHORT_DURATIONS``."""
    factor, unit = SHORT_DURATIONS[suffix]
    return Duration(int(digits) * factor, unit)


def duration_text(length: Duration) -> str:
    """As a pack would write it, in the largest whole unit."""
    count = length.count
    if length.unit == "seconds":
        for name in ("hours", "minutes"):
            factor = DURATION_UNITS[name][0]
            if count % factor == 0:
                count //= factor
                return f"{count} {name if count != 1 else name[:-1]}"
        return f"{count} second{'s' if count != 1 else ''}"
    unit = length.unit.replace("_", " ")
    return f"{count} {unit if count != 1 else unit[:-1]}"


def number_text(value: Fraction | int, grouped: bool = False) -> str:
    """Exact decimal text of a number; a fraction without one is written ``n/d``."""
    value = Fraction(value)
    rest = value.denominator
    twos = fives = 0
    while rest % 2 == 0:
        rest //= 2
        twos += 1
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(twos, fives)
    scaled = abs(value.numerator) * 10**places // value.denominator
    digits = str(scaled).rjust(places + 1, "0")
    whole, decimals = digits[: len(digits) - places], digits[len(digits) - places :]
    if grouped:
        whole = f"{int(whole):,}"
    text = whole + (f".{decimals}" if decimals else "")
    return f"-{text}" if value < 0 else text


def value_text(value: Value, type_: Type) -> str:
    """A figure as a pack would write it."""
    if isinstance(value, Money):
        return f"{value.currency} {number_text(value.amount, grouped=True)}"
    if isinstance(value, Duration):
        return duration_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    if isinstance(value, str):
        return value
    if type_.name == "ratio" and abs(Fraction(value)) <= 10:
        percent = Fraction(value) * 100
        if (percent * 10000).denominator == 1:
            return f"{number_text(percent)}%"
    return number_text(value, grouped=True) + (f" {type_.unit}" if type_.unit else "")
