"""Alerts, scopes and a service for tests of casework: small, exact, without files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from casework.cases.alert import StoredAlert
from casework.cases.case import Case
from casework.cases.scope import Role, Scope, service_scope
from casework.policy.clocks import Clocks
from casework.policy.load import load_text
from casework.policy.matcher import PythonMatcher
from casework.policy.planner import Planner
from casework.ports import CaseQuery, Record
from casework.service.cases import CaseService
from casework.service.intake import AlertIntake
from regtech.clock import Clock
from regtech.reference.calendars import CalendarSpec, WorkingCalendar
from regtech.reference.load import Reference

START_US = 1_772_413_200_000_000  # 2026-03-02T01:00:00Z, a Monday
DAY_US = 86_400_000_000
SERVICE = service_scope()


@dataclass
class Salts:
    """Salts that are the same in every run, and never the same twice."""

    count: int = 0

    def __call__(self) -> bytes:
        self.count += 1
        return self.count.to_bytes(32, "big")


@dataclass(frozen=True)
class Weekdays:
    """A jurisdiction in UTC that works Monday to Friday."""

    zone: str = "UTC"
    calendar: WorkingCalendar = field(
        default_factory=lambda: WorkingCalendar(CalendarSpec("weekdays"))
    )

    def profile(self, _: str, /) -> Weekdays:
        """The same for every jurisdiction."""
        return self


def scope(
    actor: str = "wang",
    role: Role = Role.SUPERVISOR,
    *,
    jurisdictions: set[str] | None = None,
    tenants: set[str] | None = None,
) -> Scope:
    """A scope of one role."""
    return Scope(
        actor,
        frozenset({role}),
        None if jurisdictions is None else frozenset(jurisdictions),
        None if tenants is None else frozenset(tenants),
    )


WANG, LI = scope("wang"), scope("li")


def alert(
    number: int,
    *,
    subject: str = "K1",
    tenant: str = "BANK-A",
    jurisdiction: str = "CN",
    pack: str = "cn-aml-conduct",
    rule: str = "cn-rule",
    kind: str = "breach",
    severity: str = "medium",
    day: int = 0,
    file: str = "events.ndjson",
    **facts: Any,
) -> StoredAlert:
    """An alert with the keys that casework reads; ``facts`` with ``__`` for a dot."""
    body = {
        "id": f"{number:032x}",
        "rule": rule,
        "pack": pack,
        "jurisdiction": jurisdiction,
        "kind": kind,
        "severity": severity,
        "subject": {"per": "customer", "id": subject, "institution": tenant},
        "time": f"2026-03-{2 + day:02d}T00:00:{number % 60:02d}Z",
        "facts": {"reporter": tenant, **{k.replace("__", "."): v for k, v in facts.items()}},
        "due": None,
        "source": {"file": file, "line": number},
        "explanation": {"en": "A rule was met", "zh": "规则命中"},
        "seal": "0" * 64,
    }
    return StoredAlert.of(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


PLAIN = """
set: plain
version: 1.0.0
title: {en: Plain, zh: 简}
themes:
  - id: laundering
    title: {en: Money laundering, zh: 洗钱}
    secret: true
    alerts: [any]
policies:
  - id: subject
    title: {en: A subject, zh: 主体}
    order: 1
    on: any
    same: [subject, jurisdiction]
    case: {queue: desk, theme: laundering, priority: severity, merge: ever, sla: 10 working days}
    tests:
      - name: acts
        alerts: [{id: a, time: "2026-03-01T00:00:00Z", rule: r, subject: C}]
        expect: {cases: [{alerts: [a]}]}
      - name: does not
        alerts: [{id: a, time: "2026-03-01T00:00:00Z", rule: r}]
        expect: none
"""


@cache
def due_dates() -> Clocks:
    """Calendars of the jurisdictions that ship."""
    return Clocks(Reference.shipped())


@cache
def plain_planner() -> Planner:
    """One case for each subject and jurisdiction."""
    return planner_of(PLAIN)


def planner_of(text: str) -> Planner:
    """A planner of policies as text, which have no faults."""
    policies, faults = load_text(text)
    assert [str(fault) for fault in faults if fault.severity == "error"] == []
    return Planner(policies, PythonMatcher(), due_dates())


@dataclass
class World:
    """A record with the service and the intake over it."""

    record: Record
    clock: Clock
    planner: Planner = field(default_factory=lambda: plain_planner())
    watched: int | None = None

    def __post_init__(self) -> None:
        self.intake = AlertIntake(
            self.record, self.clock, Weekdays(), self.planner, watched=self.watched
        )
        self.service = CaseService(self.record, self.clock, Weekdays(), self.intake.themes)

    def take(self, *alerts: StoredAlert) -> list[Case]:
        """Alerts in; all cases in the order of the queue."""
        self.intake.take(SERVICE, alerts)
        return self.all()

    def all(self) -> list[Case]:
        """All cases in the order of the queue."""
        return list(self.record.cases(SERVICE, CaseQuery(open=None), limit=10_000).items)

    def one(self, *alerts: StoredAlert) -> Case:
        """Alerts in; the only case that they make."""
        (case,) = self.take(*(alerts or (alert(1),)))
        return case
