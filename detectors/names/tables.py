"""Words that mean something in names: company forms, titles, particles, short forms, countries.

The words are content (``mappings/names``); this module checks them and gives each the place where
``analysis`` looks it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from detectors.names.skeleton import skeleton
from regtech.errors import ContentError

RELATION_CODES: Final = 16
"""The number of a group of equal words, modulo this, is the ``Relation`` that it stands for."""

GROUPS_MAX: Final = 4
"""So many groups of equal words a word may be in."""


class Role(IntEnum):
    """What a word of a name does in it."""

    NAME = 0
    INITIAL = 1
    PARTICLE = 2
    HONORIFIC = 3
    WEAK_HONORIFIC = 4
    DESCENT = 5
    NUMERAL = 6
    GENERATION = 7
    COUNTRY = 8
    ORGANISATION = 9
    PATRONYMIC = 10
    VESSEL = 11


class Relation(IntEnum):
    """How two words of a pair were brought together."""

    NONE = 0
    SAME = 1
    ALIKE = 2
    SOUND = 3
    SHORT = 4
    SPELLING = 5
    MEANING = 6
    INITIAL = 7
    JOINED = 8


RELATIONS: Final = {
    "short": Relation.SHORT,
    "spelling": Relation.SPELLING,
    "meaning": Relation.MEANING,
}
KEPT_FORMS: Final = frozenset({"foundation", "association", "cooperative"})
"""Classes whose words are part of the name as well: a foundation is called one."""


@dataclass(frozen=True, slots=True, eq=False)
class NameTables:
    """All words. Immutable; made once by ``from_documents``.

    ``weights``: how much a word says, from 0 to 1, by how rare it is in the lists the score was
    fitted on; words that are not in it say most. A score never depends on what else is on a list.
    """

    roles: Mapping[str, Role]
    values: Mapping[str, int]
    forms: Mapping[tuple[str, ...], str]
    form_signs: tuple[tuple[str, str], ...]
    form_classes: tuple[str, ...]
    form_words_max: int
    descent_endings: tuple[str, ...]
    groups: Mapping[str, tuple[int, ...]]
    countries: Mapping[str, str]
    weights: Mapping[str, float]
    japanese: Mapping[str, str] = field(default_factory=dict)
    korean: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_documents(
        cls,
        *,
        forms: Any,
        titles: Any,
        equivalents: Any,
        readings: Any,
        countries: Mapping[str, str],
        weights: Mapping[str, float],
    ) -> NameTables:
        """The tables of parsed documents; ``countries``: spelling to ISO code.

        Raises ``ContentError`` where a document has not the shape that is expected.
        """
        try:
            return _built(forms, titles, equivalents, readings, countries, weights)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ContentError(
                f"the words of names are not as expected: {error!r}",
                hint="compare mappings/names with the files that ship",
            ) from error


FORM_WORD_LONG: Final = 8
"""Words of company forms from this length on are told by their consonants..."""
FORM_WORDS_LONG: Final = 3
"""...in forms of so many words: ``obshchestvo s ogranichennoi otvetstvennostyu`` is romanised in
more ways than can be listed."""


def form_word(word: str) -> str:
    """A word as it is looked up in a long company form."""
    return skeleton(word) if len(word) >= FORM_WORD_LONG else word


def plain(word: str) -> str:
    """A word of a table as tokens have it."""
    return word.replace("'", "").lower()


def _built(
    forms: Any,
    titles: Any,
    equivalents: Any,
    readings: Any,
    countries: Mapping[str, str],
    weights: Mapping[str, float],
) -> NameTables:
    roles: dict[str, Role] = {}
    values: dict[str, int] = {}

    def mark(words: Iterable[str], role: Role) -> None:
        for word in words:
            roles.setdefault(plain(word), role)

    for key, role in (("generations", Role.GENERATION), ("numerals", Role.NUMERAL)):
        for word, value in titles[key].items():
            roles[plain(word)] = role
            values[plain(word)] = int(value)
    mark(titles["patronymic_marks"], Role.DESCENT)
    mark(titles["weak_honorifics"], Role.WEAK_HONORIFIC)
    mark(titles["honorifics"], Role.HONORIFIC)
    mark(titles["particles"], Role.PARTICLE)
    mark((name for name in countries if " " not in name), Role.COUNTRY)
    mark(titles["organisation_words"], Role.ORGANISATION)
    mark(forms["generic"], Role.ORGANISATION)
    mark((word for word in titles["vessel_marks"] if " " not in word), Role.VESSEL)

    groups: dict[str, list[int]] = {}
    count = 0
    for kind, relation in RELATIONS.items():
        for words in equivalents[kind]:
            number = count * RELATION_CODES + relation
            count += 1
            for word in dict.fromkeys(map(plain, words)):
                groups.setdefault(word, []).append(number)

    sequences: dict[tuple[str, ...], str] = {}
    signs: list[tuple[str, str]] = []
    for name, entry in forms["classes"].items():
        for words in entry["words"]:
            parts = tuple(plain(words).split())
            sequences.setdefault(parts, name)
            if len(parts) >= FORM_WORDS_LONG:
                sequences.setdefault(tuple(map(form_word, parts)), name)
        signs.extend((sign, name) for sign in entry["signs"])
    return NameTables(
        roles=roles,
        values=values,
        forms=sequences,
        form_signs=tuple(sorted(signs, key=lambda pair: -len(pair[0]))),
        form_classes=tuple(forms["classes"]),
        form_words_max=max(map(len, sequences)),
        descent_endings=tuple(titles["patronymic_endings"]),
        groups={word: tuple(found[:GROUPS_MAX]) for word, found in groups.items()},
        countries=dict(countries),
        weights=dict(weights),
        japanese=dict(readings["japanese"]),
        korean=dict(readings["korean"]),
    )
