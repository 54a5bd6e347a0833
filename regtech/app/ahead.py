"""A run on two cores: one process reads, orders and prepares events, the other judges them.

The first is a fork of the second, made before there are events, so that both hold the same plan.
Columns of prepared blocks go through memory that both see, in slots that are used in turn; the rest
of a block, what was refused and what went wrong go through a pipe. Words get their codes in the
first process alone; the second adds them in the same order. What is found is the same to the byte.

A snapshot needs the state of both at one place: who reads tells its part between two slices where
it is asked for, and by the time that part comes the other has judged all that was read before.
"""

from __future__ import annotations

import mmap
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from typing import Final

import numpy as np
import numpy.typing as npt

from regtech.app.judging import Arrays, Counts, Judging, Outcome, ReadPart, Taken
from regtech.columns.batch import Bytes, Int64, Reject, UInt64
from regtech.engine.asking import Asking, question_name
from regtech.engine.block import Block, Sequence, gathered
from regtech.engine.judge import BLOCK_EVENTS
from regtech.engine.preparing import Prepared
from regtech.engine.snapshot import capture_detectors
from regtech.engine.words import settle_words
from regtech.errors import InternalError, RegtechError, UsageError
from regtech.ports.detection import Finding

SLOTS: Final = 4
"""Blocks that may be prepared ahead of the judging."""
_MESSAGES_MAX: Final = 64
"""Of slices with records that were refused; blocks wait for their slots."""
_APART: Final = 24
"""Words between two columns, so that their events do not share places of the cache."""
_WIDTH: Final = BLOCK_EVENTS + _APART
BESIDE_JUDGING: Final = frozenset({"networks"})
"""Detectors that answer in the process that judges: so both have about the same to do."""


@dataclass(frozen=True, slots=True)
class Told:
    """Findings of a block: as they were told when it was prepared, the others from who is here."""

    found: dict[tuple[str, int], Finding]
    asking: Asking | None

    def finding(self, path: str, side: int, event: int) -> tuple[str, Finding] | None:
        """See ``regtech.engine.preparing.Findings``."""
        found = self.found.get((question_name(path, side), event))
        if found is not None:
            return path, found
        return None if self.asking is None else self.asking.finding(path, side, event)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A prepared block but for its columns, which are in a slot."""

    slot: int
    first: int
    governed: UInt64
    leg_masks: UInt64
    leg_institutions: Int64
    rows: Int64
    persons: tuple[Int64, Int64, Bytes]
    ids: tuple[Int64, Bytes]
    payments: npt.NDArray[np.bool_]
    places: tuple[Int64, Int64]
    """Line and source of each event."""
    findings: dict[tuple[str, int], Finding]
    words: tuple[bytes, Int64]
    """Words that are new with this block."""


@dataclass(frozen=True, slots=True)
class _Done:
    """A slice was taken in; all blocks that it made ready were sent.

    ``read``: what was read up to here, where that was asked for. ``last``: nothing is left to read,
    but what was held back.
    """

    taken: Taken
    counts: Counts
    read: ReadPart | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class _Ended:
    """Everything was sent: what was counted on the way."""

    rejects: list[Reject]
    tallies: dict[str, int] = field(default_factory=dict)
    counters: tuple[int, ...] = ()


class _Slots:
    """Memory for columns that two processes see, and whose turn it is."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._memory = mmap.mmap(-1, SLOTS * columns * _WIDTH * 8)
        self.given_back, self._give = os.pipe()
        os.write(self._give, bytes(range(SLOTS)))

    def take(self) -> int:
        """A slot that nobody looks at; waits for one. OSError where the other process has ended."""
        found = os.read(self.given_back, 1)
        if not found:
            raise BrokenPipeError("nobody judges any more")
        return found[0]

    def give_back(self, slot: int) -> None:
        """The columns of a slot are not looked at any more."""
        with suppress(BrokenPipeError):  # everything was read: nobody takes slots any more
            os.write(self._give, bytes((slot,)))

    def columns(self, slot: int, count: int) -> Int64:
        """The columns of a slot for so many events, a few words longer than that."""
        width = count + _APART
        start = slot * self._columns * _WIDTH * 8
        flat = np.frombuffer(self._memory, np.int64, self._columns * width, start)
        return flat.reshape(self._columns, width)

    def of_reader(self) -> None:
        """Keep the end that takes slots."""
        os.close(self._give)

    def of_judge(self) -> None:
        """Keep the end that gives slots back."""
        os.close(self.given_back)

    def close(self) -> None:
        """Give up the end of the judging process."""
        os.close(self._give)


