"""The record as policies read it: facts by reach, closings, and who was alerted.

Facts follow from an alert's content, which never changes under an id, so that those that were read
once are kept for the batches to come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from casework.cases.directive import CaseKey
from casework.cases.facts import AlertFacts
from casework.cases.plans import key_digest
from casework.cases.scope import Scope
from casework.policy.counts import RuleStretch, Watched
from casework.ports import Reach, Unit

KEPT: Final = 200_000
"""Facts that are kept; about 1 KB each."""


class KnownFacts:
    """Facts of alerts by id, for one store."""

    def __init__(self) -> None:
        self._facts: dict[str, AlertFacts] = {}

    def get(self, alert_id: str) -> AlertFacts | None:
        """Those that are known."""
        return self._facts.get(alert_id)

    def keep(self, facts: Mapping[str, AlertFacts]) -> None:
        """Facts of alerts that are on record for good."""
        if len(self._facts) + len(facts) > KEPT:
            self._facts = {}
        self._facts.update(facts)


class RecordReader:
    """``casework.policy.reader.AlertReader`` over a transaction.

    ``watched``: how many subjects rules are evaluated for; None: as the record has it from those
    who evaluate them. ``ready`` gives facts their theme. ``fewest``: of fewer events no share is
    told. ``loaded`` are facts that were read here: to be kept once the transaction has ended well.
    """

    def __init__(
        self,
        scope: Scope,
        unit: Unit,
        known: KnownFacts,
        fresh: Iterable[AlertFacts],
        watched: int | None,
        ready: Callable[[AlertFacts], AlertFacts],
        fewest: int = 1,
    ) -> None:
        self._scope, self._unit, self._known, self._watched = scope, unit, known, watched
        self.loaded = {facts.id: facts for facts in fresh}
        self._ready = ready
        self._fewest = fewest
        self._said: Watched | None = None
        self._reached: dict[Reach, dict[str | None, list[AlertFacts]]] = {}
        """Alerts of rules that count, by institution; under None all of them."""

    def facts(self, alert_ids: Iterable[str]) -> list[AlertFacts]:
        """Facts of alerts that are on record."""
        found: list[AlertFacts] = []
        missing: list[str] = []
        for alert_id in alert_ids:
            facts = self.loaded.get(alert_id) or self._known.get(alert_id)
            if facts is None:
                missing.append(alert_id)
            else:
                found.append(facts)
        for alert in self._unit.alerts(self._scope, missing):
            facts = self._ready(alert.facts())
            self.loaded[alert.id] = facts
            found.append(facts)
        return found

    def alerts_of(self, reaches: Collection[Reach]) -> Iterable[AlertFacts]:
        return self.facts(self._unit.reach(self._scope, reaches))

    def counted(self, reaches: Sequence[Reach]) -> Sequence[int]:
        return self._unit.counted(self._scope, reaches)

    def closings(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, Sequence[int]]:
        digests = {key_digest(key): key for key in keys}
        found = self._unit.closings(self._scope, digests.keys())
        return {digests[digest]: times for digest, times in found.items()}

    def subjects_alerted(
        self,
        rule: str,
        institution: str | None,
        since: int,
        until: int,
        without: Collection[str] = (),
    ) -> int:
        reach = Reach("rule", rule, since, until - 1)
        if reach not in self._reached:
            by_institution = self._reached[reach] = defaultdict(list)
            for facts in self.alerts_of((reach,)):
                if facts.rule == rule and since <= facts.time < until and not facts.near:
                    for whose in {None, facts.institution}:
                        by_institution[whose].append(facts)
        return len(
            {
                facts.subject
                for facts in self._reached[reach].get(institution, ())
                if facts.subject is not None and facts.id not in without
            }
        )

    def watched(self, asked: Sequence[RuleStretch]) -> Sequence[int | None]:
        if self._said is None:
            self._said = Watched(self._watched)
            if self._watched is None:
                self._said = Watched(
                    subjects=self._unit.watched(self._scope),
                    events=self._unit.rule_events(self._scope),
                    fewest=self._fewest,
                )
        return self._said.numbers(
            asked, lambda events: self._unit.events_counted(self._scope, events)
        )
