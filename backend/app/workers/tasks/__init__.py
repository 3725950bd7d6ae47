"""Which function runs which kind of job. Names, not imports: only the child loads torch."""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from app.core.config import get_settings
from app.core.enums import JobKind

if TYPE_CHECKING:
    from app.workers.context import JobContext, JobOutcome

TASKS: dict[JobKind, str] = {
    JobKind.DATASET_DOWNLOAD: "app.workers.tasks.datasets:run_dataset_download",
    JobKind.DATASET_IMPORT: "app.workers.tasks.datasets:run_dataset_import",
    JobKind.DATASET_TOKENIZE: "app.workers.tasks.tokenizing:run_dataset_tokenize",
    JobKind.DATASET_DELETE: "app.workers.tasks.deletes:run_dataset_delete",
    JobKind.MODEL_DOWNLOAD: "app.workers.tasks.models:run_model_download",
    JobKind.MODEL_IMPORT: "app.workers.tasks.models:run_model_import",
    JobKind.MODEL_DELETE: "app.workers.tasks.deletes:run_model_delete",
    JobKind.ACTIVATION_EXTRACT: "app.workers.tasks.activations:run_activation_extract",
    JobKind.ACTIVATION_DELETE: "app.workers.tasks.deletes:run_activation_delete",
    JobKind.TRAINING_RUN: "app.workers.tasks.training:run_training",
    JobKind.TRAINING_GRID: "app.workers.tasks.training_grid:run_training_grid",
    JobKind.TRAINING_EVALUATE: "app.workers.tasks.evaluating:run_training_evaluate",
    JobKind.TRAINING_DELETE: "app.workers.tasks.deletes:run_training_delete",
    JobKind.SAE_IMPORT: "app.workers.tasks.saes:run_sae_import",
    JobKind.SAE_CHECK: "app.workers.tasks.saes:run_sae_check",
    JobKind.FEATURE_EXTRACT: "app.workers.tasks.features:run_feature_extract",
    JobKind.FEATURE_IMPORT: "app.workers.tasks.feature_import:run_feature_import",
    JobKind.FEATURE_SCORE: "app.workers.tasks.scoring:run_feature_score",
    JobKind.FEATURE_AUDIT: "app.workers.tasks.auditing:run_feature_audit",
    JobKind.FEATURE_LABEL: "app.workers.tasks.labelling:run_feature_label",
    JobKind.FEATURE_EXPORT: "app.workers.tasks.feature_export:run_feature_export",
    JobKind.STEERING_SWEEP: "app.workers.tasks.steering_sweep:run_steering_sweep",
}
WARM_TASKS: dict[JobKind, str] = {
    JobKind.STEERING_GENERATE: "app.workers.tasks.steering:handle",
    JobKind.FEATURE_PROBE: "app.workers.tasks.probing:probe",
    JobKind.FEATURE_ABLATE: "app.workers.tasks.probing:ablate",
}
"""What the warm process answers; these get its cache of loaded models too."""
STEERING_KEY = "steering"


def load(reference: str) -> object:
    """Import ``package.module:name``."""
    module, _, name = reference.partition(":")
    return cast(object, getattr(importlib.import_module(module), name))


def extra_tasks() -> dict[str, str]:
    """Replacements named by MISTUDIO_EXTRA_TASKS: a module whose TASKS maps kinds to functions."""
    module = get_settings().extra_tasks
    return dict(importlib.import_module(module).TASKS) if module else {}


def modules_of(kind: JobKind) -> list[str]:
    """What must be loaded before a kind of job runs; nothing where a test replaces it."""
    reference = TASKS.get(kind) or WARM_TASKS[kind]
    return [] if kind.value in extra_tasks() else [reference.partition(":")[0]]


def load_task(kind: JobKind) -> "Callable[[JobContext], JobOutcome]":
    """The function that runs a kind of job."""
    reference = extra_tasks().get(kind.value) or TASKS[kind]
    return cast("Callable[[JobContext], JobOutcome]", load(reference))
