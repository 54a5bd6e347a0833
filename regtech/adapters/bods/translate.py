"""BODS statements as ``party`` and ``ownership`` events.

A statement is about a record: a person, an entity, or what a party holds in another. Later ones
replace what the record said before; a closed record ends. Several interests of one kind between two
parties are added up, whichever records they stand in, for as long as each lasts.

A day of the standard has no zone: the event of a statement is at its first moment in UTC, which is
ours. Interests keep their days. Of a record that changed a share without a new day of beginning the
change begins on the day of the statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from regtech.adapters.bods.statements import Plain
from regtech.adapters.bods.words import ENTITIES, INTERESTS, LEI, UNKNOWN, plain
from regtech.adapters.record import RecordFault, show

Event = dict[str, Any]
Key = tuple[str, str, str, bool]
"""Owner, owned, interest, whether it is a total held through others."""

_UNIT: Final = Decimal("0.000000001")
_HUNDRED: Final = Decimal(100)
_WHOLE: Final = Decimal(1)
_NONE: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Piece:
    """One interest of a record. Days as texts; ``low`` None where no share was given."""

    start: str | None
    end: str | None
    low: Decimal | None
    high: Decimal | None


@dataclass(slots=True)
class _Pair:
    """What all records say of one key, and every day on which that ever changed."""

    pieces: dict[str, list[Piece]] = field(default_factory=dict)
    days: set[str | None] = field(default_factory=set)


class Translator:
    """Statements of one file to events, in the file's order."""

    def __init__(self) -> None:
        self._roots: dict[str, str] = {}
        """By statement: the first of those that it replaces (0.2 and 0.3)."""
        self._pairs: dict[Key, _Pair] = {}
        self._records: dict[str, set[Key]] = {}

    def events(self, statement: Mapping[str, Any]) -> Iterator[Event]:
        """The events of a statement. Raises ``RecordFault`` where it cannot be used."""
        identity = _text(statement, "statementId", "statementID")
        kind, record, details = self._record(statement, identity)
        head = {
            "id": identity,
            "time": _time(statement),
            "reporter": _reporter(statement),
        }
        if kind == "relationship":
            yield from self._interests(head, record, statement, details)
            return
        closed = statement.get("recordStatus") == "closed"
        if kind not in ("entity", "person"):
            raise RecordFault(
                "unknown_type", "recordType", show(kind), "entity person relationship"
            )
        if not closed:
            yield {**head, "type": "party", "party": _party(kind, record, details)}

    def _record(
        self, statement: Mapping[str, Any], identity: str
    ) -> tuple[str, str, Mapping[str, Any]]:
        """Kind and id of the record, and what is said of it."""
        if "recordType" in statement or "recordDetails" in statement:
            details = statement.get("recordDetails")
            if not isinstance(details, dict):
                raise _missing("recordDetails")
            return _text(statement, "recordType"), _text(statement, "recordId"), details
        kinds = {
            "entityStatement": "entity",
            "personStatement": "person",
            "ownershipOrControlStatement": "relationship",
        }
        word = _text(statement, "statementType")
        if word not in kinds:
            raise RecordFault("unknown_type", "statementType", show(word), " ".join(kinds))
        root = identity
        replaced = statement.get("replacesStatements") or statement.get("replacesStatement") or []
        for earlier in [replaced] if isinstance(replaced, str) else replaced:
            root = self._roots.get(str(earlier), str(earlier))
        self._roots[identity] = root
        return kinds[word], root, statement

    def _interests(
        self, head: Event, record: str, statement: Mapping[str, Any], details: Mapping[str, Any]
    ) -> Iterator[Event]:
        owned = self._party_of(details, "subject", record)
        owner, kind = self._owner_of(details, record)
        day = head["time"][:10]
        status = statement.get("recordStatus")
        # Everything is read before anything is kept: a fault leaves no half of a statement.
        found = _pieces(details, owner, owned)
        before = self._records.get(record, set())
        if status == "closed":
            found = {key: [_ended(p, day) for p in pieces] for key, pieces in found.items()}
        changed: list[Key] = []
        for key in sorted(before | set(found)):
            pair = self._pairs.setdefault(key, _Pair())
            old = pair.pieces.get(record, [])
            new = found.get(key, [])
            if not new and status == "closed":
                new = [_ended(piece, day) for piece in old]
            elif old:
                new = _dated(old, new, day)
            pair.pieces[record] = new
            for piece in (*old, *new):
                pair.days.update({piece.start, piece.end} if piece.end else {piece.start})
            if old and not new:
                pair.days.add(day)
            changed.append(key)
        self._records[record] = before | set(found)
        number = 0
        for key in changed:
            for event in _changes(self._pairs[key], key):
                number += 1
                event["owner"]["kind"] = kind
                own = {**head, "id": f"{head['id']}#{number}", "type": "ownership"}
                yield {**own, **{k: v for k, v in event.items() if v is not None}}

    def _party_of(self, details: Mapping[str, Any], role: str, record: str) -> str:
        value = details.get(role)
        if isinstance(value, dict):
            for key in ("describedByEntityStatement", "describedByPersonStatement"):
                named = value.get(key)
                if isinstance(named, str) and named:
                    return self._roots.get(named, named)
            return f"unspecified/{record}"
        if not isinstance(value, str) or not value:
            raise _missing(f"recordDetails.{role}")
        return value

    def _owner_of(self, details: Mapping[str, Any], record: str) -> tuple[str, str | None]:
        """Owner and its kind, where the reference tells it; somebody unnamed for an unspecified."""
        owner = self._party_of(details, "interestedParty", record)
        value = details["interestedParty"]
        if owner.startswith("unspecified/"):
            return owner, "entity"
        if isinstance(value, dict):
            return owner, "person" if "describedByPersonStatement" in value else None
        return owner, None


