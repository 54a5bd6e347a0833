"""Lists that change: taken when they are whole and settled, and screened by once, whatever ends."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from casework.stores.memory import MemoryRecord
from regtech.app import listreading as module
from regtech.app import rescreening
from regtech.app.listreading import ListReading
from regtech.clock import ManualClock
from regtech.errors import InputError, StoreError
from tests.contract.world import SERVICE, START_US, Salts, World

HEAD = "id,name,kind\n1,Romashka Trading LLC,entity\n"
PETROV = "2,Ivan Sergeyevich Petrov,person\n"
ANDERSEN = "3,Wilhelmina Andersen,person\n"


def _event(number: int, **party: Any) -> dict[str, Any]:
    return {"id": f"E{number}", "type": "transaction", "reporter": "BANK", "payer": party}


EVENTS = (
    _event(1, id="C1", name="Romashka Trading LLC", kind="entity"),
    _event(2, id="C2", name="Petrov Ivan Sergeyevich"),
    _event(3, account="6222", name="Wilhelmina Andersen", institution="OTHER"),
    _event(4, id="C4", name="Somebody Else"),
    _event(5, id="C5"),
)


class Server:
    """What reads lists in a server, without its threads, over a journal of events."""

    def __init__(self, folder: Path) -> None:
        self.source, self.data = folder / "published", folder / "data"
        self.source.mkdir(exist_ok=True)
        self.data.mkdir(exist_ok=True)
        lines = "".join(json.dumps(event) + "\n" for event in EVENTS)
        (self.data / f"events-{0:020d}.ndjson").write_text(lines, encoding="utf-8")
        self.end = len(lines.encode())
        self.clock = ManualClock(START_US)
        self.record = MemoryRecord(self.clock, Salts())
        self.intake = World(self.record, self.clock).intake
        self.waiting = False

    def publish(self, text: str, name: str = "own.csv") -> None:
        (self.source / name).write_text(text, encoding="utf-8")

    def start(self, **more: Any) -> None:
        """As a server starts over what the one before left."""
        self.lists = ListReading(self.source, self.data, self.clock, **more)
        self.lists.known_to = lambda: self.end
        self.lists.waits = lambda: self.waiting
        self.lists.asked_in = lambda name: ("CN", "HK") if name == "two" else ()

    def look(self, times: int = 2) -> dict[str, Any]:
        """A file is taken at the second look that finds it as it was."""
        for _ in range(times):
            self.lists.work(SERVICE, self.intake)
        return self.lists.health()

    def alerts(self) -> list[tuple[str, str, str]]:
        """Whose, of which list, in which jurisdiction."""
        found = [a.body() for a in self.record.alerts(SERVICE, limit=1000).items]
        assert len({one["id"] for one in found}) == len(found)
        return sorted(
            (one["subject"]["id"], one["period"].split("#")[0], one["jurisdiction"])
            for one in found
        )


@pytest.fixture(autouse=True)
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done by a process beside is done here; ``tests/e2e/test_lists_changed.py`` has it."""

    def here(command: Sequence[str], stopping: Any) -> None:
        rescreening.run(*command[-2:])

    monkeypatch.setattr(module, "run_beside", here)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    made = Server(tmp_path)
    made.publish(HEAD)
    made.start()
    return made


def test_a_change_raises_what_is_new_of_all_known_parties_once(server: Server) -> None:
    assert server.look()["since"] == "2026-03-02T01:00:00Z"
    server.clock.advance(1_000_000)
    server.publish(HEAD + PETROV + ANDERSEN)
    # The first look might see a file that is being written.
    assert server.look(1)["versions"]["own"]["entries"] == 1
    health = server.look(1)
    assert (health["versions"]["own"]["entries"], health["since"]) == (3, "2026-03-02T01:00:01Z")
    assert (health["raised"], health["to_screen_again"]) == (2, False)
    assert server.alerts() == [("6222", "own", "INTL"), ("C2", "own", "INTL")]
    first = next(
        a.body() for a in server.record.alerts(SERVICE, limit=9).items if "6222" in str(a.body())
    )
    assert first["subject"] == {"per": "account", "id": "6222", "institution": "OTHER"}
    assert first["time"] == "2026-03-02T01:00:01Z" and first["events"] == ["E3"]
    (finding,) = first["findings"].values()
    assert finding["hits"][0]["entry"] == "3" and first["facts"]["party.name"]
    # The same content again is no change, whenever it was written; nor is another order.
    server.publish(HEAD + PETROV + ANDERSEN)
    assert server.look(3)["since"] == "2026-03-02T01:00:01Z"
    server.publish(HEAD + ANDERSEN + PETROV)
    assert server.look(3)["raised"] == 0
    assert len(server.alerts()) == 2


def test_a_hit_is_told_wherever_rules_ask_for_the_list(server: Server) -> None:
    server.look()
    server.publish("name\nWilhelmina Andersen\n", "two.csv")
    server.look()
    assert server.alerts() == [("6222", "two", "CN"), ("6222", "two", "HK")]


