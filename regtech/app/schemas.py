"""JSON Schemas of the outer contract, made from the tables that the code itself uses."""

from __future__ import annotations

from typing import Any

from regtech.model.alert import EVENT_IDS_MAX
from regtech.model.fields import COMMON, EVENT_TYPES, REQUIRED, TYPE_FIELDS, Field, Kind

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DECIMAL = r"^-?\d+(\.\d+)?$"
_TIME = r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$"


def _leaf(field: Field) -> dict[str, Any]:
    """The schema of one field's value."""
    match field.kind:
        case Kind.MONEY | Kind.DECIMAL:
            schema: dict[str, Any] = {
                "anyOf": [{"type": "string", "pattern": _DECIMAL}, {"type": "integer"}]
            }
        case Kind.INTEGER:
            schema = {"type": "integer"}
        case Kind.BOOLEAN:
            schema = {"type": "boolean"}
        case Kind.TIME:
            schema = {"type": "string", "pattern": _TIME}
        case Kind.DATE:
            schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d"}
        case Kind.FLAGS:
            schema = {"type": "array", "items": {"enum": list(field.words)}}
        case Kind.PERSONS:
            schema = {"type": "array", "items": {"type": "string"}}
        case _:
            schema = {"type": "string", "minLength": 1}
    if field.enum:
        schema = {"enum": list(field.enum)}
    return {"description": field.doc, **schema} if field.doc else schema


def _data_items(fields: dict[str, Field]) -> dict[str, Any]:
    """``data`` is a list of items; the catalogue holds what the engine keeps of them."""
    properties: dict[str, Any] = {}
    for name, field in fields.items():
        properties[name] = {"enum": list(field.words)} if field.words else _leaf(field)
    return {"type": "array", "items": {"type": "object", "properties": properties}}


def _object(fields: dict[str, Field], required: tuple[str, ...]) -> dict[str, Any]:
    """Fields by path, nested: ``payer.id`` becomes a property of the object ``payer``."""
    properties: dict[str, Any] = {}
    nested: dict[str, dict[str, Field]] = {}
    for path, field in fields.items():
        head, dot, rest = path.partition(".")
        if not dot:
            properties[head] = _leaf(field)
        else:
            nested.setdefault(head, {})[rest] = field
    for head, inner in nested.items():
        if head == "data":
            properties[head] = _data_items(inner)
            continue
        wanted = tuple(p.partition(".")[2] for p in required if p.startswith(f"{head}."))
        properties[head] = _object(inner, wanted)
        if "id" in inner:
            # A plain string in the place of a party is its id.
            properties[head] = {"anyOf": [{"type": "string", "minLength": 1}, properties[head]]}
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    heads = list(dict.fromkeys(path.partition(".")[0] for path in required))
    if heads:
        schema["required"] = heads
    return schema


def event_schema() -> dict[str, Any]:
    """One event of the outer contract; fields beside those named are allowed and ignored."""
    variants = []
    for event_type in EVENT_TYPES:
        fields = {f.path: f for f in (*COMMON, *TYPE_FIELDS[event_type])}
        required = ("id", "type", "time", "reporter", *REQUIRED[event_type])
        schema = _object(fields, required)
        schema["properties"]["type"] = {"const": event_type}
        schema["properties"]["source"] = {"type": "object", "description": "where it came from"}
        variants.append({"title": event_type, **schema})
    return {
        "$schema": _DRAFT,
        "title": "regtech event",
        "type": "object",
        "required": [field.path for field in COMMON if field.path != "project"],
        "properties": {"type": {"enum": list(EVENT_TYPES)}},
        "oneOf": variants,
    }


_TEXTS: dict[str, Any] = {
    "type": "object",
    "properties": {"en": {"type": "string"}, "zh": {"type": "string"}},
    "required": ["en", "zh"],
}
_MOMENT: dict[str, Any] = {"type": "string", "pattern": _TIME}

ALERT_PROPERTIES: dict[str, dict[str, Any]] = {
    "id": {"type": "string", "description": "of the finding: the same in every run"},
    "rule": {"type": "string"},
    "rule_version": {"type": "string"},
    "pack": {"type": "string"},
    "pack_digest": {"type": "string", "description": "SHA-256 of the pack's content"},
    "jurisdiction": {"type": "string"},
    "obligation": {"type": "array", "items": {"type": "string"}},
    "cite": {"type": ["object", "null"], "description": "instrument, article, confidence"},
    "kind": {"type": "string", "description": "breach, report, suspicion, limit, deadline, …"},
    "severity": {"enum": ["critical", "high", "medium", "low", "info"]},
    "status": {"enum": ["enabled", "advisory", "shadow", "disabled"]},
    "subject": {
        "type": "object",
        "description": "whom it is about; `group` where one is known of the party",
        "properties": {
            "per": {"type": "string"},
            "id": {"type": "string"},
            "institution": {"type": "string", "description": "whose customer or account it is"},
            "group": {"type": "string", "description": "its group, where one is known"},
        },
        "required": ["per", "id"],
    },
    "period": {"type": "string", "description": "2026-03-02, 2026-W10, 2026-03, 2026-Q1, …"},
    "time": {**_MOMENT, "description": "of the event that met it"},
    "outcome": {"enum": ["met", "cannot_tell"]},
    "warning": {"type": "boolean", "description": "a deadline that is near, not yet passed"},
    "measures": {"type": "object", "description": "name to value; money as amount and currency"},
    "params": {"type": "object", "description": "the figures in force, with their basis"},
    "law_as_of": {
        "type": ["string", "null"],
        "description": "day whose law a rehearsal judged by; null: the event's own day",
    },
    "rate": {"type": ["object", "null"], "description": "table, date and value of a conversion"},
    "facts": {"type": "object", "description": "fields of the event that the rule looked at"},
    "inputs": {"type": "array", "description": "what `replay` decides from"},
    "findings": {
        "type": "object",
        "description": "what detectors say to the facts that they answered; left out where empty",
    },
    "events": {"type": "array", "items": {"type": "string"}, "maxItems": EVENT_IDS_MAX},
    "event_count": {"type": "integer"},
    "event_digest": {"type": "string", "description": "SHA-256 over the ids of all of them"},
    "due": {"type": ["string", "null"], "description": "until when a duty is to be done"},
    "late": {"type": "boolean"},
    "source": {"type": ["object", "null"], "description": "file and line of the event"},
    "explanation": _TEXTS,
    "seal": {"type": "string", "description": "SHA-256 over the alert's bytes without it"},
}
"""Every key of an alert, in the order in which it is written; tests compare it with the code."""


def alert_schema() -> dict[str, Any]:
    """One alert as `regtech run` writes it."""
    return {
        "$schema": _DRAFT,
        "title": "regtech alert",
        "type": "object",
        "properties": ALERT_PROPERTIES,
        "required": [name for name in ALERT_PROPERTIES if name != "findings"],
        "additionalProperties": False,
    }


def schema_of(name: str) -> dict[str, Any]:
    """The schema of ``event``, ``rule`` or ``alert``."""
    if name == "event":
        return event_schema()
    if name == "alert":
        return alert_schema()
    from regtech.rulelang.schema import pack_schema

    return pack_schema()
