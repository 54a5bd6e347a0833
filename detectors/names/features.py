"""Two names held against each other: which word stands for which, and what follows from it.

The kernel is the one place where names are compared; matching pairs, screening and explaining all
come through it, so that they cannot give different answers.

More than 500 lines: one kernel and its parts, which the compiler wants to see together.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.names.analysis import TOKEN_MAX, TOKENS_MAX
from detectors.names.columns import (
    LATIN,
    NATIVE_HAN,
    NATIVE_HANGUL,
    NO_VOWELS,
    ORGANISATION,
    PERSON,
)
from detectors.names.kernels import (
    EXCHANGED,
    FULL,
    PLACES,
    VOWEL_BITS,
    ZERO,
    bit_count,
    common_length,
    spelling_cost,
)
from detectors.names.tables import GROUPS_MAX, Relation, Role
from regtech.columns.jit import inline_kernel, kernel

FEATURES: Final = (
    "covered_less",
    "covered_more",
    "covered_both",
    "same_less",
    "said_some",
    "said_much",
    "said_more",
    "lost_fewer",
    "lost_other",
    "lost_word",
    "replaced",
    "uneven",
    "numeral",
    "numeral_extra",
    "generation",
    "form_differs",
    "form_same",
    "country_differs",
    "country_extra",
    "initials",
    "descent_crossed",
    "single_word",
    "letters",
    "consonants",
    "acronym",
    "slips",
    "worst_word",
    "first_word",
    "last_word",
    "disorder",
    "other_script",
    "vowelless",
    "kind_differs",
    "one_word_each",
    "other_word",
    "said_covered",
    "whole",
    "best_word",
    "short_forms",
    "core",
    "worst_of_few",
    "same_said",
    "loose",
)
"""What the score is made of, each by its number; ``words`` says what they mean."""

COUNT: Final = len(FEATURES)
(
    COVERED_LESS, COVERED_MORE, COVERED_BOTH, SAME_LESS, SAID_SOME, SAID_MUCH, SAID_MORE,
    LOST_FEWER, LOST_OTHER, LOST_WORD, REPLACED_WORDS, UNEVEN, NUMERAL_DIFFERS, NUMERAL_EXTRA,
    GENERATION_DIFFERS, FORM_DIFFERS, FORM_SAME, COUNTRY_DIFFERS, COUNTRY_EXTRA, INITIALS,
    DESCENT_CROSSED, SINGLE_WORD, LETTERS, CONSONANTS, ACRONYM, SLIPS, WORST_WORD, FIRST_WORD,
    LAST_WORD, DISORDER, OTHER_SCRIPT, VOWELLESS, KIND_DIFFERS, ONE_WORD_EACH, OTHER_WORD,
    SAID_COVERED, WHOLE, BEST_WORD, SHORT_FORMS, CORE, WORST_OF_FEW, SAME_SAID, LOOSE,
) = range(COUNT)  # fmt: skip

ONE_SLIP: Final = 0.66
"""A word with one slip in it is at least so much alike, however short it is."""
OTHER_BEGINNING: Final = 0.3
"""How much more slips cost where the first letter is another one."""
ALIKE_MIN: Final = 0.62
"""Words less alike than this do not stand for one another."""
JOINED_LOOSE: Final = 30
"""Words written as one that sound alike cost at most so much, in tenths of a letter for each."""
JOINED_SAME: Final = 0.98
"""Words written as one, letter by letter: the most that any are alike."""
SAME_VOWELS: Final = 0.9
"""How alike words are whose consonants sound alike and whose vowels are the same."""
LOOSE_BELOW: Final = 0.85
"""Words less alike than this are so loosely that it counts by itself."""
LOOSE_FORM: Final = 0.5
"""Beside words that are so loosely alike the same company form says nothing."""
SHORT_LEAST: Final = 0.74
"""How alike forms of one given name are that share no letter..."""
SHORT_MORE: Final = 0.2
"""...and how much more where they share all of them."""
SOUND_COST: Final = 0.22
"""What words that sound alike may differ in, of their letters, before it counts against them."""
LIKELY_SLIP: Final = 3
"""Cost of a letter that is as good as the same: ``byn`` for bin, ``end`` for and."""

_NAME: Final = int(Role.NAME)
_INITIAL: Final = int(Role.INITIAL)
_PARTICLE: Final = int(Role.PARTICLE)
_HONORIFIC: Final = int(Role.HONORIFIC)
_DESCENT: Final = int(Role.DESCENT)
_NUMERAL: Final = int(Role.NUMERAL)
_GENERATION: Final = int(Role.GENERATION)
_COUNTRY: Final = int(Role.COUNTRY)
_ORGANISATION: Final = int(Role.ORGANISATION)
_NONE: Final = int(Relation.NONE)
_SAME: Final = int(Relation.SAME)
_ALIKE: Final = int(Relation.ALIKE)
_SOUND: Final = int(Relation.SOUND)
_MEANING: Final = int(Relation.MEANING)
_SHORT: Final = int(Relation.SHORT)
_BY_INITIAL: Final = int(Relation.INITIAL)
_JOINED: Final = int(Relation.JOINED)
GROUP_LIKENESS: Final = np.zeros(16, np.float64)
"""How alike words of one group are, by the relation that its number says."""
GROUP_LIKENESS[Relation.SHORT] = SHORT_LEAST + SHORT_MORE
GROUP_LIKENESS[Relation.SPELLING] = 0.95
GROUP_LIKENESS[Relation.MEANING] = 0.92
_SIDE: Final = TOKENS_MAX


class Scratch(NamedTuple):
    """What a comparison writes into; one for each thread, made by ``scratch_for``.

    ``alike``, ``how``: by number of the right word and place of the left one, valid where ``seen``
    has the number of the question and ``known`` the bit of the place. ``at``, ``likeness``,
    ``relation``: side 0 left, 1 right; for each word the partner (-1: none), how alike they are,
    and by which ``Relation``.
    """

    alike: NDArray[np.float32]  # [right words, TOKENS_MAX]
    how: NDArray[np.uint8]
    seen: NDArray[np.int64]
    known: NDArray[np.int64]
    turn: NDArray[np.int64]  # [1]
    table: NDArray[np.float32]  # [TOKENS_MAX, TOKENS_MAX]
    at: NDArray[np.int8]  # [2, TOKENS_MAX]
    likeness: NDArray[np.float32]
    relation: NDArray[np.uint8]
    rows: NDArray[np.int32]
    joined: NDArray[np.uint8]  # [1, 3 * TOKEN_MAX]
    masks: NDArray[np.uint64]  # [2, 40] letters and consonants of the left name
    flat: NDArray[np.uint8]  # [PLACES]
    lengths: NDArray[np.int64]  # [2] of the left name, letters and consonants
    found: NDArray[np.float64]  # [COUNT]


def scratch_for(right_words: int) -> Scratch:
    """Fresh scratch for comparisons with names of a table of so many words."""
    return Scratch(
        alike=np.zeros((right_words, _SIDE), np.float32),
        how=np.zeros((right_words, _SIDE), np.uint8),
        seen=np.full(right_words, -1, np.int64),
        known=np.zeros(right_words, np.int64),
        turn=np.zeros(1, np.int64),
        table=np.zeros((_SIDE, _SIDE), np.float32),
        at=np.full((2, _SIDE), -1, np.int8),
        likeness=np.zeros((2, _SIDE), np.float32),
        relation=np.zeros((2, _SIDE), np.uint8),
        rows=np.zeros((3, 3 * TOKEN_MAX + 2), np.int32),
        joined=np.zeros((1, 3 * TOKEN_MAX), np.uint8),
        masks=np.zeros((2, 40), np.uint64),
        flat=np.zeros(PLACES + 1, np.uint8),
        lengths=np.zeros(2, np.int64),
        found=np.zeros(COUNT, np.float64),
    )


# --- two words


@kernel(nrt=False, inner=True)
def word_likeness(lw: Any, a: int, rw: Any, b: int, bare: bool, rows: Any) -> tuple[float, int]:
    """How alike two words are, from 0 to 1, and by which relation.

    ``bare``: one of the names has no vowels, so that consonants are all there is to compare.
    """
    la, lb = lw.lengths[a], rw.lengths[b]
    role_a, role_b = lw.roles[a], rw.roles[b]
    if la == lb:
        same = True
        for k in range(la):
            if lw.codes[a, k] != rw.codes[b, k]:
                same = False
                break
        if same:
            return 1.0, _SAME
    numbers = role_a == _NUMERAL or role_b == _NUMERAL
    if numbers or role_a == _GENERATION or role_b == _GENERATION:
        if role_a == role_b:
            if lw.values[a] == rw.values[b]:
                return 1.0, _SAME
            return 0.0, _NONE
        if not numbers or min(la, lb) < 4:
            return 0.0, _NONE
        # A number in words may have a slip in it (``secund``); digits and II are as they are.
    if la == 1 or lb == 1:
        other = role_b if la == 1 else role_a
        if lw.codes[a, 0] == rw.codes[b, 0] and other not in (_PARTICLE, _DESCENT):
            return 0.65, _BY_INITIAL
        return 0.0, _NONE
    best, how = 0.0, _NONE
    for i in range(GROUPS_MAX):
        group = lw.groups[a, i]
        if group < 0:
            break
        for j in range(GROUPS_MAX):
            if rw.groups[b, j] == group and GROUP_LIKENESS[group % 16] > best:
                best, how = GROUP_LIKENESS[group % 16], group % 16
    if how == _SHORT:
        # John is no nearer to Ivan than that; Alexander and Aleksandr are.
        cost = spelling_cost(lw.codes, a, la, rw.codes, b, lb, 10 * max(la, lb), rows)
        best = SHORT_LEAST + SHORT_MORE * max(0.0, 1.0 - cost / (10.0 * max(la, lb)))
    little_a = role_a == _PARTICLE or role_a == _DESCENT or role_a == _HONORIFIC
    little_b = role_b == _PARTICLE or role_b == _DESCENT or role_b == _HONORIFIC
    longer, shorter = max(la, lb), min(la, lb)
    most = (38 * longer) // 10
    strict = little_a != little_b or numbers
    if strict:
        # A particle or title is a name only where it is one with a slip in it.
        most = FULL if longer > 4 else EXCHANGED if longer == 4 else LIKELY_SLIP
        most = most if longer > 2 else -1
    common = bit_count(np.int64(lw.sounds[a]) & np.int64(rw.sounds[b]))
    either = bit_count(np.int64(lw.sounds[a]) | np.int64(rw.sounds[b]))
    if shorter > 1 and 5 * (longer - shorter) <= most and 2 * common >= either:
        # What costs more comes out below ALIKE_MIN, and need not be counted to its end.
        room = 1.0 - ALIKE_MIN - (0.1 if longer <= 4 else 0.0)
        if lw.codes[a, 0] != rw.codes[b, 0]:
            room /= 1.0 + OTHER_BEGINNING
        most = min(most, max(FULL, int(10.0 * longer * room) + 1))
        cost = spelling_cost(lw.codes, a, la, rw.codes, b, lb, most, rows)
        if cost <= most:
            alike = 1.0 - cost / (10.0 * longer)
            if lw.codes[a, 0] != rw.codes[b, 0]:
                alike -= OTHER_BEGINNING * cost / (10.0 * longer)
            if longer <= 4:
                alike -= 0.1
            if cost <= FULL and longer >= 4:
                alike = max(alike, ONE_SLIP)
            if alike > best:
                best, how = alike, _ALIKE
    other_begin = lw.codes[a, 0] != rw.codes[b, 0]
    if strict or (shorter < 4 and other_begin and not bare and longer != shorter + 1):
        pass  # too little to sound alike by
    elif lw.bones[a] == rw.bones[b] and lw.bones[a] > 37:
        count = lw.bone_lengths[a]
        if bare:
            # One consonant behind a vowel says next to nothing.
            alike = 0.9 if count > 2 else 0.78 if lw.bone_codes[a, 0] != 1 else 0.66
        else:
            # Vowels may differ, and so may their number, but not as in Omar and Hamriyah; nor may
            # the consonants that sound alike all be other letters, as in Brown and Varon.
            alike = (0.86 if count > 2 else 0.74) - 0.08 * max(0, longer - shorter - 1)
            if _same_vowels(lw, a, rw, b):
                alike = SAME_VOWELS
            elif shorter < 4 and other_begin:
                alike = 0.0
            cost = spelling_cost(lw.codes, a, la, rw.codes, b, lb, 6 * longer, rows)
            alike -= 1.2 * max(0.0, cost / (10.0 * longer) - SOUND_COST)
        if alike > best:
            best, how = alike, _SOUND
    elif bare and (lw.bones[a] == rw.bones[b]) and lw.bones[a] > 0:
        if 0.64 > best:
            best, how = 0.64, _SOUND
    if best < ALIKE_MIN:
        return 0.0, _NONE
    return float(best), int(how)


@inline_kernel(nrt=False, inner=True)
def _same_vowels(lw: Any, a: int, rw: Any, b: int) -> bool:
    """Whether two words have the same vowels in the same order, and any."""
    i: Any = np.int64(0)
    j: Any = np.int64(0)
    count = 0
    while True:
        while i < lw.lengths[a] and (VOWEL_BITS >> np.int64(lw.codes[a, i])) & 1 == 0:
            i += 1
        while j < rw.lengths[b] and (VOWEL_BITS >> np.int64(rw.codes[b, j])) & 1 == 0:
            j += 1
        if i == lw.lengths[a] or j == rw.lengths[b]:
            return count > 0 and i == lw.lengths[a] and j == rw.lengths[b]
        if lw.codes[a, i] != rw.codes[b, j]:
            return False
        count += 1
        i += 1
        j += 1


@inline_kernel(nrt=False, inner=True)
def _sound_joined(lw: Any, ln: Any, first: int, count: int, rw: Any, b: int) -> int:
    """Consonants of neighbouring words that are, written as one, all those of a word; 0 if not.

    Without the vowel that a later word begins with.
    """
    at = 0
    last: Any = -1
    for k in range(count):
        a = ln.words[first + k]
        for i in range(lw.bone_lengths[a]):
            code = lw.bone_codes[a, i]
            if (k > 0 and i == 0 and code == 1) or code == last:
                continue
            if at >= rw.bone_lengths[b] or rw.bone_codes[b, at] != code:
                return 0
            last = code
            at += 1
    return at if at == rw.bone_lengths[b] else 0


@kernel(nrt=False, inner=True)
def _join_likeness(
    lw: Any, ln: Any, first: int, count: int, rw: Any, b: int, bare: bool, least: float, s: Any
) -> float:
    """How alike neighbouring words of a name, written as one, are to one word of the other.

    What is less than ``least`` may come out as 0.
    """
    joined, rows = s.joined, s.rows
    size = rw.lengths[b]
    if size < 4 or rw.roles[b] == _NUMERAL:
        return 0.0
    length = 0
    for k in range(count):
        a = ln.words[first + k]
        if lw.roles[a] == _NUMERAL:
            return 0.0
        for i in range(lw.lengths[a]):
            joined[0, length] = lw.codes[a, i]
            length += 1
    longer = max(length, size)
    most, loose = 2 * longer, (JOINED_LOOSE * longer) // 10
    near = 4 * abs(length - size) <= most
    sounding = _sound_joined(lw, ln, first, count, rw, b)
    sounds_alike = sounding > (4 if bare else 2)
    if not near and not sounds_alike:
        return 0.0
    if sounds_alike:
        limit = most if bare else loose
    else:
        limit = min(most, max(0, int((0.97 - least) * 10 * longer) + 1))
    cost = spelling_cost(joined, 0, length, rw.codes, b, size, limit, rows)
    if near and cost == 0:
        return JOINED_SAME
    if near and cost <= min(limit, most) and longer > 5:
        return float(0.97 - cost / (10.0 * longer))
    if not sounds_alike:
        return 0.0
    if bare:
        return 0.88
    return 0.82 if cost <= loose else 0.0


# --- two names

# What is written as a number in a call is compiled for that number alone: once more each.
_LEFT: Any = np.int64(0)
_RIGHT: Any = np.int64(1)


@inline_kernel(nrt=False, inner=True)
def _weight(names: Any, words: Any, start: int, count: int) -> float:
    total = 0.0
    for i in range(count):
        total += float(words.weights[names.words[start + i]])
    return total


@kernel(nrt=False)
def prepare(lw: Any, ln: Any, li: int, s: Any) -> None:
    """Set scratch up for comparisons of the left row ``li``; once before any of them."""
    s.turn[0] += 1
    for code in range(s.masks.shape[1]):
        s.masks[0, code] = s.masks[1, code] = ZERO
    letters = consonants = 0
    for i in range(ln.starts[li], ln.starts[li + 1]):
        word = ln.words[i]
        for k in range(lw.lengths[word]):
            if letters < PLACES:
                s.masks[0, lw.codes[word, k]] |= np.uint64(1) << np.uint64(letters)
                letters += 1
        for k in range(lw.bone_lengths[word]):
            if consonants < PLACES:
                s.masks[1, lw.bone_codes[word, k]] |= np.uint64(1) << np.uint64(consonants)
                consonants += 1
    s.lengths[0], s.lengths[1] = letters, consonants


@kernel(nrt=False, inner=True)
def _common(rw: Any, rn: Any, ri: int, s: Any, which: int) -> float:
    """Share of letters (0) or consonants (1) in common, in their order, blanks left out."""
    length = 0
    for i in range(rn.starts[ri], rn.starts[ri + 1]):
        word = rn.words[i]
        if which == 0:
            for k in range(rw.lengths[word]):
                if length < PLACES:
                    s.flat[length] = rw.codes[word, k]
                    length += 1
        else:
            for k in range(rw.bone_lengths[word]):
                if length < PLACES:
                    s.flat[length] = rw.bone_codes[word, k]
                    length += 1
    total = length + s.lengths[which]
    if total == 0:
        return 0.0
    return float(2.0 * common_length(s.masks, which, s.flat, length) / total)


@kernel(nrt=False, inner=True)
def _pair(s: Any, i: int, j: int, alike: float, how: int) -> None:
    s.at[0, i], s.at[1, j] = j, i
    s.likeness[0, i] = s.likeness[1, j] = alike
    s.relation[0, i] = s.relation[1, j] = how


@kernel(nrt=False, inner=True)
def _join(
    lw: Any,
    ln: Any,
    a0: int,
    n: int,
    rw: Any,
    rn: Any,
    b0: int,
    m: int,
    side: int,
    bare: bool,
    s: Any,
) -> None:
    """Bring together words of the one name that the other writes as one."""
    for count in range(3, 1, -1):
        for i in range(n - count + 1):
            length = 0
            free = True
            for k in range(count):
                length += lw.lengths[ln.words[a0 + i + k]]
                if s.at[side, i + k] >= 0:
                    free = False
            if not free or length < 4:
                continue
            # Not where a piece, or the whole, has a better partner of its own.
            apart = 0.0
            for k in range(count):
                if lw.weights[ln.words[a0 + i + k]] > 0.2:
                    for other in range(m):
                        alone = s.table[i + k, other] if side == 0 else s.table[other, i + k]
                        apart = max(apart, float(alone))
            if apart > JOINED_SAME:
                continue
            for j in range(m):
                b = rn.words[b0 + j]
                if s.at[1 - side, j] >= 0 or abs(rw.lengths[b] - length) > 4:
                    continue
                better = apart
                for other in range(n):
                    whole = s.table[other, j] if side == 0 else s.table[j, other]
                    better = max(better, float(whole))
                if better > JOINED_SAME:
                    continue
                alike = _join_likeness(lw, ln, a0 + i, count, rw, b, bare, better, s)
                if alike == 0.0 or better > alike:
                    continue
                for k in range(count):
                    s.at[side, i + k] = j
                    s.likeness[side, i + k] = alike
                    s.relation[side, i + k] = _JOINED
                s.at[1 - side, j] = i
                s.likeness[1 - side, j] = alike
                s.relation[1 - side, j] = _JOINED
                break


@inline_kernel(nrt=False)
def remember(s: Any, i: int, b: int, alike: float, how: int) -> None:
    """Keep how alike the left word at place ``i`` is to the right word ``b``, for this question.

    Of a left name with vowels compared as one with vowels, or of one without compared without.
    """
    if s.seen[b] != s.turn[0]:
        s.seen[b] = s.turn[0]
        s.known[b] = 0
    s.alike[b, i], s.how[b, i] = alike, how
    s.known[b] |= np.int64(1) << np.int64(i)


@kernel(nrt=False, inner=True)
def align(lw: Any, ln: Any, li: int, rw: Any, rn: Any, ri: int, s: Any) -> None:
    """Which word stands for which: into ``at``, ``likeness`` and ``relation`` of scratch.

    Words written as one or in two come first, then the most alike pairs one after the other; of
    pairs that are equally alike those at the same place.
    """
    a0, b0 = ln.starts[li], rn.starts[ri]
    n, m = ln.starts[li + 1] - a0, rn.starts[ri + 1] - b0
    bare_l = (ln.flags[li] & NO_VOWELS) != 0
    bare = bare_l or (rn.flags[ri] & NO_VOWELS) != 0
    companies = (ln.flags[li] & rn.flags[ri] & ORGANISATION) != 0
    company = ((ln.flags[li] | rn.flags[ri]) & ORGANISATION) != 0
    for i in range(n):
        s.at[0, i] = -1
        s.likeness[0, i] = 0.0
        s.relation[0, i] = _NONE
    for j in range(m):
        s.at[1, j] = -1
        s.likeness[1, j] = 0.0
        s.relation[1, j] = _NONE
        b = int(rn.words[b0 + j])
        if bare != bare_l:
            # Words are compared otherwise with a name without vowels: then only for this pair.
            s.seen[b] = -1
        known = s.known[b] if s.seen[b] == s.turn[0] else np.int64(0)
        for i in range(n):
            if (known >> np.int64(i)) & 1 == 0:
                alike, how = word_likeness(lw, int(ln.words[a0 + i]), rw, b, bare, s.rows)
                remember(s, i, b, alike, how)
        for i in range(n):
            # Single letters of companies ("I & S") seldom are short forms of words.
            by_letter = s.how[b, i] == _BY_INITIAL and company and n != m
            # What means the same is a word of companies: Celik is steel in no name of a person.
            by_meaning = s.how[b, i] == _MEANING and not companies
            s.table[i, j] = 0.0 if by_letter or by_meaning else s.alike[b, i]
        if bare != bare_l:
            s.seen[b] = -1
    if n > 1 and n != m or n > 2:
        _join(lw, ln, a0, n, rw, rn, b0, m, _LEFT, bare, s)
    if m > 1 and n != m or m > 2:
        _join(rw, rn, b0, m, lw, ln, a0, n, _RIGHT, bare, s)
    for _ in range(min(n, m)):
        best, bi, bj, apart = 0.0, -1, -1, 99
        for i in range(n):
            if s.at[0, i] >= 0:
                continue
            for j in range(m):
                if s.at[1, j] >= 0:
                    continue
                alike = s.table[i, j]
                if alike > best or (alike == best and alike > 0 and abs(i - j) < apart):
                    best, bi, bj, apart = alike, i, j, abs(i - j)
        if bi < 0:
            break
        _pair(s, bi, bj, best, s.how[rn.words[b0 + bj], bi])


@inline_kernel(nrt=False, inner=True)
def _sign(holds: bool) -> float:
    return 1.0 if holds else 0.0


@kernel(nrt=False, inner=True)
def _is_acronym(lw: Any, ln: Any, a0: int, n: int, rw: Any, rn: Any, b0: int, m: int) -> bool:
    """Whether a word of the first name is the initials of the second."""
    if m < 3:
        return False
    for i in range(n):
        a = ln.words[a0 + i]
        size = lw.lengths[a]
        if size < 3:
            continue
        for skip in range(2):  # with and without particles
            k = 0
            fits = True
            for j in range(m):
                b = rn.words[b0 + j]
                if skip == 0 and rw.roles[b] == _PARTICLE:
                    continue
                if k >= size or lw.codes[a, k] != rw.codes[b, 0]:
                    fits = False
                    break
                k += 1
            if fits and k == size:
                return True
    return False


@kernel(nrt=False, inner=True)
def compare(lw: Any, ln: Any, li: int, rw: Any, rn: Any, ri: int, s: Any) -> None:
    """All features of the pair into ``found`` of scratch; ``prepare`` has been called for ``li``.

    All are from 0 to 1, or a little above, and 0 where a name has no word.
    """
    f = s.found
    for k in range(COUNT):
        f[k] = 0.0
    a0, b0 = ln.starts[li], rn.starts[ri]
    n, m = ln.starts[li + 1] - a0, rn.starts[ri + 1] - b0
    if n == 0 or m == 0:
        return
    align(lw, ln, li, rw, rn, ri, s)
    flags_l, flags_r = ln.flags[li], rn.flags[ri]
    bare = ((flags_l | flags_r) & NO_VOWELS) != 0

    covered_l = covered_r = same_l = same_r = lost_l = lost_r = 0.0
    top_l = top_r = 0.0
    core_l = core_r = named_l = named_r = exact = loose = 0.0
    slips = said = 0.0
    worst, closest, shortened = 1.0, 0.0, 0
    alone_l = alone_r = names_l = names_r = initials = paired = crossed = 0
    numeral_l = numeral_r = generation_l = generation_r = country_l = country_r = 0
    for i in range(n):
        word = ln.words[a0 + i]
        weight, role, alike = lw.weights[word], lw.roles[word], s.likeness[0, i]
        plain = weight > 0.13
        names_l += plain and role != _INITIAL
        covered_l += weight * alike
        if role != _ORGANISATION and role != _COUNTRY:
            core_l += weight
            named_l += weight * alike
        if alike > 0:
            relation = s.relation[0, i]
            same_l += weight if alike > 0.97 else 0.0
            exact += weight if relation == _SAME else 0.0
            loose += weight * max(0.0, LOOSE_BELOW - alike)
            said += weight * alike
            slips += weight * (1.0 - alike)
            if plain:
                worst, closest = min(worst, alike), max(closest, alike)
                shortened += relation == _SHORT
                initials += relation == _BY_INITIAL
                paired += 1
                j = s.at[0, i]
                crossed += (
                    ln.parts[a0 + i] != rn.parts[b0 + j]
                    and ln.parts[a0 + n - 1] > 0
                    and rn.parts[b0 + m - 1] > 0
                )
        else:
            lost_l += weight
            top_l = max(top_l, weight)
            alone_l += plain
            numeral_l += role == _NUMERAL
            generation_l += role == _GENERATION
            country_l += role == _COUNTRY
    for j in range(m):
        word = rn.words[b0 + j]
        weight, role, alike = rw.weights[word], rw.roles[word], s.likeness[1, j]
        plain = weight > 0.13
        names_r += plain and role != _INITIAL
        covered_r += weight * alike
        if role != _ORGANISATION and role != _COUNTRY:
            core_r += weight
            named_r += weight * alike
        if alike > 0:
            same_r += weight if alike > 0.97 else 0.0
        else:
            lost_r += weight
            top_r = max(top_r, weight)
            alone_r += plain
            numeral_r += role == _NUMERAL
            generation_r += role == _GENERATION
            country_r += role == _COUNTRY
    total_l = max(_weight(ln, lw, a0, n), 1e-6)
    total_r = max(_weight(rn, rw, b0, m), 1e-6)
    covered_l, covered_r = covered_l / total_l, covered_r / total_r

    f[COVERED_LESS] = min(covered_l, covered_r)
    f[COVERED_MORE] = max(covered_l, covered_r)
    f[COVERED_BOTH] = np.sqrt(covered_l * covered_r)
    f[SAME_LESS] = min(same_l / total_l, same_r / total_r)
    f[SAID_SOME] = min(said, 1.0)
    f[SAID_MUCH] = min(max(said - 1.0, 0.0), 1.0)
    f[SAID_MORE] = min(max(said - 2.0, 0.0), 2.0) / 2.0
    f[LOST_FEWER] = min(min(lost_l, lost_r), 3.0)
    f[LOST_OTHER] = min(max(lost_l, lost_r), 4.0) / 2.0
    f[LOST_WORD] = min(top_l, top_r)
    f[REPLACED_WORDS] = min(min(alone_l, alone_r), 3)
    f[UNEVEN] = min(abs(alone_l - alone_r), 4) / 2.0
    f[NUMERAL_DIFFERS] = _sign(numeral_l > 0 and numeral_r > 0)
    f[NUMERAL_EXTRA] = _sign((numeral_l > 0) != (numeral_r > 0))
    f[GENERATION_DIFFERS] = _sign(generation_l > 0 and generation_r > 0)
    f[LOOSE] = min(5.0 * loose, 2.0)
    forms_l, forms_r = ln.forms[li], rn.forms[ri]
    if forms_l != 0 and forms_r != 0:
        same = (forms_l & forms_r) != 0
        # Two trading companies of one form have nothing in common by it.
        f[FORM_SAME] = _sign(same and f[LOOSE] < LOOSE_FORM)
        f[FORM_DIFFERS] = _sign(not same)
    f[COUNTRY_DIFFERS] = _sign(country_l > 0 and country_r > 0)
    f[COUNTRY_EXTRA] = _sign((country_l > 0) != (country_r > 0))
    f[OTHER_WORD] = f[LOST_WORD] * f[SAME_LESS]
    f[SAID_COVERED] = f[SAID_SOME] * f[COVERED_MORE] * f[COVERED_MORE]
    f[WHOLE] = f[COVERED_LESS] * _sign(alone_l == 0 and alone_r == 0)
    f[INITIALS] = min(initials, 2)
    # Every word on the other side of its mark; one family name put first is only another order.
    whole_l = ln.parts[a0] == 0 and lw.roles[ln.words[a0 + n - 1]] != _DESCENT
    whole_r = rn.parts[b0] == 0 and rw.roles[rn.words[b0 + m - 1]] != _DESCENT
    f[DESCENT_CROSSED] = _sign(crossed > 1 and crossed == paired and whole_l and whole_r)
    f[SINGLE_WORD] = _sign(min(names_l, names_r) <= 1 and max(names_l, names_r) > 1)
    f[ONE_WORD_EACH] = _sign(names_l <= 1 and names_r <= 1)
    f[LETTERS] = max(0.0, 2.0 * _common(rw, rn, ri, s, _LEFT) - 1.0)
    f[CONSONANTS] = max(0.0, 2.0 * _common(rw, rn, ri, s, _RIGHT) - 1.0)
    people = ((flags_l | flags_r) & PERSON) != 0
    if f[COVERED_MORE] < 0.9 and not people and ((flags_l | flags_r) & ORGANISATION) != 0:
        # Initials are a name of their own; in a longer name they are by chance.
        f[ACRONYM] = _sign(
            (names_l == 1 and _is_acronym(lw, ln, a0, n, rw, rn, b0, m))
            or (names_r == 1 and _is_acronym(rw, rn, b0, m, lw, ln, a0, n))
        )
    f[SLIPS] = min(slips, 2.0)
    f[WORST_WORD] = 1.0 - worst if paired > 0 else 0.0
    f[BEST_WORD] = 1.0 - closest if paired > 0 else 0.0
    f[SHORT_FORMS] = min(shortened, 2)
    if core_l > 0.0 and core_r > 0.0:
        f[CORE] = min(named_l / core_l, named_r / core_r)
    if min(names_l, names_r) <= 2:
        f[WORST_OF_FEW] = f[WORST_WORD]
    f[SAME_SAID] = min(exact, 2.0) / 2.0
    f[FIRST_WORD] = _sign(s.likeness[0, 0] > 0.8 and s.at[0, 0] == 0)
    f[LAST_WORD] = _sign(s.likeness[0, n - 1] > 0.8 and s.at[0, n - 1] == m - 1)
    turned = 0
    last = -1
    for i in range(n):
        j = s.at[0, i]
        if j >= 0:
            turned += j < last
            last = j
    f[DISORDER] = min(turned, 3) / 2.0
    f[OTHER_SCRIPT] = _sign((flags_l & LATIN) != (flags_r & LATIN))
    f[VOWELLESS] = _sign(bare) * min(covered_l, covered_r)
    f[KIND_DIFFERS] = _sign(
        ((flags_l & PERSON) != 0 and (flags_r & ORGANISATION) != 0)
        or ((flags_r & PERSON) != 0 and (flags_l & ORGANISATION) != 0)
    )


NATIVE_NONE: Final = -1.0


@kernel(nrt=False)
def native_difference(ln: Any, li: int, rn: Any, ri: int, rows: Any) -> tuple[float, int]:
    """Share of characters that differ between names in one of Han, kana and Hangul; their number.

    ``NATIVE_NONE`` where the names are not both written so: then letters have to be compared.
    """
    both = (ln.flags[li] & rn.flags[ri]) & (NATIVE_HAN | NATIVE_HANGUL)
    if both == 0:
        return NATIVE_NONE, 0
    a0, b0 = ln.native_starts[li], rn.native_starts[ri]
    la, lb = ln.native_starts[li + 1] - a0, rn.native_starts[ri + 1] - b0
    for j in range(lb + 1):
        rows[0, j] = j
    for i in range(1, la + 1):
        corner = rows[0, 0]
        rows[0, 0] = i
        for j in range(1, lb + 1):
            above = rows[0, j]
            cost = corner + (ln.native[a0 + i - 1] != rn.native[b0 + j - 1])
            rows[0, j] = min(cost, min(above, rows[0, j - 1]) + 1)
            corner = above
    longer = max(la, lb)
    return rows[0, lb] / max(longer, 1), longer
