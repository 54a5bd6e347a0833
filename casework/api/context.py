"""What routes work with, put together once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from casework.api.gate import Gate
from casework.api.metrics import Metrics
from casework.identity.openid import OpenId
from casework.ports import Answers
from casework.service.alerts import AlertReading
from casework.service.cases import CaseService
from casework.service.outside import (
    BulkIntake,
    Bundles,
    Decider,
    Health,
    PolicyBook,
    QuarantineDesk,
    RuleBacktests,
    RuleBook,
    RuleDrafts,
    RulesInForce,
    ScreeningDesk,
    WebhookDesk,
)
from casework.service.proposals import ProposalService
from casework.service.search import SearchService
from regtech.clock import Clock


@dataclass(frozen=True, slots=True)
class Context:
    """The parts behind the API. Where one is None, its routes are not there."""

    service: CaseService
    alerts: AlertReading
    gate: Gate
    answers: Answers
    clock: Clock
    metrics: Metrics
    health: Health
    decider: Decider | None = None
    bulk: BulkIntake | None = None
    quarantine: QuarantineDesk | None = None
    rules: RuleBook | None = None
    drafts: RuleDrafts | None = None
    proposals: ProposalService | None = None
    backtests: RuleBacktests | None = None
    rules_in_force: RulesInForce | None = None
    policies: PolicyBook | None = None
    webhooks: WebhookDesk | None = None
    bundles: Bundles | None = None
    openid: OpenId | None = None
    search: SearchService | None = None
    screening: ScreeningDesk | None = None


def context_of(request: Request) -> Context:
    """The context of the application."""
    context: Context = request.app.state.context
    return context


Parts = Annotated[Context, Depends(context_of)]
