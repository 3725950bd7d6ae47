"""Losses by hand, gradients against dense autograd and against finite differences."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from app.ml.configs import ACTIVATIONS, ENCODER_TYPES, TrainingHyperparameters
from app.ml.sae_training import active_latents
from app.ml.sae_training.architecture import architecture_of
from app.ml.sae_training.objectives.base import Batch, Objective, StepLosses
from app.ml.sae_training.registry import OBJECTIVES, build_objective
from app.ml.sae_training.stepping import accumulate
from app.ml.sae_training.weights import Weights
from tests.ml.dense_reference import dense_loss

NO_DEAD = torch.empty(0, dtype=torch.int64)


def settings(**values: Any) -> TrainingHyperparameters:
    return TrainingHyperparameters.from_dict({"precision": "float32", **values})


def fresh_weights(config: TrainingHyperparameters, encoder_type: str, d: int) -> Weights:
    return Weights(architecture_of(encoder_type, config, d, d))


def random_weights(
    config: TrainingHyperparameters, encoder_type: str = "sparse", d: int = 5
) -> Weights:
    generator = torch.Generator().manual_seed(0)
    weights = fresh_weights(config, encoder_type, d).double()
    for parameter in weights.parameters():
        values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.copy_(values / 2)
    weights.constrain()
    if config.activation == "jumprelu":
        weights.threshold_F.abs_()
    return weights


def random_batch(encoder_type: str = "sparse", n: int = 7, d: int = 5) -> Batch:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, d, generator=generator, dtype=torch.float64)
    y = torch.randn(n, d, generator=generator, dtype=torch.float64)
    return Batch(x, y if encoder_type == "transcoder" else x)


def objective_for(weights: Weights, config: TrainingHyperparameters) -> Objective:
    return build_objective(weights.architecture, config, torch.float32)


def step(
    weights: Weights,
    x: torch.Tensor,
    config: TrainingHyperparameters,
    dead: torch.Tensor = NO_DEAD,
    progress: float = 1.0,
) -> StepLosses:
    return objective_for(weights, config).step(weights, Batch(x, x), dead, progress)


def three_latents(config: TrainingHyperparameters) -> tuple[Weights, torch.Tensor]:
    """Two inputs, three latents: every number can be followed on paper."""
    weights = fresh_weights(config, "sparse", 2)
    weights.W_enc_FD.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    weights.W_dec_FD.copy_(weights.W_enc_FD)
    return weights, torch.tensor([[3.0, 1.0], [-1.0, -2.0]])


def test_topk_by_hand() -> None:
    config = settings(k=1, d_sae=3)
    weights, x = three_latents(config)
    losses = step(weights, x, config)
    # Row 1 keeps latent 0 (3): rest (0, 1). Row 2 keeps latent 2 (1): rest (0, -2).
    assert losses.reconstruction.item() == pytest.approx((1 + 4) / 4)
    assert losses.l0.item() == 1.0
    assert losses.fired_F.nonzero().flatten().tolist() == [0, 2]
    assert losses.auxiliary.item() == 0.0
    assert losses.loss.item() == losses.reconstruction.item()


def test_batchtopk_by_hand() -> None:
    """Two of all six: both go to row 1, whose latents are 3 and 1 (with row 2's tie broken)."""
    config = settings(k=1, d_sae=3, activation="batchtopk", training_steps=100, warmup_steps=0)
    weights, x = three_latents(config)
    x[1, 0] = -0.5
    losses = step(weights, x, config)
    assert losses.reconstruction.item() == pytest.approx((0 + 0 + 0.25 + 4) / 4)
    assert losses.fired_F.nonzero().flatten().tolist() == [0, 1]
    assert weights.batch_threshold.item() == 1.0


def test_batchtopk_threshold_waits_for_the_warm_ups_and_then_follows() -> None:
    config = settings(
        k=1, d_sae=3, activation="batchtopk", training_steps=500, warmup_steps=20,
        k_warmup_percent=10,
    )  # fmt: skip
    weights, x = three_latents(config)
    for progress in (0.0, 0.05, 0.1):
        step(weights, x, config, progress=progress)
        assert weights.batch_threshold.item() == -1.0
    step(weights, 2 * x, config, progress=0.2)
    assert weights.batch_threshold.item() == 2.0
    step(weights, x, config, progress=0.3)  # 2 % of 500 steps: a tenth of the way to 1
    assert weights.batch_threshold.item() == pytest.approx(1.9)


def test_jumprelu_by_hand() -> None:
    """Thresholds 2, 0.5, 0.5: row 1 keeps 3 and 1, row 2 keeps latent 2 (1); L0 is 1.5."""
    config = settings(k=1, d_sae=3, activation="jumprelu", l0_coefficient=0.5)
    weights, x = three_latents(config)
    weights.threshold_F.copy_(torch.tensor([2.0, 0.5, 0.5]))
    losses = step(weights, x, config)
    assert losses.l0.item() == 1.5
    assert losses.reconstruction.item() == pytest.approx(4 / 4)
    assert losses.sparsity.item() == pytest.approx(0.5 * 0.25)


def test_gated_by_hand() -> None:
    """Gates (2, 0, -4) and (-2, -3, 0); only latent 0 of row 1 is open, at 2 * 3 - 1 = 5."""
    config = settings(k=1, d_sae=3, activation="gated", l1_coefficient=0.25)
    weights, x = three_latents(config)
    weights.b_gate_F.fill_(-1.0)
    weights.b_enc_F.fill_(-1.0)
    weights.r_mag_F.fill_(2.0).log_()
    losses = step(weights, x, config)
    assert losses.reconstruction.item() == pytest.approx((4 + 1 + 1 + 4) / 4)
    assert losses.auxiliary.item() == pytest.approx((1 + 1 + 1 + 4) / 4)
    assert losses.sparsity.item() == pytest.approx(0.25 * 2 / 2)


def test_auxk_by_hand() -> None:
    """The dead latent 1 could explain the whole rest of row 1 and none of row 2's."""
    config = settings(k=1, d_sae=3, auxk_coefficient=0.5)
    weights, x = three_latents(config)
    losses = step(weights, x, config, torch.tensor([1]))
    # Residuals (0, 1) and (0, -2); the dead latent gives (0, 1) and, by relu, (0, 0).
    # So it misses 4 of 5.
    assert losses.auxiliary.item() == pytest.approx(0.5 * 4 / 5)
    assert losses.loss.item() == pytest.approx(1.25 + 0.4)


def test_a_latent_kept_at_a_negative_value_did_not_fire() -> None:
    config = settings(k=2, d_sae=2)
    weights = fresh_weights(config, "sparse", 2)
    weights.W_enc_FD.copy_(torch.eye(2))
    weights.W_dec_FD.copy_(torch.eye(2))
    losses = step(weights, torch.tensor([[-1.0, -2.0]]), config)
    assert losses.l0.item() == 0
    assert not losses.fired_F.any()


def extra_settings(activation: str, encoder_type: str) -> dict[str, Any]:
    extra: dict[str, Any] = {"skip": encoder_type == "transcoder"}
    if activation in ("relu", "gated"):
        extra["l1_coefficient"] = 0.05
    if activation == "jumprelu":
        extra["bandwidth"] = 0.8
    return extra


def assert_gradients_equal_autograd(
    config: TrainingHyperparameters, encoder_type: str, dead: torch.Tensor = NO_DEAD
) -> None:
    weights, batch = random_weights(config, encoder_type), random_batch(encoder_type)
    losses = objective_for(weights, config).step(weights, batch, dead, 1.0)
    found = {name: p.grad for name, p in weights.named_parameters()}
    for parameter in weights.parameters():
        parameter.grad = None
        parameter.requires_grad_(True)
    with torch.enable_grad():
        loss = dense_loss(weights, batch, config, dead)
        torch.autograd.backward(loss)
    assert losses.loss.item() == pytest.approx(loss.item())
    for name, parameter in weights.named_parameters():
        assert parameter.grad is not None, name
        torch.testing.assert_close(found[name], parameter.grad, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("sparse_share", [0.0, 1.0], ids=["dense", "sparse"])
@pytest.mark.parametrize("encoder_type", ENCODER_TYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_equal_dense_autograd(
    monkeypatch: pytest.MonkeyPatch, activation: str, encoder_type: str, sparse_share: float
) -> None:
    monkeypatch.setattr(active_latents, "SPARSE_SHARE", sparse_share)
    config = settings(
        activation=activation, k=3, d_sae=12, **extra_settings(activation, encoder_type)
    )
    assert_gradients_equal_autograd(config, encoder_type)


@pytest.mark.parametrize("encoder_type", ENCODER_TYPES)
@pytest.mark.parametrize("activation", ["topk", "batchtopk", "jumprelu"])
@pytest.mark.parametrize("dead", [[1], [0, 2, 5, 7, 9, 11]])
def test_auxk_gradients_equal_dense_autograd(
    activation: str, encoder_type: str, dead: list[int]
) -> None:
    """With six dead latents k_aux = 2 binds."""
    config = settings(activation=activation, k=3, d_sae=12, auxk_coefficient=0.3)
    assert_gradients_equal_autograd(config, encoder_type, torch.tensor(dead))


@pytest.mark.parametrize("activation", ["topk", "batchtopk"])
@pytest.mark.parametrize("sizes", [[2], [3, 5, 9], [4, 12]])
def test_matryoshka_gradients_equal_dense_autograd(activation: str, sizes: list[int]) -> None:
    config = settings(activation=activation, k=3, d_sae=12, matryoshka_sizes=sizes)
    assert_gradients_equal_autograd(config, "sparse")


def test_matryoshka_gradients_of_dense_latents() -> None:
    """The dense form cuts columns where the sparse one cuts entries."""
    torch.manual_seed(0)
    values, rows, W = torch.rand(6, 8), torch.randn(6, 5), torch.randn(8, 5)
    mask = torch.rand(6, 8) > 0.5
    values *= mask
    dense = active_latents.DenseLatents(mask, torch.float32)
    sparse = active_latents.SparseLatents.at(mask.reshape(-1).nonzero().flatten(), mask.shape)
    entries = sparse.take(values)
    for one, two in zip(dense.parts([3, 8]), sparse.parts([3, 8]), strict=True):
        some = W[one.first : one.last]
        torch.testing.assert_close(
            one.active.decode(one.of(values), some), two.active.decode(two.of(entries), some)
        )
        d_dense, d_sparse = torch.zeros(6, 8), torch.zeros(len(entries))
        one.put(d_dense, one.active.products(rows, some))
        two.put(d_sparse, two.active.products(rows, some))
        torch.testing.assert_close(sparse.take(d_dense), d_sparse)


@pytest.mark.parametrize("sparse", [False, True])
def test_products_equal_dense_ones(sparse: bool) -> None:
    torch.manual_seed(0)
    mask, values = torch.rand(6, 8) > 0.6, torch.randn(6, 8)
    rows, W = torch.randn(6, 5), torch.randn(8, 5)
    active = active_latents.DenseLatents(mask, torch.float32)
    if sparse:
        flat = mask.reshape(-1).nonzero().flatten()
        active = active_latents.SparseLatents.at(flat, mask.shape)  # type: ignore[assignment]
    kept, entries = values * mask, active.take(values)
    torch.testing.assert_close(active.decode(entries, W), kept @ W)
    torch.testing.assert_close(active.products(rows, W), active.take(rows @ W.T))
    torch.testing.assert_close(active.transposed(entries, rows), kept.T @ rows)
    torch.testing.assert_close(active.sum_by_latent(entries), kept.sum(0))
    assert active.count(entries) == (kept > 0).sum()
    assert torch.equal(active.fired(entries), (kept > 0).any(0))


def assert_finite_differences(weights: Weights, value: Callable[[], float]) -> None:
    for name, parameter in weights.named_parameters():
        assert parameter.grad is not None
        flat = parameter.view(-1)
        for i in range(0, len(flat), 3):
            kept = flat[i].item()
            flat[i] = kept + 1e-6
            above = value()
            flat[i] = kept - 1e-6
            below = value()
            flat[i] = kept
            numeric = (above - below) / 2e-6
            analytic = parameter.grad.reshape(-1)[i].item()
            assert analytic == pytest.approx(numeric, abs=1e-6, rel=1e-4), (name, i)


@pytest.mark.parametrize("encoder_type", ENCODER_TYPES)
def test_auxk_reaches_the_encoder_by_finite_differences(encoder_type: str) -> None:
    config = settings(k=3, d_sae=12, auxk_coefficient=0.3)
    weights, batch = random_weights(config, encoder_type), random_batch(encoder_type)
    dead = torch.tensor([0, 2, 5, 7, 9, 11])
    losses = objective_for(weights, config).step(weights, batch, dead, 1.0)
    residual = -losses.error_BD.clone()
    value = lambda: dense_loss(weights, batch, config, dead, residual).item()  # noqa: E731
    assert losses.loss.item() == pytest.approx(value())
    assert_finite_differences(weights, value)


@pytest.mark.parametrize("activation", ["relu", "gated"])
def test_penalty_warms_up(activation: str) -> None:
    config = settings(activation=activation, l1_coefficient=0.1, d_sae=12)
    x = random_batch().input_BD

    def sparsity(progress: float) -> float:
        return step(random_weights(config), x, config, progress=progress).sparsity.item()

    assert sparsity(0.01) == pytest.approx(sparsity(1.0) / 5)
    assert sparsity(0.05) == sparsity(0.5)


def test_k_falls_to_its_value() -> None:
    config = settings(k=2, d_sae=12, k_warmup_percent=10)
    x = random_batch(n=200).input_BD
    weights = random_weights(config)
    weights.b_enc_F.fill_(10.0)
    found = [step(weights, x, config, progress=p).l0.item() for p in (0.0, 0.05, 0.1, 1.0)]
    assert found == [8.0, 5.0, 2.0, 2.0]


@pytest.mark.parametrize("activation", ["topk", "relu", "gated", "jumprelu"])
def test_parts_of_a_batch_add_up_to_its_gradient(activation: str) -> None:
    config = settings(activation=activation, k=3, d_sae=12, l0_coefficient=0.0)
    whole, parted = random_weights(config), random_weights(config)
    batch = random_batch(n=8)
    one = accumulate(objective_for(whole, config), whole, [batch], NO_DEAD, 1.0)
    two = accumulate(objective_for(parted, config), parted, batch.parts(4), NO_DEAD, 1.0)
    torch.testing.assert_close(one.loss, two.loss)
    torch.testing.assert_close(one.error_BD, two.error_BD)
    for left, right in zip(whole.parameters(), parted.parameters(), strict=True):
        torch.testing.assert_close(left.grad, right.grad)


@pytest.mark.parametrize("sparse_share", [0.0, 1.0], ids=["dense", "sparse"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_bfloat16_products_stay_close_to_float32(
    monkeypatch: pytest.MonkeyPatch, activation: str, sparse_share: float
) -> None:
    monkeypatch.setattr(active_latents, "SPARSE_SHARE", sparse_share)
    torch.manual_seed(0)
    x, config = torch.randn(64, 32), settings(activation=activation, k=8, d_sae=64)
    grads = []
    for dtype in (torch.float32, torch.bfloat16):
        weights = fresh_weights(config, "sparse", 32)
        weights.W_dec_FD.copy_(torch.randn(64, 32, generator=torch.Generator().manual_seed(3)))
        weights.normalise_decoder()
        weights.W_enc_FD.copy_(weights.W_dec_FD)
        build_objective(weights.architecture, config, dtype).step(
            weights, Batch(x, x), NO_DEAD, 1.0
        )
        assert weights.W_dec_FD.grad is not None
        assert all(p.grad is not None and p.grad.dtype == torch.float32
                   for p in weights.parameters())  # fmt: skip
        grads.append(weights.W_dec_FD.grad)
    assert torch.cosine_similarity(grads[0].ravel(), grads[1].ravel(), dim=0) > 0.98


def test_decoder_gradient_has_no_part_along_the_rows() -> None:
    config = settings(k=3, d_sae=12)
    weights = random_weights(config)
    step(weights, random_batch().input_BD, config)
    weights.project_decoder_gradient()
    assert weights.W_dec_FD.grad is not None
    along = (weights.W_dec_FD.grad * weights.W_dec_FD).sum(1)
    torch.testing.assert_close(along, torch.zeros_like(along))


def fires_of_weak_latents(auxk_coefficient: float) -> int:
    """Train with half of the latents far too weak to be kept; count those that fire at the end."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(256, 16, generator=generator)
    config = settings(k=2, d_sae=32, auxk_coefficient=auxk_coefficient)
    weights = fresh_weights(config, "sparse", 16)
    weights.W_dec_FD.copy_(torch.randn(32, 16, generator=generator))
    weights.normalise_decoder()
    weights.W_enc_FD.copy_(weights.W_dec_FD)
    weights.W_enc_FD[16:] *= 0.05
    objective = objective_for(weights, config)
    optimiser = torch.optim.Adam(list(weights.parameters()), lr=1e-2)
    weak = torch.arange(16, 32)
    for _ in range(200):
        losses = objective.step(weights, Batch(x, x), weak, 1.0)
        weights.project_decoder_gradient()
        optimiser.step()
        weights.normalise_decoder()
    return int(losses.fired_F[weak].sum())


def test_auxk_revives_dead_latents() -> None:
    assert fires_of_weak_latents(0.0) == 0
    assert fires_of_weak_latents(1.0) >= 12


def test_every_activation_has_an_objective() -> None:
    assert set(OBJECTIVES) == set(ACTIVATIONS)
