"""Optimisers of a dictionary's weights."""

from __future__ import annotations

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.weights import Weights

SGD_MOMENTUM = 0.9


def build_optimiser(
    weights: Weights, hyperparameters: TrainingHyperparameters
) -> torch.optim.Optimizer:
    """Return the optimiser; decoupled weight decay only with adamw, momentum 0.9 with sgd."""
    parameters = list(weights.parameters())
    betas = (hyperparameters.adam_beta1, hyperparameters.adam_beta2)
    if hyperparameters.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=0.0, momentum=SGD_MOMENTUM)
    if hyperparameters.optimizer == "adamw":
        decay = hyperparameters.weight_decay
        return torch.optim.AdamW(parameters, lr=0.0, betas=betas, weight_decay=decay, fused=True)
    return torch.optim.Adam(parameters, lr=0.0, betas=betas, fused=True)
