"""``casework.search.ports.SearchIndex`` in Elasticsearch.

A generation is an index; the live one and the one that is being built bear aliases, and writes go
to aliases alone, so that a write to what was taken away fails and makes nothing new.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from elasticsearch import ApiError

from casework.search.base import Answer, Asked, ScopedSearch
from casework.search.document import SHAPE, Document
from casework.search.elastic.client import connect, told
from casework.search.elastic.requests import (
    aggregations,
    fits,
    question,
    read_source,
    source_of,
)
from casework.search.errors import IndexAbsentError, IndexRefusedError, WalkEndedError
from casework.search.ports import Stamp
from regtech.clock import Clock
from regtech.content import content_root, read_text
from regtech.errors import ConflictError, StoreError

KEEP: Final = "10m"
"""How long a walk over pages can rest between two of them."""
_STAMPS_AT_ONCE: Final = 1_000
_BULK_BYTES: Final = 8_000_000
_TRIES: Final = 5


def mapping() -> dict[str, Any]:
    """Settings and mappings of an index of the present shape, as they ship."""
    path = content_root("mappings") / "elastic" / f"documents.v{SHAPE}.json"
    found: dict[str, Any] = json.loads(read_text(path))
    return found


class ElasticIndex(ScopedSearch):
    """An index on a server. ``url``: ``https://user:password@host:9200/prefix``; the prefix begins
    the names of all indices and aliases. Nothing is asked of the server before it is needed.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._client, self.shown, prefix = connect(url)
        self._clock = clock
        self._prefix = prefix
        self._base = f"{prefix}-v{SHAPE}"
        self._live = f"{self._base}-live"
        self._building = f"{self._base}-building"
        self._old = f"{self._base}-old"

    def _answer(self, asked: Asked) -> Answer:
        for _ in range(_TRIES):
            if asked.place is not None:
                generation, _, pit = asked.place.snapshot.partition("|")
            else:
                generation = self.live() or ""
                pit = self._open(generation) if generation else ""
                if not generation:
                    raise IndexAbsentError
            answer = self._ask(asked, generation, pit) if pit else None
            if answer is not None:
                return answer
            if asked.place is not None:
                raise WalkEndedError
            # The generation has just been followed by another: ask that one.
        raise StoreError("the search index changes hands too often", hint="try again")

    def _ask(self, asked: Asked, generation: str, pit: str) -> Answer | None:
        """The answer, or None where what was asked is kept no more."""
        more: dict[str, Any] = {}
        if asked.place is not None:
            more["search_after"] = [asked.place.score, asked.place.at_us, asked.place.id]
        with self._told() as client:
            try:
                found = client.search(
                    pit={"id": pit, "keep_alive": KEEP},
                    size=asked.limit + 1,
                    query=question(asked),
                    sort=[{"_score": "desc"}, {"at_us": "desc"}, {"id": "asc"}],
                    track_scores=True,
                    track_total_hits=self.counted_max if asked.terms else True,
                    source=["body"],
                    aggs=aggregations(asked),
                    **more,
                )
            except ApiError as error:
                # A server in trouble says the same as one whose index is gone.
                if error.status_code == 404 or not client.indices.exists(index=generation):
                    return None
                raise
            hits = found["hits"]["hits"]
            after = found.get("pit_id", pit) if len(hits) > asked.limit else None
            if after is None:
                client.options(ignore_status=404).close_point_in_time(id=pit)
        facets = {
            name: {bucket["key"]: bucket["doc_count"] for bucket in counted["buckets"]}
            for name, counted in found.get("aggregations", {}).items()
        }
        rows = [(round(hit["_score"] or 0), read_source(hit["_source"])) for hit in hits]
        snapshot = None if after is None else f"{generation}|{after}"
        total = found["hits"]["total"]
        return Answer(
            rows[: asked.limit],
            total["value"],
            facets,
            snapshot,
            at_least=total["relation"] != "eq",
        )

    def _open(self, generation: str) -> str:
        """The index as it is now, kept for a while; "" where it is no more."""
        with self._told() as client:
            opened = client.options(ignore_status=404).open_point_in_time(
                index=generation, keep_alive=KEEP
            )
        return str(opened.get("id", ""))

    def write(self, documents: Sequence[Document]) -> None:
        refused: dict[str, str] = {}
        for _ in range(_TRIES):
            before = self._targets()
            before.pop(self._old, None)
            if not before:
                raise IndexAbsentError
            whole = [self._bulk(alias, documents, refused) for alias in before]
            # A generation that was begun meanwhile has to get them too: its rebuild may have read
            # the record before they were in it.
            after = self._targets()
            after.pop(self._old, None)
            if all(whole) and after == before:
                break
        else:
            raise StoreError("the search index changes hands too often", hint="try again")
        _refuse(refused)

    def _bulk(self, alias: str, documents: Sequence[Document], refused: dict[str, str]) -> bool:
        """Send to an alias; False where it is no more."""
        lines: list[str] = []
        size, whole = 0, True
        for document in documents:
            if not fits(document.id):
                refused[document.id] = "its id is too long"
                continue
            action = {
                "_id": document.id,
                "version": document.version,
                "version_type": "external_gte",
                "require_alias": True,
            }
            lines += (json.dumps({"index": action}), _compact(source_of(document)))
            size += len(lines[-1])
            if size > _BULK_BYTES:
                whole &= self._send(alias, lines, refused)
                lines, size = [], 0
        return whole & (not lines or self._send(alias, lines, refused))

    def _send(self, alias: str, lines: list[str], refused: dict[str, str]) -> bool:
        with self._told() as client:
            answer = client.bulk(index=alias, operations=lines)
        if not answer["errors"]:
            return True
        failed: set[str] = set()
        for item in answer["items"]:
            result = item["index"]
            status = result["status"]
            kind = result.get("error", {}).get("type", "")
            if status == 409:
                continue  # a later version is there: the late write has lost
            if status == 404:
                return False
            if status == 400:
                refused[result["_id"]] = kind
            elif status >= 300:
                failed.add(f"{status} {kind}")
        if failed:
            raise StoreError(
                f"the search index {self.shown} did not take documents: {sorted(failed)[0]}",
                hint="they stay in the outbox and are sent again",
            )
        return True

    def _targets(self) -> dict[str, str]:
        """Aliases that are there, with the index each one names."""
        with self._told() as client:
            found = client.options(ignore_status=404).indices.get_alias(
                name=f"{self._live},{self._building},{self._old}"
            )
        return {
            alias: index
            for index, entry in sorted(found.items())
            if isinstance(entry, Mapping) and "aliases" in entry
            for alias in entry["aliases"]
        }

    def live(self) -> str | None:
        return self._targets().get(self._live)

    def refresh(self) -> None:
        with self._told() as client:
            client.options(ignore_status=404).indices.refresh(index=self._live)

    def begin(self) -> str:
        left = self._targets().get(self._building)
        numbers = [int(name.rpartition("-")[2]) for name in self._generations()]
        name = f"{self._base}-{max([self._clock.now_us(), *(n + 1 for n in numbers)])}"
        actions: list[dict[str, Any]] = [{"add": {"index": name, "alias": self._building}}]
        if left is not None:
            actions.insert(0, {"remove_index": {"index": left}})
        with self._told() as client:
            client.indices.create(index=name, **mapping())
            client.indices.update_aliases(actions=actions)
        return name

    def _generations(self) -> list[str]:
        """All indices of this prefix, of whatever shape."""
        with self._told() as client:
            found = client.indices.get(
                index=f"{self._prefix}-v*", features="aliases", ignore_unavailable=True
            )
        return [name for name in found if name.rpartition("-")[2].isdigit()]

    def build(self, generation: str, documents: Sequence[Document]) -> None:
        self._mine(generation)
        refused: dict[str, str] = {}
        if not self._bulk(self._building, documents, refused):
            raise _taken()
        _refuse(refused)

    def _mine(self, generation: str) -> None:
        if self._targets().get(self._building) != generation:
            raise _taken()

    def stamps(self, generation: str) -> Iterator[Stamp]:
        with self._told() as client:
            client.indices.refresh(index=generation)
            pit = client.open_point_in_time(index=generation, keep_alive=KEEP)["id"]
            after: dict[str, Any] = {}
            try:
                while True:
                    found = client.search(
                        pit={"id": pit, "keep_alive": KEEP},
                        size=_STAMPS_AT_ONCE,
                        sort=[{"_shard_doc": "asc"}],
                        source=["body"],
                        **after,
                    )
                    hits = found["hits"]["hits"]
                    for hit in hits:
                        document = read_source(hit["_source"])
                        yield Stamp(document.id, document.version, document.digest)
                    if not hits:
                        return
                    after = {"search_after": hits[-1]["sort"]}
            finally:
                client.options(ignore_status=404).close_point_in_time(id=pit)

    def finish(self, generation: str) -> None:
        self._mine(generation)
        with self._told() as client:
            client.indices.refresh(index=generation)
            actions: list[dict[str, Any]] = [
                {"remove": {"index": generation, "alias": self._building, "must_exist": True}},
                {"add": {"index": generation, "alias": self._live}},
            ]
            targets = self._targets()
            if self._old in targets:
                actions.append({"remove_index": {"index": targets[self._old]}})
            if self._live in targets:
                # Kept until the next rebuild: walks over its pages go on.
                before = targets[self._live]
                actions.append({"remove": {"index": before, "alias": self._live}})
                actions.append({"add": {"index": before, "alias": self._old}})
            answer = client.options(ignore_status=404).indices.update_aliases(actions=actions)
            if "error" in answer:
                raise _taken()
            kept = set(self._targets().values())
            left = [name for name in self._generations() if name not in kept]
            if left:
                # What a rebuild left behind that never came to its end, and other shapes.
                client.options(ignore_status=404).indices.delete(index=left)

    def close(self) -> None:
        self._client.close()

    def _told(self) -> Any:
        return told(self._client, self.shown)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _taken() -> ConflictError:
    return ConflictError(
        "another rebuild has begun since", hint="let it finish; the index is in its hands"
    )


def _refuse(refused: Mapping[str, str]) -> None:
    if refused:
        raise IndexRefusedError(sorted(refused), next(iter(refused.values())))
