"""Losses by hand and gradients by finite differences."""

from collections.abc import Callable

import pytest
import torch

from app.ml.configs import ConfigInvalid, TrainingHyperparameters
from app.ml.sae_training.objectives import Objective, ReluObjective, StepLosses, TopKObjective
from app.ml.sae_training.registry import OBJECTIVES, build_objective
from app.ml.sae_training.schedule import learning_rate_at
from app.ml.sae_training.sparse_products import (
    LatentGroups,
    decode_sparse,
    sampled_products,
    sum_by_latent,
)
from app.ml.sae_training.weights import Weights

NO_DEAD = torch.empty(0, dtype=torch.int64)


def settings(**values: object) -> TrainingHyperparameters:
    return TrainingHyperparameters.from_dict({"precision": "float32", **values})


def random_weights(d_model: int = 5, d_sae: int = 12, seed: int = 0) -> Weights:
    generator = torch.Generator().manual_seed(seed)
    weights = Weights(d_model, d_sae).double()
    for parameter in weights.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    weights.normalise_decoder()
    return weights


def test_sparse_products_equal_dense_ones() -> None:
    torch.manual_seed(0)
    values, rows, weight = torch.randn(6, 3), torch.randn(6, 5), torch.randn(8, 5)
    indices = torch.stack([torch.randperm(8)[:3] for _ in range(6)])
    dense = torch.zeros(6, 8).scatter_(1, indices, values)
    torch.testing.assert_close(decode_sparse(values, indices, weight), dense @ weight)
    expected = (rows @ weight.T).gather(1, indices)
    torch.testing.assert_close(sampled_products(rows, weight, indices), expected)
    product = LatentGroups.of(indices, 8).transposed_product(values, rows)
    torch.testing.assert_close(product, dense.T @ rows)
    torch.testing.assert_close(sum_by_latent(values, indices, 8), dense.sum(0))


def test_topk_by_hand() -> None:
    """Two inputs, three latents, k 1: every number can be followed on paper."""
    weights = Weights(2, 3)
    weights.W_enc_FD.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    weights.W_dec_FD.copy_(weights.W_enc_FD)
    x = torch.tensor([[3.0, 1.0], [-1.0, -2.0]])
    losses = TopKObjective(settings(k=1), 2, torch.float32).step(weights, x, NO_DEAD, 1.0)
    # Row 1 keeps latent 0 (3): rest (0, 1). Row 2 keeps latent 2 (1): rest (0, -2).
    assert losses.reconstruction.item() == pytest.approx((1 + 4) / 4)
    assert losses.l0.item() == 1.0
    assert sorted(losses.fired.tolist()) == [0, 2]
    assert losses.auxiliary.item() == 0.0
    assert losses.loss.item() == losses.reconstruction.item()


def test_auxk_by_hand() -> None:
    """The dead latent 1 could explain the whole rest of row 1 and none of row 2's."""
    weights = Weights(2, 3)
    weights.W_enc_FD.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    weights.W_dec_FD.copy_(weights.W_enc_FD)
    x = torch.tensor([[3.0, 1.0], [-1.0, -2.0]])
    objective = TopKObjective(settings(k=1, auxk_coefficient=0.5), 2, torch.float32)
    losses = objective.step(weights, x, torch.tensor([1]), 1.0)
    # Residuals (0, 1) and (0, -2); the dead latent gives (0, 1) and, by relu, (0, 0).
    # So it misses 4 of 5.
    assert losses.auxiliary.item() == pytest.approx(0.5 * 4 / 5)
    assert losses.loss.item() == pytest.approx(1.25 + 0.4)


def test_a_latent_kept_at_a_negative_value_did_not_fire() -> None:
    weights = Weights(2, 2)
    weights.W_enc_FD.copy_(torch.eye(2))
    weights.W_dec_FD.copy_(torch.eye(2))
    x = torch.tensor([[-1.0, -2.0]])
    losses = TopKObjective(settings(k=2), 2, torch.float32).step(weights, x, NO_DEAD, 1.0)
    assert losses.l0.item() == 0
    assert len(losses.fired) == 0


