"""What differs between two texts, line by line, for a page."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final

LINES_MAX: Final = 20_000
"""Longer texts are not compared: it takes more than in proportion to their length."""
AROUND: Final = 3
SIGNS_MAX: Final = 400
"""Of a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """``kind``: same, added or removed. Numbers from 1, 0 where the line is not in that text."""

    kind: str
    before: int
    after: int
    text: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Runs of lines around what differs, and how many were added and removed in all."""

    runs: tuple[tuple[Line, ...], ...]
    added: int
    removed: int


def differences(before: str, after: str) -> Differences | None:
    """What differs; None where the texts are too long to be compared."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) + len(new) > LINES_MAX:
        return None
    runs = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=True)
    for group in matcher.get_grouped_opcodes(AROUND):
        run: list[Line] = []
        for tag, a, a_end, b, b_end in group:
            if tag == "equal":
                run += [
                    Line("same", a + k + 1, b + k + 1, _cut(old[a + k])) for k in range(a_end - a)
                ]
                continue
            run += [Line("removed", n + 1, 0, _cut(old[n])) for n in range(a, a_end)]
            run += [Line("added", 0, n + 1, _cut(new[n])) for n in range(b, b_end)]
        runs.append(tuple(run))
    every = [line.kind for run in runs for line in run]
    return Differences(tuple(runs), every.count("added"), every.count("removed"))


def _cut(text: str) -> str:
    return text if len(text) <= SIGNS_MAX else text[:SIGNS_MAX] + "…"
