"""Every alert decides again from itself alone; whatever is changed in it is noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from regtech.engine.plan import Plan, compile_plan
from regtech.model.alert import seal_of
from regtech.reference.load import Reference
from regtech.rulelang.packs import load_text, require_packs
from regtech.sandbox.harness import judge_events
from regtech.sandbox.replay import replay

DATA = Path(__file__).parents[2] / "golden" / "explain"
Path_ = tuple[str | int, ...]
Found = tuple[Plan, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


@pytest.fixture(scope="module")
def found(reference: Reference) -> Found:
    packs = require_packs(DATA / "golden-rules.yml")
    events = [json.loads(line) for line in (DATA / "events.ndjson").read_text().splitlines()]
    trial = judge_events(packs, events, reference, until_us=1_778_000_000_000_000)
    alerts = [json.loads(alert.canonical()) for alert in trial.alerts]
    return compile_plan(packs, reference, include_disabled=True), alerts


def test_every_alert_replays(found: Found) -> None:
    plan, alerts = found
    assert {alert["rule"] for alert in alerts} == {rule.id for _, rule in plan.rules}
    assert [replay(alert, plan).text() for alert in alerts if not replay(alert, plan).same] == []


def leaves(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Places of everything that is not a container, empty containers included."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = list(enumerate(value))
    if not items:
        yield at
    for key, item in items:
        yield from leaves(item, (*at, key))


def other(value: Any) -> Any:
    """Another value of the same type, as near as can be."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if value[-1:].isdigit():
            return value[:-1] + str((int(value[-1]) + 1) % 10)
        case str():
            return value + "x"
        case None:
            return 1
        case list():
            return ["x"]
        case _:
            return {"x": 1}


def changed(alert: dict[str, Any], at: Path_) -> dict[str, Any]:
    made = deepcopy(alert)
    holder: Any = made
    for key in at[:-1]:
        holder = holder[key]
    holder[at[-1]] = other(holder[at[-1]])
    return made


def test_a_change_of_any_leaf_is_noticed(found: Found) -> None:
    plan, alerts = found
    missed = []
    for alert in alerts:
        for at in leaves(alert):
            if replay(changed(alert, at), plan).same:
                missed.append((alert["rule"], at))
    assert missed == []


def test_a_key_added_or_removed_is_noticed(found: Found) -> None:
    plan, alerts = found
    for alert in alerts[:3]:
        assert not replay(alert | {"more": 1}, plan).same
        for key in alert:
            without = {name: value for name, value in alert.items() if name != key}
            assert not replay(without, plan).same, key


FORGED = [
    "id", "rule", "rule_version", "pack", "pack_digest", "jurisdiction", "obligation", "cite",
    "kind", "severity", "status", "subject", "period", "time", "outcome", "warning", "measures",
    "params", "law_as_of", "rate", "due", "late", "explanation", "event_digest", "seal",
]  # fmt: skip
"""Parts that follow from the rest and the pack: a change is noticed even if sealed anew.

Not so ``source``, and facts that decide nothing: only the seal knows them.
"""


@pytest.mark.parametrize("part", FORGED)
def test_a_change_that_was_sealed_anew_is_noticed(found: Found, part: str) -> None:
    plan, alerts = found
    tried = 0
    for alert in alerts:
        for at in leaves(alert[part], (part,)):
            if at == ("rate", "digest"):
                continue  # then it is another table: see below
            forged = changed(alert, at)
            if part != "seal":
                forged["seal"] = seal_of(forged)
            tried += 1
            assert not replay(forged, plan).same, (alert["rule"], at)
    assert tried


@pytest.mark.parametrize("rule", ["gold-large", "gold-lending", "gold-structuring"])
def test_a_forged_measure_is_noticed(found: Found, rule: str) -> None:
    plan, alerts = found
    alert = next(a for a in alerts if a["rule"] == rule)
    for at in leaves(alert["inputs"], ("inputs",)):
        forged = changed(alert, at)
        forged["seal"] = seal_of(forged)
        assert not replay(forged, plan).same, at


