"""Jurisdiction profiles: zone, calendar, currency, identifiers, authorities, what is governed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from regtech.errors import UsageError
from regtech.model.fields import EVENT_TYPES, TYPE_FIELDS
from regtech.reference.calendars import CalendarSpec, WorkingCalendar
from regtech.reference.currencies import CurrencyTable
from regtech.reference.faults import Reader
from regtech.reference.zones import transition_table

EVERYWHERE: Final = "INTL"
"""Id of the international profile: it governs every event."""

ROLE_PATHS: Final[dict[str, str]] = {
    "reporter": "reporter.country",
    "payer_institution": "payer.institution_country",
    "payee_institution": "payee.institution_country",
    "exporter": "exporter.country",
    "recipient": "recipient.country",
    "destination": "destination",
    "origin": "origin",
    "person_nationality": "person_nationality",
    "borrower": "borrower.country",
    "lender": "lender.country",
    "partner": "partner.country",
    "holder": "holder.country",
    "counterparty": "counterparty.country",
    "of": "of.country",
    "owner": "owner.country",
    "owned": "owned.country",
    "party": "party.country",
    "subject": "subject.country",
}
"""Role in ``governs`` to the field that holds its country."""

_PARTS: Final[dict[str, str]] = {
    "payer_institution": "payer.id",
    "payee_institution": "payee.id",
    "destination": "destination",
    "origin": "origin",
    "person_nationality": "person_nationality",
}
_KEYS: Final = (
    "id",
    "title",
    "countries",
    "zone",
    "currency",
    "calendar",
    "identifiers",
    "authorities",
    "channels",
    "governs",
    "notes",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An identifier scheme, an authority or a reporting channel: id and title by language."""

    id: str
    title: Mapping[str, str]


@dataclass(frozen=True)
class Profile:
    """One jurisdiction.

    ``countries``: ISO 3166-1 alpha-2 codes; empty for the international profile. ``zone``: whose
    calendar days are its days. ``governs``: event type to roles; the jurisdiction governs an event
    if the country of one of the roles is one of its own.
    """

    id: str
    title: Mapping[str, str]
    countries: frozenset[str]
    zone: str
    currency: str
    calendar_spec: CalendarSpec
    identifiers: tuple[Entry, ...]
    authorities: tuple[Entry, ...]
    channels: tuple[Entry, ...]
    governs: Mapping[str, tuple[str, ...]]
    notes: Mapping[str, str]

    @property
    def everywhere(self) -> bool:
        """Whether it governs every event, whatever the countries."""
        return self.id == EVERYWHERE

    @cached_property
    def calendar(self) -> WorkingCalendar:
        """Its working days; the source is imported when a day is first asked for."""
        return WorkingCalendar(self.calendar_spec)

    def governing_paths(self, event_type: str) -> tuple[str, ...]:
        """The country fields that make it govern an event of a type, in the profile's order."""
        return tuple(ROLE_PATHS[role] for role in self.governs.get(event_type, ()))

    @classmethod
    def from_document(
        cls,
        document: Any,
        currencies: CurrencyTable,
        *,
        file: str = "profile",
        reader: Reader | None = None,
    ) -> Profile:
        """The profile of a parsed document. Raises ContentError with every fault."""
        reader = reader or Reader(file)
        top = reader.mapping(document, "", _KEYS)
        identity = reader.text(top.get("id"), "id")
        if not (identity.isascii() and identity.isalnum() and identity.isupper()):
            reader.fault("id", "bad_code", f"{identity!r} is not an upper-case code")
        currency = reader.text(top.get("currency"), "currency")
        if currency not in currencies:
            reader.fault("currency", "unknown_currency", f"{currency!r} is not declared")
        profile = cls(
            id=identity,
            title=reader.title(top.get("title"), "title"),
            countries=_countries(reader, top.get("countries"), identity),
            zone=_zone(reader, top.get("zone")),
            currency=currency,
            calendar_spec=CalendarSpec.from_document(reader, top.get("calendar"), "calendar"),
            identifiers=_entries(reader, top.get("identifiers", ()), "identifiers"),
            authorities=_entries(reader, top.get("authorities", ()), "authorities"),
            channels=_entries(reader, top.get("channels", ()), "channels"),
            governs=_governs(reader, top.get("governs")),
            notes=reader.title(top["notes"], "notes") if "notes" in top else {},
        )
        reader.finish()
        return profile


def check_profiles(profiles: Mapping[str, Profile]) -> None:
    """Raise ContentError where two profiles claim the same country."""
    reader = Reader("jurisdictions")
    owner: dict[str, str] = {}
    for profile in profiles.values():
        for country in sorted(profile.countries):
            if country in owner:
                reader.fault(
                    profile.id, "duplicate", f"{country} belongs to {owner[country]} already"
                )
            owner[country] = profile.id
    reader.finish()


def _countries(reader: Reader, value: Any, identity: str) -> frozenset[str]:
    if identity == EVERYWHERE:
        if value != "all":
            reader.fault("countries", "unknown_word", "the international profile covers `all`")
        return frozenset()
    countries = [
        reader.text(code, f"countries[{i}]")
        for i, code in enumerate(reader.sequence(value, "countries"))
    ]
    for i, code in enumerate(countries):
        if len(code) != 2 or not (code.isascii() and code.isalpha() and code.isupper()):
            reader.fault(f"countries[{i}]", "bad_code", f"{code!r} is not an ISO 3166 code")
    if not countries:
        reader.fault("countries", "missing", "at least one country")
    return frozenset(countries)


def _zone(reader: Reader, value: Any) -> str:
    zone = reader.text(value, "zone", "UTC")
    try:
        transition_table(zone)
    except UsageError as error:
        reader.fault("zone", "unknown_zone", str(error))
        return "UTC"
    return zone


def _entries(reader: Reader, value: Any, path: str) -> tuple[Entry, ...]:
    found = []
    for i, item in enumerate(reader.sequence(value, path)):
        entry = reader.mapping(item, f"{path}[{i}]", ("id", "title"))
        identity = reader.text(entry.get("id"), f"{path}[{i}].id")
        found.append(Entry(identity, reader.title(entry.get("title"), f"{path}[{i}].title")))
    return tuple(found)


def _governs(reader: Reader, value: Any) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for event_type, roles in reader.mapping(value, "governs", EVENT_TYPES).items():
        if event_type not in EVENT_TYPES:
            continue
        path = f"governs.{event_type}"
        known = []
        for i, role in enumerate(reader.sequence(roles, path)):
            if role not in ROLE_PATHS:
                choices = ", ".join(ROLE_PATHS)
                reader.fault(f"{path}[{i}]", "unknown_word", f"{role!r} is not one of {choices}")
            elif not _has_role(event_type, role):
                reader.fault(f"{path}[{i}]", "unknown_word", f"{event_type} has no {role}")
            else:
                known.append(role)
        found[event_type] = tuple(known)
    return found


def _has_role(event_type: str, role: str) -> bool:
    part = _PARTS.get(role, f"{role}.id")
    return role == "reporter" or any(f.path == part for f in TYPE_FIELDS[event_type])
