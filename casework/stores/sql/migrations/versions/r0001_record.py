"""The record: alerts, cases, timelines and their chains, files, outcomes, the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "alert_conflicts",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("known_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "digest", name=op.f("pk_alert_conflicts")),
    )
    op.create_table(
        "alert_keys",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "time_us", "alert_id", name=op.f("pk_alert_keys")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("disposition", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    op.create_index(
        "ix_alerts_disposition", "alerts", ["disposition", "time_us", "id"], unique=False
    )
    op.create_index("ix_alerts_tenant", "alerts", ["tenant", "time_us", "id"], unique=False)
    op.create_index("ix_alerts_time", "alerts", ["time_us", "id"], unique=False)
    op.create_table(
        "cases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ended", sa.SmallInteger(), nullable=False),
        sa.Column("visible", sa.SmallInteger(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("assignee", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("due_sort", sa.BigInteger(), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("snoozed_us", sa.BigInteger(), nullable=False),
        sa.Column("tell_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index(
        "ix_cases_assignee",
        "cases",
        ["assignee", "ended", "rank", "due_sort", "opened_us", "id"],
        unique=False,
    )
    op.create_index("ix_cases_tell", "cases", ["tell_us"], unique=False)
    op.create_index(
        "ix_cases_ended", "cases", ["ended", "rank", "due_sort", "opened_us", "id"], unique=False
    )
    op.create_index(
        "ix_cases_jurisdiction",
        "cases",
        ["jurisdiction", "ended", "rank", "due_sort", "opened_us", "id"],
        unique=False,
    )
    op.create_index("ix_cases_opened", "cases", ["ended", "opened_us", "id"], unique=False)
    op.create_index(
        "ix_cases_order", "cases", ["rank", "due_sort", "opened_us", "id"], unique=False
    )
    op.create_index(
        "ix_cases_queue",
        "cases",
        ["queue", "ended", "rank", "due_sort", "opened_us", "id"],
        unique=False,
    )
    op.create_index(
        "ix_cases_queue_assignee",
        "cases",
        ["queue", "assignee", "ended", "rank", "due_sort", "opened_us", "id"],
        unique=False,
    )
    op.create_index(
        "ix_cases_state", "cases", ["state", "rank", "due_sort", "opened_us", "id"], unique=False
    )
    op.create_index(
        "ix_cases_theme",
        "cases",
        ["theme", "ended", "rank", "due_sort", "opened_us", "id"],
        unique=False,
    )
    op.create_table(
        "chains",
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_chains")),
    )
    op.create_table(
        "entries",
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("chain", "position", name=op.f("pk_entries")),
        sa.UniqueConstraint("case_id", "sequence", name="uq_entries_case_id_sequence"),
    )
    op.create_table(
        "files",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_files")),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_topic", "outbox", ["topic", "number"], unique=False)
    op.create_table(
        "case_alerts",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("moved_to", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_case_alerts_alert_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_alerts_case_id")),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_case_alerts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_case_alerts_alert_id", "case_alerts", ["alert_id", "case_id"], unique=False)
    op.create_table(
        "case_keys",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_keys_case_id")),
        sa.PrimaryKeyConstraint("case_id", "kind", "value", name=op.f("pk_case_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_case_keys_value", "case_keys", ["kind", "value", "case_id"], unique=False)
    op.create_table(
        "case_tenants",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_tenants_case_id")),
        sa.PrimaryKeyConstraint("tenant", "case_id", name=op.f("pk_case_tenants")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_case_tenants_case_id", "case_tenants", ["case_id", "tenant"], unique=False)
    op.create_table(
        "outcomes",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_outcomes_case_id")),
        sa.PrimaryKeyConstraint(
            "case_id", "rule", "tenant", "jurisdiction", name=op.f("pk_outcomes")
        ),
    )
