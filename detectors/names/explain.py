"""What made a score: the parts of its log-odds, each with the words it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.names.columns import ORGANISATION, VESSEL, Names, Words
from detectors.names.features import (
    COUNT,
    FEATURES,
    FORM_DIFFERS,
    Scratch,
    native_difference,
    prepare,
)
from detectors.names.scoring import Weights, contribution, score_rows
from detectors.names.tables import Relation

TOLD_MIN: Final = 0.01


@dataclass(frozen=True, slots=True)
class WordPair:
    """Two words that stand for one another; "" on the side that has none.

    ``log_odds``: its share of what the likeness of all words brings (``words`` among the parts).
    """

    left: str
    right: str
    relation: str
    alike: float
    log_odds: float


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the log-odds of a pair; all of them and nothing else add up to it."""

    name: str
    log_odds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of a score, and the words behind ``words``."""

    parts: tuple[Part, ...]
    pairs: tuple[WordPair, ...]

    @property
    def log_odds(self) -> float:
        """The sum of the parts."""
        return sum(part.log_odds for part in self.parts)


WORDS: Final = frozenset(
    {
        "covered_less", "covered_more", "covered_both", "same_less", "said_some", "said_much",
        "said_more", "said_covered", "whole", "slips", "worst_word", "lost_fewer", "lost_other",
        "lost_word", "replaced", "uneven", "other_word", "core", "worst_of_few", "same_said",
        "loose",
    }
)  # fmt: skip
"""Features that say how much of the words is accounted for; told together, as ``words``."""


def explain_pair(
    lw: Words, ln: Names, li: int, rw: Words, rn: Names, ri: int,
    left: list[str], right: list[str], weights: Weights, s: Scratch,
) -> Explanation:  # fmt: skip
    """The parts of one pair; ``left`` and ``right``: the words of both rows as text."""
    prepare(lw, ln, li, s)
    row, out = np.array([ri], np.int32), np.zeros(1)
    score_rows(lw, ln, li, rw, rn, row, 1, weights, s, out)  # leaves the features in ``found``
    odds = float(out[0])
    difference, _ = native_difference(ln, li, rn, ri, s.rows)
    if difference >= 0.0:
        form = float(weights.native[2]) * float(s.found[FORM_DIFFERS])
        parts = [Part("signs", odds - form)]
        if form:
            parts.append(Part("form_differs", form))
        return Explanation(tuple(parts), ())
    if not left or not right:
        return Explanation((Part("no_words", odds),), ())
    kind = 1 if (int(ln.flags[li]) | int(rn.flags[ri])) & (ORGANISATION | VESSEL) else 0
    told = [Part("before", float(weights.bias[kind]))]
    words = 0.0
    for number in range(COUNT):
        value = contribution(weights, kind, number, s.found[number])
        if FEATURES[number] in WORDS:
            words += value
        elif abs(value) >= 1e-9:
            told.append(Part(FEATURES[number], value))
    told.insert(1, Part("words", words))
    return Explanation(tuple(told), _word_pairs(lw, ln, li, rw, rn, ri, left, right, words, s))


def _word_pairs(
    lw: Words, ln: Names, li: int, rw: Words, rn: Names, ri: int,
    left: list[str], right: list[str], total: float, s: Scratch,
) -> tuple[WordPair, ...]:  # fmt: skip
    a0, b0 = int(ln.starts[li]), int(rn.starts[ri])
    found: list[tuple[str, str, int, float, float]] = []
    joined: set[tuple[int, int]] = set()
    for i, word in enumerate(left):
        weight = float(lw.weights[ln.words[a0 + i]])
        j, alike = int(s.at[0, i]), float(s.likeness[0, i])
        if alike == 0.0:
            found.append((word, "", int(Relation.NONE), 0.0, weight))
            continue
        how = int(s.relation[0, i])
        if how == Relation.JOINED:
            if j in {b for _, b in joined}:
                continue
            group = [k for k in range(len(left)) if s.at[0, k] == j and s.relation[0, k] == how]
            others = [k for k in range(len(right)) if s.at[1, k] == i and s.relation[1, k] == how]
            others = others or [j]
            joined.update((i, k) for k in others)
            word = " ".join(left[k] for k in group)
            found.append((word, " ".join(right[k] for k in others), how, alike, 2 * weight))
            continue
        weight += float(rw.weights[rn.words[b0 + j]])
        found.append((word, right[j], how, alike, weight))
    for j, word in enumerate(right):
        if float(s.likeness[1, j]) == 0.0:
            weight = float(rw.weights[rn.words[b0 + j]])
            found.append(("", word, int(Relation.NONE), 0.0, weight))
    # What the words bring together is shared out by weight: what fits its part of the good, what
    # does not its part of the bad.
    sign = np.array([(alike if alike else -1.0) * weight for _, _, _, alike, weight in found])
    good = [v > 0 for v in sign]
    mine = sign * (sign > 0) if total >= 0 else sign * (sign < 0)
    scale = abs(float(mine.sum())) or 1.0
    return tuple(
        WordPair(a, b, Relation(how).name.lower(), round(alike, 3),
                 round(abs(total) * float(mine[n]) / scale, 3))
        for n, (a, b, how, alike, _) in enumerate(found)
        if good[n] or a or b
    )  # fmt: skip
