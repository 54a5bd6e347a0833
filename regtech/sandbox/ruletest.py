"""Runs the tests that stand in the packs, on the real engine.

All tests of a pack go through one engine: each test gets parties, institutions and events of its
own by a prefix on every identifier, so tests cannot see each other, and the cost of starting an
engine is paid once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from regtech.engine.variants import waits_for
from regtech.model.alert import Alert
from regtech.reference.load import Reference
from regtech.reference.profiles import Profile
from regtech.rulelang.ir import Pack, Rule, RuleTest
from regtech.sandbox.harness import judge_events

REPORTER: Final = "R1"
_PREFIX: Final = "~"
_IDS: Final = frozenset({"id", "account", "institution", "group", "device", "lei", "national"})
_TOP: Final = frozenset(
    {"id", "reporter", "project", "reference", "about", "loan_id", "linked", "product"}
)
_PARTY_LISTS: Final = frozenset({"persons"})


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


def run_tests(
    packs: Sequence[Pack], reference: Reference, only: Iterable[str] | None = None
) -> Report:
    """Run the tests of the packs (``only``: rule ids)."""
    wanted = None if only is None else set(only)
    report = Report()
    for pack in packs:
        _run_pack(pack, reference, wanted, report)
    return report


def _run_pack(pack: Pack, reference: Reference, wanted: set[str] | None, report: Report) -> None:
    profile = reference.profile(pack.jurisdiction)
    cases: list[tuple[Rule, RuleTest, str]] = []
    for rule in pack.rules:
        if wanted is not None and rule.id not in wanted:
            continue
        if (detector := waits_for(rule)) is not None:
            report.waiting[rule.id] = detector
            continue
        for test in rule.tests:
            cases.append((rule, test, f"{len(cases)}{_PREFIX}"))
    events: list[dict[str, Any]] = []
    countries: dict[str, str] = {}
    for rule, test, prefix in cases:
        own = prepared_events(rule, test, prefix)
        events += own
        countries.update(_countries(own, profile))
    if not cases:
        return
    events.sort(key=lambda e: _instant(str(e.get("time", ""))))
    last = max((_instant(t.until) for _, t, _ in cases if t.until), default=0)
    trial = judge_events(
        [pack], events, reference, home=_home(profile), until_us=last or None,
        countries=countries, include_disabled=True,
    )  # fmt: skip
    rejects: dict[str, list[str]] = {}
    for reject in trial.rejects:
        event = events[reject.line - 1]
        prefix = str(event["id"]).split(_PREFIX)[0] + _PREFIX
        rejects.setdefault(prefix, []).append(
            f"event {str(event['id']).split(_PREFIX)[-1]} was refused: {reject.code} {reject.field} "
            f"(found {reject.found}, expected {reject.expected})"
        )
    for rule, test, prefix in cases:
        end = _end_of(events, test, prefix)
        found = [
            shown(alert, prefix)
            for alert in trial.alerts
            if alert.rule == rule.id and _belongs(alert, prefix) and _before(alert, end)
        ]
        problems = rejects.get(prefix, []) + compare(test.expect, found)
        report.results.append(Result(pack.id, rule.id, test, tuple(problems), tuple(found)))


def _home(profile: Profile) -> str | None:
    return None if profile.everywhere else profile.id


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
        if e["type"] == "party" and "country" in e["party"]
    }
    return {str(e["reporter"]): country for e in events if str(e["reporter"]) not in said}


def _instant(text: str) -> int:
    """Microseconds of an RFC 3339 time; 0 where it is none (the decoder will refuse it)."""
    from datetime import datetime, timedelta, timezone

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0
    if moment.tzinfo is None:
        return 0
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)


def _end_of(events: list[dict[str, Any]], test: RuleTest, prefix: str) -> int:
    if test.until:
        return _instant(test.until)
    own = [_instant(str(e["time"])) for e in events if str(e["id"]).startswith(prefix)]
    return max(own, default=0)


def _belongs(alert: Alert, prefix: str) -> bool:
    texts = [alert.subject["id"], alert.subject.get("institution", ""), *alert.events]
    return any(text.startswith(prefix) for text in texts)


def _before(alert: Alert, end: int) -> bool:
    """Whether the alert falls into the test's own time: clocks stop at its last event or ``until``."""
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
    """Differences between what a test expects and what came, one sentence each."""
    problems = []
    left = list(found)
    for wanted in expect:
        match = next((f for f in left if not _differences(wanted, f)), None)
        if match is not None:
            left.remove(match)
            continue
        if not left:
            problems.append(f"expected {_text(wanted)}, found no alert")
            continue
        nearest = min(left, key=lambda f: len(_differences(wanted, f)))
        left.remove(nearest)
        problems += [f"expected {line}" for line in _differences(wanted, nearest)]
    problems += [f"found an alert that is not expected: {_text(extra)}" for extra in left]
    return problems


def _text(alert: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in alert.items() if value is not None)


def _differences(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    return [
        f"{key} {value}, got {found.get(key)}"
        for key, value in wanted.items()
        if not _same(key, value, found.get(key))
    ]


def _same(key: str, wanted: Any, found: Any) -> bool:
    if key == "time":
        return _instant(str(wanted)) == _instant(str(found))
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted == found
    if isinstance(found, dict) and isinstance(wanted, dict):
        return all(_same("", value, found.get(name)) for name, value in wanted.items())
    if isinstance(found, dict):
        value = found.get("amount", found.get("seconds"))
        return value is not None and _number(wanted) == _number(value)
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
