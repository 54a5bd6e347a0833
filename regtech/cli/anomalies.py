"""``regtech score``: how unusual each payment is, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from regtech.cli.console import counted, progress, table, write, write_json
from regtech.cli.options import Json, Lang, Map, language
from regtech.errors import UsageError


def score(
    events: Annotated[list[str], typer.Argument(help="Files of events, or - for standard input.")],
    train_until: Annotated[
        str | None,
        typer.Option(
            help="Train on payments before this time or day, score those from then on. Without it "
            "the champion of --models scores."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="File to write: Parquet.")] = Path("scores.parquet"),
    labels: Annotated[
        Path | None,
        typer.Option(help="Outcomes: OUT.labels.ndjson of simulate, or a table with id and label."),
    ] = None,
    budget: Annotated[
        float, typer.Option(help="Share of payments to alert on.", min=0.0001, max=0.5)
    ] = 0.005,
    quiet: Annotated[
        str,
        typer.Option(
            help="So long an account that was told of is not told of again, so that one network "
            "does not spend the budget: 3d. Every payment counts by itself with 0d."
        ),
    ] = "0d",
    settle: Annotated[
        int,
        typer.Option(
            help="Days that a score may wait for what follows the payment; 0: decided at once.",
            min=0,
            max=60,
        ),
    ] = 14,
    window: Annotated[
        str | None, typer.Option(help="Train only on so long before --train-until: 90d.")
    ] = None,
    without: Annotated[
        str | None,
        typer.Option(help="Leave out features that lean on: novelty, emptiness, amount."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.", min=0)] = 1,
    models: Annotated[
        Path | None, typer.Option(help="Folder that keeps trained models: see regtech models.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Who trains. Default: REGTECH_ACTOR, or who is logged in."),
    ] = None,
    map: Map = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Score payments by models trained on earlier ones: id, score, reasons of later events.

    Without outcomes the score says how much a payment is like attempts that are imagined among the
    earlier ones; with enough outcomes it is the probability that boosted trees give. The surprise
    of an ensemble stands beside it. No score closes or reports anything.

    \b
    Examples:
      regtech score payments.ndjson --train-until 2026-05-01 --out scores.parquet
      regtech score payments.ndjson --train-until 2026-05-01 --labels payments.ndjson.labels.ndjson
      regtech score payments.ndjson --models models --out scores.parquet
    """  # fmt: skip
    from regtech.app.options import parse_length, parse_moment
    from regtech.app.scorerows import leaning
    from regtech.app.scoring import Spend, score_command

    chosen = language(lang)
    if out.suffix.lower() not in (".parquet", ".pq"):
        raise UsageError(f"no format for {out.name}", hint="end it in .parquet")
    with progress() as told:
        result = score_command(
            events,
            until_us=None if train_until is None else parse_moment(train_until),
            out=out,
            labels=labels,
            spend=Spend(budget, parse_length(quiet)),
            settle_days=settle,
            window_us=None if window is None else parse_length(window),
            without=leaning(without),
            seed=seed,
            map_name=map,
            lang=chosen,
            models=models,
            by=by,
            progress=told,
        )
    if json_:
        write_json(result)
    else:
        write(score_report(result))
    return 0


def score_report(result: dict[str, Any]) -> str:
    """The summary as a person reads it."""
    trained = result["trained"]
    lines = [
        f"{counted(result['scored'], 'payment')} scored in {result['out']}, "
        f"{result['alerts']:,} of them "
        f"beyond the level of a budget of {result['budget']:.2%}",
        f"trained on {counted(trained['payments'], 'payment')}, "
        f"{counted(trained['cases'], 'known case')}"
        + ("" if trained["supervised"] else "; no supervised model: too few cases"),
        f"taught by {counted(trained['imagined']['attempts'], 'imagined attempt')} of "
        f"{counted(trained['imagined']['payments'], 'payment')}",
    ]
    if trained["labels_not_yet_known"]:
        lines.append(
            f"not known yet, left out: {counted(trained['labels_not_yet_known'], 'outcome')}"
        )
    if result.get("outcomes_unmatched"):
        lines.append(
            f"of payments that are not here: {counted(result['outcomes_unmatched'], 'outcome')}"
        )
    if result.get("outcomes_ambiguous"):
        many = counted(result["outcomes_ambiguous"], "outcome")
        lines.append(
            f"of an id that several reporters use, left out: {many}; a column reporter or "
            "institution says whose"
        )
    if result["quarantined"]:
        said = ", ".join(f"{code} {n}" for code, n in sorted(result["quarantined"].items()))
        lines.append(f"left out as unusable: {said}")
    for one in result["drift"]:
        lines.append(
            f"drift of {one['of']} {one['name']}: stability index {one['stability_index']:.2f}"
        )
    if "measured" in result:
        found = result["measured"]
        lines.append(
            f"{counted(found['cases'], 'case')} among {counted(found['payments'], 'later payment')}"
        )
        rows = [
            [name, f"{found[name]['pr_auc']:.3f}",
             *(f"{value:.3f}" for value in found[name]["recall"].values())]
            for name in ("unsupervised", "taught", "supervised") if name in found
        ]  # fmt: skip
        recalls = [f"recall at {float(b):.1%}" for b in found["unsupervised"]["recall"]]
        lines.append(table(["", "PR-AUC", *recalls], rows, right=" rrrr"))
        for kind, (hit, there) in found["by_kind"].items():
            lines.append(f"  {kind}: {hit} of {there}")
    for one in result.get("shadow", ()):
        lines.append(
            f"challenger {one['version']}: {counted(one['alerts'], 'alert')}, in the shadow"
        )
    if "version" in result:
        lines.append(f"model {result['version']}")
    lines.append(f"training data {trained['digest']}")
    return "\n".join(lines)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(score)
