"""Loading packs: from files to checked rules, whatever is in the files."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.content.faults import Mark
from regtech.errors import ContentError, InputError
from regtech.rulelang.faults import CODES
from regtech.rulelang.files import pack_files
from regtech.rulelang.ir import (
    Again,
    AlertSpec,
    Deadline,
    Detect,
    Duration,
    LetRef,
    Logic,
    Measure,
    ParamRef,
    Rule,
    Span,
)
from regtech.rulelang.packs import load_packs, load_text, require_packs
from regtech.rulelang.register import Register, load_register
from regtech.rulelang.rules import measures_of, params_of

PACK = """\
pack: demo
version: 1.2.3
jurisdiction: CN
title: {en: Demo, zh: 演示}
instruments:
  act: {title: {en: Act, zh: 法}, in_force: {from: 2020-01-01, until: 2030-12-31}}
params:
  step: {value: 1%, basis: law}
  floor: {value: 5%, basis: law}
  within: {value: 72 hours, basis: default}
  depth: {value: 4 layers, basis: default}
rules:
  - id: stake
    title: {en: Stake, zh: 持股}
    cite: {instrument: act, article: 7, confidence: verified}
    obligation: [A, B]
    in_force: {from: 2021-01-01}
    on: ownership
    per: [owner, owned]
    by: owned.country
    let:
      held: max(share, over=ever)
      again_held: held
    when: again_held >= param("floor")
    again: {value: held, step: param("step")}
    period: year
    cannot_tell: alert
    alert: {kind: limit, severity: high, due: 3 days, due_from: from, due_basis: default}
    explain: {en: "a,  b", zh: 甲}
    tests:
      - name: a
        events:
          - {time: "2026-03-02T09:00:00Z", share: 0.050, from: 2026-03-01, listed: true}
        expect: {alerts: [{subject: [O1, E1], held: 0.05, outcome: met}]}
      - name: b
        events: [{time: "2026-03-02T09:00:00Z"}]
        until: "2026-04-01T00:00:00Z"
        expect: none
  - id: late
    title: {en: Late, zh: 迟报}
    on: incident
    per: event
    status: advisory
    where: risk != "unlikely"
    deadline: {within: param("within"), start: aware, closed_by: kind == "notified", warn: 12 hours}
    alert: {kind: deadline, severity: high}
    tests:
      - {name: a, events: [{time: "2026-03-02T09:00:00Z"}], expect: {alert: {warning: true}}}
      - {name: b, events: [{time: "2026-03-02T09:00:00Z"}], expect: none}
  - id: ring
    title: {en: Ring, zh: 环}
    on: transaction
    per: account
    detect: {detector: cycle, length: {max: param("depth"), min: 2.5}, kinds: [a, b]}
    alert: {kind: indicator, severity: low}
