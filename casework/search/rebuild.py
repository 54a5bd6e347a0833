"""Makes an index anew from the record, compares the two, and puts it in place without a gap.

While the new generation is built, the indexer writes to both; a document that both write keeps its
highest version, whoever comes last. What the walk over the record passes by because it moved in the
order meanwhile has a message in the outbox, since it moved by being changed.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar

from casework.cases.scope import Scope
from casework.cases.themes import Themes
from casework.ports import CaseQuery, Message, Record
from casework.search.document import Document
from casework.search.errors import IndexAbsentError, IndexRefusedError
from casework.search.ports import SearchIndex
from casework.search.project import alert_documents, case_documents
from regtech.errors import StoreError

T = TypeVar("T")

BATCH: Final = 500
"""Documents that are written at once."""
PAGE: Final = 500
ALERTS_MAX: Final = 500
"""Alerts of a case that it is found by; each alert is also a document of its own."""
CASES: Final = 100
"""Cases that are read at once, each with its alerts and timeline."""
_NAMED: Final = 20
_REPAIRS: Final = 3


class Projection:
    """Documents of what the record holds now."""

    def __init__(self, record: Record, scope: Scope, themes: Themes) -> None:
        self._record, self._scope, self._themes = record, scope, themes

    def of_cases(self, case_ids: Collection[str]) -> Iterator[Document]:
        """All documents of the cases that there are of these ids."""
        found = self._record.dossiers(self._scope, case_ids, alerts_max=ALERTS_MAX)
        for dossier in found:
            yield from case_documents(dossier.case, dossier.alerts, dossier.timeline, self._themes)

    def of_alerts(self, alert_ids: Collection[str]) -> Iterator[Document]:
        """All documents of the alerts that there are of these ids."""
        for alert in self._record.alerts_by_id(self._scope, alert_ids):
            yield from alert_documents(alert)

    def of_messages(self, messages: Iterable[Message]) -> Iterator[Document]:
        """The documents that messages tell of; a case that is named often comes once."""
        cases: dict[str, None] = {}
        alerts: dict[str, None] = {}
        for message in messages:
            if "case" in message.body:
                cases[str(message.body["case"])] = None
            alerts.update(dict.fromkeys(map(str, message.body.get("alerts", ()))))
        for some in pieces_of(alerts, PAGE):
            yield from self.of_alerts(some)
        for some in pieces_of(cases, CASES):
            yield from self.of_cases(some)

    def of_document_id(self, identity: str) -> list[Document]:
        """The documents made together with the one of this id; none where the record has none."""
        kind, _, rest = identity.partition(":")
        if kind == "case":
            return list(self.of_cases([rest.partition(":")[0]]))
        return list(self.of_alerts([rest])) if kind == "alert" else []

    def everything(self) -> Iterator[Document]:
        """All documents of the record, page after page."""
        after: str | None = None
        while True:
            page = self._record.cases(self._scope, _ALL, after=after, limit=CASES)
            yield from self.of_cases([case.id for case in page.items])
            after = page.after
            if after is None:
                break
        while True:
            alerts = self._record.alerts(self._scope, after=after, limit=PAGE)
            for alert in alerts.items:
                yield from alert_documents(alert)
            after = alerts.after
            if after is None:
                return


_ALL: Final = CaseQuery(open=None)


def pieces_of(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    source = iter(items)
    while piece := list(islice(source, size)):
        yield piece


@dataclass
class Comparison:
    """The record beside an index. ``missing``, ``stale`` and ``differing`` are ids of documents
    that the index lacks, has in an older version, or has with another content; ``foreign`` are
    those that the record knows nothing of. ``later``: came to the index after the record was read.
    ``digest``: SHA-256 sums over ids, versions and contents, in no order."""

    documents: Counter[str] = field(default_factory=Counter)
    record_digest: str = ""
    index_digest: str = ""
    missing: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    later: int = 0

    @property
    def faulty(self) -> list[str]:
        """What the index should have and does not."""
        return [*self.missing, *self.stale, *self.differing]

    @property
    def same(self) -> bool:
        """Whether the index holds what the record holds."""
        return not self.faulty and not self.foreign

    def as_dict(self) -> dict[str, Any]:
        """Plain data; of long lists the beginning."""
        return {
            "same": self.same,
            "documents": dict(sorted(self.documents.items())),
            "record_digest": self.record_digest,
            "index_digest": self.index_digest,
            "later": self.later,
            **{
                name: {"count": len(found), "ids": found[:_NAMED]}
                for name, found in (
                    ("missing", self.missing),
                    ("stale", self.stale),
                    ("differing", self.differing),
                    ("foreign", self.foreign),
                )
            },
        }


class Expected:
    """What the index should hold: ids, versions, digests, kept in a temporary file."""

    def __init__(self) -> None:
        # Not in memory: there may be millions of documents.
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute(
            "CREATE TABLE expected (id TEXT PRIMARY KEY, version INTEGER, digest TEXT,"
            " kind TEXT, seen INTEGER DEFAULT 0) WITHOUT ROWID"
        )

    def add(self, documents: Iterable[Document]) -> None:
        """The record has these."""
        self._connection.execute("BEGIN")
        self._connection.executemany(
            "INSERT INTO expected (id, version, digest, kind) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET version = excluded.version, digest = excluded.digest"
            " WHERE excluded.version >= version",
            [(d.id, d.version, d.digest, d.kind.value) for d in documents],
        )
        self._connection.execute("COMMIT")

    def compare(self, index: SearchIndex, generation: str, projection: Projection) -> Comparison:
        """Hold the documents of a generation against what was added."""
        found = Comparison()
        sums = {"record": 0, "index": 0}
        unknown: dict[str, None] = {}
        find = "SELECT version, digest, seen FROM expected WHERE id = ?"
        self._connection.execute("UPDATE expected SET seen = 0")
        differing: dict[str, None] = {}
        for stamp in index.stamps(generation):
            row = self._connection.execute(find, (stamp.id,)).fetchone()
            if row is None:
                unknown[stamp.id] = None
                continue
            if not row[2]:
                see = "UPDATE expected SET seen = 1 WHERE id = ?"
                self._connection.execute(see, (stamp.id,))
            if stamp.version > row[0]:
                found.later += 1
                continue
            sums["index"] += _number(stamp.id, stamp.version, stamp.digest)
            if stamp.version < row[0]:
                found.stale.append(stamp.id)
            elif stamp.digest != row[1]:
                differing[stamp.id] = None
        # A document that came anew during the walk is reported in its first form as well.
        found.stale = [i for i in found.stale if i not in differing]
        found.differing = list(differing)
        for identity, version, digest, kind, seen in self._connection.execute(
            "SELECT id, version, digest, kind, seen FROM expected"
        ):
            found.documents[kind] += 1
            sums["record"] += _number(identity, version, digest)
            if not seen:
                found.missing.append(identity)
        known = [i for i in unknown if projection.of_document_id(i)]
        found.later += len(known)
        rest = [i for i in unknown if i not in set(known)]
        if known and all(i.startswith("party:") for i in rest):
            found.later += len(rest)  # named by the alerts that came meanwhile
        else:
            found.foreign = rest
        found.record_digest, found.index_digest = (
            f"{sums[name] % (1 << 256):064x}" for name in ("record", "index")
        )
        return found

    def close(self) -> None:
        """Let the temporary file go."""
        self._connection.close()


def _number(identity: str, version: int, digest: str) -> int:
    text = f"{identity}\x1f{version}\x1f{digest}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


Told = Callable[[int], None]


def rebuild(
    record: Record,
    index: SearchIndex,
    scope: Scope,
    themes: Themes,
    told: Told = lambda _: None,
) -> Comparison:
    """Build a generation, compare it with the record, and make it the live one.

    ``told`` hears how many documents were written. Raises ``StoreError``, also where the new
    generation is not what the record says (the old one then stays), and ``ConflictError`` where
    another rebuild took over.
    """
    projection = Projection(record, scope, themes)
    generation = index.begin()
    refused: set[str] = set()

    def build(documents: list[Document]) -> None:
        try:
            index.build(generation, documents)
        except IndexRefusedError as error:
            refused.update(error.ids)

    with closing(Expected()) as expected:
        for piece in pieces_of(projection.everything(), BATCH):
            build(piece)
            expected.add(piece)
            told(len(piece))
        found = expected.compare(index, generation, projection)
        for _ in range(_REPAIRS):
            # A case that changed between two looks at it was put together from both.
            wrong = [identity for identity in found.faulty if identity not in refused]
            if not wrong:
                break
            for identity in wrong:
                again = projection.of_document_id(identity)
                build(again)
                expected.add(again)
            found = expected.compare(index, generation, projection)
    wrong = [identity for identity in found.faulty if identity not in refused]
    if wrong or found.foreign:
        raise StoreError(
            f"the new search index is not what the record says: {len(wrong)} documents differ,"
            f" {len(found.foreign)} are foreign, such as {(*wrong, *found.foreign)[0]}",
            hint="the index before it stays in use; rebuild again",
        )
    index.finish(generation)
    return found


def check(record: Record, index: SearchIndex, scope: Scope, themes: Themes) -> Comparison:
    """Compare the live index with the record. Raises ``IndexAbsentError``."""
    generation = index.live()
    if generation is None:
        raise IndexAbsentError
    projection = Projection(record, scope, themes)
    with closing(Expected()) as expected:
        for piece in pieces_of(projection.everything(), BATCH):
            expected.add(piece)
        return expected.compare(index, generation, projection)
