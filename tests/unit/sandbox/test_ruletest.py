"""Tests that stand in packs: what passes, what fails, and what a failing test says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack, RuleTest
from regtech.rulelang.packs import load_text
from regtech.rulelang.register import Register
from regtech.sandbox.ruletest import Result, run_tests

PACK = """\
pack: demo
version: 1.0.0
jurisdiction: CN
title: {en: Demo, zh: 演示}
instruments:
  act: {title: {en: Act, zh: 法}}
params:
  cash: {value: CNY 50000, basis: law}
  within: {value: 72 hours, basis: law}
rules:
  - id: cash
    title: {en: Cash, zh: 现金}
    cite: {instrument: act, article: 1, confidence: verified}
    obligation: A
    on: transaction
    per: customer
    where: is_cash
    let:
      total: sum(amount_in("CNY"), over=day)
    when: total >= param("cash")
    alert: {kind: report, severity: medium, due: 5 working days}
    tests:
CASH_TESTS
  - id: late
    title: {en: Late, zh: 迟报}
    cite: {instrument: act, article: 2, confidence: verified}
    obligation: A
    on: incident
    per: event
    deadline: {within: param("within"), closed_by: kind == "notified"}
    alert: {kind: deadline, severity: high}
    tests:
      - name: a microsecond too late
        events: [{id: I1, time: "2026-03-02T09:00:00+08:00", kind: leak}]
        until: "2026-03-05T09:00:00.000001+08:00"
        expect: {alert: {subject: I1, due: "2026-03-05T01:00:00Z"}}
      - name: the clock stands still at the end of the test
        events: [{id: I1, time: "2026-03-02T09:00:00+08:00", kind: leak}]
        until: "2026-03-05T09:00:00+08:00"
        expect: none
"""
MET = """\
      - name: met
        events:
          - {time: "2026-03-02T09:00:00+08:00", payee: {id: C1}, channel: cash, AMOUNT}
        expect: {alert: {subject: C1, total: 50000, due: "2026-03-09"}}
"""
NEAR = """\
      - name: near
        events:
          - time: "2026-03-02T09:00:00+08:00"
            payee: {id: C1}
            CASH
            amount: "49999.99"
            currency: CNY
        expect: none
