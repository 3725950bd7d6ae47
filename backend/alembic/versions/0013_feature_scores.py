"""Output and input score of features.

Revision ID: 0013
Revises: 0011
Create Date: 2026-11-26 10:20:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COLUMNS = ("output_score", "input_score")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("features", sa.Column(name, sa.Double(), nullable=True))
        op.create_index(
            f"idx_features_{name}", "features", ["training_id", name, sa.text("neuron_index DESC")]
        )


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_index(f"idx_features_{name}", table_name="features")
        op.drop_column("features", name)
