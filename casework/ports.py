"""The ports of casework: what the service needs, without a word on how it is done.

Whatever is read or written takes the scope first; what lies outside it is as if it were not there
(``NotFoundError``, an empty page), with no difference that would tell.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, State
from casework.cases.directive import CaseDirective, Disposition
from casework.cases.keys import Key
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, Entry

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A piece of a list. ``after`` is handed back for the next piece; None at the end."""

    items: tuple[T, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Which cases, in the order of the queue: priority, due, opened, id.

    For a restricted scope the order is opened, id, and only ``open``, ``jurisdiction``, ``theme``
    and ``tenant`` count: the order and the other fields would tell what it may not know.

    None asks for all. ``open`` True leaves out ended cases, False leaves out the others.
    ``assignee`` "" asks for those that nobody has. ``awake_at_us`` leaves out what is snoozed
    beyond that time. ``due_before_us``: only what is due before it.
    ``tell_before_us``: only what has a warning or an overdue date to tell before it.
    """

    open: bool | None = True
    state: State | None = None
    queue: str | None = None
    assignee: str | None = None
    jurisdiction: str | None = None
    theme: str | None = None
    tenant: str | None = None
    awake_at_us: int | None = None
    due_before_us: int | None = None
    tell_before_us: int | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of alerts that were handed in, by id in the order given.

    ``conflicts``: same id, other content; both are kept, the first one stays in force.
    """

    new: tuple[str, ...]
    repeated: int
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertConflict:
    """An alert that came under the id of another; ``known_digest`` is that of the one in force."""

    alert: StoredAlert
    known_digest: str
    received_us: int


@dataclass(frozen=True, slots=True)
class Related:
    """A case that has keys in common with another, the most in common first."""

    case: Case
    shared: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Precision:
    """How often a rule was right at an institution: closed cases by outcome.

    A case with several alerts of a rule counts once.
    """

    rule: str
    tenant: str
    jurisdiction: str
    confirmed: int
    unfounded: int
    duplicate: int
    data_error: int

    @property
    def judged(self) -> int:
        """Cases that say something about the rule: duplicates do not."""
        return self.confirmed + self.unfounded + self.data_error


@dataclass(frozen=True, slots=True)
class Dossier:
    """A case with its alerts and its whole timeline, read in one view of the record."""

    case: Case
    alerts: tuple[StoredAlert, ...]
    timeline: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search that somebody keeps under a name; ``body`` is plain data of the search's own."""

    name: str
    body: Mapping[str, Any]
    changed_us: int


class Topic(StrEnum):
    """Who is to be told of what was written."""

    SEARCH = "search"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be passed on, written in the same transaction as what it tells of.

    ``number`` is unique in the outbox and grows, but numbers may become visible out of order: take
    what is there and acknowledge by number, never remember a high-water mark. ``body`` for
    ``SEARCH``: ``{"case", "version"}`` or ``{"alerts": [ids]}``; for ``WEBHOOKS``: ``{"case",
    "sequence", "kind"}``.
    """

    number: int
    topic: Topic
    made_us: int
    body: Mapping[str, Any] = field(default_factory=dict)


class AlertsOf(Protocol):
    """Alerts by what they have in common: what a policy reads."""

    def alerts_of(
        self, scope: Scope, keys: Collection[Key], since_us: int, until_us: int
    ) -> Sequence[StoredAlert]:
        """Alerts with any of the keys whose event time lies in [since, until], by time and id."""


class Matcher(Protocol):
    """Policies, compiled: alerts in, directives out."""

    def directives(
        self, scope: Scope, alerts: Sequence[StoredAlert], record: AlertsOf
    ) -> Sequence[CaseDirective]:
        """Every directive that the new alerts touch, each naming all its alerts again.

        A pure function of the record: order, batches and repeats make no difference. Called in
        the transaction that wrote the alerts, so that ``record`` has them.
        """


class Unit(AlertsOf, Protocol):
    """A transaction: everything or nothing. Made by ``Record.unit``.

    Inside, what was written before is seen. Outside, nothing is seen before the end.
    """

    def case(self, scope: Scope, case_id: str) -> Case:
        """The case as it stands, held until the end of the unit. Raises ``NotFoundError``."""

    def find(self, scope: Scope, case_ids: Collection[str]) -> dict[str, Case]:
        """Those of the cases that there are, by id, held in the order of their ids."""

    def open(self, scope: Scope, case: Case, detail: Mapping[str, Any]) -> Case:
        """Begin a case with an ``opened`` entry; its version and times are set here.

        Raises ``ConflictError`` where there is one of that id.
        """

    def append(self, scope: Scope, case_id: str, seen: int, drafts: Sequence[Draft]) -> Case:
        """Add entries. ``seen``: the version that they are made for; without entries only checked.

        Raises ``VersionConflictError`` where the case has another version now, ``NotFoundError``.
        """

    def log(self, scope: Scope, chain: str, draft: Draft) -> None:
        """Add an entry about no case to a tenant's log."""

    def add_alerts(self, scope: Scope, alerts: Sequence[StoredAlert]) -> Intake:
        """Keep alerts. The same again changes nothing; other content is kept as a conflict."""

    def dispose(self, scope: Scope, alert_ids: Collection[str], as_: Disposition) -> None:
        """Mark alerts as suppressed, braked or open. ``OPEN`` wins over the others for good."""

    def attach(self, scope: Scope, case_id: str, alerts: Sequence[StoredAlert]) -> None:
        """Put alerts into a case (rows only: the entry is the caller's); known ones stay."""

    def move(self, scope: Scope, from_case: str, to_case: str, alert_ids: Sequence[str]) -> None:
        """Take alerts from one case to another. The first remembers that it had them."""

    def held(self, scope: Scope, case_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Ids of all alerts that each case has or had, by case; a case without any is left out."""

    def case_alerts(self, scope: Scope, case_id: str) -> Sequence[StoredAlert]:
        """The alerts that the case has now, in the order they came to it."""

    def alerts(self, scope: Scope, alert_ids: Sequence[str]) -> Sequence[StoredAlert]:
        """Alerts by id, in the order given; unknown ones are left out."""

    def first(self, scope: Scope, query: CaseQuery) -> tuple[Case, ...]:
        """The first two cases of a queue, the first one held until the end of the unit.

        Cases that another unit holds are passed over, so that two people never claim the same.
        """

    def put_file(self, scope: Scope, sha256: str, content: bytes) -> None:
        """Keep the bytes of a file under their digest; the same again changes nothing."""

    def settle(self, scope: Scope, case: Case) -> None:
        """Bring the outcomes of the case's rules in line with how it stands (precision)."""


class Record(AlertsOf, Protocol):
    """The record of cases, alerts, timelines, files and what is to be passed on."""

    def unit(self, scope: Scope) -> AbstractContextManager[Unit]:
        """A transaction: written at the clean end, taken back at an exception."""

    def case(self, scope: Scope, case_id: str) -> Case:
        """A case. Raises ``NotFoundError``."""

    def cases(
        self, scope: Scope, query: CaseQuery, *, after: str | None = None, limit: int = 50
    ) -> Page[Case]:
        """Cases in the order of the queue. ``UsageError`` for an ``after`` that is none of ours."""

    def timeline(
        self, scope: Scope, case_id: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        """Entries of a case after a sequence number. Raises ``NotFoundError``."""

    def case_alerts(
        self, scope: Scope, case_id: str, *, after: str | None = None, limit: int = 50
    ) -> Page[StoredAlert]:
        """Alerts of a case in the order they came to it. Raises ``NotFoundError``."""

    def alert(self, scope: Scope, alert_id: str) -> StoredAlert:
        """An alert. Raises ``NotFoundError``."""

    def alerts(
        self,
        scope: Scope,
        *,
        disposition: Disposition | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[StoredAlert]:
        """Alerts, the latest event time first."""

    def cases_of_alert(self, scope: Scope, alert_id: str) -> tuple[Case, ...]:
        """The cases that have the alert now."""

    def related(self, scope: Scope, case_id: str, *, limit: int = 20) -> tuple[Related, ...]:
        """Cases with a party, account, device, person or group in common."""

    def conflicts(
        self, scope: Scope, *, after: str | None = None, limit: int = 50
    ) -> Page[AlertConflict]:
        """Alerts that came with another content under a known id."""

    def file(self, scope: Scope, case_id: str, sha256: str) -> bytes:
        """The bytes of a file of a case, checked against the digest. Raises ``NotFoundError``."""

    def precision(self, scope: Scope) -> tuple[Precision, ...]:
        """Outcomes by rule and institution."""

    def chains(self, scope: Scope) -> Mapping[str, tuple[int, bytes]]:
        """Each log of the scope with its length and last hash."""

    def log(
        self, scope: Scope, chain: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        """Entries of a tenant's log after a position, those about cases included."""

    def messages(self, scope: Scope, topic: Topic, *, limit: int = 500) -> tuple[Message, ...]:
        """What waits to be passed on, oldest first."""

    def acknowledge(self, scope: Scope, topic: Topic, numbers: Collection[int]) -> None:
        """Forget messages that were passed on."""

    def dossiers(
        self, scope: Scope, case_ids: Collection[str], *, alerts_max: int
    ) -> tuple[Dossier, ...]:
        """Cases whole, by id; those that are not there are left out.

        Of the alerts those that the case has now, among the first ``alerts_max`` that came to it.
        """

    def alerts_by_id(self, scope: Scope, alert_ids: Collection[str]) -> tuple[StoredAlert, ...]:
        """Alerts, by id; those that are not there are left out."""

    def save_search(self, scope: Scope, name: str, body: Mapping[str, Any]) -> None:
        """Keep a search of the actor's own; one of the same name is replaced.

        Raises ``UsageError`` for a name that is none, ``CapacityError`` for one too many.
        """

    def saved_searches(self, scope: Scope) -> tuple[SavedSearch, ...]:
        """The actor's own, by name; nobody sees another's."""

    def forget_search(self, scope: Scope, name: str) -> None:
        """Take one of the actor's own away. Raises ``NotFoundError``."""

    def close(self) -> None:
        """Let go of connections."""
