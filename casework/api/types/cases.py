"""Cases, as those who work them see them and as institutions do."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from casework.api.types.common import AnyObject, Given, Line, Moment, PageOf, Prose, Shown, Text
from casework.cases.case import Outcome, State


class Clock(Shown):
    """How the clock of a case stands."""

    state: str = Field(description="none, running, warning, overdue or stopped.")
    working_days: int | None = Field(description="Left until the due day; negative: over.")


class Subject(Shown):
    """What the alerts of the case have in common."""

    per: str
    key: str


class CaseLine(Shown):
    """A case in a list."""

    id: str
    version: int
    state: str
    severity: str
    priority: int
    queue: str
    jurisdiction: str
    theme: str
    subject: Subject
    tenants: list[str]
    alerts: int
    assignee: str | None
    opened: str
    due: str | None
    clock: Clock
    tags: list[str]
    reason: Text


class Point(Shown):
    """A point of the checklist."""

    id: str
    title: Text
    required: bool
    done: bool
    by: str | None


class OpenRequest(Shown):
    """Something that waits for a second person."""

    number: int
    gate: str
    author: str
    at: str
    reason: str
    outcome: str | None
    about: str


class OtherCase(Shown):
    """A case that this one has to do with."""

    case: str
    relation: str


class File(Shown):
    """A file of the case; `size` in bytes."""

    sha256: str
    name: str
    media_type: str
    size: int


class SharedKey(Shown):
    """What two cases have in common."""

    kind: str
    key: str


class RelatedCase(Shown):
    """A case with something in common."""

    case: str
    shared: list[SharedKey]


class Entry(Shown):
    """An entry of the timeline: what changed, from what to what, by whom and why."""

    sequence: int
    kind: str
    at: str
    actor: str
    before: AnyObject
    after: AnyObject
    detail: AnyObject
    why: str
    shared: bool
    hash: str = Field(description="SHA-256 of the entry in the chain of its log, in hex.")


class CaseView(CaseLine):
    """A case with everything that belongs to it."""

    outcome: str | None
    closing_reason: str
    merged_into: str | None
    snoozed_until: str | None
    shared: bool
    checklist: list[Point]
    requests: list[OpenRequest]
    overridden: list[str]
    links: list[OtherCase]
    files: list[File]
    related: list[RelatedCase]
    found: list[AnyObject] = Field(description="Its alerts, as written; masked by role.")
    found_after: str | None = Field(description="Where `/alerts` of the case goes on.")
    timeline: list[Entry]


class DisclosedAlert(Shown):
    """An alert of an institution's own that the law lets it know."""

    id: str
    rule: str
    kind: str
    time: str
    due: str | None
    explanation: Text | None


class SharedMessage(Shown):
    """What was said to the institution, or by it."""

    at: str
    by: str
    text: str | None = None
    name: str | None = None
    sha256: str | None = None


class DisclosedLine(Shown):
    """A case that an institution may know of."""

    model_config = ConfigDict(extra="forbid")

    case: str
    theme: str
    jurisdiction: str
    open: bool


class DisclosedCase(DisclosedLine):
    """All that an institution is shown of a case; each look is on record."""

    alerts: list[DisclosedAlert]
    messages: list[SharedMessage]


class CasePage(PageOf):
    """Cases in the order of the queue; for an institution those that it may know of."""

    items: list[CaseLine | DisclosedLine]


class EntryPage(PageOf):
    """Entries in the order of their numbers."""

    items: list[Entry]


class RelatedPage(Shown):
    """The cases with the most in common first."""

    items: list[RelatedCase]


class Claimed(Shown):
    """The case that was taken, and why it was the first; null: nothing waits."""

    case: CaseLine | None
    why: Text


class Claim(Given):
    """Narrows what the next case is taken of."""

    queue: Line | None = None
    jurisdiction: Line | None = None
    theme: Line | None = None
    tenant: Line | None = None


class _Reasoned(Given):
    reason: Prose = Field(description="Why; it is on record.")


class Triage(Given):
    """Begin to look at a new case."""

    action: Literal["triage"]


class Investigate(Given):
    """Begin, or go on with, the investigation."""

    action: Literal["investigate"]


class Escalate(_Reasoned):
    """Hand it up."""

    action: Literal["escalate"]


class Reopen(_Reasoned):
    """Take up an ended case again."""

    action: Literal["reopen"]


class Close(_Reasoned):
    """Close a case of less than high severity."""

    action: Literal["close"]
    outcome: Outcome


class AskClose(_Reasoned):
    """Ask a second person to close it."""

    action: Literal["ask_close"]
    outcome: Outcome


