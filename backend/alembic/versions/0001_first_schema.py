"""All tables of the first schema, with feature_activations in 8 hash partitions.

Revision ID: 0001
Revises:
Create Date: 2026-11-23 09:32:20.623439+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

N_PARTITIONS = 8


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "HuggingFace",
                "Local",
                "Custom",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("repo_id", sa.String(length=255), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "downloading",
                "ingesting",
                "ready",
                "error",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("progress", sa.Double(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("file_path", sa.String(length=512), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
    )
    op.create_index(
        "idx_datasets_created_at", "datasets", [sa.literal_column("created_at DESC")], unique=False
    )
    op.create_index("idx_datasets_source", "datasets", ["source"], unique=False)
    op.create_index("idx_datasets_status", "datasets", ["status"], unique=False)
    op.create_table(
        "extraction_templates",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("layers", sa.ARRAY(sa.Integer()), nullable=True),
        sa.Column("hook_types", sa.ARRAY(sa.String(length=50)), nullable=True),
        sa.Column("max_samples", sa.Integer(), nullable=True),
        sa.Column("top_k_examples", sa.Integer(), nullable=True),
        sa.Column("is_favorite", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extraction_templates")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "dataset_download",
                "dataset_import",
                "dataset_tokenize",
                "dataset_delete",
                "model_download",
                "model_import",
                "model_delete",
                "activation_extract",
                "activation_delete",
                "training_run",
                "training_delete",
                "feature_extract",
                "steering_generate",
                name="kind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "starting",
                "running",
                "paused",
                "stopped",
                "succeeded",
                "failed",
                "interrupted",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=100), nullable=True),
        sa.Column(
            "resource_type",
            sa.Enum(
                "dataset",
                "tokenization",
                "model",
                "activation",
                "training",
                name="resource_type",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default="3", nullable=False),
        sa.Column("lease_owner", sa.String(length=255), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "requested",
            sa.Enum(
                "pause",
                "stop",
                "cancel",
                name="requested",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("eta_seconds", sa.Double(), nullable=True),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_details", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("attempt >= 1 AND max_attempts >= 1", name=op.f("ck_jobs_attempts")),
        sa.CheckConstraint("progress >= 0 AND progress <= 100", name=op.f("ck_jobs_progress")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "idx_jobs_created_at", "jobs", [sa.literal_column("created_at DESC")], unique=False
    )
    op.create_index(
        "idx_jobs_resource",
        "jobs",
        ["resource_type", "resource_id", sa.literal_column("created_at DESC")],
        unique=False,
    )
    op.create_index(
        "idx_jobs_unfinished",
        "jobs",
        ["state", "created_at"],
        unique=False,
        postgresql_where=sa.text(
            "state IN ('queued', 'starting', 'running', 'paused', 'interrupted')"
        ),
    )
    op.create_table(
        "models",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("repo_id", sa.String(length=255), nullable=True),
        sa.Column("architecture", sa.String(length=100), nullable=True),
        sa.Column("params_count", sa.BigInteger(), nullable=True),
        sa.Column(
            "quantization",
            sa.Enum(
                "FP32",
                "FP16",
                "Q8",
                "Q4",
                "Q2",
                name="quantization",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column("memory_req_bytes", sa.BigInteger(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "downloading",
                "loading",
                "ready",
                "error",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("progress", sa.Double(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("file_path", sa.String(length=512), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
    )
    op.create_index("idx_models_architecture", "models", ["architecture"], unique=False)
    op.create_index(
        "idx_models_created_at", "models", [sa.literal_column("created_at DESC")], unique=False
    )
    op.create_index("idx_models_status", "models", ["status"], unique=False)
    op.create_table(
        "tokenizations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "running",
                "ready",
                "error",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False),
        sa.Column("n_tokens", sa.BigInteger(), nullable=True),
        sa.Column("n_documents", sa.BigInteger(), nullable=True),
        sa.Column("file_path", sa.String(length=512), nullable=True),
        sa.Column(
            "config",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_tokenizations_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["models.id"],
            name=op.f("fk_tokenizations_model_id_models"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokenizations")),
    )
    op.create_index("idx_tokenizations_dataset", "tokenizations", ["dataset_id"], unique=False)
    op.create_index("idx_tokenizations_model", "tokenizations", ["model_id"], unique=False)
    op.create_table(
        "training_templates",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("model_id", sa.Uuid(), nullable=True),
        sa.Column("dataset_id", sa.Uuid(), nullable=True),
        sa.Column(
            "encoder_type",
            sa.Enum(
                "sparse",
                "skip",
                "transcoder",
                name="encoder_type",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("hyperparameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_favorite", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_training_templates_dataset_id_datasets"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["models.id"],
            name=op.f("fk_training_templates_model_id_models"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_templates")),
    )
    op.create_index("idx_templates_favorite", "training_templates", ["is_favorite"], unique=False)
    op.create_table(
        "activations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("tokenization_id", sa.Uuid(), nullable=True),
        sa.Column("layers", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("hook_types", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "config",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "extracting",
                "ready",
                "error",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False),
        sa.Column("n_tokens", sa.BigInteger(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("file_path", sa.String(length=512), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_activations_dataset_id_datasets"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["models.id"],
            name=op.f("fk_activations_model_id_models"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tokenization_id"],
            ["tokenizations.id"],
            name=op.f("fk_activations_tokenization_id_tokenizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activations")),
    )
    op.create_index("idx_activations_dataset", "activations", ["dataset_id"], unique=False)
    op.create_index("idx_activations_model", "activations", ["model_id"], unique=False)
    op.create_index("idx_activations_status", "activations", ["status"], unique=False)
    op.create_index(
        "idx_activations_tokenization", "activations", ["tokenization_id"], unique=False
    )
    op.create_table(
        "trainings",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("activation_id", sa.Uuid(), nullable=True),
        sa.Column("layer", sa.Integer(), nullable=False),
        sa.Column("hook_type", sa.String(length=50), nullable=False),
        sa.Column(
            "encoder_type",
            sa.Enum(
                "sparse",
                "skip",
                "transcoder",
                name="encoder_type",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("hyperparameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "initializing",
                "training",
                "paused",
                "stopped",
                "completed",
                "error",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("current_step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total_steps", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False),
        sa.Column("evaluation", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["activation_id"],
            ["activations.id"],
            name=op.f("fk_trainings_activation_id_activations"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_trainings_dataset_id_datasets"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["models.id"],
            name=op.f("fk_trainings_model_id_models"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainings")),
    )
    op.create_index("idx_trainings_activation", "trainings", ["activation_id"], unique=False)
    op.create_index(
        "idx_trainings_created_at",
        "trainings",
        [sa.literal_column("created_at DESC")],
        unique=False,
    )
    op.create_index("idx_trainings_dataset", "trainings", ["dataset_id"], unique=False)
    op.create_index("idx_trainings_model", "trainings", ["model_id"], unique=False)
    op.create_index("idx_trainings_status", "trainings", ["status"], unique=False)
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("training_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("loss", sa.Double(), nullable=True),
        sa.Column("file_path", sa.String(length=512), nullable=False),
        sa.Column("file_size_bytes", sa.BigInteger(), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["training_id"],
            ["trainings.id"],
            name=op.f("fk_checkpoints_training_id_trainings"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoints")),
        sa.UniqueConstraint("training_id", "step", name="idx_checkpoints_step"),
    )
    op.create_index("idx_checkpoints_training", "checkpoints", ["training_id"], unique=False)
    op.create_table(
        "features",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("training_id", sa.Uuid(), nullable=False),
        sa.Column("neuron_index", sa.Integer(), nullable=False),
        sa.Column("layer", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("activation_frequency", sa.Double(), nullable=True),
        sa.Column("interpretability_score", sa.Double(), nullable=True),
        sa.Column("max_activation", sa.Double(), nullable=True),
        sa.Column("mean_activation", sa.Double(), nullable=True),
        sa.Column("n_fires", sa.BigInteger(), nullable=True),
        sa.Column("is_favorite", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["training_id"],
            ["trainings.id"],
            name=op.f("fk_features_training_id_trainings"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_features")),
        sa.UniqueConstraint("training_id", "neuron_index", name="idx_features_training"),
    )
    op.create_index(
        "idx_features_activation",
        "features",
        ["training_id", sa.literal_column("activation_frequency DESC")],
        unique=False,
    )
    op.create_index(
        "idx_features_favorite",
        "features",
        ["training_id"],
        unique=False,
        postgresql_where=sa.text("is_favorite"),
    )
    op.create_index(
        "idx_features_interpretability",
        "features",
        ["training_id", sa.literal_column("interpretability_score DESC")],
        unique=False,
    )
    op.create_table(
        "steering_presets",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("training_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("features", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("intervention_layer", sa.Integer(), nullable=False),
        sa.Column("temperature", sa.Double(), server_default="1.0", nullable=False),
        sa.Column("is_favorite", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["training_id"],
            ["trainings.id"],
            name=op.f("fk_steering_presets_training_id_trainings"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steering_presets")),
    )
    op.create_index("idx_presets_favorite", "steering_presets", ["is_favorite"], unique=False)
    op.create_index("idx_presets_training", "steering_presets", ["training_id"], unique=False)
    op.create_table(
        "training_metrics",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("training_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("loss", sa.Double(), nullable=True),
        sa.Column("sparsity", sa.Double(), nullable=True),
        sa.Column("reconstruction_error", sa.Double(), nullable=True),
        sa.Column("dead_neurons", sa.Integer(), nullable=True),
        sa.Column("explained_variance", sa.Double(), nullable=True),
        sa.Column("gpu_utilization", sa.Double(), nullable=True),
        sa.Column("memory_used_bytes", sa.BigInteger(), nullable=True),
        sa.Column("learning_rate", sa.Double(), nullable=True),
        sa.Column("grad_norm", sa.Double(), nullable=True),
        sa.Column("tokens_per_second", sa.Double(), nullable=True),
        sa.Column(
            "timestamp", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["training_id"],
            ["trainings.id"],
            name=op.f("fk_training_metrics_training_id_trainings"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_metrics")),
        sa.UniqueConstraint("training_id", "step", name="idx_metrics_training_step"),
    )
    op.create_index("idx_metrics_timestamp", "training_metrics", ["timestamp"], unique=False)
    op.create_table(
        "feature_activations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("feature_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("split", sa.String(length=20), nullable=False),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sample_text", sa.Text(), nullable=True),
        sa.Column("token_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tokens", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("activations", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("max_activation", sa.Double(), nullable=False),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["feature_id"],
            ["features.id"],
            name=op.f("fk_feature_activations_feature_id_features"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", "feature_id", name=op.f("pk_feature_activations")),
        postgresql_partition_by="HASH (feature_id)",
    )
    for remainder in range(N_PARTITIONS):
        op.execute(
            f"CREATE TABLE feature_activations_p{remainder} PARTITION OF feature_activations "
            f"FOR VALUES WITH (MODULUS {N_PARTITIONS}, REMAINDER {remainder})"
        )
    op.create_index(
        "idx_activations_feature", "feature_activations", ["feature_id", "rank"], unique=False
    )
    op.create_index(
        "idx_activations_max",
        "feature_activations",
        [sa.literal_column("max_activation DESC")],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("idx_activations_max", table_name="feature_activations")
    op.drop_index("idx_activations_feature", table_name="feature_activations")
    op.drop_table("feature_activations")
    op.drop_index("idx_metrics_timestamp", table_name="training_metrics")
    op.drop_table("training_metrics")
    op.drop_index("idx_presets_training", table_name="steering_presets")
    op.drop_index("idx_presets_favorite", table_name="steering_presets")
    op.drop_table("steering_presets")
    op.drop_index("idx_features_interpretability", table_name="features")
    op.drop_index(
        "idx_features_favorite", table_name="features", postgresql_where=sa.text("is_favorite")
    )
    op.drop_index("idx_features_activation", table_name="features")
    op.drop_table("features")
    op.drop_index("idx_checkpoints_training", table_name="checkpoints")
    op.drop_table("checkpoints")
    op.drop_index("idx_trainings_status", table_name="trainings")
    op.drop_index("idx_trainings_model", table_name="trainings")
    op.drop_index("idx_trainings_dataset", table_name="trainings")
    op.drop_index("idx_trainings_created_at", table_name="trainings")
    op.drop_index("idx_trainings_activation", table_name="trainings")
    op.drop_table("trainings")
    op.drop_index("idx_activations_tokenization", table_name="activations")
    op.drop_index("idx_activations_status", table_name="activations")
    op.drop_index("idx_activations_model", table_name="activations")
    op.drop_index("idx_activations_dataset", table_name="activations")
    op.drop_table("activations")
    op.drop_index("idx_templates_favorite", table_name="training_templates")
    op.drop_table("training_templates")
    op.drop_index("idx_tokenizations_model", table_name="tokenizations")
    op.drop_index("idx_tokenizations_dataset", table_name="tokenizations")
    op.drop_table("tokenizations")
    op.drop_index("idx_models_status", table_name="models")
    op.drop_index("idx_models_created_at", table_name="models")
    op.drop_index("idx_models_architecture", table_name="models")
    op.drop_table("models")
    op.drop_index(
        "idx_jobs_unfinished",
        table_name="jobs",
        postgresql_where=sa.text(
            "state IN ('queued', 'starting', 'running', 'paused', 'interrupted')"
        ),
    )
    op.drop_index("idx_jobs_resource", table_name="jobs")
    op.drop_index("idx_jobs_created_at", table_name="jobs")
    op.drop_table("jobs")
    op.drop_table("extraction_templates")
    op.drop_index("idx_datasets_status", table_name="datasets")
    op.drop_index("idx_datasets_source", table_name="datasets")
    op.drop_index("idx_datasets_created_at", table_name="datasets")
    op.drop_table("datasets")
