"""``regtech cases``: the queue on a terminal.

More than 500 lines: one function for each command, most of it options and their help.
"""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from regtech.app.options import parse_moment, parse_names
from regtech.app.settings import setting
from regtech.cli.console import counted, progress, write, write_json
from regtech.cli.options import Json, Lang, Store, language
from regtech.errors import UsageError

app = typer.Typer(
    help="Work the cases that alerts have become: list, show, act.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

CaseId = Annotated[str, typer.Argument(help="Id of a case, as `list` shows it.")]
Actor = Annotated[
    str | None,
    typer.Option("--as", help="Who does it; default: your login.", show_default=False),
]
Roles = Annotated[
    str,
    typer.Option(
        "--role", help="supervisor, institution, author, operator or auditor, between commas."
    ),
]
Tenant = Annotated[
    str | None,
    typer.Option(help="Only these institutions, between commas.", show_default=False),
]
Jurisdiction = Annotated[
    str | None, typer.Option(help="Only these jurisdictions: cn,eu.", show_default=False)
]


def store_of(value: str | None) -> str:
    """The store asked for, or the one that is set."""
    url = value or setting("REGTECH_STORE")
    if not url:
        raise UsageError("which store?", hint="--store sqlite:///cases.db, or set REGTECH_STORE")
    return url


def scope_for(actor: str | None, roles: str, tenant: str | None, jurisdiction: str | None) -> Any:
    """Whose eyes are meant: actor, roles between commas, institutions and jurisdictions."""
    from regtech.app.casework import scope_of

    return scope_of(
        actor or setting("REGTECH_ACTOR") or getpass.getuser(),
        parse_names(roles),
        jurisdictions=parse_names(jurisdiction),
        tenants=tuple(part.strip() for part in tenant.split(",")) if tenant else (),
    )


@app.command(name="list")
def list_(
    store: Store = None,
    queue: Annotated[str | None, typer.Option(help="Only this queue.")] = None,
    state: Annotated[str | None, typer.Option(help="Only this state: new, triage, …")] = None,
    theme: Annotated[str | None, typer.Option(help="Only this theme.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    unassigned: Annotated[
        bool, typer.Option("--unassigned", help="Only those that nobody has.")
    ] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their date.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Ended and snoozed ones too.")] = False,
    limit: Annotated[int, typer.Option(help="Rows of a page.", min=1, max=500)] = 20,
    after: Annotated[str | None, typer.Option(help="Go on after this cursor.")] = None,
    actor: Actor = None,
    roles: Roles = "supervisor",
    tenant: Tenant = None,
    jurisdiction: Jurisdiction = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """List cases, the most important first: priority, then the date they are due.

    \b
    Examples:
      regtech cases list --store cases.db
      regtech cases list --store cases.db --overdue --queue cn --json
    """
    chosen = language(lang)
    from regtech.app.caseview import list_cases
    from regtech.app.casework import casework

    with casework(store_of(store)) as parts:
        found = list_cases(
            parts,
            scope_for(actor, roles, tenant, jurisdiction),
            queue=queue,
            state=state,
            theme=theme,
            assignee="" if unassigned else assignee,
            overdue=overdue,
            every=every,
            limit=limit,
            after=after,
        )
    if json_:
        write_json(found)
        return 0
    from regtech.cli.casetext import list_text, word

    if found["restricted"]:
        lines = [
            f"{c['case']}  {c['theme']}  {'open' if c['open'] else 'closed'}"
            for c in found["cases"]
        ]
        write("\n".join(lines) or word("no cases", chosen))
    else:
        write(list_text(found["cases"], chosen))
    if found["after"]:
        write(word("more", chosen) + f" --after {found['after']}")
    return 0


@app.command()
def show(
    case: CaseId,
    store: Store = None,
    unmask: Annotated[
        str | None, typer.Option(help="Show personal data; the reason given here is recorded.")
    ] = None,
    actor: Actor = None,
    roles: Roles = "supervisor",
    tenant: Tenant = None,
    jurisdiction: Jurisdiction = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Show a case: facts, alerts, checklist, open requests and the whole timeline.

    \b
    Examples:
      regtech cases show C-0123456789abcdef0123 --store cases.db
      regtech cases show C-0123456789abcdef0123 --role institution --tenant BANK-A
    """
    chosen = language(lang)
    from regtech.app.caseview import show_case
    from regtech.app.casework import casework

    with casework(store_of(store)) as parts:
        view = show_case(parts, scope_for(actor, roles, tenant, jurisdiction), case, unmask=unmask)
    if json_:
        write_json(view)
        return 0
    from regtech.cli.casetext import case_text, institution_text

    write(case_text(view, chosen) if "version" in view else institution_text(view, chosen))
    return 0


@app.command()
def act(
    case: Annotated[
        str,
        typer.Argument(help="Id of a case; several between commas; `next` for the first free one."),
    ],
    action: Annotated[
        str,
        typer.Argument(
            help="claim, triage, investigate, escalate, close, ask-close, ask-report, "
            "ask-override, ask-export, approve, refuse, reopen, assign, comment, tag, untag, "
            "check, uncheck, snooze, wake, prioritise, due, link, merge, split, file, share, "
            "unshare."
        ),
    ] = "claim",
    store: Store = None,
    seen: Annotated[
        int | None,
        typer.Option(help="Version you have seen; a change in between is then refused.", min=1),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
    outcome: Annotated[
        str | None, typer.Option(help="confirmed, unfounded, duplicate or data_error.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Text of a comment.")] = None,
    to: Annotated[str | None, typer.Option(help="Person to assign to; empty for nobody.")] = None,
    until: Annotated[str | None, typer.Option(help="Time or day: snooze, due.")] = None,
    number: Annotated[int | None, typer.Option(help="Number of a request.", min=1)] = None,
    about: Annotated[
        str | None, typer.Option(help="Rule to override; what is exported and for whom.")
    ] = None,
    item: Annotated[str | None, typer.Option(help="Point of the checklist.")] = None,
    tag: Annotated[str | None, typer.Option(help="Tags, between commas.")] = None,
    priority: Annotated[int | None, typer.Option(help="0 to 100.", min=0, max=100)] = None,
    queue: Annotated[str | None, typer.Option(help="Queue: prioritise, claim.")] = None,
    other: Annotated[str | None, typer.Option(help="The other case: link, merge.")] = None,
    alert: Annotated[
        str | None, typer.Option(help="Alerts to split off, ids between commas.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="File to add.")] = None,
    media_type: Annotated[
        str | None, typer.Option(help="Its type; default: from its name.", show_default=False)
    ] = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="The institution may read the comment or file.")
    ] = False,
    actor: Actor = None,
    roles: Roles = "supervisor",
    tenant: Tenant = None,
    jurisdiction: Jurisdiction = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Do something with a case. Exit status 1 where one of several cases was refused.

    \b
    Examples:
      regtech cases act next --store cases.db
      regtech cases act C-0123456789abcdef0123 comment --text "asked for the contract"
      regtech cases act C-0123456789abcdef0123 ask-close --outcome unfounded --reason "salary"
      regtech cases act C-0123456789abcdef0123 approve --number 7 --as li
    """
    chosen = language(lang)
    from regtech.app.caseact import Wanted, act_on
    from regtech.app.casework import casework

    wanted = Wanted(
        action=action,
        seen=seen,
        reason=reason or "",
        outcome=outcome,
        text=text or "",
        to=to,
        until_us=parse_moment(until) if until else None,
        number=number,
        about=about or "",
        item=item or "",
        tags=tuple(part.strip() for part in tag.split(",")) if tag else (),
        priority=priority,
        queue=queue,
        other=other or "",
        alerts=tuple(part.strip() for part in alert.split(",")) if alert else (),
        file=file,
        media_type=media_type,
        shared=shared,
    )
    with casework(store_of(store)) as parts:
        done = act_on(parts, scope_for(actor, roles, tenant, jurisdiction), case.split(","), wanted)
    if json_:
        write_json(done)
    else:
        from regtech.cli.casetext import list_text

        lines = [entry["case"] for entry in done["done"] if entry.get("case")]
        if lines:
            write(list_text(lines, chosen))
        if done.get("why"):
            write(done["why"][chosen])
        for entry in done["done"]:
            if entry.get("error"):
                write(f"{entry['id']}: {entry['error']['code']}: {entry['error']['message']}")
        if done["answered"]:
            write("; ".join(done["answered"]))
    return 1 if any(entry.get("error") for entry in done["done"]) else 0


@app.command(name="import")
def import_(
    alerts: Annotated[list[Path], typer.Argument(help="Files of alerts that `run` wrote.")],
    store: Store = None,
    tenant: Annotated[
        str | None, typer.Option(help="Institution of alerts that name none.")
    ] = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Put alerts into the store and bring the cases in line; the same again changes nothing.

    \b
    Examples:
      regtech cases import alerts.ndjson --store cases.db
    """
    chosen = language(lang)
    from regtech.app.casework import casework, import_alerts

    with casework(store_of(store), create=True) as parts, progress() as told:
        report = import_alerts(parts, alerts, tenant=tenant, progress=told)
        result = {"url": parts.url, **report.as_dict()}
    if json_:
        write_json(result)
        return 0
    from regtech.cli.report import store_report

    write("\n".join(store_report(result, chosen)))
    return 0


@app.command()
def aside(
    store: Store = None,
    outcome: Annotated[
        str | None, typer.Option(help="Only suppressed, snoozed or braked ones.")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Only those of this rule.")] = None,
    limit: Annotated[int, typer.Option(help="Rows of a page.", min=1, max=500)] = 20,
    after: Annotated[str | None, typer.Option(help="Go on after this cursor.")] = None,
    actor: Actor = None,
    roles: Roles = "supervisor",
    tenant: Tenant = None,
    jurisdiction: Jurisdiction = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """List alerts that a policy kept out of cases, the latest first, each with the reason.

    \b
    Examples:
      regtech cases aside --store cases.db
      regtech cases aside --store cases.db --outcome braked --json
    """
    chosen = language(lang)
    from regtech.app.caseview import aside_rows
    from regtech.app.casework import casework

    with casework(store_of(store)) as parts:
        found = aside_rows(
            parts,
            scope_for(actor, roles, tenant, jurisdiction),
            outcome=outcome,
            rule=rule,
            limit=limit,
            after=after,
        )
    if json_:
        write_json(found)
        return 0
    from regtech.cli.casetext import aside_text, word

    write(aside_text(found["aside"], chosen))
    if found["after"]:
        write(word("more", chosen) + f" --after {found['after']}")
    return 0


@app.command()
def export(
    case: CaseId,
    out: Annotated[Path, typer.Option(help="File to write: the bundle of evidence.")],
    keys: Annotated[Path, typer.Option(help="Folder of signing keys.")],
    store: Store = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="Show personal data too; see --number.")
    ] = False,
    number: Annotated[
        int, typer.Option(help="Number of the approved request to export personal data.", min=0)
    ] = 0,
    rules: Annotated[
        Path | None, typer.Option(help="Folder of the rules that judged; default: those shipped.")
    ] = None,
    events: Annotated[
        list[Path] | None,
        typer.Option(
            help="NDJSON file of events that were judged, or a server's --data folder; repeatable."
        ),
    ] = None,
    actor: Actor = None,
    roles: Roles = "supervisor",
    tenant: Tenant = None,
    jurisdiction: Jurisdiction = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Write a case with its timeline, alerts and rules as a bundle that proves itself.

    Without --personal, personal data are proved and not shown. With it, a second person has to have
    approved it: ask-export, then approve. With --events the events that alerts rest on are in it as
    well, found again by their ids. `regtech verify BUNDLE` checks the file.

    \b
    Examples:
      regtech cases export C-0123456789abcdef0123 --keys keys --out case.json
      regtech cases export C-0123456789abcdef0123 --keys keys --out case.json --personal --number 7
    """
    chosen = language(lang)
    from regtech.app.casework import casework
    from regtech.app.evidence import export_case

    with casework(store_of(store)) as parts:
        done = export_case(
            parts,
            scope_for(actor, roles, tenant, jurisdiction),
            case,
            out,
            keys=keys,
            personal=personal,
            number=number,
            rules=rules,
            events=events or (),
        )
    if json_:
        write_json(done)
        return 0
    from regtech.cli.casetext import export_text

    write(export_text(done, chosen))
    return 0


@app.command()
def precision(
    store: Store = None,
    actor: Actor = None,
    roles: Roles = "author",
    jurisdiction: Jurisdiction = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """How often each rule was right at each institution, by the outcomes of ended cases.

    \b
    Examples:
      regtech cases precision --store cases.db
    """
    chosen = language(lang)
    from regtech.app.caseview import precision_rows
    from regtech.app.casework import casework

    with casework(store_of(store)) as parts:
        rows = precision_rows(parts, scope_for(actor, roles, None, jurisdiction))
    if json_:
        write_json(rows)
        return 0
    from regtech.cli.casetext import precision_text

    write(precision_text(rows, chosen))
    return 0


@app.command()
def outcomes(
    out: Annotated[Path, typer.Option(help="File to be written, as CSV.")],
    store: Store = None,
    actor: Actor = None,
    roles: Roles = "supervisor",
    tenant: Tenant = None,
    jurisdiction: Jurisdiction = None,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Write the events of confirmed and of unfounded cases as labels for `score`.

    \b
    Examples:
      regtech cases outcomes --store cases.db --out labels.csv
      regtech score payments.ndjson --train-until 2026-05-20 --labels labels.csv
    """
    chosen = language(lang)
    from regtech.app.caselabels import write_outcomes
    from regtech.app.casework import casework

    with casework(store_of(store)) as parts:
        done = write_outcomes(parts, scope_for(actor, roles, tenant, jurisdiction), out)
    if json_:
        write_json(done)
        return 0
    from regtech.cli.casetext import outcomes_text

    write(outcomes_text(done, chosen))
    return 0


@app.command()
def conflicts(
    store: Store = None,
    actor: Actor = None,
    roles: Roles = "supervisor",
    after: Annotated[str | None, typer.Option(help="Go on after this cursor.")] = None,
    json_: Json = False,
) -> int:
    """Alerts that came with another content under a known id. Exit status 1 where there are any.

    \b
    Examples:
      regtech cases conflicts --store cases.db
    """
    from regtech.app.caseview import conflict_rows
    from regtech.app.casework import casework

    with casework(store_of(store)) as parts:
        found = conflict_rows(parts, scope_for(actor, roles, None, None), after=after)
    if json_:
        write_json(found)
    else:
        for row in found["conflicts"]:
            write(f"{row['alert']}  {row['rule']}  {row['known']} ≠ {row['digest']}")
        write(counted(len(found["conflicts"]), "conflict"))
        if found["after"]:
            write(f"--after {found['after']}")
    return 1 if found["conflicts"] else 0
