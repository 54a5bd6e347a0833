"""Reading the tests inside policies: alerts in a short form, and what is expected of them."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from typing import Any, Final

from casework.cases.directive import ASIDES
from casework.cases.facts import due_day, facts_of, instant
from casework.policy.model import KINDS, SEVERITIES, STATUSES, PolicyTest
from casework.policy.reading import NodeReader
from casework.ports import EVENT_TYPES, EventDay, EventKind
from regtech.content.faults import did_you_mean
from regtech.content.saying import as_said, say
from regtech.content.yamlmarks import Mapping, Node, plain
from regtech.errors import InputError

TEST_KEYS: Final = ("name", "alerts", "until", "watched", "events", "expect")
EVENT_KEYS: Final = ("day", "institution", "count", "type", "jurisdiction")
ALERT_KEYS: Final = (
    "id",
    "time",
    "rule",
    "pack",
    "kind",
    "severity",
    "jurisdiction",
    "obligation",
    "status",
    "near",
    "warning",
    "late",
    "per",
    "subject",
    "institution",
    "group",
    "counterparty",
    "due",
)
EXPECT_KEYS: Final = ("cases", *ASIDES)
CASE_KEYS: Final = (
    "alerts",
    "theme",
    "queue",
    "priority",
    "severity",
    "due",
    "due_basis",
    "jurisdiction",
    "jurisdictions",
    "subjects",
    "tenants",
    "saturated",
)
_DEFAULTS: Final[dict[str, Any]] = {
    "kind": "indicator",
    "severity": "medium",
    "jurisdiction": "CN",
    "status": "enabled",
    "per": "customer",
}
_WORDS: Final = {"kind": KINDS, "severity": SEVERITIES, "status": STATUSES}


def written_alert(short: MappingOf[str, Any]) -> dict[str, Any]:
    """An alert as the engine writes it, of the short form that tests use."""
    given = {**_DEFAULTS, **short}
    subject: dict[str, Any] = {"per": given["per"]}
    facts: dict[str, Any] = {}
    if "subject" in given:
        subject["id"] = given["subject"]
    if "institution" in given:
        facts["reporter"] = given["institution"]
        if given["per"] in ("customer", "account"):
            subject["institution"] = given["institution"]
    if "group" in given:
        facts["party.group"] = given["group"]
    if "counterparty" in given:
        facts["counterparty.id"] = given["counterparty"]
    obligation = given.get("obligation", [])
    return {
        "id": given.get("id"),
        "time": given.get("time"),
        "rule": given.get("rule"),
        "pack": given.get("pack", ""),
        "kind": given["kind"],
        "severity": given["severity"],
        "jurisdiction": given["jurisdiction"],
        "obligation": [obligation] if isinstance(obligation, str) else obligation,
        "status": given["status"],
        "outcome": "near" if given.get("near") else "met",
        "warning": given.get("warning", False),
        "late": given.get("late", False),
        "subject": subject,
        "facts": facts,
        "due": given.get("due"),
    }


def read_test(reader: NodeReader, node: Node) -> PolicyTest | None:
    """One test; None where it has faults."""
    mapping = reader.mapping(node, say("a test"))
    if mapping is None:
        return None
    before = reader.faults.errors
    reader.keys(mapping, TEST_KEYS, ("name", "alerts", "expect"), say("a test"))
    entries = mapping.entries
    name = reader.string(entries.get("name"), "name") or ""
    alerts = []
    ids: set[str] = set()
    for item in reader.sequence(entries.get("alerts"), "alerts"):
        alert = _alert(reader, item)
        if alert is not None:
            ids.add(str(alert["id"]))
            alerts.append(alert)
    if "alerts" in entries and not alerts:
        reader.fault("PL603", say("the test has no alert"), entries["alerts"])
    until = None
    if "until" in entries:
        text = reader.string(entries["until"], "until")
        try:
            until = None if text is None else instant(text, "until")
        except InputError as error:
            reader.fault(
                "PL605", as_said(error.message), entries["until"], say("2026-03-02T09:00:00Z")
            )
    watched = reader.integer(entries.get("watched"), "watched", 0, 1_000_000_000)
    events = None
    if "events" in entries:
        items = reader.sequence(entries["events"], "events")
        events = tuple(day for item in items if (day := _events(reader, item)) is not None)
        if watched is not None:
            message = say("`watched` says the number of every rule: a test has it or `events`")
            reader.fault("PL111", message, mapping.keys["events"])
    cases, aside = _expected(reader, entries.get("expect"), ids)
    if reader.faults.errors != before:
        return None
    mark = reader.mark(node)
    return PolicyTest(name, tuple(alerts), until, watched, events, cases, aside, mark)


def _events(reader: NodeReader, node: Node) -> EventDay | None:
    """How many events an institution reported on a day, payments of CN unless it says others."""
    mapping = reader.mapping(node, say("events of a day"))
    if mapping is None:
        return None
    required = ("day", "institution", "count")
    reader.keys(mapping, EVENT_KEYS, required, say("events of a day"), "PL605")
    entries = mapping.entries
    institution = reader.string(entries.get("institution"), "institution")
    count = reader.integer(entries.get("count"), "count", 0, 1_000_000_000)
    law = reader.string(entries.get("jurisdiction"), "jurisdiction") or _DEFAULTS["jurisdiction"]
    kind = "transaction"
    if "type" in entries:
        kind = reader.word(entries["type"], "type", EVENT_TYPES, "PL605") or kind
    text = reader.string(entries.get("day"), "day")
    day = None if text is None else due_day(text)
    if text is not None and day is None:
        reader.fault("PL605", say("day is not a day such as 2026-03-02"), entries["day"])
    if institution is None or count is None or day is None:
        return None
    return EventDay(EventKind(law, kind), institution, day, count)


def _alert(reader: NodeReader, node: Node) -> dict[str, Any] | None:
    mapping = reader.mapping(node, say("an alert"))
    if mapping is None:
        return None
    reader.keys(mapping, ALERT_KEYS, ("id", "time", "rule"), say("an alert"), "PL605")
    short: dict[str, Any] = {}
    for name, child in mapping.entries.items():
        if name in ("near", "warning", "late"):
            short[name] = reader.flag(child, name)
        elif name == "obligation":
            short[name] = [reader.string(c, name) for c in reader.sequence(child, name)]
        elif name in _WORDS:
            short[name] = reader.word(child, name, _WORDS[name], "PL605")
        elif name in ALERT_KEYS:
            short[name] = reader.string(child, name)
    if any(short.get(name) is None for name in ("id", "time", "rule")):
        return None
    alert = written_alert(short)
    try:
        facts = facts_of(alert)
    except InputError as error:
        reader.fault("PL605", as_said(error.message), node)
        return None
    if alert["due"] is not None and facts.due is None:
        reader.fault("PL605", say("due is neither a day nor a time"), mapping.entries["due"])
    return alert


def _expected(
    reader: NodeReader, node: Node | None, ids: set[str]
) -> tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]:
    if node is None or plain(node) == "none":
        return (), ()
    mapping = reader.mapping(node, "expect")
    if mapping is None:
        return (), ()
    reader.keys(mapping, EXPECT_KEYS, (), "expect", "PL606")
    if not mapping.entries:
        reader.fault("PL603", say("the test expects nothing"), node, say("write expect: none"))
    cases = [
        case
        for item in reader.sequence(mapping.entries.get("cases"), "cases")
        if (case := _case(reader, item, ids)) is not None
    ]
    aside = []
    for outcome in ASIDES:
        for item in reader.sequence(mapping.entries.get(outcome), outcome):
            _known_alert(reader, item, ids)
            aside.append({"outcome": outcome, "alert": reader.string(item, "alert")})
    return tuple(cases), tuple(aside)


def _case(reader: NodeReader, node: Node, ids: set[str]) -> dict[str, Any] | None:
    mapping = reader.mapping(node, say("a case"))
    if mapping is None:
        return None
    reader.keys(mapping, CASE_KEYS, ("alerts",), say("a case"), "PL606")
    found: dict[str, Any] = {}
    for name, child in mapping.entries.items():
        if name in ("alerts", "subjects", "tenants", "jurisdictions"):
            items = reader.sequence(child, name)
            found[name] = [reader.string(item, name) for item in items]
            for item in items if name == "alerts" else ():
                _known_alert(reader, item, ids)
        elif name == "saturated":
            found[name] = reader.flag(child, name)
        elif plain(child) is None:
            found[name] = None
        else:
            found[name] = reader.string(child, name)
    return found


def _known_alert(reader: NodeReader, node: Node, ids: set[str]) -> None:
    text = reader.string(node, "alert")
    if text is not None and text not in ids:
        reader.fault(
            "PL606", say("the test has no alert %(text)r", text=text), node, did_you_mean(text, ids)
        )


def check_tests(reader: NodeReader, tests: list[PolicyTest], policy: Mapping) -> None:
    """A policy has a test in which it acts, one in which it does not, and no name twice."""
    where = policy.entries.get("tests", policy)
    names: set[str] = set()
    for test in tests:
        if test.name in names:
            reader.faults.add(
                "PL604", say("a second test is called %(name)r", name=test.name), test.mark
            )
        names.add(test.name)
    if not any(test.cases or test.aside for test in tests):
        reader.fault("PL601", say("no test expects the policy to act"), where)
    if all(test.cases or test.aside for test in tests):
        reader.fault(
            "PL602", say("no test expects the policy not to act"), where, say("expect: none")
        )