def loss_with_fixed_residual(
    objective: TopKObjective, weights: Weights, x: torch.Tensor, dead: torch.Tensor,
    residual: torch.Tensor,
) -> float:  # fmt: skip
    """The same loss written densely, with AuxK's target held fixed as it must be."""
    centred = x - weights.b_dec_D
    pre = centred @ weights.W_enc_FD.T + weights.b_enc_F
    kept = pre.topk(objective.k, dim=1)
    latents = torch.zeros_like(pre).scatter_(1, kept.indices, torch.relu(kept.values))
    output = latents @ weights.W_dec_FD + weights.b_dec_D
    loss = (output - x).square().mean()
    if len(dead):
        aux = torch.relu(pre[:, dead])
        top = aux.topk(min(objective.k_aux, len(dead)), dim=1)
        aux = torch.zeros_like(aux).scatter_(1, top.indices, top.values)
        miss = aux @ weights.W_dec_FD[dead] - residual
        loss += objective.auxk_coefficient * miss.square().sum() / residual.square().sum()
    return loss.item()


def assert_gradients(weights: Weights, value: Callable[[], float], step: float = 1e-6) -> None:
    for name, parameter in weights.named_parameters():
        assert parameter.grad is not None
        flat = parameter.view(-1)
        for i in range(0, len(flat), 3):
            kept = flat[i].item()
            flat[i] = kept + step
            above = value()
            flat[i] = kept - step
            below = value()
            flat[i] = kept
            numeric = (above - below) / (2 * step)
            analytic = parameter.grad.reshape(-1)[i].item()
            assert analytic == pytest.approx(numeric, abs=1e-6, rel=1e-4), (name, i)


@pytest.mark.parametrize("dead", [[], [1], [0, 2, 5, 7, 9, 11]])
def test_topk_gradients_match_finite_differences(dead: list[int]) -> None:
    """With six dead latents k_aux = 2 binds; AuxK reaches encoder, decoder and biases."""
    weights = random_weights()
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    objective = TopKObjective(settings(k=3, auxk_coefficient=0.3), 5, torch.float32)
    which = torch.tensor(dead, dtype=torch.int64)
    losses = objective.step(weights, x, which, 1.0)
    residual = -losses.error_BD.clone()
    value = lambda: loss_with_fixed_residual(objective, weights, x, which, residual)  # noqa: E731
    assert losses.loss.item() == pytest.approx(value())
    assert_gradients(weights, value)


def test_relu_gradients_match_finite_differences() -> None:
    weights = random_weights()
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    objective = ReluObjective(settings(activation="relu", l1_coefficient=0.05), 5, torch.float32)
    losses = objective.step(weights, x, NO_DEAD, 1.0)

    def value() -> float:
        pre = (x - weights.b_dec_D) @ weights.W_enc_FD.T + weights.b_enc_F
        latents = torch.relu(pre)
        error = latents @ weights.W_dec_FD + weights.b_dec_D - x
        return (error.square().mean() + 0.05 * latents.sum() / 7).item()

    assert losses.loss.item() == pytest.approx(value())
    assert losses.sparsity.item() > 0
    assert_gradients(weights, value)


def test_relu_penalty_warms_up() -> None:
    objective = ReluObjective(settings(activation="relu", l1_coefficient=0.1), 5, torch.float32)
    x = torch.randn(7, 5, dtype=torch.float64)

    def sparsity(progress: float) -> float:
        losses: StepLosses = objective.step(random_weights(), x, NO_DEAD, progress)
        return losses.sparsity.item()

    assert sparsity(0.01) == pytest.approx(sparsity(1.0) / 5)
    assert sparsity(0.05) == sparsity(0.5)


