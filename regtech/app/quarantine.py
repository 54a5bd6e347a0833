"""Looking at quarantined records, and decoding them again after correction."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regtech.adapters.quarantine import QuarantineFile, encode_reject, read_quarantine
from regtech.columns.batch import Reject
from regtech.errors import InputError, StoreError, UsageError
from regtech.model.fields import all_fields
from regtech.model.quarantine import REASONS

if TYPE_CHECKING:
    from regtech.adapters.tables.columnmap import ColumnMap


def _checked_code(code: str | None) -> str | None:
    if code is not None and code not in REASONS:
        from difflib import get_close_matches

        near = get_close_matches(code, REASONS, 1)
        raise UsageError(
            f"no reason {code!r}",
            hint=f"did you mean {near[0]}?" if near else "one of " + ", ".join(REASONS),
        )
    return code


def list_quarantine(file: Path, *, code: str | None = None, limit: int = 50) -> dict[str, Any]:
    """Counts by reason (name, records, meaning) and the first ``limit`` records (0: all)."""
    _checked_code(code)
    counts: Counter[str] = Counter()
    records: list[dict[str, Any]] = []
    total = 0
    for number, reject in enumerate(read_quarantine(file), 1):
        if code is not None and reject.code != code:
            continue
        counts[reject.code] += 1
        total += 1
        if not limit or len(records) < limit:
            records.append(
                {
                    "number": number,
                    "source": reject.source,
                    "line": reject.line,
                    "field": reject.field,
                    "code": reject.code,
                    "found": reject.found,
                    "expected": reject.expected,
                }
            )
    reasons = [(name, n, REASONS.get(name, "")) for name, n in sorted(counts.items())]
    return {"file": str(file), "total": total, "reasons": reasons, "records": records}


def show_record(file: Path, number: int) -> tuple[dict[str, Any], str]:
    """Record ``number`` (from 1) as data and as text. ``UsageError`` where there are fewer."""
    seen = 0
    for seen, reject in enumerate(read_quarantine(file), 1):
        if seen == number:
            record: dict[str, Any] = json.loads(encode_reject(reject))
            raw = record.get("raw")
            lines = [
                f"{reject.source}:{reject.line}",
                f"reason    {reject.code}: {REASONS.get(reject.code, '')}",
                f"field     {reject.field or '(the whole record)'}",
                f"found     {reject.found}",
                f"expected  {reject.expected}",
                "",
                raw if raw is not None else f"(not UTF-8, as base64) {record['raw_base64']}",
            ]
            return record, "\n".join(lines)
    raise UsageError(f"{file} has {seen} records; there is no number {number}")


def _assignments(sets: tuple[str, ...]) -> list[tuple[str, str]]:
    known = all_fields()
    found = []
    for text in sets:
        path, equals, value = text.partition("=")
        if not equals or not path:
            raise UsageError(f"not a field and a value: {text!r}", hint="write currency=CNY")
        if path not in known:
            from difflib import get_close_matches

            near = get_close_matches(path, known, 1)
            raise UsageError(
                f"{path!r} is no field of an event", hint=f"did you mean {near[0]}?" if near else ""
            )
        found.append((path, value))
    return found


def _with_values(raw: bytes, sets: list[tuple[str, str]]) -> bytes:
    """The record with fields set; as it is where it is no JSON object."""
    if not sets:
        return raw
    try:
        # Numbers stay as they were written: nothing may pass through binary floating point.
        record = json.loads(raw, parse_float=_Verbatim, parse_int=_Verbatim)
    except (ValueError, RecursionError):
        return raw
    if not isinstance(record, dict):
        return raw
    for path, value in sets:
        inner = record
        *heads, last = path.split(".")
        for head in heads:
            step = inner.setdefault(head, {})
            if not isinstance(step, dict):
                step = inner[head] = {"id": step}
            inner = step
        inner[last] = value
    return _dump(record).encode("utf-8", "backslashreplace")


class _Verbatim(str):
    """The text of a number in JSON."""

    __slots__ = ()


def _dump(value: Any) -> str:
    if isinstance(value, _Verbatim):
        return str(value)
    if isinstance(value, dict):
        items = (f"{json.dumps(k, ensure_ascii=False)}:{_dump(v)}" for k, v in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_dump(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _is_row(reject: Reject) -> bool:
    """Whether the record comes from a CSV file: its raw form is a row, not a JSON line."""
    return _is_table(reject.source.lower().removesuffix(".gz").removesuffix(".zst"))


def _is_table(name: str) -> bool:
    return name.lower().endswith((".csv", ".tsv"))


def retry_quarantine(
    file: Path,
    *,
    out: Path,
    corrected: Path | None = None,
    sets: tuple[str, ...] = (),
    code: str | None = None,
    map: str | None = None,
) -> dict[str, Any]:
    """Decode records again; usable ones go to ``out``, the others to its quarantine.

    ``corrected`` has the records after correction, one a line, in the order of ``file`` (a line
    may be empty: that record is left out). Without it the records are taken as they are, with
    ``sets`` applied. Rows of CSV are written as CSV under the header of their file, so ``out`` is
    named as such; ``map`` is the column map they were read with.
    """
    assignments = _assignments(sets)
    _checked_code(code)
    rejects = [r for r in read_quarantine(file) if code is None or r.code == code]
    rows = [reject for reject in rejects if _is_row(reject)]
    if rows and len(rows) != len(rejects):
        raise UsageError(
            f"{file} holds both JSON lines and CSV rows",
            hint="run them apart, or correct the rows in their own file",
        )
    lines = [reject.raw for reject in rejects]
    if corrected is not None:
        lines = _corrected_lines(corrected, len(rejects))
    if rows:
        if not _is_table(out.name):
            raise UsageError(
                f"the records of {file} are rows of CSV, and {out} is named otherwise",
                hint=f"write --out {out.with_suffix('.csv')}",
            )
        return _retry_rows(rejects, lines, assignments, out, map)
    lines = [_with_values(line, assignments) for line in lines]
    from regtech.app.decoding import checking_decoder

    kept = [(reject, line) for reject, line in zip(rejects, lines, strict=True) if line.strip()]
    # A record with a line end inside would be two: leave it to the person who corrects it.
    text = b"".join(line.replace(b"\n", b" ") + b"\n" for _, line in kept)
    _, refused, _ = checking_decoder().decode(text)
    bad = {reject.line: reject for reject in refused}
    good = [line for number, (_, line) in enumerate(kept, 1) if number not in bad]
    again = [
        Reject(old.source, old.line, new.field, new.code, new.found, new.expected, line)
        for number, (old, line) in enumerate(kept, 1)
        if (new := bad.get(number)) is not None
    ]
    return _deliver(out, b"".join(line + b"\n" for line in good), len(good), again, len(kept))


def _retry_rows(
    rejects: list[Reject],
    lines: list[bytes],
    sets: list[tuple[str, str]],
    out: Path,
    map: str | None,
) -> dict[str, Any]:
    from regtech.adapters.sources import describe_source, read_events
    from regtech.adapters.tables.columnmap import load_column_map
    from regtech.app.decoding import checking_decoder

    source = Path(rejects[0].source)
    column_map = load_column_map(map) if map is not None else None
    header = b"" if column_map is not None and column_map.names else _header_of(source)
    if sets:
        cells = _cells_of(sets, header, source, column_map)
        separator = column_map.separator if column_map is not None else ","
        lines = [_with_cells(line, cells, separator) for line in lines]
    kept = [(reject, line) for reject, line in zip(rejects, lines, strict=True) if line.strip()]
    trial = out.with_name(out.name + ".part.csv")
    try:
        trial.write_bytes(header + b"".join(line + b"\n" for _, line in kept))
        shift = 1 + header.count(b"\n")
        bad: dict[int, Reject] = {}
        for piece in read_events(
            describe_source(str(trial)), checking_decoder(), column_map=column_map
        ):
            bad.update({reject.line - shift: reject for reject in piece.rejects})
    except OSError as error:
        raise StoreError(f"{trial} could not be written: {error.strerror}") from None
    finally:
        trial.unlink(missing_ok=True)
    good = [line for number, (_, line) in enumerate(kept) if number not in bad]
    again = [
        Reject(old.source, old.line, new.field, new.code, new.found, new.expected, line)
        for number, (old, line) in enumerate(kept)
        if (new := bad.get(number)) is not None
    ]
    text = header + b"".join(line + b"\n" for line in good)
    return _deliver(out, text, len(good), again, len(kept))


@dataclass(frozen=True, slots=True)
class _Cells:
    """What rows are corrected to: values by the place of their cell, and a row's width."""

    values: Mapping[int, str]
    width: int


