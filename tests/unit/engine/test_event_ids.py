"""Ids of judged events are known as far back as evidence reaches, however they came."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from regtech.engine.block import Block, EventStore, Sequence

COUNT = 300_000
STEP_US = 1_000_000
KEPT_US = 70_000 * STEP_US


def block(first: int, count: int) -> Sequence:
    """Events whose id tells their ordinal, with room of an id between any two."""
    ids = [f"e{ordinal}".encode() for ordinal in range(first, first + count)]
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in ids])]).astype(np.int64)
    nothing = np.zeros(0, np.int64)
    return Sequence(
        Block(
            count,
            np.zeros((0, count), np.int64),
            np.zeros(count + 1, np.int64),
            nothing,
            np.zeros(count, np.uint8),
            offsets,
            np.frombuffer(b"".join(ids), np.uint8),
            np.zeros(count, np.uint64),
            nothing,
            nothing,
        ),
        np.arange(count),
    )


@pytest.mark.parametrize("most", [7, 1000, 5000, 40_000])
def test_no_id_is_forgotten_that_is_not_older(most: int) -> None:
    rng, store, at = Random(most), EventStore(), 0
    while at < COUNT:
        count = min(rng.randint(1, most), COUNT - at)
        times = np.arange(at, at + count, dtype=np.int64) // 3 * 3 * STEP_US  # three at a time
        now = int(times[0])
        store.forget(now - KEPT_US)
        assert store.base == 0 or (store.base - 1) // 3 * 3 * STEP_US < now - KEPT_US
        store.append(block(at, count), times)
        at += count
        if rng.random() < 0.02:
            store = EventStore.from_arrays(store.export())
        for ordinal in (store.base, at - 1, rng.randrange(store.base, at)):
            assert store.ids(np.array([ordinal])) == [f"e{ordinal}"]
        assert store.next == at
    assert store.base > COUNT // 3  # some were forgotten
    assert store.ids(np.array([store.base - 1])) == []


def test_what_is_held_is_the_ids_alone() -> None:
    store = EventStore()
    for at in range(0, COUNT, 10_000):
        times = np.arange(at, at + 10_000, dtype=np.int64)
        store.append(block(at, 10_000), times)
    assert store.bytes_held() < 1.6 * COUNT * (8 + len("e300000"))
