"""Backtests of drafts for the pages: begun, looked at, ended; one at a time, each in a process.

Everything of one lies in a folder of its own below the server's data. A server that starts finds
those that are done; one that ran when the server came to its end is lost, and says so.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from casework.cases.grades import MASK, Grade, clear_grade, masked, masked_alert
from casework.cases.lifecycle import Action, allow
from casework.cases.proposals import reaches_rules
from casework.cases.scope import Role, Scope
from casework.service.outside import Backtest, BacktestState, RuleDrafts
from regtech.app.backtesting import ERROR, PROGRESS, REQUEST, RESULT
from regtech.app.progress import write_whole
from regtech.app.rulebook import Rules
from regtech.clock import Clock
from regtech.content.saying import from_data, say
from regtech.errors import (
    CapacityError,
    ConflictError,
    ContentError,
    ForbiddenError,
    NotFoundError,
    StoreError,
    UsageError,
)

KEPT: Final = 20
"""Backtests; older ones are taken away when another begins."""
END_S: Final = 5.0
"""So long a process may take to end before it is made to."""
_CANCELLED: Final = "cancelled"
_ID: Final = "B-"


class Backtests:
    """``casework.service.outside.RuleBacktests`` below a folder.

    ``data``: of the journal, None where the server judges nothing. ``history``: what its operator
    named. ``home``: see ``run``.
    """

    def __init__(
        self,
        folder: Path,
        book: Rules,
        drafts: RuleDrafts,
        clock: Clock,
        *,
        data: Path | None,
        history: Path | None,
        home: str | None = None,
    ) -> None:
        self._folder, self._book, self._drafts, self._clock = folder, book, drafts, clock
        self._data, self._history, self._home = data, history, home
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._running = ""

    def histories(self) -> Sequence[str]:
        found = (("journal", self._data), ("history", self._history))
        return [name for name, place in found if place is not None]

    def start(self, scope: Scope, text: str, history: str) -> Backtest:
        allow(scope, Action.PROPOSE)
        if history not in self.histories():
            raise UsageError(
                say("there is no history %(history)r", history=history[:40]),
                hint=say(
                    "histories: %(histories)s", histories=", ".join(self.histories()) or "none"
                ),
            )
        draft, faults = self._drafts.check(text)
        errors = [fault for fault in faults if fault["severity"] == "error"]
        if draft is None or errors:
            raise ContentError(say("errors in the draft: %(errors)s", errors=len(errors)), errors)
        used = self._book.in_use(draft.pack)
        places = {draft.jurisdiction} | ({used.jurisdiction} if used is not None else set())
        if not all(reaches_rules(scope, place) for place in places):
            raise ForbiddenError(
                say(
                    "%(actor)s may not try rules of %(jurisdiction)s",
                    actor=scope.actor,
                    jurisdiction=draft.jurisdiction,
                )
            )
        made = Backtest(
            id=_ID + secrets.token_hex(10),
            actor=scope.actor,
            pack=draft.pack,
            jurisdiction=draft.jurisdiction,
            version=draft.version,
            base_version=draft.in_use,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            history=history,
            made_us=self._clock.now_us(),
        )
        base = "" if used is None else self._book.source(draft.pack)
        with self._lock:
            if self._alive():
                raise CapacityError(
                    say("another backtest is running"), hint=say("wait for its end, or cancel it")
                )
            self._begin(made, text, base)
        return made

    def _begin(self, made: Backtest, text: str, base: str) -> None:
        folder = self._folder / made.id
        home = self._home if self._home == made.jurisdiction else None
        request = {
            "backtest": asdict(made),
            "history": made.history,
            "data": None if self._data is None else str(self._data),
            "files": None if self._history is None else str(self._history),
            "home": home,
        }
        try:
            for old in self._folders()[KEPT - 1 :]:
                shutil.rmtree(old, ignore_errors=True)
            for name, content in (("head", text), ("base", base)):
                (folder / name).mkdir(parents=True)
                if content:
                    path = folder / name / f"{made.pack}.yml"
                    path.write_text(content, encoding="utf-8")
            write_whole(folder / REQUEST, request)
        except OSError as error:
            raise StoreError(
                say("the backtest could not be begun: %(strerror)s", strerror=error.strerror)
            ) from None
        self._child = subprocess.Popen(
            [sys.executable, "-m", "regtech.app.backtesting", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._running = made.id

    def backtest(self, scope: Scope, backtest_id: str) -> Backtest:
        allow(scope, Action.READ_PROPOSALS)
        found = self._read(backtest_id)
        if found is None or not reaches_rules(scope, found.jurisdiction):
            raise NotFoundError(
                say("there is no backtest %(backtest_id)s", backtest_id=backtest_id)
            )
        return found

    def backtests(self, scope: Scope) -> Sequence[Backtest]:
        allow(scope, Action.READ_PROPOSALS)
        found = [self._read(folder.name) for folder in self._folders()]
        return [one for one in found if one and reaches_rules(scope, one.jurisdiction)]

    def cancel(self, scope: Scope, backtest_id: str) -> Backtest:
        found = self.backtest(scope, backtest_id)
        if found.actor != scope.actor and Role.OPERATOR not in scope.roles:
            raise ForbiddenError(say("%(actor)s may not stop others' backtests", actor=scope.actor))
        with self._lock:
            # Its process may live a moment longer than its result.
            ended = found.state is not BacktestState.RUNNING
            if ended or self._running != backtest_id or not self._alive():
                raise ConflictError(say("%(backtest_id)s has ended", backtest_id=backtest_id))
            (self._folder / backtest_id / _CANCELLED).touch()
            self._end()
        return replace(found, state=BacktestState.CANCELLED)

    def result(self, scope: Scope, backtest_id: str) -> Mapping[str, Any]:
        found = self.backtest(scope, backtest_id)
        if found.state is not BacktestState.DONE:
            raise ConflictError(
                say("%(backtest_id)s is %(state)s", backtest_id=backtest_id, state=found.state)
            )
        data = _json(self._folder / backtest_id / RESULT)
        clear = clear_grade(scope)
        data["changes"] = [_masked_change(change, clear) for change in data["changes"]]
        return data

    def close(self) -> None:
        """End what runs; the server comes to its end."""
        with self._lock:
            self._end()

    # --- within

    def _alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def _end(self) -> None:
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _folders(self) -> list[Path]:
        """The newest first."""
        made: list[tuple[int, Path]] = []
        for folder in self._folder.glob(f"{_ID}*"):
            with suppress(OSError, ValueError, KeyError):
                made.append((int(_json(folder / REQUEST)["backtest"]["made_us"]), folder))
        return [folder for _, folder in sorted(made, reverse=True)]

    def _read(self, backtest_id: str) -> Backtest | None:
        """None for what is no id of ours, so that no path is made of what was sent."""
        digits = backtest_id.removeprefix(_ID)
        if digits == backtest_id or not digits.isalnum():
            return None
        folder = self._folder / backtest_id
        # Whether it runs is asked first: it may end between the two questions.
        with self._lock:
            running = self._running == backtest_id and self._alive()
        try:
            said = _json(folder / REQUEST)["backtest"]
        except (OSError, ValueError, KeyError):
            return None
        made = Backtest(**{**said, "state": BacktestState.LOST})
        if (folder / RESULT).is_file():
            return replace(made, state=BacktestState.DONE)
        if (folder / _CANCELLED).is_file():
            return replace(made, state=BacktestState.CANCELLED)
        if (folder / ERROR).is_file():
            error = from_data(_json(folder / ERROR)["error"])
            return replace(made, state=BacktestState.FAILED, error=error)
        if running:
            with suppress(OSError, ValueError):
                made = replace(made, **_json(folder / PROGRESS))
            return replace(made, state=BacktestState.RUNNING)
        if self._running == backtest_id:
            error = say("it was stopped: it took more time or memory than it may")
            return replace(made, state=BacktestState.FAILED, error=error)
        return made


def _masked_change(change: dict[str, Any], clear: Grade) -> dict[str, Any]:
    """A change as somebody may see it, the values that its causes quote included."""
    sides = {name: change[name] for name in ("base", "head")}
    shown: dict[str, Any] = masked(
        {name: part for name, part in change.items() if name not in sides}, clear
    )
    hidden: set[str] = set()
    for name, side in sides.items():
        shown[name] = None if side is None else masked_alert(side, clear)
        hidden |= _hidden(side, shown[name])
    for cause in shown["causes"]:
        for lang, text in cause["text"].items():
            for value in sorted(hidden, key=len, reverse=True):
                text = text.replace(value, MASK)
            cause["text"][lang] = text
    return shown


def _hidden(value: Any, shown: Any) -> set[str]:
    """The texts in a value of which the masked one shows nothing."""
    if shown == MASK:
        found = value if isinstance(value, (list, tuple)) else [value]
        return {one for one in found if isinstance(one, str) and one}
    if isinstance(value, Mapping):
        return {text for name, item in value.items() for text in _hidden(item, shown[name])}
    if isinstance(value, (list, tuple)):
        return {text for a, b in zip(value, shown, strict=True) for text in _hidden(a, b)}
    return set()


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
