"""A case: why it is there, the law, the facts and the arithmetic, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Response
from fastapi.responses import RedirectResponse

from casework.cases.alert import severity_rank
from casework.cases.case import ENDED, State
from casework.cases.disclosure import disclosure, showable, visible
from casework.cases.errors import VersionConflictError
from casework.cases.grades import Grade, clear_grade, grade_of
from casework.cases.lifecycle import HIGH, MOVES, Move
from casework.cases.scope import Role, Scope
from casework.cases.times import time_text
from casework.web import flows, owners
from casework.web.acting import act_on
from casework.web.drawing import network
from casework.web.labels import ERRORS, LABELS
from casework.web.language import said
from casework.web.render import gettext, page, said_in
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import ConflictError, ForbiddenError, RegtechError, UsageError

router = page_router()

SHOWN: Final = 50
"""Alerts of a case on its page; the list of its alerts has the rest."""


@router.get("/cases/{case}")
def show(visit: Person, case: str) -> Response:
    """The page of a case."""
    return case_page(visit, case)


def case_page(
    visit: Visit, case_id: str, *, status: int = 200, error: RegtechError | None = None
) -> Response:
    """The page, with what was typed into it and could not be done, where there is such."""
    view = visit.parts.service.view(visit.scope, case_id)
    if visit.scope.restricted:
        return _disclosed_page(visit, view, status, error)
    version = view["version"]
    chosen = visit.asked("alert", 100) or (view["found"][0]["id"] if view["found"] else "")
    alerts = [_alert(visit, body, body["id"] == chosen) for body in view["found"][:SHOWN]]
    return page(
        visit,
        "case",
        title=f"{case_id}",
        here="queue",
        status=status,
        view=view,
        version=version,
        alerts=alerts,
        more_alerts=view["alerts"] > len(alerts),
        can=_can(visit.scope, view),
        problem=_problem(visit, error),
        typed=visit.typed if error is not None else None,
        institution=_institution_part(visit, case_id, view),
        claimed=visit.asked("claimed") == "1",
        done=visit.asked("done", 40),
        evidence=visit.parts.bundles is not None,
        exports=_exports(view),
        **_drawings(visit, view),
    )


def _drawings(visit: Visit, view: Mapping[str, Any]) -> dict[str, Any]:
    """What the case shows as drawings, each with the figures that it is made of."""
    held, roles = owners.holdings(view["found"])
    between = flows.flows(view["found"])
    return {
        "network": network(view["found"]),
        "flows": between,
        "flow_drawing": flows.drawn(between),
        "holdings": held,
        "owner_drawing": owners.drawn(held, roles),
    }


@router.get("/cases/{case}/timeline.json")
def moments(visit: Person, case: str) -> dict[str, Any]:
    """The timeline for the drawing: what was found, what was done, when it is due, and now."""
    visit.parts.service.get(visit.scope, case)  # for those who work cases alone
    view = visit.parts.service.view(visit.scope, case)
    found, done = gettext(visit, "Findings"), gettext(visit, "Actions")
    items = [
        {
            "id": body["id"],
            "time": body["time"],
            "label": said(body.get("explanation"), visit.lang) or str(body.get("rule")),
            "kind": "alert",
            "lane": found,
            "href": f"/alerts/{body['id']}",
        }
        for body in view["found"]
    ]
    items += [
        {
            "id": str(entry["sequence"]),
            "time": entry["at"],
            "label": f"{gettext(visit, _word_of(entry))} · {entry['actor']}",
            "kind": entry["kind"],
            "lane": done,
        }
        for entry in view["timeline"]
    ]
    marks = []
    if view["due"]:
        marks.append({"time": view["due"], "label": gettext(visit, "Due"), "kind": "due"})
    now = time_text(visit.parts.clock.now_us())
    return {"items": items, "lanes": [found, done], "marks": marks, "now": now}


def _word_of(entry: Mapping[str, Any]) -> str:
    """What an entry of the timeline is called, in English."""
    return LABELS["entry"][entry["kind"]]


def _alert(visit: Visit, body: Mapping[str, Any], opened: bool) -> dict[str, Any]:
    """An alert with its rule for the page; the one that is open with its arithmetic in words."""
    why = ""
    if opened and visit.parts.explainer is not None:
        try:
            why = explained(visit, str(body["id"]))
        except RegtechError as error:
            why = said_in(error.message, visit.lang)
    return {"body": body, "open": opened, "why": why, "rule": rule_of(visit, body)}


def rule_of(visit: Visit, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The rule of an alert as it stands in the packs in use; None where there is none of its id."""
    if visit.parts.rules is None:
        return None
    try:
        return visit.parts.rules.law(str(body.get("rule")))
    except RegtechError:
        return None


