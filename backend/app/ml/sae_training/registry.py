"""Which objective trains which activation; new activations join here."""

from __future__ import annotations

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.architecture import Architecture
from app.ml.sae_training.objectives.base import Objective
from app.ml.sae_training.objectives.batchtopk import BatchTopKObjective
from app.ml.sae_training.objectives.gated import GatedObjective
from app.ml.sae_training.objectives.jumprelu import JumpReluObjective
from app.ml.sae_training.objectives.relu import ReluObjective
from app.ml.sae_training.objectives.topk import TopKObjective

OBJECTIVES: dict[str, type[Objective]] = {
    "topk": TopKObjective,
    "batchtopk": BatchTopKObjective,
    "jumprelu": JumpReluObjective,
    "gated": GatedObjective,
    "relu": ReluObjective,
}


def build_objective(
    architecture: Architecture, hyperparameters: TrainingHyperparameters, dtype: torch.dtype
) -> Objective:
    """Return the objective of an architecture; encoder types differ in weights, not in it."""
    return OBJECTIVES[architecture.activation](architecture, hyperparameters, dtype)
