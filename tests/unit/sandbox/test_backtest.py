"""Two versions of rules over the same events: exactly the differences that the change makes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.columns.vocabulary import Vocabulary
from regtech.model.alert import digested
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import load_text, require_packs
from regtech.sandbox.backtest import Change, Twins, rule_changes
from regtech.sandbox.differences import BacktestResult, SideSummary
from regtech.sandbox.harness import judge_events, lines

GOLDEN = Path(__file__).parents[2] / "golden" / "explain"
TEXT = (GOLDEN / "golden-rules.yml").read_text(encoding="utf-8")
UNTIL_US = 1_778_000_000_000_000


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


@cache
def pack_of(*replaced: tuple[str, str]) -> Pack:
    """The golden pack with pieces of its text replaced; each must be there once."""
    text = TEXT
    for before, after in replaced:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    pack, faults = load_text(text)
    assert pack is not None
    broken = [str(fault) for fault in faults if fault.severity == "error"]
    assert broken == []
    return pack


def golden_events() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / "events.ndjson").read_text().splitlines()]


def twins_over(
    base: Sequence[Pack],
    head: Sequence[Pack],
    events: Sequence[dict[str, Any]],
    reference: Reference,
    step: int = 1000,
    **options: Any,
) -> tuple[Twins, list[Change]]:
    twins = Twins(base, head, reference, **options)
    table = reference.currencies
    currencies = {code: (table[code].index, table[code].exponent) for code in table.codes}
    decoder = NdjsonDecoder(twins.fields, twins.vocabulary, Vocabulary(), currencies)
    for at in range(0, len(events), step):
        batch, rejects, _ = decoder.decode(lines(events[at : at + step]), at + 1, "source0", 0)
        assert rejects == []
        twins.push(batch)
    return twins, twins.finish(UNTIL_US)


def deposit(n: int, customer: str, amount: str, time: str, bank: str = "B1") -> dict[str, Any]:
    return {
        "id": f"e{n}", "type": "transaction", "time": time, "reporter": bank, "channel": "cash",
        "kind": "deposit", "payee": {"id": customer, "institution": bank}, "amount": amount,
        "currency": "CNY",
    }  # fmt: skip


def day(number: int, hour: int = 9) -> str:
    return f"2026-03-{number:02d}T{hour:02d}:00:00+08:00"


CHEAPER = ("cash_cny: {value: CNY 50000, basis: law}", "cash_cny: {value: CNY 46000, basis: law}")
VERSION = ("version: 1.0.0", "version: 1.1.0")


def kinds(changes: Sequence[Change]) -> list[tuple[str, str, str]]:
    return [(change.kind, change.rule, str(change.subject["id"])) for change in changes]


def test_the_same_rules_differ_in_nothing(reference: Reference) -> None:
    pack = pack_of()
    twins, changes = twins_over([pack], [pack], golden_events(), reference)
    assert changes == []
    assert twins.comparison.same == twins.comparison.head.alerts > 5
    assert twins.comparison.base.digest == twins.comparison.head.digest


def test_a_new_version_of_unchanged_rules_moves_nothing(reference: Reference) -> None:
    base, head = pack_of(), pack_of(VERSION)
    assert base.digest != head.digest
    twins, changes = twins_over([base], [head], golden_events(), reference)
    assert changes == []
    assert twins.comparison.base.digest != twins.comparison.head.digest
    assert rule_changes(*(e.plan for e in twins.engines)).same == 7


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_heads_digest_is_that_of_a_run(reference: Reference, step: int) -> None:
    base, head = pack_of(), pack_of(VERSION, CHEAPER)
    twins, _ = twins_over(
        [base], [head], golden_events(), reference, step=step, sources=["source0"]
    )
    for number, pack in enumerate((base, head)):
        run = judge_events([pack], golden_events(), reference, until_us=UNTIL_US)
        bytes_ = b"".join(digested(alert.canonical()) + b"\n" for alert in run.alerts)
        side = (twins.comparison.base, twins.comparison.head)[number]
        assert side.digest == hashlib.sha256(bytes_).hexdigest()


def test_a_lower_figure_brings_exactly_what_lies_between(reference: Reference) -> None:
    events = [
        deposit(1, "BELOW", "45999.99", day(2, 8)),
        deposit(2, "LOWER", "46000", day(2)),
        deposit(3, "BETWEEN", "49999.99", day(2, 10)),
        deposit(4, "BOTH", "50000", day(2, 11)),
        deposit(5, "EARLIER", "47000", day(2, 12)),
        deposit(6, "EARLIER", "6000", day(2, 13), bank="B1"),
        deposit(7, "OTHER-BANK", "46500", day(2, 14), bank="B2"),
    ]
    twins, changes = twins_over([pack_of()], [pack_of(CHEAPER)], events, reference, home="CN")
    assert kinds(changes) == [
        ("new", "gold-large", "LOWER"),
        ("new", "gold-large", "BETWEEN"),
        ("moved", "gold-large", "EARLIER"),
        ("new", "gold-large", "OTHER-BANK"),
    ]
    assert twins.comparison.same == 1  # BOTH: found by both at the same event
    moved = changes[2]
    assert moved.fields == ("time", "measures", "due") or moved.fields == ("time", "measures")
    assert moved.base is not None and moved.head is not None
    assert moved.head["measures"]["cny"]["amount"] == "47000.00"
    assert moved.base["measures"]["cny"]["amount"] == "53000.00"
    assert [change.institution for change in changes] == ["B1", "B1", "B1", "B2"]


def test_the_same_change_backwards_is_gone_in_place_of_new(reference: Reference) -> None:
    events = [deposit(1, "BETWEEN", "46000", day(2)), deposit(2, "BOTH", "50000", day(3))]
    _, changes = twins_over([pack_of(CHEAPER)], [pack_of()], events, reference, home="CN")
    assert kinds(changes) == [("gone", "gold-large", "BETWEEN")]
    assert changes[0].head is None and changes[0].base is not None


def test_the_measure_that_made_the_difference_is_named(reference: Reference) -> None:
    events = [deposit(1, "BETWEEN", "46000", day(2))]
    _, changes = twins_over([pack_of()], [pack_of(CHEAPER)], events, reference, home="CN")
    causes = {cause.name: cause for cause in changes[0].causes}
    assert set(causes) == {"cny", "fx"}  # either would have done in the earlier rules
    assert causes["cny"].text["en"] == (
        'not met in the earlier rules: "cny" is at least CNY 50,000 (CNY 46,000.00)'
    )
    assert causes["cny"].text["zh"].startswith("原规则中不成立：“cny”不低于CNY 50,000")


def test_a_figure_merely_quoted_moves_nothing(reference: Reference) -> None:
    events = [deposit(1, "BOTH", "60000", day(2))]
    _, changes = twins_over([pack_of()], [pack_of(CHEAPER)], events, reference, home="CN")
    assert changes == []


def test_another_severity_or_due_date_is_a_move(reference: Reference) -> None:
    events = [deposit(1, "C", "60000", day(2))]
    before = "severity: medium, report: LV/0501, due: 5"
    head = pack_of((before, "severity: high, report: LV/0501, due: 6"))
    _, changes = twins_over([pack_of()], [head], events, reference, home="CN")
    assert [change.fields for change in changes] == [("due", "severity")]


def test_rules_that_come_and_go(reference: Reference) -> None:
    base = pack_of()
    head = replace(base, rules=tuple(rule for rule in base.rules if rule.id != "gold-large"))
    events = [deposit(1, "C", "60000", day(2))]
    twins, changes = twins_over([base], [head], events, reference, home="CN")
    assert kinds(changes) == [("gone", "gold-large", "C")]
    assert changes[0].causes[0].text["en"] == "the rule is gone"
    assert rule_changes(*(e.plan for e in twins.engines)).removed == ("gold-large",)
    _, changes = twins_over([head], [base], events, reference, home="CN")
    assert changes[0].causes[0].text["en"] == "the rule is new"


def test_a_disabled_rule_is_named_as_such(reference: Reference) -> None:
    base = pack_of()
    rules = [replace(r, status="disabled") if r.id == "gold-large" else r for r in base.rules]
    head = replace(base, rules=tuple(rules))
    events = [deposit(1, "C", "60000", day(2))]
    _, changes = twins_over([base], [head], events, reference, home="CN")
    assert "disabled in the later rules" in changes[0].causes[0].text["en"]


def test_an_outcome_that_changes_is_a_move(reference: Reference) -> None:
    head = pack_of(("upper_band: {value: 2000 persons", "upper_band: {value: 1200 persons"))
    _, changes = twins_over([pack_of()], [head], golden_events(), reference)
    assert ("moved", "gold-band-upper", "FIRM-1") in kinds(changes)
    moved = next(change for change in changes if change.rule == "gold-band-upper")
    assert moved.base is not None and moved.head is not None
    assert "time" in moved.fields or "outcome" in moved.fields


def test_a_lower_duty_silenced_by_a_higher_says_so(reference: Reference) -> None:
    transfer = {
        "id": "t", "type": "data_transfer", "time": day(2), "reporter": "E", "destination": "SG",
        "exporter": {"id": "E"}, "recipient": {"id": "R"}, "person_count": 1500,
    }  # fmt: skip
    head = pack_of(("upper_band: {value: 2000 persons", "upper_band: {value: 1500 persons"))
    _, changes = twins_over([pack_of()], [head], [transfer], reference, home="CN")
    assert kinds(changes) == [("gone", "gold-band-lower", "E"), ("new", "gold-band-upper", "E")]
    assert changes[0].causes[0].kind == "yields"
    assert "gives way to gold-band-upper" in changes[0].causes[0].text["en"]


def test_a_shorter_deadline_moves_the_alert(reference: Reference) -> None:
    head = pack_of(("notify_within: {value: 72 hours", "notify_within: {value: 48 hours"))
    _, changes = twins_over([pack_of()], [head], golden_events(), reference)
    assert kinds(changes) == [("moved", "gold-notify", "FIRM-1/i1")] * 2
    assert {"time", "due"} <= set(changes[0].fields)


def test_a_rolling_finding_a_little_earlier_is_a_move(reference: Reference) -> None:
    events = [deposit(n, "C", "49000", day(n + 1)) for n in range(1, 4)]
    head = pack_of(("how_often: {value: 3 events", "how_often: {value: 2 events"))
    _, changes = twins_over([pack_of()], [head], events, reference, home="CN")
    assert kinds(changes) == [("moved", "gold-structuring", "C")]
    assert "time" in changes[0].fields


def test_from_leaves_out_what_is_dated_before(reference: Reference) -> None:
    events = [deposit(1, "A", "46000", day(2)), deposit(2, "B", "46000", day(5))]
    from_us = 1_772_640_000_000_000  # 2026-03-04T16:00:00Z
    _, changes = twins_over(
        [pack_of()], [pack_of(CHEAPER)], events, reference, home="CN", from_us=from_us
    )
    assert kinds(changes) == [("new", "gold-large", "B")]


def test_the_report_counts_names_and_samples(reference: Reference) -> None:
    events = [deposit(n, f"C{n}", "46000", day(2, n), bank=f"B{n % 2}") for n in range(1, 6)]
    base, head = pack_of(), pack_of(CHEAPER)
    twins, changes = twins_over([base], [head], events, reference, home="CN")
    sides = [SideSummary(n, (), 7, s.alerts, s.digest) for n, s in
             (("old", twins.comparison.base), ("new", twins.comparison.head))]  # fmt: skip
    result = BacktestResult(
        sides[0], sides[1], rule_changes(*(e.plan for e in twins.engines)), twins.comparison.same,
        tuple(changes), {"gold-large": {"en": "Cash", "zh": "现金"}}, 5, {}, 0.0, samples=2,
    )  # fmt: skip
    assert result.changed
    assert result.by("rule") == [("gold-large", {"new": 5, "gone": 0, "moved": 0})]
    assert [name for name, _ in result.by("institution")] == ["B1", "B0"]
    assert [(c[0], c[2], c[3]) for c in result.causes()] == [
        ("gold-large", "cny", 5),
        ("gold-large", "fx", 5),
    ]
    assert len(result.sampled()) == 2
    text = result.text("en")
    assert "alerts: 5 new, 0 gone, 0 moved, 0 the same" in text
    assert "rules: 0 added, 0 removed, 2 changed, 5 the same" in text
    assert "gold-large  5 new  Cash" in text
    assert "现金" in result.text("zh")
    data = json.loads(json.dumps(result.to_json()))
    assert data["alerts"] == {"same": 0, "new": 5, "gone": 0, "moved": 0}
    assert data["head"]["digest"] == twins.comparison.head.digest


def test_shipped_rules_against_themselves(reference: Reference) -> None:
    packs = require_packs([GOLDEN / "golden-rules.yml"])
    twins, changes = twins_over(packs, packs, golden_events(), reference, step=3)
    assert changes == [] and twins.comparison.same > 0
