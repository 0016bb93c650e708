"""Indexes of events that an arrival touches in fewer places: natural keys first and short, pending events in order of arrival."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace two indexes; SQLite copies the table for it."""
    op.drop_index("events_pending", table_name="events")
    with op.batch_alter_table("events") as events:
        events.drop_constraint("events_natural_key", type_="unique")
        events.create_unique_constraint("events_natural_key", ["natural_key", "workspace_id"])
    op.create_index(
        "events_pending",
        "events",
        ["workspace_id", "seq", "part", "connection_id", "state"],
        unique=False,
        sqlite_where=sa.text("state = 'received'"),
        postgresql_where=sa.text("state = 'received'"),
    )
