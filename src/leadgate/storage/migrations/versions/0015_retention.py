"""How far each kind of data was swept, and how much went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; the first sweep begins at the beginning."""
    op.create_table(
        "retention_marks",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("restarted_at", sa.BigInteger(), nullable=True),
        sa.Column("swept_at", sa.BigInteger(), nullable=True),
        sa.Column("gone_now", sa.BigInteger(), nullable=False),
        sa.Column("gone_last", sa.BigInteger(), nullable=False),
        sa.Column("gone_ever", sa.BigInteger(), nullable=False),
        sa.Column("has_ended", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "kind"),
    )
