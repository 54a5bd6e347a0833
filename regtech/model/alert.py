"""An alert as it leaves the engine: plain data with one canonical form.

The canonical bytes are UTF-8 JSON with the keys in the order of the fields below, without blanks;
the run's digest is SHA-256 over these bytes, a newline after each, in the order of the alerts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from itertools import chain, groupby
from typing import Any

LIST_CHANGE = "list-change"
SCREENING = "screening"
"""Rule and pack of alerts that no pack has: a list changed, and a known party may be on it."""
EVENT_IDS_MAX = 100
"""So many ids of contributing events an alert carries at most; count and digest cover all."""


@dataclass(slots=True)
class Alert:
    """A rule met (or not to be told) by one subject in one period, with its evidence.

    ``findings``: what detectors say to the facts that they answered, by the name of the fact; it
    is written only where there is something.
    """

    id: str
    rule: str
    rule_version: str
    pack: str
    pack_digest: str
    jurisdiction: str
    obligation: list[str]
    cite: dict[str, Any] | None
    kind: str
    severity: str
    status: str
    subject: dict[str, Any]
    period: str
    time: str
    outcome: str
    warning: bool
    measures: dict[str, Any]
    params: dict[str, Any]
    law_as_of: str | None
    rate: dict[str, Any] | None
    facts: dict[str, Any]
    inputs: list[list[int | None]]
    findings: dict[str, Any]
    events: list[str]
    event_count: int
    event_digest: str
    due: str | None
    late: bool
    source: dict[str, Any] | None
    explanation: dict[str, str]
    order: tuple[int, str, str, str, str] = field(compare=False, default=(0, "", "", "", ""))
    """Time in microseconds, rule, subject text, period: what alerts are sorted by (not written)."""
    shared: tuple[str, ...] | None = field(init=False, compare=False, default=None)
    """``shared_texts`` of an alert of the same rule under the same law, from who makes them. An
    alert that is changed by ``replace`` has none."""

    def as_dict(self) -> dict[str, Any]:
        """The alert as it is written, keys in their stable order."""
        return self._told(_WRITTEN)

    def _told(self, names: Iterable[str]) -> dict[str, Any]:
        written = {name: getattr(self, name) for name in names}
        if not self.findings:
            written.pop("findings", None)
        return written

    def canonical(self) -> bytes:
        """The bytes that are written and that the digest is over, the seal at their end."""
        written = self._text().encode()
        seal = hashlib.sha256(written).hexdigest().encode()
        return b'%b,"seal":"%b"}' % (written[:-1], seal)

    def _text(self) -> str:
        if self.shared is None:
            return _ENCODE(self.as_dict())
        # An id is hexadecimal (``alert_id``): nothing in it is to be escaped.
        parts = [f'"id":"{self.id}"', *(_members(self._told(names)) for names in _OWN[1:])]
        return f"{{{','.join(chain.from_iterable(zip(parts, self.shared, strict=True)))}}}"


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_WRITTEN = tuple(f.name for f in fields(Alert) if f.name not in ("order", "shared"))
_OF_RULES = frozenset(
    ("rule", "rule_version", "pack", "pack_digest", "jurisdiction", "obligation", "cite", "kind",
     "severity", "status", "params", "law_as_of", "explanation")
)  # fmt: skip
"""What all alerts of a rule have in common under one law."""
_RUNS = [tuple(names) for _, names in groupby(_WRITTEN, _OF_RULES.__contains__)]
_OWN, _SHARED = _RUNS[0::2], _RUNS[1::2]
"""An alert's own fields, the first of which is its id, and those of its rule in turn, as they are
written."""


def _members(written: dict[str, Any]) -> str:
    return _ENCODE(written)[1:-1]


def shared_texts(alert: Alert) -> tuple[str, ...]:
    """JSON of what an alert has in common with others of its rule, to be written once for all."""
    return tuple(_members({name: getattr(alert, name) for name in names}) for names in _SHARED)


def seal_of(written: dict[str, Any]) -> str:
    """Seal of an alert as it was written and read back: SHA-256 over its bytes without the seal.

    It shows that something was changed since, whether or not it decides anything. It is no
    signature: who changes an alert on purpose can seal it anew.
    """
    return _sha256(_ENCODE({key: value for key, value in written.items() if key != "seal"}))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def alert_id(rule: str, subject: str, period: str, outcome: str, warning: bool) -> str:
    """Id of a finding: the same rule, subject and period give the same id in every run."""
    parts = [rule, subject, period]
    if outcome != "met":
        parts.append(outcome)
    if warning:
        parts.append("warning")
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def event_digest(keys: list[str]) -> str:
    """SHA-256 over the ids of the contributing events, in canonical order, a newline after each."""
    return hashlib.sha256("".join(key + "\n" for key in keys).encode()).hexdigest()


def digested(line: bytes) -> bytes:
    """What the digest of a run is over: a written alert without ``source`` and ``seal``.

    The same events in another file or format are found at another place, and are the same finding.
    The marks cannot stand inside a JSON text, where quotes are escaped, and ``source`` has no
    objects inside: the last place of each is its own.
    """
    start = line.rfind(b',"source":')
    end = line.find(b',"explanation":', start)
    seal = line.rfind(b',"seal":"')
    if start < 0 or end < 0 or seal < end:
        return line
    return line[:start] + line[end:seal] + b"}"
