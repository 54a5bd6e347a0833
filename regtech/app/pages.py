"""The pages wired to the parts of a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from casework.api.context import Context
from casework.cases.scope import Scope
from casework.ports import CaseQuery
from casework.service.cases import CaseService
from casework.web.parts import Parts
from regtech import __version__
from regtech.reference.load import Reference

FIRST: Final = 20
"""Cases of the queue whose packs are compiled before the others."""


class Explanations:
    """``casework.service.outside.Explainer`` over the packs of a folder, or those that ship."""

    def __init__(self, rules: Path | None, packs: Sequence[str] = ()) -> None:
        self._rules, self._packs = rules, packs

    def explain(self, alert: Mapping[str, Any], lang: str, hidden: Callable[[str], bool]) -> str:
        from regtech.app.explain import explain_alert

        return explain_alert(alert, rules=self._rules, lang=lang, hidden=hidden)

    def make_ready(self, scope: Scope, service: CaseService, stopping: Callable[[], bool]) -> None:
        """Compile the packs of the first cases of the queue, then the others that are in use.

        The first explanation of a pack would wait for it, for seconds where the machine is busy.
        """
        from regtech.app.explain import all_packs, make_ready

        first = service.record.cases(scope, CaseQuery(), limit=FIRST).items
        found = (service.record.case_alerts(scope, case.id, limit=1).items for case in first)
        packs = [alert.pack for alerts in found for alert in alerts]
        make_ready((*packs, *(self._packs or all_packs(self._rules))), self._rules, stopping)


def pages_of(context: Context, explanations: Explanations) -> Parts:
    """What the pages work with: the same parts as the API."""
    return Parts(
        service=context.service,
        alerts=context.alerts,
        identity=context.gate.identity,
        callers=context.gate.rate,
        strangers=context.gate.strangers,
        jurisdictions=Reference.shipped(),
        clock=context.clock,
        logins=context.metrics,
        health=context.health,
        version=__version__,
        search=context.search,
        rules=context.rules,
        drafts=context.drafts,
        proposals=context.proposals,
        backtests=context.backtests,
        rules_in_force=context.rules_in_force,
        policies=context.policies,
        explainer=explanations,
        quarantine=context.quarantine,
        webhooks=context.webhooks,
        bundles=context.bundles,
        openid=context.openid,
    )
