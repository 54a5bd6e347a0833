"""Decides an alert again from the alert alone and its pack, and compares.

From the alert's evidence the rule's condition is evaluated once more by the plain reading of the
language; outcome, measures, figures, period, due date and id must come out as they are written. The
seal shows changes to what decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from regtech.engine.durations import due_text, end_of
from regtech.engine.evaluate import Interval, Value, evaluate, truth
from regtech.engine.kernels import hits as H
from regtech.engine.kernels.measures import PERIODS
from regtech.engine.plan import Plan
from regtech.engine.shape import law_day, note_conversions
from regtech.engine.windows import first_day
from regtech.engine.writing import period_text, written_value
from regtech.errors import RegtechError
from regtech.model.alert import EVENT_IDS_MAX, alert_id, event_digest, seal_of
from regtech.ports.detection import NO, UNKNOWN, YES, DecidesAgain
from regtech.reference.civil import add_months, civil_from_days, iso_from_day, time_text
from regtech.reference.zones import local_day, local_day_start_us
from regtech.rulelang.ir import Deadline, Duration
from regtech.sandbox.evidence import DAY_US, Evidence, EvidenceFault, instant

OUTCOMES: Final = ("not met", "cannot_tell", "met")
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


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
        theirs, ours = str(alert.get("pack_digest"))[:16], pack.digest[:16]
        fault = (
            f"decided by another version of {pack.id}: {alert.get('rule_version')} with the digest "
            f"{theirs}…; here is {pack.version} with {ours}…"
        )
        return Replayed(name, rule, "", fault=fault)
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
    again, notes = _decided_again(alert, plan)
    found += [*_event_differences(alert), *again]
    if not found and alert.get("seal") != (seal := seal_of(dict(alert))):
        found.append(Difference("seal", alert.get("seal"), seal))
    table = plan.reference.rates
    if alert.get("rate") and alert["rate"].get("digest") != table.digest:
        notes.append("converted with another rate table; the rates of the alert were used")
    return Replayed(name, rule, str(decided["outcome"]), tuple(found), notes=tuple(notes))


_ANSWERS: Final = {YES: True, NO: False, UNKNOWN: None}


def _decided_again(alert: Mapping[str, Any], plan: Plan) -> tuple[list[Difference], list[str]]:
    """What detectors come to that can decide a finding from its own data, and notes."""
    differences: list[Difference] = []
    notes: list[str] = []
    findings, facts = alert.get("findings"), alert.get("facts")
    if not isinstance(findings, Mapping) or not isinstance(facts, Mapping):
        return [], []
    for name, data in findings.items():
        asked = plan.questions.get(name) or plan.questions.get(_of_a_side(name))
        detector = next((d for d in plan.detectors if asked and asked.asks in d.asks), None)
        if asked is None or not isinstance(detector, DecidesAgain) or not isinstance(data, Mapping):
            continue
        decided = detector.again(asked, data)
        if decided.answer is None:
            differences.append(Difference(f"findings.{name}", data.get("score"), decided.note))
            continue
        if decided.note:
            notes.append(decided.note)
        if (answer := _ANSWERS[decided.answer]) is not facts.get(name):
            differences.append(Difference(f"facts.{name}", facts.get(name), answer))
    return differences, notes


def _of_a_side(name: str) -> str:
    """``party.x`` is asked of each side: any of them has its parameters."""
    return f"payer.{name.removeprefix('party.')}" if name.startswith("party.") else name


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
        "law_as_of": law_day(evidence.plan),
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
            used[pair] = quote and {"date": iso_from_day(quote.day), "value": str(quote)}
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
    if rule.detect is not None:
        return _found_period(evidence)
    kind = evidence.shape.period[0]
    written = str(evidence.alert.get("period"))
    label, _, _ = written.rpartition("#") if rule.again is not None else (written, "", "")
    if kind == H.PER_EVENT:
        made = f"{evidence.facts.get('reporter')}/{evidence.event_id}"
    elif kind == H.PER_ROLLING:
        started = instant(label, "period")
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


def _found_period(evidence: Evidence) -> str:
    """A finding that grows has a period of its own; any other one is of its event."""
    findings = evidence.alert.get("findings") or {}
    if not isinstance(findings, Mapping):
        raise EvidenceFault("findings", "no findings by name")
    for finding in findings.values():
        if isinstance(finding, Mapping) and isinstance(finding.get("period"), str):
            return str(finding["period"])
    return f"{evidence.facts.get('reporter')}/{evidence.event_id}"


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
        first = first_day(deadline.start_period_end, day, evidence.profile)
        year, month, _ = civil_from_days(first)
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
    if not isinstance(ids, list) or not all(isinstance(x, str) for x in ids):
        return [Difference("events", ids, None)]
    if type(count) is not int:
        return [Difference("event_count", count, len(ids))]
    if count <= EVENT_IDS_MAX:
        # a rule over a very long time may have forgotten its oldest ids; the count remembers them
        if len(ids) > count:
            return [Difference("event_count", count, len(ids))]
        if len(ids) == count and event_digest(ids) != alert.get("event_digest"):
            return [Difference("event_digest", alert.get("event_digest"), event_digest(ids))]
    elif len(ids) != EVENT_IDS_MAX:
        return [Difference("events", len(ids), EVENT_IDS_MAX)]
    return []
