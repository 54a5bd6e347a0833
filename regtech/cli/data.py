"""``simulate``, ``schema``, ``demo``, ``version``: data to try, contracts, and what this is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from regtech.cli.console import counted, progress, table, write, write_json
from regtech.cli.options import Json, Lang, language
from regtech.errors import StoreError, UsageError

SCHEMAS = ("event", "rule", "alert")
SCENARIOS = ("mixed", "laundering")


def simulate(
    out: Annotated[
        Path,
        typer.Argument(help="File to write: .ndjson, .csv or .parquet, also .gz and .zst."),
    ],
    events: Annotated[int, typer.Option(help="How many events of background.", min=1)],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.", min=0)],
    planted: Annotated[
        bool,
        typer.Option(help="Plant the met and the near-miss case of every rule, or the attempts."),
    ] = True,
    scenario: Annotated[
        str,
        typer.Option(
            help="mixed: events of all types. laundering: payments with attempts in them."
        ),
    ] = "mixed",
    share: Annotated[
        int | None,
        typer.Option(help="laundering: planted payments in a thousand. Default: 2."),
    ] = None,
    patterns: Annotated[
        Path | None,
        typer.Option(help="laundering: plant the attempts of this *_Patterns.txt (IBM AML data)."),
    ] = None,
    audit: Annotated[
        bool,
        typer.Option("--audit", help="laundering: print what simple values give away."),
    ] = False,
    json_: Json = False,
) -> int:
    """Write events of all types with planted cases of every rule, or payments with laundering.

    Labels go to OUT.labels.ndjson: the rule, the subject, the ids of the events, what is expected;
    of laundering the typology, the accounts and the ids of the payments of each attempt.
    --audit ends with status 1 where one simple value alone tells what was planted.

    \b
    Examples:
      regtech simulate events.ndjson --events 100000 --seed 7
      regtech simulate events.parquet --events 1000000 --seed 1 --no-planted
      regtech simulate payments.ndjson --scenario laundering --events 100000 --seed 1 --audit
    """
    if scenario not in SCENARIOS:
        raise UsageError(f"no scenario {scenario!r}", hint="there are " + ", ".join(SCENARIOS))
    if scenario == "laundering":
        return _laundering(out, events, seed, 0 if not planted else share, patterns, audit, json_)
    if share is not None or patterns is not None or audit:
        raise UsageError("--share, --patterns and --audit go with --scenario laundering")
    from regtech.app.simulate import simulate_command

    with progress() as told:
        result = simulate_command(out, events=events, seed=seed, planted=planted, progress=told)
    if json_:
        write_json(result)
    else:
        write(
            f"{counted(result['events'], 'event')} in {result['out']}, "
            f"{counted(result['planted'], 'planted case')} in {result['labels']}\n"
            f"sha256 {result['sha256']}"
        )
    return 0


def _laundering(
    out: Path,
    events: int,
    seed: int,
    share: int | None,
    patterns: Path | None,
    audit: bool,
    json_: bool,
) -> int:
    from regtech.app.laundering import simulate_laundering

    with progress() as told:
        result = simulate_laundering(
            out,
            events=events,
            seed=seed,
            share_per_mille=share,
            patterns=patterns,
            audited=audit,
            progress=told,
        )
    given_away = [one for one in result.get("audit", ()) if one["either_way"] > result["limit"]]
    if json_:
        write_json(result)
        return 1 if given_away else 0
    write(
        f"{counted(result['events'], 'payment')} of {counted(result['accounts'], 'account')} in "
        f"{result['out']}, {result['planted_payments']:,} of them in "
        f"{counted(result['planted'], 'planted attempt')} in "
        f"{result['labels']}\nsha256 {result['sha256']}"
    )
    if audit:
        rows = [[one["of"], one["value"], f"{one['auc']:.3f}"] for one in result["audit"]]
        write("\n" + table(["of", "simple value", "AUC"], rows, right="  r"))
        write(f"\n{len(given_away)} beyond {result['limit']:.2f} in either direction")
    return 1 if given_away else 0


def deliver_schema(schema: dict[str, Any], out: Path | None, json_: bool) -> int:
    """Print a schema, or write it to a file and say so."""
    if out is None:
        write_json(schema)
        return 0
    try:
        out.write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{out} could not be written: {error.strerror}") from None
    if json_:
        write_json({"out": str(out)})
    else:
        write(str(out))
    return 0


def schema(
    name: Annotated[str, typer.Argument(help="event, rule or alert.")],
    out: Annotated[Path | None, typer.Option(help="Write it here in place of printing it.")] = None,
    json_: Json = False,
) -> int:
    """Print the JSON Schema of events, rulepacks or alerts.

    \b
    Examples:
      regtech schema event
      regtech schema alert --out alert.schema.json
    """
    from regtech.app.schemas import schema_of

    if name not in SCHEMAS:
        raise UsageError(f"no schema {name!r}", hint="there are " + ", ".join(SCHEMAS))
    return deliver_schema(schema_of(name), out, json_)


def demo(
    folder: Annotated[Path, typer.Argument(help="Folder for what the demo writes.")] = Path("demo"),
    events: Annotated[int, typer.Option(help="Simulated events.", min=1)] = 50_000,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """All packs over the AMLSim sample and simulated events, into cases; some of both shown.

    \b
    Examples:
      regtech demo
      regtech demo out --lang zh
    """
    from regtech.app.demo import run_demo

    chosen = language(lang)
    with progress() as told:
        result = run_demo(folder, events=events, lang=chosen, progress=told)
    if json_:
        write_json(result.to_json())
        return 0
    from regtech.cli.report import run_report

    write(run_report(result.summary, chosen))
    for explanation in result.explanations:
        write("\n" + explanation)
    from regtech.cli.casetext import demo_text, pages_text, rings_text

    if result.rings:
        write("\n" + rings_text(result.rings, chosen))

    write("\n" + demo_text(result.cases, result.store, chosen))
    write("\n" + pages_text(result.store, result.users, result.password, chosen))
    return 0


def version(json_: Json = False) -> int:
    """Print the version.

    \b
    Examples:
      regtech version --json
    """
    import platform

    from regtech import __version__

    if json_:
        write_json({"regtech": __version__, "python": platform.python_version()})
    else:
        write(f"regtech {__version__}")
    return 0


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (simulate, schema, demo, version):
        app.command()(command)
