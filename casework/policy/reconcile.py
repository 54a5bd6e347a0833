"""What a new plan changes in the cases that are there: a pure comparison, in a fixed order.

A late alert can come before the first alert of a case, or bring two cases together: the plan then
names another case, and the old one is merged into it (its timeline and its id are kept; who looks
for the old id is led on). What people closed is never torn apart: alerts that a closed case has
stay in it, also where the plan has them in another case as well. And a case that a person closed
keeps its id for good: where a plan has its alerts together with an earlier one, it is that case,
open again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from casework.cases.directive import AsideDirective, CaseDirective, Plan
from casework.cases.plans import key_digest


@dataclass(frozen=True, slots=True)
class CurrentCase:
    """A case as the record has it: what it was last given (``said``), and the alerts that policies
    put into it, wherever a person may have moved them since. ``closed``: by a person; ``kept``: so
    it was once, and alerts opened it again. ``keys``: digests of the keys whose alerts come to it.
    """

    said: str
    alerts: frozenset[str]
    closed: bool = False
    kept: bool = False
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """Open this case with its alerts."""

    directive: CaseDirective


@dataclass(frozen=True, slots=True)
class AddedAlerts:
    """Put these alerts, in their order, into a case that is there, perhaps a closed one."""

    case: str
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RevisedCase:
    """Another queue, priority, severity, clock or text than the case was last given."""

    directive: CaseDirective


@dataclass(frozen=True, slots=True)
class TakenAlerts:
    """These alerts leave an open case: they are in another case, or aside, from now on."""

    case: str
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergedCase:
    """An open case is no longer planned; ``into`` has its alerts, or most of them."""

    case: str
    into: str


@dataclass(frozen=True, slots=True)
class WithdrawnCase:
    """All alerts of an open case are aside now (braked, suppressed), for the reason given there."""

    case: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """Show this alert aside."""

    directive: AsideDirective


Change = (
    OpenedCase | AddedAlerts | RevisedCase | TakenAlerts | MergedCase | WithdrawnCase | SetAside
)


def named(cases: Mapping[str, CurrentCase], plan: Plan) -> Plan:
    """The plan with the ids that cases keep, since a person closed them.

    Of several such cases that a planned one has alerts of, it is the one with the earliest. Alerts
    that came after the closing change nothing of that, in whatever order.
    """
    kept = {name: case for name, case in cases.items() if case.closed or case.kept}
    free = set(kept) - {planned.case for planned in plan.cases}
    if not free:
        return plan
    found: list[CaseDirective] = []
    for planned in plan.cases:
        if planned.case not in kept:
            key = key_digest(planned.key)
            mine = [name for name in free if key in kept[name].keys]
            name = _first_of(planned, {name: kept[name].alerts for name in mine})
            if name is not None:
                free.discard(name)
                planned = replace(planned, case=name)
        found.append(planned)
    return replace(plan, cases=tuple(found))


def _first_of(planned: CaseDirective, alerts: Mapping[str, frozenset[str]]) -> str | None:
    """The case that has the earliest of the planned alerts; None where none has any."""
    for alert in planned.alerts:
        having = sorted(name for name, mine in alerts.items() if alert in mine)
        if having:
            return having[0]
    return None


def changes(
    cases: Mapping[str, CurrentCase], aside: Mapping[str, AsideDirective], plan: Plan
) -> tuple[Change, ...]:
    """What is to be done so that the record says what the plan says.

    ``cases``: every case that has an alert of the plan's scope, or an id of its cases; ``aside``:
    alerts of the scope that are aside. Applying the changes and asking again gives no change.
    """
    found: list[Change] = []
    reopened = set[str]()
    """Closed cases that get alerts from before they were closed: people look at them again."""
    places = {alert: case.case for case in plan.cases for alert in case.alerts}
    for planned in plan.cases:
        known = cases.get(planned.case)
        if known is None:
            found.append(OpenedCase(planned))
            continue
        new = tuple(alert for alert in planned.alerts if alert not in known.alerts)
        if new:
            found.append(AddedAlerts(planned.case, new))
            reopened.add(planned.case)
        if said(planned) != known.said and (new or not known.closed):
            found.append(RevisedCase(planned))
    wanted = {case.case for case in plan.cases}
    for name in sorted(cases):
        known = cases[name]
        mine = known.alerts & plan.scope
        if (known.closed and name not in reopened) or not mine:
            continue
        if name not in wanted and mine == known.alerts:
            where = Counter(places[alert] for alert in mine if alert in places)
            if where:
                best = min(where, key=lambda case: (-where[case], case))
                found.append(MergedCase(name, best))
            else:
                found.append(WithdrawnCase(name))
            continue
        gone = tuple(sorted(alert for alert in mine if places.get(alert) != name))
        if gone:
            found.append(TakenAlerts(name, gone))
    found += [SetAside(item) for item in plan.aside if aside.get(item.alert) != item]
    return tuple(found)


def said(directive: CaseDirective) -> str:
    """A digest of what a case is revised for where it changes.

    Not its alerts, which are added one by one.
    """
    content = (
        directive.policy_version,
        directive.priority,
        directive.queue,
        directive.severity,
        directive.due_at,
        directive.due_basis,
        directive.saturated,
        directive.theme,
        directive.tenants,
        directive.jurisdictions,
        sorted(directive.reason.items()),
    )
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
