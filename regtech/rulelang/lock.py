"""The lock of the rules: id to version and digest. A rule changed without a new version fails."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from regtech.content.faults import Fault, Mark
from regtech.content.saying import say
from regtech.errors import ContentError
from regtech.rulelang.faults import Faults
from regtech.rulelang.ir import Pack

FORMAT: Final = 1

Lock = Mapping[str, Any]
"""``{"format": 1, "packs": {id: {"version", "digest", "rules": {id: {"version", "digest"}}}}}``."""


def make_lock(packs: Iterable[Pack], before: Lock | None = None) -> dict[str, Any]:
    """The lock of these packs.

    A rule's version is that of its pack when the rule last changed: with ``before``, unchanged
    rules keep theirs.
    """
    old_packs = before["packs"] if before else {}
    found: dict[str, Any] = {}
    for pack in sorted(packs, key=lambda item: item.id):
        old_rules = old_packs.get(pack.id, {}).get("rules", {})
        rules: dict[str, Any] = {}
        for rule in sorted(pack.rules, key=lambda item: item.id):
            old = old_rules.get(rule.id)
            same = old is not None and old["digest"] == rule.digest
            version = old["version"] if same else pack.version
            rules[rule.id] = {"version": version, "digest": rule.digest}
        found[pack.id] = {"version": pack.version, "digest": pack.digest, "rules": rules}
    return {"format": FORMAT, "packs": found}


def lock_text(lock: Lock) -> str:
    """The text of ``rules.lock``: JSON, stable order, one rule a line."""
    return json.dumps(lock, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def read_lock(text: str) -> dict[str, Any]:
    """The lock of a text; raises ``ContentError`` where it is none."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ContentError(
                say(
                    "the lock has format %(format)s, %(format_2)s is known",
                    format=data["format"],
                    format_2=FORMAT,
                )
            )
        for pack in data["packs"].values():
            _ = pack["version"], pack["digest"]
            for rule in pack["rules"].values():
                _ = rule["version"], rule["digest"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ContentError(
            say("the lock cannot be read"), hint=say("write it anew: rules lock")
        ) from error
    found: dict[str, Any] = data
    return found


def check_lock(packs: Iterable[Pack], lock: Lock, file: str = "rules.lock") -> list[Fault]:
    """Faults of packs against their lock: changes without a new version, packs missing or gone."""
    faults = Faults()
    nowhere = Mark(file, 1, 1)
    locked = dict(lock["packs"])
    for pack in packs:
        old = locked.pop(pack.id, None)
        if old is None:
            hint = say("regtech rules lock")
            faults.add(
                "RL703", say("the pack %(pack)r is not in the lock", pack=pack.id), pack.mark, hint
            )
            continue
        if version_order(pack.version) < version_order(old["version"]):
            faults.add(
                "RL702",
                say(
                    "the version of %(pack)r went from %(version)s back to %(version_2)s",
                    pack=pack.id,
                    version=old["version"],
                    version_2=pack.version,
                ),
                pack.mark,
            )
        elif pack.version == old["version"] and pack.digest != old["digest"]:
            _changed(pack, old["rules"], faults)
        elif pack.version != old["version"]:
            hint = say("regtech rules lock")
            faults.add(
                "RL703",
                say(
                    "the lock has %(pack)r %(version)s, the pack is %(version_2)s",
                    pack=pack.id,
                    version=old["version"],
                    version_2=pack.version,
                ),
                pack.mark,
                hint,
            )
    for name in locked:
        faults.add(
            "RL703", say("the lock names the pack %(name)r, which is gone", name=name), nowhere
        )
    return faults.ordered()


def _changed(pack: Pack, old: Mapping[str, Any], faults: Faults) -> None:
    hint = say(
        "raise the version of %(pack)s above %(version)s", pack=pack.id, version=pack.version
    )
    rules = {rule.id: rule for rule in pack.rules}
    before = len(faults)
    for rule in pack.rules:
        if rule.id not in old:
            faults.add("RL701", say("the rule %(rule)r is new", rule=rule.id), rule.mark, hint)
        elif old[rule.id]["digest"] != rule.digest:
            faults.add("RL701", say("the rule %(rule)r has changed", rule=rule.id), rule.mark, hint)
    for name in old:
        if name not in rules:
            faults.add("RL701", say("the rule %(name)r is gone", name=name), pack.mark, hint)
    if len(faults) == before:
        faults.add("RL701", say("the pack %(pack)r has changed", pack=pack.id), pack.mark, hint)


def version_order(text: str) -> tuple[int, ...]:
    """What versions are compared by."""
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))
