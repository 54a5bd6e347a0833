"""Imagined attempts and the features that learn from them, against slow readings of both."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.anomaly.catalogue import features_of
from detectors.anomaly.imagined import SHAPES, imagine
from detectors.anomaly.model import export, restore, train
from detectors.anomaly.nearby import (
    ALIKE,
    NEAR_AFTER,
    NEAR_BEFORE,
    WINDOW_DAYS,
    nearby_features,
)
from detectors.anomaly.payments import Float64, Payments
from detectors.anomaly.reasons import strongest
from detectors.anomaly.recent import around_payments
from detectors.anomaly.usage import USAGE, UsageFeatures
from tests.support.anomaly import DAY_US, made_of, payments

USE = [feature.name for feature in USAGE]


def test_usage_does_not_look_ahead() -> None:
    whole = payments(400, 1)
    every = UsageFeatures().update(whole)
    assert np.array_equal(UsageFeatures().update(whole.part(0, 250)), every[:250])
    assert UsageFeatures().update(whole.part(0, 0)).shape == (0, len(USAGE))


def test_money_that_turns_round_regular_pairs_and_round_sums_are_seen() -> None:
    rows = [(float(7 * k), 0, 1, 1000) for k in range(6)]  # every week the same
    rows += [(36.0, 1, 0, 1237), (42.0, 0, 1, 1000), (43.0, 1, 0, 50_000)]
    found = UsageFeatures().update(made_of(*rows))
    column = {name: found[:, k] for k, name in enumerate(USE)}
    # The first payment against the usual direction, and only that one.
    assert column["payer_turned"][6] > 0 and column["payer_turned"][7] == 0
    assert column["payee_turned"][6] > 0 and column["payee_turned"][8] == 0
    assert column["pair_payments"].tolist() == [0, 1, 2, 3, 4, 5, 0, 6, 1]
    assert column["pair_back"].tolist() == [0, 0, 0, 0, 0, 0, 6, 1, 7]
    assert column["pair_gap"][0] == -1 and column["pair_gap"][1] == pytest.approx(np.log(8))
    assert column["pair_gap_ratio"][7] == pytest.approx(0.0)
    assert column["pair_same"].tolist() == [0, 1, 1, 1, 1, 1, 0, 1, 0]
    assert column["payer_amount_again"].tolist() == [0, 1, 1, 1, 1, 1, 0, 1, 0]
    assert column["roundness"].tolist() == [3, 3, 3, 3, 3, 3, 0, 3, 4.5]
    assert column["payer_share"][6] == 0 and column["payer_share"][5] > 0.8


def _slow(given: Payments, strange: Float64, settle: int, later: bool) -> Float64:
    """Measures and chains as the page says, payment by payment."""
    n = len(given)
    days = min(WINDOW_DAYS, settle) if later else WINDOW_DAYS
    hop = min((settle if later else 2 * WINDOW_DAYS) * DAY_US // 3, days * DAY_US)
    sides = (given.payer, given.payee)
    logs = np.log(given.amount)

    def others(i: int, who: int, direction: int) -> list[int]:
        account = sides[who][i]
        span = range(i + 1, n) if later else range(i - 1, -1, -1)
        near = (j for j in span if abs(given.time_us[j] - given.time_us[i]) <= days * DAY_US)
        return [] if account < 0 else [j for j in near if sides[direction][j] == account]

    def alike(i: int, j: int) -> bool:
        return bool(given.currency[i] == given.currency[j] and abs(logs[i] - logs[j]) < ALIKE)

    def chain(i: int, hops: int) -> float:
        if not hops:
            return 0.0
        way = others(i, 1, 0) if later else others(i, 0, 1)
        near = [j for j in way if alike(i, j) and abs(given.time_us[j] - given.time_us[i]) <= hop]
        return max((strange[j] + 0.9 * chain(j, hops - 1) for j in near), default=0.0)

    made = np.zeros((n, 21))
    for i in range(n):
        for place, (who, direction) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
            mine = others(i, who, direction)
            best = sorted((strange[j] for j in mine), reverse=True) + [0.0] * 3
            same = [j for j in mine if alike(i, j)]
            made[i, 5 * place : 5 * place + 5] = (
                best[0], best[1] + best[2], len(same), sum(strange[j] for j in same),
                np.log1p(len(mine)),
            )  # fmt: skip
        made[i, 20] = max(chain(i, hops) for hops in (1, 2, 3))
    return made


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), settle=st.sampled_from((0, 2, 14)))
def test_what_is_nearby_is_what_a_slow_reading_finds(seed: int, settle: int) -> None:
    whole = payments(150, seed, accounts=12)
    amounts = np.random.default_rng(seed).choice([90, 100, 110, 300], 150)
    whole = Payments(*(amounts if f.name == "amount" else getattr(whole, f.name)
                       for f in fields(Payments)))  # fmt: skip
    strange = np.random.default_rng(seed).random(150)
    found = around_payments(whole, strange, settle)[1]
    assert found.shape[1] == len(nearby_features(settle))
    assert found[:, :21] == pytest.approx(_slow(whole, strange, settle, later=False))
    if settle:
        assert found[:, 21:] == pytest.approx(_slow(whole, strange, settle, later=True))
        assert len(NEAR_BEFORE) == len(NEAR_AFTER) == 21


def test_what_is_nearby_is_final_once_it_has_settled() -> None:
    whole = payments(600, 3, accounts=10)
    strange = np.random.default_rng(3).random(600)
    end = int(np.searchsorted(whole.time_us, 40 * DAY_US))
    settled = int(np.searchsorted(whole.time_us, (40 - 6) * DAY_US))
    cut = around_payments(whole.part(0, end), strange[:end], 6)[1]
    assert np.array_equal(cut[:settled], around_payments(whole, strange, 6)[1][:settled])


def test_imagined_attempts_stand_among_what_was_there() -> None:
    traffic = payments(3000, 5, accounts=200)
    made = imagine(traffic, 0.05, 7)
    there = made.attempt < 0
    for field in fields(Payments):
        kept = getattr(made.payments, field.name)[there]
        assert np.array_equal(kept, getattr(traffic, field.name)), field.name
    imagined = ~there
    assert 0.05 * 3000 <= imagined.sum() < 0.05 * 3000 + 40
    assert (np.diff(made.payments.time_us) >= 0).all()
    assert made.attempt.max() + 1 >= len(SHAPES) // 2
    planted = [getattr(made.payments, f.name)[imagined] for f in fields(Payments)]
    rows = Payments(*planted)
    assert (rows.payer >= 0).all() and (rows.payee >= 0).all()
    assert (rows.payer != rows.payee).all() and (rows.amount >= 1).all()
    assert set(np.concatenate([rows.payer, rows.payee]).tolist()) <= set(range(200))
    again = imagine(traffic, 0.05, 7)
    assert np.array_equal(again.attempt, made.attempt)
    assert np.array_equal(again.payments.amount, made.payments.amount)
    assert not np.array_equal(imagine(traffic, 0.05, 8).attempt, made.attempt)
    assert len(imagine(traffic.part(0, 1), 0.05, 7).payments) == 1


@pytest.mark.parametrize("make", SHAPES, ids=lambda make: make.__name__)
def test_every_shape_uses_all_of_its_accounts_in_its_span(make: Any) -> None:
    drawn = np.random.default_rng(1)
    for size in (1, 2, 5, 14):
        shape = make(size, drawn)
        used = {who for a, b, _ in shape.steps for who in (a, b)}
        assert used <= set(range(shape.accounts)) and len(shape.steps) >= 1
        assert all(0.0 <= due <= 1.0 and a != b for a, b, due in shape.steps)


def test_a_model_that_was_taught_scores_by_it_and_is_kept_whole() -> None:
    drawn = np.random.default_rng(5)
    rows = drawn.standard_normal((1200, len(features_of(0))))
    lessons = drawn.standard_normal((800, rows.shape[1]))
    imagined = np.arange(800) < 120
    lessons[imagined, 4] += 3.0
    model = train(
        rows, features_of(0), labels=None, budgets=(0.01,), seed=1, lessons=(lessons, imagined)
    )
    scores = model.score(lessons)
    assert scores.taught is not None and np.array_equal(scores.score, scores.taught)
    assert scores.taught[imagined].mean() > 3 * scores.taught[~imagined].mean()
    assert model.contributions(lessons[imagined][:20])[:, 4].min() > 0
    arrays, plain = export(model)
    assert np.array_equal(restore(arrays, plain).score(rows).score, model.score(rows).score)
    none = np.zeros(800, bool)
    plainly = train(rows, features_of(0), labels=None, budgets=(), seed=1, lessons=(lessons, none))
    assert plainly.taught is None and plainly.score(rows).taught is None


def test_cases_outrank_what_was_imagined_where_both_are_known() -> None:
    drawn = np.random.default_rng(6)
    rows = drawn.standard_normal((2000, len(features_of(0))))
    cases = rows[:, 2] > 1.9
    lessons = drawn.standard_normal((600, rows.shape[1]))
    imagined = np.arange(600) < 100
    lessons[imagined, 7] += 3.0
    model = train(
        rows, features_of(0), labels=cases, budgets=(), seed=1, lessons=(lessons, imagined)
    )
    scores = model.score(rows)
    assert scores.supervised is not None and np.array_equal(scores.score, scores.supervised)
    assert scores.score[cases].min() > np.quantile(scores.score[~cases], 0.95)


def test_every_new_feature_speaks_both_languages() -> None:
    every = (*features_of(14), *USAGE, *nearby_features(14))
    assert all(set(one.text) == {"en", "zh"} and all(one.text.values()) for one in every)
    assert len({one.name for one in every}) == len(every)


def test_codes_are_no_reasons() -> None:
    drawn = np.random.default_rng(8)
    rows = drawn.standard_normal((900, len(USAGE)))
    imagined = np.arange(900) < 100
    rows[imagined, USE.index("channel")] += 3.0
    rows[imagined, USE.index("payer_share")] += 3.0
    high = tuple(replace(one, side="high") for one in USAGE)
    model = train(rows, high, labels=None, budgets=(), seed=1, lessons=(rows, imagined))
    assert model.contributions(rows[:100])[:, USE.index("channel")].mean() > 0.5
    columns, _ = strongest(model, high, rows[:100])
    assert not np.isin(columns, [USE.index("channel"), USE.index("kinds")]).any()
    assert (columns[:, 0] == USE.index("payer_share")).mean() > 0.5
