"""``regtech quarantine``: the records that could not be used, and feeding them again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from regtech.cli.console import counted, table, write, write_json
from regtech.cli.options import Json, Map

app = typer.Typer(
    help="Look at records that could not be used, correct them, feed them again.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

File = Annotated[Path, typer.Argument(help="A quarantine file that `run` wrote.")]
Code = Annotated[
    str | None, typer.Option(help="Only this reason, e.g. missing_offset.", show_default=False)
]


@app.command(name="list")
def list_(
    file: File,
    code: Code = None,
    limit: Annotated[int, typer.Option(help="Rows shown; 0 shows all.", min=0)] = 50,
    json_: Json = False,
) -> int:
    """List the records with place, field and reason, after a count of each reason.

    \b
    Examples:
      regtech quarantine list alerts.quarantine.ndjson
      regtech quarantine list alerts.quarantine.ndjson --code bad_number --json
    """
    from regtech.app.quarantine import list_quarantine

    listing = list_quarantine(file, code=code, limit=limit)
    if json_:
        write_json(listing)
        return 0
    counts = [[name, str(n), meaning] for name, n, meaning in listing["reasons"]]
    lines = [table(["reason", "records", "meaning"], counts, right=" r")] if counts else []
    if listing["records"]:
        rows = [
            [str(r["number"]), f"{r['source']}:{r['line']}", r["field"], r["code"], r["found"]]
            for r in listing["records"]
        ]
        lines += ["", table(["number", "place", "field", "reason", "found"], rows, right="r")]
    shown, total = len(listing["records"]), listing["total"]
    every = counted(total, "record")
    lines.append(every if shown == total else f"{shown} of {every} shown")
    write("\n".join(lines))
    return 0


@app.command()
def show(
    file: File,
    number: Annotated[int, typer.Argument(help="Number in the list, from 1.", min=1)],
    json_: Json = False,
) -> int:
    """Show one record whole: what was found, what was expected, the bytes as they came.

    \b
    Examples:
      regtech quarantine show alerts.quarantine.ndjson 3
    """
    from regtech.app.quarantine import show_record

    record, text = show_record(file, number)
    if json_:
        write_json(record)
    else:
        write(text)
    return 0


@app.command()
def retry(
    file: File,
    out: Annotated[Path, typer.Option(help="Where the records go that can be used now.")],
    corrected: Annotated[
        Path | None,
        typer.Option(
            help="The records after correction, one a line in the order of FILE. "
            "Default: the records as they are, with --set applied."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Set a field in every record: currency=CNY. Repeatable."),
    ] = None,
    code: Code = None,
    map_: Map = None,
    json_: Json = False,
) -> int:
    """Decode quarantined records again; what can be used now is written for the next run.

    What still cannot be used goes to OUT.quarantine.ndjson. Exit status 1 where something does.

    \b
    Examples:
      regtech quarantine retry alerts.quarantine.ndjson --set currency=CNY --out again.ndjson
      regtech run events.ndjson again.ndjson
      regtech quarantine retry alerts.quarantine.ndjson --map my-map.yml --out again.csv
    """
    from regtech.app.quarantine import retry_quarantine

    result = retry_quarantine(
        file, out=out, corrected=corrected, sets=tuple(set_ or ()), code=code, map=map_
    )
    if json_:
        write_json(result)
    else:
        write(
            f"{result['usable']} of {counted(result['tried'], 'record')} can be used now: {out}\n"
            + (
                f"{result['unusable']} still cannot: {result['quarantine']}"
                if result["unusable"]
                else "none is left"
            )
        )
    return 1 if result["unusable"] else 0
