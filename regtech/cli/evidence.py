"""``regtech verify`` and ``regtech signing-keys``: checking evidence, and the keys that sign it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from regtech.cli.console import table, write, write_json
from regtech.cli.options import Json, Lang, language
from regtech.clock import SystemClock

keys = typer.Typer(
    help="Make, rotate and list the keys that sign checkpoints and bundles.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Folder = Annotated[Path, typer.Argument(help="Folder of the keys.")]


def verify(
    bundle: Annotated[Path, typer.Argument(help="A bundle of evidence, as export wrote it.")],
    key: Annotated[
        list[str] | None,
        typer.Option(help="A key that is trusted: its id, its digits, or its public record."),
    ] = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Check a bundle of evidence offline: exit status 0 whole, 1 changed (says where), 3 no bundle.

    Without --key it shows that nothing was changed after signing; with it, also who signed.

    \b
    Examples:
      regtech verify case.json
      regtech verify case.json --key 56475aa75463474c0285df5dbf2bcab7
    """
    from regtech.app.evidence import verify_file

    found, text, status = verify_file(bundle, key or (), language(lang))
    if json_:
        write_json(found)
    else:
        write(text)
    return status


def _list(records: list[dict[str, Any]], folder: Path, json_: bool) -> int:
    if json_:
        write_json({"folder": str(folder), "signs": records[-1]["key"], "keys": records})
        return 0
    rows = [
        [record["key"], record["created"], "signs" if record is records[-1] else "succeeded"]
        for record in records
    ]
    write(table(["key", "created", "state"], rows))
    return 0


@keys.command()
def create(folder: Folder, json_: Json = False) -> int:
    """Make the first key. Publish its id: whoever checks a bundle compares it.

    \b
    Examples:
      regtech signing-keys create /etc/regtech/keys
    """
    from regtech.app.evidence import create_signing_keys

    return _list(create_signing_keys(folder, SystemClock()), folder, json_)


@keys.command()
def rotate(folder: Folder, json_: Json = False) -> int:
    """Make a new key that signs from now on; the key before it vouches for it.

    \b
    Examples:
      regtech signing-keys rotate /etc/regtech/keys
    """
    from regtech.app.evidence import rotate_signing_keys

    return _list(rotate_signing_keys(folder, SystemClock()), folder, json_)


@keys.command()
def show(folder: Folder, json_: Json = False) -> int:
    """List the keys, and check that they are whole and private.

    \b
    Examples:
      regtech signing-keys show /etc/regtech/keys --json
    """
    from regtech.app.evidence import show_signing_keys

    return _list(show_signing_keys(folder), folder, json_)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(verify)
    app.add_typer(keys, name="signing-keys")