def _cells_of(
    sets: list[tuple[str, str]], header: bytes, source: Path, column_map: ColumnMap | None
) -> _Cells:
    """The cells that hold the fields; ``UsageError`` where a field stands in no column."""
    from regtech.adapters.tables.csvfile import read_header

    if column_map is not None and column_map.names:
        names = list(column_map.names)
    else:
        separator = column_map.separator if column_map is not None else ","
        names = read_header(header, separator, str(source))
    values: dict[int, str] = {}
    for path, value in sets:
        column: str | None = path
        if column_map is not None:
            rule = column_map.fields.get(path)
            column = rule.column or rule.number if rule is not None else None
        if column not in names:
            raise UsageError(
                f"{path} stands in no column of {source}",
                hint="correct the rows in a file of their own and name it with --corrected",
            )
        values[names.index(column)] = value
    return _Cells(values, len(names))


def _with_cells(row: bytes, cells: _Cells, separator: str) -> bytes:
    """The row with cells set; as it is where it has not the cells of the header."""
    try:
        found = next(csv.reader([row.decode("utf-8")], delimiter=separator, strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return row
    if len(found) != cells.width:
        return row
    for place, value in cells.values.items():
        found[place] = value
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="").writerow(found)
    return text.getvalue().encode("utf-8")


def _header_of(source: Path) -> bytes:
    from regtech.adapters.blocks import open_source

    with open_source(source) as stream:
        return stream.readline().rstrip(b"\r\n") + b"\n"


def _corrected_lines(corrected: Path, count: int) -> list[bytes]:
    try:
        lines = corrected.read_bytes().removesuffix(b"\n").split(b"\n")
    except OSError as error:
        raise InputError(f"{corrected} could not be read: {error.strerror}") from None
    if len(lines) != count:
        raise UsageError(
            f"{corrected} has {len(lines)} lines for {count} records",
            hint="keep one line for each record; leave a line empty to drop its record",
        )
    return lines


def _deliver(
    out: Path, text: bytes, usable: int, again: list[Reject], tried: int
) -> dict[str, Any]:
    quarantine = f"{out}.quarantine.ndjson"
    part = out.with_name(out.name + ".part")
    try:
        part.write_bytes(text)
        part.replace(out)
    except OSError as error:
        raise StoreError(f"{out} could not be written: {error.strerror}") from None
    left = QuarantineFile(quarantine)
    left.write(again)
    left.close()
    return {
        "tried": tried,
        "usable": usable,
        "unusable": len(again),
        "out": str(out),
        "quarantine": quarantine,
    }
