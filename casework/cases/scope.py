"""Who asks and what they may see: the required first argument of every call of the record."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from regtech.errors import UsageError


class Role(StrEnum):
    """What somebody is there for. One person may have several."""

    SUPERVISOR = "supervisor"
    """Works cases of its jurisdictions."""
    INSTITUTION = "institution"
    """Answers for one or more tenants; sees only what the law lets it see."""
    AUTHOR = "author"
    """Writes rules and policies; sees how often they were right."""
    OPERATOR = "operator"
    """Keeps the system running and hands work out; decides nothing."""
    AUDITOR = "auditor"
    """Reads everything in scope, changes nothing."""
    SERVICE = "service"
    """Intake and workers: no person."""


_FULL_VIEW: Final = frozenset({Role.SUPERVISOR, Role.OPERATOR, Role.AUDITOR, Role.SERVICE})


@dataclass(frozen=True, slots=True)
class Scope:
    """An actor with roles, jurisdictions and tenants; None means all of them.

    Raises ``UsageError`` for an actor without a name, or an institution without tenants.
    """

    actor: str
    roles: frozenset[Role]
    jurisdictions: frozenset[str] | None
    tenants: frozenset[str] | None

    def __post_init__(self) -> None:
        if not self.actor:
            raise UsageError("a scope needs an actor: who did something must be on record")
        if Role.INSTITUTION in self.roles and self.tenants is None:
            raise UsageError("the role institution needs the tenants it answers for")

    @property
    def restricted(self) -> bool:
        """Whether only what an institution may be shown is shown (``disclosure``)."""
        return not self.roles & _FULL_VIEW

    def reaches(self, jurisdiction: str, tenants: Collection[str]) -> bool:
        """Whether something of this jurisdiction about these tenants lies in the scope.

        With tenants named, a full view needs all of them, so that nobody sees a stranger's data;
        the restricted view needs one, because it shows that one's part only.
        """
        if self.jurisdictions is not None and jurisdiction not in self.jurisdictions:
            return False
        if self.tenants is None:
            return True
        if self.restricted:
            return any(tenant in self.tenants for tenant in tenants)
        return bool(tenants) and all(tenant in self.tenants for tenant in tenants)

    def reaches_chain(self, chain: str) -> bool:
        """Whether what is a tenant's ("" is the regulator itself) lies in the scope."""
        return self.tenants is None or chain in self.tenants

    def reaches_log(self, chain: str) -> bool:
        """Whether the log of a tenant may be read: it is one chain, and tells of its cases in every
        jurisdiction. Who is there for some of them alone reads none.
        """
        return self.jurisdictions is None and self.reaches_chain(chain)


def service_scope(actor: str = "service") -> Scope:
    """The scope of intake and workers: everything."""
    return Scope(actor, frozenset({Role.SERVICE}), None, None)
