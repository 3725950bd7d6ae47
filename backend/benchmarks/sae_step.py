"""One training step of a dictionary: ``python -m benchmarks.sae_step``."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.architecture import architecture_of
from app.ml.sae_training.objectives.base import Batch
from app.ml.sae_training.optimisers import build_optimiser
from app.ml.sae_training.registry import build_objective
from app.ml.sae_training.weights import Weights
from benchmarks.timing import print_machine, print_table, time_in_turns

NO_DEAD = torch.empty(0, dtype=torch.int64)


def own_step(
    x_BD: torch.Tensor, settings: TrainingHyperparameters, dtype: torch.dtype
) -> Callable[[], object]:
    """The product's step: sparse decode and gradients, fused Adam, unit decoder."""
    weights = _weights(x_BD.shape[1], settings)
    optimiser = build_optimiser(weights, settings)
    optimiser.param_groups[0]["lr"] = 1e-4
    objective = build_objective(weights.architecture, settings, dtype)
    batch = Batch(x_BD, x_BD)

    @torch.no_grad()
    def step() -> object:
        losses = objective.step(weights, batch, NO_DEAD, 1.0)
        weights.project_decoder_gradient()
        torch.nn.utils.clip_grad_norm_(list(weights.parameters()), 1.0)
        optimiser.step()
        weights.normalise_decoder()
        return losses

    return step


def plain_step(
    x_BD: torch.Tensor, settings: TrainingHyperparameters, *, autocast: bool
) -> Callable[[], object]:
    """The same step as one writes it first: dense latents, autograd, Adam."""
    weights = _weights(x_BD.shape[1], settings)
    for parameter in weights.parameters():
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(weights.parameters(), lr=1e-4)

    def step() -> object:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            pre_BF = (x_BD - weights.b_dec_D) @ weights.W_enc_FD.T + weights.b_enc_F
            kept = pre_BF.topk(settings.k, dim=1)
            latents_BF = torch.zeros_like(pre_BF).scatter(1, kept.indices, kept.values.relu())
            output_BD = latents_BF @ weights.W_dec_FD + weights.b_dec_D
        loss = (output_BD.float() - x_BD).square().mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        with torch.no_grad():
            weights.project_decoder_gradient()
            torch.nn.utils.clip_grad_norm_(weights.parameters(), 1.0)
            optimiser.step()
            weights.normalise_decoder()
        return loss

    return step


def _weights(d_model: int, settings: TrainingHyperparameters) -> Weights:
    torch.manual_seed(0)
    weights = Weights(architecture_of("sparse", settings, d_model, d_model))
    weights.W_dec_FD.copy_(torch.randn_like(weights.W_dec_FD))
    weights.normalise_decoder()
    weights.W_enc_FD.copy_(weights.W_dec_FD)
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--d-model", type=int, default=576)
    parser.add_argument("--latents", type=int, default=4608)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    settings = TrainingHyperparameters(d_sae=options.latents, k=options.k, batch_size=options.batch)
    x_BD = torch.randn(options.batch, options.d_model)
    print_machine()
    timings = time_in_turns(
        {
            "plain eager, dense, float32": plain_step(x_BD, settings, autocast=False),
            "plain eager, dense, bfloat16 autocast": plain_step(x_BD, settings, autocast=True),
            "own, float32": own_step(x_BD, settings, torch.float32),
            "own, bfloat16 encoder": own_step(x_BD, settings, torch.bfloat16),
        },
        options.rounds,
    )
    title = (
        f"TopK training step: width {options.d_model}, {options.latents} latents, k {options.k}, "
        f"batch {options.batch}"
    )
    print_table(title, timings, options.batch)


if __name__ == "__main__":
    main()
