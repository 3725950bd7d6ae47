"""Every table, so that importing this package fills ``Base.metadata``."""

from app.db.models.activation import Activation
from app.db.models.dataset import Dataset
from app.db.models.feature import (
    N_PARTITIONS,
    Feature,
    FeatureActivation,
    FeatureCount,
    FeatureEdit,
    FeatureToken,
)
from app.db.models.idempotency import IdempotencyKey
from app.db.models.job import Job
from app.db.models.language_model import LanguageModel
from app.db.models.steering_run import SteeringRun
from app.db.models.steering_sweep import SteeringSweep
from app.db.models.template import ExtractionTemplate, SteeringPreset, TrainingTemplate
from app.db.models.tokenization import Tokenization
from app.db.models.training import Checkpoint, Training, TrainingMetric
from app.db.models.workflow import Workflow

__all__ = [
    "N_PARTITIONS",
    "Activation",
    "Checkpoint",
    "Dataset",
    "ExtractionTemplate",
    "Feature",
    "FeatureActivation",
    "FeatureCount",
    "FeatureEdit",
    "FeatureToken",
    "IdempotencyKey",
    "Job",
    "LanguageModel",
    "SteeringPreset",
    "SteeringRun",
    "SteeringSweep",
    "Tokenization",
    "Training",
    "TrainingMetric",
    "TrainingTemplate",
    "Workflow",
]
