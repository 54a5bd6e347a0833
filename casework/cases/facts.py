"""What policies see of an alert: a small typed value, built once from the alert as it was written.

Where a value is missing it is None, and a pattern or a key that needs it drops the alert: nothing
is ever joined on "missing". How each is found:

* ``institution``: ``subject.institution``, else the reporter of the event (``facts.reporter``).
* ``subject``: ``subject.id``, with the institution in front for customers and accounts, whose ids
  are the institution's own; an event's subject is the event.
* ``group``: the part of the subject that is one (``per: group``, ``holder,counterparty.group``),
  else ``subject.group``, as the engine knows it of the party, else the first of ``GROUP_FACTS``
  that is given, else what the caller knows of the subject's or the counterparty's group
  (``groups``).
* ``counterparty``: the part of the subject that is the other side (``holder,counterparty``), else
  the first of ``COUNTERPARTY_FACTS`` that is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from casework.cases.times import instant_us
from regtech.errors import InputError
from regtech.reference.civil import DAY_US, day_from_iso, days_from_civil

Groups = Mapping[str, str]
"""Party id to the id of its group, as far as the caller knows it."""

GROUP_FACTS: Final = (
    "party.group",
    "group",
    "exporter.group",
    "counterparty.group",
    "borrower.group",
    "holder.group",
    "owner.group",
    "owned.group",
    "payer.group",
    "payee.group",
)
COUNTERPARTY_FACTS: Final = ("counterparty.id", "recipient.id", "borrower.id", "partner.id")
COUNTERPARTY_PARTS: Final = ("counterparty", "recipient", "borrower", "owned", "payee.id")
_NAMES: Final[Mapping[tuple[str, ...], frozenset[str]]] = {
    names: frozenset(names) for names in (GROUP_FACTS, COUNTERPARTY_FACTS)
}
LOCAL_SUBJECTS: Final = ("customer", "account")
"""Subjects whose ids are the institution's own, so that two institutions may use the same."""

TEXT_MAX: Final = 512
"""Longer texts in the place of an id or a word are refused: see ``facts_of``."""

_MISSING: Final = ("", "None")
"""How a part of a subject is written that the event did not have."""

YEARS_US: Final = (days_from_civil(0, 1, 1) * DAY_US, days_from_civil(10_001, 1, 1) * DAY_US)
"""Times before and after these are no times of alerts."""


class AlertFacts(NamedTuple):
    """One alert as policies see it. ``time`` and ``due_at`` are microseconds since 1970 in UTC.

    ``tenant`` is the institution whose data it is ("" for the regulator's own). ``theme`` and
    ``candidate_of`` are given by the policy set: the latter has bit ``i`` set where the alert meets
    a pattern of policy ``i``. ``due_at`` is the instant at which the duty's day is over in the zone
    of the jurisdiction, where ``due`` is a day; it is filled in with the theme.

    A tuple, since one is made for every alert and a dataclass takes several times as long to make.
    """

    id: str
    time: int
    rule: str
    pack: str
    kind: str
    severity: str
    jurisdiction: str
    obligations: tuple[str, ...]
    status: str
    outcome: str
    warning: bool
    late: bool
    per: str
    subject: str | None
    group: str | None
    counterparty: str | None
    institution: str | None
    tenant: str
    due: str | None = None
    due_at: int | None = None
    theme: str = ""
    candidate_of: int | None = None

    @property
    def near(self) -> bool:
        """Whether it is a near miss: close below a limit, no finding by itself."""
        return self.outcome == "near"

    def ready(self, theme: str, due_at: int | None, candidate_of: int | None = None) -> AlertFacts:
        """The same with its theme, the end of its due day, and the policies that may take it."""
        return AlertFacts._make((*self[:_GIVEN], due_at, theme, candidate_of))

    @property
    def order(self) -> tuple[int, str]:
        """Alerts are read in this order: time, then id."""
        return self.time, self.id


_GIVEN: Final = AlertFacts._fields.index("due_at")
"""So many fields are the alert's own; the rest is what policies make of it."""


