"""The rule editor: a draft of a pack is checked, its tests are run, and it is taken away as a file
or proposed to a second person.

Nothing here changes a pack in use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Body, Response
from fastapi.responses import JSONResponse, RedirectResponse

from casework.cases.scope import Role
from casework.service.outside import Draft, RuleBook, RuleDrafts, Trial
from casework.web.menu import has_role
from casework.web.render import gettext, page, said_in
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import (
    CapacityError,
    ConflictError,
    ContentError,
    ForbiddenError,
    InputError,
    NotFoundError,
    RegtechError,
    UsageError,
)

router = page_router()

SHOWN_MAX: Final = 50
"""Faults and failed tests on a page; the number of all of them is told."""
AROUND: Final = 2
"""Lines shown before and after one that a fault is on."""
LINE_MAX: Final = 300
FIELD: Final = "value:"
"""What names of fields of a form begin with, before the path of the value."""
NEW: Final = "new:"
"""The same for what is to be added, before its kind, the path it is added to and its name."""
NEWEST: Final = "newest"
"""The test that was just added."""
TAKEN: Final = "take:"
"""The same for the choice of what is to be taken away, before the section."""
ACTS: Final = ("check", "tests", "download", "form", "backtest", "propose")


def _parts(visit: Visit) -> tuple[RuleBook, RuleDrafts]:
    rules, drafts = visit.parts.rules, visit.parts.drafts
    if rules is None or drafts is None:
        raise NotFoundError(say("this server has no rules"))
    if not has_role(visit.scope, Role.AUTHOR):
        raise ForbiddenError(say("%(actor)s may not edit rules", actor=visit.scope.actor))
    return rules, drafts


@router.get("/rule-editor")
def begin(visit: Person) -> Response:
    """A pack in use, or one to begin from."""
    rules, drafts = _parts(visit)
    drafts.make_ready()  # while the author reads and types
    chosen = visit.asked("pack", 200)
    return _editor(visit, rules.source(chosen) if chosen else drafts.start(), chosen)


@router.post("/rule-editor")
def act(visit: Person) -> Response:
    """Check the draft, run its tests, take it away as a file, or propose it."""
    _, drafts = _parts(visit)
    wanted = visit.typed.get("act")
    if wanted not in ACTS:
        raise UsageError(
            say("%(wanted)r is nothing that can be done with a draft", wanted=wanted[:40])
        )
    text = _typed(visit)
    if wanted == "form":
        return _form(visit, text, visit.typed.get("rule"))
    draft, faults = drafts.check(text)
    found: dict[str, Any] = {"draft": draft, "faults": faults, "asked": wanted}
    if draft is None or any(fault["severity"] == "error" for fault in faults):
        return _editor(visit, text, status=200 if wanted == "check" else 422, **found)
    if wanted == "download":
        return _file(draft, text)
    if wanted in ("propose", "backtest"):
        return _go_on(visit, wanted, text, found)
    if wanted == "tests":
        try:
            found["trial"] = drafts.run_tests(text)
        except CapacityError as error:
            return _editor(visit, text, status=503, stopped=error, **found)
    return _editor(visit, text, **found)


@router.post("/rule-form")
def change(visit: Person) -> Response:
    """Write the values of the form into the draft: to another rule, or back to the YAML."""
    _, drafts = _parts(visit)
    before, values = _typed(visit), _values(visit)
    # Buttons of parts say in which section they stand, and which part they are for.
    wanted, _, rest = visit.typed.get("act").partition(":")
    at, _, part = rest.partition(":")
    rule = visit.typed.get("rule")
    shown = visit.typed.get("shown")
    text = before
    try:
        text = drafts.edited(before, values)
        if wanted == "add":
            text, done = _added(visit, drafts, text, part), "add"
        elif wanted == "take":
            text, done = _taken_away(visit, drafts, text, at), "take"
        else:
            done = ""
    except InputError as error:
        if text != before:
            # What was typed into the values is kept; only the part was refused.
            values = {}
        return _form(visit, text, shown, status=400, refused=error, typed=values, at=at)
    if wanted == "yaml":
        return _editor(visit, text)
    # Its id may have been typed anew.
    test = visit.typed.get("test")
    if done:
        test = NEWEST if part.startswith("test ") else "" if at == "tests" else test
    return _form(visit, text, shown if done else rule, test=test, done=done, at=at)


def _added(visit: Visit, drafts: RuleDrafts, text: str, part: str) -> str:
    """With the part whose button was pressed; what was typed for it stands in fields of its own."""
    kind, _, path = part.partition(" ")
    start = f"{NEW}{kind} {path} "
    given = {
        name.removeprefix(start): value
        for name, value in visit.typed.fields
        if name.startswith(start)
    }
    return drafts.added(text, kind, path, given)


def _taken_away(visit: Visit, drafts: RuleDrafts, text: str, section: str) -> str:
    how, _, path = visit.typed.get(f"{TAKEN}{section}").partition(" ")
    if not path:
        raise InputError(say("nothing was chosen"), hint=say("choose what is to be taken away"))
    return drafts.taken_away(text, path, goes_on=how == "on")


def _values(visit: Visit) -> dict[str, str]:
    """What was typed, by the path that the field is named after."""
    return {
        name.removeprefix(FIELD): value.replace("\r\n", "\n")
        for name, value in visit.typed.fields
        if name.startswith(FIELD)
    }


def _form(
    visit: Visit,
    text: str,
    rule: str,
    *,
    status: int = 200,
    refused: InputError | None = None,
    typed: Mapping[str, str] | None = None,
    test: str | None = None,
    done: str = "",
    at: str = "",
) -> Response:
    """A rule of the draft as a form, the first one where none is named."""
    _, drafts = _parts(visit)
    try:
        names = drafts.rules_in(text)
    except InputError as error:
        return _editor(visit, text, status=error.http_status, refused=error, asked="form")
    if not names:
        return _editor(visit, text, refused=UsageError(say("the draft has no rule")), asked="form")
    chosen = rule if rule in names else names[0]
    form = drafts.form(text, chosen)
    tests = [section for section in form.sections if section.kind == "test"]
    number = visit.typed.get("test") if test is None else test
    number = str(len(tests) - 1) if number == NEWEST else number
    # One test at a time: all of them together weigh more than a page may.
    open_test = int(number) if number.isdecimal() and int(number) < len(tests) else None
    sections = [section for section in form.sections if section.kind != "test"]
    if open_test is not None:
        sections.insert(0, tests[open_test])
    draft, faults = drafts.check(text)
    return page(
        visit,
        "ruleform",
        title=gettext(visit, "Rule as a form"),
        here="rule-editor",
        status=status,
        yaml=text,
        base=visit.typed.get("base"),
        names=names,
        form=form,
        sections=sections,
        kinds=[section.kind for section in sections],
        tests=[section.title for section in tests],
        open_test=open_test,
        typed=typed or {},
        field=FIELD,
        new=NEW,
        take=TAKEN,
        given={} if not refused else dict(visit.typed.fields),
        done=done,
        at=at,
        refused=refused,
        draft=draft,
        faults=list(faults)[:SHOWN_MAX],
        errors=sum(fault["severity"] == "error" for fault in faults),
    )


def _go_on(visit: Visit, wanted: str, text: str, found: dict[str, Any]) -> Response:
    """To the proposal, or to the backtest; what stands against it is shown beside the draft."""
    proposals, backtests = visit.parts.proposals, visit.parts.backtests
    try:
        if wanted == "backtest" and backtests is not None:
            begun = backtests.start(visit.scope, text, visit.typed.get("history"))
            return RedirectResponse(f"/backtests/{begun.id}", 303)
        if wanted == "propose" and proposals is not None:
            made = proposals.propose(
                visit.scope, text, visit.typed.get("note"), base=visit.typed.get("base")
            )
            return RedirectResponse(f"/proposals/{made.id}?done=propose", 303)
    except (UsageError, ContentError, ConflictError, CapacityError) as error:
        return _editor(visit, text, status=error.http_status, refused=error, **found)
    raise NotFoundError(say("this server keeps no proposals and runs no backtests"))


def _typed(visit: Visit) -> str:
    """The draft as it was typed: browsers send its lines with two signs at their ends."""
    text = (visit.typed.all("yaml") or [""])[-1].replace("\r\n", "\n")
    return text if text.endswith("\n") else text + "\n"


def _file(draft: Draft, text: str) -> Response:
    # The id is that of a pack without errors: small letters, digits and hyphens.
    headers = {"Content-Disposition": f'attachment; filename="{draft.pack}.yml"'}
    return Response(text, media_type="application/yaml; charset=utf-8", headers=headers)


@router.post("/rule-editor/lint")
def lint(visit: Person, yaml: Annotated[str, Body(embed=True)]) -> Response:
    """Faults of a draft for the script of the editor."""
    _, drafts = _parts(visit)
    _, faults = drafts.check(yaml)
    told = [
        {**fault, **{name: said_in(fault[name], visit.lang) for name in ("message", "hint")}}
        for fault in faults
    ]
    return JSONResponse({"faults": told})


@router.get("/rule-editor/schema.json")
def schema(visit: Person) -> Response:
    """The JSON Schema of packs, for completion."""
    _, drafts = _parts(visit)
    return JSONResponse(drafts.schema())


def _editor(
    visit: Visit,
    text: str,
    chosen: str = "",
    *,
    status: int = 200,
    draft: Draft | None = None,
    faults: Sequence[Mapping[str, Any]] | None = None,
    asked: str = "",
    trial: Trial | None = None,
    stopped: CapacityError | None = None,
    refused: RegtechError | None = None,
) -> Response:
    rules, _ = _parts(visit)
    lines = text.split("\n")
    found = list(faults or ())
    failed = list(trial.failed) if trial else []
    places = [int(fault["line"]) for fault in found[:SHOWN_MAX]]
    places += [test.line for test in failed[:SHOWN_MAX]]
    return page(
        visit,
        "ruleeditor",
        title=gettext(visit, "Rule editor"),
        here="rule-editor",
        status=status,
        yaml=text,
        chosen=chosen,
        packs=rules.packs(),
        checked=faults is not None,
        asked=asked,
        draft=draft,
        errors=sum(fault["severity"] == "error" for fault in found),
        warnings=sum(fault["severity"] == "warning" for fault in found),
        faults=found[:SHOWN_MAX],
        more_faults=max(0, len(found) - SHOWN_MAX),
        trial=trial,
        failed=failed[:SHOWN_MAX],
        stopped=stopped,
        refused=refused,
        base=_base(visit, rules, chosen),
        note=visit.typed.get("note"),
        proposes=visit.parts.proposals is not None,
        histories=visit.parts.backtests.histories() if visit.parts.backtests else [],
        excerpts=_excerpts(lines, places),
    )


def _base(visit: Visit, rules: RuleBook, chosen: str) -> str:
    """The digest of the pack that the draft was made from, however long it has been open."""
    if chosen:
        return next(str(one["digest"]) for one in rules.packs() if one["id"] == chosen)
    return visit.typed.get("base")


def _excerpts(lines: Sequence[str], places: Sequence[int]) -> list[list[dict[str, Any]]]:
    """The lines around those places, each line once, in runs."""
    wanted = sorted(
        {n for at in places for n in range(at - AROUND, at + AROUND + 1) if 1 <= n <= len(lines)}
    )
    runs: list[list[dict[str, Any]]] = []
    for number in wanted:
        if not runs or runs[-1][-1]["number"] != number - 1:
            runs.append([])
        text = lines[number - 1]
        shown = text if len(text) <= LINE_MAX else text[:LINE_MAX] + "…"
        runs[-1].append({"number": number, "text": shown, "at": number in places})
    return runs
