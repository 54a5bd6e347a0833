"""What is asked: words and filters, and how well a document answers, in fixed steps.

Every word has to be found. The score is the sum, over the words, of the best step that the word
reached. It depends on the question and the document alone: not on what else is in the index, as
the usual formulas do, so that it is the same in every backend, keeps its order while documents
arrive, and tells nothing of documents that may not be seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Final

from casework.search.text import alone, compact, may_be_near, sealed, tokens
from regtech.content.saying import say
from regtech.errors import UsageError

TEXT_MAX: Final = 400
"""Signs of a question."""
TERMS_MAX: Final = 16
_PREFIX_MIN: Final = 2
_LOOSE_MIN: Final = 3
_TERM: Final = re.compile(r'"([^"]*)"?|(\S+)')


class Kind(StrEnum):
    """What is found."""

    CASE = "case"
    ALERT = "alert"
    PARTY = "party"


class Field(StrEnum):
    """Where a word may stand; the order is that in which matches are shown."""

    IDS = "ids"
    NAMES = "names"
    NUMBERS = "numbers"
    TEXT = "text"
    NOTES = "notes"
    SEALED = "sealed"


class How(StrEnum):
    """In which way a word stands there."""

    PHRASE = "phrase"
    """The tokens one after the other, within one value."""
    WHOLE = "whole"
    """The value without blanks and dashes."""
    PREFIX = "prefix"
    """A token that begins so."""
    PART = "part"
    """A part of the value without blanks and dashes."""
    NEAR = "near"
    """A token with at most one typo."""
    LOOSE = "loose"
    """All tokens, in any order and place."""


@dataclass(frozen=True, slots=True)
class Step:
    """A way to be found, and what it is worth."""

    score: int
    field: Field
    how: How
    value: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A word, or a phrase in quotes. ``whole`` is it without blanks and dashes."""

    tokens: tuple[str, ...]
    whole: str
    quoted: bool

    def steps(self) -> list[Step]:
        """All ways in which it may be found, the best first."""
        f, h, words, whole = Field, How, self.tokens, (self.whole,)
        made = [
            Step(16, f.IDS, h.WHOLE, whole),
            Step(16, f.NUMBERS, h.WHOLE, whole),
            Step(16, f.SEALED, h.WHOLE, (sealed(self.whole),)),
            Step(12, f.NAMES, h.PHRASE, words),
            Step(8, f.TEXT, h.PHRASE, words),
            Step(6, f.NOTES, h.PHRASE, words),
        ]
        if self.quoted:
            return made
        if len(words) == 1 and len(words[0]) >= _PREFIX_MIN:
            made += [
                Step(5, f.NAMES, h.PREFIX, words),
                Step(4, f.TEXT, h.PREFIX, words),
                Step(3, f.NOTES, h.PREFIX, words),
            ]
        if len(self.whole) >= 3:
            made += [Step(4, f.NUMBERS, h.PART, whole), Step(3, f.IDS, h.PREFIX, whole)]
        if len(words) == 1 and may_be_near(words[0]):
            made += [Step(2, f.NAMES, h.NEAR, words), Step(1, f.TEXT, h.NEAR, words)]
        if len(words) >= _LOOSE_MIN and all(alone(word) for word in words):
            made += [Step(2, f.NAMES, h.LOOSE, words), Step(1, f.TEXT, h.LOOSE, words)]
        return made


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """Words and filters. An empty filter asks for all; several values of one filter for any.

    ``text``: words between blanks, all of which have to be found; "in quotes" as a phrase.
    ``open`` True leaves out ended cases. Times are microseconds since 1970, of a case its last
    change, of an alert its event time.
    """

    text: str = ""
    kinds: tuple[Kind, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    open: bool | None = None
    since_us: int | None = None
    until_us: int | None = None

    def terms(self) -> tuple[Term, ...]:
        """The words. Raises ``UsageError`` where there are more than an index should be asked."""
        if len(self.text) > TEXT_MAX:
            raise UsageError(
                say(
                    "a search has at most %(text_max)s signs, not %(text)s",
                    text_max=TEXT_MAX,
                    text=len(self.text),
                )
            )
        made = []
        for quoted, plain in _TERM.findall(self.text):
            found = tuple(tokens(quoted or plain))
            if found:
                made.append(Term(found, compact(quoted or plain), bool(quoted)))
        if len(made) > TERMS_MAX:
            raise UsageError(
                say(
                    "a search has at most %(terms_max)s words, not %(made)s",
                    terms_max=TERMS_MAX,
                    made=len(made),
                )
            )
        if self.text.strip() and not made:
            raise UsageError(
                say("nothing to search for in %(text)r", text=self.text),
                hint=say("letters or digits"),
            )
        return tuple(dict.fromkeys(made))

    def limited(self) -> SearchQuery:
        """The question as far as an institution may ask it: not by what is not shown to it."""
        return replace(self, states=(), queues=(), severities=())

    def as_dict(self) -> dict[str, Any]:
        """Plain data without what is not asked; what a saved search keeps."""
        made: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if value != item.default:
                made[item.name] = [str(v) for v in value] if isinstance(value, tuple) else value
        return made

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> SearchQuery:
        """The query of ``as_dict``. Raises ``UsageError`` for anything else."""
        names = {item.name: item for item in fields(cls)}
        made: dict[str, Any] = {}
        for name, value in document.items():
            if name not in names:
                raise UsageError(
                    say("a search has no %(name)r", name=name),
                    hint=say("it has %(names)s", names=", ".join(names)),
                )
            listed = isinstance(names[name].default, tuple)
            if listed and not (
                isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value)
            ):
                raise UsageError(
                    say(
                        "%(name)s of a search is a list of words, not %(value)r",
                        name=name,
                        value=value,
                    )
                )
            made[name] = tuple(value) if listed else value
        if not isinstance(made.get("text", ""), str):
            raise UsageError(say("text of a search is text"))
        if made.get("open") not in (None, True, False):
            raise UsageError(say("open of a search is true or false"))
        for name in ("since_us", "until_us"):
            if not isinstance(made.get(name), (int, type(None))):
                raise UsageError(
                    say("%(name)s of a search is a whole number of microseconds", name=name)
                )
        known = [kind.value for kind in Kind]
        for kind in made.get("kinds", ()):
            if kind not in known:
                raise UsageError(
                    say("no kind %(kind)r", kind=kind),
                    hint=say("kinds: %(known)s", known=", ".join(known)),
                )
        made["kinds"] = tuple(Kind(kind) for kind in made.get("kinds", ()))
        return cls(**made)
