"""Backup and restore: from either database into either, whole or not at all, killed anywhere."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from casework.cases.accounts import User
from casework.cases.scope import Role
from casework.ports import CaseQuery, Job, JobState, Quarantined
from casework.stores.sql.accounts import SqlAccounts
from casework.stores.sql.copying import whole_state
from casework.stores.sql.desk import SqlEventDesk
from casework.stores.sql.engine import bare_engine, migrate, store_url
from casework.stores.sql.proposals import SqlProposals
from casework.stores.sql.record import SqlRecord
from regtech.app.archive import read_archive, written_archive
from regtech.app.backup import backup, check_backup, restore
from regtech.app.journal import RESTORING, Journal
from regtech.app.progress import NoProgress
from regtech.clock import ManualClock
from regtech.errors import ConflictError, InputError, StoreError, UsageError
from tests.contract.world import DAY_US, SERVICE, START_US, WANG, Salts, World, alert
from tests.support.proposals import proposal, texts

Urls = Callable[[], str]
CLOCK = ManualClock(START_US)
QUIET = NoProgress()


def _url(kind: str, request: pytest.FixtureRequest, tmp_path: Path, name: str) -> str:
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/{name}.db"
    make: Urls = request.getfixturevalue("postgres_urls")
    return make()


def fill(url: str, alerts: int = 40) -> None:
    """Something in most tables, among it what texts and numbers can be."""
    clock = ManualClock(START_US)
    record = SqlRecord(url, clock, Salts())
    world = World(record, clock)
    world.take(
        *(alert(n, subject=f"K{n % 7}", payer__name="张伟 \U0001f600'\"") for n in range(alerts))
    )
    world.take(alert(1, payer__name="other content"))
    first, second, *_ = world.all()
    world.service.comment(WANG, first.id, first.version, "line\nline\u2028\ttab \\ 'quote'")
    world.service.add_file(
        WANG, second.id, second.version,
        name="a.pdf", media_type="application/pdf", content=b"%PDF-1\0\xff" * 99,
        sha256=hashlib.sha256(b"%PDF-1\0\xff" * 99).hexdigest(),
    )  # fmt: skip
    record.save_search(WANG, "mine", {"text": "张"})
    record.add_checkpoint(SERVICE, "BANK-A", 1, {"size": 1})
    desk = SqlEventDesk(record)
    rejected = Quarantined(
        0, "BANK-A", START_US, "api", 1, "time", "late", "found", "expected", b"\x00\xff{"
    )
    desk.quarantine(SERVICE, [rejected, rejected])
    desk.put_job(SERVICE, Job("J-1", "feed", None, "0" * 64, 1, START_US, START_US))
    with SqlAccounts(record).unit(SERVICE) as unit:
        unit.put_user(SERVICE, User("li", frozenset({Role.SUPERVISOR}), None, None, START_US))
    with SqlProposals(record).unit(SERVICE) as proposals:
        proposals.add(SERVICE, proposal(note="五万元"), texts())
    record.close()


def rows(url: str) -> dict[str, bytes]:
    """Everything that is kept, by table."""
    with whole_state(store_url(url)) as state:
        return {shape.name: b"".join(state.lines(shape.name)) for shape in state.tables()}


def lasts(url: str) -> dict[str, int | None]:
    """The highest number of each table that gives numbers."""
    with whole_state(store_url(url)) as state:
        return {shape.name: shape.last for shape in state.tables() if shape.last is not None}


@pytest.mark.parametrize(
    ("source", "target"),
    [("sqlite", "sqlite"), ("sqlite", "postgresql"), ("postgresql", "sqlite")],
)
def test_what_comes_back_is_what_was_there(
    request: pytest.FixtureRequest, tmp_path: Path, source: str, target: str
) -> None:
    before = _url(source, request, tmp_path, "before")
    after = _url(target, request, tmp_path, "after")
    fill(before)
    whole = rows(before)
    assert {name for name, lines in whole.items() if lines} >= {
        "alerts", "alert_conflicts", "cases", "entries", "chains", "files", "outbox", "quarantine",
        "saved_searches", "users", "jobs", "checkpoints",
    }  # fmt: skip
    archive = tmp_path / "all.backup"
    told = backup(before, None, archive, CLOCK, QUIET)
    assert archive.stat().st_mode & 0o777 == 0o600
    assert check_backup(archive, QUIET)["digest"] == told["digest"]
    assert sum(restore(archive, after, None, CLOCK, QUIET)["log"].values()) > 40 // 7
    assert rows(after) == whole
    assert lasts(after) == lasts(before) and lasts(before)["quarantine"] == 2
    # Work goes on, and no number is given a second time.
    record = SqlRecord(after, ManualClock(START_US + DAY_US), Salts(10_000))
    known = set(SqlEventDesk(record).quarantine(SERVICE, []))
    world = World(record, ManualClock(START_US + DAY_US))
    world.take(alert(900, subject="K900"))
    case = record.cases(WANG, CaseQuery(), limit=1).items[0]
    world.service.comment(WANG, case.id, case.version, "after")
    record.close()
    assert not known and rows(after)["outbox"].startswith(whole["outbox"])


def test_the_record_is_one_moment_while_others_write(sql_url: str, tmp_path: Path) -> None:
    record = SqlRecord(sql_url, ManualClock(START_US), Salts())
    world = World(record, ManualClock(START_US))
    world.take(alert(0))
    stop = threading.Event()

    def write() -> None:
        number = 1
        while not stop.is_set():
            world.intake.take(SERVICE, [alert(number, subject=f"K{number % 5}")])
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(3):
            archive = tmp_path / f"{n}.backup"
            backup(sql_url, None, archive, CLOCK, QUIET)
            # Restoring walks the log; foreign keys hold; and cases have the alerts they name.
            copy = f"sqlite:///{tmp_path}/{n}.db"
            restore(archive, copy, None, CLOCK, QUIET)
            found = SqlRecord(copy, ManualClock(START_US), Salts())
            for case in found.cases(SERVICE, CaseQuery(open=None), limit=100).items:
                alerts = found.case_alerts(SERVICE, case.id, limit=10_000).items
                assert len(alerts) == len(
                    found.dossiers(SERVICE, [case.id], alerts_max=10_000)[0].alerts
                )
                assert found.timeline(SERVICE, case.id)[-1].sequence == case.version
            found.close()
    finally:
        stop.set()
        writer.join()
        record.close()


def test_nothing_is_overwritten(sql_url: str, tmp_path: Path) -> None:
    source = f"sqlite:///{tmp_path}/before.db"
    fill(source)
    archive, data = tmp_path / "all.backup", tmp_path / "events"
    data.mkdir()
    (data / "events.ndjson").write_bytes(b'{"id":"1"}\n')
    backup(source, data, archive, CLOCK, QUIET)
    with pytest.raises(UsageError, match="where do events go"):
        restore(archive, sql_url, None, CLOCK, QUIET)
    with pytest.raises(ConflictError, match="events is not empty"):
        restore(archive, sql_url, data, CLOCK, QUIET)
    SqlRecord(sql_url, CLOCK, Salts()).close()  # made, and never used
    restore(archive, sql_url, tmp_path / "new", CLOCK, QUIET)
    whole = rows(sql_url)
    assert (tmp_path / "new" / "events.ndjson").read_bytes() == b'{"id":"1"}\n'
    assert not (tmp_path / "new" / RESTORING).exists()
    with pytest.raises(ConflictError, match="the store is not empty"):
        restore(archive, sql_url, tmp_path / "other", CLOCK, QUIET)
    assert rows(sql_url) == whole and not list(tmp_path.glob("other/*"))
    (tmp_path / "third.search.db").write_bytes(b"")
    with pytest.raises(ConflictError, match="index of another store"):
        restore(archive, f"{tmp_path}/third.db", tmp_path / "third", CLOCK, QUIET)


def test_a_damaged_backup_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    source = f"{tmp_path}/before.db"
    fill(source, alerts=5)
    good = tmp_path / "good.backup"
    backup(source, None, good, CLOCK, QUIET)
    content = good.read_bytes()
    bad, target = tmp_path / "bad.backup", tmp_path / "after.db"
    chance = random.Random(7)
    whole = rows(source)
    for end in [0, 1, 21, *(chance.randrange(len(content)) for _ in range(12)), len(content) - 1]:
        bad.write_bytes(content[:end])
        with pytest.raises(InputError, match=r"bad\.backup is damaged"):
            restore(bad, str(target), None, CLOCK, QUIET)
        assert not target.exists()
    unnoticed = 0
    for _ in range(80):
        at = chance.randrange(len(content))
        bad.write_bytes(
            content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]
        )
        try:
            restore(bad, str(target), None, CLOCK, QUIET)
        except InputError:
            assert not target.exists()
            continue
        # Dates and the like, which say nothing: what is restored is what was there.
        assert rows(str(target)) == whole
        target.unlink()
        unnoticed += 1
    assert unnoticed < 40


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    source = f"{tmp_path}/before.db"
    fill(source, alerts=5)
    kept, pipe, link = tmp_path / "kept.backup", tmp_path / "pipe", tmp_path / "link"
    backup(source, None, kept, CLOCK, QUIET)
    before = kept.read_bytes()
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "elsewhere")
    for path in (kept, pipe, link, tmp_path):
        with pytest.raises(UsageError, match="is there already"):
            backup(source, None, path, CLOCK, QUIET)
    assert kept.read_bytes() == before and pipe.is_fifo() and link.is_symlink()
    assert not list(tmp_path.glob("*.part")) and not (tmp_path / "elsewhere").exists()


def test_what_came_while_a_backup_was_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "all.backup"
    with (
        pytest.raises(UsageError, match="is there already"),
        written_archive(path) as made,
    ):
        path.write_bytes(b"another")
        made.finish({})
    assert path.read_bytes() == b"another" and [p.name for p in tmp_path.iterdir()] == [path.name]


def _rewritten(
    source: Path, target: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]
) -> None:
    """A whole archive of other content."""
    target.unlink(missing_ok=True)
    with read_archive(source) as archive:
        said = {k: v for k, v in archive.said.items() if k not in ("format", "entries")}
        entries = {name: b"".join(archive.pieces(name)) for name in archive.sizes}
    change(said, entries)
    with written_archive(target) as made:
        for name, content in entries.items():
            made.add(name, [content])
        made.finish(said)


def test_content_that_does_not_hold_is_refused(tmp_path: Path) -> None:
    source, target = f"{tmp_path}/before.db", f"{tmp_path}/after.db"
    fill(source, alerts=9)
    good, bad = tmp_path / "good.backup", tmp_path / "bad.backup"
    backup(source, None, good, CLOCK, QUIET)

    def later(said: dict[str, Any], entries: dict[str, bytes]) -> None:
        said["schema"] = "r9999"

    def changed(said: dict[str, Any], entries: dict[str, bytes]) -> None:
        lines = entries["record/entries.ndjson"].replace(b"BANK-A|K1", b"BANK-A|K2")
        assert lines != entries["record/entries.ndjson"]
        entries["record/entries.ndjson"] = lines

    def shorter(said: dict[str, Any], entries: dict[str, bytes]) -> None:
        lines = entries["record/entries.ndjson"].splitlines(keepends=True)
        entries["record/entries.ndjson"] = b"".join(lines[:-1])

    def climbing(said: dict[str, Any], entries: dict[str, bytes]) -> None:
        entries["data/../../escaped"] = b""

    def shapeless(said: dict[str, Any], entries: dict[str, bytes]) -> None:
        said["tables"][0]["columns"] = [["id", "pickle"]]

    def unread(said: dict[str, Any], entries: dict[str, bytes]) -> None:
        entries["record/alerts.ndjson"] = b'["too short"]\n'

    for change, kind, match in (
        (later, StoreError, "later version"),
        (changed, StoreError, "log of BANK-A is broken: entry"),
        (shorter, InputError, "entries has"),
        (climbing, InputError, "other entries"),
        (shapeless, InputError, "not described"),
        (unread, InputError, "row 1 of alerts"),
    ):
        _rewritten(good, bad, change)
        with pytest.raises(kind, match=match):
            restore(bad, target, tmp_path / "data", CLOCK, QUIET)
        engine = sa.create_engine(store_url(target))
        assert sa.inspect(engine).get_table_names() == []
        engine.dispose()
        assert not list(tmp_path.glob("data/*"))
    restore(good, target, None, CLOCK, QUIET)
    assert rows(target) == rows(source)


def test_a_backup_of_an_earlier_shape_is_brought_to_the_present_one(
    sql_url: str, tmp_path: Path
) -> None:
    now = f"{tmp_path}/now.db"
    fill(now)
    good, early = tmp_path / "good.backup", tmp_path / "early.backup"
    backup(now, None, good, CLOCK, QUIET)
    engine = bare_engine(store_url(f"{tmp_path}/early.db"))
    with engine.begin() as connection:
        migrate(connection, "r0004")
        seen = sa.inspect(connection)
        known = {
            name: {column["name"] for column in seen.get_columns(name)}
            for name in seen.get_table_names()
        }
    engine.dispose()

    def back(said: dict[str, Any], entries: dict[str, bytes]) -> None:
        said["schema"] = "r0004"
        said["tables"] = [table for table in said["tables"] if table["name"] in known]
        for name in list(entries):
            if name.removeprefix("record/").removesuffix(".ndjson") not in known:
                del entries[name]
        for table in said["tables"]:
            there, columns = known[table["name"]], table["columns"]
            places = [n for n, (column, _) in enumerate(columns) if column in there]
            name = f"record/{table['name']}.ndjson"
            cells = [json.loads(line) for line in entries[name].splitlines()]
            entries[name] = b"".join(
                json.dumps([row[n] for n in places]).encode() + b"\n" for row in cells
            )
            table["columns"] = [columns[n] for n in places]

    _rewritten(good, early, back)
    restore(early, sql_url, None, CLOCK, QUIET)
    found, wanted = rows(sql_url), rows(now)
    later = {"checkpoints": b"", "proposals": b""}
    assert all(found[name] == b"" != wanted[name] for name in later)
    assert {**found, **later} == {**wanted, **later}


def test_files_that_wait_to_be_judged_come_along(sql_url: str, tmp_path: Path) -> None:
    record, data = SqlRecord(sql_url, CLOCK, Salts()), tmp_path / "events"
    desk = SqlEventDesk(record)
    (data / "bulk").mkdir(parents=True)
    for number, state in enumerate((JobState.WAITING, JobState.RUNNING, JobState.DONE)):
        job = Job(f"J-{number}", "feed", None, "0" * 64, 4, START_US, START_US, state)
        desk.put_job(SERVICE, job)
        (data / "bulk" / f"{job.id}.ndjson").write_bytes(b"%d\n" % number)
    (data / "bulk" / "J-9.part").write_bytes(b"just coming in")
    (data / "events.ndjson").write_bytes(b"{}\n")
    (data / "taken.json").write_bytes(b'{"taken": 3}')
    archive, new = tmp_path / "all.backup", tmp_path / "new"
    backup(sql_url, data, archive, CLOCK, QUIET)
    record.close()
    restore(archive, f"{tmp_path}/after.db", new, CLOCK, QUIET)
    found = {str(path.relative_to(new)): path.read_bytes() for path in new.rglob("*.*")}
    assert found == {
        "bulk/J-0.ndjson": b"0\n", "bulk/J-1.ndjson": b"1\n",
        "events.ndjson": b"{}\n", "taken.json": b'{"taken": 3}',
    }  # fmt: skip


_CHILD = """
import os, signal, sys
from pathlib import Path
from regtech.app.backup import backup, restore
from regtech.app.progress import NoProgress
from regtech.clock import SystemClock

