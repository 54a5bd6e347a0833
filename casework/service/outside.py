"""What API and pages need beyond casework, handed in by whoever wires it; each may be left out.

Long, because it is one list of ports with their plain data, which nobody reads in pieces.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from casework.cases.scope import Scope
from casework.ports import Job, Page, Quarantined


class Verdict(StrEnum):
    """What became of an event."""

    JUDGED = "judged"
    REPEATED = "repeated"
    """The same was there before: nothing changed."""
    LATE = "late"
    """Older than the newest that was judged: kept in the quarantine."""
    CONFLICT = "conflict"
    """Another event of that reporter and id was there before: kept in the quarantine."""
    REFUSED = "refused"
    """Not an event of ours: kept in the quarantine."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event was not judged: field, code, what was found and expected; quarantine number."""

    field: str
    code: str
    found: str
    expected: str
    number: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What one event brought. ``alerts`` as written; ``cannot_tell``: rules that lack a fact."""

    verdict: Verdict
    alerts: tuple[bytes, ...] = ()
    cannot_tell: tuple[str, ...] = ()
    refusal: Refusal | None = None


class Judged(Protocol):
    """An event that was judged, and is not durable yet."""

    @property
    def waits(self) -> bool:
        """Whether ``settle`` has to wait for a disk; else it may be called at once."""

    def settle(self) -> Decision:
        """Wait until it is durable, and its alerts sure to be recorded; then the decision.

        May be called in any thread, and takes as long as the disk does.
        """


class Decider(Protocol):
    """A warm engine. Events are judged in the order of the calls, so those are made in order."""

    def judge(self, scope: Scope, event: bytes) -> Judged:
        """Judge one event in JSON. Nothing may be told of it before it is settled.

        Raises ``ForbiddenError`` where its reporter is none that the scope answers for.
        """


class BulkIntake(Protocol):
    """Files of events, taken over whole and judged afterwards."""

    async def accept(self, scope: Scope, body: AsyncIterator[bytes]) -> Job:
        """Keep the file durably and put it in line. Raises ``InputError``, ``CapacityError``."""

    def job(self, scope: Scope, job_id: str) -> Job:
        """How far it is. Raises ``NotFoundError``."""

    def jobs(self, scope: Scope, *, after: str | None, limit: int) -> Page[Job]:
        """Jobs, newest first."""

    def cancel(self, scope: Scope, job_id: str) -> Job:
        """Stop it: what was judged stays judged. Raises ``ConflictError`` for one that ended."""


class QuarantineDesk(Protocol):
    """Events that could not be judged."""

    def list(
        self, scope: Scope, *, state: str | None, code: str | None, after: str | None, limit: int
    ) -> Page[Quarantined]:
        """Oldest first."""

    def get(self, scope: Scope, number: int) -> Quarantined:
        """One of them. Raises ``NotFoundError``."""

    def retry(self, scope: Scope, number: int, corrected: bytes | None) -> Decision:
        """Judge it again, as it is or corrected. Raises ``ConflictError`` if it was dealt with."""


@dataclass(frozen=True, slots=True)
class ScreenedParty:
    """Who is asked for: a ``name``, or a ``text`` in which names may stand; the other is "".

    ``kind``: person, entity, vessel, aircraft or "". ``born``: 1970, 1970-03, 1970-03-21 or "".
    ``countries``: ISO 3166 codes.
    """

    name: str = ""
    text: str = ""
    kind: str = ""
    born: str = ""
    countries: tuple[str, ...] = ()


class ScreeningDesk(Protocol):
    """Lists of names, which belong to nobody, asked for a party."""

    def screen(
        self,
        scope: Scope,
        party: ScreenedParty,
        *,
        at_us: int | None,
        lists: tuple[str, ...],
        threshold: float,
    ) -> Mapping[str, Any]:
        """items (hits as written), cut, lists, unknown. ``lists``: only these; empty: all.

        Raises ``UsageError`` for a date that there is not.
        """


class RuleBook(Protocol):
    """The packs in use, for reading; and a reader for drafts."""

    def packs(self) -> Sequence[Mapping[str, Any]]:
        """id, version, jurisdiction, title, digest, rules of each."""

    def pack(self, pack_id: str) -> Mapping[str, Any]:
        """One pack with its rules. Raises ``NotFoundError``."""

    def rules(self) -> Sequence[Mapping[str, Any]]:
        """Every rule: id, title, pack, jurisdiction, status, severity, law, article, confidence,
        obligation, first, last, and ``waits``: the detector that it waits for, or "".
        """

    def rule(self, rule_id: str) -> Mapping[str, Any]:
        """One rule: as in ``rules``, with ``tests`` (name, alerts expected, line) and ``coverage``
        (obligation, cite, rules that decide it). Raises ``NotFoundError``.
        """

    def law(self, rule_id: str) -> Mapping[str, Any]:
        """One rule: as in ``rules``, with ``explain``, what it says in our words by language, or
        None, ``pack_digest``, and ``measures``, what each is in words by language. Costs little.
        Raises ``NotFoundError``.
        """

    def page(self, rule_id: str, lang: str) -> str:
        """A rule as a page for people, in Markdown. Raises ``NotFoundError``."""

    def upcoming(self, on: date, until: date) -> Sequence[Mapping[str, Any]]:
        """Changes of law on those days: day, change, level, name, old, new, rules, jurisdiction."""

    def source(self, pack_id: str) -> str:
        """A pack's YAML as it stands in its file. Raises ``NotFoundError``, and ``ConflictError``
        where the file is no longer what is in use.
        """

    def lint(self, text: str) -> Sequence[Mapping[str, Any]]:
        """Faults of a pack in YAML: code, severity, message, line, column, hint."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a draft of a rulepack says of itself. ``in_use``: the version of that id in use, or "".

    ``digest``: of all that decides. ``same``: it is that of what is in use. ``newer``: the version
    is higher than the one in use, or there is none. ``added``, ``changed``, ``removed``: ids of
    rules beside what is in use.
    """

    pack: str
    version: str
    jurisdiction: str
    digest: str
    rules: int
    in_use: str
    same: bool
    newer: bool
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedTest:
    """A test of a draft that failed: each problem says what was expected and what came."""

    rule: str
    name: str
    line: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What the tests of a draft brought. ``waiting``: rule to the detector it waits for."""

    tests: int
    failed: tuple[FailedTest, ...]
    waiting: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FormField:
    """A value of a draft. ``path``: where it stands; ``label``: the same, within its section.

    ``several``: it has several lines, or may have. ``choices``: the words that it may be; empty
    where it may be anything.
    """

    path: str
    label: str
    text: str
    several: bool
    choices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class FormTake:
    """A part that can be taken away. ``goes_on``: a dated figure whose predecessor goes on then."""

    path: str
    label: str
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class FormAdd:
    """A part that can be added to what is at ``path``. ``inputs``: names of what is asked for, each
    with the values and their words that it may have; empty where it may be anything.
    """

    kind: str
    path: str
    label: str
    inputs: Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class FormSection:
    """Values that belong together: rule, law, figures, condition, finding, a test by name; and
    tests, which has none. ``takes`` and ``adds``: what can be taken away and added there.
    """

    kind: str
    title: str
    fields: tuple[FormField, ...]
    takes: tuple[FormTake, ...] = ()
    adds: tuple[FormAdd, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleForm:
    """A rule of a draft as a form."""

    rule: str
    sections: tuple[FormSection, ...]


class RuleDrafts(Protocol):
    """Drafts of rulepacks. They are data: none of this changes a pack in use."""

    def start(self) -> str:
        """A pack to begin from."""

    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of packs, for completion."""

    def check(self, text: str) -> tuple[Draft | None, Sequence[Mapping[str, Any]]]:
        """What the draft says of itself, None where nothing can be told; its faults, as
        ``RuleBook.lint`` gives them, without the file. Raises ``InputError`` for a long text.
        """

    def rules_in(self, text: str) -> Sequence[str]:
        """Ids of the rules of a draft. Raises ``InputError`` where it cannot be read as YAML."""

    def form(self, text: str, rule: str) -> RuleForm:
        """A rule of it as a form. Raises ``NotFoundError``, ``InputError``."""

    def edited(self, text: str, values: Mapping[str, str]) -> str:
        """The draft with other values by their paths; all else stays byte by byte.

        Raises ``InputError`` for a value that cannot stand where it should.
        """

    def added(self, text: str, kind: str, path: str, given: Mapping[str, str]) -> str:
        """The draft with one part more, as ``FormAdd`` names it; all else stays byte by byte.

        Raises ``InputError`` for what is missing or cannot stand there.
        """

    def taken_away(self, text: str, path: str, *, goes_on: bool) -> str:
        """The draft without a part, as ``FormTake`` names it; all else stays byte by byte.

        Raises ``InputError`` where there is no such part, or nothing would be left.
        """

    def make_ready(self) -> None:
        """Have what runs tests be ready soon; returns at once."""

    def run_tests(self, text: str) -> Trial:
        """Run the tests of a draft without errors, on the real engine.

        Raises ``ContentError`` for a draft with errors and ``CapacityError`` where it takes longer
        or more memory than it may, or where others' tests are running; with the code ``warming``
        where it is being made ready, and nothing was run.
        """


class BacktestState(StrEnum):
    """How far a backtest is."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    LOST = "lost"
    """The server came to its end while it ran."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """A draft held beside the pack in use over events of the past.

    ``sha256``: of the draft's text. ``at`` and ``of``: how much of the events was read, in bytes; 0
    where nobody knows. ``error``: why it failed.
    """

    id: str
    actor: str
    pack: str
    jurisdiction: str
    version: str
    base_version: str
    sha256: str
    history: str
    made_us: int
    state: BacktestState = BacktestState.RUNNING
    at: int = 0
    of: int = 0
    error: str = ""


class RuleBacktests(Protocol):
    """Backtests of drafts. None of them changes a rule or keeps an alert."""

    def histories(self) -> Sequence[str]:
        """The histories there are: ``journal`` (what this server judged), ``history`` (what its
        operator named)."""

    def start(self, scope: Scope, text: str, history: str) -> Backtest:
        """Begin, for an author. Raises ``ContentError`` for a draft with errors, ``CapacityError``
        while another runs, ``UsageError`` for a history that is none, ``ForbiddenError``."""

    def backtest(self, scope: Scope, backtest_id: str) -> Backtest:
        """How far one is. Raises ``NotFoundError``, ``ForbiddenError``."""

    def backtests(self, scope: Scope) -> Sequence[Backtest]:
        """Those that are kept, the newest first."""

    def cancel(self, scope: Scope, backtest_id: str) -> Backtest:
        """Stop it, for whoever began it and operators. Raises ``ConflictError`` if it has ended."""

    def result(self, scope: Scope, backtest_id: str) -> Mapping[str, Any]:
        """What one brought, as plain data: ``alerts``, ``by_rule``, ``by_institution``, ``causes``,
        ``around``, and ``changes`` with some alerts of each, masked as the scope sees them.
        Raises ``ConflictError`` for one that has not come to its end."""


class ReadingState(StrEnum):
    """What a server does about rules that changed."""

    IN_USE = "in_use"
    """Nothing: what it read last is in use."""
    READING = "reading"
    """It reads them anew; events are held against those in use meanwhile."""
    REFUSED = "refused"
    """What it read last is not used; those from before go on."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The rules in use, and how far it is with others. Times are microseconds since 1970.

    ``since_us``: when those in use took over, and ``place``: the bytes of the journal of events
    that were judged by others before, None where the server judges nothing. ``stage``: of a reading
    that is under way: ``packs``, ``journal``, ``exchange``; ``at`` and ``of``: how much of the
    journal was followed, in bytes. ``error``, ``hint`` and ``faults``: why rules were refused;
    ``refused_us``: when. ``writes``: whether proposals can be written to where rules are read.
    """

    state: ReadingState
    since_us: int
    place: int | None
    stage: str = ""
    at: int = 0
    of: int = 0
    error: str = ""
    hint: str = ""
    faults: tuple[Mapping[str, Any], ...] = ()
    refused_us: int | None = None
    writes: bool = False


class RulesInForce(Protocol):
    """The rules that a server holds events against, exchanged while it runs.

    Others are made ready aside and take over between two events; what does not compile never does.
    """

    def reading(self, scope: Scope) -> Reading:
        """How far it is. Raises ``ForbiddenError``."""

    def read(self, scope: Scope) -> Reading:
        """Have the rules be read anew, for operators. Raises ``ForbiddenError``."""

    def apply(self, scope: Scope, proposals: Sequence[str]) -> Sequence[Mapping[str, str]]:
        """Write approved proposals out, all where none is named, and have them be read: ``id``,
        ``pack`` and ``version`` of each.

        Raises ``ForbiddenError``, ``UsageError`` where the server reads a place that nobody writes
        to, ``ConflictError`` and ``ContentError`` where one does not fit what is there.
        """


class Explainer(Protocol):
    """Why an alert was raised, in a person's words."""

    def explain(self, alert: Mapping[str, Any], lang: str, hidden: Callable[[str], bool]) -> str:
        """The law, the facts and the arithmetic of an alert as written, in Markdown.

        ``hidden`` says of a path in the alert whether its value is masked. Raises ``UsageError``
        where the alert's pack is not known.
        """


class PolicyBook(Protocol):
    """The policies in use, for reading; and a reader for drafts."""

    def policies(self) -> Sequence[Mapping[str, Any]]:
        """id, version, title, theme of each."""

    def page(self, policy_id: str, lang: str) -> str:
        """A policy as a page for people. Raises ``NotFoundError``."""

    def lint(self, text: str) -> Sequence[Mapping[str, Any]]:
        """Faults of policies in YAML, as ``RuleBook.lint`` gives them."""


class WebhookDesk(Protocol):
    """Endpoints that are told of what happens, and what was delivered to them."""

    def endpoints(self, scope: Scope) -> Sequence[Mapping[str, Any]]:
        """id, url, kinds, state, description of each."""

    def register(
        self, scope: Scope, url: str, kinds: Sequence[str], description: str
    ) -> tuple[Mapping[str, Any], str]:
        """(endpoint, secret shown once). Raises ``UsageError`` for an address that is refused."""

    def remove(self, scope: Scope, endpoint: str) -> None:
        """Forget an endpoint. Raises ``NotFoundError``."""

    def rotate(self, scope: Scope, endpoint: str) -> str:
        """A fresh secret, shown once; the old one signs beside it for a day.

        Raises ``NotFoundError``.
        """

    def enable(self, scope: Scope, endpoint: str) -> None:
        """Deliver to an endpoint again that was given up. Raises ``NotFoundError``."""

    def deliveries(
        self, scope: Scope, endpoint: str, *, after: str | None, limit: int
    ) -> Page[Mapping[str, Any]]:
        """Deliveries in the order they were made: id, kind, state, attempts, last, times."""

    def replay(self, scope: Scope, endpoint: str, message: str) -> None:
        """Send a message again. Raises ``NotFoundError``."""


class Bundles(Protocol):
    """Evidence to hand out."""

    def export(self, scope: Scope, case_id: str, *, personal: bool, number: int) -> bytes:
        """A case's bundle. ``number``: of the approved request where personal data is in it."""


class Health(Protocol):
    """How the parts of the process are."""

    def live(self) -> bool:
        """Whether it works at all."""

    def ready(self) -> bool:
        """Whether it takes requests."""

    def parts(self) -> Mapping[str, Any]:
        """Each part with a word on how it is, for those who keep it running."""
