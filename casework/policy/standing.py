"""What is said of a case, so that alerts can join it without deciding it anew.

A policy whose patterns each take an alert by itself (no ``all``, ``count`` or ``absent``) makes of
the alerts of a key one case up to the next gap longer than ``merge``. An alert that no policy
before can take, and that lies behind the case's first one within that reach, changes nothing but
that case, and what is said of the case follows from what was said of it before. ``said_of`` says it
both times: of a whole case, and of one that goes on, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from casework.cases.directive import CaseDirective, CaseKey, DueBasis, case_id
from casework.cases.facts import AlertFacts
from casework.policy.clocks import Clocks
from casework.policy.model import (
    PRIORITY_OF_SEVERITY,
    SEVERITIES,
    Brake,
    OpenCase,
    Policy,
    PolicySet,
    Snooze,
)
from casework.policy.wording import case_reason


@dataclass(frozen=True, slots=True)
class Standing:
    """A case as it was last decided, the last of its key: no alert of the key lies behind it.

    ``directive``: what was said of it, its alerts left out; ``number``: how many they are.
    ``version``: of the case in the record; another one means that something else became of it.
    """

    directive: CaseDirective
    number: int
    version: int

    def joined(
        self, policy: Policy, alerts: Sequence[AlertFacts], clocks: Clocks
    ) -> CaseDirective | None:
        """What is said of the case once these alerts, in order, are in it, with them alone.

        None where one of them does not simply go on with it: it would be the first, or the gap is
        longer than ``merge``.
        """
        action = policy.action
        assert isinstance(action, OpenCase)
        last = self.directive.last_at
        first = (self.directive.opened_at, self.directive.anchor)
        for facts in alerts:
            if facts.order <= first or facts.time - last > action.merge:
                return None
            last = max(last, facts.time)
        return said_of(policy, self.directive.key, alerts, clocks, before=self)


class StandingCases(Protocol):
    """Remembers cases as they were decided last."""

    def holding(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, Standing]:
        """Those of the keys that are known and still stand as they were decided."""
        ...


def acts_alone(policy: Policy) -> bool:
    """Whether the policy takes each alert that it is a candidate of, whatever others there are."""
    return (
        isinstance(policy.action, OpenCase)
        and policy.count is None
        and policy.absent is None
        and all(len(branch) == 1 for branch in policy.branches)
    )


class AloneTaking:
    """Says which policy takes an alert whatever other alerts there are."""

    def __init__(self, policies: PolicySet) -> None:
        self._policies = policies.policies
        self._alone = [acts_alone(policy) for policy in self._policies]
        self._steps: dict[int, tuple[int, ...] | None] = {}

    def taker(self, facts: AlertFacts) -> tuple[int, tuple[str, ...]] | None:
        """The policy by its place and the values of its key, for an alert that no brake holds back.

        None where that depends on other alerts, or on none.
        """
        mask = facts.candidate_of or 0
        steps = self._steps.get(mask, ())
        if steps == ():
            steps = self._steps[mask] = self._steps_of(mask)
        for place in steps or ():
            key = self._policies[place].key_of(facts)
            if key is not None:
                return (place, key) if self._alone[place] else None
        return None

    def _steps_of(self, mask: int) -> tuple[int, ...] | None:
        """The policies that the alert meets, as far as it can be said of it alone who takes it."""
        steps: list[int] = []
        for place, policy in enumerate(self._policies):
            if not mask >> place & 1:
                continue
            if policy.absent is not None:
                return None  # its coming may itself be what another alert waits for
            if isinstance(policy.action, OpenCase | Snooze):
                steps.append(place)
            elif not isinstance(policy.action, Brake):
                break  # suppressed, unless one of those before takes it
        return tuple(steps) or None


def said_of(
    policy: Policy,
    key: CaseKey,
    alerts: Sequence[AlertFacts],
    clocks: Clocks,
    *,
    saturated: bool = False,
    before: Standing | None = None,
) -> CaseDirective:
    """What a policy that opens cases says of one with these alerts, which are in order.

    ``before``: the case that they join; what is said is then of all of them, its ``alerts`` are
    those that joined.
    """
    action = policy.action
    assert isinstance(action, OpenCase)
    known = None if before is None else before.directive
    severities = {facts.severity for facts in alerts}
    if known is not None:
        severities.add(known.severity)
    severity = min(severities, key=_severity_rank)
    priority = action.priority
    if priority == "severity":
        priority = PRIORITY_OF_SEVERITY.get(severity, "normal")
    due, due_at, basis = _due(action, alerts, clocks, known)
    number = len(alerts) + (0 if before is None else before.number)
    rules = _values(known.rules if known else (), (facts.rule for facts in alerts), empty=True)
    last = alerts[-1].time
    anchor = alerts[0]
    theme = anchor.theme if action.theme == "alert" else action.theme
    # Built once: to make it and then to replace fields of it would cost as much again.
    return CaseDirective(
        case=case_id(policy.id, key.kind, key.values, anchor.id) if known is None else known.case,
        policy=policy.id,
        policy_version=policy.version,
        key=key,
        theme=theme if known is None else known.theme,
        rules=rules,
        subjects=_values(known.subjects if known else (), (f.subject for f in alerts)),
        tenants=_values(known.tenants if known else (), (f.tenant for f in alerts)),
        jurisdiction=anchor.jurisdiction if known is None else known.jurisdiction,
        jurisdictions=_values(
            known.jurisdictions if known else (), (f.jurisdiction for f in alerts)
        ),
        anchor=anchor.id if known is None else known.anchor,
        alerts=tuple(facts.id for facts in alerts),
        opened_at=anchor.time if known is None else known.opened_at,
        last_at=last if known is None else max(last, known.last_at),
        priority=priority,
        queue=action.queue,
        severity=severity,
        due=due,
        due_at=due_at,
        due_basis=basis,
        saturated=saturated,
        title=policy.title,
        reason=case_reason(policy, number, len(rules)),
    )


def _due(
    action: OpenCase, alerts: Sequence[AlertFacts], clocks: Clocks, known: CaseDirective | None
) -> tuple[str | None, int | None, DueBasis]:
    """The due date: the earliest of the alerts' own, else by the first alert."""
    if action.due_of_alert:
        dated = [(f.due_at, f.due) for f in alerts if f.due_at is not None and f.due]
        if known is not None and known.due_basis == "alert":
            assert known.due_at is not None and known.due is not None
            dated.append((known.due_at, known.due))
        if dated:
            at, text = min(dated)
            return text, at, "alert"
    if known is not None:
        return known.due, known.due_at, known.due_basis
    if action.sla is None:
        return None, None, "none"
    text, at = clocks.due_of_sla(alerts[0].time, action.sla, alerts[0].jurisdiction)
    return text, at, "sla"


def _severity_rank(severity: str) -> tuple[int, str]:
    """Highest first; words that are no severity come last, in a fixed order."""
    return (SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)), severity


def _values(
    known: Iterable[str], values: Iterable[str | None], *, empty: bool = False
) -> tuple[str, ...]:
    """Each once, sorted; what is missing is left out, unless it counts as one."""
    found = {*known, *values}
    return tuple(sorted(value or "" for value in found if value or empty))
