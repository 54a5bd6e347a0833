"""JSON Schema of a rulepack, for completion and hints in editors.

The checker finds more than a schema can say; the schema must never refuse what the checker accepts.
"""

from __future__ import annotations

from typing import Any, Final

from regtech.model.fields import EVENT_TYPES, all_fields
from regtech.rulelang.consequences import ALERT_KINDS, SEVERITIES
from regtech.rulelang.fieldviews import SUBJECTS, party_names
from regtech.rulelang.functions import FUNCTIONS
from regtech.rulelang.measures import MEASURES
from regtech.rulelang.params import BASES, CONFIDENCES
from regtech.rulelang.rules import PERIODS, STATUSES

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def _object(properties: Schema, required: tuple[str, ...] = (), doc: str = "") -> Schema:
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        found["required"] = list(required)
    if doc:
        found["description"] = doc
    return found


def _one_or_list(item: Schema, doc: str) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item}], "description": doc}


def pack_schema() -> Schema:
    """Schema of a whole pack."""
    return {
        "$schema": DRAFT,
        "title": "Rulepack",
        **_object(
            {
                "pack": {"$ref": "#/$defs/id"},
                "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
                "jurisdiction": {"type": "string"},
                "title": {"$ref": "#/$defs/text"},
                "instruments": _map(_instrument()),
                "params": _map(_param()),
                "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
                "not_decided": _map({"$ref": "#/$defs/text"}),
            },
            ("pack", "version", "jurisdiction", "title"),
        ),
        "$defs": {
            "id": {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"},
            "text": _object({"en": {"type": "string"}, "zh": {"type": "string"}}, ("en", "zh")),
            "span": _object({"from": _day(), "until": _day()}, (), "Days in force, both included."),
            "expression": _expression(),
            "figure": _figure(),
            "rule": _rule(),
        },
    }


def _map(item: Schema) -> Schema:
    return {"type": "object", "additionalProperties": item}


def _day() -> Schema:
    return {"type": "string", "format": "date"}


def _figure() -> Schema:
    return {
        "description": "CNY 50000, 25%, 3 events, 72 hours, 5 working days, text, words",
        "anyOf": [
            {"type": ["string", "number", "boolean"]},
            {"type": "array", "items": {"type": "string"}},
        ],
    }


def _instrument() -> Schema:
    properties = {
        "title": {"$ref": "#/$defs/text"},
        "in_force": {"$ref": "#/$defs/span"},
        "url": {"type": "string"},
    }
    return _object(properties, ("title",))


def _param() -> Schema:
    version = _object(
        {"from": _day(), "until": _day(), "value": {"$ref": "#/$defs/figure"}}, ("value",)
    )
    return _object(
        {
            "value": {"$ref": "#/$defs/figure"},
            "values": {"type": "array", "items": version},
            "basis": {"enum": list(BASES), "description": "a default is never shown as law"},
            "confidence": {"enum": list(CONFIDENCES)},
            "note": {"$ref": "#/$defs/text"},
        },
        ("basis",),
    )


def _expression() -> Schema:
    calls = [(name, item.signature, item.doc) for name, item in FUNCTIONS.items()]
    calls += [(name, spec.signature, spec.doc) for name, spec in MEASURES.items()]
    return {
        "type": ["string", "boolean", "number"],
        "description": "An expression. Functions: " + ", ".join(said for _, said, _ in calls),
        "examples": sorted(all_fields()),
        # Not of JSON Schema, which leaves such keys to its readers: for completion in the pages.
        "x-functions": [{"name": name, "signature": said, "doc": doc} for name, said, doc in calls],
    }


def _rule() -> Schema:
    parties = {name: None for event_type in EVENT_TYPES for name in party_names(event_type)}
    expression = {"$ref": "#/$defs/expression"}
    text = {"type": "string"}
    subject: Schema = {"anyOf": [{"enum": list({**SUBJECTS, **parties})}, text]}
    return _object(
        {
            "id": {"$ref": "#/$defs/id"},
            "title": {"$ref": "#/$defs/text"},
            "cite": _object(
                {
                    "instrument": text,
                    "article": {"type": ["string", "number"]},
                    "confidence": {"enum": list(CONFIDENCES)},
                    "text_digest": text,
                },
                ("instrument", "article", "confidence"),
            ),
            "obligation": _one_or_list(text, "ids in the register of obligations"),
            "in_force": {"$ref": "#/$defs/span"},
            "status": {"enum": list(STATUSES)},
            "on": _one_or_list({"enum": list(EVENT_TYPES)}, "types of events"),
            "per": _one_or_list(subject, "the subject"),
            "by": _one_or_list(text, "paths that split the subject"),
            "where": expression,
            "let": _map(expression),
            "when": expression,
            "period": {"enum": list(PERIODS)},
            "again": _object({"value": text, "step": expression}, ("value", "step")),
            "yields_to": _one_or_list(text, "rules whose being met silences this one"),
            "cannot_tell": {"enum": ["count", "alert"]},
            "deadline": _deadline(),
            "detect": {"type": "object", "required": ["detector"]},
            "alert": _alert(),
            "explain": {"$ref": "#/$defs/text"},
            "misses": {"$ref": "#/$defs/text"},
            "tests": {"type": "array", "items": _test()},
        },
        ("id", "title", "on", "per", "alert"),
    )


def _deadline() -> Schema:
    expression = {"$ref": "#/$defs/expression"}
    text = {"type": "string"}
    return _object(
        {
            "within": text,
            "start": expression,
            "start_period_end": {"enum": ["day", "week", "month", "quarter", "year"]},
            "closed_by": expression,
            "warn": text,
            "about": expression,
        },
        ("within", "closed_by"),
    )


def _alert() -> Schema:
    text = {"type": "string"}
    return _object(
        {
            "kind": {"enum": list(ALERT_KINDS)},
            "severity": {"enum": list(SEVERITIES)},
            "report": text,
            "due": {**text, "examples": ["5 working days", "72 hours"]},
            "due_from": text,
            "due_basis": {"enum": list(BASES)},
        },
        ("kind", "severity"),
    )


def _test() -> Schema:
    alert = {"type": "object"}
    expected = [
        {"enum": ["none", "cannot tell"]},
        _object({"alert": alert}, ("alert",)),
        _object({"alerts": {"type": "array", "items": alert}}, ("alerts",)),
    ]
    return _object(
        {
            "name": {"type": "string"},
            "events": {"type": "array", "items": {"type": "object"}},
            "until": {"type": "string"},
            "expect": {"anyOf": expected},
        },
        ("name", "events", "expect"),
    )
