"""Persons who are blocked, and what belongs to a person found by the person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody is blocked yet."""
    op.add_column("subjects", sa.Column("blocked_at", sa.BigInteger(), nullable=True))
    op.add_column("subjects", sa.Column("block_reason", sa.Text(), nullable=True))
    _index_some("subjects_blocked", "subjects", ["workspace_id", "subject_id"], where="blocked_at IS NOT NULL")
    _index_some("events_subject", "events", ["subject_id", "workspace_id"], where="subject_id IS NOT NULL")
    op.create_index("deliveries_subject", "deliveries", ["subject_id", "workspace_id"])
    op.create_index("leads_subject", "leads", ["subject_id", "workspace_id"])


def _index_some(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
