"""From a hit to an alert: values, facts, contributing events, due date, in one canonical form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

import numpy as np

from regtech.engine.columns import is_asked, kind_of
from regtech.engine.durations import day_text, due_text, time_text
from regtech.engine.evaluate import Environment, Interval, Value, evaluate, truth
from regtech.engine.judge import Judge
from regtech.engine.kernels import hits as H
from regtech.engine.kernels import measures as K
from regtech.engine.kernels.raw import MAX, MIN
from regtech.engine.plan import DAY_US, EVIDENCE_DAYS_EVER, MeasureSpec, in_force
from regtech.engine.rowenv import RowEnvironment
from regtech.engine.shape import (
    Shape,
    decide,
    higher_rules,
    law_day,
    note_conversions,
    shape_of,
)
from regtech.engine.subjects import EVENT, INSTITUTION, PREFIXES, group_path, subject_parts
from regtech.engine.variants import Variant
from regtech.errors import InternalError
from regtech.model.alert import EVENT_IDS_MAX, Alert, alert_id, event_digest
from regtech.model.fields import DECIMAL_SCALE, Kind
from regtech.ports.detection import Finding
from regtech.rulelang.ir import Type

_MIN, _MAX = int(MIN), int(MAX)


CHECKED_FIRST: Final = 16
CHECKED_EVERY: Final = 32
"""Of each rule's alerts the first ones and every so-manieth are decided a second time, in plain
Python (``evaluate.py``), before they leave; ``replay`` does it for any of them."""


class EvidenceMaker:
    """Makes alerts of hits; one for each engine."""

    def __init__(self, judge: Judge, sources: list[str]) -> None:
        self.judge = judge
        self.sources = sources
        self._made: dict[int, int] = {}
        self._shapes: dict[tuple[int, ...], Shape] = {}
        self._in_force: dict[int, dict[str, Variant]] = {}
        """Rules in force by the end of their era."""

    def shape(self, variant: Variant, event_us: int) -> Shape:
        """The constant parts of a variant's alerts at an instant."""
        higher: tuple[Variant, ...] = ()
        if variant.rule.yields_to:
            era = self.judge.era_end(event_us)
            if era not in self._in_force:
                found = in_force(self.judge.plan, event_us)
                self._in_force[era] = {v.rule.id: v for v in found}
            higher = higher_rules(variant, self._in_force[era])
        key = (variant.index, *(other.index for other in higher))
        if key not in self._shapes:
            self._shapes[key] = shape_of(self.judge.plan, variant, higher)
        return self._shapes[key]

    def subject(self, env: RowEnvironment) -> tuple[str, dict[str, Any]]:
        """Sorting text and written form of the subject."""
        rule = env.variant.rule
        written: dict[str, Any] = {"per": ",".join(rule.per)}
        texts, institution = [], None
        for name in rule.per:
            for part in subject_parts(name, env.event_type):
                if part == INSTITUTION:
                    institution = self._text(int(self.judge.row_institution[env.row]))
                elif part == "reporter" and name in ("customer", "account"):
                    institution = self._part(env, part)
                elif part == EVENT:
                    texts.append(f"{self._part(env, 'reporter')}/{self.judge.id_of(env.event)}")
                else:
                    texts.append(self._part(env, part))
        written["id"] = "|".join(texts)
        if institution is not None:
            written["institution"] = institution
        key = written["id"] if institution is None else f"{institution}|{written['id']}"
        if rule.by:
            written["by"] = {path: self._part(env, path) for path in rule.by}
            key += "|" + "|".join(written["by"].values())
        path = group_path(rule.per, env.event_type)
        group = None if path is None else env.field(path)
        if isinstance(group, str):  # as the event gives it, or as the party's own event last did
            written["group"] = group
        return key, written

    def _part(self, env: RowEnvironment, path: str) -> str:
        value = env.field(path)
        if isinstance(value, Interval):
            return str(value.exact)
        return str(value)

    def _text(self, raw: int) -> str:
        return self.judge.plan.vocabulary.text(raw) if raw != _MIN else ""

    def make(
        self,
        env: RowEnvironment,
        outcome: int,
        label: int,
        *,
        suffix: str = "",
        period: str | None = None,
        time_us: int | None = None,
        due_us: int | None = None,
    ) -> Alert:
        """The alert of a hit. Raises InternalError where the second reading disagrees."""
        variant, rule = env.variant, env.variant.rule
        event_us = int(self.judge.times[env.event])
        shape = self.shape(variant, event_us)
        self._made[variant.index] = made = self._made.get(variant.index, 0) + 1
        again = made <= CHECKED_FIRST or made % CHECKED_EVERY == 0
        if again and (decided := decide(shape, env.seen_by)) != outcome:
            raise InternalError(
                f"rule {rule.id} on {self.judge.id_of(env.event)}: the kernels say {outcome}, "
                f"the second reading says {decided}"
            )
        at = event_us if time_us is None else time_us
        key, subject = self.subject(env)
        text = period if period is not None else period_text(shape.period[0], label)
        if period is None and shape.period[0] == H.PER_EVENT:
            reporter = self._part(env, "reporter")
            text = f"{reporter}/{self.judge.id_of(env.event)}"
        text += suffix
        measures = {
            name: written_value(evaluate(expr, env), expr.type, env)
            if expr.type.name != "bool"
            else (False, None, True)[truth(expr, env)]
            for name, expr in shape.names.items()
        }
        findings = self._findings(env, shape)
        ids, count, digest = self._events(env, shape, findings)
        due = None
        profile = self.judge.plan.reference.profile(variant.jurisdiction)
        if due_us is not None:
            due = time_text(due_us)
        elif shape.due is not None:
            start = event_us
            if rule.alert.due_from != "time":
                given = env.column(rule.alert.due_from)
                start = event_us if given == _MIN else given
            due = due_text(start, shape.due, profile)
        source, line = self.judge.place_of(env.event)
        name = ("not met", "cannot_tell", "met")[outcome]
        return Alert(
            id=alert_id(rule.id, key, text, name, False),
            rule=rule.id,
            rule_version=variant.pack.version,
            pack=variant.pack.id,
            pack_digest=variant.pack.digest,
            jurisdiction=variant.jurisdiction,
            obligation=list(rule.obligations),
            cite=shape.cite,
            kind=rule.alert.kind,
            severity=rule.alert.severity,
            status=rule.status,
            subject=subject,
            period=text,
            time=time_text(at),
            outcome=name,
            warning=False,
            measures=measures,
            params=shape.params,
            law_as_of=law_day(self.judge.plan),
            rate=self._rate(env, shape),
            facts=self._facts(env, shape),
            inputs=self._inputs(env, shape),
            findings=self._written(findings),
            events=ids,
            event_count=count,
            event_digest=digest,
            due=due,
            late=False,
            source={"file": self.sources[source], "line": line} if self.sources else None,
            explanation={lang: rule.title[lang] for lang in ("en", "zh") if lang in rule.title},
            order=(at, rule.id, key, text, name),
        )

    def _rate(self, env: RowEnvironment, shape: Shape) -> dict[str, Any] | None:
        """The rates at which the deciding event was converted; others have their own days'."""
        note_conversions(shape, env)
        if not env.rates_used:
            return None
        table = self.judge.plan.reference.rates
        return {
            "table": table.name,
            "digest": table.digest,
            "used": {
                pair: {"date": day_text(quote.day), "value": str(quote)}
                for pair, quote in sorted(env.rates_used.items())
            },
        }

    def _facts(self, env: RowEnvironment, shape: Shape) -> dict[str, Any]:
        return {path: written_field(path, env) for path in shape.reading.fields}

    def _inputs(self, env: RowEnvironment, shape: Shape) -> list[list[int | None]]:
        made: list[list[int | None]] = []
        variants = self.judge.plan.variants
        for index, measure, strict in shape.reading.measures:
            low, high = env.seen_by(variants[index]).raw_measure(measure, strict)
            made.append([None if low == _MIN else low, None if high == _MAX else high])
        return made

    def _findings(self, env: RowEnvironment, shape: Shape) -> dict[str, Finding]:
        """What detectors say to the fields that they answered."""
        findings = self.judge.prepared.findings
        if findings is None:
            return {}
        made = (
            findings.finding(path, env.side, env.event)
            for path in shape.reading.fields
            if is_asked(path)
        )
        return dict(found for found in made if found is not None)

    def _written(self, findings: Mapping[str, Finding]) -> dict[str, Any]:
        """Findings as they stand in an alert, events by their ids."""
        numbers = sorted({number for finding in findings.values() for number in finding.events})
        if not numbers:
            return {name: finding.written({}) for name, finding in findings.items()}
        texts = self.judge.events.ids(np.array(numbers, np.int64))
        ids = dict(zip(numbers, texts, strict=True))
        return {name: finding.written(ids) for name, finding in findings.items()}

    def _events(
        self, env: RowEnvironment, shape: Shape, findings: Mapping[str, Finding]
    ) -> tuple[list[str], int, str]:
        judge = self.judge
        state = judge.state
        found: set[int] = {judge.first_event + env.event}
        for finding in findings.values():
            found.update(finding.events)
        assert judge.program is not None
        for index, measure, strict in shape.reading.measures:
            if index != env.variant.index:
                continue  # of a rule that was not met: it says why not more, not what was found
            spec = judge.plan.measure_of(env.variant, measure, strict)
            if spec.bit < 0:
                continue
            column = judge.program.roles[spec.index, int(judge.types[env.event]), K.R_READ]
            slot = int(judge.S[column, env.row]) if column >= 0 else -1
            if slot < 0:
                continue
            log = state.log_descriptors[state.log_of[spec.keyspace.index]]
            after = self._window_start(env, spec)
            until = judge.first_event + env.event
            buffer = np.zeros(256, np.int64)
            count = int(H.contributors(log, slot, 1 << spec.bit, after, until, buffer))
            if count > len(buffer):
                buffer = np.zeros(count, np.int64)
                H.contributors(log, slot, 1 << spec.bit, after, until, buffer)
            found.update(int(x) for x in buffer[:count])
        ordered = np.array(sorted(found), np.int64)
        keys = judge.events.ids(ordered)
        return keys[-EVENT_IDS_MAX:], len(ordered), event_digest(keys)

    def _window_start(self, env: RowEnvironment, spec: MeasureSpec) -> int:
        """Instant after which a contribution lies in the measure's window."""
        judge, row = self.judge, env.row
        time = int(judge.times[env.event])
        if spec.window == K.ROLLING:
            return time - spec.length
        if spec.window == K.MONTHS:
            from regtech.engine.kernels.rows import months_before

            shifted = int(judge.shifted[row])
            return int(months_before(shifted, spec.length)) - (shifted - time)
        if spec.window == K.EVER:
            return time - EVIDENCE_DAYS_EVER * DAY_US
        from regtech.engine.windows import calendar_start_us

        profile = judge.plan.jurisdictions[spec.jurisdiction]
        return calendar_start_us(K.PERIODS[spec.period], int(judge.day[row]), profile) - 1


