"""``regtech rules``: what a rule author needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from regtech.app.options import parse_day
from regtech.cli.cases import Actor, Jurisdiction, scope_for, store_of
from regtech.cli.console import progress, shortened, table, write, write_json
from regtech.cli.options import Home, Json, Lang, Rules, Store, language

app = typer.Typer(
    help="Check, test, show and keep rulepacks.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Packs or folders. Default: the packs that ship.", show_default=False),
]


@app.command()
def lint(paths: Paths = None, lang: Lang = None, json_: Json = False) -> int:
    """Find every fault at once, each with file, line, column, code and what was perhaps meant.

    Exit status 0 without faults, 1 with.

    \b
    Examples:
      regtech rules lint
      regtech rules lint drafts/my-pack.yml --json
    """
    from regtech.app.rules import lint_rules

    result = lint_rules(tuple(paths or ()), language(lang))
    if json_:
        write_json(result.to_json())
    else:
        write("\n".join([*result.lines, result.total]))
    return 1 if result.failed else 0


@app.command()
def test(
    paths: Paths = None,
    rule: Annotated[
        str | None, typer.Option("--rule", help="Only rules whose id contains this.")
    ] = None,
    mutate: Annotated[
        bool,
        typer.Option(
            "--mutate",
            help="Move each comparator and figure by the smallest step and list the changes that "
            "no test notices.",
        ),
    ] = False,
    json_: Json = False,
) -> int:
    """Run the tests inside the packs on the real engine.

    Exit status 0 where all pass (with --mutate: where every change is noticed), 1 otherwise.

    \b
    Examples:
      regtech rules test
      regtech rules test rules/cn --rule lvtr
      regtech rules test rules/cn/cn-aml-large-value.yml --mutate
    """
    from regtech.app.rules import test_rules

    with progress() as told:
        result = test_rules(tuple(paths or ()), only=rule, mutate=mutate, progress=told)
    if json_:
        write_json(result.to_json())
    else:
        write("\n".join([*result.lines, result.total]))
    return 1 if result.failed else 0


@app.command()
def show(
    rule: Annotated[str, typer.Argument(help="Id of a rule or of a pack, or a file.")],
    rules: Annotated[Path | None, typer.Option(help="Folder to look in.")] = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Print a rule as a lawyer's page: the duty, the figures with their dates, the condition.

    \b
    Examples:
      regtech rules show cn-lvtr-0501
      regtech rules show cn-lvtr-0501 --lang zh
    """
    from regtech.app.rules import show_rule

    chosen = language(lang)
    result = show_rule(rule, rules, chosen)
    if json_:
        write_json({"rule": rule, "lang": chosen, "page": result})
    else:
        write(result)
    return 0


@app.command()
def new(
    rule: Annotated[str, typer.Argument(help="Id of the new rule, e.g. sg-cash-daily.")],
    jurisdiction: Annotated[str, typer.Option(help="Jurisdiction of the pack, e.g. SG.")],
    out: Annotated[
        Path | None,
        typer.Option(help="File of the pack. Default: <id>.yml here.", show_default=False),
    ] = None,
    json_: Json = False,
) -> int:
    """Write a pack with one rule that passes lint and has tests to fill in.

    \b
    Examples:
      regtech rules new sg-cash-daily --jurisdiction SG
    """
    from regtech.app.rules import new_rule

    path = new_rule(rule, jurisdiction.upper(), out)
    if json_:
        write_json({"rule": rule, "file": str(path)})
    else:
        write(f"{path}: fill in the figures, then: regtech rules test {path}")
    return 0


@app.command(name="format")
def format_(
    paths: Paths = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit status 1 where a file would.")
    ] = False,
    json_: Json = False,
) -> int:
    """Put packs in their one layout; comments stay.

    \b
    Examples:
      regtech rules format drafts
      regtech rules format --check
    """
    from regtech.app.rules import format_rules

    changed = format_rules(tuple(paths or ()), write=not check)
    if json_:
        write_json({"changed": [str(path) for path in changed]})
    else:
        word = "would change" if check else "changed"
        write("\n".join([*(f"{path}: {word}" for path in changed), f"{len(changed)} {word}"]))
    return 1 if check and changed else 0


@app.command()
def coverage(
    paths: Paths = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the table here in place of printing it.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit status 1 where the file at --out is stale.")
    ] = False,
    json_: Json = False,
) -> int:
    """Which obligation is decided by which rule, and why the others are not.

    \b
    Examples:
      regtech rules coverage
      regtech rules coverage --check --out docs/reference/coverage.md
    """
    from regtech.app.rules import coverage_table

    result = coverage_table(tuple(paths or ()), out=out, check=check)
    if json_:
        write_json(result.to_json())
    else:
        write("\n".join([*result.lines, result.total]))
    return 1 if result.failed else 0


