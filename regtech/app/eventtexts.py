"""The events behind alerts, found again by their ids in files of events or a server's journal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from regtech.adapters.blocks import READ_ERRORS, open_source
from regtech.adapters.sources import describe_source
from regtech.app.segments import segments
from regtech.errors import InputError, UsageError

if TYPE_CHECKING:
    from casework.cases.alert import StoredAlert
    from casework.cases.scope import Scope

_ID: Final = re.compile(rb'"id"\s*:\s*"((?:[^"\\]|\\.)*)"')


class EventTexts:
    """Finds events as they were sent. ``missing``: ids that no file has, or several reporters have.

    An alert names its events by their ids alone, which are each reporter's own: of several events
    of an id the one is meant whose reporter is the alert's; where none is, it cannot be told.
    What lies outside of the scope's institutions is never looked at.
    """

    def __init__(self, sources: Sequence[Path], scope: Scope) -> None:
        # A journal's last files first: what a case rests on mostly happened lately.
        self._files = [file for source in sources for file in reversed(_files(source))]
        self._tenants = scope.tenants
        self.missing: set[str] = set()

    def __call__(self, alerts: Sequence[StoredAlert]) -> dict[str, Mapping[str, object]]:
        tenants: dict[str, set[str]] = {}
        for alert in alerts:
            for event in alert.body().get("events") or ():
                tenants.setdefault(str(event), set()).add(alert.tenant)
        if not self._files:
            return {}
        found: dict[str, dict[str, Mapping[str, object]]] = {name: {} for name in tenants}
        left = set(tenants)
        for event in self._events(frozenset(tenants)):
            name, reporter = str(event["id"]), str(event.get("reporter", ""))
            if self._tenants is None or reporter in self._tenants:
                found[name].setdefault(reporter, event)
                if tenants[name] <= found[name].keys():
                    left.discard(name)
            if not left:  # nothing else can be meant: the rest of a long journal is left unread
                break
        made: dict[str, Mapping[str, object]] = {}
        for name, by_reporter in found.items():
            own = [by_reporter[tenant] for tenant in tenants[name] if tenant in by_reporter]
            meant = own or list(by_reporter.values())
            if len(meant) == 1:
                made[name] = meant[0]
            else:
                self.missing.add(name)
        return made

    def _events(self, wanted: frozenset[str]) -> Iterator[dict[str, Any]]:
        for file in self._files:
            try:
                with open_source(file) as stream:
                    for line in stream:
                        yield from _event(line.partition(b"\0")[0], wanted)
            except READ_ERRORS as error:
                raise InputError(f"{file} could not be read: {error}") from None


def _files(source: Path) -> list[Path]:
    """A file of events as NDJSON, also compressed, or those of a server's folder."""
    if source.is_dir():
        found = [segment.path for segment in segments(source)]
        if not found:
            raise UsageError(f"{source} has no journal", hint="name the server's --data folder")
        return found
    if not source.is_file():
        raise InputError(f"there is no file {source}")
    if describe_source(str(source)).format != "ndjson":
        raise UsageError(
            f"{source} is no NDJSON: in a table the events behind alerts are not found again",
            hint="name a file of the same events as NDJSON, or a server's --data folder",
        )
    return [source]


def _event(line: bytes, wanted: frozenset[str]) -> Iterator[dict[str, Any]]:
    """The event of a line, where it is one that is looked for; parsed only where it may be."""
    if not any(_unescaped(named) in wanted for named in _ID.findall(line)):
        return
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return
    if isinstance(event, dict) and event.get("id") in wanted:
        yield event


def _unescaped(text: bytes) -> str:
    """A JSON text without its quotes as it reads; "" for one that cannot be."""
    if b"\\" not in text:
        return text.decode("utf-8", "replace")
    try:
        return str(json.loads(b'"' + text + b'"'))
    except ValueError:
        return ""
