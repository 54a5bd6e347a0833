"""A folder of models: arrays without pickles, a card that names what they are, and a log.

    models/log.ndjson                 who trained, approved, rolled back what; only ever added to
    models/<version>/model.npz        arrays of numbers
    models/<version>/card.json        features, training window, digests, metrics

Reading a model executes nothing: arrays of objects are refused, and the digest in the card must be
that of the arrays.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.errors import ConflictError, InputError, NotFoundError, SnapshotError, StoreError

_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_LOG: Final = "log.ndjson"
Arrays = Mapping[str, npt.NDArray[Any]]


class ModelFolder:
    """Models by version, and their log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, version: str, arrays: Arrays, card: Mapping[str, Any]) -> None:
        """Keep a model. ``ConflictError`` where another one has this version."""
        where = self._place(version)
        data = _packed(arrays)
        whole = {**card, "version": version, "sha256": hashlib.sha256(data).hexdigest()}
        text = json.dumps(whole, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        if (where / "card.json").exists():
            if self.card(version)["sha256"] != whole["sha256"]:
                raise ConflictError(f"another model has the version {version}")
            return
        try:
            where.mkdir(parents=True, exist_ok=True)
            _write(where / "model.npz", data)
            _write(where / "card.json", text.encode())
        except OSError as error:
            raise StoreError(f"{where} could not be written: {error.strerror}") from None

    def card(self, version: str) -> dict[str, Any]:
        """What a model is; ``NotFoundError`` where there is none."""
        path = self._place(version) / "card.json"
        try:
            card = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotFoundError(f"there is no model {version!r} in {self._folder}") from None
        except (OSError, ValueError) as error:
            raise SnapshotError(f"{path} cannot be read: {error}") from None
        if not isinstance(card, dict) or card.get("version") != version:
            raise SnapshotError(f"{path} is not the card of {version}")
        return card

    def arrays(self, version: str) -> dict[str, npt.NDArray[Any]]:
        """The numbers of a model; ``SnapshotError`` where they are not what the card says."""
        path = self._place(version) / "model.npz"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SnapshotError(f"{path} cannot be read: {error.strerror}") from None
        if hashlib.sha256(data).hexdigest() != self.card(version).get("sha256"):
            raise SnapshotError(f"{path} is not what its card says", hint="train it again")
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise SnapshotError(f"{path} is damaged: {error}") from None

    def log(self) -> list[tuple[str, dict[str, Any]]]:
        """All entries with where they stand, in order; none where nothing was ever kept."""
        path = self._folder / _LOG
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} cannot be read: {error}") from None
        entries = []
        for number, line in enumerate(lines, 1):
            try:
                data = json.loads(line)
            except ValueError:
                raise InputError(f"{path}:{number} is no JSON") from None
            entries.append((f"{path}:{number}", data))
        return entries

    def append(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Add to the log, durably and together."""
        lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / _LOG).open("ab") as stream:
                stream.write("".join(lines).encode())
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StoreError(f"{self._folder} could not be written: {error.strerror}") from None

    def _place(self, version: str) -> Path:
        if _VERSION.fullmatch(version) is None:
            raise InputError(f"{version!r} is no version of a model")
        return self._folder / version


def _packed(arrays: Arrays) -> bytes:
    """The arrays as a ``.npz`` whose bytes depend on nothing else."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            part = io.BytesIO()
            np.lib.format.write_array(part, np.asarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue(),
                             compress_type=zipfile.ZIP_DEFLATED)  # fmt: skip
    return stream.getvalue()


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
