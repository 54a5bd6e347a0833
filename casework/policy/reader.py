"""Where policies take alerts from: a port that the record of cases implements, and one in memory.

Nothing here knows of policies: the planner says which alerts it needs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from casework.cases.directive import CaseKey
from casework.cases.facts import AlertFacts
from casework.policy.counts import Counted, RuleStretch, Watched, counting
from casework.ports import Reach


class AlertReader(Protocol):
    """Reads the record. Every answer is of one moment: the caller holds a consistent read.

    Alerts are best kept as ``Planner.ready`` gives them, theme and end of the due day filled in:
    planning then need not do it each time (it looks whether they still hold).
    """

    def alerts_of(self, reaches: Collection[Reach]) -> Iterable[AlertFacts]:
        """The alerts of any of the reaches, in any order; one may come several times."""
        ...

    def closings(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, Sequence[int]]:
        """When people closed cases of the keys, in event time, sorted; keys without one left out.

        A case takes no alert from after its closing: the next alert opens another.
        """
        ...

    def subjects_alerted(
        self,
        rule: str,
        institution: str | None,
        since: int,
        until: int,
        without: Collection[str] = (),
    ) -> int:
        """How many different subjects have an alert of the rule, ``until`` excluded.

        ``institution`` None: of all. ``without``: ids of alerts that do not count.
        """
        ...

    def counted(self, reaches: Sequence[Reach]) -> Sequence[int]:
        """How many alerts each of the reaches has; it may be more, never less."""
        ...

    def watched(self, asked: Sequence[RuleStretch]) -> Sequence[int | None]:
        """For how many subjects each rule was evaluated in that time; None where nobody knows."""
        ...


def chosen(one: AlertFacts, other: AlertFacts) -> AlertFacts:
    """Which of two alerts of the same id counts where they differ: the same in any order."""
    return one if repr(one) <= repr(other) else other


class MemoryAlerts:
    """Alerts in memory, for dry runs, tests and small deployments.

    ``watched``: how many subjects every rule is evaluated for, or what else is known of that, with
    ``counted``, which finds numbers of events.
    """

    def __init__(
        self,
        alerts: Iterable[AlertFacts] = (),
        *,
        watched: int | Watched | None = None,
        counted: Counted | None = None,
    ) -> None:
        self._by_id: dict[str, AlertFacts] = {}
        self._index: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        self._closings: dict[CaseKey, list[int]] = defaultdict(list)
        self._known = watched if isinstance(watched, Watched) else Watched(watched)
        self._counted = counted or counting(())
        self.add(alerts)

    def add(self, alerts: Iterable[AlertFacts]) -> list[AlertFacts]:
        """Keeps the alerts and gives those to plan: new ones, and both forms of a changed one."""
        touched = []
        for facts in alerts:
            known = self._by_id.get(facts.id)
            if known is not None:
                kept = chosen(known, facts)
                touched += [known, kept]
                if kept is known:
                    continue
                self._place(known, remove=True)
            else:
                touched.append(facts)
            self._by_id[facts.id] = facts
            self._place(facts)
        return touched

    def close(self, key: CaseKey, at: int) -> None:
        """A person closed the case of the key."""
        insort(self._closings[key], at)

    def all(self) -> list[AlertFacts]:
        """Every alert, in order of time and id."""
        return sorted(self._by_id.values(), key=lambda facts: facts.order)

    def get(self, alert: str) -> AlertFacts:
        """The alert of an id; KeyError where there is none."""
        return self._by_id[alert]

    def alerts_of(self, reaches: Collection[Reach]) -> Iterable[AlertFacts]:
        for reach in reaches:
            entries = self._index.get((reach.kind, reach.value), [])
            first = bisect_left(entries, (reach.since, ""))
            for at, alert in entries[first:]:
                if at > reach.until:
                    break
                yield self._by_id[alert]

    def closings(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, Sequence[int]]:
        return {key: self._closings[key] for key in keys if key in self._closings}

    def subjects_alerted(
        self,
        rule: str,
        institution: str | None,
        since: int,
        until: int,
        without: Collection[str] = (),
    ) -> int:
        entries = self._index.get(("rule", rule), [])
        first, last = bisect_left(entries, (since, "")), bisect_right(entries, (until, ""))
        subjects = set()
        for at, alert in entries[first:last]:
            facts = self._by_id[alert]
            mine = institution is None or facts.institution == institution
            counts = facts.subject is not None and not facts.near and alert not in without
            if at < until and mine and counts:
                subjects.add(facts.subject)
        return len(subjects)

    def counted(self, reaches: Sequence[Reach]) -> Sequence[int]:
        return [sum(1 for _ in self.alerts_of((reach,))) for reach in reaches]

    def watched(self, asked: Sequence[RuleStretch]) -> Sequence[int | None]:
        return self._known.numbers(asked, self._counted)

    def _place(self, facts: AlertFacts, *, remove: bool = False) -> None:
        entry = (facts.time, facts.id)
        values = {
            "subject": facts.subject,
            "group": facts.group,
            "counterparty": facts.counterparty,
            "institution": facts.institution,
            "rule": facts.rule,
        }
        for kind, value in values.items():
            if not value:
                continue
            entries = self._index[kind, value]
            if remove:
                entries.pop(bisect_left(entries, entry))
            elif not entries or entry > entries[-1]:
                entries.append(entry)
            else:
                insort(entries, entry)
