"""The one registry of settings read from the environment; feeds the options, ``--help`` and docs.

An option given on the command line comes first, then the environment, then the default here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
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
        "REGTECH_SEARCH",
        "",
        "search index: a file, or https://user:password@host:9200/prefix of Elasticsearch; empty: "
        "the file beside an SQLite store",
        "--index",
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
    Setting("NO_COLOR", "", "any value: no colour in what is printed"),
)

_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


def setting(name: str, environ: Mapping[str, str] | None = None) -> str:
    """The value in force. An unknown word where only some are allowed is a ``UsageError``."""
    entry = _BY_NAME[name]
    value = (os.environ if environ is None else environ).get(name, "") or entry.default
    if entry.choices and value not in entry.choices:
        raise UsageError(
            f"{name} is {value!r}", hint="it may be " + " or ".join(map(repr, entry.choices))
        )
    return value
