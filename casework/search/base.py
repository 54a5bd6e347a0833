"""What every backend does in the same way: the scope first, cursors, and what is shown of a hit."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from casework.cases.grades import MASK
from casework.cases.scope import Scope
from casework.search.document import Document
from casework.search.highlight import highlights
from casework.search.ports import Hit, SearchPage
from casework.search.query import Field, Kind, SearchQuery, Step
from casework.search.reach import Reach, reach_of
from regtech.content.saying import say
from regtech.errors import UsageError

LIMIT_MAX: Final = 500
COUNTED_MAX: Final = 10_000
"""So many documents with the words asked for are counted; of more, that there are more is said."""
_ABOUT_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended. ``snapshot``: what the backend needs to see the index as it was."""

    snapshot: str
    score: int
    at_us: int
    id: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a backend gets it: within the reach of the scope, and in no other way."""

    reach: Reach
    query: SearchQuery
    terms: tuple[tuple[Step, ...], ...]
    place: Place | None
    limit: int
    facets: bool

    @property
    def impossible(self) -> bool:
        """A word that the scope may look for nowhere is found nowhere."""
        return any(not steps for steps in self.terms)


@dataclass(frozen=True, slots=True)
class Answer:
    """Documents with their scores, in order. ``snapshot`` None: there is no more. ``at_least``:
    there are more than ``total``."""

    found: Sequence[tuple[int, Document]]
    total: int
    facets: Mapping[str, Mapping[str, int]]
    snapshot: str | None
    at_least: bool = False


NOTHING: Final = Answer((), 0, {}, None)


class ScopedSearch(ABC):
    """``SearchIndex.search`` over a backend that answers ``Asked``."""

    counted_max = COUNTED_MAX

    def search(
        self,
        scope: Scope,
        query: SearchQuery,
        *,
        after: str | None = None,
        limit: int = 20,
        facets: bool = True,
    ) -> SearchPage:
        """See ``casework.search.ports.SearchIndex``."""
        reach = reach_of(scope)
        if not 1 <= limit <= LIMIT_MAX:
            raise UsageError(
                say(
                    "a page has 1 to %(limit_max)s rows, not %(limit)s",
                    limit_max=LIMIT_MAX,
                    limit=limit,
                )
            )
        asked = reach.effective(query)
        print_ = _fingerprint(reach, asked)
        place = None if after is None else _read(after, print_)
        terms = tuple(tuple(reach.steps(term)) for term in asked.terms())
        question = Asked(reach, asked, terms, place, limit, facets)
        answer = NOTHING if question.impossible else self._answer(question)
        # The second check is the same rule in its other form: neither alone lets anything out.
        found = [pair for pair in answer.found if reach.sees(pair[1])]
        hits = tuple(_hit(score, document, reach, terms) for score, document in found)
        following = None
        if answer.snapshot is not None and answer.found:
            score, last = answer.found[-1]
            following = _write(Place(answer.snapshot, score, last.at_us, last.id), print_)
        shown = {
            name: dict(
                sorted(answer.facets.get(name, {}).items(), key=lambda item: (-item[1], item[0]))
            )
            for name in (reach.facets if facets else ())
        }
        return SearchPage(hits, answer.total, shown, following, answer.at_least)

    @abstractmethod
    def _answer(self, asked: Asked) -> Answer:
        """Documents by score, ``at_us`` (both the highest first) and id, after the place."""


def _hit(score: int, document: Document, reach: Reach, terms: Sequence[Sequence[Step]]) -> Hit:
    hidden = reach.restricted
    about: dict[str, tuple[str, ...]] = {}
    if document.kind is Kind.PARTY:
        for where in (Field.NAMES, Field.NUMBERS):
            values = document.values(where)[:_ABOUT_MAX]
            about[where.value] = values if where in reach.shown else (MASK,) * bool(values)
    return Hit(
        kind=document.kind,
        subject=document.subject,
        score=score,
        jurisdiction=document.jurisdiction,
        tenants=document.tenants,
        theme=document.theme,
        state="" if hidden else document.state,
        queue="" if hidden else document.queue,
        severity="" if hidden else document.severity,
        open=document.open,
        at_us=document.at_us,
        title=document.title,
        highlights=highlights(document, reach, terms),
        about=about,
    )


def _fingerprint(reach: Reach, query: SearchQuery) -> str:
    """A cursor goes on with the search that it came from, for whom it came from."""
    sure = [reach.restricted, reach.jurisdictions, reach.tenants, sorted(reach.searched)]
    text = json.dumps([sure, query.as_dict()], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write(place: Place, print_: str) -> str:
    parts: list[Any] = [print_, place.snapshot, place.score, place.at_us, place.id]
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(text: str, print_: str) -> Place:
    try:
        padded = text.encode() + b"=" * (-len(text) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        parts = None
    if (
        not isinstance(parts, list)
        or [type(part) for part in parts] != [str, str, int, int, str]
        or parts[0] != print_
        or not all(abs(part) < 1 << 63 for part in parts if isinstance(part, int))
    ):
        raise UsageError(
            say("not a cursor of this search"), hint=say("take `after` of the page before")
        )
    return Place(*parts[1:])