"""
GOOD_MET = MET.replace("AMOUNT", 'amount: "50000", currency: CNY')
GOOD_NEAR = NEAR.replace("CASH", "channel: cash")


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


def pack_of(*tests: str) -> Pack:
    text = PACK.replace("CASH_TESTS\n", "".join(tests))
    pack, faults = load_text(text, "demo.yml", Register())
    assert faults == [] and pack is not None
    return pack


def results(reference: Reference, *tests: str) -> dict[str, Result]:
    found = run_tests([pack_of(*tests)], reference).results
    return {result.test.name: result for result in found}


def test_tests_of_a_pack_pass_side_by_side_and_cannot_see_each_other(reference: Reference) -> None:
    # every test uses the same customer, institution and event ids
    found = results(reference, GOOD_MET, GOOD_NEAR)
    assert len(found) == 4 and all(result.passed for result in found.values())
    assert found["met"].found[0]["subject"] == "C1"


def test_a_failing_test_says_expected_and_got_measure_by_measure(reference: Reference) -> None:
    wrong = MET.replace("AMOUNT", 'amount: "50000.01", currency: CNY').replace("03-09", "03-10")
    problems = results(reference, wrong, GOOD_NEAR)["met"].problems
    assert problems == (
        "total: expected 50000, got CNY 50000.01",
        "due: expected 2026-03-10, got 2026-03-09",
    )


def test_an_alert_that_is_missing_or_not_expected_is_said_in_full(reference: Reference) -> None:
    short = MET.replace("AMOUNT", 'amount: "49999.99", currency: CNY')
    over = GOOD_NEAR.replace("49999.99", "50000")
    found = results(reference, short, over)
    (missing,) = found["met"].problems
    assert missing == "expected subject C1, total 50000, due 2026-03-09; got no alert"
    (extra,) = found["near"].problems
    assert extra.startswith("expected no alert; got subject C1") and "CNY 50000.00" in extra


def test_a_refused_event_is_a_problem_with_its_reason(reference: Reference) -> None:
    bad = GOOD_NEAR.replace("49999.99", "49999.999")
    (problem,) = results(reference, GOOD_MET, bad)["near"].problems
    assert "event e1 was refused" in problem and "amount" in problem


@pytest.mark.parametrize("money", ["CNY 50000", '"CNY 50,000.00"'])
def test_money_may_be_expected_as_a_figure_of_the_pack_is_written(
    reference: Reference, money: str
) -> None:
    assert results(reference, GOOD_MET.replace("50000,", f"{money},"), GOOD_NEAR)["met"].passed
    other = money.replace("CNY", "USD")
    assert not results(reference, GOOD_MET.replace("50000,", f"{other},"), GOOD_NEAR)["met"].passed


def test_none_means_not_met_and_not_that_a_fact_is_missing(reference: Reference) -> None:
    untold = NEAR.replace("CASH", "kind: deposit")  # no channel: is it cash?
    problem, why = results(reference, GOOD_MET, untold)["near"].problems
    assert "a fact is missing" in problem
    assert why == "it could not be told: the event e1 does not say channel"


def test_a_failing_test_names_the_fact_that_was_missing(reference: Reference) -> None:
    absent = MET.replace("channel: cash, AMOUNT", 'amount: "50000", currency: CNY')
    problem, why = results(reference, absent, GOOD_NEAR)["met"].problems
    assert problem.endswith("got no alert")
    assert why == "it could not be told: the event e1 does not say channel"


def test_where_the_event_says_all_something_else_was_missing(reference: Reference) -> None:
    no_rate = MET.replace("AMOUNT", 'amount: "50000", currency: BTN')
    problems = results(reference, no_rate, GOOD_NEAR)["met"].problems
    assert problems[-1] == (
        "it could not be told at the event e1: a fact of an event before it is missing, or a rate"
    )


def test_what_cannot_be_told_can_be_expected(reference: Reference) -> None:
    untold = NEAR.replace("CASH", "kind: deposit").replace("none", "cannot tell")
    told = GOOD_NEAR.replace("none", "cannot tell").replace("name: near", "name: told")
    found = results(reference, GOOD_MET, GOOD_NEAR.replace("near", "x"), untold, told)
    assert found["near"].passed
    assert not found["told"].passed


def test_beside_an_alert_what_cannot_be_told_is_not_in_question(reference: Reference) -> None:
    more = GOOD_MET.replace(
        "        expect",
        '          - {time: "2026-03-02T10:00:00Z", payee: {id: C2}, amount: "1", currency: CNY}\n'
        "        expect",
    )
    assert results(reference, more, GOOD_NEAR)["met"].passed


def test_each_expected_alert_needs_one_of_its_own(reference: Reference) -> None:
    pack = pack_of(GOOD_MET, GOOD_NEAR)
    rule = pack.rules[0]
    twice = RuleTest("twice", rule.tests[0].events, ({"subject": "C1"}, {"subject": "C1"}))
    rules = (replace(rule, tests=(twice,)), *pack.rules[1:])
    (result,) = run_tests([replace(pack, rules=rules)], reference, only=["cash"]).results
    assert result.problems == ("expected subject C1; got no alert",)


def test_rules_that_wait_for_a_detector_are_named_and_not_run(reference: Reference) -> None:
    text = PACK.replace("CASH_TESTS\n", GOOD_MET + GOOD_NEAR)
    text = (
        text.replace(
            '    deadline: {within: param("within"), closed_by: kind == "notified"}\n',
            '    detect: {detector: cycle, length: param("within")}\n',
        )
        .replace("kind: deadline", "kind: indicator")
        .replace(', due: "2026-03-05T01:00:00Z"', "")
    )
    pack, faults = load_text(text, "demo.yml", Register())
    assert [f for f in faults if f.severity == "error"] == [] and pack is not None
    report = run_tests([pack], reference)
    assert report.waiting == {"late": "cycle"}
    assert {result.rule for result in report.results} == {"cash"} and report.failed == []
