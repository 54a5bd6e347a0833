"""Search wired to a store: which index, the worker that feeds it, and what the commands ask."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from casework.cases.scope import Scope, service_scope
from casework.cases.themes import Themes
from casework.search.indexer import Indexer
from casework.search.ports import SearchIndex
from casework.search.query import Kind, SearchQuery
from casework.search.rebuild import check, rebuild
from casework.service.search import SearchService, page_data
from casework.stores.sql.engine import store_url
from regtech.app.casework import Casework
from regtech.app.progress import Progress
from regtech.app.settings import setting
from regtech.clock import Clock, SystemClock
from regtech.errors import UsageError

WORKER: Final = service_scope("search")
_SLICE_S: Final = 0.2
"""So long a wait goes on after its end was asked for."""


@dataclass(frozen=True, slots=True)
class Searching:
    """The parts that belong to one store and its index."""

    service: SearchService
    indexer: Indexer
    themes: Themes
    shown: str
    """Where the index is, without a password."""


def open_index(store: str, given: str | None, clock: Clock) -> tuple[SearchIndex, str]:
    """The index of a store, and where it is without a password.

    ``given``: a file, ``sqlite:///`` and a file, or the URL of an Elasticsearch server; without it
    what is set, or else the file beside an SQLite store. Raises ``UsageError``.
    """
    named = given or setting("REGTECH_SEARCH")
    if named.startswith(("http://", "https://")):
        try:
            from casework.search.elastic.index import ElasticIndex
        except ImportError:
            raise UsageError(
                "the client for Elasticsearch is not installed",
                hint="pip install 'regtech[elastic]'",
            ) from None
        elastic = ElasticIndex(named, clock)
        return elastic, elastic.shown
    if "://" in named and not named.startswith("sqlite:///"):
        raise UsageError(
            f"no search index is kept in {named.split('://')[0]}",
            hint="a file's name, or https://user:password@host:9200/prefix",
        )
    if named:
        path = Path(named.removeprefix("sqlite:///"))
    else:
        beside = index_beside(store)
        if beside is None:
            raise UsageError(
                "which search index?",
                hint="--index search.db, or the URL of a server; or set REGTECH_SEARCH",
            )
        path = beside
    from casework.search.fts.index import FtsIndex

    return FtsIndex(path, clock), str(path)


def index_beside(store: str) -> Path | None:
    """The file of the index beside an SQLite store; None for other stores."""
    url = store_url(store)
    if url.get_backend_name() != "sqlite":
        return None
    beside = Path(url.database or "")
    return beside.with_name(f"{beside.stem}.search.db")


@contextmanager
def searching(
    parts: Casework,
    store: str,
    given: str | None,
    note: Callable[[str], None],
    *,
    asked: Callable[[], bool] = lambda: False,
    clock: Clock | None = None,
) -> Iterator[Searching]:
    """Search over a store that is open; ``asked``: whether the worker's end was asked for."""
    index, shown = open_index(store, given, clock or SystemClock())
    pause = threading.Event()

    def wait(seconds: float) -> bool:
        while seconds > 0 and not asked():
            pause.wait(min(seconds, _SLICE_S))
            seconds -= _SLICE_S
        return asked()

    themes = parts.service.themes
    indexer = Indexer(
        parts.record, index, WORKER, themes, wait=wait, random=random.random, note=note
    )
    try:
        yield Searching(SearchService(parts.record, index), indexer, themes, shown)
    finally:
        index.close()


def rebuild_index(parts: Searching, progress: Progress) -> dict[str, Any]:
    """Build the index anew; what it was compared by."""
    record, index = parts.service.record, parts.service.index
    progress.stage("building the search index")
    written = 0

    def told(documents: int) -> None:
        nonlocal written
        written += documents
        progress.advance(documents, f"{written:,} documents")

    found = rebuild(record, index, WORKER, parts.themes, told)
    parts.indexer.catch_up()
    return {"index": parts.shown, **found.as_dict()}


def check_index(parts: Searching) -> dict[str, Any]:
    """Bring the index in step and compare it with the record."""
    passed = parts.indexer.catch_up()
    parts.service.index.refresh()
    found = check(parts.service.record, parts.service.index, WORKER, parts.themes)
    return {"index": parts.shown, "passed_on": passed, **found.as_dict()}


def query_index(
    parts: Searching,
    scope: Scope,
    query: SearchQuery,
    *,
    update: bool,
    after: str | None,
    limit: int,
) -> dict[str, Any]:
    """A page as plain data; ``update``: what waits is indexed first."""
    if update and after is None:
        parts.indexer.catch_up()
        parts.service.index.refresh()
    page = parts.service.search(scope, query, after=after, limit=limit)
    return page_data(page)


def kinds_of(names: tuple[str, ...]) -> tuple[Kind, ...]:
    """Kinds from words. Raises ``UsageError``."""
    known = [kind.value for kind in Kind]
    for name in names:
        if name not in known:
            raise UsageError(f"no kind {name!r}", hint="kinds: " + ", ".join(known))
    return tuple(Kind(name) for name in names)
