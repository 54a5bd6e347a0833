"""The register of obligations: what the law asks, with the confidence of each citation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from regtech.errors import UsageError
from regtech.reference.faults import Reader
from regtech.reference.sets import CONFIDENCES

_TEXTS: Final = (
    "cite",
    "test",
    "effective",
    "fields",
    "window",
    "exceptions",
    "action_deadline",
    "conf",
)
_KEYS: Final = ("id", *_TEXTS, "conf_weakest", "conf_strongest", "sources")
_CONFIDENCES: Final = (*CONFIDENCES, "none")


@dataclass(frozen=True, slots=True)
class Obligation:
    """One row of the register, as written.

    ``confidence_weakest`` and ``confidence_strongest`` span the flags of its parts (a figure may be
    verified where a deadline is not); ``none`` where the row carries no flag. ``sources`` are tags
    of the register's list of sources.
    """

    id: str
    cite: str
    test: str
    effective: str
    fields: str
    window: str
    exceptions: str
    action_deadline: str
    conf: str
    confidence_weakest: str
    confidence_strongest: str
    sources: tuple[str, ...]

    @property
    def jurisdiction(self) -> str:
        """First part of the id: ``CN``, ``HK``, … ``FATF``, ``BCBS``."""
        return self.id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Register:
    """All obligations by id, in the order of the file, and the sources by tag."""

    obligations: Mapping[str, Obligation]
    sources: Mapping[str, str]

    def __contains__(self, identity: str) -> bool:
        return identity in self.obligations

    def __getitem__(self, identity: str) -> Obligation:
        """The obligation; UsageError where there is none of that id."""
        try:
            return self.obligations[identity]
        except KeyError:
            raise UsageError(f"unknown obligation {identity!r}") from None

    @classmethod
    def from_document(
        cls, document: Any, *, file: str = "obligations.yml", reader: Reader | None = None
    ) -> Register:
        """The register of a parsed document. Raises ContentError with every fault."""
        reader = reader or Reader(file)
        top = reader.mapping(document, "")
        found: dict[str, Obligation] = {}
        for i, item in enumerate(reader.sequence(top.get("obligations"), "obligations")):
            obligation = _obligation(reader, item, f"obligations[{i}]")
            if obligation.id in found:
                reader.fault(f"obligations[{i}].id", "duplicate", f"{obligation.id} again")
            found[obligation.id] = obligation
        sources = _sources(reader, top.get("sources", {}))
        reader.finish()
        return cls(found, sources)


def _obligation(reader: Reader, item: Any, path: str) -> Obligation:
    entry = reader.mapping(item, path, _KEYS)
    texts = {key: "" if entry.get(key) is None else str(entry[key]) for key in _TEXTS}
    for key in ("cite", "test"):
        reader.text(entry.get(key), f"{path}.{key}")
    tags = reader.sequence(entry.get("sources", ()), f"{path}.sources")
    return Obligation(
        id=reader.text(entry.get("id"), f"{path}.id"),
        **texts,
        confidence_weakest=_confidence(reader, entry, path, "conf_weakest"),
        confidence_strongest=_confidence(reader, entry, path, "conf_strongest"),
        sources=tuple(str(tag) for tag in tags),
    )


def _confidence(reader: Reader, entry: Mapping[str, Any], path: str, key: str) -> str:
    value = entry.get(key)
    return "none" if value is None else reader.one_of(value, f"{path}.{key}", _CONFIDENCES)


def _sources(reader: Reader, value: Any) -> dict[str, str]:
    return {tag: str(where) for tag, where in reader.mapping(value, "sources").items()}
