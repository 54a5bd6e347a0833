"""``regtech models``: which anomaly models there are, and which of them decides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from regtech.cli.console import table, write, write_json
from regtech.cli.options import Json

models = typer.Typer(
    name="models",
    help="Anomaly models: kept with their training data's digest, promoted by two people.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Folder = Annotated[Path, typer.Option("--models", help="Folder of models.")]
By = Annotated[
    str | None, typer.Option(help="Who does it. Default: REGTECH_ACTOR, or who is logged in.")
]
Reason = Annotated[str, typer.Option(help="Why: kept in the log.")]
_FOLDER = Path("models")


@models.command("list")
def list_(folder: Folder = _FOLDER, json_: Json = False) -> int:
    """List the models, oldest first, with their roles.

    \b
    Examples:
      regtech models list --models models
    """
    from regtech.app.models import Models

    rows = Models(folder).listed()
    if json_:
        write_json(rows)
        return 0
    cells = [
        [row["version"], row["role"], row["author"], ", ".join(row["approved_by"]),
         f"{row['payments']:,}", f"{row['cases']:,}"]
        for row in rows
    ]  # fmt: skip
    headings = ["version", "role", "author", "approved by", "payments", "cases"]
    write(table(headings, cells, right="    rr") if rows else "there are no models")
    return 0


@models.command()
def promote(
    version: Annotated[str, typer.Argument(help="Version of the model.")],
    reason: Reason,
    by: By = None,
    folder: Folder = _FOLDER,
    json_: Json = False,
) -> int:
    """Approve a model; it decides once a second person has approved it too.

    \b
    Examples:
      regtech models promote 2026-05-01-0a1b2c3d4e-1 --by li --reason "caught 9 of 10, drift low"
    """
    from regtech.app.models import Models, actor_of

    result = Models(folder).promote(version, actor_of(by), reason)
    if json_:
        write_json(result)
    elif result["role"] == "champion":
        write(f"{version} decides from now on, approved by {' and '.join(result['approved_by'])}")
    else:
        write(f"{version} is approved by {result['approved_by'][0]}; a second person has to")
    return 0


@models.command()
def rollback(reason: Reason, by: By = None, folder: Folder = _FOLDER, json_: Json = False) -> int:
    """Go back to the model that decided before.

    \b
    Examples:
      regtech models rollback --by li --reason "too many alerts since Monday"
    """
    from regtech.app.models import Models, actor_of

    result = Models(folder).rollback(actor_of(by), reason)
    if json_:
        write_json(result)
    else:
        write(f"{result['champion']} decides again in place of {result['rolled_back']}")
    return 0
