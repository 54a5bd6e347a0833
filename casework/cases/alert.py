"""An alert as the record holds it: the written bytes, and what is looked for in columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from casework.cases.facts import AlertFacts, facts_of
from casework.cases.keys import Key, keys_of
from casework.cases.times import instant_us
from regtech.errors import InputError
from regtech.model.alert import digested

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
    _facts: AlertFacts | None = field(default=None, compare=False, repr=False)

    def body(self) -> dict[str, Any]:
        """The alert as plain data, parsed once: not to be changed."""
        if self._body is None:
            object.__setattr__(self, "_body", json.loads(self.raw))
        assert self._body is not None
        return self._body

    def keys(self) -> tuple[Key, ...]:
        """What it may have in common with others (``casework.cases.keys``)."""
        if self._keys is None:
            object.__setattr__(self, "_keys", keys_of(self.body(), self.facts()))
        assert self._keys is not None
        return self._keys

    def facts(self) -> AlertFacts:
        """What policies see of it. Of an alert that they cannot read, it is without parties."""
        if self._facts is None:
            try:
                made = facts_of(self.body(), tenant=self.tenant)
            except InputError:
                made = self._few_facts()
            object.__setattr__(self, "_facts", made)
        assert self._facts is not None
        return self._facts

    def _few_facts(self) -> AlertFacts:
        return AlertFacts(
            id=self.id,
            time=self.time_us,
            rule=self.rule,
            pack=self.pack,
            kind=self.kind,
            severity=self.severity,
            jurisdiction=self.jurisdiction,
            obligations=(),
            status="",
            outcome="",
            warning=False,
            late=False,
            per="",
            subject=None,
            group=None,
            counterparty=None,
            institution=None,
            tenant=self.tenant,
        )

    @classmethod
    def of(cls, raw: bytes, tenant: str | None = None) -> StoredAlert:
        """The alert of a written line; ``tenant`` where the alert itself does not say.

        Raises ``InputError`` where it is not an alert of ours.
        """
        try:
            text = raw.decode()
            document = json.loads(text)
            if "\\u" in text:
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
                time_us=instant_us(str(document["time"])),
                raw=raw,
                _body=dict(document),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(
                f"not an alert: {type(error).__name__} {error}", hint="see `regtech schema alert`"
            ) from None
