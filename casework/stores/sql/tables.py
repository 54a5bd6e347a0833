"""The tables of the record. What changes here needs a migration; a test compares the two.

A case's row holds the whole case as JSON and, beside it, the columns that queues are sorted and
filtered by. Every queue has an index that ends in the order of the queue, so that a page is a
piece of an index however many cases there are.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

HEAD: Final = "r0008"
"""The newest migration."""

# Names are given, so that a migration can name what it changes on both servers.
METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ALERTS: Final = Table(
    "alerts",
    METADATA,
    Column("id", String, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("tenant", String, nullable=False),
    Column("jurisdiction", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("pack", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Index("ix_alerts_time", "time_us", "id"),
    Index("ix_alerts_tenant", "tenant", "time_us", "id"),
)

ALERT_KEYS: Final = Table(
    "alert_keys",
    METADATA,
    Column("kind", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("time_us", BigInteger, primary_key=True),
    Column("alert_id", String, primary_key=True),
    sqlite_with_rowid=False,
)

ALERT_DAYS: Final = Table(
    "alert_days",
    METADATA,
    # Days of event time since 1970, UTC.
    Column("day", Integer, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("jurisdiction", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("alerts", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""How many alerts there are: a million are not counted for every look at the overview."""

ASIDES: Final = Table(
    "asides",
    METADATA,
    Column("alert_id", String, ForeignKey("alerts.id"), primary_key=True),
    Column("disposition", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("policy", String, nullable=False),
    Column("policy_version", String, nullable=False),
    Column("until_us", BigInteger, nullable=True),
    Column("behind", String, nullable=True),
    Column("reason", Text, nullable=False),
    Index("ix_asides_time", "time_us", "alert_id"),
    Index("ix_asides_disposition", "disposition", "time_us", "alert_id"),
    Index("ix_asides_rule", "rule", "time_us", "alert_id"),
)

WAKES: Final = Table(
    "wakes",
    METADATA,
    Column("at_us", BigInteger, primary_key=True),
    Column("alert_id", String, primary_key=True),
    Column("policy", String, primary_key=True),
    Index("ix_wakes_alert_id", "alert_id"),
    sqlite_with_rowid=False,
)

CLOSINGS: Final = Table(
    "closings",
    METADATA,
    Column("key", String, primary_key=True),
    Column("at_us", BigInteger, primary_key=True),
    Column("case_id", String, ForeignKey("cases.id"), primary_key=True),
    Index("ix_closings_case_id", "case_id"),
    sqlite_with_rowid=False,
)

MARKS: Final = Table(
    "marks",
    METADATA,
    Column("name", String, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
)

EVENT_DAYS: Final = Table(
    "event_days",
    METADATA,
    Column("jurisdiction", String, primary_key=True),
    Column("type", String, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("institution", String, primary_key=True),
    Column("events", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Events that a jurisdiction governs, by who reported them and day since 1970 in UTC."""

RULE_EVENTS: Final = Table(
    "rule_events",
    METADATA,
    Column("rule", String, primary_key=True),
    Column("jurisdiction", String, primary_key=True),
    Column("type", String, primary_key=True),
    sqlite_with_rowid=False,
)
"""The events that rules are evaluated for whose subject is each single event."""

ALERT_CONFLICTS: Final = Table(
    "alert_conflicts",
    METADATA,
    Column("alert_id", String, primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    Column("known_digest", LargeBinary(32), nullable=False),
    Column("tenant", String, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),
)

_ORDER: Final = ("rank", "due_sort", "opened_us", "id")

CASES: Final = Table(
    "cases",
    METADATA,
    Column("id", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("jurisdiction", String, nullable=False),
    Column("theme", String, nullable=False),
    Column("state", String, nullable=False),
    Column("ended", SmallInteger, nullable=False),
    Column("visible", SmallInteger, nullable=False),
    Column("queue", String, nullable=False),
    Column("assignee", String, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("due_sort", BigInteger, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("snoozed_us", BigInteger, nullable=False),
    Column("tell_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_cases_order", *_ORDER),
    Index("ix_cases_ended", "ended", *_ORDER),
    Index("ix_cases_state", "state", *_ORDER),
    Index("ix_cases_queue", "queue", "ended", *_ORDER),
    Index("ix_cases_assignee", "assignee", "ended", *_ORDER),
    Index("ix_cases_queue_assignee", "queue", "assignee", "ended", *_ORDER),
    Index("ix_cases_jurisdiction", "jurisdiction", "ended", *_ORDER),
    Index("ix_cases_theme", "theme", "ended", *_ORDER),
    Index("ix_cases_tell", "tell_us"),
    Index("ix_cases_opened", "ended", "opened_us", "id"),
    # What is counted at every look at the overview, in the order in which it is counted.
    Index(
        "ix_cases_standing", "ended", "jurisdiction", "theme", "state", "due_sort", "assignee", "id"
    ),
)

CASE_TENANTS: Final = Table(
    "case_tenants",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("case_id", String, ForeignKey("cases.id"), primary_key=True),
    # As in the case's own row: institutions are counted without asking a hundred thousand rows.
    Column("jurisdiction", String, nullable=False, server_default=text("''")),
    Column("ended", SmallInteger, nullable=False, server_default=text("0")),
    Column("due_sort", BigInteger, nullable=False, server_default=text("0")),
    Column("assignee", String, nullable=False, server_default=text("''")),
    Index("ix_case_tenants_case_id", "case_id", "tenant"),
    sqlite_with_rowid=False,
)

CASE_ALERTS: Final = Table(
    "case_alerts",
    METADATA,
    Column("case_id", String, ForeignKey("cases.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("alert_id", String, ForeignKey("alerts.id"), nullable=False),
    # Whether a policy put the alert here; a person's moves leave it as it is.
    Column("planned", SmallInteger, nullable=False),
    # Null: it is here. Else the case that a person moved it to, or "" where a policy took it out.
    Column("moved_to", String, nullable=True),
    Index("ix_case_alerts_alert_id", "alert_id", "case_id"),
    sqlite_with_rowid=False,
)

CASE_KEYS: Final = Table(
    "case_keys",
    METADATA,
    Column("case_id", String, ForeignKey("cases.id"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("value", String, primary_key=True),
    Index("ix_case_keys_value", "kind", "value", "case_id"),
    sqlite_with_rowid=False,
)

ENTRIES: Final = Table(
    "entries",
    METADATA,
    Column("chain", String, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("case_id", String, nullable=True),
    Column("sequence", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    # The last guard of optimistic concurrency: a case has one entry of a number.
    UniqueConstraint("case_id", "sequence", name="uq_entries_case_id_sequence"),
)

CHAINS: Final = Table(
    "chains",
    METADATA,
    Column("chain", String, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

CHECKPOINTS: Final = Table(
    "checkpoints",
    METADATA,
    Column("chain", String, primary_key=True),
    Column("size", BigInteger, primary_key=True),
    Column("body", Text, nullable=False),
)

FILES: Final = Table(
    "files",
    METADATA,
    Column("sha256", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

OUTCOMES: Final = Table(
    "outcomes",
    METADATA,
    Column("case_id", String, ForeignKey("cases.id"), primary_key=True),
    Column("rule", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("jurisdiction", String, primary_key=True),
    Column("outcome", String, nullable=False),
)

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column(
        "number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    Column("topic", String, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_outbox_topic", "topic", "number"),
    # Numbers are never given twice, also after the highest was acknowledged.
    sqlite_autoincrement=True,
)

SAVED_SEARCHES: Final = Table(
    "saved_searches",
    METADATA,
    Column("owner", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

ENDPOINTS: Final = Table(
    "webhook_endpoints",
    METADATA,
    Column("id", String, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("url", Text, nullable=False),
    Column("secrets", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("disabled_why", Text, nullable=False),
    Column("told_us", BigInteger, nullable=True),
    Column("ready_us", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since_us", BigInteger, nullable=True),
    Index("ix_webhook_endpoints_ready", "state", "ready_us", "id"),
)

DELIVERIES: Final = Table(
    "webhook_deliveries",
    METADATA,
    Column(
        "number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    Column("id", String, nullable=False, unique=True),
    Column("endpoint", String, ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("tenant", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last", Text, nullable=False),
    Column("ended_us", BigInteger, nullable=True),
    # The claim: who is attempting it, and until when; without a lease nobody is.
    Column("token", BigInteger, nullable=False, server_default=text("0")),
    Column("lease_us", BigInteger, nullable=True),
    Index("ix_webhook_deliveries_waiting", "endpoint", "state", "number"),
    Index("ix_webhook_deliveries_ended", "ended_us"),
    sqlite_autoincrement=True,
)
