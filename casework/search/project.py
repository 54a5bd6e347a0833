"""What the index holds of the record: cases, alerts, and the parties that alerts name.

A case is there once for those with a full view, and once for each of its institutions with what
that one may be shown: its own open alerts and what was said to it. So nothing that an institution
may not know is in a document that it can find, neither in words nor in counts nor in the order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from casework.cases.alert import StoredAlert
from casework.cases.case import Case
from casework.cases.disclosure import (
    Disclosure,
    alerts_shown,
    disclosure,
    institution_view,
    sees,
)
from casework.cases.grades import Grade, grade_of
from casework.cases.scope import Role, Scope
from casework.cases.themes import Themes
from casework.cases.timeline import Entry, EntryKind
from casework.search.document import Document
from casework.search.query import Kind
from casework.search.text import sealed

VALUES_MAX: Final = 1_000
"""Values of one field of one document; alerts and parties are documents of their own."""
NOTES_MAX: Final = 200
"""The latest comments of a case that are searched."""
TEXT_MAX: Final = 500
"""Signs of one value."""


@dataclass
class _Words:
    """Values by how much they say of a person, each once, in the order they came."""

    names: dict[str, None] = field(default_factory=dict)
    numbers: dict[str, None] = field(default_factory=dict)
    text: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    sealed: dict[str, None] = field(default_factory=dict)

    def add(self, values: dict[str, None], *new: Any) -> None:
        for value in new:
            if isinstance(value, str) and value.strip() and len(values) < VALUES_MAX:
                values[value[:TEXT_MAX]] = None

    def fact(self, path: str, value: Any) -> None:
        """A fact of an alert, to where its grade puts it; what is open is no way to find it."""
        if isinstance(value, (list, tuple)):
            for item in value[:VALUES_MAX]:
                self.fact(path, item)
            return
        if isinstance(value, Mapping):
            for name, item in value.items():
                self.fact(f"{path}.{name}", item)
            return
        if not isinstance(value, str) or not value.strip():
            return
        grade = grade_of(path)
        last = path.rpartition(".")[2]
        if grade is Grade.SENSITIVE or last in ("birth_date", "phone", "email"):
            self.add(self.sealed, sealed(value))
        elif grade is Grade.PERSONAL:
            self.add(self.names, value)
        elif grade is Grade.IDENTIFIER:
            self.add(self.numbers, value)

    def fields(self) -> dict[str, Any]:
        """The fields of a document."""
        return {
            "names": tuple(self.names),
            "numbers": tuple(self.numbers),
            "text": tuple(self.text),
            "notes": tuple(self.notes),
            "sealed": tuple(self.sealed),
        }


def _take_alert(words: _Words, alert: StoredAlert, body: Mapping[str, Any]) -> None:
    """What an alert is found by."""
    cite = body.get("cite") or {}
    title = cite.get("title") or {}
    words.add(words.text, alert.rule, alert.pack, alert.kind)
    words.add(words.text, *(body.get("explanation") or {}).values())
    words.add(words.text, *(body.get("obligation") or ()), *title.values())
    for path, value in sorted((body.get("facts") or {}).items()):
        words.fact(f"facts.{path}", value)
    for kind, value in alert.keys():
        # Keys of subjects name the institution before the id: each is found by itself.
        values = value.split("|") if kind.value == "subject" else [value]
        if kind.value == "person":
            words.add(words.sealed, *(sealed(value) for value in values))
        else:
            words.add(words.numbers, *values)


def alert_documents(alert: StoredAlert) -> list[Document]:
    """The alert, and each party that it names, as it names it."""
    body = alert.body()
    open_kind = disclosure(True, alert.kind) is Disclosure.OPEN
    words = _Words()
    _take_alert(words, alert, body)
    made = [
        Document(
            id=f"alert:{alert.id}",
            kind=Kind.ALERT,
            subject=alert.id,
            version=1,  # an alert never changes
            full=True,
            restricted=open_kind,
            jurisdiction=alert.jurisdiction,
            tenants=(alert.tenant,),
            severity=alert.severity,
            at_us=alert.time_us,
            title=_title(body.get("explanation"), alert.rule),
            **words.fields(),
        )
    ]
    for party in _parties(body):
        made.append(_party_document(alert, party, restricted=False))
        if open_kind:
            made.append(_party_document(alert, party, restricted=True))
    return made


def _title(said: Any, otherwise: str) -> dict[str, str]:
    found = {
        str(lang): text for lang, text in sorted((said or {}).items()) if isinstance(text, str)
    }
    return found or {"en": otherwise}


def _parties(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Facts by the party that they are about, of those that have an id or an account."""
    found: dict[str, dict[str, Any]] = {}
    for path, value in (body.get("facts") or {}).items():
        head, _, rest = str(path).partition(".")
        if rest and value not in (None, "", [], {}):
            found.setdefault(head, {})[rest] = value
    for _, facts in sorted(found.items()):
        if isinstance(facts.get("id"), str) or isinstance(facts.get("account"), str):
            yield facts


