"""Lists that change while a server runs: taken, screened by, and refused where they are not whole.

The real process; what is between its steps is in ``tests/unit/app/test_listreading.py``.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.served import Served, user

HEAD = "id,name,kind\n1,Romashka Trading LLC,entity\n"
PETROV = "2,Ivan Sergeyevich Petrov,person\n"
ANDERSEN = "3,Wilhelmina Andersen,person\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    lists = tmp_path / "published"
    lists.mkdir()
    (lists / "own.csv").write_text(HEAD, encoding="utf-8")
    made = Served(tmp_path, REGTECH_LISTS=str(lists), REGTECH_LISTS_EVERY="1s")
    yield made
    if made.child is not None and made.child.poll() is None:
        made.end(signal.SIGKILL)


def publish(served: Served, text: str) -> None:
    (served.folder / "published" / "own.csv").write_text(text, encoding="utf-8")


def _payment(number: int, payer: str, payee: str) -> dict[str, Any]:
    return {
        "id": str(number), "type": "transaction", "time": f"2026-03-02T09:{number:02d}:00+08:00",
        "reporter": "BANK", "payer": {"id": f"A{number}", "name": payer},
        "payee": {"id": f"B{number}", "name": payee, "institution": "OTHER"},
        "channel": "transfer", "kind": "payment", "amount": "50", "currency": "CNY",
    }  # fmt: skip


def until(what: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(600):
        if what():
            return
        pause.wait(0.1)
    raise AssertionError("nothing after a minute")


def test_changed_lists_are_screened_by_and_raise_only_what_is_new(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = user(served, capsys, "feed", "service", "events,read")
    li = user(served, capsys, "li", "supervisor", "read,work")
    served.start()

    def lists() -> dict[str, Any]:
        found: dict[str, Any] = served.ask(feed, "GET", "/health")[1]["parts"]["lists"]
        return found

    def hits(name: str) -> list[str]:
        return [
            hit["entry"] for hit in served.ask(li, "POST", "/screen", {"name": name})[1]["items"]
        ]

    def raised() -> list[tuple[str, str]]:
        items = served.ask(li, "GET", "/alerts")[1]["items"]
        return sorted(
            (one["subject"]["institution"], one["subject"]["id"])
            for one in items
            if one["rule"] == "list-change"
        )

    for event in (
        _payment(1, "Romashka Trading LLC", "Petrov Ivan Sergeyevich"),
        _payment(2, "Wilhelmina Andersen", "Somebody Else"),
    ):
        assert served.ask(feed, "POST", "/events", event)[1]["verdict"] == "judged"
    assert hits("Ivan Sergeyevich Petrov") == []
    first = lists()
    assert first["lists"] == "in_use" and first["versions"]["own"]["entries"] == 1

    publish(served, HEAD + PETROV[:-1])
    until(lambda: lists()["lists"] == "refused")
    assert "own.csv breaks off" in lists()["refused"]
    assert (lists()["versions"], hits("Ivan Sergeyevich Petrov")) == (first["versions"], [])

    publish(served, HEAD + PETROV)
    until(lambda: raised() != [])
    # Romashka was a hit before; of Petrov the institution is the payee's own.
    assert raised() == [("OTHER", "B1")]
    assert hits("Ivan Sergeyevich Petrov") == ["2"]
    until(lambda: not lists()["to_screen_again"])
    second = lists()
    assert (second["lists"], second["raised"], second["refused"]) == ("in_use", 1, "")
    assert second["versions"]["own"]["entries"] == 2 and second["since"] > first["since"]

    # A change that comes while the server is down is one as well; what is known is not told again.
    served.end(signal.SIGKILL)
    publish(served, HEAD + PETROV + ANDERSEN)
    served.start()
    until(lambda: len(raised()) > 1)
    assert raised() == [("BANK", "A2"), ("OTHER", "B1")]
    alert = next(
        one for one in served.ask(li, "GET", "/alerts")[1]["items"] if one["subject"]["id"] == "A2"
    )
    status, whole = served.ask(li, "GET", f"/alerts/{alert['id']}")
    assert status == 200 and whole["jurisdiction"] == "INTL" and whole["kind"] == "indicator"
