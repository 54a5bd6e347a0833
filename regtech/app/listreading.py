"""Lists of names that change while a server runs: noticed, checked, taken into use, screened by.

What counts is what files hold, not when they were written. Lists that have the same content at two
looks are copied beside the journal and read by another process; then they are in use, and all known
parties are screened again by them. Whatever is wrong with them leaves those from before in use, and
is told. What is in use, and what is still to be done, is in one file that is replaced in one step:
a server that was killed goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from casework.cases.alert import StoredAlert
from casework.cases.scope import Scope
from casework.service.intake import AlertIntake
from regtech.adapters.lists.kept import (
    broken_off,
    forget_lists,
    keep_lists,
    kept_folder,
    lists_digest,
)
from regtech.app.progress import write_whole
from regtech.app.rescreening import ReadLists, ScreenAgain, read_command, summaries
from regtech.app.screeners import screener_of
from regtech.app.screening import Screening
from regtech.app.turns import GivingWay, quick_turns
from regtech.app.workers import run_beside
from regtech.clock import Clock
from regtech.collector import collector_paused, let_stay
from regtech.content.saying import from_data, say
from regtech.errors import InputError, RegtechError, StoreError
from regtech.reference.civil import time_text

FOLDER: Final = "lists"
"""Beside the journal."""
FAULTY_MAX: Final = 0.01
"""Lines that cannot be read, beside the entries, by which more of them than before are too many."""
ELSEWHERE: Final = "INTL"
"""The jurisdiction of a hit on a list that no rule in use asks for, where none is set."""
_STATE: Final = "in-use.json"
_READ: Final = "read.json"
_RAISED: Final = "raised.ndjson"
_PROGRESS: Final = "progress.json"


@dataclass(frozen=True, slots=True)
class InUse:
    """What is in use since when, in microseconds since 1970; and what is still to be done.

    ``before``: the digest of lists that known parties were last screened by, where they are to be
    screened again; "" else. ``position``: of the journal, up to which; None before it is known.
    ``raised``: how many hits the last change brought.
    """

    digest: str
    since_us: int
    lists: tuple[Mapping[str, Any], ...]
    before: str = ""
    position: int | None = None
    raised: int = 0


@dataclass(slots=True)
class _Told:
    """What people are told beside it."""

    stage: str = ""
    refused: str = ""
    hint: str = ""
    refused_us: int = 0
    at_digest: str = field(default="", repr=False)
    """Of the lists that were refused: they are not tried again."""


class ListReading:
    """The lists of a server. ``source``: where they are published; ``data``: the journal's folder.

    ``least``: the share of its entries that a changed list must still have. ``known_to``: up to
    which place of the journal parties are known, None where there is no journal. ``waits``: whether
    rules are still to be held against these lists. ``asked_in``: jurisdictions of rules that ask
    for a list. Raises ``InputError`` where lists cannot be read and none were kept.
    """

    def __init__(
        self,
        source: Path,
        data: Path,
        clock: Clock,
        *,
        least: float = 0.5,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source, self._data, self._into = source, data, data / FOLDER
        self._clock, self._least, self._stopping = clock, least, stopping
        self._seen = ""
        self._told = _Told()
        self.known_to: Callable[[], int | None] = lambda: None
        self.waits: Callable[[], bool] = lambda: False
        self.asked_in: Callable[[str], Sequence[str]] = lambda _: ()
        self.changed: Callable[[], None] = lambda: None
        self._in_use = self._kept() or self._first()
        self.screening = Screening(partial(screener_of, self.folder))

    @property
    def in_use(self) -> InUse:
        """What is in use."""
        return self._in_use

    @property
    def folder(self) -> Path:
        """The lists in use, as files that stay as they are."""
        return kept_folder(self._into, self._in_use.digest)

    def health(self) -> dict[str, Any]:
        """For the health of the server."""
        used, told = self._in_use, self._told
        state = "refused" if told.refused else ("reading" if told.stage else "in_use")
        return {
            "lists": state,
            "since": time_text(used.since_us),
            "versions": {
                one["name"]: {
                    "digest": one["digest"][:16],
                    "entries": one["entries"],
                    "lines_left_out": one["faults"],
                    "from": None if one["from_us"] is None else time_text(one["from_us"]),
                }
                for one in used.lists
            },
            "stage": told.stage,
            **self._progress(),
            "to_screen_again": bool(used.before),
            "raised": used.raised,
            "refused": told.refused,
            "hint": told.hint,
            "refused_at": time_text(told.refused_us) if told.refused else None,
        }

    def _progress(self) -> dict[str, Any]:
        found = {}
        if self._told.stage == "screening":
            with suppress(OSError, ValueError):
                found = json.loads((self._into / _PROGRESS).read_text(encoding="utf-8"))
        return {"at": found.get("at"), "of": found.get("of")}

    # --- the start

    def _kept(self) -> InUse | None:
        try:
            found = json.loads((self._into / _STATE).read_text(encoding="utf-8"))
            used = InUse(**{**found, "lists": tuple(found["lists"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return used if kept_folder(self._into, used.digest).is_dir() else None

    def _first(self) -> InUse:
        """Lists that nothing was screened by before: nobody is screened again."""
        digest = lists_digest(self._source)
        lists = tuple(summaries(self._source))
        if keep_lists(self._source, self._into, digest) is None:
            raise InputError(
                say("the lists change while the server starts"), hint=say("start it again")
            )
        return self._put(InUse(digest, self._clock.now_us(), lists))

    def _put(self, used: InUse) -> InUse:
        try:
            write_whole(self._into / _STATE, asdict(used))
        except OSError as error:
            raise StoreError(f"{_STATE} could not be written: {error.strerror}") from None
        self._in_use = used
        return used

    # --- what the server does

    def work(self, scope: Scope, intake: AlertIntake) -> None:
        """Look whether lists have changed, take them, and screen by them."""
        if not self.screening.ready:
            self._make_ready()
        try:
            self._look()
            self._again(scope, intake)
        finally:
            self._told.stage = ""

    def _look(self) -> None:
        try:
            digest = lists_digest(self._source)
            if digest == self._in_use.digest:
                self._seen, self._told = digest, _Told()
                return
            if digest == self._told.at_digest:
                return
            if digest != self._seen:
                self._seen = digest  # being written, perhaps: at the next look it is the same
                return
            self._told.stage = "reading"
            if (folder := keep_lists(self._source, self._into, digest)) is None:
                return
            lists = self._read(folder)
            self._check(folder, lists)
        except InputError as error:
            self._refuse(error)
            return
        if self._stopping():
            return
        self._take(digest, lists)

    def _read(self, folder: Path) -> list[dict[str, Any]]:
        """What the lists are, by another process. Raises ``InputError`` for what is wrong."""
        out = self._into / _READ
        out.unlink(missing_ok=True)
        run_beside(read_command(ReadLists(str(folder), str(out))), self._stopping)
        if self._stopping():
            return []
        found = json.loads(out.read_text(encoding="utf-8"))
        if "error" in found:
            error, hint = (self._shown(folder, from_data(found[n])) for n in ("error", "hint"))
            raise InputError(say("the lists cannot be read: %(why)s", why=error), hint=hint)
        lists: list[dict[str, Any]] = found["lists"]
        return lists

    def _shown(self, folder: Path, text: str) -> str:
        """Without the place of the copies, which is nobody's business outside."""
        return text.replace(f"{folder}/", "").replace(str(folder), self._source.name)

    def _check(self, folder: Path, lists: Sequence[Mapping[str, Any]]) -> None:
        """Raises ``InputError`` for lists that look as if they were not whole."""
        if self._stopping():
            return
        if broken := broken_off(self.folder, folder):
            raise InputError(
                say("%(file)s breaks off within its last line", file=broken[0]),
                hint=say("write a list beside and rename it, or end its last line"),
            )
        now = {one["name"]: one for one in lists}
        for one in self._in_use.lists:
            name, had = one["name"], one["entries"]
            if name not in now:
                if self._least:
                    raise InputError(
                        say("the list %(name)s is no longer there", name=name), hint=_ANYWAY
                    )
                continue
            has, faults = now[name]["entries"], now[name]["faults"]
            if has < had * self._least:
                raise InputError(
                    say(
                        "the list %(name)s has %(has)s entries where it had %(had)s",
                        name=name, has=has, had=had,
                    ),
                    hint=_ANYWAY,
                )  # fmt: skip
            if faults > one["faults"] and faults > max(has, 1) * FAULTY_MAX:
                raise InputError(
                    say("lines of the list %(name)s that cannot be read: %(faults)s", faults=faults,
                        name=name),
                    hint=say("regtech screen NAME --lists FOLDER names them"),
                )  # fmt: skip

    def _refuse(self, error: RegtechError) -> None:
        self._told = _Told(
            refused=error.message, hint=error.hint, refused_us=self._clock.now_us(),
            at_digest=self._seen,
        )  # fmt: skip

    def _take(self, digest: str, lists: Sequence[Mapping[str, Any]]) -> None:
        """Screen by other lists from here on, and note that known parties are to be."""
        used = self._in_use
        # Where nobody was screened by those in use yet, those from before them still count.
        before = used.before or used.digest
        (self._into / _RAISED).unlink(missing_ok=True)
        self._put(
            InUse(digest, self._clock.now_us(), tuple(lists), before, None, 0)
            if before != digest
            else replace(used, digest=digest, lists=tuple(lists), before="", position=None)
        )
        self._told = _Told()
        self._make_ready()
        kept = {kept_folder(self._into, name) for name in (digest, before, used.digest)}
        forget_lists(self._into, kept)
        self.changed()

    def _make_ready(self) -> None:
        self._told.stage = "making_ready"
        # The collector would walk over all that is made, again and again, while nothing else runs.
        with quick_turns(), collector_paused():
            screener = screener_of(self.folder, GivingWay())
            let_stay()
        self.screening.use(screener)

    def _again(self, scope: Scope, intake: AlertIntake) -> None:
        """Screen all known parties, where that is still to be done, and raise what is new."""
        if not self._in_use.before or self.waits() or self._stopping():
            return
        raised = self._into / _RAISED
        if not raised.is_file():
            self._told.stage = "screening"
            if not self._screened(raised):
                return
        count = 0

        def alerts() -> Iterator[StoredAlert]:
            nonlocal count
            with raised.open("rb") as stream:
                for line in stream:
                    count += 1
                    yield StoredAlert.of(line.rstrip(b"\n"))

        # What an earlier try put into the record is there: the same alert changes nothing.
        intake.take(scope, alerts())
        self._put(replace(self._in_use, before="", position=None, raised=count))
        raised.unlink(missing_ok=True)

    def _screened(self, out: Path) -> bool:
        """Have another process screen; False where the end was asked for."""
        used = self._in_use
        before = kept_folder(self._into, used.before)
        position = self.known_to() if used.position is None else used.position
        if position is None or not before.is_dir():
            out.write_bytes(b"")  # there is nobody to be screened, or nothing to compare with
            return True
        if used.position is None:
            used = self._put(replace(used, position=position))
        names = {one["name"]: one["digest"] for one in used.lists}
        wanted = ScreenAgain(
            journal=str(self._data), position=position, before=str(before),
            after=str(self.folder), time=time_text(used.since_us),
            jurisdictions={name: self.asked_in(name) or (ELSEWHERE,) for name in names},
            digests=names, out=str(out), progress=str(self._into / _PROGRESS),
        )  # fmt: skip
        run_beside(wanted.command(), self._stopping)
        return out.is_file()


_ANYWAY: Final = say("is it whole? REGTECH_LISTS_LEAST=0 has a server take it")
