"""What policies decided, brought into the cases: each change on record, with its policy.

People and policies work on the same cases. What a person did stays: a case that a person closed
keeps its alerts, alerts that a person moved stay where they are, a priority or date that a person
set gives way only to something more pressing, and what was done with a case goes along when a
policy merges it into another.

More than 500 lines: one unit of work, whose steps share what they read and what they change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from casework.cases.alert import StoredAlert, severity_rank
from casework.cases.case import Case, Link, Outcome, State
from casework.cases.directive import CaseDirective, Plan
from casework.cases.plans import due_us, planned, revised
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, EntryKind, changed
from casework.policy.reconcile import (
    AddedAlerts,
    CurrentCase,
    MergedCase,
    OpenedCase,
    RevisedCase,
    SetAside,
    TakenAlerts,
    WithdrawnCase,
    changes,
    named,
    said,
)
from casework.ports import Unit
from casework.service.base import Base


@dataclass
class Placed:
    """What became of cases and alerts, by number; ``aside`` by disposition."""

    opened: int = 0
    changed: int = 0
    merged: int = 0
    withdrawn: int = 0
    aside: Counter[str] = field(default_factory=Counter)

    def add(self, other: Placed) -> None:
        """Count others in."""
        self.opened += other.opened
        self.changed += other.changed
        self.merged += other.merged
        self.withdrawn += other.withdrawn
        self.aside += other.aside


class Placing(Base):
    """Applies plans within a transaction."""

    def join(
        self,
        scope: Scope,
        unit: Unit,
        joined: Sequence[CaseDirective],
        fresh: Mapping[str, StoredAlert],
    ) -> Placed:
        """Put alerts that came just now into cases that are there: those of each directive."""
        unit.prepare(scope, [directive.case for directive in joined])
        work = _Work(self, scope, unit, {}, fresh, {})
        for directive in joined:
            work.added(directive, directive.alerts)
        return work.done

    def place(
        self, scope: Scope, unit: Unit, plan: Plan, fresh: Mapping[str, StoredAlert]
    ) -> Placed:
        """Bring cases and alerts in line with a plan. ``fresh``: alerts that came just now."""
        old = [alert_id for alert_id in plan.scope if alert_id not in fresh]
        placed = unit.placed(scope, old)
        cases = unit.find(scope, {*placed, *(case.case for case in plan.cases)})
        current = {
            name: CurrentCase(
                said=case.planned.get("said", ""),
                alerts=placed.get(name, frozenset()),
                closed=case.ended and case.merged_into is None,
                kept=bool(case.planned.get("kept")) and case.merged_into is None,
                keys=frozenset(case.planned.get("keys", ())),
            )
            for name, case in cases.items()
            if not case.withdrawn
        }
        aside = unit.asides(scope, old)
        plan = named(current, plan)
        found = changes(current, aside, plan)
        away = {
            alert: _where(scope, unit, alert, to)
            for name, mine in placed.items()
            for alert, to in unit.moved(scope, name).items()
            if alert in mine
        }
        work = _Work(self, scope, unit, {case.case: case for case in plan.cases}, fresh, away)
        back = [alert for case in plan.cases for alert in case.alerts if alert in aside]
        if back:
            unit.take_back(scope, back)
        added = {change.case: change.alerts for change in found if isinstance(change, AddedAlerts)}
        for change in found:
            match change:
                case OpenedCase(directive):
                    work.opened(directive)
                case AddedAlerts(name, alerts):
                    work.added(work.directives[name], alerts)
                case RevisedCase(directive):
                    if directive.case not in added:
                        work.revised(directive)
                case TakenAlerts(name, alerts):
                    work.taken(name, alerts)
                case MergedCase(name, into):
                    work.merged(name, into)
                case WithdrawnCase(name):
                    work.withdrawn(name)
                case SetAside():
                    pass
        new = [change.directive for change in found if isinstance(change, SetAside)]
        if new:
            unit.set_aside(scope, new)
            work.done.aside.update(item.outcome.value for item in new)
        if old or plan.wakes:
            unit.set_wakes(scope, old, plan.wakes)
        return work.done


class _Work:
    """The changes of one decision, one after the other."""

    def __init__(
        self,
        base: Base,
        scope: Scope,
        unit: Unit,
        directives: Mapping[str, CaseDirective],
        fresh: Mapping[str, StoredAlert],
        away: Mapping[str, str],
    ) -> None:
        self.base, self.scope, self.unit, self.fresh = base, scope, unit, fresh
        self.away = away
        """Alerts that a person moved out of the case that a policy had put them into."""
        self.directives = directives
        self.done = Placed()

    # --- what cases get

    def opened(self, directive: CaseDirective) -> None:
        """A new case, or one that a policy had ended and that is wanted again."""
        alerts = self._alerts(directive.alerts)
        known = self.unit.find(self.scope, (directive.case,)).get(directive.case)
        self.done.opened += 1
        if known is not None:
            self._add(known, directive, alerts, again=True)
            return
        tenants = directive.tenants
        here = [alert for alert in alerts if alert.id not in self.away]
        due = due_us(directive)
        plan = planned(directive, said(directive), {})
        case = Case(
            id=directive.case,
            version=0,
            policy=directive.policy,
            policy_version=directive.policy_version,
            theme=directive.theme,
            key_kind=directive.key.kind.partition("+")[0],
            key=directive.key.values[0],
            jurisdiction=directive.jurisdiction,
            tenants=tenants,
            # A case about several institutions is the regulator's own matter.
            chain=tenants[0] if len(tenants) == 1 else "",
            state=State.NEW,
            severity=directive.severity,
            priority=plan["priority"],
            queue=directive.queue,
            reason=dict(directive.reason),
            opened_us=0,
            changed_us=0,
            due_us=due,
            warn_us=self.base.warn_at(directive.jurisdiction, due),
            alert_count=len(here),
            alert_kinds=_kinds(here),
            secret=self.base.themes.of(directive.theme).secret,
            planned=plan,
        )
        detail = {"alerts": _pairs(alerts), **_by(directive)}
        if directive.saturated:
            detail["saturated"] = True
        self.unit.open(self.scope, case, detail)
        self.unit.attach(self.scope, case.id, alerts)
        self._stay(case.id, alerts)

    def _stay(self, case_id: str, alerts: Sequence[StoredAlert]) -> frozenset[str]:
        """Alerts that a person moved stay where they are: they are the case's, but not in it."""
        going: dict[str, list[str]] = {}
        for alert in alerts:
            to = self.away.get(alert.id, case_id)
            if to != case_id:
                going.setdefault(to, []).append(alert.id)
        for to, ids in sorted(going.items()):
            self.unit.move(self.scope, case_id, to, ids)
        return frozenset(alert_id for ids in going.values() for alert_id in ids)

    def added(self, directive: CaseDirective, alert_ids: Sequence[str]) -> None:
        """More alerts for a case; one that a person closed is open again."""
        case = self.unit.case(self.scope, directive.case)
        self._add(case, directive, self._alerts(alert_ids))
        self.done.changed += 1

    def _add(
        self,
        case: Case,
        directive: CaseDirective,
        alerts: Sequence[StoredAlert],
        *,
        again: bool = False,
    ) -> None:
        if case.merged_into is not None and not again:
            self._pass_on(case, directive, alerts)
            return
        arrived = self.unit.attach(self.scope, case.id, alerts)
        arrived -= self._stay(case.id, [alert for alert in alerts if alert.id in arrived])
        new = [alert for alert in alerts if alert.id in arrived]
        fields = self._said(case, directive)
        if case.ended and not again:
            fields["planned"] = {**fields["planned"], "kept": True}
        fields |= {
            "alert_count": case.alert_count + len(new),
            "alert_kinds": tuple(sorted({*case.alert_kinds, *(alert.kind for alert in new)})),
        }
        if case.ended:
            fields |= {"state": State.REOPENED, "outcome": None, "closing_reason": ""}
            fields["merged_into"] = None
        draft = _changed(EntryKind.ALERTS_ADDED, case, fields)
        self._append(case, replace(draft, detail={"alerts": _pairs(alerts), **_by(directive)}))

    def _pass_on(self, case: Case, directive: CaseDirective, alerts: Sequence[StoredAlert]) -> None:
        """Alerts of a case that a person merged go where it went; the case remembers them."""
        target = case
        while target.merged_into is not None:
            target = self.unit.case(self.scope, target.merged_into)
        there = {alert.id for alert in self.unit.case_alerts(self.scope, target.id)}
        self.unit.attach(self.scope, case.id, alerts)
        self.unit.move(self.scope, case.id, target.id, [alert.id for alert in alerts])
        self._keep_said(case, directive)
        new = [alert for alert in alerts if alert.id not in there]
        plan = planned(directive, said(directive), {})
        due = min((d for d in (target.due_us, plan["due_us"]) if d is not None), default=None)
        fields: dict[str, Any] = {
            "severity": max(target.severity, directive.severity, key=severity_rank),
            "priority": max(target.priority, plan["priority"]),
            "tenants": tuple(sorted({*target.tenants, *directive.tenants})),
            "alert_count": target.alert_count + len(new),
            "alert_kinds": tuple(sorted({*target.alert_kinds, *(alert.kind for alert in new)})),
            **self._due(target, due),
        }
        if target.ended:
            fields |= {"state": State.REOPENED, "outcome": None, "closing_reason": ""}
        draft = _changed(EntryKind.ALERTS_ADDED, target, fields)
        detail = {"alerts": _pairs(new), "from": case.id, **_by(directive)}
        self._append(target, replace(draft, detail=detail))

    def revised(self, directive: CaseDirective) -> None:
        """The policy says something else of a case than before."""
        case = self.unit.case(self.scope, directive.case)
        if case.merged_into is not None:
            self._keep_said(case, directive)
            return
        draft = _changed(EntryKind.REVISED, case, self._said(case, directive))
        self._append(case, replace(draft, detail=_by(directive)))
        self.done.changed += 1

    def _keep_said(self, case: Case, directive: CaseDirective) -> None:
        """On record with a case that a person merged away: the rest of it stays as it ended."""
        plan = planned(directive, said(directive), case.planned)
        draft = _changed(EntryKind.REVISED, case, {"planned": plan})
        self._append(case, replace(draft, detail=_by(directive)))

    def _said(self, case: Case, directive: CaseDirective) -> dict[str, Any]:
        """Fields of a case as a directive says them, people's changes left alone."""
        plan = planned(directive, said(directive), case.planned)
        guests = self._guests(case)
        fields = {
            "policy_version": directive.policy_version,
            # And as severe as the worst of what others brought: closing that takes two persons.
            "severity": _worst(directive.severity, guests),
            "theme": directive.theme,
            "secret": self.base.themes.of(directive.theme).secret,
            # A case that people merged others into is about their institutions as well.
            "tenants": _about(directive.tenants, guests),
            "reason": dict(directive.reason),
            "planned": plan,
            **revised(case, plan),
        }
        if "due_us" in fields:
            fields |= self._due(case, fields["due_us"])
        return fields

    def _guests(self, case: Case) -> Sequence[StoredAlert]:
        """The alerts of a case where some of them came from other cases; else none is asked for."""
        if not case.planned.get("guests") and len(case.planned.get("keys", ())) < 2:
            return ()
        return self.unit.case_alerts(self.scope, case.id)

    def _due(self, case: Case, due: int | None) -> dict[str, Any]:
        if due == case.due_us:
            return {}
        warn = self.base.warn_at(case.jurisdiction, due)
        return {"due_us": due, "warn_us": warn, "clock_told": ""}

    # --- what cases lose

    def taken(self, name: str, alert_ids: Sequence[str]) -> None:
        """Alerts leave an open case: they are in another, or aside."""
        case = self.unit.case(self.scope, name)
        self.done.changed += 1
        self._leave(case, alert_ids)

    def _leave(self, case: Case, alert_ids: Sequence[str]) -> Case:
        gone = self.unit.unplace(self.scope, case.id, alert_ids)
        if not gone or case.merged_into is not None:
            return case
        going = [alert for alert in self._alerts(alert_ids) if alert.id in gone]
        staying = self.unit.case_alerts(self.scope, case.id)
        fields = {"alert_count": len(staying), "alert_kinds": _kinds(staying)}
        draft = _changed(EntryKind.ALERTS_MOVED, case, fields)
        detail = {"alerts": _pairs(going), "policy": case.policy}
        return self._append(case, replace(draft, detail=detail))

    def merged(self, name: str, into: str) -> None:
        """A policy ends a case whose alerts another one has; the work on it goes along."""
        case = self._emptied(name)
        if case is None:
            self._follow(name, into)
            return
        target = self.unit.case(self.scope, into)
        while target.merged_into is not None:
            target = self.unit.case(self.scope, target.merged_into)
        guests = self.unit.case_alerts(self.scope, name)
        arriving: list[StoredAlert] = []
        if guests:
            there = {alert.id for alert in self.unit.case_alerts(self.scope, target.id)}
            arriving = [alert for alert in guests if alert.id not in there]
            self.unit.move(self.scope, name, target.id, [alert.id for alert in guests])
        reason = f"its alerts are in {target.id} now"
        self._end(case, EntryKind.MERGED, "merged", reason, target.id, Outcome.DUPLICATE)
        self._append(target, self._taken_over(target, case, arriving))
        self.done.merged += 1

    def _follow(self, name: str, into: str) -> None:
        """A person merged a case, and its alerts have another now: that one goes the same way."""
        case = self.unit.case(self.scope, into)
        target = self.unit.case(self.scope, name)
        while target.merged_into is not None:
            target = self.unit.case(self.scope, target.merged_into)
        if case.version > 1 or target.id == case.id:
            return  # somebody works on it, or it is the one
        there = {alert.id for alert in self.unit.case_alerts(self.scope, target.id)}
        moving = self.unit.case_alerts(self.scope, into)
        new = [alert for alert in moving if alert.id not in there]
        self.unit.move(self.scope, into, target.id, [alert.id for alert in moving])
        fields: dict[str, Any] = {
            "state": State.CLOSED,
            "outcome": Outcome.DUPLICATE,
            "closing_reason": f"{name} was merged into {target.id}",
            "merged_into": target.id,
            "alert_count": 0,
        }
        draft = _changed(EntryKind.MERGED, case, fields)
        detail = {"alerts": _pairs(moving), "into": target.id}
        self._append(case, replace(draft, detail=detail))
        keys = {*target.planned.get("keys", ()), *case.planned["keys"]}
        due = min((d for d in (target.due_us, case.due_us) if d is not None), default=None)
        fields = {
            "severity": _worst(target.severity, new),
            "priority": max(target.priority, case.priority),
            "tenants": tuple(sorted({*target.tenants, *case.tenants})),
            "alert_count": target.alert_count + len(new),
            "alert_kinds": tuple(sorted({*target.alert_kinds, *_kinds(new)})),
            "planned": {**target.planned, "keys": sorted(keys), "guests": True},
            **self._due(target, due),
        }
        if target.ended:
            fields |= {"state": State.REOPENED, "outcome": None, "closing_reason": ""}
        draft = _changed(EntryKind.ALERTS_ADDED, target, fields)
        self._append(target, replace(draft, detail={"alerts": _pairs(new), "from": into}))

    def _taken_over(self, target: Case, case: Case, arriving: Sequence[StoredAlert]) -> Draft:
        fields: dict[str, Any] = {
            "links": (*target.links, *_new(target.links, [Link(case.id, "merged_from")])),
            "tags": tuple(sorted({*target.tags, *case.tags})),
            "checks": (*target.checks, *_new(target.checks, case.checks)),
            "files": (*target.files, *_new(target.files, case.files)),
            "shared": target.shared or case.shared,
            "assignee": target.assignee or case.assignee,
            "alert_count": target.alert_count + len(arriving),
            "alert_kinds": tuple(sorted({*target.alert_kinds, *(a.kind for a in arriving)})),
        }
        if arriving:
            fields["severity"] = _worst(target.severity, arriving)
            fields["tenants"] = _about(target.tenants, arriving)
            fields["planned"] = {**target.planned, "guests": True}
        if target.state is State.NEW and case.state is not State.NEW:
            waits = case.state is State.AWAITING_APPROVAL
            fields["state"] = State.INVESTIGATION if waits else case.state
        if case.priority != case.planned.get("priority"):
            fields["priority"] = case.priority
        if case.due_us != case.planned.get("due_us"):
            fields |= self._due(target, case.due_us)
        draft = _changed(EntryKind.TAKEN_OVER, target, fields)
        return replace(draft, detail={"from": case.id, "alerts": _pairs(arriving)})

    def withdrawn(self, name: str) -> None:
        """A policy ends a case all of whose alerts are aside."""
        case = self._emptied(name)
        if case is None:
            return
        staying = self.unit.case_alerts(self.scope, name)
        if staying:  # a person brought others
            fields = {"alert_count": len(staying), "alert_kinds": _kinds(staying)}
            self._append(case, _changed(EntryKind.REVISED, case, {"planned": {}}))
            case = self.unit.case(self.scope, name)
            self._append(case, _changed(EntryKind.ALERTS_MOVED, case, fields))
            return
        self._end(case, EntryKind.WITHDRAWN, "withdrawn", "all its alerts are aside", None, None)
        self.done.withdrawn += 1

    def _emptied(self, name: str) -> Case | None:
        """The case without what policies put into it; None where a person had merged it away."""
        case = self.unit.case(self.scope, name)
        mine = self.unit.placed_in(self.scope, name)
        self.unit.unplace(self.scope, name, mine)
        return None if case.merged_into is not None else case

    def _end(
        self,
        case: Case,
        kind: EntryKind,
        how: str,
        reason: str,
        into: str | None,
        outcome: Outcome | None,
    ) -> None:
        fields = {
            "state": State.CLOSED,
            "outcome": outcome,
            "closing_reason": reason,
            "merged_into": into,
            "snoozed_until_us": None,
            "requests": (),
            "alert_count": 0,
            "alert_kinds": (),
            "planned": {**case.planned, "ended": how, "keys": []},
        }
        draft = _changed(kind, case, fields)
        detail = {"policy": case.policy, "policy_version": case.policy_version}
        if into is not None:
            detail["into"] = into
        after = self._append(case, replace(draft, detail=detail))
        self.unit.settle(self.scope, after)

    # --- small things

    def _append(self, case: Case, draft: Draft) -> Case:
        if not draft.after and not draft.detail.get("alerts"):
            return case
        after = self.unit.append(self.scope, case.id, case.version, [draft])
        if case.ended and not after.ended:
            self.unit.settle(self.scope, after)
        return after

    def _alerts(self, alert_ids: Iterable[str]) -> list[StoredAlert]:
        """Alerts by id, in the order given."""
        ids = list(alert_ids)
        missing = [alert_id for alert_id in ids if alert_id not in self.fresh]
        loaded = {alert.id: alert for alert in self.unit.alerts(self.scope, missing)}
        found = (self.fresh.get(alert_id) or loaded.get(alert_id) for alert_id in ids)
        return [alert for alert in found if alert is not None]


