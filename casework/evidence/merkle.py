"""A hash tree over the entries of a chain, so that one entry is proved without showing the others.

The tree is that of RFC 6962 with the hash of an entry as leaf: ``SHA-256(0x00 || entry hash)`` for
a leaf, ``SHA-256(0x01 || left || right)`` for a node; of ``n`` leaves the greatest power of two
below ``n`` stands to the left. Checkpoints sign its root; a bundle holds a path of about log2(n)
hashes for each entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from casework.cases.chain import HASH_BYTES


def leaf_hash(entry_hash: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry_hash).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: what is needed to add leaves and to give the root.

    ``peaks`` are the roots of the whole subtrees from left to right, at most one a bit of ``size``;
    a store that keeps both goes on without reading old entries again.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves does not have {len(self.peaks)} peaks")

    def add(self, entry_hash: bytes) -> None:
        """Append one entry."""
        if len(entry_hash) != HASH_BYTES:
            raise ValueError(f"a hash of an entry has {HASH_BYTES} bytes, not {len(entry_hash)}")
        node = leaf_hash(entry_hash)
        joins = self.size
        while joins & 1:
            node = node_hash(self.peaks.pop(), node)
            joins >>= 1
        self.peaks.append(node)
        self.size += 1

    def extend(self, entry_hashes: Iterable[bytes]) -> None:
        """Append entries in their order."""
        for entry_hash in entry_hashes:
            self.add(entry_hash)

    def root(self) -> bytes:
        """The root; SHA-256 of nothing for a tree without leaves."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node


class Tree:
    """The whole tree over ``entry_hashes``, for paths. Holds about two hashes an entry."""

    def __init__(self, entry_hashes: Iterable[bytes]) -> None:
        level = [leaf_hash(entry_hash) for entry_hash in entry_hashes]
        self.size = len(level)
        self._levels = [level]
        while len(level) > 1:
            paired = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
            if len(level) % 2:  # the odd one out goes up as it is
                paired.append(level[-1])
            self._levels.append(paired)
            level = paired

    def root(self) -> bytes:
        """The root; SHA-256 of nothing for a tree without leaves."""
        return self._levels[-1][0] if self.size else hashlib.sha256(b"").digest()

    def holds(self, position: int, entry_hash: bytes) -> bool:
        """Whether entry ``position`` (from 1) has this hash."""
        return 1 <= position <= self.size and self._levels[0][position - 1] == leaf_hash(entry_hash)

    def path(self, position: int) -> tuple[bytes, ...]:
        """Hashes beside the way from entry ``position`` (from 1) up to the root.

        Raises ``IndexError`` where the tree has no such entry.
        """
        if not 1 <= position <= self.size:
            raise IndexError(f"entry {position} is not among the {self.size} of the tree")
        at = position - 1
        path = []
        for level in self._levels[:-1]:
            beside = at ^ 1
            if beside < len(level):
                path.append(level[beside])
            at >>= 1
        return tuple(path)
