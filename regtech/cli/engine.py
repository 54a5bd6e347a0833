"""``run``, ``backtest``, ``explain``, ``replay``: the engine's commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from regtech.app.options import parse_day, parse_length, parse_moment, parse_names, parse_share
from regtech.app.settings import setting, whole
from regtech.cli.console import progress, write, write_json
from regtech.cli.options import Home, Json, Lang, Map, Packs, Rules, Store, language
from regtech.errors import UsageError

Events = Annotated[
    list[str],
    typer.Argument(
        help="Files of events: NDJSON, CSV or Parquet, plain or .gz or .zst; - is standard input.",
        show_default=False,
    ),
]
Out = Annotated[str, typer.Option(help="Where the alerts go; - is standard output.")]
Quarantine = Annotated[
    str | None,
    typer.Option(help="Where unusable records go. Default: beside the alerts.", show_default=False),
]
Batch = Annotated[
    int | None,
    typer.Option(
        help="Events a batch (16384); has no effect on the result.", show_default=False, min=1
    ),
]
Lateness = Annotated[
    str | None,
    typer.Option(help="How late an event may arrive: 30s, 2h (10m).", show_default=False),
]
Moment = Annotated[
    str | None, typer.Option(help="Time with an offset, or a day in UTC.", show_default=False)
]
AlertRef = Annotated[
    str,
    typer.Argument(
        help="FILE (its first alert), FILE:LINE, FILE#ID, or an alert's id with --alerts."
    ),
]
AlertFile = Annotated[Path, typer.Option("--alerts", help="File to look an alert's id up in.")]


def run(
    events: Events,
    packs: Packs = None,
    rules: Rules = None,
    out: Out = "alerts.ndjson",
    quarantine: Quarantine = None,
    map_: Map = None,
    store: Store = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="Folder for snapshots of the state.", show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the newest whole snapshot.")
    ] = False,
    batch: Batch = None,
    lateness: Lateness = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="Judge events from this time on; earlier ones only fill windows."
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Leave out events at or after this time.")
    ] = None,
    law_as_of: Annotated[
        str | None, typer.Option(help="Judge every event by the law of this day (a rehearsal).")
    ] = None,
    home: Home = None,
    near: Annotated[
        str | None, typer.Option(help="Also report subjects this close below a limit: 5%.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first record that cannot be used.")
    ] = False,
    cores: Annotated[
        int,
        typer.Option(help="2: read and prepare in one process, judge in another.", min=1, max=2),
    ] = 1,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Hold events against the law and write what is found as alerts.

    \b
    Examples:
      regtech run events.ndjson
      regtech run payments.csv.gz --map amlsim --packs us --out alerts.ndjson
      regtech run day1.parquet day2.parquet --snapshot state --resume
    """
    chosen = language(lang)
    if resume and snapshot is None:
        raise UsageError(
            "--resume needs to know where the snapshots are", hint="add --snapshot DIR"
        )
    options: dict[str, Any] = {
        "events": tuple(events),
        "packs": parse_names(packs),
        "rules": rules,
        "out": out,
        "quarantine": quarantine,
        "map": map_,
        "store": store or setting("REGTECH_STORE") or None,
        "snapshot": snapshot,
        "resume": resume,
        "batch": batch if batch is not None else whole("REGTECH_BATCH"),
        "lateness": parse_length(lateness or setting("REGTECH_LATENESS")),
        "from_": parse_moment(from_) if from_ else None,
        "to": parse_moment(to) if to else None,
        "law_as_of": parse_day(law_as_of) if law_as_of else None,
        "home": (home or setting("REGTECH_HOME")).upper() or None,
        "near": parse_share(near) if near else None,
        "strict": strict,
        "cores": cores,
    }
    # The engine takes a while to import: only once the call itself is known to be right.
    from regtech.app.run import run_command

    with progress() as told:
        summary = run_command(**options, progress=told)
    from regtech.cli.report import run_report

    if out == "-":
        typer.echo(run_report(summary, chosen), err=True)
    elif json_:
        write_json(summary.to_json())
    else:
        write(run_report(summary, chosen))
    return 0


