"""Planted cases: the tests that stand in the packs, each among parties of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from regtech.reference.profiles import Profile
from regtech.rulelang.ir import Pack, Rule, RuleTest
from regtech.sandbox.ruletest import prepared_events

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_NEAR_US: Final = 10 * 86_400_000_000
INSTITUTIONS: Final = 2
"""So many have a planted counterparty in common."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One test as it was planted: its events as (microseconds, line), and its label."""

    events: tuple[tuple[int, str], ...]
    label: str


def plant(packs: Sequence[Pack], profiles: Mapping[str, Profile]) -> Iterator[Planted]:
    """Every test of every rule that is run, at its own times, with ids and parties of its own.

    Left out are rules that are disabled, and near misses of deadlines that nothing closes: time
    goes on in a simulation, and they would be met. Behind them, once a pack, the test of a rule
    about counterparties again at several institutions, which have that counterparty in common: each
    sees its own part, and only who sees all of them sees it whole. And last, once, payments of a
    customer and data that an exporter of the same group sends abroad, within days of each other.
    """
    number = 0
    for pack in packs:
        for rule in pack.rules:
            if rule.status == "disabled":
                continue
            for test in rule.tests:
                number += 1
                if not _open_deadline(rule, test):
                    yield _plant(pack, rule, test, profiles[pack.jurisdiction], f"K{number}-")
    for pack in packs:
        found = _about_counterparty(pack)
        if found is not None:
            number += INSTITUTIONS
            names = [f"K{number - k}-" for k in range(INSTITUTIONS)]
            for prefix in names:
                yield _plant(pack, *found, profiles[pack.jurisdiction], prefix, names[0])
    for k, (pack, rule, test) in enumerate(_money_and_data(packs)):
        prefix, group = f"K{number + 1 + k}-", f"K{number + 1}-G1"
        yield _plant(pack, rule, test, profiles[pack.jurisdiction], prefix, group=group)


def _open_deadline(rule: Rule, test: RuleTest) -> bool:
    closed = any(event.get("type") == "action" for event in test.events)
    return rule.deadline is not None and not test.expect and not closed


def _about_counterparty(pack: Pack) -> tuple[Rule, RuleTest] | None:
    """The first rule of a pack that is about who is lent to, and its first test with an alert."""
    for rule in pack.rules:
        if rule.status != "disabled" and "counterparty" in rule.per:
            for test in rule.tests:
                if test.expect and not _open_deadline(rule, test):
                    return rule, test
    return None


def _money_and_data(packs: Sequence[Pack]) -> tuple[tuple[Pack, Rule, RuleTest], ...]:
    """An indicator of the product about payments of customers and a breach by an exporter of data,
    the first two tests of such rules whose last events are days apart; none where there are none.
    """
    money: list[tuple[Pack, Rule, RuleTest]] = []
    data: list[tuple[Pack, Rule, RuleTest]] = []
    for pack in packs:
        for rule in pack.rules:
            indicator = rule.cite is None and rule.per == ("customer",)
            wanted = {
                ("transaction", "indicator", True): money,
                ("data_transfer", "breach", rule.per == ("exporter",)): data,
            }.get((rule.on[0], rule.alert.kind, rule.on[0] == "data_transfer" or indicator))
            if wanted is not None and rule.status != "disabled" and rule.deadline is None:
                wanted += [(pack, rule, test) for test in rule.tests if _alerts_of_one(test)]
    return next(
        ((m, d) for m in money for d in data if abs(_last_us(m[2]) - _last_us(d[2])) <= _NEAR_US),
        (),
    )


def _alerts_of_one(test: RuleTest) -> bool:
    """Whether one subject, which the test names, meets the rule in it."""
    return len(test.expect) == 1 and "subject" in test.expect[0] and "outcome" not in test.expect[0]


def _last_us(test: RuleTest) -> int:
    return max(_time_us(event) for event in test.events)


def _plant(
    pack: Pack,
    rule: Rule,
    test: RuleTest,
    profile: Profile,
    prefix: str,
    shared: str = "",
    group: str = "",
) -> Planted:
    """``shared``: the prefix of the counterparty, where several cases have it in common. ``group``:
    of whom the test's alert is about; a customer's is in its register, an exporter's in the event.
    """
    events = prepared_events(rule, test, prefix)
    if group:
        for event in events:
            if "exporter" in event:
                event["exporter"]["group"] = group
        if "exporter" not in rule.per:
            events = [_in_group(events, f"{prefix}{test.expect[0]['subject']}", group), *events]
    for event in events if shared else ():
        if "counterparty" in event:
            own = str(event["counterparty"]["id"]).removeprefix(prefix)
            event["counterparty"]["id"] = f"{shared}{own}"
    events = [*_introductions(events, profile), *events]
    lines = [
        (_time_us(event), json.dumps(event, ensure_ascii=False, separators=(",", ":")))
        for event in events
    ]
    # what a rule only counts as undecided raises no alert
    expected = [
        alert
        for alert in test.expect
        if rule.cannot_tell == "alert" or alert.get("outcome") != "cannot_tell"
    ]
    label = {
        "rule": rule.id,
        "pack": pack.id,
        "jurisdiction": pack.jurisdiction,
        "status": rule.status,
        "detector": rule.detect.detector if rule.detect else None,
        "test": test.name,
        "expected": "alert" if expected else "none",
        "alerts": len(expected),
        "prefix": prefix,
        **({"shared": shared} if shared else {}),
        **({"group": group} if group else {}),
        "subjects": [alert.get("subject") for alert in expected],
        "events": [{"reporter": event["reporter"], "id": event["id"]} for event in events],
    }
    text = json.dumps(label, ensure_ascii=False, separators=(",", ":"))
    return Planted(tuple(sorted(lines, key=lambda line: line[0])), text)


def _in_group(events: Sequence[Mapping[str, Any]], party: str, group: str) -> dict[str, Any]:
    """The party event by which an institution says what group its customer belongs to."""
    first = min(events, key=_time_us)
    return {
        "id": f"{party}-in-group",
        "type": "party",
        "time": (datetime.fromisoformat(str(first["time"])) - _DAY).isoformat(),
        "reporter": first["reporter"],
        "party": {"id": party, "group": group},
    }


def _time_us(event: Mapping[str, Any]) -> int:
    moment = datetime.fromisoformat(str(event["time"]))
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _introductions(
    events: Sequence[Mapping[str, Any]], profile: Profile
) -> Iterator[dict[str, Any]]:
    """Party events that put each reporter in the pack's jurisdiction, unless the test says it."""
    if not profile.countries:
        return
    country = profile.id if profile.id in profile.countries else min(profile.countries)
    said = {
        event["party"].get("id")
        for event in events
        if event["type"] == "party" and "country" in event["party"]
    }
    first = min(events, key=_time_us)
    before = (datetime.fromisoformat(str(first["time"])) - _DAY).isoformat()
    for reporter in dict.fromkeys(str(event["reporter"]) for event in events):
        if reporter not in said:
            yield {
                "id": f"{reporter}-is",
                "type": "party",
                "time": before,
                "reporter": reporter,
                "party": {"id": reporter, "country": country},
            }
