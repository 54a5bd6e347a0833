"""Alerts, as they were written; what is personal is masked by role."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from casework.api.types.cases import CaseLine
from casework.api.types.common import AnyObject, PageOf, Shown, Text


class Alert(Shown):
    """An alert. It has more fields than are named here: see the reference of alerts."""

    model_config = ConfigDict(extra="allow")

    id: str
    rule: str
    pack: str
    jurisdiction: str
    kind: str
    severity: str
    time: str
    outcome: str | None = None
    subject: AnyObject
    measures: AnyObject = Field(default_factory=dict)
    cite: AnyObject | None = None
    due: str | None = None
    explanation: Text | None = None


class AlertPage(PageOf):
    """Alerts, the latest event time first."""

    items: list[Alert]


class AlertConflict(Shown):
    """An alert that came with another content under a known id; the known one stays in force."""

    alert: str
    rule: str
    tenant: str
    digest: str
    known: str
    received: str


class ConflictPage(PageOf):
    """Alerts that came with another content under a known id."""

    items: list[AlertConflict]


class CasesOfAlert(Shown):
    """The cases that have the alert now."""

    items: list[CaseLine]


class Party(Shown):
    """What is known of a party, an account, a device or a person: its alerts and cases."""

    kind: str
    key: str
    alerts: list[Alert]
    cases: list[CaseLine]
    more: bool = Field(description="Whether there are more alerts in the time than are shown.")
