"""Decides an alert again from the alert alone and its pack, and compares.

An alert carries the facts of its deciding event and the values of all measures at it. From them the
rule's condition is evaluated once more by the plain reading of the language; outcome, measures,
figures, period, due date and id must come out as they are written. The seal shows changes to what
decides nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from typing import Any, Final

from regtech.engine.columns import kind_of
from regtech.engine.durations import day_text, due_text, end_of, time_text
from regtech.engine.evaluate import UNKNOWN, Interval, Value, evaluate, point, truth
from regtech.engine.evidence import period_text, written_value
from regtech.engine.kernels import hits as H
from regtech.engine.kernels.measures import PERIODS
from regtech.engine.kernels.raw import MAX, MIN
from regtech.engine.lowering import persons_parts
from regtech.engine.plan import Plan, in_force
from regtech.engine.rowenv import as_interval
from regtech.engine.shape import Shape, decide, higher_rules, note_conversions, shape_of
from regtech.engine.variants import Variant
from regtech.engine.windows import first_day
from regtech.errors import RegtechError
from regtech.model.alert import EVENT_IDS_MAX, alert_id, event_digest, seal_of
from regtech.model.fields import EVENT_TYPES, Kind
from regtech.reference.civil import add_months, civil_from_days, day_from_iso
from regtech.reference.profiles import Profile
from regtech.reference.rates import round_half_even
from regtech.reference.zones import local_day, local_day_start_us, offset_us
from regtech.rulelang.ir import Deadline, Duration, Expr, FieldRef, Measure

DAY_US: Final = 86_400_000_000
OUTCOMES: Final = ("not met", "cannot_tell", "met")
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_TIME: Final = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?Z", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
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


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of an alert that does not come out as it is written."""

    field: str
    written: Any
    decided: Any

    def __str__(self) -> str:
        written, decided = (json.dumps(x, ensure_ascii=False) for x in (self.written, self.decided))
        return f"{self.field}: the alert says {written}, decided again it is {decided}"


@dataclass(frozen=True, slots=True)
class Replayed:
    """An alert decided again; ``same`` where nothing differs."""

    alert: str
    rule: str
    outcome: str
    differences: tuple[Difference, ...] = ()
    fault: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def same(self) -> bool:
        """Whether every part comes out as it is written."""
        return not self.differences and not self.fault

    def text(self) -> str:
        """What came out, for a person."""
        head = f"{self.alert} {self.rule}: "
        if self.fault:
            lines = [head + self.fault]
        elif self.differences:
            lines = [head + "differs", *(f"  {difference}" for difference in self.differences)]
        else:
            lines = [head + f"same: {self.outcome.replace('_', ' ')} again from its evidence"]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def replay(alert: Mapping[str, Any], plan: Plan) -> Replayed:
    """Decide an alert again. ``plan`` is compiled of the alert's pack, disabled rules included.

    Nothing is raised for what stands in the alert: a part that cannot be read is a fault of the
    result.
    """
    name, rule = str(alert.get("id", "")), str(alert.get("rule", ""))
    pack = next((p for p in plan.packs if p.id == alert.get("pack")), None)
    if pack is None:
        known = ", ".join(p.id for p in plan.packs)
        return Replayed(name, rule, "", fault=f"no pack {alert.get('pack')} here, only {known}")
    if alert.get("pack_digest") != pack.digest:
        return Replayed(
            name, rule, "",
            fault=f"decided by another version of {pack.id}: {alert.get('rule_version')} with digest "
            f"{str(alert.get('pack_digest'))[:16]}…; here is {pack.version} with {pack.digest[:16]}…",
        )  # fmt: skip
    try:
        evidence = Evidence(alert, plan)
        decided = decided_parts(evidence)
    except EvidenceFault as fault:
        return Replayed(name, rule, "", fault=f"the evidence cannot be read: {fault}")
    except (RegtechError, ArithmeticError) as error:
        return Replayed(name, rule, "", fault=f"the evidence does not decide: {error}")
    found = [
        Difference(key, alert.get(key), value)
        for key, value in decided.items()
        if not _equal(alert.get(key), value)
    ]
    found += _event_differences(alert)
    if not found and alert.get("seal") != (seal := seal_of(dict(alert))):
        found.append(Difference("seal", alert.get("seal"), seal))
    notes = []
    table = plan.reference.rates
    if alert.get("rate") and alert["rate"].get("digest") != table.digest:
        notes.append("converted with another rate table; the rates of the alert were used")
    return Replayed(name, rule, str(decided["outcome"]), tuple(found), notes=tuple(notes))


