"""Measured columns, tokens and edits of features; kinds of contexts; trigram search.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-25 20:00:00.000000+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OLD_COLUMNS = (
    "activation_frequency", "max_activation", "mean_activation", "n_fires",
    "interpretability_score",
)  # fmt: skip
NEW_COLUMNS = (
    "p99_activation", "token_concentration", "effective_tokens", "token_entropy", "token_rule",
    "context_shift", "coherence", "logit_kurtosis", "nearest_cosine", "max_jaccard",
    "encoder_decoder_cosine",
)  # fmt: skip
SEARCH_TEXT = (
    "lower(coalesce(name, '') || ' ' || coalesce(label, '') || ' ' || coalesce(description, ''))"
)


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    # The table stays narrow: what only one feature's page shows moves out of line.
    op.execute("ALTER TABLE features SET (toast_tuple_target = 256)")
    op.execute("ALTER TABLE features ALTER COLUMN metadata SET STORAGE EXTENDED")
    op.add_column("features", sa.Column("label", sa.String(length=500)))
    op.add_column("features", sa.Column("label_source", sa.String(length=20)))
    op.add_column("features", sa.Column("top_token", sa.String(length=200)))
    op.add_column(
        "features",
        sa.Column(
            "tags", postgresql.ARRAY(sa.String(length=50)), server_default="{}", nullable=False
        ),
    )
    for name in (*NEW_COLUMNS, "map_x", "map_y"):
        op.add_column("features", sa.Column(name, sa.Double()))
    op.add_column("features", sa.Column("cluster", sa.Integer()))
    op.execute("UPDATE features SET label = nullif(left(metadata->>'label', 500), '')")
    op.add_column(
        "features", sa.Column("search_text", sa.Text(), sa.Computed(SEARCH_TEXT, persisted=True))
    )
    op.add_column(
        "features",
        sa.Column(
            "search_words",
            postgresql.TSVECTOR(),
            sa.Computed(f"to_tsvector('english', {SEARCH_TEXT})", persisted=True),
        ),
    )
    op.drop_index("idx_features_activation", table_name="features")
    op.drop_index("idx_features_interpretability", table_name="features")
    for name in (*OLD_COLUMNS, *NEW_COLUMNS):
        op.create_index(
            f"idx_features_{name}", "features", ["training_id", name, sa.text("neuron_index DESC")]
        )
    op.create_index("idx_features_tags", "features", ["tags"], postgresql_using="gin")
    op.create_index("idx_features_words", "features", ["search_words"], postgresql_using="gin")
    op.create_index(
        "idx_features_trigrams", "features", ["search_text"], postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )  # fmt: skip
    _create_tokens()
    _create_edits()
    op.add_column(
        "feature_activations",
        sa.Column("kind", sa.String(length=10), server_default="top", nullable=False),
    )
    op.add_column("feature_activations", sa.Column("octave", sa.SmallInteger()))
    op.add_column("feature_activations", sa.Column("margin", sa.Double()))
    op.drop_index("idx_activations_feature", table_name="feature_activations")
    op.create_index(
        "idx_activations_feature", "feature_activations", ["feature_id", "kind", "rank"]
    )
    # Nothing reads contexts of all features by their maximum, and every loaded row paid for it.
    op.drop_index("idx_activations_max", table_name="feature_activations")


def _create_tokens() -> None:
    op.create_table(
        "feature_tokens",
        sa.Column("training_id", sa.Uuid(), nullable=False),
        sa.Column("feature_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("word", sa.String(length=200), nullable=False),
        sa.Column("token", sa.String(length=200), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("feature_id", "kind", "rank", name=op.f("pk_feature_tokens")),
        sa.ForeignKeyConstraint(
            ["feature_id"], ["features.id"], ondelete="CASCADE",
            name=op.f("fk_feature_tokens_feature_id_features"),
        ),
    )  # fmt: skip
    op.create_index(
        "idx_feature_tokens_word", "feature_tokens", ["training_id", "word", "kind"],
        postgresql_ops={"word": "text_pattern_ops"},
    )  # fmt: skip


def _create_edits() -> None:
    op.create_table(
        "feature_edits",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("feature_id", sa.BigInteger(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_undone", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_edits")),
        sa.ForeignKeyConstraint(
            ["feature_id"], ["features.id"], ondelete="CASCADE",
            name=op.f("fk_feature_edits_feature_id_features"),
        ),
    )  # fmt: skip
    op.create_index(
        "idx_feature_edits_feature", "feature_edits", ["feature_id", sa.text("id DESC")]
    )


def downgrade() -> None:
    op.execute("DELETE FROM feature_activations WHERE kind <> 'top'")
    op.create_index("idx_activations_max", "feature_activations", [sa.text("max_activation DESC")])
    op.drop_index("idx_activations_feature", table_name="feature_activations")
    op.create_index("idx_activations_feature", "feature_activations", ["feature_id", "rank"])
    for name in ("kind", "octave", "margin"):
        op.drop_column("feature_activations", name)
    op.drop_table("feature_edits")
    op.drop_table("feature_tokens")
    for name in ("tags", "words", "trigrams", *OLD_COLUMNS, *NEW_COLUMNS):
        op.drop_index(f"idx_features_{name}", table_name="features")
    op.create_index(
        "idx_features_activation", "features",
        ["training_id", sa.text("activation_frequency DESC")],
    )  # fmt: skip
    op.create_index(
        "idx_features_interpretability", "features",
        ["training_id", sa.text("interpretability_score DESC")],
    )  # fmt: skip
    for name in ("search_words", "search_text", "cluster", "map_x", "map_y", *NEW_COLUMNS,
                 "tags", "top_token", "label_source", "label"):  # fmt: skip
        op.drop_column("features", name)
    op.execute("ALTER TABLE features RESET (toast_tuple_target)")
    op.execute("DROP EXTENSION IF EXISTS pg_trgm")
