"""What is searched for, and what is found."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from casework.api.types.common import Given, Line, Moment, PageOf, Shown
from casework.search.query import TEXT_MAX, Kind

Words = Annotated[
    str,
    Field(
        max_length=TEXT_MAX,
        description='Words, all of which have to be found; "in quotes" as a phrase.',
        examples=['张伟 "4567"'],
    ),
]
Values = Annotated[list[Line], Field(max_length=50)]
Name = Annotated[str, Field(min_length=1, max_length=100, examples=["pressing"])]


class Search(Given):
    """Words and filters. An empty filter asks for all; several values of one filter for any."""

    text: Words = ""
    kinds: Annotated[list[Kind], Field(max_length=len(Kind))] = []
    jurisdictions: Values = []
    themes: Values = []
    states: Values = []
    queues: Values = []
    severities: Values = []
    tenants: Values = []
    open: bool | None = Field(None, description="true: only open ones; false: only ended ones.")
    since: Moment | None = None
    until: Moment | None = None


class Piece(Shown):
    """A stretch of text."""

    text: str
    match: bool = Field(description="Whether it is what matched.")


class Highlight(Shown):
    """Where it matched; a masked value is one mark."""

    field: str = Field(description="ids, names, numbers, text, notes or sealed.")
    pieces: list[Piece]


class Hit(Shown):
    """A case, an alert or a party. What the caller may not know of it is empty."""

    kind: Kind
    id: str
    score: int = Field(description="How well it answers; of the question and this alone.")
    jurisdiction: str
    tenants: list[str]
    theme: str
    state: str
    queue: str
    severity: str
    open: bool
    at: str | None = Field(description="Last change of a case, event time of an alert.")
    title: dict[str, str]
    about: dict[str, list[str]] = Field(description="Of a party: its names and numbers.")
    highlights: list[Highlight]


class SearchPage(PageOf):
    """The best first. `total` and `facets` are about all that was found.

    Where very many documents have the words not all are counted: `at_least` is true, there are more
    than `total`, and the numbers of `facets` are the least that there are.
    """

    items: list[Hit]
    total: int
    at_least: bool = Field(description="There are more than `total`.")
    facets: dict[str, dict[str, int]] = Field(description="Field to value to how many.")


class NewSearch(Given):
    """A search to be kept under a name; one that is kept under it goes."""

    name: Name
    search: Search


class SavedSearch(Shown):
    """A search that is kept."""

    name: str
    search: Search
    changed: str


class SavedSearchList(Shown):
    """The caller's searches, by name."""

    items: list[SavedSearch]
