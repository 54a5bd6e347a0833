"""``regtech backup`` and ``regtech restore``: everything of a store in one file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from regtech.cli.cases import store_of
from regtech.cli.console import counted, progress, write, write_json
from regtech.cli.options import Json, Lang, Store, language
from regtech.clock import SystemClock
from regtech.errors import UsageError

Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the server's journal and uploads; default: beside the SQLite store."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(name="backup")(backup)
    app.command(name="restore")(restore)


def backup(
    out: Annotated[
        Path, typer.Argument(help="File to write, not there yet; only you may read it.")
    ],
    store: Store = None,
    data: Data = None,
    events: Annotated[
        bool, typer.Option("--events/--no-events", help="With the journal, or the store alone.")
    ] = True,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Write the store and the journal of events as they are at one moment; a server may go on.

    The file fits SQLite and PostgreSQL alike. It holds personal data, hashes of passwords and
    secrets of webhooks; it does not hold sessions, the search index, signing keys, or settings.

    \b
    Examples:
      regtech backup cases.backup --store cases.db
      regtech backup cases.backup --store postgresql://regtech@db/cases --data /var/lib/regtech
    """
    chosen = language(lang)
    from regtech.app.backup import backup as run
    from regtech.app.settings import data_folder

    url = store_of(store)
    folder = data_folder(url, data) if events else None
    if events and folder is None:
        raise UsageError(
            "where do events lie?",
            hint="--data FOLDER, or --no-events where the server judges none",
        )
    if data is not None and not data.is_dir():
        raise UsageError(f"there is no folder {data}")
    with progress() as told:
        found = run(url, folder, out, SystemClock(), told)
    if json_:
        write_json(found)
    else:
        write(_text(found, "written", chosen))
    return 0


def restore(
    source: Annotated[Path, typer.Argument(help="File that `regtech backup` wrote.")],
    store: Store = None,
    data: Data = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read the file and compare its digests; write nothing.")
    ] = False,
    lang: Lang = None,
    json_: Json = False,
) -> int:
    """Fill a store that is not there yet from a backup: all of it, or nothing.

    Into SQLite or PostgreSQL, whichever it came from. Every digest is compared before anything is
    written, and the log is walked before the store is there. Broken off, run it again.

    \b
    Examples:
      regtech restore cases.backup --store new.db
      regtech restore cases.backup --store postgresql://regtech@db/cases --data /var/lib/regtech
      regtech restore cases.backup --check
    """
    chosen = language(lang)
    from regtech.app.backup import check_backup
    from regtech.app.backup import restore as run
    from regtech.app.settings import data_folder

    with progress() as told:
        if check:
            found = check_backup(source, told)
        else:
            url = store_of(store)
            found = run(source, url, data_folder(url, data), SystemClock(), told)
    if json_:
        write_json(found)
    else:
        write(_text(found, "whole" if check else "restored", chosen))
    return 0


_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "written": "written",
        "whole": "whole",
        "restored": "restored",
        "none": "no folder of events",
        "hashes": ", every hash as it should be",
        "holds": "It holds personal data, hashes of passwords and secrets of webhooks: keep it as "
        "you keep the store. Signing keys and settings are not in it.",
        "next": "What was delivered since the backup is delivered again, under the same ids. "
        "The search index is built anew: regtech search rebuild",
        "keys": "Users, passwords and keys are those of {made}: who was disabled and what was "
        "revoked since has to be again. Look: regtech keys list; regtech users list",
    },
    "zh": {
        "written": "已写入",
        "whole": "完整",
        "restored": "已恢复",
        "none": "没有事件文件夹",
        "hashes": "，哈希全部相符",
        "holds": "其中有个人信息、密码哈希和 Webhook 密钥：须与库同等保管。"
        "签名密钥和设置不在其中。",
        "next": "备份之后已送出的通知会以相同编号再次送出。搜索索引须重建：regtech search rebuild",
        "keys": "用户、密码和密钥均为 {made} 时的状态：此后停用的用户、吊销的密钥须再次停用、吊销。"
        "请查看：regtech keys list；regtech users list",
    },
}

_COUNTED: Final = {
    "rows": ("row of the record", "rows of the record", "条记录"),
    "files": ("file of events", "files of events", "个事件文件"),
    "log": ("entry of the log", "entries of the log", "条日志"),
}


def _counted(number: int, what: str, lang: str) -> str:
    one, many, chinese = _COUNTED[what]
    return f"{number:,} {chinese}" if lang == "zh" else counted(number, one, many)


def _text(found: Mapping[str, Any], done: str, lang: str) -> str:
    words = _WORDS[lang]
    data = found["data"]
    lines = [
        f"{found['backup']}: {words[done]}",
        f"sha256 {found['digest']}",
        _counted(sum(found["rows"].values()), "rows", lang),
        f"{_counted(len(data), 'files', lang)}, {sum(data.values()):,} B"
        if data
        else words["none"],
    ]
    if "log" in found:
        lines.append(_counted(sum(found["log"].values()), "log", lang) + words["hashes"])
    if done == "restored":
        lines += [words["next"], words["keys"].format(made=found["made"])]
    else:
        lines.append(words["holds"])
    return "\n".join(lines)
