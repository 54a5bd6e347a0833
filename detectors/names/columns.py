"""Many analysed names as arrays: the distinct words once, and each name as numbers of its words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.names.analysis import TOKEN_MAX, TOKENS_MAX, AnalysedName, Token
from detectors.names.scripts import Script
from detectors.names.skeleton import LENGTH_MAX
from detectors.names.tables import GROUPS_MAX

NATIVE_MAX: Final = 40
"""Characters of a native name that are compared."""

FLAT_MAX: Final = 120
"""Letters of a name written without blanks that are compared."""


class Words(NamedTuple):
    """Distinct words. ``codes`` has 1 to 26 for letters and 27 to 36 for digits, 0 behind them."""

    codes: NDArray[np.uint8]  # [words, TOKEN_MAX]
    lengths: NDArray[np.int32]
    bones: NDArray[np.int64]  # packed skeletons
    bone_codes: NDArray[np.uint8]  # [words, LENGTH_MAX], the same unpacked
    bone_lengths: NDArray[np.int32]
    sounds: NDArray[np.uint32]  # a bit for each kind of letter
    weights: NDArray[np.float32]
    roles: NDArray[np.uint8]
    values: NDArray[np.int32]
    groups: NDArray[np.int16]  # [words, GROUPS_MAX], -1 where there is none


class Names(NamedTuple):
    """Names as rows: ``words[starts[n]:starts[n + 1]]`` are the words of row n in their order."""

    starts: NDArray[np.int64]
    words: NDArray[np.int32]
    parts: NDArray[np.uint8]
    forms: NDArray[np.int32]
    flags: NDArray[np.uint16]
    native_starts: NDArray[np.int64]
    native: NDArray[np.int32]


_NO_WORDS: Final = Words(
    np.frombuffer(bytes(TOKEN_MAX), np.uint8).reshape(1, TOKEN_MAX),
    np.zeros(1, np.int32),
    np.zeros(1, np.int64),
    np.frombuffer(bytes(LENGTH_MAX), np.uint8).reshape(1, LENGTH_MAX),
    np.zeros(1, np.int32),
    np.zeros(1, np.uint32),
    np.zeros(1, np.float32),
    np.zeros(1, np.uint8),
    np.zeros(1, np.int32),
    np.full((1, GROUPS_MAX), -1, np.int16),
)
"""One row of zeros stands for no words at all; letters read-only, as those of words are."""

ORGANISATION: Final = 1
PERSON: Final = 2
NO_VOWELS: Final = 4
LATIN: Final = 8
VESSEL: Final = 16
NATIVE_HAN: Final = 32
NATIVE_HANGUL: Final = 64


class WordTable:
    """Collects words and names; ``words`` and ``names`` give the arrays of what is in it so far."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._tokens: list[Token] = []
        self._rows: list[AnalysedName] = []

    def add(self, name: AnalysedName) -> int:
        """Number of the row that the name became."""
        for token in name.tokens:
            if token.text not in self.numbers:
                self.numbers[token.text] = len(self._tokens)
                self._tokens.append(token)
        self._rows.append(name)
        return len(self._rows) - 1

    def words(self) -> Words:
        """The distinct words."""
        return words_of(self._tokens)

    def names(self) -> Names:
        """The names."""
        return names_of(self._rows, self.numbers)


def words_of(tokens: Sequence[Token]) -> Words:
    """Words as arrays, in the order given; at least one row, which may stand for none."""
    if not tokens:
        return _NO_WORDS
    count = len(tokens)
    groups = np.full((count, GROUPS_MAX), -1, np.int16)
    for row, token in enumerate(tokens):
        if token.groups:
            groups[row, : len(token.groups)] = token.groups
    return Words(
        np.frombuffer(b"".join([t.codes for t in tokens]), np.uint8).reshape(count, TOKEN_MAX),
        np.array([len(t.text) for t in tokens], np.int32),
        np.array([t.bones for t in tokens], np.int64),
        np.frombuffer(b"".join([t.bone_codes for t in tokens]), np.uint8).reshape(
            count, LENGTH_MAX
        ),
        np.array([t.bone_length for t in tokens], np.int32),
        np.array([t.sounds for t in tokens], np.uint32),
        np.array([t.weight for t in tokens], np.float32),
        np.array([t.role for t in tokens], np.uint8),
        np.array([t.value for t in tokens], np.int32),
        groups,
    )


def names_of(rows: Sequence[AnalysedName], numbers: dict[str, int]) -> Names:
    """Names as arrays; ``numbers`` gives the number of each word."""
    counts = [len(row.tokens) for row in rows]
    natives = [_native(row) for row in rows]
    return Names(
        _starts(counts),
        np.array([numbers[t.text] for row in rows for t in row.tokens], np.int32),
        np.array([part for row in rows for part in row.parts], np.uint8),
        np.array([row.forms for row in rows], np.int32),
        np.array([_flags(row) for row in rows], np.uint16),
        _starts([len(native) for native in natives]),
        np.array([ord(char) for native in natives for char in native], np.int32),
    )


def single(name: AnalysedName) -> tuple[Words, Names]:
    """One name as tables of its own: what is asked for, which no list has to know."""
    distinct = {token.text: token for token in name.tokens}
    tokens = list(distinct.values())
    return words_of(tokens), names_of([name], {t.text: n for n, t in enumerate(tokens)})


def _starts(counts: Sequence[int]) -> NDArray[np.int64]:
    return np.array([0, *accumulate(counts)], np.int64)


def _native(row: AnalysedName) -> str:
    return row.native[:NATIVE_MAX]


def _flags(row: AnalysedName) -> int:
    flags = 0
    if row.organisation:
        flags |= ORGANISATION
    if row.kind == "person":
        flags |= PERSON
    if row.kind in ("vessel", "aircraft"):
        flags |= VESSEL
    if row.no_vowels:
        flags |= NO_VOWELS
    if row.scripts in (Script.LATIN, Script.NONE):
        flags |= LATIN
    if row.native:
        flags |= NATIVE_HANGUL if row.scripts & Script.HANGUL else NATIVE_HAN
    return flags


assert TOKENS_MAX <= 32
