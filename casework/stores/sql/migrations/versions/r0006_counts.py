"""What the overview counts: alerts by day, open cases in an index, institutions by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0006"
down_revision = "r0005"
branch_labels = None
depends_on = None

DAY_US = 86_400_000_000


def upgrade() -> None:
    """Make the table and the index, and count what is there."""
    op.create_table(
        "alert_days",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("alerts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "tenant", "jurisdiction", "kind", name=op.f("pk_alert_days")
        ),
        sqlite_with_rowid=False,
    )
    op.execute(
        # Whole days downwards on both servers, also before 1970.
        "INSERT INTO alert_days (day, tenant, jurisdiction, kind, alerts)"
        " SELECT day, tenant, jurisdiction, kind, COUNT(*) FROM ("
        f" SELECT (time_us - ((time_us % {DAY_US}) + {DAY_US}) % {DAY_US}) / {DAY_US} AS day,"
        " tenant, jurisdiction, kind FROM alerts) counted"
        " GROUP BY day, tenant, jurisdiction, kind"
    )
    for name, kind, empty in (
        ("jurisdiction", sa.String(), "''"),
        ("ended", sa.SmallInteger(), "0"),
        ("due_sort", sa.BigInteger(), "0"),
        ("assignee", sa.String(), "''"),
    ):
        op.add_column(
            "case_tenants", sa.Column(name, kind, nullable=False, server_default=sa.text(empty))
        )
    op.execute(
        "UPDATE case_tenants SET (jurisdiction, ended, due_sort, assignee) ="
        " (SELECT c.jurisdiction, c.ended, c.due_sort, c.assignee FROM cases c"
        " WHERE c.id = case_tenants.case_id)"
    )
    op.create_index(
        "ix_cases_standing",
        "cases",
        ["ended", "jurisdiction", "theme", "state", "due_sort", "assignee", "id"],
        unique=False,
    )
