"""The packs that ship: every rule, every obligation, every text, each by its own name.

Parametrised by rule and obligation, so that one fault does not hide the next. Mutation runs here on
a few packs; ``make mutate`` runs it on all.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from regtech.app.detection import shipped_detectors
from regtech.app.rules import coverage_table, format_rules, lock_rules
from regtech.content import content_root
from regtech.content.faults import Fault
from regtech.engine.asking import waits_for
from regtech.reference.load import Reference
from regtech.rulelang.coverage import Covered, coverage
from regtech.rulelang.ir import Pack, Rule, Text
from regtech.rulelang.packs import load_packs
from regtech.rulelang.register import load_register
from regtech.sandbox.mutate import mutate_packs
from regtech.sandbox.ruletest import Report, run_tests

ROOT = Path(__file__).parents[2]
OBLIGATIONS = 165
MUTATED = ("cn-payments-credit", "th-aml", "kr-data")


@cache
def loaded() -> tuple[tuple[Pack, ...], tuple[Fault, ...]]:
    packs, faults = load_packs()
    return tuple(packs), tuple(faults)


@cache
def reference() -> Reference:
    return Reference.shipped()


@cache
def report_of(pack_id: str) -> Report:
    packs = [pack for pack in loaded()[0] if pack.id == pack_id]
    return run_tests(packs, reference(), detectors=shipped_detectors(trial=True))


@cache
def covered() -> dict[str, Covered]:
    return {item.obligation.id: item for item in coverage(loaded()[0], load_register())}


PACKS = {pack.id: pack for pack in loaded()[0]}
RULES = {rule.id: (pack, rule) for pack in PACKS.values() for rule in pack.rules}

every_pack = pytest.mark.parametrize("pack", PACKS.values(), ids=list(PACKS))
every_rule = pytest.mark.parametrize(("pack", "rule"), RULES.values(), ids=list(RULES))


# --- as written -----------------------------------------------------------------------------------


def test_no_pack_has_a_fault_or_a_warning() -> None:
    assert [str(fault) for fault in loaded()[1]] == []


def test_every_pack_is_in_its_format() -> None:
    assert format_rules((), write=False) == []


def test_the_lock_names_every_pack_as_it_is() -> None:
    result = lock_rules((), check=True)
    assert not result.failed, result.lines


@every_pack
def test_a_pack_stands_in_the_folder_of_its_jurisdiction(pack: Pack) -> None:
    folder = Path(pack.path).parent
    assert folder.parent == content_root("rules")
    places = {"cn", "hk", "sg", "eu", "uk", "us"}
    expected = pack.jurisdiction.lower() if folder.name in places else folder.name
    assert folder.name == expected and Path(pack.path).stem == pack.id


# --- the law --------------------------------------------------------------------------------------


def test_the_register_is_whole() -> None:
    assert len(covered()) == OBLIGATIONS


@pytest.mark.parametrize("obligation", sorted(load_register().obligations))
def test_every_obligation_is_decided_or_named_with_its_reason(obligation: str) -> None:
    item = covered()[obligation]
    assert item.state != "missing"
    if not item.rules:
        assert item.reason is not None
        assert_both_languages(item.reason)


def test_the_page_of_coverage_is_current() -> None:
    page = ROOT / "docs" / "reference" / "coverage.md"
    result = coverage_table((), out=page, check=True)
    assert not result.failed, result.lines


@every_rule
def test_what_is_known_from_memory_only_does_not_bind(pack: Pack, rule: Rule) -> None:
    confidence = rule.cite.confidence if rule.cite is not None else None
    if confidence == "from_memory_medium":
        assert rule.status in ("advisory", "disabled")
    if rule.cite is None:
        assert rule.alert.kind in ("indicator", "quality"), "what is not law is an indicator"


@every_pack
def test_a_default_never_poses_as_law(pack: Pack) -> None:
    for name, param in pack.params.items():
        assert param.basis == "law" or param.confidence is None, name


# --- what people read -----------------------------------------------------------------------------


def assert_both_languages(text: Text) -> None:
    assert set(text) == {"en", "zh"}
    assert re.search("[A-Za-z]", text["en"]) and not re.search("[\u4e00-\u9fff]{5}", text["en"])
    assert re.search("[\u4e00-\u9fff]", text["zh"])


@every_rule
def test_every_text_is_in_english_and_in_chinese(pack: Pack, rule: Rule) -> None:
    assert_both_languages(rule.title)
    for text in (rule.explain, rule.misses):
        if text is not None:
            assert_both_languages(text)
    assert rule.misses is not None, "every rule says what it cannot see"


@every_pack
def test_packs_and_instruments_have_titles_in_both_languages(pack: Pack) -> None:
    assert_both_languages(pack.title)
    for instrument in pack.instruments.values():
        assert_both_languages(instrument.title)


# --- as tested ------------------------------------------------------------------------------------


@every_rule
def test_the_tests_of_a_rule_pass(pack: Pack, rule: Rule) -> None:
    report = report_of(pack.id)
    results = [result for result in report.results if result.rule == rule.id]
    if waits_for(rule, shipped_detectors(trial=True)) is not None:
        assert rule.id in report.waiting
        return
    assert [(r.test.name, r.problems) for r in results if not r.passed] == []
    assert len(results) == len(rule.tests) >= 2


@pytest.mark.parametrize("pack_id", MUTATED)
def test_no_change_goes_unnoticed(pack_id: str) -> None:
    report = mutate_packs([PACKS[pack_id]], reference(), detectors=shipped_detectors(trial=True))
    assert [str(survivor) for survivor in report.survivors] == []
    assert report.failing == [] and report.noticed == report.tried > 20
