"""The one registry of settings read from the environment; feeds the options, ``--help`` and docs.

An option given on the command line comes first, then the environment, then the default here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regtech.app.options import parse_length
from regtech.errors import UsageError


@dataclass(frozen=True, slots=True)
class Setting:
    """``name`` in the environment; ``option`` it stands for, where there is one.

    ``wanted`` says in words why a value will not do; "" where it will.
    """

    name: str
    default: str
    help: str
    option: str = ""
    choices: tuple[str, ...] = ()
    wanted: Callable[[str], str] = lambda _: ""


def _number(least: int, greatest: int | None = None) -> Callable[[str], str]:
    words = f"a whole number from {least} on"
    if greatest is not None:
        words = f"a whole number from {least} to {greatest}"

    def wanted(text: str) -> str:
        whole = text.isascii() and text.isdigit() and len(text) < 20
        good = whole and least <= int(text) and (greatest is None or int(text) <= greatest)
        return "" if good else words

    return wanted


def _share(text: str) -> str:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    return "" if 0 <= found <= 1 else "a share from 0 to 1"


def _length(text: str) -> str:
    try:
        parse_length(text)
    except UsageError as error:
        return str(error.hint)
    return ""


def _some_length(text: str) -> str:
    return _length(text) or ("" if parse_length(text) else "more than nothing: 10s")


def _often(text: str) -> str:
    if not _number(1)(text) or not _some_length(text):
        return ""
    return "a length such as 60s, or a number of events"


def _url(text: str) -> str:
    from urllib.parse import urlsplit

    url = urlsplit(text)
    return "" if url.scheme in ("http", "https") and url.netloc else "an address: https://HOST/…"


def _addresses(text: str) -> str:
    import ipaddress

    for part in text.split(","):
        try:
            ipaddress.ip_network(part.strip())
        except ValueError:
            if part.strip() != "*":
                return "addresses or networks between commas: 10.1.2.3,10.1.4.0/24"
    return ""


def _no_file(text: str) -> str:
    path = Path(text)
    return "a folder, and this is a file" if path.exists() and not path.is_dir() else ""


def _models(text: str) -> str:
    return "" if Path(text).is_dir() else "a folder that is there; regtech score --models fills one"


def _there(text: str) -> str:
    return "" if Path(text).exists() else "a file or folder that is there"


SETTINGS: Final = (
    Setting("REGTECH_LANG", "en", "language of titles and explanations", "--lang", ("en", "zh")),
    Setting(
        "REGTECH_PACKS", "", "packs to use where neither --packs nor --rules is given", "--packs"
    ),
    Setting(
        "REGTECH_BATCH",
        "16384",
        "events a batch; has no effect on the result",
        "--batch",
        wanted=_number(1),
    ),
    Setting(
        "REGTECH_LATENESS", "10m", "how late an event may arrive", "--lateness", wanted=_length
    ),
    Setting("REGTECH_HOME", "", "jurisdiction of events that name no country", "--home"),
    Setting("REGTECH_STORE", "", "store of cases, as a URL or an SQLite file's name", "--store"),
    Setting(
        "REGTECH_WATCHED",
        "",
        "how many subjects every rule is evaluated for, where brakes are not to go by the count",
        wanted=_number(0),
    ),
    Setting(
        "REGTECH_SEARCH",
        "",
        "search index: a file, or https://user:password@host:9200/prefix of Elasticsearch; empty: "
        "the file beside an SQLite store",
        "--index",
    ),
    Setting(
        "REGTECH_LISTS", "", "folder of lists of names for screening", "--lists", wanted=_no_file
    ),
    Setting(
        "REGTECH_LISTS_EVERY",
        "10s",
        "how often a running server looks whether lists have changed",
        wanted=_some_length,
    ),
    Setting(
        "REGTECH_LISTS_LEAST",
        "0.5",
        "a running server takes a changed list that has at least this share of the entries it had; "
        "0: whatever it has",
        wanted=_share,
    ),
    Setting(
        "REGTECH_MODELS",
        "",
        "folder of anomaly models (regtech models) for rules with detector: anomaly",
        wanted=_models,
    ),
    Setting("REGTECH_ACTOR", "", "who works cases on the command line; empty: the login", "--as"),
    Setting(
        "REGTECH_SNAPSHOT_EVERY",
        "60s",
        "a snapshot after so long, or after so many events: 500000",
        wanted=_often,
    ),
    Setting(
        "REGTECH_CACHE_DIR",
        "",
        "folder of compiled kernels and checked packs; empty: the user's cache folder",
        wanted=_no_file,
    ),
    Setting(
        "REGTECH_BOUNDSCHECK",
        "0",
        "1 compiles kernels with checks of array bounds (slow)",
        choices=("0", "1"),
    ),
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
    Setting(
        "REGTECH_PORT",
        "8000",
        "port that the server listens on",
        "--port",
        wanted=_number(0, 65_535),
    ),
    Setting(
        "REGTECH_KEYS",
        "",
        "folder of signing keys; with it the server exports evidence",
        wanted=_no_file,
    ),
    Setting(
        "REGTECH_DATA", "", "folder of the server's journal and uploads", "--data", wanted=_no_file
    ),
    Setting(
        "REGTECH_HISTORY",
        "",
        "events of the past for backtests from the page, beside the journal: a file, or a folder "
        "of files",
        wanted=_there,
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
    Setting("REGTECH_OIDC_ISSUER", "", "OpenID Connect provider; empty: none", wanted=_url),
    Setting("REGTECH_OIDC_CLIENT", "", "name of this server at the provider"),
    Setting("REGTECH_OIDC_SECRET", "", "secret of this server at the provider"),
    Setting("REGTECH_OIDC_SECRET_FILE", "", "file that holds it, in place of REGTECH_OIDC_SECRET"),
    Setting(
        "REGTECH_OIDC_REDIRECT",
        "",
        "where the provider sends browsers back: https://HOST/api/v1/session/openid/callback",
        wanted=_url,
    ),
    Setting(
        "REGTECH_RATE", "500", "requests a second that each key or user may make", wanted=_number(1)
    ),
    Setting(
        "REGTECH_STRANGER_RATE",
        "5",
        "requests a second without a good key, by address",
        wanted=_number(1),
    ),
    Setting("REGTECH_REQUEST_TIMEOUT", "30s", "how long a request may take", wanted=_some_length),
    Setting(
        "REGTECH_BULK_BYTES",
        "1073741824",
        "bytes of a file of events that is sent whole",
        wanted=_number(1),
    ),
    Setting(
        "REGTECH_PROXIES",
        "",
        "addresses of proxies whose X-Forwarded-For counts, between commas",
        wanted=_addresses,
    ),
    Setting("NO_COLOR", "", "any value: no colour in what is printed"),
)

SECRET_MIN: Final = 32

_OWN: Final = ("REGTECH_TEST_", "REGTECH_UPDATE")
"""Names that development uses."""

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
    """A setting that is a whole number. Raises ``UsageError``."""
    return int(setting(name, environ))


def share(name: str, environ: Mapping[str, str] | None = None) -> float:
    """A setting that is a share from 0 to 1. Raises ``UsageError``."""
    return float(setting(name, environ))


def length_us(name: str, environ: Mapping[str, str] | None = None) -> int:
    """A setting that is a length of time, in microseconds. Raises ``UsageError``."""
    return parse_length(setting(name, environ))


def setting(name: str, environ: Mapping[str, str] | None = None) -> str:
    """The value in force. One that cannot be is a ``UsageError`` that names the setting."""
    entry = _BY_NAME[name]
    value = (os.environ if environ is None else environ).get(name, "") or entry.default
    wanted = entry.wanted(value) if value else ""
    if entry.choices and value not in entry.choices:
        wanted = "it may be " + " or ".join(map(repr, entry.choices))
    if wanted:
        raise UsageError(f"{name} is {value!r}", hint=wanted)
    return value


def check_settings(environ: Mapping[str, str] | None = None) -> None:
    """Read every setting, also those that are asked for much later; the first that cannot be is a
    ``UsageError``. For what runs unattended: it should fail at its start or not at all."""
    for entry in SETTINGS:
        setting(entry.name, environ)


def unknown_settings(environ: Mapping[str, str] | None = None) -> list[str]:
    """What the environment names like a setting and is none, each in words: a slip of the pen
    leaves a default in force that nobody meant."""
    from difflib import get_close_matches

    told = []
    for name in sorted(os.environ if environ is None else environ):
        if not name.startswith("REGTECH_") or name in _BY_NAME or name.startswith(_OWN):
            continue
        near = get_close_matches(name, _BY_NAME, n=1)
        told.append(f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else ""))
    return told
