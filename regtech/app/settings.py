"""The one registry of settings read from the environment; feeds the options, ``--help`` and docs.

An option given on the command line comes first, then the environment, then the default here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regtech.errors import UsageError


@dataclass(frozen=True, slots=True)
class Setting:
    """``name`` in the environment; ``option`` it stands for, where there is one."""

    name: str
    default: str
    help: str
    option: str = ""
    choices: tuple[str, ...] = ()


SETTINGS: Final = (
    Setting("REGTECH_LANG", "en", "language of titles and explanations", "--lang", ("en", "zh")),
    Setting(
        "REGTECH_PACKS", "", "packs to use where neither --packs nor --rules is given", "--packs"
    ),
    Setting("REGTECH_BATCH", "16384", "events a batch; has no effect on the result", "--batch"),
    Setting("REGTECH_LATENESS", "10m", "how late an event may arrive", "--lateness"),
    Setting("REGTECH_HOME", "", "jurisdiction of events that name no country", "--home"),
    Setting("REGTECH_STORE", "", "store of cases, as a URL or an SQLite file's name", "--store"),
    Setting(
        "REGTECH_WATCHED",
        "",
        "how many subjects every rule is evaluated for, where brakes are not to go by the count",
    ),
    Setting(
        "REGTECH_SEARCH",
        "",
        "search index: a file, or https://user:password@host:9200/prefix of Elasticsearch; empty: "
        "the file beside an SQLite store",
        "--index",
    ),
    Setting("REGTECH_LISTS", "", "folder of lists of names for screening", "--lists"),
    Setting(
        "REGTECH_LISTS_EVERY", "10s", "how often a running server looks whether lists have changed"
    ),
    Setting(
        "REGTECH_LISTS_LEAST",
        "0.5",
        "a running server takes a changed list that has at least this share of the entries it had; "
        "0: whatever it has",
    ),
    Setting(
        "REGTECH_MODELS",
        "",
        "folder of anomaly models (regtech models) for rules with detector: anomaly",
    ),
    Setting("REGTECH_ACTOR", "", "who works cases on the command line; empty: the login", "--as"),
    Setting(
        "REGTECH_SNAPSHOT_EVERY", "60s", "a snapshot after so long, or after so many events: 500000"
    ),
    Setting(
        "REGTECH_CACHE_DIR",
        "",
        "folder of compiled kernels and checked packs; empty: the user's cache folder",
    ),
    Setting("REGTECH_BOUNDSCHECK", "0", "1 compiles kernels with checks of array bounds (slow)"),
    Setting(
        "REGTECH_WEBHOOK_ALLOW",
        "",
        "own addresses and networks that webhooks may reach, plain HTTP included: "
        "10.1.2.3,10.1.4.0/24",
    ),
    Setting(
        "REGTECH_MATCHER",
        "durable",
        "what joins alerts for policies; python: without the engine in a child process",
        choices=("durable", "python"),
    ),
    Setting("REGTECH_HOST", "127.0.0.1", "address that the server listens on", "--host"),
    Setting("REGTECH_PORT", "8000", "port that the server listens on", "--port"),
    Setting("REGTECH_KEYS", "", "folder of signing keys; with it the server exports evidence"),
    Setting("REGTECH_DATA", "", "folder of the server's journal and uploads", "--data"),
    Setting(
        "REGTECH_HISTORY",
        "",
        "events of the past for backtests from the page, beside the journal: a file, or a folder "
        "of files",
    ),
    Setting(
        "REGTECH_JOURNAL",
        "wait",
        "wait: an event is answered when the disk has it; background: the disk follows within "
        "moments, which a loss of power may take",
        choices=("wait", "background"),
    ),
    Setting(
        "REGTECH_SECRET", "", "secret of the server; seals second factors; 32 characters or more"
    ),
    Setting("REGTECH_SECRET_FILE", "", "file that holds the secret, in place of REGTECH_SECRET"),
    Setting("REGTECH_OIDC_ISSUER", "", "OpenID Connect provider; empty: none"),
    Setting("REGTECH_OIDC_CLIENT", "", "name of this server at the provider"),
    Setting("REGTECH_OIDC_SECRET", "", "secret of this server at the provider"),
    Setting("REGTECH_OIDC_SECRET_FILE", "", "file that holds it, in place of REGTECH_OIDC_SECRET"),
    Setting(
        "REGTECH_OIDC_REDIRECT",
        "",
        "where the provider sends browsers back: https://HOST/api/v1/session/openid/callback",
    ),
    Setting("REGTECH_RATE", "500", "requests a second that each key or user may make"),
    Setting("REGTECH_STRANGER_RATE", "5", "requests a second without a good key, by address"),
    Setting("REGTECH_REQUEST_TIMEOUT", "30s", "how long a request may take"),
    Setting("REGTECH_BULK_BYTES", "1073741824", "bytes of a file of events that is sent whole"),
    Setting(
        "REGTECH_PROXIES", "", "addresses of proxies whose X-Forwarded-For counts, between commas"
    ),
    Setting("NO_COLOR", "", "any value: no colour in what is printed"),
)

SECRET_MIN: Final = 32

_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


def secret(name: str, environ: Mapping[str, str] | None = None, *, least: int = SECRET_MIN) -> str:
    """A secret from the environment or from the file that ``<name>_FILE`` names; "": none.

    Secrets have no options: what is on a command line is seen by everybody on the machine.
    Raises ``UsageError`` for both at once, a file that cannot be read, or a secret too short.
    """
    found, path = setting(name, environ), setting(f"{name}_FILE", environ)
    if found and path:
        raise UsageError(f"both {name} and {name}_FILE are set", hint="set one of them")
    if path:
        try:
            found = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"the file of {name}_FILE could not be read") from None
    if found and len(found) < least:
        raise UsageError(f"{name} has fewer than {least} characters", hint="openssl rand -hex 32")
    return found


def data_folder(store: str, given: Path | None) -> Path | None:
    """The folder of a server's journal and uploads: the one given, the one that is set, or the one
    beside an SQLite store; None where nothing says.
    """
    if given is not None:
        return given
    if found := setting("REGTECH_DATA"):
        return Path(found)
    name = store.removeprefix("sqlite:///")
    return None if "://" in name else Path(f"{name}.events")


def whole(name: str, environ: Mapping[str, str] | None = None) -> int:
    """A setting that is a whole number from 1 on. Raises ``UsageError``."""
    text = setting(name, environ)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"{name} is {text!r}", hint="a whole number from 1 on")
    return int(text)


def share(name: str, environ: Mapping[str, str] | None = None) -> float:
    """A setting that is a share from 0 to 1. Raises ``UsageError``."""
    text = setting(name, environ)
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise UsageError(f"{name} is {text!r}", hint="a share from 0 to 1")
    return found


def setting(name: str, environ: Mapping[str, str] | None = None) -> str:
    """The value in force. An unknown word where only some are allowed is a ``UsageError``."""
    entry = _BY_NAME[name]
    value = (os.environ if environ is None else environ).get(name, "") or entry.default
    if entry.choices and value not in entry.choices:
        raise UsageError(
            f"{name} is {value!r}", hint="it may be " + " or ".join(map(repr, entry.choices))
        )
    return value