class TwoProcesses(Judging):
    """``Judging`` whose first half runs ahead in a process of its own, from ``open`` on."""

    _child = 0
    read_part_comes = True

    def open(self) -> None:
        """Start the other process. Raises ``UsageError`` where the system cannot fork."""
        if not hasattr(os, "fork"):
            raise UsageError("two cores need a system that can fork", hint="--cores 1")
        settle_words(self.plan)
        self._slots = _Slots(len(self.plan.columns.index))
        self._messages: queue.Queue[bytes] = queue.Queue(_MESSAGES_MAX)
        receiving, sending = Pipe(duplex=False)
        self._read: ReadPart | None = None
        self._wanted = mmap.mmap(-1, 1)
        alive, self._alive = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            receiving.close()
            os.close(self._alive)
            threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
            os._exit(
                _run_ahead(lambda: super(TwoProcesses, self).open(), self, self._slots, sending)
            )
        sending.close()
        os.close(alive)
        self.engine.intake.let_go()
        self._slots.of_judge()
        asking = self.engine.judge.preparing.asking
        if asking is not None:
            asking.leave_out({name for name, _, _ in asking.answering} - BESIDE_JUDGING)
        self._reader = threading.Thread(
            target=_receive, args=(receiving, self._messages), name="ahead", daemon=True
        )
        self._reader.start()

    def step(self) -> Outcome | None:
        """What the next slice brought; None when there is nothing left to read."""
        while True:
            match message := self._message():
                case _Sent():
                    self._judge(message)
                case _Done(taken, counts, read, last):
                    given, self._read = self.counts, read
                    given.given, given.after = counts.given, counts.after
                    given.rejected = counts.rejected
                    if last:
                        return None
                    return self._outcome(self.engine.judged(), taken.rejects, taken.size)

    def finish(self) -> Outcome:
        """The end of all sources and, where ``--to`` says, of the period."""
        while not isinstance(message := self._message(), _Ended):
            self._judge(message)
        intake, counters = self.engine.intake, self.engine.judge.preparing.counters
        for name, count in message.tallies.items():
            setattr(intake, name, count)
        counters[:] = message.counters
        alerts = self.engine.judged() + self.engine.finish(self.settings.to_us)
        self.close()
        return self._outcome(alerts, message.rejects, 0)

    def read_part(self) -> ReadPart | None:
        """See ``Judging``: what came with the last step, else asked for from here on."""
        if self._read is None:
            self._wanted[0] = 1
        return self._read

    def judged_arrays(self) -> Arrays:
        """See ``Judging``; with the detectors that are asked here."""
        return super().judged_arrays() | capture_detectors(self.engine)

    def part_wanted(self) -> bool:
        """Whether the other process has asked for what was read; once."""
        if not self._wanted[0] or not self.merge.between():
            return False
        self._wanted[0] = 0
        return True

    def close(self) -> None:
        """End the other process, wherever it stands."""
        if self._child:
            with suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
            self._child = 0
            self._slots.close()
            os.close(self._alive)
            while self._reader.is_alive():  # it may wait for room for what nobody needs now
                with suppress(queue.Empty):
                    self._messages.get(timeout=0.01)
        super().close()

    def _message(self) -> object:
        data = self._messages.get()
        if not data:
            raise InternalError("the process that reads ahead has ended without a word")
        found = pickle.loads(data)  # of our own fork, through a pipe that nobody else has
        if isinstance(found, BaseException):
            raise found
        return found

    def _judge(self, sent: object) -> None:
        assert isinstance(sent, _Sent)
        self.engine.judge_prepared(self._prepared(sent))
        self._slots.give_back(sent.slot)

    def _prepared(self, sent: _Sent) -> Prepared:
        self.plan.vocabulary.extend(*sent.words)
        count = len(sent.governed)
        columns = self._slots.columns(sent.slot, count)
        persons, ids, index = sent.persons, sent.ids, self.plan.columns.index
        block = Block(count, columns, *persons, *ids, np.zeros(0, np.uint64), *sent.places)
        order, asking = np.arange(count), self.engine.judge.preparing.asking
        if asking is not None:
            asking.ask(block, order, sent.first, sent.payments, sent.governed)
        return Prepared(
            Sequence(block, order),
            sent.first,
            columns[index["type"], :count],
            columns[index["time"], :count],
            sent.governed,
            sent.leg_masks,
            sent.leg_institutions,
            sent.rows,
            sent.payments,
            Told(sent.findings, asking),
        )