@pytest.mark.parametrize("at", ["screening", "raising", "before"])
def test_what_a_kill_cut_off_is_done_by_the_next(
    server: Server, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.look()
    server.publish(HEAD + PETROV)

    def killed(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if at == "screening":

            def run(command: Sequence[str], stopping: Any) -> None:
                if "read" not in command:
                    killed()
                rescreening.run(*command[-2:])

            patched.setattr(module, "run_beside", run)
        elif at == "raising":
            take = server.intake.take

            def taken_and_killed(*given: Any) -> None:
                take(*given)
                killed()

            patched.setattr(server.intake, "take", taken_and_killed)
        else:
            patched.setattr(ListReading, "_make_ready", killed)
        with pytest.raises(KeyboardInterrupt):
            server.look()
    server.start()
    assert server.lists.health()["versions"]["own"]["entries"] == 2
    assert server.look()["to_screen_again"] is False
    assert server.alerts() == [("C2", "own", "INTL")]


def test_lists_that_change_again_meanwhile_are_held_against_what_was_screened_by(
    server: Server,
) -> None:
    server.look()
    server.waiting = True  # rules go first
    server.publish(HEAD + PETROV)
    assert server.look()["to_screen_again"]
    server.publish(HEAD + PETROV + ANDERSEN)
    server.look()
    server.waiting = False
    server.look(1)
    assert [who for who, _, _ in server.alerts()] == ["6222", "C2"]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("own.csv", HEAD + PETROV[:-4], "own.csv breaks off within its last line"),
        ("own.csv", "id,name,kind\n", "the list own has 0 entries where it had 1"),
        ("own.csv", "id,title\n1,X\n", "the list own is no longer there|no list"),
        ("un.xml", "<CONSOLIDATED_LIST><INDIV", "the lists cannot be read"),
        ("own.csv", HEAD + "2,,person\n" * 3, "lines of the list own that cannot be read: 3"),
    ],
)
def test_what_is_not_whole_leaves_the_lists_from_before(
    server: Server, name: str, text: str, why: str
) -> None:
    before = server.look()
    server.publish(text, name)
    health = server.look(3)
    assert health["lists"] == "refused" and health["versions"] == before["versions"]
    assert re.search(why, health["refused"]), health["refused"]
    assert str(server.data) not in health["refused"] + health["hint"]
    assert not server.alerts()
    # A start does not take it either; what is mended is taken.
    server.start()
    assert server.look()["lists"] == "refused"
    (server.source / name).unlink()
    server.publish(HEAD + PETROV)
    assert server.look()["lists"] == "in_use"
    assert [who for who, _, _ in server.alerts()] == ["C2"]


def test_an_operator_may_have_a_list_be_taken_whatever_it_has(server: Server) -> None:
    server.look()
    server.publish(PETROV.join(["id,name,kind\n", ""]), "other.csv")
    (server.source / "own.csv").unlink()
    assert server.look()["lists"] == "refused"
    server.start(least=0.0)
    assert list(server.look()["versions"]) == ["other"]


def test_a_list_that_changes_while_it_is_copied_waits(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.look()
    server.publish(HEAD + PETROV)
    server.look(1)
    copy = shutil.copyfile

    def written_meanwhile(source: Path, to: Path) -> None:
        copy(source, to)
        with to.open("a", encoding="utf-8") as stream:
            stream.write(ANDERSEN)

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", written_meanwhile)
        assert server.look(1)["versions"]["own"]["entries"] == 1
    assert server.look(1)["versions"]["own"]["entries"] == 2


def test_questions_are_answered_by_the_lists_from_before_while_others_are_made_ready(
    server: Server,
) -> None:
    server.look()
    from casework.service.outside import ScreenedParty

    def hits() -> int:
        found = server.lists.screening.screen(
            SERVICE, ScreenedParty("Ivan Sergeyevich Petrov"), at_us=None, lists=(), threshold=0.9
        )
        return len(found["items"])

    assert hits() == 0
    answered, over = [], threading.Event()

    def ask() -> None:
        while not over.is_set():
            answered.append(hits())

    asking = threading.Thread(target=ask)
    asking.start()
    server.publish(HEAD + PETROV)
    try:
        server.look()
    finally:
        over.set()
        asking.join()
    assert hits() == 1 and answered == sorted(answered) and answered[0] == 0


def test_a_first_start_needs_lists_that_can_be_read(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with pytest.raises(InputError, match="no list"):
        server.start()
    server.publish(HEAD)
    server.start()
    assert server.look()["lists"] == "in_use"


def test_a_process_that_fails_is_told_and_tried_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.look()
    server.publish(HEAD + PETROV)
    with monkeypatch.context() as patched:

        def failed(*_: Any) -> None:
            raise StoreError("a process beside ended with 9")

        patched.setattr(module, "run_beside", failed)
        server.look(1)
        with pytest.raises(StoreError):
            server.look(1)
    assert server.look(1)["versions"]["own"]["entries"] == 2
