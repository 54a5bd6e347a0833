"""Runs the tests that stand in the packs, on the real engine.

All tests of a pack go through one engine: each test gets parties, institutions and events of its
own by a prefix on every identifier, so tests cannot see each other, and the cost of starting an
engine is paid once.

Tests see all three outcomes. ``expect: none`` is "not met, and every row could be told";
``expect: cannot tell`` is an alert with that outcome, which a rule that only counts raises here
all the same. Deadlines and rules that raise again count in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from regtech.content.saying import N_, Said, both, listed, say
from regtech.engine.asking import waits_for
from regtech.model.alert import Alert
from regtech.ports.detection import Detectors
from regtech.reference.load import Reference
from regtech.reference.profiles import Profile
from regtech.rulelang.ir import Pack, Rule, RuleTest
from regtech.sandbox.harness import judge_events

REPORTER: Final = "R1"
UNTOLD: Final = "cannot_tell"
MARK: Final = "~"
_IDS: Final = frozenset({"id", "account", "institution", "group", "device", "lei", "national"})
_TOP: Final = frozenset(
    {"id", "reporter", "project", "reference", "about", "loan_id", "linked", "product"}
)
_PARTY_LISTS: Final = frozenset({"persons"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of one test; ``problems`` is empty where it passed."""

    pack: str
    rule: str
    test: RuleTest
    problems: tuple[str, ...]
    found: tuple[dict[str, Any], ...]

    @property
    def passed(self) -> bool:
        """Whether the test passed."""
        return not self.problems


@dataclass
class Report:
    """All results, and the rules whose tests wait for a detector."""

    results: list[Result] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> list[Result]:
        """The tests that failed."""
        return [r for r in self.results if not r.passed]


@dataclass(frozen=True, slots=True)
class Case:
    """One test among others: its names begin with ``prefix``, its clock stops at ``end_us``."""

    rule: Rule
    test: RuleTest
    prefix: str
    end_us: int


@dataclass(frozen=True, slots=True)
class Bench:
    """Tests of one jurisdiction made ready to be judged together, any number of times."""

    cases: tuple[Case, ...]
    events: tuple[dict[str, Any], ...]
    countries: Mapping[str, str]
    profile: Profile
    until_us: int | None

    def judge(
        self, packs: Sequence[Pack], reference: Reference, detectors: Detectors = ()
    ) -> Outcome:
        """What the rules of ``packs`` find; disabled ones are run as well."""
        trial = judge_events(
            [replace(pack, rules=tuple(map(_outspoken, pack.rules))) for pack in packs],
            self.events,
            reference,
            home=None if self.profile.everywhere else self.profile.id,
            until_us=self.until_us,
            countries=dict(self.countries),
            include_disabled=True,
            detectors=detectors,
        )
        outcome = Outcome()
        for reject in trial.rejects:
            prefix, _, name = str(self.events[reject.line - 1]["id"]).rpartition(MARK)
            outcome.refused.setdefault(prefix + MARK, []).append(
                f"event {name} was refused: {reject.code} {reject.field} "
                f"(found {reject.found}, expected {reject.expected})"
            )
        for alert in trial.alerts:
            outcome.alerts.setdefault((alert.rule, _owner(alert)), []).append(alert)
        return outcome


@dataclass(slots=True)
class Outcome:
    """What came of a bench: alerts by rule id and test, refused events by test."""

    alerts: dict[tuple[str, str], list[Alert]] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)

    def found(self, case: Case, rule: str) -> list[dict[str, Any]]:
        """What the rule of that id found in a test, as an expectation would be written."""
        made = [
            shown(alert, case.prefix)
            for alert in self.alerts.get((rule, case.prefix), ())
            if _before(alert, case.end_us)
        ]
        if case.rule.cannot_tell == "count" and case.test.expect:
            # what is only counted is not in question beside an alert; once is enough where expected
            untold = [found for found in made if found["outcome"] == UNTOLD]
            wanted = [w for w in case.test.expect if w.get("outcome") == UNTOLD]
            untold.sort(key=lambda found: all(_differences(w, found) for w in wanted))
            made = [found for found in made if found["outcome"] != UNTOLD] + untold[: len(wanted)]
        return made

    def problems(self, case: Case, found: Sequence[dict[str, Any]]) -> list[str]:
        """Why the test fails; empty where it passes."""
        problems = self.refused.get(case.prefix, []) + compare(case.test.expect, found)
        return problems + self._untold(case) if problems else []

    def _untold(self, case: Case) -> list[str]:
        """Which facts were missing where the rule could not be told and that was not expected."""
        if any(wanted.get("outcome") == UNTOLD for wanted in case.test.expect):
            return []
        told: dict[str, None] = {}
        for alert in self.alerts.get((case.rule.id, case.prefix), ()):
            if alert.outcome != UNTOLD or not _before(alert, case.end_us):
                continue
            event = alert.events[-1].replace(case.prefix, "")
            absent = [path for path, value in alert.facts.items() if value is None]
            if absent:
                text = say(
                    "it could not be told: the event %(event)s does not say %(facts)s",
                    event=event,
                    facts=listed(absent),
                )
            else:
                text = say(
                    "it could not be told at the event %(event)s: a fact of an event before it is "
                    "missing, or a rate",
                    event=event,
                )
            told[text] = None
        return list(told)


