"""Accounts wired to a store, for the server and for the commands."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from casework.cases.accounts import ApiKey, Permission, User
from casework.cases.scope import Role, Scope
from casework.cases.times import time_text
from casework.identity.passwords import Passwords
from casework.identity.secondfactor import SecondFactor
from casework.identity.service import Identity
from casework.stores.sql.accounts import SqlAccounts
from casework.stores.sql.record import SqlRecord
from regtech.app.casework import casework
from regtech.app.settings import secret
from regtech.clock import Clock, SystemClock
from regtech.errors import InternalError, UsageError
from regtech.reference.load import Reference


def identity_over(record: object, clock: Clock) -> Identity:
    """Accounts in the store of a record."""
    if not isinstance(record, SqlRecord):
        raise InternalError("accounts are kept beside a record in a store")
    return Identity(
        SqlAccounts(record),
        clock,
        secrets.token_bytes,
        passwords=Passwords(),
        second_factor=SecondFactor(secret("REGTECH_SECRET")),
        jurisdictions=sorted(Reference.shipped().profiles),
    )


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the commands work with: the accounts, and who is at the terminal."""

    identity: Identity
    scope: Scope


@contextmanager
def accounts(url: str, actor: str, *, create: bool = False) -> Iterator[Accounts]:
    """Accounts of a store; one that is not there yet is made with ``create`` alone.

    Whoever can open the store and run commands beside it may make users: that is how the first
    one comes to be. The log says who was logged in to the machine.
    """
    with casework(url, create=create) as parts:
        scope = Scope(f"{actor}@terminal", frozenset({Role.OPERATOR}), None, None)
        yield Accounts(identity_over(parts.record, SystemClock()), scope)


def words(kind: type[Role] | type[Permission], given: Collection[str]) -> list[Any]:
    """Words as roles or permissions. Raises ``UsageError`` for one that is none."""
    known = [word.value for word in kind]
    for word in given:
        if word not in known:
            raise UsageError(f"no {kind.__name__.lower()} {word!r}", hint=", ".join(known))
    return [kind(word) for word in given]


def user_data(user: User) -> dict[str, Any]:
    """A user for the screen; nothing secret."""
    return {
        "name": user.name,
        "roles": sorted(user.roles),
        "jurisdictions": _sorted(user.jurisdictions),
        "tenants": _sorted(user.tenants),
        "created": time_text(user.created_us),
        "password": bool(user.password),
        "second_factor": bool(user.totp),
        "disabled": user.disabled,
    }


def key_data(key: ApiKey) -> dict[str, Any]:
    """A key for the screen, without its secret."""
    return {
        "id": key.id,
        "owner": key.owner,
        "label": key.label,
        "permissions": sorted(key.permissions),
        "roles": _sorted(key.roles),
        "jurisdictions": _sorted(key.jurisdictions),
        "tenants": _sorted(key.tenants),
        "created": time_text(key.created_us),
        "expires": time_text(key.expires_us),
        "revoked": None if key.revoked_us is None else time_text(key.revoked_us),
    }


def _sorted(values: Collection[str] | None) -> list[str] | None:
    return None if values is None else sorted(values)
