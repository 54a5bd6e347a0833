"""What rules are checked against: obligations, jurisdictions, currencies, sets, lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from regtech.content import content_root
from regtech.content.yamlmarks import load_data
from regtech.rulelang.scope import Names


@dataclass(frozen=True, slots=True)
class Obligation:
    """One entry of the register: what the law says and how surely it is known."""

    id: str
    cite: str
    effective: str
    weakest: str
    strongest: str
    test: str


@dataclass(frozen=True, slots=True)
class Register:
    """What is known; an empty part is not checked."""

    obligations: Mapping[str, Obligation] = field(default_factory=dict)
    jurisdictions: frozenset[str] = frozenset()
    names: Names = Names()


def load_register(root: Path | None = None) -> Register:
    """Reads ``obligations.yml``, ``jurisdictions/``, ``currencies.yml``, ``sets/`` of ``mappings``.

    Parts that are absent are not checked. Raises ``ContentError`` where a file is faulty. What was
    read is given again for as long as the files are the same by their names, sizes and times.
    """
    folder = content_root("mappings") if root is None else root
    names, files = register_inputs(folder)
    states = [path.stat() for path in files]
    return _read(folder, (*names, *((found.st_mtime_ns, found.st_size) for found in states)))


@lru_cache(4)
def _read(folder: Path, _: tuple[object, ...]) -> Register:
    obligations: dict[str, Obligation] = {}
    path = folder / "obligations.yml"
    if path.is_file():
        for identifier, entry in load_data(path)["obligations"].items():
            confidence = entry["confidence"]
            obligations[identifier] = Obligation(
                identifier,
                entry["cite"],
                str(entry["effective"]),
                confidence["weakest"],
                confidence["strongest"],
                entry["test"],
            )
    currencies: frozenset[str] | None = None
    path = folder / "currencies.yml"
    if path.is_file():
        currencies = _codes(load_data(path))
    return Register(
        obligations,
        frozenset(item.stem.upper() for item in (folder / "jurisdictions").glob("*.yml")),
        Names(
            currencies=currencies or None,
            sets=_stems(folder / "sets"),
            lists=_stems(folder / "lists"),
        ),
    )


def register_inputs(root: Path | None = None) -> tuple[list[str], list[Path]]:
    """All that ``load_register`` looks at: names of files whose names alone count, and files."""
    folder = content_root("mappings") if root is None else root
    names = [
        str(path.relative_to(folder))
        for part in ("jurisdictions", "sets", "lists")
        for path in sorted((folder / part).glob("*.yml"))
    ]
    files = [folder / "obligations.yml", folder / "currencies.yml"]
    return names, [path for path in files if path.is_file()]


def _codes(data: Any) -> frozenset[str]:
    """Every ``code`` of every list in the file: currencies and declared virtual assets."""
    lists = data.values() if isinstance(data, dict) else ()
    return frozenset(
        str(entry["code"])
        for entries in lists
        if isinstance(entries, list)
        for entry in entries
        if isinstance(entry, dict) and "code" in entry
    )


def _stems(folder: Path) -> frozenset[str] | None:
    names = frozenset(item.stem for item in folder.glob("*.yml"))
    return names or None
