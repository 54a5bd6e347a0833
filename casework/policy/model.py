"""Compiled policies: patterns over alert facts, how they combine, and what then happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any, Final, Literal, TypeVar

from casework.cases.directive import SHADOW
from casework.cases.facts import AlertFacts
from casework.cases.themes import Theme
from casework.policy.lengths import Length
from casework.ports import EventDay
from regtech.content.faults import Mark

Text = Mapping[str, str]
"""A text in ``en`` and ``zh``."""

MainKey = Literal["subject", "group", "counterparty", "institution"]

MAIN_KEYS: Final[tuple[MainKey, ...]] = ("subject", "group", "counterparty", "institution")
EXTRA_KEYS: Final = ("jurisdiction", "theme", "rule", "due")
KEY_TITLES: Final[dict[str, dict[str, str]]] = {
    "subject": {"en": "subject", "zh": "主体"},
    "group": {"en": "group", "zh": "集团"},
    "counterparty": {"en": "counterparty", "zh": "交易对手"},
    "institution": {"en": "institution", "zh": "机构"},
    "jurisdiction": {"en": "jurisdiction", "zh": "法域"},
    "theme": {"en": "theme", "zh": "主题"},
    "rule": {"en": "rule", "zh": "规则"},
    "due": {"en": "due day", "zh": "期限"},
}
KINDS: Final = (
    "breach",
    "report",
    "suspicion",
    "limit",
    "deadline",
    "quality",
    "duty",
    "indicator",
)
SEVERITIES: Final = ("critical", "high", "medium", "low", "info")
STATUSES: Final = ("enabled", "advisory", "disabled")
OUTCOMES: Final = ("met", "cannot_tell", "near")
PRIORITIES: Final = ("urgent", "high", "normal", "low")
PRIORITY_OF_SEVERITY: Final = {
    "critical": "urgent",
    "high": "high",
    "medium": "normal",
    "low": "low",
    "info": "low",
}

WORD_FIELDS: Final[dict[str, str]] = {
    "rule": "id of the rule; `ty-*` stands for all that begin so",
    "pack": "id of the rulepack; a prefix as above",
    "kind": "what the alert is: " + ", ".join(KINDS),
    "severity": ", ".join(SEVERITIES),
    "jurisdiction": "id of the jurisdiction",
    "theme": "theme of `themes.yml`",
    "obligation": "one of the alert's obligations; a prefix as above",
    "status": "status of the rule: " + ", ".join(STATUSES),
    "outcome": ", ".join(OUTCOMES),
    "per": "whom the rule is evaluated for: customer, event, `holder,counterparty`, …",
    "subject": "the subject's id (for customers and accounts `institution|id`)",
    "group": "id of the group",
    "counterparty": "id of the counterparty",
    "institution": "id of the institution",
}
FLAG_FIELDS: Final[dict[str, str]] = {
    "near": "a near miss, close below a limit",
    "due": "has a due date",
    "warning": "a deadline that is near, not yet passed",
    "late": "found after the time in which it should have been",
}
PREFIX_FIELDS: Final = ("rule", "pack", "obligation")
OWN_FIELDS: Final = ("subject", "group", "counterparty", "institution")
"""Fields whose values are as many as there are parties: what they decide is not remembered."""


@dataclass(frozen=True, slots=True)
class Test:
    """One field of a pattern: one of the words, one of the beginnings, or a flag's value."""

    name: str
    words: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    flag: bool | None = None

    def meets(self, facts: AlertFacts) -> bool:
        """Whether the alert has it; a missing value never does."""
        if self.flag is not None:
            found = facts.due is not None if self.name == "due" else getattr(facts, self.name)
            return bool(found) is self.flag
        if self.name == "obligation":
            return any(self._is(text) for text in facts.obligations)
        value = getattr(facts, self.name)
        return value is not None and value != "" and self._is(value)

    def _is(self, text: str) -> bool:
        return text in self.words or (bool(self.beginnings) and text.startswith(self.beginnings))


