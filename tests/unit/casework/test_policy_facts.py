"""What is taken from an alert, and that nothing in one can do harm or be lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.cases.facts import TEXT_MAX, AlertFacts, facts_of
from casework.policy.clocks import Clocks
from casework.policy.durable import DurableMatcher
from casework.policy.gather import decide
from casework.policy.load import load_policies
from casework.policy.matcher import CANDIDATES_MAX, PythonMatcher
from casework.policy.planner import Planner
from casework.policy.reader import MemoryAlerts
from regtech.errors import InputError
from regtech.reference.load import Reference

POLICIES, _ = load_policies()
CLOCKS = Clocks(Reference.shipped())
BASE: dict[str, Any] = {
    "id": "a", "time": "2026-03-02T01:00:00Z", "rule": "cn-xb-sa-1m", "pack": "cn-data-export",
    "kind": "breach", "severity": "high", "jurisdiction": "CN", "obligation": ["CN-XB-SA-1M"],
    "status": "enabled", "outcome": "met", "warning": False, "late": False, "due": None,
    "subject": {"per": "exporter", "id": "E1"}, "facts": {"reporter": "B1"},
}  # fmt: skip


def alert(**changed: Any) -> dict[str, Any]:
    return {**BASE, **changed}


@pytest.mark.parametrize(
    ("per", "own", "facts", "expected"),
    [
        ("customer", "C1", {"reporter": "B1"}, ("B1|C1", None, None, "B1")),
        ("exporter", "E1", {"reporter": "B1"}, ("E1", None, None, "B1")),
        ("group", "G1", {}, ("G1", "G1", None, None)),
        ("holder,counterparty", "H|L", {"reporter": "B"}, ("H|L", None, "L", "B")),
        ("holder,counterparty.group", "H|G", {}, ("H|G", "G", None, None)),
        ("holder,counterparty", "H|L|X", {}, ("H|L|X", None, None, None)),
        ("holder,counterparty", "H|None", {}, ("H|None", None, None, None)),
        ("exporter,recipient", "E|R", {"exporter.group": "G"}, ("E|R", "G", "R", None)),
        ("customer", "C1", {"counterparty.id": "P", "party.group": None}, ("|C1", None, "P", None)),
        ("customer", None, {"party.group": 7, "counterparty.id": ["x"]}, (None, None, None, None)),
    ],
)
def test_parties(
    per: str, own: str | None, facts: dict[str, Any], expected: tuple[str | None, ...]
) -> None:
    found = facts_of(alert(subject={"per": per, "id": own}, facts=facts))
    assert (found.subject, found.group, found.counterparty, found.institution) == expected


def test_groups_that_the_caller_knows() -> None:
    given = alert(subject={"per": "holder,counterparty", "id": "H|L"})
    assert facts_of(given).group is None
    assert facts_of(given, groups={"L": "G9"}).group == "G9"
    named = alert(facts={"party.group": "G1"})
    assert facts_of(named, groups={"E1": "G9"}).group == "G1"


@pytest.mark.parametrize(
    "changed",
    [
        {"id": None}, {"id": ""}, {"id": 5}, {"id": "x" * (TEXT_MAX + 1)}, {"time": None},
        {"time": "yesterday"}, {"time": "2026-03-02T01:00:00"}, {"time": "0001-13-01T00:00:00Z"},
        {"time": "10000-01-01T00:00:00Z"}, {"time": 1 << 70}, {"rule": "r" * 10_000},
        {"subject": {"per": "customer", "id": "c" * 100_000}},
    ],
)  # fmt: skip
def test_what_cannot_be_an_alert_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        facts_of(alert(**changed))
    assert error.value.code == "bad_alert" and len(str(error.value)) < 200


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 80), 1 << 80), st.floats(), st.text(max_size=20),
    st.sampled_from(["\x00", "\ud800", "'; --", "None", "🦀" * 500, "x" * 511]),
    st.lists(st.text(max_size=5), max_size=3), st.dictionaries(st.text(max_size=5), st.none()),
)  # fmt: skip
NAMES = st.sampled_from([
    "rule", "pack", "kind", "severity", "jurisdiction", "obligation", "status", "outcome",
    "warning", "late", "due", "subject", "facts", "source", "extra",
])  # fmt: skip
ENGINE = DurableMatcher()


@pytest.fixture(scope="module", autouse=True)
def engine_ends() -> Any:
    yield
    ENGINE.close()


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.dictionaries(NAMES, ODD, max_size=6), st.integers(0, 30)), max_size=8))
def test_hostile_alerts_are_placed_all_the_same(some: list[tuple[dict[str, Any], int]]) -> None:
    """Whatever stands in the other fields: an alert with an id and a time is never lost."""
    found: list[AlertFacts] = []
    for number, (changed, day) in enumerate(some):
        subject = {"per": "group", "id": "G1"}
        written = alert(subject=subject, **{k: v for k, v in changed.items() if k != "subject"})
        if "subject" in changed:
            written["subject"] = changed["subject"]
        written |= {"id": f"h{number}", "time": f"2026-03-{day + 1:02d}T01:00:00Z"}
        written = json.loads(json.dumps(written))
        found.append(facts_of(written))
    plans = []
    for matcher in (PythonMatcher(), ENGINE):
        reader = MemoryAlerts(found, watched=3)
        plans.append(decide(Planner(POLICIES, matcher, CLOCKS), reader, reader.all(), 1 << 60))
    assert plans[0] == plans[1]
    placed = [a for case in plans[0].cases for a in case.alerts]
    placed += [item.alert for item in plans[0].aside]
    assert sorted(placed) == sorted(facts.id for facts in found)
    json.dumps([case.as_data() for case in plans[0].cases])


COLLIDING = ["80f84ae0e84c9a05", "872981009609e632", "40189", "797186"]
"""Pairs of ids with the same 32-bit hash in durable_rules."""


@pytest.mark.parametrize("kind", ["id", "subject", "group"])
def test_ids_that_collide_in_the_engine_do_not_mix(kind: str) -> None:
    money = {"rule": "cn-lvtr-0501", "pack": "cn-aml-large-value", "kind": "report"}
    alerts = []
    for number, name in enumerate(COLLIDING):
        group = name if kind == "group" else f"G{number}"
        who = name if kind == "subject" else f"C{number}"
        for part, fields in (("m", {**money, "outcome": "near"}), ("d", {})):
            alerts.append(
                alert(
                    **fields,
                    **{"id": name if kind == "id" and part == "m" else f"{part}{number}"},
                    subject={"per": "customer", "id": who},
                    facts={"reporter": "B1", "party.group": group},
                )
            )
    reader = MemoryAlerts(facts_of(item) for item in alerts)
    plan = decide(Planner(POLICIES, ENGINE, CLOCKS), reader, reader.all(), 1 << 60)
    cases = [case for case in plan.cases if case.policy == "money-and-data"]
    assert len(cases) == 4 and all(len(case.alerts) == 2 for case in cases)


def test_a_hot_key_is_one_saturated_case_and_soon_done() -> None:
    money = {"rule": "cn-lvtr-0501", "pack": "cn-aml-large-value", "kind": "report"}
    facts = {"reporter": "B1", "party.group": "G1"}
    alerts = [
        alert(id=f"x{i}", **({**money, "outcome": "near"} if i % 2 else {}), facts=facts)
        for i in range(20_000)
    ]
    reader = MemoryAlerts(facts_of(item) for item in alerts)
    plan = decide(Planner(POLICIES, ENGINE, CLOCKS), reader, reader.all(), 1 << 60)
    assert len(plan.cases) == 1 and plan.cases[0].saturated
    assert len(plan.cases[0].alerts) == 20_000 > CANDIDATES_MAX
