"""Logs and health."""

from __future__ import annotations

from typing import Literal

from casework.api.types.cases import Entry
from casework.api.types.common import AnyObject, PageOf, Shown


class Chain(Shown):
    """A log: its tenant, its length, and the hash of its last entry."""

    chain: str
    length: int
    hash: str


class ChainList(Shown):
    """Logs by tenant."""

    items: list[Chain]


class LogEntry(Entry):
    """An entry with its place in the chain; `case` is "" where it is about none."""

    case: str
    position: int
    previous: str


class LogPage(PageOf):
    """Entries in the order of the chain."""

    items: list[LogEntry]


class Alive(Shown):
    """Yes."""

    status: Literal["ok"] = "ok"


class HealthReport(Shown):
    """How each part is."""

    ready: bool
    parts: AnyObject
