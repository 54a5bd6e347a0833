"""Facts and subject of a rule's alerts, read from rows.

Where each part stands and how it is written is the same for all rows of one event type and side: it
is settled once, and a row then costs one look at its columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from regtech.engine.evaluate import Interval
from regtech.engine.kernels.raw import MIN
from regtech.engine.rowenv import RowEnvironment
from regtech.engine.subjects import EVENT, INSTITUTION, group_path, subject_parts
from regtech.engine.writing import writer_of

_MIN: Final = int(MIN)


class RowFacts:
    """The facts of an alert, from rows of one event type and side."""

    def __init__(self, paths: Iterable[str], env: RowEnvironment) -> None:
        kind = env.event_type
        places = {path: _place(path, env) for path in paths}
        self._nothing = {path: None for path in places}
        self._there = [(p, writer_of(p, kind)) for p, place in places.items() if place >= 0]
        self._columns = np.array([place for place in places.values() if place >= 0], np.int64)

    def of(self, env: RowEnvironment) -> dict[str, Any]:
        """The facts of a row as they stand in an alert."""
        facts = self._nothing.copy()
        raws = env.judge.block.columns[self._columns, env.source].tolist()
        for (path, write), raw in zip(self._there, raws, strict=True):
            if raw != _MIN:
                facts[path] = write(env, raw)
        return facts


def _place(path: str, env: RowEnvironment) -> int:
    """Column of a fact; of those that are in several, one that is always there."""
    return env.place("type" if path in ("direction", "persons") else path)


class RowSubject:
    """Who a rule's alerts are about, from rows of one event type."""

    def __init__(self, env: RowEnvironment) -> None:
        rule = env.variant.rule
        self._per, self._by = ",".join(rule.per), rule.by
        self._parts: list[str] = []
        self._institution: str | None = None
        """What says whose customer or account the subject is."""
        for name in rule.per:
            for part in subject_parts(name, env.event_type):
                if part == INSTITUTION or (part == "reporter" and name in ("customer", "account")):
                    self._institution = part
                else:
                    self._parts.append(part)
        self._group = group_path(rule.per, env.event_type)

    def of(self, env: RowEnvironment) -> tuple[str, dict[str, Any]]:
        """Sorting text and written form of a row's subject."""
        key = "|".join([_part(path, env) for path in self._parts])
        written: dict[str, Any] = {"per": self._per, "id": key}
        if self._institution is not None:
            written["institution"] = institution = _part(self._institution, env)
            key = f"{institution}|{key}"
        if self._by:
            written["by"] = {path: _part(path, env) for path in self._by}
            key += "|" + "|".join(written["by"].values())
        group = None if self._group is None else env.field(self._group)
        if isinstance(group, str):  # as the event gives it, or as the party's own event last did
            written["group"] = group
        return key, written


def _part(path: str, env: RowEnvironment) -> str:
    judge = env.judge
    if path == INSTITUTION:
        code = int(judge.row_institution[env.row])
        return judge.word(code) if code != _MIN else ""
    if path == EVENT:
        return env.event_name()
    value = env.field(path)
    return str(value.exact) if isinstance(value, Interval) else str(value)
