"""Arrays that become longer where they are."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt


def longer(array: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    """The array with room for ``length``; new places are 0.

    In place where it owns its memory, so that what is large is not held twice: no view of it, and
    no address in it, may be in use any more.
    """
    if not array.flags.owndata:
        array = array.copy()
    if len(array) < length:
        array.resize(length, refcheck=False)
    return array
