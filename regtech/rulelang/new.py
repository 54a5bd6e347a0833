"""A new rule or rulepack to start from: it passes lint, and its tests are there to be filled in."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from regtech.content.reading import IDENTIFIER
from regtech.errors import UsageError

RULE: Final = """\
  - id: {id}
    title: {{en: "Title of {id}", zh: "{id} 的标题"}}
    # For law: cite: {{instrument, article, confidence}} and obligation: an id of the register.
    on: transaction
    per: customer
    by: direction
    where: is_cash
    let:
      total: sum(amount_in("{currency}"), over=day)
    when: total >= param("{param}")
    alert: {{kind: indicator, severity: low}}
    misses: {{en: "What this rule cannot see.", zh: "本规则无法发现的情形。"}}
    tests:
      - name: two payments reach the figure exactly
        events:
          - {{time: "2026-03-02T09:00:00Z", payee: {{id: C1}}, amount: "6000", {money}}}
          - {{time: "2026-03-02T09:05:00Z", payee: {{id: C1}}, amount: "4000", {money}}}
        expect: {{alert: {{subject: C1, total: 10000}}}}
      - name: the smallest unit below; no cash, money out, a day later
        events:
          - {{time: "2026-03-02T09:00:00Z", payee: {{id: C1}}, amount: "6000", {money}}}
          - {{time: "2026-03-02T09:05:00Z", payee: {{id: C1}}, amount: "{below}", {money}}}
          - {{time: "2026-03-02T09:10:00Z", payee: {{id: C1}}, amount: "1", {card}}}
          - {{time: "2026-03-02T09:15:00Z", payer: {{id: C1}}, amount: "1", {money}}}
          - {{time: "2026-03-03T09:00:00Z", payee: {{id: C1}}, amount: "1", {money}}}
        expect: none
"""

PACK: Final = """\
pack: {pack}
version: 0.1.0
jurisdiction: {jurisdiction}
title: {{en: "Title of {pack}", zh: "{pack} 的标题"}}

# Figures of a cited text have basis: law. A default is a value of yours and is never shown as law.
params:
  {param}: {{value: {currency} 10000, basis: default}}

rules:
{rule}"""


def new_rule(identifier: str, currency: str = "USD", decimals: int = 2) -> tuple[str, str]:
    """Texts of a parameter and of a rule, to be put under ``params`` and ``rules`` of a pack;
    ``decimals`` are those of the currency.

    Raises ``UsageError`` for an id that is not well formed.
    """
    param = _param(identifier)
    line = f"  {param}: {{value: {currency} 10000, basis: default}}\n"
    return line, RULE.format(
        id=identifier,
        currency=currency,
        param=param,
        below=f"{Decimal(4000) - Decimal(1).scaleb(-decimals):f}",
        money=f"currency: {currency}, channel: cash",
        card=f"currency: {currency}, channel: card",
    )


def new_pack(
    pack: str,
    jurisdiction: str,
    identifier: str | None = None,
    currency: str = "USD",
    decimals: int = 2,
) -> str:
    """Text of a whole rulepack with one rule. Raises ``UsageError`` for an id that is none."""
    identifier = identifier or f"{pack}-1"
    if not IDENTIFIER.match(pack):
        raise UsageError(f"{pack!r} is not an id of a pack", hint="lower case, digits and hyphens")
    _, rule = new_rule(identifier, currency, decimals)
    return PACK.format(
        pack=pack,
        jurisdiction=jurisdiction,
        currency=currency,
        param=_param(identifier),
        rule=rule,
    )


def _param(identifier: str) -> str:
    if not IDENTIFIER.match(identifier):
        raise UsageError(
            f"{identifier!r} is not an id of a rule", hint="lower case, digits and hyphens"
        )
    return identifier.replace("-", "_") + "_figure"
