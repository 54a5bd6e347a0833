"""What people read: rules in words, what comes into force, coverage, the scaffold, the schema."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from regtech.content import content_root
from regtech.content.faults import Mark
from regtech.errors import UsageError
from regtech.model.fields import (
    CHANNELS,
    DATA_CATEGORIES,
    DATA_SENSITIVITY,
    EVENT_TYPES,
    PARTY_FLAGS,
    PARTY_KINDS,
)
from regtech.rulelang import vocabulary
from regtech.rulelang.consequences import ALERT_KINDS, SEVERITIES
from regtech.rulelang.coverage import coverage, coverage_page, missing
from regtech.rulelang.expressions import Reader
from regtech.rulelang.faults import Faults
from regtech.rulelang.fieldviews import names_of
from regtech.rulelang.ir import Duration, Pack, Span, Type
from regtech.rulelang.new import new_pack, new_rule
from regtech.rulelang.packs import load_packs, load_text
from regtech.rulelang.register import Obligation, Register, load_register
from regtech.rulelang.rules import RULE_KEYS, STATUSES, fields_used
from regtech.rulelang.schema import pack_schema
from regtech.rulelang.scope import Names, Scope
from regtech.rulelang.show import show, span_words
from regtech.rulelang.upcoming import upcoming
from regtech.rulelang.wording import duration_words, field_words, words

PACK = """\
pack: demo
version: 1.0.0
jurisdiction: UK
title: {en: Demo, zh: 演示}
instruments:
  old: {title: {en: Old Act, zh: 旧法}, in_force: {from: 2017-06-26, until: 2026-12-31}}
params:
  limit:
    basis: law
    values:
      - {until: 2026-06-29, value: EUR 15000}
      - {from: 2026-06-30, until: 2027-12-31, value: GBP 12000}
      - {from: 2028-01-01, until: 2028-12-31, value: GBP 9000}
  lookback: {value: 30 days, basis: default}
rules:
  - id: uk-linked
    title: {en: Linked operations, zh: 关联交易}
    cite: {instrument: old, article: "27", confidence: from_memory}
    obligation: [UK-ONE]
    in_force: {until: 2026-11-30}
    on: transaction
    per: customer
    by: direction
    where: given(occasional, false) and channel in ("cash", "wire")
    let:
      total: sum(amount_in(param("limit")), over=param("lookback"))
    when: total >= param("limit") and not missing(payer.name)
    alert: {kind: report, severity: high, report: X, due: 5 working days, due_basis: default}
    misses: {en: Other customers., zh: 其他客户。}
    tests:
      - {name: a, events: [{time: "2026-03-02T09:00:00Z"}], expect: {alert: {subject: C1}}}
      - {name: b, events: [{time: "2026-03-02T09:00:00Z"}], expect: none}
not_decided:
  UK-TWO: {en: Not an event., zh: 不涉及事件。}
