"""From a hit to an alert: values, facts, contributing events, due date, in one canonical form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from regtech.engine.durations import due_text
from regtech.engine.evaluate import evaluate, truth
from regtech.engine.judge import Judge
from regtech.engine.kernels import hits as H
from regtech.engine.kernels import measures as K
from regtech.engine.kernels.raw import MAX, MIN
from regtech.engine.plan import DAY_US, EVIDENCE_DAYS_EVER, MeasureSpec, in_force
from regtech.engine.rowenv import RowEnvironment
from regtech.engine.rowparts import RowFacts, RowSubject
from regtech.engine.shape import (
    Shape,
    decide,
    higher_rules,
    law_day,
    note_conversions,
    shape_of,
)
from regtech.engine.variants import Variant
from regtech.engine.writing import period_text, written_value
from regtech.errors import InternalError
from regtech.model.alert import EVENT_IDS_MAX, Alert, alert_id, event_digest, shared_texts
from regtech.ports.detection import Finding
from regtech.reference.civil import iso_from_day, time_text

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
        self._subjects: dict[tuple[int, str], RowSubject] = {}
        """By variant and event type."""
        self._row_facts: dict[tuple[Shape, str, int], RowFacts] = {}
        """By shape, event type and side."""
        self._shared: dict[Shape, tuple[str, ...]] = {}
        """See ``Alert.shared``."""
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
        key = (env.variant.index, env.event_type)
        found = self._subjects.get(key)
        if found is None:
            found = self._subjects[key] = RowSubject(env)
        return found.of(env)

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
                f"rule {rule.id} on {env.event_id()}: the kernels say {outcome}, "
                f"the second reading says {decided}"
            )
        at = event_us if time_us is None else time_us
        key, subject = self.subject(env)
        text = period if period is not None else period_text(shape.period[0], label)
        if period is None and shape.period[0] == H.PER_EVENT:
            text = env.event_name()
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
        alert = Alert(
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
        alert.shared = self._shared.get(shape)
        if alert.shared is None:
            alert.shared = self._shared[shape] = shared_texts(alert)
        return alert

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
                pair: {"date": iso_from_day(quote.day), "value": str(quote)}
                for pair, quote in sorted(env.rates_used.items())
            },
        }

    def _facts(self, env: RowEnvironment, shape: Shape) -> dict[str, Any]:
        key = (shape, env.event_type, env.side)
        found = self._row_facts.get(key)
        if found is None:
            found = self._row_facts[key] = RowFacts(shape.reading.fields, env)
        return found.of(env)

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
        if findings is None or not shape.asked:
            return {}
        made = (findings.finding(path, env.side, env.event) for path in shape.asked)
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
        if len(found) == 1:
            own = [env.event_id()]
            return own, 1, event_digest(own)
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
            from regtech.engine.kernels.periods import months_before

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
