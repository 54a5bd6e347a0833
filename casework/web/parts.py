"""What the pages work with, put together once by whoever wires them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from casework.cases.sla import Jurisdictions
from casework.identity.openid import OpenId
from casework.identity.rate import Rate
from casework.identity.service import Identity
from casework.service.alerts import AlertReading
from casework.service.cases import CaseService
from casework.service.outside import (
    Bundles,
    Explainer,
    Health,
    PolicyBook,
    QuarantineDesk,
    RuleBacktests,
    RuleBook,
    RuleDrafts,
    RulesInForce,
    WebhookDesk,
)
from casework.service.proposals import ProposalService
from casework.service.search import SearchService
from regtech.clock import Clock


class Logins(Protocol):
    """Counts how logins ended."""

    def login(self, outcome: str) -> None:
        """One more: ``done`` or the code of the error."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts behind the pages. Where one is None, its page says that it is not there.

    ``strangers``: how often somebody without a session may try, by address; ``callers``: how often
    those with one may ask. ``numbers``: figures that the pages are shown with, such as the version.
    """

    service: CaseService
    alerts: AlertReading
    identity: Identity
    callers: Rate
    strangers: Rate
    jurisdictions: Jurisdictions
    clock: Clock
    logins: Logins
    health: Health
    version: str
    search: SearchService | None = None
    rules: RuleBook | None = None
    drafts: RuleDrafts | None = None
    proposals: ProposalService | None = None
    backtests: RuleBacktests | None = None
    rules_in_force: RulesInForce | None = None
    policies: PolicyBook | None = None
    explainer: Explainer | None = None
    quarantine: QuarantineDesk | None = None
    webhooks: WebhookDesk | None = None
    bundles: Bundles | None = None
    openid: OpenId | None = None

    def zone_of(self, jurisdiction: str) -> str:
        """The time zone of a jurisdiction's law; UTC where it has no profile."""
        from regtech.errors import RegtechError

        try:
            return self.jurisdictions.profile(jurisdiction).zone
        except RegtechError:
            return "UTC"


Plain = Mapping[str, Any]
