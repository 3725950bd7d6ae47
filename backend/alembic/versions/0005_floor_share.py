"""Share of the hardware floor of every logged step.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-25 20:00:00.000000+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("training_metrics", sa.Column("floor_share", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("training_metrics", "floor_share")
