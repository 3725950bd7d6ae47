"""Learning rates per step."""

from __future__ import annotations

import math

from app.ml.configs import TrainingHyperparameters

EXPONENTIAL_FINAL_SHARE = 0.01


def learning_rate_at(step: int, hyperparameters: TrainingHyperparameters, d_sae: int) -> float:
    """Return the learning rate of optimiser step ``step``, counted from 0.

    Linear warm-up first, then: trapezoid holds and falls linearly to zero over the last
    ``decay_percent``; linear and cosine fall to zero over the rest of the run; exponential to
    1 % of the peak.
    """
    peak = hyperparameters.resolved_learning_rate(d_sae)
    warmup, total = hyperparameters.resolved_warmup_steps(), hyperparameters.training_steps
    if step < warmup:
        return peak * (step + 1) / warmup
    kind = hyperparameters.lr_schedule
    if kind == "constant":
        return peak
    if kind == "trapezoid":
        decay_steps = total * hyperparameters.decay_percent / 100
        left = total - step
        return peak * min(1.0, left / decay_steps) if decay_steps > 0 else peak
    done = (step - warmup) / max(total - warmup, 1)
    if kind == "linear":
        return peak * (1 - done)
    if kind == "cosine":
        return peak * (1 + math.cos(math.pi * done)) / 2
    return peak * math.exp(done * math.log(EXPONENTIAL_FINAL_SHARE))
