"""Bundles of evidence: one file with everything that a case rests on, and the proof of it.

The format is written down in docs/concepts/evidence.md and decided in decision 0011;
``verify_bundle.py`` checks it with nothing but Python.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from casework.cases.chain import FIRST_PREVIOUS, HASH_BYTES, canonical, entry_hash
from casework.cases.commitments import Committed, Opening
from casework.cases.times import time_text
from casework.evidence.checkpoints import Checkpoint
from casework.evidence.keys import KeyRing
from casework.evidence.merkle import Tree
from casework.evidence.verify_bundle import FORMAT, MAX_BYTES, MAX_VALUES
from regtech.errors import CapacityError, InputError, StoreError

Reveal = Callable[[str, str], bool]
"""Whether the value at a JSON pointer (second) of a part (first: ``documents/case``,
``documents/alerts/<id>``, ``timeline/<position>``) is shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the case's timeline as the tenant's chain holds it."""

    position: int
    """Its number in the tenant's chain, from 1."""
    previous: bytes
    """Hash of the entry before it in the tenant's chain."""
    content: Mapping[str, Any]
    """What was hashed: graded values are commitments."""
    openings: tuple[Opening, ...] = ()

    def hash(self) -> bytes:
        """Its hash in the chain."""
        return entry_hash(self.previous, self.content)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it judged: the text of its pack, the pack's digest, and the law it cites."""

    id: str
    version: str
    pack: str
    pack_digest: str
    text: str
    cite: Mapping[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """As it stands in a bundle."""
        return {
            "id": self.id,
            "version": self.version,
            "pack": self.pack,
            "pack_digest": self.pack_digest,
            "text": self.text,
            "text_digest": hashlib.sha256(self.text.encode()).hexdigest(),
            "cite": self.cite,
        }


@dataclass(frozen=True, slots=True)
class Chain:
    """What is needed of the tenant's chain: the hash of every entry, in order, and checkpoints.

    ``checkpoints`` follow one another without gaps; the last one must cover the case's last entry.
    """

    tenant: str
    hashes: Iterable[bytes]
    checkpoints: Sequence[Checkpoint]


def show_all(_part: str, _pointer: str) -> bool:
    """Reveal every value whose opening is there."""
    return True


def show_none(_part: str, _pointer: str) -> bool:
    """Reveal no graded value."""
    return False


def build_bundle(
    *,
    case_id: str,
    case: Committed,
    timeline: Sequence[Entry],
    alerts: Mapping[str, Committed],
    events: Mapping[str, Committed],
    rules: Sequence[Rule],
    chain: Chain,
    keys: KeyRing,
    reveal: Reveal,
    now_us: int,
) -> bytes:
    """The bytes of a bundle, signed by the active key.

    ``alerts`` and ``events`` are named by their ids. Raises ``StoreError`` where the record itself
    does not hold (an entry is not in the chain, a checkpoint was not signed by our keys),
    ``InputError`` where an entry is newer than the last checkpoint or of another case, and
    ``CapacityError`` where verifiers would refuse the size.
    """
    checkpoint = _checked_checkpoint(chain, keys)
    tree = _checked_tree(chain, checkpoint)
    written = [_written_entry(entry, case_id, tree, chain) for entry in _in_order(timeline)]
    documents: dict[str, Committed] = {"case": case}
    documents |= {f"alerts/{name}": alert for name, alert in alerts.items()}
    documents |= {f"events/{name}": event for name, event in events.items()}
    documents |= {f"rules/{rule.id}": Committed(rule.as_dict()) for rule in rules}
    lineage = [dict(record) for record in keys.lineage]
    checkpoints = [each.as_dict() for each in chain.checkpoints]
    manifest = {
        "format": FORMAT,
        "case": case_id,
        "tenant": chain.tenant,
        "created": time_text(now_us),
        "key": keys.active.id,
        "keys": _digest(lineage),
        "checkpoints": _digest(checkpoints),
        "documents": {name: _digest(each.content) for name, each in documents.items()},
        "timeline": [[entry.position, entry.hash().hex()] for entry in _in_order(timeline)],
    }
    openings = [
        shown
        for part, given in _parts(documents, timeline)
        for shown in _shown(part, given, reveal)
    ]
    bundle = {
        "format": FORMAT,
        "manifest": manifest,
        "signature": keys.active.sign(canonical(manifest)).hex(),
        "keys": lineage,
        "checkpoints": checkpoints,
        "timeline": written,
        "documents": {name: each.content for name, each in documents.items()},
        "openings": openings,
    }
    return _bounded(canonical(bundle) + b"\n")


def redact(bundle: bytes, keep: Reveal) -> bytes:
    """A bundle with fewer values shown, whole and signed as before; no key is needed.

    ``bundle`` must be one that verifies.
    """
    value = json.loads(bundle)
    value["openings"] = [one for one in value["openings"] if keep(one["in"], one["at"])]
    return canonical(value) + b"\n"


def _bounded(data: bytes) -> bytes:
    values = sum(data.count(mark) for mark in (b",", b"[", b"{"))
    if len(data) > MAX_BYTES or values > MAX_VALUES:
        raise CapacityError(
            f"the bundle has {len(data)} bytes and about {values} values; verifiers take "
            f"{MAX_BYTES} and {MAX_VALUES}",
            hint="leave out events, or export the case in parts",
        )
    return data


def _digest(value: object) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def _in_order(timeline: Sequence[Entry]) -> list[Entry]:
    ordered = sorted(timeline, key=lambda entry: entry.position)
    for one, two in zip(ordered, ordered[1:], strict=False):
        if one.position == two.position:
            raise InputError(f"entry {one.position} of the timeline was given twice")
    return ordered


def _checked_checkpoint(chain: Chain, keys: KeyRing) -> Checkpoint:
    if not chain.checkpoints:
        raise InputError(
            f"the chain {chain.tenant!r} has no checkpoint", hint="sign one, then export"
        )
    before: Checkpoint | None = None
    for checkpoint in chain.checkpoints:
        if checkpoint.tenant != chain.tenant or not checkpoint.holds(keys):
            raise StoreError(
                f"the checkpoint of {checkpoint.time} was not signed by our keys for the chain "
                f"{chain.tenant!r}",
                hint="find out who changed it: regtech signing-keys show lists the keys",
                code="checkpoint",
            )
        if before is not None and checkpoint.previous != before.digest():
            raise StoreError(
                f"the checkpoint of {checkpoint.time} does not follow that of {before.time}",
                code="checkpoint",
            )
        before = checkpoint
    return chain.checkpoints[-1]


def _checked_tree(chain: Chain, checkpoint: Checkpoint) -> Tree:
    tree = Tree(islice(chain.hashes, checkpoint.size))
    if tree.size != checkpoint.size or tree.root().hex() != checkpoint.root:
        raise StoreError(
            f"the chain {chain.tenant!r} is not the one that the checkpoint of {checkpoint.time} "
            "was signed over",
            hint="verify the record; do not export from it",
            code="chain_changed",
        )
    return tree


def _written_entry(entry: Entry, case_id: str, tree: Tree, chain: Chain) -> dict[str, Any]:
    if entry.position > tree.size:
        raise InputError(
            f"entry {entry.position} is newer than the last checkpoint ({tree.size} entries)",
            hint="sign a checkpoint, then export",
        )
    if len(entry.previous) != HASH_BYTES or (entry.position == 1) != (
        entry.previous == FIRST_PREVIOUS
    ):
        raise StoreError(f"entry {entry.position} has no right previous hash", code="chain_changed")
    if entry.content.get("case", case_id) != case_id:
        raise InputError(f"entry {entry.position} belongs to another case")
    if not tree.holds(entry.position, entry.hash()):
        raise StoreError(
            f"entry {entry.position} is not the one in the chain {chain.tenant!r}",
            hint="verify the record; do not export from it",
            code="chain_changed",
        )
    return {
        "position": entry.position,
        "previous": entry.previous.hex(),
        "content": entry.content,
        "path": [step.hex() for step in tree.path(entry.position)],
    }


def _parts(
    documents: Mapping[str, Committed], timeline: Sequence[Entry]
) -> Iterable[tuple[str, tuple[Opening, ...]]]:
    for name, document in documents.items():
        yield f"documents/{name}", document.openings
    for entry in _in_order(timeline):
        yield f"timeline/{entry.position}", entry.openings


def _shown(part: str, openings: tuple[Opening, ...], reveal: Reveal) -> Iterable[dict[str, Any]]:
    for opening in openings:
        if reveal(part, opening.at):
            yield {
                "in": part,
                "at": opening.at,
                "salt": opening.salt.hex(),
                "value": opening.value,
            }
