"""The UN Security Council's consolidated list, XML as published.

The parser expands no entities and fetches nothing: a document type declaration is refused, as the
published file has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from regtech.adapters.lists.dates import birth_date
from regtech.errors import InputError
from regtech.reference.watchlists import BirthDate, EntryKind, ListedName, ListEntry, Quality

ROOT: Final = "CONSOLIDATED_LIST"
_PARTS: Final = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME", "FIFTH_NAME")
_DOCTYPE: Final = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.I)
_QUALITIES: Final[Mapping[str, Quality]] = {"low": "weak"}
_PIECE: Final = 1 << 16
"""Bytes that are parsed at once: nothing else runs in Python meanwhile."""
_IMO: Final = re.compile(r"\bIMO(?:\s+(?:number|no\.?))?\s*:?\s*(\d{7})\b", re.I)

_KINDS: Final[tuple[tuple[str, EntryKind], ...]] = (("INDIVIDUAL", "person"), ("ENTITY", "entity"))


def parse_xml(path: Path, between: Callable[[], object] = lambda: None) -> Element:
    """The root element. Raises ``InputError`` for a declaration of entities or broken XML."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    # In another encoding the declaration would not be seen; the list is published in UTF-8.
    head = data[:200].lower()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or (b"encoding=" in head and b"utf-8" not in head):
        raise InputError(f"{path} is not in UTF-8", hint="the list is published in UTF-8")
    if _DOCTYPE.search(data):
        raise InputError(
            f"{path} declares a document type or entities",
            hint="the published list has none: take it from the publisher again",
        )
    parser = XMLParser(target=TreeBuilder())
    try:
        for start in range(0, len(data), _PIECE):
            between()
            parser.feed(data[start : start + _PIECE])
        root = parser.close()
    except ParseError as error:
        line, column = error.position
        raise InputError(f"{path}:{line}:{column + 1}: not well-formed XML: {error}") from None
    assert isinstance(root, Element)
    return root


def read_un(
    path: Path, countries: Mapping[str, str], between: Callable[[], object] = lambda: None
) -> tuple[list[ListEntry], list[str], str | None]:
    """Entries, what was left out with the reason, and the time that the file says it was made.

    ``between``: see ``read_lists``.
    """
    root = parse_xml(path, between)
    if root.tag != ROOT:
        raise InputError(f"{path} is not the UN's list: its root is {root.tag!r}", hint=ROOT)
    entries, faults = [], []
    for tag, kind in _KINDS:
        for element in root.iter(tag):
            between()
            entry = _entry(element, tag, kind, countries)
            if entry is None:
                faults.append(f"{path.name}: a {tag} without DATAID or name")
            else:
                entries.append(entry)
    return entries, faults, root.get("dateGenerated")


def _text(element: Element, tag: str) -> str:
    return " ".join((element.findtext(tag) or "").split())


def _entry(
    element: Element, tag: str, kind: EntryKind, countries: Mapping[str, str]
) -> ListEntry | None:
    number = _text(element, "DATAID")
    primary = " ".join(filter(None, (_text(element, part) for part in _PARTS)))
    if not number or not primary:
        return None
    names = [ListedName(primary, "primary")]
    if original := _text(element, "NAME_ORIGINAL_SCRIPT"):
        names.append(ListedName(original))
    for alias in element.iter(f"{tag}_ALIAS"):
        quality = _QUALITIES.get(_text(alias, "QUALITY").lower(), "strong")
        # Several are sometimes given in one element.
        for text in _text(alias, "ALIAS_NAME").split(";"):
            if text.strip():
                names.append(ListedName(text.strip(), quality))
    places = [value.text or "" for part in element.iter("NATIONALITY") for value in part]
    places += [_text(part, "COUNTRY") for part in element.iter(f"{tag}_ADDRESS")]
    places += [_text(part, "COUNTRY") for part in element.iter("INDIVIDUAL_PLACE_OF_BIRTH")]
    codes = [countries.get(" ".join(place.split()).casefold()) for place in places]
    comments = " ".join(filter(None, (_text(element, "COMMENTS1"), _text(element, "NOTE"))))
    identifiers = [("imo", number) for number in _IMO.findall(comments)]
    for paper in element.iter("INDIVIDUAL_DOCUMENT"):
        if value := _text(paper, "NUMBER"):
            sort = "passport" if "passport" in _text(paper, "TYPE_OF_DOCUMENT").lower() else "paper"
            identifiers.append((sort, value))
    dates = [date for part in element.iter("INDIVIDUAL_DATE_OF_BIRTH") if (date := _born(part))]
    return ListEntry(
        id=number,
        kind=kind,
        names=tuple(dict.fromkeys(names)),
        birth_dates=tuple(dict.fromkeys(dates)),
        countries=tuple(dict.fromkeys(code for code in codes if code)),
        identifiers=tuple(dict.fromkeys(identifiers)),
        programs=tuple(filter(None, (_text(element, "UN_LIST_TYPE"),))),
        note=" ".join(filter(None, (_text(element, "REFERENCE_NUMBER"), comments)))[:1000],
    )


def _born(part: Element) -> BirthDate | None:
    circa = _text(part, "TYPE_OF_DATE").upper() == "APPROXIMATELY"
    first, last = _text(part, "FROM_YEAR"), _text(part, "TO_YEAR")
    if first.isdigit():
        until = int(last) if last.isdigit() else 0
        return BirthDate(int(first), last_year=until, circa=circa)
    found = birth_date(_text(part, "DATE") or _text(part, "YEAR"))
    if found is None or not circa:
        return found
    return BirthDate(found.year, found.month, found.day, found.last_year, circa=True)
