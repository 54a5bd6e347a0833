"""Digests of content: the same meaning has the same digest, however it is laid out.

Covered is what decides or is shown in an alert: a rule with the parameters and the instrument it
uses. Not covered: comments, formatting, order of keys, tests (adding a test changes no finding).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, Final

from regtech.rulelang.ir import Pack, Rule, Type
from regtech.rulelang.rules import params_of

_SKIPPED: Final = frozenset({"mark", "digest", "tests"})


@cache
def _parts(kind: Any) -> tuple[str, ...]:
    """Names of the fields of a dataclass that belong to its content."""
    skipped = _SKIPPED | {"path"} if kind is Pack else _SKIPPED
    return tuple(part.name for part in fields(kind) if part.name not in skipped)


def canonical(value: Any) -> Any:
    """JSON-like data that says the same as the value, without places and layout."""
    kind: Any = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is tuple or kind is list:
        return [canonical(item) for item in value]
    if kind is int or kind is Fraction or kind is Decimal:
        number = Fraction(value)
        return {"number": f"{number.numerator}/{number.denominator}"}
    if kind is Type:
        return _canonical_type(value)
    if is_dataclass(value):
        data: dict[str, Any] = {"": kind.__name__}
        for name in _parts(kind):
            data[name] = canonical(getattr(value, name))
        return data
    if kind is dict:
        return {str(key): canonical(item) for key, item in value.items()}
    if kind is frozenset or kind is set:
        return sorted(value)
    if kind is date:
        return {"day": value.isoformat()}
    raise TypeError(f"no canonical form of {kind.__name__}")


@cache
def _canonical_type(value: Type) -> dict[str, Any]:
    """Types recur in every node; their form is shared and never changed."""
    return {"": "Type", "currency": value.currency, "name": value.name, "unit": value.unit}


def canonical_bytes(value: Any) -> bytes:
    """Canonical JSON, UTF-8, keys sorted."""
    return json.dumps(
        canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode("utf-8")


def sha256(value: Any) -> str:
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def rule_content(rule: Rule, pack: Pack) -> dict[str, Any]:
    """The rule with what it uses of its pack. The order of lets matters (they are shown so)."""
    instrument = pack.instruments.get(rule.cite.instrument) if rule.cite else None
    return {
        "jurisdiction": pack.jurisdiction,
        "rule": rule,
        "lets": list(rule.lets),
        "params": {name: pack.params[name] for name in params_of(rule) if name in pack.params},
        "instrument": instrument,
    }


def rule_digest(rule: Rule, pack: Pack) -> str:
    """SHA-256, hexadecimal, of a rule's content."""
    return sha256(rule_content(rule, pack))


def pack_digest(pack: Pack) -> str:
    """SHA-256, hexadecimal, of a pack's content; its rules' digests must be filled in."""
    return sha256(
        {
            "pack": pack.id,
            "version": pack.version,
            "jurisdiction": pack.jurisdiction,
            "title": pack.title,
            "instruments": pack.instruments,
            "params": pack.params,
            "not_decided": pack.not_decided,
            "rules": [[rule.id, rule.digest] for rule in pack.rules],
        }
    )
