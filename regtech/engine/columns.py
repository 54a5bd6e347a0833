"""Which columns the packs need, where they come from, and how a path reads on each event type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from regtech.engine.subjects import INSTITUTION, PREFIXES, SLOT, Part
from regtech.errors import InternalError
from regtech.model.fields import EVENT_TYPES, PARTY_FIELDS, TYPE_FIELDS, Field, Kind, all_fields

FACTS: Final = tuple(f.path for f in PARTY_FIELDS if f.fact)
"""Facts about a party that a later event may leave out."""

INSTITUTION_FACTS: Final = {"institution_country": "country"}
REPORTER_FACTS: Final = {
    "reporter.country": "country",
    "reporter.flags": "flags",
    "reporter.region": "region",
}
PERSONS_GIVEN: Final = "persons"
"""Its column holds the number of persons listed."""
STRUCTURAL: Final = (
    "type", "time", "reporter", "project", "payer.id", "payer.institution", "payee.id",
    "payee.institution", "reference", "amount", "currency", "party.id", "party.country",
)  # fmt: skip
"""Always decoded: order, legs, identity of payments, countries."""

_CATALOGUE: Final = all_fields()
_BY_TYPE: Final = {
    event_type: {f.path: f for f in TYPE_FIELDS[event_type]} for event_type in EVENT_TYPES
}
_COMMON: Final = ("id", "type", "time", "reporter", "project")


@dataclass(frozen=True, slots=True)
class Derived:
    """A looked-up column: ``fact`` of the party in ``source`` (the reporter where it is
    missing)."""

    path: str
    source: str
    fact: str


@dataclass
class ColumnRegistry:
    """Paths to column numbers, in order of first use."""

    index: dict[str, int] = field(default_factory=dict)
    complete: bool = False
    derived: dict[str, Derived] = field(default_factory=dict)
    names_kept: bool = False
    """Whether names of parties are decoded as symbols, for a detector that reads them; else as the
    hash of a text, which says no more than whether two are equal."""

    def __post_init__(self) -> None:
        for path in STRUCTURAL:
            self.column(path)

    def column(self, path: str) -> int:
        """The column of a path, added with everything it is looked up from."""
        if path in self.index:
            return self.index[path]
        if self.complete:
            raise InternalError(f"the column {path} was not foreseen when the rules were compiled")
        self.index[path] = len(self.index)
        made = derived_column(path)
        if made is not None:
            self.derived[path] = made
            self.column(made.source)
            self.column(f"party.{made.fact}")
        else:
            prefix, _, name = path.partition(".")
            if name in FACTS and prefix != "party":
                self.column(f"{prefix}.id")
                self.column(f"party.{name}")
        return self.index[path]

    def finish(self) -> None:
        """No more columns: those that are decoded come first, then those that are looked up."""
        paths = [p for p in self.index if p in _CATALOGUE] + [
            p for p in self.index if p not in _CATALOGUE
        ]
        self.index = {path: k for k, path in enumerate(paths)}
        self.complete = True

    def decoded(self) -> list[Field]:
        """The fields that an adapter must decode, in column order."""
        return [_CATALOGUE[path] for path in self.index if path in _CATALOGUE]

    def keeps(self, path: str) -> bool:
        """Whether a text is decoded as a symbol all the same."""
        return self.names_kept and is_name(path)

    def kept(self) -> frozenset[str]:
        """The texts that an adapter must keep as symbols."""
        return frozenset(path for path in self.index if self.keeps(path))

    @property
    def made(self) -> int:
        """How many columns the engine fills in itself: looked up, or answered by detectors."""
        return sum(1 for path in self.index if path not in _CATALOGUE)


def is_asked(path: str) -> bool:
    """Whether detectors answer it: ``event.screened(payer, list)``, see ``asking.py``."""
    return "(" in path


def is_name(path: str) -> bool:
    """Whether it is the name of a party."""
    found = _CATALOGUE.get(path)
    return found is not None and found.fact and path.rpartition(".")[2] == "name"


def derived_column(path: str) -> Derived | None:
    """How a path that no event carries is looked up, or None for a real field."""
    if is_asked(path):
        return None
    if path in REPORTER_FACTS:
        return Derived(path, "reporter", REPORTER_FACTS[path])
    prefix, _, name = path.rpartition(".")
    if prefix and name in INSTITUTION_FACTS:
        return Derived(path, f"{prefix}.institution", INSTITUTION_FACTS[name])
    return None


@cache
def has_path(event_type: str, path: str) -> bool:
    """Whether events of a type have the path, as a field, looked up or answered by a detector."""
    if is_asked(path):
        return path.startswith("event.") or event_type == "transaction"
    if path in _BY_TYPE[event_type] or path in _COMMON or path in REPORTER_FACTS:
        return True
    prefix, _, name = path.rpartition(".")
    return name in INSTITUTION_FACTS and prefix in PREFIXES[event_type]


@cache
def kind_of(path: str) -> Kind:
    """Kind of a real, looked-up or answered column."""
    if is_asked(path):
        return Kind.BOOLEAN
    if path in _CATALOGUE:
        return _CATALOGUE[path].kind
    made = derived_column(path)
    if made is not None:
        return _CATALOGUE[f"party.{made.fact}"].kind
    pair = sides(path)
    return _CATALOGUE[pair[0]].kind if pair else Kind.SYMBOL


@cache
def words_of(path: str) -> tuple[str, ...]:
    """Words of a flags column."""
    made = derived_column(path)
    if made is not None:
        path = f"party.{made.fact}"
    pair = sides(path)
    return _CATALOGUE[pair[0] if pair else path].words


@cache
def sides(path: str) -> tuple[str, str] | None:
    """For a sided path of a transaction: its path when the subject pays, and when it is paid."""
    prefix, _, name = path.partition(".")
    if prefix == "party":
        return f"payer.{name}", f"payee.{name}"
    if prefix == "counterparty":
        return f"payee.{name}", f"payer.{name}"
    return None


@cache
def _is_code(part: Part) -> bool:
    """Whether a part of a key has 31 bits: the code of a word or a currency, another key's slot."""
    if part in (INSTITUTION, SLOT, "direction"):
        return True
    path, _ = sides(part) or (part, "")
    known = all_fields().get(path)
    return known is not None and known.kind in (Kind.SYMBOL, Kind.CURRENCY)


def key_words(parts: Sequence[Part]) -> list[tuple[Part, ...]]:
    """The parts of a key by the words that hold them: two codes, one after the other, share one."""
    found: list[tuple[Part, ...]] = []
    for part in parts:
        if found and len(found[-1]) == 1 and _is_code(found[-1][0]) and _is_code(part):
            found[-1] += (part,)
        else:
            found.append((part,))
    return found
