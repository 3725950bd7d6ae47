"""Workflows, and what links jobs: which one waits for which, which one repeats which.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-25 19:12:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_LINKS = {"workflow_id": "workflows", "waits_for": "jobs", "retry_of": "jobs"}
_INDEXED = ("workflow_id", "waits_for")


def upgrade() -> None:
    op.create_table(
        "workflows",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflows")),
    )
    op.create_index("idx_workflows_created_at", "workflows", [sa.literal_column("created_at DESC")])
    for column, table in _LINKS.items():
        op.add_column("jobs", sa.Column(column, sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_jobs_{column}_{table}"), "jobs", table, [column], ["id"])
    for column in _INDEXED:
        op.create_index(
            f"idx_jobs_{column}",
            "jobs",
            [column],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )


def downgrade() -> None:
    for column in _INDEXED:
        op.drop_index(f"idx_jobs_{column}", table_name="jobs")
    for column, table in _LINKS.items():
        op.drop_constraint(op.f(f"fk_jobs_{column}_{table}"), "jobs", type_="foreignkey")
        op.drop_column("jobs", column)
    op.drop_index("idx_workflows_created_at", table_name="workflows")
    op.drop_table("workflows")
