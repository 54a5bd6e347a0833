"""The index that names are looked up in: rows by trigram, by word and by consonants.

What leads from a name to rows is made here once for the listed names, and by the same kernels for
the name that is asked; ``blocking.py`` searches.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.names.analysis import TOKEN_MAX, TOKENS_MAX
from detectors.names.columns import NO_VOWELS, Names, Words
from detectors.names.skeleton import LENGTH_MAX
from detectors.names.tables import Role
from regtech.columns.jit import inline_kernel, kernel

GRAMS: Final = 37**3
PAIRS: Final = 37**2
GRAMS_MAX: Final = TOKENS_MAX * TOKEN_MAX
JOINED_MAX: Final = 3
"""So many neighbouring words may be written as one."""
_PARTICLE: Final = int(Role.PARTICLE)


class Index(NamedTuple):
    """Postings: rows by trigram, by word and by two words written as one; words by skeleton, by
    group and by pair of letters."""

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
    pair_starts: NDArray[np.int64]  # [PAIRS + 1]
    pair_rarity: NDArray[np.int64]  # less, the more words have a pair
    pair_words: NDArray[np.int32]
    joined_keys: NDArray[np.int64]  # sorted, distinct: skeletons of neighbours written as one
    joined_starts: NDArray[np.int64]
    joined_rows: NDArray[np.int32]
    bone_gram_starts: NDArray[np.int64]  # [2 * GRAMS + 1]: rows with vowels, then those without
    bone_gram_rows: NDArray[np.int32]
    row_bone_grams: NDArray[np.float32]  # how many


@kernel(nrt=False, inner=True)
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


@kernel(nrt=False, inner=True)
def letter_pairs(words: Any, word: int, out: Any) -> int:
    """Distinct pairs of letters of a word, a blank at both ends of it; how many."""
    count = 0
    before: Any = np.int64(0)
    size = words.lengths[word]
    for k in range(size + 1 if size > 1 else 0):
        letter = np.int64(words.codes[word, k]) if k < size else np.int64(0)
        pair = before * 37 + letter
        before = letter
        new = True
        for j in range(count):
            if out[j] == pair:
                new = False
                break
        if new:
            out[count] = pair
            count += 1
    return count


@kernel(nrt=False)
def _all_letter_pairs(words: Any, spare: Any, counts: Any, out: Any) -> int:
    total = 0
    for word in range(len(words.lengths)):
        count = letter_pairs(words, word, spare)
        counts[word] = count
        for k in range(count):
            out[total] = spare[k]
            total += 1
    return total


@inline_kernel(nrt=False, inner=True)
def joined_bones(words: Any, names: Any, first: int, size: int) -> Any:
    """The skeleton of neighbouring words written as one, packed as ``skeleton.packed`` packs."""
    value: Any = np.int64(0)
    count = 0
    last: Any = -1
    for part in range(size):
        word = names.words[first + part]
        for k in range(words.bone_lengths[word]):
            code = np.int64(words.bone_codes[word, k])
            if (part > 0 and k == 0 and code == 1) or code == last or count == LENGTH_MAX:
                continue
            value = value * 37 + (code + 10 if code <= 26 else code - 26)
            last = code
            count += 1
    return value if count > 2 else np.int64(0)


@inline_kernel(nrt=False, inner=True)
def word_key(words: Any, word: int) -> Any:
    """A short word as a key that no skeleton has; 0 for a word that no initials are."""
    if words.lengths[word] < 3 or words.lengths[word] > LENGTH_MAX:
        return np.int64(0)
    value: Any = np.int64(0)
    for k in range(words.lengths[word]):
        value = value * 37 + np.int64(words.codes[word, k])
    return -value


@inline_kernel(nrt=False, inner=True)
def initials_key(words: Any, names: Any, row: int, bare: bool) -> Any:
    """The first letters of a name as such a key, ``bare`` without its particles."""
    value: Any = np.int64(0)
    count = 0
    for at in range(names.starts[row], names.starts[row + 1]):
        word = names.words[at]
        if (bare and words.roles[word] == _PARTICLE) or count == LENGTH_MAX:
            continue
        value = value * 37 + np.int64(words.codes[word, 0])
        count += 1
    return -value if count > 2 else np.int64(0)


@kernel(nrt=False, inner=True)
def bone_grams(words: Any, names: Any, row: int, out: Any) -> int:
    """Distinct trigrams of all consonants of a name, written as one; how many."""
    count = 0
    one: Any = np.int64(0)
    other: Any = np.int64(0)
    for at in range(names.starts[row], names.starts[row + 1]):
        word = names.words[at]
        for k in range(words.bone_lengths[word]):
            code = np.int64(words.bone_codes[word, k])
            if (k == 0 and code == 1) or code == other:
                continue
            if one != 0:
                gram = (one * 37 + other) * 37 + code
                new = True
                for j in range(count):
                    if out[j] == gram:
                        new = False
                        break
                if new and count < GRAMS_MAX:
                    out[count] = gram
                    count += 1
            one, other = other, code
    return count


@kernel(nrt=False)
def _all_bone_grams(words: Any, names: Any, spare: Any, counts: Any, out: Any) -> int:
    total = 0
    for row in range(len(names.starts) - 1):
        count = bone_grams(words, names, row, spare)
        counts[row] = count
        for k in range(count):
            out[total] = spare[k] + (GRAMS if names.flags[row] & NO_VOWELS else 0)
            total += 1
    return total


@kernel(nrt=False)
def _all_joined(words: Any, names: Any, keys: Any, rows: Any) -> int:
    total = 0
    for row in range(len(names.starts) - 1):
        last = names.starts[row + 1]
        key = initials_key(words, names, row, False)
        if last - names.starts[row] == 1:
            key = word_key(words, names.words[last - 1])
        for skip in range(2):
            if skip == 1:
                other = initials_key(words, names, row, True)
                key = np.int64(0) if other == key else other
            if key != 0:
                keys[total] = key
                rows[total] = row
                total += 1
        for at in range(names.starts[row], last):
            for size in range(2, min(JOINED_MAX, last - at) + 1):
                key = joined_bones(words, names, at, size)
                if key != 0:
                    keys[total] = key
                    rows[total] = row
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
    spelled = np.zeros(letters_of_words(words), np.int64)
    counts = np.zeros(len(words.lengths), np.int64)
    spelled = spelled[: _all_letter_pairs(words, spare, counts, spelled)]
    pair_starts, pair_words = _postings(spelled, np.repeat(every, counts), PAIRS)
    room = JOINED_MAX * len(names.words) + 2 * rows + 1
    joined, joined_owners = np.zeros(room, np.int64), np.zeros(room, np.int32)
    count = _all_joined(words, names, joined, joined_owners)
    joined_keys, inverse = np.unique(joined[:count], return_inverse=True)
    joined_starts, joined_rows = _postings(
        inverse.astype(np.int64), joined_owners[:count], len(joined_keys)
    )
    bone_counts = np.zeros(max(rows, 1), np.int64)
    bone_grams = np.zeros(LENGTH_MAX * len(names.words) + 1, np.int64)
    count = _all_bone_grams(words, names, spare, bone_counts, bone_grams)
    bone_counts = bone_counts[:rows]
    bone_gram_starts, bone_gram_rows = _postings(
        bone_grams[:count], np.repeat(np.arange(rows, dtype=np.int32), bone_counts), 2 * GRAMS
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
        pair_starts,
        -np.diff(pair_starts),
        pair_words,
        joined_keys,
        joined_starts,
        joined_rows,
        bone_gram_starts,
        bone_gram_rows,
        bone_counts.astype(np.float32),
    )


def letters_of_words(words: Words) -> int:
    """Room for the pairs of letters of all words."""
    return int(words.lengths.sum()) + len(words.lengths)


def _postings(
    keys: NDArray[np.int64], values: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(keys, minlength=count), out=starts[1:])
    return starts, values[np.argsort(keys, kind="stable")]


def _sums(values: NDArray[np.float32], owners: NDArray[np.int32], rows: int) -> NDArray[np.float32]:
    return np.bincount(owners, values, minlength=rows).astype(np.float32)
