"""What the commands show of cases, as plain data."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from casework.cases.case import State
from casework.cases.directive import ASIDES, Disposition
from casework.cases.grades import Grade
from casework.cases.scope import Scope
from casework.cases.times import time_text
from casework.ports import CaseQuery
from regtech.app.casework import Casework
from regtech.errors import UsageError


def list_cases(
    parts: Casework,
    scope: Scope,
    *,
    queue: str | None,
    state: str | None,
    theme: str | None,
    assignee: str | None,
    overdue: bool,
    every: bool,
    limit: int,
    after: str | None,
) -> dict[str, Any]:
    """A page of a queue; for an institution what it may know of."""
    if scope.restricted:
        shown = parts.service.disclosed_list(
            scope, open=None if every else True, after=after, limit=limit
        )
        return {"cases": list(shown.items), "after": shown.after, "restricted": True}
    if state is not None and state not in list(State):
        raise UsageError(f"no state {state!r}", hint="states: " + ", ".join(State))
    now = parts.service.clock.now_us()
    query = CaseQuery(
        open=None if every or state is not None else True,
        state=None if state is None else State(state),
        queue=queue,
        assignee=assignee,
        theme=theme,
        awake_at_us=None if every else now,
        due_before_us=now if overdue else None,
    )
    page = parts.service.list(scope, query, after=after, limit=limit)
    return {
        "cases": [parts.service.summary(scope, case) for case in page.items],
        "after": page.after,
        "restricted": False,
    }


def show_case(parts: Casework, scope: Scope, case_id: str, *, unmask: str | None) -> dict[str, Any]:
    """A case whole; with a reason its alerts in the clear."""
    view = parts.service.view(scope, case_id)
    if unmask is not None:
        clear = parts.service.unmask(scope, case_id, unmask, grade=Grade.SENSITIVE)
        view["found"] = clear["found"]
    return view


def aside_rows(
    parts: Casework,
    scope: Scope,
    *,
    outcome: str | None,
    rule: str | None,
    limit: int,
    after: str | None,
) -> dict[str, Any]:
    """Alerts that are in no case, with the reason. Raises ``UsageError`` for another outcome."""
    if outcome is not None and outcome not in ASIDES:
        raise UsageError(f"no outcome {outcome!r}", hint="outcomes: " + ", ".join(ASIDES))
    page = parts.service.asides(
        scope,
        disposition=None if outcome is None else Disposition(outcome),
        rule=rule,
        after=after,
        limit=limit,
    )
    return {"aside": list(page.items), "after": page.after}


def precision_rows(parts: Casework, scope: Scope) -> list[dict[str, Any]]:
    """Outcomes by rule and institution; ``precision`` is confirmed of judged, with 3 decimals."""
    rows = []
    for found in parts.service.precision(scope):
        share = Fraction(found.confirmed, found.judged) if found.judged else None
        rows.append(
            {
                "rule": found.rule,
                "tenant": found.tenant,
                "jurisdiction": found.jurisdiction,
                "confirmed": found.confirmed,
                "unfounded": found.unfounded,
                "duplicate": found.duplicate,
                "data_error": found.data_error,
                "precision": None if share is None else f"{round(share * 1000) / 1000:.3f}",
            }
        )
    return rows


def conflict_rows(parts: Casework, scope: Scope, *, after: str | None) -> dict[str, Any]:
    """Alerts that came under the id of another."""
    page = parts.service.conflicts(scope, after=after)
    return {
        "conflicts": [
            {
                "alert": found.alert.id,
                "rule": found.alert.rule,
                "tenant": found.alert.tenant,
                "digest": found.alert.digest,
                "known": found.known_digest,
                "received": time_text(found.received_us),
            }
            for found in page.items
        ],
        "after": page.after,
    }
