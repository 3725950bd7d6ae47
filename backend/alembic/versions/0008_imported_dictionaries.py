"""Dictionaries that were imported: where they come from; they may know no dataset.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-25 22:20:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLE = "trainings"


def upgrade() -> None:
    source = sa.Enum(
        "trained",
        "imported",
        name="source",
        native_enum=False,
        create_constraint=True,
        length=20,
    )
    op.add_column(_TABLE, sa.Column("source", source, server_default="trained", nullable=False))
    op.add_column(_TABLE, sa.Column("origin", postgresql.JSONB(), nullable=True))
    op.alter_column(_TABLE, "dataset_id", nullable=True)


def downgrade() -> None:
    # What was imported has no place in the older schema.
    op.execute("DELETE FROM trainings WHERE source = 'imported'")
    op.alter_column(_TABLE, "dataset_id", nullable=False)
    op.drop_column(_TABLE, "origin")
    op.drop_column(_TABLE, "source")
