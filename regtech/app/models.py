"""The registry of anomaly models: kept as data, promoted by two people, rolled back by one."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from detectors.anomaly.model import Model, export, restore
from detectors.anomaly.registry import Entry, Registry
from detectors.anomaly.standing import CHALLENGER, CHAMPION, Missing, Standing
from regtech.adapters.models import ModelFolder
from regtech.app.settings import setting
from regtech.clock import Clock, SystemClock
from regtech.errors import NotFoundError, RegtechError, SnapshotError

CHALLENGERS_MAX: Final = 3
"""So many challengers are scored beside the champion: the newest."""


def actor_of(given: str | None) -> str:
    """Who acts: the one named, or set, or who is logged in."""
    return given or setting("REGTECH_ACTOR") or getpass.getuser()


class Models:
    """A folder of models with its log."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._store, self._clock = ModelFolder(folder), clock or SystemClock()

    def registry(self) -> Registry:
        """What the log comes to now."""
        return Registry.of(Entry.of(data, where) for where, data in self._store.log())

    def keep(self, model: Model, card: Mapping[str, Any], by: str) -> str:
        """Keep a trained model as challenger; its version. The same one again changes nothing."""
        arrays, plain = export(model)
        version = f"{card['trained_until'][:10]}-{card['digest'][:10]}-{card['seed']}"
        self._store.put(version, arrays, {**card, "model": plain})
        if version not in self.registry().authors:
            self._append([Entry(self._clock.now_us(), "trained", version, by)])
        return version

    def load(self, version: str) -> tuple[Model, dict[str, Any]]:
        """A model and its card; ``SnapshotError`` where either was changed."""
        card = self._store.card(version)
        if not isinstance(card.get("model"), dict):
            raise SnapshotError(f"the card of {version} says nothing about its model")
        return restore(self._store.arrays(version), card["model"]), card

    def champion(self) -> str:
        """The version that decides; ``NotFoundError`` before one was promoted."""
        found = self.registry().champion
        if found is None:
            raise NotFoundError(
                "no model has been promoted yet",
                hint="train one with --train-until, then two people: regtech models promote",
            )
        return found

    def challengers(self) -> list[str]:
        """The newest versions that are neither champion nor retired."""
        registry = self.registry()
        found = [v for v in registry.authors if registry.role(v) == "challenger"]
        return found[-CHALLENGERS_MAX:]

    def named(self, name: str) -> tuple[str, str]:
        """Version and role of a model as rules name it, without reading it.

        ``NotFoundError`` where nothing stands under that name yet.
        """
        registry = self.registry()
        version = name
        if name == CHAMPION:
            version = self.champion()
        elif name == CHALLENGER:
            waiting = self.challengers()
            if not waiting:
                raise NotFoundError("no model is a challenger")
            version = waiting[-1]
        return version, registry.role(version)

    def standing(self, name: str) -> Standing | Missing:
        """A model as rules ask for it: a version, ``champion``, or ``challenger`` for the newest.

        Nothing is raised: what stands in the way is said in words.
        """
        try:
            if name == CHALLENGER and not self.challengers():
                return Missing({"en": "no model is a challenger", "zh": "没有挑战者模型"})
            version, role = self.named(name)
            model, card = self.load(version)
            return Standing(
                version, role, str(card["sha256"]), model,
                int(card["settle_days"]), tuple(card["without"]), str(card["trained_until"]),
            )  # fmt: skip
        except (RegtechError, KeyError, TypeError, ValueError) as error:
            return Missing(
                {"en": f"no model to score by: {error}", "zh": f"没有可用的模型：{error}"}
            )

    def listed(self) -> list[dict[str, Any]]:
        """All versions, oldest first."""
        registry = self.registry()
        rows = []
        for version, author in registry.authors.items():
            card = self._store.card(version)
            rows.append(
                {
                    "version": version,
                    "role": registry.role(version),
                    "author": author,
                    "approved_by": registry.approvals.get(version, []),
                    "trained_from": card["trained_from"],
                    "trained_until": card["trained_until"],
                    "payments": card["payments"],
                    "cases": card["cases"],
                    "supervised": card["supervised"],
                    "digest": card["digest"],
                    "metrics": card["metrics"],
                }
            )
        return rows

    def promote(self, version: str, by: str, reason: str) -> dict[str, Any]:
        """One person's approval; the second makes the model champion."""
        entries = self.registry().promote(version, by, reason, self._clock.now_us())
        self._append(entries)
        registry = self.registry()
        return {
            "version": version,
            "role": registry.role(version),
            "approved_by": registry.approvals[version],
        }

    def rollback(self, by: str, reason: str) -> dict[str, Any]:
        """Back to the champion before."""
        registry = self.registry()
        gone = registry.champion
        self._append(registry.rollback(by, reason, self._clock.now_us()))
        return {"rolled_back": gone, "champion": self.registry().champion}

    def _append(self, entries: Sequence[Entry]) -> None:
        self._store.append([entry.as_data() for entry in entries])
