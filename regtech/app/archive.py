"""One file of named entries with their digests: whole, or seen not to be.

A zip archive, so that ordinary tools can list it. Its last entry, ``manifest.json``, says the
format and, for each other entry, its size and SHA-256; the digest of the manifest is the digest of
the archive. It is written under another name until it is whole and durable, and only its owner
may read it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from regtech.errors import ConflictError, InputError, StoreError, UsageError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_MODE: Final = 0o600
_PIECE: Final = 1 << 20
_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
"""What ``zipfile`` raises for a damaged file; the last, or one of its kind, where a flipped bit
names a password, or a method of compression that it does not know."""


class ArchiveWriter:
    """Entries one after another; see ``written_archive``."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries: list[dict[str, Any]] = []
        self.digest = ""

    def add(self, name: str, pieces: Iterable[bytes]) -> int:
        """Write an entry; its size."""
        digest, size = hashlib.sha256(), 0
        with self._archive.open(_entry(name), "w", force_zip64=True) as entry:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                entry.write(piece)
        self._entries.append({"name": name, "size": size, "sha256": digest.hexdigest()})
        return size

    def finish(self, said: Mapping[str, Any]) -> None:
        """The manifest, with what the caller says of the whole."""
        manifest = {"format": FORMAT, **said, "entries": self._entries}
        text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
        self.digest = hashlib.sha256(text).hexdigest()
        with self._archive.open(_entry(MANIFEST), "w") as entry:
            entry.write(text)


def _entry(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, _NO_DATE)
    made.compress_type = zipfile.ZIP_DEFLATED
    made.external_attr = _MODE << 16
    return made


@contextmanager
def written_archive(path: Path) -> Iterator[ArchiveWriter]:
    """An archive under its name once it is whole.

    Raises ``UsageError`` where there is anything of that name: a backup before, a device.
    ``StoreError`` where it cannot be written. Two that write the same name: the second is refused.
    """
    _refuse_present(path)
    part = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _MODE)
    except OSError as error:
        raise StoreError(f"{part} could not be made: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise ConflictError(f"another backup is writing {part}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            # What a kill left behind.
            file.truncate()
            os.fchmod(descriptor, _MODE)
            with zipfile.ZipFile(file, "w", compresslevel=1) as archive:
                made = ArchiveWriter(archive)
                yield made
            file.flush()
            os.fsync(file.fileno())
            _refuse_present(path)  # it took a while
            part.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            raise StoreError(f"{part} could not be written: {error.strerror}") from None
        raise


def _refuse_present(path: Path) -> None:
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already", hint="name another file")


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ArchiveReader:
    """An archive that was found whole."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive
        text = self._whole(MANIFEST)
        self.digest = hashlib.sha256(text).hexdigest()
        self.said: Mapping[str, Any] = self._manifest(text)
        self.sizes: Mapping[str, int] = {e["name"]: e["size"] for e in self.said["entries"]}

    def _manifest(self, text: bytes) -> Mapping[str, Any]:
        try:
            found = json.loads(text)
            number = found["format"]
            entries = [(str(e["name"]), int(e["size"]), str(e["sha256"])) for e in found["entries"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise self._damaged(f"its {MANIFEST} cannot be read") from None
        if number != FORMAT:
            raise InputError(
                f"{self._path} has the format {number}; this version reads the format {FORMAT}",
                hint="restore it with the version that wrote it",
            )
        there = sorted(self._archive.namelist())
        if there != sorted([MANIFEST, *(name for name, _, _ in entries)]):
            raise self._damaged("its entries are not those that its manifest names")
        self._digests = {name: digest for name, _, digest in entries}
        return dict(found)

    def check(self) -> None:
        """Read everything and compare it with the manifest. Raises ``InputError``."""
        for name, digest in self._digests.items():
            sums, size = hashlib.sha256(), 0
            for piece in self.pieces(name):
                sums.update(piece)
                size += len(piece)
            if size != self.sizes[name] or sums.hexdigest() != digest:
                raise self._damaged(f"{name} is not what its manifest says")

    def pieces(self, name: str) -> Iterator[bytes]:
        """An entry, piece by piece. Raises ``InputError`` where it cannot be read."""
        try:
            with self._archive.open(name) as entry:
                while piece := entry.read(_PIECE):
                    yield piece
        except _DAMAGE:
            raise self._damaged(f"{name} cannot be read") from None
        except OSError as error:
            raise InputError(f"{self._path} could not be read: {error.strerror}") from None

    def lines(self, name: str) -> Iterator[bytes]:
        """An entry, line by line, without line ends."""
        rest = b""
        for piece in self.pieces(name):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
        if rest:
            yield rest

    def _whole(self, name: str) -> bytes:
        try:
            return self._archive.read(name)
        except KeyError:
            raise self._damaged(f"it has no {name}") from None
        except _DAMAGE:
            raise self._damaged(f"its {name} cannot be read") from None

    def _damaged(self, why: str) -> InputError:
        return damaged(self._path, why)


def damaged(path: Path, why: str) -> InputError:
    """The one error for an archive that is not what it was."""
    return InputError(
        f"the backup {path} is damaged: {why}", hint="take another one; nothing was restored"
    )


@contextmanager
def read_archive(path: Path) -> Iterator[ArchiveReader]:
    """An archive, read whole and compared with its digests first. Raises ``InputError``."""
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGE:
        raise damaged(path, "it was cut off, or is no backup") from None
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}") from None
    with archive:
        found = ArchiveReader(path, archive)
        found.check()
        yield found