@dataclass(frozen=True, slots=True)
class Pattern:
    """All tests hold, and not all of ``excluding`` where there is one. Without tests: any alert."""

    tests: tuple[Test, ...]
    excluding: tuple[Test, ...] = ()

    def meets(self, facts: AlertFacts) -> bool:
        """Whether the alert fits."""
        if not all(test.meets(facts) for test in self.tests):
            return False
        return not self.excluding or not all(test.meets(facts) for test in self.excluding)

    @property
    def is_any(self) -> bool:
        return not self.tests and not self.excluding

    @property
    def is_of_events(self) -> bool:
        """Whether only alerts fit whose subject is a single event."""
        return any(test.name == "per" and test.words == {"event"} for test in self.tests)

    @property
    def is_own(self) -> bool:
        """Whether it names parties, so that it must be asked for each alert."""
        return any(test.name in OWN_FIELDS for test in (*self.tests, *self.excluding))


Branch = tuple[Pattern, ...]
"""Patterns that must all be met, by different alerts; one pattern is met by one alert alone."""


@dataclass(frozen=True, slots=True)
class Count:
    """At least so many alerts within the window, or alerts of so many different values of a key."""

    at_least: int
    distinct: str | None = None


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Put the alerts into a case. ``merge`` in microseconds: see the page on policies."""

    queue: str
    theme: str
    """Id of a theme, or ``alert``: the theme of the alerts, which is then part of ``same``."""
    priority: str
    """One of ``PRIORITIES``, or ``severity``: by the highest severity."""
    merge: int
    sla: Length | None = None
    due_of_alert: bool = False


@dataclass(frozen=True, slots=True)
class Suppress:
    """Keep the alerts out of cases, shown as suppressed with the reason."""

    reason: Text


@dataclass(frozen=True, slots=True)
class Snooze:
    """After an alert went on, hold its repeats back for so long, shown as snoozed."""

    length: int


@dataclass(frozen=True, slots=True)
class Brake:
    """Hold back a rule that fires on more than a share of its subjects in a stretch of time.

    Where each event is a subject of its own, of the events of the stretch; with ``institution`` in
    ``same``, each institution's alerts by its own events alone. ``above`` in ten-thousandths;
    ``over``: length of the stretches, which start at multiples of it since 1970-01-01 UTC;
    ``at_least``: fewer subjects than this never brake a rule.
    """

    above: int
    over: int
    at_least: int


Action = OpenCase | Suppress | Snooze | Brake


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """Alerts, as of when they are judged, and what the policy is expected to make of them."""

    name: str
    alerts: tuple[Mapping[str, Any], ...]
    until: int | None
    watched: int | None
    events: tuple[EventDay, ...] | None
    cases: tuple[Mapping[str, Any], ...]
    aside: tuple[Mapping[str, Any], ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. ``order``: lower ones choose first; an alert belongs to the first that takes it.

    ``same``: the main key and what is added to it; empty for ``suppress``. ``within``: the window
    of ``all``, ``count`` and ``absent`` in microseconds, 0 where there is none.
    """

    id: str
    version: str
    title: Text
    order: int
    same: tuple[str, ...]
    within: int
    branches: tuple[Branch, ...]
    count: Count | None
    absent: Pattern | None
    action: Action
    mark: Mark
    tests: tuple[PolicyTest, ...] = ()

    @property
    def main(self) -> str | None:
        """The key that alerts are loaded by; None where each alert stands alone."""
        return self.same[0] if self.same else None

    @property
    def reach(self) -> int:
        """How far apart two alerts may lie and still have to do with each other, microseconds."""
        match self.action:
            case OpenCase(merge=merge):
                return max(self.within, merge)
            case Snooze(length=length):
                return length
            case _:
                return 0

    def key_of(self, facts: AlertFacts) -> tuple[str, ...] | None:
        """The values of ``same``; None where one is missing: the policy then does not apply."""
        found = self.keys(facts)
        return found if all(found) else None

    @property
    def keys(self) -> Callable[[AlertFacts], tuple[str, ...]]:
        """Reads the values of ``same``, missing ones as they are: for who asks it often."""
        return _getter(self.same)


