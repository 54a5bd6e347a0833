"""How alike two words are: kernels over their letters, without allocation."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from regtech.columns.jit import inline_kernel, kernel

FULL: Final = 10
"""Cost of a letter that is missing, more, or another one; likely slips cost less."""
EXCHANGED: Final = 7
DOUBLED: Final = 3
PLACES: Final = 63
"""Letters of a text written without blanks that are compared."""
ZERO: Final = np.uint64(0)
ONE: Final = np.uint64(1)
ONES: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_DROPPED: Final = {"a": 6, "e": 5, "i": 6, "o": 6, "u": 6, "h": 4, "y": 6, "w": 7}
# Letters that stand for one another between spellings of one name.
_NEAR: Final = (
    ("aeiou", 5), ("iy", 2), ("ij", 5), ("ckq", 3), ("sz", 4), ("cs", 4), ("vw", 2), ("bv", 4),
    ("fv", 4), ("gj", 4), ("jy", 5), ("dt", 5), ("bp", 5), ("gk", 5), ("gq", 4), ("gh", 5),
    ("kh", 5), ("uw", 4), ("uv", 6), ("ou", 3), ("ei", 3), ("ae", 3), ("mn", 8), ("jz", 5),
    ("fp", 5), ("xz", 6), ("lr", 7), ("dz", 6),
)  # fmt: skip


def _number(letter: str) -> int:
    return ord(letter) - 96


def _costs() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    replaced = np.full((40, 40), FULL, np.int32)
    for letters, cost in _NEAR:
        for one in letters:
            for other in letters:
                at = _number(one), _number(other)
                replaced[at] = min(replaced[at], cost)
    np.fill_diagonal(replaced, 0)
    dropped = np.full(40, FULL, np.int32)
    for letter, cost in _DROPPED.items():
        dropped[_number(letter)] = cost
    return replaced, dropped


REPLACED, DROPPED = _costs()
VOWEL_BITS: Final = np.int64(sum(1 << _number(letter) for letter in "aeiou"))
"""A bit for the number of each vowel."""


def _near_letters() -> NDArray[np.int64]:
    bits = np.int64(1) << np.arange(len(REPLACED), dtype=np.int64)
    return np.asarray(((REPLACED < FULL) * bits).sum(axis=1), np.int64)


NEAR_LETTERS: Final = _near_letters()
"""For each letter the bits of those that it is cheaply replaced by, itself among them."""


@inline_kernel(nrt=False, inner=True)
def _lone_letters(a: Any, row_a: int, la: int, b: Any, row_b: int, lb: int) -> int:
    """What the letters of a word cost that the other word has neither itself nor one near it."""
    near: Any = np.int64(0)
    for j in range(lb):
        near |= NEAR_LETTERS[b[row_b, j]]
    cost = 0
    for i in range(la):
        letter = a[row_a, i]
        bit = np.int64(1) << np.int64(letter)
        if near & bit == 0:
            near |= bit  # a letter written twice costs less the second time
            cost += DROPPED[letter]
    return cost


@kernel(nrt=False)
def spelling_cost(
    a: Any, row_a: int, la: int, b: Any, row_b: int, lb: int, most: int, rows: Any
) -> int:
    """Least cost of turning word ``a[row_a]`` into ``b[row_b]``; ``most + 1`` if above ``most``.

    Optimal string alignment (insert, drop, replace, exchange neighbours) with costs by letter.
    ``la``, ``lb``: lengths in letters. ``rows``: int32[3, letters + 2], scratch.
    """
    if _lone_letters(a, row_a, la, b, row_b, lb) > most:
        return most + 1
    if _lone_letters(b, row_b, lb, a, row_a, la) > most:
        return most + 1
    before, last, now = 0, 1, 2
    rows[last, 0] = 0
    for j in range(1, lb + 1):
        other = b[row_b, j - 1]
        cost = DROPPED[other]
        if j > 1 and other == b[row_b, j - 2]:
            cost = DOUBLED
        rows[last, j] = rows[last, j - 1] + cost
    for i in range(1, la + 1):
        letter = a[row_a, i - 1]
        gone = DROPPED[letter]
        if i > 1 and letter == a[row_a, i - 2]:
            gone = DOUBLED
        rows[now, 0] = rows[last, 0] + gone
        least = rows[now, 0]
        for j in range(1, lb + 1):
            other = b[row_b, j - 1]
            come = DROPPED[other]
            if j > 1 and other == b[row_b, j - 2]:
                come = DOUBLED
            best = rows[last, j - 1] + REPLACED[letter, other]
            best = min(best, rows[last, j] + gone)
            best = min(best, rows[now, j - 1] + come)
            if i > 1 and j > 1 and letter == b[row_b, j - 2] and a[row_a, i - 2] == other:
                if letter != other:
                    best = min(best, rows[before, j - 2] + EXCHANGED)
            rows[now, j] = best
            least = min(least, best)
        if least > most:
            return most + 1
        before, last, now = last, now, before
    return int(min(rows[last, lb], most + 1))


@kernel(nrt=False, inner=True)
def common_length(masks: Any, which: int, b: Any, lb: int) -> int:
    """Length of the longest common subsequence of two texts, by bits of one word.

    ``masks[which, code]`` has bit i where the first text has ``code`` at place i, of at most 63.
    Hyyrö, "Bit-parallel LCS-length computation revisited" (2004).
    """
    state = ONES
    for j in range(lb):
        matched = state & masks[which, b[j]]
        state = (state + matched) | (state - matched)
    count = 0
    state = ~state
    while state != ZERO:
        state &= state - ONE
        count += 1
    return count


@inline_kernel(nrt=False)
def bit_count(bits: Any) -> int:
    """How many bits are set, of at most a score or so."""
    count = 0
    while bits != 0:
        bits &= bits - 1
        count += 1
    return count
