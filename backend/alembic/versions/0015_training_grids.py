"""Trainings that share a run.

Revision ID: 0015
Revises: 0013
Create Date: 2026-11-26 10:20:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("trainings", sa.Column("shared_run_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_trainings_shared_run_id_jobs",
        "trainings",
        "jobs",
        ["shared_run_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index("idx_trainings_shared_run", "trainings", ["shared_run_id"])


def downgrade() -> None:
    op.drop_index("idx_trainings_shared_run", table_name="trainings")
    op.drop_constraint("fk_trainings_shared_run_id_jobs", "trainings", type_="foreignkey")
    op.drop_column("trainings", "shared_run_id")
