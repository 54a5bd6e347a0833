"""Alerts in: kept once, held against the policies, put into cases, in one transaction a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from casework.cases.alert import StoredAlert
from casework.cases.directive import Plan
from casework.cases.facts import YEARS_US, AlertFacts
from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.cases.sla import Jurisdictions
from casework.cases.themes import Themes
from casework.cases.timeline import Draft, EntryKind
from casework.policy.counts import turning
from casework.policy.gather import decide, decide_new, turned
from casework.policy.lengths import DAY_US
from casework.policy.planner import Planner
from casework.ports import EventDay, EventKind, Reach, Record, Unit
from casework.service.placing import Placed, Placing
from casework.service.reader import KnownFacts, RecordReader
from casework.service.standing import CasesInMind, CasesInUnit
from regtech.clock import Clock
from regtech.collector import collector_paused
from regtech.errors import ConflictError, InternalError

BATCH: Final = 8000
"""Alerts of one transaction: some one and a half seconds in which nobody else writes. The larger it
is, the more alerts share a page of an index that is written once, and the fewer entries a case
gets: a record of 160,000 alerts writes half as much to the disk as with 2,000.
"""
_TRIES: Final = 5
FEWEST: Final = 100
"""Of fewer subjects a share says nothing, and a server that was just started has seen few."""
_HARDLY: Final = 105
"""Hundredths of the last number of subjects from which on another is news."""


@dataclass
class IntakeReport:
    """What became of alerts; ``conflicts`` are the ids that came with another content.

    ``unknown``: rules that a brake could not judge, since nobody said how many subjects there are.
    """

    new: int = 0
    repeated: int = 0
    conflicts: list[str] = field(default_factory=list)
    placed: Placed = field(default_factory=Placed)
    unknown: set[str] = field(default_factory=set)

    def add(self, other: IntakeReport) -> None:
        """Count another batch in."""
        self.new += other.new
        self.repeated += other.repeated
        self.conflicts += other.conflicts
        self.placed.add(other.placed)
        self.unknown |= other.unknown

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "new": self.new,
            "repeated": self.repeated,
            "conflicts": list(self.conflicts),
            "cases_opened": self.placed.opened,
            "cases_changed": self.placed.changed,
            "cases_merged": self.placed.merged,
            "cases_withdrawn": self.placed.withdrawn,
            "aside": {name: self.placed.aside[name] for name in sorted(self.placed.aside)},
            "brake_cannot_tell": sorted(self.unknown),
        }


class AlertIntake(Placing):
    """Takes alerts. The same again changes nothing, so that whoever is not sure sends again.

    ``watched``: how many subjects rules are evaluated for, which brakes need; None: as those say
    who evaluate them (``watch``).
    """

    def __init__(
        self,
        record: Record,
        clock: Clock,
        jurisdictions: Jurisdictions,
        planner: Planner,
        *,
        watched: int | None = None,
    ) -> None:
        themes = Themes(found.theme for found in planner.policies.themes)
        super().__init__(record, clock, jurisdictions, themes)
        self.planner, self.watched = planner, watched
        self._known = KnownFacts()
        self._in_mind = CasesInMind()
        self.fewest = FEWEST
        """From so many subjects, or events of a stretch, on brakes go by what they are told."""
        self._told: dict[str, int] = {}
        """What ``watch`` kept last, so that nothing is opened for what is no news."""
        self._evaluated: dict[str, tuple[EventKind, ...]] = {}
        """The same of what ``count_events`` was told of rules."""

    def take(self, scope: Scope, alerts: Iterable[StoredAlert]) -> IntakeReport:
        """Keep alerts and bring the cases in line; each batch wholly or not at all.

        Raises ``ForbiddenError``, ``StoreError``. What was taken before an error stays.
        """
        allow(scope, Action.INTAKE)
        report = IntakeReport()
        batch: list[StoredAlert] = []
        for alert in alerts:
            batch.append(alert)
            if len(batch) == BATCH:
                report.add(self._batch(scope, batch))
                batch = []
        if batch:
            report.add(self._batch(scope, batch))
        return report

    def _batch(self, scope: Scope, alerts: Sequence[StoredAlert]) -> IntakeReport:
        for attempt in range(_TRIES):
            try:
                with collector_paused(), self.record.unit(scope) as unit:
                    cases = self._in_mind.within(scope, unit)
                    report, facts = self._in(scope, unit, cases, alerts)
                self._known.keep(facts)
                self._in_mind.keep(cases)
                return report
            except ConflictError:
                # Another worker opened the same case in between; now it is there to be found.
                if attempt == _TRIES - 1:
                    raise
        raise InternalError("no try was made")

    def _in(
        self, scope: Scope, unit: Unit, cases: CasesInUnit, alerts: Sequence[StoredAlert]
    ) -> tuple[IntakeReport, Mapping[str, AlertFacts]]:
        taken = unit.add_alerts(scope, alerts)
        report = IntakeReport(len(taken.new), taken.repeated, list(taken.conflicts))
        if not taken.new:
            return report, {}
        by_id = {alert.id: alert for alert in reversed(alerts)}
        fresh = {alert_id: by_id[alert_id] for alert_id in taken.new}
        by_tenant: dict[str, list[StoredAlert]] = {}
        for alert in fresh.values():
            by_tenant.setdefault(alert.tenant, []).append(alert)
        for tenant in sorted(by_tenant):
            unit.log(scope, tenant, _received(by_tenant[tenant]))
        reader = self._reader(scope, unit, [alert.facts() for alert in fresh.values()])
        done = decide_new(
            self.planner, reader, reader.facts(fresh), self._as_of(scope, unit), cases
        )
        report.placed.add(self.join(scope, unit, [one.directive for one in done.joined], fresh))
        cases.joined(done.joined)
        self._place(scope, unit, cases, done.plan, fresh, report)
        return report, reader.loaded

    def _reader(self, scope: Scope, unit: Unit, fresh: Iterable[AlertFacts]) -> RecordReader:
        ready = self.planner.ready
        return RecordReader(
            scope, unit, self._known, map(ready, fresh), self.watched, ready, self.fewest
        )

    def _decide(
        self,
        scope: Scope,
        unit: Unit,
        cases: CasesInUnit,
        reader: RecordReader,
        touched: Sequence[AlertFacts],
        report: IntakeReport,
    ) -> None:
        """Decide anew what alerts that are there already can change."""
        plan = decide(self.planner, reader, touched, self._as_of(scope, unit))
        self._place(scope, unit, cases, plan, {}, report)

    def _place(
        self,
        scope: Scope,
        unit: Unit,
        cases: CasesInUnit,
        plan: Plan,
        fresh: Mapping[str, StoredAlert],
        report: IntakeReport,
    ) -> None:
        report.unknown.update(plan.unknown)
        if plan.scope:
            report.placed.add(self.place(scope, unit, plan, fresh))
            cases.decided(self.planner.policies, plan.cases)

    def _as_of(self, scope: Scope, unit: Unit) -> int:
        """How far event time is known: an alert from the future does not make it later than now."""
        return min(unit.as_of(scope), self.clock.now_us())

    def forget(self) -> None:
        """Decide all cases anew that alerts join from here on: as after a start."""
        self._in_mind.forget()

    def watch(
        self, scope: Scope, subjects: Mapping[str, int], *, exactly: bool = False
    ) -> IntakeReport:
        """Take note of how many subjects rules are evaluated for: what brakes are held against.

        The most that was ever said of a rule counts, so that it is the same whoever says it when:
        alerts that were held back for too low a number go on now. A number that is hardly higher
        than the one before waits, unless it is to be kept ``exactly``. Nothing happens where a
        setting says the number.
        """
        allow(scope, Action.INTAKE)
        report = IntakeReport()
        if self.watched is not None:
            return report
        enough = 100 if exactly else _HARDLY
        news = {
            rule: number
            for rule, number in subjects.items()
            if number >= self.fewest
            and number > self._told.get(rule, 0)
            and number * 100 >= self._told.get(rule, 0) * enough
        }
        if not news:
            return report
        with collector_paused(), self.record.unit(scope) as unit:
            cases = self._in_mind.within(scope, unit)
            known = unit.watched(scope)
            more = {rule: n for rule, n in news.items() if n > known.get(rule, 0)}
            unit.watch(scope, more)
            reader = self._reader(scope, unit, ())
            told = [Reach("rule", rule, *YEARS_US) for rule in more]
            anew = [reach for reach in told if reach.value not in known]
            self._turn_brakes(scope, unit, cases, reader, told, anew, report)
        self._known.keep(reader.loaded)
        self._in_mind.keep(cases)
        self._told |= {rule: max(n, known.get(rule, 0)) for rule, n in news.items()}
        return report

    def count_events(
        self,
        scope: Scope,
        rules: Mapping[str, tuple[EventKind, ...]],
        days: Collection[EventDay],
    ) -> IntakeReport:
        """Take note of how many events there were: what brakes hold the alerts of rules against
        whose subject is each single event (``rules``, with the events that they look at).

        Counts are of whole days and of all that is known of them: the highest that was ever said
        counts, so that it is the same whoever says it when, and how often. Nothing happens where a
        setting says the number.
        """
        allow(scope, Action.INTAKE)
        report = IntakeReport()
        news = days or not rules.items() <= self._evaluated.items()
        if self.watched is not None or not news:
            return report
        with collector_paused(), self.record.unit(scope) as unit:
            cases = self._in_mind.within(scope, unit)
            known = unit.rule_events(scope)
            unit.count_events(scope, rules, ())
            after = unit.rule_events(scope)
            asked = turning(self.planner.policies.policies, after, days)
            before = unit.events_counted(scope, list(asked))
            unit.count_events(scope, {}, days)
            now = unit.events_counted(scope, list(asked))
            told: list[Reach] = []
            anew = [
                Reach("rule", rule, *YEARS_US)
                for rule, kinds in after.items()
                if kinds != known.get(rule)
            ]
            for (question, mine), old, new in zip(asked.items(), before, now, strict=True):
                since, end = question.first_day * DAY_US, (question.last_day + 1) * DAY_US
                if new > old and new >= self.fewest:
                    reaches = [Reach("rule", rule, since, end - 1) for rule in mine]
                    told += reaches
                    anew += reaches if old < self.fewest else []
            reader = self._reader(scope, unit, ())
            self._turn_brakes(scope, unit, cases, reader, [*told, *anew], anew, report)
        self._known.keep(reader.loaded)
        self._in_mind.keep(cases)
        self._evaluated |= rules
        return report

    def _turn_brakes(
        self,
        scope: Scope,
        unit: Unit,
        cases: CasesInUnit,
        reader: RecordReader,
        told: Collection[Reach],
        anew: Collection[Reach],
        report: IntakeReport,
    ) -> None:
        """Decide anew the alerts that brakes let go of, or hold back, now that more is known.

        A brake that could not tell before may hold back any alert (``anew``); one that could lets
        go of some.
        """
        braked = unit.braked(scope, told)
        alerts = {facts.id: facts for facts in [*reader.facts(braked), *reader.alerts_of(anew)]}
        policies = {one.alert: one.policy for one in unit.asides(scope, braked).values()}
        touched = turned(self.planner, reader, alerts.values(), policies)
        if touched:
            self._decide(scope, unit, cases, reader, touched, report)

    def wake(self, scope: Scope, now_us: int | None = None) -> IntakeReport:
        """Decide what has become due: an alert that should have followed another did not.

        ``now_us``: to when event time has come; None: as far as alerts show it. Run by a worker
        with the time of day, and after an import. The same again changes nothing.
        """
        allow(scope, Action.INTAKE)
        report = IntakeReport()
        while True:
            with self.record.unit(scope) as unit:
                cases = self._in_mind.within(scope, unit)
                if now_us is not None:
                    unit.passed(scope, min(now_us, self.clock.now_us()))
                due = unit.due_wakes(scope, self._as_of(scope, unit), BATCH)
                reader = self._reader(scope, unit, ())
                if due:
                    self._decide(scope, unit, cases, reader, reader.facts(due), report)
            self._known.keep(reader.loaded)
            self._in_mind.keep(cases)
            if not due:
                return report


def _received(alerts: Sequence[StoredAlert]) -> Draft:
    """That so many alerts came; the digest is over their ids and digests, a line each, sorted."""
    lines = sorted(f"{alert.id} {alert.digest}\n" for alert in alerts)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return Draft(EntryKind.ALERTS_RECEIVED, detail={"count": len(alerts), "digest": digest})
