"""The packs and policies in use, for the API: lists, pages, and readers for drafts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from casework.policy.load import load_text as load_policy_text
from casework.policy.model import Policy
from casework.policy.show import show as show_policy
from regtech.app.detection import shipped_detectors
from regtech.app.versions import kept_by_digest
from regtech.content import read_text
from regtech.content.faults import Fault
from regtech.content.saying import say
from regtech.engine.asking import waits_for
from regtech.errors import ConflictError, InputError, NotFoundError
from regtech.ports.detection import Detectors
from regtech.rulelang.check import check_packs
from regtech.rulelang.coverage import coverage
from regtech.rulelang.faults import Faults
from regtech.rulelang.ir import Pack, Rule
from regtech.rulelang.packs import load_text
from regtech.rulelang.register import load_register
from regtech.rulelang.show import show
from regtech.rulelang.upcoming import upcoming
from regtech.rulelang.vocabulary import LANGUAGES
from regtech.rulelang.wording import words

DRAFT: Final = "draft.yml"
"""The file that faults of a text are told of."""


class Rules:
    """``casework.service.outside.RuleBook`` over packs that were read once, or read anew.

    Packs in use come without the tests of their rules: files are read again where somebody asks for
    those, and are only believed where they still say what is in use; else the version that was kept
    when a file was replaced. ``folder``: where the packs are from, None for those that ship.
    """

    def __init__(
        self,
        packs: Sequence[Pack],
        detectors: Detectors | None = None,
        *,
        folder: Path | None = None,
    ) -> None:
        self._detectors, self._folder = detectors, folder
        self.take(packs)

    def take(self, packs: Sequence[Pack]) -> None:
        """Have these be the packs in use from now on."""
        self._files: dict[str, tuple[str, Pack]] = {}
        self._words: dict[str, Mapping[str, Mapping[str, str]]] = {}
        self._rules = {rule.id: (rule, pack) for pack in packs for rule in pack.rules}
        self._packs = {pack.id: pack for pack in packs}

    def named(self) -> dict[str, dict[str, str]]:
        """Version and digest of each pack in use."""
        return named(self._packs.values())

    def packs(self) -> Sequence[Mapping[str, Any]]:
        return [_pack(pack) for _, pack in sorted(self._packs.items())]

    def pack(self, pack_id: str) -> Mapping[str, Any]:
        pack = self._known(pack_id)
        return {**_pack(pack), "rules_of": [_rule(rule) for rule in pack.rules]}

    def rules(self) -> Sequence[Mapping[str, Any]]:
        return [
            self._line(rule, pack) for _, pack in sorted(self._packs.items()) for rule in pack.rules
        ]

    def law(self, rule_id: str) -> Mapping[str, Any]:
        rule, pack = self._found(rule_id)
        return {
            **self._line(rule, pack),
            "explain": dict(rule.explain) if rule.explain else None,
            "pack_digest": pack.digest,
            "measures": self._measures(rule, pack),
        }

    def _measures(self, rule: Rule, pack: Pack) -> Mapping[str, Mapping[str, str]]:
        """What each measure is, in words; worked out once for a rule."""
        if rule.id not in self._words:
            self._words[rule.id] = {
                name: {lang: words(expr, lang, pack.params) for lang in LANGUAGES}
                for name, expr in rule.lets.items()
            }
        return self._words[rule.id]

    def rule(self, rule_id: str) -> Mapping[str, Any]:
        rule, pack = self._found(rule_id)
        return {
            **self._line(rule, pack),
            "tests": self._tests(rule, pack),
            "coverage": [
                {
                    "obligation": item.obligation.id,
                    "cite": item.obligation.cite,
                    "rules": [name for name, _, _ in item.rules],
                }
                for item in coverage(self._packs.values(), load_register())
                if item.obligation.id in rule.obligations
            ],
        }

    def page(self, rule_id: str, lang: str) -> str:
        rule, pack = self._found(rule_id)
        return show(rule, pack, lang)

    def upcoming(self, on: date, until: date) -> Sequence[Mapping[str, Any]]:
        return [item.as_data() for item in upcoming(self._packs.values(), on, until)]

    def source(self, pack_id: str) -> str:
        return self._file(self._known(pack_id))[0]

    def in_use(self, pack_id: str) -> Pack | None:
        """The pack of that id that is in use, without the tests of its rules."""
        return self._packs.get(pack_id)

    def lint(self, text: str) -> Sequence[Mapping[str, Any]]:
        return [fault.as_data() for fault in self.read(text)[1]]

    def read(self, text: str) -> tuple[Pack | None, list[Fault]]:
        """A draft and its faults, those beside the other packs in use among them.

        Places in packs in use are told with the name of the file alone.
        """
        pack, found = load_text(text, DRAFT)
        if pack is None:
            return None, found
        faults = Faults()
        check_packs([*(_unplaced(p) for n, p in self._packs.items() if n != pack.id), pack], faults)
        faults.extend(found)
        return pack, [fault for fault in faults.ordered() if fault.mark.file == DRAFT]

    def _known(self, pack_id: str) -> Pack:
        pack = self._packs.get(pack_id)
        if pack is None:
            raise NotFoundError(say("there is no pack %(pack_id)s", pack_id=pack_id))
        return pack

    def _found(self, rule_id: str) -> tuple[Rule, Pack]:
        if rule_id not in self._rules:
            raise NotFoundError(say("there is no rule %(rule_id)s", rule_id=rule_id))
        return self._rules[rule_id]

    def _line(self, rule: Rule, pack: Pack) -> dict[str, Any]:
        law = pack.instruments[rule.cite.instrument] if rule.cite else None
        if self._detectors is None:
            self._detectors = shipped_detectors()
        return {
            **_rule(rule),
            "pack": pack.id,
            "jurisdiction": pack.jurisdiction,
            "status": rule.status,
            "law": dict(law.title) if law else None,
            "article": rule.cite.article if rule.cite else "",
            "confidence": rule.cite.confidence if rule.cite else "",
            "obligation": list(rule.obligations),
            "first": rule.span.first.isoformat() if rule.span.first else "",
            "last": rule.span.last.isoformat() if rule.span.last else "",
            "waits": waits_for(rule, self._detectors) or "",
        }

    def _tests(self, rule: Rule, pack: Pack) -> list[dict[str, Any]] | None:
        """None where the file no longer says what is in use."""
        try:
            _, whole = self._file(pack)
        except ConflictError:
            return None
        (found,) = [one for one in whole.rules if one.id == rule.id]
        return [
            {"name": test.name, "alerts": len(test.expect), "line": test.mark.line}
            for test in found.tests
        ]

    def _file(self, pack: Pack) -> tuple[str, Pack]:
        """The text of a pack in use, and the pack with its tests."""
        kept = self._files.get(pack.id)
        if kept is not None:
            return kept
        found = self._read(Path(pack.path), pack)
        if found is None:
            replaced = kept_by_digest(self._folder, pack.id, pack.digest)
            found = None if replaced is None else self._read(Path(replaced.path), pack)
        if found is None:
            raise ConflictError(
                say("the file of %(pack)s is no longer what is in use", pack=pack.id),
                hint=say("it was changed by hand: have the server read its rules anew"),
            )
        self._files[pack.id] = found
        return found

    def _read(self, path: Path, pack: Pack) -> tuple[str, Pack] | None:
        """None where the file does not say what is in use."""
        try:
            text = read_text(path)
        except InputError:
            return None
        whole, _ = load_text(text, DRAFT)
        return None if whole is None or whole.digest != pack.digest else (text, whole)


def named(packs: Iterable[Pack]) -> dict[str, dict[str, str]]:
    """Version and digest of packs, by id."""
    return {p.id: {"version": p.version, "digest": p.digest} for p in packs}


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
            raise NotFoundError(say("there is no policy %(policy_id)s", policy_id=policy_id))
        return show_policy(self._policies[policy_id], lang)

    def lint(self, text: str) -> Sequence[Mapping[str, Any]]:
        _, faults = load_policy_text(text, "draft.yml")
        return [fault.as_data() for fault in faults]


def _unplaced(pack: Pack) -> Pack:
    """The pack without the folder that it lies in, which is nobody's business outside."""
    name = Path(pack.path).name
    return replace(
        pack,
        path=name,
        mark=replace(pack.mark, file=name),
        rules=tuple(replace(rule, mark=replace(rule.mark, file=name)) for rule in pack.rules),
    )


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