def test_rates_of_another_table_are_used_and_noted(found: Found) -> None:
    plan, alerts = found
    alert = deepcopy(next(a for a in alerts if a["rule"] == "gold-lending"))
    alert["rate"]["digest"] = "0" * 64
    alert["seal"] = seal_of(alert)
    result = replay(alert, plan)
    assert result.same
    assert "another rate table" in result.text()


@pytest.mark.parametrize(
    ("rule", "path", "value", "field"),
    [
        ("gold-large", "channel", "transfer", "outcome"),
        ("gold-large", "suspicion", False, "outcome"),
        ("gold-large", "time", "2026-03-03T03:30:00Z", "period"),
        ("gold-notify", "aware", "2026-03-02T01:00:00Z", "due"),
        ("gold-notify", "risk", "unlikely", "outcome"),
        ("gold-travel", "payer.name", "#1", "outcome"),
        ("gold-travel", "payee.institution_country", "CN", "outcome"),
        ("gold-structuring", "amount", 4_499_999, "outcome"),
        ("gold-lending", "reporter", "BANK-2", "period"),
    ],
)
def test_a_fact_that_decides_is_named(
    found: Found, rule: str, path: str, value: Any, field: str
) -> None:
    plan, alerts = found
    alert = deepcopy(next(a for a in alerts if a["rule"] == rule))
    assert path in alert["facts"]
    alert["facts"][path] = value
    alert["seal"] = seal_of(alert)
    assert field in {d.field for d in replay(alert, plan).differences}


def test_the_text_says_what_differs(found: Found) -> None:
    plan, alerts = found
    alert = alerts[0] | {"severity": "low"}
    text = replay(alert, plan).text()
    assert 'severity: the alert says "low", decided again it is "medium"' in text


def test_another_version_of_the_pack_is_no_replay(found: Found) -> None:
    plan, alerts = found
    result = replay(alerts[0] | {"pack_digest": "f" * 64}, plan)
    assert not result.same
    assert "another version of golden-rules" in result.text()


@pytest.mark.parametrize("junk", [None, 1, "x", [], {}, [[1]], {"type": 3}])
@pytest.mark.parametrize(
    "part", ["facts", "inputs", "rate", "events", "subject", "event_count", "period", "due"]
)
def test_junk_is_a_fault_and_no_crash(found: Found, part: str, junk: Any) -> None:
    plan, alerts = found
    for alert in alerts:
        if alert[part] != junk:
            assert not replay(alert | {part: junk}, plan).same


def test_a_rehearsal_replays_by_the_same_law_only(reference: Reference, found: Found) -> None:
    packs = require_packs(DATA / "golden-rules.yml")
    events = [json.loads(line) for line in (DATA / "events.ndjson").read_text().splitlines()]
    rehearsal = compile_plan(packs, reference, law_as_of=date(2025, 6, 1))
    trial = judge_events(packs, events, reference, plan=rehearsal)
    alerts = [json.loads(alert.canonical()) for alert in trial.alerts]
    assert not any(alert["rule"] == "gold-large" for alert in alerts)  # USD 12,000 then
    assert alerts and all(alert["law_as_of"] == "2025-06-01" for alert in alerts)
    assert all(replay(alert, rehearsal).same for alert in alerts)
    assert not any(replay(alert, found[0]).same for alert in alerts)


