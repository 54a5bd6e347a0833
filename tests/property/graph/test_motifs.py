"""Every type of motif against enumeration, with growth; any chopping, restart, bounds that bite."""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

from detectors.graph.motifs import Finding, Motifs, Payments
from detectors.graph.spec import EPISODES, TYPES, MotifSpec, chosen
from regtech.errors import SnapshotError, UsageError
from tests.property.graph import oracle
from tests.property.graph.columns import columns, piece
from tests.property.graph.motif_oracle import Oracle, Told
from tests.property.graph.oracle import HOUR, Payment

SEEDS = range(int(os.environ.get("REGTECH_PROPERTY_SEEDS", "40")) // 8)
WINDOW = 12 * HOUR
LOOSE: dict[str, dict[str, Any]] = {
    "fan_in": {"least": 3, "concentration": 600},
    "fan_out": {"least": 3, "concentration": 600, "growth": 1300},
    "gather_scatter": {"least": 2, "second": 2, "permille": 400, "concentration": 400},
    "scatter_gather": {"least": 2, "permille": 500},
    "cycle": {"least": 2, "most": 10, "permille": 300},
    "round_trip": {"least": 2, "most": 6, "permille": 900, "borders": 2},
    "stack": {"least": 2, "second": 2, "hub": 6},
    "bipartite": {"least": 2, "second": 2, "hub": 5},
    "random_walk": {"least": 3, "most": 5, "permille": 400, "hub": 8},
    "pass_through": {"least": 3, "permille": 250, "hub": 7, "value": 100},
    "splitting": {"least": 2, "permille": 500, "concentration": 500, "growth": 1500},
    "structuring": {"least": 2, "band": 500, "limits": ((0, 1500), (1, 900))},
    "mule": {"least": 2, "still_us": 13 * HOUR},
}


def loose(name: str, **more: Any) -> MotifSpec:
    """A spec under which random payments make many motifs."""
    return chosen((name,), {name: {"window_us": WINDOW, "budget": 10**6, **LOOSE[name], **more}})[0]


def given_of(made: list[Payment]) -> dict[str, Any]:
    given = columns(made)
    # In these tests every institution is in a country of its own.
    given["payer_country"] = given["payer_institution"]
    given["payee_country"] = given["payee_institution"]
    return given


def told(findings: list[Finding]) -> list[Told]:
    return [(f.type, f.key[1:], f.step, f.event, f.events) for f in findings]


@pytest.mark.parametrize("name", TYPES)
def test_motifs_are_what_they_say(name: str) -> None:
    found = 0
    for seed in SEEDS:
        made = oracle.payments(seed, 160, (8, 14, 30)[seed % 3])
        memory = WINDOW * (2 + seed % 2)
        spec = loose(name)
        motifs = Motifs((spec,), memory_us=memory)
        findings = motifs.observe(Payments(**given_of(made)))
        wanted = Oracle(made, (spec,), motifs.graph.window_us).all()
        assert told(findings) == wanted, seed
        assert not any(motifs.cuts().values())
        found += len(wanted)
        for finding in findings:
            assert all(made[p[0]].payer == p[1] and made[p[0]].amount == p[4]
                       for p in finding.payments)  # fmt: skip
    assert found >= len(SEEDS), "random payments hold too few of these motifs"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("budget", (10**6, 6))
def test_any_chopping_and_any_restart_give_the_same(seed: int, budget: int) -> None:
    made = oracle.payments(seed, 1500, 60, hours=400)
    given = given_of(made)
    specs = tuple(loose(name, budget=budget) for name in TYPES)
    whole = Motifs(specs, memory_us=3 * WINDOW)
    wanted = whole.observe(Payments(**given))
    chance = Random(seed)
    motifs, at, found = Motifs(specs, memory_us=3 * WINDOW), 0, []
    while at < len(made):
        end = min(len(made), at + chance.choice((1, 7, 128)))
        found += motifs.observe(Payments(**piece(given, at, end), event=np.arange(at, end)))
        at = end
        if chance.random() < 0.3:
            state = {name: array.copy() for name, array in motifs.state().items()}
            motifs = Motifs(specs, memory_us=3 * WINDOW)
            motifs.restore(state)
    assert found == wanted and wanted
    assert motifs.cuts() == whole.cuts()
    assert any(whole.cuts().values()) == (budget == 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_forgetting_accounts_changes_no_motif(seed: int) -> None:
    made = oracle.payments(seed, 1500, 60, hours=4000)
    specs = tuple(loose(name) for name in TYPES)
    forgetting, keeping = (Motifs(specs, memory_us=WINDOW) for _ in range(2))
    keeping.graph.accounts_us = 10**18
    payments = Payments(**given_of(made))
    found = forgetting.observe(payments)
    assert found == keeping.observe(payments) and found
    assert forgetting.graph.accounts < keeping.graph.accounts
    codes, _ = forgetting.held()
    assert set(forgetting.graph.known().tolist()) <= set(codes.tolist())


def test_a_hub_is_cut_and_said_so() -> None:
    """Twenty thousand payers of one account: the work stays bounded, and the cut is counted."""
    n = 20_000
    hub = Payments(
        time_us=np.arange(n) * 1000, payer=np.arange(1, n + 1), payee=np.zeros(n, np.int64),
        amount=np.full(n, 100), currency=np.zeros(n, np.int64),
    )  # fmt: skip
    few = {"fan_in": {"least": 8}}
    motifs = Motifs(chosen(("fan_in", "scatter_gather", "cycle"), few))
    found = motifs.observe(hub)
    assert [f.step for f in found] == list(range(len(found))) and len({f.key for f in found}) == 1
    assert found[-1].measures["size"] == 16384 and found[-1].cut
    assert len(found[-1].payments) == 512
    assert motifs.cuts()["evidence"] == sum(f.cut for f in found) == 5


def test_a_finding_keeps_its_key_while_it_grows_and_ends_with_its_window() -> None:
    payers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    hours = [0, 1, 2, 3, 4, 5, 6, 7, 40, 41, 42, 43]
    made = [
        Payment(k, hour * HOUR, payer, 0, 100)
        for k, (hour, payer) in enumerate(zip(hours, payers, strict=True))
    ]
    spec = loose("fan_in", concentration=0, least=2)
    found = Motifs((spec,)).observe(Payments(**given_of(made)))
    assert [(f.key[2], f.step, f.measures["size"]) for f in found] == [
        (1, 0, 2), (1, 1, 4), (1, 2, 8), (9, 0, 2), (9, 1, 4),
    ]  # fmt: skip


def test_what_cannot_be_looked_for_is_wrong_use() -> None:
    wrong: tuple[dict[str, dict[str, Any]], ...] = (
        {"fan_in": {"least": 1}},
        {"cycle": {"most": 11}},
        {"mule": {"still_us": HOUR}},
        {"fan_in": {"payers": 3}},
        {"spiral": {}},
    )
    for changes in wrong:
        with pytest.raises(UsageError):
            chosen((), changes)
    with pytest.raises(UsageError):
        chosen(("structuring",))
    assert "structuring" not in {spec.type for spec in chosen()}
    assert {spec.type for spec in chosen()} | {"structuring"} == set(TYPES)
    assert EPISODES < set(TYPES)


def test_a_snapshot_of_other_parameters_is_refused() -> None:
    state = Motifs(chosen(("fan_in",))).state()
    other = replace(chosen(("fan_in",))[0], least=9)
    with pytest.raises(SnapshotError):
        Motifs((other,)).restore(state)


@pytest.mark.parametrize("name", ["cycle", "round_trip"])
def test_what_goes_along_payments_alone_is_found_without_numbers_of_accounts(name: str) -> None:
    """Alone the graph counts nothing of accounts and remembers the window; beside a motif that
    weighs them it does."""
    for seed in SEEDS:
        made = oracle.payments(seed, 400, 20, hours=100)
        spec, given = loose(name), Payments(**given_of(made))
        alone = Motifs((spec,), memory_us=3 * WINDOW)
        beside = Motifs((spec, loose("fan_in")), memory_us=3 * WINDOW)
        assert (alone.graph.window_us, beside.graph.window_us) == (WINDOW, 3 * WINDOW)
        wanted = [finding for finding in beside.observe(given) if finding.type == name]
        assert told(alone.observe(given)) == told(wanted)
        assert wanted
