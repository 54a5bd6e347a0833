"""What a checked rulepack is: frozen data, independent of how it was written and how it is run.

The checker produces it, the engine compiles it, tests and explanations read it. Every node keeps
its ``Mark`` so that any later finding can be shown at file:line:column.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Literal

from regtech.content.faults import Mark

NOWHERE = Mark("<none>", 0, 0)

TypeName = Literal[
    "bool",
    "int",
    "ratio",
    "money",
    "duration",
    "time",
    "date",
    "symbol",
    "flags",
    "text",
    "persons",
    "words",  # a parameter that is a list of words
]


@dataclass(frozen=True, slots=True)
class Type:
    """Type of an expression.

    ``unit`` of an int (``persons``, ``events``, ``devices``, ``days`` …; None is a bare number);
    ``currency`` of money (None: the event's own currency, not comparable to a literal; ``*x``:
    the currency of parameter ``x`` on the event's day, comparable to the same parameter only, or
    to a code where every version of the parameter has that currency).
    """

    name: TypeName
    unit: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency, as written."""

    amount: Fraction
    currency: str

    def __str__(self) -> str:
        return f"{self.currency} {self.amount}"


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: exactly one unit.

    ``seconds`` and ``days`` are exact; ``months`` are calendar months; ``working_days`` follow the
    jurisdiction's calendar.
    """

    count: int
    unit: Literal["seconds", "days", "months", "working_days"]


Value = bool | int | Fraction | Money | Duration | str | frozenset[str]


# --- expressions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Const:
    """A literal. ``type.unit`` carries the unit of an int."""

    value: Value
    type: Type
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field of the event as the row sees it.

    Paths are those of the catalogue, plus the views ``party.*``, ``counterparty.*`` (the subject's
    side and the other side of a transaction), ``direction`` (``in`` or ``out``), and
    ``<party>.institution_country`` and ``reporter.country`` (facts about the institution).
    """

    path: str
    type: Type
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class ParamRef:
    """A parameter of the pack; its value depends on the date (see ``Param.versions``)."""

    name: str
    type: Type
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class LetRef:
    """A named expression of the rule's ``let``."""

    name: str
    type: Type
    mark: Mark = field(compare=False, default=NOWHERE)


MeasureKind = Literal[
    "sum",
    "count",
    "distinct",
    "min",
    "max",
    "mean",
    "stddev",
    "last",
    "since_last",
    "first_seen",
    "outstanding",
    "figure",
]


@dataclass(frozen=True, slots=True)
class Window:
    """Over which events a measure goes.

    ``calendar``: day, week, month, quarter, year, business_day in the jurisdiction's zone;
    ``rolling``: the ``length`` before and including the event; ``ever``.
    """

    kind: Literal["calendar", "rolling", "ever"]
    period: str | None = None
    length: Duration | ParamRef | None = None
    default: bool = False  # the length is a product default, not law: shown as such


@dataclass(frozen=True, slots=True)
class Measure:
    """A number over a subject's earlier and present rows.

    ``value``: what is summed, counted distinctly … (None for count, since_last, first_seen).
    ``on``: the event types that contribute. ``key``: on the contributing row, the expressions that
    must equal the reading row's subject (None: the same ``per`` as the rule). ``read``: on the
    reading row, the expressions to look up by (None: the rule's subject). ``by``: further paths
    that must be equal on both rows. ``item``: for ``outstanding``, what identifies the balance that
    a later one replaces. ``figure``: for ``figure``, its name; ``at`` is ``quarter_end``,
    ``year_end`` or None (any day).
    """

    kind: MeasureKind
    value: Expr | None
    window: Window
    where: Expr | None
    on: tuple[str, ...]
    key: tuple[Expr, ...] | None
    read: tuple[Expr, ...] | None
    by: tuple[str, ...]
    item: tuple[Expr, ...]
    type: Type
    figure: str | None = None
    at: str | None = None
    rule_where: bool = True  # no `on=`: the rule's `where`, not repeated here, filters as well
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the registry (``regtech.rulelang.functions``)."""

    function: str
    args: tuple[Expr, ...]
    type: Type
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expr
    type: Type = Type("bool")
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Logic:
    """``and`` / ``or`` over two or more operands."""

    op: Literal["and", "or"]
    operands: tuple[Expr, ...]
    type: Type = Type("bool")
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison (chains are split by the parser)."""

    op: Literal["<", "<=", ">", ">=", "==", "!="]
    left: Expr
    right: Expr
    type: Type = Type("bool")
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class In:
    """Membership: a symbol in literal words or a named dated set, or a word in a flags field."""

    item: Expr
    words: tuple[str, ...] | None = None  # symbol in ("a", "b")
    set_name: str | None = None  # symbol in a set of mappings/sets
    flags: Expr | None = None  # "word" in exporter.flags (item is the Const word)
    param: ParamRef | None = None  # symbol in param("list of words")
    negated: bool = False
    type: Type = Type("bool")
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Arith:
    """``+ - *`` and ``/``; ``/`` only between two numbers of one unit (a ratio) or by a number."""

    op: Literal["+", "-", "*", "/"]
    left: Expr
    right: Expr
    type: Type
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class IfElse:
    """``a if condition else b``; an undecided condition gives an unknown value."""

    condition: Expr
    then: Expr
    otherwise: Expr
    type: Type
    mark: Mark = field(compare=False, default=NOWHERE)


