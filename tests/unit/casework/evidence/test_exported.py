"""Bundles out of the record: what of an alert goes out to whom."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, Gate
from casework.cases.scope import Scope
from casework.evidence.keys import KeyRing, SigningKey, first_ring
from casework.evidence.verify_bundle import verify
from casework.stores.memory import MemoryRecord
from regtech.clock import ManualClock
from tests.contract.world import LI, START_US, WANG, Salts, World, alert, scope

OWN = scope("eva", tenants={"BANK-A"})
OTHER_OWN = scope("ida", tenants={"BANK-A"})


def _ring() -> StoredAlert:
    """An alert about a customer of BANK-A whose findings name customers of others."""
    body = json.loads(alert(1, payer__name="Zhang San").raw)
    body["subject"]["group"] = "group-of-others"
    body["findings"] = {"party.cycle() @CN": {"accounts": ["A-1", "theirs-2"], "length": 2}}
    return StoredAlert.of(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


@pytest.fixture
def keys() -> KeyRing:
    return first_ring(SigningKey.of_seed(b"s" * 32), START_US)


def _bundle(world: World, keys: KeyRing, who: Scope, second: Scope) -> Any:
    """With personal data, asked for by one and approved by another."""
    case: Case = world.one(_ring())
    case = world.service.ask(who, case.id, case.version, Gate.EXPORT, "court", about="court")
    number = case.version
    world.service.approve(second, case.id, case.version, number)
    salts = itertools.count(1)
    data = world.service.bundle(
        who,
        case.id,
        keys=keys,
        rules_of=lambda alerts: [],
        salt=lambda: next(salts).to_bytes(32, "big"),
        personal=True,
        number=number,
    )
    assert verify(data).findings == []
    return json.loads(data)


@pytest.mark.parametrize(
    ("who", "second", "whole"), [(WANG, LI, True), (OWN, OTHER_OWN, False)], ids=["all", "own"]
)
def test_who_is_there_for_one_institution_takes_no_others_customers_out(
    keys: KeyRing, who: Scope, second: Scope, whole: bool
) -> None:
    clock = ManualClock(START_US)
    world = World(MemoryRecord(clock, Salts()), clock)
    bundle = _bundle(world, keys, who, second)
    shown = {one["at"]: one["value"] for one in bundle["openings"] if "alerts/" in one["in"]}
    assert shown["/facts/payer.name"] == "Zhang San"
    of_others = {at for at in shown if at.startswith("/findings/") or at == "/subject/group"}
    assert bool(of_others) is whole
    assert ("theirs-2" in json.dumps(bundle)) is ("group-of-others" in json.dumps(bundle)) is whole
