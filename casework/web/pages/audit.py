"""The log: every chain, its entries, and a check of the chain made here and now."""

from __future__ import annotations

from typing import Final

from fastapi import Response

from casework.cases.grades import clear_grade, masked
from casework.cases.times import time_text
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Person, Visit
from regtech.content.saying import say
from regtech.errors import NotFoundError, UsageError

router = page_router()

ROWS: Final = 50
AT_ONCE: Final = 20_000
"""Entries that one request checks; the page goes on from there."""
_PIECE: Final = 5_000


@router.get("/audit")
def show(visit: Person) -> Response:
    """The logs, and the entries of one."""
    chains = visit.parts.alerts.chains(visit.scope)
    chain = visit.asked("chain", 200) if "chain" in visit.request.query_params else None
    rows: list[dict[str, object]] = []
    after = _number(visit.asked("after", 20))
    if chain is not None:
        if chain not in chains:
            raise NotFoundError(say("there is no log %(chain)r", chain=chain))
        clear = clear_grade(visit.scope)
        rows = [
            masked(
                {
                    "position": entry.position,
                    "case": entry.case,
                    "kind": entry.kind.value,
                    "at": time_text(entry.at_us),
                    "actor": entry.actor,
                    "why": entry.reason,
                    "detail": dict(entry.detail),
                    "hash": entry.hash.hex(),
                },
                clear,
            )
            for entry in visit.parts.alerts.log(visit.scope, chain, after=after, limit=ROWS)
        ]
    return page(
        visit,
        "audit",
        title=gettext(visit, "Audit"),
        here="audit",
        chains=sorted((name, length, last.hex()) for name, (length, last) in chains.items()),
        chain=chain,
        rows=rows,
        after=rows[-1]["position"] if len(rows) == ROWS else None,
        checked=None,
    )


def _number(text: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UsageError(say("%(text)r is no place in a log", text=text))
    return int(text)


@router.post("/audit/verify")
def verify(visit: Person) -> Response:
    """Work out the hash of every entry again and compare it with the next one's."""
    chain = visit.typed.get("chain")[:200]
    chains = visit.parts.alerts.chains(visit.scope)
    if chain not in chains:
        raise NotFoundError(say("there is no log %(chain)r", chain=chain))
    length, head = chains[chain]
    position = _number(visit.typed.get("from"))
    previous = bytes.fromhex(visit.typed.get("previous")[:64] or "") if position else None
    made = _walk(visit, chain, position, previous)
    end = made["position"] == length
    whole = end and made["hash"] == head.hex()
    return page(
        visit,
        "audit",
        title=gettext(visit, "Audit"),
        here="audit",
        chains=sorted((name, length, last.hex()) for name, (length, last) in chains.items()),
        chain=chain,
        rows=[],
        after=None,
        checked={**made, "length": length, "whole": whole, "goes_on": not end and not made["bad"]},
    )


def _walk(visit: Visit, chain: str, position: int, previous: bytes | None) -> dict[str, object]:
    """Check entries after a position; where it came to, and the first that is not right."""
    checked = 0
    while checked < AT_ONCE:
        entries = visit.parts.alerts.log(visit.scope, chain, after=position, limit=_PIECE)
        if not entries:
            break
        for entry in entries:
            joined = previous is None or entry.previous == previous
            if not entry.intact or not joined or entry.position != position + 1:
                return {"position": position, "bad": entry.position, "hash": ""}
            position, previous, checked = entry.position, entry.hash, checked + 1
    return {"position": position, "bad": 0, "hash": (previous or b"").hex()}
