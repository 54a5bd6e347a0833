"""``regtech owners``: who owns and controls a party, with chains and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from regtech.cli.console import progress, write, write_json
from regtech.cli.options import Json, Lang, Map, language
from regtech.errors import UsageError

COMPARATORS = ("at_least", "above")


def owners(
    entity: Annotated[str, typer.Argument(help="Id of the party whose owners are asked for.")],
    events: Annotated[
        list[str],
        typer.Argument(
            help="Files of ownership events (NDJSON, CSV, Parquet) or BODS statements; - is "
            "standard input."
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(
            help="As of this day (as it ended) or this moment with an offset. Default: now, or "
            "the newest event.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        str, typer.Option(help="Share from which an owner counts: 25% or 0.25.")
    ] = "0.25",
    comparator: Annotated[
        str, typer.Option(help="at_least (>=, EU and CN) or above (>, UK and HK).")
    ] = "at_least",
    complete: Annotated[
        bool, typer.Option(help="Take what nobody has reported as not held by anybody named.")
    ] = False,
    through_listed: Annotated[
        bool, typer.Option(help="Look through listed companies too.")
    ] = False,
    paths: Annotated[int, typer.Option(help="Chains shown for each owner.", min=0, max=1000)] = 10,
    quarantine: Annotated[
        Path | None, typer.Option(help="Write records that could not be used here as NDJSON.")
    ] = None,
    map_: Map = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Who stands behind a party: shares along every chain, votes, control, and what is missing.

    Shares are exact. Where something is missing that decides, the outcome is "cannot tell".

    \b
    Examples:
      regtech owners HK-1234567 ownership.ndjson --at 2026-03-31
      regtech owners 9bfe59b6a869 bods.json --threshold 25% --comparator above --json
    """
    chosen = language(lang)
    if comparator not in COMPARATORS:
        raise UsageError(f"no comparator {comparator!r}", hint="--comparator is at_least or above")
    from regtech.app.owners import Question, owners_command, parse_threshold
    from regtech.clock import SystemClock

    question = Question(
        entity,
        at,
        parse_threshold(threshold),
        "above" if comparator == "above" else "at_least",
        complete,
        through_listed,
        paths,
    )
    with progress() as told:
        result = owners_command(
            question, events, clock=SystemClock(), map=map_, quarantine=quarantine, progress=told
        )
    if json_:
        write_json(result)
    else:
        from regtech.cli.ownerstext import owners_text

        write(owners_text(result, chosen))
    return 0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(owners)
