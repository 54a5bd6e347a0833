"""``match`` and ``screen``: names against names, and names against lists."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from regtech.app.options import parse_moment
from regtech.cli.console import counted, progress, write, write_json
from regtech.cli.options import Json, Lang, language


def match(
    pairs: Annotated[
        Path,
        typer.Option(help="CSV of pairs with the columns left,right (or its first two); kind too."),
    ],
    out: Annotated[str, typer.Option(help="CSV to write: left,right,score; - is the terminal.")],
    json_: Json = False,
) -> int:
    """Score pairs of names from 0 to 1; from 0.5 on they count as one's.

    \b
    Examples:
      regtech match --pairs pairs.csv --out scores.csv
    """
    from regtech.app.names import match_command

    found = match_command(pairs, out)
    if json_:
        write_json(found)
    elif out != "-":
        write(f"{counted(found['pairs'], 'pair')}, {found['matches']:,} from 0.5 on, in {out}")
    return 0


def screen(
    name: Annotated[str | None, typer.Argument(help="Name to look for.")] = None,
    names: Annotated[
        Path | None,
        typer.Option(help="File of parties: one name a line, or a CSV with a column name."),
    ] = None,
    lists: Annotated[
        Path | None,
        typer.Option(
            help="Folder of lists: sdn.csv with alt.csv and add.csv, the UN's XML, own CSV files; "
            "folders named by days hold dated versions. Default: REGTECH_LISTS.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Scores from this on are hits.", min=0.0, max=1.0)
    ] = 0.9,
    out: Annotated[str | None, typer.Option(help="NDJSON file of hits; - is the terminal.")] = None,
    since: Annotated[
        Path | None,
        typer.Option(help="Folder of earlier lists: only hits that they did not give."),
    ] = None,
    at: Annotated[str | None, typer.Option(help="As the lists stood at this time or day.")] = None,
    text: Annotated[
        str | None,
        typer.Option(help="Text of a payment in which to look for listed names; - is the input."),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="What the name is: person, entity, vessel or aircraft.")
    ] = "",
    born: Annotated[str, typer.Option(help="Date of birth: 1970, 1970-03 or 1970-03-21.")] = "",
    country: Annotated[str, typer.Option(help="Countries of the party: IR,SY.")] = "",
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Look for names on lists; each hit says what made its score.

    \b
    Examples:
      regtech screen "Ivan Petrov" --lists lists --born 1970
      regtech screen --text "rent March, for Ivan Petrov" --lists lists
      regtech screen --names parties.csv --lists lists/new --since lists/old --out hits.ndjson
    """
    from regtech.app.names import (
        countries_asked,
        lists_folder,
        screen_command,
        screen_text_command,
        write_hits,
    )
    from regtech.cli.namestext import hit_text, nothing_text
    from regtech.errors import UsageError

    if text is not None and (name or names or since or kind or born or country):
        raise UsageError("--text goes with --lists, --at, --threshold and --out alone")

    chosen = language(lang)
    with progress() as told:
        told.stage("reading lists")
        at_us = parse_moment(at) if at else None
        if text is not None:
            whole = sys.stdin.read() if text == "-" else text
            folder = lists_folder(lists)
            hits = screen_text_command(
                whole, folder, threshold=threshold, at_us=at_us, note=told.note
            )
        else:
            hits = list(
                screen_command(
                    name,
                    names,
                    lists_folder(lists),
                    threshold=threshold,
                    since=since,
                    at_us=at_us,
                    kind=kind,
                    birth_date_text=born,
                    countries=countries_asked(country),
                    note=told.note,
                )
            )
    if out is not None:
        write_hits(out, hits)
    if json_:
        write_json({"hits": hits})
    elif out is None:
        for hit in hits:
            write(hit_text(hit, chosen))
        if not hits:
            write(nothing_text(chosen))
    elif out != "-":
        write(f"{counted(len(hits), 'hit')} in {out}")
    return 0


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (screen, match):
        app.command()(command)
