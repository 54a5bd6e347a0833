"""The collector rests while a batch is decided, and is left as it was found."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from regtech.collector import collector_paused, set_apart


@pytest.fixture(scope="module", autouse=True)
def set_apart_again() -> Iterator[None]:
    """What was set apart before all tests is so afterwards: these tests let go of it."""
    yield
    gc.freeze()


def test_it_rests_within_and_runs_afterwards() -> None:
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_a_server_has_set_apart_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regtech.collector._stays", False)  # as it was, at the end
    set_apart()
    try:
        frozen = gc.get_freeze_count()
        with collector_paused():
            pass
        assert gc.get_freeze_count() > frozen // 2 > 0
    finally:
        gc.unfreeze()


def test_what_a_batch_leaves_is_not_young(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regtech.collector._stays", False)  # whatever ran before in this process
    with collector_paused():
        kept = [[number] for number in range(2000)]
    young = {id(one) for one in gc.get_objects(generation=0)}
    assert not any(id(one) in young for one in kept)
