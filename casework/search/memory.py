"""The index in memory: nothing is kept; the plain reading that the other backends are held to."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

from casework.search.base import Answer, Asked, ScopedSearch
from casework.search.document import Document
from casework.search.errors import IndexAbsentError, WalkEndedError
from casework.search.ports import Stamp
from casework.search.query import Field, How, Step
from casework.search.reach import passes
from casework.search.text import compact, near, tokens
from regtech.errors import ConflictError

_WALKS: Final = 100

Generation = dict[str, Document]


class MemoryIndex(ScopedSearch):
    """``casework.search.ports.SearchIndex`` in memory."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._generations: dict[str, Generation] = {}
        self._live: str | None = None
        self._building: str | None = None
        self._number = 0
        self._walks: OrderedDict[str, tuple[Document, ...]] = OrderedDict()

    def _answer(self, asked: Asked) -> Answer:
        place = asked.place
        with self._lock:
            if self._live is None:
                raise IndexAbsentError
            if place is None:
                documents = tuple(self._generations[self._live].values())
                self._number += 1
                walk = str(self._number)
                self._walks[walk] = documents
                while len(self._walks) > _WALKS:
                    self._walks.popitem(last=False)
            else:
                walk = place.snapshot
                if walk not in self._walks:
                    raise WalkEndedError
                documents = self._walks[walk]
        found = []
        counts: dict[str, Counter[str]] = {name: Counter() for name in asked.reach.facets}
        for document in documents:
            if not asked.reach.sees(document) or not passes(document, asked.query):
                continue
            best = [_best(document, steps) for steps in asked.terms]
            if all(best):
                found.append((-sum(best), -document.at_us, document.id, document))
                _count(counts, document)
        found.sort(key=lambda item: item[:3])
        total = len(found)
        if place is not None:
            found = [f for f in found if f[:3] > (-place.score, -place.at_us, place.id)]
        rows = [(-score, document) for score, _, _, document in found[: asked.limit]]
        facets = {name: dict(counter) for name, counter in counts.items()} if asked.facets else {}
        after = walk if len(found) > asked.limit else None
        at_least = bool(asked.terms) and total > self.counted_max
        return Answer(
            rows, self.counted_max if at_least else total, facets, after, at_least=at_least
        )

    def write(self, documents: Sequence[Document]) -> None:
        with self._lock:
            names = {self._live, self._building} - {None}
            if not names:
                raise IndexAbsentError
            for name in names:
                self._put(self._generations[str(name)], documents)

    def _put(self, generation: Generation, documents: Sequence[Document]) -> None:
        for document in documents:
            known = generation.get(document.id)
            if known is None or known.version <= document.version:
                generation[document.id] = document

    def refresh(self) -> None:
        """Everything that is written is found at once."""

    def live(self) -> str | None:
        with self._lock:
            return self._live

    def begin(self) -> str:
        with self._lock:
            if self._building is not None:
                del self._generations[self._building]
            self._number += 1
            self._building = f"g{self._number}"
            self._generations[self._building] = {}
            return self._building

    def build(self, generation: str, documents: Sequence[Document]) -> None:
        with self._lock:
            self._mine(generation)
            self._put(self._generations[generation], documents)

    def _mine(self, generation: str) -> None:
        if self._building != generation:
            raise ConflictError(
                "another rebuild has begun since", hint="let it finish; the index is in its hands"
            )

    def stamps(self, generation: str) -> Iterator[Stamp]:
        with self._lock:
            documents = list(self._generations[generation].values())
        for document in documents:
            yield Stamp(document.id, document.version, document.digest)

    def finish(self, generation: str) -> None:
        with self._lock:
            self._mine(generation)
            if self._live is not None:
                del self._generations[self._live]
            self._live, self._building = generation, None

    def close(self) -> None:
        """Nothing to let go of."""


def _count(counts: dict[str, Counter[str]], document: Document) -> None:
    for name, counter in counts.items():
        if name == "tenant":
            counter.update(tenant for tenant in document.tenants if tenant)
        elif value := getattr(document, name):
            counter[str(value)] += 1


def _best(document: Document, steps: Sequence[Step]) -> int:
    return max((step.score for step in steps if _matches(document, step)), default=0)


def _matches(document: Document, step: Step) -> bool:
    values, wanted = document.values(step.field), step.value
    if step.field is Field.SEALED:
        return wanted[0] in values
    if step.how is How.WHOLE:
        return any(compact(value) == wanted[0] for value in values)
    if step.how is How.PART:
        return any(wanted[0] in compact(value) for value in values)
    if step.field is Field.IDS:
        return any(compact(value).startswith(wanted[0]) for value in values)
    found = [tokens(value) for value in values]
    if step.how is How.PREFIX:
        return any(token.startswith(wanted[0]) for words in found for token in words)
    if step.how is How.NEAR:
        return any(near(token, wanted[0]) for words in found for token in words)
    if step.how is How.LOOSE:
        return set(wanted) <= {token for words in found for token in words}
    size = len(wanted)
    return any(
        tuple(words[i : i + size]) == wanted
        for words in found
        for i in range(len(words) - size + 1)
    )
