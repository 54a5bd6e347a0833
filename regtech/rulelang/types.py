"""What may be compared, added and divided: types, units and currencies of expressions."""

from __future__ import annotations

from typing import Final, Literal

from regtech.content.saying import Hint, Said, say
from regtech.model.fields import Field, Kind
from regtech.rulelang.ir import Type

BOOL: Final = Type("bool")
INT: Final = Type("int")
RATIO: Final = Type("ratio")
SYMBOL: Final = Type("symbol")
TEXT: Final = Type("text")
DURATION: Final = Type("duration")
TIME: Final = Type("time")
DATE: Final = Type("date")
FLAGS: Final = Type("flags")
PERSONS: Final = Type("persons")
DAYS: Final = Type("int", unit="days")

_KINDS: Final[dict[Kind, Type]] = {
    Kind.SYMBOL: SYMBOL,
    Kind.MONEY: Type("money"),
    Kind.CURRENCY: SYMBOL,
    Kind.DECIMAL: RATIO,
    Kind.INTEGER: INT,
    Kind.BOOLEAN: BOOL,
    Kind.TIME: TIME,
    Kind.DATE: DATE,
    Kind.TEXT: TEXT,
    Kind.FLAGS: FLAGS,
    Kind.PERSONS: PERSONS,
}

_UNITS: Final[dict[str, str]] = {
    "person_count": "persons",
    "persons_affected": "persons",
    "persons_held": "persons",
    "approved_persons": "persons",
    "devices": "devices",
    "tenor_months": "months",
}
"""Integer fields that count something; the others are bare numbers."""


def type_of_field(field: Field) -> Type:
    """Type of a field of the catalogue; money is of the event's own currency."""
    unit = _UNITS.get(field.path)
    return Type("int", unit=unit) if unit else _KINDS[field.kind]


def describe(type_: Type) -> Said:
    """A type in words, for messages."""
    match type_.name:
        case "money":
            if type_.currency is None:
                return say("money in the event's own currency")
            if type_.currency.startswith("*"):
                name = type_.currency[1:]
                return say("money in the currency of the parameter %(name)r", name=name)
            return say("%(currency)s money", currency=type_.currency)
        case "int":
            if type_.unit:
                return say("a number of %(unit)s", unit=type_.unit)
            return say("a number")
        case "ratio":
            return say("a ratio")
        case "bool":
            return say("a condition")
        case "symbol":
            return say("a word")
        case "duration":
            return say("a length of time")
        case "time":
            return say("a time")
        case "date":
            return say("a date")
        case "persons":
            return say("a list of persons")
        case "words":
            return say("a list of words")
        case "flags":
            return say("flags")
        case _:
            return say("free text")


def is_number(type_: Type) -> bool:
    return type_.name in ("int", "ratio")


class Mismatch(Exception):
    """Two types do not go together; ``code`` is the fault, ``hint`` what to do."""

    def __init__(self, code: str, message: Said, hint: Hint = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def common(left: Type, right: Type, what: str) -> Type:
    """The type of two values that are compared, added or chosen between.

    ``what`` names the operation in the message: "compare", "add" and so on. Raises ``Mismatch``.
    """
    if left.name == "money" and right.name == "money":
        if left.currency == right.currency:
            return left
        hint: Hint = ""
        if left.currency is None or right.currency is None:
            code = (left.currency or right.currency or "").lstrip("*")
            other = left.currency or right.currency or ""
            inner = f'param("{code}")' if other.startswith("*") else f'"{code}"'
            hint = say("use amount_in(%(inner)s)", inner=inner)
        raise Mismatch(
            "RL208",
            say(
                "cannot %(what)s %(left)s and %(right)s",
                what=what,
                left=describe(left),
                right=describe(right),
            ),
            hint,
        )
    if is_number(left) and is_number(right):
        if left.unit and right.unit and left.unit != right.unit:
            raise Mismatch(
                "RL207",
                say(
                    "cannot %(what)s %(left)s and %(right)s",
                    what=what,
                    left=describe(left),
                    right=describe(right),
                ),
            )
        name = "int" if left.name == right.name == "int" else "ratio"
        return Type("int" if name == "int" else "ratio", unit=left.unit or right.unit)
    if left.name == right.name:
        return left
    raise Mismatch(
        "RL206",
        say(
            "cannot %(what)s %(left)s and %(right)s",
            what=what,
            left=describe(left),
            right=describe(right),
        ),
    )


def arithmetic(op: Literal["+", "-", "*", "/"], left: Type, right: Type) -> Type:
    """Type of a sum, difference, product or quotient; raises ``Mismatch``."""
    if op in ("+", "-"):
        pair = (left.name, right.name)
        if pair == ("time", "time") and op == "-":
            return DURATION
        if pair == ("date", "date") and op == "-":
            return DAYS
        if pair in (("time", "duration"), ("date", "duration")):
            return left
        what = "add" if op == "+" else "subtract"
        type_ = common(left, right, what)
        if type_.name not in ("int", "ratio", "money", "duration"):
            raise Mismatch(
                "RL206",
                say(
                    "cannot %(what)s %(left)s and %(right)s",
                    what=what,
                    left=describe(left),
                    right=describe(right),
                ),
            )
        return type_
    if op == "*":
        if is_number(left) and is_number(right):
            if left.unit and right.unit:
                raise Mismatch(
                    "RL207",
                    say(
                        "cannot multiply %(left)s by %(right)s",
                        left=describe(left),
                        right=describe(right),
                    ),
                )
            whole = left.name == right.name == "int"
            return Type("int" if whole else "ratio", unit=left.unit or right.unit)
        for value, factor in ((left, right), (right, left)):
            if value.name in ("money", "duration") and is_number(factor):
                return value
        raise Mismatch(
            "RL206",
            say(
                "cannot multiply %(left)s by %(right)s", left=describe(left), right=describe(right)
            ),
        )
    if right.name in ("int", "ratio") and not right.unit:
        if left.name in ("money", "duration"):
            return left
        if is_number(left):
            return Type("ratio", unit=left.unit)
    if left.name == right.name == "duration":
        return RATIO
    if left.name in ("money", "int", "ratio"):
        common(left, right, say("divide"))
        return RATIO
    raise Mismatch(
        "RL206",
        say("cannot divide %(left)s by %(right)s", left=describe(left), right=describe(right)),
    )