def decided_parts(evidence: Evidence) -> dict[str, Any]:
    """Everything of the alert that follows from its evidence and the pack, as it is written."""
    variant, shape, env = evidence.variant, evidence.shape, evidence.env
    rule, alert = variant.rule, evidence.alert
    outcome = OUTCOMES[evidence.outcome()]
    measures = {
        name: written_value(evaluate(expr, env), expr.type, env)
        if expr.type.name != "bool"
        else (False, None, True)[truth(expr, env)]
        for name, expr in shape.names.items()
    }
    warning = bool(alert.get("warning")) and rule.deadline is not None
    if rule.deadline is None:
        time_us, due = evidence.event_us, report_due(evidence)
    else:
        time_us, due_us = _deadline_times(evidence, variant.deadline, warning)
        due = time_text(due_us)
    period = _period(evidence)
    subject = _subject(evidence)
    note_conversions(shape, env)
    for other, expr in shape.higher:
        truth(expr, evidence.seen_by(other))
    return {
        "id": alert_id(rule.id, subject[0], period, outcome, warning),
        "rule_version": variant.pack.version,
        "jurisdiction": variant.jurisdiction,
        "obligation": list(rule.obligations),
        "cite": shape.cite,
        "kind": rule.alert.kind,
        "severity": rule.alert.severity,
        "status": rule.status,
        "subject": subject[1],
        "period": period,
        "time": time_text(time_us),
        "outcome": outcome,
        "warning": warning,
        "measures": measures,
        "params": shape.params,
        "rate": _rate(evidence),
        "due": due,
        "late": False,
        "explanation": {lang: rule.title[lang] for lang in ("en", "zh") if lang in rule.title},
    }


def _equal(a: Any, b: Any) -> bool:
    """Equality as JSON has it: true is not 1, and the order of keys counts as written."""
    return json.dumps(a, ensure_ascii=False) == json.dumps(b, ensure_ascii=False)


def _rate(evidence: Evidence) -> dict[str, Any] | None:
    """The rates used, each as the table here has it where it is the alert's table."""
    if not evidence.rates_used:
        return None
    written = evidence.alert["rate"]
    table = evidence.plan.reference.rates
    used = dict(sorted(evidence.rates_used.items()))
    if written.get("digest") == table.digest:
        day = local_day(evidence.profile.zone, evidence.event_us)
        as_of = evidence.facts.get("as_of") if evidence.event_type == "figure" else None
        if isinstance(as_of, Interval) and as_of.exact is not None:
            day = int(as_of.exact)
        for pair in used:
            source, _, target = pair.partition("/")
            quote = table.quote(source, target, day)
            used[pair] = quote and {"date": day_text(quote.day), "value": str(quote)}
        return {"table": table.name, "digest": table.digest, "used": used}
    return {"table": written.get("table"), "digest": written.get("digest"), "used": used}


def report_due(evidence: Evidence) -> str | None:
    """The due date of a report or duty that follows from the event itself."""
    rule, length = evidence.variant.rule, evidence.shape.due
    if length is None:
        return None
    start = evidence.event_us
    if rule.alert.due_from != "time":
        given = evidence.facts.get(rule.alert.due_from)
        if isinstance(given, Interval) and given.exact is not None:
            start = int(given.exact)
    return due_text(start, length, evidence.profile)


def _deadline_times(
    evidence: Evidence, deadline: Deadline | None, warning: bool
) -> tuple[int, int]:
    """Time of the alert and end of the clock, in microseconds."""
    assert deadline is not None and isinstance(deadline.within, Duration)
    start = deadline_start(evidence, deadline)
    if start is None:
        raise EvidenceFault("facts", "the start of the clock is unknown")
    due = end_of(start, deadline.within, evidence.profile)
    opened = evidence.event_us
    if not warning:
        return max(due, opened), due
    if deadline.warn is None:
        return max(due, opened), due
    unit = DAY_US if deadline.warn.unit == "days" else 1_000_000
    return max(due - deadline.warn.count * unit, opened), due


def deadline_start(evidence: Evidence, deadline: Deadline) -> int | None:
    """Instant from which the clock runs, or None where it is unknown. Rule 20 of semantics.md."""
    zone = evidence.profile.zone
    if deadline.start_period_end is not None:
        first = first_day(
            deadline.start_period_end, local_day(zone, evidence.event_us), evidence.profile
        )
        after = add_months(first, _MONTHS[deadline.start_period_end])
        return local_day_start_us(zone, after) - 1
    if deadline.start is None:
        return evidence.event_us
    value = evaluate(deadline.start, evidence.env)
    if not isinstance(value, Interval) or value.exact is None:
        return None
    if deadline.start.type.name == "date":
        return local_day_start_us(zone, int(value.exact))
    return int(value.exact)


