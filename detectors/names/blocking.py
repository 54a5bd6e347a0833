"""Which listed names are worth comparing: an index by rare trigrams and by how words sound.

Two searches, each giving the best few dozen rows, joined. Trigrams find slips, words written as one
and word order; sounds and groups of equal words find other spellings, scripts without vowels and
nicknames. What neither finds among its best is not compared: ``benchmarks/names.py`` measures how
often that loses what comparing with everything finds.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.names.analysis import TOKEN_MAX, TOKENS_MAX
from detectors.names.columns import Names, Words
from detectors.names.tables import GROUPS_MAX
from regtech.columns.jit import kernel

GRAMS: Final = 37**3
GRAMS_MAX: Final = TOKENS_MAX * TOKEN_MAX
LITTLE: Final = 0.13
"""Words that weigh no more (particles, titles) do not lead to names."""
BINS: Final = 256


class Index(NamedTuple):
    """Postings: rows by trigram, rows by word, words by skeleton, words by group."""

    gram_starts: NDArray[np.int64]  # [GRAMS + 1]
    gram_rows: NDArray[np.int32]
    gram_weights: NDArray[np.float32]  # rarity of each trigram
    row_gram_weights: NDArray[np.float32]
    word_starts: NDArray[np.int64]
    word_rows: NDArray[np.int32]
    bone_keys: NDArray[np.int64]  # sorted, distinct
    bone_starts: NDArray[np.int64]
    bone_words: NDArray[np.int32]
    group_starts: NDArray[np.int64]  # by group number
    group_words: NDArray[np.int32]
    row_word_weights: NDArray[np.float32]


class Places(NamedTuple):
    """Scratch of a search; one for each thread."""

    total: NDArray[np.float32]
    best: NDArray[np.float32]
    touched: NDArray[np.int32]
    found: NDArray[np.int32]
    share: NDArray[np.float32]
    bins: NDArray[np.int32]
    grams: NDArray[np.int64]


def places_for(rows: int) -> Places:
    """Fresh scratch for an index of so many rows."""
    size = max(rows, 1)
    return Places(
        np.zeros(size, np.float32),
        np.zeros(size, np.float32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.float32),
        np.zeros(BINS + 1, np.int32),
        np.zeros(GRAMS_MAX, np.int64),
    )


@kernel(nrt=False)
def row_grams(words: Any, names: Any, row: int, out: Any) -> int:
    """Distinct trigrams of the words of a row, a blank at both ends of each; how many."""
    count = 0
    for at in range(names.starts[row], names.starts[row + 1]):
        word = names.words[at]
        size = words.lengths[word]
        for k in range(size if size > 1 else 0):
            first = 0 if k == 0 else words.codes[word, k - 1]
            last = 0 if k == size - 1 else words.codes[word, k + 1]
            gram = (first * 37 + np.int64(words.codes[word, k])) * 37 + last
            new = True
            for j in range(count):
                if out[j] == gram:
                    new = False
                    break
            if new and count < GRAMS_MAX:
                out[count] = gram
                count += 1
    return count


@kernel(nrt=False)
def _all_grams(words: Any, names: Any, grams: Any, counts: Any, out: Any) -> int:
    total = 0
    for row in range(len(names.starts) - 1):
        count = row_grams(words, names, row, grams)
        counts[row] = count
        for k in range(count):
            out[total] = grams[k]
            total += 1
    return total


def build_index(words: Words, names: Names) -> Index:
    """The index of all rows."""
    rows = len(names.starts) - 1
    spare = np.zeros(GRAMS_MAX, np.int64)
    counts = np.zeros(max(rows, 1), np.int64)
    letters = int(words.lengths[names.words].sum()) if len(names.words) else 0
    flat = np.zeros(letters + 1, np.int64)
    flat = flat[: _all_grams(words, names, spare, counts, flat)]
    counts = counts[:rows]
    owners = np.repeat(np.arange(rows, dtype=np.int32), counts)
    gram_starts, gram_rows = _postings(flat, owners, GRAMS)
    df = np.diff(gram_starts)
    gram_weights = np.log(1 + rows / np.maximum(df, 1)).astype(np.float32)

    sizes = np.diff(names.starts)
    word_owners = np.repeat(np.arange(rows, dtype=np.int32), sizes)
    word_starts, word_rows = _postings(
        names.words.astype(np.int64), word_owners, len(words.lengths)
    )
    keys, inverse = np.unique(words.bones, return_inverse=True)
    every = np.arange(len(words.lengths), dtype=np.int32)
    bone_starts, bone_words = _postings(inverse.astype(np.int64), every, len(keys))
    in_group = words.groups >= 0
    group_starts, group_words = _postings(
        words.groups[in_group].astype(np.int64),
        np.repeat(every, in_group.sum(axis=1)),
        max(int(words.groups.max(initial=0)) + 1, 1),
    )
    return Index(
        gram_starts,
        gram_rows,
        gram_weights,
        _sums(gram_weights[flat], owners, rows),
        word_starts,
        word_rows,
        keys,
        bone_starts,
        bone_words,
        group_starts,
        group_words,
        _sums(words.weights[names.words], word_owners, rows),
    )


def _postings(
    keys: NDArray[np.int64], values: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(keys, minlength=count), out=starts[1:])
    return starts, values[np.argsort(keys, kind="stable")]


def _sums(values: NDArray[np.float32], owners: NDArray[np.int32], rows: int) -> NDArray[np.float32]:
    return np.bincount(owners, values, minlength=rows).astype(np.float32)


@kernel(nrt=False)
def _take_best(
    touched: int, most: int, asked: float, weights: Any, live: Any, p: Any, found: int
) -> int:
    """Add the best rows of a search to ``p.found``; leaves ``p.total`` clean.

    A row's share is what it has in common over the mean weight of row and question. Rows are cut
    off by a histogram, so that all rows of one share are in or out together.
    """
    for b in range(BINS + 1):
        p.bins[b] = 0
    for k in range(touched):
        row = p.touched[k]
        share = 2.0 * p.total[row] / (asked + weights[row]) if live[row] else -1.0
        p.total[row] = 0.0
        p.share[k] = share
        if share >= 0.0:
            p.bins[min(BINS - 1, int(share * (BINS - 1)))] += 1
    kept = 0
    cut = BINS
    while cut > 0 and kept + p.bins[cut - 1] <= most:
        cut -= 1
        kept += p.bins[cut]
    if kept == 0 and cut > 0:
        cut -= 1
    for k in range(touched):
        if p.share[k] >= 0.0 and min(BINS - 1, int(p.share[k] * (BINS - 1))) >= cut:
            row = p.touched[k]
            if p.best[row] == 0.0:
                p.best[row] = 1.0
                p.found[found] = row
                found += 1
    return found


@kernel(nrt=False)
def _spread(index: Any, word: int, weight: float, p: Any, touched: int) -> int:
    for k in range(index.word_starts[word], index.word_starts[word + 1]):
        row = index.word_rows[k]
        if p.total[row] == 0.0:
            p.touched[touched] = row
            touched += 1
            p.total[row] = 1e-6
        p.share[row] = max(p.share[row], weight)
    return touched


@kernel(nrt=False)
def find_rows(
    qw: Any, qn: Any, words: Any, index: Any, live: Any, grams_most: int, words_most: int, p: Any
) -> int:
    """Rows to compare with row 0 of ``qn``, into ``p.found``; how many.

    ``live``: whether a row is asked for at all. ``p.total``, ``p.best`` and ``p.share`` are left
    as they were found: zero.
    """
    count = row_grams(qw, qn, 0, p.grams)
    touched = 0
    asked = 0.0
    for k in range(count):
        gram = p.grams[k]
        weight = index.gram_weights[gram]
        asked += weight
        for at in range(index.gram_starts[gram], index.gram_starts[gram + 1]):
            row = index.gram_rows[at]
            if p.total[row] == 0.0:
                p.touched[touched] = row
                touched += 1
            p.total[row] += weight
    found = _take_best(touched, grams_most, asked, index.row_gram_weights, live, p, 0)
    for k in range(touched):
        p.share[k] = 0.0

    touched = 0
    asked = 0.0
    heaviest = 0.0
    for at in range(qn.starts[0], qn.starts[1]):
        heaviest = max(heaviest, float(qw.weights[qn.words[at]]))
    for at in range(qn.starts[0], qn.starts[1]):
        word = qn.words[at]
        weight = qw.weights[word]
        if weight <= LITTLE and heaviest > LITTLE:
            continue
        asked += weight
        low, high = 0, len(index.bone_keys)
        while low < high:
            middle = (low + high) // 2
            if index.bone_keys[middle] < qw.bones[word]:
                low = middle + 1
            else:
                high = middle
        if low < len(index.bone_keys) and index.bone_keys[low] == qw.bones[word]:
            for k in range(index.bone_starts[low], index.bone_starts[low + 1]):
                other = index.bone_words[k]
                same = qw.lengths[word] == words.lengths[other]
                if same:
                    for letter in range(qw.lengths[word]):
                        if qw.codes[word, letter] != words.codes[other, letter]:
                            same = False
                            break
                touched = _spread(index, other, weight if same else 0.8 * weight, p, touched)
        for g in range(GROUPS_MAX):
            group = qw.groups[word, g]
            if group < 0 or group >= len(index.group_starts) - 1:
                continue
            for k in range(index.group_starts[group], index.group_starts[group + 1]):
                touched = _spread(index, index.group_words[k], 0.85 * weight, p, touched)
        for k in range(touched):
            row = p.touched[k]
            p.total[row] += p.share[row]
            p.share[row] = 0.0
    found = _take_best(touched, words_most, asked, index.row_word_weights, live, p, found)
    for k in range(touched):
        p.share[k] = 0.0
    for k in range(found):
        p.best[p.found[k]] = 0.0
    return found
