"""What ``regtech policies`` does: reading policies, running their tests, trying them on alerts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regtech.app.languages import translator
from regtech.app.rules import Findings
from regtech.app.settings import setting
from regtech.errors import InputError, UsageError
from regtech.model.alert import LIST_CHANGE, SCREENING

if TYPE_CHECKING:
    from casework.cases.directive import Plan
    from casework.cases.facts import AlertFacts
    from casework.policy.counts import Counted, Watched
    from casework.policy.matcher import Matcher
    from casework.policy.model import PolicySet
    from casework.policy.patterns import Known
    from casework.policy.planner import Planner
    from casework.ports import EventsOf

SAMPLES = 3


def known_names() -> Known:
    """The rules, packs, obligations and jurisdictions that patterns may name: those that ship, and
    the one whose alerts come of changed lists."""
    from casework.policy.patterns import Known
    from regtech.app.choice import chosen_packs
    from regtech.reference.load import Reference
    from regtech.rulelang.register import load_register

    packs = chosen_packs(())
    return Known(
        {
            "rule": frozenset(rule.id for pack in packs for rule in pack.rules) | {LIST_CHANGE},
            "pack": frozenset(pack.id for pack in packs) | {SCREENING},
            "obligation": frozenset(load_register().obligations),
            "jurisdiction": frozenset(Reference.shipped().profiles),
        }
    )


def _count(number: int, word: str) -> str:
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number} {word if number == 1 else plural}"


def _some_policy_files(paths: tuple[Path, ...]) -> list[Path]:
    """Files of policies under each of the paths; of what ships where none is named.

    Raises ``UsageError`` for a folder without any: nothing was looked at, which must not read as
    nothing found.
    """
    from casework.policy.load import policy_files

    for path in paths:
        if not policy_files([path]):
            raise UsageError(
                f"there are no policies in {path}", hint="they are files that end in .yml"
            )
    return policy_files(paths or None)


def lint_policies(paths: tuple[Path, ...], lang: str = "en") -> Findings:
    """Every fault of every file; errors fail, warnings do not."""
    from casework.policy.load import load_policies

    files = _some_policy_files(paths)
    policies, faults = load_policies(files, known_names())
    errors = sum(fault.severity == "error" for fault in faults)
    warnings = len(faults) - errors
    said = f"{_count(len(policies.policies), 'policy')}, {_count(len(policies.themes), 'theme')}: "
    return Findings(
        lines=tuple(fault.told(translator(lang)) for fault in faults),
        total=said + f"{_count(errors, 'error')}, {_count(warnings, 'warning')}",
        failed=errors > 0,
        data={
            "files": len(files),
            "policies": len(policies.policies),
            "themes": len(policies.themes),
            "errors": errors,
            "warnings": warnings,
            "faults": [fault.as_data() for fault in faults],
        },
    )


def test_policies(paths: tuple[Path, ...], only: str | None = None) -> Findings:
    """Run the tests inside the policies."""
    from casework.policy.load import require_policies
    from casework.policy.trials import run_tests

    policies = require_policies(_some_policy_files(paths))
    names = None if only is None else [p.id for p in policies.policies if only in p.id]
    if names == []:
        raise UsageError(f"no policy has {only!r} in its id")
    with _planner(policies) as planner:
        results = run_tests(planner, names)
    failed = [result for result in results if not result.passed]
    lines = []
    for result in failed:
        lines.append(f"{result.test.mark}: {result.policy}: {result.test.name}")
        lines += [f"    {problem}" for problem in result.problems]
    return Findings(
        lines=tuple(lines),
        total=f"{_count(len(results), 'test')}, {len(failed)} failed",
        failed=bool(failed),
        data={
            "tests": len(results),
            "failed": [
                {
                    "policy": result.policy,
                    "test": result.test.name,
                    "place": str(result.test.mark),
                    "problems": list(result.problems),
                    "found": list(result.found),
                }
                for result in failed
            ],
        },
    )


def show_policies(wanted: str | None, paths: tuple[Path, ...], lang: str) -> str:
    """The page of a policy, or of all in the order in which they choose."""
    from casework.policy.load import require_policies
    from casework.policy.show import show
    from regtech.content.faults import did_you_mean

    policies = require_policies(_some_policy_files(paths)).policies
    found = [policy for policy in policies if wanted in (None, policy.id)]
    if not found:
        hint = did_you_mean(wanted or "", [policy.id for policy in policies])
        raise UsageError(f"no policy {wanted!r}", hint=hint)
    return "\n\n".join(show(policy, lang) for policy in found)


def policy_schema() -> dict[str, Any]:
    """JSON Schema of policy files."""
    from casework.policy.schema import policy_schema as schema

    return schema()


# --- dry run --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DryRun:
    """What policies would make of alerts; nothing is written anywhere."""

    alerts: int
    unreadable: tuple[str, ...]
    plan: Plan
    matcher: dict[str, Any]
    rules: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Counts, and every case and alert aside."""
        return {
            "alerts": self.alerts,
            "unreadable": list(self.unreadable),
            "cases": len(self.plan.cases),
            "aside": len(self.plan.aside),
            "by_policy": self.by_policy(),
            "by_queue": dict(sorted(Counter(c.queue for c in self.plan.cases).items())),
            "by_priority": dict(sorted(Counter(c.priority for c in self.plan.cases).items())),
            "by_theme": dict(sorted(Counter(c.theme for c in self.plan.cases).items())),
            "braked": self.braked(),
            "brake_cannot_tell": list(self.plan.unknown),
            "matcher": self.matcher,
            "plan": {
                "cases": [case.as_data() for case in self.plan.cases],
                "aside": [aside.as_data() for aside in self.plan.aside],
            },
        }

    def by_policy(self) -> dict[str, dict[str, int]]:
        """For each policy its cases, the alerts in them, and the alerts it set aside."""
        found: dict[str, dict[str, int]] = {}
        for case in self.plan.cases:
            entry = found.setdefault(case.policy, {"cases": 0, "alerts": 0, "aside": 0})
            entry["cases"] += 1
            entry["alerts"] += len(case.alerts)
        for aside in self.plan.aside:
            entry = found.setdefault(aside.policy, {"cases": 0, "alerts": 0, "aside": 0})
            entry["aside"] += 1
        return dict(sorted(found.items()))

    def braked(self) -> dict[str, int]:
        """Rules that were braked, with how many of their alerts."""
        rules = [self.rules[a.alert] for a in self.plan.aside if a.outcome == "braked"]
        return dict(sorted(Counter(rules).items()))

    def samples(self, count: int = SAMPLES) -> list[dict[str, Any]]:
        """The largest cases of each policy."""
        seen: Counter[str] = Counter()
        found = []
        for case in sorted(self.plan.cases, key=lambda c: (-len(c.alerts), c.case)):
            seen[case.policy] += 1
            if seen[case.policy] <= count:
                found.append(case.as_data())
        return sorted(found, key=lambda case: (case["policy"], -len(case["alerts"]), case["case"]))