Expr = (
    Const
    | FieldRef
    | ParamRef
    | LetRef
    | Measure
    | Call
    | Not
    | Logic
    | Compare
    | In
    | Arith
    | IfElse
)


# --- documents ---------------------------------------------------------------------------------

Text = dict[str, str]
"""A text in several languages: ``{"en": …, "zh": …}``."""

Basis = Literal["law", "default"]
Confidence = Literal["verified", "verified_secondary", "from_memory", "from_memory_medium"]
Status = Literal["enabled", "advisory", "shadow", "disabled"]


@dataclass(frozen=True, slots=True)
class Span:
    """Days in force, both included; None is open. Days are those of the jurisdiction's zone."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class ParamVersion:
    span: Span
    value: Value
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Param:
    """A figure with its basis and its dated values, in order of time, not overlapping."""

    name: str
    basis: Basis
    type: Type
    versions: tuple[ParamVersion, ...]
    confidence: Confidence | None = None
    note: Text | None = None
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Instrument:
    id: str
    title: Text
    span: Span
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Citation:
    instrument: str
    article: str
    confidence: Confidence
    text_digest: str | None = None
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class AlertSpec:
    kind: str
    severity: str
    report: str | None = None
    due: Duration | None = None
    due_basis: Basis = "law"
    due_from: str = "time"  # field the clock starts from


@dataclass(frozen=True, slots=True)
class Again:
    """Raise again for each further ``step`` of ``value`` (both numbers of one unit)."""

    value: Expr
    step: Expr


@dataclass(frozen=True, slots=True)
class Deadline:
    """An ``action`` must follow in time, else the alert is raised by the passing of time.

    A row of the rule's type that meets ``where`` and ``when`` opens a duty named by ``about``
    (default: the event's id). The clock starts at ``start`` (default: the event's time; for
    ``end of quarter`` and the like at the end of that period). An ``action`` whose ``about`` is the
    same name and that meets ``closed_by`` ends it. ``warn``: how long before the end a warning
    (kind ``deadline``, severity as given, ``warning: true``) is raised.
    """

    within: Duration | ParamRef
    closed_by: Expr
    about: Expr | None = None
    start: Expr | None = None
    start_period_end: str | None = None
    warn: Duration | None = None


@dataclass(frozen=True, slots=True)
class Detect:
    """A detector of another package and its parameters; not decided until one is wired."""

    detector: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One test of a rule: events as written, and what is expected.

    ``expect`` is None (no alert), or a list of partial alerts: subject, outcome, and measure values
    as written.
    """

    name: str
    events: tuple[dict[str, Any], ...]
    expect: tuple[dict[str, Any], ...]
    until: str | None = None  # let event time pass to here (RFC 3339)
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    ``per`` is as written: the aliases ``event customer account party group institution``, the name
    of a party field (its id is meant), or a path. ``by`` are paths (a party is resolved to its id).
    """

    id: str
    title: Text
    cite: Citation | None  # None: an indicator of ours, no law
    obligations: tuple[str, ...]
    on: tuple[str, ...]
    per: tuple[str, ...]
    by: tuple[str, ...]
    where: Expr | None
    lets: dict[str, Expr]
    when: Expr | None
    period: str | None  # day … year, event, ever, or "rolling"; None: derived from the windows
    again: Again | None
    yields_to: tuple[str, ...]
    alert: AlertSpec
    status: Status
    span: Span  # instrument and rule together
    cannot_tell: Literal["count", "alert"]
    deadline: Deadline | None
    detect: Detect | None
    explain: Text | None
    misses: Text | None
    tests: tuple[RuleTest, ...]
    digest: str = ""  # SHA-256 of the rule's canonical content
    mark: Mark = field(compare=False, default=NOWHERE)


@dataclass(frozen=True, slots=True)
class Pack:
    id: str
    version: str
    jurisdiction: str
    title: Text
    instruments: dict[str, Instrument]
    params: dict[str, Param]
    rules: tuple[Rule, ...]
    not_decided: dict[str, Text]  # obligation id: why events cannot decide it
    digest: str  # SHA-256 of the pack's canonical content
    path: str
    mark: Mark = field(compare=False, default=NOWHERE)
