"""Which trainings can share one pass over the activations; torch-free."""

from __future__ import annotations

from collections.abc import Sequence

from app.ml.configs.settings import Problem
from app.ml.configs.training import TrainingHyperparameters


def sharing_problems(settings: Sequence[TrainingHyperparameters]) -> list[Problem]:
    """Return why trainings cannot read the same batches; empty if they can."""
    problems = []
    if len({config.batch_size for config in settings}) > 1:
        problems.append(Problem("batch_size", "must be the same to share batches"))
    if any(config.source != "store" for config in settings):
        problems.append(Problem("source", "must be store to share batches"))
    if len({config.resolved_data_seed() for config in settings}) > 1:
        problems.append(Problem("data_seed", "must be the same to share batches"))
    return problems
