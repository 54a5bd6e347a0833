"""The detectors that ship, inside the engine: any chop, any restart, and decided again."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from regtech.app.detection import shipped_detectors
from regtech.engine.plan import compile_plan
from regtech.reference.load import Reference
from regtech.rulelang.ir import Pack
from regtech.rulelang.packs import load_packs
from regtech.sandbox.explain import explain
from regtech.sandbox.harness import judge_events
from regtech.sandbox.replay import replay
from tests.support.restarts import restarted

PACK = """
pack: intl-network
version: 1.0.0
jurisdiction: INTL
title: {en: Network, zh: 网络}
rules:
  - id: net-cycle
    title: {en: Cycle, zh: 循环}
    on: transaction
    per: party
    detect: {detector: cycle, least: 3, most: 5, tolerance: 40%, within: 5 days}
    alert: {kind: indicator, severity: high}
  - id: net-fan
    title: {en: Fan, zh: 汇集}
    on: transaction
    per: party
    detect: {detector: fan_in, least: 4, concentration: 0%, within: 3 days}
    alert: {kind: indicator, severity: high}
  - id: net-listed
    title: {en: Listed, zh: 名单}
    on: transaction
    per: event
    when: screened(payer, "cn_art40")
    alert: {kind: duty, severity: critical}
  - id: net-chain
    title: {en: Chain, zh: 链}
    on: ownership
    per: [owner, owned]
    detect: {detector: beneficial_owner, comparator: above, threshold: 20%}
    alert: {kind: duty, severity: medium}
  - id: net-partners
    title: {en: Partners, zh: 合作方}
    on: exposure
    per: holder
    detect:
      detector: common_owner
      kind: joint_loan
      figure: net_tier1
      share_min: 20%
      share_below: 25%
      partners_min: 2
      owner_from: 25%
    alert: {kind: indicator, severity: medium}
  - id: net-address
    title: {en: Address, zh: 地址}
    on: transaction
    per: account
    where: channel == "virtual_asset"
    detect: {detector: address_exposure, share: 5%, hops_max: 3}
    alert: {kind: indicator, severity: high}
