"""Views of the queue that somebody keeps: the filters of the search under a name."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import RedirectResponse

from casework.search.query import SearchQuery
from casework.service.search import SearchService
from casework.web.pages.queue import asked_of
from casework.web.render import link
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import NotFoundError

router = page_router()

FIELDS = {
    "jurisdiction": "jurisdictions",
    "theme": "themes",
    "state": "states",
    "queue": "queues",
    "severity": "severities",
    "tenant": "tenants",
}


def _search(visit: Visit) -> SearchService:
    if visit.parts.search is None:
        raise NotFoundError(say("there is no search index here"))
    return visit.parts.search


@router.get("/queue/views/{name}")
def recall(visit: Person, name: str) -> Response:
    """Open the queue as it was kept."""
    return RedirectResponse(_address(_search(visit).recall(visit.scope, name)), 303)


def _address(query: SearchQuery) -> str:
    kept = {name: (getattr(query, field) or ("",))[0] for name, field in FIELDS.items()}
    return link("/queue", q=query.text, **kept)


@router.post("/queue/views")
def save(visit: Person) -> Response:
    """Keep the filters under a name; one of the same name is replaced."""
    typed = visit.typed
    query = asked_of({name: typed.get(name) for name in (*FIELDS, "q", "every")})
    _search(visit).save(visit.scope, typed.get("name")[:100], query)
    return RedirectResponse(_address(query), 303)


@router.post("/queue/views/{name}/forget")
def forget(visit: Person, name: str) -> Response:
    """Keep it no longer."""
    _search(visit).forget(visit.scope, name)
    return RedirectResponse("/queue", 303)
