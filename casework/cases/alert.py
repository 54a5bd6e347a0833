"""An alert as the record holds it: the written bytes, and what is looked for in columns."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from casework.cases.keys import Key, keys_of
from regtech.errors import InputError
from regtech.model.alert import digested
from regtech.reference.civil import DAY_US, SECOND_US, days_from_civil, month_length

SEVERITIES: Final = ("info", "low", "medium", "high", "critical")
"""From the least to the most severe."""


def severity_rank(severity: str) -> int:
    """Place among ``SEVERITIES``; an unknown word counts as medium."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else 2


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """One alert. ``digest``: SHA-256 over the written bytes without where it was found, so that
    the same finding from another file is the same. ``tenant``: the institution that reported the
    event. ``time_us``: event time in microseconds since 1970. ``raw``: the bytes as written.
    """

    id: str
    digest: str
    tenant: str
    jurisdiction: str
    rule: str
    pack: str
    kind: str
    severity: str
    time_us: int
    raw: bytes = field(repr=False)
    _body: dict[str, Any] | None = field(default=None, compare=False, repr=False)
    _keys: tuple[Key, ...] | None = field(default=None, compare=False, repr=False)

    def body(self) -> dict[str, Any]:
        """The alert as plain data, parsed once: not to be changed."""
        if self._body is None:
            object.__setattr__(self, "_body", json.loads(self.raw))
        assert self._body is not None
        return self._body

    def keys(self) -> tuple[Key, ...]:
        """What it may have in common with others (``casework.cases.keys``)."""
        if self._keys is None:
            object.__setattr__(self, "_keys", keys_of(self.body()))
        assert self._keys is not None
        return self._keys

    @classmethod
    def of(cls, raw: bytes, tenant: str | None = None) -> StoredAlert:
        """The alert of a written line; ``tenant`` where the alert itself does not say.

        Raises ``InputError`` where it is not an alert of ours.
        """
        try:
            document = json.loads(raw)
            # An escaped half of a surrogate pair is JSON, but no text that could be kept.
            json.dumps(document, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise InputError("not an alert: the line is not JSON of UTF-8 text") from None
        return cls.of_document(document, raw, tenant)

    @classmethod
    def of_document(
        cls, document: Mapping[str, Any], raw: bytes, tenant: str | None = None
    ) -> StoredAlert:
        """The same, from what is already parsed."""
        try:
            facts = document.get("facts") or {}
            reporter = facts.get("reporter") or document["subject"].get("institution")
            return cls(
                id=str(document["id"]),
                digest=hashlib.sha256(digested(raw)).hexdigest(),
                tenant=str(reporter or tenant or ""),
                jurisdiction=str(document["jurisdiction"]),
                rule=str(document["rule"]),
                pack=str(document["pack"]),
                kind=str(document["kind"]),
                severity=str(document["severity"]),
                time_us=instant(str(document["time"])),
                raw=raw,
                _body=dict(document),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(
                f"not an alert: {type(error).__name__} {error}", hint="see `regtech schema alert`"
            ) from None


_INSTANT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:Z|([+-])(\d\d):(\d\d)))?"
)


def instant(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time, or of the last moment of a day in UTC.

    Raises ``ValueError`` for anything else. Exact, and for the year 0 too: an event of the first
    hours of the year 1 east of Greenwich lies there.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time with an offset: {text!r}")
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if not (1 <= month <= 12 and 1 <= day <= month_length(year, month)):
        raise ValueError(f"no such day: {text!r}")
    start = days_from_civil(year, month, day) * DAY_US
    if match[4] is None:
        return start + DAY_US - 1
    hour, minute, second = int(match[4]), int(match[5]), int(match[6])
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(f"no such time of day: {text!r}")
    offset = 60 * int(match[9] or 0) + int(match[10] or 0)
    seconds = 3600 * hour + 60 * minute + second - 60 * (-offset if match[8] == "-" else offset)
    return start + seconds * SECOND_US + int((match[7] or "").ljust(6, "0"))
