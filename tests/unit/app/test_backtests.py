"""Backtests for the pages: a process beside, its progress, its end, and what may be seen of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from casework.cases.scope import Role, Scope
from casework.service.outside import Backtest, BacktestState
from regtech.app.backtesting import RESULT, history_files, journal_files, run
from regtech.app.backtests import KEPT, Backtests
from regtech.app.choice import chosen_packs
from regtech.app.drafts import Drafts
from regtech.app.journal import Journal
from regtech.app.rulebook import Rules
from regtech.clock import ManualClock
from regtech.errors import (
    CapacityError,
    ConflictError,
    ContentError,
    ForbiddenError,
    NotFoundError,
    UsageError,
)
from tests.contract.world import START_US, scope
from tests.unit.casework.api.api_world import bank, deposit

PACK = "cn-aml-large-value"
ANNA, BO = scope("anna", Role.AUTHOR), scope("bo", Role.AUTHOR)
LI, OPERATOR = scope("li"), scope("op", Role.OPERATOR)
AMOUNTS = ("50000", "60000", "49000", "48000", "46000", "30000")
"""Of deposits; the law asks for 50,000."""


@pytest.fixture(scope="module")
def book() -> Rules:
    return Rules(chosen_packs((PACK,)))


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A journal that is being written, with room ahead."""
    folder = tmp_path / "data"
    journal = Journal(folder)
    events = [bank(), *(deposit(n, amount) for n, amount in enumerate(AMOUNTS, 1))]
    journal.append([json.dumps(event).encode() for event in events])
    journal.make_room()
    journal.sync()
    yield folder
    journal.close()


Made = Callable[..., Backtests]


@pytest.fixture
def made(tmp_path: Path, book: Rules, data: Path) -> Iterator[Made]:
    """A server's desk; another one is a server that was started again."""
    desks: list[Backtests] = []

    def make(**more: Any) -> Backtests:
        given = {"data": data, "history": None, **more}
        desk = Backtests(tmp_path / "b", book, Drafts(book), ManualClock(START_US), **given)
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        desk.close()


def _lower(book: Rules) -> str:
    text = book.source(PACK).replace("version: 1.0.0", "version: 1.1.0", 1)
    return text.replace("cash_cny: {value: CNY 50000", "cash_cny: {value: CNY 47000", 1)


def _ended(desk: Backtests, one: Backtest, who: Scope = ANNA) -> Backtest:
    for _ in range(1200):
        found = desk.backtest(who, one.id)
        if found.state is not BacktestState.RUNNING:
            return found
        time.sleep(0.1)
    raise AssertionError("it does not come to its end")


def test_a_lower_figure_finds_two_more_and_says_why(made: Made, book: Rules, data: Path) -> None:
    desk = made()
    one = desk.start(ANNA, _lower(book), "journal")
    assert one.state is BacktestState.RUNNING and one.base_version == "1.0.0"
    with pytest.raises(ConflictError, match="running"):
        desk.result(ANNA, one.id)
    with pytest.raises(CapacityError, match="another backtest"):
        desk.start(BO, _lower(book), "journal")
    done = _ended(desk, one)
    assert done.state is BacktestState.DONE, done
    result = desk.result(LI, one.id)
    assert result["alerts"] == {"same": 2, "new": 2, "gone": 0, "moved": 0}
    assert result["events"] == 7 and result["set_aside"] == {}
    assert result["by_institution"] == [{"institution": "BANK-A", "new": 2, "gone": 0, "moved": 0}]
    change = result["changes"][0]
    assert change["head"]["measures"]["cny"] == {"amount": "49000.00", "currency": "CNY"}
    assert "CNY 49,000" in change["causes"][0]["text"]["en"]
    # Of what lies around the figure: 46,000 is 98 % of it, 48,000 and 49,000 are above.
    (around,) = [a for a in result["around"] if a["measure"] == "cny"]
    counts = {one["from"]: one["count"] for one in around["bins"] if one["count"]}
    assert around["figures"] == ["CNY 47,000"]
    assert counts == {96: 1, 102: 1, 104: 1, 106: 1} and around["beyond"] == 1
    # A supervisor sees ids, an author does not, in no place.
    assert change["subject"]["id"] == "C3"
    hidden = json.dumps(desk.result(ANNA, one.id)["changes"], ensure_ascii=False)
    assert '"C3"' not in hidden and "•••" in hidden
    assert str(data) not in json.dumps(result)
    # A server that was started again still has it.
    assert made().backtest(BO, one.id).state is BacktestState.DONE


