"""Events as CSV or Parquet in our own columns: the inverse of reading them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from regtech.model.fields import Kind, all_fields

COLUMNS: Final = tuple(
    dict.fromkeys("data" if path.startswith("data.") else path for path in all_fields())
)
"""Every column there can be, in the order of the catalogue."""

_KNOWN: Final = frozenset(COLUMNS)
_LISTS: Final = frozenset(
    path for path, field in all_fields().items() if field.kind in (Kind.FLAGS, Kind.PERSONS)
)


def _cell(path: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and path in _LISTS:
        texts = [item for item in value if isinstance(item, str)]
        if value and len(texts) == len(value) and not any("|" in t or t[:1] in "[" for t in texts):
            return "|".join(texts)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def flatten(record: dict[str, Any]) -> dict[str, str | None]:
    """Cells by column; objects become dotted names. What is no field is left out."""
    cells: dict[str, str | None] = {}

    def visit(prefix: str, value: dict[str, Any]) -> None:
        for key, inner in value.items():
            path = prefix + key
            if isinstance(inner, dict) and path != "data":
                visit(f"{path}.", inner)
            else:
                cells[path] = _cell(path, inner)

    visit("", record)
    return {path: text for path, text in cells.items() if text is not None and path in _KNOWN}


def write_csv(
    out: IO[str], records: Iterable[dict[str, Any]], columns: Sequence[str], *, header: bool = True
) -> None:
    """Rows under a header of ``columns``; other fields are left out.

    A cell must not hold a line end: in our CSV it would end the row.
    """
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(columns)
    for record in records:
        cells = flatten(record)
        writer.writerow([cells.get(column, "") for column in columns])


class ParquetWriter:
    """Writes pieces of records as row groups of text columns, all columns nullable."""

    def __init__(self, out: Path, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        self._writer = pq.ParquetWriter(out, self._schema, compression="zstd")

    def write(self, records: Iterable[dict[str, Any]]) -> None:
        """Add a row group."""
        rows = [flatten(record) for record in records]
        arrays = [pa.array([row.get(name) for row in rows], pa.string()) for name in self._columns]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Write the footer; without it the file cannot be read."""
        self._writer.close()
