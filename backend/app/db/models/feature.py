"""Features of a training, what they fire on, and who named them."""

import itertools
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Computed,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAt, Timestamps
from app.db.packed import PackedNumbers

N_PARTITIONS = 8
NUMERIC_COLUMNS = (
    "activation_frequency",
    "max_activation",
    "mean_activation",
    "p99_activation",
    "n_fires",
    "interpretability_score",
    "token_concentration",
    "effective_tokens",
    "token_entropy",
    "token_rule",
    "context_shift",
    "coherence",
    "logit_kurtosis",
    "nearest_cosine",
    "max_jaccard",
    "encoder_decoder_cosine",
    "output_score",
    "input_score",
)
"""Measured figures that the table sorts by; each has an index, read in both directions."""
SORTED_TEXTS = {
    "shown_name": "lower(coalesce(name, label))",
    "lower_label": "lower(label)",
    "lower_top_token": "lower(top_token)",
    "cluster": "cluster",
}
"""What else the table sorts by, with the expressions that ``feature_pages`` sorts by."""
SEARCH_TEXT = (
    "lower(coalesce(name, '') || ' ' || coalesce(label, '') || ' ' || coalesce(description, ''))"
)


class Feature(Timestamps, Base):
    """One latent. What only its own page shows lies in ``metadata``, out of the table's way."""

    __tablename__ = "features"
    __table_args__ = (
        UniqueConstraint("training_id", "neuron_index", name="idx_features_training"),
        *(
            Index(f"idx_features_{name}", "training_id", name, text("neuron_index DESC"))
            for name in NUMERIC_COLUMNS
        ),
        *(
            Index(f"idx_features_{name}", "training_id", text(column), text("neuron_index DESC"))
            for name, column in SORTED_TEXTS.items()
        ),
        Index("idx_features_favorite", "training_id", postgresql_where=text("is_favorite")),
        Index("idx_features_tags", "tags", postgresql_using="gin"),
        Index("idx_features_words", "search_words", postgresql_using="gin"),
        Index(
            "idx_features_trigrams", "search_text", postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    training_id: Mapped[UUID] = mapped_column(ForeignKey("trainings.id", ondelete="CASCADE"))
    neuron_index: Mapped[int] = mapped_column(Integer)
    layer: Mapped[int | None] = mapped_column(Integer)
    name: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(String(500))
    label_source: Mapped[str | None] = mapped_column(String(20))
    top_token: Mapped[str | None] = mapped_column(String(200))
    tags: Mapped[list[str]] = mapped_column(
        ARRAY(String(50)), default=list, server_default=text("'{}'")
    )
    activation_frequency: Mapped[float | None] = mapped_column(Double)
    interpretability_score: Mapped[float | None] = mapped_column(Double)
    max_activation: Mapped[float | None] = mapped_column(Double)
    mean_activation: Mapped[float | None] = mapped_column(Double)
    p99_activation: Mapped[float | None] = mapped_column(Double)
    n_fires: Mapped[int | None] = mapped_column(BigInteger)
    token_concentration: Mapped[float | None] = mapped_column(Double)
    effective_tokens: Mapped[float | None] = mapped_column(Double)
    token_entropy: Mapped[float | None] = mapped_column(Double)
    token_rule: Mapped[float | None] = mapped_column(Double)
    context_shift: Mapped[float | None] = mapped_column(Double)
    coherence: Mapped[float | None] = mapped_column(Double)
    logit_kurtosis: Mapped[float | None] = mapped_column(Double)
    nearest_cosine: Mapped[float | None] = mapped_column(Double)
    max_jaccard: Mapped[float | None] = mapped_column(Double)
    encoder_decoder_cosine: Mapped[float | None] = mapped_column(Double)
    output_score: Mapped[float | None] = mapped_column(Double)
    input_score: Mapped[float | None] = mapped_column(Double)
    map_x: Mapped[float | None] = mapped_column(Double)
    map_y: Mapped[float | None] = mapped_column(Double)
    cluster: Mapped[int | None] = mapped_column(Integer)
    is_favorite: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
    search_text: Mapped[str | None] = mapped_column(
        Text, Computed(SEARCH_TEXT, persisted=True), deferred=True
    )
    search_words: Mapped[Any] = mapped_column(
        TSVECTOR, Computed(f"to_tsvector('english', {SEARCH_TEXT})", persisted=True), deferred=True
    )
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", default=dict, server_default=text("'{}'::jsonb"), deferred=True
    )


class FeatureCount(Base):
    """How many features a training has; two triggers on ``features`` keep it."""

    __tablename__ = "feature_counts"

    training_id: Mapped[UUID] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)


