"""The file of the SQLite index: lost, damaged, of another shape, or something else altogether."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from casework.cases.scope import Role, Scope, service_scope
from casework.search.document import Document
from casework.search.errors import IndexAbsentError, WalkEndedError
from casework.search.fts.index import KEEP_US, FtsIndex
from casework.search.query import Kind, SearchQuery
from regtech.clock import ManualClock
from regtech.errors import StoreError, UsageError

SERVICE = service_scope()


def document(number: int, version: int = 1) -> Document:
    return Document(
        f"d{number}", Kind.CASE, f"C-{number}", version, full=True, names=(f"Anna {number}",)
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_772_413_200_000_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "search.db"


@pytest.fixture
def index(path: Path, clock: ManualClock) -> Iterator[FtsIndex]:
    made = FtsIndex(path, clock)
    fill(made, 10)
    yield made
    made.close()


def fill(index: FtsIndex, count: int) -> None:
    generation = index.begin()
    index.build(generation, [document(number) for number in range(count)])
    index.finish(generation)


def total(index: FtsIndex, text: str = "anna") -> int:
    return index.search(SERVICE, SearchQuery(text)).total


def test_nothing_is_made_before_it_is_built(path: Path, clock: ManualClock) -> None:
    with closing(FtsIndex(path, clock)) as index:
        assert index.live() is None
        with pytest.raises(IndexAbsentError):
            total(index)
    assert not path.exists()


def test_what_was_written_is_there_for_the_next_process(
    index: FtsIndex, path: Path, clock: ManualClock
) -> None:
    index.write([document(77)])
    index.close()
    with closing(FtsIndex(path, clock)) as again:
        assert total(again, '"anna 77"') == 1 and total(again) == 11


def test_a_deleted_file_is_noticed_by_who_has_it_open(index: FtsIndex, path: Path) -> None:
    assert total(index) == 10
    for file in path.parent.iterdir():
        file.unlink()
    for act in (lambda: total(index), lambda: index.write([document(1)])):
        with pytest.raises(IndexAbsentError):
            act()
    assert index.live() is None
    fill(index, 3)
    assert total(index) == 3


def test_a_file_of_something_else_is_left_alone(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "cases.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cases (id TEXT)")
        connection.commit()
    before = path.read_bytes()
    with closing(FtsIndex(path, clock)) as index:
        assert index.live() is None
        with pytest.raises(UsageError, match="something else"):
            index.begin()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("cases",)]
    assert len(path.read_bytes()) == len(before)


def test_a_damaged_file_says_so(index: FtsIndex, path: Path) -> None:
    index.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="search index") as caught:
        total(index)
    assert "rebuild" in caught.value.hint


def test_an_index_of_another_shape_counts_as_none_and_is_replaced(
    index: FtsIndex, path: Path
) -> None:
    index.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert index.live() is None
    with pytest.raises(IndexAbsentError):
        index.write([document(1)])
    fill(index, 4)
    assert total(index) == 4
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT COUNT(*) FROM generations").fetchone()
    assert rows == (1,)


def test_a_walk_ends_some_minutes_after_what_it_needs_has_changed(
    index: FtsIndex, path: Path, clock: ManualClock
) -> None:
    after = index.search(SERVICE, SearchQuery("anna"), limit=3).after
    index.write([document(5, 2)])
    clock.advance(KEEP_US)
    index.write([document(6, 2)])
    assert index.search(SERVICE, SearchQuery("anna"), after=after, limit=3).total == 10
    clock.advance(1)
    index.write([document(7, 2)])
    with pytest.raises(WalkEndedError):
        index.search(SERVICE, SearchQuery("anna"), after=after, limit=3)
    with closing(sqlite3.connect(path)) as connection:
        (live,) = connection.execute("SELECT name FROM generations").fetchone()
        counted = {
            name: connection.execute(f"SELECT COUNT(*) FROM {name}_{live}").fetchone()[0]
            for name in ("documents", "bodies", "terms")
        }
    # Ten documents, and what two of them were: the third is gone for good.
    assert counted == {"documents": 12, "bodies": 12, "terms": 12}
    index.verify()


def test_an_old_generation_stays_for_walks_and_then_goes(
    index: FtsIndex, path: Path, clock: ManualClock
) -> None:
    after = index.search(SERVICE, SearchQuery("anna"), limit=3).after
    fill(index, 2)
    assert index.search(SERVICE, SearchQuery("anna"), after=after, limit=3).total == 10
    clock.advance(KEEP_US + 1)
    index.write([document(1)])
    with pytest.raises(WalkEndedError):
        index.search(SERVICE, SearchQuery("anna"), after=after, limit=3)
    with closing(sqlite3.connect(path)) as connection:
        (tables,) = connection.execute(
            "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'documents_%' AND type = 'table'"
        ).fetchone()
    assert tables == 1


def test_a_beginning_that_very_many_words_have_is_found_like_one_of_few(index: FtsIndex) -> None:
    def named(number: int, **values: Any) -> Document:
        return Document(f"w{number}", Kind.CASE, f"W-{number}", 1, full=True, **values)

    index.write([named(number, names=(f"Berg{number:03d}x",)) for number in range(150)])
    index.write([named(150, text=("bergauf",)), named(151, notes=("bergab",))])
    assert total(index, "berg") == 152 and total(index, "berg01") == 10
    hits = index.search(SERVICE, SearchQuery("berg"), limit=200).hits
    assert [hit.score for hit in hits] == [5] * 150 + [4, 3]


def test_a_few_find_theirs_among_very_many_with_the_same_words(index: FtsIndex) -> None:
    def of(tenant: str, number: int) -> Document:
        return Document(
            f"{tenant}{number}", Kind.CASE, f"{tenant}-{number}", 1, full=True, tenants=(tenant,),
            at_us=number, names=("Olga",) if number % 2 else (), text=("wire transfers",),
        )  # fmt: skip

    index.write([of("BANK-A", number) for number in range(1_200)])
    index.write([of("BANK-B", number) for number in range(6)])
    scope = Scope("eva", frozenset({Role.SERVICE}), None, frozenset({"BANK-B"}))
    for text, wanted in (
        ("wire", [5, 4, 3, 2, 1, 0]),
        ("transfer wire", [5, 4, 3, 2, 1, 0]),
        ("wire olga", [5, 3, 1]),
        ("wier", [5, 4, 3, 2, 1, 0]),
        ("wire nobody", []),
    ):
        page = index.search(scope, SearchQuery(text))
        assert [hit.subject for hit in page.hits] == [f"BANK-B-{n}" for n in wanted]
        assert page.total == len(wanted) and not page.at_least


WRITER = """
import sys
from pathlib import Path
from casework.search.fts.index import FtsIndex
from regtech.clock import ManualClock
sys.path.insert(0, sys.argv[2])
from test_fts_file import document
index = FtsIndex(Path(sys.argv[1]), ManualClock(1772413200000000))
number = 100
while True:
    index.write([document(n) for n in range(number, number + 5)])
    number += 5
    print(number, flush=True)
"""


def test_killed_while_it_writes_nothing_acknowledged_is_lost(index: FtsIndex, path: Path) -> None:
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        with child.stdout:
            lines = [child.stdout.readline() for _ in range(5)]
            child.kill()
            lines += child.stdout.readlines()
        child.wait()
        # A line that was cut by the kill acknowledges nothing.
        last = max(int(line) for line in lines if line.endswith("\n"))
        live = index.live()
        assert live is not None
        held = {stamp.id for stamp in index.stamps(live)}
        assert {f"d{number}" for number in range(100, last)} <= held
        index.verify()
