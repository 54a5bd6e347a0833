"""Signed checkpoints: what a tenant's chain was at a moment, so that its past cannot be rewritten.

A checkpoint is worth most where the tenant cannot reach it: handed to the supervisor, printed,
or published. Whoever holds one sees that entries before it were changed or cut off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from casework.cases.chain import Anchor, canonical
from casework.cases.times import time_text
from casework.evidence.keys import KeyRing, SigningKey, signed_by
from casework.evidence.merkle import Frontier
from regtech.errors import InputError, StoreError

CHECKPOINT_FORMAT: Final = "regtech-checkpoint/1"
_FIRST: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``size`` entries of the tenant's chain end in ``head`` and have the hash tree ``root``.

    ``previous`` is the digest of the checkpoint before it (zeros for the first); hashes are
    hexadecimal, ``time`` is RFC 3339.
    """

    tenant: str
    size: int
    head: str
    root: str
    time: str
    previous: str
    key: str
    signature: str

    def as_dict(self) -> dict[str, Any]:
        """As it is stored, handed over and put into bundles."""
        return {**self._signed(), "signature": self.signature}

    def _signed(self) -> dict[str, Any]:
        return {
            "format": CHECKPOINT_FORMAT,
            "tenant": self.tenant,
            "size": self.size,
            "head": self.head,
            "root": self.root,
            "time": self.time,
            "previous": self.previous,
            "key": self.key,
        }

    def digest(self) -> str:
        """SHA-256 over the canonical form with the signature."""
        return hashlib.sha256(canonical(self.as_dict())).hexdigest()

    def holds(self, ring: KeyRing) -> bool:
        """Whether a key of the ring's lineage signed it."""
        public = ring.public_key(self.key)
        return public is not None and signed_by(
            public, canonical(self._signed()), bytes.fromhex(self.signature)
        )

    def anchor(self) -> Anchor:
        """What the chain is held against; only of checkpoints that hold and have entries."""
        return Anchor(self.size, bytes.fromhex(self.head))


def checkpoint_of(written: Mapping[str, Any]) -> Checkpoint:
    """Read a stored checkpoint. ``InputError`` where it is none; its signature is not checked."""
    texts = ("tenant", "head", "root", "time", "previous", "key", "signature")
    try:
        if set(written) != {*texts, "format", "size"} or written["format"] != CHECKPOINT_FORMAT:
            raise ValueError("not the keys of a checkpoint")
        size = written["size"]
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ValueError("size is no count")
        if not all(isinstance(written[name], str) for name in texts):
            raise ValueError("a text is missing")
        for name in ("head", "root", "previous", "signature"):
            bytes.fromhex(written[name])
    except (ValueError, TypeError) as error:
        raise InputError(f"this is no checkpoint: {error}", code="checkpoint") from None
    return Checkpoint(size=size, **{name: written[name] for name in texts})


def sign_checkpoint(
    key: SigningKey,
    tenant: str,
    frontier: Frontier,
    head: bytes,
    previous: Checkpoint | None,
    now_us: int,
) -> Checkpoint:
    """Sign what ``frontier`` and ``head`` (hash of the last entry) say of the tenant's chain now.

    Raises ``StoreError`` where the chain is shorter than at the checkpoint before: entries were
    cut off, and signing would hide it.
    """
    if previous is not None:
        if previous.tenant != tenant:
            raise ValueError(f"checkpoint of chain {previous.tenant!r} given for {tenant!r}")
        same_size = frontier.size == previous.size
        if frontier.size < previous.size or (same_size and head.hex() != previous.head):
            raise StoreError(
                f"the chain {tenant!r} has {frontier.size} entries, and a checkpoint was signed "
                f"over {previous.size}",
                hint="stop writing, and restore the record from a backup that verifies",
                code="chain_truncated",
            )
    unsigned = Checkpoint(
        tenant=tenant,
        size=frontier.size,
        head=head.hex(),
        root=frontier.root().hex(),
        time=time_text(now_us),
        previous=previous.digest() if previous else _FIRST,
        key=key.id,
        signature="",
    )
    signature = key.sign(canonical(unsigned._signed())).hex()
    return Checkpoint(**{**_fields(unsigned), "signature": signature})


def _fields(checkpoint: Checkpoint) -> dict[str, Any]:
    return {name: getattr(checkpoint, name) for name in Checkpoint.__slots__}


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the next checkpoint is due: after so many entries, or so long after the last one."""

    entries: int = 10_000
    us: int = 3_600_000_000

    def due(self, size: int, covered: int, now_us: int, last_us: int) -> bool:
        """``size`` entries now, ``covered`` by the last checkpoint, signed at ``last_us``."""
        fresh = size - covered
        return fresh > 0 and (fresh >= self.entries or now_us - last_us >= self.us)