@pytest.mark.parametrize("kind", [TopKObjective, ReluObjective])
def test_bfloat16_products_stay_close_to_float32(kind: Callable[..., Objective]) -> None:
    torch.manual_seed(0)
    x = torch.randn(64, 32)
    grads = []
    for dtype in (torch.float32, torch.bfloat16):
        weights = Weights(32, 64)
        weights.W_dec_FD.copy_(torch.randn(64, 32, generator=torch.Generator().manual_seed(3)))
        weights.normalise_decoder()
        weights.W_enc_FD.copy_(weights.W_dec_FD)
        kind(settings(k=8), 32, dtype).step(weights, x, NO_DEAD, 1.0)
        assert weights.W_dec_FD.grad is not None
        assert weights.W_dec_FD.grad.dtype == torch.float32
        grads.append(weights.W_dec_FD.grad)
    assert torch.cosine_similarity(grads[0].ravel(), grads[1].ravel(), dim=0) > 0.98


def test_decoder_gradient_has_no_part_along_the_rows() -> None:
    weights = random_weights()
    x = torch.randn(7, 5, dtype=torch.float64)
    TopKObjective(settings(k=3), 5, torch.float32).step(weights, x, NO_DEAD, 1.0)
    weights.project_decoder_gradient()
    assert weights.W_dec_FD.grad is not None
    along = (weights.W_dec_FD.grad * weights.W_dec_FD).sum(1)
    torch.testing.assert_close(along, torch.zeros_like(along))


def fires_of_weak_latents(auxk_coefficient: float) -> int:
    """Train with half of the latents far too weak to be kept; count those that fire at the end."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(256, 16, generator=generator)
    weights = Weights(16, 32)
    weights.W_dec_FD.copy_(torch.randn(32, 16, generator=generator))
    weights.normalise_decoder()
    weights.W_enc_FD.copy_(weights.W_dec_FD)
    weights.W_enc_FD[16:] *= 0.05
    objective = TopKObjective(settings(k=2, auxk_coefficient=auxk_coefficient), 16, torch.float32)
    optimiser = torch.optim.Adam(list(weights.parameters()), lr=1e-2)
    weak = torch.arange(16, 32)
    for _ in range(200):
        losses = objective.step(weights, x, weak, 1.0)
        weights.project_decoder_gradient()
        optimiser.step()
        weights.normalise_decoder()
    return len(set(losses.fired.tolist()) & set(weak.tolist()))


def test_auxk_revives_dead_latents() -> None:
    assert fires_of_weak_latents(0.0) == 0
    assert fires_of_weak_latents(1.0) >= 12


def test_registry_refuses_what_does_not_exist() -> None:
    assert set(OBJECTIVES) == {("sparse", "topk"), ("sparse", "relu")}
    with pytest.raises(ConfigInvalid, match="cannot be trained yet"):
        build_objective("skip", settings(), 8, torch.float32)
    with pytest.raises(ConfigInvalid, match="must not exceed the 16 latents"):
        build_objective("sparse", settings(k=17, expansion_factor=2), 8, torch.float32)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("trapezoid", [0.05, 0.1, 1.0, 1.0, 1.0, 0.5, 0.05]),
        ("constant", [0.05, 0.1, 1.0, 1.0, 1.0, 1.0, 1.0]),
        ("linear", [0.05, 0.1, 1.0, 0.5, 0.25, 0.125, 0.0125]),
        ("cosine", [0.05, 0.1, 1.0, 0.5, 0.14644661, 0.03806023, 0.000385482]),
        ("exponential", [0.05, 0.1, 1.0, 0.1, 0.03162278, 0.01778279, 0.01059254]),
    ],
)
def test_schedules_by_hand(schedule: str, expected: list[float]) -> None:
    """100 steps, 20 of warm-up, peak 1: values at steps 0, 1, 20, 60, 80, 90, 99."""
    config = settings(learning_rate=1.0, training_steps=100, warmup_steps=20, lr_schedule=schedule)
    found = [learning_rate_at(step, config, 64) for step in (0, 1, 20, 60, 80, 90, 99)]
    assert found == pytest.approx(expected, rel=1e-5)
