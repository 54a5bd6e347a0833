"""Policies: alerts aside, wakes, closings, who put an alert into a case, and their keys anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casework.cases.alert import StoredAlert

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

_PIECE = 1000


def upgrade() -> None:
    """Make the tables, and the keys of alerts as policies read them."""
    op.drop_index("ix_alerts_disposition", table_name="alerts")
    op.drop_column("alerts", "disposition")
    op.add_column(
        "case_alerts",
        sa.Column("planned", sa.SmallInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.create_table(
        "asides",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("disposition", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("behind", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_asides_alert_id")),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_asides")),
    )
    op.create_index("ix_asides_time", "asides", ["time_us", "alert_id"], unique=False)
    op.create_index(
        "ix_asides_disposition", "asides", ["disposition", "time_us", "alert_id"], unique=False
    )
    op.create_index("ix_asides_rule", "asides", ["rule", "time_us", "alert_id"], unique=False)
    op.create_table(
        "wakes",
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("at_us", "alert_id", "policy", name=op.f("pk_wakes")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_wakes_alert_id", "wakes", ["alert_id"], unique=False)
    op.create_table(
        "closings",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_closings_case_id")),
        sa.PrimaryKeyConstraint("key", "at_us", "case_id", name=op.f("pk_closings")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_closings_case_id", "closings", ["case_id"], unique=False)
    op.create_table(
        "marks",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )
    _keys_anew()


def _keys_anew() -> None:
    """Institution and rule have become keys, and subjects are named as policies name them."""
    connection = op.get_bind()
    text = sa.String()
    alerts = sa.table(
        "alerts", sa.column("id", text), sa.column("tenant", text), sa.column("raw", sa.LargeBinary)
    )
    keys = sa.table(
        "alert_keys",
        sa.column("kind", text),
        sa.column("value", text),
        sa.column("time_us", sa.BigInteger),
        sa.column("alert_id", text),
    )
    connection.execute(sa.delete(keys))
    last = ""
    while True:
        page = sa.select(alerts).where(alerts.c.id > last).order_by(alerts.c.id).limit(_PIECE)
        rows = connection.execute(page).all()
        if not rows:
            return
        last = rows[-1].id
        found = [StoredAlert.of(bytes(row.raw), row.tenant) for row in rows]
        connection.execute(
            sa.insert(keys),
            [
                {"kind": kind.value, "value": value, "time_us": a.time_us, "alert_id": a.id}
                for a in found
                for kind, value in a.keys()
            ],
        )
