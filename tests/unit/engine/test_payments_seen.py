"""Payments that were reported are known for 400 days, and may be forgotten when room is needed."""

from __future__ import annotations

import pytest

from regtech.app.choice import chosen_packs
from regtech.engine.kernels import rows as R
from regtech.engine.plan import compile_plan
from regtech.engine.state import State
from regtech.reference.load import Reference

DAY = 86_400_000_000
HOUR = int(R.HOUR_US)
NOW = 20_513 * DAY + 7 * HOUR
HORIZON = NOW - 400 * DAY


@pytest.fixture
def state() -> State:
    packs = tuple(chosen_packs(("cn-aml-large-value",), None))
    return State(compile_plan(packs, Reference.shipped()))


def note(state: State, times: list[int], reporter: int = 0) -> None:
    """A payment of its own at each time, as ``find_edges`` would note it."""
    rows = state.seen_edges.entries.reshape(-1, R.PAYMENT_WORDS)
    for number, time in enumerate(times, 1):
        rows[number] = number, number, (time // HOUR) << R.CODE_BITS | reporter
    state.special[3][2] = len(times)


def hours(state: State) -> list[int]:
    rows = state.seen_edges.entries.reshape(-1, R.PAYMENT_WORDS)
    return sorted((rows[rows[:, 0] != 0, R.PAYMENT_HOUR] >> R.CODE_BITS).tolist())


@pytest.mark.parametrize("reporter", [0, (1 << 31) - 2])
@pytest.mark.parametrize("now", [NOW, -NOW, 0])
def test_growing_forgets_what_is_older_than_400_days_to_the_hour(
    state: State, now: int, reporter: int
) -> None:
    horizon = now - 400 * DAY
    note(state, [horizon - HOUR, horizon - 1, horizon, now, now + DAY], reporter)
    state.room_for_edges(1000, now)
    kept = [horizon // HOUR, now // HOUR, (now + DAY) // HOUR]
    assert hours(state) == kept and state.seen_edges.count == 3


def test_nothing_is_forgotten_while_there_is_room(state: State) -> None:
    note(state, [HORIZON - 1000 * DAY, NOW])
    state.room_for_edges(1, NOW)
    assert state.seen_edges.count == 2


def test_what_grows_stale_later_is_forgotten_later(state: State) -> None:
    """Also where nothing was stale, and where everything was, when it was looked at last."""
    note(state, [NOW, NOW + DAY])
    state.room_for_edges(1000, NOW)
    assert state.seen_edges.count == 2
    state.room_for_edges(9000, NOW + 401 * DAY)
    assert hours(state) == [(NOW + DAY) // HOUR]
    state.room_for_edges(50_000, NOW + 900 * DAY)
    assert state.seen_edges.count == 0
    rows = state.seen_edges.entries.reshape(-1, R.PAYMENT_WORDS)
    rows[7] = 7, 7, ((NOW + 1000 * DAY) // HOUR) << R.CODE_BITS
    state.special[3][2] = 1
    state.room_for_edges(500_000, NOW + 1500 * DAY)
    assert state.seen_edges.count == 0
