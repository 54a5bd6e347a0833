"""Documents and scopes for tests of search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casework.cases.scope import Role, Scope, service_scope
from casework.search.document import Document
from casework.search.ports import Highlight, SearchIndex, SearchPage
from casework.search.query import Kind, SearchQuery

SERVICE = service_scope()
SUPERVISOR = Scope("wang", frozenset({Role.SUPERVISOR}), None, None)
OPERATOR = Scope("ops", frozenset({Role.OPERATOR}), None, None)
AUTHOR = Scope("author", frozenset({Role.AUTHOR}), None, None)


def institution(*tenants: str) -> Scope:
    """Somebody of institutions."""
    return Scope("bank", frozenset({Role.INSTITUTION}), None, frozenset(tenants))


def case(number: int, version: int = 1, **more: Any) -> Document:
    """A case that everybody with a full view may find."""
    given: dict[str, Any] = {
        "full": True,
        "jurisdiction": "CN",
        "tenants": ("BANK-A",),
        "theme": "lending",
        "state": "new",
        "queue": "cn",
        "severity": "high",
        "at_us": number,
    }
    identity = f"C-{number:020x}"
    return Document(f"case:{identity}", Kind.CASE, identity, version, **{**given, **more})


def fill(index: SearchIndex, documents: Iterable[Document]) -> str:
    """A live generation with the documents."""
    generation = index.begin()
    index.build(generation, list(documents))
    index.finish(generation)
    return generation


def ask(index: SearchIndex, text: str = "", scope: Scope = SERVICE, **more: Any) -> SearchPage:
    """The first page."""
    return index.search(scope, SearchQuery(text, **more))


def numbers(page: SearchPage) -> list[int]:
    """The numbers of the cases found, in order."""
    return [int(hit.subject.removeprefix("C-"), 16) for hit in page.hits]


def found(index: SearchIndex, text: str = "", scope: Scope = SERVICE, **more: Any) -> list[int]:
    """The numbers of the cases found, in order."""
    return numbers(ask(index, text, scope, **more))


def shown(highlight: Highlight) -> str:
    """A highlight with marks around what matched."""
    return "".join(f"[{text}]" if matched else text for text, matched in highlight.pieces)
