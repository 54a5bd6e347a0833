"""Rings of cross-holdings: ``y = b + W^T y`` exactly, and fast with a proof.

``W`` has non-negative entries and rows of at most one. Where something leaves every ring, ``I - W``
is a non-singular M-matrix and its inverse has no negative entry (Berman and Plemmons, Nonnegative
Matrices in the Mathematical Sciences, chapter 6). So whatever ``y`` leaves a residual
``b - (I - W^T) y`` without negative entries is nowhere too large, and all that is missing is what
the residual still has to give away: at most its sum.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np

from detectors.ownership.terms import WHOLE

Inside = list[list[tuple[int, int]]]
"""By member: (member, weight times ``WHOLE``) of its owners in the same ring."""

DENSE_MAX: Final = 400
"""Members up to which a ring is solved by elimination; larger ones by repeated sweeps."""
SWEEPS: Final = 400
ROUNDS: Final = 6
_BELOW: Final = 1 - 2.0**-30
"""A solution in floating point is taken this much smaller: its error is less than that."""


def closed(inside: Inside) -> bool:
    """Whether nothing leaves the ring."""
    return all(sum(weight for _, weight in out) == WHOLE for out in inside)


def solve_exact(inflow: list[Fraction], inside: Inside) -> list[Fraction] | None:
    """What comes to each member in all, by elimination in fractions; None for a closed ring.

    Members with few neighbours go first, so that the rows stay short.
    """
    if closed(inside):
        return None
    size = len(inflow)
    rows: list[dict[int, Fraction]] = [{k: Fraction(1)} for k in range(size)]
    for member, out in enumerate(inside):
        for to, weight in out:
            rows[to][member] = rows[to].get(member, Fraction(0)) - Fraction(weight, WHOLE)
    values = list(inflow)
    left = set(range(size))
    done: list[int] = []
    users: list[set[int]] = [set() for _ in range(size)]
    for number, row in enumerate(rows):
        for column in row:
            users[column].add(number)
    while left:
        pivot = min(left, key=lambda k: (len(rows[k]) * len(users[k]), k))
        left.discard(pivot)
        done.append(pivot)
        divisor = rows[pivot].pop(pivot)
        row = {column: value / divisor for column, value in rows[pivot].items()}
        values[pivot] /= divisor
        rows[pivot] = row
        for other in [k for k in users[pivot] if k in left]:
            factor = rows[other].pop(pivot)
            values[other] -= factor * values[pivot]
            target = rows[other]
            for column, value in row.items():
                changed = target.get(column, Fraction(0)) - factor * value
                target[column] = changed
                users[column].add(other)
        for column in row:
            users[column].discard(pivot)
    for pivot in reversed(done):
        for column, value in rows[pivot].items():
            values[pivot] -= value * values[column]
    return values


def solve_fixed(inflow: list[int], inside: Inside) -> tuple[list[int], int] | None:
    """Lower bounds of what comes to each member, and how much is missing in all at most."""
    if closed(inside):
        return None
    found = [0] * len(inflow)
    residual = [WHOLE * value for value in inflow]  # exact: times WHOLE
    solver = _solver(inside)
    for _ in range(ROUNDS):
        peak = max(residual)
        if peak <= WHOLE:
            break
        # Floating point only guesses; the residual below is exact.
        scale = peak >> 60 or 1
        guess = solver(np.array([value // scale for value in residual], np.float64))
        tried = None
        for below in (_BELOW, 1 - 2.0**-12, 0.5):
            step = [int(value * below) * scale // WHOLE for value in guess.tolist()]
            tried = _after(residual, step, inside)
            if min(tried) >= 0 and min(step) >= 0:
                break
            tried = None
        if tried is None:
            step = [value // WHOLE for value in residual]  # what is there is certainly there
            tried = _after(residual, step, inside)
        found = [value + more for value, more in zip(found, step, strict=True)]
        residual = tried
    return found, -(-sum(residual) // WHOLE) + len(found)


def _after(residual: list[int], step: list[int], inside: Inside) -> list[int]:
    """The residual after ``step`` more came to each member."""
    after = [value - WHOLE * more for value, more in zip(residual, step, strict=True)]
    for member, out in enumerate(inside):
        more = step[member]
        if more:
            for to, weight in out:
                after[to] += more * weight
    return after


class _solver:
    """A guess at ``(I - W^T)^-1 b`` in floating point."""

    def __init__(self, inside: Inside) -> None:
        size = len(inside)
        self._from = np.array([m for m, out in enumerate(inside) for _ in out], np.int64)
        self._to = np.array([to for out in inside for to, _ in out], np.int64)
        self._weights = np.array([w / WHOLE for out in inside for _, w in out], np.float64)
        self._size = size
        self._matrix = None
        if size <= DENSE_MAX:
            matrix = np.eye(size)
            np.subtract.at(matrix, (self._to, self._from), self._weights)
            self._matrix = matrix

    def __call__(self, wanted: np.ndarray) -> np.ndarray:
        if self._matrix is not None:
            try:
                return np.linalg.solve(self._matrix, wanted)
            except np.linalg.LinAlgError:
                return np.zeros(self._size)
        found = np.array(wanted)
        for _ in range(SWEEPS):
            moved = np.bincount(self._to, self._weights * found[self._from], self._size)
            found = wanted + moved
        return found
