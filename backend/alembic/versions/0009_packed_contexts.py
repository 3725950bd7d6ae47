"""Contexts with packed numbers, quick to load; an index for every column that is sorted by.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-25 22:30:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

N_PARTITIONS = 8
TABLE = "feature_activations"
SORTED = {
    "shown_name": "lower(coalesce(name, label))",
    "lower_label": "lower(label)",
    "lower_top_token": "lower(top_token)",
    "cluster": "cluster",
}

# EXECUTE plans anew each time: how many features are deleted decides about the plan.
TRIGGER = """
CREATE FUNCTION take_along_what_features_had() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'DELETE FROM feature_activations USING gone WHERE feature_id = gone.id';
    EXECUTE 'DELETE FROM feature_tokens USING gone WHERE feature_id = gone.id';
    RETURN NULL;
END $$;
CREATE TRIGGER take_along AFTER DELETE ON features REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION take_along_what_features_had()
"""

PACK = """
INSERT INTO feature_activations
    (feature_id, kind, rank, octave, margin, split, document, position, token_index,
     window_position, max_activation, sample_text, token_ids, token_lengths, activations,
     created_at)
SELECT feature_id, kind, row_number() OVER (PARTITION BY feature_id, kind ORDER BY rank, id) - 1,
    octave, margin, split, document, position, (metadata->>'token_index')::bigint,
    (metadata->>'window_position')::int, max_activation,
    coalesce((SELECT string_agg(t, '' ORDER BY n)
              FROM jsonb_array_elements_text(tokens) WITH ORDINALITY AS e(t, n)), ''),
    coalesce((SELECT string_agg(int4send(v::int), ''::bytea ORDER BY n)
              FROM jsonb_array_elements_text(token_ids) WITH ORDINALITY AS e(v, n)), ''),
    coalesce((SELECT string_agg(int2send(least(length(t), 32767)::smallint), ''::bytea ORDER BY n)
              FROM jsonb_array_elements_text(tokens) WITH ORDINALITY AS e(t, n)), ''),
    coalesce((SELECT string_agg(float4send(v::real), ''::bytea ORDER BY n)
              FROM jsonb_array_elements_text(activations) WITH ORDINALITY AS e(v, n)), ''),
    created_at
FROM feature_activations_before
"""

UNPACKERS = r"""
CREATE FUNCTION pg_temp.number_at(b bytea, size int, i int) RETURNS bigint LANGUAGE sql AS $$
    SELECT ('x' || lpad(encode(substring(b FROM i * size + 1 FOR size), 'hex'), 16, '0'))
        ::bit(64)::bigint
$$;
CREATE FUNCTION pg_temp.signed_at(b bytea, i int) RETURNS int LANGUAGE sql AS $$
    SELECT ('x' || encode(substring(b FROM i * 4 + 1 FOR 4), 'hex'))::bit(32)::int
$$;
CREATE FUNCTION pg_temp.real_at(b bytea, i int) RETURNS real LANGUAGE sql AS $$
    SELECT ((CASE WHEN bits >= 2147483648 THEN -1 ELSE 1 END) * CASE
        WHEN (bits >> 23) & 255 = 0 THEN (bits & 8388607) * 2.0::float8 ^ (-149)
        ELSE (1 + (bits & 8388607) / 8388608.0::float8) * 2.0::float8 ^ (((bits >> 23) & 255) - 127)
    END)::real FROM (SELECT pg_temp.number_at(b, 4, i) AS bits) AS found
$$;
"""

UNPACK = """
INSERT INTO feature_activations
    (feature_id, kind, rank, octave, margin, split, document, position, sample_text, token_ids,
     tokens, activations, max_activation, metadata, created_at)
SELECT feature_id, kind, rank, octave, margin, split, document, position, sample_text,
    (SELECT coalesce(jsonb_agg(pg_temp.signed_at(token_ids, i) ORDER BY i), '[]')
     FROM generate_series(0, length(token_ids) / 4 - 1) AS i),
    (SELECT coalesce(jsonb_agg(substring(sample_text FROM first::int + 1 FOR size::int)
                               ORDER BY i), '[]')
     FROM (SELECT i, size, sum(size) OVER (ORDER BY i) - size AS first
           FROM (SELECT i, pg_temp.number_at(token_lengths, 2, i) AS size
                 FROM generate_series(0, length(token_lengths) / 2 - 1) AS i) AS sizes) AS parts),
    (SELECT coalesce(jsonb_agg(pg_temp.real_at(activations, i) ORDER BY i), '[]')
     FROM generate_series(0, length(activations) / 4 - 1) AS i),
    max_activation,
    jsonb_strip_nulls(jsonb_build_object(
        'token_index', token_index, 'window_position', window_position)),
    created_at
