"""What counts as a word, the same for every backend: folding, tokens, numbers, pieces, typos.

Folding makes width, case and diacritics equal, sign by sign, so that a place in the folded text is
a place in the text as written. Scripts that are written without blanks (Chinese, Japanese, Korean,
Thai and others) give one token a sign; a run of them is then found as a phrase, also from its
middle and with two signs, where an index of words or of three-sign pieces finds nothing.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import cache
from typing import Final

TOKEN_MAX: Final = 64
"""Signs of a token that count; what is longer is told apart by them alone."""
PIECE: Final = 3
"""Signs of a piece of a number: the shortest part of an account number that is found."""
NEAR_MIN: Final = 4
"""From so many letters on a word is also found with one typo."""
NEAR_MAX: Final = 24

_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # ideographic repeat and zero
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),  # Hangul
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


@cache
def _folded(sign: str) -> str:
    """A sign without width, case and diacritics; "" for a mark that stands on another."""
    plain = unicodedata.normalize("NFKC", sign).casefold()
    parts = unicodedata.normalize("NFD", plain)
    bare = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    return unicodedata.normalize("NFC", bare)


@cache
def _kind(sign: str) -> str:
    """``w`` belongs to a word, ``s`` stands alone, "" parts words."""
    code = ord(sign)
    if unicodedata.category(sign)[0] not in "LNM":
        return ""
    return "s" if any(first <= code <= last for first, last in _UNSPACED) else "w"


def alone(token: str) -> bool:
    """Whether the token is a sign of a script without blanks."""
    return len(token) == 1 and _kind(token) == "s"


def placed_tokens(text: str) -> list[tuple[str, int, int]]:
    """Tokens with where they begin and end in the text as written."""
    found: list[tuple[str, int, int]] = []
    word: list[str] = []
    start = end = 0
    for place, sign in enumerate(text):
        folded = _folded(sign)
        if not folded and word:
            end = place + 1  # a mark belongs to the sign that it stands on
            continue
        for part in folded:
            kind = _kind(part)
            if kind != "w" and word:
                found.append(("".join(word)[:TOKEN_MAX], start, end))
                word = []
            if kind == "s":
                found.append((part, place, place + 1))
            elif kind == "w":
                if not word:
                    start = place
                word.append(part)
                end = place + 1
    if word:
        found.append(("".join(word)[:TOKEN_MAX], start, end))
    return found


def tokens(text: str) -> list[str]:
    """The tokens of a text, in order."""
    if text.isascii():
        return [word[:TOKEN_MAX] for word in _ASCII_WORD.findall(text.lower())]
    return [token for token, _, _ in placed_tokens(text)]


def compact(text: str) -> str:
    """A number or id without blanks and dashes: ``DE89 3704-0044`` is ``de8937040044``."""
    return "".join(tokens(text))[:TOKEN_MAX]


def pieces(number: str) -> list[str]:
    """All parts of three signs of a compact number, in order; a run of them is a part of it."""
    return [number[i : i + PIECE] for i in range(len(number) - PIECE + 1)]


def sealed(text: str) -> str:
    """What stands in an index for a value that is only ever found whole."""
    return hashlib.sha256(compact(text).encode()).hexdigest()[:32]


def may_be_near(token: str) -> bool:
    """Whether a word that is asked for is also found with a typo: letters, and enough of them."""
    return NEAR_MIN <= len(token) <= NEAR_MAX and token.isalpha() and not alone(token)


def near(a: str, b: str) -> bool:
    """At most one sign more, less, other, or two neighbours exchanged."""
    if abs(len(a) - len(b)) > 1:
        return False
    if len(a) > len(b):
        a, b = b, a
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    rest_a, rest_b = a[start:], b[start:]
    if len(a) != len(b):
        return rest_a == rest_b[1:]
    if rest_a[1:] == rest_b[1:]:
        return True
    return len(rest_a) > 1 and rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:]


def without_one(token: str) -> set[str]:
    """The word, and the word with each of its signs left out.

    Two words with at most one typo between them have one of these in common.
    """
    return {token, *(token[:i] + token[i + 1 :] for i in range(len(token)))}
