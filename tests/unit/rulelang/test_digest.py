"""Digests follow the meaning of a pack, not its layout; the lock follows the digests."""

from __future__ import annotations

import json

import pytest

from regtech.content.format import format_text
from regtech.errors import ContentError
from regtech.rulelang.digest import canonical, pack_digest, rule_digest
from regtech.rulelang.ir import Pack
from regtech.rulelang.lock import check_lock, lock_text, make_lock, read_lock
from regtech.rulelang.packs import load_text, with_digests
from regtech.rulelang.register import Register

PACK = """\
pack: demo
version: 1.0.0
jurisdiction: CN
title: {en: Demo, zh: 演示}
instruments:
  act: {title: {en: The Act, zh: 法}, in_force: {from: 2020-01-01}}
  code: {title: {en: The Code, zh: 典}}
params:
  limit: {value: CNY 50000, basis: law}
  other: {value: CNY 10, basis: law}
rules:
  - id: first
    title: {en: First, zh: 第一}
    cite: {instrument: act, article: "5", confidence: verified}
    obligation: XX
    on: transaction
    per: customer
    where: is_cash
    when: amount_in("CNY") >= param("limit")
    alert: {kind: report, severity: low}
    tests:
      - {name: a, events: [{time: "2026-03-02T09:00:00Z"}], expect: {alert: {subject: C1}}}
      - {name: b, events: [{time: "2026-03-02T09:00:00Z"}], expect: none}
  - id: second
    title: {en: Second, zh: 第二}
    cite: {instrument: code, article: "5", confidence: verified}
    obligation: XX
    on: transaction
    per: customer
    when: amount_in("CNY") >= param("other")
    alert: {kind: report, severity: low}
    tests:
      - {name: a, events: [{time: "2026-03-02T09:00:00Z"}], expect: {alert: {subject: C1}}}
      - {name: b, events: [{time: "2026-03-02T09:00:00Z"}], expect: none}
"""


def read(text: str) -> Pack:
    pack, faults = load_text(text, "f", Register())
    assert pack is not None and faults == []
    return pack


SAME = [
    ("comment", lambda text: "# note\n" + text.replace("per: customer", "per: customer  # why")),
    (
        "layout",
        lambda text: format_text(text.replace("{en: Demo, zh: 演示}", "{en:   Demo,zh: 演示}")),
    ),
    ("figure", lambda text: text.replace("CNY 50000", '"CNY 50,000.00"')),
    ("spaces", lambda text: text.replace('amount_in("CNY") >=', "amount_in( 'CNY' )  >=")),
    (
        "key order",
        lambda text: text.replace("{kind: report, severity: low}", "{severity: low, kind: report}"),
    ),
    ("test", lambda text: text.replace("name: b, ", "name: c, ")),
]

CHANGES = [
    # what changes, from, to, the rules whose digests change
    ("figure", "CNY 50000", "CNY 50001", {"first"}),
    ("basis", "50000, basis: law", "50000, basis: default", {"first"}),
    ("instrument", "from: 2020-01-01", "from: 2020-01-02", {"first"}),
    ("comparator", '>= param("limit")', '> param("limit")', {"first"}),
    ("filter", "where: is_cash", "where: not is_cash", {"first"}),
    ("title", "en: Second", "en: Other", {"second"}),
    ("field", "    where: is_cash\n", "    where: attempted\n", {"first"}),
    ("jurisdiction", "jurisdiction: CN", "jurisdiction: HK", {"first", "second"}),
    ("title of the pack", "en: Demo", "en: Other", set()),
    ("version", "version: 1.0.0", "version: 1.0.1", set()),
]


@pytest.mark.parametrize(("name", "change"), SAME, ids=[name for name, _ in SAME])
def test_layout_has_no_digest(name: str, change: object) -> None:
    assert callable(change)
    changed = change(PACK)
    assert changed != PACK
    one, two = read(PACK), read(changed)
    assert one.digest == two.digest
    assert [rule.digest for rule in one.rules] == [rule.digest for rule in two.rules]


@pytest.mark.parametrize(("name", "old", "new", "rules"), CHANGES, ids=[c[0] for c in CHANGES])
def test_meaning_has_a_digest(name: str, old: str, new: str, rules: set[str]) -> None:
    one = read(PACK)
    two, _ = load_text(PACK.replace(old, new, 1), "f", Register())
    assert two is not None
    assert one.digest != two.digest
    digests = {rule.id: rule.digest for rule in one.rules}
    assert {rule.id for rule in two.rules if rule.digest != digests[rule.id]} == rules


def test_digests_do_not_depend_on_the_file() -> None:
    pack, _ = load_text(PACK, "elsewhere.yml", Register())
    assert pack is not None and pack.digest == read(PACK).digest
    assert len(pack.digest) == 64 and int(pack.digest, 16)
    assert with_digests(pack) == pack
    assert rule_digest(pack.rules[0], pack) == pack.rules[0].digest
    assert pack_digest(pack) == pack.digest


def test_the_digest_of_this_pack_stays_what_it_is() -> None:
    # Alerts and locks carry digests: a change here makes every stored one look like another rule.
    assert read(PACK).digest == GOLDEN


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical(0.1)


def test_the_lock_keeps_the_version_of_unchanged_rules() -> None:
    lock = make_lock([read(PACK)])
    assert read_lock(lock_text(lock)) == lock
    later = PACK.replace("1.0.0", "1.1.0").replace("CNY 50000", "CNY 50001")
    rules = make_lock([read(later)], lock)["packs"]["demo"]["rules"]
    assert {name: entry["version"] for name, entry in rules.items()} == {
        "first": "1.1.0",
        "second": "1.0.0",
    }


def test_new_and_gone_rules_need_a_new_version() -> None:
    lock = make_lock([read(PACK)])
    head, second = PACK.split("  - id: second")
    renamed = head + "  - id: third" + second
    codes = [(fault.code, fault.message) for fault in check_lock([read(renamed)], lock)]
    assert codes == [
        ("RL701", "the rule 'second' is gone"),
        ("RL701", "the rule 'third' is new"),
    ]
    titled = read(PACK.replace("en: Demo", "en: Other"))
    assert [fault.code for fault in check_lock([titled], lock)] == ["RL701"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "{",
        json.dumps({"format": 2, "packs": {}}),
        '{"format": 1, "packs": {"a": 1}}',
    ],
)
def test_a_damaged_lock_is_refused(text: str) -> None:
    with pytest.raises(ContentError):
        read_lock(text)


GOLDEN = "dc066832294c1b14f9f5888f678e4eda3eaba39b80375de030f71c52ecdef2bd"
