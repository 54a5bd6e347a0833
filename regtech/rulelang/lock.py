"""The lock of the rules: id to version and digest. A rule changed without a new version fails."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from regtech.content.faults import Fault, Mark
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
            raise ContentError(f"the lock has format {data['format']}, {FORMAT} is known")
        for pack in data["packs"].values():
            _ = pack["version"], pack["digest"]
            for rule in pack["rules"].values():
                _ = rule["version"], rule["digest"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ContentError("the lock cannot be read", hint="write it anew: rules lock") from error
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
            hint = "regtech rules lock"
            faults.add("RL703", f"the pack {pack.id!r} is not in the lock", pack.mark, hint)
            continue
        if version_order(pack.version) < version_order(old["version"]):
            faults.add(
                "RL702",
                f"the version of {pack.id!r} went from {old['version']} back to {pack.version}",
                pack.mark,
            )
        elif pack.version == old["version"] and pack.digest != old["digest"]:
            _changed(pack, old["rules"], faults)
        elif pack.version != old["version"]:
            hint = "regtech rules lock"
            faults.add(
                "RL703",
                f"the lock has {pack.id!r} {old['version']}, the pack is {pack.version}",
                pack.mark,
                hint,
            )
    for name in locked:
        faults.add("RL703", f"the lock names the pack {name!r}, which is gone", nowhere)
    return faults.ordered()


def _changed(pack: Pack, old: Mapping[str, Any], faults: Faults) -> None:
    hint = f"raise the version of {pack.id} above {pack.version}"
    rules = {rule.id: rule for rule in pack.rules}
    before = len(faults)
    for rule in pack.rules:
        if rule.id not in old:
            faults.add("RL701", f"the rule {rule.id!r} is new", rule.mark, hint)
        elif old[rule.id]["digest"] != rule.digest:
            faults.add("RL701", f"the rule {rule.id!r} has changed", rule.mark, hint)
    for name in old:
        if name not in rules:
            faults.add("RL701", f"the rule {name!r} is gone", pack.mark, hint)
    if len(faults) == before:
        faults.add("RL701", f"the pack {pack.id!r} has changed", pack.mark, hint)


def version_order(text: str) -> tuple[int, ...]:
    """What versions are compared by."""
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))
