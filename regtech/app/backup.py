"""Backup and restore: the store and the server's folder of events in one archive, and back.

The archive is the same for both databases. What the folder says of the record (up to where alerts
are in it) is read before the record, and the journal after it: so there is no alert without its
event, and alerts that were on their way are put into the record again by the restored journal.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from casework.cases.times import time_text
from casework.stores.sql.copying import (
    StoreState,
    TableShape,
    fill_mark,
    filling,
    forget_fill,
    whole_state,
)
from casework.stores.sql.engine import store_url
from regtech import __version__
from regtech.app.archive import ArchiveReader, damaged, read_archive, sync_folder, written_archive
from regtech.app.journal import RESTORING, refuse_half_restored
from regtech.app.progress import Progress
from regtech.app.segments import end_of_lines
from regtech.clock import Clock
from regtech.errors import ConflictError, RegtechError, StoreError, UsageError

RECORD: Final = "record/"
DATA: Final = "data/"
UPLOADS: Final = "bulk"
_PIECE: Final = 1 << 20
_TRIES: Final = 5


def backup(
    store: str, data: Path | None, out: Path, clock: Clock, progress: Progress
) -> dict[str, Any]:
    """Write an archive of a store and, where there is one, its folder of events; what is in it.

    Raises ``StoreError`` where the store is not there or the archive cannot be written.
    """
    folder = data if data is not None and data.is_dir() else None
    if folder is not None:
        refuse_half_restored(folder)
    with written_archive(out) as archive, ExitStack() as stack:
        early = {} if folder is None else _early(folder)
        state, uploads = _settled_state(stack, store, folder)
        rows: dict[str, int] = {}
        tables = state.tables()
        progress.stage("reading the store", len(tables))
        for shape in tables:
            rows[shape.name] = 0
            archive.add(f"{RECORD}{shape.name}.ndjson", _counted(state, shape.name, rows))
            progress.advance(1, shape.name)
        sizes: dict[str, int] = {}
        for name, content in early.items():
            sizes[name] = archive.add(DATA + name, [content])
        for name, file in sorted(uploads.items()):
            sizes[name] = archive.add(DATA + name, _pieces(file))
        for path in [] if folder is None else _late(folder):
            with path.open("rb") as file:
                # The last file may go on with room that was made for what is to come.
                whole = end_of_lines(path)
                sizes[path.name] = archive.add(DATA + path.name, _pieces(file, whole))
        archive.finish(
            {
                "product": __version__,
                "made": time_text(clock.now_us()),
                "server": state.server,
                "schema": state.schema,
                "tables": [{**shape.as_data(), "rows": rows[shape.name]} for shape in tables],
            }
        )
    return {
        "backup": str(out),
        "digest": archive.digest,
        "bytes": out.stat().st_size,
        "rows": {name: count for name, count in rows.items() if count},
        "data": None if folder is None else sizes,
    }


def _counted(state: StoreState, name: str, rows: dict[str, int]) -> Iterator[bytes]:
    for piece in state.lines(name):
        rows[name] += piece.count(b"\n")
        yield piece


def _early(folder: Path) -> dict[str, bytes]:
    """What speaks of the record: read before it."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.json"))}


def _late(folder: Path) -> Sequence[Path]:
    """What the record speaks of: read after it. Segments that are whole keep their names."""
    return sorted(folder.glob("*.ndjson"))


def _settled_state(
    stack: ExitStack, store: str, folder: Path | None
) -> tuple[StoreState, Mapping[str, IO[bytes]]]:
    """A state of the store together with the files of events that it has not judged to the end.

    A file goes once it is judged, perhaps between two looks: then both are looked at again.
    """
    for left in reversed(range(_TRIES)):
        uploads: dict[str, IO[bytes]] = {}
        with ExitStack() as trial:
            _open_uploads(trial, folder, uploads)
            state = trial.enter_context(whole_state(store_url(store)))
            _open_uploads(trial, folder, uploads)
            wanted = {f"{UPLOADS}/{job}.ndjson" for job in state.open_jobs()}
            if folder is None or wanted <= set(uploads) or not left:
                stack.enter_context(trial.pop_all())
                return state, {name: uploads[name] for name in wanted & set(uploads)}
    raise AssertionError("unreachable")


def _open_uploads(stack: ExitStack, folder: Path | None, uploads: dict[str, IO[bytes]]) -> None:
    for path in [] if folder is None else (folder / UPLOADS).glob("J-*.ndjson"):
        name = f"{UPLOADS}/{path.name}"
        with suppress(FileNotFoundError):
            if name not in uploads:
                uploads[name] = stack.enter_context(path.open("rb"))


def _pieces(file: IO[bytes], size: int | None = None) -> Iterator[bytes]:
    """The file up to where it ends now; what is written meanwhile is not awaited."""
    left = os.fstat(file.fileno()).st_size if size is None else size
    while left > 0 and (piece := file.read(min(left, _PIECE))):
        left -= len(piece)
        yield piece


def check_backup(source: Path, progress: Progress) -> dict[str, Any]:
    """Read an archive whole and compare it with its digests. Raises ``InputError``."""
    progress.stage("checking the backup")
    with read_archive(source) as archive:
        return _told(source, archive)


