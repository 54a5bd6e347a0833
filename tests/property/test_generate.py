"""The generators themselves: a case that never triggers proves nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from regtech.rulelang.packs import load_text
from tests.property.generate.scenario import Scenario, scenario, smaller
from tests.property.oracle import data
from tests.property.oracle.judge import Result, judge

MAPPINGS = Path(__file__).parents[2] / "mappings"
SEEDS = range(60)


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    """What the oracle needs to know of the shipped data."""
    profiles = data.load_profiles(MAPPINGS)
    return {
        "profiles": profiles,
        "decimals": data.load_decimals(MAPPINGS),
        "sets": data.load_sets(MAPPINGS),
        "rates": data.RateTable((MAPPINGS / "rates" / "sample.csv").read_text("utf-8")),
        "working_day": data.working_days(profiles),
    }


def decide(case: Scenario, settings: dict[str, Any]) -> Result:
    return judge(
        case.packs,
        case.sources,
        lateness_seconds=case.lateness_seconds,
        home=case.home,
        until=case.until,
        **settings,
    )


@pytest.fixture(scope="module")
def results(settings: dict[str, Any]) -> list[tuple[Scenario, Result]]:
    return [(case, decide(case, settings)) for case in map(scenario, SEEDS)]


def rules_of(case: Scenario) -> Iterator[dict[str, Any]]:
    return (rule for pack in case.packs for rule in pack["rules"])


def test_a_seed_says_everything() -> None:
    assert scenario(7) == scenario(7)
    assert scenario(7) != scenario(8)


def test_packs_survive_yaml() -> None:
    for seed in range(5):
        for pack in scenario(seed).packs:
            assert yaml.safe_load(yaml.safe_dump(pack, sort_keys=False)) == pack


def test_the_checker_accepts_every_pack() -> None:
    found = []
    for seed in range(30):
        for pack in scenario(seed, events=2).packs:
            _, faults = load_text(yaml.safe_dump(pack, sort_keys=False, allow_unicode=True))
            found += [str(fault) for fault in faults if fault.severity == "error"]
    assert found == []


def test_all_three_outcomes_are_common(results: list[tuple[Scenario, Result]]) -> None:
    outcomes: Counter[str] = Counter()
    seen: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    rules = 0
    for case, result in results:
        rules += sum(1 for _ in rules_of(case))
        for (rule, outcome), count in result.outcomes.items():
            outcomes[outcome] += count
            seen[case.seed, rule].add(outcome)
    total = outcomes.total()
    shares = {outcome: round(count / total, 2) for outcome, count in outcomes.items()}
    print(f"{total} rows judged by {rules} rules: {shares}")
    assert min(shares.values()) >= 0.15 and len(shares) == 3
    assert len(seen) / rules >= 0.9, "rules that were evaluated at all"
    assert sum(len(found) > 1 for found in seen.values()) / rules >= 0.6


def test_every_kind_of_alert_and_of_arrival_comes(
    results: list[tuple[Scenario, Result]],
) -> None:
    alerts = [alert for _, result in results for alert in result.alerts]
    overdue = 0
    for case, result in results:
        deadlines = {rule["id"] for rule in rules_of(case) if "deadline" in rule}
        overdue += sum(a["rule"] in deadlines and not a["warning"] for a in result.alerts)
    found = {
        "met": sum(alert["outcome"] == "met" for alert in alerts),
        "cannot tell": sum(alert["outcome"] == "cannot_tell" for alert in alerts),
        "warning": sum(alert["warning"] for alert in alerts),
        "overdue": overdue,
        "again": sum("#" in alert["period"] for alert in alerts),
        "rolling": sum(alert["period"].endswith("Z") for alert in alerts),
        "week": sum("-W" in alert["period"] for alert in alerts),
        "quarter": sum("-Q" in alert["period"] for alert in alerts),
        "interval": sum(any(isinstance(v, list) for v in a["measures"].values()) for a in alerts),
        "late": sum(result.late for _, result in results),
        "repeats": sum(result.repeats for _, result in results),
        "conflicts": sum(result.conflicts for _, result in results),
        "ungoverned": sum(result.ungoverned for _, result in results),
    }
    print(found)
    assert min(found.values()) >= 5, found


WORDS = (
    *(f"{kind}(" for kind in ("sum", "count", "distinct", "min", "max", "mean", "stddev", "last")),
    *("since_last(", "first_seen(", "outstanding(", "figure(", "amount_in(", "least(", "greatest("),
    *(f"over={kind}" for kind in ("day", "week", "month", "quarter", "year", "business_day")),
    *("over=24h", "over=7d", "over=1mo", "over=12mo", "over=param", "over=ever", "where=", "by="),
    *(
        "on=",
        "key=",
        "read=",
        "exempt(",
        "missing(",
        "known(",
        "given(",
        "in_set(",
        "has(",
        "only(",
    ),
    *("days_since(", "days_until(", "time_since(", "hour()", "weekday()", "working_day()"),
    *("month_end(", "quarter_end(", "year_end(", "length(", " if ", "not in", "yields_to", "again"),
    *(
        "deadline",
        "warn",
        "start_period_end",
        "about",
        "closed_by",
        "cannot_tell",
        "period",
        "values",
    ),
)


def test_the_vocabulary_is_used() -> None:
    written = [str(pack) for seed in range(250) for pack in scenario(seed, events=2).packs]
    uses = {word: sum(word in pack for pack in written) for word in WORDS}
    assert [word for word, count in uses.items() if count < 2] == []


def test_a_failing_case_is_made_smaller(settings: dict[str, Any]) -> None:
    def fails(case: Scenario) -> bool:
        return any(alert["outcome"] == "met" for alert in decide(case, settings).alerts)

    small = smaller(scenario(3), fails)
    assert fails(small)
    assert sum(map(len, small.sources)) <= 6
    assert sum(1 for _ in rules_of(small)) == len(small.packs)
