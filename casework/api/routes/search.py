"""Finding cases, alerts and parties by words, and searches that are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from casework.api.context import Context, Parts
from casework.api.gate import Reader
from casework.api.problems import documented
from casework.api.types import search as T
from casework.api.types.common import Cursor, Limit, Line, Moment, microseconds
from casework.cases.scope import Scope
from casework.cases.times import time_text
from casework.ports import SavedSearch
from casework.search.query import Kind, SearchQuery
from casework.service.search import SearchService, page_data
from regtech.errors import InternalError, UsageError

router = APIRouter(tags=["search"])

_Kinds = Annotated[tuple[Kind, ...], Query(max_length=len(Kind))]
_Values = Annotated[tuple[Line, ...], Query(max_length=50)]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LISTS = ("kinds", "jurisdictions", "themes", "states", "queues", "severities", "tenants")


@router.get("/search", responses=documented(), summary="Search")
def search(
    caller: Reader,
    parts: Parts,
    text: T.Words = "",
    kind: _Kinds = (),
    jurisdiction: _Values = (),
    theme: _Values = (),
    state: _Values = (),
    queue: _Values = (),
    severity: _Values = (),
    tenant: _Values = (),
    open: bool | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    saved: Annotated[
        str | None, Query(max_length=100, description="A search that is kept.")
    ] = None,
    facets: Annotated[bool, Query(description="With counts by field.")] = True,
    after: Cursor = None,
    limit: Limit = 20,
) -> T.SearchPage:
    """Cases, alerts and parties that have all the words: names in any script, parts of account
    numbers, typos.

    Going on with `after` shows the index as it was at the first page, for ten minutes at least. The
    index follows the record within moments. Addresses are kept in logs of proxies: ask by `POST`
    where the words are personal.
    """
    query = SearchQuery(
        text, kind, jurisdiction, theme, state, queue, severity, tenant, open, _us(since),
        _us(until),
    )  # fmt: skip
    service = _service(parts)
    if saved is not None:
        if query != SearchQuery():
            raise UsageError(
                "a search that is kept has its own words and filters", hint="leave them out"
            )
        query = service.recall(caller.scope, saved)
    return _page(service, caller.scope, query, after, limit, facets)


@router.post("/search", responses=documented(), summary="Search, with the words in the body")
def search_by_body(
    caller: Reader,
    parts: Parts,
    wanted: T.Search,
    facets: Annotated[bool, Query(description="With counts by field.")] = True,
    after: Cursor = None,
    limit: Limit = 20,
) -> T.SearchPage:
    """As `GET`; what is searched for is in no address and so in no log of a proxy."""
    return _page(_service(parts), caller.scope, _query(wanted), after, limit, facets)


@router.get("/searches", responses=documented(), summary="Searches that are kept")
def searches(caller: Reader, parts: Parts) -> T.SavedSearchList:
    """The caller's own, by name."""
    found = _service(parts).saved(caller.scope)
    return T.SavedSearchList(items=[_saved(one) for one in found])


@router.post("/searches", status_code=201, responses=documented(), summary="Keep a search")
def keep(caller: Reader, parts: Parts, wanted: T.NewSearch) -> T.SavedSearch:
    """Keep a search under a name, in place of one that has it."""
    service, name = _service(parts), wanted.name.strip()
    service.save(caller.scope, name, _query(wanted.search))
    (kept,) = (one for one in service.saved(caller.scope) if one.name == name)
    return _saved(kept)


@router.delete("/searches", status_code=204, responses=documented(404), summary="Forget a search")
def forget(caller: Reader, parts: Parts, name: Annotated[T.Name, Query()]) -> None:
    """Forget one of the caller's own."""
    _service(parts).forget(caller.scope, name)


def _page(
    service: SearchService,
    scope: Scope,
    query: SearchQuery,
    after: str | None,
    limit: int,
    facets: bool,
) -> T.SearchPage:
    page = service.search(scope, query, after=after, limit=limit, facets=facets)
    found = page_data(page)
    return T.SearchPage.model_validate({**found, "items": found["hits"]})


def _query(wanted: T.Search) -> SearchQuery:
    given = wanted.model_dump(exclude={"since", "until"})
    lists: dict[str, Any] = {name: tuple(given.pop(name)) for name in _LISTS}
    return SearchQuery(**given, **lists, since_us=_us(wanted.since), until_us=_us(wanted.until))


def _saved(found: SavedSearch) -> T.SavedSearch:
    query = SearchQuery.of(found.body)
    given = {name: value for name, value in query.as_dict().items() if not name.endswith("_us")}
    search = T.Search(**given, since=_moment(query.since_us), until=_moment(query.until_us))
    return T.SavedSearch(name=found.name, search=search, changed=time_text(found.changed_us))


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds(moment)


def _moment(us: int | None) -> datetime | None:
    return None if us is None else _EPOCH + timedelta(microseconds=us)


def _service(parts: Context) -> SearchService:
    if parts.search is None:
        raise InternalError("the routes of search are there without an index")
    return parts.search
