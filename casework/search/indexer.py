"""Keeps the index in step with the record: reads the outbox, writes documents, acknowledges.

At least once: a message is acknowledged when what it tells of is durable in the index. Whatever is
read is read anew from the record, so that it does not matter how often or in which order messages
come. While the index is away messages wait in the record's outbox; here no more than one batch is
held, however long it takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope
from casework.cases.themes import Themes
from casework.ports import Record, Topic
from casework.search.document import Document
from casework.search.errors import IndexAbsentError, IndexRefusedError
from casework.search.ports import SearchIndex
from casework.search.rebuild import BATCH, Projection, pieces_of, rebuild
from regtech.errors import ConflictError, StoreError

MESSAGES: Final = 100
"""Messages that are read at once."""
FIRST_WAIT_S: Final = 0.5
LAST_WAIT_S: Final = 60.0
IDLE_WAIT_S: Final = 0.5
_REFUSED_KEPT: Final = 20


class Indexer:
    """``wait`` waits so many seconds and says whether the end was asked for; ``random`` gives a
    number in [0, 1); ``note`` takes a line for the log. No two of them disturb each other."""

    def __init__(
        self,
        record: Record,
        index: SearchIndex,
        scope: Scope,
        themes: Themes,
        *,
        wait: Callable[[float], bool],
        random: Callable[[], float],
        note: Callable[[str], None],
    ) -> None:
        allow(scope, Action.INTAKE)
        self._record, self._index, self._scope = record, index, scope
        self._projection = Projection(record, scope, themes)
        self._themes = themes
        self._wait, self._random, self._note = wait, random, note
        self.refused: deque[str] = deque(maxlen=_REFUSED_KEPT)
        """The last documents that the index would not take at all; the others are not held up."""
        self._began = False
        self.failures = 0
        """Tries in a row that failed; 0 means that the index is in reach."""

    def step(self) -> int:
        """Pass on one batch of messages; gives how many. Raises ``StoreError``.

        Where there is no index, one is built from the whole record: an empty one that only gets
        what is new would look whole and not be it. So it is where one was being built when its
        builder was killed: what is written goes there, and nobody would ever finish it. That is
        looked at in the first step alone, so that two who build do not take turns for ever.
        """
        messages = self._record.messages(self._scope, Topic.SEARCH, limit=MESSAGES)
        if not self._began:
            absent = self._index.live() is None
            self._began = True
            if absent:
                self._build()  # or another does
        if messages:
            try:
                for piece in pieces_of(self._projection.of_messages(messages), BATCH):
                    self._write(piece)
            except IndexAbsentError:
                if not self._build():
                    return 0
            numbers = [message.number for message in messages]
            self._record.acknowledge(self._scope, Topic.SEARCH, numbers)
        return len(messages)

    def _build(self) -> bool:
        """Whether it is built; not where another began to build it since."""
        self._note("there is no search index: building it from the record")
        try:
            rebuild(self._record, self._index, self._scope, self._themes)
        except ConflictError:
            self._note("the search index is being built by another")
            return False
        except BaseException:
            self._began = False
            raise
        return True

    def _write(self, documents: list[Document]) -> None:
        try:
            self._index.write(documents)
        except IndexRefusedError as error:
            self.refused.extend(error.ids)
            self._note(error.message)

    def catch_up(self) -> int:
        """Pass on all that waits; gives how many messages. Raises ``StoreError``."""
        handled = 0
        while done := self.step():
            handled += done
        return handled

    def run(self) -> None:
        """Go on until ``wait`` says that it is the end.

        Where the index or the record is away it is tried again, after twice as long each time, up
        to a minute; half of it by chance, so that workers do not come back all at once.
        """
        while True:
            try:
                done = self.step()
                if self.failures:
                    self._note(f"the search index is back after {self.failures} tries")
                self.failures = 0
                seconds = 0.0 if done else IDLE_WAIT_S
            except StoreError as error:
                if not self.failures:
                    self._note(f"search waits: {error.message}")
                seconds = self._backed_off()
                self.failures += 1
            if self._wait(seconds):
                return

    def _backed_off(self) -> float:
        # The exponent is bounded as well: 2.0 ** 2000 would be an error of its own.
        most = min(LAST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self.failures, 30))
        return most * (0.5 + self._random() / 2)