def _outspoken(rule: Rule) -> Rule:
    """The rule with what it cannot tell raised instead of counted; met alerts stay the same."""
    if rule.cannot_tell == "alert" or rule.deadline is not None or rule.again is not None:
        return rule
    return replace(rule, cannot_tell="alert")


def run_tests(
    packs: Sequence[Pack],
    reference: Reference,
    only: Iterable[str] | None = None,
    detectors: Detectors = (),
) -> Report:
    """Run the tests of the packs (``only``: rule ids; ``detectors``: who answers what they ask)."""
    wanted = None if only is None else set(only)
    report = Report()
    for pack in packs:
        rules = [rule for rule in pack.rules if wanted is None or rule.id in wanted]
        report.waiting.update(
            {
                rule.id: detector
                for rule in rules
                if (detector := waits_for(rule, detectors)) is not None
            }
        )
        bench = bench_of(
            [rule for rule in rules if rule.id not in report.waiting],
            reference.profile(pack.jurisdiction),
        )
        if not bench.cases:
            continue
        outcome = bench.judge([pack], reference, detectors)
        for case in bench.cases:
            found = outcome.found(case, case.rule.id)
            problems = outcome.problems(case, found)
            report.results.append(
                Result(pack.id, case.rule.id, case.test, tuple(problems), tuple(found))
            )
    return report


def bench_of(rules: Iterable[Rule], profile: Profile) -> Bench:
    """The tests of some rules of one jurisdiction, made ready."""
    cases: list[Case] = []
    events: list[tuple[int, dict[str, Any]]] = []
    countries: dict[str, str] = {}
    for rule in rules:
        for test in rule.tests:
            prefix = f"{len(cases)}{MARK}"
            own = [(_instant(str(e.get("time"))), e) for e in prepared_events(rule, test, prefix)]
            end = _instant(test.until) if test.until else max((t for t, _ in own), default=0)
            cases.append(Case(rule, test, prefix, end))
            events += own
            countries.update(_countries([event for _, event in own], profile))
    events.sort(key=lambda timed: timed[0])
    until = max((case.end_us for case in cases if case.test.until), default=None)
    return Bench(tuple(cases), tuple(event for _, event in events), countries, profile, until)


def prepared_events(rule: Rule, test: RuleTest, prefix: str) -> list[dict[str, Any]]:
    """A test's events with everything filled in that a test may leave out, ids made its own."""
    made = []
    for number, written in enumerate(test.events, start=1):
        event = {"id": f"e{number}", "type": rule.on[0], "reporter": REPORTER, **written}
        made.append(_prefixed(event, prefix, top=True))
    return made


def _prefixed(value: Any, prefix: str, top: bool = False) -> Any:
    made = {}
    for key, item in value.items():
        if isinstance(item, dict):
            made[key] = _prefixed(item, prefix)
        elif key in _PARTY_LISTS and isinstance(item, list):
            made[key] = [f"{prefix}{x}" for x in item]
        elif key in (_TOP if top else _IDS) and isinstance(item, str | int) and item != "":
            made[key] = f"{prefix}{item}"
        else:
            made[key] = item
    return made


def _countries(events: list[dict[str, Any]], profile: Profile) -> dict[str, str]:
    """Reporters are in the pack's jurisdiction unless the test says otherwise."""
    if not profile.countries:
        return {}
    country = profile.id if profile.id in profile.countries else min(profile.countries)
    said = {
        str(e["party"].get("id"))
        for e in events
        if e["type"] == "party" and "country" in e.get("party", {})
    }
    return {str(e["reporter"]): country for e in events if str(e["reporter"]) not in said}


def _instant(text: str) -> int:
    """Microseconds of an RFC 3339 time; 0 where it is none (the decoder will refuse it)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0
    if moment.tzinfo is None:
        return 0
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _owner(alert: Alert) -> str:
    """Prefix of the test whose parties or events an alert is about."""
    for text in (alert.subject["id"], alert.subject.get("institution", ""), *alert.events):
        number, mark, _ = text.partition(MARK)
        if mark and number.isdigit():
            return str(number + mark)
    return ""


def _before(alert: Alert, end: int) -> bool:
    """Whether the alert falls into the test's own time: its clock stops at the end."""
    if alert.kind == "deadline" or alert.warning or alert.due is not None:
        if alert.order[0] > end:
            return False
        # a clock that runs out exactly at the end has not been passed
        if alert.order[0] == end and alert.due is not None and "T" in alert.due:
            return _instant(alert.due) < end
    return alert.order[0] <= end


