"""The ports of casework: what the service needs, without a word on how it is done.

Whatever is read or written takes the scope first; what lies outside it is as if it were not there
(``NotFoundError``, an empty page), with no difference that would tell.

More than 500 lines: the contract of every store on one page, most of it in words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from casework.cases.accounts import ApiKey, Session, User
from casework.cases.alert import StoredAlert
from casework.cases.case import Case, State
from casework.cases.directive import AsideDirective, Disposition, Wake
from casework.cases.keys import Key
from casework.cases.proposals import Proposal, ProposalState, ProposalTexts
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, Entry
from regtech.model.eventday import EventDay as EventDay
from regtech.model.eventday import EventKind as EventKind
from regtech.model.fields import EVENT_TYPES as EVENT_TYPES

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
    beyond that time and not overdue by then. ``due_before_us``: only what is due before it.
    ``tell_before_us``: only what has a warning or an overdue date to tell before it.
    ``opened_from_us``, ``opened_before_us``: only what was opened from the one to before the other.
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
    opened_from_us: int | None = None
    opened_before_us: int | None = None


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """Which alerts; None asks for all. Times are those of events: from the one to before the
    other."""

    disposition: Disposition | None = None
    jurisdiction: str | None = None
    tenant: str | None = None
    from_us: int | None = None
    before_us: int | None = None


class Tally(StrEnum):
    """What cases are counted by."""

    JURISDICTION = "jurisdiction"
    THEME = "theme"
    STATE = "state"
    QUEUE = "queue"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Standing:
    """Of open cases: how many there are, are overdue, and have nobody."""

    cases: int
    overdue: int
    nobody: int


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


class Reach(NamedTuple):
    """Alerts with this value of a kind of key, from ``since`` to ``until``, both included.

    ``kind``: ``subject``, ``group``, ``counterparty``, ``institution`` or ``rule``. Times are
    microseconds since 1970.
    """

    kind: str
    value: str
    since: int
    until: int


class EventsOf(NamedTuple):
    """Events of some kinds on some days, both included; ``institution`` None: whoever told.

    Days are counted since 1970 in UTC.
    """

    kinds: tuple[EventKind, ...]
    institution: str | None
    first_day: int
    last_day: int

    def counts(self, day: EventDay) -> bool:
        """Whether it asks for these events."""
        return (
            day.kind in self.kinds
            and self.institution in (None, day.institution)
            and self.first_day <= day.day <= self.last_day
        )


@dataclass(frozen=True, slots=True)
class AsideAlert:
    """An alert that is in no case, with what was decided of it."""

    alert: StoredAlert
    directive: AsideDirective


class PolicyUnit(Protocol):
    """What policies ask of the record, and what they leave in it, within a transaction."""

    def hold(self, scope: Scope) -> int:
        """From here to its end, no other unit decides: each sees what the others have decided.

        Gives the number of this decision, one more than that of the last that was kept, whoever
        took it.
        """

    def reach(self, scope: Scope, reaches: Collection[Reach]) -> frozenset[str]:
        """Ids of the alerts of any of the reaches; it may be more, never less."""

    def counted(self, scope: Scope, reaches: Sequence[Reach]) -> list[int]:
        """How many alerts each of the reaches has; it may be more, never less."""

    def braked(self, scope: Scope, reaches: Collection[Reach]) -> frozenset[str]:
        """Ids of the alerts of rules in stretches of time that a brake holds back."""

    def watched(self, scope: Scope) -> dict[str, int]:
        """For how many subjects rules are evaluated, as far as it was ever said."""

    def watch(self, scope: Scope, subjects: Mapping[str, int]) -> None:
        """For how many subjects rules are evaluated; a number that was higher before stays."""

    def rule_events(self, scope: Scope) -> dict[str, tuple[EventKind, ...]]:
        """The events that rules are evaluated for whose subject is each single event, sorted.

        Left out are other rules, and those of which it was never said.
        """

    def count_events(
        self,
        scope: Scope,
        rules: Mapping[str, Collection[EventKind]],
        days: Collection[EventDay],
    ) -> None:
        """What such rules are evaluated for, and how many events there were.

        What was said of a rule before stays, and so does a count that was higher.
        """

    def events_counted(self, scope: Scope, asked: Sequence[EventsOf]) -> list[int]:
        """How many events each question finds, 0 where nobody told of any."""

    def closings(self, scope: Scope, keys: Collection[str]) -> Mapping[str, tuple[int, ...]]:
        """When people closed cases of the keys, in event time, sorted; keys without are left out.

        Keys are digests (``casework.cases.plans.key_digest``).
        """

    def cut(self, scope: Scope, case_id: str, keys: Collection[str], at_us: int) -> None:
        """A person closed the case: no later alert of the keys comes to it."""

    def uncut(self, scope: Scope, case_id: str) -> None:
        """A person reopened the case: as if it had never been closed."""

    def placed(self, scope: Scope, alert_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Cases into which policies put any of the alerts, each with all that they put into it.

        Wherever a person has moved an alert since: the policy's case is told.
        """

    def moved(self, scope: Scope, case_id: str) -> dict[str, str]:
        """Alerts that a person moved out of a case, with where to."""

    def placed_in(self, scope: Scope, case_id: str) -> frozenset[str]:
        """Ids of all alerts that policies put into a case."""

    def unplace(self, scope: Scope, case_id: str, alert_ids: Collection[str]) -> frozenset[str]:
        """A policy takes alerts out of a case; gives those that were still in it.

        What a person moved away stays where it is.
        """

    def asides(self, scope: Scope, alert_ids: Collection[str]) -> dict[str, AsideDirective]:
        """What was decided of those of the alerts that are aside."""

    def set_aside(self, scope: Scope, directives: Collection[AsideDirective]) -> None:
        """Show alerts aside, or for another reason than before."""

    def take_back(self, scope: Scope, alert_ids: Collection[str]) -> None:
        """The alerts are no longer aside."""

    def set_wakes(self, scope: Scope, alert_ids: Collection[str], wakes: Collection[Wake]) -> None:
        """Replace the wakes of the alerts by these."""

    def due_wakes(self, scope: Scope, before_us: int, limit: int) -> tuple[str, ...]:
        """Alerts with a wake before the time, each once, at most so many, the earliest first."""

    def as_of(self, scope: Scope) -> int:
        """Until when the record is decided: the latest event time, or a later ``passed``."""

    def passed(self, scope: Scope, at_us: int) -> None:
        """Event time has come to here, whether there was an alert or not; never goes back."""


