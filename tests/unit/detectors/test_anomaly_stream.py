"""The rows of the stream are those of training, in any batches and after every restart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.anomaly.payments import Float64, Payments
from detectors.anomaly.stream import FeatureStream, stream_features
from regtech.app.scorerows import all_features, rows_at_once
from regtech.app.shapes import SHAPES, Shapes
from regtech.errors import SnapshotError
from tests.support.anomaly import payments


def test_the_stream_has_the_columns_of_training() -> None:
    assert stream_features(SHAPES) == all_features(0)
    whole = payments(500, 7)
    assert np.array_equal(FeatureStream(Shapes()).update(whole), rows_at_once(whole))


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 3000), max_size=4))
def test_any_batches_and_restarts_give_the_same_rows(seed: int, cuts: list[int]) -> None:
    whole = payments(3000, seed, accounts=60)
    expected = FeatureStream(Shapes()).update(whole)
    assert np.array_equal(_in_parts(whole, [0, *sorted(cuts), 3000]), expected)


def test_one_payment_at_a_time_gives_the_same_rows() -> None:
    whole = payments(300, 2, accounts=10)
    expected = FeatureStream(Shapes()).update(whole)
    assert np.array_equal(_in_parts(whole, list(range(301))), expected)


def _in_parts(whole: Payments, places: list[int]) -> Float64:
    parts, stream = [], FeatureStream(Shapes())
    for start, end in zip(places[:-1], places[1:], strict=True):
        parts.append(stream.update(whole.part(start, end)))
        resumed = FeatureStream(Shapes())
        resumed.restore(stream.state())
        stream = resumed
    return np.vstack(parts)


def test_a_state_that_is_not_whole_is_refused() -> None:
    state = FeatureStream(Shapes()).state()
    del state["recent.heads"]
    with pytest.raises(SnapshotError, match="heads"):
        FeatureStream(Shapes()).restore(state)
