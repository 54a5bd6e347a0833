"""Payments like those of IBM's AMLSim: models on fixed edges, alert patterns on new ones.

Our own generator after the published description (Weber et al. 2018, Suzumura and Kanezashi 2021),
for measuring: every account pays the same few partners in its own rhythm, popular accounts are paid
by thousands, and patterns of six to eleven accounts are laid over them with amounts of the same
level. As there, pairs of the background hardly ever are new and the accounts of patterns are mostly
quiet ones: figures on it flatter whoever looks at the novelty of pairs. ``drift`` sends a share of
the background to new partners.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

DAYS: Final = 128
SHARE: Final = 0.0013
KINDS: Final = (
    "fan_in", "fan_out", "cycle", "scatter_gather", "gather_scatter", "bipartite", "stack",
    "random_walk",
)  # fmt: skip
_FIRST_US: Final = 1_767_225_600_000_000
_DAY_US: Final = 86_400_000_000
_PERIODS: Final = (1, 2, 3, 7, 7, 14, 14, 30)
_LEVEL: Final = (5.3, 0.5)  # of log amounts
Int64 = npt.NDArray[np.int64]
Row = tuple[int, int, int, float]


def _background(
    events: int, accounts: int, drift: float, drawn: np.random.Generator
) -> tuple[Int64, Int64, Int64, npt.NDArray[np.float64]]:
    """(payer, payee, day, amount): each sender has one of five models on edges of its own."""
    popular = 1.0 / np.arange(1, accounts + 1) ** 0.85
    popular = popular[drawn.permutation(accounts)] / popular.sum()
    senders = np.flatnonzero(drawn.random(accounts) < 0.8)
    degree = np.minimum(1 + drawn.geometric(0.45, len(senders)), 10)
    mean = drawn.lognormal(*_LEVEL, accounts)
    payers, payees, days = [], [], []
    for sender, edges in zip(senders.tolist(), degree.tolist(), strict=True):
        partners = drawn.choice(accounts, edges, p=popular)
        period, model = int(drawn.choice(_PERIODS)), int(drawn.integers(0, 5))
        when = np.arange(int(drawn.integers(0, period)), DAYS, period)
        if model == 1:  # fan-out: all partners at a time
            to, when = np.tile(partners, len(when)), np.repeat(when, edges)
        elif model == 0:  # single
            to = np.full(len(when), partners[0])
        else:  # periodical, mutual, forward
            to = partners[drawn.integers(0, edges, len(when))]
        payers.append(np.full(len(when), sender))
        payees.append(to)
        days.append(when)
        if model == 3:  # mutual: half of it comes back a day later
            back = drawn.random(len(when)) < 0.5
            payers.append(to[back])
            payees.append(np.full(int(back.sum()), sender))
            days.append(when[back] + 1)
    payer, payee, day = (np.concatenate(part) for part in (payers, payees, days))
    payee = np.where(
        drawn.random(len(payee)) < drift, drawn.choice(accounts, len(payee), p=popular), payee
    )
    good = np.flatnonzero((payer != payee) & (day < DAYS))
    good = drawn.permutation(good)[:events]
    payer, payee, day = payer[good], payee[good], day[good]
    amount = np.maximum(mean[payer] * drawn.normal(1.0, 0.15, len(payer)), 5.0)
    return payer, payee, day, amount


def _pattern(kind: str, accounts: list[int], span: int, drawn: np.random.Generator) -> list[Row]:
    """One pattern as (payer, payee, day of the pattern, amount)."""
    size, half = len(accounts), span // 2
    base = float(np.exp(drawn.normal(*_LEVEL)))

    def day(low: int, high: int) -> int:
        return int(drawn.integers(low, max(high, low + 1)))

    def about() -> float:
        return base * float(drawn.uniform(0.8, 1.2))

    first, rest = accounts[0], accounts[1:]
    if kind == "fan_in":
        return [(a, first, day(0, span), about()) for a in rest]
    if kind == "fan_out":
        return [(first, a, day(0, span), about()) for a in rest]
    if kind in ("cycle", "random_walk"):
        to = [*rest, first] if kind == "cycle" else rest
        days = np.sort(drawn.integers(0, span, len(to))).tolist()
        hops = zip(accounts, to, days, strict=False)
        return [(a, b, d, base * 0.97**k) for k, (a, b, d) in enumerate(hops)]
    if kind == "scatter_gather":
        last, middle = rest[0], rest[1:]
        out = [(first, a, day(0, half), base) for a in middle]
        return out + [(a, last, day(half, span), 0.9 * base) for a in middle]
    if kind == "gather_scatter":
        gathered, scattered = rest[: size // 2], rest[size // 2 :]
        into = [(a, first, day(0, half), base) for a in gathered]
        return into + [(first, a, day(half, span), 0.9 * base) for a in scattered]
    third = max(size // 3, 2)
    layers = [accounts[:third], accounts[third : 2 * third], accounts[2 * third :]]
    if kind == "bipartite":
        pairs = [(a, b) for a in accounts[: size // 2] for b in accounts[size // 2 :]]
        return [(a, b, day(0, span), about()) for a, b in pairs if drawn.random() < 0.6]
    made: list[Row] = []
    for number, (upper, lower) in enumerate(zip(layers[:-1], layers[1:], strict=True)):
        low, high = (0, half) if number == 0 else (half, span)
        made += [
            (a, b, day(low, high), base * 0.9**number)
            for a in upper for b in lower if drawn.random() < 0.7
        ]  # fmt: skip
    return made


def write_amlsim_like(path: Path, events: int, seed: int, *, drift: float = 0.0) -> Path:
    """Write events as NDJSON and return the file of labels beside it."""
    drawn = np.random.default_rng([seed, 77])
    accounts = max(400, events // 14)
    payer, payee, day, amount = _background(events, accounts, drift, drawn)
    rows: list[tuple[int, int, int, float]] = []
    attempt: list[int] = []
    number = 0
    while len(rows) < SHARE * len(payer):
        size, span = int(drawn.integers(6, 12)), int(drawn.integers(5, 21))
        chosen = drawn.choice(accounts, size, replace=False).tolist()
        start = int(drawn.integers(0, DAYS - span))
        for a, b, d, value in _pattern(KINDS[number % len(KINDS)], chosen, span, drawn):
            rows.append((a, b, start + d, value))
            attempt.append(number)
        number += 1
    planted = np.array([row[:3] for row in rows], np.int64)
    payer, payee, day = (
        np.concatenate([column, planted[:, k]]) for k, column in enumerate((payer, payee, day))
    )
    amount = np.concatenate([amount, [row[3] for row in rows]])
    of = np.concatenate([np.full(len(payer) - len(rows), -1), attempt])
    us = _FIRST_US + day * _DAY_US + drawn.integers(0, 86_400_000, len(day)) * 1000
    order = np.lexsort((payee, payer, us))
    stamps = (us[order].astype("datetime64[us]")).astype(str).tolist()
    lines = [
        f'{{"id":"S{k:09}","type":"transaction","time":"{time}Z","reporter":"SIM-BANK",'
        f'"amount":"{value:.2f}","currency":"USD","channel":"transfer","kind":"payment",'
        f'"payer":{{"id":"A{a}","institution":"SIM-BANK"}},'
        f'"payee":{{"id":"A{b}","institution":"SIM-BANK"}}}}'
        for k, (time, value, a, b) in enumerate(
            zip(stamps, amount[order].tolist(), payer[order].tolist(), payee[order].tolist(),
                strict=True)
        )
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    named: dict[int, list[dict[str, str]]] = {}
    for place, one in enumerate(of[order].tolist()):
        if one >= 0:
            named.setdefault(one, []).append({"reporter": "SIM-BANK", "id": f"S{place:09}"})
    labels = path.with_name(path.name + ".labels.ndjson")
    labels.write_text(
        "".join(
            json.dumps({"attempt": f"A{k}", "typology": KINDS[k % len(KINDS)],
                        "expected": "alert", "events": found}) + "\n"
            for k, found in sorted(named.items())
        ),
        encoding="utf-8",
    )  # fmt: skip
    return labels
