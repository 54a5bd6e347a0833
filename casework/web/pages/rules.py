"""Rules: what the law asks for, each as a page for lawyers with what is known of it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from fastapi import Response

from casework.cases.lifecycle import ALLOWED, Action
from casework.cases.scope import Role
from casework.service.outside import RuleBook
from casework.web.menu import has_role
from casework.web.render import gettext, link, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import NotFoundError, UsageError

router = page_router()

ROWS: Final = 50
AHEAD_DAYS: Final = 366
"""How far ahead the list looks for law that is to come; a rule's own page looks without end."""
STATUSES: Final = ("enabled", "advisory", "shadow", "disabled")
Row = Mapping[str, Any]


def _book(visit: Visit) -> RuleBook:
    if visit.parts.rules is None:
        raise NotFoundError(say("this server has no rules"))
    return visit.parts.rules


def _today(visit: Visit) -> date:
    return datetime.fromtimestamp(visit.parts.clock.now_us() // 1_000_000, UTC).date()


@router.get("/rules")
def list_rules(visit: Person) -> Response:
    """Every rule, or those asked for; packs, and law that is to come."""
    book, asked = _book(visit), _asked(visit)
    rows = book.rules()
    found = [row for row in rows if _fits(row, asked)]
    start = _place(visit, found)
    shown = found[start : start + ROWS]
    more = shown[-1]["id"] if start + ROWS < len(found) else ""
    today = _today(visit)
    coming = book.upcoming(today, today + timedelta(days=AHEAD_DAYS))
    return page(
        visit,
        "rules",
        title=gettext(visit, "Rules"),
        here="rules",
        rows=shown,
        number=len(found),
        packs=book.packs() if not any(asked.values()) and not start else [],
        jurisdictions=sorted({str(row["jurisdiction"]) for row in rows}),
        statuses=STATUSES,
        asked=asked,
        more=link("/rules", after=more, **asked) if more else "",
        upcoming=[] if start else [c for c in coming if _concerns(c, asked)],
        edits=_edits(visit),
    )


def _asked(visit: Visit) -> dict[str, str]:
    status = visit.asked("status", 20)
    if status and status not in STATUSES:
        raise UsageError(
            say("no status %(status)r", status=status),
            hint=say("statuses: %(statuses)s", statuses=", ".join(STATUSES)),
        )
    return {
        "q": visit.asked("q", 100),
        "jurisdiction": visit.asked("jurisdiction", 20),
        "status": status,
        "waits": "1" if visit.asked("waits", 1) else "",
        "pack": visit.asked("pack", 200),
    }


def _fits(row: Row, asked: Mapping[str, str]) -> bool:
    if any(asked[name] and row[name] != asked[name] for name in ("jurisdiction", "status", "pack")):
        return False
    if asked["waits"] and not row["waits"]:
        return False
    text = " ".join(
        (
            row["id"], row["pack"], *row["title"].values(), *(row["law"] or {}).values(),
            row["article"], *row["obligation"], row["waits"],
        )
    ).casefold()  # fmt: skip
    return all(word in text for word in asked["q"].casefold().split())


def _concerns(change: Row, asked: Mapping[str, str]) -> bool:
    return not asked["jurisdiction"] or change["jurisdiction"] == asked["jurisdiction"]


def _place(visit: Visit, found: Sequence[Row]) -> int:
    """Behind the rule that was the last of the page before; the beginning where it is not there."""
    after = visit.asked("after", 200)
    return next((at for at, row in enumerate(found, 1) if row["id"] == after), 0)


def _edits(visit: Visit) -> bool:
    return visit.parts.drafts is not None and has_role(visit.scope, Role.AUTHOR)


@router.get("/rules/{rule}")
def show(visit: Person, rule: str) -> Response:
    """One rule in words, its tests, what it covers, how often it was right, what is to come."""
    book = _book(visit)
    text, facts, today = book.page(rule, visit.lang), book.rule(rule), _today(visit)
    coming = book.upcoming(today, date.max)
    return page(
        visit,
        "rule",
        title=rule,
        here="rules",
        text=text,
        rule=facts,
        upcoming=[change for change in coming if rule in change["rules"]],
        precision=_precision(visit, rule),
        edits=_edits(visit),
    )


def _precision(visit: Visit, rule: str) -> dict[str, Any] | None:
    """Ended cases of the rule by outcome; None for those who may not know."""
    if not visit.scope.roles & ALLOWED[Action.PRECISION]:
        return None
    found = [one for one in visit.parts.service.precision(visit.scope) if one.rule == rule]
    judged, confirmed = sum(p.judged for p in found), sum(p.confirmed for p in found)
    return {
        "judged": judged,
        "confirmed": confirmed,
        "unfounded": sum(p.unfounded for p in found),
        "data_error": sum(p.data_error for p in found),
        "share": f"{round(Fraction(confirmed, judged) * 100)} %" if judged else "",
    }
