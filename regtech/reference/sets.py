"""Dated membership sets of countries, regions or codes: was a word a member on a day?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from regtech.errors import UsageError
from regtech.reference.civil import iso_from_day
from regtech.reference.faults import Reader

Basis = Literal["law", "default"]
CONFIDENCES: Final = ("verified", "verified_secondary", "from_memory", "from_memory_medium")
_KEYS: Final = ("set", "title", "basis", "confidence", "obligation", "source", "note", "members")


@dataclass(frozen=True, slots=True)
class Member:
    """One membership. ``first``, ``last``: days since 1970-01-01, both included; None is open."""

    value: str
    first: int | None = None
    last: int | None = None
    note: Mapping[str, str] | None = None

    def holds(self, day: int) -> bool:
        """Whether it holds on a day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class MemberSet:
    """A named set.

    ``basis``: ``law`` stands in the cited text and carries a ``confidence``, ``default`` does not.
    ``obligation``: id in the register of obligations that states the membership, where one does.
    """

    name: str
    title: Mapping[str, str]
    basis: Basis
    confidence: str | None
    source: str
    obligation: str | None
    note: Mapping[str, str]
    members: tuple[Member, ...]

    def on(self, day: int) -> frozenset[str]:
        """The members on a day (days since 1970-01-01)."""
        return frozenset(m.value for m in self.members if m.holds(day))

    def change_days(self) -> tuple[int, ...]:
        """Days on which the membership differs from that of the day before, in order."""
        edges = {m.first for m in self.members} | {
            m.last + 1 for m in self.members if m.last is not None
        }
        days = sorted(day for day in edges if day is not None)
        return tuple(day for day in days if self.on(day) != self.on(day - 1))

    def digest(self) -> str:
        """SHA-256 over name and memberships, for evidence."""
        lines = sorted(
            f"{m.value} {'' if m.first is None else iso_from_day(m.first)} "
            f"{'' if m.last is None else iso_from_day(m.last)}"
            for m in self.members
        )
        return hashlib.sha256("\n".join([self.name, *lines]).encode()).hexdigest()

    @classmethod
    def from_document(
        cls, document: Any, *, file: str = "set", reader: Reader | None = None
    ) -> MemberSet:
        """The set of a parsed document. Raises ContentError with every fault."""
        reader = reader or Reader(file)
        top = reader.mapping(document, "", _KEYS)
        stated = reader.one_of(top.get("basis"), "basis", ("default", "law"))
        basis: Basis = "law" if stated == "law" else "default"
        confidence = None
        if basis == "law":
            confidence = reader.one_of(top.get("confidence"), "confidence", CONFIDENCES)
        elif "confidence" in top:
            reader.fault("confidence", "default_as_law", "a default carries no confidence")
        source = top.get("source")
        if basis == "law" or source is not None:
            source = reader.text(source, "source")
        obligation = top.get("obligation")
        found = cls(
            name=reader.text(top.get("set"), "set"),
            title=reader.title(top.get("title"), "title"),
            basis=basis,
            confidence=confidence,
            source=source or "",
            obligation=None if obligation is None else reader.text(obligation, "obligation"),
            note=reader.title(top["note"], "note") if "note" in top else {},
            members=_members(reader, top.get("members")),
        )
        reader.finish()
        return found


class SetTable:
    """All sets of an installation by name. Immutable."""

    def __init__(self, sets: Iterable[MemberSet]) -> None:
        self._sets: dict[str, MemberSet] = {}
        reader = Reader("sets")
        for entry in sets:
            if entry.name in self._sets:
                reader.fault(entry.name, "duplicate", f"the set {entry.name!r} is given twice")
            self._sets[entry.name] = entry
        reader.finish()

    def __contains__(self, name: str) -> bool:
        return name in self._sets

    def __getitem__(self, name: str) -> MemberSet:
        """The set; UsageError where there is none of that name."""
        try:
            return self._sets[name]
        except KeyError:
            raise UsageError(f"unknown set {name!r}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """All names in order."""
        return tuple(sorted(self._sets))

    def members(self, name: str, day: int) -> frozenset[str]:
        """The members of a set on a day; UsageError where there is no such set."""
        return self[name].on(day)

    def change_days(self, name: str) -> tuple[int, ...]:
        """Days on which a set's membership changes, in order."""
        return self[name].change_days()

    def all_values(self, name: str) -> frozenset[str]:
        """Every word that is a member on any day."""
        return frozenset(m.value for m in self[name].members)


def _members(reader: Reader, value: Any) -> tuple[Member, ...]:
    found: list[Member] = []
    for i, item in enumerate(reader.sequence(value, "members")):
        path = f"members[{i}]"
        if isinstance(item, str):  # `- DE` is short for `- {value: DE}`
            item = {"value": item}
        entry = reader.mapping(item, path, ("value", "from", "until", "note"))
        member = Member(
            reader.text(entry.get("value"), f"{path}.value"),
            reader.day(entry.get("from"), f"{path}.from"),
            reader.day(entry.get("until"), f"{path}.until"),
            reader.title(entry["note"], f"{path}.note") if "note" in entry else None,
        )
        if member.first is not None and member.last is not None and member.last < member.first:
            reader.fault(path, "bad_span", "`until` lies before `from`")
        if any(m.value == member.value and _overlap(m, member) for m in found):
            reader.fault(path, "duplicate", f"{member.value} is a member already at that time")
        found.append(member)
    return tuple(found)


def _overlap(a: Member, b: Member) -> bool:
    def before(x: Member, y: Member) -> bool:
        return x.last is not None and y.first is not None and x.last < y.first

    return not (before(a, b) or before(b, a))
