"""The packs and policies in use, for the API: lists, pages, and readers for drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casework.policy.load import load_text as load_policy_text
from casework.policy.model import Policy
from casework.policy.show import show as show_policy
from regtech.errors import NotFoundError
from regtech.rulelang.ir import Pack, Rule
from regtech.rulelang.packs import load_text
from regtech.rulelang.show import show


class Rules:
    """``casework.service.outside.RuleBook`` over packs that were read once."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self._packs = {pack.id: pack for pack in packs}
        self._rules = {rule.id: (rule, pack) for pack in packs for rule in pack.rules}

    def packs(self) -> Sequence[Mapping[str, Any]]:
        return [_pack(pack) for _, pack in sorted(self._packs.items())]

    def pack(self, pack_id: str) -> Mapping[str, Any]:
        pack = self._packs.get(pack_id)
        if pack is None:
            raise NotFoundError(f"there is no pack {pack_id}")
        return {**_pack(pack), "rules_of": [_rule(rule) for rule in pack.rules]}

    def page(self, rule_id: str, lang: str) -> str:
        if rule_id not in self._rules:
            raise NotFoundError(f"there is no rule {rule_id}")
        rule, pack = self._rules[rule_id]
        return show(rule, pack, lang)

    def lint(self, text: str) -> Sequence[Mapping[str, Any]]:
        _, faults = load_text(text, "draft.yml")
        return [fault.as_data() for fault in faults]


class Policies:
    """``casework.service.outside.PolicyBook`` over policies that were read once."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = {policy.id: policy for policy in policies}

    def policies(self) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": policy.id,
                "version": policy.version,
                "title": dict(policy.title),
                "order": policy.order,
            }
            for policy in self._policies.values()
        ]

    def page(self, policy_id: str, lang: str) -> str:
        if policy_id not in self._policies:
            raise NotFoundError(f"there is no policy {policy_id}")
        return show_policy(self._policies[policy_id], lang)

    def lint(self, text: str) -> Sequence[Mapping[str, Any]]:
        _, faults = load_policy_text(text, "draft.yml")
        return [fault.as_data() for fault in faults]


def _pack(pack: Pack) -> dict[str, Any]:
    return {
        "id": pack.id,
        "version": pack.version,
        "jurisdiction": pack.jurisdiction,
        "title": dict(pack.title),
        "digest": pack.digest,
        "rules": len(pack.rules),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": dict(rule.title),
        "kind": rule.alert.kind,
        "severity": rule.alert.severity,
        "digest": rule.digest,
    }
