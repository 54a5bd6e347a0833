"""Who may come in: users, keys of machines, sessions; frozen values, no secrets in the clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Final, TypeVar

from casework.cases.scope import Role, Scope
from regtech.content.saying import say
from regtech.errors import UsageError


class Permission(StrEnum):
    """What a key may be used for; its owner's roles decide what lies behind each."""

    READ = "read"
    WORK = "work"
    """Change cases."""
    EVENTS = "events"
    """Send events, look after their quarantine."""
    MANAGE = "manage"
    """Webhooks, keys."""


EVERYTHING: Final = frozenset(Permission)

NAME_MAX: Final = 64


def check_name(name: str) -> str:
    """The name of a user. Raises ``UsageError`` for one that could be taken for another."""
    good = name.isascii() and name == name.lower() and name.replace("@", "a").replace(".", "a")
    if not good or not good.replace("-", "a").replace("_", "a").isalnum() or len(name) > NAME_MAX:
        raise UsageError(
            say("%(name)r is no name for a user", name=name[:NAME_MAX]),
            hint=say("up to %(name_max)s of a-z, 0-9, - _ . @", name_max=NAME_MAX),
        )
    return name


@dataclass(frozen=True, slots=True)
class User:
    """Somebody. ``jurisdictions`` and ``tenants`` as in ``Scope``: None means all.

    ``password`` is an argon2 hash, or "" for one who cannot log in by password. ``totp`` is the
    sealed secret of the second factor, or "". ``totp_step``: the last step a code was taken of, so
    that none is taken twice. ``subject``: issuer and subject of an OpenID Connect provider.
    """

    name: str
    roles: frozenset[Role]
    jurisdictions: frozenset[str] | None
    tenants: frozenset[str] | None
    created_us: int
    password: str = ""
    totp: str = ""
    totp_step: int = 0
    subject: str = ""
    disabled: bool = False

    def scope(self) -> Scope:
        """What the user may see."""
        return Scope(self.name, self.roles, self.jurisdictions, self.tenants)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a machine: never more than its owner. ``digest``: SHA-256 of the secret, in hex.

    ``roles``, ``jurisdictions`` and ``tenants`` narrow the owner's; None leaves them as they are.
    """

    id: str
    owner: str
    label: str
    digest: str
    permissions: frozenset[Permission]
    roles: frozenset[Role] | None
    jurisdictions: frozenset[str] | None
    tenants: frozenset[str] | None
    created_us: int
    expires_us: int
    revoked_us: int | None = None

    def alive(self, now_us: int) -> bool:
        """Whether it may still be used."""
        return self.revoked_us is None and now_us < self.expires_us


@dataclass(frozen=True, slots=True)
class Session:
    """A person that has logged in. ``digest``: SHA-256 of the cookie's token, in hex."""

    digest: str
    user: str
    csrf: str
    created_us: int
    seen_us: int
    expires_us: int
    second_factor: bool


def narrowed(user: User, key: ApiKey) -> Scope:
    """The scope of a key: what owner and key both reach. An empty part reaches nothing."""
    roles = user.roles if key.roles is None else user.roles & key.roles
    tenants = _both(user.tenants, key.tenants)
    return Scope(user.name, roles, _both(user.jurisdictions, key.jurisdictions), tenants)


def _both(mine: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if mine is None or other is None:
        return other if mine is None else mine
    return mine & other


T = TypeVar("T", User, ApiKey, Session)

_SETS: Final[Mapping[str, Any]] = {
    "roles": Role,
    "permissions": Permission,
    "jurisdictions": str,
    "tenants": str,
}


def account_data(account: User | ApiKey | Session) -> dict[str, Any]:
    """Plain data; sets as sorted lists."""
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in asdict(account).items()
    }


def account_of(kind: type[T], data: Mapping[str, Any]) -> T:
    """The inverse of ``account_data``."""
    given: dict[str, Any] = {}
    for field in fields(kind):
        value = data[field.name]
        make = _SETS.get(field.name)
        given[field.name] = (
            value if make is None or value is None else frozenset(make(part) for part in value)
        )
    return kind(**given)