class Unit(PolicyUnit, Protocol):
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

    def prepare(self, scope: Scope, case_ids: Collection[str]) -> None:
        """New alerts will be attached to these cases: what that takes is read at once."""
        ...

    def attach(self, scope: Scope, case_id: str, alerts: Sequence[StoredAlert]) -> frozenset[str]:
        """A policy puts alerts into a case (rows only: the entry is the caller's).

        Gives those that were not in it before. What a person moved away stays where it is.
        """

    def move(self, scope: Scope, from_case: str, to_case: str, alert_ids: Sequence[str]) -> None:
        """A person takes alerts from one case to another. The first remembers that it had them."""

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


class Record(Protocol):
    """The record of cases, alerts, timelines, files and what is to be passed on."""

    def unit(self, scope: Scope) -> AbstractContextManager[Unit]:
        """A transaction: written at the clean end, taken back at an exception."""

    def case(self, scope: Scope, case_id: str) -> Case:
        """A case. Raises ``NotFoundError``."""

    def cases(
        self, scope: Scope, query: CaseQuery, *, after: str | None = None, limit: int = 50
    ) -> Page[Case]:
        """Cases in the order of the queue. ``UsageError`` for an ``after`` that is none of ours."""

    def tally(self, scope: Scope, query: CaseQuery, by: Tally) -> Mapping[str, int]:
        """How many cases there are of each value; a case of two tenants counts for both."""

    def standing(
        self, scope: Scope, by: Sequence[Tally], now_us: int, query: CaseQuery | None = None
    ) -> Mapping[tuple[str, ...], Standing]:
        """How cases stand, by their values together; of two tenants they count for both.

        Of a query, or all open ones. What has ended is overdue and without anybody no more.
        """

    def case_weeks(self, scope: Scope, last_day: int, weeks: int) -> Mapping[str, tuple[int, ...]]:
        """Cases opened in so many weeks by theme, the oldest week first; days as below."""

    def alert_weeks(
        self, scope: Scope, by: Tally, last_day: int, weeks: int
    ) -> Mapping[str, tuple[int, ...]]:
        """Alerts of so many weeks of event time by jurisdiction or tenant, the oldest week first.

        Days are those of UTC since 1970; ``last_day`` is the last of the last week.
        """

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
        query: AlertQuery | None = None,
        *,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[StoredAlert]:
        """Alerts, the latest event time first."""

    def asides(
        self,
        scope: Scope,
        *,
        disposition: Disposition | None = None,
        rule: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[AsideAlert]:
        """Alerts that are aside, with the reason, the latest event time first."""

    def alerts_of(
        self, scope: Scope, keys: Collection[Key], since_us: int, until_us: int, *, latest: int
    ) -> Sequence[StoredAlert]:
        """The latest alerts with any of the keys whose event time lies in [since, until].

        In the order of time and id, at most ``latest`` of them.
        """

    def cases_of_alerts(self, scope: Scope, alert_ids: Collection[str]) -> tuple[Case, ...]:
        """The cases that have any of the alerts now, in the order of the queue."""

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

    def checkpoints(self, scope: Scope, chain: str) -> tuple[Mapping[str, Any], ...]:
        """Signed checkpoints of a log as they were written, oldest first."""

    def add_checkpoint(self, scope: Scope, chain: str, size: int, body: Mapping[str, Any]) -> None:
        """Keep a checkpoint over so many entries. ``ConflictError`` where there is one of them."""

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


# --- identity, intake of events, repeated requests


class AccountsUnit(Protocol):
    """A transaction on accounts, with the log in it: no act without its entry."""

    def log(self, scope: Scope, chain: str, draft: Draft) -> None:
        """As ``Unit.log``."""

    def user(self, scope: Scope, name: str) -> User | None:
        """A user, held until the end of the unit."""

    def put_user(self, scope: Scope, user: User) -> None:
        """Keep a user as it is now."""

    def put_key(self, scope: Scope, key: ApiKey) -> None:
        """Keep a key as it is now."""

    def put_session(self, scope: Scope, session: Session) -> None:
        """Keep a session as it is now."""

    def drop_session(self, scope: Scope, digest: str) -> None:
        """End a session; nothing where there is none."""

    def drop_sessions(self, scope: Scope, user: str, before_us: int | None = None) -> None:
        """End all sessions of a user; or, of everybody ("" as user), what expired before."""


class Accounts(Protocol):
    """Users, keys and sessions. The scope says who asks; what may be asked is the service's."""

    def unit(self, scope: Scope) -> AbstractContextManager[AccountsUnit]:
        """A transaction."""

    def user(self, scope: Scope, name: str) -> User | None:
        """A user by name."""

    def user_of_subject(self, scope: Scope, subject: str) -> User | None:
        """The user of a provider's subject."""

    def users(self, scope: Scope) -> tuple[User, ...]:
        """All users by name."""

    def key(self, scope: Scope, key_id: str) -> ApiKey | None:
        """A key by its public id."""

    def keys(self, scope: Scope, owner: str | None = None) -> tuple[ApiKey, ...]:
        """Keys by id, of one owner or of all."""

    def session(self, scope: Scope, digest: str) -> Session | None:
        """A session by the digest of its token."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to a request with an idempotency key. ``status`` 0: still at work.

    ``request`` is the digest of what was asked, so that a key is not used for something else.
    """

    request: str
    made_us: int
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Answers(Protocol):
    """Answers to be given again to a repeated request."""

    def begin(self, scope: Scope, key: str, answered: Answered, stale_us: int) -> Answered | None:
        """Reserve a key of the scope's actor; what is there already is returned instead.

        A reservation made before ``stale_us`` was left by a crash and is taken over; answers
        made before it are kept until ``forget``.
        """

    def finish(self, scope: Scope, key: str, answered: Answered | None) -> None:
        """Keep the answer; None lets the key go, so that the request may be tried again."""

    def forget(self, scope: Scope, before_us: int) -> int:
        """Drop answers made before a time; how many."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An event that could not be judged. ``number`` 0: not kept yet. ``tenant``: who sent it.
    ``place``: the dotted path of the field that was wrong, or "". ``origin``: where it comes from,
    if it may come from there again after a crash; kept once.
    """

    number: int
    tenant: str
    received_us: int
    source: str
    line: int
    place: str
    code: str
    found: str
    expected: str
    raw: bytes = field(repr=False)
    state: str = "open"
    origin: str | None = None


class JobState(StrEnum):
    """How far a bulk intake is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """A file of events that was taken over, and how far it is. ``size`` and ``at`` in bytes.

    ``tenants``: the only reporters whose events are taken; None: any. ``counts``: events by what
    became of them.
    """

    id: str
    actor: str
    tenants: frozenset[str] | None
    sha256: str
    size: int
    made_us: int
    changed_us: int
    state: JobState = JobState.WAITING
    at: int = 0
    lines: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str = ""


class EventDesk(Protocol):
    """What is kept about events on their way in: the quarantine, and bulk intakes."""

    def quarantine(self, scope: Scope, events: Sequence[Quarantined]) -> tuple[int, ...]:
        """Keep events; their numbers."""

    def quarantined(
        self,
        scope: Scope,
        *,
        state: str | None = "open",
        code: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Quarantined]:
        """Quarantined events of the scope's tenants, oldest first."""

    def quarantined_event(self, scope: Scope, number: int) -> Quarantined:
        """One of them. Raises ``NotFoundError``."""

    def settle_quarantined(self, scope: Scope, number: int, state: str) -> None:
        """Mark as retried or dropped. Raises ``NotFoundError``, ``ConflictError`` if it was."""

    def put_job(self, scope: Scope, job: Job) -> None:
        """Keep a job as it is now."""

    def job(self, scope: Scope, job_id: str) -> Job:
        """A job of the scope's own actor, or any for a full view. Raises ``NotFoundError``."""

    def jobs(self, scope: Scope, *, after: str | None = None, limit: int = 50) -> Page[Job]:
        """Jobs, newest first."""

    def open_jobs(self, scope: Scope) -> tuple[Job, ...]:
        """Jobs that wait or run, oldest first."""


# --- proposals of rules


class ProposalsUnit(Protocol):
    """A transaction on proposals, with the log in it: no decision without its entry."""

    def log(self, scope: Scope, chain: str, draft: Draft) -> None:
        """As ``Unit.log``."""

    def of_pack(self, scope: Scope, pack: str) -> tuple[Proposal, ...]:
        """All proposals of a pack in the order they were made, held until the end of the unit."""

    def add(self, scope: Scope, proposal: Proposal, texts: ProposalTexts) -> None:
        """Keep a new proposal. Raises ``ConflictError`` where there is one of its id."""

    def put(self, scope: Scope, proposal: Proposal) -> None:
        """Keep a proposal that is there as it is now; its texts never change."""


class Proposals(Protocol):
    """Proposals of rulepacks."""

    def unit(self, scope: Scope) -> AbstractContextManager[ProposalsUnit]:
        """A transaction."""

    def proposal(self, scope: Scope, proposal_id: str) -> Proposal:
        """One of them. Raises ``NotFoundError``."""

    def texts(self, scope: Scope, proposal_id: str) -> ProposalTexts:
        """What it says, checked against its digest. Raises ``NotFoundError``, ``StoreError``."""

    def proposals(
        self,
        scope: Scope,
        *,
        states: Collection[ProposalState] | None = None,
        pack: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Proposal]:
        """Proposals, the newest first."""
