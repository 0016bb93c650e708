"""How far each CRM was swept for leads of ours, so that the next sweep begins there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; results of reconciliations have had theirs since the first schema."""
    op.create_table(
        "sweeps",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("swept_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "connection_id"),
    )
