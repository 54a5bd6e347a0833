"""The hash chain of the append-only record: one chain a tenant, broken links found and named.

``entry_hash = SHA-256(previous hash || canonical JSON of the entry without its hash)``; the first
entry follows ``FIRST_PREVIOUS``. A tenant's entries are numbered from 1 without gaps (their
*position*), in the order in which they were written. The chain alone
cannot tell that its newest entries were cut off, or that all of it was written anew: anchors, taken
from signed checkpoints, can.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from regtech.errors import InputError

HASH_BYTES: Final = 32
FIRST_PREVIOUS: Final = bytes(HASH_BYTES)
"""What stands before the first entry of every chain."""

SALT_BYTES: Final = 32
MARK: Final = "$commitment"
"""Key of the object that stands for a hidden value; its value is the ``commitment``."""

_ENCODE: Final = json.JSONEncoder(
    ensure_ascii=False,
    sort_keys=True,
    separators=(",", ":"),
    allow_nan=False,
    check_circular=False,  # what goes in a circle is too deep, and told as that
).encode


def canonical(value: object) -> bytes:
    """The one form of a JSON value: UTF-8, keys sorted by code point, no blanks, nothing escaped
    that need not be.

    Keys must be texts; numbers are whole or finite (money is whole or text). An ``InputError`` says
    what JSON cannot hold: NaN, half a surrogate pair, a set, a depth beyond reason.
    """
    try:
        return _ENCODE(value).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"a value has no canonical JSON: {error}",
            hint="use texts, whole numbers, true, false, null, lists and mappings with text keys",
            code="canonical_json",
        ) from None


def entry_hash(previous: bytes, content: Mapping[str, object]) -> bytes:
    """Hash of an entry, 32 bytes, that follows the entry with the hash ``previous``.

    Raises ``InputError`` where ``content`` has no canonical JSON, ``ValueError`` where ``previous``
    is no hash.
    """
    if len(previous) != HASH_BYTES:
        raise ValueError(f"a previous hash has {HASH_BYTES} bytes, not {len(previous)}")
    return hashlib.sha256(previous + canonical(content)).digest()


def commitment(salt: bytes, value: object) -> str:
    """SHA-256 over salt and canonical value, in lower-case hexadecimal digits."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return hashlib.sha256(salt + canonical(value)).hexdigest()


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it was stored: its number in the tenant's chain, its content, its hash."""

    position: int
    content: Mapping[str, object]
    hash: bytes


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a signed checkpoint says: the entry ``position`` had this hash."""

    position: int
    hash: bytes


class BreakKind(StrEnum):
    """How a chain is broken."""

    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    INSERTED = "inserted"
    DUPLICATED = "duplicated"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where a chain does not hold.

    ``position`` is the entry that is named. Where a whole tail was hashed anew only an anchor shows
    it, and the change lies somewhere from ``since`` to ``position``; otherwise both are equal.
    """

    kind: BreakKind
    position: int
    since: int
    message: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A walk over a whole chain: its length, its last hash, and the first break, if any."""

    length: int
    head: bytes
    broken: Break | None

    @property
    def whole(self) -> bool:
        return self.broken is None


def verify_chain(links: Iterable[Link], anchors: Sequence[Anchor] = ()) -> Verified:
    """Walk a tenant's chain from its first entry and name the first entry that is broken.

    ``links`` come in the order of the store. Every anchor must lie on the chain. 32 bytes an entry
    are held, so that a repeated entry can be told from an inserted one.
    """
    anchored = {anchor.position: anchor.hash for anchor in anchors}
    walk = _Walk(anchored)
    remaining = iter(links)
    for link in remaining:
        found = walk.step(link, remaining)
        if found is not None:
            return Verified(walk.length, walk.head, found)
    beyond = [position for position in anchored if position > walk.length]
    if beyond:
        last = max(beyond)
        return Verified(
            walk.length,
            walk.head,
            Break(
                BreakKind.TRUNCATED,
                walk.length + 1,
                walk.length + 1,
                f"the chain ends after entry {walk.length}, but a checkpoint covers {last}: "
                f"entries {walk.length + 1} to {last} were cut off",
            ),
        )
    return Verified(walk.length, walk.head, None)


class _Walk:
    """The whole part of a chain so far."""

    def __init__(self, anchored: Mapping[int, bytes]) -> None:
        self._anchored = anchored
        self._hashes = bytearray(FIRST_PREVIOUS)
        self._anchor = 0  # the last anchor that held

    @property
    def length(self) -> int:
        return len(self._hashes) // HASH_BYTES - 1

    @property
    def head(self) -> bytes:
        return bytes(self._hashes[-HASH_BYTES:])

    def step(self, link: Link, remaining: Iterable[Link]) -> Break | None:
        """Take one more entry; ``remaining`` is looked at only to say how an order is broken."""
        expected = self.length + 1
        if link.position != expected:
            return self._misplaced(link, expected, remaining)
        if link.hash != entry_hash(self.head, link.content):
            return Break(
                BreakKind.CHANGED,
                expected,
                # Where the entry before was changed and given a fresh hash, this is where it shows.
                expected - 1 if self.length > self._anchor else expected,
                f"entry {expected} does not have its hash: its content, its hash or the entry "
                "before it was changed",
            )
        self._hashes += link.hash
        anchor = self._anchored.get(expected)
        if anchor is not None:
            if anchor != link.hash:
                since = self._anchor + 1
                return Break(
                    BreakKind.CHANGED,
                    expected,
                    since,
                    f"entry {expected} is not the one that the checkpoint covers: one of the "
                    f"entries {since} to {expected} was changed and the rest hashed anew",
                )
            self._anchor = expected
        return None

    def _misplaced(self, link: Link, expected: int, remaining: Iterable[Link]) -> Break:
        if 1 <= link.position < expected:
            at = link.position * HASH_BYTES
            if self._hashes[at : at + HASH_BYTES] == link.hash:
                kind, said = BreakKind.DUPLICATED, "stands twice"
            else:
                kind, said = BreakKind.INSERTED, "has a second, different entry with its number"
            return Break(kind, link.position, link.position, f"entry {link.position} {said}")
        if link.position < 1:
            return Break(
                BreakKind.INSERTED,
                expected,
                expected,
                f"an entry numbered {link.position} stands where {expected} belongs",
            )
        if any(later.position == expected for later in remaining):
            return Break(
                BreakKind.REORDERED,
                expected,
                expected,
                f"entry {expected} stands after entry {link.position}",
            )
        return Break(
            BreakKind.REMOVED,
            expected,
            expected,
            f"entry {expected} is missing: entry {link.position} follows {expected - 1}",
        )
