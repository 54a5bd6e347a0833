"""Cases as they were decided last, so that alerts can join them without deciding them anew.

Kept between batches in the memory of one intake, and believed only where nothing can have changed:
every decision on the record was this intake's own (``Unit.hold`` numbers them), and the case has
the version that it was left with. After a start, or where another process or a person has been at
work, a case is decided anew once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

from casework.cases.directive import CaseDirective, CaseKey
from casework.cases.facts import YEARS_US
from casework.cases.scope import Scope
from casework.policy.gather import Joined
from casework.policy.model import OpenCase, Policy, PolicySet
from casework.policy.standing import Standing, acts_alone
from casework.ports import Reach, Unit

KEPT: Final = 50_000
"""Cases that are kept in mind; about 2 KB each."""


class CasesInMind:
    """What is known of cases, for one store; changed only by units that ended well."""

    def __init__(self) -> None:
        self._cases: dict[CaseKey, Standing] = {}
        self._decision: int | None = None

    def forget(self) -> None:
        """All cases are decided anew."""
        self._cases = {}

    def within(self, scope: Scope, unit: Unit) -> CasesInUnit:
        """What is known, within a unit that decides from here to its end."""
        decision = unit.hold(scope)
        if self._decision is None or decision != self._decision + 1:
            self.forget()
        return CasesInUnit(scope, unit, self._cases, decision)

    def keep(self, cases: CasesInUnit) -> None:
        """The unit has ended well: what it said of cases is in force."""
        for key in cases.gone:
            self._cases.pop(key, None)
        self._cases.update(cases.left)  # those that were there are at the end now
        for key in list(self._cases)[: max(0, len(self._cases) - KEPT)]:
            del self._cases[key]
        self._decision = cases.decision


class CasesInUnit:
    """``casework.policy.standing.StandingCases`` within a transaction."""

    def __init__(
        self, scope: Scope, unit: Unit, known: Mapping[CaseKey, Standing], decision: int
    ) -> None:
        self._scope, self._unit, self._known = scope, unit, known
        self.decision = decision
        self.gone: set[CaseKey] = set()
        """Keys that were decided anew."""
        self.left: dict[CaseKey, Standing] = {}
        """Cases as this unit leaves them."""

    def holding(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, Standing]:
        found = {key: case for key in keys if (case := self._known.get(key)) is not None}
        cases = self._unit.find(self._scope, {case.directive.case for case in found.values()})
        versions = {name: case.version for name, case in cases.items()}
        return {
            key: case
            for key, case in found.items()
            if versions.get(case.directive.case) == case.version
        }

    def joined(self, joined: Iterable[Joined]) -> None:
        """Remember cases that alerts have joined."""
        for one in joined:
            number = one.standing.number + len(one.directive.alerts)
            self._leave(one.directive, number)

    def decided(self, policies: PolicySet, directives: Iterable[CaseDirective]) -> None:
        """Remember cases that were decided as a whole: of each key the last one, if it is that."""
        alone = {policy.id: policy for policy in policies.policies if acts_alone(policy)}
        last: dict[CaseKey, CaseDirective] = {}
        for directive in directives:
            self.gone.add(directive.key)
            self.left.pop(directive.key, None)
            known = last.get(directive.key)
            if directive.policy in alone and (
                known is None or directive.opened_at > known.opened_at
            ):
                last[directive.key] = directive
        behind = [_behind(alone[one.policy], one) for one in last.values()]
        counts = self._unit.counted(self._scope, behind) if behind else []
        for directive, count in zip(last.values(), counts, strict=True):
            if not count:
                self._leave(directive, len(directive.alerts))

    def _leave(self, directive: CaseDirective, number: int) -> None:
        case = self._unit.find(self._scope, (directive.case,)).get(directive.case)
        if case is None or case.ended or "kept" in case.planned:
            return  # what people closed goes its own ways
        bare = replace(directive, alerts=())
        self.left[directive.key] = Standing(bare, number, case.version)


def _behind(policy: Policy, directive: CaseDirective) -> Reach:
    """Where the next case of the key would be, which an alert in between may bring into this."""
    assert isinstance(policy.action, OpenCase) and policy.main is not None
    since = directive.last_at + policy.action.merge + 1
    return Reach(policy.main, directive.key.values[0], since, YEARS_US[1])
