"""Sparse dictionaries: architectures, training loop, checkpoints, held-out evaluation."""

from typing import TYPE_CHECKING

from app.ml.lazy import lazy_exports

if TYPE_CHECKING:
    from app.ml.sae_training.checkpoint import list_checkpoints, verify_checkpoint
    from app.ml.sae_training.evaluation import evaluate_sae
    from app.ml.sae_training.loop import train
    from app.ml.sae_training.many import GridListeners, TrainingJob, train_many
    from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder, load_sae
    from app.ml.sae_training.streaming import ModelStream

__all__ = [
    "GridListeners",
    "ModelStream",
    "SparseAutoencoder",
    "TrainingJob",
    "evaluate_sae",
    "list_checkpoints",
    "load_sae",
    "train",
    "train_many",
    "verify_checkpoint",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "GridListeners": "many",
        "ModelStream": "streaming",
        "SparseAutoencoder": "sparse_autoencoder",
        "TrainingJob": "many",
        "evaluate_sae": "evaluation",
        "list_checkpoints": "checkpoint",
        "load_sae": "sparse_autoencoder",
        "train": "loop",
        "train_many": "many",
        "verify_checkpoint": "checkpoint",
    },
)
