"""Who made a version of a secret, and versions that the vendor is being told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every version of before was good at once, and nobody noted whose it is."""
    op.add_column("secrets", sa.Column("made_by", sa.Text(), nullable=True))
    op.add_column("secrets", sa.Column("is_candidate", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("secrets", sa.Column("overlap_s", sa.Integer(), nullable=True))