def _receive(receiving: Connection, messages: queue.Queue[bytes]) -> None:
    """Take messages out of the pipe, so that who sends them need not wait for the judging."""
    with receiving:
        while True:
            try:
                messages.put(receiving.recv_bytes())
            except (EOFError, OSError):
                messages.put(b"")
                return


def _end_with(alive: int) -> None:
    """End this process when the other has ended, even while it waits for a source."""
    os.read(alive, 1)
    os._exit(1)


def _run_ahead(
    open_: Callable[[], None], judging: TwoProcesses, slots: _Slots, sending: Connection
) -> int:
    """The other process, from its first to its last message; its exit status."""
    # Whoever ends the run tells the process that judges, which ends this one.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    slots.of_reader()
    with sending:
        try:
            open_()
            for message in _messages(judging, slots):
                sending.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
        except BrokenPipeError:
            return 1  # nobody judges any more
        except RegtechError as error:
            sending.send_bytes(pickle.dumps(error))
        except BaseException as error:
            said = InternalError(f"reading ahead: {type(error).__name__}: {error}")
            sending.send_bytes(pickle.dumps(said))
            return 1
    return 0


def _messages(judging: TwoProcesses, slots: _Slots) -> Iterator[object]:
    sender = _Sender(judging, slots)
    while (taken := judging.take_in()) is not None:
        yield from sender.ready()
        rejects = [*taken.rejects, *judging.sorted_out()]
        read = judging.part_here() if judging.part_wanted() else None
        yield _Done(Taken(rejects, taken.size), judging.counts, read)
    read = judging.part_here() if judging.keeps else None
    yield _Done(Taken([], 0), judging.counts, read, last=True)
    intake = judging.engine.intake
    for source in range(intake.sources):
        intake.close(source)
    yield from sender.ready()
    tallies = {name: getattr(intake, name) for name in ("repeats", "late", "conflicts")}
    counters = judging.engine.judge.preparing.counters
    yield _Ended(judging.sorted_out(), tallies, tuple(counters.tolist()))


class _Sender:
    """Prepares blocks and puts them where the other process finds them."""

    def __init__(self, judging: Judging, slots: _Slots) -> None:
        self._engine, self._slots = judging.engine, slots
        self._preparing = judging.engine.judge.preparing
        self._vocabulary = judging.plan.vocabulary
        self._known = len(self._vocabulary)
        self._first = judging.engine.judge.events.next
        if self._preparing.asking is not None:
            self._preparing.asking.leave_out(BESIDE_JUDGING)

    def ready(self) -> Iterator[_Sent]:
        """The blocks that can be judged now."""
        for events in self._engine.ready():
            yield self._sent(self._preparing.prepare(events, self._first))

    def _sent(self, prepared: Prepared) -> _Sent:
        events = prepared.events
        block, order, count = events.block, events.order, events.count
        slot = self._slots.take()
        columns = self._slots.columns(slot, count)
        for source, target in zip(block.columns, columns, strict=False):
            np.take(source, order, out=target[:count], mode="clip")  # else it buffers
        persons, person_offsets = gathered(block.person_offsets, block.person_values, order)
        ids, id_offsets = gathered(block.id_offsets, block.id_bytes, order)
        words = self._vocabulary.since(self._known)
        asking = self._preparing.asking
        made = _Sent(
            slot,
            self._first,
            prepared.governed[:count],
            prepared.leg_masks[:, :count],
            prepared.leg_institutions[:, :count],
            prepared.rows,
            (person_offsets, persons, block.person_given[order]),
            (id_offsets, ids),
            prepared.payments,
            (block.line[order], block.source[order]),
            {} if asking is None else asking.findings(),
            words,
        )
        self._known = len(self._vocabulary)
        self._first += count
        return made
