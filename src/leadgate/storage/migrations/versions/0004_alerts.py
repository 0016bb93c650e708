"""Alarms: what is raised, where it is sent, who has heard of it, and how much each channel usually brings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FAILED = sa.text("state = 'failed'")


def upgrade() -> None:
    """Make the tables, and the index of events that broke our code."""
    op.create_table(
        "alerts",
        *_texts("workspace_id", "cause", "subject", "who", "detail"),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("needs_person", sa.SmallInteger(), nullable=False),
        *_texts("state"),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        *_maybe_times("clear_since", "solved_at"),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("bout_round", sa.Integer(), nullable=False),
        *_texts("kind"),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("flaps", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "cause", "subject"),
        sa.CheckConstraint("state IN ('raised', 'solved', 'held')", name="alerts_state"),
    )
    op.create_table(
        "alert_targets",
        *_texts("workspace_id", "target_id", "name", "service"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        *_maybe_times("failing_since", "retry_at"),
        sa.Column("last_error", sa.Text(), nullable=True),
        *_maybe_times("last_sent_at"),
        sa.PrimaryKeyConstraint("workspace_id", "target_id"),
        sa.UniqueConstraint("workspace_id", "name", name="alert_targets_name"),
    )
    op.create_table(
        "alerts_told",
        *_texts("workspace_id", "cause", "subject", "target_id"),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "cause", "subject", "target_id"),
    )
    op.create_table(
        "alert_notes",
        *_texts("workspace_id", "topic", "subject"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *_texts("detail"),
        sa.PrimaryKeyConstraint("workspace_id", "topic", "subject"),
    )
    op.create_table(
        "flow_hours",
        *_texts("workspace_id", "connection_id"),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "connection_id", "hour"),
    )
    columns = ["workspace_id", "processed_at"]
    op.create_index("events_failed", "events", columns, sqlite_where=_FAILED, postgresql_where=_FAILED)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _maybe_times(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=True) for name in names]
