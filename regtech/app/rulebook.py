"""The packs in use, for the API: lists, pages, and a reader for drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from regtech.errors import NotFoundError
from regtech.rulelang.ir import Pack, Rule
from regtech.rulelang.packs import load_text
from regtech.rulelang.show import show


class Rules:
    """``casework.api.ports.RuleBook`` over packs that were read once."""

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
