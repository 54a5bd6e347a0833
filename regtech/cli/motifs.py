"""``motifs``: patterns in the network of payments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from regtech.app.options import parse_length, parse_names
from regtech.app.settings import setting
from regtech.cli.console import counted, progress, table, write, write_json
from regtech.cli.engine import Events, Lateness, Quarantine
from regtech.cli.options import Json, Lang, Map, language
from regtech.content.faults import meant_or_known
from regtech.content.saying import say
from regtech.errors import UsageError

if TYPE_CHECKING:
    from regtech.app.motifs import MotifSummary

_TITLES = {
    "fan_in": {"en": "many payers, one payee", "zh": "多人付款给同一账户"},
    "fan_out": {"en": "one payer, many payees", "zh": "同一账户付款给多人"},
    "gather_scatter": {"en": "gathered from many, then paid to many", "zh": "集中转入、分散转出"},
    "scatter_gather": {"en": "spread over many, then gathered", "zh": "分散转出后再集中"},
    "cycle": {"en": "money that returns to where it came from", "zh": "资金回流"},
    "round_trip": {"en": "money that returns by way of another country", "zh": "跨境资金回流"},
    "stack": {"en": "layers that pay the next layer", "zh": "多层转账"},
    "bipartite": {"en": "the same many pay the same many", "zh": "多对多重复付款"},
    "random_walk": {"en": "alike amounts handed on and on", "zh": "相近金额逐级转移"},
    "pass_through": {"en": "in and out again with little left", "zh": "快进快出、余额很少"},
    "splitting": {"en": "several payments of one pair in a short time", "zh": "短期内拆分付款"},
    "structuring": {"en": "several payments just below a limit", "zh": "多笔付款略低于限额"},
    "mule": {"en": "still for long, then busy with many", "zh": "长期不动户突然频繁交易"},
}


def motifs(
    events: Events,
    types: Annotated[
        str | None,
        typer.Option(help="Types to look for, between commas: cycle,fan_in. Default: all."),
    ] = None,
    out: Annotated[
        str, typer.Option(help="Where the motifs go; - is standard output.")
    ] = "motifs.ndjson",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A parameter in place of its default: splitting.least=2, cycle.window=30d.",
            show_default=False,
        ),
    ] = None,
    quarantine: Quarantine = None,
    map_: Map = None,
    lateness: Lateness = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Find motifs in the network of payments: cycles, fans, chains, each with its payments.

    One motif is one finding that grows: told when first complete (step 0) and at each doubling,
    by the same id.

    \b
    Examples:
      regtech motifs payments.ndjson
      regtech motifs transactions.csv --map amlsim --types cycle,fan_in --out motifs.ndjson
      regtech motifs payments.parquet --types splitting --set splitting.least=2
    """
    chosen = language(lang)
    names = parse_names(types)
    changes = _changes(set_ or [], names)
    late = parse_length(lateness or setting("REGTECH_LATENESS"))
    # The kernels take a while to import: only once the call itself is known to be right.
    from regtech.app.motifs import motifs_command

    with progress() as told:
        summary = motifs_command(
            events=tuple(events), types=names, changes=changes, out=out, quarantine=quarantine,
            map=map_, lateness=late, progress=told,
        )  # fmt: skip
    if out == "-":
        typer.echo(_report(summary, chosen), err=True)
    elif json_:
        write_json(summary.to_json())
    else:
        write(_report(summary, chosen))
    return 0


def _changes(texts: list[str], types: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """``TYPE.PARAMETER=NUMBER``; ``window`` and ``still`` are lengths of time.

    Raises ``UsageError`` also for what would change nothing: a slip of the pen leaves a default in
    force that nobody meant.
    """
    made: dict[str, dict[str, int]] = {}
    if not texts:
        return made
    from detectors.graph.spec import PARAMETERS, TYPES

    # Amounts by currency cannot be written as a number.
    known = sorted(p.name.removesuffix("_us") for p in PARAMETERS if p.name != "limits")
    for text in texts:
        path, equals, value = text.partition("=")
        kind, dot, name = path.strip().partition(".")
        if not (equals and dot):
            raise UsageError(f"not a parameter: {text!r}", hint="write it as splitting.least=2")
        if kind not in TYPES:
            raise UsageError(say("no motif %(name)r", name=kind), hint=meant_or_known(kind, TYPES))
        if types and kind not in types:
            raise UsageError(
                f"{text!r} changes nothing: {kind} is not looked for", hint=f"--types {kind}"
            )
        if name not in known:
            raise UsageError(
                say("%(name)s has no parameter %(strange)r", name=kind, strange=name),
                hint=meant_or_known(name, known),
            )
        if name in ("window", "still"):
            made.setdefault(kind, {})[f"{name}_us"] = parse_length(value)
        elif value.strip().isdigit():
            made.setdefault(kind, {})[name] = int(value)
        else:
            raise UsageError(f"not a whole number: {text!r}", hint="write it as splitting.least=2")
    return made


def _report(summary: MotifSummary, lang: str) -> str:
    lines = [
        f"{counted(summary.events, 'event')}, {counted(summary.payments, 'payment')} between two "
        "parties"
    ]
    if summary.seconds > 0:
        rate = round(summary.payments / summary.seconds)
        lines.append(f"{summary.seconds:.1f} s, {rate:,} payments/s")
    if summary.quarantined:
        reasons = ", ".join(f"{code} {n}" for code, n in sorted(summary.quarantined.items()))
        lines.append(f"quarantined in {summary.quarantine}: {reasons}")
    rows = [[kind, _TITLES[kind][lang], f"{n:,}"] for kind, n in summary.motifs.items()]
    lines.append(table(["type", "", "motifs"], rows, right="  r"))
    if summary.cut:
        said = ", ".join(f"{name} {n:,}" for name, n in summary.cut.items())
        lines.append(f"cut at their bound: {said}")
    lines.append(
        f"{counted(summary.told, 'finding or step', 'findings and steps')} of growth on "
        f"{counted(summary.accounts, 'account')} in "
        f"{summary.out}"
    )
    lines.append(f"digest {summary.digest}")
    return "\n".join(lines)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(motifs)
