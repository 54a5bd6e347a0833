"""Which listed names are worth comparing: an index by rare trigrams, by words and by consonants.

Three searches, each giving its best rows, joined. Trigrams of the whole name find slips across
words and words written as one. The search by words finds for every word asked the listed words that
are the same, sound alike, mean the same or share pairs of letters, each as alike as
``word_likeness`` says itself (so that a slip in a word of three letters is found, and what an index
of consonants takes for the same is not), and ranks rows by what of both names is covered; two words
written as one and initials are words to it as well. The consonants of the whole name find names in
scripts without vowels. What none of them finds among its best is not compared:
``benchmarks/names.py`` measures how often that loses what comparing with everything finds.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.names.columns import NO_VOWELS
from detectors.names.features import prepare, remember, word_likeness
from detectors.names.index import (
    GRAMS,
    GRAMS_MAX,
    JOINED_MAX,
    bone_grams,
    initials_key,
    joined_bones,
    letter_pairs,
    row_grams,
    word_key,
)
from detectors.names.tables import GROUPS_MAX
from regtech.columns.jit import inline_kernel, kernel

LITTLE: Final = 0.13
"""Words that weigh no more (particles, titles) do not lead to names."""
BINS: Final = 256
PAIRS_SHARED: Final = 0.4
PAIRS_SHARED_LONG: Final = 0.46
"""Words with a smaller share of their pairs of letters in common are not spelled alike: a slip in a
word of three letters leaves this much. ``_LONG``: of words of more than five letters."""
ALWAYS: Final = 0.75
"""Rows that are covered so far are compared even where there are more than asked for..."""
ALWAYS_TIMES: Final = 5
"""...up to so many times as many."""
LONGER: Final = 0.3
"""How much the longer of two names counts for what they share; 0.5 would be half."""
GRAMS_LEAST: Final = 0.3
WORDS_LEAST: Final = 0.35
BONES_LEAST: Final = 0.4
"""Rows that share less in a search are not worth comparing, however few there are."""
BARE_ROWS: Final = 12
"""So many names without vowels are compared by their consonants alone."""
INITIALS: Final = 3.0
"""What a name that is the initials of the other counts for it, in words."""
SAME_BONES: Final = 0.8
"""How alike words of the same consonants are taken to be where a name has no vowels."""
JOINED_BONES: Final = 0.8


class Places(NamedTuple):
    """Scratch of a search; one for each thread."""

    total: NDArray[np.float32]
    best: NDArray[np.float32]
    touched: NDArray[np.int32]
    found: NDArray[np.int32]
    share: NDArray[np.float32]
    bins: NDArray[np.int32]
    grams: NDArray[np.int64]
    word_hits: NDArray[np.uint8]
    word_touched: NDArray[np.int32]
    stamp: NDArray[np.int64]  # [rows], the turn in which a row's share was set
    turn: NDArray[np.int64]  # [1]


def places_for(rows: int, words: int) -> Places:
    """Fresh scratch for an index of so many rows and distinct words."""
    size = max(rows, 1)
    return Places(
        np.zeros(size, np.float32),
        np.zeros(size, np.float32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.float32),
        np.zeros(BINS + 1, np.int32),
        np.zeros(GRAMS_MAX, np.int64),
        np.zeros(max(words, 1), np.uint8),
        np.zeros(max(words, 1), np.int32),
        np.zeros(size, np.int64),
        np.zeros(1, np.int64),
    )


@inline_kernel(nrt=False, inner=True)
def _least_total(least: float, asked: float) -> float:
    """Rows with less in common than this come out below ``least`` in ``_take_best``, whatever else
    they have: their own weight is what is in common or more."""
    lowest = int(least * (BINS - 1)) / (BINS - 1)
    return 0.999 * asked * LONGER * lowest / (1 - (1 - LONGER) * lowest)


@inline_kernel(nrt=False, inner=True)
def _sort_by(keys: Any, values: Any, count: int) -> None:
    """``keys[:count]`` in the order of what ``values`` has for them, the greatest first."""
    for k in range(1, count):
        key = keys[k]
        at = k
        while at > 0 and values[keys[at - 1]] < values[key]:
            keys[at] = keys[at - 1]
            at -= 1
        keys[at] = key


@kernel(nrt=False, inner=True)
def _take_best(
    touched: int,
    most: int,
    least: float,
    reach: float,
    asked: float,
    weights: Any,
    live: Any,
    p: Any,
    found: int,
) -> int:
    """Add the best rows of a search to ``p.found``; leaves ``p.total`` and ``p.share`` clean.

    A row's share is what it has in common over the weight of the shorter of row and question, the
    longer one counting a little: a name within a longer one is not far down. Rows are cut
    off by a histogram, so that all rows of one share are in or out together: of those that share
    most all are in, of the bin in which ``most`` is reached none, unless it is far up. ``reach``:
    with less in common no row has a share of ``least``.
    """
    for b in range(BINS + 1):
        p.bins[b] = 0
    left = 0
    for k in range(touched):
        row = p.touched[k]
        total = float(p.total[row])
        p.total[row] = 0.0
        if total < reach or not live[row]:
            continue
        less, more = min(asked, float(weights[row])), max(asked, float(weights[row]))
        share = min(1.0, total / ((1 - LONGER) * less + LONGER * more + 1e-6))
        p.touched[left] = row
        p.share[left] = share
        p.bins[int(share * (BINS - 1))] += 1
        left += 1
    kept = 0
    cut = BINS
    lowest = int(least * (BINS - 1))
    while cut > lowest and kept + p.bins[cut - 1] <= most:
        cut -= 1
        kept += p.bins[cut]
    while cut > ALWAYS * (BINS - 1) and kept + p.bins[cut - 1] <= ALWAYS_TIMES * most:
        cut -= 1
        kept += p.bins[cut]
    if kept == 0 and cut > lowest:
        cut -= 1
    for k in range(left):
        if int(p.share[k] * (BINS - 1)) >= cut:
            row = p.touched[k]
            if p.best[row] == 0.0:
                p.best[row] = 1.0
                p.found[found] = row
                found += 1
    return found


@inline_kernel(nrt=False, inner=True)
def _spread_row(row: int, weight: float, p: Any, touched: int) -> int:
    """Give a row this much for the word of this turn, if it has not got more for it yet."""
    if p.total[row] == 0.0:
        p.touched[touched] = row
        touched += 1
    if p.stamp[row] != p.turn[0]:
        p.stamp[row] = p.turn[0]
        p.share[row] = 0.0
    if weight > p.share[row]:
        p.total[row] += weight - p.share[row]
        p.share[row] = weight
    return touched


@inline_kernel(nrt=False)
def _spread(index: Any, word: int, weight: float, p: Any, touched: int) -> int:
    for k in range(index.word_starts[word], index.word_starts[word + 1]):
        touched = _spread_row(index.word_rows[k], weight, p, touched)
    return touched


@inline_kernel(nrt=False, inner=True)
def _spread_rows(index: Any, place: int, weight: float, p: Any, touched: int) -> int:
    for k in range(index.joined_starts[place], index.joined_starts[place + 1]):
        touched = _spread_row(index.joined_rows[k], weight, p, touched)
    return touched


@inline_kernel(nrt=False, inner=True)
def _place_of(keys: Any, key: int) -> int:
    """Where a key stands in sorted ``keys``; -1 where it does not."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low if key != 0 and low < len(keys) and keys[low] == key else -1


