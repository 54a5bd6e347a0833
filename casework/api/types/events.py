"""Events in, decisions out, quarantine, bulk intakes."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from casework.api.types.alerts import Alert
from casework.api.types.common import PageOf, Shown

EXAMPLE: dict[str, Any] = {
    "id": "3",
    "type": "transaction",
    "time": "2026-03-02T16:30:00+08:00",
    "reporter": "BANK",
    "payee": {"id": "C1"},
    "channel": "cash",
    "kind": "deposit",
    "amount": "50000",
    "currency": "CNY",
}


class Refusal(Shown):
    """Why an event was not judged; it lies in the quarantine under `number`."""

    field: str = Field(description="Dotted path; empty: the whole event.")
    code: str = Field(description="A reason of the quarantine.")
    found: str
    expected: str
    number: int


class Decision(Shown):
    """What one event brought."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"verdict": "judged", "alerts": [], "cannot_tell": [], "refusal": None}
        }
    )

    verdict: str = Field(description="judged, repeated, late, conflict or refused.")
    alerts: list[Alert] = Field(description="What was found, as far as the caller may know it.")
    cannot_tell: list[str] = Field(description="Rules that lacked a fact.")
    refusal: Refusal | None = None


class Job(Shown):
    """A file of events, and how far it is."""

    id: str
    state: str = Field(description="waiting, running, done, cancelled or failed.")
    made: str
    changed: str
    sha256: str = Field(description="Of the file that was taken over.")
    size: int = Field(description="Bytes.")
    at: int = Field(description="Bytes that were judged.")
    lines: int = Field(description="Events that were judged or set aside.")
    counts: dict[str, int] = Field(
        description="judged, repeated, refused, late, conflict; and alerts."
    )
    error: str


class JobPage(PageOf):
    """Jobs, newest first."""

    items: list[Job]


class Quarantined(Shown):
    """An event that could not be judged. `raw` is shown to those who sent it alone."""

    number: int
    tenant: str
    received: str
    source: str
    line: int
    field: str
    code: str
    found: str
    expected: str
    state: str
    raw: str | None


class QuarantinePage(PageOf):
    """Quarantined events, oldest first."""

    items: list[Quarantined]
