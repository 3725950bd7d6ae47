"""Presets remember where their features act.

Revision ID: 0016
Revises: 0012
Create Date: 2026-11-26 17:45:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0016"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "steering_presets",
        sa.Column("condition", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )
    op.add_column(
        "steering_presets",
        sa.Column("mode", sa.String(length=20), server_default="delta", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("steering_presets", "mode")
    op.drop_column("steering_presets", "condition")