RULES = """
pack: more
version: 1.0.0
jurisdiction: CN
title: {en: More, zh: 更多}
instruments:
  i: {title: {en: I, zh: 一}, in_force: {from: 2020-01-01}}
params:
  one: {value: CNY 1, basis: default}
  month_sum: {value: CNY 100, basis: default}
  within: {value: 3 working days, basis: default}
  soon: {value: 2 days, basis: default}
rules:
"""
HEAD = """  - id: {name}
    title: {{en: {name}, zh: {name}}}
    misses: {{en: much, zh: 多}}
    alert: {{kind: indicator, severity: low}}
    tests:
      - name: met
        events: [{{time: "2026-03-02T09:00:00Z", amount: "1"}}]
        expect: {{alert: {{subject: C}}}}
      - {{name: not, events: [{{time: "2026-03-02T09:00:00Z", amount: "1"}}], expect: none}}
"""
BODIES = {
    "by-week": "on: transaction\n    per: customer\n    when: count(over=week) >= 2",
    "by-month": 'on: transaction\n    per: party\n    when: sum(amount_in("CNY"), over=month) > '
    'param("month_sum")',
    "by-quarter": "on: transaction\n    per: institution\n    when: count(over=quarter) >= 3",
    "by-business-day": "on: transaction\n    per: account\n    when: count(over=business_day) >= 2",
    "ever": "on: transaction\n    per: party\n    period: ever\n    when: first_seen() < 30d",
    "rolling-months": "on: transaction\n    per: customer\n    when: count(over=2mo) >= 2",
    "gap": "on: transaction\n    per: customer\n    when: since_last(over=ever) <= 48h",
    "spread": 'on: transaction\n    per: customer\n    when: stddev(amount_in("CNY"), over=7d) >= '
    'param("one")',
    "clock": "on: transaction\n    per: event\n    when: hour() >= 22 or weekday() == 7 or not "
    "working_day()",
    "quarter-end": "on: transaction\n    per: customer\n    deadline:\n      within: "
    'param("within")\n      start_period_end: quarter\n      closed_by: kind == "report_filed"',
    "named-duty": 'on: loan\n    per: borrower\n    deadline:\n      within: param("soon")\n'
    '      about: loan_id\n      closed_by: kind == "approved"',
    "dates": "on: loan\n    per: customer\n    when: days_since(borrower.since) < 30",
}


@pytest.fixture(scope="module")
def more(reference: Reference) -> Found:
    text = RULES + "".join(
        HEAD.format(name=name) + "    " + body + "\n" for name, body in BODIES.items()
    )
    pack, faults = load_text(text)
    assert pack is not None
    assert [str(f) for f in faults if f.code.startswith(("RL1", "RL2"))] == []
    assert {rule.id for rule in pack.rules} == set(BODIES)
    events: list[dict[str, Any]] = []
    for day, clock, amount in (
        ("02-28", "23:59:59.999999", "60"),
        ("03-01", "00:00:00", "70"),
        ("03-02", "10:00:00", "80"),
        ("03-31", "22:30:00.5", "90.01"),
        ("04-30", "12:00:00", "90"),
        ("05-06", "12:00:00", "95"),
    ):
        n = len(events)
        payee = {"id": "C", "account": "A", "institution": "R"}
        time = f"2026-{day}T{clock}+08:00"
        events.append(
            {"id": f"e{n}", "type": "transaction", "time": time, "reporter": "R", "payee": payee}
            | {"amount": amount, "currency": "CNY"}
        )
    borrower = {"id": "B", "since": "2026-05-01"}
    loan = {"borrower": borrower, "loan_id": "L/1", "amount": "5", "currency": "CNY"}
    for n in range(2):
        events.append(
            {"id": f"l{n}", "type": "loan", "time": f"2026-05-1{n}T09:00:00Z", "reporter": "R"}
            | loan
        )
    trial = judge_events([pack], events, reference, home="CN", until_us=1_800_000_000_000_000)
    assert trial.rejects == []
    plan = compile_plan([pack], reference)
    return plan, [json.loads(alert.canonical()) for alert in trial.alerts]


@pytest.mark.parametrize("rule", BODIES)
def test_every_kind_of_period_and_clock_replays(more: Found, rule: str) -> None:
    plan, alerts = more
    mine = [alert for alert in alerts if alert["rule"] == rule]
    assert mine
    assert [replay(alert, plan).text() for alert in mine if not replay(alert, plan).same] == []
    for alert in mine:
        assert not replay(alert | {"period": alert["period"] + "0"}, plan).same


def test_a_pack_that_is_not_there_is_said(found: Found) -> None:
    plan, alerts = found
    assert "no pack else" in replay(alerts[0] | {"pack": "else"}, plan).text()
