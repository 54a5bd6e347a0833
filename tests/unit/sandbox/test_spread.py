"""Values around a figure: alerts above it, near misses below, each once and at its exact step."""

from __future__ import annotations

from fractions import Fraction

import pytest

from regtech.engine.plan import compile_plan
from regtech.reference.load import Reference
from regtech.sandbox.harness import judge_events
from regtech.sandbox.near import near_misses_of, with_near
from regtech.sandbox.spread import SHARE, Around, Spread
from tests.unit.sandbox.test_near import deposits, pack_of


def around(amounts: list[str], rule: str) -> list[Around]:
    """Deposits of a customer each, against a figure of 10,000."""
    pack, reference = pack_of(rule), Reference.shipped()
    shown = with_near([pack], SHARE)
    spread = Spread([pack], near_misses_of(compile_plan(shown, reference)))
    events = deposits(*(("02T10:00", f"C{n}", amount) for n, amount in enumerate(amounts)))
    real = spread.take(judge_events(shown, events, reference, home="CN").alerts)
    assert real == judge_events([pack], events, reference, home="CN").alerts
    return spread.found()


LET = 'let: {cny: \'sum(amount_in("CNY"), over=day)\'}\n    when: cny >= param("limit")'


@pytest.mark.parametrize(
    ("amounts", "expected", "beyond"),
    [
        (["7999.99"], {}, 0),
        (["8000", "8199.99", "8200"], {80: 2, 82: 1}, 0),
        (["9999.99", "10000", "10199.99"], {98: 1, 100: 2}, 0),
        (["9900", "12000", "11999.99", "500000"], {98: 1, 118: 1}, 2),
    ],
)
def test_each_value_is_at_its_step(
    amounts: list[str], expected: dict[int, int], beyond: int
) -> None:
    found = around(amounts, LET)
    if not expected:
        assert found == []
        return
    (one,) = found
    data = one.to_json()
    assert {b["from"]: b["count"] for b in data["bins"] if b["count"]} == expected
    assert (data["measure"], data["param"], data["beyond"]) == ("cny", "limit", beyond)
    assert data["figures"] == ["CNY 10,000"]
    assert [b["to"] for b in data["bins"]][-1] == 120


def test_a_limit_that_asks_for_less_has_no_heap_below() -> None:
    assert around(["9000"], LET.replace(">=", "<")) == []


def test_far_below_is_none_of_ours() -> None:
    made = Around("r", "m", "p")
    for share in (Fraction(0), Fraction(-5), Fraction(799, 1000)):
        made.add(share)
    assert not any(made.counts) and not made.beyond
