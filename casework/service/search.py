"""Searching as a use case: what an institution is shown goes on record, searches are kept.

Finding a case is being told that there is one: for an institution it is disclosure like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casework.cases.disclosure import sees
from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, EntryKind
from casework.cases.times import time_text
from casework.ports import Record, SavedSearch
from casework.search.ports import Hit, SearchIndex, SearchPage
from casework.search.query import Kind, SearchQuery
from regtech.content.saying import say
from regtech.errors import NotFoundError


class SearchService:
    """Questions to the index, for whoever works cases or is told of them."""

    def __init__(self, record: Record, index: SearchIndex) -> None:
        self.record, self.index = record, index

    def search(
        self,
        scope: Scope,
        query: SearchQuery,
        *,
        after: str | None = None,
        limit: int = 20,
        facets: bool = True,
    ) -> SearchPage:
        """A page of what the scope finds. Raises as ``SearchIndex.search`` does."""
        allow(scope, Action.READ)
        page = self.index.search(scope, query, after=after, limit=limit, facets=facets)
        if not scope.restricted:
            return page
        # The index may be behind by a moment: what may no longer be shown is not.
        chains = {hit.subject: self._chain(scope, hit) for hit in page.hits}
        hits = tuple(hit for hit in page.hits if chains[hit.subject] is not None)
        self._told(scope, hits, {name: chain for name, chain in chains.items() if chain})
        return SearchPage(hits, page.total, page.facets, page.after, page.at_least)

    def _chain(self, scope: Scope, hit: Hit) -> str | None:
        """The log that it belongs into; None where the record does not show it to the scope."""
        try:
            if hit.kind is Kind.CASE:
                case = self.record.case(scope, hit.subject)
                return case.chain if sees(scope, case) else None
            if hit.kind is Kind.ALERT:
                return self.record.alert(scope, hit.subject).tenant
        except NotFoundError:
            return None
        return hit.tenants[0]

    def _told(self, scope: Scope, hits: tuple[Hit, ...], chains: Mapping[str, str]) -> None:
        by_chain: dict[str, dict[str, list[str]]] = {}
        for hit in hits:
            name = {Kind.CASE: "cases", Kind.ALERT: "alerts", Kind.PARTY: "parties"}[hit.kind]
            found = by_chain.setdefault(chains.get(hit.subject, ""), {})
            if hit.subject not in found.setdefault(name, []):
                found[name].append(hit.subject)
        if not by_chain:
            return
        with self.record.unit(scope) as unit:
            for chain, told in sorted(by_chain.items()):
                detail = {**told, "to": sorted(scope.tenants or ())}
                unit.log(scope, chain, Draft(EntryKind.DISCLOSED, detail=detail))

    def save(self, scope: Scope, name: str, query: SearchQuery) -> None:
        """Keep a search under a name. Raises ``UsageError`` for one that could not be asked."""
        allow(scope, Action.READ)
        query.terms()
        self.record.save_search(scope, name, query.as_dict())

    def saved(self, scope: Scope) -> tuple[SavedSearch, ...]:
        """The searches that the actor keeps, by name."""
        allow(scope, Action.READ)
        return self.record.saved_searches(scope)

    def recall(self, scope: Scope, name: str) -> SearchQuery:
        """A kept search as a query. Raises ``NotFoundError``."""
        for search in self.saved(scope):
            if search.name == name.strip():
                return SearchQuery.of(search.body)
        known = ", ".join(search.name for search in self.saved(scope)) or "none"
        raise NotFoundError(
            say("there is no saved search %(name)s", name=name),
            hint=say("saved searches: %(known)s", known=known),
        )

    def forget(self, scope: Scope, name: str) -> None:
        """Take a kept search away. Raises ``NotFoundError``."""
        allow(scope, Action.READ)
        self.record.forget_search(scope, name)


def page_data(page: SearchPage) -> dict[str, Any]:
    """A page as plain data; pieces of a highlight are text and whether it matched."""
    return {
        "total": page.total,
        "at_least": page.at_least,
        "hits": [hit_data(hit) for hit in page.hits],
        "facets": {name: dict(counts) for name, counts in page.facets.items()},
        "after": page.after,
    }


def hit_data(hit: Hit) -> dict[str, Any]:
    """A hit as plain data."""
    return {
        "kind": hit.kind.value,
        "id": hit.subject,
        "score": hit.score,
        "jurisdiction": hit.jurisdiction,
        "tenants": list(hit.tenants),
        "theme": hit.theme,
        "state": hit.state,
        "queue": hit.queue,
        "severity": hit.severity,
        "open": hit.open,
        "at": time_text(hit.at_us) if hit.kind is not Kind.PARTY else None,
        "title": dict(hit.title),
        "about": {name: list(values) for name, values in hit.about.items()},
        "highlights": [
            {
                "field": highlight.field,
                "pieces": [{"text": text, "match": match} for text, match in highlight.pieces],
            }
            for highlight in hit.highlights
        ],
    }
