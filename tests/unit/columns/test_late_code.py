"""Machine code is made of what is called from outside; the rest is taken in by its callers."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

from regtech.columns.jit import kernel


@kernel(inner=True)
def _checked(x: int) -> int:
    if x < 0:
        raise ValueError("below nothing")
    return x + 1


@kernel(inner=True)
def _twice(x: int) -> int:
    return _checked(x) * 2


@numba.njit  # not a kernel: those are kept from run to run
def _sum_of(values: Any) -> int:
    total = 0
    for value in values:
        total += _twice(value) + _checked(value)
    return total


def _wait(function: Any) -> set[bool]:
    """Whether there is machine code yet, of each choice of types."""
    return {made.library.waits for made in function.overloads.values()}


def test_there_is_machine_code_only_of_what_is_called() -> None:
    assert _sum_of(np.arange(4)) == 30
    assert [_wait(function) for function in (_sum_of, _twice, _checked)] == [
        {False},
        {True},
        {True},
    ]
    # Asked for its address it is there, and what took it in before still works.
    checked: Any = _checked
    (made,) = checked.overloads.values()
    assert made.library.get_pointer_to_function(made.fndesc.llvm_func_name) != 0
    assert _wait(_checked) == {False}
    assert made.library.get_pointer_to_function("no_such_function") == 0
    assert _sum_of(np.arange(5)) == 45


def test_what_is_raised_within_comes_out() -> None:
    with pytest.raises(ValueError, match="below nothing"):
        _sum_of(np.array([1, -1]))
