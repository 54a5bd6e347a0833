"""Alerts in: kept once, held against the policies, put into cases, in one transaction a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from casework.cases.alert import StoredAlert, severity_rank
from casework.cases.case import Case, State
from casework.cases.directive import CaseDirective, Disposition
from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.cases.sla import Jurisdictions
from casework.cases.timeline import Draft, EntryKind, changed
from casework.ports import Matcher, Record, Unit
from casework.service.base import Base
from regtech.clock import Clock
from regtech.errors import ConflictError, InternalError

BATCH: Final = 2000
"""Alerts of one transaction."""
_TRIES: Final = 5


@dataclass
class IntakeReport:
    """What became of alerts; ``conflicts`` are the ids that came with another content."""

    new: int = 0
    repeated: int = 0
    conflicts: list[str] = field(default_factory=list)
    opened: int = 0
    changed: int = 0

    def add(self, other: IntakeReport) -> None:
        """Count another batch in."""
        self.new += other.new
        self.repeated += other.repeated
        self.conflicts += other.conflicts
        self.opened += other.opened
        self.changed += other.changed

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "new": self.new,
            "repeated": self.repeated,
            "conflicts": list(self.conflicts),
            "cases_opened": self.opened,
            "cases_changed": self.changed,
        }


class AlertIntake(Base):
    """Takes alerts. The same again changes nothing, so that whoever is not sure sends again."""

    def __init__(
        self, record: Record, clock: Clock, jurisdictions: Jurisdictions, matcher: Matcher
    ) -> None:
        super().__init__(record, clock, jurisdictions)
        self.matcher = matcher

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
                with self.record.unit(scope) as unit:
                    return self._in(scope, unit, alerts)
            except ConflictError:
                # Another worker opened the same case in between; now it is there to be found.
                if attempt == _TRIES - 1:
                    raise
        raise InternalError("no try was made")

    def _in(self, scope: Scope, unit: Unit, alerts: Sequence[StoredAlert]) -> IntakeReport:
        taken = unit.add_alerts(scope, alerts)
        report = IntakeReport(len(taken.new), taken.repeated, list(taken.conflicts))
        if not taken.new:
            return report
        by_id = {alert.id: alert for alert in reversed(alerts)}
        new = [by_id[alert_id] for alert_id in taken.new]
        by_tenant: dict[str, list[StoredAlert]] = {}
        for alert in new:
            by_tenant.setdefault(alert.tenant, []).append(alert)
        for tenant in sorted(by_tenant):
            unit.log(scope, tenant, _received(by_tenant[tenant]))
        self._apply(scope, unit, self.matcher.directives(scope, new, unit), by_id, report)
        return report

    def _apply(
        self,
        scope: Scope,
        unit: Unit,
        directives: Sequence[CaseDirective],
        known: Mapping[str, StoredAlert],
        report: IntakeReport,
    ) -> None:
        opening = [d for d in directives if d.disposition in _OPENING]
        ids = [directive.case_id for directive in opening]
        unit.find(scope, ids)
        held = unit.held(scope, ids)
        missing = {
            alert_id: None
            for directive in opening
            for alert_id in directive.alert_ids
            if alert_id not in known and alert_id not in held.get(directive.case_id, ())
        }
        loaded = {**known, **{a.id: a for a in unit.alerts(scope, list(missing))}}
        for directive in opening:
            # Asked again each time: a merged case before it may have passed alerts on to this one.
            ask = (directive.case_id,)
            had = unit.held(scope, ask).get(directive.case_id, frozenset())
            alerts = [
                loaded[alert_id]
                for alert_id in dict.fromkeys(directive.alert_ids)
                if alert_id in loaded and alert_id not in had
            ]
            if not alerts:
                continue
            case = unit.find(scope, ask).get(directive.case_id)
            if case is None:
                self._open(scope, unit, directive, alerts)
                report.opened += 1
            else:
                self._add(scope, unit, case, directive, alerts)
                report.changed += 1
        for directive in directives:
            if directive.disposition not in _OPENING:
                unit.dispose(scope, directive.alert_ids, directive.disposition)

    def _open(
        self,
        scope: Scope,
        unit: Unit,
        directive: CaseDirective,
        alerts: Sequence[StoredAlert],
    ) -> None:
        tenants = tuple(sorted(set(directive.tenants)))
        case = Case(
            id=directive.case_id,
            version=0,
            policy=directive.policy,
            policy_version=directive.policy_version,
            theme=directive.theme,
            key_kind=directive.key_kind,
            key=directive.key,
            jurisdiction=directive.jurisdiction,
            tenants=tenants,
            # A case about several institutions is the regulator's own matter.
            chain=tenants[0] if len(tenants) == 1 else "",
            state=State.NEW,
            severity=directive.severity,
            priority=directive.priority,
            queue=directive.queue,
            reason=dict(directive.reason),
            opened_us=0,
            changed_us=0,
            due_us=directive.due_us,
            warn_us=self.warn_at(directive.jurisdiction, directive.due_us),
            snoozed_until_us=directive.snoozed_until_us,
            alert_count=len(alerts),
            alert_kinds=tuple(sorted({alert.kind for alert in alerts})),
        )
        made = unit.open(scope, case, {"alerts": _pairs(alerts)})
        unit.attach(scope, made.id, alerts)

    def _add(
        self,
        scope: Scope,
        unit: Unit,
        case: Case,
        directive: CaseDirective,
        alerts: Sequence[StoredAlert],
    ) -> None:
        if case.merged_into is not None:
            self._pass_on(scope, unit, case, directive, alerts)
            return
        unit.attach(scope, case.id, alerts)
        after = unit.append(scope, case.id, case.version, [self._added(case, directive, alerts)])
        if case.ended:
            unit.settle(scope, after)

    def _pass_on(
        self,
        scope: Scope,
        unit: Unit,
        case: Case,
        directive: CaseDirective,
        alerts: Sequence[StoredAlert],
    ) -> None:
        """Alerts of a merged case go where it went; the case remembers that they came to it."""
        target = case
        while target.merged_into is not None:
            target = unit.case(scope, target.merged_into)
        unit.attach(scope, case.id, alerts)
        there = unit.held(scope, (target.id,)).get(target.id, frozenset())
        new = [alert for alert in alerts if alert.id not in there]
        unit.move(scope, case.id, target.id, [alert.id for alert in alerts])
        if new:
            draft = self._added(target, directive, new)
            draft = replace(draft, detail={**draft.detail, "from": case.id})
            after = unit.append(scope, target.id, target.version, [draft])
            if target.ended:
                unit.settle(scope, after)

    def _added(self, case: Case, directive: CaseDirective, alerts: Sequence[StoredAlert]) -> Draft:
        """What new alerts make of a case: only ever more pressing, and open again if it ended."""
        due = min((d for d in (case.due_us, directive.due_us) if d is not None), default=None)
        fields: dict[str, Any] = {
            "severity": max(case.severity, directive.severity, key=severity_rank),
            "priority": max(case.priority, directive.priority),
            "tenants": tuple(sorted({*case.tenants, *directive.tenants})),
            "alert_count": case.alert_count + len(alerts),
            "alert_kinds": tuple(sorted({*case.alert_kinds, *(alert.kind for alert in alerts)})),
        }
        if due != case.due_us:
            fields |= {
                "due_us": due,
                "warn_us": self.warn_at(case.jurisdiction, due),
                "clock_told": "",
            }
        if case.ended:
            fields |= {"state": State.REOPENED, "outcome": None, "closing_reason": ""}
        fields = {name: value for name, value in fields.items() if getattr(case, name) != value}
        draft = changed(EntryKind.ALERTS_ADDED, case, **fields)
        return replace(draft, detail={"alerts": _pairs(alerts)})


_OPENING: Final = (Disposition.OPEN, Disposition.SNOOZED)


def _pairs(alerts: Iterable[StoredAlert]) -> list[list[str]]:
    return [[alert.id, alert.digest] for alert in alerts]


def _received(alerts: Sequence[StoredAlert]) -> Draft:
    """That so many alerts came; the digest is over their ids and digests, a line each, sorted."""
    lines = sorted(f"{alert.id} {alert.digest}\n" for alert in alerts)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return Draft(EntryKind.ALERTS_RECEIVED, detail={"count": len(alerts), "digest": digest})
