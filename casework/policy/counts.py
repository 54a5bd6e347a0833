"""How many there are of what a rule looks at: what a brake holds the rule's alerts against.

Of a rule that looks at parties or accounts it is how many of them there are. Of one whose subject
is each single event it is how many events there were in the stretch: of the rule's types, governed
by its law, by whoever reported them or by one institution. Events are counted by days of UTC, so
that of a stretch that is not of whole days nobody can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from casework.policy.lengths import DAY_US
from casework.policy.model import Brake, Policy
from casework.ports import EventDay, EventKind, EventsOf

EVENT = "event"
"""``per`` of a rule whose subject is each single event."""


Counted = Callable[[Sequence[EventsOf]], Sequence[int]]
"""Finds how many events there were of each."""


class RuleStretch(NamedTuple):
    """A rule in a stretch of time, ``until`` excluded; ``institution`` None: whoever reports."""

    rule: str
    institution: str | None
    since: int
    until: int

    def events(self, kinds: tuple[EventKind, ...]) -> EventsOf | None:
        """The events of these kinds in it; None where it is not of whole days."""
        if self.since % DAY_US or self.until % DAY_US:
            return None
        first, end = self.since // DAY_US, self.until // DAY_US
        return EventsOf(kinds, self.institution, first, end - 1)


@dataclass(frozen=True, slots=True)
class Watched:
    """What was said of how many there are.

    ``everyone``: of every rule, in place of the rest. ``subjects``: by rule. ``events``: what
    rules are evaluated for whose subject is each single event. ``fewest``: of fewer events in a
    stretch no share is told.
    """

    everyone: int | None = None
    subjects: Mapping[str, int] = field(default_factory=dict)
    events: Mapping[str, tuple[EventKind, ...]] = field(default_factory=dict)
    fewest: int = 1

    def numbers(
        self,
        asked: Sequence[RuleStretch],
        counted: Counted,
    ) -> list[int | None]:
        """How many there are of each; None where nobody knows.

        ``counted`` finds numbers of events, and is asked for all of them at once.
        """
        if self.everyone is not None:
            return [self.everyone] * len(asked)
        questions: dict[EventsOf, None] = {}
        found: list[EventsOf | int | None] = []
        for one in asked:
            kinds = self.events.get(one.rule)
            if kinds is not None:
                question = one.events(kinds)
                if question is not None:
                    questions[question] = None
                found.append(question)
            else:
                # Subjects are counted of a rule, not by institution.
                found.append(self.subjects.get(one.rule) if one.institution is None else None)
        events = dict(zip(questions, counted(list(questions)), strict=True)) if questions else {}
        return [self._enough(events[n]) if isinstance(n, EventsOf) else n for n in found]

    def _enough(self, events: int) -> int | None:
        return events if events >= self.fewest else None


def counting(days: Sequence[EventDay]) -> Counted:
    """Numbers of the events of these days."""
    return lambda asked: [sum(day.events for day in days if one.counts(day)) for one in asked]


def turning(
    policies: Iterable[Policy],
    rules: Mapping[str, tuple[EventKind, ...]],
    days: Collection[EventDay],
) -> dict[EventsOf, list[str]]:
    """The questions of brakes that these counts answer anew, each with the rules it is asked of.

    ``rules``: what rules are evaluated for whose subject is each single event.
    """
    by_kinds: dict[tuple[EventKind, ...], list[str]] = {}
    for rule, kinds in rules.items():
        by_kinds.setdefault(kinds, []).append(rule)
    lengths = {
        (policy.action.over // DAY_US, "institution" in policy.same)
        for policy in policies
        if isinstance(policy.action, Brake) and policy.action.over % DAY_US == 0
    }
    found: dict[EventsOf, list[str]] = {}
    for kinds, mine in by_kinds.items():
        wanted = frozenset(kinds)
        touched = {(day.institution, day.day) for day in days if day.kind in wanted}
        for length, by_institution in lengths:
            for institution, day in touched:
                first = day // length * length
                who = institution if by_institution else None
                found[EventsOf(kinds, who, first, first + length - 1)] = mine
    return found
