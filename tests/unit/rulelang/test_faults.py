"""Every fault code, with the exact place it is found at.

Each case is a change to ``PACK``: ``§`` stands right before each character at which the fault must
be shown, and is taken out before the pack is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from regtech.content.faults import Fault, did_you_mean
from regtech.content.yamlmarks import DEPTH_MAX, SIZE_MAX
from regtech.rulelang.faults import CODES
from regtech.rulelang.lock import check_lock, make_lock
from regtech.rulelang.packs import load_packs, load_text
from regtech.rulelang.register import Obligation, Register
from regtech.rulelang.scope import Names
from tests.support.pages import reference_page

REGISTER = Register(
    {
        name: Obligation(name, "Act 1", "2020-01-01", weakest, strongest, "a test")
        for name, weakest, strongest in (
            ("XX-ONE", "verified", "verified"),
            ("XX-TWO", "verified_secondary", "verified_secondary"),
            ("HK-ONE", "verified", "verified"),
        )
    },
    frozenset({"CN", "HK"}),
    Names(
        currencies=frozenset({"CNY", "USD", "EUR", "GBP"}),
        sets=frozenset({"eea"}),
        lists=frozenset({"un", "ofac"}),
    ),
)

PACK = """\
pack: demo
version: 1.0.0
jurisdiction: CN
title: {en: Demo, zh: 演示}
instruments:
  act:
    title: {en: The Act, zh: 法}
    in_force: {from: 2020-01-01}
params:
  limit: {value: CNY 50000, basis: law}
rules:
  - id: first
    title: {en: First, zh: 第一}
    cite: {instrument: act, article: "5", confidence: verified}
    obligation: XX-ONE
    on: transaction
    per: customer
    where: is_cash
    let:
      total: sum(amount_in("CNY"), over=day)
    when: total >= param("limit")
    alert: {kind: report, severity: low}
    tests:
      - name: met
        events:
          - {time: "2026-03-02T09:00:00Z", payee: {id: C1}, channel: cash, amount: "50000"}
        expect: {alert: {subject: C1, total: 50000}}
      - name: near
        events:
          - {time: "2026-03-02T09:00:00Z", payee: {id: C1}, channel: cash, amount: "49999"}
        expect: none
"""

SECOND = """\
  - id: second
    title: {en: Second, zh: 第二}
    on: transaction
    per: customer
    when: amount_in("CNY") > param("limit")
    alert: {kind: indicator, severity: low}
    tests:
      - {name: a, events: [{time: "2026-03-02T09:00:00Z"}], expect: {alert: {subject: C1}}}
      - {name: b, events: [{time: "2026-03-02T09:00:00Z"}], expect: none}
