"""``regtech users`` and ``regtech keys``: who may come in."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from regtech.app.options import parse_names
from regtech.app.settings import setting
from regtech.cli.cases import store_of
from regtech.cli.console import table, write, write_json
from regtech.cli.options import Json, Store
from regtech.errors import UsageError

users = typer.Typer(
    help="Make, list and disable users. There is none at first, and no default password.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
keys = typer.Typer(
    help="Make, list and revoke keys of machines.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[str, typer.Argument(help="Name of the user: a-z, 0-9, - _ . @")]
Tenants = Annotated[
    str | None, typer.Option("--tenant", help="Only these institutions, between commas.")
]
Jurisdictions = Annotated[
    str | None, typer.Option("--jurisdiction", help="Only these jurisdictions: cn,eu.")
]


def _actor() -> str:
    return setting("REGTECH_ACTOR") or getpass.getuser()


def _parts(text: str | None) -> list[str] | None:
    return [part.strip() for part in text.split(",") if part.strip()] if text else None


def _upper(text: str | None) -> list[str] | None:
    found = _parts(text)
    return None if found is None else [part.upper() for part in found]


@users.command(name="create")
def create_user(
    name: Name,
    roles: Annotated[
        str,
        typer.Option(
            "--role",
            help="supervisor, institution, author, operator, auditor or service, between commas.",
        ),
    ],
    store: Store = None,
    tenant: Tenants = None,
    jurisdiction: Jurisdictions = None,
    password_file: Annotated[
        Path | None, typer.Option(help="File that holds the password; default: it is asked for.")
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="The user has keys or a provider alone.")
    ] = False,
    subject: Annotated[
        str, typer.Option(help="Issuer and subject at the OpenID Connect provider: ISSUER|SUBJECT.")
    ] = "",
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Enrol a second factor and show it once.")
    ] = False,
    json_: Json = False,
) -> int:
    """Make a user. The password is asked for, or read from a file; it is never an argument.

    \b
    Examples:
      regtech users create li --role supervisor --jurisdiction cn --store cases.db
      regtech users create bank-a --role institution --tenant BANK-A --no-password
    """
    from casework.cases.scope import Role
    from regtech.app.identity import accounts, user_data, words

    password = None if no_password else _password(password_file)
    with accounts(store_of(store), _actor(), create=True) as parts:
        user = parts.identity.create_user(
            parts.scope,
            name,
            words(Role, parse_names(roles)),
            jurisdictions=_upper(jurisdiction),
            tenants=_parts(tenant),
            password=password,
            subject=subject,
        )
        found = user_data(user)
        if second_factor:
            secret, uri = parts.identity.enrol_second_factor(parts.scope, name)
            found |= {"second_factor": True, "secret": secret, "uri": uri}
    if json_:
        write_json(found)
        return 0
    write(f"{name} may come in as {', '.join(found['roles'])}")
    if second_factor:
        write(f"second factor, shown this once: {found['secret']}\n{found['uri']}")
    return 0


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"{file} could not be read") from None
    if not sys.stdin.isatty():
        raise UsageError(
            "a password is asked for on a terminal, and this is none",
            hint="write it into a file and name that with --password-file, or say --no-password",
        )
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Again: "):
        raise UsageError("the two are not the same")
    return first


@users.command(name="list")
def list_users(store: Store = None, json_: Json = False) -> int:
    """List users with their roles and reach.

    \b
    Examples:
      regtech users list --store cases.db
    """
    from regtech.app.identity import accounts, user_data

    with accounts(store_of(store), _actor()) as parts:
        found = [user_data(user) for user in parts.identity.users(parts.scope)]
    if json_:
        write_json(found)
        return 0
    rows = [
        [
            user["name"],
            ",".join(user["roles"]),
            ",".join(user["jurisdictions"] or ["all"]),
            ",".join(user["tenants"] or ["all"]),
            "yes" if user["second_factor"] else "",
            "disabled" if user["disabled"] else "",
        ]
        for user in found
    ]
    write(table(("name", "roles", "jurisdictions", "institutions", "2nd factor", ""), rows))
    return 0


@users.command(name="disable")
def disable_user(
    name: Name,
    store: Store = None,
    enable: Annotated[bool, typer.Option("--undo", help="Let the user in again.")] = False,
    json_: Json = False,
) -> int:
    """Keep a user out: sessions end at once, keys are refused.

    \b
    Examples:
      regtech users disable li --store cases.db
    """
    from regtech.app.identity import accounts, user_data

    with accounts(store_of(store), _actor()) as parts:
        user = parts.identity.disable_user(parts.scope, name, disabled=not enable)
    if json_:
        write_json(user_data(user))
    else:
        write(f"{name} " + ("may come in again" if enable else "is kept out"))
    return 0


@users.command(name="password")
def change_password(
    name: Name,
    store: Store = None,
    password_file: Annotated[
        Path | None, typer.Option(help="File that holds the password; default: it is asked for.")
    ] = None,
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Enrol a new second factor instead.")
    ] = False,
    drop_second_factor: Annotated[
        bool, typer.Option("--drop-second-factor", help="Ask for no second factor any more.")
    ] = False,
    json_: Json = False,
) -> int:
    """Set another password or second factor; the user's sessions end.

    \b
    Examples:
      regtech users password li --store cases.db
      regtech users password li --second-factor --store cases.db
    """
    from regtech.app.identity import accounts

    with accounts(store_of(store), _actor()) as parts:
        if second_factor:
            secret, uri = parts.identity.enrol_second_factor(parts.scope, name)
            done = {"user": name, "changed": "second factor", "secret": secret, "uri": uri}
            said = f"second factor, shown this once: {secret}\n{uri}"
        elif drop_second_factor:
            parts.identity.drop_second_factor(parts.scope, name)
            done = {"user": name, "changed": "second factor dropped"}
            said = f"{name} logs in without a second factor"
        else:
            parts.identity.set_password(parts.scope, name, _password(password_file))
            done, said = {"user": name, "changed": "password"}, f"{name} has another password"
    if json_:
        write_json(done)
    else:
        write(said)
    return 0


@keys.command(name="create")
def create_key(
    owner: Annotated[str, typer.Argument(help="User that the key belongs to.")],
    label: Annotated[str, typer.Option(help="What it is for.")],
    permissions: Annotated[
        str, typer.Option("--for", help="read, work, events, manage, between commas.")
    ] = "read",
    days: Annotated[int, typer.Option(help="Days until it expires.", min=1, max=400)] = 90,
    roles: Annotated[
        str | None, typer.Option("--role", help="Fewer roles than the user's.")
    ] = None,
    tenant: Tenants = None,
    jurisdiction: Jurisdictions = None,
    store: Store = None,
    json_: Json = False,
) -> int:
    """Make a key and show it this once. Only its hash is kept.

    \b
    Examples:
      regtech keys create li --label laptop --for read,work --store cases.db
      regtech keys create bank-a --label feed --for events --days 365 --store cases.db
    """
    from casework.cases.accounts import Permission
    from casework.cases.scope import Role
    from regtech.app.identity import accounts, key_data, words

    with accounts(store_of(store), _actor()) as parts:
        text, key = parts.identity.create_key(
            parts.scope,
            owner,
            label,
            words(Permission, parse_names(permissions)),
            days=days,
            roles=words(Role, parse_names(roles)) if roles else None,
            jurisdictions=_upper(jurisdiction),
            tenants=_parts(tenant),
        )
    if json_:
        write_json({**key_data(key), "text": text})
    else:
        write(text)
    return 0


@keys.command(name="list")
def list_keys(
    owner: Annotated[str | None, typer.Argument(help="Only this user's.")] = None,
    store: Store = None,
    json_: Json = False,
) -> int:
    """List keys, without their secrets.

    \b
    Examples:
      regtech keys list --store cases.db
    """
    from regtech.app.identity import accounts, key_data

    with accounts(store_of(store), _actor()) as parts:
        found = [key_data(key) for key in parts.identity.keys(parts.scope, owner)]
    if json_:
        write_json(found)
        return 0
    rows = [
        [
            key["id"],
            key["owner"],
            key["label"],
            ",".join(key["permissions"]),
            key["expires"],
            "revoked" if key["revoked"] else "",
        ]
        for key in found
    ]
    write(table(("id", "owner", "label", "for", "expires", ""), rows))
    return 0


@keys.command(name="revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(help="Id of the key, as `list` shows it.")],
    store: Store = None,
    json_: Json = False,
) -> int:
    """End a key at once and for good.

    \b
    Examples:
      regtech keys revoke abcdefghijklmnop --store cases.db
    """
    from regtech.app.identity import accounts, key_data

    with accounts(store_of(store), _actor()) as parts:
        found = parts.identity.revoke_key(parts.scope, key)
    if json_:
        write_json(key_data(found))
    else:
        write(f"{key} is revoked")
    return 0
