"""An alert's evidence read back, and what an expression reads of it.

An alert carries the facts of its deciding event and the ends of every measure there, in the order
of ``engine.shape.Reading``; with the alert's pack they are all that deciding it again takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from regtech.engine.columns import kind_of
from regtech.engine.durations import end_of
from regtech.engine.evaluate import UNKNOWN, Interval, Value, point
from regtech.engine.kernels.raw import MAX, MIN
from regtech.engine.lowering import persons_parts
from regtech.engine.plan import Plan, in_force
from regtech.engine.rowenv import as_interval
from regtech.engine.shape import Shape, decide, higher_rules, shape_of
from regtech.engine.variants import Variant
from regtech.errors import RegtechError
from regtech.model.fields import EVENT_TYPES, Kind
from regtech.reference.civil import day_from_iso, time_text
from regtech.reference.profiles import Profile
from regtech.reference.rates import round_half_even
from regtech.reference.zones import local_day, offset_us
from regtech.rulelang.ir import Duration, FieldRef, Measure

DAY_US: Final = 86_400_000_000
_TIME: Final = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?Z", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"-?\d{1,40}(\.\d{1,40})?(/\d{1,40})?", re.ASCII)


class EvidenceFault(Exception):
    """The evidence of an alert cannot be read; ``field`` says where."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.field, self.what = where, what


class Evidence:
    """An alert's evidence beside the rule that it comes from. Raises ``EvidenceFault``.

    ``alert`` is one line of ``regtech run`` as data; ``plan`` holds the alert's pack.
    """

    def __init__(self, alert: Mapping[str, Any], plan: Plan) -> None:
        self.alert, self.plan = alert, plan
        self.facts = _read_facts(alert.get("facts"))
        event_time = self.facts.get("time")
        if not isinstance(event_time, Interval) or event_time.exact is None:
            raise EvidenceFault("facts.time", "the time of the deciding event is missing")
        self.event_us = int(event_time.exact)
        self.event_type = str(self.facts.get("type"))
        if self.event_type not in EVENT_TYPES:
            raise EvidenceFault("facts.type", f"no type of event: {self.event_type}")
        now = {v.rule.id: v for v in in_force(plan, self.event_us)}
        variant = now.get(str(alert.get("rule")))
        if variant is None:
            raise EvidenceFault("rule", f"no rule of this name was in force on {self._text()}")
        self.variant = variant
        self.shape: Shape = shape_of(plan, variant, higher_rules(variant, now))
        self.profile: Profile = plan.reference.profile(variant.jurisdiction)
        missing = [p for p in self.shape.reading.fields if p not in self.facts]
        extra = [p for p in self.facts if p not in self.shape.reading.fields]
        if missing or extra:
            raise EvidenceFault("facts", f"not the fields that the rule reads: {missing + extra}")
        self.inputs = _read_inputs(alert.get("inputs"), list(self.shape.reading.measures))
        self.rates = _read_rates(alert.get("rate"))
        self.rates_used: dict[str, Any] = {}

    def _text(self) -> str:
        return time_text(self.event_us)

    @property
    def env(self) -> EvidenceEnvironment:
        """The deciding row as the alert's own rule sees it."""
        return EvidenceEnvironment(self, self.variant)

    def seen_by(self, variant: Variant) -> EvidenceEnvironment:
        """The deciding row as another rule sees it."""
        return EvidenceEnvironment(self, variant)

    def outcome(self) -> int:
        """The rule decided again: 0 not met, 1 cannot tell, 2 met."""
        return decide(self.shape, self.seen_by)

    @property
    def event_id(self) -> str:
        """Id of the deciding event: the last of those that contributed."""
        ids = self.alert.get("events")
        if not isinstance(ids, list) or not ids or not all(isinstance(x, str) for x in ids):
            raise EvidenceFault("events", "no list of ids")
        return str(ids[-1])


