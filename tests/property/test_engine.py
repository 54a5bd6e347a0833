"""The engine against the independent oracle; any chopping and any order within lateness.

Seeds are few here; ``REGTECH_PROPERTY_SEEDS`` raises their number (``make fuzz``).
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from regtech.model.alert import Alert
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import load_text
from regtech.sandbox.harness import Trial, judge_events
from tests.property.generate.scenario import Scenario, scenario
from tests.property.oracle import data
from tests.property.oracle.judge import Result, judge

SEEDS = range(int(os.environ.get("REGTECH_PROPERTY_SEEDS", "40")))
MAPPINGS = Path(__file__).parents[2] / "mappings"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


@pytest.fixture(scope="module")
def oracle_data() -> dict[str, Any]:
    profiles = data.load_profiles(MAPPINGS)
    return {
        "profiles": profiles,
        "decimals": data.load_decimals(MAPPINGS),
        "sets": data.load_sets(MAPPINGS),
        "rates": data.RateTable((MAPPINGS / "rates" / "sample.csv").read_text("utf-8")),
        "working_day": data.working_days(profiles),
    }


def packs_of(case: Scenario) -> list[Pack]:
    """The packs of a case; a rule that the checker calls contradictory is left out by it."""
    made = []
    for document in case.packs:
        pack, _ = load_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
        assert pack is not None
        made.append(pack)
    return made


def run_engine(
    case: Scenario, packs: list[Pack], reference: Reference, batch: int | None = None
) -> Trial:
    return judge_events(
        packs,
        [list(source) for source in case.sources],
        reference,
        batch=batch,
        lateness_us=case.lateness_seconds * 1_000_000,
        home=case.home,
        until_us=micros(case.until) if case.until else None,
    )


def run_oracle(case: Scenario, packs: list[Pack], settings: dict[str, Any]) -> Result:
    kept = {rule.id for pack in packs for rule in pack.rules}
    documents = [
        {**pack, "rules": [rule for rule in pack["rules"] if rule["id"] in kept]}
        for pack in case.packs
    ]
    return judge(
        documents,
        case.sources,
        lateness_seconds=case.lateness_seconds,
        home=case.home,
        until=case.until,
        **settings,
    )


def plain(value: Any) -> Any:
    """A written value as the oracle has it: fractions, open intervals as pairs."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return Fraction(value)
    if isinstance(value, dict):
        if "currency" in value:
            return Fraction(value["amount"])
        if "seconds" in value:
            return Fraction(value["seconds"]) * 1_000_000
        ends = (plain(value.get("at_least")), plain(value.get("at_most")))
        return None if ends == (None, None) else ends
    try:
        return Fraction(value)
    except ValueError:
        return Fraction(micros(value)) if value.endswith("Z") and "T" in value else value


def theirs(value: Any) -> Any:
    if isinstance(value, list):
        return None if value == [None, None] else tuple(value)
    return value


def of_engine(alert: Alert) -> tuple[Any, ...]:
    subject = alert.subject
    per_event = subject["per"].startswith("event")
    return (
        alert.order[0],
        alert.rule,
        subject["id"].replace("/", "|") if per_event else subject["id"],
        alert.period,
        subject.get("institution") or "",
        tuple(sorted((k.removesuffix(".id"), v) for k, v in subject.get("by", {}).items())),
        alert.outcome,
        alert.warning,
        tuple(sorted((k, str(plain(v))) for k, v in alert.measures.items())),
    )


def of_oracle(alert: dict[str, Any]) -> tuple[Any, ...]:
    return (
        alert["time"],
        alert["rule"],
        str(alert["subject"]),
        alert["period"],
        alert["institution"] or "",
        tuple(sorted((k.removesuffix(".id"), v) for k, v in alert["by"].items())),
        alert["outcome"],
        alert["warning"],
        tuple(sorted((k, str(theirs(v))) for k, v in alert["measures"].items())),
    )


def digest(alerts: list[Alert]) -> str:
    made = hashlib.sha256()
    for alert in alerts:
        made.update(alert.canonical() + b"\n")
    return made.hexdigest()


@pytest.mark.parametrize("seed", SEEDS)
def test_engine_matches_oracle(
    seed: int, reference: Reference, oracle_data: dict[str, Any]
) -> None:
    case = scenario(seed)
    packs = packs_of(case)
    expected = run_oracle(case, packs, oracle_data)
    trial = run_engine(case, packs, reference)
    summary = trial.engine.summary()

    assert sorted(map(of_engine, trial.alerts)) == sorted(map(of_oracle, expected.alerts))
    assert {k: v for k, v in summary.cannot_tell.items() if v} == {
        k: v for k, v in expected.cannot_tell.items() if v
    }
    found = (summary.late, summary.repeats, summary.conflicts, summary.ungoverned)
    wanted = (expected.late, expected.repeats, expected.conflicts, expected.ungoverned)
    assert found == tuple(w if isinstance(w, int) else len(w) for w in wanted)


def test_the_seeds_are_worth_something(reference: Reference) -> None:
    """Enough alerts of both outcomes come out that agreement means agreement on something."""
    outcomes = {"met": 0, "cannot_tell": 0}
    for seed in range(10):
        case = scenario(seed)
        for alert in run_engine(case, packs_of(case), reference).alerts:
            outcomes[alert.outcome] += 1
    assert outcomes["met"] > 100
    assert outcomes["cannot_tell"] > 10


@pytest.mark.parametrize("seed", SEEDS[: len(SEEDS) // 3 + 1])
def test_any_chopping_gives_the_same_bytes(seed: int, reference: Reference) -> None:
    case = scenario(seed)
    packs = packs_of(case)
    whole = run_engine(case, packs, reference)
    for batch in (1, 7, 50):
        chopped = run_engine(case, packs, reference, batch)
        assert digest(chopped.alerts) == digest(whole.alerts), batch


@pytest.mark.parametrize("seed", SEEDS[: len(SEEDS) // 3 + 1])
def test_any_order_within_lateness_gives_the_same_alerts(seed: int, reference: Reference) -> None:
    """One source in order, then shuffled so that no event comes later than the lateness allows."""
    case = scenario(seed)
    packs = packs_of(case)
    events = sorted(
        (event for source in case.sources for event in source), key=lambda e: micros(e["time"])
    )
    lateness = 86_400
    chance = Random(seed)
    places = [micros(e["time"]) + chance.randrange(lateness * 1_000_000) for e in events]
    shuffled = [events[k] for k in sorted(range(len(events)), key=places.__getitem__)]

    def alerts(stream: list[dict[str, Any]], batch: int) -> list[tuple[Any, ...]]:
        trial = judge_events(
            packs, stream, reference, lateness_us=lateness * 1_000_000, home=case.home, batch=batch
        )
        assert trial.engine.summary().late == 0
        return [of_engine(a) for a in trial.alerts]

    assert alerts(shuffled, 11) == alerts([dict(e) for e in events], 1000)