def backtest(
    events: Events,
    base: Annotated[str, typer.Option(help="Rules as they are: a folder, a file or PACK@VERSION.")],
    head: Annotated[str, typer.Option(help="Rules as they would be: a folder or a file.")],
    map_: Map = None,
    lateness: Lateness = None,
    from_: Annotated[str | None, typer.Option("--from", help="Judge from this time on.")] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Leave out events at or after this time.")
    ] = None,
    home: Home = None,
    batch: Batch = None,
    samples: Annotated[int, typer.Option(help="Samples shown of each kind of change.", min=0)] = 3,
    out: Annotated[
        str | None, typer.Option(help="Write every new, gone and moved alert here as NDJSON.")
    ] = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Run two versions of the rules over the same events: which alerts are new, gone or moved.

    Exit status 0 where nothing changes, 1 where something does.

    \b
    Examples:
      regtech backtest 2025.parquet --base rules/cn --head drafts/cn
      regtech backtest 2025.ndjson --base cn-aml-large-value@1.0.0 --head drafts --json
    """
    chosen = language(lang)
    options: dict[str, Any] = {
        "events": tuple(events),
        "base": base,
        "head": head,
        "map": map_,
        "lateness": parse_length(lateness or setting("REGTECH_LATENESS")),
        "from_": parse_moment(from_) if from_ else None,
        "to": parse_moment(to) if to else None,
        "home": (home or setting("REGTECH_HOME")).upper() or None,
        "batch": batch if batch is not None else whole("REGTECH_BATCH"),
        "samples": samples,
        "out": out,
    }
    from regtech.app.backtest import backtest_command

    with progress() as told:
        result = backtest_command(**options, progress=told)
    if json_:
        write_json(result.to_json())
    else:
        write(result.text(chosen))
    return 1 if result.changed else 0


def explain(
    alert: AlertRef,
    alerts: AlertFile = Path("alerts.ndjson"),
    sample: Annotated[
        int, typer.Option(help="Explain this many alerts of FILE, of different rules.", min=0)
    ] = 0,
    rules: Rules = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Say why an alert was raised: the article, the facts, the arithmetic, each step's value.

    \b
    Examples:
      regtech explain alerts.ndjson --lang zh
      regtech explain alerts.ndjson:12
      regtech explain 5f0c9a1be27d3386 --alerts alerts.ndjson
    """
    from regtech.app.alerts import load_alerts

    chosen = language(lang)
    found = load_alerts(alert, alerts, sample=sample)
    from regtech.app.explain import explain_alert

    texts = [explain_alert(entry, rules=rules, lang=chosen) for entry in found]
    if json_:
        documents = [
            {"alert": entry["id"], "lang": chosen, "explanation": text}
            for entry, text in zip(found, texts, strict=True)
        ]
        write_json(documents if sample else documents[0])
    else:
        write("\n\n".join(texts))
    return 0


def replay(
    alert: AlertRef,
    alerts: AlertFile = Path("alerts.ndjson"),
    every: Annotated[bool, typer.Option("--all", help="Replay every alert of FILE.")] = False,
    rules: Rules = None,
    json_: Json = False,
) -> int:
    """Decide an alert again from its evidence and the pack alone, and compare.

    Exit status 0 where the decision is the same, 1 where it differs.

    \b
    Examples:
      regtech replay alerts.ndjson:1
      regtech replay alerts.ndjson --all --json
    """
    from regtech.app.alerts import load_alerts

    found = load_alerts(alert, alerts, every=every)
    from regtech.app.explain import replay_alert

    results = [replay_alert(entry, rules=rules) for entry in found]
    differing = [result for result in results if not result["same"]]
    if json_:
        write_json(results if every else results[0])
    else:
        for result in differing if every else results:
            write(str(result["text"]))
        if every:
            write(f"{len(results)} replayed, {len(differing)} differ")
    return 1 if differing else 0


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (run, backtest, explain, replay):
        app.command()(command)