class Killed(NoProgress):
    def __init__(self, after):
        self.left = after
    def _step(self):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
    def stage(self, name, total=None):
        self._step()
    def advance(self, steps, text=""):
        self._step()

what, archive, store, data, after = sys.argv[1:]
if what == "unlink":
    os.unlink = Path.unlink = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
    what = "restore"
if what == "backup":
    backup(store, Path(data), Path(archive), SystemClock(), Killed(int(after)))
else:
    restore(Path(archive), store, Path(data), SystemClock(), Killed(int(after)))
"""


def _killed(*words: str) -> None:
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, *sys.path])}
    done = subprocess.run([sys.executable, "-c", _CHILD, *words], env=environment, timeout=60)
    assert done.returncode == -signal.SIGKILL


def test_killed_anywhere_it_is_all_or_nothing(sql_url: str, tmp_path: Path) -> None:
    source, data = f"{tmp_path}/before.db", tmp_path / "events"
    fill(source)
    journal = Journal(data)
    journal.append([b'{"id":"%d"}' % n for n in range(1000)])
    journal.close()
    archive, new = tmp_path / "all.backup", tmp_path / "new"
    _killed("backup", str(archive), source, str(data), "9")
    assert not archive.exists()
    backup(source, data, archive, CLOCK, QUIET)  # over what the killed one left
    tables = len(zipfile.ZipFile(archive).namelist()) - 1
    for after in (9, tables + 1):
        _killed("restore", str(archive), sql_url, str(new), str(after))
        with pytest.raises(ConflictError, match="broken off"):
            Journal(new)
        assert json.loads((new / RESTORING).read_bytes())["digest"]
    # The store is there, and only the last step is missing.
    _killed("unlink", str(archive), sql_url, str(new), "0")
    with pytest.raises(ConflictError, match="broken off"):
        Journal(new)
    restore(archive, sql_url, new, CLOCK, QUIET)
    assert rows(sql_url) == rows(source)
    ((_, lines),) = Journal(new).read()
    assert lines == [b'{"id":"%d"}' % n for n in range(1000)]
    with pytest.raises(ConflictError):
        restore(archive, sql_url, new, CLOCK, QUIET)
