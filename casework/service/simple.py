"""The plainest policy: one case for each subject and rulepack, as pressing as its alerts.

It stands behind the same port as the policies in YAML and shows what the port asks for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from casework.cases.alert import SEVERITIES, StoredAlert, instant, severity_rank
from casework.cases.directive import CaseDirective
from casework.cases.keys import KeyKind
from casework.cases.scope import Scope
from casework.cases.sla import SLA_WORKING_DAYS, Jurisdiction, Jurisdictions, due_after
from casework.ports import AlertsOf
from regtech.errors import InputError
from regtech.reference.civil import day_from_iso
from regtech.reference.zones import local_day_start_us

POLICY: Final = "subject-and-pack"
VERSION: Final = "1.0.0"
PRIORITIES: Final[Mapping[str, int]] = {
    "critical": 90,
    "high": 70,
    "medium": 50,
    "low": 30,
    "info": 10,
}
_THEMES: Final = (
    ("large-value", "large_value"),
    ("aml", "money_laundering"),
    ("fatf", "money_laundering"),
    ("typologies", "money_laundering"),
    ("payment-accounts", "money_laundering"),
    ("export", "data_export"),
    ("transfers", "data_export"),
    ("incidents", "incident"),
    ("data", "data_protection"),
    ("ownership", "ownership"),
    ("shareholders", "ownership"),
    ("lending", "lending"),
    ("credit", "lending"),
    ("exposures", "prudential"),
    ("basel", "prudential"),
    ("related-parties", "prudential"),
    ("asset-management", "prudential"),
)


def theme_of_pack(pack: str) -> str:
    """The theme that a pack's name speaks of."""
    return next((theme for word, theme in _THEMES if word in pack), "general")


class SimpleMatcher:
    """``casework.ports.Matcher`` with one built-in policy. A pure function of the alerts."""

    def __init__(self, jurisdictions: Jurisdictions) -> None:
        self._jurisdictions = jurisdictions

    def directives(
        self, scope: Scope, alerts: Sequence[StoredAlert], record: AlertsOf
    ) -> Sequence[CaseDirective]:
        groups: dict[tuple[str, str, str], list[tuple[StoredAlert, Mapping[str, Any]]]] = {}
        for alert in alerts:
            body = alert.body()
            key = next((v for kind, v in alert.keys() if kind is KeyKind.SUBJECT), alert.tenant)
            group = (alert.jurisdiction, alert.pack, key)
            groups.setdefault(group, []).append((alert, body))
        return [
            self._directive(where, pack, key, found)
            for (where, pack, key), found in sorted(groups.items())
        ]

    def _directive(
        self,
        where: str,
        pack: str,
        key: str,
        found: Sequence[tuple[StoredAlert, Mapping[str, Any]]],
    ) -> CaseDirective:
        alerts = sorted((alert for alert, _ in found), key=lambda alert: (alert.time_us, alert.id))
        severity = SEVERITIES[max(severity_rank(alert.severity) for alert in alerts)]
        titles = {lang: _titles(found, lang) for lang in ("en", "zh")}
        text = "\x1f".join((POLICY, KeyKind.SUBJECT, where, pack, key))
        return CaseDirective(
            case_id="C-" + hashlib.sha256(text.encode()).hexdigest()[:20],
            policy=POLICY,
            policy_version=VERSION,
            theme=theme_of_pack(pack),
            key_kind=KeyKind.SUBJECT.value,
            key=key,
            tenants=tuple(sorted({alert.tenant for alert in alerts})),
            jurisdiction=where,
            alert_ids=tuple(alert.id for alert in alerts),
            priority=PRIORITIES[severity],
            queue=where.lower(),
            severity=severity,
            due_us=self._earliest(where, found),
            reason=titles,
        )

    def _earliest(self, where: str, found: Sequence[tuple[StoredAlert, Mapping[str, Any]]]) -> int:
        """The first of all due dates: those that the alerts have, and the default for the rest."""
        due: list[int] = []
        first: dict[str, int] = {}
        for alert, body in found:
            given = body.get("due")
            if not given:
                first[alert.severity] = min(first.get(alert.severity, alert.time_us), alert.time_us)
                continue
            try:
                due.append(_due(self._jurisdictions.profile(where), str(given)))
            except ValueError:
                raise InputError(f"alert {alert.id} has no date as due: {given!r}") from None
        for severity, time_us in first.items():
            days = SLA_WORKING_DAYS.get(severity, SLA_WORKING_DAYS["medium"])
            due.append(due_after(self._jurisdictions.profile(where), time_us, days))
        return min(due)


def _due(where: Jurisdiction, text: str) -> int:
    """A time as it is; of a day the end, where the duty is."""
    if len(text) > len("2026-03-02"):
        return instant(text)
    return local_day_start_us(where.zone, day_from_iso(text) + 1) - 1


def _titles(found: Sequence[tuple[StoredAlert, Mapping[str, Any]]], lang: str) -> str:
    """What the most severe of the alerts says of itself."""
    alert, body = max(found, key=lambda pair: (severity_rank(pair[0].severity), pair[0].id))
    said = body.get("explanation") or {}
    return str(said.get(lang) or said.get("en") or alert.rule)
