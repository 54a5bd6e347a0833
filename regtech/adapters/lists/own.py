"""Lists of one's own as CSV with a header.

Columns: ``name`` (needed), ``id``, ``kind`` (person, entity, vessel, aircraft), ``aliases`` and
``weak_aliases`` (between semicolons), ``birth_date``, ``country`` (codes or names, between
semicolons), ``imo``, ``wallet``, ``program``, ``note``. Rows with one ``id`` are one entry with
several names.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, get_args

from regtech.adapters.lists.dates import birth_date
from regtech.content import read_text
from regtech.content.faults import did_you_mean
from regtech.errors import InputError
from regtech.reference.watchlists import EntryKind, ListedName, ListEntry

COLUMNS: Final = (
    "name", "id", "kind", "aliases", "weak_aliases", "birth_date", "country", "imo", "wallet",
    "program", "note",
)  # fmt: skip

_KINDS: Final[dict[str, EntryKind]] = {kind: kind for kind in get_args(EntryKind)}


def read_own(
    path: Path, countries: Mapping[str, str], between: Callable[[], object] = lambda: None
) -> tuple[list[ListEntry], list[str]]:
    """Entries, and lines that were left out with the reason. Raises ``InputError``.

    ``between``: see ``read_lists``.
    """
    rows = csv.DictReader(read_text(path).splitlines(), restkey="", restval="")
    columns = [name.strip().lower() for name in rows.fieldnames or ()]
    if "name" not in columns:
        raise InputError(
            f"{path}:1: no column 'name'", hint=f"a list has the columns {', '.join(COLUMNS)}"
        )
    for column in columns:
        if column not in COLUMNS:
            hint = did_you_mean(column, COLUMNS) or f"one of {', '.join(COLUMNS)}"
            raise InputError(f"{path}:1: unknown column {column!r}", hint=hint)
    rows.fieldnames = columns
    found: dict[str, ListEntry] = {}
    faults: list[str] = []
    for row in rows:
        between()
        where = f"{path.name}:{rows.line_num}"
        cells = {key: (value or "").strip() for key, value in row.items() if key}
        if not cells.get("name"):
            faults.append(f"{where}: no name")
            continue
        word = cells.get("kind", "").lower()
        if word not in _KINDS:
            faults.append(f"{where}: unknown kind {word!r}, taken as unknown")
        entry = _entry(cells, _KINDS.get(word, ""), where, countries, faults)
        known = found.get(entry.id)
        found[entry.id] = entry if known is None else _joined(known, entry)
    return list(found.values()), faults


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _entry(
    cells: dict[str, str],
    kind: EntryKind,
    where: str,
    countries: Mapping[str, str],
    faults: list[str],
) -> ListEntry:
    names = [ListedName(cells["name"], "primary")]
    names += [ListedName(text) for text in _parts(cells.get("aliases", ""))]
    names += [ListedName(text, "weak") for text in _parts(cells.get("weak_aliases", ""))]
    dates, codes = [], []
    for text in _parts(cells.get("birth_date", "")):
        date = birth_date(text)
        if date is None:
            faults.append(f"{where}: no date of birth in {text!r}")
        else:
            dates.append(date)
    for text in _parts(cells.get("country", "")):
        code = text.upper() if len(text) == 2 else countries.get(text.casefold())
        if code is None:
            faults.append(f"{where}: unknown country {text!r}")
        else:
            codes.append(code)
    identifiers = [(sort, v) for sort in ("imo", "wallet") for v in _parts(cells.get(sort, ""))]
    return ListEntry(
        id=cells.get("id") or f"{cells['name']}",
        kind=kind,
        names=tuple(dict.fromkeys(names)),
        birth_dates=tuple(dates),
        countries=tuple(codes),
        identifiers=tuple(identifiers),
        programs=tuple(_parts(cells.get("program", ""))),
        note=cells.get("note", ""),
    )


def _joined(first: ListEntry, more: ListEntry) -> ListEntry:
    """One entry of two rows; the first name of the first row stays its primary one."""
    others = tuple(
        ListedName(name.text, "strong" if name.quality == "primary" else name.quality)
        for name in more.names
    )
    return ListEntry(
        id=first.id,
        kind=first.kind or more.kind,
        names=tuple(dict.fromkeys(first.names + others)),
        birth_dates=tuple(dict.fromkeys(first.birth_dates + more.birth_dates)),
        countries=tuple(dict.fromkeys(first.countries + more.countries)),
        identifiers=tuple(dict.fromkeys(first.identifiers + more.identifiers)),
        programs=tuple(dict.fromkeys(first.programs + more.programs)),
        note=first.note or more.note,
    )