@app.command()
def lock(
    paths: Paths = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit status 1 where the lock does not hold."),
    ] = False,
    json_: Json = False,
) -> int:
    """Record each pack's version and digest; a changed pack without a new version is a fault.

    \b
    Examples:
      regtech rules lock
      regtech rules lock --check
    """
    from regtech.app.rules import lock_rules

    result = lock_rules(tuple(paths or ()), check=check)
    if json_:
        write_json(result.to_json())
    else:
        write("\n".join([*result.lines, result.total]))
    return 1 if result.failed else 0


@app.command()
def schema(
    out: Annotated[Path | None, typer.Option(help="Write it here in place of printing it.")] = None,
    json_: Json = False,
) -> int:
    """Print the JSON Schema of rulepacks, for completion and checks in an editor.

    \b
    Examples:
      regtech rules schema --out .vscode/rulepack.schema.json
    """
    from regtech.app.schemas import schema_of
    from regtech.cli.data import deliver_schema

    return deliver_schema(schema_of("rule"), out, json_)


@app.command()
def upcoming(
    paths: Paths = None,
    on: Annotated[
        str | None, typer.Option(help="Count from this day. Default: today in UTC.")
    ] = None,
    days: Annotated[int, typer.Option(help="How many days ahead.", min=1)] = 365,
    events: Annotated[
        list[str] | None,
        typer.Option(help="Name the institutions that it touches, by these events. Repeatable."),
    ] = None,
    home: Home = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """What comes into force or lapses when: instruments, rules, figures, and whom it touches.

    \b
    Examples:
      regtech rules upcoming
      regtech rules upcoming rules/uk --on 2026-06-01 --days 60
      regtech rules upcoming --events last-year.ndjson
    """
    from regtech.app.rules import upcoming_changes

    chosen = language(lang)
    changes = upcoming_changes(
        tuple(paths or ()),
        on=parse_day(on) if on else None,
        days=days,
        lang=chosen,
        events=tuple(events or ()),
        home=home.upper() if home else None,
    )
    if json_:
        write_json(changes)
        return 0
    columns = ["day", "change", "pack", "what", "touches"]
    rows = [[change[name] for name in columns] for change in changes]
    if events:
        columns.append("institutions")
        for row, change in zip(rows, changes, strict=True):
            row.append(_institutions(change["institutions"]))
    write(table(columns, rows) if rows else "nothing")
    return 0


@app.command()
def proposals(
    store: Store = None,
    state: Annotated[
        str | None,
        typer.Option(help="Only this state: open, approved, applied, refused, withdrawn."),
    ] = None,
    rules: Rules = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1, max=500)] = 50,
    actor: Actor = None,
    jurisdiction: Jurisdiction = None,
    json_: Json = False,
) -> int:
    """List proposed changes of rules, and which of them are in force in the packs of --rules.

    They are made and decided on in the pages of the server, or by its API.

    \b
    Examples:
      regtech rules proposals --store cases.db --state approved
      regtech rules proposals --store cases.db --rules our-rules --json
    """
    from regtech.app.proposals import list_proposals, proposals_in

    scope = scope_for(actor, "operator", None, jurisdiction)
    with proposals_in(store_of(store), rules) as service:
        found = list_proposals(service, scope, state=state, limit=limit)
    if json_:
        write_json(found)
        return 0
    columns = ["id", "pack", "base", "version", "standing", "author", "decided_by", "note"]
    rows = [[shortened(str(one[name]), 60) for name in columns] for one in found]
    write(table(columns, rows) if rows else "nothing")
    return 0


@app.command()
def apply(
    to: Annotated[
        Path,
        typer.Option(
            help="Folder of packs to write into, the one that `serve --rules` reads. Without packs "
            "it gets all that ship first."
        ),
    ],
    proposal: Annotated[
        list[str] | None,
        typer.Argument(help="Ids. Default: every approved one.", show_default=False),
    ] = None,
    store: Store = None,
    actor: Actor = None,
    json_: Json = False,
) -> int:
    """Write approved proposals of rules out. A server that reads the folder takes them up.

    All fit beside the packs of the folder, or none is written. What they replace is kept under
    .versions, the lock is written anew, and the act is on record.

    \b
    Examples:
      regtech rules apply --store cases.db --to our-rules
      regtech serve --store cases.db --rules our-rules
    """
    from regtech.app.proposals import apply_proposals

    scope = scope_for(actor, "operator", None, None)
    result = apply_proposals(store_of(store), to, tuple(proposal or ()), scope)
    if json_:
        write_json(result.to_json())
        return 0
    lines = [f"{to}: filled with the packs that ship"] if result.begun else []
    lines += [
        f"{one['file']}: {one['pack']} {one['version']} ({one['id']})" for one in result.written
    ]
    if result.written:
        lines.append(f"in force within moments where a server runs: regtech serve --rules {to}")
    write("\n".join([*lines, f"{len(result.written)} written"]))
    return 0


def _institutions(found: list[dict[str, Any]]) -> str:
    """How many institutions, and the first of them with their numbers of events."""
    if not found:
        return "none"
    first = ", ".join(f"{entry['id']} ({entry['events']:,})" for entry in found[:3])
    return f"{len(found)}: {first}" + (" …" if len(found) > 3 else "")
