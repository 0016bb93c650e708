"""Who was erased: ids, codes and counts, and what became of the order to the CRM."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "erasures",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("erasure_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject_ids", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("destroyed_keys", sa.Text(), nullable=False),
        sa.Column("erased_rows", sa.Text(), nullable=False),
        sa.Column("delivery_ids", sa.Text(), nullable=False),
        sa.Column("order_state", sa.Text(), nullable=False),
        sa.Column("order_answer", sa.Text(), nullable=True),
        sa.Column("order_error_code", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "erasure_id"),
        sa.UniqueConstraint("workspace_id", "number", name="erasures_number"),
        sa.CheckConstraint(
            "order_state IN ('none', 'open', 'done', 'refused', 'given_up')", name="erasures_order_state"
        ),
    )