def _missing(path: str) -> RecordFault:
    return RecordFault("missing_field", path, "nothing", "needed in every such statement")


def _text(statement: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = statement.get(name)
        if isinstance(value, str) and not isinstance(value, Plain) and value:
            return value
    raise _missing(names[0])


def _time(statement: Mapping[str, Any]) -> str:
    published = statement.get("publicationDetails")
    later = published.get("publicationDate") if isinstance(published, dict) else None
    for value in (statement.get("statementDate"), later):
        if isinstance(value, str) and value:
            return value if len(value) > len("2026-03-02") else f"{value}T00:00:00Z"
    raise _missing("statementDate")


def _reporter(statement: Mapping[str, Any]) -> str:
    published = statement.get("publicationDetails")
    publisher = published.get("publisher") if isinstance(published, dict) else None
    if isinstance(publisher, dict):
        for key in ("name", "url"):
            if isinstance(publisher.get(key), str) and publisher[key]:
                return str(publisher[key])
    return "bods"


def _party(kind: str, record: str, details: Mapping[str, Any]) -> Event:
    party: Event = {"id": record, "kind": "person"}
    flags: list[str] = []
    if kind == "entity":
        described = details.get("entityType")
        word = described.get("type") if isinstance(described, dict) else described
        subtype = described.get("subtype") if isinstance(described, dict) else None
        known = ENTITIES.get(plain(str(word)))
        if known is None:
            raise RecordFault("unknown_word", "entityType", show(word), "a type of entity of BODS")
        party["kind"] = known
        party["name"] = details.get("name")
        party["country"] = _country(
            details.get("jurisdiction") or details.get("incorporatedInJurisdiction")
        )
        listing = details.get("publicListing")
        if isinstance(listing, dict) and listing.get("hasPublicListing") is True:
            flags.append("listed")
        if subtype == "trust":
            flags.append("trust")
    else:
        names = details.get("names")
        first = names[0] if isinstance(names, list) and names else None
        party["name"] = first.get("fullName") if isinstance(first, dict) else None
        nations = details.get("nationalities")
        party["country"] = _country(nations[0] if isinstance(nations, list) and nations else None)
        born = details.get("birthDate")
        party["birth_date"] = born if isinstance(born, str) and len(born) == 10 else None
        exposure = details.get("politicalExposure")
        status = exposure.get("status") if isinstance(exposure, dict) else None
        if status == "isPep" or details.get("hasPepStatus") is True:
            flags.append("politically_exposed")
    party["identifiers"] = _identifiers(details.get("identifiers"))
    party["flags"] = flags
    return {key: value for key, value in party.items() if value}


def _country(value: Any) -> str | None:
    code = value.get("code") if isinstance(value, dict) else None
    return code[:2].upper() if isinstance(code, str) and len(code) >= 2 else None


def _identifiers(given: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in given if isinstance(given, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or not entry["id"]:
            continue
        found.setdefault("lei" if entry.get("scheme") == LEI else "national", entry["id"])
    return found


def _pieces(details: Mapping[str, Any], owner: str, owned: str) -> dict[Key, list[Piece]]:
    """The interests of a statement by key."""
    found: dict[Key, list[Piece]] = {}
    given = details.get("interests")
    for number, interest in enumerate(given if isinstance(given, list) else ()):
        path = f"interests[{number}]"
        if not isinstance(interest, dict):
            raise RecordFault("wrong_type", path, show(interest), "an object")
        word = interest.get("type")
        name = plain(word) if isinstance(word, str) else "unknowninterest"
        if name not in INTERESTS:
            raise RecordFault(
                "unknown_word", f"{path}.type", show(word), "a type of interest of BODS"
            )
        level = interest.get("directOrIndirect", interest.get("interestLevel"))
        key = (owner, owned, INTERESTS[name], level == "indirect")
        low, high = (None, None) if name in UNKNOWN else _share(interest.get("share"), path)
        piece = Piece(_day(interest, "startDate"), _day(interest, "endDate"), low, high)
        found.setdefault(key, []).append(piece)
    return found


def _day(interest: Mapping[str, Any], name: str) -> str | None:
    value = interest.get(name)
    return value[:10] if isinstance(value, str) and value else None


def _share(share: Any, path: str) -> tuple[Decimal | None, Decimal | None]:
    """Least and greatest share as parts of one; None, None where none was given."""
    if not isinstance(share, dict):
        return None, None

    def number(name: str) -> Decimal | None:
        value = share.get(name)
        if value is None or isinstance(value, bool):
            return None
        if not isinstance(value, Plain):
            raise RecordFault("bad_number", f"{path}.share.{name}", show(value), "a number")
        found = Decimal(value) / _HUNDRED
        if not _NONE <= found <= _WHOLE:
            raise RecordFault("amount_range", f"{path}.share.{name}", value, "0 to 100 per cent")
        return found

    exact = number("exact")
    if exact is not None:
        return exact, exact
    low, high = number("minimum"), number("maximum")
    above, below = number("exclusiveMinimum"), number("exclusiveMaximum")
    if low is not None and share.get("exclusiveMinimum") is True:
        above = low
    if high is not None and share.get("exclusiveMaximum") is True:
        below = high
    # Shares have nine decimals: what lies above a bound lies at least one of them above it.
    if above is not None:
        low = above + _UNIT if low is None else max(low, above + _UNIT)
    if below is not None:
        high = max(_NONE, below - _UNIT if high is None else min(high, below - _UNIT))
    if low is None and high is None:
        return None, None
    return low if low is not None else _NONE, high if high is not None else _WHOLE


def _ended(piece: Piece, day: str) -> Piece:
    """The piece, ended on a day unless it ended before."""
    end = min(piece.end, day) if piece.end else day
    return Piece(piece.start, end, piece.low, piece.high)


def _dated(old: list[Piece], new: list[Piece], day: str) -> list[Piece]:
    """New pieces of a changed record; one that only changed its share changes it on ``day``."""
    starts = {piece.start: piece for piece in old}
    found = []
    for piece in new:
        before = starts.get(piece.start)
        same = before is not None and (before.low, before.high) == (piece.low, piece.high)
        if before is not None and not same and (piece.start is None or piece.start < day):
            found.append(Piece(before.start, day, before.low, before.high))
            piece = Piece(day, piece.end, piece.low, piece.high)
        found.append(piece)
    return found


def _changes(pair: _Pair, key: Key) -> Iterator[Event]:
    """What is held from each day on, all records together."""
    owner, owned, interest, indirect = key
    pieces = [piece for found in pair.pieces.values() for piece in found]
    for day in sorted(pair.days, key=lambda d: d or ""):
        held = [p for p in pieces if _lasts(p, day)]
        event: Event = {
            "owner": {"id": owner},
            "owned": {"id": owned},
            "interest": interest,
            "from": day,
            "indirect": indirect or None,
        }
        if not held:
            event["share"] = "0"
        elif interest not in ("control", "nominator") or any(p.low is not None for p in held):
            low = sum((p.low or _NONE for p in held), _NONE)
            unknown = any(p.low is None for p in held)
            high = _WHOLE if unknown else sum((p.high or _NONE for p in held), _NONE)
            if unknown and not low:
                pass  # some share, and nobody says how much
            elif low == high:
                event["share"] = _number(low)
            else:
                event["share_min"], event["share_max"] = _number(low), _number(min(high, _WHOLE))
        yield event


def _lasts(piece: Piece, day: str | None) -> bool:
    if day is None:
        return piece.start is None
    return (piece.start is None or piece.start <= day) and not (piece.end and piece.end <= day)


def _number(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