class EvidenceEnvironment:
    """What an expression reads, taken from an alert; see ``engine.evaluate.Environment``."""

    def __init__(self, evidence: Evidence, variant: Variant) -> None:
        self.evidence, self.variant = evidence, variant
        self.currencies = evidence.plan.currencies

    def field(self, path: str) -> Value:
        """A field of the deciding event."""
        return self.evidence.facts.get(path)

    def measure(self, measure: Measure) -> Interval:
        """A measure at the deciding event; unknown where the alert does not carry it."""
        inputs, index = self.evidence.inputs, self.variant.index
        if measure.kind == "distinct" and isinstance(measure.value, FieldRef):
            if measure.value.path == "persons":
                parts = (self._kernel(part, False) for part in persons_parts(measure))
                ids, largest, total = parts
                low, high = ids.low, None
                if low is not None and largest.low is not None:
                    low = max(low, largest.low)
                if ids.high is not None and total.high is not None:
                    high = ids.high + total.high
                return Interval(low, high)
        return self._kernel(measure, (index, measure, True) in inputs)

    def _kernel(self, measure: Measure, strict: bool) -> Interval:
        ends = self.evidence.inputs.get((self.variant.index, measure, strict))
        return UNKNOWN if ends is None else as_interval(*ends, measure)

    def converted(self, path: str, currency: str) -> Interval:
        """A money field in a currency, at the rate that the alert states."""
        amount, source = self.field(path), self.field("currency")
        if not isinstance(amount, Interval) or amount.exact is None or not isinstance(source, str):
            return UNKNOWN
        if source == currency:
            return amount
        pair = f"{source}/{currency}"
        found = self.evidence.rates.get(pair)
        if found is None:
            return UNKNOWN
        self.evidence.rates_used[pair] = found[1]
        shift = self.currencies[currency].exponent - self.currencies[source].exponent
        exact = amount.exact * found[0] * Fraction(10) ** shift
        return point(round_half_even(exact.numerator, exact.denominator))

    def clock_end(self, start_us: int, length: Duration) -> Interval:
        """When months or working days from a time are over."""
        return point(end_of(start_us, length, self.evidence.profile))

    def local(self, what: str) -> Fraction | None:
        """Calendar facts of the deciding event in the jurisdiction's zone."""
        profile, time = self.evidence.profile, self.evidence.event_us
        day, offset = local_day(profile.zone, time), offset_us(profile.zone, time)
        clock = time + offset - day * DAY_US
        match what:
            case "day":
                return Fraction(day)
            case "hour":
                return Fraction(clock // 3_600_000_000)
            case "weekday":
                return Fraction((day + 3) % 7 + 1)
            case "time":
                return Fraction(time)
            case "offset":
                return Fraction(offset)
            case _:
                return Fraction(int(profile.calendar.is_working(day)))


def _read_facts(written: Any) -> dict[str, Value]:
    if not isinstance(written, dict):
        raise EvidenceFault("facts", "no facts")
    return {path: read_field(path, value) for path, value in written.items()}


def read_field(path: str, written: Any) -> Value:
    """A field's value from how it is written in an alert. Raises ``EvidenceFault``."""
    if written is None:
        return None
    kind = Kind.PERSONS if path == "persons" else kind_of(path)
    where = f"facts.{path}"
    match kind:
        case Kind.SYMBOL | Kind.CURRENCY | Kind.TEXT if isinstance(written, str):
            return written
        case Kind.FLAGS if isinstance(written, list) and all(isinstance(x, str) for x in written):
            return frozenset(written)
        case Kind.BOOLEAN if isinstance(written, bool):
            return point(int(written))
        case Kind.TIME if isinstance(written, str):
            return point(instant(written, where))
        case Kind.DATE if isinstance(written, str):
            try:
                return point(day_from_iso(written))
            except (ValueError, RegtechError):
                raise EvidenceFault(where, f"no day: {written}") from None
        case Kind.DECIMAL if isinstance(written, str) and _NUMBER.fullmatch(written):
            return point(_fraction(written, where))
        case Kind.MONEY | Kind.INTEGER | Kind.PERSONS if type(written) is int:
            return point(written)
        case _:
            raise EvidenceFault(where, f"no {kind.value}: {written!r}")


def _fraction(text: str, where: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise EvidenceFault(where, f"no number: {text}") from None


def instant(text: str, where: str = "time") -> int:
    """Microseconds of a time as alerts write it. Raises ``EvidenceFault``."""
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        moment = datetime.fromisoformat(match[1] + "+00:00")
    except ValueError:
        raise EvidenceFault(where, f"no time in UTC: {text}") from None
    fraction = (match[2] or "").ljust(6, "0")
    return (moment - _EPOCH) // timedelta(microseconds=1) + int(fraction)


def _read_inputs(
    written: Any, wanted: Sequence[tuple[int, Measure, bool]]
) -> dict[tuple[int, Measure, bool], tuple[int, int]]:
    if not isinstance(written, list) or len(written) != len(wanted):
        raise EvidenceFault("inputs", f"{len(wanted)} measures are read")
    made = {}
    for number, (key, ends) in enumerate(zip(wanted, written, strict=True)):
        if not isinstance(ends, list) or len(ends) != 2:
            raise EvidenceFault(f"inputs[{number}]", "no two ends")
        if not all(end is None or type(end) is int for end in ends):
            raise EvidenceFault(f"inputs[{number}]", "an end is a whole number or null")
        low, high = ends
        made[key] = (int(MIN) if low is None else low, int(MAX) if high is None else high)
    return made


def _read_rates(written: Any) -> dict[str, tuple[Fraction, dict[str, Any]]]:
    if written is None:
        return {}
    used = written.get("used") if isinstance(written, dict) else None
    if not isinstance(used, dict):
        raise EvidenceFault("rate", "no rates")
    made = {}
    for pair, quote in used.items():
        value = quote.get("value") if isinstance(quote, dict) else None
        if not isinstance(value, str) or not _NUMBER.fullmatch(value):
            raise EvidenceFault(f"rate.used.{pair}", "no rate")
        made[pair] = (_fraction(value, f"rate.used.{pair}"), quote)
    return made
