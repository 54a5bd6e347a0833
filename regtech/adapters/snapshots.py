"""Snapshots as files: whole, checked, written in one step; a folder keeps the last two.

    8 bytes   "RGTSNAP" and a line end
    4 bytes   version of the format
    4 bytes   reserved
    8 bytes   length of the head
    16 bytes  XXH3-128 of the head
    head      JSON: what the caller said, and for each array its name, type, shape, size, XXH3-128
    arrays    one after the other, little-endian, in C order

A file gets its name only when it is durable. What is read back has the bytes that were written, or
is refused with the reason.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xxhash

from regtech.errors import SnapshotError, StoreError

VERSION: Final = 5
KEPT: Final = 2
"""Snapshots kept: where the newest is damaged, the one before it is used."""
_MAGIC: Final = b"RGTSNAP\n"
_FIXED: Final = struct.Struct("<8sIIQ16s")
_HEAD_MAX: Final = 1 << 30
_TYPES: Final = frozenset({"|u1", "<i4", "<i8", "<u8"})

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was kept: ``said`` is the caller's plain data. ``path``: where it was read."""

    said: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]]
    path: Path


def write_snapshot(path: Path, said: Mapping[str, Any], arrays: Arrays) -> int:
    """Write a snapshot in one step; its size in bytes. Raises ``StoreError`` where it cannot be."""
    entries, pieces = [], []
    for name, array in arrays.items():
        piece = np.ascontiguousarray(array)
        view = piece.data.cast("B") if piece.size else memoryview(b"")
        entries.append(
            {
                "name": name,
                "type": piece.dtype.str,
                "shape": list(piece.shape),
                "size": len(view),
                "digest": xxhash.xxh3_128_hexdigest(view),
            }
        )
        pieces.append(view)
    head = json.dumps({"said": said, "arrays": entries}, separators=(",", ":")).encode()
    fixed = _FIXED.pack(_MAGIC, VERSION, 0, len(head), xxhash.xxh3_128_digest(head))
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb", buffering=0) as file:
            for left in (memoryview(fixed), memoryview(head), *pieces):
                while left:
                    left = left[file.write(left) :]
            os.fsync(file.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise StoreError(
            f"the snapshot {path} could not be written: {error.strerror or error}",
            hint="the one before it is whole",
        ) from None
    return len(fixed) + len(head) + sum(map(len, pieces))


def read_snapshot(path: Path) -> Snapshot:
    """A snapshot that is whole. Raises ``SnapshotError`` with the reason where it is not."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            fixed = file.read(_FIXED.size)
            if len(fixed) < _FIXED.size or fixed[: len(_MAGIC)] != _MAGIC:
                raise SnapshotError(f"{path} is no snapshot")
            _, version, _, length, digest = _FIXED.unpack(fixed)
            if version != VERSION:
                raise SnapshotError(
                    f"{path} has the format {version}; this version reads the format {VERSION}",
                    hint="start again without --resume",
                )
            if length > min(size, _HEAD_MAX):
                raise SnapshotError(f"{path} is cut off or damaged in its head")
            head = file.read(length)
            if len(head) != length or xxhash.xxh3_128_digest(head) != digest:
                raise SnapshotError(f"{path} is damaged in its head")
            document = json.loads(head)
            entries = document["arrays"]
            wanted = _FIXED.size + length + sum(entry["size"] for entry in entries)
            if size != wanted:
                raise SnapshotError(f"{path} has {size} bytes in place of {wanted}: it was cut off")
            arrays = {entry["name"]: _array(file, entry, path) for entry in entries}
    except OSError as error:
        raise SnapshotError(f"{path} could not be read: {error.strerror or error}") from None
    return Snapshot(document["said"], arrays, path)


def _array(file: Any, entry: dict[str, Any], path: Path) -> npt.NDArray[Any]:
    if entry["type"] not in _TYPES:
        raise SnapshotError(f"{path} holds an array of the type {entry['type']}")
    made = np.empty(entry["shape"], np.dtype(entry["type"]))
    view = made.data.cast("B") if made.size else memoryview(bytearray())
    if len(view) != entry["size"]:
        raise SnapshotError(f"{path} is damaged: {entry['name']} has not the size of its shape")
    done = 0
    while done < len(view) and (count := file.readinto(view[done:])):
        done += count
    if done != len(view) or xxhash.xxh3_128_hexdigest(view) != entry["digest"]:
        raise SnapshotError(f"{path} is damaged in {entry['name']}")
    return made


class SnapshotFolder:
    """The snapshots of one run, numbered; one process at a time. Close it at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._good: list[Path] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._lock = os.open(folder / "lock", flags, 0o644)
        except OSError as error:
            raise StoreError(
                f"snapshots cannot be kept in {folder}: {error.strerror or error}"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise StoreError(f"another run keeps its snapshots in {folder}") from None

    def __enter__(self) -> SnapshotFolder:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def paths(self) -> list[Path]:
        """All snapshots, the newest first."""
        return sorted(self.folder.glob("[0-9]*.snapshot"), key=lambda p: p.name, reverse=True)

    def newest(self) -> tuple[Snapshot, list[SnapshotError]]:
        """The newest whole snapshot, and why newer ones were refused.

        Raises ``SnapshotError`` where there is none at all.
        """
        refused: list[SnapshotError] = []
        for path in self.paths():
            try:
                found = read_snapshot(path)
            except SnapshotError as error:
                refused.append(error)
                continue
            self._good = [path]
            return found, refused
        if refused:
            raise SnapshotError(
                "no snapshot is whole: " + "; ".join(error.message for error in refused),
                hint=refused[0].hint or "start again without --resume",
            )
        raise SnapshotError(
            f"there is no snapshot in {self.folder}", hint="start again without --resume"
        )

    def write(self, said: Mapping[str, Any], arrays: Arrays) -> Path:
        """Keep one more snapshot, and drop all but it and the whole one before it."""
        numbers = [int(path.stem) for path in self.paths() if path.stem.isdigit()]
        path = self.folder / f"{max(numbers, default=0) + 1:010d}.snapshot"
        write_snapshot(path, said, arrays)
        self._good = [*self._good, path][-KEPT:]
        for other in self.folder.glob("*.snapshot*"):
            if other not in self._good:
                with contextlib.suppress(OSError):
                    other.unlink()
        return path


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
