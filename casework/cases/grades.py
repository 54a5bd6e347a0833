"""Grades of personal data and masking by role; unmasking needs a reason and is on record."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

from casework.cases.scope import Role, Scope


class Grade(IntEnum):
    """How much a value says of a person; more needs more right to see it."""

    OPEN = 0
    IDENTIFIER = 1
    """Names somebody within a system: ids, accounts, devices; what colleagues wrote."""
    PERSONAL = 2
    """Names somebody in the world: name, address, date of birth."""
    SENSITIVE = 3
    """Identity papers, health, biometrics, lists of persons."""


_LAST: Final[Mapping[str, Grade]] = {
    "account": Grade.IDENTIFIER,
    "device": Grade.IDENTIFIER,
    "wallet_address": Grade.IDENTIFIER,
    "group": Grade.IDENTIFIER,
    "key": Grade.IDENTIFIER,
    "conductor": Grade.IDENTIFIER,
    "on_behalf_of": Grade.IDENTIFIER,
    "text": Grade.IDENTIFIER,
    "why": Grade.IDENTIFIER,
    "closing_reason": Grade.IDENTIFIER,
    "name": Grade.PERSONAL,
    "address": Grade.PERSONAL,
    "birth_date": Grade.PERSONAL,
    "phone": Grade.PERSONAL,
    "email": Grade.PERSONAL,
    "persons": Grade.SENSITIVE,
    "national": Grade.SENSITIVE,
    "passport": Grade.SENSITIVE,
}

_FOUND: Final[Mapping[str, Grade]] = {
    "accounts": Grade.IDENTIFIER,
    "from": Grade.IDENTIFIER,
    "to": Grade.IDENTIFIER,
    "event": Grade.IDENTIFIER,
    "period": Grade.IDENTIFIER,
    "parties": Grade.IDENTIFIER,
    "controlled_by": Grade.IDENTIFIER,
    "controlled": Grade.IDENTIFIER,
    "holders": Grade.IDENTIFIER,
    "owner": Grade.IDENTIFIER,
    "owned": Grade.IDENTIFIER,
    "entity": Grade.IDENTIFIER,
    "asked": Grade.PERSONAL,
}
"""Parts of what detectors found; a name in it is that of a published list."""
_CLEAR: Final[Mapping[Role, Grade]] = {
    Role.SUPERVISOR: Grade.IDENTIFIER,
    Role.AUDITOR: Grade.IDENTIFIER,
    Role.OPERATOR: Grade.OPEN,
    Role.AUTHOR: Grade.OPEN,
    Role.INSTITUTION: Grade.PERSONAL,  # its own customers, whom it reported itself
    Role.SERVICE: Grade.SENSITIVE,
}
MASK: Final = "•••"


def clear_grade(scope: Scope) -> Grade:
    """The highest grade that the scope sees without asking."""
    return max((_CLEAR[role] for role in scope.roles), default=Grade.OPEN)


def grade_of(path: str) -> Grade:
    """The grade of a field, by its dotted path; ids of parties are identifiers."""
    parts = path.split(".")
    last = parts[-1]
    if path == "facts.name":  # of a figure: net_capital
        return Grade.OPEN
    if parts[0] == "findings":
        return _FOUND.get(last, Grade.OPEN)
    if last in _LAST:
        return _LAST[last]
    if "identifiers" in parts:
        return Grade.SENSITIVE
    if last == "id" and len(parts) > 1:
        return Grade.IDENTIFIER
    return Grade.OPEN


def masked(value: Any, clear: Grade, *, path: str = "") -> Any:
    """The value with everything above ``clear`` replaced by ``MASK``, whatever its depth.

    ``path`` is where the value stands. Empty values stay: that nothing is there is no secret.
    """
    if isinstance(value, Mapping):
        return {
            name: masked(item, clear, path=f"{path}.{name}" if path else str(name))
            for name, item in value.items()
        }
    if grade_of(path) > clear and value not in (None, "", [], ()):
        return MASK
    if isinstance(value, (list, tuple)):
        return [masked(item, clear, path=path) for item in value]
    return value


def masked_alert(body: Mapping[str, Any], clear: Grade) -> dict[str, Any]:
    """An alert as written, masked. Its event ids stay: they name no person outside the reporter.

    The period of an alert per event, and the subject, hold ids; the subject is graded by its path.
    """
    shown: dict[str, Any] = masked(body, clear)
    return shown
