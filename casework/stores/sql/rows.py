"""Values to rows and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, case_of
from casework.cases.directive import AsideDirective, Disposition
from casework.cases.disclosure import visible
from casework.cases.sla import FOREVER_US, tell_at
from casework.cases.timeline import Entry, EntryKind
from casework.ports import Message, Topic

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def to_json(value: Any) -> str:
    """Compact JSON."""
    return _ENCODE(value)


def case_row(case: Case) -> dict[str, Any]:
    """A case as its row."""
    return {
        "id": case.id,
        "version": case.version,
        "jurisdiction": case.jurisdiction,
        "theme": case.theme,
        "state": case.state.value,
        "ended": int(case.ended),
        "visible": int(visible(case)),
        "queue": case.queue,
        "assignee": case.assignee or "",
        "rank": -case.priority,
        "due_sort": FOREVER_US if case.due_us is None else case.due_us,
        "opened_us": case.opened_us,
        "snoozed_us": case.snoozed_until_us or 0,
        "tell_us": tell_at(case),
        "body": to_json(case.as_dict()),
    }


def read_case(body: str) -> Case:
    """The case of a row's body."""
    return case_of(json.loads(body))


def alert_row(alert: StoredAlert, received_us: int) -> dict[str, Any]:
    """An alert as its row."""
    return {
        "id": alert.id,
        "digest": bytes.fromhex(alert.digest),
        "tenant": alert.tenant,
        "jurisdiction": alert.jurisdiction,
        "rule": alert.rule,
        "pack": alert.pack,
        "kind": alert.kind,
        "severity": alert.severity,
        "time_us": alert.time_us,
        "received_us": received_us,
        "raw": alert.raw,
    }


def read_alert(row: sa.Row[Any]) -> StoredAlert:
    """The alert of a row."""
    return StoredAlert(
        id=row.id,
        digest=bytes(row.digest).hex(),
        tenant=row.tenant,
        jurisdiction=row.jurisdiction,
        rule=row.rule,
        pack=row.pack,
        kind=row.kind,
        severity=row.severity,
        time_us=row.time_us,
        raw=bytes(row.raw),
    )


def aside_row(directive: AsideDirective, rule: str, time_us: int) -> dict[str, Any]:
    """An alert that is aside, as its row."""
    return {
        "alert_id": directive.alert,
        "disposition": directive.outcome.value,
        "rule": rule,
        "time_us": time_us,
        "policy": directive.policy,
        "policy_version": directive.policy_version,
        "until_us": directive.until,
        "behind": directive.behind,
        "reason": to_json(dict(directive.reason)),
    }


def read_aside(row: sa.Row[Any]) -> AsideDirective:
    """What was decided of an alert that is aside."""
    return AsideDirective(
        alert=row.alert_id,
        outcome=Disposition(row.disposition),
        policy=row.policy,
        policy_version=row.policy_version,
        reason=json.loads(row.reason),
        until=row.until_us,
        behind=row.behind,
    )


def entry_row(entry: Entry) -> dict[str, Any]:
    """An entry as its row."""
    body = {
        "before": entry.before,
        "after": entry.after,
        "detail": entry.detail,
        "reason": entry.reason,
        "salts": entry.salts,
    }
    return {
        "chain": entry.chain,
        "position": entry.position,
        "case_id": entry.case or None,
        "sequence": entry.sequence,
        "kind": entry.kind.value,
        "at_us": entry.at_us,
        "actor": entry.actor,
        "shared": entry.shared,
        "body": to_json(body),
        "previous": entry.previous,
        "hash": entry.hash,
    }


def read_entry(row: sa.Row[Any]) -> Entry:
    """The entry of a row."""
    body: Mapping[str, Any] = json.loads(row.body)
    return Entry(
        case=row.case_id or "",
        sequence=row.sequence,
        kind=EntryKind(row.kind),
        at_us=row.at_us,
        actor=row.actor,
        before=body["before"],
        after=body["after"],
        detail=body["detail"],
        reason=body["reason"],
        shared=bool(row.shared),
        chain=row.chain,
        position=row.position,
        salts=body["salts"],
        previous=bytes(row.previous),
        hash=bytes(row.hash),
    )


def read_message(row: sa.Row[Any]) -> Message:
    """A message of the outbox."""
    return Message(row.number, Topic(row.topic), row.made_us, json.loads(row.body))
