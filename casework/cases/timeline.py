"""The timeline: typed entries with previous and new value; a case is what its entries make of it.

An entry carries in ``before`` and ``after`` the fields of ``Case`` that it changed, and in
``detail`` what is no field (a comment's text, the ids of alerts). ``apply`` is the only way a case
comes to be or changes; the record keeps the result, and ``replay`` makes it anew.

Graded values (what may be personal) are hashed as salted commitments, so that a bundle can leave
them out and the chain still holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from casework.cases.case import FIELD_NAMES, Case, case_of, decode_field, plain
from casework.cases.chain import MARK, commitment, entry_hash
from casework.cases.times import time_text
from regtech.errors import InternalError


class EntryKind(StrEnum):
    """What happened. The first group changes the case, the second is on record only."""

    OPENED = "opened"
    ALERTS_ADDED = "alerts_added"
    ALERTS_MOVED = "alerts_moved"
    STATE_CHANGED = "state_changed"
    ASSIGNED = "assigned"
    PRIORITY_CHANGED = "priority_changed"
    DUE_CHANGED = "due_changed"
    CLOCK_TOLD = "clock_told"
    SNOOZED = "snoozed"
    TAGGED = "tagged"
    CHECKED = "checked"
    LINKED = "linked"
    FILE_ADDED = "file_added"
    MERGED = "merged"
    REVISED = "revised"
    """A policy says something else of the case than before."""
    TAKEN_OVER = "taken_over"
    """What people had done with a case that a policy merged into this one."""
    WITHDRAWN = "withdrawn"
    """All alerts are aside now: a policy ended the case."""
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    SHARED = "shared"

    COMMENTED = "commented"
    DISCLOSED = "disclosed"
    UNMASKED = "unmasked"
    EXPORTED = "exported"
    ALERTS_RECEIVED = "alerts_received"
    NOTED = "noted"


_CLOCK: Final = frozenset({"due_us", "warn_us", "clock_told"})
_STATE: Final = frozenset(
    {"state", "outcome", "closing_reason", "requests", "snoozed_until_us", "merged_into"}
)
_WEIGHT: Final = frozenset({"severity", "priority", "tenants", "alert_count", "alert_kinds"})
_PLANNED: Final = _CLOCK | {
    "severity",
    "priority",
    "queue",
    "theme",
    "secret",
    "tenants",
    "reason",
    "policy_version",
    "planned",
}

CHANGES: Final[Mapping[EntryKind, frozenset[str]]] = {
    EntryKind.OPENED: FIELD_NAMES - {"id", "version", "opened_us", "changed_us"},
    EntryKind.ALERTS_ADDED: _WEIGHT
    | _PLANNED
    | {"state", "outcome", "closing_reason", "merged_into"},
    EntryKind.ALERTS_MOVED: _WEIGHT | _CLOCK,
    EntryKind.STATE_CHANGED: _STATE,
    EntryKind.ASSIGNED: frozenset({"assignee"}),
    EntryKind.PRIORITY_CHANGED: frozenset({"priority", "queue"}),
    EntryKind.DUE_CHANGED: _CLOCK,
    EntryKind.CLOCK_TOLD: frozenset({"clock_told"}),
    EntryKind.SNOOZED: frozenset({"snoozed_until_us"}),
    EntryKind.TAGGED: frozenset({"tags"}),
    EntryKind.CHECKED: frozenset({"checks"}),
    EntryKind.LINKED: frozenset({"links"}),
    EntryKind.FILE_ADDED: frozenset({"files"}),
    EntryKind.MERGED: _STATE | {"alert_count", "alert_kinds", "planned"},
    EntryKind.REVISED: _PLANNED,
    EntryKind.TAKEN_OVER: _CLOCK
    | {"state", "assignee", "priority", "tags", "checks", "files", "links", "shared"}
    | {"alert_count", "alert_kinds", "planned", "severity", "tenants"},
    EntryKind.WITHDRAWN: _STATE | {"alert_count", "alert_kinds", "planned"},
    EntryKind.REQUESTED: _STATE,
    EntryKind.APPROVED: _STATE | {"overridden"},
    EntryKind.REFUSED: _STATE,
    EntryKind.SHARED: frozenset({"shared"}),
}
"""The fields that an entry of a kind may change; a kind that is not here changes none."""

GRADED: Final = (
    "reason",
    "after.key",
    "after.closing_reason",
    "before.closing_reason",
    "after.files",
    "before.files",
    "after.requests",
    "before.requests",
    "detail.text",
    "detail.name",
)
"""Places of an entry that may be personal: hashed as commitments where they are not empty."""
_PLACES: Final = {place: (place.split(".") + [""])[:2] for place in GRADED}


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it is recorded. ``shared``: the institution may see it as well."""

    kind: EntryKind
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry on record. ``case`` is "" and ``sequence`` 0 where it is about no case.

    ``position``: place in the chain, from 1; ``previous`` and ``hash`` as in ``chain``. ``salts``:
    place in ``GRADED`` to salt in hex, for the values that are there.
    """

    case: str
    sequence: int
    kind: EntryKind
    at_us: int
    actor: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    detail: Mapping[str, Any]
    reason: str
    shared: bool
    chain: str
    position: int
    salts: Mapping[str, str]
    previous: bytes
    hash: bytes

    def content(self) -> dict[str, Any]:
        """What the hash is over: everything but the hashes, graded values as commitments."""
        return _content(self, self.position, self.salts)

    def graded(self, place: str) -> Any:
        """The value at a place of ``GRADED``; None where there is none."""
        head, name = _PLACES[place]
        if not name:
            return self.reason or None
        part: Mapping[str, Any] = getattr(self, head)
        return part.get(name) or None

    @property
    def intact(self) -> bool:
        """Whether the hash is that of the content."""
        return entry_hash(self.previous, self.content()) == self.hash


def _content(entry: Entry, position: int, salts: Mapping[str, str]) -> dict[str, Any]:
    parts: dict[str, dict[str, Any]] = {
        "before": dict(entry.before),
        "after": dict(entry.after),
        "detail": dict(entry.detail),
    }
    reason: Any = entry.reason
    for place, salt in salts.items():
        head, _, name = place.partition(".")
        sealed = {MARK: commitment(bytes.fromhex(salt), entry.graded(place))}
        if name:
            parts[head][name] = sealed
        else:
            reason = sealed
    return {
        "case": entry.case,
        "sequence": entry.sequence,
        "kind": entry.kind.value,
        "at": time_text(entry.at_us),
        "actor": entry.actor,
        **parts,
        "reason": reason,
        "shared": entry.shared,
        "chain": entry.chain,
        "position": position,
    }


def entry_of(
    draft: Draft, *, case: str, sequence: int, at_us: int, actor: str, chain: str
) -> Entry:
    """The entry that a draft becomes, before it has its place in the chain and its hash."""
    return Entry(
        case=case,
        sequence=sequence,
        kind=draft.kind,
        at_us=at_us,
        actor=actor,
        before=plain(draft.before),
        after=plain(draft.after),
        detail=plain(draft.detail),
        reason=draft.reason,
        shared=draft.shared,
        chain=chain,
        position=0,
        salts={},
        previous=b"",
        hash=b"",
    )


def seal(entry: Entry, position: int, previous: bytes, salt: Callable[[], bytes]) -> Entry:
    """The entry at its place of the chain, with salts and hash."""
    salts = {place: salt().hex() for place in GRADED if entry.graded(place) is not None}
    content = _content(entry, position, salts)
    return Entry(
        entry.case,
        entry.sequence,
        entry.kind,
        entry.at_us,
        entry.actor,
        entry.before,
        entry.after,
        entry.detail,
        entry.reason,
        entry.shared,
        entry.chain,
        position,
        salts,
        previous,
        entry_hash(previous, content),
    )


def opened(case: Case, detail: Mapping[str, Any]) -> Draft:
    """The first entry of a case; ``case`` as it shall be, its version and times aside."""
    names = CHANGES[EntryKind.OPENED]
    after = {name: value for name, value in case.as_dict().items() if name in names}
    return Draft(EntryKind.OPENED, after=after, detail=detail)


def changed(kind: EntryKind, case: Case, **after: Any) -> Draft:
    """A draft that gives fields new values; ``before`` is what the case has now."""
    return Draft(kind, before={name: plain(getattr(case, name)) for name in after}, after=after)


def apply(case: Case | None, entry: Entry) -> Case:
    """The case after an entry. Raises ``InternalError`` where the entry does not go with it."""
    if case is None:
        if entry.kind is not EntryKind.OPENED or entry.sequence != 1:
            raise InternalError(f"{entry.case} begins with {entry.kind} {entry.sequence}")
        document = {**entry.after, "id": entry.case, "version": 1}
        return case_of({**document, "opened_us": entry.at_us, "changed_us": entry.at_us})
    if entry.case != case.id or entry.sequence != case.version + 1:
        raise InternalError(
            f"entry {entry.sequence} of {entry.case} does not follow {case.version} of {case.id}"
        )
    if not entry.after.keys() <= CHANGES.get(entry.kind, frozenset()):
        raise InternalError(f"an entry {entry.kind} may not change {sorted(entry.after)}")
    for name, value in entry.before.items():
        if plain(getattr(case, name)) != value:
            raise InternalError(f"entry {entry.sequence} of {case.id}: {name} was not {value!r}")
    after = {name: decode_field(name, value) for name, value in entry.after.items()}
    return replace(case, version=entry.sequence, changed_us=entry.at_us, **after)


def replay(entries: Iterable[Entry]) -> Case:
    """The case that a whole timeline makes. Raises ``InternalError`` for a broken one."""
    case: Case | None = None
    for entry in entries:
        case = apply(case, entry)
    if case is None:
        raise InternalError("a timeline without entries")
    return case
