"""The process that runs a backtest for a server: ``python -m regtech.app.backtesting FOLDER``.

It runs beside the server, so that nobody waits for it, gives way to whoever has something better to
do, has bounds of time and memory, and can be ended at any moment: what it leaves in its folder is
whole or is not there. ``request.json`` says what to do; ``progress.json``, ``result.json`` and
``error.json`` are what it says.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from casework.policy.durable_child import limit
from regtech.app.backtest import compare_packs
from regtech.app.progress import FileProgress, write_whole
from regtech.app.segments import end_of_lines, segments
from regtech.content.saying import as_data, say
from regtech.errors import RegtechError, UsageError
from regtech.rulelang.packs import require_packs
from regtech.sandbox.backtest import Change
from regtech.sandbox.differences import BacktestResult
from regtech.sandbox.spread import SHARE

REQUEST: Final = "request.json"
PROGRESS: Final = "progress.json"
RESULT: Final = "result.json"
ERROR: Final = "error.json"
EACH_MAX: Final = 20
"""Alerts shown of each kind, rule and institution; all of them are counted."""
SHOWN_MAX: Final = 1_000
_ENDINGS: Final = (
    ".ndjson", ".jsonl", ".json", ".csv", ".parquet", ".pq",
    ".ndjson.gz", ".jsonl.gz", ".csv.gz", ".ndjson.zst", ".jsonl.zst", ".csv.zst",
)  # fmt: skip


def history_files(path: Path) -> list[str]:
    """The files of a history that an operator named. Raises ``UsageError`` where there are none."""
    if path.is_dir():
        found = [str(one) for one in sorted(path.iterdir()) if one.name.endswith(_ENDINGS)]
        if found:
            return found
    elif path.is_file():
        return [str(path)]
    raise UsageError(
        say("the history that the server was given is not there"), hint=say("REGTECH_HISTORY")
    )


def journal_files(data: Path, folder: Path) -> list[str]:
    """The files of a journal. The last one is being written: its whole lines are copied."""
    parts = segments(data)
    if not parts:
        raise UsageError(say("this server has judged no events yet"), hint=say("send events first"))
    last = folder / "journal.ndjson"
    left = end_of_lines(parts[-1].path)
    with parts[-1].path.open("rb") as source, last.open("wb") as copy:
        while left and (block := source.read(min(left, 1 << 20))):
            copy.write(block)
            left -= len(block)
    whole = [str(part.path) for part in parts[:-1]]
    return [*whole, str(last)] if last.stat().st_size or not whole else whole


def chosen_changes(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Some of each kind, rule and institution, in the order of time."""
    counts: Counter[tuple[str, str, str]] = Counter()
    chosen: list[dict[str, Any]] = []
    for change in changes:
        key = (change.kind, change.rule, change.institution)
        counts[key] += 1
        if counts[key] <= EACH_MAX and len(chosen) < SHOWN_MAX:
            chosen.append(change.to_json())
    return chosen


def as_told(result: BacktestResult) -> dict[str, Any]:
    """What is kept of a result: everything that is counted, and some alerts. No paths."""
    data = result.to_json()
    for name in ("samples", "out", "base", "head"):
        del data[name]
    for change in (changes := chosen_changes(result.changes)):
        for side in ("base", "head"):
            (change[side] or {}).pop("source", None)
    counts = {"base": result.base.alerts, "head": result.head.alerts}
    return {"around": [], **data, "sides": counts, "titles": result.titles, "changes": changes}


def run(folder: Path) -> None:
    """Do what the request in the folder asks for, and leave the result there."""
    wanted = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    told = FileProgress(folder / PROGRESS)
    if wanted["history"] == "journal":
        events = journal_files(Path(wanted["data"]), folder)
    else:
        events = history_files(Path(wanted["files"]))
    pack = wanted["backtest"]["pack"]
    base = folder / "base" / f"{pack}.yml"
    result = compare_packs(
        ("base", require_packs([base]) if base.is_file() else []),
        ("head", require_packs([folder / "head" / f"{pack}.yml"])),
        events,
        home=wanted["home"],
        samples=0,
        near=SHARE,
        progress=told,
    )
    write_whole(folder / RESULT, as_told(result))


def main(folder: Path) -> int:
    """Run; say why not where it cannot be."""
    limit()
    os.nice(10)
    try:
        run(folder)
    except (RegtechError, MemoryError) as error:
        said = error.message if isinstance(error, RegtechError) else say("it needs more memory")
        write_whole(folder / ERROR, {"error": as_data(said)})
        return 1
    finally:
        (folder / "journal.ndjson").unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
