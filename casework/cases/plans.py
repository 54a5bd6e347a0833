"""What a case keeps of what its policy said, so that people's changes and the policy's stay apart.

``Case.planned`` holds, for a case that a policy opened:

* ``priority``, ``queue``, ``due_us``: as the policy last said them; where the case has another
  value, a person set it.
* ``said``: digest of all that the policy said, to see whether it says something else now.
* ``keys``: digests of the keys whose alerts come to this case; closing it closes them.
* ``guests``: true where alerts came to the case that its policy did not put there.
* ``kept``: true where a person closed the case and alerts opened it again: it keeps its id.
* ``ended``: ``merged`` or ``withdrawn`` where the policy itself ended the case.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from casework.cases.case import Case
from casework.cases.directive import CaseDirective, CaseKey
from casework.cases.importance import PRIORITIES


def key_digest(key: CaseKey) -> str:
    """A key as the record stores it: 32 hexadecimal digits."""
    text = json.dumps([key.policy, key.kind, *key.values], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def due_us(directive: CaseDirective) -> int | None:
    """The last microsecond that is still in time."""
    return None if directive.due_at is None else directive.due_at - 1


def planned(directive: CaseDirective, said: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """``Case.planned`` of a directive; ``before``: what it was, for what came with it."""
    own = key_digest(directive.key)
    stays = {name: True for name in ("guests", "kept") if before.get(name)}
    return {
        **stays,
        "priority": PRIORITIES[directive.priority],
        "queue": directive.queue,
        "due_us": due_us(directive),
        "said": said,
        "keys": sorted({own, *before.get("keys", ())}),
    }


def revised(case: Case, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Priority, queue and due date of a case after the policy said ``plan``.

    What a person set stays, unless the policy has become more pressing than it was and than that.
    """
    before = case.planned
    fields: dict[str, Any] = {}
    if case.priority == before.get("priority") or (
        plan["priority"] > max(case.priority, before.get("priority", 0))
    ):
        fields["priority"] = plan["priority"]
    if case.queue == before.get("queue"):
        fields["queue"] = plan["queue"]
    if case.due_us == before.get("due_us") or _sooner(plan["due_us"], case.due_us, before):
        fields["due_us"] = plan["due_us"]
    return fields


def _sooner(due: int | None, mine: int | None, before: Mapping[str, Any]) -> bool:
    if due is None:
        return False
    said = before.get("due_us")
    return (mine is None or due < mine) and (said is None or due < said)
