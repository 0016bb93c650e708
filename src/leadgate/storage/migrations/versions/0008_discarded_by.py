"""Who gave a delivery up, beside the reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was given up before has nobody's name."""
    op.add_column("deliveries", sa.Column("discarded_by", sa.Text(), nullable=True))
