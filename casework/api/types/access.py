"""Logging in, sessions, keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from casework.api.types.common import Given, Line, Shown
from casework.cases.accounts import Permission
from casework.cases.scope import Role


class Login(Given):
    """Who, and what proves it."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1024)]
    code: Annotated[str, Field(max_length=10)] = Field(
        "", description="Of the second factor, where one is enrolled."
    )


class Who(Shown):
    """Who asks, and what there is for them."""

    name: str
    roles: list[str]
    jurisdictions: list[str] | None = Field(description="null: all")
    tenants: list[str] | None = Field(description="null: all")
    permissions: list[str]
    key: str | None = Field(description="Id of the key that was shown.")
    csrf: str | None = Field(description="With a session: what `X-CSRF-Token` has to be.")
    expires: str | None


class NewKey(Given):
    """A key for a machine; what is left out is as its owner has it."""

    label: Annotated[str, Field(min_length=1, max_length=100)]
    permissions: list[Permission] = Field(min_length=1)
    days: int = Field(ge=1, le=400)
    roles: list[Role] | None = None
    jurisdictions: list[Line] | None = None
    tenants: list[Line] | None = None


class Key(Shown):
    """A key, without its secret."""

    id: str
    owner: str
    label: str
    permissions: list[str]
    roles: list[str] | None
    jurisdictions: list[str] | None
    tenants: list[str] | None
    created: str
    expires: str
    revoked: str | None


class MadeKey(Key):
    """A key that was just made."""

    text: str = Field(description="The key itself; it is shown this once.")


class KeyList(Shown):
    """Keys by id."""

    items: list[Key]


class UserLine(Shown):
    """A user, for those who oversee accounts."""

    name: str
    roles: list[str]
    jurisdictions: list[str] | None
    tenants: list[str] | None
    created: str
    second_factor: bool
    disabled: bool


class UserList(Shown):
    """Users by name."""

    items: list[UserLine]
