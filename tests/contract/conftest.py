"""Every store under one suite: ``record`` is each of them in turn, empty, on a clock that stands.

PostgreSQL needs a server: set ``REGTECH_TEST_POSTGRES`` to the URL of a database in which schemas
may be made, such as ``postgresql://regtech@127.0.0.1:5432/postgres``. Each test gets a schema.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from casework.ports import Record
from casework.stores.memory import MemoryRecord
from casework.stores.sql.engine import store_url
from casework.stores.sql.record import SqlRecord
from regtech.clock import ManualClock
from tests.contract.world import START_US, Salts
from tests.support.servers import POSTGRES, server_url

Urls = Callable[[], str]


@pytest.fixture
def clock() -> ManualClock:
    """A Monday morning in March 2026."""
    return ManualClock(START_US)


@pytest.fixture
def postgres_urls() -> Iterator[Urls]:
    """Makes a schema of its own and gives its URL; the schemas are dropped at the end."""
    given = server_url(POSTGRES)
    engine = sa.create_engine(store_url(given), isolation_level="AUTOCOMMIT")
    names: list[str] = []

    def make() -> str:
        name = f"regtech_{uuid.uuid4().hex}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        names.append(name)
        url = store_url(given).update_query_dict({"options": f"-csearch_path={name}"})
        return url.render_as_string(hide_password=False)

    yield make
    with engine.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/cases.db"
    make: Urls = request.getfixturevalue("postgres_urls")
    return make()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def record(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> Iterator[Record]:
    """A store of each kind."""
    made: Record
    if request.param == "memory":
        made = MemoryRecord(clock, Salts())
    elif request.param == "sqlite":
        made = SqlRecord(f"sqlite:///{tmp_path}/cases.db", clock, Salts())
    else:
        make: Urls = request.getfixturevalue("postgres_urls")
        made = SqlRecord(make(), clock, Salts())
    yield made
    made.close()
