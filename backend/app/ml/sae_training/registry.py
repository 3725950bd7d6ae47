"""Which objective trains which encoder type and activation; new architectures join here."""

from __future__ import annotations

from collections.abc import Callable

import torch

from app.ml.configs import ConfigInvalid, Problem, TrainingHyperparameters, encoder_type_problems
from app.ml.sae_training.objectives import Objective, ReluObjective, TopKObjective

Builder = Callable[[TrainingHyperparameters, int, torch.dtype], Objective]

OBJECTIVES: dict[tuple[str, str], Builder] = {
    ("sparse", "topk"): TopKObjective,
    ("sparse", "relu"): ReluObjective,
}


def build_objective(
    encoder_type: str, hyperparameters: TrainingHyperparameters, d_model: int, dtype: torch.dtype
) -> Objective:
    """Return the objective for a combination.

    Raises:
        ConfigInvalid: no such encoder type, or its latents do not fit the width.
    """
    problems = encoder_type_problems(encoder_type) + hyperparameters.width_problems(d_model)
    builder = OBJECTIVES.get((encoder_type, hyperparameters.activation))
    if builder is None and not problems:
        problems = [Problem("activation", f"{encoder_type} has none", hyperparameters.activation)]
    if problems or builder is None:
        raise ConfigInvalid(problems)
    return builder(hyperparameters, d_model, dtype)
