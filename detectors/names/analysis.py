"""One name as tokens: in Latin letters, each with its role, its weight and what it is equal to.

The length of what is looked at is bounded (``TEXT_MAX``, ``TOKENS_MAX``, ``TOKEN_MAX``), so that no
input takes long. What lies beyond is cut off and does not raise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from detectors.names.scripts import CJK, NO_VOWELS, Script, romanised, scripts_of, simplified
from detectors.names.skeleton import LENGTH_MAX, packed, skeleton
from detectors.names.tables import (
    FORM_WORDS_LONG,
    KEPT_FORMS,
    RELATION_CODES,
    NameTables,
    Relation,
    Role,
    form_word,
)

Kind = Literal["", "person", "entity", "vessel", "aircraft"]

TEXT_MAX: Final = 400
TOKENS_MAX: Final = 20
TOKEN_MAX: Final = 30
_SOUND_CLASSES: Final = ("aeiouy", "bfpvw", "ckqgx", "sz", "dt", "mn", "lr", "j", "h")
_SOUNDS: Final = [0] * 128
for _bit, _letters in enumerate(_SOUND_CLASSES):
    for _letter in _letters:
        _SOUNDS[ord(_letter)] = 1 << _bit
for _digit in "0123456789":
    _SOUNDS[ord(_digit)] = 1 << (len(_SOUND_CLASSES) + int(_digit))
_TOKENS_CACHED: Final = 1 << 17
_CODES: Final = bytes(
    c - 96 if 97 <= c <= 122 else c - 48 + 27 if 48 <= c <= 57 else 0 for c in range(256)
)

_APOSTROPHES: Final = re.compile("['\u2019\u02bc\u02bb\u0060\u00b4\u2018\u02be\u02bf\u05f3\uff07]")
_DOTTED: Final = re.compile(r"\b(?:[a-z0-9]\.){2,}")
_DOTTED_SPACED: Final = re.compile(r"\b(?:[a-z]\. ){2,}(?:[a-z]\.)?")
_WORDS: Final = re.compile(r"[a-z0-9]+")
_QUOTED: Final = re.compile(r"[\"“”«»„‟]")
_SIGNS: Final = re.compile("[^\\w]|_")
_FORMS_FIRST: Final = frozenset({"ab", "ao", "cv", "pt"})
"""Company forms of two letters that stand before a name: Swedish, Russian and Indonesian."""
_ROLE_WEIGHTS: Final = {
    Role.NAME: 1.0,
    Role.INITIAL: 0.35,
    Role.PARTICLE: 0.12,
    Role.HONORIFIC: 0.08,
    Role.WEAK_HONORIFIC: 0.5,
    Role.DESCENT: 0.12,
    Role.NUMERAL: 0.7,
    Role.GENERATION: 0.3,
    Role.COUNTRY: 0.6,
    Role.ORGANISATION: 0.5,
    Role.PATRONYMIC: 0.6,
    Role.VESSEL: 0.05,
}
_SHORT_WEIGHTS: Final = {2: 0.7, 3: 0.8, 4: 0.9}
"""Short words are alike by chance: by length, what is left of their weight."""
_GIVEN: Final = frozenset({Relation.SHORT, Relation.SPELLING})
GIVEN_WEIGHT: Final = 0.75
"""A name that has short forms or many spellings is many people's, however rare on lists."""
WEIGHT_MIN: Final = 0.3
"""A word that is common on lists is not therefore worth nothing: the floor of its rarity."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word. ``bones``: packed skeleton; ``groups``: numbers of groups of equal words.

    ``codes``: 1 to 26 for letters, 27 to 36 for digits; ``bone_codes``: the skeleton's, likewise;
    both are filled up with zeros to one length for all words. ``sounds``: see ``sounds_of``.
    """

    text: str
    role: Role
    weight: float
    bones: int
    groups: tuple[int, ...]
    value: int
    codes: bytes
    bone_codes: bytes
    bone_length: int
    sounds: int


