"""Mutation: which changes are made, which a test notices, and what is said of those it does not."""

from __future__ import annotations

from collections import Counter

import pytest

from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import load_text
from regtech.rulelang.register import Register
from regtech.sandbox.mutants import Mutant, mutants_of
from regtech.sandbox.mutate import MutationReport, mutate_packs

HEAD = """\
pack: demo
version: 1.0.0
jurisdiction: CN
title: {en: Demo, zh: 演示}
instruments:
  act: {title: {en: Act, zh: 法}, in_force: {from: 2020-01-01}}
params:
"""
FIGURE = "  figure: {value: CNY 100, basis: law}\n"
TESTS = """\
    tests:
      - {name: met, events: [{time: "2026-03-02T09:00:00+08:00"}], expect: {alert: {severity: low}}}
      - {name: near, events: [{time: "2026-03-02T09:00:00+08:00"}], expect: none}
"""


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


def load(text: str) -> Pack:
    pack, faults = load_text(text, "demo.yml", Register())
    assert [fault for fault in faults if fault.code != "RL603"] == [] and pack is not None
    return pack


def rule_pack(body: str, params: str = FIGURE) -> Pack:
    """A pack of one rule whose tests are of no interest."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    rule = (
        "rules:\n  - id: one\n    title: {en: One, zh: 一}\n"
        "    cite: {instrument: act, article: 1, confidence: verified}\n    obligation: A\n" + lines
    )
    pack, faults = load_text(HEAD + params + rule + TESTS, "demo.yml", Register())
    assert pack is not None and pack.rules, faults
    return pack


def changes(pack: Pack, reference: Reference) -> set[tuple[str, str]]:
    found = mutants_of(pack.rules[0], pack, reference.currencies)
    return {(mutant.change.before, mutant.change.after) for mutant in found}


TRANSACTION = """\
on: transaction
per: customer
by: direction
where: {where}
let:
  total: {let}
when: {when}
period: day
alert: {{kind: report, severity: low, due: 5 working days}}
"""


def transaction(
    where: str = "is_cash",
    let: str = 'sum(amount_in("CNY"), over=day)',
    when: str = 'total > param("figure")',
) -> str:
    return TRANSACTION.format(where=where, let=let, when=when)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("total >= param(\"figure\")", {('total >= param("figure")', 'total > param("figure")')}),
        ("total < param(\"figure\")", {('total < param("figure")', 'total <= param("figure")')}),
        (
            "total >= param(\"figure\") and hour() == 3",
            {
                ('total >= param("figure")', "left out"),
                ("hour() == 3", "left out"),
                ("hour() == 3", "hour() != 3"),
                ("3", "4"),
                ("3", "2"),
                (
                    '(total >= param("figure")) and (hour() == 3)',
                    '(total >= param("figure")) or (hour() == 3)',
                ),
            },
        ),
        (
            'not total >= param("figure")',
            {('not (total >= param("figure"))', 'total >= param("figure")')},
        ),
    ],
)  # fmt: skip
def test_conditions_are_changed_in_every_place(
    reference: Reference, written: str, expected: set[tuple[str, str]]
) -> None:
    pack = rule_pack(transaction(when=written))
    assert expected <= changes(pack, reference)


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ("CNY 50000", {"CNY 50,000.01", "CNY 49,999.99"}),
        ("JPY 50000", {"JPY 50,001", "JPY 49,999"}),
        ("KWD 1", {"KWD 1.001", "KWD 0.999"}),
        ("BTC 1", {"BTC 1.00000001", "BTC 0.99999999"}),
    ],
)
def test_money_moves_by_one_minor_unit(
    reference: Reference, figure: str, expected: set[str]
) -> None:
    code = figure[:3]
    body = transaction(let=f'sum(amount_in("{code}"), over=day)', when='total > param("figure")')
    pack = rule_pack(body, f"  figure: {{value: {figure}, basis: law}}\n")
    found = {after for before, after in changes(pack, reference) if before.startswith("figure")}
    assert found == expected


def test_each_kind_of_figure_moves_by_its_own_step(reference: Reference) -> None:
    body = """\
on: ownership
per: owner
let:
  held: max(share, over=param("rolling"))
  days: count(over=param("days"))
  half: count(over=90min)
