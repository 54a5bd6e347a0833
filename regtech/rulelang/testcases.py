"""Tests that stand in a rule: reads them, and finds those that could not fail."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from regtech.content.faults import did_you_mean
from regtech.content.saying import Hint, say
from regtech.content.yamlmarks import Mapping, Node, Scalar, Sequence
from regtech.model.fields import EVENT_TYPES, Field, Kind, fields_of
from regtech.rulelang.ir import RuleTest
from regtech.rulelang.nodes import NodeReader
from regtech.rulelang.scope import Names

_TEST_KEYS: Final = ("name", "events", "expect", "until")
_EXPECT_WORDS: Final = (
    "subject",
    "outcome",
    "warning",
    "period",
    "time",
    "due",
    "late",
    "rule",
    "severity",
)
_OUTCOMES: Final = ("met", "cannot_tell")
_OPEN: Final = ("source", "person_sketch", "identifiers")
"""Objects of the contract whose keys the catalogue does not list one by one."""


def event_data(node: Node) -> Any:
    """An event's data as JSON would carry it: decimals and dates stay text as written."""
    if isinstance(node, Scalar):
        value = node.value
        return node.text if isinstance(value, Decimal | date) else value
    if isinstance(node, Sequence):
        return [event_data(item) for item in node.items]
    return {key: event_data(child) for key, child in node.entries.items()}


def expected_data(node: Node) -> Any:
    """An expected value: numbers stay exact numbers, dates become text."""
    if isinstance(node, Scalar):
        value = node.value
        return node.text if isinstance(value, date) else value
    if isinstance(node, Sequence):
        return [expected_data(item) for item in node.items]
    return {key: expected_data(child) for key, child in node.entries.items()}


def read_tests(
    reader: NodeReader,
    node: Node | None,
    rule: Mapping,
    *,
    on: tuple[str, ...],
    reached: frozenset[str],
    let_names: tuple[str, ...],
    names: Names,
    waits: bool,
    single: bool = False,
) -> tuple[RuleTest, ...]:
    """Reads the tests of a rule.

    ``reached``: event types that can lead to an alert of the rule. ``waits``: the rule waits for a
    detector, so that its tests may be left out until one is wired. ``single``: the rule judges
    single events and names no value, so that one alert is all there is to expect.
    """
    tests: list[RuleTest] = []
    seen: dict[str, int] = {}
    for item in reader.sequence(node, "tests"):
        mapping = reader.mapping(item, say("a test"))
        if mapping is None:
            continue
        test = _read_test(reader, mapping, on, reached, let_names, names, single)
        if test is None:
            continue
        if test.name in seen:
            reader.fault(
                "RL604",
                say(
                    "the test %(name)r is already on line %(seen)s",
                    name=test.name,
                    seen=seen[test.name],
                ),
                mapping.entries["name"],
            )
        seen.setdefault(test.name, mapping.line)
        tests.append(test)
    if waits and node is None:
        return ()
    place = rule.keys.get("tests") or rule.keys.get("id") or rule
    if not any(_is_met(test) for test in tests):
        reader.fault(
            "RL601", say("no test in which the rule is met"), place, say("expect: {alert: {…}}")
        )
    if not any(not test.expect for test in tests):
        reader.fault(
            "RL602", say("no near miss"), place, say("a test just short of the rule, expect: none")
        )
    return tuple(tests)


def _is_met(test: RuleTest) -> bool:
    return any(alert.get("outcome") != "cannot_tell" for alert in test.expect)