def restore(
    source: Path, store: str, data: Path | None, clock: Clock, progress: Progress
) -> dict[str, Any]:
    """Fill a store and a folder that are not there yet; all of it, or nothing.

    Killed at any point, the same command again brings it to its end. Raises ``InputError`` for a
    damaged archive, ``ConflictError`` where there is something already.
    """
    url = store_url(store)
    progress.stage("checking the backup")
    with read_archive(source) as archive:
        shapes = _shapes(source, archive)
        names = [name.removeprefix(DATA) for name in archive.sizes if name.startswith(DATA)]
        if names and data is None:
            raise UsageError("where do events go?", hint="--data FOLDER, or set REGTECH_DATA")
        _refuse_leftover_index(store)
        mark = f"restored:{archive.digest}"
        told = {**_told(source, archive), "store": url.render_as_string(hide_password=True)}
        if data is not None and _broken_off(data, archive.digest) and fill_mark(url, mark):
            _finish(data)  # only the last step was missing
            forget_fill(url, mark)
            return told
        with filling(url, str(archive.said["schema"])) as into:
            with _folder_filled(data if names else None, names, archive):
                progress.stage("writing the store", len(shapes))
                for shape, rows in shapes:
                    taken = into.take(shape, archive.lines(f"{RECORD}{shape.name}.ndjson"))
                    if taken != rows:
                        raise damaged(source, f"{shape.name} has {taken} rows in place of {rows}")
                    progress.advance(1, shape.name)
                progress.stage("walking the log")
                told["log"] = {chain or "": length for chain, length in into.verify().items()}
                if names:
                    into.mark(mark, clock.now_us())
        if names and data is not None:
            _finish(data)
            forget_fill(url, mark)
        return told


def _told(source: Path, archive: ArchiveReader) -> dict[str, Any]:
    said = archive.said
    sizes = archive.sizes
    return {
        "backup": str(source),
        "digest": archive.digest,
        "made": said.get("made"),
        "product": said.get("product"),
        "rows": {table["name"]: table["rows"] for table in said["tables"] if table["rows"]},
        "data": {n.removeprefix(DATA): s for n, s in sizes.items() if n.startswith(DATA)},
    }


def _shapes(source: Path, archive: ArchiveReader) -> list[tuple[TableShape, int]]:
    try:
        found = [(TableShape.of(t), int(t["rows"])) for t in archive.said["tables"]]
        str(archive.said["schema"])
    except (KeyError, TypeError, ValueError, RegtechError):
        raise damaged(source, "its tables are not described as they should be") from None
    wanted = {f"{RECORD}{shape.name}.ndjson" for shape, _ in found}
    strange = [
        name
        for name in archive.sizes
        if name not in wanted and not (name.startswith(DATA) and _plain(name))
    ]
    if strange or not wanted <= set(archive.sizes):
        raise damaged(source, "it holds other entries than tables and data")
    return found


def _plain(name: str) -> bool:
    """Whether it is a name below a folder, of at most one folder deep."""
    parts = PurePosixPath(name).parts
    return "/".join(parts) == name and ".." not in parts and 2 <= len(parts) <= 3


def _refuse_leftover_index(store: str) -> None:
    from regtech.app.search import index_beside

    beside = index_beside(store)
    if beside is not None and beside.exists():
        raise ConflictError(
            f"{beside} is the search index of another store", hint="take it away first"
        )


def _broken_off(folder: Path, digest: str) -> bool:
    """Whether a restore of this archive into the folder was broken off."""
    try:
        return bool(json.loads((folder / RESTORING).read_bytes())["digest"] == digest)
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError):
        return True  # the marker itself was being written


@contextmanager
def _folder_filled(
    folder: Path | None, names: Sequence[str], archive: ArchiveReader
) -> Iterator[None]:
    """The folder with the archive's files, durable, and marked as not at its end.

    What fails inside takes the files away again.
    """
    if folder is None:
        yield
        return
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RESTORING).exists():
        raise ConflictError(f"{folder} is not empty", hint="--data FOLDER that is not there yet")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        marker = folder / RESTORING
        _write_durable(marker, [json.dumps({"digest": archive.digest}).encode()])
        _empty(folder)
        for name in names:
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            _write_durable(path, archive.pieces(DATA + name))
    except OSError as error:
        raise StoreError(f"{folder} could not be filled: {error.strerror}") from None
    try:
        yield
    except BaseException:
        _empty(folder)
        with suppress(OSError):
            marker.unlink()
        raise


def _empty(folder: Path) -> None:
    """Take away what a restore that was broken off had written."""
    for path in folder.iterdir():
        if path.name == RESTORING:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _write_durable(path: Path, pieces: Iterator[bytes] | Sequence[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _finish(folder: Path) -> None:
    try:
        (folder / RESTORING).unlink()
        sync_folder(folder)
    except OSError as error:
        raise StoreError(
            f"{folder / RESTORING} could not be taken away: {error.strerror}",
            hint="everything else is restored: take it away by hand",
        ) from None