def dry_run(
    files: tuple[Path, ...],
    *,
    policies: tuple[Path, ...] = (),
    parties: tuple[Path, ...] = (),
    watched: int | None = None,
    store: str | None = None,
    until: str | None = None,
) -> DryRun:
    """Which cases the alerts in the files would make.

    ``parties``: files of events whose `party` records say which group a party belongs to.
    ``watched``: number of subjects that rules are evaluated for, which a brake needs; where None,
    the subjects and events that the record of ``store`` was told of. ``until``: as of when; None:
    the last alert. Alerts that cannot be read are named, never left out silently.
    """
    from casework.policy.gather import decide
    from casework.policy.load import require_policies
    from casework.policy.reader import MemoryAlerts

    chosen = require_policies(_some_policy_files(policies))
    groups = _groups(parties)
    alerts: list[AlertFacts] = []
    unreadable: list[str] = []
    for file in files:
        for place, facts in _alerts(file, groups):
            if isinstance(facts, str):
                unreadable.append(f"{place}: {facts}")
            else:
                alerts.append(facts)
    as_of = _instant(until) if until else max((facts.time for facts in alerts), default=0)
    with _planner(chosen) as planner, _told(watched, store) as (known, counted):
        reader = MemoryAlerts(map(planner.ready, alerts), watched=known, counted=counted)
        plan = decide(planner, reader, reader.all(), as_of)
        health = planner.matcher.health()
    return DryRun(
        alerts=len(reader.all()),
        unreadable=tuple(unreadable),
        plan=plan,
        matcher={"engine": health.engine, "degraded": health.degraded, "reason": health.reason},
        rules={facts.id: facts.rule for facts in alerts},
    )