def _read_test(
    reader: NodeReader,
    mapping: Mapping,
    on: tuple[str, ...],
    reached: frozenset[str],
    let_names: tuple[str, ...],
    names: Names,
    single: bool,
) -> RuleTest | None:
    reader.keys(mapping, _TEST_KEYS, ("name", "events", "expect"), say("a test"))
    name = reader.string(mapping.entries.get("name"), "name")
    until = reader.string(mapping.entries.get("until"), "until")
    events_node = mapping.entries.get("events")
    expect_node = mapping.entries.get("expect")
    if name is None or events_node is None or expect_node is None:
        return None
    events: list[dict[str, Any]] = []
    types: set[str] = set()
    if not isinstance(events_node, Sequence):
        reader.fault("RL103", say("events is a list"), events_node)
        return None
    for item in events_node.items:
        event = reader.mapping(item, say("an event"))
        if event is None:
            continue
        types.add(_check_event(reader, event, on[0] if on else "", names))
        events.append(event_data(event))
    expect = _read_expect(reader, expect_node, let_names, single)
    if expect is None:
        return None
    if reached and not types & reached:
        wanted = " or ".join(sorted(reached))
        reader.fault(
            "RL603",
            say("the test %(name)r has no event that reaches the rule", name=name),
            events_node,
            say("it needs a %(wanted)s", wanted=wanted),
        )
    return RuleTest(name, tuple(events), expect, until, reader.mark(mapping))


def _read_expect(
    reader: NodeReader, node: Node, let_names: tuple[str, ...], single: bool
) -> tuple[dict[str, Any], ...] | None:
    if isinstance(node, Scalar):
        if node.text == "none":
            return ()
        if node.text == "cannot tell":
            return ({"outcome": "cannot_tell"},)
        reader.fault(
            "RL103", say("expect is none, cannot tell, {alert: {…}} or {alerts: […]}"), node
        )
        return None
    mapping = reader.mapping(node, "expect")
    if mapping is None:
        return None
    reader.keys(mapping, ("alert", "alerts"), (), "expect")
    if len(mapping.entries) != 1:
        reader.fault("RL111", say("expect has either alert or alerts"), node)
        return None
    if "alert" in mapping.entries:
        items = [mapping.entries["alert"]]
    elif "alerts" in mapping.entries:
        items = reader.sequence(mapping.entries["alerts"], "alerts")
        if not items:
            reader.fault(
                "RL103", say("no alerts is written expect: none"), mapping.entries["alerts"]
            )
            return None
    else:
        return None
    found: list[dict[str, Any]] = []
    allowed = (*_EXPECT_WORDS, *let_names)
    for item in items:
        alert = reader.mapping(item, say("an expected alert"))
        if alert is None:
            return None
        for key, scalar in alert.keys.items():
            if key not in allowed:
                reader.fault(
                    "RL606",
                    say("the rule's alert has no %(key)r", key=key),
                    scalar,
                    did_you_mean(key, allowed)
                    or say("one of %(allowed)s", allowed=", ".join(allowed)),
                )
        if not alert.entries and not single:
            reader.fault(
                "RL603",
                say("any alert would do"),
                alert,
                say("give the subject or the value of a let"),
            )
        if "outcome" in alert.entries:
            reader.word(alert.entries["outcome"], "outcome", _OUTCOMES)
        found.append(expected_data(alert))
    return tuple(found)


@cache
def _shape(event_type: str) -> dict[str, Any]:
    """Nested keys of an event: a ``Field``, or a dict of further keys."""
    shape: dict[str, Any] = {}
    for path, field in fields_of(event_type).items():
        parts = path.split(".")
        inner = shape
        for part in parts[:-1]:
            inner = inner.setdefault(part, {})
        inner[parts[-1]] = field
    return shape


def _check_event(reader: NodeReader, event: Mapping, default: str, names: Names) -> str:
    """Checks the keys and words of an event; gives its type."""
    event_type = default
    type_node = event.entries.get("type")
    if isinstance(type_node, Scalar):
        if type_node.text not in EVENT_TYPES:
            reader.fault(
                "RL605",
                say("unknown event type %(text)r", text=type_node.text),
                type_node,
                did_you_mean(type_node.text, EVENT_TYPES),
            )
            return default
        event_type = type_node.text
    if event_type:
        _check_keys(reader, event, _shape(event_type), event_type, names)
    if "time" not in event.entries:
        reader.fault("RL605", say("an event needs a time"), event)
    return event_type