class FeatureToken(Base):
    """A word that a feature fires on or promotes, for finding features by it.

    ``kind`` is "fires_on" (``weight``: share of its activation mass) or "promotes" (``weight``:
    logit); ``word`` the token in lower case without surrounding space. A trigger on ``features``
    takes them along, as it does contexts.
    """

    __tablename__ = "feature_tokens"
    __table_args__ = (
        PrimaryKeyConstraint("feature_id", "kind", "rank"),
        Index(
            "idx_feature_tokens_word", "training_id", "word", "kind",
            postgresql_ops={"word": "text_pattern_ops"},
        ),
    )  # fmt: skip

    training_id: Mapped[UUID]
    feature_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(10))
    rank: Mapped[int] = mapped_column(SmallInteger)
    word: Mapped[str] = mapped_column(String(200))
    token: Mapped[str] = mapped_column(String(200))
    weight: Mapped[float] = mapped_column(Double)


class FeatureEdit(CreatedAt, Base):
    """What a person changed on a feature; ``before`` brings it back."""

    __tablename__ = "feature_edits"
    __table_args__ = (Index("idx_feature_edits_feature", "feature_id", text("id DESC")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    feature_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("features.id", ondelete="CASCADE")
    )
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    is_undone: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")


class FeatureActivation(CreatedAt, Base):
    """A window of text of a feature; hash-partitioned by feature, loaded by COPY.

    ``kind`` is "top", "sample" (of the ``octave`` of its activation) or "near_miss" (the feature
    lacked ``-margin`` to fire there). ``token_index`` is the place in the token store, -1 in
    ``token_ids`` a token whose number is unknown. A trigger on ``features`` takes contexts along;
    a foreign key would be checked for every row that is loaded.
    """

    __tablename__ = "feature_activations"
    __table_args__ = (
        PrimaryKeyConstraint("feature_id", "kind", "rank"),
        {"postgresql_partition_by": "HASH (feature_id)"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity())
    feature_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(10, "C"), default="top", server_default="top")
    rank: Mapped[int] = mapped_column(Integer)
    octave: Mapped[int | None] = mapped_column(SmallInteger)
    margin: Mapped[float | None] = mapped_column(Double)
    split: Mapped[str] = mapped_column(String(20, "C"))
    document: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    token_index: Mapped[int | None] = mapped_column(BigInteger)
    window_position: Mapped[int | None] = mapped_column(Integer)
    max_activation: Mapped[float] = mapped_column(Double)
    sample_text: Mapped[str] = mapped_column(Text)
    token_ids: Mapped[list[int]] = mapped_column(PackedNumbers("i"))
    token_lengths: Mapped[list[int]] = mapped_column(PackedNumbers("H"))
    activations: Mapped[list[float]] = mapped_column(PackedNumbers("f"))

    @property
    def tokens(self) -> list[str]:
        """The text, token by token."""
        return split_tokens(self.sample_text, self.token_lengths)


def split_tokens(text: str, lengths: Sequence[int]) -> list[str]:
    """A text cut into pieces of these lengths, in characters."""
    ends = itertools.accumulate(lengths)
    return [text[end - length : end] for end, length in zip(ends, lengths, strict=True)]
