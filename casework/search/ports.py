"""The search port: what asks, what feeds, and what builds anew, without a word on how it is done.

A generation is one whole index. One is live and answers; while another is built, writes go to both,
so that it can take over without a gap. Writes may come in any order and more than once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from casework.cases.scope import Scope
from casework.search.document import Document
from casework.search.query import Kind, SearchQuery

Piece = tuple[str, bool]
"""A stretch of text, and whether it is what matched."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """Where a document matched. ``field`` as in ``query.Field``; masked values are one mark."""

    field: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found. ``subject`` is the id of the case, alert or party.

    ``about``: of a party, its names and numbers, as far as the scope may see them. What the scope
    may not know (for an institution: state, queue, severity) is empty.
    """

    kind: Kind
    subject: str
    score: int
    jurisdiction: str
    tenants: tuple[str, ...]
    theme: str
    state: str
    queue: str
    severity: str
    open: bool
    at_us: int
    title: Mapping[str, str]
    highlights: tuple[Highlight, ...] = ()
    about: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A piece of what was found, the best first. ``total`` and ``facets`` are about all of it.

    ``facets``: field to value to how many; only those that the scope may see. ``after`` is handed
    back for the next piece; None at the end. ``at_least``: so many have the words that not all were
    counted. There are more than ``total``, the numbers of ``facets`` are the least that there are,
    and an index may show the best of those alone that were written last.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]
    after: str | None
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is compared with the record: a document's version and the digest of what is stored."""

    id: str
    version: int
    digest: str


class SearchIndex(Protocol):
    """An index of documents. May be used by several threads and processes at once."""

    def search(
        self,
        scope: Scope,
        query: SearchQuery,
        *,
        after: str | None = None,
        limit: int = 20,
        facets: bool = True,
    ) -> SearchPage:
        """What the scope may find. A walk over the pages shows the index as it was at the first.

        Raises ``UsageError`` for a query that is none, or an ``after`` of another search or of one
        too long ago; ``ForbiddenError``; ``IndexAbsentError``; ``StoreError``.
        """

    def write(self, documents: Sequence[Document]) -> None:
        """Put documents into every generation that is in use; durable when it returns.

        One with a lower version than what is there changes nothing. Raises ``IndexAbsentError``
        where no generation is live or being built, ``StoreError``.
        """

    def refresh(self) -> None:
        """Have searches find all that was written; without it they do so a moment later."""

    def live(self) -> str | None:
        """The name of the generation that answers; None where there is none of this shape."""

    def begin(self) -> str:
        """Make an empty generation to be built; one that was left behind unfinished goes."""

    def build(self, generation: str, documents: Sequence[Document]) -> None:
        """Put documents into the generation that is being built, as ``write`` does.

        Raises ``ConflictError`` where another rebuild has taken its place.
        """

    def stamps(self, generation: str) -> Iterator[Stamp]:
        """All documents of a generation, those that are gone too, in any order.

        The digest is made from what is stored. Writes made before are in it.
        """

    def finish(self, generation: str) -> None:
        """Make the generation the live one, in one step. Raises ``ConflictError`` as ``build``."""

    def close(self) -> None:
        """Let go of connections."""