def _party_document(alert: StoredAlert, party: Mapping[str, Any], *, restricted: bool) -> Document:
    """A party as it was named once: its id is its content, so that it never changes."""
    words = _Words()
    for path, value in sorted(party.items()):
        words.fact(f"party.{path}", value)
    identity = party.get("id") or party.get("account")
    audience = "restricted" if restricted else "full"
    of = (alert.jurisdiction, alert.tenant, str(identity))
    subject = "P-" + _digest(of)[:20]
    named = [value for values in words.fields().values() for value in (*values, "")]
    return Document(
        id=f"party:{audience}:{_digest((*of, *named))[:32]}",
        kind=Kind.PARTY,
        subject=subject,
        version=1,
        full=not restricted,
        restricted=restricted,
        jurisdiction=alert.jurisdiction,
        tenants=(alert.tenant,),
        **words.fields(),
    )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def case_documents(
    case: Case, alerts: Sequence[StoredAlert], timeline: Sequence[Entry], themes: Themes
) -> list[Document]:
    """The case for those who work it, and for each institution that it has or had."""
    words = _Words()
    tenants = {*case.tenants, *(alert.tenant for alert in alerts)}
    notes: list[str] = []
    for entry in timeline:
        for values in (entry.before, entry.after):
            tenants.update(values.get("tenants") or ())
        if entry.kind in (EntryKind.COMMENTED, EntryKind.FILE_ADDED):
            notes += [str(entry.detail[n]) for n in ("text", "name") if entry.detail.get(n)]
    words.add(words.text, *case.reason.values(), *themes.of(case.theme).title.values())
    words.add(words.text, case.policy, case.assignee, *case.tags)
    for part in case.key.split("|"):
        words.fact("subject.key", part)
    for alert in alerts:
        _take_alert(words, alert, alert.body())
    words.add(words.notes, case.closing_reason, *reversed(notes[-NOTES_MAX:]))
    made = [
        Document(
            id=f"case:{case.id}",
            kind=Kind.CASE,
            subject=case.id,
            version=case.version,
            full=True,
            jurisdiction=case.jurisdiction,
            tenants=case.tenants,
            theme=case.theme,
            state=case.state.value,
            queue=case.queue,
            severity=case.severity,
            open=not case.ended,
            at_us=case.changed_us,
            title=_title(case.reason, case.id),
            **words.fields(),
        )
    ]
    made += (_disclosed(case, tenant, alerts, timeline, themes) for tenant in sorted(tenants))
    return made


def _disclosed(
    case: Case,
    tenant: str,
    alerts: Sequence[StoredAlert],
    timeline: Sequence[Entry],
    themes: Themes,
) -> Document:
    """What the institution may be shown; where that is no alert, that there is nothing (more)."""
    scope = Scope("index", frozenset({Role.INSTITUTION}), None, frozenset({tenant}))
    identity = f"case:{case.id}:{tenant}"
    shown = {alert.id: alert for alert in alerts_shown(case, alerts, scope)}
    # An alert of its own that may be shown is not enough: of a case about several institutions it
    # may not know at all while there is something in it that nobody may be told.
    if not shown or not sees(scope, case):
        return Document(
            id=identity, kind=Kind.CASE, subject=case.id, version=case.version, gone=True
        )
    view = institution_view(case, alerts, timeline, scope)
    words = _Words()
    words.add(words.text, *themes.of(case.theme).title.values())
    for line in view["alerts"]:
        words.add(words.text, line["rule"], line["kind"], *(line["explanation"] or {}).values())
        alert = shown[line["id"]]
        # The facts are shown of alerts that are open by themselves, not by decision.
        if disclosure(True, alert.kind) is Disclosure.OPEN:
            _take_alert(words, alert, alert.body())
    for said in reversed(view["messages"][-NOTES_MAX:]):
        words.add(words.notes, said.get("text"), said.get("name"))
    return Document(
        id=identity,
        kind=Kind.CASE,
        subject=case.id,
        version=case.version,
        restricted=True,
        jurisdiction=case.jurisdiction,
        tenants=(tenant,),
        theme=case.theme,
        open=view["open"],
        # Not the last change: that would tell when something else happened to the case.
        at_us=case.opened_us,
        title=dict(themes.of(case.theme).title),
        **words.fields(),
    )
