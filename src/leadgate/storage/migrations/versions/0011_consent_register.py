"""The register of consents: texts by version, lines that are only added, and how far the audit journal has them.

What bot builders told before stays in `consents` until the first start takes it over: sealing needs the vault, which a migration
does not have.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "consent_texts",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("text_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "text_id"),
        sa.UniqueConstraint("workspace_id", "purpose", "locale", "version", name="consent_texts_version"),
        sa.CheckConstraint("purpose IN ('processing', 'passing_on', 'advertising')", name="consent_texts_purpose"),
    )
    op.create_table(
        "consent_register",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("text_id", sa.Text(), nullable=True),
        sa.Column("text_hash", sa.LargeBinary(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("sealed_details", sa.LargeBinary(), nullable=False),
        sa.Column("record_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "number"),
        sa.CheckConstraint("purpose IN ('processing', 'passing_on', 'advertising')", name="consent_register_purpose"),
        sa.CheckConstraint(
            "decision IN ('given', 'told', 'refused', 'withdrawn')",
            name="consent_register_decision",
        ),
    )
    op.create_index("consent_register_subject", "consent_register", ["workspace_id", "subject_id", "number"])
    op.create_table(
        "consent_journaled",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id"),
    )
