"""From raw events to rows: rules 1 to 8 of the semantics, read plainly.

Arrival order, late events, repeats, conflicts; facts about parties; governing law; legs; rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.property.oracle.localtime import DAY, LocalTime, day_number, micros
from tests.property.oracle.values import UNKNOWN, number

Event = Mapping[str, Any]

MONEY = {"amount": "currency", "fees": "currency", "collateral": "currency"}
MONEY |= {"value": "currency", "loss": "currency"}
DECIMALS = {"partner_share", "apr_all_in", "share", "share_min", "share_max", "units"}
INTEGERS = {"person_count", "data.level", "tenor_months", "devices", "persons_affected"}
TIMES = {"time", "aware", "classified", "ended"}
DATES = {"tool_expires", "as_of", "from", "until"}
FACT_DATES = {"birth_date", "since", "until"}
NUMERIC = set(MONEY) | DECIMALS | INTEGERS

PARTIES = {
    "transaction": ("payer", "payee", "conductor", "on_behalf_of"),
    "data_transfer": ("exporter", "recipient"),
    "loan": ("borrower", "lender", "partner"),
    "exposure": ("holder", "counterparty"),
    "figure": ("of",),
    "ownership": ("owner", "owned"),
    "party": ("party",),
    "incident": (),
    "action": ("subject",),
}
FACTS: tuple[str, ...] = ("name", "kind", "country", "region", "institution", "address")
FACTS += ("birth_date", "identifiers", "flags", "group", "sector", "since", "until")
SIDES = {"out": "payer", "in": "payee"}


def is_numeric(path: str) -> bool:
    """Whether a missing value of this field is an unbounded interval (else None)."""
    *start, last = path.split(".")
    if start and start != ["data"]:
        return last in FACT_DATES
    return path in NUMERIC or path in TIMES or path in DATES


@dataclass
class Known:
    """An accepted event with the facts as they stand at its place in the order."""

    raw: Event
    time: int
    order: int
    parties: dict[str, dict[str, Any]]
    reporter_facts: dict[str, Any]
    institution_country: dict[str, str | None]

    @property
    def type(self) -> str:
        return str(self.raw["type"])

    @property
    def reporter(self) -> str:
        return str(self.raw["reporter"])

    @property
    def id(self) -> str:
        return str(self.raw["id"])


@dataclass
class Row:
    """What one jurisdiction judges of an event: a leg, or the event as a whole."""

    event: Known
    jurisdiction: str
    side: str | None  # out, in, or None
    institution: str | None  # of the leg
    primary: bool
    day: date
    number: int = 0  # place among all rows

    @property
    def time(self) -> int:
        return self.event.time

    def stands_for(self, legs: bool) -> bool:
        """Whether a rule on leg rows (or on primary rows) sees this row."""
        if self.event.type != "transaction":
            return True
        return self.side is not None if legs else self.primary

    def get(self, path: str) -> Any:
        """The value of a path: an Interval, or a plain value with None for unknown."""
        event = self.event
        raw = event.raw
        if path == "direction":
            return self.side
        if path == "is_cash":
            channel = raw.get("channel")
            return None if channel is None else channel == "cash"
        if path == "is_cross_border":
            return _cross_border(event)
        if path in ("id", "type", "reporter"):
            return raw[path]
        if path == "time":
            return number(event.time)
        head, _, rest = path.partition(".")
        if head == "reporter":
            return _plain(rest, event.reporter_facts.get(rest))
        if event.type == "transaction" and head in ("party", "counterparty"):
            if self.side is None:
                return UNKNOWN if is_numeric(path) else None
            other = "in" if self.side == "out" else "out"
            head = SIDES[self.side if head == "party" else other]
        if head in PARTIES[event.type]:
            return self._party(head, rest)
        if head == "data" and rest:
            return _data(rest, raw.get("data"))
        value = raw.get(path)
        if path in NUMERIC:
            return UNKNOWN if value is None else number(value)
        if path in TIMES:
            return UNKNOWN if value is None else number(micros(value))
        return _plain(path, value)

    def _party(self, name: str, rest: str) -> Any:
        if rest == "institution_country":
            return self.event.institution_country[name]
        party: Any = self.event.parties.get(name, {})
        for step in (rest or "id").split("."):
            party = None if party is None else party.get(step)
        return _plain(rest.rpartition(".")[2], party)


def _plain(name: str, value: Any) -> Any:
    if name in DATES or name in FACT_DATES:
        return UNKNOWN if value is None else number(day_number(date.fromisoformat(value)))
    if name == "flags":
        return None if value is None else frozenset(value)
    if name == "persons":
        return None if value is None else tuple(value)
    return value


def _data(name: str, items: Sequence[Mapping[str, Any]] | None) -> Any:
    found = [item[name] for item in items or () if name in item]
    if name == "level":
        return number(max(found)) if found else UNKNOWN
    return frozenset(found) if found else None


def _cross_border(event: Known) -> bool | None:
    countries = [event.institution_country.get(side) for side in ("payer", "payee")]
    if None in countries:
        countries = [event.parties.get(side, {}).get("country") for side in ("payer", "payee")]
    return None if None in countries else countries[0] != countries[1]


# --- order, late events, repeats, conflicts -------------------------------------------------------


def meaning(value: Any, name: str = "") -> Any:
    """The content of an event without the ways of writing it: what makes a repeat a repeat."""
    if isinstance(value, Mapping):
        return {key: meaning(item, key) for key, item in sorted(value.items()) if key != "source"}
    if isinstance(value, list):  # persons, flags, items of data: the order says nothing
        return sorted((meaning(item) for item in value), key=str)
    if name in TIMES and isinstance(value, str):
        return micros(value)
    if name in NUMERIC:
        return str(Fraction(value))
    return value


def content_digest(event: Event) -> int:
    """A digest of the meaning; which one is the implementation's own choice."""
    text = json.dumps(meaning(event), sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


@dataclass
class Arrivals:
    accepted: list[Event] = field(default_factory=list)  # in canonical order
    late: int = 0
    repeats: int = 0
    conflicts: int = 0


def canonical_key(event: Event) -> tuple[int, bytes, bytes]:
    return micros(event["time"]), event["reporter"].encode(), event["id"].encode()


def arrive(
    sources: Sequence[Sequence[Event]],
    lateness: int,
    horizon: int,
    digest: Callable[[Event], int],
) -> Arrivals:
    """Rules 1 to 3. ``lateness`` and ``horizon`` in microseconds."""
    result = Arrivals()
    timely: list[Event] = []
    late: list[tuple[Event, int]] = []
    for source in sources:
        newest: int | None = None
        for event in source:
            time = micros(event["time"])
            if newest is not None and time < newest - lateness:
                late.append((event, newest))
            else:
                timely.append(event)
            newest = time if newest is None else max(newest, time)
    timely.sort(key=lambda event: (canonical_key(event), digest(event)))
    remembered: dict[tuple[str, str], Event] = {}
    for event in timely:
        key = event["reporter"], event["id"]
        first = remembered.get(key)
        if first is None or micros(event["time"]) - micros(first["time"]) > horizon:
            remembered[key] = event
            result.accepted.append(event)
        elif meaning(first) == meaning(event):
            result.repeats += 1
        else:
            result.conflicts += 1
    for event, newest in late:
        twins = [
            one
            for one in result.accepted
            if (one["reporter"], one["id"]) == (event["reporter"], event["id"])
            and micros(one["time"]) <= newest
        ]
        if not twins:
            result.late += 1
        elif meaning(twins[0]) == meaning(event):
            result.repeats += 1
        else:
            result.conflicts += 1
    return result


# --- facts, governing law, legs, rows -------------------------------------------------------------


class World:
    """Turns accepted events, one after the other, into rows."""

    def __init__(
        self,
        profiles: Mapping[str, Mapping[str, Any]],
        loaded: set[str],
        home: str | None,
        horizon: int,
        times: Mapping[str, LocalTime],
    ) -> None:
        self.profiles = profiles
        self.loaded = loaded
        self.horizon = horizon
        self.times = times
        national = loaded - {"INTL"}
        self.home = home or (next(iter(national)) if len(national) == 1 else None)
        self.facts: dict[str, dict[str, Any]] = {}
        self.payments: dict[tuple[Any, ...], tuple[str, int]] = {}
        self.ungoverned = 0
        self.events = 0
        self.rows = 0

    def place(self, raw: Event) -> tuple[Known, list[Row]]:
        """The event with its facts, and its rows in order."""
        self.events += 1
        event = self._know(raw)
        governing = self._governing(event)
        legs = self._legs(event)
        rows: list[Row] = []
        for jurisdiction in sorted(governing):
            own = [leg for leg in legs if self._has(jurisdiction, leg[1])]
            found = own or [(None, None)]
            for position, (side, institution) in enumerate(found):
                day = self.times[jurisdiction].day(event.time)
                self.rows += 1
                rows.append(
                    Row(event, jurisdiction, side, institution, position == 0, day, self.rows)
                )
        return event, rows

    def _know(self, raw: Event) -> Known:
        if raw["type"] == "party":
            given = raw["party"]
            known = self.facts.setdefault(given["id"], {})
            for fact in FACTS:
                if fact == "identifiers":
                    known.setdefault(fact, {}).update(given.get(fact, {}))
                elif fact in given:
                    known[fact] = given[fact]
        parties = {}
        for path in PARTIES[raw["type"]]:
            party = dict(raw.get(path) or {})
            for fact, value in self.facts.get(party.get("id", ""), {}).items():
                if fact == "identifiers":
                    party[fact] = {**value, **party.get(fact, {})}
                elif fact not in party:
                    party[fact] = value
            parties[path] = party
        reporter = raw["reporter"]
        countries = {}
        for path, party in parties.items():
            institution = party.get("institution") or reporter
            countries[path] = self._country(institution)
        return Known(
            raw,
            micros(raw["time"]),
            self.events,
            parties,
            dict(self.facts.get(reporter, {})),
            countries,
        )

    def _country(self, party: str | None) -> str | None:
        country = self.facts.get(party or "", {}).get("country")
        return None if country is None else str(country)

    def _role_country(self, event: Known, role: str) -> str | None:
        if role == "reporter":
            return event.reporter_facts.get("country")
        if role.endswith("_institution"):
            return event.institution_country.get(role.removesuffix("_institution"))
        if role in PARTIES[event.type]:
            return event.parties[role].get("country")
        return event.raw.get(role)

    def _governing(self, event: Known) -> set[str]:
        """Rule 4."""
        governing = set()
        country_known = False
        for jurisdiction in self.loaded - {"INTL"}:
            profile = self.profiles[jurisdiction]
            for role in profile["governs"].get(event.type, ()):
                country = self._role_country(event, role)
                country_known |= country is not None
                if country in profile["countries"]:
                    governing.add(jurisdiction)
        if not country_known and self.loaded != {"INTL"}:
            if self.home is None:
                self.ungoverned += 1
            else:
                governing |= {self.home} & self.loaded
        return governing | ({"INTL"} & self.loaded)

    def _legs(self, event: Known) -> list[tuple[str | None, str | None]]:
        """Rules 5 and 6: (side, institution), of all jurisdictions."""
        if event.type != "transaction":
            return []
        known = {side: event.parties[path] for side, path in SIDES.items()}
        known = {side: party for side, party in known.items() if party.get("id")}
        own = [
            side
            for side, party in known.items()
            if party.get("institution") in (None, event.reporter)
        ]
        legs: list[tuple[str | None, str | None]] = []
        for side in own or known:
            institution = known[side].get("institution") or event.reporter
            if not self._reported_before(event, side, institution):
                legs.append((side, institution))
        return legs

    def _reported_before(self, event: Known, side: str, institution: str) -> bool:
        raw = event.raw
        if raw.get("reference") is None:
            return False
        ids = [event.parties[path].get("id") for path in SIDES.values()]
        payment = raw["reference"], Fraction(raw["amount"]), raw["currency"], *ids
        key = (*payment, side, institution)
        first = self.payments.get(key)
        if first is None or event.time - first[1] > self.horizon:
            self.payments[key] = event.reporter, event.time
            return False
        return first[0] != event.reporter

    def _has(self, jurisdiction: str, institution: str | None) -> bool:
        """Whether the jurisdiction, which governs the event, has the leg of this institution."""
        if jurisdiction == "INTL":
            return True
        country = self._country(institution)
        return country is None or country in self.profiles[jurisdiction]["countries"]


def horizon_micros(days: int) -> int:
    return days * DAY
