"""Requests of people about their own data, and their steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('open', 'extended')")
_UNJOURNALED = sa.text("is_journaled = 0")


def upgrade() -> None:
    """Make the tables; nothing is asked of what is there already."""
    op.create_table(
        "subject_requests",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("key_scope", sa.Text(), nullable=False),
        sa.Column("sealed_words", sa.LargeBinary(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("is_journaled", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "request_id"),
        sa.CheckConstraint(
            "kind IN ('access', 'correct', 'block', 'erase', 'withdraw', 'stop', 'other')",
            name="subject_requests_kind",
        ),
        sa.CheckConstraint("way IN ('chat', 'paper', 'email', 'in_person')", name="subject_requests_way"),
        sa.CheckConstraint("state IN ('open', 'extended', 'closed')", name="subject_requests_state"),
        sa.CheckConstraint("outcome IN ('done', 'refused', 'mistaken')", name="subject_requests_outcome"),
    )
    op.create_index(
        "subject_requests_open",
        "subject_requests",
        ["workspace_id", "due_on"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "subject_requests_unjournaled",
        "subject_requests",
        ["workspace_id", "received_at"],
        sqlite_where=_UNJOURNALED,
        postgresql_where=_UNJOURNALED,
    )
    op.create_index("subject_requests_subject", "subject_requests", ["workspace_id", "subject_id"])
    op.create_table(
        "request_steps",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "request_id", "number"),
    )