"""


@pytest.fixture(scope="module")
def pack() -> Pack:
    found, faults = load_text(PACK, "demo.yml", Register())
    assert faults == [] and found is not None
    return found


class Line:
    def __init__(self, text: str) -> None:
        self.text = text

    def mark(self, offset: int) -> Mark:
        return Mark("e", 1, offset + 1)


WORDS: list[tuple[str, str, str, str]] = [
    (
        "is_cash",
        "transaction",
        "channel is cash",
        "渠道为现金",
    ),
    (
        "is_cross_border",
        "transaction",
        "the two sides are in different countries",
        "双方（机构或当事人）不在同一国家或地区",
    ),
    (
        'exempt("a", "b")',
        "transaction",
        "an exemption is claimed (a or b) and the reporter does not suspect it",
        "适用豁免（a、b）且报告机构未怀疑",
    ),
    (
        "missing(payer.name)",
        "transaction",
        "the payer's name is missing",
        "缺少付款方的名称",
    ),
    (
        "given(suspicion, false)",
        "transaction",
        "the reporter suspects it",
        "报告机构怀疑",
    ),
    (
        "count(over=7d) > 3",
        "transaction",
        "the number of transactions within the last 7 days exceeds 3",
        "最近7天内交易笔数超过3",
    ),
    (
        'sum(amount_in("CNY"), over=day, where=is_cash) >= amount_in("CNY") * 2',
        "transaction",
        "the sum of the amount in CNY within the calendar day, counting only where channe"
        "l is cash is at least the amount in CNY × 2",
        "同一自然日内以CNY计的金额合计（仅计渠道为现金）不低于以CNY计的金额 × 2",
    ),
    (
        '"ciio" not in exporter.flags',
        "data_transfer",
        "the exporter's profile does not include ciio",
        "数据提供方的特征不包括关键信息基础设施运营者",
    ),
    (
        'purpose not in ("a", "b")',
        "loan",
        "purpose is neither a nor b",
        "用途不是a、b之一",
    ),
    (
        'destination in set("eea")',
        "data_transfer",
        "destination is in the set eea",
        "目的地在名录“eea”中",
    ),
    (
        "days_until(tool_expires) < 30",
        "data_transfer",
        "the days until last day of the tool is below 30",
        "距工具到期日的天数低于30",
    ),
    (
        "attempted == false",
        "transaction",
        "not (it was attempted only)",
        "并非（未遂）",
    ),
    (
        "aware < classified",
        "incident",
        "time of awareness is before time of classification",
        "知悉时间早于定级时间",
    ),
    (
        'amount_in("CNY") > least(amount_in("CNY", fees), figure("net_capital", of=lender'
        ', currency="CNY", at="quarter_end"))',
        "loan",
        "the amount in CNY exceeds the lower of the fees in CNY and the lender's net capi"
        "tal at the last quarter's end",
        "以CNY计的金额超过（以CNY计的费用、贷款人上季末的net_capital中的较低者）",
    ),
    (
        "distinct(persons, over=year) > 3",
        "data_transfer",
        "the number of different persons concerned within the calendar year exceeds 3",
        "同一自然年内不同所涉个人的数量超过3",
    ),
    (
        "(is_cash or attempted) and working_day()",
        "transaction",
        "(channel is cash or it was attempted only) and it is a working day",
        "（渠道为现金，或未遂），且当日为工作日",
    ),
]


@pytest.mark.parametrize(("text", "on", "en", "zh"), WORDS, ids=[w[0][:40] for w in WORDS])
def test_expressions_in_words(text: str, on: str, en: str, zh: str) -> None:
    faults = Faults()
    scope = Scope((on,), ("event",), {}, Names(), faults)
    expr = Reader(Line(text), scope).read()
    assert list(faults) == [] and expr is not None
    assert words(expr) == en
    assert words(expr, "zh") == zh


def test_figures_and_lets_in_words(pack: Pack) -> None:
    rule = pack.rules[0]
    assert rule.when is not None
    assert words(rule.when).startswith('"total" is at least the figure "limit"')
    assert words(rule.lets["total"], "en", pack.params) == (
        'the sum of the amount in the figure "limit" within the last 30 days'
        " (a default of the product)"
    )
    whole = words(rule.when, "zh", pack.params, rule.lets)
    assert whole.startswith(
        "最近30天（产品默认值）内以规定数值“limit”计的金额合计不低于规定数值“limit”"
    )
    assert duration_words(Duration(5, "working_days"), "zh") == "5个工作日"


def test_every_field_and_word_of_the_catalogue_has_a_name() -> None:
    unnamed = []
    for event_type in EVENT_TYPES:
        for path in names_of(event_type):
            party, _, leaf = path.partition(".")
            known = path in vocabulary.FIELDS or (
                party in vocabulary.PARTIES and leaf in vocabulary.FIELDS
            )
            if not known:
                unnamed.append(path)
    assert unnamed == []
    codes = (*PARTY_FLAGS, *DATA_CATEGORIES, *DATA_SENSITIVITY, *PARTY_KINDS, *CHANNELS)
    assert [code for code in codes if code not in vocabulary.COMMON_WORDS] == []
    assert set(vocabulary.TYPES) == set(EVENT_TYPES)
    assert set(vocabulary.KINDS) == set(ALERT_KINDS)
    assert set(vocabulary.SEVERITIES) == set(SEVERITIES)
    assert set(vocabulary.STATUSES) == set(STATUSES)
    assert field_words("payer.country", "zh") == "付款方的国家或地区"


def test_the_page_of_a_rule(pack: Pack) -> None:
    page = show(pack.rules[0], pack)
    for part in (
        "# Linked operations\n",
        "Old Act, article 27",
        "from memory; the text has not been seen",
        "UK-ONE",
        "from 2017-06-26 until 2026-11-30",
        "each customer of an institution, on transactions, by direction",
        "it is outside a business relationship and channel is cash or wire",
        "| limit | EUR 15,000 | until 2026-06-29 | stands in the cited text |",
        "| limit | GBP 12,000 | from 2026-06-30 until 2027-12-31 | stands in the cited text |",
        "| lookback | 30 days | at all times | a default of the product, not law |",
        "A report is due; severity high; report X; due within 5 working days (a default of the",
        "never *not met*",
        "Other customers.",
    ):
        assert part in page
    page = show(pack.rules[0], pack, "zh")
    for part in (
        "# 关联交易\n",
        "旧法，条款 27",
        "产品默认值，并非法律规定",
        "5个工作日",
        "其他客户。",
    ):
        assert part in page


def test_every_shipped_rule_has_a_page_in_both_languages() -> None:
    packs, _ = load_packs()
    assert packs
    for shipped in packs:
        for rule in shipped.rules:
            for language in ("en", "zh"):
                page = show(rule, shipped, language)
                assert rule.title[language] in page
                assert not re.search(r"\b(Fraction|Duration|Money|Type|Const)\(|\{0\}", page)


def test_spans_in_words() -> None:
    day = date(2026, 1, 1)
    assert [span_words(span) for span in (Span(), Span(day), Span(None, day), Span(day, day))] == [
        "at all times",
        "from 2026-01-01",
        "until 2026-01-01",
        "from 2026-01-01 until 2026-01-01",
    ]


def test_what_comes_into_force_or_lapses(pack: Pack) -> None:
    found = [
        (str(item.day), item.change, item.level, item.name, item.old, item.new)
        for item in upcoming([pack], date(2026, 6, 30))
    ]
    assert found == [
        ("2026-06-30", "changes", "param", "limit", "EUR 15,000", "GBP 12,000"),
        ("2026-12-01", "lapses", "rule", "uk-linked", "", ""),
        ("2027-01-01", "lapses", "instrument", "old", "", ""),
        ("2028-01-01", "changes", "param", "limit", "GBP 12,000", "GBP 9,000"),
        ("2029-01-01", "lapses", "param", "limit", "GBP 9,000", ""),
    ]
    first = upcoming([pack], date(2026, 6, 30), date(2026, 6, 30))
    assert [item.rules for item in first] == [("uk-linked",)]
    assert first[0].whom == ("customer on transaction",)
    assert json.loads(json.dumps(first[0].as_data()))["day"] == "2026-06-30"
    assert upcoming([pack], date(2029, 1, 2)) == []


def test_coverage_names_what_is_missing(pack: Pack) -> None:
    register = Register(
        {
            name: Obligation(name, f"Act | {name}", "2020", "verified", "verified", "a test")
            for name in ("UK-ONE", "UK-TWO", "EU-THREE")
        }
    )
    covered = coverage([pack], register)
    assert [item.state for item in covered] == ["decided", "not decided", "missing"]
    assert missing(covered) == ["EU-THREE"]
    page = coverage_page(covered)
    assert "| UK-ONE | Act \\| UK-ONE | 2020 | `uk-linked` |" in page
    assert "not decided: Not an event. 不涉及事件。" in page
    assert "**MISSING**" in page
    assert page == coverage_page(coverage([pack], register))
    assert json.loads(json.dumps(covered[0].as_data()))["rules"][0]["pack"] == "demo"


def test_the_register_ships_whole() -> None:
    register = load_register()
    assert len(register.obligations) == 165
    assert "CN" in register.jurisdictions
    assert register.names.currencies and "CNY" in register.names.currencies
    assert register.names.sets and "eea" in register.names.sets
    assert load_register(content_root("rules")) == Register()


def test_a_new_pack_passes_lint_and_has_tests() -> None:
    register = load_register()
    found, faults = load_text(new_pack("xx-new", "CN", currency="CNY"), "n", register)
    assert faults == [] and found is not None
    assert [len(rule.tests) for rule in found.rules] == [2]
    line, rule = new_rule("xx-other", "EUR")
    assert line.strip() == "xx_other_figure: {value: EUR 10000, basis: default}"
    assert "id: xx-other" in rule
    with pytest.raises(UsageError):
        new_pack("Bad Name", "CN")
    with pytest.raises(UsageError):
        new_rule("bad name")


def test_the_schema_names_every_key() -> None:
    schema = pack_schema()
    json.dumps(schema)
    rule = schema["$defs"]["rule"]["properties"]
    assert set(rule) == set(RULE_KEYS)
    assert rule["on"]["anyOf"][0]["enum"] == list(EVENT_TYPES)


def test_fields_that_a_rule_reads(pack: Pack) -> None:
    assert fields_used(pack.rules[0]) == ["occasional", "channel", "amount", "payer.name"]
    assert Type("bool").name == "bool"
