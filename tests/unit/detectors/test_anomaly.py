"""Anomaly features and models: causal, restartable, the same as what they were made from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.anomaly.budget import Levels, Scored
from detectors.anomaly.catalogue import AFTER, BEFORE, BEHAVIOUR, features_of
from detectors.anomaly.drift import make_population
from detectors.anomaly.features import BehaviourFeatures
from detectors.anomaly.measuring import average_precision, by_kind, recall_at
from detectors.anomaly.model import Model, export, restore, train
from detectors.anomaly.payments import Float64, Int64, Payments
from detectors.anomaly.reasons import reasons_of, sentence, strongest
from detectors.anomaly.recent import around_payments
from detectors.anomaly.tails import make_tails
from regtech.errors import SnapshotError
from tests.support.anomaly import DAY_US, made_of, payments

NAMES = [feature.name for feature in BEHAVIOUR]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_batches_and_restarts_change_nothing(seed: int, cuts: list[int]) -> None:
    whole = payments(300, seed)
    expected, strange = BehaviourFeatures().update(whole)
    parts, odd, features = [], [], BehaviourFeatures()
    places = [0, *sorted(cuts), 300]
    for start, end in zip(places[:-1], places[1:], strict=True):
        found, surprise = features.update(whole.part(start, end))
        parts.append(found)
        odd.append(surprise)
        resumed = BehaviourFeatures()
        resumed.restore(features.state())
        features = resumed
    assert np.array_equal(np.vstack(parts), expected)
    assert np.array_equal(np.concatenate(odd), strange)


def test_features_do_not_look_ahead() -> None:
    whole = payments(400, 1)
    expected, _ = BehaviourFeatures().update(whole)
    assert np.array_equal(BehaviourFeatures().update(whole.part(0, 250))[0], expected[:250])


def test_a_new_partner_surprises_less_where_new_ones_are_usual() -> None:
    rows = [(float(k), 0, 1, 100) for k in range(30)]  # always the same
    rows += [(30.0 + k, 2, 10 + k, 100) for k in range(30)]  # always another
    rows += [(61.0, 0, 5, 100), (61.0, 2, 6, 100)]
    found, strange = BehaviourFeatures().update(made_of(*rows))
    novelty = found[:, NAMES.index("payer_novelty")]
    assert novelty[-2] > 2 * novelty[-1] > 0
    assert novelty[5] == 0 and strange[5] == 0


def test_bursts_silence_amounts_and_passing_on_are_seen() -> None:
    rows = [(float(2 * k), 0, 1, 1000) for k in range(20)]
    rows += [(60.0 + k / 50, 2 + k, 1, 1000) for k in range(6)]  # six new payers in hours
    rows += [(70.0, 0, 1, 50_000), (71.0, 9, 8, 777), (71.01, 8, 7, 776)]
    found, _ = BehaviourFeatures().update(made_of(*rows))
    burst = found[:, NAMES.index("payee_new_burst_days")]
    assert burst[25] > 3 > burst[20] and burst[25] > 5 * abs(burst[19])
    assert found[26, NAMES.index("payer_silence")] > found[19, NAMES.index("payer_silence")]
    assert found[26, NAMES.index("payer_amount_distance")] > 3
    assert found[26, NAMES.index("pair_amount_distance")] > 3
    assert found[28, NAMES.index("pass_through")] > 0.9
    assert found[27, NAMES.index("pass_through")] == 0


def test_wrong_columns_are_refused() -> None:
    good = made_of((2.0, 0, 1, 5), (1.0, 0, 1, 5))
    with pytest.raises(ValueError, match="order of time"):
        BehaviourFeatures().update(good)
    bad = replace(made_of((1.0, 0, 1, 5)), channel=np.array([99]))
    with pytest.raises(ValueError, match="channel must be"):
        BehaviourFeatures().update(bad)
    with pytest.raises(SnapshotError, match="sides"):
        BehaviourFeatures().restore({})


def _slow_surroundings(given: Payments, strange: Float64, days: int, after: bool) -> Float64:
    n = len(given)
    made = np.zeros((n, 4))
    rounded = np.round(strange * (1 << 20)) / (1 << 20)
    sides = (given.payer, given.payee)
    for i in range(n):
        others = range(i + 1, n) if after else range(i)
        near = [j for j in others if abs(given.time_us[i] - given.time_us[j]) <= days * DAY_US]
        for who in range(2):
            for direction in range(2):
                account = sides[who][i]
                if account >= 0:
                    mine = [rounded[j] for j in near if sides[direction][j] == account]
                    made[i, 2 * who + direction] = sum(mine)
    return made


def test_surroundings_are_sums_over_windows_on_either_side() -> None:
    given = payments(200, 4, accounts=8)
    strange = np.random.default_rng(2).random(200) * 3
    found = around_payments(given, strange, settle_days=5)[0]
    assert found.shape == (200, len(BEFORE) + len(AFTER))
    for place, (days, after) in enumerate(((3, False), (14, False), (3, True), (5, True))):
        expected = np.log1p(_slow_surroundings(given, strange, days, after))
        assert found[:, 8 * place : 8 * place + 8 : 2] == pytest.approx(expected, abs=1e-6)
    assert around_payments(given, strange, 0)[0].shape == (200, len(BEFORE))


def test_tails_are_shares_of_training_rows_that_reach_a_value() -> None:
    rows = np.arange(1000.0)[:, None]
    tails = make_tails(rows)
    nats = tails.of(np.array([[-5.0], [0.0], [999.0], [5000.0], [500.0]]))[:, 0]
    assert nats[0] == 0 and nats[1] < 0.01
    assert nats[2] == pytest.approx(-np.log(1.5 / 1001)) and nats[3] > nats[2]
    assert tails.of(np.array([[5000.0]]), beyond=True)[0, 0] > 2 * nats[3]
    assert nats[4] == pytest.approx(-np.log(0.5), abs=0.1)
    same = make_tails(np.zeros((100, 1))).of(np.zeros((1, 1)))
    assert same[0, 0] == 0 or same[0, 0] < 0.01


@pytest.fixture(scope="module")
def rows() -> Float64:
    drawn = np.random.default_rng(5)
    return drawn.standard_normal((1500, len(features_of(0))))


@pytest.fixture(scope="module")
def model(rows: Float64) -> Model:
    labels = (rows[:, 0] + rows[:, 9] + 0.1 * rows[:, 30]) > 2.5
    return train(rows, features_of(0), labels=labels, budgets=(0.01,), seed=3)


def test_the_forest_is_pyods(rows: Float64, model: Model) -> None:
    from pyod.models.iforest import IForest

    ensemble = model.ensemble
    surprise = ensemble.tails.of(rows[:, model.unusual])
    theirs = IForest(n_estimators=100, max_samples=512, random_state=3, n_jobs=1).fit(
        surprise[np.sort(np.random.default_rng(3).permutation(len(rows)))]
    )
    depth = ensemble.forest.score(surprise.astype(np.float32))
    expected_depth = 2 * (np.log(511) + np.euler_gamma) - 2 * 511 / 512
    ours = 2.0 ** (-depth / expected_depth)
    told = theirs.decision_function(surprise)
    assert ours - ours[0] == pytest.approx(told - told[0], abs=1e-9)


def test_the_boosted_trees_are_scikit_learns(rows: Float64) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    from detectors.anomaly.supervised import _boosted, _kept

    labels = (rows[:, 0] + rows[:, 9]) > 2.5
    choice = {"share": 0.5, "l2": 1.0, "leaf": 20, "rate": 0.1}
    trees, base = _boosted(rows, labels, choice, 1)
    with threadpool_limits(1):  # as ours: several wait for each other more than they work
        theirs = HistGradientBoostingClassifier(
            max_iter=160, learning_rate=0.1, l2_regularization=1.0, min_samples_leaf=20,
            max_leaf_nodes=15, early_stopping=False, random_state=1,
        ).fit(rows[_kept(labels, 0.5, 1)], labels[_kept(labels, 0.5, 1)])  # fmt: skip
        decided = theirs.decision_function(rows)
    ours = trees.score(rows) + base
    assert ours == pytest.approx(decided, abs=1e-9)
    roots = trees.value[trees.roots].sum()
    parts = trees.contributions(rows[:50]).sum(axis=1) + roots + base
    assert parts == pytest.approx(ours[:50], abs=1e-9)


def test_training_is_reproducible_and_models_are_kept_whole(rows: Float64, model: Model) -> None:
    labels = (rows[:, 0] + rows[:, 9] + 0.1 * rows[:, 30]) > 2.5
    again = train(rows, features_of(0), labels=labels, budgets=(0.01,), seed=3)
    arrays, plain = export(model)
    others, _ = export(again)
    assert all(np.array_equal(arrays[name], others[name]) for name in arrays)
    kept = restore(arrays, plain)
    assert np.array_equal(kept.score(rows).score, model.score(rows).score)
    pieces = np.concatenate([model.score(rows[k : k + 7]).score for k in range(0, 70, 7)])
    assert np.array_equal(pieces, model.score(rows).score[:70])


def test_models_that_are_not_whole_are_refused(model: Model) -> None:
    arrays, plain = export(model)
    with pytest.raises(SnapshotError, match="format 9"):
        restore(arrays, {**plain, "format": 9})
    circle = arrays["forest_left"].copy()
    circle[0] = 0
    with pytest.raises(SnapshotError, match="lead nowhere"):
        restore({**arrays, "forest_left": circle}, plain)
    with pytest.raises(SnapshotError, match="not whole"):
        restore({k: v for k, v in arrays.items() if k != "tail_nats"}, plain)
    with pytest.raises(SnapshotError, match="different sizes"):
        restore({**arrays, "typical": arrays["typical"][:3]}, plain)


def test_scores_find_what_is_unusual_and_say_why(rows: Float64, model: Model) -> None:
    ordinary = train(rows, features_of(0), labels=None, budgets=(0.01,), seed=3)
    assert ordinary.boosted is None
    odd = np.zeros((1, rows.shape[1]))
    odd[0, NAMES.index("payee_new_burst_days")] = 9.0
    plain = np.zeros((1, rows.shape[1]))
    before, after = ordinary.score(np.vstack([plain, odd])).score
    assert after > 2 * before
    columns, added = strongest(ordinary, features_of(0), odd)
    first = reasons_of(ordinary, columns[0].tolist(), added[0].tolist(), odd[0])[0]
    assert first.feature == "payee_new_burst_days" and first.value == 9.0
    feature = BEHAVIOUR[NAMES.index(first.feature)]
    assert "new partners" in sentence(first, feature, "en") and "usually -1." in sentence(
        first, feature, "en"
    )
    assert "新对手" in sentence(first, feature, "zh")


def test_too_few_cases_teach_nothing(rows: Float64) -> None:
    labels = np.zeros(len(rows), bool)
    labels[:29] = True
    assert train(rows, features_of(0), labels=labels, budgets=(), seed=1).boosted is None


def test_every_feature_speaks_both_languages() -> None:
    for feature in features_of(1):
        assert set(feature.text) == {"en", "zh"} and all(feature.text.values())
    names = [feature.name for feature in features_of(1)]
    assert len(names) == len(set(names))


def _scored(times: Int64, scores: Int64, accounts: int = 1) -> Scored:
    payer = np.arange(len(times)) % accounts
    return Scored(times, payer, payer + accounts, scores)


def test_levels_follow_the_weeks_before_and_never_the_day_itself() -> None:
    levels = Levels(0.01, 0, first=77)
    early = _scored(np.arange(999) * (DAY_US // 999), np.arange(999))
    assert (levels.update(early)[0] == 77).all()  # too few to go by
    before = _scored(DAY_US + np.arange(2000) * (DAY_US // 100), np.arange(2000))
    levels.update(before)
    times = 21 * DAY_US + np.arange(1000) * (DAY_US // 100)
    found, alerts = levels.update(_scored(times, np.full(1000, 5000)))
    assert abs(found[0] - np.quantile(np.r_[np.arange(2000), np.arange(999)], 0.99)) <= 2
    assert (found[:100] == found[0]).all() and found[-1] == 5000
    assert alerts[:100].all() and not alerts[-1]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 6000), max_size=4))
def test_levels_are_the_same_in_any_batches_and_after_restarts(seed: int, cuts: list[int]) -> None:
    drawn = np.random.default_rng(seed)
    times = np.sort(drawn.integers(0, 50 * DAY_US, 6000))
    payer, payee = drawn.integers(-1, 400, (2, 6000))
    every = Scored(times, payer, payee, drawn.integers(0, 10**6, 6000))
    expected = Levels(0.01, 2 * DAY_US, 990_000).update(every)
    parts, levels = [], Levels(0.01, 2 * DAY_US, 990_000)
    places = [0, *sorted(cuts), 6000]
    for start, end in zip(places[:-1], places[1:], strict=True):
        parts.append(levels.update(every.part(slice(start, end))))
        resumed = Levels(0.01, 2 * DAY_US, 990_000)
        resumed.restore(levels.state())
        levels = resumed
    for k in range(2):
        assert np.array_equal(np.concatenate([part[k] for part in parts]), expected[k])


def test_who_was_told_of_is_silent_and_the_budget_goes_to_others() -> None:
    drawn = np.random.default_rng(3)
    n = 20_000
    times = np.arange(n) * (60 * DAY_US // n)
    payer = drawn.integers(0, 500, n)
    scores = drawn.integers(0, 10**6, n) + np.where(payer < 3, 10**6, 0)  # three that are strange
    every = Scored(times, payer, np.full(n, -1), scores)
    loud, quiet = (Levels(0.005, days * DAY_US, 10**9).update(every) for days in (0, 5))
    later = times > 30 * DAY_US
    told = [len(set(payer[alerts & later].tolist())) for _, alerts in (loud, quiet)]
    assert told[0] <= 3 < 20 < told[1]
    for _, alerts in (loud, quiet):
        assert 0.003 < alerts[later].mean() < 0.0065
    places = np.flatnonzero(quiet[1])
    for who in range(3):
        mine = times[places[payer[places] == who]]
        assert (np.diff(mine) > 5 * DAY_US).all()


def test_drift_is_nothing_for_the_same_and_large_for_others(rows: Float64) -> None:
    population = make_population(rows[:800])
    assert (population.stability(rows[700:]) < 0.1).all()
    moved = rows[700:].copy()
    moved[:, 3] += 2.0
    index = population.stability(moved)
    assert index[3] > 1.0 and (np.delete(index, 3) < 0.1).all()


def test_measures_agree_with_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score

    drawn = np.random.default_rng(1)
    labels = drawn.random(500) < 0.1
    scores = np.round(drawn.random(500) + labels * 0.3, 2).astype(np.float64)
    found = average_precision(scores, labels)
    assert found == pytest.approx(average_precision_score(labels, scores))
    assert average_precision(scores, np.zeros(500, bool)) == 0.0
    assert recall_at(labels.astype(float), labels, 0.5) == 1.0
    kinds = np.where(labels, 1, -1)
    assert by_kind(labels, kinds, ["a", "b"]) == {"b": (int(labels.sum()), int(labels.sum()))}
