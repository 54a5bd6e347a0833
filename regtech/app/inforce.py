"""What judges from which place of the journal on, on record: in the log of the authority, and
beside the journal, so that a start can tell whether it is something else."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from casework.cases.scope import Scope
from casework.cases.timeline import Draft, EntryKind
from casework.ports import Proposals
from regtech.app.progress import write_whole
from regtech.errors import StoreError

_FILE: Final = "rules.json"


@dataclass(frozen=True, slots=True)
class InForce:
    """The packs that judge, by id with version and digest, and the lists and models that they are
    held against, "" where they ask for none."""

    packs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lists: str = ""
    models: str = ""

    def against(self) -> dict[str, str]:
        """Lists and models, as far as there are any."""
        both = {"lists": self.lists, "models": self.models}
        return {name: value for name, value in both.items() if value}


class InForceRecord:
    """Where it stands. ``data``: the folder of the journal."""

    def __init__(self, data: Path, store: Proposals) -> None:
        self._path, self._store = data / _FILE, store

    def last(self) -> InForce:
        """What judged last, as far as it can be read."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            packs = {name: dict(pack) for name, pack in found["packs"].items()}
            return InForce(packs, str(found.get("lists", "")), str(found.get("models", "")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return InForce()

    def say(
        self,
        scope: Scope,
        place: int | None,
        now: InForce,
        before: Mapping[str, Mapping[str, str]],
        asked: str,
        written: Collection[str] = (),
    ) -> None:
        """What judges from a place of the journal on; None where nothing is judged here.

        ``before``: the packs so far. ``asked``: who had them be read, "" for nobody. ``written``:
        proposals that were written out. Raises ``StoreError``.
        """
        names = now.packs.keys() | before.keys()
        detail: dict[str, Any] = {
            "act": "rules_in_force",
            "place": place,
            "changed": sorted(n for n in names if now.packs.get(n) != before.get(n)),
            "packs": dict(now.packs),
            "asked_by": asked,
            "proposals": sorted(written),
            **now.against(),
        }
        with self._store.unit(scope) as unit:
            unit.log(scope, "", Draft(EntryKind.NOTED, detail=detail))
        if place is None:
            return  # a start has nothing to compare with
        said = {"packs": dict(now.packs), "place": place, "lists": now.lists, "models": now.models}
        try:
            write_whole(self._path, said)
        except OSError as error:
            raise StoreError(f"{_FILE} could not be written: {error.strerror}") from None