"""


@dataclass(frozen=True)
class Case:
    code: str
    old: str
    new: str
    says: str = ""  # part of the message or hint

    def __str__(self) -> str:
        return f"{self.code} {self.new.strip()[:50]}"


def when(code: str, expression: str, says: str = "") -> Case:
    return Case(code, 'when: total >= param("limit")', f"when: {expression}", says)


def second(code: str, old: str, new: str, says: str = "") -> Case:
    changed = SECOND.replace(old, new)
    assert changed != SECOND
    return Case(code, PACK, PACK + changed, says)


LIMIT = "  limit: {value: CNY 50000, basis: law}\n"

CASES = [
    # the file
    Case("RL001", "zh: 演示", "zh: 演§\x00示", "U+0000"),
    Case(
        "RL002", "title: {en: First, zh: 第一}\n", "title: {en: First, zh: 第一\n", "flow mapping"
    ),
    Case("RL003", "value: CNY 50000", "value: §&a CNY 50000", "&a"),
    Case("RL003", "severity: low", "severity: §*b", "*b"),
    Case("RL003", "severity: low", "severity: low, §<<: {report: x}", "merge"),
    Case("RL004", "value: CNY 50000", "value: §!!python/name:os.system x", "python"),
    Case("RL004", "severity: low", "severity: §! low"),
    Case("RL005", "    per: customer\n", "    per: customer\n    §per: account\n", "line 17"),
    Case("RL006", "value: CNY 50000", "value: " + "[" * (DEPTH_MAX - 3) + "§[]", "50"),
    Case("RL007", "pack: demo", "--- \npack: x\n§---\npack: demo"),
    Case("RL008", "severity: low", "severity: low, §1: x", "quote"),
    Case("RL008", "severity: low", "severity: low, §[a]: x"),
    # the document
    Case("RL101", "    per: customer", "    §pre: x\n    per: customer", "did you mean 'per'?"),
    Case("RL101", "zh: 第一}", "zh: 第一, §of two}", "comma"),
    Case("RL102", "  - id: first\n    title", "  - §title", "'id'"),
    Case("RL102", '    when: total >= param("limit")\n', "", "deadline"),
    Case("RL103", "per: customer", "per: §{a: b}", "list"),
    Case("RL103", 'when: total >= param("limit")', "when: §[total]", "quote"),
    Case("RL104", "kind: report", "kind: §reprot", "did you mean 'report'?"),
    Case("RL104", "on: transaction", "on: §transactoin", "did you mean 'transaction'?"),
    Case("RL105", "{from: 2020-01-01}", "{from: §2020-02-30}"),
    Case("RL105", "{from: 2020-01-01}", "{from: 2020-01-01, until: §2019-01-01}", "ends"),
    Case("RL106", "version: 1.0.0", "version: §1.0"),
    Case("RL106", "id: first", "id: §First_Rule"),
    Case("RL107", "value: CNY 50000", "value: §50000 CNY", "currency first"),
    Case("RL107", "severity: low", "severity: low, due: §5", "working days"),
    Case("RL108", "title: {en: First, zh: 第一}", "title: §{en: First}", "'zh'"),
    Case("RL108", "title: {en: First, zh: 第一}", "title: §First"),
    Case(
        "RL109", LIMIT, LIMIT + "  n: {value: §3 persns, basis: law}\n", "did you mean 'persons'?"
    ),
    when("RL109", 'total >= param("limit") and since_last() > §7days', "7days"),
    second("RL110", "id: second", "id: §first", "already"),
    Case("RL111", "{value: CNY 50000, basis: law}", "{basis: law}", "either"),
    Case("RL111", "severity: low", "severity: low, §due_from: time", "needs due"),
    # expressions
    when("RL201", 'total >= §≥ param("limit")', "unexpected"),
    when("RL201", 'total >= param("limit"§，)', "use ,"),
    when("RL201", 'total §=> param("limit")', "use >="),
    when("RL201", 'total §= param("limit")', "written =="),
    when("RL201", 'total >= CNY §50000 or total > param("limit")', "under params"),
    when("RL201", 'total > param("limit") or count(over=7d) > 3 §events', "under params"),
    when("RL202", "(§payer[0]) == total", "index"),
    when("RL202", "total == §None", "missing"),
    when("RL202", "§total is total", "use =="),
    when("RL203", 'total >= param("limit") and §chanel == "cash"', "did you mean 'channel'?"),
    when("RL203", 'total >= param("limit") and payer.kind == §person', '"person"'),
    when("RL204", 'total >= param("limit") and §dayssince(time) > 5', "did you mean 'days_since'?"),
    when("RL205", 'total >= param("limit") and §missing()', "missing(field)"),
    when("RL205", "total >= param(§limit)", '"limit"'),
    when("RL206", "total >= §3", "CNY money and a number"),
    when("RL206", '§channel < "cash"', "no order"),
    when("RL206", "§total", "a condition is expected"),
    when(
        "RL207", "distinct(payer.id, over=day) > 3 and count(over=day) > §layers(payer)", "layers"
    ),
    when("RL208", 'total >= §amount_in("USD")', "CNY money and USD money"),
    when("RL208", 'amount > §param("limit")', 'amount_in("CNY")'),
    when("RL208", 'sum(§amount, over=day) > param("limit")', "differ"),
    when("RL209", 'amount_in(§"CYN") > param("limit")', "did you mean 'CNY'?"),
    Case("RL209", "value: CNY 50000", "value: §CYN 50000", "did you mean 'CNY'?"),
    when("RL210", 'payer.country in set(§"eae")', "did you mean 'eea'?"),
    when("RL210", 'screened(payer, §"ofca")', "did you mean 'ofac'?"),
    when("RL211", "§count() > 3", "over=day"),
    when("RL212", 'outstanding(amount_in("CNY"), item=[channel], over=§day) > param("limit")'),
    when("RL213", "count(over=§dya) > 3", "did you mean 'day'?"),
    when("RL213", 'count(over=§param("limit")) > 3', "length"),
    Case("RL214", "where: is_cash", "where: §count(over=day) > 3", "where"),
    when("RL214", "count(over=day, where=§count(over=day) > 1) > 3", "inside count"),
    when("RL215", "§borrower.id == payer.id", "loan"),
    when("RL216", 'channel == §"wier"', "did you mean 'wire'?"),
    when("RL216", 'has(payer.flags, §"cioo")', "did you mean 'ciio'?"),
    Case("RL217", "per: customer", "per: §borrower", "loan"),
    # names
    when("RL301", 'total >= param(§"limt")', "did you mean 'limit'?"),
    Case("RL302", LIMIT, LIMIT + "  §spare: {value: 5, basis: law}\n", "'spare'"),
    Case("RL303", "      total:", "      §other: count(over=day)\n      total:", "'other'"),
    Case(
        "RL304",
        '      total: sum(amount_in("CNY"), over=day)\n',
        '      total: §later\n      later: sum(amount_in("CNY"), over=day)\n',
        "before",
    ),
    Case("RL304", "      total:", "      §purpose: count(over=day)\n      total:", "field"),
    Case("RL305", "instrument: act", "instrument: §atc", "did you mean 'act'?"),
    Case("RL306", "params:\n", "  §idle:\n    title: {en: I, zh: 一}\nparams:\n", "never cited"),
    Case("RL307", "obligation: XX-ONE", "obligation: §XX-OEN", "did you mean"),
    Case("RL307", "params:\n", "not_decided:\n  §XX-NONE: {en: a, zh: 甲}\nparams:\n", "unknown"),
    Case("RL307", "obligation: XX-ONE", "obligation: §HK-ONE", "the pack is of CN"),
    Case("RL308", "jurisdiction: CN", "jurisdiction: §CX"),
    second("RL309", "    when:", "    yields_to: §frist\n    when:", "did you mean 'first'?"),
    second(
        "RL309", "    when:", "    by: direction\n    yields_to: §first\n    when:", "on, per or by"
    ),
    # law
    Case(
        "RL401",
        '{instrument: act, article: "5", confidence: verified}',
        '§{instrument: act, article: "5"}',
        "from_memory",
    ),
    Case("RL402", "basis: law}", "basis: default, §confidence: verified}", "default"),
    Case("RL402", "basis: law}", "basis: default, §cite: Art 5}", "default"),
    Case(
        "RL403",
        PACK,
        PACK.replace("basis: law}", "basis: default}").replace("cite: {", "cite: §{"),
        "limit",
    ),
    Case(
        "RL404",
        PACK,
        PACK.replace("confidence: verified}", "confidence: from_memory_medium}").replace(
            "cite: {", "cite: §{"
        ),
        "advisory",
    ),
    Case(
        "RL404",
        PACK,
        PACK.replace("basis: law}", "basis: law, confidence: from_memory_medium}").replace(
            "id: first", "id: §first"
        ),
        "'limit'",
    ),
    Case(
        "RL405",
        "{value: CNY 50000, basis: law}",
        "{basis: law, values: [{until: 2026-06-29, value: CNY 5}, "
        "§{from: 2026-06-29, value: CNY 6}]}",
    ),
    Case(
        "RL406",
        "{value: CNY 50000, basis: law}",
        "{basis: law, values: [{until: 2026-06-29, value: CNY 5}, "
        "§{from: 2026-07-01, value: CNY 6}]}",
        "2026-06-30",
    ),
    Case(
        "RL407",
        PACK,
        PACK.replace("params:\n", "not_decided:\n  XX-ONE: {en: a, zh: 甲}\nparams:\n").replace(
            "id: first", "id: §first"
        ),
        "XX-ONE",
    ),
    Case(
        "RL408",
        PACK,
        PACK.replace("XX-ONE", "XX-TWO").replace("confidence: v", "confidence: §v"),
        "verified_secondary",
    ),
    Case(
        "RL409", PACK, PACK.replace("    obligation: XX-ONE\n", "").replace("cite: {", "cite: §{")
    ),
    Case(
        "RL410",
        PACK,
        PACK.replace('    cite: {instrument: act, article: "5", confidence: verified}\n', "")
        .replace("    obligation: XX-ONE\n", "")
        .replace("instruments:\n  act:\n    title: {en: The Act, zh: 法}\n", "")
        .replace("    in_force: {from: 2020-01-01}\n", "")
        .replace("limit: {", "§limit: {"),
        "basis: default",
    ),
    Case(
        "RL410",
        PACK,
        PACK + SECOND.replace("id: second", "id: §second").replace("low}", "low, due: 3 days}"),
        "due_basis: default",
    ),
    # logic
    when("RL501", '§total >= param("limit") and total < param("limit")', "never"),
    when("RL501", '§count(over=day) < 0 and total >= param("limit")', "never"),
    when("RL501", '§channel == "wire" and total >= param("limit")', "never"),
    Case(
        "RL501",
        PACK,
        PACK.replace("    on: t", "    in_force: §{until: 2019-12-31}\n    on: t"),
        "never in force",
    ),
    Case(
        "RL502",
        PACK,
        PACK + PACK[PACK.index("  - id: first") :].replace("id: first", "id: §other"),
        "first",
    ),
    Case(
        "RL503",
        PACK,
        PACK
        + PACK[PACK.index("  - id: first") :]
        .replace("id: first", "id: §other")
        .replace("severity: low", "severity: high"),
        "another consequence",
    ),
    when("RL504", '§total >= param("limit") or total < param("limit")', "always"),
    # tests
    Case("RL601", "expect: {alert: {subject: C1, total: 50000}}", "expect: none"),
    Case("RL602", PACK[PACK.index("      - name: near") :], ""),
    Case("RL603", "expect: {alert: {subject: C1, total: 50000}}", "expect: {alert: §{}}", "any"),
    Case(
        "RL603",
        PACK,
        PACK.replace(
            '- {time: "2026-03-02T09:00:00Z", payee: {id: C1}, channel: cash, amount: "49999"}',
            '§- {type: loan, time: "2026-03-02T09:00:00Z"}',
        ),
        "reaches",
    ),
    Case("RL604", "name: near", "name: §met", "line 24"),
    Case("RL605", 'channel: cash, amount: "49999"', '§chanel: cash, amount: "49999"', "channel"),
    Case("RL605", 'channel: cash, amount: "49999"', 'channel: §cahs, amount: "49999"', "cash"),
    Case("RL605", 'payee: {id: C1}, channel: cash, amount: "49999"', "payee: §C1", "object"),
    Case(
        "RL605",
        '"2026-03-02T09:00:00Z", payee: {id: C1}, channel: cash, amount: "49999"',
        '§"2026-03-02T09:00:00", payee: {id: C1}, channel: cash, amount: "49999"',
        "offset",
    ),
    Case(
        "RL605",
        '"2026-03-02T09:00:00Z", payee: {id: C1}, channel: cash, amount: "49999"',
        '§"2026-02-30T09:00:00Z", payee: {id: C1}, channel: cash, amount: "49999"',
        "cannot be",
    ),
    Case("RL605", 'amount: "49999"', 'amount: §"CNY 49999"', "a plain number"),
    Case("RL606", "total: 50000}", "§totl: 50000}", "did you mean 'total'?"),
]


def places(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without ``§``, and line and column of what each stood before."""
    found: list[tuple[int, int]] = []
    lines = marked.split("\n")
    for number, line in enumerate(lines, start=1):
        while "§" in line:
            column = line.index("§")
            found.append((number, column + 1))
            line = line.replace("§", "", 1)
        lines[number - 1] = line
    return "\n".join(lines), found