def facts_of(
    alert: Mapping[str, Any], *, tenant: str | None = None, groups: Groups | None = None
) -> AlertFacts:
    """The facts of an alert as written. ``tenant`` None: the alert's institution.

    Raises ``InputError`` (code ``bad_alert``) for what cannot be an alert: no id, no time, a text
    of more than ``TEXT_MAX`` characters in the place of an id. The caller keeps such a record.
    """
    subject = alert.get("subject")
    written = subject if isinstance(subject, dict) else {}
    facts = alert.get("facts")
    facts = facts if isinstance(facts, dict) else {}
    per = _text(written.get("per"), "subject.per") or ""
    own = _text(written.get("id"), "subject.id")
    institution = _text(written.get("institution"), "subject.institution") or _text(
        facts.get("reporter"), "facts.reporter"
    )
    counterparty = _part(per, own, COUNTERPARTY_PARTS) or _first(facts, COUNTERPARTY_FACTS)
    group = (
        _group_part(per, own)
        or _text(written.get("group"), "subject.group")
        or _first(facts, GROUP_FACTS)
    )
    if group is None and groups:
        group = next(
            (groups[p] for p in (own, counterparty) if p is not None and p in groups), None
        )
    due = _text(alert.get("due"), "due")
    return AlertFacts(
        id=_required(alert, "id"),
        time=instant(_required(alert, "time"), "time"),
        rule=_text(alert.get("rule"), "rule") or "",
        pack=_text(alert.get("pack"), "pack") or "",
        kind=_text(alert.get("kind"), "kind") or "",
        severity=_text(alert.get("severity"), "severity") or "",
        jurisdiction=_text(alert.get("jurisdiction"), "jurisdiction") or "",
        obligations=_texts(alert.get("obligation")),
        status=_text(alert.get("status"), "status") or "",
        outcome=_text(alert.get("outcome"), "outcome") or "",
        warning=alert.get("warning") is True,
        late=alert.get("late") is True,
        per=per,
        subject=_subject(per, own, institution),
        group=group,
        counterparty=counterparty,
        institution=institution,
        tenant=institution or "" if tenant is None else tenant,
        due=due if due is not None and _is_due(due) else None,
    )


def instant(text: str, what: str) -> int:
    """Microseconds since 1970 of a written time; raises ``InputError`` where it is none."""
    try:
        moment = instant_us(text)
    except ValueError:
        raise InputError(f"{what} is not a time with its offset", code="bad_alert") from None
    if not YEARS_US[0] <= moment < YEARS_US[1]:
        raise InputError(f"{what} lies out of all time", code="bad_alert")
    return moment


def due_day(text: str) -> int | None:
    """The day number of a due day; None where the text is an instant."""
    try:
        return day_from_iso(text)
    except ValueError:
        return None


def _is_due(text: str) -> bool:
    day = due_day(text)
    if day is not None:
        return abs(day) < 150_000
    try:
        instant(text, "due")
    except InputError:
        return False
    return True


def _text(value: object, what: str) -> str | None:
    """A text that says something; numbers, lists and nothing are no text."""
    if not value or not isinstance(value, str):
        return None
    if len(value) > TEXT_MAX:
        raise InputError(f"{what} is longer than {TEXT_MAX} characters", code="bad_alert")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not value:
        return ()
    items = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(sorted({text for item in items if (text := _text(item, "obligation"))}))


def _required(alert: Mapping[str, Any], name: str) -> str:
    value = _text(alert.get(name), name)
    if value is None:
        raise InputError(f"an alert without {name!r}", code="bad_alert")
    return value


def _subject(per: str, own: str | None, institution: str | None) -> str | None:
    if own is None:
        return None
    if per in LOCAL_SUBJECTS:
        return f"{institution or ''}|{own}"
    return own


def _part(per: str, own: str | None, names: tuple[str, ...]) -> str | None:
    """The part of a subject of several that stands for one of the names."""
    place = _place_in(per, names)
    if own is None or place is None:
        return None
    parts = own.split("|")
    if len(parts) != place[1]:
        return None  # an id has the separator in it: it cannot be told which part is which
    part = parts[place[0]]
    return part if part not in _MISSING else None


@lru_cache(1024)
def _place_in(per: str, names: tuple[str, ...]) -> tuple[int, int] | None:
    """Where one of the names stands in a subject, and of how many; None where none does."""
    heads = per.split(",")
    return next(((place, len(heads)) for place, head in enumerate(heads) if head in names), None)


def _group_part(per: str, own: str | None) -> str | None:
    if "group" not in per:
        return None
    heads = tuple(head for head in per.split(",") if head == "group" or head.endswith(".group"))
    return _part(per, own, heads)


def _first(facts: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    if _NAMES[names].isdisjoint(facts):  # nearly all: in one step, where the walk takes ten
        return None
    for name in names:
        value = facts.get(name)
        if value is not None and (text := _text(value, name)):
            return text
    return None
