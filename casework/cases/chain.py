"""The hash chain of a tenant's log: each entry's hash covers the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

FIRST_PREVIOUS: Final = bytes(32)
"""What the first entry of a chain is chained to."""


def canonical(content: Any) -> bytes:
    """The one form that is hashed: UTF-8 JSON, keys sorted, no blanks, nothing escaped."""
    text = json.dumps(
        content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.encode()


def entry_hash(previous: bytes, content: Mapping[str, Any]) -> bytes:
    """SHA-256 over the hash before and the canonical content (which has no hash in it)."""
    return hashlib.sha256(previous + canonical(content)).digest()


def commitment(salt: bytes, value: Any) -> str:
    """What stands in the content for a graded value: SHA-256, in hex, over salt and value.

    Whoever is given salt and value can check it; without them it tells nothing, so that the value
    can be left out of a bundle and the chain still holds.
    """
    return hashlib.sha256(salt + canonical(value)).hexdigest()
