"""Consents that clients gave elsewhere and a bot builder tells of: who, which text, when, and by which event we know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; what was told before stands in the sealed bodies of its events."""
    op.create_table(
        "consents",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "event_id"),
    )
    op.create_index("consents_subject", "consents", ["workspace_id", "subject_id"], unique=False)
