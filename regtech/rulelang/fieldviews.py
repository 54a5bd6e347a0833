"""Which names an expression may use on which event types: the catalogue's fields, and views.

Views: ``party.*`` and ``counterparty.*`` (the subject's side of a transaction and the other),
``direction``, facts about institutions (``payer.institution_country``, ``reporter.country``). A
bare party name means its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from regtech.content.faults import did_you_mean
from regtech.content.saying import Hint, Said, say
from regtech.model.fields import (
    EVENT_TYPES,
    PARTY_FIELDS,
    PARTY_FLAGS,
    Field,
    Kind,
    fields_of,
)
from regtech.rulelang.ir import Type
from regtech.rulelang.types import type_of_field

REPORTER_FACTS: Final = ("country", "region", "flags")

DERIVED: Final = ("is_cash", "is_cross_border")
"""Names on transactions that stand for a condition; the reader expands them."""

SUBJECTS: Final[dict[str, tuple[str, ...]]] = {
    "event": EVENT_TYPES,
    "customer": ("transaction", "loan"),
    "account": ("transaction",),
    "party": ("transaction", "party"),
    "group": ("transaction", "exposure", "data_transfer", "loan"),
    "institution": EVENT_TYPES,
}
"""Aliases of ``per`` and the event types that have them."""

SIDE_SUBJECTS: Final = ("customer", "account", "party", "group")
"""Subjects that on a transaction are one of its sides."""


def _view(prefix: str, doc: str) -> dict[str, Field]:
    return {
        f"{prefix}.{f.path}": Field(
            f"{prefix}.{f.path}", f.kind, f"{doc}: {f.doc}", words=f.words, enum=f.enum, fact=f.fact
        )
        for f in PARTY_FIELDS
    }


def party_names(event_type: str) -> tuple[str, ...]:
    """Names of the parties an event of this type has."""
    paths = fields_of(event_type)
    return tuple(path[: -len(".id")] for path in paths if path.endswith(".id"))


@cache
def names_of(event_type: str) -> dict[str, Field]:
    """Every path an expression may use on this event type, views included."""
    fields = dict(fields_of(event_type))
    parties = list(party_names(event_type))
    if event_type == "transaction":
        fields.update(_view("party", "the subject's side"))
        fields.update(_view("counterparty", "the other side"))
        fields["direction"] = Field(
            "direction", Kind.SYMBOL, "in or out, as the subject sees it", enum=("in", "out")
        )
        parties += ["party", "counterparty"]
    for party in parties:
        path = f"{party}.institution_country"
        fields[path] = Field(path, Kind.SYMBOL, f"country of the institution of {party}")
    fields["reporter.country"] = Field(
        "reporter.country", Kind.SYMBOL, "country of the reporting institution"
    )
    fields["reporter.region"] = Field(
        "reporter.region", Kind.SYMBOL, "region of the reporting institution"
    )
    fields["reporter.flags"] = Field(
        "reporter.flags", Kind.FLAGS, "what is known of the reporter", words=PARTY_FLAGS
    )
    return fields


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A path that is not a field here: fault code, message and hint."""

    code: str
    message: Said
    hint: Hint = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A field by its canonical path (a bare party name becomes its id)."""

    path: str
    type: Type
    field: Field


@lru_cache(maxsize=4096)
def resolve_path(path: str, event_types: tuple[str, ...]) -> Resolved | Unresolved:
    """Finds a path on any of the event types; on the others it is unknown (missing)."""
    for candidate in (path, f"{path}.id"):
        for event_type in event_types:
            field = names_of(event_type).get(candidate)
            if field is not None:
                return Resolved(candidate, type_of_field(field), field)
    elsewhere = [
        event_type
        for event_type in EVENT_TYPES
        if path in names_of(event_type) or f"{path}.id" in names_of(event_type)
    ]
    here = " or ".join(event_types)
    if elsewhere:
        return Unresolved(
            "RL215",
            say("%(path)r is not a field of %(here)s", path=path, here=here),
            say("it is a field of %(elsewhere)s", elsewhere=", ".join(elsewhere)),
        )
    known: dict[str, None] = {}
    for event_type in event_types:
        known.update(dict.fromkeys(names_of(event_type)))
        known.update(dict.fromkeys(party_names(event_type)))
    known.update(dict.fromkeys(DERIVED))
    return Unresolved("RL203", say("unknown field %(path)r", path=path), did_you_mean(path, known))


def resolve_subject(word: str, event_types: tuple[str, ...]) -> Unresolved | None:
    """Checks one word of ``per``; every event type must have the subject."""
    for event_type in event_types:
        if word in SUBJECTS:
            if event_type in SUBJECTS[word]:
                continue
            return Unresolved(
                "RL217",
                say("%(event_type)s has no %(word)r", event_type=event_type, word=word),
                say(
                    "%(word)r is a subject on %(subjects)s",
                    word=word,
                    subjects=", ".join(SUBJECTS[word]),
                ),
            )
        found = resolve_path(word, (event_type,))
        if isinstance(found, Unresolved):
            if found.code == "RL215":
                return Unresolved(
                    "RL217",
                    say("%(event_type)s has no %(word)r", event_type=event_type, word=word),
                    found.hint,
                )
            known = [*SUBJECTS, *party_names(event_type), *names_of(event_type)]
            return Unresolved(
                "RL203", say("unknown subject %(word)r", word=word), did_you_mean(word, known)
            )
    return None