@contextmanager
def _told(watched: int | None, store: str | None) -> Iterator[tuple[Watched, Counted]]:
    """How many there are of what rules look at: one number for all, or as a store was told."""
    from casework.policy.counts import Watched, counting

    if store is None or watched is not None:
        yield Watched(watched), counting(())
        return
    from casework.cases.scope import service_scope
    from casework.service.intake import FEWEST
    from regtech.app.casework import casework

    scope = service_scope("dry-run")
    with casework(store) as parts:
        with parts.record.unit(scope) as unit:
            subjects, events = unit.watched(scope), unit.rule_events(scope)

        def counted(asked: Sequence[EventsOf]) -> list[int]:
            with parts.record.unit(scope) as unit:  # short: others write to the store meanwhile
                return unit.events_counted(scope, asked)

        yield Watched(None, subjects, events, FEWEST), counted


def _instant(text: str) -> int:
    from casework.cases.facts import instant

    try:
        return instant(text, "--until")
    except InputError as error:
        raise UsageError(error.message, hint="write 2026-03-02T09:00:00Z") from None


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    try:
        with file.open("rb") as source:
            for number, line in enumerate(source, 1):
                yield f"{file}:{number}", line.decode("utf-8", "replace")
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or error}") from None


def _alerts(file: Path, groups: dict[str, str]) -> Iterator[tuple[str, AlertFacts | str]]:
    from casework.cases.facts import facts_of

    for place, line in _lines(file):
        try:
            alert = json.loads(line)
        except (ValueError, RecursionError):
            yield place, "not JSON"
            continue
        if not isinstance(alert, dict):
            yield place, "not an alert"
            continue
        try:
            yield place, facts_of(alert, groups=groups)
        except InputError as error:
            yield place, error.message


def _groups(files: tuple[Path, ...]) -> dict[str, str]:
    """Party id to group id, from `party` events; a later record of a party replaces an earlier."""
    found: dict[str, str] = {}
    for file in files:
        for _, line in _lines(file):
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue
            party = event.get("party") if isinstance(event, dict) else None
            if isinstance(party, dict) and isinstance(party.get("id"), str):
                group = party.get("group")
                if isinstance(group, str) and group:
                    found[party["id"]] = group
    return found


@contextmanager
def shipped_planner() -> Iterator[Planner]:
    """A planner of the policies that ship, for the record of cases."""
    from casework.policy.load import require_policies

    with _planner(require_policies()) as planner:
        yield planner


def chosen_matcher() -> Matcher:
    """The matcher that the settings name."""
    from casework.policy.durable import DurableMatcher
    from casework.policy.matcher import PythonMatcher

    return PythonMatcher() if setting("REGTECH_MATCHER") == "python" else DurableMatcher()


@contextmanager
def _planner(policies: PolicySet) -> Iterator[Planner]:
    """A planner over the matcher that is configured; gives the matcher back at the end."""
    from casework.policy.clocks import Clocks
    from casework.policy.planner import Planner
    from regtech.reference.load import Reference

    matcher = chosen_matcher()
    try:
        yield Planner(policies, matcher, Clocks(Reference.shipped()))
    finally:
        matcher.close()
