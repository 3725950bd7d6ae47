"""One training step of a dictionary: ``python -m benchmarks.sae_step``.

With ``--saelens PYTHON`` (the Python of an environment that has sae-lens 6) its trainer takes
turns with ours.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.devices import is_bf16_faster
from app.ml.sae_training.architecture import architecture_of
from app.ml.sae_training.initialisation import initialise
from app.ml.sae_training.objectives.base import Batch
from app.ml.sae_training.optimisers import build_optimiser
from app.ml.sae_training.registry import build_objective
from app.ml.sae_training.weights import Weights
from benchmarks.saelens_step import SAELensMissing, saelens_step, say_missing
from benchmarks.timing import print_machine, print_table, time_in_turns

NO_DEAD = torch.empty(0, dtype=torch.int64)
CASES: dict[str, dict[str, Any]] = {
    "topk": {"activation": "topk", "bias": 0.0},
    "batchtopk": {"activation": "batchtopk", "bias": 0.0},
    # Each as it starts: half of all latents are active with biases of 0, 5 % with the product's
    # own. A trained dictionary keeps about 64 of 4,608.
    "relu at its start": {"activation": "relu", "bias": 0.0, "initialised": True},
    "relu as trained, about 64 active": {"activation": "relu", "bias": -2.2},
}


def own_step(
    x_BD: torch.Tensor,
    settings: TrainingHyperparameters,
    dtype: torch.dtype,
    case: dict[str, Any],
) -> Callable[[], object]:
    """The product's step: sparse decode and gradients, fused Adam, unit decoder."""
    weights = _weights(x_BD.shape[1], settings, case["bias"])
    if case.get("initialised"):
        initialise(weights, x_BD[:2048], settings)
    optimiser = build_optimiser(weights, settings)
    optimiser.param_groups[0]["lr"] = 1e-6
    objective = build_objective(weights.architecture, settings, dtype)
    batch = Batch(x_BD, x_BD)

    @torch.no_grad()
    def step() -> object:
        losses = objective.step(weights, batch, NO_DEAD, 1.0)
        weights.project_decoder_gradient()
        torch.nn.utils.clip_grad_norm_(list(weights.parameters()), 1.0)
        optimiser.step()
        weights.constrain()
        return losses

    return step


def plain_step(
    x_BD: torch.Tensor, settings: TrainingHyperparameters, *, autocast: bool, bias: float
) -> Callable[[], object]:
    """The same step as one writes it first: dense latents, autograd, Adam."""
    weights = _weights(x_BD.shape[1], settings, bias)
    for parameter in weights.parameters():
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(weights.parameters(), lr=1e-6)
    k = settings.resolved_k(x_BD.shape[1])
    l1 = settings.resolved_l1_coefficient(x_BD.shape[1])

    def latents_of(pre_BF: torch.Tensor) -> torch.Tensor:
        if settings.activation == "relu":
            return pre_BF.relu()
        flat = pre_BF.reshape(-1) if settings.activation == "batchtopk" else pre_BF
        kept = flat.topk(k * len(pre_BF) if flat.ndim == 1 else k, dim=-1)
        return torch.zeros_like(flat).scatter(-1, kept.indices, kept.values.relu()).view_as(pre_BF)

    def step() -> object:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            latents_BF = latents_of((x_BD - weights.b_dec_D) @ weights.W_enc_FD.T + weights.b_enc_F)
            output_BD = latents_BF @ weights.W_dec_FD + weights.b_dec_D
        loss = (output_BD.float() - x_BD).square().mean()
        if settings.activation == "relu":
            loss = loss + l1 * latents_BF.sum(dim=1, dtype=torch.float32).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        with torch.no_grad():
            weights.project_decoder_gradient()
            torch.nn.utils.clip_grad_norm_(weights.parameters(), 1.0)
            optimiser.step()
            weights.constrain()
        return loss

    return step


def _weights(d_model: int, settings: TrainingHyperparameters, bias: float) -> Weights:
    torch.manual_seed(0)
    weights = Weights(architecture_of("sparse", settings, d_model, d_model))
    weights.W_dec_FD.copy_(torch.randn_like(weights.W_dec_FD))
    weights.normalise_decoder()
    weights.W_enc_FD.copy_(weights.W_dec_FD)
    weights.b_enc_F.fill_(bias)
    return weights


def _versions(
    case: dict[str, Any], x_BD: torch.Tensor, options: argparse.Namespace
) -> dict[str, Callable[[], object]]:
    """SAELens first where it is there, since ratios are to the first."""
    settings = TrainingHyperparameters(
        d_sae=options.latents, k=options.k, batch_size=options.batch, activation=case["activation"]
    )
    versions: dict[str, Callable[[], object]] = {}
    precisions = [False, True] if options.all or is_bf16_faster("cpu") else [False]
    for autocast in precisions if options.saelens else []:
        shape = {"latents": options.latents, "k": options.k, "batch": options.batch}
        own = {"d_model": options.d_model, "threads": torch.get_num_threads()}
        try:
            step = saelens_step(options.saelens, {**case, **shape, **own, "autocast": autocast})
        except SAELensMissing as error:
            say_missing(str(error))
            break
        versions[f"SAELens, {'bfloat16 autocast' if autocast else 'float32'}"] = step
    for autocast in precisions:
        name = "bfloat16 autocast" if autocast else "float32"
        versions[f"plain eager, dense, {name}"] = plain_step(
            x_BD, settings, autocast=autocast, bias=case["bias"]
        )
    for autocast in precisions:
        dtype = torch.bfloat16 if autocast else torch.float32
        name = "bfloat16 dense products" if autocast else "float32"
        versions[f"own, {name}"] = own_step(x_BD, settings, dtype, case)
    return versions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--d-model", type=int, default=576)
    parser.add_argument("--latents", type=int, default=4608)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--saelens", type=Path, help="Python of an environment with sae-lens 6")
    parser.add_argument("--only", choices=sorted(CASES), help="one case instead of all")
    parser.add_argument("--all", action="store_true", help="bfloat16 too where it is slower")
    options = parser.parse_args()
    torch.manual_seed(0)
    x_BD = torch.randn(options.batch, options.d_model)
    print_machine()
    if options.saelens is None:
        say_missing("no Python was named.")
    for name, case in CASES.items():
        if options.only not in (None, name):
            continue
        timings = time_in_turns(_versions(case, x_BD, options), options.rounds)
        title = (
            f"Training step, {name}: width {options.d_model}, {options.latents} latents, "
            f"k {options.k}, batch {options.batch}"
        )
        print_table(title, timings, options.batch)


if __name__ == "__main__":
    main()
