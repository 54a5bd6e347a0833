"""``regtech simulate``: simulated events and their labels, in the format the name asks for."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from regtech.app.progress import NoProgress, Progress
from regtech.errors import StoreError, UsageError


def _suffixes(out: Path) -> tuple[str, str]:
    """(format, compression) by the name."""
    names = [suffix.lower() for suffix in out.suffixes]
    compression = names.pop() if names and names[-1] in (".gz", ".zst") else ""
    ending = names[-1] if names else ""
    kinds = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv", ".parquet": "parquet"}
    if ending not in kinds:
        raise UsageError(f"no format for {out.name}", hint="end it in .ndjson, .csv or .parquet")
    if kinds[ending] == "parquet" and compression:
        raise UsageError("Parquet is compressed in itself", hint=f"leave {compression} away")
    return kinds[ending], compression


def simulate_command(
    out: Path, *, events: int, seed: int, planted: bool = True, progress: Progress | None = None
) -> dict[str, Any]:
    """Write ``out`` and ``out``'s labels; counts, names and SHA-256 of the file as written."""
    from regtech.sandbox.simulate.background import background
    from regtech.sandbox.simulate.merge import merge
    from regtech.sandbox.simulate.planted import Planted, plant

    told = progress or NoProgress()
    _suffixes(out)
    cases: list[Planted] = []
    if planted:
        told.stage("reading packs")
        from regtech.reference.load import Reference
        from regtech.rulelang.packs import load_packs

        packs, _ = load_packs()
        cases = list(plant(packs, Reference.shipped().profiles))
    told.stage("writing events", events + sum(len(case.events) for case in cases))
    written = write_simulated(
        out,
        merge(background(events, seed), cases),
        (case.label for case in cases),
        lambda: _columns(events, seed, cases),
        progress=told,
    )
    return {**written, "seed": seed, "planted": len(cases)}


def write_simulated(
    out: Path,
    pieces: Iterable[list[str]],
    labels: Iterable[str],
    columns: Callable[[], list[str]],
    *,
    total: int | None = None,
    progress: Progress,
) -> dict[str, Any]:
    """Write lines of NDJSON to ``out`` in its format, and their labels; what was written where.

    Both files are written under another name first, so that what bears the name is whole.
    ``columns`` is asked where the format has columns.
    """
    kind, compression = _suffixes(out)
    beside = out.with_name(out.name + ".labels.ndjson")
    part = out.with_name(out.name + ".part")
    label_part = beside.with_name(beside.name + ".part")
    count = 0
    if total is not None:
        progress.stage("writing events", total)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _writer(part, kind, compression, columns) as write:
            for lines in pieces:
                write(lines)
                count += len(lines)
                progress.advance(len(lines))
        label_part.write_text("".join(label + "\n" for label in labels), encoding="utf-8")
        digest = hashlib.sha256()
        with part.open("rb") as written:
            while piece := written.read(1 << 20):
                digest.update(piece)
        part.replace(out)
        label_part.replace(beside)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StoreError(f"{out} could not be written: {error.strerror or error}") from None
    return {"out": str(out), "events": count, "labels": str(beside), "sha256": digest.hexdigest()}


Write = Callable[[list[str]], object]


@contextmanager
def _writer(
    part: Path, kind: str, compression: str, columns: Callable[[], list[str]]
) -> Iterator[Write]:
    if kind == "parquet":
        from regtech.adapters.tables.write import ParquetWriter

        writer = ParquetWriter(part, columns())
        try:
            yield lambda lines: writer.write(json.loads(line) for line in lines)
        finally:
            writer.close()
        return
    with _compressed(part, compression) as stream:
        if kind == "ndjson":
            yield lambda lines: stream.write(("\n".join(lines) + "\n").encode())
            return
        from regtech.adapters.tables.write import write_csv

        names = columns()
        header = True

        def write(lines: list[str]) -> None:
            nonlocal header
            text = io.StringIO()
            write_csv(text, (json.loads(line) for line in lines), names, header=header)
            stream.write(text.getvalue().encode())
            header = False

        yield write


@contextmanager
def _compressed(part: Path, compression: str) -> Iterator[Any]:
    with part.open("wb") as raw:
        if compression == ".gz":
            # Without a time of writing, so that the same events give the same bytes.
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream:
                yield stream
        elif compression == ".zst":
            import zstandard

            with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as stream:
                yield stream
        else:
            yield raw


def _columns(events: int, seed: int, cases: list[Any]) -> list[str]:
    """The columns that occur: those of a small background and of every planted case."""
    from regtech.adapters.tables.write import COLUMNS, flatten
    from regtech.sandbox.simulate.background import background

    found: set[str] = set()
    for piece in background(min(events, 5000), seed):
        for line in piece.lines:
            found.update(flatten(json.loads(line)))
    for case in cases:
        for _, line in case.events:
            found.update(flatten(json.loads(line)))
    return [column for column in COLUMNS if column in found]
