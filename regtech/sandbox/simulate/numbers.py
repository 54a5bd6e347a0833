"""Random numbers by place, not by turn: a pure function of seed, stream and index."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]

_GAMMA: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1


def _mix(value: UInt64) -> UInt64:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit depends on every bit."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


class Numbers:
    """A source of numbers; ``stream`` names their use, so that no two uses get the same."""

    def __init__(self, seed: int, stream: str) -> None:
        state = seed & _MASK
        for byte in stream.encode():
            state = (state ^ byte) * _GAMMA & _MASK
            state ^= state >> 29
        self._base = np.uint64(state)

    def bits(self, index: npt.NDArray[Any], use: int = 0) -> UInt64:
        """64 random bits for each index; ``use`` tells several numbers for one index apart."""
        offset = np.uint64(use * 0xD1B54A32D192ED03 & _MASK)
        counter = index.astype(np.uint64) * np.uint64(_GAMMA)
        return _mix(_mix(counter ^ self._base) + offset)

    def below(self, index: npt.NDArray[Any], bound: int | Int64, use: int = 0) -> Int64:
        """Whole numbers from 0 up to and without ``bound`` (at most 2**31)."""
        high = self.bits(index, use) >> np.uint64(33)
        limit = np.asarray(bound, np.uint64)
        return ((high * limit) >> np.uint64(31)).astype(np.int64)

    def choice(self, index: npt.NDArray[Any], weights: tuple[int, ...], use: int = 0) -> Int64:
        """Positions in ``weights``, each as often as its weight says."""
        steps = np.cumsum(np.asarray(weights, np.int64))
        drawn = self.below(index, int(steps[-1]), use)
        return np.searchsorted(steps, drawn, side="right").astype(np.int64)
