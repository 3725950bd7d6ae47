"""What a job was expected to take, and what it took.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-25 22:45:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COLUMNS = ("estimate", "measured")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("jobs", sa.Column(name, postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("jobs", name)