@dataclass(slots=True, eq=False)
class AnalysedName:
    """A name ready for comparison.

    ``parts``: for each token 0, or after the n-th mark of descent n. ``forms``: classes of company
    forms, a bit each. ``native``: simplified Han, kana or Hangul without its form, "" where the
    name has other letters too.
    """

    text: str
    tokens: list[Token]
    parts: list[int]
    forms: int
    scripts: Script
    native: str
    organisation: bool
    kind: Kind = ""
    words: list[str] = field(default_factory=list)

    @property
    def no_vowels(self) -> bool:
        """Written in a script without vowels."""
        return bool(self.scripts & NO_VOWELS)


class Analyser:
    """Analyses names by the words of ``tables``. Keeps tokens it has met; for one thread."""

    def __init__(self, tables: NameTables) -> None:
        self.tables = tables
        self._tokens: dict[str, Token] = {}
        self._form_bits = {name: 1 << n for n, name in enumerate(tables.form_classes)}
        self._form_heads = {words[0] for words in tables.forms}

    def analyse(self, text: str, kind: Kind = "") -> tuple[AnalysedName, ...]:
        """The name in its likeliest reading first; Han names may have a Japanese or Korean one."""
        text = text[:TEXT_MAX]
        folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
        folded = folded[:TEXT_MAX]
        scripts = scripts_of(folded)
        if not scripts & CJK:
            return (self._analysed(text, self._latin(folded, scripts), scripts, kind, "", 0),)
        return self._east_asian(text, folded, scripts, kind)

    def _latin(self, folded: str, scripts: Script) -> str:
        folded = _APOSTROPHES.sub("", folded)
        latin = _APOSTROPHES.sub("", romanised(folded, scripts).lower())
        if "," in latin and (found := _surname_last(latin, self._form_heads)):
            latin = found
        if "." in latin:
            latin = _DOTTED.sub(lambda m: m[0].replace(".", "") + " ", latin)
            latin = _DOTTED_SPACED.sub(
                lambda m: m[0].replace(". ", "").replace(".", "") + " ", latin
            )
        return latin.replace("&", " and ")

    def _east_asian(
        self, text: str, folded: str, scripts: Script, kind: Kind
    ) -> tuple[AnalysedName, ...]:
        forms = 0
        if scripts & Script.HAN:
            folded = simplified(folded)
        for sign, name in self.tables.form_signs:
            if sign in folded:
                forms |= self._form_bits[name]
                folded = folded.replace(sign, " ", 1)
        native = _SIGNS.sub("", folded) if not scripts & ~CJK else ""
        scripts = scripts_of(folded) or scripts
        found = [self._analysed(text, self._latin(folded, scripts), scripts, kind, native, forms)]
        if native and scripts == Script.HAN:
            for table in (self.tables.japanese, self.tables.korean):
                if reading := _read(native, table):
                    found.append(self._analysed(text, reading, scripts, kind, native, forms))
        return tuple(found)

    def _analysed(
        self, text: str, latin: str, scripts: Script, kind: Kind, native: str, forms: int
    ) -> AnalysedName:
        words = [word[:TOKEN_MAX] for word in _WORDS.findall(latin)[: TOKENS_MAX * 2]]
        if kind != "person":
            words, more = self._without_forms(words)
            forms |= more
        tokens = [self._tokens.get(word) or self._token(word) for word in words[:TOKENS_MAX]]
        parts, part = [], 0
        for token in tokens:
            part += token.role == Role.DESCENT
            parts.append(part)
        organisation = kind not in ("", "person") or bool(forms)
        if not organisation and kind == "":
            organisation = any(token.role == Role.ORGANISATION for token in tokens)
        return AnalysedName(
            text, tokens, parts, forms, scripts, native, organisation, kind,
            [token.text for token in tokens],
        )  # fmt: skip

    def _without_forms(self, words: list[str]) -> tuple[list[str], int]:
        """Words without their company forms, and the classes of those."""
        heads = self._form_heads
        sounds = [form_word(word) for word in words]
        if len(words) < 2 or (heads.isdisjoint(words) and heads.isdisjoint(sounds)):
            return words, 0
        forms, found, at, end = self.tables.forms, 0, 0, len(words)
        left: list[str] = []
        while at < end:
            word = words[at]
            if word in heads or sounds[at] in heads:
                for size in range(min(self.tables.form_words_max, end - at), 0, -1):
                    name = forms.get(tuple(words[at : at + size]))
                    if name is None and size >= FORM_WORDS_LONG:
                        name = forms.get(tuple(sounds[at : at + size]))
                    if name is None or not self._stands_alone(words, at, size, forms):
                        continue
                    found |= self._form_bits[name]
                    if name in KEPT_FORMS:
                        left.extend(words[at : at + size])
                    at += size
                    break
                else:
                    left.append(word)
                    at += 1
                continue
            left.append(word)
            at += 1
        return (left, found) if left else (words, found)

    def _stands_alone(self, words: Sequence[str], at: int, size: int, forms: object) -> bool:
        """Three letters may be a form at an end of a name, in the middle they are a word; two
        letters at the beginning are a form in few languages, and ``ag`` is son in Tuareg."""
        letters = sum(map(len, words[at : at + size]))
        if letters > 3 or size > 2:
            return True
        rest = words[at + size :]
        if at == 0:
            return letters > 2 or words[0] in _FORMS_FIRST
        return all(word in self._form_heads or len(word) <= 2 for word in rest)

    def _token(self, word: str) -> Token:
        tables = self.tables
        role = tables.roles.get(word, Role.NAME)
        value = tables.values.get(word, 0)
        if word.isdigit():
            role, value = Role.NUMERAL, int(word[:9])
        elif len(word) == 1 and role != Role.PARTICLE:
            role = Role.INITIAL
        elif role == Role.NAME and len(word) > 6 and word.endswith(tables.descent_endings):
            role = Role.PATRONYMIC
        rarity = max(WEIGHT_MIN, tables.weights.get(word, 1.0))
        groups = tables.groups.get(word, ())
        if any(group % RELATION_CODES in _GIVEN for group in groups):
            rarity = min(rarity, GIVEN_WEIGHT)
        if role == Role.NAME:
            rarity *= _SHORT_WEIGHTS.get(len(word), 1.0)
        bones = skeleton(word)
        token = Token(
            word,
            role,
            rarity * _ROLE_WEIGHTS[role],
            packed(bones),
            groups,
            value,
            word.encode("ascii").translate(_CODES).ljust(TOKEN_MAX, b"\0"),
            bones.encode("ascii").translate(_CODES).ljust(LENGTH_MAX, b"\0"),
            len(bones),
            sounds_of(word),
        )
        if len(self._tokens) >= _TOKENS_CACHED:
            self._tokens.clear()
        self._tokens[word] = token
        return token


def sounds_of(word: str) -> int:
    """Which kinds of letters a word has, a bit each: words without most in common are unlike."""
    found = 0
    for code in set(word.encode("ascii")):
        found |= _SOUNDS[code]
    return found


def _surname_last(latin: str, form_heads: set[str]) -> str:
    """``petrov, ivan`` as ``ivan petrov``; "" where what follows the comma is a company form."""
    head, _, tail = latin.partition(",")
    words = _WORDS.findall(tail)
    if not words or not _WORDS.search(head) or "," in tail or words[0] in form_heads:
        return ""
    return f"{tail} {head}"


def _read(native: str, table: dict[str, str] | object) -> str:
    """The name read by the longest entries of a table; "" where a part is not in it."""
    assert isinstance(table, dict)
    words, at = [], 0
    while at < len(native):
        for size in (3, 2, 1):
            if word := table.get(native[at : at + size]):
                words.append(word)
                at += size
                break
        else:
            return ""
    return " ".join(words) if 2 <= len(words) <= 6 else ""