when: held > param("share") and days > 3 and half > 0
alert: {kind: report, severity: low, due: 5 working days}
"""
    params = (
        "  rolling: {value: 12 months, basis: law}\n  days: {value: 7 days, basis: law}\n"
        "  share: {value: 25%, basis: law}\n"
    )
    found = changes(rule_pack(body, params), reference)
    assert {
        ("rolling: 12 months", "13 months"),
        ("rolling: 12 months", "11 months"),
        ("days: 7 days", "8 days"),
        ("days: 7 days", "6 days"),
        ("share: 25%", "0.250000001"),
        ("share: 25%", "0.249999999"),
        ("3", "4"),
        ("3", "2"),
        ("over=90 minutes", "over=5401 seconds"),
        ("due: 5 working days", "6 working days"),
        ("due: 5 working days", "4 working days"),
    } <= found


def test_windows_splits_words_and_periods_are_changed(reference: Reference) -> None:
    where = 'channel in ("cash", "wire") and not exempt("interbank", "state_organ")'
    found = changes(rule_pack(transaction(where=where)), reference)
    assert {
        ("over=day", "over=week"),
        ("by: direction", "left out"),
        ('"cash"', "left out"),
        ('"wire"', "left out"),
        ('"interbank"', "left out"),
        ('"state_organ"', "left out"),
        ("not given(suspicion, False)", "left out"),
        ("period: day", "period: event"),
        ("period: day", "period: week"),
    } <= found
    # what exempt() writes out by itself is not the rule's text
    assert not any(before == "known(exemption)" for before, _ in found)


def test_deadlines_are_changed_in_all_their_parts(reference: Reference) -> None:
    body = """\
on: incident
per: event
where: known(aware)
deadline:
  within: param("within")
  start: aware
  closed_by: kind == "notified" and to == "authority"
  warn: 12 hours
alert: {kind: deadline, severity: high}
"""
    pack = rule_pack(body, "  within: {value: 72 hours, basis: law}\n")
    found = changes(pack, reference)
    assert {
        ("within: 72 hours", "259201 seconds"),
        ("within: 72 hours", "259199 seconds"),
        ("warn: 12 hours", "43201 seconds"),
        ("warn: 12 hours", "left out"),
        ("start: aware", "left out"),
        ('to == "authority"', "left out"),
        ('kind == "notified"', 'kind != "notified"'),
        ("in_force: from 2020-01-01", "from 2020-01-02"),
        ("in_force: from 2020-01-01", "from 2019-12-31"),
    } <= found
    # a duty without a start is never opened, whatever `where` says of it
    assert ("known(aware)", "left out") not in found


def test_the_day_on_which_a_figure_changes_moves_in_one_piece(reference: Reference) -> None:
    params = (
        "  figure:\n    basis: law\n    values:\n"
        "      - {until: 2025-12-31, value: CNY 100}\n      - {from: 2026-01-01, value: CNY 200}\n"
    )
    pack = rule_pack(transaction(when='total > param("figure")'), params)
    moved: list[Mutant] = [
        mutant
        for mutant in mutants_of(pack.rules[0], pack, reference.currencies)
        if mutant.change.before == "figure: from 2026-01-01"
    ]
    assert len(moved) == 2 and all(mutant.place is not None for mutant in moved)
    for mutant in moved:
        before, after = mutant.pack.params["figure"].versions
        assert before.span.last is not None and after.span.first is not None
        assert (after.span.first - before.span.last).days == 1


# --- what the tests notice ------------------------------------------------------------------------

LAWFUL = (
    HEAD
    + """\
  cash: {value: CNY 100, basis: law}
rules:
  - id: one
    title: {en: One, zh: 一}
    cite: {instrument: act, article: 1, confidence: verified}
    obligation: A
    on: transaction
    per: event
    where: is_cash
    when: amount_in("CNY") >= param("cash")
    alert: {kind: report, severity: low}
    tests:
      - name: exactly on the first day
        events: [{time: "2020-01-01T00:00:00+08:00", channel: cash, amount: "100", currency: CNY}]
        expect: {alert: {}}
      - name: a fen short, a transfer, the day before
        events:
          - {time: "2026-03-02T09:00:00+08:00", channel: cash, amount: "99.99", currency: CNY}
          - {time: "2026-03-02T09:00:00+08:00", channel: wire, amount: "100", currency: CNY}
          - {time: "2019-12-31T23:59:59+08:00", channel: cash, amount: "100", currency: CNY}
        expect: none