class AskReport(_Reasoned):
    """Ask a second person to report it."""

    action: Literal["ask_report"]
    outcome: Outcome


class AskOverride(_Reasoned):
    """Ask a second person to overrule a rule in this case."""

    action: Literal["ask_override"]
    about: Line = Field(description="Id of the rule.")


class AskExport(_Reasoned):
    """Ask a second person to let personal data out."""

    action: Literal["ask_export"]
    about: Line = Field(description="What is exported, and for whom.")


class Approve(Given):
    """Agree to somebody else's request."""

    action: Literal["approve"]
    number: int = Field(ge=1, le=1_000_000_000)


class Refuse(_Reasoned):
    """Say no to a request, or take back one's own."""

    action: Literal["refuse"]
    number: int = Field(ge=1, le=1_000_000_000)


class Assign(Given):
    """Give it to somebody; null: to nobody."""

    action: Literal["assign"]
    to: Line | None


class Comment(Given):
    """Say something; `shared`: the institution reads it too."""

    action: Literal["comment"]
    text: Prose
    shared: bool = False


class Tag(Given):
    """Put tags on, take tags off."""

    action: Literal["tag"]
    add: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field([], max_length=50)
    remove: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field([], max_length=50)


class Check(Given):
    """Tick off a point of the checklist, or take the tick back."""

    action: Literal["check"]
    item: Line
    done: bool = True


class Snooze(_Reasoned):
    """Take it out of the queue until a time."""

    action: Literal["snooze"]
    until: Moment


class Wake(Given):
    """Bring it back."""

    action: Literal["wake"]


class Prioritise(_Reasoned):
    """Another priority, and another queue where one is named."""

    action: Literal["prioritise"]
    priority: int = Field(ge=0, le=100)
    queue: Line | None = None


class SetDue(_Reasoned):
    """Another due date; null: none."""

    action: Literal["set_due"]
    due: Moment | None


class LinkTo(Given):
    """Say that another case has to do with this one."""

    action: Literal["link"]
    case: Line
    relation: Annotated[str, Field(min_length=1, max_length=64)] = "related"


class Merge(_Reasoned):
    """Move all alerts into another case and close this one."""

    action: Literal["merge"]
    into: Line
    into_version: int = Field(ge=0, le=1_000_000_000, description="Its version that was seen.")


class Split(_Reasoned):
    """Make a case of its own of some of the alerts."""

    action: Literal["split"]
    alerts: list[Line] = Field(min_length=1, max_length=1000)


class Share(_Reasoned):
    """Let the institution see what may be decided, or no longer."""

    action: Literal["share"]
    shared: bool


Action = Annotated[
    Triage | Investigate | Escalate | Reopen | Close | AskClose | AskReport | AskOverride
    | AskExport | Approve | Refuse | Assign | Comment | Tag | Check | Snooze | Wake | Prioritise
    | SetDue | LinkTo | Merge | Split | Share,
    Field(discriminator="action"),
]  # fmt: skip


class Answered(Shown):
    """An institution's comment or file was taken; nothing more is told."""

    case: str
    taken: Literal[True] = True


class SeenCase(Given):
    """A case, and the version of it that was seen."""

    case: Line
    version: int = Field(ge=0, le=1_000_000_000)


class Bulk(Given):
    """The same for many cases, each on its own."""

    cases: list[SeenCase] = Field(min_length=1, max_length=500)
    act: Action


class BulkError(Shown):
    """Why a case was left as it is."""

    code: str
    message: str
    hint: str


class BulkLine(Shown):
    """What became of one case."""

    id: str
    case: CaseLine | None = None
    error: BulkError | None = None


class BulkDone(Shown):
    """What became of each case, in the order given."""

    items: list[BulkLine]


class Unmask(_Reasoned):
    """Asks for personal data in the clear."""

    grade: Literal["personal", "sensitive"] = "personal"


class Unmasked(Shown):
    """The alerts of a case in the clear; this look is on record."""

    case: str
    found: list[AnyObject]


class Precision(Shown):
    """How often a rule was right at an institution, by the outcomes of ended cases."""

    rule: str
    tenant: str
    jurisdiction: str
    confirmed: int
    unfounded: int
    duplicate: int
    data_error: int
    precision: str | None = Field(description="Confirmed of judged, three decimals.")


class PrecisionList(Shown):
    """By rule and institution."""

    items: list[Precision]


StateName = State
AnyCase = CaseView | DisclosedCase
Acted = CaseLine | Answered
Anything = Any
