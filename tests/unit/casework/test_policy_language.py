"""Every fault of a policy file is found, at its place, with its code."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from casework.policy.faults import CODES
from casework.policy.load import load_policies, load_text
from casework.policy.patterns import Known
from casework.policy.schema import policy_schema
from regtech.app.policies import known_names
from regtech.content.yamlmarks import load, plain

HEAD = """\
set: x
version: 1.0.0
title: {en: X, zh: 某}
themes:
  - id: all
    title: {en: All, zh: 全部}
    alerts: [any]
policies:
"""
TESTS = """\
    tests:
      - name: acts
        alerts: [{id: a, time: "2026-03-02T01:00:00Z", rule: r}]
        expect: {suppressed: [a]}
      - name: does not
        alerts: [{id: a, time: "2026-03-02T01:00:00Z", rule: r}]
        expect: none
"""
SECOND = "  - {id: all, title: {en: A, zh: 全}, alerts: any}\n"
CASE = "case: {queue: q, theme: all, priority: high, sla: 5 days}"
KNOWN = Known({"rule": frozenset({"ty-mule"}), "obligation": frozenset({"CN-STR"}),
               "jurisdiction": frozenset({"CN"}), "pack": frozenset({"cn-aml"})})  # fmt: skip


def policy(text: str, *, tests: str = TESTS) -> str:
    body = textwrap.indent(textwrap.dedent(text).strip(), "    ")
    return f"{HEAD}  - id: p\n    title: {{en: P, zh: 策}}\n    order: 1\n{body}\n{tests}"


def changed_tests(old: str, new: str) -> str:
    return policy(f"on: any\nsame: subject\n{CASE}", tests=TESTS.replace(old, new))


def with_case(text: str, *, head: str = "on: any\nsame: subject") -> str:
    return policy(f"{head}\ncase: {{queue: q, {text}}}")


def codes(text: str) -> list[str]:
    _, faults = load_text(text, "f.yml", KNOWN)
    return [fault.code for fault in faults if fault.code not in ("PL501",)]


def test_the_smallest_policy_is_faultless() -> None:
    assert codes(policy(f"on: any\nsame: subject\n{CASE}")) == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("PL001", "set: x\x00"),
        ("PL002", "set: [x"),
        ("PL003", "set: &a x"),
        ("PL004", "set: !!str x"),
        ("PL005", "set: x\nset: y"),
        ("PL006", "set: " + "[" * 60 + "]" * 60),
        ("PL007", "set: x\n---\nset: y"),
        ("PL008", "12: x"),
        ("PL101", policy(f"on: any\nsame: subject\nsmae: x\n{CASE}")),
        ("PL102", policy(f"same: subject\n{CASE}")),
        ("PL102", ""),
        ("PL103", policy(f"on: [any]\nsame: subject\n{CASE}")),
        ("PL104", policy(f"on: {{severity: hihg}}\nsame: subject\n{CASE}")),
        ("PL105", policy(f"on: any\nsame: subject\nwithin: 7 weeks\ncount: 2\n{CASE}")),
        ("PL105", with_case("theme: all, priority: high, sla: soon")),
        ("PL106", HEAD.replace("1.0.0", "1")),
        ("PL107", policy(f"on: any\nsame: subject\nwithin: 7d\ncount: 1\n{CASE}")),
        ("PL107", policy("on: any\nsame: rule\nbrake: {above: 0%, over: 1d, at_least: 5}")),
        ("PL108", policy("on: any\nsuppress: {reason: {en: no}}")),
        ("PL110", HEAD.replace("policies:\n", SECOND)),
        ("PL111", policy(f"on: any\nall: [any, any]\nsame: subject\n{CASE}")),
        ("PL111", policy(f"on: any\nsame: [subject, group]\n{CASE}")),
        ("PL111", policy(f"on: any\nsame: theme\n{CASE}")),
        ("PL111", policy(f"on: any\n{CASE}")),
        ("PL111", policy(f"all: [any, any]\nsame: subject\n{CASE}")),
        ("PL111", policy(f"on: any\nsame: subject\nwithin: 7d\n{CASE}")),
        ("PL111", policy(f"on: any\nsame: subject\nwithin: 7d\ncount: 2\nabsent: any\n{CASE}")),
        ("PL111", policy("on: any\nsame: subject\nsuppress: {reason: {en: no, zh: 否}}")),
        ("PL111", policy("on: any\nsame: subject\nbrake: {above: 20%, over: 1d, at_least: 5}")),
        ("PL111", policy("any: [{all: [any, any]}]\nsame: subject\nsnooze: {for: 1d}")),
        ("PL111", with_case("theme: alert, priority: high, sla: 5d")),
        ("PL111", policy("all: [any, any]\nsame: subject\nwithin: 7d\n"
                         "case: {queue: q, theme: all, priority: high, sla: 5d, merge: 6d}")),
        ("PL102", with_case("theme: all, priority: high")),
        ("PL201", policy(f"on: {{ruel: ty-mule}}\nsame: subject\n{CASE}")),
        ("PL202", policy(f"on: {{}}\nsame: subject\n{CASE}")),
        ("PL202", policy(f"on: {{not: {{}}}}\nsame: subject\n{CASE}")),
        ("PL203", policy(f"all: [any]\nsame: subject\nwithin: 7d\n{CASE}")),
        ("PL301", policy(f"on: {{theme: al}}\nsame: subject\n{CASE}")),
        ("PL302", policy(f"on: {{rule: ty-mul}}\nsame: subject\n{CASE}")),
        ("PL302", policy(f"on: {{rule: tz-*}}\nsame: subject\n{CASE}")),
        ("PL303", policy(f"on: {{obligation: CN-STT}}\nsame: subject\n{CASE}")),
        ("PL304", policy(f"on: {{jurisdiction: CM}}\nsame: subject\n{CASE}")),
        ("PL503", policy("on: any\nsame: [rule, institution]\nbrake: {above: 20%, over: 1d, "
                         "at_least: 5}")),
        ("PL503", policy("on: {per: event}\nsame: rule\nbrake: {above: 20%, over: 36h, "
                         "at_least: 5}")),
        ("PL605", changed_tests("rule: r}]", "rule: r}]\n        events: [{day: today, "
                                "institution: B, count: 1}]")),
        ("PL605", changed_tests("rule: r}]", "rule: r}]\n        events: [{day: 2026-03-02, "
                                "institution: B, count: 1, type: payment}]")),
        ("PL111", changed_tests("rule: r}]", "rule: r}]\n        watched: 1\n        events: "
                                "[{day: 2026-03-02, institution: B, count: 1}]")),
        ("PL601", changed_tests("{suppressed: [a]}", "none")),
        ("PL602", changed_tests("none", "{snoozed: [a]}")),
        ("PL603", changed_tests("none", "{}")),
        ("PL604", changed_tests("does not", "acts")),
        ("PL605", changed_tests("rule: r}", "rule: r, x: 1}")),
        ("PL605", changed_tests("2026-03-02", "2026-13-02")),
        ("PL606", changed_tests("[a]}", "[b]}")),
    ],
)  # fmt: skip
def test_a_fault_has_its_code_and_place(code: str, text: str) -> None:
    _, faults = load_text(text, "f.yml", KNOWN)
    assert code in [fault.code for fault in faults], [str(fault) for fault in faults]
    assert all(fault.mark.line >= 1 and fault.mark.column >= 1 for fault in faults)


def test_all_faults_come_at_once_with_line_and_column_and_what_was_meant() -> None:
    head = "on: {ruel: x, severity: hihg}\nsame: subjekt"
    text = with_case("theme: all, priority: hgih, sla: 5d", head=head)
    _, faults = load_text(text, "f.yml", KNOWN)
    said = [str(fault) for fault in faults if fault.severity == "error"]
    assert [line.split(": ")[0] for line in said] == [
        "f.yml:12:10", "f.yml:12:29", "f.yml:13:11", "f.yml:14:44",
    ]  # fmt: skip
    for line, meant in zip(said, ("rule", "high", "subject", "high"), strict=True):
        assert f"did you mean '{meant}'?" in line


def test_a_faulty_policy_is_left_out_and_the_others_are_there() -> None:
    text = policy(f"on: any\nsame: subject\n{CASE}")
    other = text.replace(HEAD, "").replace("id: p", "id: q").replace("on: any", "on: {x: y}")
    policies, _ = load_text(text + other)
    assert [p.id for p in policies.policies] == ["p"]


def test_what_takes_everything_hides_what_is_behind() -> None:
    text = policy(f"on: any\nsame: subject\n{CASE}")
    other = text.replace(HEAD, "").replace("id: p", "id: q").replace("order: 1", "order: 2")
    assert codes(text + other) == ["PL502"]
    assert [f.code for f in load_text(policy(f"on: {{near: true}}\nsame: subject\n{CASE}"))[1]] == [
        "PL501"
    ]


def test_the_policies_that_ship_are_faultless() -> None:
    policies, faults = load_policies(known=known_names())
    assert [str(fault) for fault in faults] == []
    assert len(policies.policies) >= 8


def test_every_code_says_what_to_do() -> None:
    assert all(item.meaning and item.remedy.endswith(".") for item in CODES.values())


def test_the_vocabulary_is_that_of_rules() -> None:
    from casework.cases.directive import SHADOW
    from casework.policy.model import KINDS, SEVERITIES, STATUSES
    from regtech.rulelang.consequences import ALERT_KINDS
    from regtech.rulelang.consequences import SEVERITIES as OF_RULES
    from regtech.rulelang.rules import STATUSES as OF_RULES_TOO

    assert set(KINDS) == set(ALERT_KINDS)
    assert SEVERITIES == OF_RULES
    # What is in the shadow never comes before a policy, so that none can name it.
    assert {*STATUSES, SHADOW} == set(OF_RULES_TOO) and SHADOW not in STATUSES


def test_the_schema_accepts_what_ships() -> None:
    """A small reading of the schema: enough for what it uses."""
    from casework.policy.load import policy_files

    schema = policy_schema()
    for path in policy_files():
        document = plain(load(path.read_text(encoding="utf-8"), str(path)).root)
        assert _accepts(schema, document, schema)
        assert not _accepts(schema, {**document, "polices": []}, schema)


def _accepts(schema: dict[str, Any], value: object, root: dict[str, Any]) -> bool:
    import re

    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[1]
        return _accepts(root["$defs"][name], value, root)
    if "anyOf" in schema:
        return any(_accepts(item, value, root) for item in schema["anyOf"])
    if "const" in schema:
        return bool(value == schema["const"])
    if "enum" in schema:
        listed: list[object] = schema["enum"]
        return value in listed
    kinds = schema.get("type")
    names = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": int,
    }
    if kinds is not None:
        wanted = [kinds] if isinstance(kinds, str) else kinds
        if not any(isinstance(value, names[kind]) for kind in wanted):
            return False
    if isinstance(value, str) and "pattern" in schema:
        return re.search(str(schema["pattern"]), value) is not None
    if isinstance(value, list) and "items" in schema:
        return all(_accepts(schema["items"], item, root) for item in value)
    if isinstance(value, dict) and "properties" in schema:
        properties = schema["properties"]
        required = schema.get("required", [])
        return all(name in value for name in required) and all(
            name in properties and _accepts(properties[name], item, root)
            for name, item in value.items()
        )
    return True
