"""Template names are unique, and a few templates to begin with.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-25 19:20:00.000000+00:00
"""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Written once: a person may change or delete them. Missing hyperparameters take their default.
TRAINING_SEEDS: list[dict[str, Any]] = [
    {
        "name": "Fast Prototyping",
        "description": "A small dictionary in few steps: see whether a layer is worth more.",
        "is_favorite": True,
        "hyperparameters": {"expansion_factor": 4, "training_steps": 2000, "batch_size": 2048,
                            "lr_schedule": "constant", "auxk_coefficient": 0.0},
    },
    {
        "name": "High Quality SAE",
        "description": "The recipe of the defaults with time to converge.",
        "is_favorite": True,
        "hyperparameters": {"expansion_factor": 8, "training_steps": 10000, "batch_size": 4096},
    },
    {
        "name": "Large Expansion",
        "description": "Twice the latents, trained twice as long: finer features, more memory.",
        "is_favorite": False,
        "hyperparameters": {"expansion_factor": 16, "training_steps": 20000, "batch_size": 4096,
                            "lr_schedule": "linear"},
    },
]  # fmt: skip
EXTRACTION_SEEDS: list[dict[str, Any]] = [
    {
        "name": "Quick Scan",
        "description": "The residual stream at three depths of a 12-layer model.",
        "layers": [0, 6, 11],
        "hook_types": ["residual"],
        "max_samples": 5000,
        "top_k_examples": 50,
    },
    {
        "name": "Full Analysis",
        "description": "Every layer and hook type of a 12-layer model, the whole corpus.",
        "layers": list(range(12)),
        "hook_types": ["residual", "mlp", "attention"],
        "max_samples": None,
        "top_k_examples": 100,
    },
]


def upgrade() -> None:
    for table in ("training_templates", "extraction_templates"):
        op.create_index(f"uq_{table}_name", table, [sa.text("lower(name)")], unique=True)
    connection = op.get_bind()
    for seed in TRAINING_SEEDS:
        connection.execute(
            sa.text(
                "INSERT INTO training_templates "
                "(name, description, encoder_type, hyperparameters, is_favorite) VALUES "
                "(:name, :description, 'sparse', CAST(:hyperparameters AS jsonb), :is_favorite) "
                "ON CONFLICT DO NOTHING"
            ),
            seed | {"hyperparameters": json.dumps(seed["hyperparameters"])},
        )
    for seed in EXTRACTION_SEEDS:
        connection.execute(
            sa.text(
                "INSERT INTO extraction_templates "
                "(name, description, layers, hook_types, max_samples, top_k_examples) VALUES "
                "(:name, :description, :layers, :hook_types, :max_samples, :top_k_examples) "
                "ON CONFLICT DO NOTHING"
            ),
            seed,
        )


def downgrade() -> None:
    for table in ("extraction_templates", "training_templates"):
        op.drop_index(f"uq_{table}_name", table_name=table)
