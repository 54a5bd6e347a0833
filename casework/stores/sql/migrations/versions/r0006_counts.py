"""What the overview counts: alerts by day, and an index of open cases as they are counted."""

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
    op.create_index(
        "ix_cases_standing",
        "cases",
        ["ended", "jurisdiction", "theme", "state", "due_sort", "assignee", "id"],
        unique=False,
    )
