"""Features against enumeration; any chopping, restart in the middle, growth from nothing."""

from __future__ import annotations

import math
import os
from random import Random

import numpy as np
import pytest

from detectors.graph.features import NAMES, PaymentFeatures
from tests.property.graph import oracle
from tests.property.graph.columns import columns, piece
from tests.property.graph.oracle import HOUR, Payment

SEEDS = range(int(os.environ.get("REGTECH_PROPERTY_SEEDS", "40")) // 4)
WINDOW = 24 * HOUR
PERMILLE = 200


def log(amount: int) -> int:
    """Logarithm by straight lines between powers of two, in parts of 4096."""
    if amount < 2:
        return 0
    bits = amount.bit_length() - 1
    return bits * 4096 + (((amount - (1 << bits)) << 12) >> bits)


def remembered(made: list[Payment], account: int, memory: int) -> list[Payment]:
    """The payments of an account since it was last still for so long, the newest included."""
    mine = [p for p in made if account in (p.payer, p.payee)]
    known: list[Payment] = []
    for payment in mine:
        if known and payment.time - known[-1].time >= memory:
            known = []
        known.append(payment)
    return known


def expected(made: list[Payment], at: int, memory: int = 10**18) -> dict[str, float]:
    """What the features of the ``at``-th payment mean, said plainly."""
    now = made[at]
    live = oracle.in_window(made, at, WINDOW)
    found: dict[str, float] = {"amount_log": log(now.amount) / 4096}
    for role, account in (("payer", now.payer), ("payee", now.payee)):
        for direction in ("out", "in"):
            out = direction == "out"
            mine = [p for p in live if (p.payer if out else p.payee) == account]
            known = remembered(made[: at + 1], account, memory)[:-1]
            past = [p for p in known if (p.payer if out else p.payee) == account]
            same = [p.amount for p in mine if p.currency == now.currency]
            logs = [log(p.amount) / 4096 for p in mine]
            mean = math.fsum(logs) / len(logs) if logs else 0.0
            spread = math.fsum((x - mean) ** 2 for x in logs) / len(logs) if logs else 0.0
            name = f"{role}_{direction}"
            found[f"{name}_count"] = len(mine)
            found[f"{name}_fan"] = len(oracle.fan(live, account, out))
            found[f"{name}_sum"] = sum(same)
            found[f"{name}_mean"] = sum(same) / len(same) if same else 0
            found[f"{name}_log_mean"] = mean
            found[f"{name}_log_sd"] = math.sqrt(spread)
            found[f"{name}_idle"] = (now.time - past[-1].time) / HOUR if past else -1
            found[f"{name}_cross_institution"] = sum(p.crossing for p in mine)
            found[f"{name}_currencies"] = len({p.currency for p in mine})
    pair = [p for p in live if (p.payer, p.payee) == (now.payer, now.payee)]
    found["pair_count"] = len(pair)
    found["pair_idle"] = (now.time - pair[-2].time) / HOUR if len(pair) > 1 else -1
    found["pair_new"] = len(pair) == 1
    other = now.payer != now.payee
    found["reverse_count"] = other and sum(
        (p.payer, p.payee) == (now.payee, now.payer) for p in live
    )
    cycles = list(oracle.account_cycles(live, 5))
    for length in (2, 3, 4, 5):
        found[f"cycles_{length}"] = sum(len(c) == length for c in cycles)
    paths = [[*oracle.cycle_payments(live, c), now] for c in cycles]
    found["cycles_multi_currency"] = sum(len({p.currency for p in path}) > 1 for path in paths)
    found["cycles_cross_institution"] = sum(any(p.crossing for p in path) for path in paths)
    alike = list(oracle.account_cycles(live, 10, PERMILLE))
    found["amount_cycles"] = len(alike)
    found["amount_cycle_length"] = max(map(len, alike), default=0)
    sources = {s: oracle.ways(live, s, now.payee) for s in oracle.fan(live, now.payer, False)}
    widths = [len(w) for s, w in sources.items() if s != now.payee and now.payer in w and other]
    found["scatter_gather_ways"] = max([w for w in widths if w >= 2], default=0)
    found["scatter_gather_sources"] = sum(w >= 2 for w in widths)
    for role, account in (("payer", now.payer), ("payee", now.payee)):
        found[f"{role}_gather_scatter"] = min(
            len(oracle.fan(live, account, True)), len(oracle.fan(live, account, False))
        )
        first = remembered(made[: at + 1], account, memory)[0]
        found[f"{role}_age"] = (now.time - first.time) / HOUR
    got = found["payer_in_sum"]
    found["payer_pass_through"] = found["payer_out_sum"] / got if got else 0
    found["cross_institution"] = now.crossing
    found["self_payment"] = not other
    found["cut"] = 0
    return found


def distances(made: list[Payment], at: int, payer: bool) -> float:
    now = made[at]
    live = [p for p in made[:at] if p.time > now.time - WINDOW]
    logs = [
        log(p.amount) / 4096
        for p in live
        if (p.payer == now.payer if payer else p.payee == now.payee)
    ]
    if len(logs) < 2:
        return 0.0
    mean = math.fsum(logs) / len(logs)
    spread = math.sqrt(math.fsum((x - mean) ** 2 for x in logs) / len(logs))
    return (log(now.amount) / 4096 - mean) / max(spread, 0.25)


@pytest.mark.parametrize("seed", SEEDS)
def test_features_are_what_they_say(seed: int) -> None:
    accounts = (6, 12, 25)[seed % 3]
    made = oracle.payments(seed, 150, accounts)
    stream = PaymentFeatures(WINDOW, permille=PERMILLE, budgets=(10**6,) * 4)
    found = stream.update(**columns(made))
    for at in range(len(made)):
        wanted = expected(made, at)
        wanted["payer_amount_distance"] = distances(made, at, True)
        wanted["payee_amount_distance"] = distances(made, at, False)
        assert set(wanted) == set(NAMES)
        for name, value in wanted.items():
            got = found[at, NAMES.index(name)]
            assert math.isclose(got, value, rel_tol=1e-9, abs_tol=1e-6), (at, name, got, value)
    assert not any(stream.cuts().values())


@pytest.mark.parametrize("seed", SEEDS)
def test_accounts_that_were_still_for_long_are_new_again(seed: int) -> None:
    made = oracle.payments(seed, 100, 25, hours=700)
    memory = 36 * HOUR
    stream = PaymentFeatures(WINDOW, permille=PERMILLE, accounts_us=memory)
    found = stream.update(**columns(made))
    for at in range(len(made)):
        wanted = expected(made, at, memory)
        for name, value in wanted.items():
            got = found[at, NAMES.index(name)]
            assert math.isclose(got, value, rel_tol=1e-9, abs_tol=1e-6), (at, name, got, value)
    assert stream.graph.accounts < len({a for p in made for a in (p.payer, p.payee)})


def test_memory_does_not_grow_with_accounts_that_do_not_come_back() -> None:
    """Twelve days of ever new accounts: as many slots as two or three days have accounts."""
    day, held = 24 * HOUR, []
    stream = PaymentFeatures(day, accounts_us=2 * day)
    for k in range(12):
        times = day * k + np.arange(4000) * (day // 4000)
        codes = np.arange(8000 * k, 8000 * (k + 1)) % 40_000
        stream.update(times, codes[::2], codes[1::2], np.full(4000, 100))
        held.append(stream.graph.bytes_held())
        assert stream.graph.accounts <= 8000 * 4
    assert held[5] == held[-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_any_chopping_and_any_restart_give_the_same_bytes(seed: int) -> None:
    made = oracle.payments(seed, 3000, 300, hours=200)
    given = columns(made)
    memory = (WINDOW, 2 * WINDOW)[seed % 2]
    whole = PaymentFeatures(WINDOW, accounts_us=memory).update(**given)
    chance = Random(seed)
    stream, at, parts = PaymentFeatures(WINDOW, accounts_us=memory), 0, []
    while at < len(made):
        end = min(len(made), at + chance.choice((1, 7, 128, 500)))
        parts.append(stream.update(**piece(given, at, end)))
        at = end
        if chance.random() < 0.3:
            state = {name: array.copy() for name, array in stream.state().items()}
            stream = PaymentFeatures(WINDOW, accounts_us=memory)
            stream.restore(state)
    assert np.concatenate(parts).tobytes() == whole.tobytes()
