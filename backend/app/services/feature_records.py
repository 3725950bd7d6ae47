"""What a discovery reads and writes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import NotReady
from app.db.models import Training
from app.db.models.feature import NUMERIC_COLUMNS
from app.db.repositories import feature_loading, trainings
from app.db.repositories.base import allow_long_statements
from app.db.repositories.context_rows import ContextRow, encode_context
from app.db.repositories.word_rows import MAX_CHARACTERS, WordRow
from app.services.lookup import require_training
from app.services.training_records import SourceFiles, source_files

DETAILS = (
    "top_tokens", "rule_tokens", "quantiles", "histogram", "intervals", "logit_lens", "correlated",
    "decoder_neighbours", "encoder_neighbours", "score_details", "deviation",
)  # fmt: skip

EXPLANATIONS = ("token_rule", "coherence")
"""Scores that say how well something simple explains a feature."""


EncodeContext = Callable[[int, tuple[Any, ...]], bytes]
"""Makes a row for COPY of a latent's index and the columns of ``ContextRow`` after its feature."""


@dataclass(frozen=True)
class DiscoveryPlan:
    training_id: UUID
    files: SourceFiles
    layer: int
    hook_type: str
    step: int


def read_discovery_plan(session: Session, training_id: UUID, step: int | None) -> DiscoveryPlan:
    """
    Args:
        session: Open session.
        training_id: The training.
        step: The checkpoint's; None takes the latest.

    Raises:
        NotReady: There is no checkpoint.
        TrainingNotFound: The training was deleted.
        StoreGone: So were its activations.
    """
    training = require_training(session, training_id)
    if step is None:
        checkpoint = trainings.latest_checkpoint(session, training.id)
        if checkpoint is None:
            raise NotReady("The training has no checkpoint yet. Let it train first.")
        step = checkpoint.step
    files = source_files(session, training)
    return DiscoveryPlan(training.id, files, training.layer, training.hook_type, step)


def require_measured_step(session: Session, training: Training, step: int | None) -> int:
    """The checkpoint that features were measured on; no other has the same latents.

    Raises:
        NotReady: It was deleted.
    """
    steps = [row.step for row in trainings.list_checkpoints(session, training.id)]
    if step is None or step not in steps:
        raise NotReady(
            f'The checkpoint that the features of "{training.name}" come from is gone. Discover '
            "its features again.",
            details={"training_id": str(training.id), "checkpoint_step": step},
        )
    return step


def replace_features(
    session: Session,
    training_id: UUID,
    records: Iterable[dict[str, Any]],
    layer: int,
    discovery: dict[str, Any],
    words: Iterable[tuple[int, tuple[str, int, str, float]]],
    contexts: Callable[[EncodeContext], Iterable[bytes]],
) -> int:
    """Put a discovery's findings in the place of an earlier one's, in one transaction.

    Args:
        session: Its transaction shows the old features until it commits.
        training_id: The training.
        records: The core's feature records as JSON, one per latent; read once.
        layer: Block of the dictionary.
        discovery: Settings, checkpoint step and number of tokens of the whole discovery.
        words: Latent index, and the columns of ``WordRow`` after its feature; read once.
        contexts: Gives the encoded contexts of feature after feature, asked once for all that it
            encodes with the function given to it.

    Returns:
        Number of contexts loaded.
    """
    allow_long_statements(session)
    feature_loading.delete_examples(session, training_id)
    rows = (feature_row(record, layer, discovery) for record in records)
    ids = feature_loading.put_features(session, training_id, rows)
    named = (WordRow(ids[index], *word) for index, word in words)
    feature_loading.put_words(session, training_id, named)

    def encode(index: int, context: tuple[Any, ...]) -> bytes:
        return encode_context(ContextRow(ids[index], *context))

    loaded = feature_loading.put_encoded_examples(session, contexts(encode))
    feature_loading.analyze(session)
    return loaded


def feature_row(record: dict[str, Any], layer: int, discovery: dict[str, Any]) -> dict[str, Any]:
    """A row of ``features``; figures that were not measured stay empty."""
    top = record["top_tokens"]
    measured = record["scores"] | {
        key: record[key]
        for key in ("activation_frequency", "max_activation", "mean_activation", "n_fires")
    }
    place = record["place"] or (None, None)
    return {
        **{name: measured.get(name) for name in NUMERIC_COLUMNS},
        "neuron_index": record["index"],
        "layer": layer,
        "label": record["label"][:500] or None,
        "label_source": record["label_source"] or None,
        "top_token": top[0]["token"][:MAX_CHARACTERS] if top else None,
        "p99_activation": record["quantiles"]["p99"] if record["n_fires"] else None,
        "interpretability_score": interpretability(record["score_details"]),
        "map_x": place[0],
        "map_y": place[1],
        "cluster": record["cluster"],
        "metadata": {key: record[key] for key in DETAILS} | discovery,
    }


def interpretability(details: dict[str, Any]) -> float | None:
    """How much better than chance a simple explanation predicts the feature, 0 .. 1.

    The lower end of the 95 % interval against the same score of the null, on the part of the
    scale that is left above the null; of several scores the best. None where none was measured.
    """
    found = [
        max(score["interval"][0] - score["null"], 0.0) / max(1.0 - score["null"], 1e-9)
        for score in (details.get(name, {}) for name in EXPLANATIONS)
        if score.get("interval") is not None and score.get("null") is not None
    ]
    return max(found, default=None)
