"""The shape of the store is what the code says, on both servers, and no later one is touched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from casework.ports import Tally
from casework.stores.sql.engine import migrate, open_engine, store_url
from casework.stores.sql.record import SqlRecord
from casework.stores.sql.tables import HEAD, METADATA
from regtech.clock import ManualClock
from regtech.errors import StoreError, UsageError
from tests.contract.world import DAY_US, SERVICE, START_US, WANG, Salts, World, alert


@pytest.fixture(scope="module", autouse=True)
def each_migrated() -> Iterator[None]:
    """Each store by its own migration, not by what an earlier one left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("casework.stores.sql.engine.migrate", migrate)
        yield


def test_the_migrations_make_what_the_tables_say(sql_url: str) -> None:
    engine = open_engine(store_url(sql_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_the_newest_step_is_the_one_that_is_named() -> None:
    config = Config()
    config.set_main_option("script_location", "casework.stores.sql:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_store_of_a_later_version_is_left_alone(sql_url: str) -> None:
    engine = open_engine(store_url(sql_url))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'r9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="later version"):
        open_engine(store_url(sql_url))


def test_alerts_that_are_there_already_are_counted_by_day(sql_url: str) -> None:
    record = SqlRecord(sql_url, ManualClock(START_US), Salts())
    World(record, ManualClock(START_US)).take(*(alert(n, day=n) for n in range(9)))
    last = START_US // DAY_US + 8
    before = record.alert_weeks(SERVICE, Tally.TENANT, last, 2)
    standing = record.standing(SERVICE, (Tally.TENANT,), START_US)
    record.close()
    engine = open_engine(store_url(sql_url))
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alert_days"))
        for name in ("proposals", "event_days", "rule_events"):
            connection.execute(sa.text(f"DROP TABLE {name}"))
        connection.execute(sa.text("DROP INDEX ix_cases_standing"))
        for name in ("jurisdiction", "ended", "due_sort", "assignee"):
            connection.execute(sa.text(f"ALTER TABLE case_tenants DROP COLUMN {name}"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'r0005'"))
    engine.dispose()
    again = SqlRecord(sql_url, ManualClock(START_US), Salts())
    assert again.alert_weeks(SERVICE, Tally.TENANT, last, 2) == before == {"BANK-A": (2, 7)}
    assert again.standing(SERVICE, (Tally.TENANT,), START_US) == standing and standing
    again.close()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "empty"),
        ("mysql://localhost/x", "no store is kept in mysql"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("://nothing", "not a store URL"),
    ],
)
def test_urls_that_are_none(text: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        store_url(text)


def test_a_password_is_never_shown() -> None:
    shown = store_url("postgresql://regtech:secret@db/cases").render_as_string(hide_password=True)
    assert "secret" not in shown


def test_a_store_that_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        open_engine(store_url(f"{tmp_path}/missing.db"), create=False)
    text = tmp_path / "text.db"
    text.write_text("this is no database" * 100)
    with pytest.raises(StoreError, match="not a database"):
        open_engine(store_url(str(text)))


@pytest.fixture
def sqlite_record(tmp_path: Path) -> Any:
    record = SqlRecord(f"{tmp_path}/cases.db", ManualClock(START_US), Salts())
    yield record
    record.close()


def test_sqlite_writes_ahead_and_waits_for_the_disk(sqlite_record: SqlRecord) -> None:
    with sqlite_record.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_file_that_was_damaged_is_not_handed_out(sqlite_record: SqlRecord) -> None:
    clock = ManualClock(START_US)
    world = World(sqlite_record, clock)
    case = world.one()
    content = b"%PDF-1"
    sha256 = hashlib.sha256(content).hexdigest()
    world.service.add_file(
        WANG, case.id, case.version,
        name="a.pdf", media_type="application/pdf", content=content, sha256=sha256,
    )  # fmt: skip
    with sqlite_record._engine.begin() as connection:
        connection.execute(sa.text("UPDATE files SET content = X'00'"))
    with pytest.raises(StoreError, match="damaged"):
        sqlite_record.file(SERVICE, case.id, sha256)