"""


@pytest.fixture(scope="module")
def rules() -> dict[str, Rule]:
    pack, faults = load_text(PACK, "demo.yml", Register())
    assert faults == [] and pack is not None
    assert (pack.id, pack.version, pack.jurisdiction) == ("demo", "1.2.3", "CN")
    return {rule.id: rule for rule in pack.rules}


def test_a_rule_in_all_its_parts(rules: dict[str, Rule]) -> None:
    rule = rules["stake"]
    assert rule.obligations == ("A", "B")
    assert rule.span == Span(date(2021, 1, 1), date(2030, 12, 31))
    assert rule.cite is not None and rule.cite.article == "7"
    assert (rule.on, rule.per, rule.by) == (("ownership",), ("owner", "owned"), ("owned.country",))
    assert list(rule.lets) == ["held", "again_held"]
    assert isinstance(rule.lets["again_held"], LetRef)
    assert isinstance(rule.again, Again) and isinstance(rule.again.value, LetRef)
    assert (rule.period, rule.cannot_tell, rule.status) == ("year", "alert", "enabled")
    assert rule.alert == AlertSpec("limit", "high", None, Duration(3, "days"), "default", "from")
    assert rule.explain == {"en": "a, b", "zh": "甲"}
    assert rule.mark == Mark("demo.yml", 13, 9)
    assert [measure.kind for measure in measures_of(rule)] == ["max"]
    assert isinstance(measures_of(rule)[0], Measure)
    assert params_of(rule) == ["floor", "step"]


def test_tests_keep_figures_as_written(rules: dict[str, Rule]) -> None:
    first, second = rules["stake"].tests
    assert first.events == (
        {"time": "2026-03-02T09:00:00Z", "share": "0.050", "from": "2026-03-01", "listed": True},
    )
    assert first.expect == ({"subject": ["O1", "E1"], "held": Decimal("0.05"), "outcome": "met"},)
    assert second.expect == () and second.until == "2026-04-01T00:00:00Z"


def test_a_deadline(rules: dict[str, Rule]) -> None:
    deadline = rules["late"].deadline
    assert isinstance(deadline, Deadline)
    assert isinstance(deadline.within, ParamRef) and deadline.within.name == "within"
    assert deadline.warn == Duration(12 * 3600, "seconds")
    assert params_of(rules["late"]) == ["within"]
    assert rules["late"].status == "advisory"
    assert rules["late"].cite is None and rules["late"].span == Span()


def test_a_detector_and_its_parameters(rules: dict[str, Rule]) -> None:
    detect = rules["ring"].detect
    assert isinstance(detect, Detect) and detect.detector == "cycle"
    length = detect.params["length"]
    assert isinstance(length["max"], ParamRef) and length["min"] == Decimal("2.5")
    assert detect.params["kinds"] == ["a", "b"]
    assert params_of(rules["ring"]) == ["depth"]


def test_expressions_over_several_lines_keep_their_places() -> None:
    text = PACK.replace(
        'where: risk != "unlikely"',
        'where: >-\n      risk != "unlikely"\n      and grde == "high"\n      and foo(kind)',
    )
    _, faults = load_text(text, "demo.yml", Register())
    lines = text.splitlines()
    assert [(fault.code, fault.mark.line, fault.mark.column) for fault in faults] == [
        ("RL203", lines.index('      and grde == "high"') + 1, 11),
        ("RL204", lines.index("      and foo(kind)") + 1, 11),
    ]


def test_a_faulty_rule_does_not_take_the_others_with_it() -> None:
    pack, faults = load_text(PACK.replace("kind == ", "knd == "), "demo.yml", Register())
    assert pack is not None
    assert [rule.id for rule in pack.rules] == ["stake", "ring"]
    assert [fault.code for fault in faults] == ["RL203"]


def test_files_and_folders(tmp_path: Path) -> None:
    inner = tmp_path / "cn"
    inner.mkdir()
    (inner / "demo.yml").write_text(PACK, encoding="utf-8")
    (inner / "notes.txt").write_text("x", encoding="utf-8")
    assert pack_files(tmp_path) == pack_files([inner / "demo.yml"]) == [inner / "demo.yml"]
    assert [pack.id for pack in require_packs(tmp_path, Register())] == ["demo"]
    (inner / "more.yml").write_text("pack: other\n", encoding="utf-8")
    with pytest.raises(ContentError, match="more.yml:1:1: error RL102.* and 4 more") as caught:
        require_packs(tmp_path, Register())
    assert len(caught.value.faults) == 5
    packs, faults = load_packs([inner], Register())
    assert [pack.id for pack in packs] == ["demo"] and len(faults) == 5
    with pytest.raises(InputError):
        pack_files(tmp_path / "none")


def test_shipped_packs_have_no_faults() -> None:
    packs, faults = load_packs()
    assert packs and [str(fault) for fault in faults if fault.severity == "error"] == []


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_pack_gives_faults_not_crashes(data: st.DataObject) -> None:
    text = PACK
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        piece = data.draw(
            st.sampled_from(
                ["", "x", " ", "\n", "  - ", ": ", "{", "}", "[", '"', "'", "1e9", "退"]
            )
            | st.text(max_size=3)
        )
        text = text[:start] + piece + text[end:]
    _, faults = load_text(text, "f", Register())
    assert all(fault.code in CODES and fault.mark.line >= 1 for fault in faults)


_KEYS = st.sampled_from(
    """pack version jurisdiction title instruments params rules not_decided id on per by where let
    when alert cite obligation in_force status period again deadline detect tests basis value
    values en zh kind severity due within closed_by start detector name events expect from until
    """.split()
)
_LEAVES = st.sampled_from(
    [
        "x",
        "1",
        "transaction",
        "CNY 5",
        'param("x")',
        "2026-01-01",
        "law",
        "none",
        "~",
        "count(over=day)",
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        _LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
            | st.dictionaries(_KEYS, inner, max_size=5).map(
                lambda found: "{" + ", ".join(f"{k}: {v}" for k, v in found.items()) + "}"
            )
        ),
        max_leaves=25,
    )
)
def test_any_shape_gives_faults_not_crashes(text: str) -> None:
    load_text(text, "f", Register())
    load_text(f"rules: [{text}]\nparams: {text}\ninstruments: {text}", "f", Register())


def test_the_register_is_read_by_default() -> None:
    _, faults = load_text(PACK, "demo.yml")
    assert {fault.code for fault in faults} == {"RL307"}
    assert load_register().obligations["CN-LVTR-0501"].strongest == "verified"
    assert isinstance(Logic("and", ()), Logic) and Fraction(1, 2) == Fraction("0.5")
