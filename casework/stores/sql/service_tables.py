"""Tables of those who come in and of what they send: users, keys, sessions, answers, events.

A row holds the whole value as JSON, and beside it what it is looked up by.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from casework.stores.sql.tables import METADATA

USERS: Final = Table(
    "users",
    METADATA,
    Column("name", String, primary_key=True),
    Column("subject", String, nullable=True, unique=True),
    Column("body", Text, nullable=False),
)

API_KEYS: Final = Table(
    "api_keys",
    METADATA,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("digest", String, primary_key=True),
    Column("owner", String, nullable=False, index=True),
    Column("expires_us", BigInteger, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

ANSWERS: Final = Table(
    "answers",
    METADATA,
    Column("actor", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("request", String, nullable=False),
    Column("made_us", BigInteger, nullable=False, index=True),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

QUARANTINE: Final = Table(
    "quarantine",
    METADATA,
    Column(
        "number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    Column("tenant", String, nullable=False),
    Column("state", String, nullable=False),
    Column("code", String, nullable=False),
    Column("origin", String, nullable=True, unique=True),
    Column("body", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Index("ix_quarantine_state", "state", "number"),
    Index("ix_quarantine_tenant", "tenant", "state", "number"),
    sqlite_autoincrement=True,
)

JOBS: Final = Table(
    "jobs",
    METADATA,
    Column("id", String, primary_key=True),
    Column("actor", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("made_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_jobs_made", "made_us", "id"),
)

PROPOSALS: Final = Table(
    "proposals",
    METADATA,
    Column(
        "number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    Column("id", String, nullable=False, unique=True),
    Column("pack", String, nullable=False, index=True),
    Column("jurisdiction", String, nullable=False),
    Column("state", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("proposed", Text, nullable=False),
    Index("ix_proposals_state", "state", "number"),
    sqlite_autoincrement=True,
)