def shown(alert: Alert, prefix: str) -> dict[str, Any]:
    """An alert with the test's own names, as an expectation would be written."""

    def plain(text: str) -> str:
        return text.replace(prefix, "")

    made: dict[str, Any] = {
        "rule": alert.rule,
        "subject": plain(alert.subject["id"]),
        "outcome": alert.outcome,
        "warning": alert.warning,
        "period": plain(alert.period),
        "time": alert.time,
        "due": alert.due,
        "late": alert.late,
        "severity": alert.severity,
    }
    for name, value in alert.measures.items():
        made[name] = plain(value) if isinstance(value, str) else value
    return made


def compare(expect: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]]) -> list[str]:
    """Differences between what a test expects and what came, one a line."""
    problems: list[str] = []
    left = list(found)
    for wanted in expect:
        match = next((f for f in left if not _differences(wanted, f)), None)
        if match is not None:
            left.remove(match)
            continue
        if not left:
            problems.append(
                say("expected %(wanted)s; got no alert", wanted=_text(wanted, frozenset()))
            )
            continue
        nearest = min(left, key=lambda f: len(_differences(wanted, f)))
        left.remove(nearest)
        problems += _differences(wanted, nearest)
    for extra in left:
        if extra["outcome"] == UNTOLD and not expect:
            problems.append(
                say(
                    "expected none; a fact is missing, it could not be told: %(got)s",
                    got=_text(extra),
                )
            )
        else:
            template = _NO_OTHER if expect else _NONE
            problems.append(Said(template, {"got": _text(extra)}))
    return problems


_NO_OTHER: Final = N_("expected no other alert; got %(got)s")
_NONE: Final = N_("expected no alert; got %(got)s")
_AT_FIRST: Final = ("subject", "outcome", "warning", "time")
_NOT_SAID: Final = frozenset({"rule", "period", "late", "severity", "due"})


def _text(alert: dict[str, Any], unsaid: frozenset[str] = _NOT_SAID) -> str:
    """An alert in words: whom, what, when, then each measure."""
    names = [name for name in _AT_FIRST if alert.get(name)]
    names += [name for name in alert if name not in _AT_FIRST and name not in unsaid]
    told = [say("%(name)s %(value)s", name=name, value=_value(alert[name])) for name in names]
    return listed(told) if told else say("any alert")


def _value(value: Any) -> str:
    """A value as an author would read it."""
    if not isinstance(value, dict):
        return say("unknown") if value is None else str(value)
    if "amount" in value:
        return f"{value.get('currency', '')} {value['amount']}".strip()
    if "seconds" in value:
        return say("%(seconds)s seconds", seconds=value["seconds"])
    low, high = value.get("at_least"), value.get("at_most")
    parts: list[str] = [] if low is None else [say("at least %(low)s", low=_value(low))]
    return both(parts if high is None else [*parts, say("at most %(high)s", high=_value(high))])


def _differences(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    return [
        say(
            "%(key)s: expected %(wanted)s, got %(got)s",
            key=key,
            wanted=_value(value),
            got=_value(found.get(key)),
        )
        for key, value in wanted.items()
        if not _same(key, value, found.get(key))
    ]


def _same(key: str, wanted: Any, found: Any) -> bool:
    if key == "time":
        return _instant(str(wanted)) == _instant(str(found))
    if isinstance(wanted, bool) or isinstance(found, bool):
        return bool(wanted == found)
    if isinstance(found, dict) and isinstance(wanted, dict):
        return all(_same("", value, found.get(name)) for name, value in wanted.items())
    if isinstance(found, dict):
        value = found.get("amount", found.get("seconds"))
        if found.get("currency"):  # money may be written as a figure of the pack is: HKD 10,000
            wanted = str(wanted).removeprefix(f"{found['currency']} ")
            wanted = re.sub(r"(?<=\d),(?=\d{3}\b)", "", wanted)
        return _number(wanted) is not None and _number(wanted) == _number(value)
    if key == "subject":
        # a single event is named by its id alone, or with its reporter
        return str(wanted) in (str(found), str(found).partition("/")[2])
    a, b = _number(wanted), _number(found)
    return a == b if a is not None and b is not None else str(wanted) == str(found)


def _number(value: Any) -> Fraction | None:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None