def explained(visit: Visit, alert_id: str) -> str:
    """Why an alert was raised, in Markdown, with what the person may not see as a mark."""
    explainer = visit.parts.explainer
    if explainer is None:
        return ""
    clear = clear_grade(visit.scope)
    stored = visit.parts.alerts.record.alert(visit.scope, alert_id)
    text = explainer.explain(stored.body(), visit.lang, lambda path: grade_of(path) > clear)
    # Its first heading says what the page says already.
    first, _, rest = text.partition("\n")
    return rest.lstrip("\n") if first.startswith("# ") else text


def _can(scope: Scope, view: Mapping[str, Any]) -> dict[str, bool]:
    """What the person may do with the case as it stands, by the name of the act."""
    works = Role.SUPERVISOR in scope.roles
    hands_out = works or Role.OPERATOR in scope.roles
    state, severe = State(view["state"]), severity_rank(view["severity"]) >= HIGH
    ended = state in ENDED

    def may(move: Move) -> bool:
        return works and state in MOVES[move][0]

    return {
        "work": works,
        "triage": may(Move.TRIAGE),
        "investigate": may(Move.INVESTIGATE),
        "escalate": may(Move.ESCALATE),
        "close": may(Move.CLOSE) and not severe,
        "ask_close": may(Move.ASK_CLOSE),
        "ask_report": may(Move.ASK_REPORT),
        "reopen": may(Move.REOPEN) and view["merged_into"] is None,
        "merge": may(Move.MERGE),
        "assign": hands_out and not ended,
        "prioritise": hands_out,
        "snooze": works and not ended,
        "wake": works and view["snoozed_until"] is not None,
        "set_due": works and not ended,
        "split": works and not ended and view["alerts"] > 1,
        "export": Role.OPERATOR in scope.roles or works or Role.AUDITOR in scope.roles,
        "unmask": works or Role.AUDITOR in scope.roles,
    }


def _exports(view: Mapping[str, Any]) -> list[int]:
    """Numbers of approved exports of personal data that were not used yet."""
    approved: list[int] = []
    used: set[int] = set()
    for entry in view["timeline"]:
        number = entry["detail"].get("number")
        if entry["kind"] == "approved" and entry["detail"].get("gate") == "export":
            approved.append(number)
        if entry["kind"] == "exported":
            used.add(number)
    return [number for number in approved if number not in used]


def _institution_part(visit: Visit, case_id: str, view: Mapping[str, Any]) -> dict[str, Any]:
    """What the subject's institution may see of the case, and why not more."""
    case = visit.parts.service.get(visit.scope, case_id)
    rows = [
        {
            "id": body["id"],
            "kind": body["kind"],
            "rule": body["rule"],
            "may": disclosure(case.secret, body["kind"]).value,
            "seen": visible(case) and showable(case.secret, body["kind"], case.shared),
        }
        for body in view["found"][:SHOWN]
    ]
    return {"visible": visible(case), "secret": case.secret, "rows": rows}


def _problem(visit: Visit, error: RegtechError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    found = next(
        (
            c
            for c in (error.code, *(getattr(k, "code", "") for k in type(error).__mro__))
            if c in ERRORS
        ),
        "internal",
    )
    title, advice = ERRORS[found]
    changes: Sequence[str] = ()
    if isinstance(error, VersionConflictError):
        changes = error.changes
    return {
        "title": gettext(visit, title),
        "advice": gettext(visit, advice),
        "detail": error.message,
        "hint": error.hint,
        "changes": changes,
        "act": visit.typed.get("act"),
    }


def _disclosed_page(
    visit: Visit, view: Mapping[str, Any], status: int, error: RegtechError | None
) -> Response:
    theme = visit.parts.service.themes.of(view["theme"])
    return page(
        visit,
        "disclosed_case",
        title=str(view["case"]),
        here="queue",
        status=status,
        view=view,
        theme_title=dict(theme.title),
        problem=_problem(visit, error),
        typed=visit.typed if error is not None else None,
        done=visit.asked("done", 40),
    )


@router.post("/cases/{case}/act")
def act(visit: Person, case: str) -> Response:
    """Do something with the case; where it cannot be done the page keeps what was typed."""
    wanted = visit.typed.get("act")
    restricted = visit.scope.restricted
    if restricted and wanted != "comment":
        raise ForbiddenError(say("%(actor)s may not do this", actor=visit.scope.actor))
    try:
        seen = 0 if restricted else visit.typed.whole("version")
        act_on(visit, case, seen, wanted)
    except (ConflictError, UsageError, ForbiddenError) as error:
        return case_page(visit, case, status=error.http_status, error=error)
    return RedirectResponse(f"/cases/{case}?done={wanted}#top", 303)


@router.post("/cases/{case}/unmask")
def unmask(visit: Person, case: str) -> Response:
    """The alerts of a case with personal data; who looked, and why, is on record."""
    try:
        found = visit.parts.service.unmask(
            visit.scope, case, visit.typed.get("reason"), grade=Grade.PERSONAL
        )
    except UsageError as error:
        return case_page(visit, case, status=error.http_status, error=error)
    return page(
        visit,
        "unmasked",
        title=gettext(visit, "Personal data"),
        here="queue",
        case_id=case,
        found=found["found"],
    )