"""
MIXER = "0x00000000000000000000000000000000000000A1"
LISTED = "Alfa Company Limited for International Trading and Marketing"


def events() -> list[dict[str, Any]]:
    rng = Random(5)
    found: list[dict[str, Any]] = []
    for number in range(420):
        head = {
            "id": f"e{number:03}", "reporter": "R1",
            "time": f"2026-03-{1 + number // 24:02}T{number % 24:02}:00:00Z",
        }  # fmt: skip
        if number % 7 == 0:
            kind = rng.choice(["person", "entity"])
            owner = {"id": f"{kind[0]}{rng.randrange(4)}", "kind": kind}
            found.append(
                head | {"type": "ownership", "interest": "shares", "owner": owner,
                        "share": f"0.{rng.randrange(1, 10)}",
                        "owned": {"id": f"e{rng.randrange(4)}", "kind": "entity"}}
            )  # fmt: skip
            continue
        if number in (1, 2, 3):
            found.append(head | _partner(number))
            continue
        if number % 11 == 5:
            found.append(head | _balance(number, rng))
            continue
        if number % 11 == 7:
            found.append(head | _asset(rng))
            continue
        payer, payee = rng.sample(range(9), 2)
        name = {"name": LISTED} if number % 29 == 0 else {}
        found.append(
            head | {"type": "transaction", "amount": str(rng.randrange(80, 120)),
                    "currency": "EUR", "payer": {"id": f"A{payer}"} | name,
                    "payee": {"id": f"A{payee}"}}
        )  # fmt: skip
    return found


def _partner(number: int) -> dict[str, Any]:
    """Two companies of one person, and one of another."""
    return {
        "type": "ownership", "interest": "shares", "share": "0.6",
        "owner": {"id": f"q{number // 3}", "kind": "person"},
        "owned": {"id": f"c{number}", "kind": "entity"},
    }  # fmt: skip


def _balance(number: int, rng: Random) -> dict[str, Any]:
    if number < 20:
        value = {"name": "net_tier1", "value": "1000", "currency": "CNY"}
        return {"type": "figure", "of": {"id": "L1"}} | value
    return {
        "type": "exposure", "holder": {"id": "L1"}, "kind": "joint_loan", "currency": "CNY",
        "counterparty": {"id": f"c{rng.randrange(1, 4)}"}, "amount": str(rng.randrange(190, 255)),
    }  # fmt: skip


def _asset(rng: Random) -> dict[str, Any]:
    payer, payee = rng.sample([MIXER, "W1", "W2", "W3", "W4", "W5"], 2)
    return {
        "type": "transaction", "channel": "virtual_asset", "amount": str(rng.randrange(1, 50)),
        "currency": "EUR", "payer": {"id": f"V{payer[-2:]}", "account": payer},
        "payee": {"id": f"V{payee[-2:]}", "account": payee},
    }  # fmt: skip


EVENTS = events()
DETECTORS = shipped_detectors(trial=True)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.shipped()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    path = tmp_path_factory.mktemp("rules") / "intl-network.yml"
    path.write_text(PACK, encoding="utf-8")
    return load_packs([path])[0][0]


@pytest.fixture(scope="module")
def whole(pack: Pack, reference: Reference) -> list[bytes]:
    trial = judge_events([pack], EVENTS, reference, detectors=DETECTORS)
    assert not trial.rejects and not trial.engine.summary().waiting
    rules = {alert.rule for alert in trial.alerts}
    assert rules == {
        "net-cycle", "net-fan", "net-listed", "net-chain", "net-partners", "net-address"
    }  # fmt: skip
    ids = [alert.id for alert in trial.alerts]
    assert len(set(ids)) == len(ids) > 40
    return [alert.canonical() for alert in trial.alerts]


@pytest.mark.parametrize("batch", [1, 7, 100])
def test_any_chop_gives_the_same_bytes(
    pack: Pack, reference: Reference, whole: list[bytes], batch: int
) -> None:
    parts = judge_events([pack], EVENTS, reference, detectors=DETECTORS, batch=batch)
    assert [alert.canonical() for alert in parts.alerts] == whole


def test_restarts_change_nothing(pack: Pack, reference: Reference, whole: list[bytes]) -> None:
    alerts = restarted(pack, EVENTS, reference, DETECTORS, every=30)
    assert [alert.canonical() for alert in alerts] == whole


def test_each_alert_is_decided_again_and_said_in_words(
    pack: Pack, reference: Reference, whole: list[bytes]
) -> None:
    plan = compile_plan([pack], reference, include_disabled=True, detectors=DETECTORS)
    for line in whole:
        alert = json.loads(line)
        again = replay(alert, plan)
        assert again.same, again.text()
        for language in ("en", "zh"):
            assert ("What was found" if language == "en" else "查明的情况") in explain(
                alert, plan, language
            )


def test_a_network_finding_names_its_payments(whole: list[bytes]) -> None:
    known = {event["id"]: event for event in EVENTS}
    found = 0
    for line in whole:
        alert = json.loads(line)
        if not alert["rule"].startswith(("net-cycle", "net-fan")):
            continue
        (finding,) = alert["findings"].values()
        for edge in finding["edges"]:
            event = known[edge["event"]]
            assert (edge["from"], edge["to"]) == (event["payer"]["id"], event["payee"]["id"])
            assert edge["amount"] == f"{event['amount']}.00" and edge["currency"] == "EUR"
        if alert["event_count"] <= 100:  # an alert bears so many ids at most
            assert {edge["event"] for edge in finding["edges"]} <= set(alert["events"])
        assert alert["subject"]["id"] in finding["accounts"]
        found += 1
    assert found > 10


def test_a_finding_about_an_address_leads_to_a_listed_one(whole: list[bytes]) -> None:
    known = {event["id"]: event for event in EVENTS}
    hops = set()
    for line in whole:
        alert = json.loads(line)
        if alert["rule"] != "net-address":
            continue
        for finding in alert["findings"].values():
            edges = finding["edges"]
            ends = edges[0]["from"] if finding["side"] == "payee" else edges[-1]["to"]
            assert ends == MIXER.lower() == finding["listed"][0]["address"]
            assert len(edges) == finding["hops"] <= 3
            assert all(a["to"] == b["from"] for a, b in zip(edges, edges[1:], strict=False))
            for edge in edges:
                assert known[edge["event"]]["payer"]["account"].lower() == edge["from"].lower()
            hops.add((finding["side"], finding["hops"]))
    assert {("payee", 1), ("payer", 1)} < hops


def test_a_common_owner_is_shown_with_the_way_to_each_partner(whole: list[bytes]) -> None:
    found = [json.loads(line) for line in whole]
    met = [a for a in found if a["rule"] == "net-partners" and a["outcome"] == "met"]
    assert met
    for alert in met:
        (finding,) = alert["findings"].values()
        assert len(finding["partners"]) >= 2
        assert {owner["entity"] for owner in finding["owners"]} == set(finding["partners"])
        for owner in finding["owners"]:
            assert owner["paths"] or owner["control_chain"]
            assert owner["owner"] in {p[0]["owner"] for p in owner["paths"]} or not owner["paths"]