def warning_of(breach: Alert, subject: str, at_us: int) -> Alert:
    """The warning before a duty is broken: the same finding at another time, so nothing is gathered
    twice."""
    return replace(
        breach,
        id=alert_id(breach.rule, subject, breach.period, breach.outcome, True),
        warning=True,
        time=time_text(at_us),
        order=(at_us, breach.rule, subject, breach.period, "w"),
    )


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
        return day_text(label)
    if name == "week":
        from datetime import date, timedelta

        monday = date(1970, 1, 1) + timedelta(days=label * 7 - 3)
        year, week, _ = monday.isocalendar()
        return f"{year:04d}-W{week:02d}"
    if name == "month":
        return f"{label // 12:04d}-{label % 12 + 1:02d}"
    if name == "quarter":
        return f"{label // 4:04d}-Q{label % 4 + 1}"
    return f"{label:04d}"


def written_field(path: str, env: RowEnvironment) -> Any:
    """A field of a row as it is written in an alert and read back by replay."""
    if path == "direction" or path == "persons":
        value = env.field(path)
        return (
            int(value.exact) if isinstance(value, Interval) and value.exact is not None else value
        )
    raw = env.column(path)
    if raw == _MIN:
        return None
    if path in PREFIXES[env.event_type]:
        path = f"{path}.id"
    kind = kind_of(path)
    if kind is Kind.SYMBOL:
        return env.judge.word(raw)
    if kind is Kind.BOOLEAN:
        return bool(raw)
    if kind is Kind.TIME:
        return time_text(raw)
    if kind is Kind.DATE:
        return day_text(raw)
    if kind is Kind.DECIMAL:
        return decimal_text(Fraction(raw, DECIMAL_SCALE))
    value = env.decode(path, raw)
    if isinstance(value, Interval):
        return raw
    return sorted(value) if isinstance(value, frozenset) else value


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
        return day_text(int(value))
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
