"""Where a client can be written to, what became of each message, invitations to another channel, and people who are one person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OURS = sa.text("message_id IS NOT NULL")
_SENT_BY_US = sa.text("delivery_id IS NOT NULL")


def upgrade() -> None:
    """Add what chats are known by, and make the tables. Chats from before learn their address with the client's next message."""
    for column in (
        sa.Column("sealed_address", sa.LargeBinary(), nullable=True),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("unreachable_since", sa.BigInteger(), nullable=True),
        sa.Column("unreachable_code", sa.Text(), nullable=True),
        sa.Column("opted_out_at", sa.BigInteger(), nullable=True),
    ):
        op.add_column("conversations", column)
    op.create_index("conversations_subject", "conversations", ["workspace_id", "subject_id"])
    op.create_table(
        "message_fates",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("vendor_index", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "connection_id", "vendor_index"),
    )
    op.create_index(
        "message_fates_message",
        "message_fates",
        ["workspace_id", "message_id"],
        sqlite_where=_OURS,
        postgresql_where=_OURS,
    )
    op.create_index(
        "message_fates_delivery",
        "message_fates",
        ["workspace_id", "delivery_id"],
        sqlite_where=_SENT_BY_US,
        postgresql_where=_SENT_BY_US,
    )
    op.create_table(
        "subject_joins",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("into_subject_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "subject_id"),
    )
    op.create_index("subject_joins_into", "subject_joins", ["workspace_id", "into_subject_id"])
    op.create_table(
        "invitations",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("token_index", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "token_index"),
    )
