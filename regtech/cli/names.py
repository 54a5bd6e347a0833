"""``match`` and ``screen``: names against names, and names against lists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from regtech.cli.console import write, write_json
from regtech.cli.options import Json


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
        write(f"{found['pairs']:,} pairs, {found['matches']:,} from 0.5 on, in {out}")
    return 0


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (match,):
        app.command()(command)
