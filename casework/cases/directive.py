"""What policies decide, as plain values: cases, and alerts that are shown aside with the reason.

The same alerts give equal directives, ids included, whatever the order and batches they came in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple

from casework.cases.times import time_text


class Disposition(StrEnum):
    """What became of an alert. None of these ever drops one."""

    OPEN = "open"
    """In a case, or about to be."""
    SNOOZED = "snoozed"
    """A repeat of one that went on; kept and shown; no case."""
    SUPPRESSED = "suppressed"
    """Kept and shown as suppressed; no case."""
    BRAKED = "braked"
    """The rule fires too often; kept and shown as braked; no case."""


UNSORTED: Final = "unsorted"
"""Policy, theme and queue of alerts that no policy takes: built in, so that nothing is lost."""

SHADOW: Final = "shadow"
"""Status of rules whose alerts nobody acts on, and the policy that keeps them apart: built in."""

DueBasis = Literal["alert", "sla", "none"]
"""What a due day rests on: the duty of an alert, the SLA of a policy, or nothing."""

ASIDES: Final = (Disposition.SUPPRESSED, Disposition.SNOOZED, Disposition.BRAKED)
"""The dispositions of an alert that is in no case."""

Text = Mapping[str, str]


def case_id(policy: str, kind: str, key: Sequence[str], anchor: str) -> str:
    """Id of the case of a policy, a key and the first alert: the same in every run."""
    parts = json.dumps([policy, kind, list(key), anchor], ensure_ascii=True, separators=(",", ":"))
    return "C-" + hashlib.sha256(parts.encode("ascii")).hexdigest()[:20]


class CaseKey(NamedTuple):
    """What the alerts of a case have in common: names joined by ``+``, and their values."""

    policy: str
    kind: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseDirective:
    """A case with the alerts that belong to it. Times are microseconds since 1970 in UTC.

    ``anchor`` is the first alert in order of time and id; ``alerts`` are in that order. ``rules``,
    ``tenants`` and ``jurisdictions`` are those of all alerts, sorted; ``jurisdiction`` is the
    anchor's. ``due_at`` is None where the policy sets no clock; ``due`` is the day or time as the
    duty or the SLA gives it, ``due_basis`` which of the two it is. ``saturated``: so many alerts
    came together that they were put into one case without telling which met with which.
    """

    case: str
    policy: str
    policy_version: str
    key: CaseKey
    theme: str
    rules: tuple[str, ...]
    subjects: tuple[str, ...]
    tenants: tuple[str, ...]
    jurisdiction: str
    jurisdictions: tuple[str, ...]
    anchor: str
    alerts: tuple[str, ...]
    opened_at: int
    last_at: int
    priority: str
    queue: str
    severity: str
    due: str | None
    due_at: int | None
    due_basis: DueBasis
    saturated: bool
    title: Text
    reason: Text

    def as_data(self) -> dict[str, Any]:
        """For ``--json`` and tests: times as text."""
        return {
            "case": self.case,
            "policy": self.policy,
            "policy_version": self.policy_version,
            "same": dict(zip(self.key.kind.split("+"), self.key.values, strict=False)),
            "theme": self.theme,
            "subjects": list(self.subjects),
            "tenants": list(self.tenants),
            "jurisdiction": self.jurisdiction,
            "jurisdictions": list(self.jurisdictions),
            "anchor": self.anchor,
            "alerts": list(self.alerts),
            "opened": time_text(self.opened_at),
            "last": time_text(self.last_at),
            "priority": self.priority,
            "queue": self.queue,
            "severity": self.severity,
            "due": self.due,
            "due_at": None if self.due_at is None else time_text(self.due_at),
            "due_basis": self.due_basis,
            "saturated": self.saturated,
            "title": dict(self.title),
            "reason": dict(self.reason),
        }


@dataclass(frozen=True, slots=True)
class AsideDirective:
    """An alert that is in no case, and why. Kept and shown, never dropped.

    ``until``: when a snooze or a braked stretch ends; ``behind``: the alert that stands for it.
    """

    alert: str
    outcome: Disposition
    policy: str
    policy_version: str
    reason: Text
    until: int | None = None
    behind: str | None = None

    def as_data(self) -> dict[str, Any]:
        """For ``--json`` and tests."""
        return {
            "alert": self.alert,
            "outcome": self.outcome.value,
            "policy": self.policy,
            "policy_version": self.policy_version,
            "until": None if self.until is None else time_text(self.until),
            "behind": self.behind,
            "reason": dict(self.reason),
        }


@dataclass(frozen=True, slots=True, order=True)
class Wake:
    """Plan this alert again once the watermark has passed ``at``: an absence is not yet decided."""

    at: int
    alert: str
    policy: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is decided for the alerts of ``scope``: each is in one case or aside, exactly once.

    ``unknown``: rules that a brake could not judge, because nobody said how many subjects are
    watched; they are not braked.
    """

    scope: frozenset[str]
    cases: tuple[CaseDirective, ...]
    aside: tuple[AsideDirective, ...]
    wakes: tuple[Wake, ...]
    unknown: tuple[str, ...] = ()
