"""What a discovery reads and writes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.repositories import features
from app.services.lookup import require_training
from app.services.training_records import SourceFiles, source_files


@dataclass(frozen=True)
class DiscoveryPlan:
    training_id: UUID
    files: SourceFiles
    layer: int
    hook_type: str


def read_discovery_plan(session: Session, training_id: UUID) -> DiscoveryPlan:
    """
    Raises:
        TrainingNotFound: The training was deleted.
        StoreGone: So were its activations.
    """
    training = require_training(session, training_id)
    return DiscoveryPlan(
        training.id, source_files(session, training), training.layer, training.hook_type
    )


def replace_features(
    session: Session,
    training_id: UUID,
    rows: Iterable[dict[str, Any]],
    examples: Iterable[tuple[int, dict[str, Any]]],
) -> int:
    """Put a discovery's findings in the place of an earlier one's, in one transaction.

    Args:
        session: Its transaction shows the old features until it commits.
        training_id: The training.
        rows: One per latent, as ``feature_row`` makes them.
        examples: Latent index and row, as ``example_row`` makes them; read once.

    Returns:
        Number of examples loaded.
    """
    features.delete_examples(session, training_id)
    ids = features.put_features(session, training_id, rows)
    return features.put_examples(session, _with_feature_ids(examples, ids))


def _with_feature_ids(
    examples: Iterable[tuple[int, dict[str, Any]]], ids: dict[int, int]
) -> Iterator[dict[str, Any]]:
    for index, row in examples:
        yield {"feature_id": ids[index], **row}


def feature_row(record: dict[str, Any], layer: int, discovery: dict[str, Any]) -> dict[str, Any]:
    """A row of ``features``.

    Args:
        record: The core's feature record as JSON.
        layer: Block of the dictionary.
        discovery: Settings, checkpoint step and number of tokens of the whole discovery.
    """
    described = ("label", "top_tokens", "quantiles", "histogram", "logit_lens")
    return {
        "neuron_index": record["index"],
        "layer": layer,
        "activation_frequency": record["activation_frequency"],
        "max_activation": record["max_activation"],
        "mean_activation": record["mean_activation"],
        "n_fires": record["n_fires"],
        "metadata": {key: record[key] for key in described} | discovery,
    }


def example_row(record: dict[str, Any]) -> dict[str, Any]:
    """A row of ``feature_activations`` without its feature's id; ``record`` as the core has it."""
    return {
        "rank": record["rank"],
        "split": "train" if record["split"] == "train" else "held_out",
        "document": record["document"],
        "position": record["position"],
        "sample_text": record["text"],
        "token_ids": record["token_ids"],
        "tokens": record["tokens"],
        "activations": record["activations"],
        "max_activation": record["max_activation"],
        "metadata": {key: record[key] for key in ("token_index", "window_position")},
    }
