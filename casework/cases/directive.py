"""What a policy says about alerts: the value that the policy hands to the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Disposition(StrEnum):
    """What becomes of the alerts of a directive. None of them ever drops an alert."""

    OPEN = "open"
    """Work for a person."""
    SNOOZED = "snoozed"
    """Opened, and out of the queue until ``snoozed_until_us``."""
    SUPPRESSED = "suppressed"
    """Kept and shown as suppressed; no case."""
    BRAKED = "braked"
    """The rule fires too often; kept and shown as braked; no case."""


@dataclass(frozen=True, slots=True)
class CaseDirective:
    """These alerts belong into this case, and how pressing it is.

    The same record gives the same directives, so that taking one twice changes nothing. A later
    directive of the same ``case_id`` names all alerts of the case again. Times are microseconds
    since 1970; ``due_us`` is the end of the case's clock. ``priority`` is 0–100, more is more
    pressing. ``key_kind`` and ``key`` say what the alerts have in common (``casework.cases.keys``).
    ``reason`` has the keys ``en`` and ``zh``.
    """

    case_id: str
    policy: str
    policy_version: str
    theme: str
    key_kind: str
    key: str
    tenants: tuple[str, ...]
    jurisdiction: str
    alert_ids: tuple[str, ...]
    priority: int
    queue: str
    severity: str
    due_us: int | None
    reason: Mapping[str, str]
    disposition: Disposition = Disposition.OPEN
    snoozed_until_us: int | None = None
