"""Lent arrays are used again when nobody looks at them any more, and never before."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import pytest

from regtech.columns.lending import Int64, Lender

ROWS, WIDTH = 8, 1 << 14


def address(array: Int64) -> int:
    return int(array.__array_interface__["data"][0])


def test_what_came_back_is_lent_again() -> None:
    lender = Lender()
    first = lender.lend(ROWS, WIDTH)
    place = address(first)
    assert first.shape == (ROWS, WIDTH) and first.flags.c_contiguous and first.flags.writeable
    del first
    assert address(lender.lend(ROWS, WIDTH - 1)) == place


@pytest.mark.parametrize(
    "view",
    [
        lambda array: array,
        lambda array: array[3, 5:9],
        lambda array: array.reshape(-1)[7:],
        lambda array: array.T[::2].view(np.uint64),
        lambda array: memoryview(array[2]),
    ],
)
def test_while_a_view_is_held_nobody_else_gets_it(view: Callable[[Int64], object]) -> None:
    lender = Lender()
    array = lender.lend(ROWS, WIDTH)
    array[:] = 1
    held = view(array)
    del array
    gc.collect()
    for _ in range(3):
        other = lender.lend(ROWS, WIDTH)
        other[:] = 2
        del other
    assert np.asarray(held).min() == np.asarray(held).max() == 1


def test_a_larger_one_is_new_and_only_some_are_kept() -> None:
    lender = Lender(most=2)
    arrays = [lender.lend(ROWS, WIDTH) for _ in range(4)]
    places = [address(array) for array in arrays]
    assert len(set(places)) == 4
    while arrays:
        arrays.pop(0)
    larger = lender.lend(ROWS, 2 * WIDTH)
    assert larger.size == 2 * ROWS * WIDTH and address(larger) not in places[2:]
    again = [lender.lend(ROWS, WIDTH) for _ in range(2)]
    assert {address(array) for array in again} == set(places[2:])


def test_small_ones_are_plain() -> None:
    assert Lender().lend(3, 5).base is None
