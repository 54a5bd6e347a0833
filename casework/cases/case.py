"""A case as it stands: the projection of its timeline, never changed but by an entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final


class State(StrEnum):
    """Where a case is in its life (``casework.cases.lifecycle``)."""

    NEW = "new"
    TRIAGE = "triage"
    INVESTIGATION = "investigation"
    ESCALATED = "escalated"
    AWAITING_APPROVAL = "awaiting_approval"
    REPORTED = "reported"
    CLOSED = "closed"
    REOPENED = "reopened"


ENDED: Final = frozenset({State.REPORTED, State.CLOSED})


class Outcome(StrEnum):
    """What the case turned out to be; feeds the precision of the rules."""

    CONFIRMED = "confirmed"
    UNFOUNDED = "unfounded"
    DUPLICATE = "duplicate"
    DATA_ERROR = "data_error"


class Gate(StrEnum):
    """What needs a second person."""

    CLOSE = "close"
    REPORT = "report"
    OVERRIDE = "override"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Request:
    """Something that waits for a second person. ``number``: the sequence of its entry.

    ``outcome`` for a closure or report; ``about``: the rule to override, or what to export.
    """

    number: int
    gate: Gate
    author: str
    at_us: int
    reason: str
    outcome: Outcome | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A point of the checklist that was ticked off."""

    item: str
    by: str
    at_us: int


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file of the case; the bytes lie under their SHA-256 (hex). ``size`` in bytes."""

    sha256: str
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Link:
    """Another case that this one has to do with."""

    case: str
    relation: str


@dataclass(frozen=True, slots=True)
class Case:
    """The state of a case after its entry number ``version``. Times in microseconds since 1970.

    ``chain``: the tenant whose log the timeline is chained in ("" is the regulator's own).
    ``priority``: 0–100, more is more pressing. ``alert_kinds``: kinds of its alerts, for what an
    institution may see. ``shared``: a supervisor has opened it to the institution.
    ``overridden``: rules whose finding was overridden here, by two persons. ``secret``: that of its
    theme. ``planned``: what the policy last said, apart from what people made of it since
    (``casework.cases.plans``); empty for a case that a person made.
    """

    id: str
    version: int
    policy: str
    policy_version: str
    theme: str
    key_kind: str
    key: str
    jurisdiction: str
    tenants: tuple[str, ...]
    chain: str
    state: State
    severity: str
    priority: int
    queue: str
    reason: Mapping[str, str]
    opened_us: int
    changed_us: int
    due_us: int | None = None
    warn_us: int | None = None
    clock_told: str = ""
    assignee: str | None = None
    snoozed_until_us: int | None = None
    alert_count: int = 0
    alert_kinds: tuple[str, ...] = ()
    shared: bool = False
    tags: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    links: tuple[Link, ...] = ()
    files: tuple[FileRef, ...] = ()
    requests: tuple[Request, ...] = ()
    overridden: tuple[str, ...] = ()
    outcome: Outcome | None = None
    closing_reason: str = ""
    merged_into: str | None = None
    secret: bool = True
    planned: Mapping[str, Any] = field(default_factory=dict)

    @property
    def withdrawn(self) -> bool:
        """Whether a policy ended it, since its alerts are elsewhere; no person did."""
        return self.ended and "ended" in self.planned

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do unless it is reopened."""
        return self.state in ENDED

    def as_dict(self) -> dict[str, Any]:
        """Plain data, keys in the order of the fields."""
        found: dict[str, Any] = {}
        for name in _ORDER:
            value = getattr(self, name)
            found[name] = value if type(value) in _PLAIN else plain(value)
        return found


_PLAIN: Final = frozenset({str, int, bool, type(None)})


def case_of(document: Mapping[str, Any]) -> Case:
    """The case of ``Case.as_dict``, also after a way through JSON."""
    return Case(**{name: decode_field(name, value) for name, value in document.items()})


def plain(value: Any) -> Any:
    """Values as JSON has them: tuples as lists, words as text, records as objects."""
    if type(value) in _PLAIN:
        return value
    if type(value) in (list, tuple):
        return [item if type(item) in _PLAIN else plain(item) for item in value]
    if type(value) is dict:
        return {
            str(key): item if type(item) in _PLAIN else plain(item) for key, item in value.items()
        }
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, (Request, Check, FileRef, Link)):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return value


def _request(value: Mapping[str, Any]) -> Request:
    outcome = value["outcome"]
    return Request(
        **{
            **value,
            "gate": Gate(value["gate"]),
            "outcome": None if outcome is None else Outcome(outcome),
        }
    )


def _each(build: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: tuple(build(value) for value in values)


_DECODERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "state": State,
    "outcome": lambda value: None if value is None else Outcome(value),
    "tenants": tuple,
    "alert_kinds": tuple,
    "tags": tuple,
    "overridden": tuple,
    "reason": dict,
    "planned": dict,
    "checks": _each(lambda value: Check(**value)),
    "links": _each(lambda value: Link(**value)),
    "files": _each(lambda value: FileRef(**value)),
    "requests": _each(_request),
}


def decode_field(name: str, value: Any) -> Any:
    """A field of ``Case`` from its plain form."""
    decode = _DECODERS.get(name)
    return value if decode is None else decode(value)


_ORDER: Final = tuple(f.name for f in fields(Case))
FIELD_NAMES: Final = frozenset(_ORDER)