FROM feature_activations_before
"""


def upgrade() -> None:
    _set_aside()
    _create(
        _packed(), sa.PrimaryKeyConstraint("feature_id", "kind", "rank", name=op.f(f"pk_{TABLE}"))
    )
    op.execute(PACK)
    op.drop_table(f"{TABLE}_before")
    op.drop_constraint("fk_feature_tokens_feature_id_features", "feature_tokens")
    op.execute(TRIGGER)
    for name, column in SORTED.items():
        columns = ["training_id", sa.text(column), sa.text("neuron_index DESC")]
        op.create_index(f"idx_features_{name}", "features", columns)


def downgrade() -> None:
    for name in SORTED:
        op.drop_index(f"idx_features_{name}", table_name="features")
    op.execute("DROP TRIGGER take_along ON features")
    op.execute("DROP FUNCTION take_along_what_features_had")
    features = (["feature_id"], ["features.id"])
    name = "fk_feature_tokens_feature_id_features"
    op.create_foreign_key(name, "feature_tokens", "features", ["feature_id"], ["id"],
                          ondelete="CASCADE")  # fmt: skip
    _set_aside()
    _create(
        _plain(),
        sa.PrimaryKeyConstraint("id", "feature_id", name=op.f(f"pk_{TABLE}")),
        sa.ForeignKeyConstraint(
            *features, name=op.f(f"fk_{TABLE}_feature_id_features"), ondelete="CASCADE"
        ),
    )
    op.execute(UNPACKERS)
    op.execute(UNPACK)
    op.drop_table(f"{TABLE}_before")
    op.create_index("idx_activations_feature", TABLE, ["feature_id", "kind", "rank"])


def _set_aside() -> None:
    """Free the names of the table, its partitions, constraints and index."""
    op.execute("DROP INDEX IF EXISTS idx_activations_feature")
    op.execute(f"ALTER TABLE {TABLE} RENAME TO {TABLE}_before")
    op.execute(f"ALTER TABLE {TABLE}_before RENAME CONSTRAINT pk_{TABLE} TO pk_{TABLE}_before")
    for number in range(N_PARTITIONS):
        op.execute(f"ALTER TABLE {TABLE}_p{number} RENAME TO {TABLE}_before_p{number}")
        op.execute(f"ALTER INDEX {TABLE}_p{number}_pkey RENAME TO {TABLE}_before_p{number}_pkey")


def _create(columns: list[sa.Column[object]], *constraints: sa.Constraint) -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("feature_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("octave", sa.SmallInteger()),
        sa.Column("margin", sa.Double()),
        sa.Column("document", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("max_activation", sa.Double(), nullable=False),
        *columns,
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"),
            nullable=False,
        ),
        *constraints,
        postgresql_partition_by="HASH (feature_id)",
    )  # fmt: skip
    for number in range(N_PARTITIONS):
        op.execute(
            f"CREATE TABLE {TABLE}_p{number} PARTITION OF {TABLE} "
            f"FOR VALUES WITH (MODULUS {N_PARTITIONS}, REMAINDER {number})"
        )


def _packed() -> list[sa.Column[object]]:
    # Names in a fixed order: comparing them by a language's rules costs a third of the index.
    return [
        sa.Column("kind", sa.String(10, "C"), server_default="top", nullable=False),
        sa.Column("split", sa.String(20, "C"), nullable=False),
        sa.Column("token_index", sa.BigInteger()),
        sa.Column("window_position", sa.Integer()),
        sa.Column("sample_text", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.LargeBinary(), nullable=False)
            for name in ("token_ids", "token_lengths", "activations")
        ),
    ]


def _plain() -> list[sa.Column[object]]:
    return [
        sa.Column("kind", sa.String(10), server_default="top", nullable=False),
        sa.Column("split", sa.String(20), nullable=False),
        sa.Column("sample_text", sa.Text()),
        *(
            sa.Column(name, postgresql.JSONB(), nullable=False)
            for name in ("token_ids", "tokens", "activations")
        ),
        sa.Column(
            "metadata", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
    ]
