"""The guard against tipping off: what the subject's institution may see of alerts and cases.

Two facts decide, whether the theme of the case is secret, and the kind of the alert. A report of
suspicion, and that there is one, is never shown; whatever is not known to be open needs a
supervisor's decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from casework.cases.alert import StoredAlert
from casework.cases.case import Case
from casework.cases.scope import Scope
from casework.cases.timeline import Entry, EntryKind


class Disclosure(StrEnum):
    """May the institution see it: of itself, by a supervisor's decision, or not at all."""

    OPEN = "open"
    DECIDED = "decided"
    NEVER = "never"


_NEVER_KINDS: Final = frozenset({"suspicion"})
OPEN_KINDS: Final = frozenset(
    {"breach", "limit", "deadline", "duty", "quality", "report", "warning"}
)
"""Kinds that may be shown whatever the theme."""


def disclosure(secret: bool, kind: str) -> Disclosure:
    """What of this kind may be shown of a case whose theme is secret or not.

    An indicator in a secret theme, such as financial crime, is a suspicion in the making: never.
    """
    if kind in _NEVER_KINDS:
        return Disclosure.NEVER
    if secret and kind not in OPEN_KINDS:
        return Disclosure.NEVER
    return Disclosure.OPEN if kind in OPEN_KINDS else Disclosure.DECIDED


def showable(secret: bool, kind: str, shared: bool) -> bool:
    """Whether an alert of the kind may be shown now; ``shared``: a supervisor decided so."""
    found = disclosure(secret, kind)
    return found is Disclosure.OPEN or (shared and found is Disclosure.DECIDED)


def visible(case: Case) -> bool:
    """Whether the institution may know that there is the case: something in it may be shown.

    Of a case about several institutions everything has to be: what may be shown could be another's
    alone, and the case would then tell of a suspicion against this one.
    """
    may = [showable(case.secret, kind, case.shared) for kind in case.alert_kinds]
    return any(may) if len(case.tenants) <= 1 else bool(may) and all(may)


def sees(scope: Scope, case: Case) -> bool:
    """Whether the case exists for the scope. Where not, it is as absent as one never made."""
    if not scope.reaches(case.jurisdiction, case.tenants):
        return False
    return not scope.restricted or visible(case)


def sees_alert(scope: Scope, alert: StoredAlert) -> bool:
    """Whether the alert exists for the scope, by itself: without a case nothing is shared."""
    if not scope.reaches(alert.jurisdiction, (alert.tenant,)):
        return False
    return not scope.restricted or disclosure(False, alert.kind) is Disclosure.OPEN


def own_part(scope: Scope, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """An alert as far as it is the institutions' own: what detectors found is of others as well.

    A ring of payments names customers of other institutions, and events that these reported. The
    group of a party may be known from another institution alone.
    """
    if scope.tenants is None:
        return body
    subject = body.get("subject")
    if isinstance(subject, dict) and "group" in subject:
        body = {**body, "subject": {k: v for k, v in subject.items() if k != "group"}}
    if not body.get("findings"):
        return body
    return {k: [] if k == "events" else v for k, v in body.items() if k != "findings"}


def alerts_shown(case: Case, alerts: Iterable[StoredAlert], scope: Scope) -> list[StoredAlert]:
    """The alerts of a visible case that a scope may see: an institution its own, open ones."""
    if not scope.restricted:
        return list(alerts)
    return [
        alert
        for alert in alerts
        if scope.reaches(alert.jurisdiction, (alert.tenant,))
        and showable(case.secret, alert.kind, case.shared)
    ]


def institution_view(
    case: Case, alerts: Iterable[StoredAlert], timeline: Iterable[Entry], scope: Scope
) -> dict[str, Any]:
    """All that an institution is shown of a visible case.

    Nothing in it moves when something happens that it may not know of: whether there is work left
    (not in which state), its own alerts that are open with their own dates, what was said to it
    and by it. No version, priority, severity, assignee, outcome or count of the whole case.
    """
    shown = alerts_shown(case, alerts, scope)
    bodies = [alert.body() for alert in shown]
    return {
        "case": case.id,
        "theme": case.theme,
        "jurisdiction": case.jurisdiction,
        "open": not case.ended,
        "alerts": [
            {
                "id": alert.id,
                "rule": alert.rule,
                "kind": alert.kind,
                "time": body["time"],
                "due": body.get("due"),
                "explanation": body.get("explanation"),
            }
            for alert, body in zip(shown, bodies, strict=True)
        ],
        "messages": [_message(entry) for entry in timeline if _said(entry, scope)],
    }


def _said(entry: Entry, scope: Scope) -> bool:
    if not entry.shared or entry.kind not in (EntryKind.COMMENTED, EntryKind.FILE_ADDED):
        return False
    by = entry.detail.get("institution")
    return by is None or scope.tenants is None or by in scope.tenants


def _message(entry: Entry) -> Mapping[str, Any]:
    content: dict[str, Any] = {
        "at_us": entry.at_us,
        # Who of the authority works the case is not the institution's to know.
        "by": entry.detail.get("institution") or "authority",
    }
    for name in ("text", "name", "sha256"):
        if name in entry.detail:
            content[name] = entry.detail[name]
    return content
