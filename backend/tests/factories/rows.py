"""Rows of every table; what a test does not name gets a plain value."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.core.enums import (
    ActivationStatus,
    DatasetSource,
    DatasetStatus,
    EncoderType,
    JobKind,
    JobState,
    ModelStatus,
    ResourceType,
    TokenizationStatus,
    TrainingStatus,
)
from app.core.paths import activation_dir, checkpoint_dir
from app.db.models import (
    Activation,
    Checkpoint,
    Dataset,
    Feature,
    FeatureActivation,
    FeatureToken,
    Job,
    LanguageModel,
    Tokenization,
    Training,
    TrainingMetric,
)
from app.ml.configs import ExtractionConfig, TokenizationConfig, TrainingHyperparameters
from app.workers.queues import QUEUE_OF_KIND

CARD = {
    "architecture": "LlamaForCausalLM", "family": "llama", "params_count": 852_608,
    "n_layers": 4, "d_model": 128, "n_heads": 4, "n_kv_heads": 2, "d_mlp": 341,
    "vocab_size": 1024, "max_positions": 128, "tied": True, "dtype": "float16",
    "size_bytes": 1_770_000, "memory_bytes": 3_410_432,
    "layers": [{"name": "model.layers.0", "kind": "block", "shape": "9 tensors", "params": 9}],
}  # fmt: skip
TOKENS = {
    "n_tokens": 1000, "n_documents": 10, "n_heldout_documents": 2, "mean_length": 100.0,
    "vocabulary_used": 77, "lengths": [{"up_to": 100, "count": 6}, {"up_to": None, "count": 4}],
}  # fmt: skip


def _add(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def _unique(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:8]}"


def make_model(session: Session, **values: Any) -> LanguageModel:
    defaults: dict[str, Any] = {
        "name": _unique("model"),
        "status": ModelStatus.READY,
        "architecture": CARD["architecture"],
        "params_count": CARD["params_count"],
        "memory_req_bytes": CARD["memory_bytes"],
        "metadata_": CARD,
    }
    model: LanguageModel = _add(session, LanguageModel(**(defaults | values)))
    return model


def make_dataset(session: Session, **values: Any) -> Dataset:
    defaults: dict[str, Any] = {
        "name": _unique("dataset"),
        "source": DatasetSource.LOCAL,
        "status": DatasetStatus.READY,
    }
    dataset: Dataset = _add(session, Dataset(**(defaults | values)))
    return dataset


def make_tokenization(
    session: Session, dataset: Dataset, model: LanguageModel, **values: Any
) -> Tokenization:
    defaults: dict[str, Any] = {
        "dataset_id": dataset.id,
        "model_id": model.id,
        "status": TokenizationStatus.READY,
        "config": TokenizationConfig().to_dict(),
        "n_tokens": TOKENS["n_tokens"],
        "n_documents": TOKENS["n_documents"],
        "metadata_": TOKENS,
    }
    row: Tokenization = _add(session, Tokenization(**(defaults | values)))
    return row


def make_activation(
    session: Session,
    model: LanguageModel | None = None,
    dataset: Dataset | None = None,
    **values: Any,
) -> Activation:
    model = model or make_model(session)
    dataset = dataset or make_dataset(session)
    layers = values.get("layers", [2])
    defaults: dict[str, Any] = {
        "model_id": model.id,
        "dataset_id": dataset.id,
        "tokenization_id": make_tokenization(session, dataset, model).id,
        "layers": layers,
        "hook_types": ["residual"],
        "config": ExtractionConfig(layers=tuple(layers)).to_dict(),
        "status": ActivationStatus.READY,
        "n_tokens": 1000,
    }
    store: Activation = _add(session, Activation(**(defaults | values)))
    store.file_path = str(activation_dir(store.id))
    return store


def make_training(session: Session, store: Activation | None = None, **values: Any) -> Training:
    store = store or make_activation(session)
    config = TrainingHyperparameters(training_steps=100, batch_size=64, k=8)
    defaults: dict[str, Any] = {
        "name": _unique("training"),
        "model_id": store.model_id,
        "dataset_id": store.dataset_id,
        "activation_id": store.id,
        "layer": store.layers[0],
        "hook_type": "residual",
        "encoder_type": EncoderType.SPARSE,
        "hyperparameters": config.to_dict(),
        "status": TrainingStatus.COMPLETED,
        "total_steps": config.training_steps,
    }
    training: Training = _add(session, Training(**(defaults | values)))
    return training


def make_checkpoint(session: Session, training: Training, step: int, **values: Any) -> Checkpoint:
    defaults: dict[str, Any] = {
        "training_id": training.id,
        "step": step,
        "loss": 0.5,
        "file_path": str(checkpoint_dir(training.id, step)),
    }
    checkpoint: Checkpoint = _add(session, Checkpoint(**(defaults | values)))
    return checkpoint


def make_metrics(session: Session, training: Training, steps: list[int]) -> None:
    for step in steps:
        row = TrainingMetric(
            training_id=training.id, step=step, loss=1.0 / step, sparsity=8.0, dead_neurons=0
        )
        session.add(row)
    session.flush()


def make_feature(session: Session, training: Training, index: int, **values: Any) -> Feature:
    metadata = {"checkpoint_step": 100, "n_tokens": 1000}
    defaults: dict[str, Any] = {
        "training_id": training.id,
        "neuron_index": index,
        "layer": training.layer,
        "label": f'token "{index}"',
        "label_source": "token",
        "activation_frequency": 0.01 * (index + 1),
        "max_activation": 10.0 + index,
        "mean_activation": 2.0,
        "n_fires": 10,
        "metadata_": metadata | values.pop("metadata", {}),
    }
    feature: Feature = _add(session, Feature(**(defaults | values)))
    return feature


def make_example(session: Session, feature: Feature, rank: int, **values: Any) -> FeatureActivation:
    defaults: dict[str, Any] = {
        "feature_id": feature.id,
        "rank": rank,
        "split": "train",
        "document": rank,
        "position": 1,
        "token_ids": [1, 2, 3],
        "activations": [0.0, 5.0, 0.5],
        "max_activation": 5.0 - rank,
    }
    tokens: list[str] = values.pop("tokens", ["the", " cat", " sat"])
    defaults["sample_text"] = "".join(tokens)
    defaults["token_lengths"] = [len(token) for token in tokens]
    example: FeatureActivation = _add(session, FeatureActivation(**(defaults | values)))
    return example


def make_token(
    session: Session, feature: Feature, kind: str, token: str, weight: float, rank: int = 0
) -> None:
    row = FeatureToken(
        training_id=feature.training_id, feature_id=feature.id, kind=kind, rank=rank,
        word=token.strip().lower(), token=token, weight=weight,
    )  # fmt: skip
    _add(session, row)


def make_job(
    session: Session,
    kind: JobKind,
    state: JobState,
    resource_type: ResourceType | None = None,
    resource_id: UUID | None = None,
    **values: Any,
) -> Job:
    """A job of a minute ago: within one transaction ``now()`` stands still."""
    defaults: dict[str, Any] = {
        "payload": {},
        "created_at": datetime.now(UTC) - timedelta(minutes=1),
    }
    job: Job = _add(
        session,
        Job(
            kind=kind,
            queue=QUEUE_OF_KIND[kind],
            state=state,
            resource_type=resource_type,
            resource_id=resource_id,
            **(defaults | values),
        ),
    )
    return job
