"""JSON Schema of a policy file, for completion and hints in editors.

The reader finds more than a schema can say; the schema must never refuse what the reader accepts.
"""

from __future__ import annotations

from typing import Any, Final

from casework.cases.directive import ASIDES
from casework.policy.load import ORDER_MAX
from casework.policy.matcher import PATTERNS_MAX
from casework.policy.model import (
    EXTRA_KEYS,
    FLAG_FIELDS,
    KINDS,
    MAIN_KEYS,
    OUTCOMES,
    PRIORITIES,
    SEVERITIES,
    STATUSES,
    WORD_FIELDS,
)
from casework.policy.testcases import ALERT_KEYS, CASE_KEYS
from casework.ports import EVENT_TYPES

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_IDENTIFIER: Final = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
_WORDS: Final = {
    "kind": KINDS,
    "severity": SEVERITIES,
    "status": STATUSES,
    "outcome": OUTCOMES,
}

Schema = dict[str, Any]


def _object(properties: Schema, required: tuple[str, ...] = (), doc: str = "") -> Schema:
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        found["required"] = list(required)
    if doc:
        found["description"] = doc
    return found


def _one_or_list(item: Schema, doc: str = "") -> Schema:
    found: Schema = {"anyOf": [item, {"type": "array", "items": item}]}
    return {**found, "description": doc} if doc else found


def policy_schema() -> Schema:
    """Schema of a whole policy file."""
    text = {"$ref": "#/$defs/text"}
    return {
        "$schema": DRAFT,
        "title": "Policies",
        **_object(
            {
                "set": {"$ref": "#/$defs/id"},
                "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
                "title": text,
                "themes": {"type": "array", "items": {"$ref": "#/$defs/theme"}},
                "policies": {"type": "array", "items": {"$ref": "#/$defs/policy"}},
            },
            ("set", "version", "title"),
        ),
        "$defs": {
            "id": {"type": "string", "pattern": _IDENTIFIER},
            "text": _object({"en": {"type": "string"}, "zh": {"type": "string"}}, ("en", "zh")),
            "window": {"type": "string", "examples": ["24h", "7d", "30 days"]},
            "fields": _object(_fields()),
            "pattern": {
                "anyOf": [
                    {"const": "any"},
                    _object({**_fields(), "not": {"$ref": "#/$defs/fields"}}),
                ]
            },
            "theme": _object(
                {
                    "id": {"$ref": "#/$defs/id"},
                    "title": text,
                    "alerts": _one_or_list({"$ref": "#/$defs/pattern"}),
                    "secret": {
                        "type": "boolean",
                        "description": "an institution never learns of indicators in it",
                    },
                    "points": {"type": "array", "items": {"$ref": "#/$defs/point"}},
                },
                ("id", "title", "alerts"),
            ),
            "point": _object(
                {
                    "id": {"$ref": "#/$defs/id"},
                    "title": text,
                    "required": {"type": "boolean"},
                },
                ("id", "title"),
                "a point of the checklist",
            ),
            "policy": _policy(),
            "test": _test(),
        },
    }


def _fields() -> Schema:
    found: Schema = {}
    for name, doc in WORD_FIELDS.items():
        item: Schema = {"enum": list(_WORDS[name])} if name in _WORDS else {"type": "string"}
        found[name] = _one_or_list(item, doc)
    for name, doc in FLAG_FIELDS.items():
        found[name] = {"type": "boolean", "description": doc}
    return found


def _policy() -> Schema:
    pattern: Schema = {"$ref": "#/$defs/pattern"}
    window: Schema = {"$ref": "#/$defs/window"}
    together = {
        "type": "array",
        "items": pattern,
        "minItems": 2,
        "maxItems": PATTERNS_MAX,
        "description": "alerts that meet these patterns, a different one each, come together",
    }
    keys: Schema = {"enum": [*MAIN_KEYS, *EXTRA_KEYS]}
    count = _object(
        {"at_least": {"type": "integer", "minimum": 2}, "distinct": keys}, ("at_least",)
    )
    return _object(
        {
            "id": {"$ref": "#/$defs/id"},
            "title": {"$ref": "#/$defs/text"},
            "order": {"type": "integer", "minimum": 0, "maximum": ORDER_MAX},
            "on": {**pattern, "description": "alerts that meet this pattern"},
            "any": _one_or_list({"anyOf": [pattern, _object({"all": together}, ("all",))]}),
            "all": together,
            "same": _one_or_list(keys, "what the alerts have in common"),
            "within": {**window, "description": "window of all, count and absent"},
            "count": {"anyOf": [{"type": "integer", "minimum": 2}, count]},
            "absent": {**pattern, "description": "no such alert follows within the window"},
            "case": _case(window),
            "suppress": _object({"reason": {"$ref": "#/$defs/text"}}, ("reason",)),
            "snooze": _object({"for": window}, ("for",)),
            "brake": _object(
                {
                    "above": {"type": "string", "examples": ["20%"]},
                    "over": window,
                    "at_least": {"type": "integer", "minimum": 1},
                },
                ("above", "over", "at_least"),
                "hold back a rule that fires on too many of its subjects, or single events",
            ),
            "tests": {"type": "array", "items": {"$ref": "#/$defs/test"}},
        },
        ("id", "title", "order"),
    )


def _case(window: Schema) -> Schema:
    return _object(
        {
            "queue": {"$ref": "#/$defs/id"},
            "theme": {"type": "string", "description": "a theme, or alert: that of the alerts"},
            "priority": {"enum": ["severity", *PRIORITIES]},
            "merge": {"anyOf": [{"const": "ever"}, window]},
            "sla": {"type": "string", "examples": ["5 working days", "72 hours"]},
            "due": {"const": "alert"},
        },
        ("queue", "theme", "priority"),
    )


def _test() -> Schema:
    flags = ("near", "warning", "late")
    alert: Schema = {
        name: {"type": "boolean"} if name in flags else {"type": ["string", "number"]}
        for name in ALERT_KEYS
    }
    alert["obligation"] = _one_or_list({"type": "string"})
    case: Schema = {name: {} for name in CASE_KEYS}
    listed: Schema = _one_or_list({"type": "string"})
    expect = _object(
        {
            "cases": _one_or_list(_object(case, ("alerts",))),
            **{outcome: listed for outcome in ASIDES},
        }
    )
    return _object(
        {
            "name": {"type": "string"},
            "alerts": _one_or_list(_object(alert, ("id", "time", "rule"))),
            "until": {"type": "string"},
            "watched": {
                "type": "integer",
                "minimum": 0,
                "description": "for how many subjects every rule is evaluated",
            },
            "events": _one_or_list(
                _object(
                    {
                        "day": {"type": "string", "examples": ["2026-03-02"]},
                        "institution": {"type": "string"},
                        "count": {"type": "integer", "minimum": 0},
                        "type": {"enum": list(EVENT_TYPES)},
                        "jurisdiction": {"type": "string"},
                    },
                    ("day", "institution", "count"),
                ),
                "how many events rules looked at whose subject is each single event",
            ),
            "expect": {"anyOf": [{"const": "none"}, expect]},
        },
        ("name", "alerts", "expect"),
    )
