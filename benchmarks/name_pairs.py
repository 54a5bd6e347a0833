"""Development pairs of names, made from published lists: which two names are one's, which are not.

Folds are by entity. Entities that share a name (one person on two lists) count as one, and a pair
that is not a match has both its entities in one fold, so that no entity is in two folds. Everything
is drawn with a seed: the same files give the same pairs.
"""

from __future__ import annotations

import random
import string
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.names.analysis import Analyser, Kind
from regtech.reference.watchlists import ListVersion

FOLDS: Final = 5
ALIASES_MAX: Final = 3
"""Pairs of one entity, so that those with forty aliases do not decide the fit."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two names; ``match``: whether they are one's. ``source``: how the pair came about."""

    left: str
    right: str
    match: bool
    source: str
    fold: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Listed:
    """A listed entity: its names, romanised ones and those in their own script apart."""

    key: str
    kind: Kind
    primary: str
    aliases: tuple[str, ...]
    originals: tuple[str, ...]


def listed_entities(versions: Sequence[ListVersion]) -> list[Listed]:
    """Entities with a name of their own, in the order of the lists."""
    found = []
    for version in versions:
        for entry in version.entries:
            names = [name.text for name in entry.names]
            latin = [name for name in names if _is_latin(name)]
            if latin:
                found.append(
                    Listed(
                        f"{version.name}:{entry.id}",
                        entry.kind,
                        latin[0],
                        tuple(latin[1:]),
                        tuple(name for name in names if not _is_latin(name)),
                    )
                )
    return found


def _is_latin(text: str) -> bool:
    return all(ord(char) < 0x250 or not char.isalpha() for char in text)