def read(text: str) -> list[Fault]:
    return load_text(text, "demo.yml", REGISTER)[1]


def test_the_pack_itself_is_faultless() -> None:
    pack, faults = load_text(PACK, "demo.yml", REGISTER)
    assert faults == []
    assert pack is not None and [rule.id for rule in pack.rules] == ["first"]
    assert read(PACK + SECOND) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fault_is_found_at_its_place(case: Case) -> None:
    assert case.old in PACK
    text, marks = places(PACK.replace(case.old, case.new, 1))
    faults = [fault for fault in read(text) if fault.code == case.code]
    assert faults, [str(fault) for fault in read(text)]
    if marks:
        assert [(fault.mark.line, fault.mark.column) for fault in faults] == marks
    assert any(case.says in f"{fault.message} {fault.hint}" for fault in faults), faults
    assert {fault.mark.file for fault in faults} == {"demo.yml"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_mistake_gives_one_fault(case: Case) -> None:
    # "Never used" may follow from a condition that was replaced, and a figure that pretends to be
    # law is a default all the same. What is not YAML as allowed is read as well as it can be.
    text, _ = places(PACK.replace(case.old, case.new, 1))
    follows = {case.code, "RL302", "RL303", "RL403"}
    other = [fault for fault in read(text) if fault.code not in follows]
    assert case.code.startswith("RL00") or other == []


def test_all_faults_of_all_places_come_at_once() -> None:
    text = (
        PACK.replace("jurisdiction: CN", "jurisdiction: CX")
        .replace("value: CNY 50000", "value: CYN 50000")
        .replace("where: is_cash", "where: is_cahs and amont > 5 and fo()")
        .replace("severity: low", "severity: lwo")
        .replace("name: near", "name: met")
    )
    assert [fault.code for fault in read(text)] == [
        "RL308",
        "RL209",
        "RL203",
        "RL203",
        "RL204",
        "RL104",
        "RL604",
    ]


def test_a_measure_of_a_let_that_has_a_fault_itself() -> None:
    text = PACK.replace("over=day)\n", "over=dya)\n      mean_of_it: mean(total, over=month)\n")
    assert [fault.code for fault in read(text)][0] == "RL213"


def test_a_file_that_is_not_text_or_named_otherwise(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text(PACK, encoding="utf-8")
    (tmp_path / "bytes.yml").write_bytes(b"pack: \xff\xfe")
    (tmp_path / "large.yml").write_text("#" * (SIZE_MAX + 1), encoding="utf-8")
    (tmp_path / "empty.yml").write_text("", encoding="utf-8")
    packs, faults = load_packs(tmp_path, REGISTER)
    assert [(Path(fault.mark.file).name, fault.code) for fault in faults] == [
        ("bytes.yml", "RL001"),
        ("empty.yml", "RL102"),
        ("large.yml", "RL001"),
        ("other.yml", "RL106"),
    ]
    assert (faults[-1].mark.line, faults[-1].mark.column) == (1, 7)


def test_faults_of_the_lock() -> None:
    pack, _ = load_text(PACK, "demo.yml", REGISTER)
    changed, _ = load_text(PACK.replace("CNY 50000", "CNY 50001"), "demo.yml", REGISTER)
    older, _ = load_text(PACK.replace("1.0.0", "0.9.0"), "demo.yml", REGISTER)
    newer, _ = load_text(PACK.replace("1.0.0", "1.0.1"), "demo.yml", REGISTER)
    assert pack and changed and older and newer
    lock = make_lock([pack])
    assert check_lock([pack], lock) == []
    (fault,) = check_lock([changed], lock)
    assert (fault.code, fault.mark.line, fault.mark.column) == ("RL701", 12, 9)
    (fault,) = check_lock([older], lock)
    assert (fault.code, fault.mark.line, fault.mark.column) == ("RL702", 1, 7)
    assert [fault.code for fault in check_lock([newer], lock)] == ["RL703"]
    assert [fault.code for fault in check_lock([], lock)] == ["RL703"]
    assert [fault.code for fault in check_lock([pack], {"packs": {}})] == ["RL703"]


def test_every_code_has_a_case() -> None:
    elsewhere = {"RL701", "RL702", "RL703"}
    assert {case.code for case in CASES} | elsewhere == set(CODES)


def test_the_page_of_faults_is_the_table() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in reference_page("faults.md").splitlines()
        if line.startswith("| RL")
    ]
    assert [row[:3] for row in rows] == [
        [code, entry.severity, entry.meaning] for code, entry in CODES.items()
    ]
    assert all(len(row) == 4 and row[3] for row in rows), "every code says what to do"


def test_did_you_mean_names_near_words_only() -> None:
    assert did_you_mean("chanel", ["channel", "amount"]) == "did you mean 'channel'?"
    assert did_you_mean("CASH", ["cash"]) == "did you mean 'cash'?"
    assert did_you_mean("zzz", ["channel", "amount"]) == ""
