"""What a new plan changes in the cases that are there: a pure comparison, in a fixed order.

A late alert can come before the first alert of a case, or bring two cases together: the plan then
names another case, and the old one is merged into it (its timeline and its id are kept; who looks
for the old id is led on). What people closed is never torn apart: alerts that a closed case has
stay in it, also where the plan has them in another case as well.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from casework.cases.directive import AsideDirective, CaseDirective, Plan


@dataclass(frozen=True, slots=True)
class CurrentCase:
    """A case as the record has it: what it was last given (``said``), and the alerts that policies
    put into it, wherever a person may have moved them since. ``closed``: by a person."""

    said: str
    alerts: frozenset[str]
    closed: bool = False


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


def changes(
    cases: Mapping[str, CurrentCase], aside: Mapping[str, AsideDirective], plan: Plan
) -> tuple[Change, ...]:
    """What is to be done so that the record says what the plan says.

    ``cases``: every case that has an alert of the plan's scope, or an id of its cases; ``aside``:
    alerts of the scope that are aside. Applying the changes and asking again gives no change.
    """
    found: list[Change] = []
    places = {alert: case.case for case in plan.cases for alert in case.alerts}
    for planned in plan.cases:
        known = cases.get(planned.case)
        if known is None:
            found.append(OpenedCase(planned))
            continue
        new = tuple(alert for alert in planned.alerts if alert not in known.alerts)
        if new:
            found.append(AddedAlerts(planned.case, new))
        if said(planned) != known.said and (new or not known.closed):
            found.append(RevisedCase(planned))
    wanted = {case.case for case in plan.cases}
    for name in sorted(cases):
        known = cases[name]
        mine = known.alerts & plan.scope
        if known.closed or not mine:
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