@dataclass(frozen=True, slots=True)
class ThemePatterns:
    """A theme, and what makes an alert one of its own: to meet one of the patterns."""

    theme: Theme
    patterns: tuple[Pattern, ...]
    mark: Mark

    @property
    def id(self) -> str:
        return self.theme.id


@dataclass(frozen=True)
class PolicySet:
    """All policies, in the order in which they choose, and the themes in the order of the file."""

    policies: tuple[Policy, ...]
    themes: tuple[ThemePatterns, ...]
    _kinds: dict[tuple[Any, ...], tuple[str, int]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def of(cls, policies: Sequence[Policy], themes: Sequence[ThemePatterns]) -> PolicySet:
        """The policies by ``order``, then id."""
        return cls(tuple(sorted(policies, key=lambda p: (p.order, p.id))), tuple(themes))

    @cached_property
    def _bits(self) -> tuple[tuple[int, Policy, bool], ...]:
        found = []
        for index, policy in enumerate(self.policies):
            patterns = [p for branch in policy.branches for p in branch]
            patterns += [policy.absent] if policy.absent else []
            found.append((1 << index, policy, any(p.is_own for p in patterns)))
        return tuple(found)

    def sorted_out(self, facts: AlertFacts, due_at: int | None) -> AlertFacts:
        """The alert with the first theme that has a pattern it meets ("" where there is none), and
        with the policies whose patterns it meets (``absent`` included), as bits.

        What does not depend on a party is remembered: a deployment has few kinds of alerts. No
        policy takes the alert of a rule in the shadow.
        """
        signature = _SIGNATURE(facts), facts.due is None
        known = self._kinds.get(signature)
        if known is None:
            found = (t.id for t in self.themes if any(p.meets(facts) for p in t.patterns))
            theme = next(found, "")
            mask = self._mask(facts.ready(theme, due_at), own=False)
            known = _remember(self._kinds, signature, (theme, mask))
        theme, mask = known
        if facts.status == SHADOW:
            mask = 0
        elif self._has_own:
            mask |= self._mask(facts.ready(theme, due_at), own=True)
        return facts.ready(theme, due_at, mask)

    @cached_property
    def _has_own(self) -> bool:
        return any(own for _, _, own in self._bits)

    def _mask(self, facts: AlertFacts, *, own: bool) -> int:
        mask = 0
        for bit, policy, is_own in self._bits:
            if is_own is own and (
                any(pattern.meets(facts) for branch in policy.branches for pattern in branch)
                or (policy.absent is not None and policy.absent.meets(facts))
            ):
                mask |= bit
        return mask


@lru_cache(maxsize=1024)
def _getter(names: tuple[str, ...]) -> Callable[[AlertFacts], tuple[str, ...]]:
    """Reads the fields at once; of one name ``attrgetter`` gives no tuple."""
    if not names:
        return lambda facts: ()
    getter: Callable[[AlertFacts], Any] = attrgetter(*names)
    return getter if len(names) > 1 else lambda facts: (getter(facts),)


_Known = TypeVar("_Known")


def _remember(
    kept: dict[tuple[Any, ...], _Known], signature: tuple[Any, ...], value: _Known
) -> _Known:
    if len(kept) > 100_000:  # hostile alerts may be of as many kinds as they like
        kept.clear()
    kept[signature] = value
    return value


_SIGNATURE: Final[Callable[[AlertFacts], tuple[Any, ...]]] = attrgetter(
    "rule",
    "pack",
    "kind",
    "severity",
    "jurisdiction",
    "obligations",
    "status",
    "outcome",
    "per",
    "warning",
    "late",
)
"""All that patterns can ask of an alert, but for its theme, its due date and its parties."""
