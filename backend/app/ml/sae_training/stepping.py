"""Gradients of a batch that is processed in parts."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.ml.sae_training.objectives.base import Batch, Objective, StepLosses, gradient_of
from app.ml.sae_training.weights import Weights


def accumulate(
    objective: Objective,
    weights: Weights,
    parts: Sequence[Batch],
    dead: torch.Tensor,
    progress: float,
) -> StepLosses:
    """Write the mean gradient of equal parts and return their mean losses."""
    if len(parts) == 1:
        return objective.step(weights, parts[0], dead, progress)
    parameters = list(weights.parameters())
    sums = [torch.zeros_like(parameter) for parameter in parameters]
    found = []
    for part in parts:
        found.append(objective.step(weights, part, dead, progress))
        for total, parameter in zip(sums, parameters, strict=True):
            total.add_(gradient_of(parameter), alpha=1 / len(parts))
    for total, parameter in zip(sums, parameters, strict=True):
        parameter.grad = total
    return _mean_losses(found)


def _mean_losses(found: Sequence[StepLosses]) -> StepLosses:
    def mean(name: str) -> torch.Tensor:
        return torch.stack([getattr(losses, name) for losses in found]).mean()

    return StepLosses(
        loss=mean("loss"),
        reconstruction=mean("reconstruction"),
        auxiliary=mean("auxiliary"),
        sparsity=mean("sparsity"),
        l0=mean("l0"),
        error_BD=torch.cat([losses.error_BD for losses in found]),
        fired_F=torch.stack([losses.fired_F for losses in found]).any(dim=0),
    )