def _check_keys(
    reader: NodeReader, mapping: Mapping, shape: dict[str, Any], what: str, names: Names
) -> None:
    for key, child in mapping.entries.items():
        if key in _OPEN:
            continue
        found = shape.get(key)
        if found is None:
            reader.fault(
                "RL605",
                say("%(what)s has no field %(key)r", what=what, key=key),
                mapping.keys[key],
                did_you_mean(key, shape),
            )
        elif isinstance(found, dict):
            _check_object(reader, child, found, key, names)
        else:
            _check_value(reader, child, found, names)


def _check_object(
    reader: NodeReader, node: Node, shape: dict[str, Any], key: str, names: Names
) -> None:
    if isinstance(node, Mapping):
        _check_keys(reader, node, shape, key, names)
    elif isinstance(node, Sequence) and key == "data":
        for item in node.items:
            if isinstance(item, Mapping):
                _check_keys(reader, item, {**shape, "items": {}}, key, names)
    elif not isinstance(node, Scalar):
        reader.fault("RL605", say("%(key)s is an object", key=key), node)
    elif node.value is not None and key != "items":
        reader.fault(
            "RL605",
            say("%(key)s is an object", key=key),
            node,
            say("write %(key)s: {id: %(text)s}", key=key, text=node.text),
        )


def _check_value(reader: NodeReader, node: Node, field: Field, names: Names) -> None:
    if isinstance(node, Mapping):
        reader.fault("RL605", say("%(path)s is not an object", path=field.path), node)
        return
    if isinstance(node, Sequence):
        if field.kind not in (Kind.FLAGS, Kind.PERSONS):
            reader.fault("RL605", say("%(path)s is not a list", path=field.path), node)
            return
        for item in node.items:
            if isinstance(item, Scalar):
                _check_word(reader, item, field.words, field.path)
        return
    if field.kind is Kind.CURRENCY and names.currencies is not None:
        if node.text not in names.currencies:
            hint = did_you_mean(node.text, names.currencies)
            reader.fault("RL209", say("unknown currency %(text)r", text=node.text), node, hint)
    elif field.kind is Kind.BOOLEAN:
        if node.value is not None and not isinstance(node.value, bool):
            reader.fault("RL605", say("%(path)s is true or false", path=field.path), node)
    elif field.kind in (Kind.SYMBOL, Kind.FLAGS) and node.value is not None:
        _check_word(reader, node, field.words or field.enum, field.path)
    elif node.value is not None and (wrong := _wrong_value(node.text, field.kind)):
        told = say("%(path)s cannot be %(text)r", path=field.path, text=node.text)
        reader.fault("RL605", told, node, wrong)


def _wrong_value(text: str, kind: Kind) -> Hint:
    """What a value of this kind looks like, where this is none: the decoder would refuse it.

    It does not say all that the decoder does: how many decimals a currency has stands in tables.
    """
    if kind is Kind.TIME:
        return "" if _is_moment(text) else say("a time with its offset: 2026-03-02T09:00:00+08:00")
    if kind is Kind.DATE:
        return "" if _is_day(text) else say("a day: 2026-03-02")
    if kind in (Kind.MONEY, Kind.DECIMAL) and not _NUMBER.fullmatch(text):
        return say("a plain number, without currency, sign of thousands or exponent")
    return ""


_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text.replace("T24:00:00", "T00:00:00")).tzinfo is not None
    except ValueError:
        return False


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _check_word(reader: NodeReader, node: Scalar, allowed: tuple[str, ...], path: str) -> None:
    if allowed and node.text not in allowed:
        hint = did_you_mean(node.text, allowed) or say(
            "one of %(allowed)s", allowed=", ".join(allowed[:12])
        )
        reader.fault(
            "RL605", say("%(path)s is never %(text)r", path=path, text=node.text), node, hint
        )