@kernel(nrt=False, inner=True)
def _spread_alike(
    qw: Any,
    word: int,
    place: int,
    weight: float,
    words: Any,
    other: int,
    index: Any,
    p: Any,
    s: Any,
    touched: int,
) -> int:
    """Rows of a listed word, by how alike it is to a word of the question.

    ``place``: where the word stands, -1 if what is found about it is of no use to the comparison.
    """
    no: Any = np.bool_(False)
    alike, how = word_likeness(qw, word, words, other, no, s.rows)
    if place >= 0:
        remember(s, place, other, alike, how)
    if alike > 0.0:
        mean = 0.5 * (weight + float(words.weights[other]))
        touched = _spread(index, other, mean * alike, p, touched)
    return touched


@kernel(nrt=False, inner=True)
def _spread_spelled(
    qw: Any,
    word: int,
    place: int,
    weight: float,
    words: Any,
    index: Any,
    p: Any,
    s: Any,
    touched: int,
) -> int:
    """Rows of the words that are spelled like a word; ``place``: where it stands, -1 if what is
    found about it is of no use to the comparison."""
    count = letter_pairs(qw, word, p.grams)
    _sort_by(p.grams, index.pair_rarity, count)
    size = qw.lengths[word]
    least = PAIRS_SHARED if size < 6 else PAIRS_SHARED_LONG
    # A word that shares only as many pairs as are left shares too few: the commonest lead to none.
    needed = int(np.ceil(0.5 * least * (size + 0.24 * size + 2) - 1e-6))
    seen = 0
    for k in range(count):
        pair = p.grams[k]
        leads = count - k >= needed
        for at in range(index.pair_starts[pair], index.pair_starts[pair + 1]):
            other = index.pair_words[at]
            if p.word_hits[other] == 0:
                if not leads:
                    continue
                p.word_touched[seen] = other
                seen += 1
            p.word_hits[other] += 1
    for k in range(seen):
        other = int(p.word_touched[k])
        shared = p.word_hits[other]
        p.word_hits[other] = 0
        if shared < needed:
            continue
        length = words.lengths[other]
        # What ``word_likeness`` refuses for its length alone is not asked at all.
        if 50 * abs(size - length) > 38 * max(size, length):
            continue
        if 2 * shared >= least * (size + length + 2):
            touched = _spread_alike(qw, word, place, weight, words, other, index, p, s, touched)
    return touched


