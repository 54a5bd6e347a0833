"""How many events rules were evaluated for, by institution and day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0008"
down_revision = "r0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; what was counted before is not known by day."""
    op.create_table(
        "event_days",
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "jurisdiction", "type", "day", "institution", name=op.f("pk_event_days")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rule_events",
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "jurisdiction", "type", name=op.f("pk_rule_events")),
        sqlite_with_rowid=False,
    )
