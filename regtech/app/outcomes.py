"""Outcomes of payments from a file: what cases ended with, for models that learn from them.

Read are our own labels (``OUT.labels.ndjson`` of the simulator, a line for each planted case), or a
table with a column ``id`` and one that says whether it was a case, as CSV, NDJSON or Parquet. A
column ``known`` (or ``decided``) says when that became known: what was not yet known when a model
is trained does not teach it.

An id is its reporter's own. A column ``reporter`` says whose; ``institution``, as the outcomes of
cases have it, decides where several reporters use an id. Where nothing decides, nothing is learned.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.app.options import parse_moment
from regtech.app.paymenttable import PaymentTable
from regtech.columns.batch import Int64
from regtech.errors import InputError, UsageError

_TRUTH: Final = (
    "label", "case", "is_case", "laundering", "is_laundering", "Is Laundering", "is_sar", "isSAR",
    "IS_SAR", "isFraud", "is_fraud", "fraud", "suspicious", "outcome",
)  # fmt: skip
_KEY: Final = ("id", "event", "event_id", "payment", "tran_id")
_KNOWN: Final = ("known", "decided", "known_at", "decided_at")
_KIND: Final = ("typology", "kind", "type", "rule")
_YES: Final = frozenset(("1", "true", "yes", "alert", "case", "laundering", "suspicious", "1.0"))
_NO: Final = frozenset(("0", "false", "no", "none", "", "lawful", "0.0"))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """For each payment of a table: 1 a case, 0 none, -1 not said; and when that was known.

    ``known_us``: -1 where the file does not say. ``kind``: index into ``kinds``, -1 for none.
    ``unmatched``: outcomes of payments that the table does not have; ``ambiguous``: of ids that
    several reporters gave to payments of their own.
    """

    said: npt.NDArray[np.int8]
    known_us: Int64
    kind: Int64
    kinds: list[str]
    unmatched: int
    ambiguous: int
    closed: bool
    """Whether the file names the cases alone, and all others are none."""


@dataclass(frozen=True, slots=True)
class _One:
    event: str
    reporter: str | None
    institution: str
    case: bool
    known_us: int
    kind: str


def read_outcomes(path: Path, table: PaymentTable) -> Outcomes:
    """The outcomes of a file; ``InputError`` names the line that cannot be used."""
    found = list(_entries(path))
    if not found:
        raise InputError(f"{path} has no outcome")
    # The simulator's labels name cases alone.
    closed = all(one.case for one in found)
    kinds = sorted({one.kind for one in found if one.kind and one.case})
    by_key: dict[tuple[str, str | None], list[int]] = {}
    for place, (event, reporter) in enumerate(zip(table.ids, table.reporter.tolist(), strict=True)):
        by_key.setdefault((event, table.reporters[reporter]), []).append(place)
        by_key.setdefault((event, None), []).append(place)
    said = np.full(len(table), 0 if closed else -1, np.int8)
    known = np.full(len(table), -1, np.int64)
    kind = np.full(len(table), -1, np.int64)
    unmatched = ambiguous = 0
    for one in found:
        places = by_key.get((one.event, one.reporter), [])
        unmatched += not places
        if len({int(table.same_as[place]) for place in places}) > 1:
            places = by_key.get((one.event, one.institution), [])
            ambiguous += not places
        for place in places:
            if one.case or said[place] != 1:
                said[place] = 1 if one.case else 0
                known[place] = one.known_us
                kind[place] = kinds.index(one.kind) if one.case and one.kind else -1
    # The other bank's report of the same payment has the same outcome.
    first = table.same_as
    for array in (said, known, kind):
        again = np.flatnonzero((first != np.arange(len(table))) & (said == 1))
        array[first[again]] = array[again]
        array[:] = array[first]
    return Outcomes(said, known, kind, kinds, unmatched, ambiguous, closed)


def _entries(path: Path) -> Iterator[_One]:
    for where, record in _records(path):
        if isinstance(record.get("events"), list):
            yield from _from_label(where, record)
        else:
            yield _from_row(where, record)


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in (".parquet", ".pq"):
        yield from _parquet(path)
        return
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    text = io.StringIO(raw.decode("utf-8-sig", "replace"))
    if ".csv" in suffixes or ".tsv" in suffixes:
        rows: Iterable[Mapping[str, Any]]
        rows = csv.DictReader(text, delimiter="\t" if ".tsv" in suffixes else ",")
        for number, row in enumerate(rows, 2):
            yield f"{path}:{number}", row
        return
    for number, line in enumerate(text, 1):
        if line.strip():
            try:
                record = json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}:{number} is no JSON: {error}") from None
            if not isinstance(record, dict):
                raise InputError(f"{path}:{number} is no object")
            yield f"{path}:{number}", record


def _parquet(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    for number, row in enumerate(frame.iter_rows(named=True), 1):
        yield f"{path}, row {number}", row


def _from_label(where: str, record: Mapping[str, Any]) -> Iterator[_One]:
    case = record.get("expected", "alert") == "alert"
    kind = str(next((record[name] for name in _KIND if record.get(name)), ""))
    for event in record["events"]:
        if not isinstance(event, dict) or "id" not in event:
            raise InputError(f"{where}: an event without id")
        reporter = event.get("reporter")
        yield _One(str(event["id"]), reporter, "", case, _known(where, record), kind)


def _from_row(where: str, record: Mapping[str, Any]) -> _One:
    key = next((name for name in _KEY if record.get(name) not in (None, "")), None)
    truth = next((name for name in _TRUTH if name in record), None)
    if key is None or truth is None:
        raise InputError(
            f"{where}: no id or no outcome",
            hint=f"name the columns id and label (also: {', '.join(_TRUTH[1:6])})",
        )
    word = str(record[truth] if record[truth] is not None else "").strip().lower()
    if word not in _YES | _NO:
        raise InputError(f"{where}: {truth} is {word!r}", hint="write 1 or 0, true or false")
    kind = str(next((record[name] for name in _KIND if record.get(name)), ""))
    reporter, institution = (str(record.get(name) or "") for name in ("reporter", "institution"))
    return _One(
        str(record[key]), reporter or None, institution, word in _YES, _known(where, record), kind
    )


def _known(where: str, record: Mapping[str, Any]) -> int:
    said = next((record[name] for name in _KNOWN if record.get(name)), None)
    if said is None:
        return -1
    try:
        return parse_moment(str(said))
    except UsageError as error:
        raise InputError(f"{where}: {error}") from None