@kernel(nrt=False)
def find_rows(
    qw: Any,
    qn: Any,
    words: Any,
    index: Any,
    live: Any,
    grams_most: int,
    words_most: int,
    p: Any,
    s: Any,
) -> int:
    """Rows to compare with row 0 of ``qn``, into ``p.found``; how many.

    ``live``: whether a row is asked for at all. Scratch of the search is left as it was found:
    zero. That of the comparison, ``s``, is ready for row 0 and knows which words are alike.
    """
    zero: Any = np.int64(0)  # a number in the call would be compiled for itself
    prepare(qw, qn, zero, s)
    bare = (qn.flags[0] & NO_VOWELS) != 0
    count = row_grams(qw, qn, zero, p.grams)
    _sort_by(p.grams, index.gram_weights, count)
    touched = 0
    asked = 0.0
    for k in range(count):
        asked += index.gram_weights[p.grams[k]]
    reach = _least_total(GRAMS_LEAST, asked)
    rest = asked
    for k in range(count):
        gram = p.grams[k]
        weight = index.gram_weights[gram]
        # Rows that have only as much as is left have too little: the commonest lead to none.
        leads = rest >= reach
        rest -= weight
        for at in range(index.gram_starts[gram], index.gram_starts[gram + 1]):
            row = index.gram_rows[at]
            if p.total[row] == 0.0:
                if not leads:
                    continue
                p.touched[touched] = row
                touched += 1
            p.total[row] += weight
    found = _take_best(
        touched, grams_most, GRAMS_LEAST, reach, asked, index.row_gram_weights, live, p, zero
    )

    touched = 0
    asked = 0.0
    heaviest = 0.0
    for at in range(qn.starts[0], qn.starts[1]):
        heaviest = max(heaviest, float(qw.weights[qn.words[at]]))
    for at in range(qn.starts[0], qn.starts[1]):
        word = int(qn.words[at])
        weight = qw.weights[word]
        if weight <= LITTLE and heaviest > LITTLE:
            continue
        asked += weight
        p.turn[0] += 1
        spot = -1 if bare else at - qn.starts[0]
        place = _place_of(index.joined_keys, word_key(qw, word))
        if place >= 0:
            touched = _spread_rows(index, place, INITIALS * weight, p, touched)
        place = _place_of(index.bone_keys, qw.bones[word])
        if place >= 0:
            for k in range(index.bone_starts[place], index.bone_starts[place + 1]):
                other = int(index.bone_words[k])
                if bare:
                    mean = 0.5 * (weight + float(words.weights[other]))
                    touched = _spread(index, other, SAME_BONES * mean, p, touched)
                    continue
                touched = _spread_alike(qw, word, spot, weight, words, other, index, p, s, touched)
        place = _place_of(index.joined_keys, qw.bones[word])
        if place >= 0:
            touched = _spread_rows(index, place, JOINED_BONES * weight, p, touched)
        for g in range(GROUPS_MAX):
            group = qw.groups[word, g]
            if group < 0 or group >= len(index.group_starts) - 1:
                continue
            for k in range(index.group_starts[group], index.group_starts[group + 1]):
                other = int(index.group_words[k])
                touched = _spread_alike(qw, word, spot, weight, words, other, index, p, s, touched)
        touched = _spread_spelled(qw, word, spot, weight, words, index, p, s, touched)
    for at in range(qn.starts[0], qn.starts[1]):
        weight = JOINED_BONES * float(qw.weights[qn.words[at]])
        p.turn[0] += 1
        for size in range(2, min(JOINED_MAX, qn.starts[1] - at) + 1):
            weight += JOINED_BONES * float(qw.weights[qn.words[at + size - 1]])
            place = _place_of(index.bone_keys, joined_bones(qw, qn, at, size))
            if place >= 0:
                for k in range(index.bone_starts[place], index.bone_starts[place + 1]):
                    touched = _spread(index, index.bone_words[k], weight, p, touched)
    p.turn[0] += 1
    for skip in range(2):
        place = _place_of(index.joined_keys, initials_key(qw, qn, 0, skip == 1))
        if place >= 0:
            touched = _spread_rows(index, place, INITIALS, p, touched)
    found = _take_best(
        touched, words_most, WORDS_LEAST, 0.0, asked, index.row_word_weights, live, p, found
    )

    touched = 0
    count = bone_grams(qw, qn, zero, p.grams)
    for half in range(0 if bare else 1, 2):
        for k in range(count):
            gram = p.grams[k] + half * GRAMS
            for at in range(index.bone_gram_starts[gram], index.bone_gram_starts[gram + 1]):
                row = index.bone_gram_rows[at]
                if p.total[row] == 0.0:
                    p.touched[touched] = row
                    touched += 1
                p.total[row] += 1.0
    most = words_most if bare else BARE_ROWS
    bones = float(count)
    reach = _least_total(BONES_LEAST, bones)
    found = _take_best(
        touched, most, BONES_LEAST, reach, bones, index.row_bone_grams, live, p, found
    )
    for k in range(found):
        p.best[p.found[k]] = 0.0
    return found
