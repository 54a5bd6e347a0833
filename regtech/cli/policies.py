"""``regtech policies``: what an author of policies needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regtech.cli.console import counted, shortened, table, write, write_json
from regtech.cli.options import Json, Lang, language

if TYPE_CHECKING:
    from regtech.app.policies import DryRun

app = typer.Typer(
    help="Check, test, show and try policies: how alerts become cases.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Files or folders. Default: the policies that ship.", show_default=False),
]
Policies = Annotated[
    list[Path] | None,
    typer.Option("--policies", help="Files or folders of policies in place of those that ship."),
]


@app.command()
def lint(paths: Paths = None, lang: Lang = None, json_: Json = False) -> int:
    """Find every fault at once, each with file, line, column, code and what was perhaps meant.

    Exit status 0 without errors, 1 with.

    \b
    Examples:
      regtech policies lint
      regtech policies lint drafts --json
    """
    from regtech.app.policies import lint_policies

    result = lint_policies(tuple(paths or ()), language(lang))
    if json_:
        write_json(result.to_json())
    else:
        write("\n".join([*result.lines, result.total]))
    return 1 if result.failed else 0


@app.command()
def test(
    paths: Paths = None,
    policy: Annotated[
        str | None, typer.Option("--policy", help="Only policies whose id contains this.")
    ] = None,
    json_: Json = False,
) -> int:
    """Run the tests inside the policies on the real planner.

    Exit status 0 where all pass, 1 otherwise.

    \b
    Examples:
      regtech policies test
      regtech policies test --policy money-and-data
    """
    from regtech.app.policies import test_policies

    result = test_policies(tuple(paths or ()), policy)
    if json_:
        write_json(result.to_json())
    else:
        write("\n".join([*result.lines, result.total]))
    return 1 if result.failed else 0


@app.command()
def show(
    policy: Annotated[
        str | None, typer.Argument(help="Id of a policy. Default: all.", show_default=False)
    ] = None,
    policies: Policies = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Print policies as pages for people, in the order in which they choose.

    \b
    Examples:
      regtech policies show
      regtech policies show money-and-data --lang zh
    """
    from regtech.app.policies import show_policies

    chosen = language(lang)
    page = show_policies(policy, tuple(policies or ()), chosen)
    if json_:
        write_json({"policy": policy, "lang": chosen, "page": page})
    else:
        write(page)
    return 0


@app.command()
def schema(
    out: Annotated[Path | None, typer.Option(help="Write it here in place of printing it.")] = None,
    json_: Json = False,
) -> int:
    """Print the JSON Schema of policy files, for completion and checks in an editor.

    \b
    Examples:
      regtech policies schema --out .vscode/policies.schema.json
    """
    from regtech.app.policies import policy_schema
    from regtech.cli.data import deliver_schema

    return deliver_schema(policy_schema(), out, json_)


@app.command(name="dry-run")
def dry_run_(
    alerts: Annotated[list[Path], typer.Argument(help="Files of alerts that `run` wrote.")],
    policies: Policies = None,
    parties: Annotated[
        list[Path] | None,
        typer.Option("--parties", help="Events whose party records say who is in which group."),
    ] = None,
    watched: Annotated[
        int | None,
        typer.Option(help="How many subjects are watched; a brake needs to know.", min=0),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="Go by the subjects and events that this store of cases was told of."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="As of this time. Default: that of the last alert.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Samples shown of each policy.", min=0)] = 3,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Show which cases alerts would make; nothing is written.

    Exit status 0, or 1 where a record is no alert.

    \b
    Examples:
      regtech policies dry-run alerts.ndjson
      regtech policies dry-run alerts.ndjson alerts.near.ndjson --parties events.ndjson
      regtech policies dry-run alerts.ndjson --policies drafts --watched 20000 --json
      regtech policies dry-run alerts.ndjson --policies drafts --store cases.db
    """
    from regtech.app.policies import dry_run

    chosen = language(lang)
    result = dry_run(
        tuple(alerts),
        policies=tuple(policies or ()),
        parties=tuple(parties or ()),
        watched=watched,
        store=store,
        until=until,
    )
    if json_:
        write_json({**result.to_json(), "samples": result.samples(samples)})
    else:
        write(_page(result, samples, chosen))
    return 1 if result.unreadable else 0


def _page(result: DryRun, samples: int, lang: str) -> str:
    plan = result.plan
    lines = [
        f"{counted(result.alerts, 'alert')}: {counted(len(plan.cases), 'case')}, "
        f"{len(plan.aside):,} aside"
    ]
    if result.unreadable:
        lines += [
            counted(len(result.unreadable), "record is no alert:", "records are no alerts:"),
            *result.unreadable[:10],
        ]
    if result.matcher["degraded"]:
        lines.append(f"matched by {result.matcher['engine']}: {result.matcher['reason']}")
    rows = [
        [name, f"{entry['cases']:,}", f"{entry['alerts']:,}", f"{entry['aside']:,}"]
        for name, entry in result.by_policy().items()
    ]
    lines += ["", table(["policy", "cases", "alerts", "aside"], rows, right=" rrr")]
    data = result.to_json()
    for title, key in (("queue", "by_queue"), ("priority", "by_priority"), ("theme", "by_theme")):
        rows = [[name, f"{number:,}"] for name, number in data[key].items()]
        lines += ["", table([title, "cases"], rows, right=" r")]
    for rule, number in result.braked().items():
        lines.append(f"braked: {rule}, {counted(number, 'alert')}")
    if plan.unknown:
        lines += [
            "",
            f"brakes could not tell of {counted(len(plan.unknown), 'rule')}: "
            "see --store and --watched",
        ]
    for case in result.samples(samples) if samples else ():
        due = f", due {case['due']}" if case["due"] else ""
        said = shortened(case["reason"][lang], 90)
        lines += [
            "",
            f"{case['case']} {case['policy']} [{case['priority']}] {case['queue']}{due}",
            f"  {said}",
            f"  {counted(len(case['alerts']), 'alert')}, from {case['opened']} to {case['last']}, "
            f"{', '.join(case['tenants']) or '-'}",
        ]
    return "\n".join(lines)
