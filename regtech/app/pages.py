"""The pages wired to the parts of a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from casework.api.context import Context
from casework.web.parts import Parts
from regtech import __version__
from regtech.reference.load import Reference


class Explanations:
    """``casework.service.outside.Explainer`` over the packs of a folder, or those that ship."""

    def __init__(self, rules: Path | None) -> None:
        self._rules = rules

    def explain(self, alert: Mapping[str, Any], lang: str, hidden: Callable[[str], bool]) -> str:
        from regtech.app.explain import explain_alert

        return explain_alert(alert, rules=self._rules, lang=lang, hidden=hidden)


def pages_of(context: Context, *, rules: Path | None) -> Parts:
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
        policies=context.policies,
        explainer=Explanations(rules),
        quarantine=context.quarantine,
        webhooks=context.webhooks,
        bundles=context.bundles,
        openid=context.openid,
    )