def test_a_backtest_is_ended_by_who_began_it(made: Made, book: Rules) -> None:
    desk = made()
    one = desk.start(ANNA, _lower(book), "journal")
    with pytest.raises(ForbiddenError):
        desk.cancel(BO, one.id)
    assert desk.cancel(ANNA, one.id).state is BacktestState.CANCELLED
    assert desk.backtest(ANNA, one.id).state is BacktestState.CANCELLED
    with pytest.raises(ConflictError, match="has ended"):
        desk.cancel(OPERATOR, one.id)
    # The end of the server ends it too, and whoever asks later is told.
    other = desk.start(ANNA, _lower(book), "journal")
    desk.close()
    assert made().backtest(ANNA, other.id).state is BacktestState.LOST
    assert len(desk.backtests(ANNA)) == 2


def test_who_may_and_with_what(made: Made, book: Rules, tmp_path: Path) -> None:
    desk = made()
    text = _lower(book)
    for stranger in (LI, OPERATOR, scope("x", Role.INSTITUTION, tenants={"BANK-A"})):
        with pytest.raises(ForbiddenError):
            desk.start(stranger, text, "journal")
    with pytest.raises(ForbiddenError, match="may not try"):
        desk.start(scope("x", Role.AUTHOR, jurisdictions={"HK"}), text, "journal")
    with pytest.raises(UsageError, match="no history"):
        desk.start(ANNA, text, "history")
    with pytest.raises(ContentError):
        desk.start(ANNA, text.replace("severity: medium", "severity: mediun"), "journal")
    assert desk.backtests(ANNA) == []
    for name in ("B-none", "B-../../etc", "..", "B-"):
        with pytest.raises(NotFoundError):
            desk.backtest(ANNA, name)
    assert made(data=None).histories() == []
    assert made(history=tmp_path).histories() == ["journal", "history"]


def test_what_lies_outside_the_reach_is_not_there(made: Made, book: Rules) -> None:
    desk = made()
    one = desk.start(ANNA, _lower(book), "journal")
    desk.cancel(ANNA, one.id)
    for stranger in (
        scope("x", Role.AUTHOR, jurisdictions={"HK"}), scope("x", Role.SUPERVISOR, tenants={"B"}),
    ):  # fmt: skip
        with pytest.raises(NotFoundError):
            desk.backtest(stranger, one.id)
        assert desk.backtests(stranger) == []
    with pytest.raises(ForbiddenError):
        desk.backtest(scope("x", Role.INSTITUTION, tenants={"BANK-A"}), one.id)


def test_a_history_is_a_file_or_a_folder_of_files(tmp_path: Path, data: Path) -> None:
    folder = tmp_path / "history"
    folder.mkdir()
    for name in ("b.ndjson", "a.parquet", "notes.txt"):
        (folder / name).touch()
    assert [Path(f).name for f in history_files(folder)] == ["a.parquet", "b.ndjson"]
    assert history_files(folder / "b.ndjson") == [str(folder / "b.ndjson")]
    with pytest.raises(UsageError, match="not there"):
        history_files(tmp_path / "none")
    # Room that was made ahead is no line.
    (copy,) = journal_files(data, tmp_path)
    assert len(Path(copy).read_bytes().splitlines()) == 1 + len(AMOUNTS)
    assert (data / "events-00000000000000000000.ndjson").stat().st_size > 10_000


def test_what_goes_wrong_is_said(made: Made, book: Rules, tmp_path: Path) -> None:
    desk = made(history=tmp_path / "none")
    one = desk.start(ANNA, _lower(book), "history")
    failed = _ended(desk, one)
    assert (failed.state, failed.error) == (
        BacktestState.FAILED, "the history that the server was given is not there",
    )  # fmt: skip
    # The same in this process, with a new pack beside which nothing is in use.
    folder = tmp_path / "b" / one.id
    wanted = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    wanted["files"] = str(tmp_path / "one.ndjson")
    Path(wanted["files"]).write_text(json.dumps(deposit(1)) + "\n", encoding="utf-8")
    (folder / "request.json").write_text(json.dumps(wanted), encoding="utf-8")
    (folder / "error.json").unlink()
    (folder / "base" / f"{PACK}.yml").unlink()
    run(folder)
    assert json.loads((folder / RESULT).read_text(encoding="utf-8"))["sides"]["base"] == 0


def test_old_ones_are_taken_away(made: Made, book: Rules, tmp_path: Path) -> None:
    desk = made(history=tmp_path / "none")
    for number in range(KEPT + 3):
        folder = tmp_path / "b" / f"B-{number:020d}"
        folder.mkdir(parents=True)
        kept = Backtest(f"B-{number:020d}", "anna", PACK, "CN", "2", "1", "", "journal", number)
        (folder / "request.json").write_text(json.dumps({"backtest": asdict(kept)}))
    one = desk.start(ANNA, _lower(book), "history")
    desk.cancel(ANNA, one.id)
    assert [b.made_us for b in desk.backtests(ANNA)][:2] == [START_US, KEPT + 2]
    assert len(desk.backtests(ANNA)) == KEPT
