"""Records that could not be used, as NDJSON: where, why, and the bytes as they came."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from regtech.adapters.committed import CommittedFile, Position
from regtech.columns.batch import Reject
from regtech.errors import InputError


def encode_reject(reject: Reject) -> bytes:
    """One line of the quarantine, with its line end; keys in a stable order.

    ``raw`` is the record as text; where its bytes are not UTF-8, ``raw_base64`` has them instead.
    """
    record: dict[str, Any] = {
        "source": reject.source,
        "line": reject.line,
        "field": reject.field,
        "code": reject.code,
        "found": reject.found,
        "expected": reject.expected,
    }
    try:
        record["raw"] = reject.raw.decode("utf-8")
    except UnicodeDecodeError:
        record["raw_base64"] = base64.b64encode(reject.raw).decode("ascii")
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    # What was found may be half a character (a lone surrogate): show it, do not fail on it.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def decode_reject(record: dict[str, Any]) -> Reject:
    """The inverse of ``encode_reject``. Raises ``ValueError`` where it is not such a record."""
    try:
        if "raw_base64" in record:
            raw = base64.b64decode(record["raw_base64"], validate=True)
        else:
            raw = str(record["raw"]).encode("utf-8")
        return Reject(
            source=str(record["source"]),
            line=int(record["line"]),
            field=str(record["field"]),
            code=str(record["code"]),
            found=str(record["found"]),
            expected=str(record["expected"]),
            raw=raw,
        )
    except (KeyError, TypeError, UnicodeEncodeError, binascii.Error) as error:
        raise ValueError(f"not a quarantined record: {error}") from None


def read_quarantine(path: Path) -> Iterator[Reject]:
    """The records of a quarantine file, in order. Raises ``InputError`` where it is none."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    record = json.loads(line)
                    if not isinstance(record, dict):
                        raise ValueError("not an object")
                    yield decode_reject(record)
                except ValueError as error:
                    raise InputError(f"{path}:{number} is no quarantined record: {error}") from None
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a quarantine file: not UTF-8") from None


class QuarantineFile:
    """Takes rejects in the order given, with the same promises as ``AlertFile``."""

    def __init__(self, path: str, *, resume: Position | None = None) -> None:
        self._file = CommittedFile(path, "the quarantine", resume=resume)

    def write(self, rejects: Iterable[Reject]) -> None:
        """Add records."""
        for reject in rejects:
            self._file.write(encode_reject(reject))

    def position(self) -> Position:
        """Make everything durable and say where it ends."""
        return self._file.commit()

    def close(self) -> Position:
        """The clean end of a run: the file gets its name."""
        return self._file.close()

    def abandon(self) -> None:
        """The unclean end: what was written stays under ``<path>.part``."""
        self._file.abandon()
