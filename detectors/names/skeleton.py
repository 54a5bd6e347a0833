"""The consonants of a word as they sound, the same for its usual spellings in Latin letters.

``mohammed`` and ``mahomet`` differ, ``mohammed`` and ``muhamed`` do not. Vowels, h, w and y go,
but that the word begins with one of them is kept; pairs of letters that stand for one sound become
one letter, and a letter is not written twice. Own rules, made for names from Arabic, Persian,
Slavic and East Asian languages; English algorithms (Soundex, Metaphone) read them wrongly.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

LENGTH_MAX: Final = 12
"""Letters of a skeleton that count; so many fit into 60 bits."""

_SOUNDS: Final = (
    ("shch", "s"), ("sch", "s"), ("tch", "s"), ("tsch", "s"), ("dzh", "g"), ("kh", "k"),
    ("gh", "g"), ("dh", "d"), ("th", "t"), ("sh", "s"), ("ch", "s"), ("zh", "g"), ("dj", "g"),
    ("ph", "f"), ("ck", "k"), ("ts", "s"), ("tz", "s"), ("cz", "s"), ("sz", "s"), ("cs", "s"),
    ("x", "ks"),
)  # fmt: skip
_LETTERS: Final = str.maketrans("qczvpjw", "kksbbgw")
_SOFT_C: Final = re.compile(r"c(?=[eiy])")
_SILENT: Final = re.compile(r"[aeiouyhw]")
_DOUBLE: Final = re.compile(r"(.)\1+")


@lru_cache(maxsize=1 << 16)
def skeleton(word: str) -> str:
    """The skeleton of a word of lower-case ASCII letters; a word with a digit is its own."""
    if not word.isalpha():
        return word[:LENGTH_MAX]
    first = "a" if word[0] in "aeiouyhw" else ""
    word = _SOFT_C.sub("s", word)
    for pair, sound in _SOUNDS:
        if pair in word:
            word = word.replace(pair, sound)
    word = _SILENT.sub("", word.translate(_LETTERS))
    return (first + _DOUBLE.sub(r"\1", word))[:LENGTH_MAX]


def packed(bones: str) -> int:
    """A skeleton as a whole number below 2**63, the same for no other one; 0 for the empty one."""
    value = 0
    for char in bones[:LENGTH_MAX]:
        value = value * 37 + (ord(char) - 86 if char > "9" else ord(char) - 47)
    return value
