"""How what an alert says is written: periods, fields, values of names, exact decimals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from regtech.engine.columns import kind_of
from regtech.engine.evaluate import Environment, Interval, Value
from regtech.engine.kernels import hits as H
from regtech.engine.kernels import measures as K
from regtech.engine.rowenv import RowEnvironment
from regtech.engine.subjects import PREFIXES
from regtech.model.fields import DECIMAL_SCALE, Kind
from regtech.reference.civil import iso_from_day, time_text
from regtech.rulelang.ir import Type

Writer = Callable[[RowEnvironment, int], Any]


def period_text(kind: int, label: int) -> str:
    """A period's label. Rule 18."""
    if kind == H.PER_ROLLING:
        return time_text(label)
    if kind == H.PER_EVER:
        return "ever"
    if kind == H.PER_EVENT:
        return time_text(label)
    name = K.PERIODS[kind]
    if name in ("day", "business_day"):
        return iso_from_day(label)
    if name == "week":
        monday = date(1970, 1, 1) + timedelta(days=label * 7 - 3)
        year, week, _ = monday.isocalendar()
        return f"{year:04d}-W{week:02d}"
    if name == "month":
        return f"{label // 12:04d}-{label % 12 + 1:02d}"
    if name == "quarter":
        return f"{label // 4:04d}-Q{label % 4 + 1}"
    return f"{label:04d}"


def writer_of(path: str, event_type: str) -> Writer:
    """How a stored integer of a field is written in an alert, to be read back by replay.

    What is missing is not asked for. The writer takes the row as well: some fields are more than
    one column.
    """
    if path in ("direction", "persons"):
        return lambda env, _: _whole(env.field(path))
    if path in PREFIXES[event_type]:
        path = f"{path}.id"
    kind = kind_of(path)
    if kind is Kind.SYMBOL:
        return lambda env, raw: env.judge.word(raw)
    if kind is Kind.BOOLEAN:
        return lambda _, raw: bool(raw)
    if kind is Kind.TIME:
        return lambda _, raw: time_text(raw)
    if kind is Kind.DATE:
        return lambda _, raw: iso_from_day(raw)
    if kind is Kind.DECIMAL:
        return lambda _, raw: decimal_text(Fraction(raw, DECIMAL_SCALE))
    if kind is Kind.FLAGS:
        return lambda env, raw: sorted(env.flags(path, raw))
    if kind in (Kind.CURRENCY, Kind.TEXT):
        return lambda env, raw: env.decode(path, raw)
    return lambda _, raw: raw


def _whole(value: Value) -> Any:
    return int(value.exact) if isinstance(value, Interval) and value.exact is not None else value


def written_value(value: Value, kind: Type, env: Environment) -> Any:
    """The value of a name in ``let`` as it is written in an alert."""
    if not isinstance(value, Interval):
        return sorted(value) if isinstance(value, frozenset) else value
    if value.exact is not None:
        return _written(value.exact, kind, env)
    made: dict[str, Any] = {}
    if value.low is not None:
        made["at_least"] = _written(value.low, kind, env)
    if value.high is not None:
        made["at_most"] = _written(value.high, kind, env)
    return made or None


def _written(value: Fraction, kind: Type, env: Environment) -> Any:
    if kind.name == "money" and kind.currency is not None:
        exponent = env.currencies[kind.currency].exponent
        return {
            "amount": decimal_text(value / 10**exponent, exponent),
            "currency": kind.currency,
        }
    if kind.name == "duration":
        return {"seconds": decimal_text(value / 1_000_000)}
    if kind.name == "time":
        return time_text(int(value))
    if kind.name == "date":
        return iso_from_day(int(value))
    if kind.name == "bool":
        return bool(value)
    return int(value) if value.denominator == 1 and kind.name != "ratio" else decimal_text(value)


def decimal_text(value: Fraction, places: int = 0) -> str:
    """Exact decimal text with at least so many places; ``n/d`` where there is none."""
    denominator = value.denominator
    digits = places
    while (10**digits) % denominator and digits < 40:
        digits += 1
    if (10**digits) % denominator:
        return f"{value.numerator}/{denominator}"
    whole = abs(value.numerator) * (10**digits // denominator)
    text = str(whole).rjust(digits + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)