def _where(scope: Scope, unit: Unit, alert: str, case_id: str) -> str:
    """The case to which people moved an alert in the end."""
    seen = {case_id}
    while (to := unit.moved(scope, case_id).get(alert)) is not None and to not in seen:
        seen.add(to)
        case_id = to
    return case_id


def _changed(kind: EntryKind, case: Case, fields: Mapping[str, Any]) -> Draft:
    """An entry of the fields that differ."""
    differing = {name: value for name, value in fields.items() if getattr(case, name) != value}
    return changed(kind, case, **differing)


def _by(directive: CaseDirective) -> dict[str, Any]:
    return {"policy": directive.policy, "policy_version": directive.policy_version}


def _new(known: Sequence[Any], more: Iterable[Any]) -> list[Any]:
    return [item for item in more if item not in known]


def _worst(severity: str, alerts: Iterable[StoredAlert]) -> str:
    return max((severity, *(alert.severity for alert in alerts)), key=severity_rank)


def _about(tenants: Iterable[str], alerts: Iterable[StoredAlert]) -> tuple[str, ...]:
    """The institutions that are named, and those of the alerts."""
    return tuple(sorted({*tenants, *({alert.tenant for alert in alerts} - {""})}))


def _kinds(alerts: Iterable[StoredAlert]) -> tuple[str, ...]:
    return tuple(sorted({alert.kind for alert in alerts}))


def _pairs(alerts: Iterable[StoredAlert]) -> list[list[str]]:
    return [[alert.id, alert.digest] for alert in alerts]
