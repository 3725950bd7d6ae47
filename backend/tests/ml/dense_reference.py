"""Every objective as its paper writes it: dense, differentiated by torch."""

from typing import Any

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.objectives.base import Batch
from app.ml.sae_training.weights import Weights


class Step(torch.autograd.Function):
    """1 above the threshold; a rectangle of the bandwidth stands for its gradient."""

    @staticmethod
    def forward(ctx: Any, pre: torch.Tensor, threshold: torch.Tensor, width: float) -> Any:
        ctx.save_for_backward(pre, threshold)
        ctx.width = width
        return (pre > threshold).to(pre.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        pre, threshold = ctx.saved_tensors
        near = ((pre - threshold).abs() < ctx.width / 2).to(pre.dtype)
        return None, (-near / ctx.width * grads[0]).sum(0), None


def dense_loss(
    weights: Weights,
    batch: Batch,
    settings: TrainingHyperparameters,
    dead: torch.Tensor,
    residual: torch.Tensor | None = None,
) -> torch.Tensor:
    """The whole loss at the end of all warm-ups.

    Args:
        weights: Whose parameters may require gradients.
        batch: As the objectives take it.
        settings: The recipe.
        dead: Dead latents.
        residual: AuxK's target; the present one, held fixed, if left out.
    """
    x, target = batch.input_BD, batch.target_BD
    d_in = x.shape[1]
    centred = x - weights.b_dec_D if weights.architecture.centres_input else x
    product = centred @ weights.W_enc_FD.T
    pre = product + weights.b_enc_F
    latents, sparsity = _latents(weights, product, settings, d_in)
    extra = weights.b_dec_D + (weights.skip(x) if weights.skip is not None else 0)
    errors = [
        latents[:, :size] @ weights.W_dec_FD[:size] + extra - target
        for size in settings.nested_sizes(d_in)
    ]
    loss = torch.stack([error.square().mean() for error in errors]).mean() + sparsity
    if settings.activation == "gated":
        gate = torch.relu(product + weights.b_gate_F)
        held = extra.detach() if isinstance(extra, torch.Tensor) else extra
        loss = loss + (gate @ weights.W_dec_FD.detach() + held - target).square().mean()
    if len(dead) and settings.activation in ("topk", "batchtopk", "jumprelu"):
        wanted = -errors[-1].detach() if residual is None else residual
        kept = torch.relu(pre[:, dead])
        top = kept.topk(min(max(target.shape[1] // 2, 1), len(dead)), dim=1)
        kept = torch.zeros_like(kept).scatter(1, top.indices, top.values)
        miss = kept @ weights.W_dec_FD[dead] - wanted
        loss = loss + settings.auxk_coefficient * miss.square().sum() / wanted.square().sum()
    return loss


def _latents(
    weights: Weights, product: torch.Tensor, settings: TrainingHyperparameters, d_in: int
) -> tuple[torch.Tensor, torch.Tensor]:
    pre, k = product + weights.b_enc_F, settings.resolved_k(d_in)
    norms = weights.W_dec_FD.norm(dim=1)
    if weights.architecture.has_unit_decoder:
        norms = torch.ones_like(norms)
    l1 = settings.resolved_l1_coefficient(d_in)
    none = pre.new_zeros(())
    if settings.activation == "topk":
        top = torch.relu(pre).topk(k, dim=1)
        return torch.zeros_like(pre).scatter(1, top.indices, top.values), none
    if settings.activation == "batchtopk":
        flat = torch.relu(pre).reshape(-1)
        top = flat.topk(k * len(pre))
        return torch.zeros_like(flat).scatter(0, top.indices, top.values).view_as(pre), none
    if settings.activation == "jumprelu":
        is_open = Step.apply(pre, weights.threshold_F, settings.bandwidth)
        l0 = Step.apply(pre.detach(), weights.threshold_F, settings.bandwidth).sum() / len(pre)
        scaled = _scaled_step(pre, weights.threshold_F, settings.bandwidth, is_open)
        return scaled, settings.l0_coefficient * (l0 / k - 1).square()
    if settings.activation == "gated":
        gate = torch.relu(product + weights.b_gate_F)
        size = torch.relu(product * weights.r_mag_F.exp() + weights.b_enc_F)
        return size * (gate > 0), l1 * (gate * norms).sum() / len(pre)
    latents = torch.relu(pre)
    return latents, l1 * (latents * norms).sum() / len(pre)


def _scaled_step(
    pre: torch.Tensor, threshold: torch.Tensor, width: float, is_open: torch.Tensor
) -> torch.Tensor:
    """Value pre where open; d / d threshold = -threshold / width near it (JumpReLU, eq. 11)."""
    step = Step.apply(pre.detach(), threshold, width)
    return pre * is_open.detach() + threshold.detach() * (step - step.detach())
