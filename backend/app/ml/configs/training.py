"""Every hyperparameter of a dictionary's training, with its range and what it does."""

from __future__ import annotations

from dataclasses import dataclass

from app.ml.configs.settings import Config, Problem, setting
from app.ml.configs.training_defaults import Recipe

ACTIVATIONS = ("topk", "batchtopk", "jumprelu", "gated", "relu")
K_ACTIVATIONS = ("topk", "batchtopk", "jumprelu")
"""Activations that are told how many latents to keep; the others weigh an L1 penalty."""
OPTIMIZERS = ("adam", "adamw", "sgd")
SOURCES = ("store", "stream")
LR_SCHEDULES = ("trapezoid", "constant", "linear", "cosine", "exponential")


@dataclass(frozen=True)
class TrainingHyperparameters(Recipe, Config):
    """The defaults are a recipe that trains well without tuning; empty means "by width"."""

    activation: str = setting(
        "topk",
        help="topk keeps exactly k latents per token; batchtopk k on average, more where a token "
        "needs them; jumprelu learns a threshold per latent and aims at k; gated and relu are "
        "sparse through the L1 penalty.",
        choices=ACTIVATIONS,
    )
    expansion_factor: int = setting(
        8, help="Latents per dimension of what is read.", ge=1, le=256, unit="x d_model"
    )
    d_sae: int | None = setting(
        None, help="Number of latents; overrides the expansion factor.", ge=2, le=2**20
    )
    k: int | None = setting(
        None,
        help="Latents kept per token: exactly (topk), on average (batchtopk), or aimed at "
        "(jumprelu); empty means 16 up to width 128 and 32 above.",
        ge=1,
        le=4096,
    )
    k_warmup_percent: float = setting(
        5.0,
        help="First part of the run in which k falls to its value from four times as much, so "
        "that few latents die early (topk, batchtopk); 0 turns it off.",
        ge=0.0,
        le=100.0,
        unit="%",
    )
    matryoshka_sizes: tuple[int, ...] = setting(
        (),
        help="Numbers of latents, rising, that must each reconstruct on their own, so that the "
        "first ones learn what is general (topk, batchtopk); all latents are always the last.",
        ge=1,
        le=2**20,
    )
    l1_coefficient: float | None = setting(
        None,
        help="Weight of the sum of latents against the mean squared error per dimension of "
        "unit-variance activations (relu, gated); empty means 5 / d_model.",
        ge=1e-6,
        le=10.0,
    )
    l1_warmup_percent: float = setting(
        5.0,
        help="First part of the run in which the L1 penalty grows to its weight (relu, gated).",
        ge=0.0,
        le=100.0,
        unit="%",
    )
    l0_coefficient: float = setting(
        1.0,
        help="Weight of (L0 / k - 1) squared, which drives the number of active latents to k "
        "(jumprelu).",
        ge=0.0,
        le=100.0,
    )
    bandwidth: float = setting(
        0.05,
        help="Distance from its threshold within which a latent moves it, in units of the "
        "activations' standard deviation (jumprelu).",
        ge=1e-4,
        le=10.0,
    )
    skip: bool = setting(
        False,
        help="Add a linear path from a transcoder's input to its output past the latents; a skip "
        "autoencoder always has one.",
    )
    skip_rank: int | None = setting(
        None,
        help="Rank of the linear path; empty means 1/16 of the width in a skip autoencoder (at "
        "full rank it would copy its input and leave the latents nothing) and full rank in a "
        "skip transcoder.",
        ge=1,
        le=65_536,
    )
    source: str = setting(
        "store",
        help="store: the activations on disk, epoch after epoch. stream: the language model reads "
        "all tokens of the store's tokenisation during the training, and the store (a small one "
        "will do) is only measured on; for corpora whose activations would fill the disk.",
        choices=SOURCES,
    )
    training_steps: int = setting(5000, help="Optimiser steps.", ge=1, le=10_000_000, unit="steps")
    batch_size: int = setting(4096, help="Tokens per step.", ge=1, le=262_144, unit="tokens")
    gradient_accumulation: int = setting(
        1,
        help="Parts that a batch is processed in before the step: more of them need less memory. "
        "Schedules count steps, not parts.",
        ge=1,
        le=1024,
    )
    learning_rate: float | None = setting(
        None,
        help="Peak learning rate; empty means 2e-4 / sqrt(latents / 16384), at most 1e-3; topk and "
        "batchtopk take up to eight times as much in short runs, at most 3e-3.",
        ge=1e-7,
        le=1.0,
    )
    optimizer: str = setting("adam", help="Optimiser.", choices=OPTIMIZERS)
    adam_beta1: float = setting(
        0.9, help="Decay of Adam's mean of gradients (adam, adamw).", ge=0.0, le=0.9999
    )
    adam_beta2: float = setting(
        0.999, help="Decay of Adam's mean of squared gradients (adam, adamw).", ge=0.0, le=0.99999
    )
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
        help="Weight of the loss that brings dead latents back (topk, batchtopk, jumprelu), in "
        "the place of a ghost gradient penalty; 0 turns it off.",
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
    seed: int = setting(0, help="Fixes the initial weights.", ge=0, le=2**31 - 1)
    data_seed: int | None = setting(
        None,
        help="Fixes the order of the tokens; empty means the seed. Trainings with the same one "
        "can share one pass over the activations.",
        ge=0,
        le=2**31 - 1,
    )
    log_every: int = setting(10, help="Steps between two reported points.", ge=1, unit="steps")
    checkpoint_every: int = setting(
        500, help="Steps between two checkpoints; 0 saves only at the end.", ge=0, unit="steps"
    )
    keep_checkpoints: int = setting(
        3, help="Newest checkpoints kept, beside the best one.", ge=1, le=1000
    )
    evaluation_windows: int = setting(
        48,
        help="Held-out windows of text that the language model reads at the end, once as it is "
        "and once for every replacement of its activations. More of them narrow the intervals of "
        "the cross-entropy figures and take longer.",
        ge=1,
        le=100_000,
    )
    precision: str = setting(
        "auto",
        help="Number format of the large products; weights and optimiser stay float32. auto "
        "takes bfloat16 where a short measurement shows it to be faster.",
        choices=("auto", "float32", "bfloat16"),
    )

    def combination_problems(self) -> list[Problem]:
        problems = []
        if self.d_sae is not None:
            problems += self._latent_problems(self.d_sae, self.k or 1)
        if self.warmup_steps is not None and self.warmup_steps > self.training_steps:
            problems.append(Problem("warmup_steps", "must not exceed the training steps"))
        if self.batch_size % self.gradient_accumulation:
            message = f"must divide the batch of {self.batch_size} tokens"
            problems.append(Problem("gradient_accumulation", message, self.gradient_accumulation))
        return problems + self._matryoshka_problems()

    def width_problems(self, d_model: int, encoder_type: str = "sparse") -> list[Problem]:
        """Return what an encoder type cannot train on activations of width ``d_model``."""
        latents = self.latents(d_model)
        problems = self._latent_problems(latents, self.resolved_k(d_model))
        if self.skip and encoder_type == "sparse":
            problems.append(Problem("skip", "needs encoder type skip or transcoder", True))
        most = d_model if encoder_type == "transcoder" else d_model // 2
        if encoder_type != "sparse" and (self.skip_rank or 1) > most:
            problems.append(Problem("skip_rank", f"must not exceed {most}", self.skip_rank))
        return problems

    def _latent_problems(self, latents: int, k: int) -> list[Problem]:
        problems = []
        if self.activation in K_ACTIVATIONS and k > latents:
            problems.append(Problem("k", f"must not exceed the {latents} latents", k))
        if self.matryoshka_sizes and max(self.matryoshka_sizes) > latents:
            message = f"must not exceed the {latents} latents"
            problems.append(Problem("matryoshka_sizes", message, list(self.matryoshka_sizes)))
        return problems

    def _matryoshka_problems(self) -> list[Problem]:
        sizes = self.matryoshka_sizes
        message = ""
        if list(sizes) != sorted(set(sizes)):
            message = "must rise"
        elif sizes and self.activation not in ("topk", "batchtopk"):
            message = "needs the activation topk or batchtopk"
        return [Problem("matryoshka_sizes", message, list(sizes))] if message else []
