"""The catalogue of event fields: one table that feeds decoding, schema, type checks and reference.

Every value travels through the engine as one signed 64-bit integer; ``Kind`` says what the integer
means. A missing value is ``NULL``. The names are those of the outer contract
(docs/reference/events.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

NULL: Final = -(1 << 63)
"""A missing value in any column."""

DECIMAL_SCALE: Final = 10**9
"""DECIMAL columns hold the value times this; finer decimals are refused, never rounded."""


class Kind(Enum):
    """Meaning and unit of a column's integers."""

    SYMBOL = "symbol"  # code in the run's vocabulary (ids, countries, enumerations)
    MONEY = "money"  # minor units of the currency in `currency_field`
    CURRENCY = "currency"  # index in the currency table
    DECIMAL = "decimal"  # value * DECIMAL_SCALE
    INTEGER = "integer"
    BOOLEAN = "boolean"  # 0 or 1
    TIME = "time"  # microseconds since 1970-01-01T00:00Z
    DATE = "date"  # days since 1970-01-01
    TEXT = "text"  # 63-bit hash of the bytes: presence and equality only
    FLAGS = "flags"  # bit set over `words`
    PERSONS = "persons"  # list of vocabulary codes of the persons' own vocabulary


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event: dotted path, kind, and for money the path of its currency."""

    path: str
    kind: Kind
    doc: str = ""
    currency_field: str | None = None
    words: tuple[str, ...] = ()
    enum: tuple[str, ...] = ()
    fact: bool = False  # a fact about a party: filled in from earlier `party` events


EVENT_TYPES: Final = (
    "transaction",
    "data_transfer",
    "loan",
    "exposure",
    "figure",
    "ownership",
    "party",
    "incident",
    "action",
)

PARTY_KINDS: Final = ("person", "entity", "institution", "government", "product")

PARTY_FLAGS: Final = (
    "ciio",
    "casp",
    "dealer",
    "politically_exposed",
    "state_organ",
    "related_party",
    "major_shareholder",
    "connected",
    "gsib",
    "interbank",
    "listed",
    "listed_platform",
    "licensed_credit_agency",
    "licensed",
    "covered_person",
    "dpf_certified",
    "critical_infrastructure",
    "central_state_body",
    "payment_institution",
    "local_bank",
    "online_bank",
    "public_product",
    "open_ended",
    "private_product",
    "tranched",
    "approved",
    "exempt",
    "trader",
    "art_market",
    "letting_agent",
    "gambling",
    "foreign_reporting_company",
    "us_person",
    "pooled_account",
    "casp_correspondent",
    "new_customer",
    "minor",
    "sanctioned",
    "large_processor",
    "bank",
    "controller",
    "asset_backed",
    "money_service",
    "trust",
    "insurer",
)

DATA_CATEGORIES: Final = (
    "personal",
    "financial_account",
    "personal_financial",
    "biometric",
    "genomic",
    "omic",
    "geolocation",
    "health",
    "covered_identifier",
    "identity",
    "transaction",
    "credit",
    "employment",
    "minor",
    "technical",
    "business",
    "religious",
    "location",
    "communication",
    "other",
)

DATA_SENSITIVITY: Final = ("general", "sensitive", "important", "core")

PARTY_FIELDS: Final = (
    Field("id", Kind.SYMBOL, "identifier of the party"),
    Field("account", Kind.SYMBOL, "account, wallet or card number"),
    Field("name", Kind.TEXT, "name as given", fact=True),
    Field("kind", Kind.SYMBOL, "what the party is", enum=PARTY_KINDS, fact=True),
    Field("country", Kind.SYMBOL, "ISO 3166-1 alpha-2", fact=True),
    Field("region", Kind.SYMBOL, "region inside the country", fact=True),
    Field("institution", Kind.SYMBOL, "the institution whose customer it is", fact=True),
    Field("address", Kind.TEXT, "postal address", fact=True),
    Field("birth_date", Kind.DATE, "date of birth", fact=True),
    Field("identifiers.lei", Kind.SYMBOL, "legal entity identifier", fact=True),
    Field("identifiers.national", Kind.SYMBOL, "national or official identifier", fact=True),
    Field("flags", Kind.FLAGS, "what is known of the party", words=PARTY_FLAGS, fact=True),
    Field("group", Kind.SYMBOL, "group of connected parties", fact=True),
    Field("sector", Kind.SYMBOL, "line of business", fact=True),
    Field("since", Kind.DATE, "start of the relationship", fact=True),
    Field("until", Kind.DATE, "end of the relationship", fact=True),
    Field("device", Kind.SYMBOL, "device used", fact=False),
)
"""What a party inside an event, or a `party` event, may say. Facts hold from a `party` event on."""

CHANNELS: Final = (
    "cash",
    "transfer",
    "wire",
    "card",
    "cheque",
    "instrument",
    "virtual_asset",
    "bill",
    "metal",
    "internal",
)


def _party(path: str, doc: str) -> tuple[Field, ...]:
    return tuple(
        Field(
            f"{path}.{f.path}", f.kind, f"{doc}: {f.doc}", words=f.words, enum=f.enum, fact=f.fact
        )
        for f in PARTY_FIELDS
    )


COMMON: Final = (
    Field("id", Kind.TEXT, "unique for the reporter"),
    Field("type", Kind.SYMBOL, "type of the event", enum=EVENT_TYPES),
    Field("time", Kind.TIME, "when it happened, RFC 3339 with an offset"),
    Field("reporter", Kind.SYMBOL, "the institution that reports it"),
    Field("project", Kind.SYMBOL, "sandbox project"),
)

TYPE_FIELDS: Final[dict[str, tuple[Field, ...]]] = {
    "transaction": (
        Field("amount", Kind.MONEY, "amount", currency_field="currency"),
        Field("currency", Kind.CURRENCY, "ISO 4217 code or a declared virtual asset"),
        *_party("payer", "who pays"),
        *_party("payee", "who is paid"),
        *_party("conductor", "who carried it out"),
        *_party("on_behalf_of", "for whom it was carried out"),
        Field("channel", Kind.SYMBOL, "how the value moved", enum=CHANNELS),
        Field("kind", Kind.SYMBOL, "what kind of transaction"),
        Field("purpose", Kind.SYMBOL, "stated purpose"),
        Field("occasional", Kind.BOOLEAN, "outside a business relationship"),
        Field("attempted", Kind.BOOLEAN, "attempted, not carried out"),
        Field("own_behalf", Kind.BOOLEAN, "between institutions on their own behalf"),
        Field("goods", Kind.SYMBOL, "goods or services paid for"),
        Field("commercial", Kind.BOOLEAN, "for a commercial purpose"),
        Field("verified", Kind.BOOLEAN, "payer data verified"),
        Field("wallet", Kind.SYMBOL, "kind of wallet", enum=("hosted", "self_hosted")),
        Field("linked", Kind.SYMBOL, "group of linked operations, assigned by the reporter"),
        Field("exemption", Kind.SYMBOL, "exemption code claimed"),
        Field("reference", Kind.TEXT, "end-to-end reference"),
        Field("suspicion", Kind.BOOLEAN, "the reporter suspects the operation"),
        Field("suspicion_ground", Kind.SYMBOL, "why the reporter suspects it"),
        Field("route_agency", Kind.SYMBOL, "clearing body or agency on the route"),
    ),
    "data_transfer": (
        *_party("exporter", "who exports"),
        *_party("recipient", "who receives"),
        Field("destination", Kind.SYMBOL, "country of destination"),
        Field("origin", Kind.SYMBOL, "country of origin"),
        Field("persons", Kind.PERSONS, "pseudonymous ids of the persons concerned"),
        Field("person_count", Kind.INTEGER, "how many persons, where ids are not given"),
        Field("person_nationality", Kind.SYMBOL, "country of the persons concerned"),
        Field("data.category", Kind.FLAGS, "categories of the items", words=DATA_CATEGORIES),
        Field("data.sensitivity", Kind.FLAGS, "sensitivity of the items", words=DATA_SENSITIVITY),
        Field("data.level", Kind.INTEGER, "highest level of the items"),
        Field("scenario", Kind.SYMBOL, "exemption scenario claimed"),
        Field("evidence", Kind.TEXT, "evidence of the scenario"),
        Field("tool", Kind.SYMBOL, "transfer tool"),
        Field("tool_ref", Kind.SYMBOL, "reference of the tool"),
        Field("tool_expires", Kind.DATE, "last day of validity of the tool"),
        Field("consent", Kind.SYMBOL, "kind of consent"),
        Field("impact_assessment", Kind.SYMBOL, "reference of the impact assessment"),
        Field("approval", Kind.SYMBOL, "reference of an approval"),
        Field("onward_country", Kind.SYMBOL, "country of an onward transfer"),
        Field("purpose", Kind.SYMBOL, "purpose"),
        Field("transaction_kind", Kind.SYMBOL, "kind of dealing the data go with"),
        Field("encrypted", Kind.BOOLEAN, "encrypted or anonymised"),
        Field("notice", Kind.BOOLEAN, "the persons were told recipient, purpose and rights"),
        Field("list_ref", Kind.SYMBOL, "negative list or catalogue relied on"),
        Field(
            "on_list",
            Kind.SYMBOL,
            "how many of the items are on that list",
            enum=("none", "some", "all"),
        ),
        Field("approved_purpose", Kind.SYMBOL, "purpose that the tool covers"),
        Field("approved_persons", Kind.INTEGER, "number of persons that the tool covers"),
        Field("devices", Kind.INTEGER, "number of devices"),
        Field("route_agency", Kind.SYMBOL, "licensed agency on the route"),
        Field("suspicion", Kind.BOOLEAN, "the reporter suspects the operation"),
    ),
    "loan": (
        Field("amount", Kind.MONEY, "amount", currency_field="currency"),
        Field("currency", Kind.CURRENCY, "currency"),
        *_party("borrower", "who borrows"),
        *_party("lender", "who lends"),
        *_party("partner", "who funds or guarantees with the lender"),
        Field("partner_share", Kind.DECIMAL, "the partner's share of the funds, 0 to 1"),
        Field("action", Kind.SYMBOL, "step", enum=("grant", "draw", "repay", "close")),
        Field("loan_id", Kind.SYMBOL, "the loan"),
        Field("purpose", Kind.SYMBOL, "purpose"),
        Field("secured", Kind.BOOLEAN, "secured"),
        Field("tenor_months", Kind.INTEGER, "tenor in months"),
        Field("repayment", Kind.SYMBOL, "way of repayment"),
        Field("apr_all_in", Kind.DECIMAL, "all-in annual cost, 0.24 is 24 %"),
        Field("reference_rate", Kind.DECIMAL, "annual reference rate of the day (loan prime rate)"),
        Field("fees", Kind.MONEY, "fees", currency_field="currency"),
        Field("channel", Kind.SYMBOL, "channel"),
        Field("region", Kind.SYMBOL, "region of the borrower"),
    ),
    "exposure": (
        *_party("holder", "who holds the exposure"),
        *_party("counterparty", "to whom"),
        Field("amount", Kind.MONEY, "balance", currency_field="currency"),
        Field("currency", Kind.CURRENCY, "currency"),
        Field("as_of", Kind.DATE, "day of the balance"),
        Field("kind", Kind.SYMBOL, "kind of exposure"),
        Field("product", Kind.SYMBOL, "product or instrument"),
        Field("collateral", Kind.MONEY, "deductible collateral", currency_field="currency"),
        Field("units", Kind.DECIMAL, "units held"),
        Field("approval", Kind.SYMBOL, "reference of an approval"),
    ),
    "figure": (
        *_party("of", "party or product the figure is of"),
        Field("name", Kind.SYMBOL, "name of the figure"),
        Field("value", Kind.MONEY, "value", currency_field="currency"),
        Field("currency", Kind.CURRENCY, "currency"),
        Field("as_of", Kind.DATE, "day the figure is of"),
    ),
    "ownership": (
        *_party("owner", "who owns"),
        *_party("owned", "what is owned"),
        Field("interest", Kind.SYMBOL, "kind of interest"),
        Field("share", Kind.DECIMAL, "share, 0 to 1"),
        Field("share_min", Kind.DECIMAL, "least share"),
        Field("share_max", Kind.DECIMAL, "greatest share"),
        Field("from", Kind.DATE, "first day on which it is held"),
        Field("until", Kind.DATE, "first day on which it is no longer held"),
        Field("listed", Kind.BOOLEAN, "the owned is listed"),
        Field("indirect", Kind.BOOLEAN, "a total held through others, beside the chains"),
        Field("approval", Kind.SYMBOL, "reference of a prior approval"),
    ),
    "party": (
        *_party("party", "the party"),
        Field("persons_held", Kind.INTEGER, "persons whose personal data it holds"),
        Field("investors", Kind.INTEGER, "investors of the product"),
    ),
    "incident": (
        Field("kind", Kind.SYMBOL, "kind of incident"),
        Field("aware", Kind.TIME, "when the reporter became aware"),
        Field("classified", Kind.TIME, "when it was classified"),
        Field("ended", Kind.TIME, "when handling ended"),
        Field("grade", Kind.SYMBOL, "grade"),
        Field("persons_affected", Kind.INTEGER, "persons affected"),
        Field("loss", Kind.MONEY, "direct loss", currency_field="currency"),
        Field("currency", Kind.CURRENCY, "currency of the loss"),
        Field("critical_infrastructure", Kind.BOOLEAN, "critical infrastructure is concerned"),
        Field("risk", Kind.SYMBOL, "risk to persons"),
        Field("areas", Kind.SYMBOL, "business area"),
        Field("external_attack", Kind.BOOLEAN, "caused by illegal access from outside"),
        Field("data.sensitivity", Kind.FLAGS, "sensitivity of the data", words=DATA_SENSITIVITY),
    ),
    "action": (
        Field("kind", Kind.SYMBOL, "what was done"),
        Field("about", Kind.SYMBOL, "event, alert, case or duty it is about"),
        Field("to", Kind.SYMBOL, "to whom"),
        Field("requester", Kind.SYMBOL, "who asked: fiu, authority, institution, customer"),
        Field("channel", Kind.SYMBOL, "by which way it was sent"),
        Field("grade", Kind.SYMBOL, "grade of the incident that it is about"),
        Field("tool", Kind.SYMBOL, "transfer tool that it is about"),
        Field("rationale", Kind.TEXT, "reason recorded for the decision"),
        Field("analyst", Kind.SYMBOL, "person who analysed and decided"),
        Field("function", Kind.SYMBOL, "function or process concerned, where one is outsourced"),
        *_party("subject", "whom it concerns"),
    ),
}
"""Fields of each type beside ``COMMON``."""

REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "transaction": ("amount", "currency"),
    "data_transfer": ("exporter.id", "recipient.id"),
    "loan": ("amount", "currency"),
    "exposure": ("holder.id", "counterparty.id", "amount", "currency"),
    "figure": ("of.id", "name", "value"),
    "ownership": ("owner.id", "owned.id"),
    "party": ("party.id",),
    "incident": ("kind",),
    "action": ("kind",),
}
"""Without these, beside id, type, time and reporter, a record is quarantined."""


def fields_of(event_type: str) -> dict[str, Field]:
    """All fields an event of this type may have, by path."""
    return {f.path: f for f in (*COMMON, *TYPE_FIELDS[event_type])}


def all_fields() -> dict[str, Field]:
    """Every path of every type. The same path has the same kind in all types (checked in tests)."""
    found = {f.path: f for f in COMMON}
    for fields in TYPE_FIELDS.values():
        for field in fields:
            found.setdefault(field.path, field)
    return found
