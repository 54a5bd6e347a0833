"""``regtech search``: finding cases, alerts and parties, and keeping the index whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from regtech.app.options import parse_moment, parse_names
from regtech.app.stopping import Stopping
from regtech.cli.cases import Actor, Jurisdiction, Roles, Tenant, scope_for, store_of
from regtech.cli.console import progress, write, write_json
from regtech.cli.options import Json, Lang, Store, language
from regtech.errors import UsageError

app = typer.Typer(
    help="Find cases, alerts and parties by words; build and check the index.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Index = Annotated[
    str | None,
    typer.Option(
        help="Search index: a file's name, or https://user:password@host:9200/prefix of an "
        "Elasticsearch server. Default: the file beside an SQLite store.",
        show_default=False,
    ),
]


@contextmanager
def _open(store: str | None, index: str | None, *, patient: bool = False) -> Iterator[Any]:
    from regtech.app.casework import casework
    from regtech.app.search import searching

    url = store_of(store)
    with Stopping(patient) as stop, casework(url) as parts, progress() as told:
        with searching(parts, url, index, told.note, asked=lambda: stop.asked) as found:
            yield found, told


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()


@app.command()
def query(
    text: Annotated[
        str, typer.Argument(help='Words, all of which have to be found; a "phrase" in quotes.')
    ] = "",
    store: Store = None,
    index: Index = None,
    kind: Annotated[
        str | None, typer.Option(help="Only case, alert, party, between commas.")
    ] = None,
    theme: Annotated[str | None, typer.Option(help="Only these themes, between commas.")] = None,
    state: Annotated[str | None, typer.Option(help="Only these states, between commas.")] = None,
    queue: Annotated[str | None, typer.Option(help="Only these queues, between commas.")] = None,
    severity: Annotated[
        str | None, typer.Option(help="Only these severities, between commas.")
    ] = None,
    institution: Annotated[
        str | None, typer.Option(help="Only what one of these institutions is part of.")
    ] = None,
    open_: Annotated[
        bool | None, typer.Option("--open/--ended", help="Only open, or only ended ones.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only from this time or day on.")] = None,
    until: Annotated[str | None, typer.Option(help="Only up to this time or day.")] = None,
    saved: Annotated[str | None, typer.Option(help="Ask a search that was saved.")] = None,
    save: Annotated[str | None, typer.Option(help="Save this search under a name.")] = None,
    update: Annotated[
        bool, typer.Option("--update/--no-update", help="Index what waits before asking.")
    ] = True,
    limit: Annotated[int, typer.Option(help="Rows of a page.", min=1, max=500)] = 20,
    after: Annotated[str | None, typer.Option(help="Go on after this cursor.")] = None,
    actor: Actor = None,
    roles: Roles = "supervisor",
    tenant: Tenant = None,
    jurisdiction: Jurisdiction = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Find cases, alerts and parties: names, parts of account numbers, words; typos too.

    \b
    Examples:
      regtech search query 张伟 --store cases.db
      regtech search query "petrov 4567" --store cases.db --kind case --state new,triage
      regtech search query --store cases.db --severity high --save pressing
    """
    chosen = language(lang)
    from casework.search.query import SearchQuery
    from regtech.app.search import kinds_of, query_index

    asked = SearchQuery(
        text,
        kinds=kinds_of(parse_names(kind)),
        themes=_words(theme),
        states=_words(state),
        queues=_words(queue),
        severities=_words(severity),
        tenants=_words(institution),
        open=open_,
        since_us=parse_moment(since) if since else None,
        until_us=parse_moment(until) if until else None,
    )
    if saved is not None and asked != SearchQuery():
        raise UsageError("a saved search has its own words and filters", hint="leave them out")
    scope = scope_for(actor, roles, tenant, jurisdiction)
    with _open(store, index) as (parts, _):
        if saved is not None:
            asked = parts.service.recall(scope, saved)
        if save is not None:
            parts.service.save(scope, save, asked)
        found = query_index(parts, scope, asked, update=update, after=after, limit=limit)
    if json_:
        write_json(found)
        return 0
    from regtech.cli.casetext import word
    from regtech.cli.searchtext import page_text

    write(page_text(found, chosen))
    if found["after"]:
        write(word("more", chosen) + f" --after {found['after']}")
    return 0


@app.command()
def rebuild(
    store: Store = None, index: Index = None, lang: Lang = None, json_: Json = False
) -> int:
    """Build the index anew from the record, compare the two, and put it in place without a gap.

    \b
    Examples:
      regtech search rebuild --store cases.db
    """
    chosen = language(lang)
    from regtech.app.search import rebuild_index
    from regtech.cli.searchtext import comparison_text

    with _open(store, index) as (parts, told):
        found = rebuild_index(parts, told)
    if json_:
        write_json(found)
    else:
        write(comparison_text(found, chosen))
    return 0


@app.command()
def check(store: Store = None, index: Index = None, lang: Lang = None, json_: Json = False) -> int:
    """Compare the index with the record. Exit status 1 where they differ.

    \b
    Examples:
      regtech search check --store cases.db
    """
    chosen = language(lang)
    from regtech.app.search import check_index
    from regtech.cli.searchtext import comparison_text

    with _open(store, index) as (parts, _):
        found = check_index(parts)
    if json_:
        write_json(found)
    else:
        write(comparison_text(found, chosen))
    return 0 if found["same"] else 1


@app.command()
def update(
    store: Store = None,
    index: Index = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until interrupted, also while it is away.")
    ] = False,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Index what waits in the record's outbox.

    \b
    Examples:
      regtech search update --store cases.db
      regtech search update --store cases.db --index http://127.0.0.1:9200 --follow
    """
    chosen = language(lang)
    from regtech.cli.searchtext import said

    with _open(store, index, patient=follow) as (parts, _):
        if follow:
            parts.indexer.run()
            return 0
        passed = parts.indexer.catch_up()
        if json_:
            write_json({"index": parts.shown, "passed_on": passed})
        else:
            write(f"{parts.shown}: {said('passed on', chosen)} {passed}")
    return 0


@app.command()
def saved(
    store: Store = None, actor: Actor = None, roles: Roles = "supervisor", json_: Json = False
) -> int:
    """The searches that you have saved.

    \b
    Examples:
      regtech search saved --store cases.db
    """
    from casework.cases.times import time_text
    from regtech.app.casework import casework

    with casework(store_of(store)) as parts:
        found = parts.record.saved_searches(scope_for(actor, roles, None, None))
    if json_:
        write_json(
            [
                {"name": s.name, "search": dict(s.body), "changed": time_text(s.changed_us)}
                for s in found
            ]
        )
        return 0
    for search in found:
        asked = "  ".join(
            f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
            for name, value in search.body.items()
        )
        write(f"{search.name}: {asked}")
    return 0


@app.command()
def forget(
    name: Annotated[str, typer.Argument(help="Name of a saved search.")],
    store: Store = None,
    actor: Actor = None,
    roles: Roles = "supervisor",
    json_: Json = False,
) -> int:
    """Take away a search that you have saved.

    \b
    Examples:
      regtech search forget pressing --store cases.db
    """
    from regtech.app.casework import casework

    with casework(store_of(store)) as parts:
        parts.record.forget_search(scope_for(actor, roles, None, None), name)
    if json_:
        write_json({"forgotten": name})
    return 0
