"""Which model decides: a log of who trained, approved and rolled back what, and what follows of it.

A model is a challenger until two people have promoted it: its scores stand beside the champion's
and raise nothing. The author may be one of the two, never both. Rolling back needs one person: it
goes back to what two have approved before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from regtech.errors import ConflictError, ForbiddenError, InputError, NotFoundError

APPROVERS: Final = 2
Action = Literal["trained", "approved", "promoted", "rolled_back"]
_ACTIONS: Final = ("trained", "approved", "promoted", "rolled_back")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log; ``at_us`` since 1970."""

    at_us: int
    action: Action
    version: str
    by: str
    reason: str = ""

    def as_data(self) -> dict[str, Any]:
        """Plain data for a line."""
        return {
            "at_us": self.at_us, "action": self.action, "version": self.version, "by": self.by,
            "reason": self.reason,
        }  # fmt: skip

    @classmethod
    def of(cls, data: Any, where: str) -> Entry:
        """A line that was read; ``InputError`` where it is none."""
        try:
            if data["action"] not in _ACTIONS:
                raise ValueError(data["action"])
            return cls(
                int(data["at_us"]), data["action"], str(data["version"]), str(data["by"]),
                str(data.get("reason", "")),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError):
            raise InputError(f"{where} is no entry of a log of models") from None


@dataclass(slots=True)
class Registry:
    """What the log comes to: authors, approvals, and the champions one after the other."""

    authors: dict[str, str] = field(default_factory=dict)
    approvals: dict[str, list[str]] = field(default_factory=dict)
    champions: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, log: Iterable[Entry]) -> Registry:
        """Go through a log."""
        made = cls()
        for entry in log:
            match entry.action:
                case "trained":
                    made.authors[entry.version] = entry.by
                case "approved":
                    made.approvals.setdefault(entry.version, []).append(entry.by)
                case "promoted":
                    made.champions.append(entry.version)
                case "rolled_back":
                    made.champions.pop()
        return made

    @property
    def champion(self) -> str | None:
        """The version that decides; None before the first was promoted."""
        return self.champions[-1] if self.champions else None

    def role(self, version: str) -> str:
        """``champion``, ``challenger``, or ``retired`` where it was champion before."""
        if version == self.champion:
            return "champion"
        return "retired" if version in self.champions else "challenger"

    def promote(self, version: str, by: str, reason: str, at_us: int) -> list[Entry]:
        """The entries of one person's approval; with the second person's the model is promoted.

        Raises ``NotFoundError`` for an unknown version, ``ConflictError`` for the champion, and
        ``ForbiddenError`` where one person would be both.
        """
        self._known(version)
        _said(by, reason)
        if version == self.champion:
            raise ConflictError(f"{version} is the champion already")
        given = self.approvals.get(version, [])
        if by in given:
            raise ForbiddenError(
                f"{by} has approved {version} already", hint="a second person has to"
            )
        approved = Entry(at_us, "approved", version, by, reason)
        if len(given) + 1 < APPROVERS:
            return [approved]
        return [approved, Entry(at_us, "promoted", version, by, reason)]

    def rollback(self, by: str, reason: str, at_us: int) -> list[Entry]:
        """The entry that brings the champion before back; ``ConflictError`` where there is none."""
        _said(by, reason)
        if len(self.champions) < 2:
            raise ConflictError("there is no champion to go back to")
        return [Entry(at_us, "rolled_back", self.champions[-1], by, reason)]

    def _known(self, version: str) -> None:
        if version not in self.authors:
            raise NotFoundError(
                f"there is no model {version!r}",
                hint="there are " + (", ".join(self.authors) or "none"),
            )


def _said(by: str, reason: str) -> None:
    if not by.strip() or not reason.strip():
        raise ForbiddenError("a model changes hands by somebody, for a reason")
