"""Every hyperparameter of a dictionary's training, and what each measured figure means."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.ml.configs.settings import Config, Problem, setting

ENCODER_TYPES = ("sparse",)
"""Encoder types that can be trained now; the registry in ``sae_training`` is keyed by them."""
ACTIVATIONS = ("topk", "relu")
OPTIMIZERS = ("adam", "adamw", "sgd")
LR_SCHEDULES = ("trapezoid", "constant", "linear", "cosine", "exponential")
MAX_DEAD_WINDOW_TOKENS = 10_000_000
MIN_DEAD_WINDOW_TOKENS = 500_000


@dataclass(frozen=True)
class TrainingHyperparameters(Config):
    """The defaults are a recipe that trains well without tuning; empty means "by width"."""

    activation: str = setting(
        "topk",
        help="topk keeps exactly k latents per token; relu is sparse through the L1 penalty.",
        choices=ACTIVATIONS,
    )
    expansion_factor: int = setting(
        8, help="Latents per model dimension.", ge=1, le=256, unit="x d_model"
    )
    d_sae: int | None = setting(
        None, help="Number of latents; overrides the expansion factor.", ge=2, le=2**20
    )
    k: int = setting(32, help="Latents kept per token (topk only).", ge=1, le=4096)
    l1_coefficient: float | None = setting(
        None,
        help="Weight of the sum of latents against the mean squared error per dimension of "
        "unit-variance activations (relu only); empty means 5 / d_model.",
        ge=1e-6,
        le=10.0,
    )
    training_steps: int = setting(5000, help="Optimiser steps.", ge=1, le=10_000_000, unit="steps")
    batch_size: int = setting(4096, help="Tokens per step.", ge=1, le=262_144, unit="tokens")
    learning_rate: float | None = setting(
        None,
        help="Peak learning rate; empty means 2e-4 / sqrt(latents / 16384), at most 1e-3.",
        ge=1e-7,
        le=1.0,
    )
    optimizer: str = setting("adam", help="Optimiser.", choices=OPTIMIZERS)
    weight_decay: float = setting(0.0, help="Decoupled weight decay (adamw only).", ge=0.0, le=1.0)
    lr_schedule: str = setting(
        "trapezoid",
        help="trapezoid: warm-up, constant, linear decay to zero at the end; the others follow "
        "their name from the warm-up to the last step.",
        choices=LR_SCHEDULES,
    )
    warmup_steps: int | None = setting(
        None, help="Linear warm-up; empty means 5 % of the steps, at most 1000.", ge=0, unit="steps"
    )
    decay_percent: float = setting(
        20.0, help="Last part of the run that decays (trapezoid).", ge=0.0, le=100.0, unit="%"
    )
    gradient_clip: float = setting(
        1.0, help="Largest global gradient norm; 0 turns clipping off.", ge=0.0, le=1e6
    )
    auxk_coefficient: float = setting(
        1 / 32,
        help="Weight of the loss that brings dead latents back (topk only); 0 turns it off.",
        ge=0.0,
        le=10.0,
    )
    dead_window_tokens: int | None = setting(
        None,
        help="A latent that did not fire for this many tokens is dead; empty means 3 % of the "
        "run, at least 500 thousand and at most 10 million.",
        ge=1,
        unit="tokens",
    )
    seed: int = setting(0, help="Fixes initialisation and batch order.", ge=0, le=2**31 - 1)
    log_every: int = setting(10, help="Steps between two reported points.", ge=1, unit="steps")
    checkpoint_every: int = setting(
        500, help="Steps between two checkpoints; 0 saves only at the end.", ge=0, unit="steps"
    )
    keep_checkpoints: int = setting(3, help="Newest checkpoints kept.", ge=1, le=1000)
    precision: str = setting(
        "auto",
        help="Number format of the large products; weights and optimiser stay float32. auto "
        "takes bfloat16 where a short measurement shows it to be faster.",
        choices=("auto", "float32", "bfloat16"),
    )

    def combination_problems(self) -> list[Problem]:
        if self.activation == "topk" and self.d_sae is not None and self.k > self.d_sae:
            return [Problem("k", f"must not exceed the {self.d_sae} latents", self.k)]
        if self.warmup_steps is not None and self.warmup_steps > self.training_steps:
            return [Problem("warmup_steps", "must not exceed the training steps")]
        return []

    def width_problems(self, d_model: int) -> list[Problem]:
        """Return what cannot be trained on activations of width ``d_model``."""
        if self.activation == "topk" and self.k > self.latents(d_model):
            message = f"must not exceed the {self.latents(d_model)} latents"
            return [Problem("k", message, self.k)]
        return []

    def latents(self, d_model: int) -> int:
        return self.d_sae or self.expansion_factor * d_model

    def resolved_learning_rate(self, d_sae: int) -> float:
        return self.learning_rate or min(1e-3, 2e-4 / math.sqrt(d_sae / 2**14))

    def resolved_warmup_steps(self) -> int:
        if self.warmup_steps is not None:
            return self.warmup_steps
        return min(1000, self.training_steps // 20)

    def resolved_dead_window_tokens(self) -> int:
        if self.dead_window_tokens is not None:
            return self.dead_window_tokens
        share = 3 * self.training_steps * self.batch_size // 100
        return min(MAX_DEAD_WINDOW_TOKENS, max(MIN_DEAD_WINDOW_TOKENS, share))

    def resolved_l1_coefficient(self, d_model: int) -> float:
        return self.l1_coefficient if self.l1_coefficient is not None else 5.0 / d_model


def encoder_type_problems(encoder_type: str) -> list[Problem]:
    """Return why an encoder type cannot be trained, if so."""
    if encoder_type in ENCODER_TYPES:
        return []
    message = f"{encoder_type!r} cannot be trained yet; choose {', '.join(ENCODER_TYPES)}"
    return [Problem("encoder_type", message, encoder_type)]
