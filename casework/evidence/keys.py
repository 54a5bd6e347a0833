"""The keys that sign checkpoints and bundles: Ed25519, one folder, a lineage by rotation.

A folder of keys holds for each key ``<id>.pem`` (PKCS #8, readable by its owner alone) and
``000n.json``, its public record. The first record stands alone; every later one names the key that
it succeeds and is signed by it. The newest key signs; records of all go into every bundle.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from casework.cases.chain import canonical
from casework.cases.times import time_text
from regtech.errors import StoreError, UsageError

KEY_FORMAT: Final = "regtech-key/1"


def key_id(public_key: bytes) -> str:
    """Id of a key: the first 32 hexadecimal digits of SHA-256 over its 32 public bytes."""
    return hashlib.sha256(public_key).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key; it is never shown and leaves its file only to sign."""

    id: str
    public_key: bytes
    _private: Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> SigningKey:
        """The key with its id."""
        public = private.public_key().public_bytes_raw()
        return cls(key_id(public), public, private)

    @classmethod
    def of_seed(cls, seed: bytes) -> SigningKey:
        """The key of a 32-byte seed (RFC 8032); for tests and key stores."""
        return cls.of(Ed25519PrivateKey.from_private_bytes(seed))

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self._private.sign(message)

    def pem(self) -> bytes:
        """PKCS #8, as it goes into the key's file."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signed_by(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is that of the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key that signs now, and the public records of all from the first on."""

    active: SigningKey
    lineage: tuple[Mapping[str, Any], ...]

    def public_key(self, key: str) -> bytes | None:
        """The public bytes of a key of the lineage."""
        for record in self.lineage:
            if record["key"] == key:
                return bytes.fromhex(record["public_key"])
        return None


def first_ring(key: SigningKey, now_us: int) -> KeyRing:
    """A lineage of one key."""
    return KeyRing(key, (_record(key, None, now_us),))


def succeeded(ring: KeyRing, key: SigningKey, now_us: int) -> KeyRing:
    """The ring after rotation: ``key`` signs from now on, and the key before it vouches for it."""
    return KeyRing(key, (*ring.lineage, _record(key, ring.active, now_us)))


def _record(key: SigningKey, before: SigningKey | None, now_us: int) -> dict[str, Any]:
    record: dict[str, Any] = {
        "format": KEY_FORMAT,
        "key": key.id,
        "public_key": key.public_key.hex(),
        "created": time_text(now_us),
        "succeeds": before.id if before else None,
    }
    record["signature"] = before.sign(canonical(record)).hex() if before else None
    return record


def create_keys(folder: Path, now_us: int) -> KeyRing:
    """Make the first key of a folder. ``UsageError`` where there is one."""
    if _records(folder):
        raise UsageError(f"{folder} holds keys", hint="rotate them, or name another folder")
    ring = first_ring(SigningKey.of(Ed25519PrivateKey.generate()), now_us)
    _keep(folder, ring)
    return ring


def rotate_keys(folder: Path, now_us: int) -> KeyRing:
    """Make a key that succeeds the newest one and signs from now on; old ones stay for checking."""
    ring = succeeded(load_keys(folder), SigningKey.of(Ed25519PrivateKey.generate()), now_us)
    _keep(folder, ring)
    return ring


def load_keys(folder: Path) -> KeyRing:
    """The keys of a folder.

    Raises ``StoreError`` where there are none, where a record does not hold, or where others than
    the owner may read a private key.
    """
    paths = _records(folder)
    if not paths:
        raise StoreError(
            f"no keys in {folder}",
            hint=f"make one: regtech signing-keys create {folder}",
            code="keys",
        )
    lineage = tuple(_read_record(path) for path in paths)
    before: Mapping[str, Any] | None = None
    for path, record in zip(paths, lineage, strict=True):
        _check_record(path, record, before)
        before = record
    return KeyRing(_private(folder, lineage[-1]), lineage)


def _check_record(path: Path, record: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
    signed = {name: value for name, value in record.items() if name != "signature"}
    if before is None:
        holds = record["succeeds"] is None and record["signature"] is None
    else:
        holds = record["succeeds"] == before["key"] and signed_by(
            bytes.fromhex(before["public_key"]),
            canonical(signed),
            bytes.fromhex(record["signature"] or ""),
        )
    if not holds or key_id(bytes.fromhex(record["public_key"])) != record["key"]:
        raise StoreError(
            f"{path} does not fit the key before it",
            hint="restore the folder from its backup; a lineage is never edited",
            code="keys",
        )


def _records(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9][0-9][0-9][0-9].json"))


def _read_record(path: Path) -> dict[str, Any]:
    names = {"format", "key", "public_key", "created", "succeeds", "signature"}
    try:
        record = json.loads(path.read_bytes())
        bytes.fromhex(record["public_key"])
        bytes.fromhex(record["signature"] or "")
        fits = set(record) == names and record["format"] == KEY_FORMAT
    except OSError as error:
        raise StoreError(f"{path} could not be read: {error.strerror}", code="keys") from None
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise StoreError(
            f"{path} is no public record of a key", hint="restore it from its backup", code="keys"
        )
    return dict(record)


def _private(folder: Path, record: Mapping[str, Any]) -> SigningKey:
    path = folder / f"{record['key']}.pem"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            # Asked of the open file, so that it cannot be exchanged in between.
            mode = os.fstat(file.fileno()).st_mode
            pem = file.read(1 << 16)
    except OSError as error:
        raise StoreError(f"{path} could not be read: {error.strerror}", code="keys") from None
    if mode & 0o077:
        raise StoreError(
            f"others than its owner may open {path}",
            hint=f"chmod 600 {path}, and rotate the key if somebody could have read it",
            code="keys",
        )
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise StoreError(f"{path} holds no Ed25519 key (PKCS #8, PEM)", code="keys")
    key = SigningKey.of(private)
    if key.id != record["key"]:
        raise StoreError(f"{path} holds another key than its name says", code="keys")
    return key


def _keep(folder: Path, ring: KeyRing) -> None:
    """Write the private key, then its record: only the record makes the key count."""
    number = len(ring.lineage)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(
            folder / f"{ring.active.id}.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600
        )
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask is
            file.write(ring.active.pem())
            file.flush()
            os.fsync(file.fileno())
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".record-") as draft:
            draft.write(canonical(ring.lineage[-1]) + b"\n")
            draft.flush()
            os.fsync(draft.fileno())
            os.fchmod(draft.fileno(), 0o644)
            # Fails where two rotations run at once: one of them has made this number already.
            os.link(draft.name, folder / f"{number:04}.json")
        entries = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(entries)
        finally:
            os.close(entries)
    except OSError as error:
        raise StoreError(
            f"keys could not be written to {folder}: {error.strerror}", code="keys"
        ) from None