def folds_of(entities: Sequence[Listed], analyser: Analyser) -> dict[str, tuple[int, int]]:
    """For each key its fold and its cluster: entities with an equal name are one cluster."""
    parent = list(range(len(entities)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    owner: dict[str, int] = {}
    for number, entity in enumerate(entities):
        for name in (entity.primary, *entity.aliases):
            key = " ".join(sorted(analyser.analyse(name)[0].words))
            if key.count(" ") < 1:
                continue  # one word is many people's
            if key in owner:
                parent[root(number)] = root(owner[key])
            owner[key] = number
    draw = random.Random(17)
    fold_of = [draw.randrange(FOLDS) for _ in entities]
    return {e.key: (fold_of[root(n)], root(n)) for n, e in enumerate(entities)}


# --- distortions


_SPELLINGS: Final = (
    ("ou", "u"), ("u", "ou"), ("kh", "k"), ("q", "k"), ("k", "q"), ("y", "i"), ("i", "y"),
    ("ee", "i"), ("sh", "ch"), ("v", "w"), ("zh", "j"), ("j", "dj"), ("ts", "c"), ("ey", "ei"),
    ("aa", "a"), ("o", "u"), ("e", "i"), ("a", "e"), ("ph", "f"), ("x", "ks"), ("ya", "ia"),
    ("yu", "iu"), ("ss", "s"), ("mm", "m"), ("th", "t"), ("dh", "d"), ("gh", "g"), ("z", "s"),
)  # fmt: skip


def slip(word: str, draw: random.Random) -> str:
    """One letter less, more, other, or two exchanged."""
    at, how = draw.randrange(len(word)), draw.randrange(4)
    letter = draw.choice(string.ascii_lowercase)
    if how == 0:
        return word[:at] + word[at + 1 :]
    if how == 1:
        return word[:at] + letter + word[at:]
    if how == 2:
        return word[:at] + letter + word[at + 1 :]
    return word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :]


def _slips(words: list[str], draw: random.Random, count: int) -> list[str] | None:
    long = [n for n, word in enumerate(words) if len(word) > 3]
    if not long:
        return None
    words = list(words)
    for _ in range(count):
        at = draw.choice(long)
        words[at] = slip(words[at], draw)
    return words


def _swapped(words: list[str], draw: random.Random) -> list[str] | None:
    if len(words) < 2:
        return None
    at = draw.randrange(1, len(words))
    return words[at:] + words[:at]


def _left_out(words: list[str], draw: random.Random) -> list[str] | None:
    if len(words) < 3:
        return None
    at = draw.randrange(len(words))
    return words[:at] + words[at + 1 :]


def _initial(words: list[str], draw: random.Random) -> list[str] | None:
    if len(words) < 3:
        return None
    at = draw.randrange(len(words) - 1)
    return [word[:1] if n == at else word for n, word in enumerate(words)]


def _joined(words: list[str], draw: random.Random) -> list[str] | None:
    if len(words) < 2:
        return None
    at = draw.randrange(len(words) - 1)
    return [*words[:at], words[at] + words[at + 1], *words[at + 2 :]]


def _split(words: list[str], draw: random.Random) -> list[str] | None:
    long = [n for n, word in enumerate(words) if len(word) > 5]
    if not long:
        return None
    at = draw.choice(long)
    cut = draw.randrange(2, len(words[at]) - 2)
    return [*words[:at], words[at][:cut], words[at][cut:], *words[at + 1 :]]


def _respelled(words: list[str], draw: random.Random) -> list[str] | None:
    words, changed = list(words), 0
    for at in draw.sample(range(len(words)), len(words)):
        fits = [pair for pair in _SPELLINGS if pair[0] in words[at]]
        if fits and len(words[at]) > 2 and changed < 2:
            words[at] = words[at].replace(*draw.choice(fits), 1)
            changed += 1
    return words if changed else None


def _mixed(words: list[str], draw: random.Random) -> list[str] | None:
    turned = _swapped(words, draw)
    if turned is None:
        return None
    turned = _respelled(turned, draw) or turned
    return _slips(turned, draw, 1) or turned


Distortion = Callable[[list[str], random.Random], list[str] | None]
DISTORTIONS: Final[dict[str, Distortion]] = {
    "one slip": lambda words, draw: _slips(words, draw, 1),
    "two slips": lambda words, draw: _slips(words, draw, 2),
    "swapped": _swapped,
    "word left out": _left_out,
    "initial": _initial,
    "joined": _joined,
    "split": _split,
    "respelled": _respelled,
    "mixed": _mixed,
}


# --- pairs


def development_pairs(
    versions: Sequence[ListVersion], analyser: Analyser, *, seed: int = 5, scale: float = 1.0
) -> list[Pair]:
    """All development pairs; ``scale`` takes a part of the draws."""
    entities = listed_entities(versions)
    place = folds_of(entities, analyser)
    draw = random.Random(seed)
    pairs: list[Pair] = []

    def add(left: str, right: str, match: bool, source: str, entity: Listed) -> None:
        fold = place[entity.key][0]
        if draw.random() < 0.5:
            left, right = right, left
        # Half of the pairs do not say what they are, as it is with most names in payments.
        kind = entity.kind if draw.random() < 0.5 else ""
        pairs.append(Pair(left, right, match, source, fold, kind))

    def words(text: str) -> list[str]:
        return analyser.analyse(text)[0].words

    aliases = [
        (entity, alias)
        for entity in entities
        for alias in draw.sample(entity.aliases, min(ALIASES_MAX, len(entity.aliases)))
        if sorted(words(alias)) != sorted(words(entity.primary))
    ]
    draw.shuffle(aliases)
    aliases = aliases[: int(4500 * scale)]
    for entity, alias in aliases:
        add(alias, entity.primary, True, "alias", entity)
    chosen = [entity for entity, _ in aliases]
    for entity, other in _neighbours(entities, chosen, place, analyser, draw):
        add(other, entity.primary, False, "neighbour", entity)
    for entity in draw.sample(entities, int(7500 * scale)):
        other_entity = draw.choice(entities)
        (fold, cluster), (its_fold, its_cluster) = place[entity.key], place[other_entity.key]
        if fold == its_fold and cluster != its_cluster:
            theirs = draw.choice((other_entity.primary, *other_entity.aliases))
            add(theirs, entity.primary, False, "any two", entity)
    for entity in draw.sample(entities, int(1500 * scale)):
        add(written_otherwise(entity.primary, draw), entity.primary, True, "same", entity)
    pairs += _recombined_pairs(entities, place, analyser, draw, int(2500 * scale))
    many = [entity for entity in entities if len(words(entity.primary)) > 1]
    vocabulary = [word for entity in many for word in words(entity.primary)]
    for entity in draw.sample(many, int(3500 * scale)):
        name = words(entity.primary)
        kind = draw.choice(list(DISTORTIONS))
        if distorted := DISTORTIONS[kind](list(name), draw):
            add(" ".join(distorted), entity.primary, True, "distorted", entity)
        at = draw.randrange(len(name))
        other_word = draw.choice(vocabulary)
        if len(name[at]) > 2 and other_word != name[at]:
            changed = [other_word if n == at else word for n, word in enumerate(name)]
            add(" ".join(changed), entity.primary, False, "word replaced", entity)
    pairs += _original_pairs(entities, place, analyser, draw, scale)
    pairs += _half_alike_pairs(entities, place, analyser, draw, int(5000 * scale))
    return pairs


def _neighbours(
    entities: Sequence[Listed],
    chosen: Sequence[Listed],
    place: dict[str, tuple[int, int]],
    analyser: Analyser,
    draw: random.Random,
) -> Iterator[tuple[Listed, str]]:
    """For each chosen entity a name of another one of its fold that looks much like it.

    By letters in order of the alphabet of words, by shared words, or by shared rare trigrams, and
    not always the most alike: no single measure is then what the pairs were chosen by.
    """
    by_fold: dict[int, list[tuple[str, str, int]]] = defaultdict(list)
    for entity in entities:
        fold, cluster = place[entity.key]
        for name in (entity.primary, *entity.aliases[:1]):
            by_fold[fold].append((name, " ".join(sorted(analyser.analyse(name)[0].words)), cluster))
    asked: dict[int, list[Listed]] = defaultdict(list)
    for entity in chosen:
        asked[place[entity.key][0]].append(entity)
    for fold in sorted(asked):
        names = by_fold[fold]
        clusters = np.array([entry[2] for entry in names])
        measures = _Measures([entry[1] for entry in names])
        for entity in asked[fold]:
            question = " ".join(sorted(analyser.analyse(entity.primary)[0].words))
            value = measures.alike(question, draw.randrange(3))
            value[clusters == place[entity.key][1]] = -1
            best = np.argsort(-value, kind="stable")[:8]
            rank = min(draw.randrange(8), draw.randrange(8))
            yield entity, names[int(best[rank])][0]


class _Measures:
    """Three ways in which names look alike, each over the same names."""

    def __init__(self, names: list[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._names = names
        self._grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3))
        self._matrix = self._grams.fit_transform(names)

    def alike(self, question: str, which: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """How alike each name is, by letters (0), words (1) or rare trigrams (2)."""
        from rapidfuzz import fuzz, process

        if which == 2:
            return np.asarray(
                (self._matrix @ self._grams.transform([question]).T).todense()
            ).ravel()
        scorer = fuzz.token_set_ratio if which else fuzz.ratio
        found = process.cdist([question], self._names, scorer=scorer, workers=1)
        return np.asarray(found[0], np.float64)


def _recombined_pairs(
    entities: Sequence[Listed],
    place: dict[str, tuple[int, int]],
    analyser: Analyser,
    draw: random.Random,
    count: int,
) -> list[Pair]:
    """People who are on no list, of words of those who are, beside the listed name most like it."""
    people: dict[int, list[list[str]]] = defaultdict(list)
    for entity in entities:
        words = analyser.analyse(entity.primary, "person")[0].words
        if entity.kind == "person" and len(words) > 1:
            people[place[entity.key][0]].append(words)
    pairs = []
    for fold in sorted(people):
        names = [" ".join(sorted(words)) for words in people[fold]]
        measures, known = _Measures(names), set(names)
        for _ in range(count // FOLDS):
            first, last = draw.choice(people[fold]), draw.choice(people[fold])
            made = [first[0], last[-1]] if draw.random() < 0.7 else [*first[:2], last[-1]]
            question = " ".join(sorted(made))
            if question in known:
                continue
            best = np.argsort(-measures.alike(question, draw.choice((0, 0, 2))), kind="stable")
            other = " ".join(people[fold][int(best[draw.randrange(2)])])
            # One word more or less may well be the same person.
            if not set(made) <= set(other.split()) and not set(other.split()) <= set(made):
                pairs.append(Pair(" ".join(made), other, False, "recombined", fold, "person"))
    return pairs


def _half_alike_pairs(
    entities: Sequence[Listed],
    place: dict[str, tuple[int, int]],
    analyser: Analyser,
    draw: random.Random,
    count: int,
) -> list[Pair]:
    """Names of two entities in which a word sounds the same, short names first.

    Measures over whole names seldom choose these, and a list gives them for every name that is
    asked. Every other question is a person of words of two who are listed.
    """
    by_sound: dict[tuple[int, int], list[tuple[int, str, str, int]]] = defaultdict(list)
    for entity in entities:
        fold, cluster = place[entity.key]
        for name in (entity.primary, *entity.aliases, *entity.originals):
            tokens = analyser.analyse(name, entity.kind)[0].tokens
            for token in tokens:
                if token.bone_length > 1 and token.weight > 0.2:
                    size = sum(len(t.text) for t in tokens)
                    by_sound[fold, token.bones].append((size, name, entity.key, cluster))
    people = defaultdict(list)
    for entity in entities:
        if entity.kind == "person":
            people[place[entity.key][0]].append(entity)
    pairs: list[Pair] = []
    tried = 0
    while len(pairs) < count and tried < 4 * count:
        tried += 1
        entity = draw.choice(entities)
        fold, cluster = place[entity.key]
        asked, kind, mine = draw.choice((entity.primary, *entity.aliases)), entity.kind, {cluster}
        if tried % 2 and people[fold]:
            one, other = draw.choice(people[fold]), draw.choice(people[fold])
            first = analyser.analyse(one.primary, "person")[0].words
            last = analyser.analyse(other.primary, "person")[0].words
            if not first or not last:
                continue
            asked, kind = f"{first[0]} {last[-1]}", "person"
            mine = {place[one.key][1], place[other.key][1]}
        tokens = [
            t for t in analyser.analyse(asked, kind)[0].tokens
            if t.bone_length > 1 and t.weight > 0.2
        ]  # fmt: skip
        if not tokens:
            continue
        found = sorted(
            entry for entry in by_sound[fold, draw.choice(tokens).bones] if entry[3] not in mine
        )
        if not found:
            continue
        name = found[min(draw.randrange(len(found)) for _ in range(3))][1]
        words, others = set(analyser.analyse(asked)[0].words), set(analyser.analyse(name)[0].words)
        # One name within the other may well be the same party.
        if not words <= others and not others <= words:
            given = kind if draw.random() < 0.5 else ""
            pairs.append(Pair(asked, name, False, "half alike", fold, given))
    return pairs


def written_otherwise(name: str, draw: random.Random) -> str:
    """The same name as another clerk writes it: case, commas, order, hyphens, a title."""
    head, comma, tail = name.partition(", ")
    how = draw.randrange(5)
    if comma and how == 0 and "," not in tail:
        return f"{tail} {head}".title()
    if how == 1:
        return name.replace("-", " ").replace("'", "").lower()
    if how == 2:
        return name.replace(",", "").replace(".", "").upper()
    return name.title() if how == 3 else name


def _original_pairs(
    entities: Sequence[Listed],
    place: dict[str, tuple[int, int]],
    analyser: Analyser,
    draw: random.Random,
    scale: float,
) -> list[Pair]:
    """Names in their own script beside romanised ones, of the same and of a similar entity."""
    own = [entity for entity in entities if entity.originals]
    pairs = []
    for entity in own[: int(len(own) * scale)]:
        fold = place[entity.key][0]
        original = draw.choice(entity.originals)
        pairs.append(Pair(original, entity.primary, True, "own script", fold, entity.kind))
    for entity, other in _neighbours(own, own[: int(len(own) * scale)], place, analyser, draw):
        fold = place[entity.key][0]
        original = draw.choice(entity.originals)
        pairs.append(Pair(original, other, False, "own script, other", fold, entity.kind))
    return pairs