def _period(evidence: Evidence) -> str:
    """The period's label. Of a rolling period only its first alert knows it: taken as written."""
    rule, variant = evidence.variant.rule, evidence.variant
    if variant.deadline is not None:
        return _duty_label(evidence, variant.deadline)
    kind = evidence.shape.period[0]
    written = str(evidence.alert.get("period"))
    label, _, _ = written.rpartition("#") if rule.again is not None else (written, "", "")
    if kind == H.PER_EVENT:
        made = f"{evidence.facts.get('reporter')}/{evidence.event_id}"
    elif kind == H.PER_ROLLING:
        started = _instant(label, "period")
        if started > evidence.event_us:
            raise EvidenceFault("period", "it begins after the event")
        made = time_text(started)
    elif kind == H.PER_EVER:
        made = "ever"
    else:
        made = period_text(kind, _period_number(evidence, PERIODS[kind]))
    if variant.again is not None:
        value = evaluate(variant.again.value, evidence.env)
        step = evaluate(variant.again.step, evidence.env)
        made += f"#{_steps(value, step)}"
    return made


def _steps(value: Value, step: Value) -> int:
    if not isinstance(value, Interval) or not isinstance(step, Interval):
        return 0
    if value.low is None or step.low is None or step.low <= 0:
        return 0
    return max(0, int(value.low // step.low))


def _period_number(evidence: Evidence, period: str) -> int:
    day = local_day(evidence.profile.zone, evidence.event_us)
    year, month, _ = civil_from_days(day)
    match period:
        case "day":
            return day
        case "business_day":
            return int(evidence.profile.calendar.next_working_day(day))
        case "week":
            return (day + 3) // 7
        case "month":
            return year * 12 + month - 1
        case "quarter":
            return (year * 12 + month - 1) // 3
        case _:
            return year


def _duty_label(evidence: Evidence, deadline: Deadline) -> str:
    if deadline.start_period_end is not None and deadline.about is None:
        day = local_day(evidence.profile.zone, evidence.event_us)
        year, month, _ = civil_from_days(first_day(deadline.start_period_end, day, evidence.profile))
        months = _MONTHS[deadline.start_period_end]
        if months == 1:
            return f"{year:04d}-{month:02d}"
        return f"{year:04d}" if months == 12 else f"{year:04d}-Q{(month - 1) // 3 + 1}"
    if deadline.about is None:
        return evidence.event_id
    value = evaluate(deadline.about, evidence.env)
    name = str(value.exact) if isinstance(value, Interval) else str(value)
    return name if deadline.start_period_end is not None else f"{name}/{evidence.event_id}"


def _subject(evidence: Evidence) -> tuple[str, dict[str, Any]]:
    """The subject's sorting text and written form; its parts are taken as written."""
    rule, written = evidence.variant.rule, evidence.alert.get("subject")
    if not isinstance(written, dict) or not all(isinstance(k, str) for k in written):
        raise EvidenceFault("subject", "no subject")
    made: dict[str, Any] = {"per": ",".join(rule.per)}
    made["id"] = str(written.get("id"))
    if rule.per == ("event",):
        made["id"] = f"{evidence.facts.get('reporter')}/{evidence.event_id}"
    elif rule.per == ("institution",):
        made["id"] = str(evidence.facts.get("reporter"))
    key = made["id"]
    if {"customer", "account"} & set(rule.per):
        made["institution"] = str(written.get("institution"))
        key = f"{made['institution']}|{key}"
    if rule.by:
        split = written.get("by")
        if not isinstance(split, dict):
            raise EvidenceFault("subject.by", "no values")
        made["by"] = {path: str(split.get(path)) for path in rule.by}
        key += "|" + "|".join(made["by"].values())
    return key, made


def _event_differences(alert: Mapping[str, Any]) -> list[Difference]:
    """Ids, count and digest of the contributing events must agree where all ids are there."""
    ids, count = alert.get("events"), alert.get("event_count")
    if not isinstance(ids, list) or not isinstance(count, int) or isinstance(count, bool):
        return [Difference("event_count", count, None)]
    if count <= EVENT_IDS_MAX:
        # a rule over a very long time may have forgotten its oldest ids; the count remembers them
        if len(ids) > count:
            return [Difference("event_count", count, len(ids))]
        if len(ids) == count and event_digest(ids) != alert.get("event_digest"):
            return [Difference("event_digest", alert.get("event_digest"), event_digest(ids))]
    elif len(ids) != EVENT_IDS_MAX:
        return [Difference("events", len(ids), EVENT_IDS_MAX)]
    return []


# --- reading an alert back


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
            return point(_instant(written, where))
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


def instant_of_text(text: str) -> int:
    """Microseconds of a time as alerts write it. Raises ``EvidenceFault``."""
    return _instant(text, "time")


def _fraction(text: str, where: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise EvidenceFault(where, f"no number: {text}") from None


def _instant(text: str, where: str) -> int:
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

