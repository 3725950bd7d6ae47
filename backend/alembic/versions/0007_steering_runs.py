"""Steering runs, saved with all that is needed to repeat and to export them.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-25 20:05:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLE = "steering_runs"
_DOCUMENTS = ("payload", "environment", "facts", "result")


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        *(sa.Column(name, postgresql.JSONB(), nullable=False) for name in _DOCUMENTS),
        sa.Column("directions", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_steering_runs_model_id_models"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steering_runs")),
    )  # fmt: skip
    op.create_index("idx_steering_runs_created_at", _TABLE, [sa.literal_column("created_at DESC")])
    op.create_index("idx_steering_runs_model", _TABLE, ["model_id"])
    op.create_index("idx_steering_runs_fingerprint", _TABLE, ["fingerprint"])


def downgrade() -> None:
    op.drop_table(_TABLE)