"""
)


MEASURED, CASH = 'amount_in(amount, "CNY")', 'param("cash")'


def mutated(text: str, reference: Reference) -> MutationReport:
    return mutate_packs([load(text)], reference)


def test_tests_on_each_side_of_every_figure_leave_nothing(reference: Reference) -> None:
    report = mutated(LAWFUL, reference)
    assert report.survivors == [] and report.failing == [] and report.unfit == 0
    assert report.tried == report.noticed >= 8


@pytest.mark.parametrize(
    ("old", "new", "unnoticed"),
    [
        ('amount: "99.99"', 'amount: "99"', {"cash: CNY 100 → CNY 99.99"}),
        (
            'cash, amount: "100", currency: CNY}]',
            'cash, amount: "101", currency: CNY}]',
            {
                "cash: CNY 100 → CNY 100.01",
                f"{MEASURED} >= {CASH} → {MEASURED} > {CASH}",
            },
        ),
        ("2019-12-31T23", "2019-12-30T23", {"in_force: from 2020-01-01 → from 2019-12-31"}),
        ("2020-01-01T00", "2020-01-02T00", {"in_force: from 2020-01-01 → from 2020-01-02"}),
        ("channel: wire", "channel: cash, exemption: x", None),
    ],
)  # fmt: skip
def test_what_no_test_notices_is_listed(
    reference: Reference, old: str, new: str, unnoticed: set[str] | None
) -> None:
    report = mutated(LAWFUL.replace(old, new), reference)
    found = {f"{survivor.before} → {survivor.after}" for survivor in report.survivors}
    if unnoticed is None:  # the tests fail on the rule as it is: there is nothing to learn
        assert report.failing == ["one"] and report.tried == 0
    else:
        assert found == unnoticed
        assert report.noticed == report.tried - len(unnoticed)


def test_a_survivor_names_its_place_and_the_nearest_test(reference: Reference) -> None:
    (survivor,) = mutated(LAWFUL.replace('"99.99"', '"99"'), reference).survivors
    text = str(survivor)
    line = LAWFUL.splitlines().index("  cash: {value: CNY 100, basis: law}") + 1
    assert text.startswith(f"demo.yml:{line}:17: one: cash: CNY 100 → CNY 99.99\n")
    assert "nearest test: exactly on the first day (demo.yml:" in text
    data = survivor.as_data()
    assert data["rule"] == "one" and data["nearest"]["test"] == "exactly on the first day"


def test_a_date_that_several_rules_share_needs_one_of_them(reference: Reference) -> None:
    second = LAWFUL[LAWFUL.index("  - id: one") :].replace("id: one", "id: two")
    second = second.replace("is_cash", 'channel == "wire"').replace("channel: wire", "channel: x_")
    second = second.replace("channel: cash", "channel: wire").replace(
        "channel: x_", "channel: cash"
    )
    late = second.replace("2020-01-01T", "2024-01-01T").replace("2019-12-31T", "2019-01-01T")
    report = mutated(LAWFUL + late, reference)
    assert report.survivors == []
    both = LAWFUL.replace("2020-01-01T", "2024-01-01T").replace("2019-12-31T", "2019-01-01T") + late
    found = Counter(survivor.after for survivor in mutated(both, reference).survivors)
    assert found == {"from 2020-01-02": 1, "from 2019-12-31": 1}


def test_only_rules_that_run_are_mutated(reference: Reference) -> None:
    text = LAWFUL.replace("    on: transaction\n", "    on: transaction\n    status: disabled\n")
    report = mutated(text, reference)
    assert report.skipped == {"one": "disabled"} and report.tried == 0


def test_progress_is_told_rule_by_rule(reference: Reference) -> None:
    told: list[tuple[int, str]] = []
    mutate_packs([load(LAWFUL)], reference, ["one"], lambda steps, rule: told.append((steps, rule)))
    assert told == [(1, "one")]
