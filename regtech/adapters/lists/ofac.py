"""OFAC's list in its classic CSV files: ``sdn.csv``, ``alt.csv`` and ``add.csv``.

No header; ``-0-`` stands for nothing; ``sdn.csv`` ends with a Ctrl-Z. Columns after OFAC's "Data
file specifications": sdn (number, name, type, program, title, call sign, vessel type, tonnage,
gross tonnage, flag, owner, remarks), alt (number, alias number, kind, name, remarks), add (number,
address number, address, city, country, remarks). Dates of birth, nationality, IMO numbers,
addresses of virtual assets and weak aliases (``a.k.a. 'X'``) stand in the remarks.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from regtech.adapters.lists.dates import birth_date
from regtech.errors import InputError
from regtech.reference.watchlists import EntryKind, ListedName, ListEntry

NOTHING: Final = "-0-"
_KINDS: Final[Mapping[str, EntryKind]] = {
    "individual": "person",
    "vessel": "vessel",
    "aircraft": "aircraft",
    NOTHING: "entity",
    "": "entity",
}
_WEAK: Final = re.compile(r"\b[afn]\.k\.a\.\s+'([^']+(?:'[a-z][^']*)*)'", re.I)
_IMO: Final = re.compile(r"\bIMO\s+(\d{7})\b")
_WALLET: Final = re.compile(r"Digital Currency Address - ([A-Z0-9]+) ([A-Za-z0-9:]{20,128})")
_BIRTH: Final = re.compile(r"(?:^|;\s*)(?:alt\.\s+)?DOB\s+([^;.]+)")
_NATION: Final = re.compile(r"(?:^|;\s*)(?:alt\.\s+)?(?:nationality|citizen)\s+([^;.]+)")
_BORN_IN: Final = re.compile(r"(?:^|;\s*)(?:alt\.\s+)?POB\s+([^;.]+)")
_PAPERS: Final = re.compile(r"\b(Passport|National ID No\.|Tax ID No\.|MMSI)\s+([A-Z0-9-]{5,25})\b")
_PAPER_KINDS: Final = {
    "Passport": "passport",
    "National ID No.": "national_id",
    "Tax ID No.": "tax_id",
    "MMSI": "mmsi",
}


def read_ofac(
    folder: Path, countries: Mapping[str, str], between: Callable[[], object] = lambda: None
) -> tuple[list[ListEntry], list[str]]:
    """Entries of the files in a folder, and lines that were left out with the reason.

    ``alt.csv`` and ``add.csv`` may be missing. ``countries``: name, lower case, to ISO code.
    ``between``: see ``read_lists``.
    Raises ``InputError`` where ``sdn.csv`` cannot be read at all.
    """
    faults: list[str] = []
    aliases: dict[str, list[str]] = defaultdict(list)
    places: dict[str, list[str]] = defaultdict(list)
    for _, row in _rows(folder / "alt.csv", 4, faults, required=False):
        between()
        aliases[row[0]].append(row[3])
    for _, row in _rows(folder / "add.csv", 5, faults, required=False):
        between()
        if code := countries.get(row[4].casefold()):
            places[row[0]].append(code)
    entries = []
    for where, row in _rows(folder / "sdn.csv", 12, faults):
        between()
        number, name, kind = row[0], row[1], row[2].lower()
        if not name:
            faults.append(f"{where}: entry {number} has no name")
            continue
        if kind not in _KINDS:
            faults.append(f"{where}: unknown type {row[2]!r}, taken as an entity")
        entries.append(_entry(row, aliases.pop(number, []), places[number], countries))
    if aliases:
        faults.append(
            f"alt.csv: aliases of {len(aliases)} entries that sdn.csv does not have, "
            f"from {next(iter(aliases))} on; they are screened by their aliases"
        )
    for number, texts in aliases.items():
        names = tuple(ListedName(text) for text in dict.fromkeys(texts) if text)
        codes = tuple(dict.fromkeys(places[number]))
        entries.append(ListEntry(number, "", names, countries=codes))
    return entries, faults


def _entry(
    row: list[str], aliases: list[str], places: list[str], countries: Mapping[str, str]
) -> ListEntry:
    remarks = row[11]
    names = [ListedName(row[1], "primary")]
    names += [ListedName(alias) for alias in aliases if alias]
    known = {name.text.casefold() for name in names}
    names += [
        ListedName(weak, "weak") for weak in _WEAK.findall(remarks) if weak.casefold() not in known
    ]
    stated = [countries.get(text.strip().casefold()) for text in _NATION.findall(remarks)]
    born = [
        countries.get(text.split(",")[-1].strip().casefold()) for text in _BORN_IN.findall(remarks)
    ]
    flag = countries.get(row[9].casefold())
    codes = [code for code in (*stated, *born, flag, *places) if code]
    identifiers = [("imo", number) for number in _IMO.findall(remarks)]
    identifiers += [("wallet", address) for _, address in _WALLET.findall(remarks)]
    identifiers += [(_PAPER_KINDS[kind], value) for kind, value in _PAPERS.findall(remarks)]
    if row[5]:
        identifiers.append(("call_sign", row[5]))
    dates = [date for text in _BIRTH.findall(remarks) if (date := birth_date(text))]
    programs = tuple(part for part in re.split(r"[\]\[;\s]+", row[3]) if part)
    return ListEntry(
        id=row[0],
        kind=_KINDS.get(row[2].lower(), "entity"),
        names=tuple(dict.fromkeys(names)),
        birth_dates=tuple(dict.fromkeys(dates)),
        countries=tuple(dict.fromkeys(codes)),
        identifiers=tuple(dict.fromkeys(identifiers)),
        programs=programs,
        note=remarks,
    )


def _rows(
    path: Path, columns: int, faults: list[str], *, required: bool = True
) -> Iterator[tuple[str, list[str]]]:
    """Rows with their place; cells stripped, ``-0-`` as nothing."""
    if not required and not path.exists():
        return
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")  # what OFAC wrote its files in before
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        if not row or row[0].strip() in ("", "\x1a"):
            continue
        where = f"{path.name}:{number}"
        if len(row) < columns:
            faults.append(f"{where}: {len(row)} columns where there are {columns}")
            continue
        cells = [cell.strip() for cell in row]
        yield where, ["" if cell == NOTHING else cell for cell in cells]
