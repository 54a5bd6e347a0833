"""Options that several commands share, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from regtech.app.settings import setting
from regtech.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]
Packs = Annotated[
    str | None,
    typer.Option(
        help="Jurisdictions or packs to use, between commas: cn,eu. Default: all that ship.",
        envvar="REGTECH_PACKS",
        show_envvar=False,
    ),
]
Rules = Annotated[
    Path | None,
    typer.Option(help="Folder or file of rulepacks to use in place of those that ship."),
]
Lang = Annotated[
    str | None,
    typer.Option(help="Language of titles and explanations: en (default) or zh."),
]
Map = Annotated[
    str | None,
    typer.Option(
        "--map",
        help="Column map of CSV and Parquet files that are not in our columns: amlsim, ibm-aml, "
        "paysim, plain, or a YAML file.",
    ),
]
Home = Annotated[
    str | None,
    typer.Option(
        help="Jurisdiction of events that name no country: cn, eu, uk … Default: that of the "
        "packs where, the international ones apart, all are of one."
    ),
]

Store = Annotated[
    str | None,
    typer.Option(
        help="Store of cases: sqlite:///cases.db, a file's name, or postgresql://user@host/name.",
        show_default=False,
    ),
]


def language(value: str | None) -> str:
    """The language asked for, or the one that is set."""
    chosen = value or setting("REGTECH_LANG")
    if chosen not in ("en", "zh"):
        raise UsageError(f"no texts in {chosen!r}", hint="--lang is en or zh")
    return chosen
