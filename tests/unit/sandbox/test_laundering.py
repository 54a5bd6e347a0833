"""The laundering scenario: reproducible, labelled, and with nothing that gives it away."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from regtech.app.decoding import checking_decoder
from regtech.errors import InputError
from regtech.sandbox.laundering.audit import LIMIT, auc, audit
from regtech.sandbox.laundering.flows import BACKGROUND, Flows
from regtech.sandbox.laundering.lines import labels, lines
from regtech.sandbox.laundering.patterns import read_patterns
from regtech.sandbox.laundering.scenario import Scenario, make_scenario
from regtech.sandbox.laundering.typologies import TYPOLOGIES

PATTERNS = """\
BEGIN LAUNDERING ATTEMPT - FAN-IN:  Max 3-degree Fan-In
2022/09/01 02:38,001,A,02,T,10.00,Euro,10.00,Euro,ACH,1
2022/09/02 14:36,001,B,02,T,20.00,Euro,20.00,Euro,ACH,1
2022/09/04 14:09,003,A,02,T,40.00,Euro,40.00,Euro,ACH,1
END LAUNDERING ATTEMPT - FAN-IN

BEGIN LAUNDERING ATTEMPT - RANDOM:  Max 10 hops
2022/09/05 01:00,001,A,02,T,10.00,Euro,10.00,Euro,ACH,1
END LAUNDERING ATTEMPT - RANDOM
"""


def _text(scenario: Scenario) -> list[str]:
    return [line for piece in lines(scenario) for line in piece]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return make_scenario(60_000, 3, share_per_mille=6)


def _payments(scenario: Scenario, name: str) -> list[Flows]:
    return [
        scenario.payments.take(attempt.places)
        for attempt in scenario.attempts
        if attempt.typology == name
    ]


def test_the_same_seed_gives_the_same_payments_and_another_gives_others() -> None:
    one, again, other = (make_scenario(2000, seed) for seed in (1, 1, 2))
    assert _text(one) == _text(again) != _text(other)
    assert list(labels(one)) == list(labels(again))


@pytest.mark.parametrize("events", [1, 10, 500, 3001])
def test_there_are_as_many_as_asked_for(events: int) -> None:
    assert len(_text(make_scenario(events, 1))) == events


def test_payments_are_in_order_and_none_is_refused(scenario: Scenario) -> None:
    text = _text(scenario)
    batch, rejects, _ = checking_decoder().decode("\n".join(text[:8000]).encode())
    assert rejects == [] and batch.count == 8000
    times = [datetime.fromisoformat(json.loads(line)["time"]) for line in text[:8000]]
    assert times == sorted(times)


def test_every_typology_is_planted_and_nothing_without_a_share(scenario: Scenario) -> None:
    assert {attempt.typology for attempt in scenario.attempts} == set(TYPOLOGIES)
    planted = int((scenario.payments.attempt != BACKGROUND).sum())
    assert 360 <= planted <= 360 + 30
    assert make_scenario(3000, 1, share_per_mille=0).attempts == ()


def test_labels_name_the_payments_and_accounts_of_each_attempt(scenario: Scenario) -> None:
    by_id: dict[str, dict[str, Any]] = {}
    for line in _text(scenario):
        record = json.loads(line)
        by_id[record["id"]] = record
    named = set()
    for line in labels(scenario):
        label = json.loads(line)
        payments = [by_id[event["id"]] for event in label["events"]]
        assert [p["reporter"] for p in payments] == [e["reporter"] for e in label["events"]]
        sides = [p[side]["id"] for p in payments for side in ("payer", "payee") if side in p]
        assert set(sides) == set(label["subjects"])
        moved = sum(a["paid"] + a["received"] for a in label["accounts"])
        assert moved == len(sides)
        assert label["first"] == payments[0]["time"] and label["last"] == payments[-1]["time"]
        named |= {event["id"] for event in label["events"]}
    assert len(named) == int((scenario.payments.attempt != BACKGROUND).sum())


def test_typologies_have_their_shapes(scenario: Scenario) -> None:
    for part in _payments(scenario, "fan_in"):
        assert len(set(part.payee.tolist())) == 1
        assert len(set(part.payer.tolist())) == len(part) >= 4
    for part in _payments(scenario, "cycle"):
        assert part.payee.tolist() == [*part.payer.tolist()[1:], int(part.payer[0])]
    for part in _payments(scenario, "random_walk"):
        assert part.payee.tolist()[:-1] == part.payer.tolist()[1:]
        assert len(set(part.payer.tolist())) == len(part)
    for part in _payments(scenario, "round_tripping"):
        assert part.payee[-1] == part.payer[0]
    for part in _payments(scenario, "scatter_gather"):
        middle = len(part) // 2
        assert len(set(part.payer[:middle].tolist())) == 1
        assert len(set(part.payee[middle:].tolist())) == 1


@pytest.mark.parametrize("seed", [3, 11])
def test_no_simple_value_gives_away_what_was_planted(seed: int) -> None:
    found = audit(make_scenario(60_000, seed, share_per_mille=6))
    assert len(found) > 35
    assert [one for one in found if one.either_way > LIMIT] == []


def test_the_audit_would_notice() -> None:
    bad = make_scenario(30_000, 1)
    planted = bad.payments.attempt != BACKGROUND
    bad.payments.amount[planted] *= 50
    bad.payments.us[planted] = bad.payments.us[planted] // 86_400_000_000 * 86_400_000_000
    worst = {one.value for one in audit(bad) if one.either_way > LIMIT}
    assert {"amount", "amount in one currency", "hour of day"} <= worst


def test_auc_is_the_chance_to_be_higher() -> None:
    planted = np.array([True, False, False, True])
    assert auc(np.array([3, 1, 2, 4]), planted) == 1.0
    assert auc(np.array([1, 1, 1, 1]), planted) == 0.5
    assert auc(np.array([1, 3, 2, 2]), planted) == 0.125
    assert auc(np.array([1, 2]), np.array([False, False])) == 0.5


def test_published_attempts_keep_order_distances_and_proportions() -> None:
    published = read_patterns(PATTERNS, "p.txt")
    assert [attempt.typology for attempt in published] == ["fan_in", "random_walk"]
    placed = make_scenario(20_000, 5, published=published)
    part = placed.payments.take(placed.attempts[0].places)
    assert len(set(part.payee.tolist())) == 1 and len(set(part.payer.tolist())) == 3
    hours = (part.us - part.us[0]) / 3.6e9
    assert hours == pytest.approx([0, 35.97, 83.52], abs=0.05)
    assert len(placed.payments) == 20_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing\n", "has no attempt"),
        (PATTERNS.replace("10.00,Euro,ACH", "ten,Euro,ACH"), "p.txt:2: no time or no amount"),
        (PATTERNS.replace(",Euro,ACH,1\nEND", ",ACH,1\nEND"), "p.txt:4: 10 columns"),
    ],
)
def test_a_pattern_file_that_is_wrong_is_named_by_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_patterns(text, "p.txt")
